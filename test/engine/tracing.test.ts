/** What of an exchange is handed to spans, and that nothing is of one that is not sampled. */
import assert from 'node:assert/strict';
import { Exchange } from '../../src/engine/exchange.ts';
import { TRACEPARENT, traceContextOf } from '../../src/engine/trace-context.ts';
import type { TracedDecision, Traces } from '../../src/engine/tracing.ts';
import {
  askHarmlessly,
  CHAT_HEADERS,
  compile,
  headersEvent,
  RecordingPort,
  type Rig,
  rig,
} from './rig.ts';

const POLICY = `
kind: Policy
metadata: { name: p, layer: platform }
class: security
rules:
  - { id: word, inspect: [request, response], match: { keywords: { words: [zebra] } }, then: block }
`;
const [TRACE, PARENT, OTHER] = ['a'.repeat(32), 'b'.repeat(16), 'c'.repeat(16)];
const sampled = `00-${TRACE}-${PARENT}-01`;

function traced(): { from: Rig; told: TracedDecision[]; ids: () => number } {
  const from = rig(compile(POLICY));
  const told: TracedDecision[] = [];
  let ids = 0;
  const traces: Traces = {
    newSpanId: () => String(++ids).padStart(16, '0'),
    decided: (decision) => void told.push(decision),
    asked() {},
  };
  return { from: { ...from, deps: { ...from.deps, traces } }, told, ids: () => ids };
}

function exchange(from: Rig, headers: Record<string, string>, initial = {}): void {
  const made = new Exchange(from.deps, new RecordingPort('FULL_DUPLEX_STREAMED', initial));
  made.event(headersEvent('request', { ...CHAT_HEADERS, ...headers }, { endOfStream: true }));
  from.clock.advance(7);
  made.event(headersEvent('response', { ':status': '204' }, { endOfStream: true }));
  made.end('half_close');
}

describe('tracing', () => {
  it('is asked nothing of an exchange whose trace is not sampled', () => {
    const { from, told, ids } = traced();
    exchange(from, {});
    exchange(from, { traceparent: `00-${TRACE}-${PARENT}-00` });
    exchange(from, { traceparent: 'garbage' });
    // What Envoy says counts more than what its client does.
    exchange(from, { traceparent: sampled }, { traceparent: `00-${TRACE}-${OTHER}-00` });
    assert.deepEqual([told, ids()], [[], 0]);
    const made = new Exchange(from.deps, new RecordingPort());
    askHarmlessly(made);
    assert.equal(made.decision.span, undefined);
  });

  it('is told the record, below the span of the call where there is one, else of the request', () => {
    const { from, told } = traced();
    exchange(from, { traceparent: sampled });
    exchange(from, { traceparent: sampled }, { traceparent: `00-${TRACE}-${OTHER}-01` });
    assert.deepEqual(
      told.map(({ parent }) => parent),
      [PARENT, OTHER],
    );
    assert.deepEqual(
      told.map(({ record }) => record.traceContext?.parent),
      [PARENT, OTHER],
    );
    const [first] = told;
    assert.equal(first?.record.verdict, 'allow');
    const { request, response } = first?.sides ?? {};
    assert.equal((response?.atMs ?? 0) - (request?.atMs ?? 0), 7);
  });

  it('is told once, whatever the exchange comes to', () => {
    const { from, told } = traced();
    const refused = new Exchange(from.deps, new RecordingPort());
    refused.event(headersEvent('request', { ...CHAT_HEADERS, [TRACEPARENT]: sampled }));
    const body = '{"model":"m","messages":[{"role":"user","content":"a zebra"}]}';
    refused.event({
      ...{ kind: 'body', direction: 'request', endOfStream: true },
      bytes: Buffer.from(body),
    });
    refused.end('half_close');
    assert.deepEqual(
      told.map(({ record }) => [record.verdict, record.code, record.findings.length]),
      [['deny', 'policy', 1]],
    );
    const gone = new Exchange(from.deps, new RecordingPort());
    gone.event(headersEvent('request', { ...CHAT_HEADERS, [TRACEPARENT]: sampled }));
    gone.end('cancelled');
    assert.equal(told.length, 2);
    assert.equal(told[1]?.record.verdict, 'incomplete');
  });

  it('goes by what is a trace context, of the call first', () => {
    const [call, request] = [`00-${TRACE}-${OTHER}-00`, sampled];
    assert.equal(traceContextOf(call, request)?.parent, OTHER);
    assert.equal(traceContextOf('nonsense', request)?.parent, PARENT);
    assert.equal(traceContextOf(undefined, request)?.parent, PARENT);
    assert.equal(traceContextOf(undefined, undefined), undefined);
  });
});
