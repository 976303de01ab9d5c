/** Secrets and what is not seen, through Envoy: masked inside a stream, refused before the upstream sees them. */
import assert from 'node:assert/strict';
import { chat, choicesOf } from './chat.ts';
import { requireEnvoy, type Stack, startStack } from './harness.ts';

const POLICY = `
kind: Policy
metadata: { name: guard, layer: platform }
class: security
rules:
  - { id: no-secrets-out, inspect: [response], match: { secrets: {} }, then: redact }
  - { id: no-secrets-in, inspect: [request], match: { secrets: { except: [assigned_password] } }, then: { block: { message: Keep your keys. } } }
  - { id: hidden-out, inspect: [response], match: { invisible: {} }, then: redact }
  - { id: hidden-in, inspect: [request], match: { invisible: { classes: [tags, bidi] } }, then: { block: { message: Something is hidden here. } } }
`;

/** Put together here, so that nobody who scans repositories takes it for a key. */
const TOKEN = ['ghp', 'zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ0mLq17'].join('_');
const TEXT = `Take ${TOKEN}, or ${TOKEN} again.`;
const MASKED = 'Take [SECRET_1], or [SECRET_1] again.';

describe('secrets through Envoy', function () {
  this.timeout(120_000);
  let stack: Stack;

  before(async function () {
    requireEnvoy(this);
    stack = await startStack({ policies: { 'guard.yaml': POLICY } });
  });

  after(async () => {
    await stack?.stop();
  });

  const streamed = async (deltas: readonly string[]) => {
    const answer = await chat(stack.envoy.port, { stream: true, script: { deltas } });
    assert.equal(answer.status, 200);
    assert.ok(answer.complete);
    return { content: choicesOf(answer)[0]?.content, text: answer.text };
  };

  it('are masked in an answer, split over its deltas anywhere', async () => {
    for (const deltas of [[TEXT], [...TEXT], TEXT.match(/.{1,7}/gu) as string[]]) {
      const { content, text } = await streamed(deltas);
      assert.equal(content, MASKED);
      assert.ok(!text.includes(TOKEN.slice(0, 12)));
    }
  });

  it('are masked when something unseen is put between their halves', async () => {
    const halves = [`Take ${TOKEN.slice(0, 20)}`, '\u200b', `${TOKEN.slice(20)}.`];
    const { content } = await streamed(halves);
    assert.equal(content, 'Take [SECRET_1].');
  });

  it('leave an answer alone that only begins like one', async () => {
    const { content } = await streamed(['ghp_', ' is a prefix, ', 'AKIA', ' too']);
    assert.equal(content, 'ghp_ is a prefix, AKIA too');
  });

  it('are refused in a request', async () => {
    const seen = stack.upstream.journal.length;
    const answer = await chat(stack.envoy.port, { prompt: `Use ${TOKEN} for it` });
    assert.equal(answer.status, 400);
    assert.equal(JSON.parse(answer.text).error.message, 'Keep your keys.');
    assert.ok(!answer.text.includes(TOKEN));
    assert.equal(stack.upstream.journal.length, seen);
  });

  it('what is not seen is marked in an answer and refused in a request; emoji and scripts pass', async () => {
    const { content } = await streamed([
      'Pay\u200b',
      '\u200bload and ',
      '👨\u200d',
      '👩 می\u200c',
      'خواهم',
    ]);
    assert.equal(content, 'Pay\ufffdload and 👨\u200d👩 می\u200cخواهم');
    const hidden = await chat(stack.envoy.port, { prompt: 'Hello\u{e0068}\u{e0069}' });
    assert.equal(hidden.status, 400);
    assert.equal(JSON.parse(hidden.text).error.message, 'Something is hidden here.');
    const family = await chat(stack.envoy.port, { prompt: 'say: 👨\u200d👩' });
    assert.equal(family.status, 200);
  });
});
