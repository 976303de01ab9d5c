/** What becomes of an addition for which an answer has no place: the class of its rule decides. */
import assert from 'node:assert/strict';
import { Exchange } from '../../src/engine/exchange.ts';
import { apiLines } from '../../src/formats/detect.ts';
import { anthropic, converse, cutAt, messageStart, typedEvents } from './apis.ts';
import { giveChunk, headersEvent, policyOf, RecordingPort, type Rig, rig } from './rig.ts';

const WORDS = 'You may buy shares today.';
const MATCHED = `  - { id: advice, inspect: [response], match: { keywords: { words: [shares] } }, then: { append: { text: No advice. } } }`;
const ALWAYS = '  - { id: made, then: { append: { text: By a machine. } } }';
const CANNOT = 'A policy cannot be enforced on this route as the proxy is configured.';

/** Answers of no API that is known, each with the words that it says. */
const UNKNOWN = [
  { name: 'JSON', type: 'application/json', write: (text: string) => JSON.stringify({ text }) },
  {
    name: 'events',
    type: 'text/event-stream',
    write: (text: string) =>
      text
        .split(/(?<= )/u)
        .map((part) => `data: ${JSON.stringify({ part })}\n\n`)
        .join(''),
  },
  {
    name: 'lines',
    type: 'application/x-ndjson',
    write: (text: string) =>
      text
        .split(/(?<= )/u)
        .map((part) => `${JSON.stringify({ part })}\n`)
        .join(''),
  },
] as const;

interface Left {
  readonly text: string;
  readonly refused: number | undefined;
}

/** An answer on a path of no API that is known, in pieces. */
function answered(given: Rig, type: string, pieces: readonly Uint8Array[], status = '200'): Left {
  const port = new RecordingPort();
  const formats = apiLines([{ path: '/json', format: 'json' }]);
  const exchange = new Exchange({ ...given.deps, formats }, port);
  exchange.event(
    headersEvent(
      'request',
      {
        ':method': 'GET',
        ':path': type === 'application/json' ? '/json' : '/own',
        ':authority': 'a.example',
      },
      {
        endOfStream: true,
      },
    ),
  );
  exchange.event(headersEvent('response', { ':status': status, 'content-type': type }));
  for (const piece of [...pieces, undefined]) {
    if (port.ended.has('response') || port.refusal) break;
    giveChunk(exchange, 'response', piece ?? new Uint8Array(0), piece === undefined);
  }
  exchange.end('half_close');
  return { text: port.sent('response'), refused: port.refusal?.status };
}

