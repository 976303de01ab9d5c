/** The queue of spans and the thread behind it, with a real receiver. Through Envoy: test/envoy/tracing.test.ts. */
import assert from 'node:assert/strict';
import type { TracedQuestion } from '../../src/engine/tracing.ts';
import { TRACING_DEFAULT } from '../../src/engine/tracing-config.ts';
import {
  openSpans,
  type SpanFault,
  type Spans,
  type SpansOptions,
} from '../../src/telemetry/spans.ts';
import { type OtlpReceiver, startOtlpReceiver } from './otlp-receiver.ts';

const question: TracedQuestion = {
  trace: '1'.repeat(32),
  parent: '2'.repeat(16),
  exchange: 'x',
  classifier: 'c',
  direction: 'request',
  outcome: 'judged',
  atMs: 1_000,
  durationMs: 5,
};

describe('spans', function () {
  this.timeout(60_000);
  let receiver: OtlpReceiver;
  const counts = { exported: 0, failed: 0, dropped: 0 };
  const told: (SpanFault | undefined)[] = [];

  beforeEach(async () => {
    receiver = await startOtlpReceiver();
    Object.assign(counts, { exported: 0, failed: 0, dropped: 0 });
    told.length = 0;
  });
  afterEach(() => receiver.stop());

  const open = (more: Partial<SpansOptions> = {}): Spans =>
    openSpans({
      ...TRACING_DEFAULT,
      endpoint: `http://127.0.0.1:${receiver.port}/v1/traces`,
      version: '1.2.3',
      counted: (outcome, count) => {
        counts[outcome] += count;
      },
      failing: (fault) => void told.push(fault),
      // They are sent when a test says so.
      batchMs: 60_000,
      closeMs: 30_000,
      ...more,
    });
  const ask = (spans: Spans, count: number): void => {
    for (let at = 0; at < count; at++) spans.asked({ ...question, exchange: String(at) });
  };

  it('holds as many as it may, and not one more', async () => {
    const spans = open({ queueMax: 4, batchMax: 3 });
    ask(spans, 4);
    assert.equal(counts.dropped, 0);
    ask(spans, 1);
    assert.equal(counts.dropped, 1);
    await spans.close();
    assert.deepEqual(counts, { exported: 4, failed: 0, dropped: 1 });
    assert.equal(receiver.requests, 2);
    const exchanges = receiver.spans.map(({ attributes }) => attributes['switchyard.exchange']);
    assert.deepEqual(exchanges, ['0', '1', '2', '3']);
    assert.deepEqual(told, []);
  });

  it('takes none when it is closed', async () => {
    const spans = open();
    await spans.close();
    ask(spans, 2);
    assert.deepEqual(counts, { exported: 0, failed: 0, dropped: 2 });
    assert.equal(receiver.requests, 0);
  });

  it('counts what nobody took, and what there was no time for', async () => {
    receiver.answer = 413;
    const refused = open();
    ask(refused, 3);
    await refused.close();
    assert.deepEqual(counts, { exported: 0, failed: 3, dropped: 0 });
    assert.deepEqual(told, [{ status: 413 }]);
    receiver.answer = 'silent';
    const silent = open({ closeMs: 1, batchMax: 2 });
    ask(silent, 3);
    await silent.close();
    assert.deepEqual(counts, { exported: 0, failed: 3, dropped: 3 });
  });

  it('says where nobody listens', async () => {
    const spans = open({ endpoint: 'http://127.0.0.1:1/v1/traces', exportTimeoutMs: 500 });
    ask(spans, 1);
    await spans.close();
    assert.equal(counts.failed, 1);
    assert.deepEqual(told, [{ errno: 'ECONNREFUSED' }]);
  });

  it('makes ids that are none of zeros', () => {
    const spans = open();
    const ids = Array.from({ length: 100 }, () => spans.newSpanId());
    assert.equal(new Set(ids).size, 100);
    for (const id of ids) assert.match(id, /^(?!0{16})[0-9a-f]{16}$/u);
  });
});
