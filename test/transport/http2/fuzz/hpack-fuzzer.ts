/** Header blocks of an encoder of other hands and of one that takes every way at random, mutated or not: three decoders. */
import { Buffer } from 'node:buffer';
import { ConnectionError } from '../../../../src/transport/http2/frames.ts';
import { HpackDecoder } from '../../../../src/transport/http2/hpack-decoder.ts';
import { Dice } from '../../../laws/documents.ts';
import { integer } from '../raw-peer.ts';
import { type Case, type Fuzzer, mutated, randomBytes, type Step } from './cases.ts';
import { type Field, HpackModel } from './hpack-model.ts';
import { decodedByNghttp2, type EncoderStep, encodedByNghttp2 } from './hpack-reference.ts';
import { type TurnWatch, withoutHang } from './turn-watch.ts';

const LIMITS = { headerListBytesMax: 1e9, headerFieldsMax: 1e6 };
const TABLE_BYTES = [4_096, 4_096, 0, 64, 100, 1_000, 8_192, 65_536];
const NAMES = [
  ':method',
  ':path',
  ':status',
  'x',
  'x-name',
  'content-type',
  'cookie',
  'a-long-name',
];

function text(dice: Dice): string {
  const length = dice.pick([0, 1, 3, 8, 20, 60, dice.below(200), dice.once(30) ? 5_000 : 5]);
  const letters = dice.once(6)
    ? randomBytes(dice, length)
    : Buffer.from(Array.from({ length }, () => 0x20 + dice.below(95)));
  return letters.toString('latin1');
}

const randomField = (dice: Dice): Field => [
  dice.once(3) ? text(dice) : dice.pick(NAMES),
  dice.once(3) ? dice.pick(['', 'v', 'GET', '/', 'application/grpc']) : text(dice),
];

/** One field, in any of the ways that there are, of a peer whose table has about `entries`. */
function instruction(dice: Dice, entries: number): Buffer {
  const index = 1 + dice.below(61 + entries + (dice.once(20) ? 3 : 0));
  const [name, value] = randomField(dice);
  const string = (said: string): Buffer =>
    dice.once(12)
      ? Buffer.concat([integer(said.length, 7, 0x80), randomBytes(dice, said.length)])
      : Buffer.concat([integer(said.length, 7), Buffer.from(said, 'latin1')]);
  const [bits, pattern] = dice.pick([
    [6, 0x40],
    [6, 0x40],
    [4, 0],
    [4, 0x10],
  ] as const);
  switch (dice.below(3)) {
    case 0:
      return integer(index, 7, 0x80);
    case 1:
      return Buffer.concat([integer(index, bits, pattern), string(value)]);
    default:
      return Buffer.concat([Buffer.of(pattern), string(name), string(value)]);
  }
}

function ownBlocks(dice: Dice, tableBytes: number): Step[] {
  const steps: Step[] = [];
  let [entries, settled] = [0, false];
  for (let block = 1 + dice.below(6); block > 0; block--) {
    const parts: Buffer[] = [];
    if (!settled && dice.once(2)) {
      settled = true;
      steps.push({ what: 'settled' });
      if (tableBytes < 4_096) parts.push(integer(tableBytes, 5, 0x20));
    }
    if (dice.once(6))
      parts.push(integer(dice.pick([0, 31, 64, tableBytes, tableBytes + 1, 4_096]), 5, 0x20));
    for (let left = dice.below(8); left > 0; left--) {
      parts.push(instruction(dice, entries));
      if (dice.once(2)) entries++;
    }
    steps.push({ what: 'block', bytes: Buffer.concat(parts) });
  }
  return steps;
}

const FOREIGN_SESSIONS = 300;
let foreign: readonly (readonly Step[])[] | undefined;

