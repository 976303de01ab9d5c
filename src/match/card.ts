/**
 * Payment card numbers: 13 to 19 decimal digits of any script, of a length that the issuer of their first
 * digits uses (`card-issuers.ts`), single separators or units that are not seen allowed between digits, no digit
 * directly before or after, and a right check digit (Luhn, ISO/IEC 7812-1 annex B). So a number starts and ends with a group of digits: for
 * every group, ends are tried from the farthest to the nearest, then the next group is the start.
 *
 * A number that starts some digits ago is told by that count: one bit for each of the last 19 digits says
 * whether a number may have started there, and sums over all digits so far say whether its check is right.
 */
import { bitOf, LEAD_DIGITS, lengthsOf } from './card-issuers.ts';
import { digitOf, isUnseenFormat } from './characters.ts';
import type { Consumption, MatchSink, Tracker } from './detector.ts';

export const CARD_LABEL = 'CREDIT_CARD';
export const CARD_DIGITS_MIN = 13;
export const CARD_DIGITS_MAX = 19;
/** The digits with a separator between any two. */
export const CARD_UNITS_MAX = 2 * CARD_DIGITS_MAX - 1;

/** Space, no-break, figure and narrow no-break space; hyphens; figure and en dash. */
const SEPARATORS = [0x20, 0xa0, 0x2007, 0x202f, 0x2d, 0x2010, 0x2011, 0x2012, 0x2013, 0x2212];

const SEPARATOR = 10;
const NEITHER = 11;

/** The value of a digit, or `SEPARATOR`, or `NEITHER`. */
const kinds = new Uint8Array(0x10000);
for (let unit = 0; unit < kinds.length; unit++) {
  const digit = digitOf(unit);
  if (digit >= 0) kinds[unit] = digit;
  else kinds[unit] = isUnseenFormat(unit) ? SEPARATOR : NEITHER;
}
for (const unit of SEPARATORS) kinds[unit] = SEPARATOR;

const doubled = (digit: number): number => (digit < 5 ? 2 * digit : 2 * digit - 9);

/** Places for what is known of a digit, by its number modulo this. More than a number has digits. */
const PLACES = 32;
const LAST_PLACE = PLACES - 1;

/** Starts so many digits ago that a number may have ended: up to one more than any number has. */
const LONG_ENOUGH = bitOf(CARD_DIGITS_MAX + 2) - bitOf(CARD_DIGITS_MIN);

/** A start of `lengths` can become a longer number than one of `digits`: some last digit makes its check right. */
const canGrow = (lengths: number, digits: number): boolean => lengths >= bitOf(digits + 1);

const lowestBit = (bits: number): number => 31 - Math.clz32(bits & -bits);

export class CardTracker implements Tracker {
  liveStart = Number.POSITIVE_INFINITY;
  private previous: number = NEITHER;
  /** Digits since the chain of digits and separators began. */
  private digits = 0;
  /** Bit n: a number may have started n digits ago. */
  private starts = 0;
  /** Those of `starts` that may still end, or end farther on. The oldest start is always one of them. */
  private alive = 0;
  /** By the place of a start's first digit: its position, the lengths it can have, its longest end or 0. */
  private readonly positions: number[] = [];
  private readonly lengths: number[] = [];
  private readonly ends: number[] = [];
  /** By digit: the sum of all before it, with every second one doubled, the even ones or the odd ones. */
  private readonly evenSums: number[] = [];
  private readonly oddSums: number[] = [];
  private evenSum = 0;
  private oddSum = 0;
  /** The last digits as one number, one to `LEAD_DIGITS - 1` of them. */
  private lastOne = 0;
  private lastTwo = 0;
  private lastThree = 0;

  step(unit: number, at: number, sink: MatchSink): void {
    this.take(kinds[unit] as number, at, sink);
  }

  read(
    units: Uint16Array,
    from: number,
    to: number,
    at: number,
    sink: MatchSink,
    told: Consumption,
  ): void {
    for (let index = from; index < to; index++) {
      let kind = kinds[units[index] as number] as number;
      if (this.starts === 0) {
        // Outside of a chain to the next digit; inside of a group that no number begins to its end.
        if (this.previous === NEITHER)
          while (kind >= SEPARATOR && ++index < to) kind = kinds[units[index] as number] as number;
        else if (this.previous < SEPARATOR)
          while (kind < SEPARATOR && ++index < to) kind = kinds[units[index] as number] as number;
        if (index === to) return;
      }
      const position = at + index - from;
      // Only behind a start can something be decided.
      if (this.starts !== 0) told.consume(position + 1);
      this.take(kind, position, sink);
    }
  }

  end(at: number, sink: MatchSink): void {
    if (this.previous < SEPARATOR) this.closeGroup(at);
    this.breakChain(sink);
  }

