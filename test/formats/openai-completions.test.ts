import assert from 'node:assert/strict';
import type { Frame } from '../../src/formats/frame.ts';
import { openaiCompletions } from '../../src/formats/openai-completions.ts';
import { openaiInputs } from '../../src/formats/openai-inputs.ts';
import { compile } from '../engine/rig.ts';
import { bytesOf, framesOf, sse } from './chat-bodies.ts';
import { cutAt, GUARD, run, textCutAt } from './exchange-run.ts';

const seen = (frame: Frame) =>
  frame.pieces.map(({ place, text, value }) => `${place} ${text} = ${value}`);
const request = (body: object) =>
  framesOf(openaiCompletions.reader('request', false), bytesOf(JSON.stringify(body)))[0]!;

const TEXT = 'Ask Bank A or mail joe.doe@acme.example now.';
const MASKED = 'Ask another bank or mail [EMAIL_1] now.';
const PATH = '/v1/completions';

const chunk = (text: string, finish: string | null = null, more: object = {}) => ({
  id: 'cmpl-1',
  object: 'text_completion',
  created: 1,
  model: 'm',
  choices: [{ index: 0, text, logprobs: null, finish_reason: finish, ...more }],
});

const chunksIn = (response: string) =>
  response
    .split('\n\n')
    .filter((event) => event.startsWith('data: {'))
    .map((event) => JSON.parse(event.slice('data: '.length)));
const textIn = (response: string) =>
  chunksIn(response)
    .map((one) => one.choices[0].text)
    .join('');

describe('a completions request', () => {
  it('says whose words stand where', () => {
    const frame = request({
      model: 'm',
      stream: true,
      prompt: ['one word', 'two words'],
      suffix: 'the end',
    });
    assert.deepEqual(seen(frame), [
      'user prompt/0/content = one word',
      'user prompt/1/content = two words',
      'user other/0 = suffix',
      'user other/1 = the end',
    ]);
    assert.deepEqual(frame.request, { model: 'm', modelInDoubt: false, stream: true });
  });

  it('as numbers of tokens cannot be judged', () => {
    for (const prompt of [
      [1, 2],
      [[1], [2]],
      ['a', 7],
      ['a', [7]],
    ])
      assert.equal(request({ prompt }).unreadable, 'token_ids');
    assert.equal(request({ prompt: [] }).unreadable, undefined);
    const { refusal } = run(GUARD, { path: PATH, request: '{"prompt":[51,12]}' }).port;
    assert.equal(JSON.parse(refusal!.body).error.code, 'unreadable_body');
  });

  it('is masked in place', () => {
    const body = `{ "prompt" : "${TEXT}", "n":1 }`;
    assert.equal(run(GUARD, { path: PATH, request: body }).request, body.replace(TEXT, MASKED));
  });
});

