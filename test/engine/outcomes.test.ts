/** What the judge is told of one exchange: once, by whoever decided it, and as what. */
import assert from 'node:assert/strict';
import { createCheck } from '../../src/engine/check.ts';
import { Exchange } from '../../src/engine/exchange.ts';
import type { ExchangeOutcome } from '../../src/engine/ports.ts';
import type { CheckRequest } from '../../src/protocol/check.ts';
import {
  answer,
  CHAT_HEADERS,
  chatStream,
  compile,
  headersEvent,
  RecordingPort,
  rig,
} from './rig.ts';

const set = (rule: string) =>
  compile(`
kind: Policy
metadata: { name: p, layer: platform }
class: security
rules: [${rule}]
`);

const SESSION = { 'x-session-id': 'a' };
const PLAIN = set(
  '{ id: r, inspect: [request, response], match: { keywords: { words: [zebra] } }, then: block }',
);
const REFUSES = set('{ id: r, when: "true", then: block }');
const FAILS = set('{ id: r, when: "int(session.id) > 5", then: block }');

const request = (headers: Readonly<Record<string, string>>): CheckRequest => ({
  method: 'POST',
  path: '/v1/chat/completions',
  authority: 'llm.example',
  headers: { get: (name) => headers[name], entries: () => Object.entries(headers) },
  contextExtension: () => undefined,
  metadata: () => undefined,
  sourcePrincipal: '',
  sourceIp: '',
  body: new Uint8Array(0),
});

/** Denied, errored: of every exchange that the judge was told of. */
const told = (outcomes: readonly ExchangeOutcome[]) =>
  outcomes.map(({ denied, errored }) => ({ denied, errored }));

const FINE = { denied: false, errored: false };
const DENIED = { denied: true, errored: false };
const ERRORED = { denied: false, errored: true };

describe('the outcome of an exchange', () => {
  it('is told once when Check allows and Process decides', () => {
    const from = rig(PLAIN);
    createCheck(from.deps)(request(SESSION), () => undefined);
    assert.deepEqual(from.outcomes, []);
    answer(from, [chatStream([{ delta: { content: 'hello' } }])]);
    assert.deepEqual(told(from.outcomes), [FINE]);
  });

  it('is told by Check when it refuses, or a rule of it fails', () => {
    for (const [policies, expected] of [
      [REFUSES, DENIED],
      [FAILS, ERRORED],
    ] as const) {
      const from = rig(policies);
      const { kind } = createCheck(from.deps)(request(SESSION), () => undefined);
      assert.equal(kind, 'deny');
      assert.deepEqual(told(from.outcomes), [expected]);
      assert.notEqual(from.outcomes[0]?.session, undefined);
    }
  });

  it('is a denial when a block strikes in the answer', () => {
    const from = rig(PLAIN);
    answer(from, [chatStream([{ delta: { content: 'a zebra' } }])]);
    assert.deepEqual(told(from.outcomes), [DENIED]);
  });

  it('counts what cannot be read like a denial, and not as a fault of a rule', () => {
    const from = rig(PLAIN);
    const port = new RecordingPort();
    const exchange = new Exchange(from.deps, port);
    exchange.event(headersEvent('request', { ...CHAT_HEADERS, 'content-encoding': 'rot13' }));
    exchange.event({
      kind: 'body',
      direction: 'request',
      bytes: Buffer.from('{}'),
      endOfStream: true,
    });
    exchange.end('half_close');
    assert.notEqual(port.refusal, undefined);
    assert.equal(from.records.at(-1)?.verdict, 'unavailable');
    assert.deepEqual(told(from.outcomes), [DENIED]);
  });

  it('knows when the exchange began', () => {
    const from = rig(PLAIN);
    const startedMs = from.clock.monotonicMs();
    const exchange = new Exchange(from.deps, new RecordingPort());
    exchange.event(headersEvent('request', CHAT_HEADERS));
    from.clock.advance(5);
    exchange.end('half_close');
    assert.equal(from.outcomes[0]?.startedMs, startedMs);
  });
});
