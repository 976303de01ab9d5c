/** What all fuzzers share: a case is a list of steps, which can be written down, made smaller and tried again. */
import { Buffer } from 'node:buffer';
import { Dice } from '../../../laws/documents.ts';

export interface Step {
  readonly what: string;
  readonly bytes?: Buffer;
  readonly value?: number;
}

export interface Case {
  readonly options: Readonly<Record<string, number>>;
  readonly steps: readonly Step[];
}

export interface Fuzzer {
  readonly name: string;
  /** How many are tried at a time. */
  readonly batch: number;
  make(dice: Dice): Case;
  /** What is wrong with each; undefined: nothing. */
  check(cases: readonly Case[]): Promise<readonly (string | undefined)[]>;
}

export function written({ options, steps }: Case): string {
  const said = steps.map(({ what, bytes, value }) => ({
    what,
    ...(bytes !== undefined && { bytes: bytes.toString('hex') }),
    ...(value !== undefined && { value }),
  }));
  return JSON.stringify({ options, steps: said });
}

export function read(text: string): Case {
  const { options, steps } = JSON.parse(text);
  return {
    options,
    steps: steps.map(({ bytes, ...rest }: { bytes?: string }) =>
      bytes === undefined ? rest : { ...rest, bytes: Buffer.from(bytes, 'hex') },
    ),
  };
}

/** Cases tried while one is made smaller, and for how long: one that hangs is slow to try. */
const TRIES_MAX = 3_000;
const SMALLER_MS_MAX = 15_000;

/** The smallest case found that still fails, by leaving out steps and then bytes, larger pieces first. */
export async function smaller(fuzzer: Fuzzer, failing: Case): Promise<Case> {
  let best = failing;
  let tries = 0;
  const ends = performance.now() + SMALLER_MS_MAX;
  const enough = (): boolean => tries > TRIES_MAX || performance.now() > ends;
  const fails = async (attempt: Case): Promise<boolean> => {
    tries++;
    if ((await fuzzer.check([attempt]))[0] === undefined) return false;
    best = attempt;
    return true;
  };
  const withStep = (at: number, bytes: Buffer): Case => ({
    ...best,
    steps: best.steps.map((step, index) => (index === at ? { ...step, bytes } : step)),
  });
  for (let before = -1; before !== weight(best) && !enough(); ) {
    before = weight(best);
    for (let size = best.steps.length; size >= 1; size = Math.floor(size / 2))
      for (let at = 0; at + size <= best.steps.length && !enough(); ) {
        const steps = [...best.steps.slice(0, at), ...best.steps.slice(at + size)];
        if (!(await fails({ ...best, steps }))) at += size;
      }
    for (let step = 0; step < best.steps.length; step++)
      for (let size = best.steps[step]?.bytes?.length ?? 0; size >= 1; size = Math.floor(size / 2))
        for (let at = 0; ; ) {
          const bytes = best.steps[step]?.bytes as Buffer;
          if (at + size > bytes.length || enough()) break;
          const rest = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + size)]);
          if (!(await fails(withStep(step, rest)))) at += size;
        }
  }
  return best;
}

const weight = ({ steps }: Case): number =>
  steps.reduce((all, { bytes }) => all + 1 + (bytes?.length ?? 0), 0);

export interface Failure {
  readonly seed: number;
  readonly problem: string;
  readonly smallest: Case;
}

export interface Tried {
  readonly cases: number;
  readonly failures: readonly Failure[];
}

/** Cases from `seed` on, one seed each, until `enough` says so; stops behind `failuresMax` of them. */
export async function fuzz(
  fuzzer: Fuzzer,
  seed: number,
  enough: (cases: number) => boolean,
  failuresMax = 1,
): Promise<Tried> {
  const failures: Failure[] = [];
  let cases = 0;
  while (!enough(cases) && failures.length < failuresMax) {
    const seeds = Array.from({ length: fuzzer.batch }, (_, index) => seed + cases + index);
    const made = seeds.map((one) => fuzzer.make(new Dice(one)));
    const problems = await fuzzer.check(made);
    for (const [index, problem] of problems.entries())
      if (problem !== undefined && failures.length < failuresMax)
        failures.push({
          seed: seeds[index] as number,
          problem,
          smallest: await smaller(fuzzer, made[index] as Case),
        });
    cases += made.length;
  }
  return { cases, failures };
}

/** One change of the kind that lines, memories and attackers make. */
export function mutated(dice: Dice, bytes: Buffer): Buffer {
  const at = dice.below(bytes.length + 1);
  const length = 1 + dice.below(dice.once(4) ? 64 : 4);
  const [before, after] = [bytes.subarray(0, at), bytes.subarray(at)];
  switch (dice.below(6)) {
    case 0: {
      if (bytes.length === 0) return bytes;
      const flipped = Buffer.from(bytes);
      const which = dice.below(bytes.length);
      flipped[which] = (flipped[which] as number) ^ (1 << dice.below(8));
      return flipped;
    }
    case 1: {
      if (bytes.length === 0) return bytes;
      const changed = Buffer.from(bytes);
      changed[dice.below(bytes.length)] = dice.pick([0, 1, 0x7f, 0x80, 0xff, dice.below(256)]);
      return changed;
    }
    case 2:
      return Buffer.concat([before, after.subarray(length)]);
    case 3:
      return Buffer.concat([before, randomBytes(dice, length), after]);
    case 4:
      return Buffer.concat([before, after.subarray(0, length), after]);
    default:
      return before;
  }
}

export function randomBytes(dice: Dice, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let at = 0; at < length; at++) bytes[at] = dice.below(256);
  return bytes;
}
