/**
 * Conditions in a bounded number of steps. What one costs cannot be told from its text alone: lists and texts that
 * are added to themselves in one loop after another double each time, and a pattern that a fact brings is compiled
 * wherever it is met (one that the condition names counts like it).
 * So calls are weighed where they are made, by what they are given: a function of the inputs, never of the time.
 */
import { type CelEnv, type CelValue, isCelList, isCelMap } from '@bufbuild/cel';
import { CEL_ENVIRONMENT } from './cel-environment.ts';

/** UTF-16 units of a text that are one step: of all calls `size` takes longest with one. */
const UNITS_PER_STEP = 64;
/** The same where a pattern reads it. */
const MATCHED_UNITS_PER_STEP = 16;
/** A list that is put together element by element is gone through as deep as that: a share of it for each element. */
const NESTED_PER_STEP = 8;
/** A class of Unicode has hundreds of ranges. */
const CLASS_STEPS = 200;
/** Elements inside each other; far deeper ones would end the stack. */
const DEPTH_MAX = 256;

/** What evaluation fails with when a condition has taken all its steps. */
export const STEPS_TAKEN = 'too many steps';

/** Conditions are evaluated in one go and never inside each other. */
let left = Number.POSITIVE_INFINITY;

function spend(steps: number): void {
  left -= steps;
  if (left < 0) throw new RangeError(STEPS_TAKEN);
}

/** Does something with at most so many steps. */
export function withSteps<Result>(stepsMax: number, action: () => Result): Result {
  left = stepsMax;
  try {
    return action();
  } finally {
    left = Number.POSITIVE_INFINITY;
  }
}

const sizeOf = (value: unknown): number => (isCelList(value) ? value.size : 0);

/** All that a comparison may look at. Spends as it goes: a value can hold another many times over. */
function spendAllOf(value: unknown, depth = 0): void {
  if (depth > DEPTH_MAX) throw new RangeError(STEPS_TAKEN);
  spend(1);
  if (typeof value === 'string') spend(value.length / UNITS_PER_STEP);
  else if (isCelList(value)) for (const element of value) spendAllOf(element, depth + 1);
  else if (isCelMap(value)) {
    spend(value.size);
    for (const [, element] of value) spendAllOf(element, depth + 1);
  }
}

/** Counted repetition is written out when a pattern is compiled. */
function patternSteps(pattern: string): number {
  let copies = 1;
  for (const [, least, most] of pattern.matchAll(/\{(\d+)(?:,(\d*))?\}/gu))
    copies += Math.max(Number(least), Number(most ?? 0));
  const classes = pattern.match(/\\p/giu)?.length ?? 0;
  return (pattern.length + classes * CLASS_STEPS) * copies;
}

function spendFor(name: string, target: unknown, args: readonly unknown[]): void {
  spend(1);
  const [first, second] = args;
  switch (name) {
    case '_==_':
    case '_!=_':
      spendAllOf(first);
      spendAllOf(second);
      return;
    case '@in':
      // In a map it is looked up.
      if (isCelList(second)) spendAllOf(second);
      return;
    case '_+_': {
      const sizes = [sizeOf(first), sizeOf(second)];
      spend(Math.min(...sizes) + Math.max(...sizes) / NESTED_PER_STEP);
      break;
    }
    case 'matches': {
      const [text, pattern] = target === undefined ? [first, second] : [target, first];
      if (typeof text === 'string') spend(text.length / MATCHED_UNITS_PER_STEP);
      if (typeof pattern === 'string') spend(patternSteps(pattern));
      return;
    }
  }
  for (const value of [target, ...args])
    if (typeof value === 'string' || value instanceof Uint8Array)
      spend(value.length / UNITS_PER_STEP);
}

const { funcs } = CEL_ENVIRONMENT;
type Found = ReturnType<CelEnv['funcs']['find']>;
const weighed = new Map<string, Found>();

function find(name: string): Found {
  const func = funcs.find(name);
  if (func === undefined) return undefined;
  const known = weighed.get(name);
  if (known !== undefined) return known;
  const made: NonNullable<Found> = Object.create(func, {
    call: {
      value(id: number, target: CelValue | undefined, args: CelValue[]) {
        spendFor(name, target, args);
        return func.call(id, target, args);
      },
    },
  });
  weighed.set(name, made);
  return made;
}

/** The environment of conditions, for `withSteps`. */
export const WEIGHED_ENVIRONMENT: CelEnv = Object.create(CEL_ENVIRONMENT, {
  funcs: { value: Object.create(funcs, { find: { value: find } }) },
});
