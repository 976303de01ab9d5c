/** Rules for JSON and combinations behind Envoy: structured answers, bodies and texts of each API. */
import assert from 'node:assert/strict';
import { encodeScript, SCRIPT_HEADER, type Script } from '../../demo/script.ts';
import { type Api, anthropic, eventsIn, responses } from '../engine/apis.ts';
import { chatStream } from '../engine/rig.ts';
import { chat, choicesOf } from './chat.ts';
import { requireEnvoy, type Stack, startStack } from './harness.ts';
import { type Answer, send } from './http-client.ts';

const OFFER = `{ type: object, required: [plan], properties: { plan: { enum: [basic, pro] }, discount: { type: number }, at: { type: string, pattern: "^[a-z]*$" } }, additionalProperties: false }`;

/** Only the tenant's answers must be JSON; near one another, secrets and addresses are everyone's concern. */
const POLICIES = {
  'acme.yaml': `kind: Policy
metadata: { name: offers, layer: tenant, selector: { tenant: acme } }
class: security
rules:
  - { id: shape, inspect: [response], match: { json: { of: text, violates: ${OFFER} } }, then: { block: { message: Not an offer. } } }
  - { id: cap, inspect: [response], match: { json: { of: text, path: $.discount, above: 40 } }, then: { clamp: { path: $.discount, max: 40 } } }
`,
  'platform.yaml': `kind: Policy
metadata: { name: near, layer: platform }
class: security
rules:
  - id: near
    inspect: [request, response]
    match: { all: { of: [{ keywords: { words: [confidential] } }, { pii: { entities: [email] } }, { not: { keywords: { words: [public] } } }], within: 60 } }
    then: redact
  - { id: tokens, match: { json: { of: body, path: $.max_tokens, above: 4096 } }, then: { clamp: { path: $.max_tokens, max: 4096 } } }
`,
};

type TextApi = Pick<Api, 'name' | 'path' | 'question' | 'stream'> & {
  hear(stream: string): { readonly text: string; readonly refusal: string };
};

/** The texts of events without a name, and why the last of them says that it ended. */
const chatText: TextApi = {
  name: 'openai.chat',
  path: '/v1/chat/completions',
  question: { model: 'm', stream: true, messages: [{ role: 'user', content: 'hi' }] },
  stream: (deltas) =>
    chatStream([
      ...deltas.map((content) => ({ delta: { content } })),
      { delta: {}, finish: 'stop' },
    ]),
  hear(stream) {
    const deltas = eventsIn(stream.replace('data: [DONE]', '')).map(
      ({ choices }) => choices[0].delta,
    );
    return {
      text: deltas.map(({ content }) => content ?? '').join(''),
      refusal: deltas.map(({ refusal }) => refusal ?? '').join(''),
    };
  },
};

