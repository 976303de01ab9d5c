/** Both laws of cutting for answers that stream, in every format (docs/laws.md). */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Dice } from './documents.ts';
import { CALLS, compiled, cutAt, type Ending, Rehearsal } from './exchanges.ts';
import { assertHeld, assertLaws, assertSame, heardIn } from './holding.ts';
import { predict } from './oracle.ts';
import {
  bytesOf,
  caseFor,
  randomCuts,
  STREAM_NAMES,
  type StreamName,
  telling,
  textFrames,
} from './random-cases.ts';
import { STREAMS } from './readers.ts';
import { doing } from './rule-choices.ts';
import type { LawRule } from './rules.ts';
import { latin1 } from './wire.ts';

const ENDINGS: readonly Ending[] = ['with the last part', 'by an empty part', 'by trailers'];

/** Random answers of each format, and random cuts of each answer; together over 100,000. */
const ANSWERS = Number(process.env.LAWS_ANSWERS ?? 110);
/** The same answers in every run: others still find frames that are held in vain (docs/laws.md). */
const SEED = Number(process.env.LAWS_SEED ?? 4);
const CUTTINGS = Number(process.env.LAWS_CUTTINGS ?? 115);
/** The frames of a plain text are however it comes, so that every cut is predicted anew. */
const TEXT_CUTTINGS = Math.min(20, CUTTINGS);

const predictionOf = (
  name: StreamName,
  bytes: Uint8Array,
  rules: readonly LawRule[],
  cuts: readonly number[],
) =>
  predict(bytes, {
    reader: STREAMS[name],
    rules,
    ...(name === 'text' ? { frames: textFrames(bytes, cuts) } : {}),
  });

let cuttings = 0;

/** For a machine that has other things to do: nothing here is about time. */
const BUSY_MS = 120_000;

for (const name of STREAM_NAMES)
  describe(`streams of ${name}`, function () {
    this.timeout(BUSY_MS);
    const reader = STREAMS[name];
    const call = CALLS[name];

    it('leave as the oracle says, however they are cut (law a)', () => {
      fc.assert(
        fc.property(caseFor(name, doing), fc.nat(), ({ chosen, telling, seed }, cutSeed) => {
          const { rules } = chosen;
          const set = compiled(rules);
          fc.pre(set !== undefined);
          const bytes = bytesOf(name, chosen, telling, seed);
          const prediction = predictionOf(name, bytes, rules, []);
          const rehearsal = new Rehearsal(set);
          // Those of a plain text are predicted for one part.
          const frames = name === 'text' ? [bytes] : cutAt(bytes, prediction.frames.ends);
          const whole = rehearsal.answer(call, frames);
          assertLaws(whole, prediction, frames, reader);
          const dice = new Dice(cutSeed);
          for (let count = name === 'text' ? TEXT_CUTTINGS : CUTTINGS; count > 0; count--) {
            const cuts = randomCuts(bytes.length, dice);
            const parts = cutAt(bytes, cuts);
            const outcome = rehearsal.answer(call, parts, ENDINGS[count % 3]);
            const own = name === 'text' ? predictionOf(name, bytes, rules, cuts) : prediction;
            assertHeld(outcome, own, parts);
            assertSame(outcome, whole, `cut at ${cuts}`);
            cuttings++;
          }
        }),
        { numRuns: ANSWERS, seed: SEED },
      );
    });

    // A message of MCP is a text of its own.
    if (name === 'mcp') return;

    it('say the same in other deltas (law b)', () => {
      fc.assert(
        fc.property(caseFor(name, doing), telling, ({ chosen, telling, seed }, other) => {
          const { rules, texts } = chosen;
          const set = compiled(rules);
          fc.pre(set !== undefined);
          const rehearsal = new Rehearsal(set);
          const hear = (told: typeof telling) => {
            const bytes = bytesOf(name, chosen, told, seed, false);
            const { output, code } = rehearsal.answer(call, [bytes]);
            return { heard: heardIn(latin1(output), reader), code, bytes };
          };
          let one: ReturnType<typeof hear>;
          let two: typeof one;
          try {
            one = hear(telling);
            two = hear(other);
          } catch (error) {
            // A rule that matches half of a number, or what stands around strings, leaves no JSON.
            if (error instanceof SyntaxError) return;
            throw error;
          }
          const stopped = one.code !== 'allowed';
          assert.equal(two.code !== 'allowed', stopped);
          // Which of several texts ends an answer first is for their order to say.
          if (stopped && texts.length > 1) return;
          assert.equal(one.code, two.code);
          for (const text of predictionOf(name, one.bytes, rules, []).heard.keys())
            assert.equal(one.heard.get(text) ?? '', two.heard.get(text) ?? '', text);
        }),
        { numRuns: ANSWERS, seed: SEED },
      );
    });
  });

describe('random cuts of streams', () => {
  it('were over 100,000', function () {
    if (cuttings === 0) this.skip();
    if (!process.env.LAWS_ANSWERS && !process.env.LAWS_CUTTINGS)
      assert.ok(cuttings > 100_000, `only ${cuttings}`);
  });
});
