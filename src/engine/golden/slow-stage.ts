/**
 * The slow stage of `switchyard test`: what a case expects must come of it in every API that can say it, streamed and
 * not, whatever deltas the words stand in and wherever the bytes are cut (SEMANTICS §1, both laws of cutting).
 */
import { Buffer } from 'node:buffer';
import type { GoldenCase } from '../../policy/golden/cases.ts';
import type { Direction, PolicySet } from '../../policy/set.ts';
import type { Xxh64 } from '../../rollout/cohort.ts';
import { deltasOf } from './answers.ts';
import { type Form, formsOf } from './forms.ts';
import type { Seen } from './observer.ts';
import { type Cutting, exchangeOf, type GoldenMeans } from './one-exchange.ts';
import { type CaseResult, otherDeltas, runCase } from './run-case.ts';
import { verdictFault } from './verdict.ts';

export interface SlowStage {
  /** The same seed, the same cuttings. */
  readonly seed: number;
  /** Random cuttings of the bytes, and of the words of a stream, of each form. */
  readonly cuttings: number;
}

export const CUTTINGS_DEFAULT = 8;
/** A body of more bytes is not given in byte by byte: each byte is an exchange of messages. */
const SINGLE_BYTES_MAX = 4_096;
/** Cuts of one random cutting. */
const CUTS_MAX = 12;

/** Cost: that of about `2 × cuttings + 4` exchanges for each form; up to ten forms. */
export function slowRun(
  stage: SlowStage,
): (set: PolicySet, golden: GoldenCase, means: GoldenMeans) => Promise<CaseResult> {
  return async (set, golden, means) => {
    const first = await runCase(set, golden, means);
    if (first.fault !== undefined) return first;
    const atMs = golden.atMs ?? means.clock.nowMs();
    // One moment for all of them: an answer that tells the time must not differ by it.
    const still = { ...golden, atMs };
    const written = await exchangeOf(set, still, means);
    for (const form of formsOf(still)) {
      const fault = await formFault({ set, means, stage, form, written });
      if (fault !== undefined) return { ...first, fault: `${form.how}: ${fault}` };
    }
    return first;
  };
}

interface FormRun {
  readonly set: PolicySet;
  readonly means: GoldenMeans;
  readonly stage: SlowStage;
  readonly form: Form;
  /** What came of the written form. */
  readonly written: Seen;
}

async function formFault(run: FormRun): Promise<string | undefined> {
  const { set, means, form, written } = run;
  const uncut = await exchangeOf(set, form.case, means);
  const fault = verdictFault(form.case.expect, uncut, written.text);
  if (fault !== undefined) return fault;
  for (const [how, cutting] of cuttingsOf(run)) {
    const seen = await exchangeOf(set, form.case, means, cutting);
    const wrong = verdictFault(form.case.expect, seen, written.text);
    if (wrong !== undefined) return `${how}: ${wrong}`;
    if (cutting.cutsOf !== undefined && !sameBytes(seen, uncut))
      return `${how}: other bytes leave than of the same bytes in one piece; this is a fault of Switchyard`;
  }
  return undefined;
}

function* cuttingsOf({
  form,
  stage,
  means,
}: FormRun): Generator<readonly [how: string, cutting: Cutting]> {
  const random = randomFrom(means.xxh64, stage.seed);
  const { response } = form.case;
  const text = form.streamed && response !== undefined ? deltasOf(response).join('') : '';
  if (text !== '') {
    for (const [how, deltas] of otherDeltas(deltasOf(response!)))
      yield [`with the same words ${how}`, { deltas }];
    for (let at = 0; at < stage.cuttings; at++) {
      const deltas = piecesOf([...text], randomCuts([...text].length, random));
      yield [`with the same words in other deltas (${told(deltas)})`, { deltas }];
    }
  }
  yield ['with each byte by itself', { cutsOf: singleBytes }];
  for (let at = 0; at < stage.cuttings; at++) {
    const cutsOf = (_: Direction, bytes: number) => randomCuts(bytes, random);
    yield [`with the same bytes cut by seed ${stage.seed}, cutting ${at + 1}`, { cutsOf }];
  }
}

const singleBytes = (_direction: Direction, bytes: number): readonly number[] =>
  bytes > SINGLE_BYTES_MAX ? [] : Array.from({ length: Math.max(0, bytes - 1) }, (_, at) => at + 1);

/** Ascending, between 0 and `length`. */
function randomCuts(length: number, random: (below: number) => number): readonly number[] {
  if (length < 2) return [];
  const cuts = new Set<number>();
  for (let wanted = 1 + random(CUTS_MAX); wanted > 0; wanted--) cuts.add(1 + random(length - 1));
  return [...cuts].sort((a, b) => a - b);
}

function piecesOf(characters: readonly string[], cuts: readonly number[]): readonly string[] {
  const ends = [...cuts, characters.length];
  return ends.map((end, at) => characters.slice(ends[at - 1] ?? 0, end).join(''));
}

const TOLD_MAX = 12;

function told(deltas: readonly string[]): string {
  const shown = deltas.slice(0, TOLD_MAX).map((delta) => JSON.stringify(delta));
  return [...shown, ...(deltas.length > TOLD_MAX ? ['…'] : [])].join(' ');
}

function sameBytes(one: Seen, other: Seen): boolean {
  return (
    Buffer.compare(one.bytes, other.bytes) === 0 &&
    one.refusal?.status === other.refusal?.status &&
    one.refusal?.body === other.refusal?.body
  );
}

/** Whole numbers below what is asked, the same for the same seed. */
function randomFrom(xxh64: Xxh64, seed: number): (below: number) => number {
  const count = new Uint32Array(1);
  const bytes = new Uint8Array(count.buffer);
  return (below) => {
    count[0]! += 1;
    return Number(xxh64(bytes, BigInt(seed)) % BigInt(below));
  };
}