const geminiText: TextApi = {
  name: 'gemini',
  path: '/v1beta/models/m:streamGenerateContent?alt=sse',
  question: { contents: [{ role: 'user', parts: [{ text: 'hi' }] }] },
  stream: (deltas) =>
    Buffer.from(
      deltas
        .map((text, index) => ({
          candidates: [
            {
              index: 0,
              content: { role: 'model', parts: [{ text }] },
              ...(index === deltas.length - 1 ? { finishReason: 'STOP' } : {}),
            },
          ],
        }))
        .map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`)
        .join(''),
    ),
  hear(stream) {
    const candidates = eventsIn(stream).map((chunk) => chunk.candidates[0]);
    return {
      text: candidates.map(({ content }) => content?.parts?.[0]?.text ?? '').join(''),
      refusal: candidates.map(({ finishMessage }) => finishMessage ?? '').join(''),
    };
  },
};

/** Without tokens that do not spell the text: they are texts of their own, and no JSON. */
const responsesText: TextApi = {
  ...responses,
  stream: (deltas) =>
    Buffer.from(
      Buffer.from(responses.stream(deltas)).toString().replaceAll('{"token":"x","logprob":0}', ''),
    ),
};

const APIS: readonly TextApi[] = [chatText, responsesText, anthropic, geminiText];

const CUTS: readonly Script[] = [{}, { cutBytes: 13 }];

describe('rules for JSON and combinations behind Envoy', function () {
  this.timeout(60_000);
  let stack: Stack;

  before(async function () {
    requireEnvoy(this);
    stack = await startStack({ policies: POLICIES });
  });

  after(() => stack?.stop());

  const lastSent = () => String(stack.upstream.journal.at(-1)?.body);

  for (const api of APIS) {
    const answered = (tenant: string, deltas: readonly string[], cut: Script): Promise<Answer> => {
      const chunks = Buffer.from(api.stream(deltas))
        .toString()
        .split(/(?<=\n\n)/);
      const script = { chunks, headers: { 'content-type': 'text/event-stream' }, ...cut };
      return send(stack.envoy.port, {
        method: 'POST',
        path: `${tenant}${api.path}`,
        headers: { 'content-type': 'application/json', [SCRIPT_HEADER]: encodeScript(script) },
        body: JSON.stringify(api.question),
      });
    };

    it(`hold a structured answer of ${api.name} until its schema is judged`, async () => {
      for (const cut of CUTS) {
        const fits = '{"plan":"pro","at":"may"}';
        const deltas = [fits.slice(0, 9), fits.slice(9, 10), fits.slice(10)];
        assert.equal(api.hear((await answered('/acme', deltas, cut)).text).text, fits);
        for (const wrong of [
          ['{"plan":"fr', 'ee"}'],
          ['{"plan":"pro",', '"at":"A1"}'],
          ['{"plan":"pro",', '"secret":1}'],
          ['{"plan":', '"pro"'],
          ['The plan is ', 'pro.'],
        ]) {
          const { text, error } = await answered('/acme', wrong, cut);
          assert.equal(error, '');
          assert.match(text, /Not an offer\./u);
          assert.doesNotMatch(text, /\bplan\b|secret/u);
        }
      }
    });

    it(`clamp a number of a structured answer of ${api.name}`, async () => {
      for (const cut of CUTS) {
        const { text } = await answered('/acme', ['{"plan":"pro","disc', 'ount": 5', '5.5}'], cut);
        const heard = api.hear(text);
        assert.deepEqual([heard.text, heard.refusal], ['{"plan":"pro","discount": 40}', '']);
        assert.doesNotMatch(text, /55/u);
      }
    });

    it(`redact in ${api.name} what stands near enough, and nothing else`, async () => {
      for (const cut of CUTS) {
        const near = ['It is confid', 'ential: ask bob@ac', 'me.example now.'];
        const heard = api.hear((await answered('', near, cut)).text);
        assert.equal(heard.text, 'It is [KEYWORD_1]: ask [EMAIL_1] now.');
        for (const free of [
          ['It is confidential, ', `${'and long '.repeat(9)}ask bob@acme.example now.`],
          ['A public confidential ', 'note of bob@acme.example'],
          ['Only bob@acme.', 'example here'],
        ])
          assert.equal(api.hear((await answered('', free, cut)).text).text, free.join(''));
      }
    });
  }

  it('judge an answer that is whole', async () => {
    const said = (text: string) =>
      chat(stack.envoy.port, { path: '/acme/v1/chat/completions', script: { text } });
    assert.equal(
      choicesOf(await said('{"plan":"pro","discount":99}'))[0]?.content,
      '{"plan":"pro","discount":40}',
    );
    const wrong = await said('{"plan":"free"}');
    assert.equal(wrong.status, 400);
    assert.match(wrong.text, /Not an offer\./u);
    assert.doesNotMatch(wrong.text, /free/u);
  });

  it('write into the body of a request, with its length', async () => {
    const prompt = 'confidential, for bob@acme.example';
    const answer = await chat(stack.envoy.port, { prompt, body: { max_tokens: 1e6, n: 1 } });
    assert.equal(answer.status, 200);
    const message = '{"role":"user","content":"[KEYWORD_1], for [EMAIL_1]"}';
    assert.equal(
      lastSent(),
      `{"model":"demo","stream":false,"messages":[${message}],"max_tokens":4096,"n":1}`,
    );
  });
});
