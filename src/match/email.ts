/**
 * E-mail addresses, as the regular language
 *
 *   local  = first rest{0,63}       first: letter, digit or `_`; rest: also .!#$%&'*+/=?^`{|}~-
 *   domain = (label '.')+ last      label: letters, digits and `-`; at most 255 units in all
 *   last   = two or more ASCII letters, or two or more others, or `xn--` and what may follow it in a label
 *
 * of which the longest is taken from the leftmost start. Letters are those of any script in the basic
 * plane. A local part starts with a letter or digit so that the quotes and stars around an address stay.
 */
import { isAsciiDigit, isAsciiLetter, isForeignLetter } from './characters.ts';
import type { MatchSink, Tracker } from './detector.ts';

export const EMAIL_LABEL = 'EMAIL';
export const LOCAL_UNITS_MAX = 64;
export const DOMAIN_UNITS_MAX = 255;
export const EMAIL_UNITS_MAX = LOCAL_UNITS_MAX + 1 + DOMAIN_UNITS_MAX;

const AT = 0x40;
const DOT = 0x2e;
const HYPHEN = 0x2d;
const PUNYCODE = 'xn--';
const NONE = -1;

/** What the domain's current label still may be as the last one. */
type LastLabel = 'empty' | 'ascii' | 'foreign' | 'x' | 'xn' | 'xn-' | 'xn--' | 'encoded' | 'never';

/** Units that the shortest way to the next end takes, in a label that is not the first one. */
const UNITS_TO_END: Readonly<Record<LastLabel, number>> = {
  empty: 2,
  ascii: 1,
  foreign: 1,
  x: 1,
  xn: 1,
  'xn-': 2,
  'xn--': 1,
  encoded: 1,
  // A dot and two letters.
  never: 3,
};

const FIRST_LABEL_TO_END = 3;

interface Domain {
  /** Of the whole address. */
  readonly start: number;
  /** Of the domain. */
  readonly at: number;
  readonly local: string;
  text: string;
  dotted: boolean;
  label: LastLabel;
  labelUnits: number;
  /** The longest end that counts; 0 for none. */
  end: number;
}

const STARTS = 1;
const JOINS = 2;
const DOMAIN = 4;

/** What a unit may be: the first of a local part, another one of it, one of a domain. */
const roles = new Uint8Array(0x10000);
for (let unit = 0; unit < roles.length; unit++) {
  const letter = isAsciiLetter(unit) || isAsciiDigit(unit) || isForeignLetter(unit);
  if (letter) roles[unit] = STARTS | JOINS | DOMAIN;
}
for (const character of "_.!#$%&'*+/=?^`{|}~-") roles[character.charCodeAt(0)] = JOINS;
roles[0x5f] = STARTS | JOINS;
roles[DOT] = JOINS | DOMAIN;
roles[HYPHEN] = JOINS | DOMAIN;

const rolesOf = (unit: number): number => roles[unit] as number;

function nextLabel(label: LastLabel, unit: number): LastLabel {
  const ascii = isAsciiLetter(unit);
  const lower = ascii ? unit | 0x20 : unit;
  switch (label) {
    case 'xn--':
    case 'encoded':
      return 'encoded';
    case 'xn-':
      return unit === HYPHEN ? 'xn--' : 'never';
    case 'xn':
      if (unit === HYPHEN) return 'xn-';
      return ascii ? 'ascii' : 'never';
    case 'x':
      if (lower === PUNYCODE.charCodeAt(1)) return 'xn';
      return ascii ? 'ascii' : 'never';
    case 'empty':
      if (lower === PUNYCODE.charCodeAt(0)) return 'x';
      if (ascii) return 'ascii';
      return isForeignLetter(unit) ? 'foreign' : 'never';
    case 'ascii':
      return ascii ? 'ascii' : 'never';
    case 'foreign':
      return isForeignLetter(unit) ? 'foreign' : 'never';
    case 'never':
      return 'never';
  }
}

const endsAddress = (domain: Domain): boolean =>
  domain.dotted &&
  domain.labelUnits >= 2 &&
  (domain.label === 'ascii' ||
    domain.label === 'foreign' ||
    domain.label === 'xn' ||
    domain.label === 'encoded');

export class EmailTracker implements Tracker {
  liveStart = Number.POSITIVE_INFINITY;
  private readonly except: ReadonlySet<string>;
  /** The last units of the run of local units, by position modulo their number. */
  private readonly recent = new Uint16Array(LOCAL_UNITS_MAX);
  /** Where the run of local units begins, or NONE outside of one. */
  private run = NONE;
  /** The first unit of the run, no farther back than a local part reaches, that may start one; or NONE. */
  private starter = NONE;
  private domain: Domain | undefined;

