/**
 * Signals in what is written to be read by machines alone: in tag characters, which are not drawn, and in long runs
 * of base64 or hexadecimal. What they decode to is read like a text of its own, at the places of what it is decoded from.
 */
import { type Sighting, SignalReader } from './signal-reader.ts';
import type { SignalTable } from './signals.ts';

export type Disguise = 'hidden' | 'encoded' | 'spelled';

/** A run of base64 or hexadecimal is read from this length on: words are shorter. */
export const RUN_UNITS_MIN = 24;

/** High unit of the tag characters; the low ones of ASCII follow. */
const TAGS = 0xdb40;
const FIRST_TAG = 0xdc20;
const LAST_TAG = 0xdc7e;
const TAG_BASE = 0xdc00;

const NONE = 255;
/** By unit of ASCII: six bits; both alphabets of RFC 4648. */
const sextets = new Uint8Array(0x80).fill(NONE);
const nibbles = new Uint8Array(0x80).fill(NONE);
[...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'].forEach((one, value) => {
  sextets[one.charCodeAt(0)] = value;
});
sextets['-'.charCodeAt(0)] = 62;
sextets['_'.charCodeAt(0)] = 63;
for (const digits of ['0123456789abcdef', '0123456789ABCDEF'])
  [...digits].forEach((one, value) => {
    nibbles[one.charCodeAt(0)] = value;
  });

const ZERO = 0x30;
const SMALL_X = 0x78;
const LARGE_X = 0x58;

/** Between two runs, which are not one text. */
const FULL_STOP = 0x2e;

export class DisguisedSignals {
  private readonly table: SignalTable;
  private readonly see: (sighting: Sighting, disguise: Disguise) => void;
  private hidden: SignalReader | undefined;
  private encoded: SignalReader | undefined;
  private afterTags = false;
  /** Units of the run so far, and the first of them. */
  private length = 0;
  private readonly first = new Uint8Array(RUN_UNITS_MIN);
  /** Where the run was long enough to be read: what stands before it may have left. */
  private from = 0;
  private isHex = true;
  private bits = 0;
  private bitCount = 0;

  constructor(table: SignalTable, see: (sighting: Sighting, disguise: Disguise) => void) {
    this.table = table;
    this.see = see;
  }

  step(unit: number, at: number): void {
    if (unit < 0x80 && sextets[unit] !== NONE) {
      this.goOn(unit, at);
      return;
    }
    if (this.length > 0) this.endRun(at);
    if (this.afterTags && unit >= FIRST_TAG && unit <= LAST_TAG) {
      this.hidden ??= this.reader('hidden');
      this.hidden.step(unit - TAG_BASE, at);
    }
    this.afterTags = unit === TAGS;
  }

  /** The text ends before `at`. */
  end(at: number): void {
    this.hidden?.end(at);
    this.encoded?.end(at);
  }

  /** As that of a reader. */
  liveStart(next: number): number {
    const hidden = this.hidden?.liveStart(next) ?? Number.POSITIVE_INFINITY;
    const encoded = this.encoded?.liveStart(next) ?? Number.POSITIVE_INFINITY;
    return Math.min(hidden, Math.max(encoded, this.from));
  }

  private reader(disguise: Disguise): SignalReader {
    return new SignalReader(this.table, (sighting) => {
      const from = disguise === 'encoded' ? this.from : 0;
      const start = Math.max(sighting.start, from);
      this.see({ ...sighting, start, end: Math.max(sighting.end, start + 1) }, disguise);
    });
  }

  private goOn(unit: number, at: number): void {
    // What follows `0x` is hexadecimal.
    if (this.length === 1 && this.first[0] === ZERO && (unit === SMALL_X || unit === LARGE_X)) {
      this.length = 0;
      return;
    }
    this.length++;
    if (nibbles[unit] === NONE) this.isHex = false;
    if (this.length > RUN_UNITS_MIN) {
      this.decode(unit, at);
      return;
    }
    this.first[this.length - 1] = unit;
    if (this.length === RUN_UNITS_MIN) this.readFirst(at);
  }

  private readFirst(at: number): void {
    this.from = at;
    this.first.forEach((unit, index) => {
      this.decode(unit, at - RUN_UNITS_MIN + 1 + index);
    });
  }

  private decode(unit: number, at: number): void {
    this.encoded ??= this.reader('encoded');
    const width = this.isHex ? 4 : 6;
    const value = this.isHex ? nibbles[unit] : sextets[unit];
    this.bits = ((this.bits << width) | (value as number)) & 0xffff;
    this.bitCount += width;
    if (this.bitCount < 8) return;
    this.bitCount -= 8;
    this.encoded.step((this.bits >> this.bitCount) & 0xff, at);
  }

  private endRun(at: number): void {
    if (this.length >= RUN_UNITS_MIN) {
      for (let count = 0; count < 3; count++) this.encoded?.step(FULL_STOP, at);
    }
    this.length = 0;
    this.isHex = true;
    this.bits = 0;
    this.bitCount = 0;
  }
}
