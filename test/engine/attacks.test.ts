/** What somebody would try who wants a forbidden word past a rule of class security. */
import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import { Exchange } from '../../src/engine/exchange.ts';
import {
  answer,
  CHAT_HEADERS,
  chatStream,
  compile,
  headersEvent,
  RecordingPort,
  type Rig,
  readTexts,
  rig,
} from './rig.ts';

const head = (rules: string, selector = ''): string => `
kind: Policy
metadata: { name: p, layer: platform${selector} }
class: security
rules:
${rules}`;

const BLOCK =
  '  - { id: word, inspect: [request], match: { keywords: { words: [aurora] } }, then: block }';
const PII =
  '  - { id: pii, inspect: [request, response], match: { pii: { entities: [email, credit_card] } }, then: redact }';

/** As header-view.ts does: several values of one name are one list. */
function joined(all: readonly (readonly [string, string])[], name: string): string | undefined {
  const values = all.filter(([key]) => key === name).map(([, value]) => value);
  return values.length === 0 ? undefined : values.join(', ');
}

interface Asked {
  readonly port: RecordingPort;
  readonly passed: string;
}

function ask(
  from: Rig,
  body: string | Uint8Array,
  headers: Readonly<Record<string, string>> = {},
  entries?: readonly (readonly [string, string])[],
): Asked {
  const port = new RecordingPort();
  const exchange = new Exchange(from.deps, port);
  const event = headersEvent('request', { ...CHAT_HEADERS, ...headers });
  const all = [...event.headers.entries(), ...(entries ?? [])];
  exchange.event({
    ...event,
    headers: { get: (name) => joined(all, name), entries: () => all },
  });
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  exchange.event({ kind: 'body', direction: 'request', bytes, endOfStream: true });
  exchange.end('half_close');
  return { port, passed: port.refusal ? '' : port.sent('request') };
}

const message = (content: unknown): string =>
  JSON.stringify({ model: 'm', messages: [{ role: 'user', content }] });

