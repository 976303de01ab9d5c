/** Clean texts by the thousand: each sort of the three tables in each of forty surroundings, with new random values. */
import { CLEAN_CODE } from './clean-code.ts';
import { CLEAN_DATA } from './clean-data.ts';
import { type CleanValue, NEAR_MISSES } from './clean-near-misses.ts';
import { SURROUNDINGS } from './clean-surroundings.ts';
import type { CleanText } from './secret-free.ts';
import type { Pick } from './values.ts';

const table = (
  name: string,
  sorts: Readonly<Record<string, (pick: Pick) => string>>,
): readonly CleanValue[] =>
  Object.entries(sorts).map(([sort, value]) => ({ sort: `${name}: ${sort}`, value }));

export const CLEAN_SORTS: readonly CleanValue[] = [
  ...NEAR_MISSES.map(({ sort, value }) => ({ sort: `near: ${sort}`, value })),
  ...table('code', CLEAN_CODE),
  ...table('data', CLEAN_DATA),
];

/** Each sort in each surrounding; `every` keeps each nth of them. */
export function cleanTexts(pick: Pick, every = 1): CleanText[] {
  const texts: CleanText[] = [];
  let count = 0;
  for (const { sort, value } of CLEAN_SORTS)
    for (const [number, around] of SURROUNDINGS.entries()) {
      if (count++ % every !== 0) continue;
      texts.push({ id: `${sort}/${number}`, text: around(value(pick)) });
    }
  return texts;
}
