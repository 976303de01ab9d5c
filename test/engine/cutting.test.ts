import assert from 'node:assert/strict';
import fc from 'fast-check';
import { answer, chatStream, compile, readTexts, rig } from './rig.ts';

const SET = compile(`
kind: Policy
metadata: { name: guard, layer: platform }
class: security
rules:
  - { id: rival, inspect: [response], match: { keywords: { words: [Bank A] } }, then: { rewrite: { with: another bank } } }
  - { id: pii, inspect: [response], match: { pii: { entities: [email, credit_card] } }, then: redact }
  - { id: zebra, inspect: [response], match: { keywords: { words: [Project Zebra] } }, then: { block: { message: No. } } }
`);

const TEXT = 'Ask Bank A or mail joe.doe@acme.example, card 4111 1111 1111 1111 now. Banks Abroad.';
const MASKED = 'Ask another bank or mail [EMAIL_1], card [CREDIT_CARD_1] now. Banks Abroad.';

const streamOf = (deltas: readonly string[]): Uint8Array =>
  chatStream([
    { delta: { role: 'assistant' } },
    ...deltas.map((content) => ({ delta: { content } })),
    { delta: {}, finish: 'stop' },
  ]);

describe('an answer that is cut', () => {
  it('leaves as the same bytes for every cut of the wire (law a)', () => {
    const bytes = streamOf([
      'Ask Ba',
      'nk A or mail joe.doe@ac',
      'me.example, card 4111 1111 1111',
      ' 1111 now. Banks Abroad.',
    ]);
    const whole = answer(rig(SET), [bytes]).text;
    assert.equal(readTexts(whole)['0/content'], MASKED);
    for (let cut = 1; cut < bytes.length; cut++) {
      const cutUp = answer(rig(SET), [bytes.subarray(0, cut), bytes.subarray(cut)]).text;
      assert.equal(cutUp, whole, `cut at byte ${cut}`);
    }
    const single = answer(
      rig(SET),
      Array.from(bytes, (_, at) => bytes.subarray(at, at + 1)),
    ).text;
    assert.equal(single, whole);
  });

  it('has the same text for every cut into deltas (law b)', () => {
    for (let cut = 1; cut < TEXT.length; cut++) {
      const { text } = answer(rig(SET), [streamOf([TEXT.slice(0, cut), TEXT.slice(cut)])]);
      assert.equal(readTexts(text)['0/content'], MASKED, `cut at unit ${cut}`);
    }
    const { text } = answer(rig(SET), [streamOf([...TEXT])]);
    assert.equal(readTexts(text)['0/content'], MASKED);
  });

  it('is refused with the same text before the match for every cut', () => {
    const text = 'We mail a@b.co about Project Zebra soon';
    for (let cut = 1; cut < text.length; cut++) {
      const sent = answer(rig(SET), [streamOf([text.slice(0, cut), text.slice(cut)])]);
      const texts = readTexts(sent.text);
      assert.equal(texts['0/content'], 'We mail [EMAIL_1] about ', `cut at unit ${cut}`);
      assert.equal(texts['0/refusal'], 'No.');
      assert.ok(sent.port.ended.has('response'));
      assert.ok(sent.text.includes('"content_filter"'));
    }
  });

  it('is byte-identical when nothing matches', () => {
    const bytes = streamOf(['A bank holiday, ', 'Bankers and 4111 1111.', ' @nobody']);
    assert.equal(answer(rig(SET), [bytes]).text, Buffer.from(bytes).toString());
  });

  it('keeps interleaved choices and tool-call arguments apart', () => {
    const bytes = chatStream([
      { index: 0, delta: { content: 'Ba' } },
      { index: 1, delta: { content: 'nk A ' } },
      { index: 0, delta: { content: 'nk A' } },
      { index: 1, delta: { content: 'Ban' } },
      { index: 1, delta: { content: 'k A.' } },
      { index: 0, delta: { tool_calls: [{ index: 0, function: { arguments: '{"to":"Ban' } }] } },
      {
        index: 0,
        delta: { tool_calls: [{ index: 0, function: { arguments: 'k A","x":"\\u0042ank ' } }] },
      },
      { index: 0, delta: { tool_calls: [{ index: 0, function: { arguments: 'A"}' } }] } },
      { index: 0, delta: {}, finish: 'tool_calls' },
      { index: 1, delta: {}, finish: 'stop' },
    ]);
    const texts = readTexts(answer(rig(SET), [bytes]).text);
    assert.equal(texts['0/content'], 'another bank');
    assert.equal(texts['1/content'], 'nk A another bank.');
    assert.deepEqual(JSON.parse(texts['0/tool/0']!), { to: 'another bank', x: 'another bank' });
  });

  it('obeys both laws for random texts and cuts', () => {
    const words = fc.constantFrom(
      'Bank',
      ' ',
      'A',
      'Ban',
      'k A',
      'joe',
      '@',
      'acme.co',
      '4111111111111111',
      '4111-1111',
      '-1111-1111',
      'é',
      '😀',
      '.',
      'Project',
      'Zebra',
      '\\u0042',
      '"',
    );
    fc.assert(
      fc.property(
        fc.array(words, { maxLength: 14 }),
        fc.array(fc.nat(1000), { maxLength: 6 }),
        fc.array(fc.nat(5000), { maxLength: 5 }),
        (parts, deltaCuts, byteCuts) => {
          const text = parts.join('');
          const deltas = pieces(text.length, deltaCuts).map(([a, b]) => text.slice(a, b));
          const whole = answer(rig(SET), [streamOf([text])]);
          const bytes = streamOf(deltas);
          const once = answer(rig(SET), [bytes]);
          const cutUp = answer(
            rig(SET),
            pieces(bytes.length, byteCuts).map(([a, b]) => bytes.subarray(a, b)),
          );
          assert.equal(cutUp.text, once.text);
          assert.equal(
            readTexts(once.text)['0/content'] ?? '',
            readTexts(whole.text)['0/content'] ?? '',
          );
          assert.equal(
            readTexts(once.text)['0/content'] ?? '',
            readTexts(cutUp.text)['0/content'] ?? '',
          );
        },
      ),
      { numRuns: 300 },
    );
  });
});

/** `[from, to)` stretches of `length` cut at the given places. */
function pieces(length: number, cuts: readonly number[]): [number, number][] {
  const at = [...new Set([0, ...cuts.map((cut) => cut % (length + 1)), length])].sort(
    (a, b) => a - b,
  );
  return at.slice(1).map((to, index) => [at[index]!, to]);
}
