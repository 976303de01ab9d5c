import assert from 'node:assert/strict';
import { converse } from './apis.ts';
import { answer, chatStream, compile, readTexts, rig } from './rig.ts';
import { chatTools, TOOL_APIS } from './tool-apis.ts';

const policy = (rules: string, policyClass = 'security') =>
  compile(`
kind: Policy
metadata: { name: values, layer: platform }
class: ${policyClass}
rules:
${rules}
`);

const structured = (deltas: readonly string[]): Uint8Array =>
  chatStream([...deltas.map((content) => ({ delta: { content } })), { delta: {}, finish: 'stop' }]);

const saidIn = (text: string): string => readTexts(text)['0/content'] ?? '';

const CAP = policy(
  '  - { id: cap, match: { json: { path: "$.items[*].discount", above: 40 } }, then: { clamp: { path: "$.items[*].discount", max: 40 } } }',
);
const BLOCKED = policy(
  '  - { id: cap, match: { json: { path: discount, above: 40 } }, then: { block: { message: Too cheap. } } }',
);
const SHAPE = policy(`
  - id: shape
    inspect: [response]
    match: { json: { of: text, violates: { type: object, required: [plan], properties: { plan: { enum: [basic, pro] }, name: { type: string, pattern: "^[a-z]*$" }, at: { type: string, pattern: "^[0-9]+$" } }, additionalProperties: false } } }
    then: { block: { message: Not what was asked for. } }`);
const PRICE = policy(
  '  - { id: price, inspect: [response], match: { json: { of: text, path: $.offer.discount, above: 40 } }, then: { clamp: { path: $.offer.discount, max: 40 } } }',
);
const TOKENS = policy(`
  - { id: tokens, match: { json: { of: body, path: $.max_tokens, above: 4096 } }, then: { clamp: { path: $.max_tokens, max: 4096 } } }
  - { id: store, match: { json: { of: body, path: $.store, in: [true] } }, then: { block: { message: Nothing is stored here. } } }`);

const asked = (set: ReturnType<typeof policy>, body: string | object) => {
  const from = rig(set);
  const question = typeof body === 'string' ? JSON.parse(body) : body;
  const { port } = converse(from, { path: '/v1/chat/completions', question }, []);
  return { refusal: port.refusal, sent: port.sent('request'), records: from.records };
};

describe('a json rule on arguments', () => {
  for (const api of TOOL_APIS)
    it(`clamps every number on a path, in ${api.name}`, () => {
      const made = {
        name: 'order',
        deltas: ['{"items":[{"discount":3},{"disc', 'ount":77.5},{"discount":"1e2"}]}'],
      };
      const { text } = converse(
        rig(CAP),
        { path: api.path, question: api.asking([], true) },
        [api.stream([made])],
        api.streamType,
      );
      const heard = api.heard(text, true);
      assert.ok(heard.length > 0);
      for (const { input } of heard)
        assert.equal(input, '{"items":[{"discount":3},{"discount":40},{"discount":"40"}]}');
    });

  it('takes the element of a list that a path counts, and no other', () => {
    const second = policy(
      '  - { id: cap, match: { json: { path: "$.items[1].discount", above: 40 } }, then: { clamp: { path: "$.items[1].discount", max: 40 } } }',
    );
    const input = (of: number) => `{"items":[{"discount":50},{"discount":${of}},{"discount":70}]}`;
    const { text } = converse(
      rig(second),
      { path: chatTools.path, question: chatTools.asking([], true) },
      [chatTools.stream([{ name: 'order', deltas: [input(60)] }])],
    );
    assert.deepEqual(chatTools.heard(text, true), [{ name: 'order', input: input(40) }]);
  });

  it('blocks at its bound, and refuses what it cannot compare', () => {
    const said = (input: string) =>
      converse(rig(BLOCKED), { path: chatTools.path, question: chatTools.asking([], true) }, [
        chatTools.stream([{ name: 'order', deltas: [input] }]),
      ]).text;
    for (const passing of ['{"discount":40}', '{"discount":null}', '{"other":99}', '{}', ''])
      assert.ok(!chatTools.refused(said(passing)), passing);
    for (const blocked of ['{"discount":40.01}', '{"discount":"41"}', '{"Discount":41}'])
      assert.ok(said(blocked).includes('Too cheap.'), blocked);
    for (const doubtful of ['{"discount":"40%"}', '{"discount":[41]}', '{"discount":4', 'discount'])
      assert.ok(!said(doubtful).includes('order'), doubtful);
  });
});

