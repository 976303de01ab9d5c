import assert from 'node:assert/strict';
import { gunzipSync } from 'node:zlib';
import { startUpstream, type Upstream } from '../../demo/upstream.ts';
import { chat, choicesOf } from '../envoy/chat.ts';
import { send } from '../envoy/http-client.ts';

describe('demo upstream', () => {
  let upstream: Upstream;
  before(async () => {
    upstream = await startUpstream();
  });
  after(() => upstream.stop());
  beforeEach(() => upstream.clearJournal());

  it('echoes, and keeps what reached it', async () => {
    const answer = await chat(upstream.port, { prompt: 'Hello' });
    assert.equal(choicesOf(answer)[0]?.content, 'You said: Hello');
    assert.equal(upstream.journal.length, 1);
    assert.match(upstream.journal[0]?.body ?? '', /Hello/);
    const told = await send(upstream.port, { path: '/__journal' });
    assert.equal((JSON.parse(told.text) as unknown[]).length, 1);
  });

  it('says the same, streamed or whole, in every choice', async () => {
    for (const stream of [true, false]) {
      const answer = await chat(upstream.port, {
        prompt: 'say: one  two\nthree ',
        stream,
        body: { n: 3 },
      });
      const said = choicesOf(answer).map(({ content }) => content);
      assert.deepEqual(said, Array(3).fill('one  two\nthree '));
    }
  });

  it('calls a tool, its arguments in pieces', async () => {
    const prompt = 'call: send_email {"to":"jane@example.com"}';
    for (const stream of [true, false]) {
      const [choice] = choicesOf(await chat(upstream.port, { prompt, stream }));
      assert.deepEqual(JSON.parse(choice?.toolArguments ?? ''), { to: 'jane@example.com' });
      assert.equal(choice?.finishReason, 'tool_calls');
    }
  });

  it('does as one request tells it, without regard to the others', async () => {
    const texts = ['a', 'b', 'c', 'd'];
    const answers = await Promise.all(
      texts.map((text) => chat(upstream.port, { stream: true, script: { deltas: [text, text] } })),
    );
    assert.deepEqual(
      answers.map((answer) => choicesOf(answer)[0]?.content),
      ['aa', 'bb', 'cc', 'dd'],
    );
  });

  it('says what it was told to say next, then echoes again', async () => {
    upstream.say({ text: 'first' });
    await send(upstream.port, { path: '/__say', body: '{"text":"second"}' });
    const said: (string | undefined)[] = [];
    for (let round = 0; round < 3; round++)
      said.push(choicesOf(await chat(upstream.port, { prompt: 'x' }))[0]?.content);
    assert.deepEqual(said, ['first', 'second', 'You said: x']);
  });

  it('cuts the same bytes anywhere', async () => {
    const whole = await chat(upstream.port, { stream: true, prompt: 'say: grüße an alle' });
    const cut = await chat(upstream.port, {
      stream: true,
      prompt: 'say: grüße an alle',
      script: { cutBytes: 1 },
    });
    assert.ok(whole.bytes.length > 100);
    assert.deepEqual(cut.bytes, whole.bytes);
  });

  it('encodes only when it may, and says so', async () => {
    const script = { encode: 'gzip', deltas: ['a', 'b'] } as const;
    const plain = await chat(upstream.port, { stream: true, script });
    const headers = { 'accept-encoding': 'gzip' };
    const encoded = await chat(upstream.port, { stream: true, script, headers });
    assert.equal(plain.headers['content-encoding'], undefined);
    assert.equal(encoded.headers['content-encoding'], 'gzip');
    assert.deepEqual(gunzipSync(encoded.bytes), plain.bytes);
  });

  it('sends trailers, a status and headers of its own', async () => {
    const script = {
      chunks: ['x'],
      status: 429,
      headers: { 'x-own': '1' },
      trailers: { 'x-end': '2' },
    };
    const answer = await chat(upstream.port, { script });
    assert.equal(answer.status, 429);
    assert.equal(answer.headers['x-own'], '1');
    assert.equal(answer.trailers['x-end'], '2');
  });

  it('breaks off and stalls when told', async () => {
    const broken = await chat(upstream.port, { script: { chunks: ['a', 'b'], abortAfter: 1 } });
    assert.equal(broken.complete, false);
    assert.equal(broken.text, 'a');
    const http = { abortAfterBytes: 1 };
    const stalled = await chat(upstream.port, {
      script: { chunks: ['a', 'b'], stallAfter: 1 },
      http,
    });
    assert.equal(stalled.text, 'a');
    while (upstream.running() > 0) await new Promise((resolve) => setImmediate(resolve));
  });
});
