/** Spans of sampled traces, through an Envoy that traces too, as a receiver of OTLP reads them: docs/reference/tracing.md. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Document } from 'yaml';
import type { DecisionRecord } from '../../src/audit/record.ts';
import { startClassifier, type TestClassifier } from '../classifiers/classifier.ts';
import {
  type OtlpReceiver,
  type ReceivedSpan,
  startOtlpReceiver,
} from '../telemetry/otlp-receiver.ts';
import { type ChatOptions, chat } from './chat.ts';
import { requireEnvoy, type Stack, startStack } from './harness.ts';
import { until } from './sessions.ts';
import { writtenRecords } from './written-records.ts';

const POLICY = `
kind: Policy
metadata: { name: guard, layer: platform }
class: security
rules:
  - { id: zebra, inspect: [request, response], match: { keywords: { words: [Project Zebra] } }, then: block }
  - { id: mail, inspect: [request, response], match: { pii: { entities: [email] } }, then: redact }
  - id: toxic
    class: operational
    inspect: [request]
    match: { classifier: { name: toxicity, threshold: 0.8, mode: deferred } }
    then: flag
`;

const PROCESS = 'envoy.service.ext_proc.v3.ExternalProcessor/Process';
const CHECK = 'envoy.service.auth.v3.Authorization/Check';

const BATCH_MS = 200;

const hex = (bytes: number): string => randomBytes(bytes).toString('hex');

/** A trace that a client has begun. */
function begun(sampled: boolean) {
  const [trace, parent] = [hex(16), hex(8)];
  return { trace, parent, traceparent: `00-${trace}-${parent}-${sampled ? '01' : '00'}` };
}

/** Envoy exports its own spans to the same receiver; `percent` of what no client has decided about. */
const tracing = (port: number, percent: number) => (document: Document) => {
  const manager = ['static_resources', 'listeners', 0, 'filter_chains', 0, 'filters', 0];
  document.setIn(
    [...manager, 'typed_config', 'tracing'],
    document.createNode({
      random_sampling: { value: percent },
      provider: {
        name: 'envoy.tracers.opentelemetry',
        typed_config: {
          '@type': 'type.googleapis.com/envoy.config.trace.v3.OpenTelemetryConfig',
          service_name: 'envoy',
          http_service: {
            http_uri: { uri: `http://127.0.0.1:${port}/v1/traces`, cluster: 'otlp', timeout: '2s' },
          },
        },
      },
    }),
  );
  // Five seconds is the default: too long to wait for a span.
  document.setIn(
    ['layered_runtime', 'layers', 0, 'static_layer', 'tracing.opentelemetry.flush_interval_ms'],
    100,
  );
  document.addIn(
    ['static_resources', 'clusters'],
    document.createNode({
      name: 'otlp',
      load_assignment: {
        cluster_name: 'otlp',
        endpoints: [
          {
            lb_endpoints: [
              {
                endpoint: {
                  address: { socket_address: { address: '127.0.0.1', port_value: port } },
                },
              },
            ],
          },
        ],
      },
    }),
  );
};

