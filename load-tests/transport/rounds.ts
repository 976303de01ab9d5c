/** Slices by turns: every round asks each of them once, in random order, so that a ratio is of neighbours in time. */
import { quantile } from '../measures.ts';

export interface Ratio {
  readonly median: number;
  /** Quartiles over the rounds. */
  readonly low: number;
  readonly high: number;
}

/** Figures by name, one for each round. */
export type Rounds<Name> = ReadonlyMap<Name, readonly number[]>;

function shuffled<T>(values: readonly T[]): T[] {
  return values
    .map((value) => ({ value, place: Math.random() }))
    .sort((a, b) => a.place - b.place)
    .map(({ value }) => value);
}

/** Asks `slice` for each name in each round. */
export async function takeRounds<Name, Slice>(
  names: readonly Name[],
  rounds: number,
  slice: (name: Name) => Promise<Slice>,
): Promise<ReadonlyMap<Name, readonly Slice[]>> {
  const taken = new Map<Name, Slice[]>(names.map((name) => [name, []]));
  for (let round = 0; round < rounds; round++)
    for (const name of shuffled(names)) taken.get(name)?.push(await slice(name));
  return taken;
}

/** Median and quartiles of `figures` by `reference`, round by round. */
export function ratioOf(figures: readonly number[], reference: readonly number[]): Ratio {
  const ratios = figures.map((figure, round) => figure / (reference[round] ?? Number.NaN));
  const at = (share: number): number => quantile(ratios, share);
  return { median: at(0.5), low: at(0.25), high: at(0.75) };
}
