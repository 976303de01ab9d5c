/** Every query of the board returns data from a real Prometheus, once each of its events has happened. */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { panelQueries } from '../../grafana/panels.ts';
import { METRICS } from '../../src/telemetry/metric-table.ts';
import { startClassifier, type TestClassifier } from '../classifiers/classifier.ts';
import { type OtlpReceiver, startOtlpReceiver } from '../telemetry/otlp-receiver.ts';
import { chat } from './chat.ts';
import { requireEnvoy, type Stack, startStack } from './harness.ts';
import { ask, eventually, statusOf, statusWhere } from './operator.ts';
import { type Prometheus, requirePrometheus, startPrometheus } from './prometheus.ts';

/** What `$__rate_interval` becomes: as short as the test, longer than a few scrapes. */
const RATE_INTERVAL = '15s';

const STREAMS_MAX = 4;

const guard = (refused: string): string => `kind: Policy
metadata: { name: guard, layer: platform }
class: security
rules:
  - { id: zebra, inspect: [request], match: { keywords: { words: [${refused}] } }, then: block }
  - { id: pii, inspect: [response], match: { pii: { entities: [email] } }, then: redact }
  - { id: tried, enforcement: shadow, inspect: [request], match: { keywords: { words: [Hello] } }, then: block }
`;

/** One rule fails whenever it is asked, the other asks a classifier; on one route only. */
const FAILING = `kind: Policy
metadata: { name: failing, layer: tenant, selector: { tenant: acme } }
class: operational
rules:
  - { id: absent, when: 'headers["x-absent"] == "a"', then: flag }
  - { id: toxic, inspect: [request], match: { classifier: { name: toxicity, threshold: 0.8, mode: deferred } }, then: flag }
`;

const BROKEN = `${guard('Zebra')}  - { id: absent, when: 'headers["x-absent"] == "a"', then: block }
`;

const ROLLOUT = `kind: Rollout
stages: [{ share: 50%, duration: 1h }, { share: 100% }]
`;

describe('the board in a real Prometheus', function () {
  this.timeout(110_000);
  let stack: Stack;
  let prometheus: Prometheus;
  let classifier: TestClassifier;
  let receiver: OtlpReceiver;
  const startedAtMs = Date.now();
  let session = 0;

  const say = (prompt: string, path = '/v1/chat/completions') =>
    chat(stack.envoy.port, {
      prompt,
      path,
      headers: { 'x-session-id': `s${session}` },
      // Clients of many addresses: one alone opens no breaker.
      http: { from: `127.0.1.${1 + (session++ % 250)}` },
    });

  before(async function () {
    requireEnvoy(this);
    requirePrometheus(this);
    classifier = await startClassifier();
    receiver = await startOtlpReceiver();
    stack = await startStack({
      policies: {
        'guard.yaml': guard('Zebra'),
        'failing.yaml': FAILING,
        'rollout.yaml': ROLLOUT,
      },
      config: `grpc: { streamsMax: ${STREAMS_MAX}, transport: fast }
classifiers: [{ name: toxicity, url: http://127.0.0.1:${classifier.port}/classify }]
tracing: { endpoint: 'http://127.0.0.1:${receiver.port}/v1/traces', batchMs: 20 }
`,
    });
    prometheus = await startPrometheus(stack.switchyard.adminPort);
    await everyEvent();
  });

  after(async () => {
    await prometheus?.stop();
    await stack?.stop();
    await classifier?.stop();
    await receiver?.stop();
  });

  /** Traced, refused, masked, shadowed, failed, refused for want of room, of a stranger; tried, taken back by both, quarantined. */
  async function everyEvent(): Promise<void> {
    const { switchyard } = stack;
    // No client of HTTP/2: a connection that the transport closes.
    connect(switchyard.grpcPort, '127.0.0.1')
      .on('error', () => {})
      .end('GET / HTTP/1.1\r\n\r\n');
    const traceparent = `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`;
    await chat(stack.envoy.port, { headers: { traceparent } });
    for (let count = 0; count < 12; count++) await say('Hello', '/acme/v1/chat/completions');
    const waiting = { delayMs: 300, deltas: ['a', 'b', 'c'] };
    await Promise.all(
      Array.from({ length: STREAMS_MAX * 3 }, () =>
        chat(stack.envoy.port, { stream: true, script: waiting }),
      ),
    );
    await switchyard.save('guard.yaml', guard('Zebra, Lion'));
    await statusWhere(switchyard, 'the rollout', ({ rollout }) => rollout !== undefined);
    for (let round = 0; round < 5; round++) {
      for (let count = 0; count < 8; count++) {
        await say(count % 2 === 0 ? 'Zebra' : 'Hello');
        await say('say: write to jane@example.com');
      }
      // Another text each time: what a classifier has said it is not asked again.
      await say(`Hello ${round}`, '/acme/v1/chat/completions');
      await sleep(1_000);
    }
    assert.equal((await ask(switchyard, 'rollback', { reason: 'enough' })).status, 200);
    await switchyard.save('guard.yaml', BROKEN);
    await statusWhere(switchyard, 'the broken rollout', ({ rollout }) => rollout !== undefined);
    await eventually('the rollback by the judge', async () => {
      await say('Hello');
      return (await statusOf(switchyard)).rollout === undefined || undefined;
    });
    // Two scrapes more see the end of it.
    await sleep(2_500);
  }

  for (const { panel, expr } of panelQueries(RATE_INTERVAL))
    it(`has data for: ${panel} (${expr.length > 60 ? `${expr.slice(0, 60)}…` : expr})`, async () => {
      const values = await prometheus.values(expr, startedAtMs, Date.now());
      assert.ok(values.length > 0, expr);
    });

  const most = async (expr: string): Promise<number> =>
    Math.max(...(await prometheus.values(expr, startedAtMs, Date.now())));

  it('shows what happened, and not only that something did', async () => {
    assert.equal(await most('switchyard_breaker_state{rule="failing/absent"}'), 2);
    assert.ok((await most('max(switchyard_quarantined_files)')) >= 1);
    assert.equal(await most('max(switchyard_canary_share_ppm)'), 500_000);
    assert.equal(await most('switchyard_rollbacks_total{metric="operator"}'), 1);
    assert.equal(await most('switchyard_rollbacks_total{metric="error_rate"}'), 1);
    assert.ok((await most('switchyard_stream_failures_total{reason="streams_max"}')) > 0);
    assert.ok((await most('sum(switchyard_decisions_total{verdict="mutate"})')) >= 40);
    assert.ok((await most('sum(switchyard_breaker_transitions_total{to="open"})')) >= 1);
    assert.equal(await most('max(switchyard_epoch)'), (await statusOf(stack.switchyard)).epoch);
  });

  it('finds every metric that the product names', async () => {
    for (const { name, type } of Object.values(METRICS)) {
      // What never happened here has no series: nothing was lost.
      const series = type === 'histogram' ? `${name}_count` : name;
      const values = await prometheus.values(series, startedAtMs, Date.now());
      assert.ok(values.length > 0, name);
    }
  });
});
