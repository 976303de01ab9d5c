/** Whether what is done again and again leaves something behind. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Dice } from '../../../laws/documents.ts';
import type { Fuzzer } from './cases.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

function heldBytes(): number {
  for (let times = 0; times < 3; times++) collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** By then all is compiled and every table made that is made once. */
const WARM_ROUNDS = 2;

/**
 * Bytes that rounds of the same cases, from `seed` on, have left behind. What V8 keeps for itself moves by some 300 KB
 * either way: what is told of less than that means nothing.
 */
export async function growth(
  fuzzer: Fuzzer,
  seed: number,
  cases: number,
  rounds: number,
): Promise<number> {
  let warm = 0;
  for (let round = 0; round < WARM_ROUNDS + rounds; round++) {
    if (round === WARM_ROUNDS) warm = heldBytes();
    for (let at = 0; at < cases; at += fuzzer.batch)
      await fuzzer.check(
        Array.from({ length: Math.min(fuzzer.batch, cases - at) }, (_, one) =>
          fuzzer.make(new Dice(seed + at + one)),
        ),
      );
  }
  return heldBytes() - warm;
}
