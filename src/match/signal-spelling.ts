/**
 * Signals in words that are spelled: letters that stand alone, each parted from the next by the same sign
 * (`i-g-n-o-r-e a-l-l`, `i g n o r e   a l l`). They are read without what parts them, as a text of their own.
 */
import { isLetterUnit } from './signal-lexicon.ts';
import { type Sighting, SignalReader } from './signal-reader.ts';
import type { SignalTable } from './signals.ts';

/** So many letters alone are no enumeration, and no initials. */
export const SPELLED_LETTERS_MIN = 8;
/** Units between two letters of two words, at most. */
const GAP_UNITS_MAX = 4;

const NONE = -1;
const SPACE = 0x20;
/** Between two runs, which are not one text. */
const FULL_STOP = 0x2e;

export class SpelledSignals {
  private readonly table: SignalTable;
  private readonly see: (sighting: Sighting) => void;
  private reader: SignalReader | undefined;
  /** A letter of which the next unit tells whether it stands alone. */
  private letter = NONE;
  private letterAt = 0;
  /** Since the last letter. */
  private gapUnits = 0;
  private gapUnit = NONE;
  /** What parts the letters of a word in this run. */
  private sign = NONE;
  private letters = 0;
  /** The first of a run, with a space where a word ends, until there are enough of them. */
  private first: { readonly unit: number; readonly at: number }[] = [];
  /** Where the run was long enough to be read: what stands before it may have left. */
  private from = 0;

  constructor(table: SignalTable, see: (sighting: Sighting) => void) {
    this.table = table;
    this.see = see;
  }

  step(unit: number, at: number): void {
    if (isLetterUnit(unit)) {
      if (this.letter !== NONE) this.endRun(at);
      else if (this.letters > 0 || this.gapUnits > 0 || at === 0) this.begin(unit, at);
      // The second letter of a word, and all that follow.
      else this.gapUnits = 0;
      return;
    }
    if (this.letter !== NONE) this.take();
    this.gapUnit = this.gapUnits === 0 || this.gapUnit === unit ? unit : NONE;
    this.gapUnits++;
    if (this.gapUnits > GAP_UNITS_MAX && this.letters > 0) this.close(at);
  }

  /** The text ends before `at`. */
  end(at: number): void {
    if (this.letter !== NONE) this.take();
    this.reader?.end(at);
  }

  /** As that of a reader. */
  liveStart(next: number): number {
    return Math.max(this.reader?.liveStart(next) ?? Number.POSITIVE_INFINITY, this.from);
  }

  private begin(unit: number, at: number): void {
    if (this.letters > 0) this.gap(at);
    this.letter = unit;
    this.letterAt = at;
    this.gapUnits = 0;
  }

  /** What stands between two letters: the sign that parts all of them, or the end of a word. */
  private gap(at: number): void {
    if (this.gapUnits === 1 && (this.sign === NONE || this.sign === this.gapUnit)) {
      this.sign = this.gapUnit;
      return;
    }
    this.put(SPACE, at - 1);
  }

  /** The letter stands alone. */
  private take(): void {
    this.letters++;
    this.put(this.letter, this.letterAt);
    this.letter = NONE;
    this.gapUnits = 0;
  }

  private put(unit: number, at: number): void {
    if (this.letters < SPELLED_LETTERS_MIN) {
      this.first.push({ unit, at });
      return;
    }
    this.reader ??= new SignalReader(this.table, (sighting) => {
      const start = Math.max(sighting.start, this.from);
      this.see({ ...sighting, start, end: Math.max(sighting.end, start + 1) });
    });
    if (this.first.length > 0) {
      this.from = at;
      for (const one of this.first) this.reader.step(one.unit, one.at);
      this.first = [];
    }
    this.reader.step(unit, at);
  }

  /** A word of more than one letter. */
  private endRun(at: number): void {
    this.letter = NONE;
    this.close(at);
    this.gapUnits = 0;
  }

  private close(at: number): void {
    if (this.letters >= SPELLED_LETTERS_MIN)
      for (let count = 0; count < 3; count++) this.reader?.step(FULL_STOP, at);
    this.letters = 0;
    this.first = [];
    this.sign = NONE;
  }
}
