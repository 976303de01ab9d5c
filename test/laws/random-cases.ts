/** Random answers and cuts, from few numbers, so that a failure can be told in one line. */
import fc from 'fast-check';
import {
  argumentsText,
  bytesWith,
  type Dice,
  deltasOf,
  type Script,
  STREAM_WRITERS,
  styleOf,
} from './documents.ts';
import { type Chosen, chosen } from './rule-choices.ts';
import type { Doing } from './rules.ts';
import { begunBytes, type Frames, latin1 } from './wire.ts';

export type StreamName = keyof typeof STREAM_WRITERS;
export const STREAM_NAMES = Object.keys(STREAM_WRITERS) as StreamName[];

const TEXTS_MAX = 6;

/** How the texts of a document come: the places of their cuts, and the order of the stretches. */
export interface Telling {
  readonly cuts: readonly (readonly number[])[];
  readonly order: readonly number[];
}

export const telling: fc.Arbitrary<Telling> = fc.record({
  cuts: fc.array(fc.array(fc.nat(200), { maxLength: 5 }), {
    minLength: TEXTS_MAX,
    maxLength: TEXTS_MAX,
  }),
  order: fc.array(fc.nat(TEXTS_MAX - 1), { maxLength: 12 }),
});

export interface Case {
  readonly chosen: Chosen;
  readonly telling: Telling;
  /** Of the style. */
  readonly seed: number;
}

export const caseFor = (name: StreamName, doing: fc.Arbitrary<Doing>): fc.Arbitrary<Case> =>
  fc.record({
    chosen: chosen(doing, STREAM_WRITERS[name].texts.length),
    telling,
    seed: fc.nat(),
  });

/**
 * The answer that a case means. `noted`: it may have text in places where no API has any, and bytes that are no
 * character.
 */
export function bytesOf(
  name: StreamName,
  { texts }: Chosen,
  told: Telling,
  seed: number,
  noted = true,
): Buffer {
  const kinds: readonly string[] = STREAM_WRITERS[name].texts;
  const script: Script = {
    texts: texts.map((words, index) =>
      deltasOf(kinds[index] === 'json' ? argumentsText(words, index) : words, told.cuts[index]!),
    ),
    order: told.order,
  };
  const written = STREAM_WRITERS[name].write(script, styleOf(seed), noted ? texts[0] : undefined);
  return noted ? bytesWith(written) : Buffer.from(written);
}

/** Up to seven places at which to cut so many bytes. */
export function randomCuts(length: number, dice: Dice): number[] {
  return Array.from({ length: 1 + dice.below(7) }, () => dice.below(length + 1));
}

/** The frames of a plain text that comes in parts: as far as its characters are whole. */
export function textFrames(body: Uint8Array, cuts: readonly number[]): Frames {
  const ends = new Map<number, number>();
  for (const cut of [...cuts, body.length].sort((a, b) => a - b)) {
    const end = cut - begunBytes(latin1(body.subarray(0, cut)));
    if (end > 0 && !ends.has(end)) ends.set(end, cut);
  }
  const closedAt = [...ends.values()];
  // A character that only began is over with the body.
  if (!ends.has(body.length)) ends.set(body.length, body.length);
  return { ends: [...ends.keys()], closed: closedAt.length, closedAt };
}