describe('attacks on requests', () => {
  const selective = compile(head(BLOCK, ', selector: { model: big }'));
  const attack =
    '{"model":"big","temperature":NaN,"messages":[{"role":"user","content":"aurora"}]}';
  for (const [name, body, headers] of [
    ['a body that only lenient readers take', attack, {}],
    [
      'two models',
      '{"model":"big","model":"small","messages":[{"role":"user","content":"aurora"}]}',
      {},
    ],
    [
      'two models, the other order',
      '{"model":"small","model":"big","messages":[{"role":"user","content":"aurora"}]}',
      {},
    ],
    ['a body in a coding that nobody here reads', attack, { 'content-encoding': 'compress' }],
    ['a charset', attack, { 'content-type': 'application/json; charset=utf-16' }],
    ['another path', attack, { ':path': '/v1/responses' }],
    ['plain text', attack, { ':path': '/v1/responses', 'content-type': 'text/plain' }],
  ] as const) {
    it(`a rule for one model is not evaded by ${name}`, () => {
      const { passed } = ask(rig(selective), body, headers);
      assert.equal(passed, '');
    });
  }

  const escaped = message('aurora').replace('aurora', '\\u0061urora');
  const blocking = compile(head(BLOCK));
  for (const [name, headers] of [
    ['a percent-encoded path', { ':path': '/v1/%63hat/completions' }],
    ['an encoded slash', { ':path': '/v1/chat%2Fcompletions' }],
    ['a path parameter', { ':path': '/v1/chat/completions;a=b' }],
    ['doubled slashes', { ':path': '//v1//chat//completions//' }],
    ['a dot segment', { ':path': '/v1/chat/./completions/.' }],
    ['case', { ':path': '/v1/Chat/Completions' }],
    ['another API', { ':path': '/v1/completions' }],
  ] as const) {
    it(`${name} and a label of plain text do not hide escapes`, () => {
      const { passed } = ask(rig(blocking), escaped, { ...headers, 'content-type': 'text/plain' });
      assert.equal(passed, '');
    });
  }
  for (const type of [
    'text/plain; charset =utf-16',
    'text/plain; charset=utf-8; charset=utf-16',
    "text/plain; charset*=us-ascii''utf-16",
  ]) {
    it(`${type} is not read as UTF-8`, () => {
      const body = Buffer.from('aurora', 'utf16le');
      assert.equal(ask(rig(blocking), body, { ':path': '/x', 'content-type': type }).passed, '');
    });
  }
  it('a second content-encoding header is seen', () => {
    const { passed } = ask(
      rig(blocking),
      gzipSync('aurora'),
      { ':path': '/x', 'content-type': 'text/plain', 'content-encoding': 'identity' },
      [['content-encoding', 'gzip']],
    );
    assert.equal(passed, '');
  });
  it('a second content-type header is seen', () => {
    const { passed } = ask(
      rig(blocking),
      Buffer.from('aurora', 'utf16le'),
      { ':path': '/x', 'content-type': 'text/plain' },
      [['content-type', 'text/plain; charset=utf-16']],
    );
    assert.equal(passed, '');
  });
  const masks = compile(head(PII));
  const CARD = '4111111111111111';
  const MAIL = 'alice@example.com';
  const body = (extra: object): string =>
    JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'hi' }], ...extra });
  for (const [name, text] of [
    ['a number as content', `{"model":"m","messages":[{"role":"user","content":${CARD}}]}`],
    [
      'a number in a tool',
      `{"model":"m","messages":[],"tools":[{"function":{"parameters":{"const":${CARD}}}}]}`,
    ],
    ['a fraction', `{"model":"m","messages":[],"metadata":{"x":-${CARD}.0}}`],
    [
      'a property of a tool',
      body({ tools: [{ function: { parameters: { properties: { [MAIL]: {} } } } }] }),
    ],
    ['a key of the body', body({ [MAIL]: 1 })],
    ['a key of a message', `{"model":"m","messages":[{"role":"user","content":"x","${MAIL}":1}]}`],
    [
      'a key of a part',
      `{"model":"m","messages":[{"role":"user","content":[{"type":"text","${MAIL}":1}]}]}`,
    ],
    ['a key of a content object', message({ [MAIL]: 1 })],
    [
      'an escaped key',
      body({ metadata: { 'alice\u0040example.com': '1' } }).replace('@', '\\u0040'),
    ],
    ['__proto__', `{"model":"m","messages":[],"__proto__":{"${MAIL}":1}}`],
    [
      'arguments as an object',
      `{"model":"m","messages":[{"role":"assistant","tool_calls":[{"id":"a","function":{"name":"f","arguments":{"${MAIL}":${CARD}}}}]}]}`,
    ],
    ['the model', body({ model: MAIL })],
    ['a role', `{"model":"m","messages":[{"role":"${MAIL}","content":"x"}]}`],
    [
      'a call id',
      `{"model":"m","messages":[{"role":"tool","tool_call_id":"${MAIL}","content":"x"}]}`,
    ],
    [
      'a card as call id',
      `{"model":"m","messages":[{"role":"tool","tool_call_id":"${CARD}","content":"x"}]}`,
    ],
    ['a picture url', message([{ type: 'image_url', image_url: { url: CARD } }])],
    [
      'a picture url with dashes',
      message([{ type: 'image_url', image_url: { url: '4111-1111-1111-1111' } }]),
    ],
    [
      'a text file',
      message([
        {
          type: 'file',
          file: { file_data: `data:text/plain;base64,${Buffer.from(MAIL).toString('base64')}` },
        },
      ]),
    ],
  ] as const) {
    it(`nothing hides in ${name}`, () => {
      const { passed } = ask(rig(masks), text);
      if (passed !== '') JSON.parse(passed);
      const seen = passed.replaceAll('\\u0040', '@');
      assert.ok(!seen.includes(MAIL) && !seen.includes(CARD), seen);
      assert.ok(!seen.includes(Buffer.from(MAIL).toString('base64')), seen);
      assert.ok(!seen.includes('4111-1111'), seen);
    });
  }
  it('more matches than a call takes arguments are no error', () => {
    const { passed } = ask(rig(masks, { matchesMax: 130_000 }), message('a@b.cc '.repeat(130_000)));
    assert.ok(passed.includes('[EMAIL_1]') && !passed.includes('a@b.cc'));
  });
  it('a text of very many pieces costs what it is long, wherever in it much was masked', () => {
    const mails = { text: 'a1@b.example '.repeat(9_000) };
    const parts = Array.from({ length: 40_000 }, () => ({ text: 'a' }));
    const set = compile(head(PII));
    const timed = (all: readonly object[]): number => {
      const { deps } = rig(set, { sliceUnitsMax: 1e9 });
      const port = new RecordingPort();
      const exchange = new Exchange(deps, port);
      const path = '/v1beta/models/m:generateContent';
      exchange.event(headersEvent('request', { ...CHAT_HEADERS, ':path': path }));
      const asked = Buffer.from('{"contents":[{"parts":[{"text":"hi"}]}]}');
      exchange.event({ kind: 'body', direction: 'request', bytes: asked, endOfStream: true });
      exchange.event(
        headersEvent('response', { ':status': '200', 'content-type': 'application/json' }),
      );
      const said = JSON.stringify({ candidates: [{ content: { role: 'model', parts: all } }] });
      const bytes = Buffer.from(said);
      const from = process.cpuUsage().user;
      exchange.event({ kind: 'body', direction: 'response', bytes, endOfStream: true });
      const tookUs = process.cpuUsage().user - from;
      assert.equal(port.sent('response').split('[EMAIL_').length, 9_001);
      exchange.end('half_close');
      return tookUs;
    };
    timed([mails, ...parts]);
    // Where every piece looked at all that is masked before it, it took three times as long and more.
    const least = (all: readonly object[]): number =>
      Math.min(...Array.from({ length: 3 }, () => timed(all)));
    assert.ok(least([mails, ...parts]) < 2 * least([...parts, mails]) + 20_000);
  });
  it('default: deny stands where the allow that might lift it does not match', () => {
    const set = compile(`
kind: Policy
metadata: { name: p, layer: platform }
class: security
default: deny
rules:
  - { id: ok, inspect: [request], match: { keywords: { words: [weather] } }, then: allow }`);
    assert.equal(ask(rig(set), message('bomb')).passed, '');
    assert.notEqual(ask(rig(set), message('weather')).passed, '');
    const port = new RecordingPort();
    const exchange = new Exchange(rig(set).deps, port);
    exchange.event(headersEvent('request', CHAT_HEADERS, { endOfStream: true }));
    assert.equal(port.refusal?.status, 403);
  });
});

