import xxhash from 'xxhash-wasm';
import type { Xxh64 } from '../rollout/cohort.ts';

/** Makes xxHash64 ready (compiles 3 KB of WebAssembly once); calls then cost about 0.3 µs. */
export async function createXxh64(): Promise<Xxh64> {
  const { h64Raw } = await xxhash();
  // wasm hands the 64 bits back signed: the published algorithm is unsigned.
  return (bytes, seed) => BigInt.asUintN(64, h64Raw(bytes, seed));
}
