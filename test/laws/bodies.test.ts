/** Bodies that are judged whole: answers that are documents, and requests (docs/laws.md). */
import assert from 'node:assert/strict';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { zstdStored } from '../../demo/zstd-frame.ts';
import {
  ANSWER_WRITERS,
  bytesWith,
  Dice,
  REQUEST_WRITERS,
  requestLines,
  STREAM_WRITERS,
  type Style,
  styleOf,
  writeJson,
} from './documents.ts';
import { CALLS, compiled, cutAt, type Ending, type Outcome, Rehearsal } from './exchanges.ts';
import { assertLaws } from './holding.ts';
import { type Prediction, predict } from './oracle.ts';
import { bytesOf, randomCuts, STREAM_NAMES, telling } from './random-cases.ts';
import { DOCUMENTS, REQUESTS, STREAMS } from './readers.ts';
import { chosen, doing } from './rule-choices.ts';

const BODIES = Number(process.env.LAWS_ANSWERS ?? 80);
const CUTTINGS = 6;
const ENDINGS: readonly Ending[] = ['with the last part', 'by an empty part', 'by trailers'];
const JSON_TYPE = 'application/json';
const TEXTS_MAX = 4;

type RequestName = keyof typeof REQUESTS;
const TYPES: Partial<Record<RequestName, string>> = {
  text: 'text/plain',
  ndjson: 'application/x-ndjson',
};

function requestOf(name: RequestName, texts: readonly string[], style: Style): string {
  if (name === 'text') return `Say: ${texts.join(' ')}`;
  if (name === 'ndjson') return requestLines(texts, style);
  return writeJson(REQUEST_WRITERS[name](texts, style), style, true);
}

const body = fc.record({ chosen: chosen(doing, TEXTS_MAX), seed: fc.nat(), cutSeed: fc.nat() });

