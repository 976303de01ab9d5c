/**
 * A reading of JSON that arrives as text (tool-call arguments, in deltas of any size): its backslash
 * escapes are decoded, so that `\u0042ank` reads as `Bank`. Structure stays visible as it is written.
 */
import { escapeJson } from './json-string.ts';

const BACKSLASH = 0x5c;
const QUOTE = 0x22;
const LETTER_U = 0x75;

const SHORT_ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};

/** `text` for the inside of a JSON string that is itself text. The frame's own escaping comes on top. */
export function escapeInner(text: string): string {
  return escapeJson(text, false);
}

/**
 * What a view unit is part of: a string's inside, a bare value (a number, a word), or the structure around them,
 * quotes and spaces included.
 */
export type JsonUnitKind = 'string' | 'bare' | 'structure';

const STRUCTURE = -1;
const IN_STRING = -2;
const STRUCTURAL = new Set(' \t\n\r{}[]:,"');

/** One text's view, unit by unit. What is seen depends on the text only, not on how it is cut. */
export class JsonTextView {
  /** Source offset of view unit `#base + i`. */
  #starts: number[] = [];
  /** By the same index: for a unit of a bare value the view unit that this begins with, else what it is. */
  #parts: number[] = [];
  #base = 0;
  /** An escape that has begun and is not complete; never longer than 5 units. */
  #pending = '';
  /** Source units before `#pending`. */
  #read = 0;
  #insideString = false;
  /** View unit at which the bare value begins that the last unit is part of. */
  #bareStart: number | undefined;

  /** Takes the next stretch of source text; returns the view units it completes. Cost: linear. */
  push(value: string): string {
    let seen = '';
    for (let i = 0; i < value.length; i += 1) {
      this.#pending += value[i];
      seen += this.#resolve();
    }
    return seen;
  }

  /** The text is over: an incomplete escape stands for itself. */
  end(): string {
    const rest = this.#pending;
    this.#pending = '';
    let seen = '';
    for (const unit of rest.split('')) seen += this.#emit(unit, 1, false);
    return seen;
  }

  /** View units so far, forgotten ones included. */
  get length(): number {
    return this.#base + this.#starts.length;
  }

  /**
   * Source offset where view unit `viewUnit` begins; for the unit after the last, where the next one
   * will. Throws RangeError for a unit that was forgotten or does not exist yet.
   */
  sourceStart(viewUnit: number): number {
    if (viewUnit === this.length) return this.#read;
    const start = this.#starts[viewUnit - this.#base];
    if (start === undefined) throw new RangeError('view unit is forgotten or not yet read');
    return start;
  }

  /** Source offset where the units before `viewUnit` end (an exclusive end, as a match has). */
  sourceEnd(viewUnit: number): number {
    return this.sourceStart(viewUnit);
  }

  /** What a view unit is part of. Throws RangeError like `sourceStart`. */
  kindAt(viewUnit: number): JsonUnitKind {
    const part = this.#partAt(viewUnit);
    if (part === IN_STRING) return 'string';
    return part === STRUCTURE ? 'structure' : 'bare';
  }

  /** View unit at which the bare value of a bare view unit begins. */
  bareStart(viewUnit: number): number {
    return this.#partAt(viewUnit);
  }

  /** One past the last view unit so far of the bare value that begins at `start`. Cost: linear in the value. */
  bareEnd(start: number): number {
    let end = start + 1;
    while (end < this.length && this.#partAt(end) === start) end += 1;
    return end;
  }

  /** The view unit itself, or the one before it at which the bare value begins that it may still be part of. */
  outsideBare(viewUnit: number): number {
    if (viewUnit === this.length) return this.#bareStart ?? viewUnit;
    const part = this.#partAt(viewUnit);
    return part >= 0 ? part : viewUnit;
  }

  #partAt(viewUnit: number): number {
    const part = this.#parts[viewUnit - this.#base];
    if (part === undefined) throw new RangeError('view unit is forgotten or not yet read');
    return part;
  }

  /** View units before `upTo` will not be asked for again; they may be kept for a while. Amortised constant. */
  forget(upTo: number): void {
    const kept = this.#starts.length;
    const count = Math.min(upTo - this.#base, kept);
    const worthwhile = count >= FORGET_UNITS_MIN && count * 2 >= kept;
    if (count <= 0 || (count < kept && !worthwhile)) return;
    this.#starts = this.#starts.slice(count);
    this.#parts = this.#parts.slice(count);
    this.#base += count;
  }

  /** What `#pending` has become clear as, if anything. */
  #resolve(): string {
    const pending = this.#pending;
    const first = pending.charCodeAt(0);
    if (first !== BACKSLASH) return this.#complete(pending, first === QUOTE);
    if (pending.length === 1) return '';
    if (pending.charCodeAt(1) !== LETTER_U) {
      const meant = SHORT_ESCAPES[pending[1]!];
      return meant === undefined ? this.#literally() : this.#complete(meant, false);
    }
    if (pending.length === 2) return '';
    if (!isHexUnit(pending.charCodeAt(pending.length - 1))) return this.#literally();
    if (pending.length < 6) return '';
    return this.#complete(String.fromCharCode(Number.parseInt(pending.slice(2), 16)), false);
  }

  #complete(unit: string, delimiter: boolean): string {
    const units = this.#pending.length;
    this.#pending = '';
    return this.#emit(unit, units, delimiter);
  }

  /** No escape after all: its units stand for themselves; the last one may begin another. */
  #literally(): string {
    const pending = this.#pending;
    let seen = '';
    for (const unit of pending.slice(0, -1).split('')) seen += this.#emit(unit, 1, false);
    this.#pending = pending.slice(-1);
    return seen + this.#resolve();
  }

  #emit(unit: string, sourceUnits: number, delimiter: boolean): string {
    if (delimiter || this.#insideString || STRUCTURAL.has(unit)) this.#bareStart = undefined;
    else this.#bareStart ??= this.length;
    const outside = this.#bareStart ?? STRUCTURE;
    this.#parts.push(this.#insideString && !delimiter ? IN_STRING : outside);
    this.#starts.push(this.#read);
    if (delimiter) this.#insideString = !this.#insideString;
    this.#read += sourceUnits;
    return unit;
  }
}

/** Forgetting fewer than this at a time would cost more than it frees. */
const FORGET_UNITS_MIN = 256;

function isHexUnit(unit: number): boolean {
  const letter = unit | 0x20;
  return (unit >= 0x30 && unit <= 0x39) || (letter >= 0x61 && letter <= 0x66);
}
