/**
 * Payment card numbers: 13 to 19 decimal digits of any script, of a length that the issuer of their first
 * digits uses (`card-issuers.ts`), single separators allowed between digits, no digit directly before or after, and a
 * right check digit (Luhn, ISO/IEC 7812-1 annex B). So a number starts and ends with a group of digits: for
 * every group, ends are tried from the farthest to the nearest, then the next group is the start.
 */
import { bitOf, LEAD_DIGITS, lengthsOf } from './card-issuers.ts';
import { digitOf } from './characters.ts';
import type { MatchSink, Tracker } from './detector.ts';

export const CARD_LABEL = 'CREDIT_CARD';
export const CARD_DIGITS_MAX = 19;
/** The digits with a separator between any two. */
export const CARD_UNITS_MAX = 2 * CARD_DIGITS_MAX - 1;

/** Space, no-break, figure and narrow no-break space; hyphens; figure and en dash. */
const SEPARATORS = new Set([
  0x20, 0xa0, 0x2007, 0x202f, 0x2d, 0x2010, 0x2011, 0x2012, 0x2013, 0x2212,
]);

/** All numbers that begin with one group of digits. */
interface Thread {
  readonly start: number;
  digits: number;
  /** Value of the first `LEAD_DIGITS` digits, or of those that there are. */
  lead: number;
  /** Lengths it can have, as bits. */
  lengths: number;
  /** Check sums with every second digit doubled, from the first digit or from the second. */
  sumFirst: number;
  sumSecond: number;
  /** The longest end that counts; 0 for none. */
  end: number;
  dead: boolean;
}

const doubled = (digit: number): number => (digit < 5 ? 2 * digit : 2 * digit - 9);

/** The last digit is never doubled, so an even count doubles the first. */
const checks = (thread: Thread): boolean =>
  (thread.digits % 2 === 0 ? thread.sumFirst : thread.sumSecond) % 10 === 0;

/** Its digits so far are a number. */
const counts = (thread: Thread): boolean =>
  (thread.lengths & bitOf(thread.digits)) !== 0 && checks(thread);

/** A longer number can come of it: with a digit to spare, some last digit makes the check right. */
const canGrow = (thread: Thread): boolean => thread.lengths >= bitOf(thread.digits + 1);

const NOTHING = 0;
const DIGIT = 1;
const SEPARATOR = 2;
type Kind = typeof NOTHING | typeof DIGIT | typeof SEPARATOR;

export class CardTracker implements Tracker {
  liveStart = Number.POSITIVE_INFINITY;
  private threads: Thread[] = [];
  private from = 0;
  /** A thread has died, so that something may be decided. */
  private died = false;
  private previous: Kind = NOTHING;

  step(unit: number, at: number, sink: MatchSink): void {
    const digit = digitOf(unit);
    if (digit >= 0) {
      this.takeDigit(digit, at);
      this.previous = DIGIT;
    } else if (this.previous === NOTHING) {
      return;
    } else {
      if (this.previous === DIGIT) this.closeGroup(at);
      const joins = this.previous === DIGIT && SEPARATORS.has(unit);
      if (!joins) this.killAll();
      this.previous = joins ? SEPARATOR : NOTHING;
    }
    if (this.died) this.decide(sink);
  }

  /** To the next digit, when no separator stands open. */
  skip(units: Uint16Array, from: number, to: number): number {
    if (this.previous !== NOTHING) return from;
    let index = from;
    while (index < to && digitOf(units[index] as number) < 0) index++;
    return index;
  }

  end(at: number, sink: MatchSink): void {
    if (this.previous === DIGIT) this.closeGroup(at);
    this.killAll();
    this.decide(sink);
  }

  private killAll(): void {
    for (const thread of this.threads) thread.dead = true;
    this.died = true;
  }

  private takeDigit(digit: number, at: number): void {
    if (this.previous !== DIGIT) {
      this.threads.push({
        start: at,
        digits: 0,
        lead: 0,
        lengths: 0,
        sumFirst: 0,
        sumSecond: 0,
        end: 0,
        dead: false,
      });
      if (this.liveStart > at) this.liveStart = at;
    }
    for (const thread of this.threads) {
      if (thread.dead) continue;
      const even = thread.digits % 2 === 0;
      thread.sumFirst += even ? doubled(digit) : digit;
      thread.sumSecond += even ? digit : doubled(digit);
      thread.digits++;
      if (thread.digits <= LEAD_DIGITS) {
        thread.lead = thread.lead * 10 + digit;
        thread.lengths = lengthsOf(thread.lead, thread.digits);
      }
      if (!canGrow(thread) && !counts(thread)) thread.dead = this.died = true;
    }
  }

  private closeGroup(at: number): void {
    for (const thread of this.threads) {
      if (thread.dead) continue;
      if (counts(thread)) thread.end = at;
      if (!canGrow(thread)) thread.dead = this.died = true;
    }
  }

  private decide(sink: MatchSink): void {
    this.died = false;
    let kept = 0;
    for (const thread of this.threads) {
      if (thread.start < this.from) continue;
      if (!thread.dead || (kept > 0 && thread.end > 0)) {
        this.threads[kept++] = thread;
      } else if (thread.end > 0) {
        this.from = thread.end;
        sink({ start: thread.start, end: thread.end, label: CARD_LABEL });
      }
    }
    // V8 takes its slow way to set a length, also to what it is.
    if (kept < this.threads.length) this.threads.length = kept;
    this.liveStart = this.threads[0]?.start ?? Number.POSITIVE_INFINITY;
  }
}