  /** `except`: addresses in lower case. */
  constructor(except: ReadonlySet<string>) {
    this.except = except;
  }

  step(unit: number, at: number, sink: MatchSink): void {
    const role = rolesOf(unit);
    const inRun = (role & JOINS) !== 0;
    if (!inRun && this.run === NONE && this.domain === undefined) return;
    if (inRun) this.extendRun(unit, (role & STARTS) !== 0, at);
    if (this.domain !== undefined) this.advance(this.domain, unit, inRun ? at : at - 1, sink);
    if (!inRun) {
      if (unit === AT && this.starter !== NONE) this.open(at);
      this.run = NONE;
      this.starter = NONE;
    }
    const waiting = this.starter === NONE ? Number.POSITIVE_INFINITY : this.starter;
    this.liveStart = this.domain?.start ?? waiting;
  }

  /** To where a local part of the next `@` may begin, or what is live behind the last unit. */
  leap(units: Uint16Array, from: number, to: number): number {
    if (to - from <= LOCAL_UNITS_MAX || this.domain !== undefined) return from;
    let next = from;
    while (next < to && units[next] !== AT) next++;
    if (next - from <= LOCAL_UNITS_MAX) return from;
    this.run = NONE;
    this.starter = NONE;
    return next - LOCAL_UNITS_MAX;
  }

  end(_at: number, sink: MatchSink): void {
    if (this.domain !== undefined) this.close(this.domain, NONE, sink);
    this.liveStart = Number.POSITIVE_INFINITY;
  }

  private extendRun(unit: number, starts: boolean, at: number): void {
    if (this.run === NONE) this.run = at;
    this.recent[at % LOCAL_UNITS_MAX] = unit;
    if (this.starter === NONE && starts) this.starter = at;
    if (this.starter !== NONE && this.starter <= at - LOCAL_UNITS_MAX)
      this.starter = this.starterFrom(at - LOCAL_UNITS_MAX + 1, at);
  }

  /** The first unit of the run in [from, last] that may start a local part. The units are in `recent`. */
  private starterFrom(from: number, last: number): number {
    for (let at = Math.max(from, this.run); at <= last; at++)
      if ((rolesOf(this.recent[at % LOCAL_UNITS_MAX] as number) & STARTS) !== 0) return at;
    return NONE;
  }

  private open(at: number): void {
    let local = '';
    if (this.except.size > 0)
      for (let place = this.starter; place < at; place++)
        local += String.fromCharCode(this.recent[place % LOCAL_UNITS_MAX] as number);
    this.domain = {
      start: this.starter,
      at: at + 1,
      local,
      text: '',
      dotted: false,
      label: 'empty',
      labelUnits: 0,
      end: 0,
    };
  }

  /** `last` is where the run of local units has come to. */
  private advance(domain: Domain, unit: number, last: number, sink: MatchSink): void {
    if ((rolesOf(unit) & DOMAIN) === 0 || (unit === DOT && domain.labelUnits === 0)) {
      this.close(domain, last, sink);
      return;
    }
    if (this.except.size > 0) domain.text += String.fromCharCode(unit);
    if (unit === DOT) {
      domain.dotted = true;
      domain.label = 'empty';
      domain.labelUnits = 0;
    } else {
      domain.label = nextLabel(domain.label, unit);
      domain.labelUnits++;
    }
    const next = last + 1;
    if (endsAddress(domain)) domain.end = next;
    const toEnd = domain.dotted ? UNITS_TO_END[domain.label] : FIRST_LABEL_TO_END;
    if (next - domain.at + toEnd > DOMAIN_UNITS_MAX) this.close(domain, last, sink);
  }

  /** The address cannot grow any more: reports it, and lets a local part start only behind it. */
  private close(domain: Domain, last: number, sink: MatchSink): void {
    this.domain = undefined;
    if (domain.end === 0) return;
    this.run = domain.end > last ? NONE : domain.end;
    this.starter =
      this.run === NONE
        ? NONE
        : this.starterFrom(Math.max(this.run, last - LOCAL_UNITS_MAX + 1), last);
    const host = domain.text.slice(0, domain.end - domain.at);
    if (!this.except.has(`${domain.local}@${host}`.toLowerCase()))
      sink({ start: domain.start, end: domain.end, label: EMAIL_LABEL });
  }
}
