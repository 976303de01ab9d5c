import { INVISIBLE_LABEL, INVISIBLE_MARK } from '../match/invisible.ts';

/**
 * Numbers of typed placeholders: the same value has the same number in one text, and keeps the number it
 * had in the request. Each text of a response numbers on its own from there, so that what a client reads
 * in one text does not depend on how the others are interleaved with it (SEMANTICS §1 b).
 */
export class Placeholders {
  // Made when they are needed: most texts have nothing to number.
  private numbers: Map<string, number> | undefined;
  private counts: Map<string, number> | undefined;
  private readonly base: Placeholders | undefined;

  constructor(base?: Placeholders) {
    this.base = base;
  }

  /** `[EMAIL_1]` for the first distinct value with that label; one mark for all that is not seen. */
  placeholder(label: string, value: string): string {
    if (label === INVISIBLE_LABEL) return INVISIBLE_MARK;
    return `[${label}_${this.number(label, value)}]`;
  }

  private number(label: string, value: string): number {
    const key = `${label}\u0000${value}`;
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
