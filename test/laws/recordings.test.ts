/**
 * Recorded answers of the providers, where they are at hand: byte for byte through a set that finds nothing,
 * and with one word changed in nothing else (docs/laws.md).
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Dice } from './documents.ts';
import { CALLS, compiled, cutAt, Rehearsal } from './exchanges.ts';
import { assertLaws, heardIn } from './holding.ts';
import { predict } from './oracle.ts';
import { randomCuts, type StreamName } from './random-cases.ts';
import { STREAMS } from './readers.ts';
import { keywords, type LawRule } from './rules.ts';
import { latin1 } from './wire.ts';

const RECORDINGS = join(import.meta.dirname, '../../../shared/corpora/streams');
/** The machine that tests every change has less time than whoever runs all of them: docs/laws.md. */
const CUTTINGS = Number(process.env.LAWS_RECORDING_CUTTINGS ?? 100);
const FOLDERS: readonly (readonly [folder: string, name: StreamName])[] = [
  ['openai-chat', 'openai.chat'],
  ['openai-responses', 'openai.responses'],
  ['anthropic', 'anthropic.messages'],
  ['gemini', 'gemini.events'],
];

const NOTHING: readonly LawRule[] = [
  { look: keywords(['xyzzyplugh']), doing: { kind: 'block', message: 'No.' } },
  { look: { kind: 'pii', entities: ['credit_card'] }, doing: { kind: 'flag' } },
];

for (const [folder, name] of FOLDERS)
  describe(`recorded streams of ${name}`, () => {
    const at = join(RECORDINGS, folder);
    const files = existsSync(at) ? readdirSync(at).filter((file) => file.endsWith('.sse')) : [];
    if (files.length === 0) {
      it.skip(`no recordings beside the project in shared/corpora/streams/${folder}`);
      return;
    }
    for (const file of files) {
      const body = readFileSync(join(at, file));

      it(`pass byte for byte under ${CUTTINGS} cuttings: ${file}`, function () {
        this.timeout(120_000);
        const rehearsal = new Rehearsal(compiled(NOTHING)!);
        const dice = new Dice(body.length);
        for (let count = 0; count < CUTTINGS; count++) {
          const cuts = randomCuts(body.length, dice);
          const outcome = rehearsal.answer(CALLS[name], cutAt(body, cuts));
          assert.equal(outcome.code, 'allowed');
          if (!body.equals(outcome.output)) assert.fail(`changed when cut at ${cuts}`);
        }
      });

      it(`change in nothing but one word: ${file}`, () => {
        const reader = STREAMS[name];
        const told = predict(body, { reader, rules: NOTHING });
        // Words that some text says, the rarest and the commonest; what is signed may not change.
        const said = [...told.heard]
          .filter(([text]) => !text.endsWith('/thinking'))
          .flatMap(
            ([, words]) =>
              words.match(/(?<![\p{L}\p{N}_])[A-Za-z]{3,}(?![\p{L}\p{M}\p{N}_])/gu) ?? [],
          );
        for (const word of new Set([said[0], said.at(-1), said[Math.floor(said.length / 2)]])) {
          if (word === undefined) continue;
          const rules: readonly LawRule[] = [
            { look: keywords([word]), doing: { kind: 'rewrite', with: '#' } },
          ];
          const prediction = predict(body, { reader, rules });
          if (prediction.stop !== undefined) continue;
          const rehearsal = new Rehearsal(compiled(rules)!);
          const frames = cutAt(body, prediction.frames.ends);
          const outcome = rehearsal.answer(CALLS[name], frames);
          assertLaws(outcome, prediction, frames, reader);
          const changed = prediction.changed.filter((one) => one).length;
          assert.ok(
            changed > 0 && changed < frames.length,
            `${changed} frames of ${frames.length}`,
          );
          // What left can be read, and says the word no more.
          for (const words of heardIn(latin1(outcome.output), reader).values())
            assert.doesNotMatch(
              words,
              new RegExp(`(?<![\\p{L}\\p{N}_])${word}(?![\\p{L}\\p{N}_])`, 'iu'),
            );
        }
      });
    }
  });
