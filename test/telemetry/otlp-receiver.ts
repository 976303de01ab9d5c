/** A receiver of OTLP over HTTP: reads spans as the published messages have them, and by nobody's code that sends them. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { loadSync, type MethodDefinition } from '@grpc/proto-loader';

const PROTOS = fileURLToPath(new URL('../../protos', import.meta.url));
const TRACES = 'opentelemetry.TraceService';

// biome-ignore lint/suspicious/noExplicitAny: a dynamic codec has dynamic messages
type Message = any;

const definition = loadSync('opentelemetry/traces.proto', {
  includeDirs: [PROTOS],
  longs: String,
  enums: String,
  oneofs: true,
  defaults: true,
});
const service = definition[TRACES] as unknown as { Export: MethodDefinition<Message, Message> };

export type Attributes = Readonly<Record<string, unknown>>;

export interface ReceivedSpan {
  readonly service: unknown;
  readonly trace: string;
  readonly span: string;
  /** '' of a root. */
  readonly parent: string;
  readonly name: string;
  readonly kind: string;
  readonly startNs: bigint;
  readonly endNs: bigint;
  readonly attributes: Attributes;
  readonly events: readonly { readonly name: string; readonly attributes: Attributes }[];
  readonly failed: boolean;
  readonly dropped: number;
}

export interface OtlpReceiver {
  readonly port: number;
  /** All that has come, in order. */
  readonly spans: readonly ReceivedSpan[];
  /** Bytes of every body as they came, with their headers: for a search of what may not be there. */
  readonly raw: readonly string[];
  /** Requests so far, refused ones too. */
  requests: number;
  /** What it answers; `silent`: nothing. */
  answer: number | 'silent';
  /** Waits for a span that `matches`; rejects after 20 s. */
  until(matches: (span: ReceivedSpan) => boolean): Promise<ReceivedSpan>;
  stop(): Promise<void>;
}

export async function startOtlpReceiver(): Promise<OtlpReceiver> {
  const spans: ReceivedSpan[] = [];
  const raw: string[] = [];
  const receiver: OtlpReceiver = {
    port: 0,
    spans,
    raw,
    requests: 0,
    answer: 200,
    async until(matches) {
      for (let waitedMs = 0; waitedMs < 20_000; waitedMs += 20) {
        const found = spans.find(matches);
        if (found !== undefined) return found;
        await sleep(20);
      }
      throw new Error(`no such span among ${spans.map(({ name }) => name).join(', ')}`);
    },
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  const server = createServer((request, response) => {
    receiver.requests++;
    void take(request, response);
  });
  const take = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { answer } = receiver;
    if (answer === 'silent') return;
    if (answer === 200 && request.url === '/v1/traces') {
      const packed = Buffer.concat(chunks);
      const body = request.headers['content-encoding'] === 'gzip' ? gunzipSync(packed) : packed;
      raw.push(`${JSON.stringify(request.rawHeaders)} ${body.toString('latin1')}`);
      spans.push(...spansOf(service.Export.requestDeserialize(body)));
    }
    response.writeHead(request.url === '/v1/traces' ? answer : 404, {
      'content-type': 'application/x-protobuf',
    });
    response.end();
  };
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return Object.assign(receiver, { port: (server.address() as AddressInfo).port });
}

function spansOf(message: Message): readonly ReceivedSpan[] {
  return message.resourceSpans.flatMap((resource: Message) =>
    resource.scopeSpans.flatMap((scope: Message) =>
      scope.spans.map((span: Message) => ({
        service: attributesOf(resource.resource.attributes)['service.name'],
        trace: hexOf(span.traceId),
        span: hexOf(span.spanId),
        parent: hexOf(span.parentSpanId),
        name: span.name,
        kind: span.kind,
        startNs: BigInt(span.startTimeUnixNano),
        endNs: BigInt(span.endTimeUnixNano),
        attributes: attributesOf(span.attributes),
        events: span.events.map(({ name, attributes }: Message) => ({
          name,
          attributes: attributesOf(attributes),
        })),
        failed: span.status?.code === 'STATUS_CODE_ERROR',
        dropped: span.droppedAttributesCount + span.droppedEventsCount,
      })),
    ),
  );
}

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

function attributesOf(pairs: readonly Message[]): Attributes {
  return Object.fromEntries(pairs.map(({ key, value }) => [key, plainValue(value)]));
}

function plainValue(value: Message): unknown {
  if (value.value === 'arrayValue') return value.arrayValue.values.map(plainValue);
  if (value.value === 'intValue') return Number(value.intValue);
  return value[value.value];
}
