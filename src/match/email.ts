/**
 * E-mail addresses, as the regular language
 *
 *   local  = first rest{0,63}       first: letter, digit or `_`; rest: also .!#$%&'*+/=?^`{|}~-
 *   domain = (label '.')+ last      label: letters, digits and `-`; at most 255 units in all
 *   last   = two or more ASCII letters, or two or more others, or `xn--` and what may follow it in a label
 *
 * of which the longest is taken from the leftmost start. Units that are not seen may stand anywhere behind the
 * first one and count for nothing but length; the at sign and the dot may be full width. Letters are those of any script in the basic
 * plane. A local part starts with a letter or digit so that the quotes and stars around an address stay.
 */
import { isAsciiDigit, isAsciiLetter, isForeignLetter, isUnseenFormat } from './characters.ts';
import type { Consumption, MatchSink, Tracker } from './detector.ts';
import { endsAddress, LABEL_BEGINS, labelAfter, unitsToEndOf } from './email-label.ts';
import { textOf } from './text-units.ts';

export const EMAIL_LABEL = 'EMAIL';
export const LOCAL_UNITS_MAX = 64;
export const DOMAIN_UNITS_MAX = 255;
export const EMAIL_UNITS_MAX = LOCAL_UNITS_MAX + 1 + DOMAIN_UNITS_MAX;

const AT = 0x40;
const WIDE_AT = 0xff20;
const DOT = 0x2e;
const WIDE_DOT = 0xff0e;
const HYPHEN = 0x2d;
const NONE = -1;
/** Half as many as a local part may have units, so that two words of bits remember one. */
const WORD_BITS = LOCAL_UNITS_MAX / 2;

const FIRST_LABEL_TO_END = 3;

const isAt = (unit: number): boolean => unit === AT || unit === WIDE_AT;
const isDot = (unit: number): boolean => unit === DOT || unit === WIDE_DOT;

const STARTS = 1;
const JOINS = 2;
const DOMAIN = 4;
const UNSEEN = 8;

/** What a unit may be: the first of a local part, another one of it, one of a domain. */
const roles = new Uint8Array(0x10000);
for (let unit = 0; unit < roles.length; unit++) {
  const letter = isAsciiLetter(unit) || isAsciiDigit(unit) || isForeignLetter(unit);
  if (isUnseenFormat(unit)) roles[unit] = JOINS | DOMAIN | UNSEEN;
  else if (letter) roles[unit] = STARTS | JOINS | DOMAIN;
}
for (const character of "_.!#$%&'*+/=?^`{|}~-") roles[character.charCodeAt(0)] = JOINS;
roles[0x5f] = STARTS | JOINS;
roles[DOT] = JOINS | DOMAIN;
roles[WIDE_DOT] = JOINS | DOMAIN;
roles[HYPHEN] = JOINS | DOMAIN;

/** What the tracker whose turn it is reads, and the position of its first unit. */
let piece: Uint16Array = new Uint16Array(0);
let pieceAt = 0;
const single = new Uint16Array(1);

export class EmailTracker implements Tracker {
  liveStart = Number.POSITIVE_INFINITY;
  private readonly except: ReadonlySet<string>;
  /** Which of the last units of the run may start a local part: bits, by position modulo their number. */
  private startsLow = 0;
  private startsHigh = 0;
  /** Of the run, what stood before the units that are read, as far back as counts, where some addresses are excepted. */
  private before = '';
  private beforeAt = 0;
  /** Where the run of local units begins, or NONE outside of one. */
  private run = NONE;
  /** The first unit of the run, no farther back than a local part reaches, that may start one; or NONE. */
  private starter = NONE;

  // The domain behind the last `@`, if one stands open there.
  /** Where the whole address starts, or NONE. */
  private start = NONE;
  private domainAt = 0;
  private dotted = false;
  private label = LABEL_BEGINS;
  private labelUnits = 0;
  /** The longest end that counts; 0 for none. */
  private longestEnd = 0;
  /** The address so far, where some are excepted. */
  private address: Uint16Array | undefined;

  /** `except`: addresses in lower case. */
  constructor(except: ReadonlySet<string>) {
    this.except = except;
  }

  step(unit: number, at: number, sink: MatchSink): void {
    single[0] = unit;
    piece = single;
    pieceAt = at;
    this.take(unit, at, sink);
    this.keepRun(at, at + 1);
    this.tellLiveStart();
  }

  read(
    units: Uint16Array,
    from: number,
    to: number,
    at: number,
    sink: MatchSink,
    told: Consumption,
  ): void {
    piece = units;
    pieceAt = at - from;
    let index = from;
    while (index < to) {
      if (this.start !== NONE) {
        told.consume(at + index - from + 1);
        this.take(units[index] as number, at + index - from, sink);
        index++;
        continue;
      }
      index = this.leap(units, index, to);
      const stop = Math.min(to, index + LOCAL_UNITS_MAX);
      for (; index < stop && this.start === NONE; index++)
        this.take(units[index] as number, at + index - from, sink);
    }
    this.keepRun(at, at + to - from);
    this.tellLiveStart();
  }

  end(_at: number, sink: MatchSink): void {
    if (this.start !== NONE) this.close(NONE, sink);
    this.liveStart = Number.POSITIVE_INFINITY;
  }

