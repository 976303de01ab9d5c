/** What a body may ask of us: matches, texts, and time to arrive. Beyond it the class of the rules decides. */
import assert from 'node:assert/strict';
import { Exchange } from '../../src/engine/exchange.ts';
import type { EngineLimits } from '../../src/engine/limits.ts';
import type { BodyMode } from '../../src/protocol/process.ts';
import {
  askHarmlessly,
  CHAT_HEADERS,
  chatStream,
  compile,
  headersEvent,
  RecordingPort,
  rig,
} from './rig.ts';

const policy = (ruleClass: 'security' | 'operational', then: string, mode = 'enforce'): string => `
kind: Policy
metadata: { name: ${ruleClass}, layer: platform }
class: ${ruleClass}
rules:
  - { enforcement: ${mode}, id: bank-${ruleClass}, inspect: [request, response], match: { keywords: { words: [Bank] } }, then: ${then} }
`;
const SECURITY = compile(policy('security', 'redact'));
const OPERATIONAL = compile(policy('operational', '{ rewrite: { with: House } }'));
const FLAG = compile(policy('security', 'flag'));

const request = (...texts: string[]): Buffer =>
  Buffer.from(
    JSON.stringify({ model: 'm', messages: texts.map((content) => ({ role: 'user', content })) }),
  );

function ask(set: ReturnType<typeof compile>, bytes: Uint8Array, limits: Partial<EngineLimits>) {
  const from = rig(set, limits);
  const port = new RecordingPort();
  const exchange = new Exchange(from.deps, port);
  exchange.event(headersEvent('request', CHAT_HEADERS));
  exchange.event({ kind: 'body', direction: 'request', bytes, endOfStream: true });
  exchange.end('half_close');
  const record = from.records.at(-1);
  return { sent: port.sent('request'), status: port.refusal?.status, record };
}

function answered(set: ReturnType<typeof compile>, limits: Partial<EngineLimits>) {
  const from = rig(set, limits);
  const port = new RecordingPort();
  const exchange = new Exchange(from.deps, port);
  askHarmlessly(exchange);
  exchange.event(
    headersEvent('response', { ':status': '200', 'content-type': 'text/event-stream' }),
  );
  const bytes = chatStream([
    { delta: { content: 'One Bank, ' } },
    { delta: { content: 'two Bank, ' } },
    { delta: { content: 'three Bank.' } },
  ]);
  exchange.event({ kind: 'body', direction: 'response', bytes, endOfStream: true });
  exchange.end('half_close');
  return { sent: port.sent('response'), record: from.records.at(-1) };
}

