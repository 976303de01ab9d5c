/** Bytes that wait for a verdict are bounded, per answer and in all (invariant 10). */
import assert from 'node:assert/strict';
import { Exchange } from '../../src/engine/exchange.ts';
import type { EngineLimits } from '../../src/engine/limits.ts';
import { eventsIn } from './apis.ts';
import {
  askHarmlessly,
  CHAT_HEADERS,
  chatStream,
  compile,
  headersEvent,
  RecordingPort,
  type Rig,
  readTexts,
  rig,
} from './rig.ts';

const SET = compile(`
kind: Policy
metadata: { name: guard, layer: platform }
class: security
rules:
  - { id: zebra, inspect: [request, response], match: { keywords: { words: [Project Zebra] } }, then: block }
`);

const DONE = 'data: [DONE]\n\n';
const events = (...deltas: Parameters<typeof chatStream>[0]): Buffer =>
  Buffer.from(Buffer.from(chatStream(deltas)).toString().slice(0, -DONE.length));

/** Choice 0 says what may become a match and never goes on: everything behind it waits. */
const PREFIX = events({ index: 0, delta: { content: 'Project' } });
const FILLER = events({ index: 1, delta: { content: 'and so on. ' } });

interface Answering {
  readonly port: RecordingPort;
  say(bytes: Uint8Array): void;
  end(): void;
}

/** An exchange whose answer has begun. */
function answering(from: Rig, before: Uint8Array = new Uint8Array(0)): Answering {
  const port = new RecordingPort();
  const exchange = new Exchange(from.deps, port);
  askHarmlessly(exchange);
  exchange.event(
    headersEvent('response', { ':status': '200', 'content-type': 'text/event-stream' }),
  );
  const say = (bytes: Uint8Array): void =>
    exchange.event({ kind: 'body', direction: 'response', bytes, endOfStream: false });
  if (before.length > 0) say(before);
  return { port, say, end: () => exchange.end('half_close') };
}

const limitedTo = (limits: Partial<EngineLimits>): Rig => rig(SET, limits);
const isOver = (port: RecordingPort): boolean =>
  port.refusal !== undefined || port.ended.has('response') || port.failed !== undefined;
const codesOf = (from: Rig): readonly string[] => from.records.map(({ code }) => code);

describe('an answer that would be held for ever', () => {
  const HELD = PREFIX.length + FILLER.length;

  for (const [name, heldBytesMax, refused] of [
    ['one byte more than the limit', HELD - 1, true],
    ['exactly the limit', HELD, false],
    ['one byte less than the limit', HELD + 1, false],
  ] as const)
    it(`${refused ? 'ends' : 'goes on'} at ${name}`, () => {
      const from = limitedTo({ heldBytesMax });
      const { port, say, end } = answering(from);
      say(PREFIX);
      say(FILLER);
      assert.equal(isOver(port), refused);
      assert.equal(port.refusal?.status, refused ? 502 : undefined);
      end();
      assert.deepEqual(codesOf(from), [refused ? 'held_bytes_exceeded' : 'client_gone']);
      assert.equal(from.deps.held.bytes, 0);
    });

  it('counts the beginning of an event that has not ended', () => {
    const from = limitedTo({ heldBytesMax: 100 });
    const { port, say } = answering(from);
    say(Buffer.from(`data: ${'x'.repeat(94)}`));
    assert.equal(isOver(port), false);
    say(Buffer.from('x'));
    assert.equal(port.refusal?.status, 502);
  });

  it('ends in the words of the format once something has left, and leaks nothing held', () => {
    const from = limitedTo({ heldBytesMax: HELD });
    const { port, say, end } = answering(from, FILLER);
    say(PREFIX);
    for (let turn = 0; turn < 5 && !isOver(port); turn++) say(FILLER);
    assert.ok(port.ended.has('response'));
    const sent = port.sent('response');
    assert.match(sent, /"code":"held_bytes_exceeded"/u);
    assert.ok(sent.endsWith(DONE));
    assert.doesNotMatch(sent, /Project/u);
    end();
    assert.deepEqual(codesOf(from), ['held_bytes_exceeded']);
    assert.equal(from.deps.held.bytes, 0);
  });

  it('is let go when the match does not come after all', () => {
    const from = limitedTo({ heldBytesMax: HELD });
    const { port, say } = answering(from);
    say(PREFIX);
    say(events({ index: 0, delta: { content: ' Yak' } }));
    assert.equal(
      port.sent('response').length,
      PREFIX.length + PREFIX.length - 'Project'.length + ' Yak'.length,
    );
    assert.equal(from.deps.held.bytes, 0);
  });
});