/** Made once, of a seed of their own: each case takes one of them. */
function foreignSessions(): readonly (readonly Step[])[] {
  if (foreign !== undefined) return foreign;
  const dice = new Dice(7_541);
  const sessions = Array.from({ length: FOREIGN_SESSIONS }, () => {
    const steps: EncoderStep[] = [];
    const known = Array.from({ length: 12 }, () => randomField(dice));
    for (let block = 1 + dice.below(12); block > 0; block--) {
      if (dice.once(4)) steps.push({ tableBytes: dice.pick([0, 64, 100, 500, 4_096]) });
      const fields = Array.from({ length: 1 + dice.below(10) }, () =>
        dice.once(3) ? randomField(dice) : dice.pick(known),
      );
      steps.push({ fields });
    }
    return steps;
  });
  foreign = encodedByNghttp2(sessions).map((blocks) =>
    blocks.map((bytes) => ({ what: 'block', bytes })),
  );
  return foreign;
}

function changed(dice: Dice, steps: readonly Step[]): Step[] {
  const result = [...steps];
  for (let times = dice.pick([1, 1, 1, 2, 5]); times > 0; times--) {
    const at = dice.below(result.length);
    const step = result[at];
    if (step?.bytes !== undefined) result[at] = { ...step, bytes: mutated(dice, step.bytes) };
    if (dice.once(8)) result.splice(dice.below(result.length), 1);
    if (dice.once(8)) result.push(dice.pick(steps));
    if (dice.once(12)) result.splice(dice.below(result.length + 1), 0, { what: 'settled' });
    if (result.length === 0) return result;
  }
  return result;
}

function ours(decoder: HpackDecoder, block: Buffer): readonly Field[] | undefined {
  try {
    const { fields } = decoder.decode(block, 0, block.length);
    return fields.map(({ name, value }) => [name, value]);
  } catch (error) {
    if (error instanceof ConnectionError && error.code === 9) return undefined;
    throw error;
  }
}

const shown = (fields: readonly Field[] | string | undefined): string =>
  fields === undefined || typeof fields === 'string' ? 'refused' : JSON.stringify(fields);

function problemOf(
  { options, steps }: Case,
  theirs: readonly (readonly Field[] | undefined)[],
  watch: TurnWatch,
): string | undefined {
  const tableBytes = options.tableBytes as number;
  const decoder = new HpackDecoder(tableBytes, LIMITS);
  const model = new HpackModel(tableBytes);
  let block = 0;
  for (const { bytes } of steps) {
    if (bytes === undefined) {
      decoder.settled();
      model.settled();
      continue;
    }
    const seen = watch.turn(() => ours(decoder, bytes));
    const meant = model.decode(bytes);
    const there = theirs[block++];
    if (shown(seen) !== shown(meant))
      return `block ${block}: ours ${shown(seen)}, the model's ${shown(meant)}`;
    // What we refuse for its length alone means something there, and the tables part.
    if (meant === 'long_integer') return undefined;
    if (shown(seen) !== shown(there))
      return `block ${block}: ours ${shown(seen)}, libnghttp2's ${shown(there)}`;
    if (seen === undefined) return undefined;
  }
  return undefined;
}

export const hpackFuzzer: Fuzzer = {
  name: 'hpack',
  batch: 500,
  make(dice) {
    const tableBytes = dice.pick(TABLE_BYTES);
    const own = dice.once(2);
    // The foreign sessions keep to 4096 bytes, so nothing smaller is said to them.
    const options = { tableBytes: own ? tableBytes : 4_096 };
    const steps = own ? ownBlocks(dice, tableBytes) : dice.pick(foreignSessions());
    return { options, steps: dice.once(3) ? steps : changed(dice, steps) };
  },
  async check(cases) {
    const theirs = decodedByNghttp2(
      cases.map(({ options, steps }) => {
        const tableBytes = options.tableBytes as number;
        // What is larger may be used before it is acknowledged.
        const larger = tableBytes > 4_096 ? [{ tableBytes }] : [];
        return [
          ...larger,
          ...steps.map(({ bytes }) => (bytes === undefined ? { tableBytes } : { block: bytes })),
        ];
      }),
    );
    const problems: (string | undefined)[] = [];
    for (const [at, one] of cases.entries())
      problems.push(
        await withoutHang((watch) => Promise.resolve(problemOf(one, theirs[at] ?? [], watch))),
      );
    return problems;
  },
};
