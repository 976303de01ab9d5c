import assert from 'node:assert/strict';
import { ask } from './requests.ts';
import { policyOf, rig } from './rig.ts';

const KIND = policyOf('  - { id: kind, then: { inject: { text: Be kind. } } }');
const FIRST = policyOf('  - { id: kind, then: { inject: { text: Be kind., at: start } } }');

interface Row {
  readonly what: string;
  readonly path?: string;
  readonly body: string;
  readonly end: string;
  readonly start: string;
}

const MESSAGES = '/v1/messages';
const RESPONSES = '/v1/responses';
const GEMINI = '/v1beta/models/gemini-2.0-flash:generateContent';

/** What is asked, and what leaves with the words behind the caller's own, and in front of them. */
const ROWS: readonly Row[] = [
  {
    what: 'chat: behind the words of the system',
    body: '{"model":"m",  "messages":[{"role":"system","content":"Sell."},{"role":"user","content":"hi"}]}',
    end: '{"model":"m",  "messages":[{"role":"system","content":"Sell.\\n\\nBe kind."},{"role":"user","content":"hi"}]}',
    start:
      '{"model":"m",  "messages":[{"role":"system","content":"Be kind.\\n\\nSell."},{"role":"user","content":"hi"}]}',
  },
  {
    what: 'chat: a developer speaks for the system, in parts',
    body: '{"messages":[{"content":[{"type":"text","text":"Sell."}],"role":"developer"}]}',
    end: '{"messages":[{"content":[{"type":"text","text":"Sell."},{"type":"text","text":"Be kind."}],"role":"developer"}]}',
    start:
      '{"messages":[{"content":[{"type":"text","text":"Be kind."},{"type":"text","text":"Sell."}],"role":"developer"}]}',
  },
  {
    what: 'chat: no words of the system, or not at the beginning',
    body: '{"messages":[ {"role":"user","content":"hi"},{"role":"system","content":"x"}]}',
    end: '{"messages":[{"role":"system","content":"Be kind."}, {"role":"user","content":"hi"},{"role":"system","content":"x"}]}',
    start:
      '{"messages":[{"role":"system","content":"Be kind."}, {"role":"user","content":"hi"},{"role":"system","content":"x"}]}',
  },
  {
    what: 'chat: an empty text of the system',
    body: '{"messages":[{"role":"system","content":""}]}',
    end: '{"messages":[{"role":"system","content":"Be kind."}]}',
    start: '{"messages":[{"role":"system","content":"Be kind."}]}',
  },
  {
    what: 'Responses: `instructions`',
    path: RESPONSES,
    body: '{"instructions":"Sell.","input":"hi"}',
    end: '{"instructions":"Sell.\\n\\nBe kind.","input":"hi"}',
    start: '{"instructions":"Be kind.\\n\\nSell.","input":"hi"}',
  },
  {
    what: 'Responses: without them, or with none',
    path: RESPONSES,
    body: '{"input":"hi","previous_response_id":"r_1"}',
    end: '{"instructions":"Be kind.","input":"hi","previous_response_id":"r_1"}',
    start: '{"instructions":"Be kind.","input":"hi","previous_response_id":"r_1"}',
  },
  {
    what: 'Responses: null',
    path: RESPONSES,
    body: '{"input":"hi","instructions":null}',
    end: '{"input":"hi","instructions":"Be kind."}',
    start: '{"input":"hi","instructions":"Be kind."}',
  },
  {
    what: 'Messages: one string',
    path: MESSAGES,
    body: '{"system":"Sell.","messages":[]}',
    end: '{"system":"Sell.\\n\\nBe kind.","messages":[]}',
    start: '{"system":"Be kind.\\n\\nSell.","messages":[]}',
  },
  {
    what: 'Messages: blocks, and what is cached up to one of them stays cached',
    path: MESSAGES,
    body: '{"system":[{"type":"text","text":"Sell.","cache_control":{"type":"ephemeral"}}],"messages":[]}',
    end: '{"system":[{"type":"text","text":"Sell.","cache_control":{"type":"ephemeral"}},{"type":"text","text":"Be kind."}],"messages":[]}',
    start:
      '{"system":[{"type":"text","text":"Be kind."},{"type":"text","text":"Sell.","cache_control":{"type":"ephemeral"}}],"messages":[]}',
  },
  {
    what: 'Messages: none',
    path: MESSAGES,
    body: '{ "messages":[]}',
    end: '{"system":"Be kind.", "messages":[]}',
    start: '{"system":"Be kind.", "messages":[]}',
  },
  {
    what: 'Gemini: a part of its own',
    path: GEMINI,
    body: '{"systemInstruction":{"parts":[{"text":"Sell."}]},"contents":[]}',
    end: '{"systemInstruction":{"parts":[{"text":"Sell."},{"text":"Be kind."}]},"contents":[]}',
    start: '{"systemInstruction":{"parts":[{"text":"Be kind."},{"text":"Sell."}]},"contents":[]}',
  },
  {
    what: 'Gemini: in snake case, with no parts yet',
    path: GEMINI,
    body: '{"contents":[],"system_instruction":{"role":"system"}}',
    end: '{"contents":[],"system_instruction":{"parts":[{"text":"Be kind."}],"role":"system"}}',
    start: '{"contents":[],"system_instruction":{"parts":[{"text":"Be kind."}],"role":"system"}}',
  },
  {
    what: 'Gemini: none',
    path: GEMINI,
    body: '{"contents":[{"parts":[{"text":"hi"}]}]}',
    end: '{"systemInstruction":{"parts":[{"text":"Be kind."}]},"contents":[{"parts":[{"text":"hi"}]}]}',
    start:
      '{"systemInstruction":{"parts":[{"text":"Be kind."}]},"contents":[{"parts":[{"text":"hi"}]}]}',
  },
];