describe('an addition that has no place', () => {
  for (const { name, type, write } of UNKNOWN) {
    const body = Buffer.from(write(WORDS));

    it(`ends ${name} where what earned it stands, in every cut`, () => {
      const set = policyOf(MATCHED);
      const whole = answered(rig(set), type, [body]);
      if (name === 'JSON') assert.deepEqual(whole, { text: '', refused: 503 });
      else {
        assert.equal(whole.refused, undefined);
        assert.ok(whole.text.startsWith(write('You may buy ').slice(0, -2)), whole.text);
        assert.ok(!whole.text.includes('shares'), whole.text);
        assert.ok(whole.text.includes(CANNOT), whole.text);
      }
      for (let cut = 1; cut < body.length; cut += 5)
        assert.deepEqual(answered(rig(set), type, cutAt(body, [cut])), whole, String(cut));
    });

    it(`leaves ${name} alone for a rule of class operational, in shadow, and where nothing is owed`, () => {
      const lenient = rig(policyOf(MATCHED, 'class: operational'));
      assert.deepEqual(answered(lenient, type, [body]), { text: String(body), refused: undefined });
      assert.equal(lenient.records.at(-1)?.degraded, true);
      const shadow = rig(policyOf(MATCHED.replace('{ id', '{ enforcement: shadow, id')));
      assert.deepEqual(answered(shadow, type, [body]), { text: String(body), refused: undefined });
      const bread = Buffer.from(write('You may buy bread today.'));
      const strict = rig(policyOf(MATCHED));
      assert.deepEqual(answered(strict, type, [bread]), {
        text: String(bread),
        refused: undefined,
      });
      assert.equal(strict.records.at(-1)?.degraded, false);
    });

    it(`keeps back ${name} that every message would have been added to, and not an error`, () => {
      const strict = rig(policyOf(ALWAYS));
      assert.deepEqual(answered(strict, type, [body]), { text: '', refused: 503 });
      assert.equal(strict.records.at(-1)?.code, 'mode_cannot_enforce');
      const passed = { text: String(body), refused: undefined };
      assert.deepEqual(answered(strict, type, [body], '400'), passed);
      assert.deepEqual(answered(strict, type, [body], '399'), { text: '', refused: 503 });
      const lenient = rig(policyOf(ALWAYS, 'class: operational'));
      assert.deepEqual(answered(lenient, type, [body]), passed);
      assert.equal(lenient.records.at(-1)?.degraded, true);
    });
  }

  it('is not earned by what a model thinks or calls a tool with, as nobody is told that', () => {
    const path = '/answers';
    const leaves = (content: readonly object[]): readonly [string, string] => {
      const port = new RecordingPort();
      const formats = apiLines([{ path, format: 'anthropic.messages' }]);
      const exchange = new Exchange({ ...strict.deps, formats }, port);
      const asks = { ':method': 'GET', ':path': path, ':authority': 'a.example' };
      exchange.event(headersEvent('request', asks, { endOfStream: true }));
      const type = { ':status': '200', 'content-type': 'application/json' };
      exchange.event(headersEvent('response', type));
      const message = { id: 'm', type: 'message', role: 'assistant', model: 'm', content };
      const body = JSON.stringify(message);
      giveChunk(exchange, 'response', Buffer.from(body), true);
      exchange.end('half_close');
      return [body, port.sent('response')];
    };
    const strict = rig(policyOf(MATCHED));
    const said = { type: 'text', text: 'Buy bread.' };
    const thought = { type: 'thinking', thinking: 'They want shares.', signature: 'abc' };
    const call = { type: 'tool_use', id: 't', name: 'buy', input: { what: 'shares' } };
    for (const content of [[thought, said], [said, call], [call]]) {
      const [given, left] = leaves(content);
      assert.equal(left, given);
      assert.deepEqual(strict.records.at(-1)?.findings, []);
    }
    const [given, left] = leaves([{ type: 'text', text: 'Buy shares.' }, call]);
    assert.equal(left, given.replace('Buy shares.', 'Buy shares.\\n\\nNo advice.'));
  });

  it('stays owed to a session whose answer was refused for want of it', () => {
    const once = MATCHED.replace('advice. }', 'advice., oncePer: session }');
    const from = rig(policyOf(once));
    const facts = { session: [{ from: 'map', entries: [{ value: 'one' }] } as const] };
    const inSession: Rig = { ...from, deps: { ...from.deps, facts } };
    const body = Buffer.from(JSON.stringify({ text: WORDS }));
    for (let round = 0; round < 2; round++)
      assert.equal(answered(inSession, 'application/json', [body]).refused, 503);
    const said = { type: 'message', content: [{ type: 'text', text: WORDS }] };
    const { text } = converse(
      inSession,
      anthropic,
      [Buffer.from(JSON.stringify(said))],
      'application/json',
    );
    assert.equal(JSON.parse(text).content[0].text, `${WORDS}\n\nNo advice.`);
    // It has been said.
    assert.equal(answered(inSession, 'application/json', [body]).refused, undefined);
  });

  it('ends a message that breaks off before it could have come, in every cut', () => {
    const bytes = typedEvents([
      messageStart,
      { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
      { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: WORDS } },
      { type: 'content_block_stop', index: 0 },
    ]);
    const { text } = converse(rig(policyOf(MATCHED)), anthropic, [bytes]);
    assert.ok(text.startsWith(bytes.toString()), text);
    assert.ok(text.includes(CANNOT), text);
    for (let cut = 1; cut < bytes.length; cut += 7)
      assert.equal(converse(rig(policyOf(MATCHED)), anthropic, cutAt(bytes, [cut])).text, text);
    const lenient = rig(policyOf(MATCHED, 'class: operational'));
    assert.equal(converse(lenient, anthropic, [bytes]).text, bytes.toString());
    assert.equal(lenient.records.at(-1)?.degraded, true);
  });

  it('lets go before that end what was held for it, however the words were parted', () => {
    const said = (parts: readonly string[]): string => {
      const bytes = typedEvents([
        messageStart,
        { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
        ...parts.map((text) => ({
          type: 'content_block_delta',
          index: 0,
          delta: { type: 'text_delta', text },
        })),
      ]);
      const { text } = converse(rig(policyOf(MATCHED)), anthropic, [bytes]);
      assert.ok(text.includes(CANNOT), text);
      return [...text.matchAll(/"text_delta","text":"([^"]*)"/gu)].map(([, one]) => one).join('');
    };
    const words = 'You may buy shares';
    const whole = said([words]);
    assert.ok(whole.startsWith(words), whole);
    for (let cut = 1; cut < words.length; cut++)
      assert.equal(said([words.slice(0, cut), words.slice(cut)]), whole);
  });
});