describe('tracing', function () {
  this.timeout(120_000);
  let receiver: OtlpReceiver;
  let classifier: TestClassifier;
  let stack: Stack;

  before(async function () {
    requireEnvoy(this);
    classifier = await startClassifier();
  });
  after(() => classifier?.stop());
  beforeEach(async () => {
    receiver = await startOtlpReceiver();
  });
  afterEach(async () => {
    await stack?.stop();
    await receiver?.stop();
  });

  interface Options {
    readonly transport?: string;
    /** What Envoy samples of traces that it begins, and the most of those that clients do; undefined: it does not trace. */
    readonly percent?: number;
  }

  const start = async ({ transport = 'fast', percent }: Options): Promise<Stack> => {
    stack = await startStack({
      policies: { 'guard.yaml': POLICY },
      config: `
grpc: { transport: ${transport}, drainMs: 100, drainDeadlineMs: 1000 }
tracing: { endpoint: "http://127.0.0.1:${receiver.port}/v1/traces", batchMs: ${BATCH_MS} }
classifiers: [{ name: toxicity, url: "http://127.0.0.1:${classifier.port}/classify" }]
`,
      env: { OTEL_EXPORTER_OTLP_HEADERS: 'x-tenant-of-traces=ours' },
      ...(percent !== undefined && { adapt: tracing(receiver.port, percent) }),
    });
    return stack;
  };
  const ask = (options: ChatOptions) => chat(stack.envoy.port, options);
  const records = (): readonly DecisionRecord[] =>
    writtenRecords(stack.switchyard.dataDirectory).decisions;
  const counted = async (outcome: string): Promise<number> => {
    const { text } = await stack.switchyard.admin('/metrics');
    const found = new RegExp(`^switchyard_spans_total\\{outcome="${outcome}"\\} (\\d+)`, 'mu');
    return Number(found.exec(text)?.[1] ?? 0);
  };
  const ours = (): readonly ReceivedSpan[] =>
    receiver.spans.filter(({ service }) => service === 'switchyard');
  const lines = (event: string): number =>
    stack.switchyard.output().split(`"event":"${event}"`).length - 1;

  for (const transport of ['grpc-js', 'fast'])
    it(`hangs its spans below those of Envoy's calls to it, ${transport}`, async () => {
      await start({ transport, percent: 100 });
      await ask({ headers: { traceparent: begun(false).traceparent } });
      const { trace, parent, traceparent } = begun(true);
      const answer = await ask({ prompt: 'I am a@b.example', headers: { traceparent } });
      assert.equal(answer.status, 200, answer.text);
      const of = (service: string, name: string) =>
        receiver.until((span) => span.service === service && span.name === name);
      const process = await of('switchyard', PROCESS);
      const check = await of('switchyard', CHECK);
      const called = await of(
        'envoy',
        'async envoy.service.ext_proc.v3.ExternalProcessor.Process egress',
      );
      const checked = await of('envoy', 'async envoy.service.auth.v3.Authorization.Check egress');
      const ingress = await of('envoy', 'ingress');
      // Its verdict may be later than the exchange.
      await of('switchyard', 'switchyard.classifier toxicity');
      assert.equal(ingress.parent, parent);
      assert.equal(called.parent, ingress.span);
      assert.equal(process.parent, called.span);
      assert.equal(check.parent, checked.span);
      for (const span of [process, check, called, ingress]) assert.equal(span.trace, trace);
      assert.equal(process.kind, 'SPAN_KIND_SERVER');
      assert.ok(!process.failed);

      const record = records().find(
        (one) => one.kind === 'process' && one.traceContext?.trace === trace,
      );
      assert.ok(record);
      assert.deepEqual(record.traceContext, { trace, parent: called.span, sampled: true });
      const { attributes } = process;
      assert.deepEqual(
        {
          system: attributes['rpc.system'],
          exchange: attributes['switchyard.exchange'],
          verdict: attributes['switchyard.verdict'],
          set: attributes['switchyard.set'],
          format: attributes['switchyard.format'],
          rules: attributes['switchyard.rules'],
          status: attributes['http.response.status_code'],
        },
        {
          system: 'grpc',
          exchange: record.exchange,
          verdict: 'mutate',
          set: record.set,
          format: 'openai.chat',
          rules: ['guard/mail'],
          status: 200,
        },
      );
      assert.equal(check.attributes['switchyard.exchange'], record.exchange);
      const [finding] = process.events;
      assert.equal(finding?.name, 'switchyard.finding');
      assert.equal(finding?.attributes['switchyard.rule'], 'guard/mail');
      assert.equal(finding?.attributes['switchyard.start'], 5);
      assert.equal(finding?.attributes['switchyard.end'], 16);
      assert.equal(process.dropped, 0);

      const inside = ours().filter((span) => span.parent === process.span);
      assert.deepEqual(inside.map(({ name }) => name).sort(), [
        'switchyard.classifier toxicity',
        'switchyard.request',
        'switchyard.response',
      ]);
      for (const span of inside) {
        assert.equal(span.trace, trace);
        assert.ok(span.startNs <= span.endNs, span.name);
        if (span.kind === 'SPAN_KIND_CLIENT') continue;
        assert.ok(span.startNs >= process.startNs && span.endNs <= process.endNs, span.name);
      }
      assert.deepEqual([...new Set(ours().map((span) => span.trace))], [trace]);
      assert.ok(
        !receiver.raw
          .filter((text) => text.includes('switchyard'))
          .join()
          .includes('a@b'),
      );
    });

  it('sends nothing of what Envoy does not sample, whatever its client says', async () => {
    await start({ percent: 0 });
    for (const traceparent of [begun(true).traceparent, begun(false).traceparent, 'nonsense'])
      assert.equal((await ask({ headers: { traceparent } })).status, 200);
    await ask({});
    await sleep(BATCH_MS + 300);
    assert.deepEqual(ours(), []);
    const { text } = await stack.switchyard.admin('/metrics');
    assert.doesNotMatch(text, /^switchyard_spans_total\{/mu);
  });

  it('tells a refusal from a fault and a verdict that came late, what nobody takes, and the rest at the end', async () => {
    await start({});
    const first = begun(true);
    await ask({ headers: { traceparent: first.traceparent } });
    const span = await receiver.until(({ name }) => name === PROCESS);
    assert.deepEqual([span.trace, span.parent], [first.trace, first.parent]);
    assert.match(receiver.raw.join(), /"x-tenant-of-traces","ours"/u);

    const refused = begun(true);
    const answer = await ask({
      prompt: 'About Project Zebra',
      headers: { traceparent: refused.traceparent },
    });
    assert.equal(answer.status, 400);
    const refusal = await receiver.until(
      ({ name, trace }) => name === PROCESS && trace === refused.trace,
    );
    assert.equal(refusal.attributes['switchyard.verdict'], 'deny');
    assert.equal(refusal.attributes['switchyard.code'], 'policy');
    assert.deepEqual(refusal.attributes['switchyard.rules.enforced'], ['guard/zebra']);
    assert.ok(!refusal.failed);

    await classifier.behave({ delayMs: 400 });
    const late = begun(true);
    await ask({ prompt: 'venom', headers: { traceparent: late.traceparent } });
    const deferred = await receiver.until(({ name }) => name === 'switchyard.deferred');
    const exchange = await receiver.until(
      ({ name, trace }) => name === PROCESS && trace === late.trace,
    );
    const question = await receiver.until(
      ({ name, trace }) => name.startsWith('switchyard.classifier') && trace === late.trace,
    );
    assert.equal(deferred.parent, exchange.span);
    assert.equal(question.parent, exchange.span);
    assert.equal(question.attributes['switchyard.outcome'], 'judged');
    assert.ok(question.endNs - question.startNs >= 400_000_000n);
    assert.deepEqual(deferred.attributes['switchyard.rules'], ['guard/toxic']);

    await classifier.behave({ fault: 'status' });
    const failed = begun(true);
    await ask({ prompt: 'venom again', headers: { traceparent: failed.traceparent } });
    const fault = await receiver.until(
      ({ name, trace }) => name.startsWith('switchyard.classifier') && trace === failed.trace,
    );
    assert.ok(fault.failed);
    assert.equal(fault.attributes['error.type'], 'bad_status');
    await classifier.behave({});

    const traced = () => ask({ headers: { traceparent: begun(true).traceparent } });
    const exported = await counted('exported');
    receiver.answer = 400;
    await traced();
    await until('a first failure', async () => (await counted('failed')) > 0 || undefined);
    const before = await counted('failed');
    await traced();
    await until('a second one', async () => (await counted('failed')) > before || undefined);
    assert.equal(lines('spans_failing'), 1);
    assert.match(stack.switchyard.output(), /"event":"spans_failing","status":400/u);
    receiver.answer = 200;
    await traced();
    await until('the recovery', async () => (await counted('exported')) > exported || undefined);
    assert.equal(lines('spans_recovered'), 1);

    const last = begun(true);
    await ask({ headers: { traceparent: last.traceparent } });
    const isLast = ({ name, trace }: ReceivedSpan) => name === PROCESS && trace === last.trace;
    stack.switchyard.signal('SIGTERM');
    assert.deepEqual(await stack.switchyard.exited, { code: 0, signal: null });
    assert.ok(ours().some(isLast));
  });
});
