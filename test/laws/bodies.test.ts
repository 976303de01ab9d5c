/** Bodies that are judged whole: answers that are documents, and requests (docs/laws.md). */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { ANSWER_WRITERS, Dice, REQUEST_WRITERS, styleOf, writeJson } from './documents.ts';
import { CALLS, compiled, cutAt, type Ending, Rehearsal } from './exchanges.ts';
import { assertLaws } from './holding.ts';
import { predict } from './oracle.ts';
import { randomCuts } from './random-cases.ts';
import { DOCUMENTS, REQUESTS } from './readers.ts';
import { chosen, doing } from './rule-choices.ts';

const BODIES = Number(process.env.LAWS_ANSWERS ?? 80);
const CUTTINGS = 6;
const ENDINGS: readonly Ending[] = ['with the last part', 'by an empty part', 'by trailers'];
const JSON_TYPE = 'application/json';
const TEXTS_MAX = 4;

const body = fc.record({ chosen: chosen(doing, TEXTS_MAX), seed: fc.nat(), cutSeed: fc.nat() });

for (const name of Object.keys(ANSWER_WRITERS) as (keyof typeof ANSWER_WRITERS)[])
  it(`answers of ${name} in one document leave as the oracle says`, () => {
    const reader = DOCUMENTS[name];
    fc.assert(
      fc.property(body, ({ chosen: { rules, texts }, seed, cutSeed }) => {
        const set = compiled(rules);
        fc.pre(set !== undefined);
        const style = styleOf(seed);
        const bytes = Buffer.from(writeJson(ANSWER_WRITERS[name](texts, style), style, true));
        const prediction = predict(bytes, { reader, rules, whole: true });
        const rehearsal = new Rehearsal(set);
        const dice = new Dice(cutSeed);
        for (let count = 0; count < CUTTINGS; count++) {
          const parts = cutAt(bytes, randomCuts(bytes.length, dice));
          const outcome = rehearsal.answer(CALLS[name], parts, ENDINGS[count % 3], JSON_TYPE);
          assertLaws(outcome, prediction, parts, reader);
        }
      }),
      { numRuns: BODIES },
    );
  });

for (const name of Object.keys(REQUESTS) as (keyof typeof REQUESTS)[])
  it(`requests of ${name} leave as the oracle says`, () => {
    const reader = REQUESTS[name];
    fc.assert(
      fc.property(body, ({ chosen: { rules, texts }, seed, cutSeed }) => {
        const set = compiled(rules, 'request');
        fc.pre(set !== undefined);
        const style = styleOf(seed);
        const plain = name === 'text';
        const written = plain
          ? `Say: ${texts.join(' ')}`
          : writeJson(REQUEST_WRITERS[name](texts, style), style, true);
        const bytes = Buffer.from(written);
        const prediction = predict(bytes, { reader, rules, whole: true, direction: 'request' });
        const rehearsal = new Rehearsal(set);
        const dice = new Dice(cutSeed);
        for (let count = 0; count < CUTTINGS; count++) {
          const parts = cutAt(bytes, randomCuts(bytes.length, dice));
          const type = plain ? 'text/plain' : JSON_TYPE;
          const outcome = rehearsal.request(CALLS[name].path, type, parts, ENDINGS[count % 3]);
          if (prediction.stop === undefined) {
            assert.equal(outcome.refusal, undefined);
            assert.equal(Buffer.from(outcome.output).toString('latin1'), prediction.output);
          } else {
            assert.equal(outcome.output.length, 0);
            assertLaws(outcome, prediction, parts, reader);
          }
        }
      }),
      { numRuns: BODIES },
    );
  });
