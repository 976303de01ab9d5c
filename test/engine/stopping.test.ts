/** What becomes of an exchange whose server stops; through Envoy: test/envoy/graceful-end.test.ts. */
import assert from 'node:assert/strict';
import { Exchange } from '../../src/engine/exchange.ts';
import {
  askHarmlessly,
  chatStream,
  giveChunk,
  headersEvent,
  policyOf,
  RecordingPort,
  type Rig,
  rig,
} from './rig.ts';

const WORD =
  '  - { id: word, inspect: [response], match: { keywords: { words: [zebra] } }, then: block }';
const OPEN = { 'x-switchyard-stance': 'open' };

/** With an answer that has begun, and a chunk of so many words in it. */
function begun(from: Rig, words: number, port = new RecordingPort()): Exchange {
  const exchange = new Exchange(from.deps, port);
  askHarmlessly(exchange);
  while (from.clock.turn());
  exchange.event(
    headersEvent('response', { ':status': '200', 'content-type': 'text/event-stream' }),
  );
  const whole = chatStream([{ delta: { content: 'word '.repeat(words) } }]).toString();
  giveChunk(exchange, 'response', Buffer.from(whole.replace('data: [DONE]\n\n', '')), false);
  return exchange;
}

describe('an exchange whose server stops', () => {
  it('is ended in words where a rule of security still reads', () => {
    const from = rig(policyOf(WORD));
    const port = new RecordingPort();
    const exchange = begun(from, 2, port);
    assert.equal(exchange.stop(), 'ended');
    assert.match(port.sent('response'), /"code":"draining"/u);
    assert.ok(port.ended.has('response'));
  });

  it('is so at the end of the slice that it is in', () => {
    const from = rig(policyOf(WORD), { sliceUnitsMax: 200 });
    const port = new RecordingPort();
    const exchange = begun(from, 2_000, port);
    assert.equal(exchange.stop(), 'goes_on');
    assert.ok(!port.ended.has('response'));
    while (from.clock.turn());
    assert.match(port.sent('response'), /"code":"draining"/u);
    assert.ok(port.ended.has('response'));
    assert.equal(port.failed, undefined);
  });

  it('goes on where operational rules alone read, and is asked again at the end', () => {
    const from = rig(policyOf(WORD, 'class: operational'));
    const port = new RecordingPort();
    const exchange = begun(from, 2, port);
    assert.equal(exchange.stop(), 'goes_on');
    assert.equal(exchange.stop(), 'goes_on');
    giveChunk(exchange, 'response', Buffer.from('data: [DONE]\n\n'), true);
    assert.ok(port.ended.has('response'));
    exchange.end('half_close');
    assert.equal(from.records.at(-1)?.code, 'allowed');
  });

  it('is left to Envoy where that passes the rest by itself', () => {
    const from = rig(policyOf(WORD.replace('block', 'flag'), 'class: operational'));
    const exchange = begun(from, 2, new RecordingPort('STREAMED', OPEN));
    assert.equal(exchange.stop(), 'fails');
  });
});