  /** To where a local part of the next `@` may begin, or what is live behind the last unit. */
  private leap(units: Uint16Array, from: number, to: number): number {
    if (to - from <= LOCAL_UNITS_MAX) return from;
    let next = from;
    while (next < to && !isAt(units[next] as number)) next++;
    if (next - from <= LOCAL_UNITS_MAX) return from;
    this.run = NONE;
    this.starter = NONE;
    return next - LOCAL_UNITS_MAX;
  }

  /** The units from position `from` to `to` were read, and what reads next may ask for those of the run. */
  private keepRun(from: number, to: number): void {
    if (this.except.size === 0) return;
    const first = this.run === NONE ? to : Math.max(this.run, to - LOCAL_UNITS_MAX);
    const head = first < from ? this.before.slice(first - this.beforeAt) : '';
    this.before = head + textOf(piece, Math.max(first, from) - pieceAt, to - pieceAt);
    this.beforeAt = first;
  }

  private tellLiveStart(): void {
    if (this.start !== NONE) this.liveStart = this.start;
    else this.liveStart = this.starter === NONE ? Number.POSITIVE_INFINITY : this.starter;
  }

  private take(unit: number, at: number, sink: MatchSink): void {
    const role = roles[unit] as number;
    const inRun = (role & JOINS) !== 0;
    if (inRun) this.extendRun((role & STARTS) !== 0, at);
    if (this.start !== NONE) this.advance(unit, role, inRun ? at : at - 1, sink);
    if (inRun) return;
    if (this.starter !== NONE && isAt(unit)) this.open(at);
    this.run = NONE;
    this.starter = NONE;
  }

  private extendRun(starts: boolean, at: number): void {
    if (this.run === NONE) this.run = at;
    this.note(starts, at);
    if (this.starter === NONE) {
      if (starts) this.starter = at;
    } else if (this.starter <= at - LOCAL_UNITS_MAX) {
      this.starter = this.starterFrom(at - LOCAL_UNITS_MAX + 1, at);
    }
  }

  private note(starts: boolean, at: number): void {
    const bit = 1 << (at % WORD_BITS);
    if ((at & WORD_BITS) === 0)
      this.startsLow = starts ? this.startsLow | bit : this.startsLow & ~bit;
    else this.startsHigh = starts ? this.startsHigh | bit : this.startsHigh & ~bit;
  }

  /** The first unit of the run in [from, last], no more than are remembered, that may start a local part. */
  private starterFrom(from: number, last: number): number {
    for (let at = Math.max(from, this.run); at <= last; at++) {
      const bits = (at & WORD_BITS) === 0 ? this.startsLow : this.startsHigh;
      if ((bits & (1 << (at % WORD_BITS))) !== 0) return at;
    }
    return NONE;
  }

  private open(at: number): void {
    this.start = this.starter;
    this.domainAt = at + 1;
    this.dotted = false;
    this.label = LABEL_BEGINS;
    this.labelUnits = 0;
    this.longestEnd = 0;
    if (this.except.size === 0) return;
    this.address ??= new Uint16Array(EMAIL_UNITS_MAX + 1);
    const { before, beforeAt } = this;
    for (let place = this.start; place < at; place++)
      this.address[place - this.start] =
        place < beforeAt + before.length
          ? before.charCodeAt(place - beforeAt)
          : (piece[place - pieceAt] as number);
    this.address[at - this.start] = AT;
  }

  /** `last` is where the run of local units has come to. */
  private advance(unit: number, role: number, last: number, sink: MatchSink): void {
    if ((role & DOMAIN) === 0 || (isDot(unit) && this.labelUnits === 0)) {
      this.close(last, sink);
      return;
    }
    if (this.address !== undefined) this.address[last - this.start] = unit;
    const next = last + 1;
    if ((role & UNSEEN) === 0) {
      if (isDot(unit)) {
        this.dotted = true;
        this.label = LABEL_BEGINS;
        this.labelUnits = 0;
      } else {
        this.label = labelAfter(this.label, unit);
        this.labelUnits++;
      }
      if (this.dotted && this.labelUnits >= 2 && endsAddress(this.label)) this.longestEnd = next;
    }
    const toEnd = this.dotted
      ? unitsToEndOf(this.label)
      : FIRST_LABEL_TO_END + (this.labelUnits === 0 ? 1 : 0);
    if (next - this.domainAt + toEnd > DOMAIN_UNITS_MAX) this.close(last, sink);
  }

  /** The address cannot grow any more: reports it, and lets a local part start only behind it. */
  private close(last: number, sink: MatchSink): void {
    const { start, longestEnd } = this;
    this.start = NONE;
    if (longestEnd === 0) return;
    this.run = longestEnd > last ? NONE : longestEnd;
    this.starter =
      this.run === NONE
        ? NONE
        : this.starterFrom(Math.max(this.run, last - LOCAL_UNITS_MAX + 1), last);
    if (!this.isExcepted(longestEnd - start)) sink({ start, end: longestEnd, label: EMAIL_LABEL });
  }

  /** The first `length` units of the address are one that may be shown. */
  private isExcepted(length: number): boolean {
    if (this.address === undefined) return false;
    const units = this.address.subarray(0, length);
    return this.except.has(String.fromCharCode(...units).toLowerCase());
  }
}