describe('matches of one rule in one body', () => {
  for (const [matchesMax, refused] of [
    [1, true],
    [2, true],
    [3, false],
    [4, false],
  ] as const)
    it(`three are ${refused ? 'too many' : 'judged'} where ${matchesMax} may be`, () => {
      const { sent, status, record } = ask(SECURITY, request('Bank Bank', 'Bank'), { matchesMax });
      assert.equal(status, refused ? 413 : undefined);
      assert.equal(record?.code, refused ? 'matches_exceeded' : 'client_gone');
      assert.equal(sent.includes('Bank'), false);
    });

  it('an operational rule gives up where it has too many, and the record says so', () => {
    const { sent, status, record } = ask(OPERATIONAL, request('Bank Bank', 'Bank'), {
      matchesMax: 2,
    });
    assert.equal(status, undefined);
    assert.match(sent, /"House House".*"Bank"/u);
    assert.equal(record?.degraded, true);
  });

  it('one that gave up does not keep others from their work', () => {
    const both = compile(
      `${policy('operational', '{ rewrite: { with: House } }')}---${policy('security', 'redact').replace('[Bank]', '[Zebra]')}`,
    );
    const { sent, record } = ask(both, request('Bank Bank Bank Zebra'), { matchesMax: 2 });
    assert.match(sent, /"House House Bank \[KEYWORD_1\]"/u);
    assert.equal(record?.degraded, true);
  });

  it('what blocks before speaks for itself', () => {
    const blocks = compile(policy('security', 'block'));
    const { record } = ask(blocks, request('Bank Bank Bank'), { matchesMax: 2 });
    assert.equal(record?.code, 'policy');
  });

  it('a rule that only flags is held to it as well, as its class says', () => {
    assert.equal(
      ask(FLAG, request('Bank Bank'), { matchesMax: 1 }).record?.code,
      'matches_exceeded',
    );
  });

  it('a rule in shadow refuses nothing', () => {
    const shadow = compile(policy('security', 'redact', 'shadow'));
    const { sent, record } = ask(shadow, request('Bank Bank'), { matchesMax: 1 });
    assert.match(sent, /Bank Bank/u);
    assert.equal(record?.code, 'client_gone');
  });

  it('an answer ends before the match that is one too many', () => {
    const { sent, record } = answered(SECURITY, { matchesMax: 2 });
    assert.match(sent, /One \[KEYWORD_1\], .*two \[KEYWORD_1\], .*three "/su);
    assert.match(sent, /"code":"matches_exceeded"/u);
    assert.doesNotMatch(sent, /Bank/u);
    assert.equal(record?.code, 'matches_exceeded');
    const whole = answered(SECURITY, { matchesMax: 3 });
    assert.match(whole.sent, /three \[KEYWORD_1\]\./u);
    assert.equal(whole.record?.code, 'allowed');
  });
});

describe('texts of one body', () => {
  for (const [textsMax, refused] of [
    [2, true],
    [3, false],
  ] as const)
    it(`three are ${refused ? 'too many' : 'judged'} where ${textsMax} may be`, () => {
      const { sent, status, record } = ask(SECURITY, request('a', 'b', 'a Bank'), { textsMax });
      assert.equal(status, refused ? 400 : undefined);
      assert.equal(record?.code, refused ? 'unreadable_body' : 'client_gone');
      assert.doesNotMatch(sent, /Bank/u);
    });

  it('those beyond pass where operational rules alone would have read them', () => {
    const { sent, record } = ask(OPERATIONAL, request('a Bank', 'a Bank'), { textsMax: 1 });
    assert.match(sent, /"a House".*"a Bank"/u);
    assert.equal(record?.degraded, true);
  });
});

describe('a request that drips', () => {
  /** One byte a second, which the deadline of silence alone would permit for ever. */
  function drip(set: ReturnType<typeof compile>, seconds: number, mode: BodyMode) {
    const from = rig(set, { requestBodyMsMax: 10_000, requestStallTimeoutMs: 5_000 });
    const port = new RecordingPort(mode);
    const exchange = new Exchange(from.deps, port);
    exchange.event(headersEvent('request', CHAT_HEADERS));
    const bytes = request('a Bank '.repeat(10));
    for (let second = 0; second < seconds; second++) {
      exchange.event({
        kind: 'body',
        direction: 'request',
        bytes: bytes.subarray(second, second + 1),
        endOfStream: false,
      });
      from.clock.advance(1_000);
    }
    return { from, port, exchange, rest: bytes.subarray(seconds) };
  }

  for (const mode of ['FULL_DUPLEX_STREAMED', 'STREAMED'] as const)
    it(`is refused when it has taken too long, ${mode}`, () => {
      const rules = mode === 'STREAMED' ? FLAG : SECURITY;
      const early = drip(rules, 9, mode);
      assert.equal(early.port.refusal, undefined);
      early.exchange.event({
        kind: 'body',
        direction: 'request',
        bytes: early.rest,
        endOfStream: true,
      });
      assert.equal(early.port.refusal, undefined);
      assert.ok(early.port.ended.has('request'));

      const late = drip(rules, 11, mode);
      assert.equal(late.port.refusal?.status, 408);
      assert.deepEqual(
        late.from.records.map(({ code }) => code),
        ['verdict_deadline'],
      );
      assert.equal(late.from.deps.held.bytes, 0);
    });

  it('passes where operational rules alone would have read it', () => {
    const { from, port, exchange, rest } = drip(OPERATIONAL, 11, 'FULL_DUPLEX_STREAMED');
    assert.equal(port.refusal, undefined);
    exchange.event({ kind: 'body', direction: 'request', bytes: rest, endOfStream: true });
    assert.equal(port.sent('request'), request('a Bank '.repeat(10)).toString());
    exchange.end('half_close');
    assert.equal(from.records[0]?.degraded, true);
    assert.equal(from.deps.held.bytes, 0);
  });

  it('still has to speak now and then', () => {
    const { port, from } = drip(SECURITY, 1, 'FULL_DUPLEX_STREAMED');
    from.clock.advance(3_000);
    assert.equal(port.refusal, undefined);
    from.clock.advance(2_000);
    assert.equal((port as RecordingPort).refusal?.status, 408);
  });
});