describe('attacks on answers', () => {
  const masks = compile(head(PII));
  it('what stands behind the match in its own event leaves with what stands before it', () => {
    const zebra = compile(
      head(
        '  - { id: zebra, inspect: [response], match: { keywords: { words: [Zebra] } }, then: block }',
      ),
    );
    const delta = { content: 'one Zebra.' };
    const choices = [0, 1].map((index) => ({ index, delta, finish_reason: null }));
    const event = `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices })}\n\n`;
    const { text } = answer(rig(zebra), [Buffer.from(event)]);
    assert.doesNotMatch(text, /Zebra/u);
    assert.equal(readTexts(text)['0/content'], 'one ');
    assert.equal(readTexts(text)['1/content'], '');
  });

  it('text after the end marker continues the text before it', () => {
    const sent = Buffer.concat([
      chatStream([{ delta: { content: 'alice@exam' } }]),
      chatStream([{ delta: { content: 'ple.com' } }]),
    ]);
    const { text } = answer(rig(masks), [sent]);
    assert.ok(!(readTexts(text)['0/content'] ?? '').includes('alice@example.com'), text);
  });
  it('numbers of placeholders do not depend on how choices are interleaved', () => {
    const a = { index: 0, delta: { content: 'a@x.com ' } };
    const b = { index: 1, delta: { content: 'b@x.com ' } };
    const one = readTexts(answer(rig(masks), [chatStream([a, b])]).text);
    const two = readTexts(answer(rig(masks), [chatStream([b, a])]).text);
    assert.deepEqual(one, two);
  });
  it('a string that every event repeats does not use up the texts of a stream', () => {
    const events = Array.from(
      { length: 50 },
      () =>
        `data: ${JSON.stringify({ id: 'c', citations: ['a b', 'c d'], choices: [{ index: 0, delta: { content: 'x' } }] })}\n\n`,
    );
    const { text } = answer(rig(masks, { textsMax: 10 }), [Buffer.from(events.join(''))]);
    assert.equal(readTexts(text)['0/content'], 'x'.repeat(50));
  });
  it('an empty finish_reason ends nothing', () => {
    const { text } = answer(rig(masks), [
      chatStream([
        { delta: { content: 'a' }, finish: '' },
        { delta: { content: 'b' }, finish: '' },
      ]),
    ]);
    assert.equal(readTexts(text)['0/content'], 'ab');
  });
  for (const [name, delta] of [
    ['role', { role: 'alice@example.com' }],
    ['a key', { 'alice@example.com': 'x' }],
    ['a number', { content: 4111111111111111 }],
    [
      'a tool call id',
      { tool_calls: [{ index: 0, id: 'alice@example.com', function: { arguments: '' } }] },
    ],
    [
      'arguments as object',
      {
        tool_calls: [
          { index: 0, id: 'a', function: { arguments: { 'alice@example.com': 4111111111111111 } } },
        ],
      },
    ],
    ['refusal', { refusal: 'alice@example.com' }],
    ['audio', { audio: { id: 'x', transcript: 'alice@example.com' } }],
    ['annotations', { annotations: [{ url_citation: { title: 'alice@example.com' } }] }],
    ['parts', { content: [{ type: 'text', text: 'alice@example.com' }] }],
  ] as const) {
    it(`nothing hides in ${name} of a delta`, () => {
      const { text } = answer(rig(masks), [chatStream([{ delta }, { delta: {}, finish: 'stop' }])]);
      assert.ok(!text.includes('alice@example.com') && !/4111-?1111/.test(text), text);
    });
  }
  it('alternatives of a token are judged', () => {
    const word = compile(
      head(
        '  - { id: w, inspect: [response], match: { keywords: { words: [aurora] } }, then: redact }',
      ),
    );
    const data = {
      id: 'c',
      choices: [
        {
          index: 0,
          delta: { content: 'north' },
          logprobs: {
            content: [
              { token: 'north', logprob: -1, top_logprobs: [{ token: 'aurora', logprob: -2 }] },
            ],
          },
        },
      ],
    };
    const { text } = answer(rig(word), [
      Buffer.from(`data: ${JSON.stringify(data)}\n\ndata: [DONE]\n\n`),
    ]);
    assert.ok(!text.includes('aurora'), text);
  });
});
