/**
 * The thread that spans are made and sent on, by OpenTelemetry's own libraries: reading them alone takes some 100 ms, and no
 * exchange waits for that. Certificates, headers and further attributes come from the variables of this process that
 * OpenTelemetry names, `OTEL_EXPORTER_OTLP_…` and `OTEL_RESOURCE_ATTRIBUTES`.
 */
import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';
import type { SpanContent } from './span-content.ts';

/** Of a remote parent. */
export interface SpanTree {
  readonly trace: string;
  readonly parent: string;
  readonly content: SpanContent;
}

/** One batch; the next comes when this one was answered. */
export type SpanOrder = readonly SpanTree[];

/** What became of it. */
export type SpanOutcome =
  | { readonly kind: 'exported' }
  /** The HTTP status that refused it, or what the network said. */
  | { readonly kind: 'failed'; readonly status?: number; readonly errno?: string };

export interface SpanThreadOptions {
  readonly endpoint: string;
  readonly exportTimeoutMs: number;
  readonly version: string;
}

/** What is used of a thread. */
export interface SpanThread {
  postMessage(order: SpanOrder): void;
  terminate(): unknown;
  unref(): void;
  on(event: 'message', listener: (outcome: SpanOutcome) => void): unknown;
  on(event: 'exit', listener: () => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
}

/**
 * Nothing of ours, so that it is the same from sources as it is built. Of an error only numbers and words of a table go
 * back: its message may quote anything.
 */
const THREAD = `
  const { parentPort, workerData } = require('node:worker_threads');
  const { libraries, endpoint, exportTimeoutMs, version } = workerData;
  const [api, exporting, resources, sdk] = libraries.map((path) => require(path));
  const exporter = new exporting.OTLPTraceExporter({ url: endpoint, timeoutMillis: exportTimeoutMs });
  const random = new sdk.RandomIdGenerator();
  let given;
  let ended = [];
  const own = resources.resourceFromAttributes({ 'service.name': 'switchyard', 'service.version': version });
  const tracer = new sdk.TracerProvider({
    resource: own.merge(resources.detectResources({ detectors: [resources.envDetector] })),
    sampler: new sdk.AlwaysOnSampler(),
    // What a record has is bounded where it is made.
    spanLimits: { eventCountLimit: Infinity },
    idGenerator: {
      generateTraceId: () => random.generateTraceId(),
      generateSpanId: () => given ?? random.generateSpanId(),
    },
    spanProcessors: [{
      onStart() {},
      onEnd: (span) => void ended.push(span),
      forceFlush: async () => {},
      shutdown: async () => {},
    }],
  }).getTracer('switchyard', version);
  const make = (content, parent) => {
    given = content.span;
    const kind = api.SpanKind[content.kind.toUpperCase()];
    const { startMs: startTime, endMs, attributes } = content;
    const span = tracer.startSpan(content.name, { kind, startTime, attributes }, parent);
    given = undefined;
    for (const event of content.events) span.addEvent(event.name, event.attributes, endMs);
    if (content.error !== undefined) {
      span.setAttribute('error.type', content.error);
      span.setStatus({ code: api.SpanStatusCode.ERROR });
    }
    for (const child of content.children) make(child, api.trace.setSpan(api.ROOT_CONTEXT, span));
    span.end(endMs);
  };
  const send = (trees, done) => {
    for (const { trace: traceId, parent: spanId, content } of trees) {
      const remote = { traceId, spanId, traceFlags: api.TraceFlags.SAMPLED, isRemote: true };
      make(content, api.trace.setSpanContext(api.ROOT_CONTEXT, remote));
    }
    const spans = ended;
    ended = [];
    exporter.export(spans, done);
  };
  const answerOf = ({ code, error }) => {
    if (code === 0) return { kind: 'exported' };
    const fault = error?.code;
    return {
      kind: 'failed',
      ...(typeof fault === 'number' && { status: fault }),
      ...(typeof fault === 'string' && { errno: fault }),
    };
  };
  parentPort.on('message', (trees) => {
    send(trees, (result) => parentPort.postMessage(answerOf(result)));
  });
`;

const require = createRequire(import.meta.url);

/** In the order in which the thread takes them; named here, and read by the thread alone. */
const libraries = (): readonly string[] => [
  require.resolve('@opentelemetry/api'),
  require.resolve('@opentelemetry/exporter-trace-otlp-proto'),
  require.resolve('@opentelemetry/resources'),
  require.resolve('@opentelemetry/sdk-trace'),
];

export function startSpanThread(options: SpanThreadOptions): SpanThread {
  return new Worker(THREAD, {
    eval: true,
    // Whatever this process was started with is not meant for it, nor is its output for ours.
    execArgv: [],
    stdout: true,
    stderr: true,
    workerData: { ...options, libraries: libraries() },
  });
}