  private take(kind: number, at: number, sink: MatchSink): void {
    const { previous } = this;
    if (kind < SEPARATOR) {
      this.takeDigit(kind, at, sink);
    } else if (previous === NEITHER) {
      return;
    } else {
      if (previous < SEPARATOR) this.closeGroup(at);
      if (previous === SEPARATOR || kind === NEITHER) {
        this.breakChain(sink);
        this.previous = NEITHER;
        return;
      }
      this.decide(sink);
    }
    this.previous = kind;
  }

  private takeDigit(digit: number, at: number, sink: MatchSink): void {
    const place = this.digits & LAST_PLACE;
    this.evenSums[place] = this.evenSum;
    this.oddSums[place] = this.oddSum;
    if (this.digits % 2 === 0) {
      this.evenSum += doubled(digit);
      this.oddSum += digit;
    } else {
      this.evenSum += digit;
      this.oddSum += doubled(digit);
    }
    this.digits++;
    if (this.previous >= SEPARATOR) {
      this.starts |= 1;
      this.alive |= 1;
      this.positions[place] = at;
      this.ends[place] = 0;
      if (this.liveStart > at) this.liveStart = at;
    }
    this.starts <<= 1;
    this.alive <<= 1;
    const lastFour = this.lastThree * 10 + digit;
    this.lastThree = this.lastTwo * 10 + digit;
    this.lastTwo = this.lastOne * 10 + digit;
    this.lastOne = digit;
    if (this.alive === 0) return;
    const { alive } = this;
    if ((alive & 2) !== 0) this.lead(1, digit);
    if ((alive & 4) !== 0) this.lead(2, this.lastTwo);
    if ((alive & 8) !== 0) this.lead(3, this.lastThree);
    if ((alive & 16) !== 0) this.lead(LEAD_DIGITS, lastFour);
    for (let bits = alive & LONG_ENOUGH; bits !== 0; bits &= bits - 1) {
      const ago = lowestBit(bits);
      const lengths = this.lengths[(this.digits - ago) & LAST_PLACE] as number;
      if (!canGrow(lengths, ago) && !this.counts(lengths, ago)) this.alive &= ~bitOf(ago);
    }
    if (this.alive !== alive) this.decide(sink);
  }

  /** What the first digits of a start say of its lengths. */
  private lead(digits: number, lead: number): void {
    const lengths = lengthsOf(lead, digits);
    this.lengths[(this.digits - digits) & LAST_PLACE] = lengths;
    if (!canGrow(lengths, digits)) this.alive &= ~bitOf(digits);
  }

  /** The digits since a start that is `ago` digits back are a number. The last one is never doubled. */
  private counts(lengths: number, ago: number): boolean {
    if ((lengths & bitOf(ago)) === 0) return false;
    const place = (this.digits - ago) & LAST_PLACE;
    const sum =
      this.digits % 2 === 0
        ? this.evenSum - (this.evenSums[place] as number)
        : this.oddSum - (this.oddSums[place] as number);
    return sum % 10 === 0;
  }

  private closeGroup(at: number): void {
    for (let bits = this.alive & LONG_ENOUGH; bits !== 0; bits &= bits - 1) {
      const ago = lowestBit(bits);
      const place = (this.digits - ago) & LAST_PLACE;
      const lengths = this.lengths[place] as number;
      if (this.counts(lengths, ago)) this.ends[place] = at;
      if (!canGrow(lengths, ago)) this.alive &= ~bitOf(ago);
    }
  }

  /** No number goes on behind this. */
  private breakChain(sink: MatchSink): void {
    this.alive = 0;
    this.decide(sink);
    this.digits = 0;
    this.evenSum = 0;
    this.oddSum = 0;
  }

  /** Reports from the oldest start on, as far as nothing alive stands before. */
  private decide(sink: MatchSink): void {
    while (this.starts !== 0) {
      const ago = 31 - Math.clz32(this.starts);
      const place = (this.digits - ago) & LAST_PLACE;
      if ((this.alive & bitOf(ago)) !== 0) {
        this.liveStart = this.positions[place] as number;
        return;
      }
      this.drop(ago);
      const end = this.ends[place] as number;
      if (end > 0) {
        this.dropBefore(end);
        sink({ start: this.positions[place] as number, end, label: CARD_LABEL });
      }
    }
    this.liveStart = Number.POSITIVE_INFINITY;
  }

  private drop(ago: number): void {
    this.starts &= ~bitOf(ago);
    this.alive &= ~bitOf(ago);
  }

  /** Nothing starts inside of a number. */
  private dropBefore(end: number): void {
    while (this.starts !== 0) {
      const ago = 31 - Math.clz32(this.starts);
      if ((this.positions[(this.digits - ago) & LAST_PLACE] as number) >= end) return;
      this.drop(ago);
    }
  }
}
