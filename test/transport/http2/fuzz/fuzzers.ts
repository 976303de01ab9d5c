import type { Fuzzer } from './cases.ts';
import { floodFuzzer } from './flood-fuzzer.ts';
import { frameFuzzer } from './frame-fuzzer.ts';
import { hpackFuzzer } from './hpack-fuzzer.ts';
import { massFuzzer } from './mass-fuzzer.ts';
import { messageFuzzer } from './message-fuzzer.ts';

/** All of them, in the order in which they take turns. */
export const FUZZERS: readonly Fuzzer[] = [
  hpackFuzzer,
  frameFuzzer,
  floodFuzzer,
  massFuzzer,
  messageFuzzer,
];