describe('a completions answer', () => {
  const call = { path: PATH, request: '{"prompt":"x","stream":true}' };

  it('is masked in a stream, for every cut', () => {
    for (const cuts of [[], [6], [5, 6, 7, 8, 9], [25, 30]]) {
      const bytes = bytesOf(
        sse(...textCutAt(TEXT, cuts).map((text) => chunk(text)), chunk('', 'stop'), '[DONE]'),
      );
      for (const pieces of [[bytes], cutAt(bytes, [37, 150, 301])])
        assert.equal(textIn(run(GUARD, call, pieces).response), MASKED);
    }
  });

  it('loses its tokens where it is changed, and has none that it does not spell', () => {
    const logprobs = (tokens: readonly string[]) => ({
      logprobs: {
        tokens,
        token_logprobs: tokens.map(() => -0.1),
        top_logprobs: tokens.map((token) => ({ [token]: -0.1 })),
        text_offset: tokens.map((_, at) => at),
      },
    });
    const answer = (text: string, tokens: readonly string[]) =>
      run(GUARD, { ...call, responseType: 'application/json' }, [
        bytesOf(JSON.stringify(chunk(text, 'stop', logprobs(tokens)))),
      ]);
    assert.equal(
      JSON.parse(answer('to Bank A.', ['to Bank', ' A.']).response).choices[0].logprobs,
      null,
    );
    const same = chunk('to you', 'stop', logprobs(['to', ' you']));
    assert.deepEqual(JSON.parse(answer('to you', ['to', ' you']).response), same);
    assert.notEqual(answer('fine', ['Project', ' Zebra']).port.refusal, undefined);
  });

  it('has its later tokens where they stand now, wherever a server begins to count', () => {
    const tokens = ['😀', ' joe@acme.example', ' and', ' Bank A', ', ok', '.'];
    for (const prompt of [0, 40]) {
      let at = prompt;
      const chunks = tokens.map((token) => {
        const text_offset = [at];
        at += [...token].length;
        return chunk(token, null, { logprobs: { tokens: [token], text_offset } });
      });
      const bytes = bytesOf(sse(...chunks, chunk('', 'stop'), '[DONE]'));
      for (const pieces of [[bytes], cutAt(bytes, [37, 250, 400])]) {
        const { response } = run(GUARD, call, pieces);
        assert.equal(textIn(response), '😀 [EMAIL_1] and another bank, ok.');
        let place = prompt;
        const offsets: (number | undefined)[] = [];
        for (const { choices } of chunksIn(response)) {
          const [{ text, logprobs }] = choices;
          offsets.push(logprobs?.text_offset[0]);
          if (logprobs !== null) assert.equal(logprobs.text_offset[0], place, text);
          place += [...text].length;
        }
        // What was changed has lost its tokens.
        assert.deepEqual(
          offsets.map((offset) => offset !== undefined),
          [true, false, true, false, true, true, false],
        );
      }
    }
  });

  it('is refused in the words of the API, before and inside', () => {
    const bytes = bytesOf(sse(chunk('So, '), chunk('Project Zebra')));
    const chunks = chunksIn(run(GUARD, call, [bytes]).response);
    assert.equal(chunks[0].choices[0].text, 'So, ');
    assert.deepEqual(
      chunks.slice(1).map(({ object, choices: [{ index, text, finish_reason }] }) => ({
        object,
        index,
        text,
        finish_reason,
      })),
      [
        { object: 'text_completion', index: 0, text: '\n\nNo.', finish_reason: null },
        { object: 'text_completion', index: 0, text: '', finish_reason: 'content_filter' },
      ],
    );
    assert.ok(run(GUARD, call, [bytes]).response.endsWith('data: [DONE]\n\n'));
    const refused = run(GUARD, { path: PATH, request: '{"prompt":"Project Zebra"}' }).port.refusal!;
    assert.equal(refused.status, 200);
    assert.equal(JSON.parse(refused.body).choices[0].text, 'No.');
  });

  it('gets what a rule appends, before it ends', () => {
    const set = compile(`
kind: Policy
metadata: { name: p, layer: platform }
class: security
rules:
  - { id: note, inspect: [response], match: { keywords: { words: [So] } }, then: { append: { text: ' (checked)' } } }`);
    const bytes = bytesOf(sse(chunk('So'), chunk(' it is.'), chunk('', 'stop'), '[DONE]'));
    assert.equal(textIn(run(set, call, [bytes]).response), 'So it is. (checked)');
  });
});

describe('embeddings and moderations', () => {
  const inputs = (body: object) =>
    framesOf(openaiInputs.reader('request', false), bytesOf(JSON.stringify(body)))[0]!;

  it('are asked about texts, which are judged', () => {
    assert.deepEqual(
      seen(
        inputs({
          model: 'm',
          input: [
            'one word',
            { type: 'text', text: 'two words' },
            { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } },
          ],
          user: 'my user',
        }),
      ),
      ['user input/0/content = one word', 'user input/1/0 = two words', 'user other/1 = my user'],
    );
    assert.equal(inputs({ input: [[1, 2]] }).unreadable, 'token_ids');
    assert.equal(inputs({ messages: 'another API' }).unreadable, 'not_a_request');
    for (const path of ['/v1/embeddings', '/openai/deployments/x/moderations?api-version=1']) {
      const body = JSON.stringify({ input: TEXT });
      assert.equal(run(GUARD, { path, request: body }).request, JSON.stringify({ input: MASKED }));
    }
  });

  it('answer with numbers, beside which no words pass unread', () => {
    const call = {
      path: '/v1/embeddings',
      request: '{"input":"x"}',
      responseType: 'application/json',
    };
    const answer = (more: object) =>
      JSON.stringify({
        object: 'list',
        data: [
          { object: 'embedding', index: 0, embedding: [0.1, -0.2] },
          { object: 'embedding', index: 1, embedding: 'zczMPc3MTL4=' },
        ],
        model: 'm',
        ...more,
      });
    const plain = answer({ usage: { prompt_tokens: 1 } });
    assert.equal(run(GUARD, call, [bytesOf(plain)]).response, plain);
    assert.equal(
      run(GUARD, call, [bytesOf(answer({ note: TEXT }))]).response,
      answer({ note: MASKED }),
    );
    assert.notEqual(
      run(GUARD, call, [bytesOf(answer({ 'Project Zebra': 1 }))]).port.refusal,
      undefined,
    );
  });
});
