import { INVISIBLE_LABEL, INVISIBLE_MARK } from '../match/invisible.ts';

/** By which rule a value may be said again, and for how long in the next exchanges of a conversation. */
export interface Reversal {
  readonly rule: string;
  readonly ttlMs: number;
}

/** A value that an answer may say again, under the number of its placeholder. */
export interface Restorable extends Reversal {
  readonly label: string;
  readonly number: number;
  readonly value: string;
}

/**
 * Numbers of typed placeholders: the same value has the same number in one text, and keeps the number it
 * had in the request. Each text of a response numbers on its own from there, so that what a client reads
 * in one text does not depend on how the others are interleaved with it (SEMANTICS §1 b).
 */
export class Placeholders {
  // Made when they are needed: most texts have nothing to number.
  private numbers: Map<string, number> | undefined;
  private counts: Map<string, number> | undefined;
  /** By placeholder, where values may be said again; undefined where a rule has taken this one out for good. */
  private values: Map<string, Restorable | undefined> | undefined;
  private readonly base: Placeholders | undefined;

  constructor(base?: Placeholders) {
    this.base = base;
  }

  /**
   * `[EMAIL_1]` for the first distinct value with that label; one mark for all that is not seen. `reversal`: an
   * answer may say the value again, if no rule takes it out for good.
   */
  placeholder(label: string, value: string, reversal?: Reversal): string {
    if (label === INVISIBLE_LABEL) return INVISIBLE_MARK;
    const number = this.number(label, value);
    const written = `[${label}_${number}]`;
    if (reversal === undefined) this.takeOut(written);
    else if (this.values?.has(written) === false)
      this.values.set(written, { label, number, value, ...reversal });
    return written;
  }

  /** What stands behind this placeholder is not said again, whatever another rule allows. */
  takeOut(placeholder: string): void {
    this.values?.set(placeholder, undefined);
  }

  /** What this placeholder stands for, where that may be said again. */
  restored(placeholder: string): string | undefined {
    return (this.base ?? this).values?.get(placeholder)?.value;
  }

  /** All that may be said again. */
  restorable(): readonly Restorable[] {
    return [...(this.values?.values() ?? [])].filter((one) => one !== undefined);
  }

  /** The last number of each label. */
  lastNumbers(): ReadonlyMap<string, number> {
    return this.counts ?? NO_NUMBERS;
  }

  /** Values may be said again from here on, those that the conversation had before among them. */
  recall(known: readonly Restorable[] = [], lastNumbers = NO_NUMBERS): void {
    this.counts = new Map(lastNumbers);
    this.numbers = new Map(known.map(({ label, number, value }) => [keyOf(label, value), number]));
    this.values = new Map(known.map((one) => [`[${one.label}_${one.number}]`, one]));
  }

  private number(label: string, value: string): number {
    const key = keyOf(label, value);
    const known = this.numbers?.get(key) ?? this.base?.numbers?.get(key);
    if (known !== undefined) return known;
    const next = (this.counts?.get(label) ?? this.base?.counts?.get(label) ?? 0) + 1;
    this.counts ??= new Map();
    this.numbers ??= new Map();
    this.counts.set(label, next);
    this.numbers.set(key, next);
    return next;
  }
}

const NO_NUMBERS: ReadonlyMap<string, number> = new Map();

const keyOf = (label: string, value: string): string => `${label}\u0000${value}`;
