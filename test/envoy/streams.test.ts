/** What the product exists for: nothing forbidden reaches the client, however the answer is cut. */
import assert from 'node:assert/strict';
import { chat, choicesOf } from './chat.ts';
import { requireEnvoy, type Stack, startStack } from './harness.ts';

const POLICY = `
kind: Policy
metadata: { name: guard, layer: platform }
class: security
rules:
  - { id: rival, inspect: [response], match: { keywords: { words: [Bank A] } }, then: { rewrite: { with: another bank } } }
  - { id: pii, inspect: [response], match: { pii: { entities: [email, credit_card] } }, then: redact }
  - { id: zebra, inspect: [request, response], match: { keywords: { words: [Project Zebra] } }, then: { block: { message: I cannot talk about that. } } }
`;

const TEXT = 'Ask Bank A, mail joe@acme.example, pay 4111 1111 1111 1111 today.';
const MASKED = 'Ask another bank, mail [EMAIL_1], pay [CREDIT_CARD_1] today.';

/** No byte of what must not leave, in any spelling that the answer could have. */
function assertNothingLeaked(text: string): void {
  assert.doesNotMatch(text, /Bank A(?![a-z])|joe@|4111|Zebra/iu);
}

describe('an answer through Envoy', function () {
  this.timeout(120_000);
  let stack: Stack;

  before(async function () {
    requireEnvoy(this);
    stack = await startStack({ policies: { 'guard.yaml': POLICY } });
  });

  after(async () => {
    await stack?.stop();
  });

  const ask = (script: Parameters<typeof chat>[1] extends infer O ? Extract<O, object> : never) =>
    chat(stack.envoy.port, { stream: true, ...script });

  it('is masked in a stream, cut at every character', async () => {
    const answer = await ask({ script: { deltas: [...TEXT] } });
    assert.equal(answer.status, 200);
    assert.equal(choicesOf(answer)[0]?.content, MASKED);
    assertNothingLeaked(answer.text);
  });

  it('is the same for every cut of the bytes', async () => {
    const deltas = [
      'Ask Ba',
      'nk A, mail joe@ac',
      'me.example, pay 4111 1111',
      ' 1111 1111 today.',
    ];
    const whole = await ask({ script: { deltas } });
    assert.equal(choicesOf(whole)[0]?.content, MASKED);
    for (const cutBytes of [1, 2, 3, 5, 7, 11, 64]) {
      const cut = await ask({ script: { deltas, cutBytes } });
      assert.equal(withoutIds(cut.text), withoutIds(whole.text), `cut every ${cutBytes} bytes`);
    }
  });

  it('is masked in a document', async () => {
    const answer = await chat(stack.envoy.port, { script: { text: TEXT } });
    assert.equal(choicesOf(answer)[0]?.content, MASKED);
    assertNothingLeaked(answer.text);
    assert.equal(
      Number(answer.headers['content-length'] ?? answer.bytes.length),
      answer.bytes.length,
    );
  });

  it('is byte-identical when nothing matches', async () => {
    const chunks = [
      'data: {"choices":[{"index":0,"delta":{"content":"Banks \\u0041broad"}}]}\n\n',
      ': ping\n\n',
      'data: [DONE]\n\n',
    ];
    const headers = { 'content-type': 'text/event-stream' };
    const answer = await ask({ script: { chunks, headers } });
    assert.equal(answer.text, chunks.join(''));
  });

  it('ends in the words of the format when a block strikes inside it', async () => {
    const answer = await ask({ script: { deltas: ['All about Project ', 'Zebra', ' is here'] } });
    assert.equal(answer.status, 200);
    assert.ok(answer.complete);
    assert.equal(choicesOf(answer)[0]?.content, 'All about ');
    assert.equal(choicesOf(answer)[0]?.finishReason, 'content_filter');
    assert.ok(answer.text.endsWith('data: [DONE]\n\n'));
    assertNothingLeaked(answer.text);
    // The access log tells the verdict of the end, not the one that the headers left with.
    await stack.envoy.logged((entry) => entry.verdict === 'deny');
  });

  it('keeps interleaved choices apart', async () => {
    const event = (index: number, content: string) =>
      `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index, delta: { content } }] })}\n\n`;
    const chunks = [
      event(0, 'Ba'),
      event(1, 'Ban'),
      event(0, 'nk A'),
      event(1, 'ana'),
      event(0, '.'),
      event(1, ' joe@acme.example'),
    ];
    const headers = { 'content-type': 'text/event-stream' };
    const answer = await ask({
      script: { chunks: [...chunks, 'data: [DONE]\n\n'], headers },
      body: { n: 2 },
    });
    assert.deepEqual(
      choicesOf(answer).map((choice) => choice.content),
      ['another bank.', 'Banana [EMAIL_1]'],
    );
    assertNothingLeaked(answer.text);
  });

  it('is masked in tool-call arguments, also behind the escapes of their own JSON', async () => {
    const argumentDeltas = [
      '{"to":"Ban',
      'k A","cc":"\\u0042ank',
      ' A","mail":"joe\\u0040acme.example"}',
    ];
    const answer = await ask({ script: { toolCall: { name: 'send', argumentDeltas } } });
    const [choice] = choicesOf(answer);
    assert.deepEqual(JSON.parse(choice?.toolArguments ?? ''), {
      to: 'another bank',
      cc: 'another bank',
      mail: '[EMAIL_1]',
    });
    assertNothingLeaked(answer.text);
  });

  it('reads escapes as clients do, and does not guess which of two values of one name they take', async () => {
    const headers = { 'content-type': 'text/event-stream' };
    const chunks = [
      'data: {"choices":[{"index":0,"delta":{"content":"\\u0042ank \\u0041! Ba"}}]}\n\n',
      'data: {"choices":[{"index":0,"delta":{"c\\u006fntent":"nk A. "}}]}\n\n',
      'data: {"choices":[{"index":0,"delta":{"content":"Bank A","content":" and Ba"}}]}\n\n',
      'data: {"choices":[{"index":0,"delta":{"content":"joe@acme.example","content":"nk A."}}]}\n\n',
      'data: [DONE]\n\n',
    ];
    const answer = await ask({ script: { chunks, headers } });
    assert.equal(choicesOf(answer)[0]?.content, 'another bank! another bank. ');
    assert.equal(choicesOf(answer)[0]?.finishReason, 'content_filter');
    assertNothingLeaked(answer.text);
  });

  for (const encode of ['gzip', 'br', 'zstd'] as const) {
    it(`is masked when the upstream answers in ${encode}, asked or not`, async () => {
      for (const stream of [true, false]) {
        const answer = await chat(stack.envoy.port, {
          stream,
          headers: { 'accept-encoding': encode },
          script: { text: TEXT, encode, encodeAlways: true },
        });
        assert.equal(answer.status, 200);
        assert.equal(answer.headers['content-encoding'], undefined);
        assert.equal(choicesOf(answer)[0]?.content, MASKED);
      }
      const polite = await ask({
        headers: { 'accept-encoding': encode },
        script: { text: TEXT, encode },
      });
      assert.equal(choicesOf(polite)[0]?.content, MASKED);
    });
  }

  it('tells Envoy nothing that it would not accept', async () => {
    const stats = await stack.envoy.stats(
      /ext_proc.*(spurious|server_half_closed|streams_failed|message_timeouts|rejected)/u,
    );
    const sum = (name: string) =>
      [...stats].filter(([key]) => key.endsWith(name)).reduce((all, [, value]) => all + value, 0);
    assert.equal(sum('spurious_msgs_received'), 0);
    assert.equal(sum('message_timeouts'), 0);
    assert.ok(sum('server_half_closed') - sum('streams_failed') <= 0);
  });

  it('refuses a prompt before the upstream sees it', async () => {
    const seen = stack.upstream.journal.length;
    const answer = await chat(stack.envoy.port, { prompt: 'What is Project \u005aebra?' });
    assert.equal(answer.status, 400);
    assert.equal(JSON.parse(answer.text).error.message, 'I cannot talk about that.');
    assert.equal(answer.headers['x-should-retry'], 'false');
    assert.equal(stack.upstream.journal.length, seen);
  });
});

/** The demo upstream numbers its answers. */
const withoutIds = (text: string): string =>
  text.replaceAll(/"id":"[^"]*"/gu, '').replaceAll(/"created":\d+/gu, '');
