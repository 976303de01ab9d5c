import assert from 'node:assert/strict';
import fc from 'fast-check';
import { answer, chatStream, compile, type Rig, readTexts, rig } from './rig.ts';

const head = (rules: string) => `
kind: Policy
metadata: { name: p, layer: platform }
class: security
rules:
${rules}`;

const streamOf = (deltas: readonly string[], finish = 'stop'): Uint8Array =>
  chatStream([
    { delta: { role: 'assistant' } },
    ...deltas.map((content) => ({ delta: { content } })),
    { delta: {}, finish },
  ]);

const documentOf = (content: string): Uint8Array =>
  Buffer.from(
    JSON.stringify({
      id: 'c1',
      object: 'chat.completion',
      choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }],
    }),
  );

/** The client's text of one answer, streamed in the given deltas, or whole. */
const streamed = (from: Rig, ...deltas: string[]): string =>
  readTexts(answer(from, [streamOf(deltas)]).text)['0/content'] ?? '';
const whole = (from: Rig, text: string): string =>
  JSON.parse(answer(from, [documentOf(text)], 'application/json').text).choices[0].message.content;

describe('what rules do to an answer', () => {
  it('append adds to the message that earned it, before its end, and keeps the finish reason', () => {
    const set = compile(
      head(
        '  - { id: advice, inspect: [response], match: { keywords: { words: [shares] } }, then: { append: { text: Not financial advice., oncePer: message } } }',
      ),
    );
    const { text } = answer(rig(set), [streamOf(['Buy sha', 'res and ', 'shares'])]);
    assert.equal(readTexts(text)['0/content'], 'Buy shares and shares\n\nNot financial advice.');
    assert.ok(text.indexOf('advice') < text.indexOf('"finish_reason":"stop"'));
    assert.equal(streamed(rig(set), 'Buy bread'), 'Buy bread');
    assert.equal(whole(rig(set), 'Buy shares'), 'Buy shares\n\nNot financial advice.');
  });

  it('allow of a lower layer lifts an overridable rule about the very same text, in every cut, and no other', () => {
    const text = 'Take the stock tip';
    for (const overridable of [true, false]) {
      const set = compile(
        `${head(`  - { id: advice, overridable: ${overridable}, inspect: [response], match: { keywords: { words: [stock tip] } }, then: { rewrite: { with: advice } } }`)}
---
kind: Policy
metadata: { name: q, layer: tenant }
class: security
rules:
  - { id: may, inspect: [response], match: { keywords: { words: [stock tip] } }, then: allow }
`,
      );
      const expected = overridable ? text : 'Take the advice';
      assert.equal(whole(rig(set), text), expected);
      for (let cut = 0; cut <= text.length; cut++)
        assert.equal(streamed(rig(set), text.slice(0, cut), text.slice(cut)), expected);
    }
  });

  it('append without `match` adds to every answer that says something', () => {
    const set = compile(
      head(
        `  - { id: made, when: 'method == "POST"', then: { append: { text: Made by a model. } } }`,
      ),
    );
    assert.equal(streamed(rig(set), 'Hello'), 'Hello\n\nMade by a model.');
    assert.equal(whole(rig(set), 'Hello'), 'Hello\n\nMade by a model.');
    const call = { index: 0, id: 't', function: { name: 'buy', arguments: '{}' } };
    const calling = chatStream([
      { delta: { role: 'assistant', content: '' } },
      { delta: { tool_calls: [call] } },
      { delta: {}, finish: 'tool_calls' },
    ]);
    assert.equal(answer(rig(set), [calling]).text, Buffer.from(calling).toString());
  });

  it('append once in a session counts what was added, in both sets alike', () => {
    const rule = `  - { id: advice, inspect: [response], match: { keywords: { words: [shares] } }, then: { append: { text: No advice., oncePer: session } } }`;
    const blue = rig(compile(head(rule)));
    const green: Rig = rig(compile(head(`${rule}\n  - { id: more, then: flag }`)));
    const shared: Rig = { ...green, deps: { ...green.deps, subjects: blue.deps.subjects } };
    const facts = { session: [{ from: 'map', entries: [{ value: 'one' }] } as const] };
    const inSession = (from: Rig): Rig => ({ ...from, deps: { ...from.deps, facts } });
    assert.equal(streamed(inSession(blue), 'Buy bread'), 'Buy bread');
    assert.equal(streamed(inSession(blue), 'Buy sha', 'res'), 'Buy shares\n\nNo advice.');
    assert.equal(streamed(inSession(shared), 'Buy shares'), 'Buy shares');
    assert.equal(whole(inSession(blue), 'Buy shares'), 'Buy shares');
    // Without a session every message may be the first.
    assert.equal(whole(blue, 'Buy shares'), 'Buy shares\n\nNo advice.');
    assert.equal(whole(blue, 'Buy shares'), 'Buy shares\n\nNo advice.');
  });

  it('allow exempts what it covers, from lower priority in its own layer, in every cut', () => {
    const set = compile(
      head(`  - { id: ours, priority: 10, inspect: [response], match: { keywords: { words: [help@acme.example] } }, then: allow }
  - { id: mail, inspect: [response], match: { pii: { entities: [email] } }, then: redact }`),
    );
    const text = 'help@acme.example or joe@acme.example';
    for (let cut = 0; cut <= text.length; cut++) {
      assert.equal(
        streamed(rig(set), text.slice(0, cut), text.slice(cut)),
        'help@acme.example or [EMAIL_1]',
      );
    }
    const other = compile(
      head(
        '  - { id: mail, inspect: [response], match: { pii: { entities: [email] } }, then: redact }',
      ).replace('name: p', 'name: q'),
    );
    assert.equal(streamed(rig(other), text), '[EMAIL_1] or [EMAIL_2]');
  });

  it('what sticks out of the loser of an overlap is covered all the same', () => {
    const set = compile(
      head(`  - { id: a, inspect: [response], match: { keywords: { words: [alpha beta] } }, then: { rewrite: { with: ONE } } }
  - { id: b, inspect: [response], match: { keywords: { words: [beta gamma] } }, then: { rewrite: { with: TWO } } }`),
    );
    const text = 'say alpha beta gamma now';
    for (let cut = 0; cut <= text.length; cut++) {
      assert.equal(streamed(rig(set), text.slice(0, cut), text.slice(cut)), 'say ONE now');
    }
  });

  it('flag changes nothing and is recorded by offsets, without content', () => {
    const set = compile(
      head(
        '  - { id: f, inspect: [response], match: { keywords: { words: [secret] } }, then: flag }',
      ),
    );
    const from = rig(set);
    const bytes = streamOf(['my sec', 'ret']);
    assert.equal(answer(from, [bytes]).text, Buffer.from(bytes).toString());
    const [record] = from.records.filter((r) => r.kind === 'process');
    assert.deepEqual(record?.findings, [
      {
        rule: 'p/f',
        action: 'flag',
        enforced: true,
        label: 'KEYWORD',
        text: 'choice/0/content',
        start: 3,
        end: 9,
      },
    ]);
    assert.ok(!JSON.stringify(from.records).includes('secret'));
  });

  it('shadow records and does not act', () => {
    const set = compile(
      head(
        '  - { id: s, enforcement: shadow, inspect: [response], match: { keywords: { words: [secret] } }, then: block }',
      ),
    );
    const from = rig(set);
    assert.equal(streamed(from, 'my secret'), 'my secret');
    assert.equal(from.records.at(-1)?.findings[0]?.enforced, false);
    assert.equal(from.records.at(-1)?.verdict, 'allow');
  });

  it('the same value has the same placeholder, and the request names it first', () => {
    const set = compile(
      head(
        '  - { id: mail, inspect: [request, response], match: { pii: { entities: [email] } }, then: redact }',
      ),
    );
    assert.equal(streamed(rig(set), 'a@b.co c@d.co a@b.co'), '[EMAIL_1] [EMAIL_2] [EMAIL_1]');
  });

  it('a stream and a document say the same, whatever the rules and the cuts', () => {
    const set = compile(
      head(`  - { id: kw, inspect: [response], match: { keywords: { words: [ab, "b a"], substring: true } }, then: { rewrite: { with: "#" } } }
  - { id: re, inspect: [response], match: { regex: { pattern: 'a{2,4}b?c' } }, then: { rewrite: { with: "%" } } }
  - { id: low, priority: 5, inspect: [response], match: { regex: { pattern: 'caa' } }, then: allow }
  - { id: tail, inspect: [response], match: { keywords: { words: [cc] } }, then: { append: { text: "!" } } }`),
    );
    const text = fc.string({ unit: fc.constantFrom('a', 'b', 'c', ' ', '"', 'é'), maxLength: 18 });
    fc.assert(
      fc.property(text, fc.array(fc.nat(17), { maxLength: 4 }), (content, cuts) => {
        const at = [
          0,
          ...cuts.filter((cut) => cut < content.length).sort((a, b) => a - b),
          content.length,
        ];
        const deltas = at.slice(1).map((to, index) => content.slice(at[index], to));
        const expected = whole(rig(set), content);
        assert.equal(streamed(rig(set), ...deltas), expected);
      }),
      { numRuns: 400 },
    );
  });

  it('of several blocks in a document the rule of the lowest rank speaks, in a stream the first', () => {
    const set = compile(
      head(`  - { id: low, inspect: [response], match: { keywords: { words: [one] } }, then: { block: { message: low } } }
  - { id: high, priority: 9, inspect: [response], match: { keywords: { words: [two] } }, then: { block: { message: high } } }`),
    );
    const document = answer(rig(set), [documentOf('one two')], 'application/json');
    assert.equal(JSON.parse(document.port.refusal?.body ?? '').error.message, 'high');
    const stream = answer(rig(set), [streamOf(['x one two'])]);
    assert.equal(readTexts(stream.text)['0/refusal'], 'low');
  });
});