/** Requests that have no place for words of the system that every server would read. */
const PLACELESS: readonly (readonly [what: string, path: string, body: string])[] = [
  ['completions', '/v1/completions', '{"model":"m","prompt":"hi"}'],
  ['embeddings', '/v1/embeddings', '{"model":"m","input":"hi"}'],
  ['MCP', '/mcp', '{"jsonrpc":"2.0","id":1,"method":"tools/list"}'],
  ['no API', '/upload', '{"a":1}'],
  ['the same name twice', MESSAGES, '{"system":"a","messages":[],"system":"b"}'],
  ['a name that only some servers take', MESSAGES, '{"System":"a","messages":[]}'],
  [
    'a role that only some servers take',
    '/v1/chat/completions',
    '{"messages":[{"Role":"system"}]}',
  ],
  ['messages that are none', '/v1/chat/completions', '{"messages":{"a":"b"}}'],
  ['cached content', GEMINI, '{"contents":[],"cached_content":"cachedContents/1"}'],
  ['items', RESPONSES, '{"input":"x","instructions":[{"role":"system","content":"a"}]}'],
  ['an empty object', MESSAGES, '{}'],
];

describe('inject', () => {
  for (const { what, path = '/v1/chat/completions', body, end, start } of ROWS) {
    it(`writes where the API takes words of the system, and nothing else: ${what}`, () => {
      assert.equal(ask(rig(KIND), { path, body }).body, end);
      assert.equal(ask(rig(FIRST), { path, body }).body, start);
    });

    it(`does not write twice: ${what}`, () => {
      assert.equal(ask(rig(KIND), { path, body: end }).body, end);
      assert.equal(ask(rig(FIRST), { path, body: start }).body, start);
    });
  }

  for (const [what, path, body] of PLACELESS) {
    it(`that cannot be written is the class's to decide: ${what}`, () => {
      const refused = ask(rig(KIND), { path, body });
      // What is of no API cannot be read at all.
      const status = what === 'no API' ? 400 : 503;
      assert.equal(refused.port.refusal?.status, status, refused.body);
      const open = rig(
        policyOf('  - { id: kind, then: { inject: { text: Be kind. } } }', 'class: operational'),
      );
      assert.equal(ask(open, { path, body }).body, body);
      assert.equal(open.records.at(-1)?.degraded, true);
    });
  }

  it('asks nothing of requests without a body', () => {
    const { port } = ask(rig(KIND), { path: '/v1/models', method: 'GET' });
    assert.equal(port.refusal, undefined);
  });

  it('is written by the order of the rules, once each, beside what rules change in the text', () => {
    const set = policyOf(`  - { id: b, then: { inject: { text: Second. } } }
  - { id: a, priority: 2, then: { inject: { text: First. } } }
  - { id: c, then: { inject: { tone: formal, at: start } } }
  - { id: mail, inspect: [request], match: { pii: { entities: [email] } }, then: redact }`);
    const body =
      '{"messages":[{"role":"system","content":"a@b.example writes"},{"role":"user","content":"I am c@d.example"}]}';
    const first = ask(rig(set), { body });
    const messages = JSON.parse(first.body).messages as { content: string }[];
    assert.deepEqual(
      messages.map(({ content }) => content),
      [
        'Write in a formal, courteous tone.\n\n[EMAIL_1] writes\n\nFirst.\n\nSecond.',
        'I am [EMAIL_2]',
      ],
    );
    assert.equal(ask(rig(set), { body: first.body }).body, first.body);
  });

  it('keeps a body in ASCII that came so, and escapes what JSON must', () => {
    const set = policyOf(`  - { id: a, then: { inject: { text: "Sag \\"Grüß Gott\\"." } } }`);
    const ascii = ask(rig(set), { body: '{"messages":[{"role":"system","content":"x"}]}' }).body;
    assert.match(ascii, /x\\n\\nSag \\"Gr\\u00fc\\u00df Gott\\"\."/);
    const utf8 = ask(rig(set), { body: '{"messages":[{"role":"system","content":"é"}]}' }).body;
    assert.match(utf8, /é\\n\\nSag \\"Grüß Gott\\"\."/);
  });

  it('follows `when` and `match`, in force and in shadow', () => {
    const set =
      policyOf(`  - { id: acme, when: 'tenant == "acme"', then: { inject: { text: Acme. } } }
  - { id: money, inspect: [request], match: { keywords: { words: [shares] } }, then: { inject: { text: Money. } } }
  - { id: trial, enforcement: shadow, then: { inject: { text: Trial. } } }`);
    const body = (content: string) => JSON.stringify({ messages: [{ role: 'user', content }] });
    const acme = { 'x-switchyard-tenant': 'acme' };
    const system = (sent: string) => {
      const [first] = JSON.parse(sent).messages as { role: string; content: string }[];
      return first?.role === 'system' ? first.content : '';
    };
    assert.equal(system(ask(rig(set), { body: body('bread') }).body), '');
    assert.equal(system(ask(rig(set), { body: body('shares') }).body), 'Money.');
    const from = rig(set);
    const both = ask(from, { body: body('buy shares'), initial: acme }).body;
    assert.equal(system(both), 'Acme.\n\nMoney.');
    const [record] = from.records;
    assert.equal(record?.kind, 'mutation');
    assert.deepEqual(
      record?.findings.map(({ rule, enforced }) => [rule, enforced]),
      [
        ['p/money', true],
        ['p/acme', true],
        ['p/trial', false],
      ],
    );
    assert.ok(!JSON.stringify(from.records).includes('Acme.'), 'no text in records');
  });

  it('needs a mode that can change a body, whatever the class', () => {
    const body = ROWS[0]?.body ?? '';
    assert.equal(ask(rig(KIND), { body, mode: 'BUFFERED' }).body, ROWS[0]?.end);
    assert.equal(ask(rig(KIND), { body, mode: 'STREAMED' }).port.refusal?.status, 503);
    assert.equal(ask(rig(KIND), { body, mode: 'NONE' }).port.refusal?.status, 503);
  });

  it('of a set that denies by default is written where an `allow` that reads lets pass', () => {
    const set = policyOf(
      `  - { id: kind, then: { inject: { text: Be kind. } } }
  - { id: ok, inspect: [request], match: { keywords: { words: [please] } }, then: allow }`,
      'class: security\ndefault: deny',
    );
    const body = '{"messages":[{"role":"user","content":"please"}]}';
    assert.match(ask(rig(set), { body }).body, /Be kind\./);
    assert.equal(
      ask(rig(set), { body: '{"messages":[{"role":"user","content":"now"}]}' }).port.refusal
        ?.status,
      403,
    );
  });
});