describe('a call with a name in which a match could begin', () => {
  const MAIL = compile(`
kind: Policy
metadata: { name: mail, layer: platform }
class: security
rules:
  - { id: mail, inspect: [response], match: { pii: { entities: [email] } }, then: redact }
  - { id: zebra, inspect: [response], match: { keywords: { words: [Project Zebra] } }, then: { block: { message: No. } } }
`);
  const call = (name: string, text: string) => ({
    index: 0,
    delta: { tool_calls: [{ index: 0, function: { ...(name && { name }), arguments: text } }] },
  });
  const sentNames = (sent: string): string =>
    eventsIn(sent.replace(DONE, ''))
      .map((event) => event.choices[0]?.delta.tool_calls?.[0]?.function.name ?? '')
      .join('');

  it('is held no longer than until its arguments begin, however long they are', () => {
    const from = rig(MAIL, { heldBytesMax: 2_000 });
    const { port, say } = answering(from);
    say(events(call('send_mail', '')));
    assert.doesNotMatch(port.sent('response'), /send_mail/u);
    say(events(call('', '{"text":"')));
    assert.equal(sentNames(port.sent('response')), 'send_mail');
    for (let turn = 0; turn < 100; turn++) say(events(call('', 'one more ')));
    assert.equal(isOver(port), false);
    assert.equal(from.deps.held.bytes < 2_000, true);
  });

  it('keeps its name where it is refused', () => {
    const { port, say } = answering(rig(MAIL));
    say(events(call('send_mail', '')));
    say(events(call('', '{"text":"Project Zebra"}')));
    const sent = port.sent('response');
    assert.ok(port.ended.has('response'));
    assert.equal(sentNames(sent), 'send_mail');
    assert.equal(readTexts(sent)['0/tool/0'], '{"text":"');
    assert.equal(readTexts(sent)['0/refusal'], 'No.');
  });

  it('is judged whole all the same', () => {
    const { port, say } = answering(rig(MAIL));
    say(events(call('joe@acme', '')));
    say(events(call('.example', '{}')));
    assert.equal(sentNames(port.sent('response')), '[EMAIL_1]');
  });
});

describe('what all exchanges hold together', () => {
  const EACH = PREFIX.length;

  for (const [name, heldBytesTotalMax, refused] of [
    ['one byte more than the limit', 3 * EACH - 1, true],
    ['exactly the limit', 3 * EACH, false],
    ['one byte less than the limit', 3 * EACH + 1, false],
  ] as const)
    it(`${refused ? 'ends the last' : 'goes on'} at ${name}`, () => {
      const from = limitedTo({ heldBytesTotalMax });
      const three = [answering(from), answering(from), answering(from)] as const;
      for (const { say } of three) say(PREFIX);
      assert.deepEqual(
        three.map(({ port }) => isOver(port)),
        [false, false, refused],
      );
      for (const { end } of three) end();
      assert.equal(from.deps.held.bytes, 0);
      assert.ok(codesOf(from).includes('held_bytes_exceeded') === refused);
    });

  it('is free again once one has ended', () => {
    const from = limitedTo({ heldBytesTotalMax: EACH });
    const first = answering(from);
    first.say(PREFIX);
    first.end();
    const second = answering(from);
    second.say(PREFIX);
    assert.equal(isOver(second.port), false);
    assert.equal(from.deps.held.bytes, EACH);
  });

  it('counts requests too, and refuses the one that passes the limit', () => {
    const from = limitedTo({ heldBytesTotalMax: 1_000 });
    const ask = (bytes: number): RecordingPort => {
      const port = new RecordingPort();
      const exchange = new Exchange(from.deps, port);
      exchange.event(headersEvent('request', CHAT_HEADERS));
      exchange.event({
        kind: 'body',
        direction: 'request',
        bytes: Buffer.alloc(bytes, ' '),
        endOfStream: false,
      });
      return port;
    };
    assert.equal(ask(600).refusal, undefined);
    assert.equal(ask(400).refusal, undefined);
    assert.equal(ask(1).refusal?.status, 413);
    assert.deepEqual(codesOf(from), ['held_bytes_exceeded']);
  });
});