describe('a json rule on a body', () => {
  it('clamps in place and keeps every other byte', () => {
    const messages = [{ role: 'user', content: 'é' }];
    const body = { model: 'm', max_tokens: 99999, messages };
    assert.equal(
      asked(TOKENS, body).sent,
      JSON.stringify({ model: 'm', max_tokens: 4096, messages }),
    );
    const within = { model: 'm', max_tokens: 4096, messages };
    assert.equal(asked(TOKENS, within).sent, JSON.stringify(within));
    const stored = asked(TOKENS, { model: 'm', store: true, messages });
    assert.equal(stored.refusal?.status, 400);
    assert.match(stored.refusal?.body ?? '', /Nothing is stored here/);
  });
});

describe('a json rule on a text', () => {
  it('holds a text that is JSON until it is whole, and clamps what it finds', () => {
    const text = '{"offer":{"title":"é","discount":55,"until":"May"}}';
    for (let cut = 0; cut <= text.length; cut += 1) {
      const sent = answer(rig(PRICE), [structured([text.slice(0, cut), text.slice(cut)])]).text;
      assert.equal(saidIn(sent), text.replace('55', '40'), `cut at unit ${cut}`);
    }
  });

  it('lets prose pass as it comes, also such as begins with a bracket', () => {
    const set = PRICE;
    for (const text of ['Hello {"offer":{"discount":55}}', '[sic] he said', '{half'])
      assert.equal(saidIn(answer(rig(set), [structured([text])]).text), text);
    const bytes = structured(['Hello', ' there']);
    assert.equal(answer(rig(set), [bytes]).text, Buffer.from(bytes).toString());
  });

  it('blocks what violates a schema, prose included, before any of it leaves', () => {
    const set = SHAPE;
    for (const text of [
      '{"plan":"pro"}',
      ' {"plan":"basic","name":"ada"}',
      '{"plan":"pro","name":"","at":"7"}',
    ])
      assert.equal(saidIn(answer(rig(set), [structured([...text])]).text), text);
    for (const text of [
      '{"plan":"free"}',
      '{"plan":"pro","x":1}',
      '{"plan":"pro","name":"Ada"}',
      '{"plan":"pro"',
      '[]',
      'The plan is pro.',
    ]) {
      const { port, text: sent } = answer(rig(set), [structured([...text])]);
      assert.ok(!sent.includes('plan'), `${text}: ${sent}`);
      assert.ok((port.refusal?.body ?? sent).includes('Not what was asked for.'), text);
    }
  });

  it('holds no more than the matcher may', () => {
    const text = `{"offer":{"title":"${'x'.repeat(70_000)}"}}`;
    const { port, text: sent } = answer(rig(PRICE), [structured([text])]);
    assert.equal(sent, '');
    assert.equal(port.refusal?.status, 502);
    const smaller = `{"offer":{"title":"${'x'.repeat(60_000)}"}}`;
    assert.equal(saidIn(answer(rig(PRICE), [structured([smaller])]).text), smaller);
  });

  it('blocks a value that is no number where one must be', () => {
    const { text } = answer(rig(PRICE), [structured(['{"offer":{"discount":"55%"}}'])]);
    assert.equal(saidIn(text), '{"offer":{"discount":"');
    assert.ok(text.includes('unreadable_body') || text.includes('cannot be read'), text);
  });
});