for (const name of Object.keys(ANSWER_WRITERS) as (keyof typeof ANSWER_WRITERS)[])
  it(`answers of ${name} in one document leave as the oracle says`, () => {
    const reader = DOCUMENTS[name];
    fc.assert(
      fc.property(body, ({ chosen: { rules, texts }, seed, cutSeed }) => {
        const set = compiled(rules);
        fc.pre(set !== undefined);
        const style = styleOf(seed);
        const bytes = bytesWith(writeJson(ANSWER_WRITERS[name](texts, style), style, true));
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

for (const name of Object.keys(REQUESTS) as RequestName[])
  it(`requests of ${name} leave as the oracle says`, () => {
    const reader = REQUESTS[name];
    fc.assert(
      fc.property(body, ({ chosen: { rules, texts }, seed, cutSeed }) => {
        const set = compiled(rules, 'request');
        fc.pre(set !== undefined);
        const style = styleOf(seed);
        const bytes = bytesWith(requestOf(name, texts, style));
        const prediction = predict(bytes, { reader, rules, whole: true, direction: 'request' });
        const rehearsal = new Rehearsal(set);
        const dice = new Dice(cutSeed);
        for (let count = 0; count < CUTTINGS; count++) {
          const parts = cutAt(bytes, randomCuts(bytes.length, dice));
          const outcome = rehearsal.request(
            CALLS[name].path,
            TYPES[name] ?? JSON_TYPE,
            parts,
            ENDINGS[count % 3],
          );
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

const deflated: Readonly<Record<string, (bytes: Uint8Array) => Uint8Array>> = {
  gzip: gzipSync,
  'x-gzip': gzipSync,
  deflate: deflateSync,
  br: brotliCompressSync,
  zstd: (bytes) => Buffer.concat(zstdStored([Buffer.from(bytes)])),
};

/** A `content-encoding` and what it does: one coding or two, in any case, with what says nothing. */
const coding = fc
  .array(fc.constantFrom(...Object.keys(deflated)), { minLength: 1, maxLength: 2 })
  .chain((codings) =>
    fc.record({
      header: fc.constantFrom(
        codings.join(', '),
        codings.join(',').toUpperCase(),
        ['identity', ...codings].join(' , '),
      ),
      encode: fc.constant((bytes: Uint8Array) =>
        codings.reduce((written, one) => deflated[one]!(written), bytes),
      ),
    }),
  );

/** Changed it leaves as identity, and says so; unchanged its bytes and its headers stay. */
function assertCoded(
  outcome: Outcome,
  prediction: Prediction,
  bytes: Uint8Array,
  coded: Uint8Array,
): void {
  assert.equal(outcome.refusal, undefined);
  const changed = prediction.output !== Buffer.from(bytes).toString('latin1');
  const output = Buffer.from(outcome.output).toString('latin1');
  assert.equal(output, changed ? prediction.output : Buffer.from(coded).toString('latin1'));
  assert.deepEqual(outcome.mutation?.remove ?? [], changed ? ['content-encoding'] : []);
}

const NAMES = Object.keys(ANSWER_WRITERS) as (keyof typeof ANSWER_WRITERS)[];
const coded = fc.record({
  chosen: chosen(doing, TEXTS_MAX),
  seed: fc.nat(),
  cutSeed: fc.nat(),
  coding,
  ending: fc.constantFrom(...ENDINGS),
});

it('coded answers in one document leave as the oracle says', () => {
  fc.assert(
    fc.property(coded, fc.constantFrom(...NAMES), (given, name) => {
      const { rules, texts } = given.chosen;
      const set = compiled(rules);
      fc.pre(set !== undefined);
      const style = styleOf(given.seed);
      const reader = DOCUMENTS[name];
      const bytes = bytesWith(writeJson(ANSWER_WRITERS[name](texts, style), style, true));
      const prediction = predict(bytes, { reader, rules, whole: true });
      const written = given.coding.encode(bytes);
      const parts = cutAt(written, randomCuts(written.length, new Dice(given.cutSeed)));
      const more = { 'content-encoding': given.coding.header };
      const call = CALLS[name];
      const outcome = new Rehearsal(set).answer(call, parts, given.ending, JSON_TYPE, more);
      if (prediction.stop === undefined) assertCoded(outcome, prediction, bytes, written);
      else assertLaws(outcome, prediction, parts, reader);
    }),
    { numRuns: 2 * BODIES },
  );
});

it('coded streams leave as the oracle says, judged whole', () => {
  fc.assert(
    fc.property(coded, telling, fc.constantFrom(...STREAM_NAMES), (given, told, name) => {
      const { rules, texts } = given.chosen;
      fc.pre(texts.length <= STREAM_WRITERS[name].texts.length);
      const set = compiled(rules);
      fc.pre(set !== undefined);
      const reader = STREAMS[name];
      const bytes = bytesOf(name, given.chosen, told, given.seed);
      const prediction = predict(bytes, { reader, rules, whole: true });
      const written = given.coding.encode(bytes);
      const parts = cutAt(written, randomCuts(written.length, new Dice(given.cutSeed)));
      const call = CALLS[name];
      const more = { 'content-encoding': given.coding.header };
      const outcome = new Rehearsal(set).answer(call, parts, given.ending, call.answerType, more);
      if (prediction.stop === undefined) assertCoded(outcome, prediction, bytes, written);
      else {
        assert.equal(outcome.output.length, 0);
        assert.notEqual(outcome.refusal, undefined);
        assert.equal(outcome.code === 'policy', prediction.stop.rule !== undefined);
      }
    }),
    { numRuns: 2 * BODIES },
  );
});

it('coded requests leave as the oracle says', () => {
  fc.assert(
    fc.property(
      coded,
      fc.constantFrom(...(Object.keys(REQUESTS) as RequestName[])),
      (given, name) => {
        const { rules, texts } = given.chosen;
        const set = compiled(rules, 'request');
        fc.pre(set !== undefined);
        const reader = REQUESTS[name];
        const bytes = bytesWith(requestOf(name, texts, styleOf(given.seed)));
        const prediction = predict(bytes, { reader, rules, whole: true, direction: 'request' });
        const written = given.coding.encode(bytes);
        const parts = cutAt(written, randomCuts(written.length, new Dice(given.cutSeed)));
        const more = { 'content-encoding': given.coding.header };
        const type = TYPES[name] ?? JSON_TYPE;
        const outcome = new Rehearsal(set).request(
          CALLS[name].path,
          type,
          parts,
          given.ending,
          more,
        );
        if (prediction.stop === undefined) assertCoded(outcome, prediction, bytes, written);
        else {
          assert.equal(outcome.output.length, 0);
          assertLaws(outcome, prediction, parts, reader);
        }
      },
    ),
    { numRuns: 2 * BODIES },
  );
});
