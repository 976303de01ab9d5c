/** All single and all double cuts of one short answer of each format, with something changed and something refused. */
import assert from 'node:assert/strict';
import { CALLS, compiled, cutAt, Rehearsal } from './exchanges.ts';
import { assertHeld, assertLaws, assertSame } from './holding.ts';
import { predict } from './oracle.ts';
import { STREAM_NAMES, type StreamName, textFrames } from './random-cases.ts';
import { STREAMS } from './readers.ts';
import { keywords, type LawRule } from './rules.ts';

/** Escapes, characters of two, three and four bytes, a CRLF, and a word that is cut by frames. */
const SHORT: Readonly<Record<StreamName, string>> = {
  'openai.chat':
    'data: {"choices":[{"delta":{"content":"é Z\\u0061"}}]}\r\n\r\ndata:{"choices":[{"delta":{"content":"b😀."}}]}\n\n',
  'openai.responses':
    'data: {"type":"response.output_text.delta","delta":"é.Z\\u0061"}\r\n\r\ndata:{"type":"response.output_text.delta","delta":"b😀"}\n\n',
  'anthropic.messages':
    'data: {"type":"content_block_start","index":0}\n\ndata: {"type":"content_block_delta","index":0,"delta":{"text":"Z\\u0061b😀"}}\r\n\r\n',
  'gemini.events':
    'data: {"candidates":[{"content":{"parts":[{"text":"é.Z\\u0061"}]}}]}\r\n\r\ndata:{"candidates":[{"content":{"parts":[{"text":"b😀"}]}}]}\n\n',
  'gemini.array':
    '[{"candidates":[{"content":{"parts":[{"text":"é.Z\\u0061"}]}}]},\r\n{"candidates":[{"content":{"parts":[{"text":"b😀"}]}}]}\n]',
  mcp: 'data: {"jsonrpc":"2.0","method":"m","params":{"message":"é Z\\u0061b😀"}}\r\n\r\n: x\n\n',
  sse: 'data: {"text":"é.Z\\u0061"}\r\n\r\ndata: {"text":"b😀"}\n\ndata:Zab,\n\n: x\r\rdata:Z\r\rdata:ab\r\r',
  ndjson: '{"text":"é.Z\\u0061"}\r\n{"text":"b😀","title":"Zab."}\n\n{"title":"Z"}\n{"title":"ab"}',
  text: 'é Zab😀\r\nZa b Zab. Za',
};

const change: readonly LawRule[] = [
  { look: keywords(['Zab']), doing: { kind: 'rewrite', with: '«é»' } },
];
const refuse: readonly LawRule[] = [
  { look: keywords(['Zab']), doing: { kind: 'block', message: 'No.' } },
];

/** For a machine that has other things to do: nothing here is about time. */
const BUSY_MS = 120_000;

for (const name of STREAM_NAMES)
  describe(`a short stream of ${name}`, function () {
    this.timeout(BUSY_MS);
    const bytes = Buffer.from(SHORT[name]);
    const reader = STREAMS[name];
    for (const [what, rules] of [
      ['is changed', change],
      ['is refused', refuse],
    ] as const)
      it(`${what} alike for every single and double cut`, () => {
        const rehearsal = new Rehearsal(compiled(rules)!);
        const whole = rehearsal.answer(CALLS[name], [bytes]);
        const prediction = predict(bytes, { reader, rules });
        assert.equal(prediction.stop === undefined, rules === change);
        assertLaws(whole, prediction, [bytes], reader);
        if (rules === change) assert.notEqual(prediction.output, bytes.toString('latin1'));
        for (let first = 1; first < bytes.length; first++)
          for (let second = first; second < bytes.length; second++) {
            const cuts = [first, second];
            const parts = cutAt(bytes, cuts);
            const outcome = rehearsal.answer(CALLS[name], parts);
            const own =
              name === 'text'
                ? predict(bytes, { reader, rules, frames: textFrames(bytes, cuts) })
                : prediction;
            assertHeld(outcome, own, parts);
            assertSame(outcome, whole, `cut at ${cuts}`);
          }
      });
  });
