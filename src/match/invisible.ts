/**
 * Characters that are not seen (Unicode's Default_Ignorable_Code_Point) where no writing system needs them.
 * A match is a run of them, of 64 units at most; a run is left alone where it is what an emoji, a script or a
 * font asks for, which the character before it and the one behind it say: `isNeeded` has the list.
 */
import { isHigh, isLow } from './characters.ts';
import type { Detector, MatchSink, Tracker } from './detector.ts';
import { matchesIn } from './whole-text.ts';

export const INVISIBLE_CLASSES = [
  'zero_width',
  'bidi',
  'tags',
  'variation_selectors',
  'other',
] as const;
export type InvisibleClass = (typeof INVISIBLE_CLASSES)[number];

export interface InvisibleOptions {
  /** Runs that hold a character of one of these; all of them without it. */
  readonly classes?: readonly InvisibleClass[];
}

export const INVISIBLE_LABEL = 'INVISIBLE';
/**
 * What is written for a run: seen, and no part of any word. Nothing at all could join what stands around it
 * into what a rule looks for, behind the back of that rule (SEMANTICS §1).
 */
export const INVISIBLE_MARK = '\ufffd';

/** Longest match. What follows is another one. */
export const RUN_UNITS_MAX = 64;
/** How far behind letters that are written from right to left a mark of direction is at home. */
export const RTL_UNITS = 64;

const IGNORABLE = /^\p{Default_Ignorable_Code_Point}$/u;
const RTL_LETTER =
  /^[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}]$/u;

const UNSEEN = 1;
const RTL = 2;
/** The high units of what is not seen outside the basic plane: shorthand controls, music, tags and selectors. */
const LEADS = [0xd82f, 0xd834, 0xdb40, 0xdb41, 0xdb42, 0xdb43];

const roles = new Uint8Array(0x10000);
for (let unit = 0; unit < roles.length; unit++) {
  if (isHigh(unit) || isLow(unit)) continue;
  const character = String.fromCharCode(unit);
  if (IGNORABLE.test(character)) roles[unit] = UNSEEN;
  else if (RTL_LETTER.test(character)) roles[unit] = RTL;
}
for (const unit of LEADS) roles[unit] = UNSEEN;

export function classOf(codePoint: number): InvisibleClass {
  const within = (first: number, last: number) => codePoint >= first && codePoint <= last;
  if (within(0xe0000, 0xe007f)) return 'tags';
  if (within(0xfe00, 0xfe0f) || within(0xe0100, 0xe01ef) || within(0x180b, 0x180d))
    return 'variation_selectors';
  if (codePoint === 0x180f) return 'variation_selectors';
  if (within(0x200e, 0x200f) || within(0x202a, 0x202e) || within(0x2066, 0x2069)) return 'bidi';
  if (codePoint === 0x61c) return 'bidi';
  if (within(0x200b, 0x200d) || within(0x2060, 0x2064)) return 'zero_width';
  return codePoint === 0xfeff || codePoint === 0x180e ? 'zero_width' : 'other';
}

const PICTURE = /^[\p{Extended_Pictographic}\p{Emoji_Modifier}\p{Regional_Indicator}]$/u;
/** Also digits, `#` and `*`, which become keys. */
const TAKES_STYLE = /^[\p{Emoji}\p{Extended_Pictographic}]$/u;
const IDEOGRAPH = /^\p{Unified_Ideograph}$/u;
/** Scripts and signs with standardized variants. */
const TAKES_VARIANT =
  /^[\p{Unified_Ideograph}\p{Script=Myanmar}\p{Script=Phags_Pa}\p{Script=Manichaean}\p{Sm}\p{Script=Hiragana}\p{Script=Katakana}\u3000-\u303f\uff00-\uffef]$/u;
const MONGOLIAN = /^\p{Script=Mongolian}$/u;
/** Scripts whose letters join, or whose clusters a joiner shapes. */
const TAKES_JOINER =
  /^[\p{Script=Arabic}\p{Script=Syriac}\p{Script=Nko}\p{Script=Mandaic}\p{Script=Mongolian}\p{Script=Phags_Pa}\p{Script=Devanagari}\p{Script=Bengali}\p{Script=Gurmukhi}\p{Script=Gujarati}\p{Script=Oriya}\p{Script=Tamil}\p{Script=Telugu}\p{Script=Kannada}\p{Script=Malayalam}\p{Script=Sinhala}\p{Script=Khmer}\p{Script=Myanmar}\p{Script=Tibetan}]$/u;
/** Scripts that are written without spaces, and may say where a line can break. */
const TAKES_BREAK =
  /^[\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}\p{Script=Tibetan}]$/u;
const LETTER = /^\p{L}$/u;
const MARK = /^\p{M}$/u;
const JAMO = /^[\u1100-\u11ff\ua960-\ua97f\ud7b0-\ud7ff]$/u;

const BLACK_FLAG = '\u{1f3f4}';
const FLAG_TAGS = /^[\u{e0030}-\u{e0039}\u{e0061}-\u{e007a}]{3,6}\u{e007f}$/u;

interface Surroundings {
  /** The characters before and behind the run; '' for none. */
  readonly before: string;
  readonly behind: string;
  /** Letters that are written from right to left stand not far before it. */
  readonly rtl: boolean;
}

/** Whether this run is what the text around it asks for. */
function isNeeded(run: string, { before, behind, rtl }: Surroundings): boolean {
  switch (run) {
    case '\ufe0e':
      return TAKES_STYLE.test(before);
    case '\ufe0f':
      return TAKES_STYLE.test(before);
    case '\u200d':
      if (PICTURE.test(before) && PICTURE.test(behind)) return true;
      return TAKES_JOINER.test(before);
    case '\ufe0f\u200d':
      return PICTURE.test(before) && PICTURE.test(behind);
    case '\u200c':
      return TAKES_JOINER.test(before);
    case '\u200b':
      return TAKES_BREAK.test(before) && TAKES_BREAK.test(behind);
    case '\u200e':
    case '\u200f':
    case '\u061c':
      return rtl || RTL_LETTER.test(behind);
    case '\u00ad':
      return LETTER.test(before) && LETTER.test(behind);
    case '\ufeff':
      // The mark of byte order, where it belongs.
      return before === '';
    case '\u034f':
      return MARK.test(before);
    case '\u115f':
    case '\u1160':
      return JAMO.test(before) || JAMO.test(behind);
    case '\u180b':
    case '\u180c':
    case '\u180d':
    case '\u180e':
    case '\u180f':
      return MONGOLIAN.test(before);
  }
  if (/^[\ufe00-\ufe0d]$/.test(run)) return TAKES_VARIANT.test(before);
  if (/^[\u{e0100}-\u{e01ef}]$/u.test(run)) return IDEOGRAPH.test(before);
  return before === BLACK_FLAG && FLAG_TAGS.test(run);
}

class InvisibleTracker implements Tracker {
  liveStart = Number.POSITIVE_INFINITY;
  private readonly classes: ReadonlySet<InvisibleClass>;
  /** The run so far, and where it begins. */
  private run = '';
  private start = 0;
  /** A high unit whose low one is to come: it may go on with the run, or begin one, or end it. */
  private half = '';
  /** The character before the run. */
  private before = '';
  /** Position of the last letter that is written from right to left. */
  private rtlAt = Number.NEGATIVE_INFINITY;

  constructor(classes: ReadonlySet<InvisibleClass>) {
    this.classes = classes;
  }

  step(unit: number, at: number, sink: MatchSink): void {
    const role = roles[unit] as number;
    const character = String.fromCharCode(unit);
    if (role !== UNSEEN && this.run === '' && this.half === '' && !isHigh(unit)) {
      this.before = character;
      if (role === RTL) this.rtlAt = at;
      return;
    }
    if (this.half !== '') {
      const high = this.half;
      this.half = '';
      if (isLow(unit)) {
        this.take(high + character, at - 1, sink);
        return;
      }
      this.take(high, at - 1, sink);
    }
    if (isHigh(unit)) {
      this.half = character;
      // Of other high units it is known that what they begin is seen.
      if (this.run === '' && role === UNSEEN) this.liveStart = at;
      return;
    }
    this.take(character, at, sink);
  }

  skip(units: Uint16Array, from: number, to: number): number {
    if (this.half !== '') return from;
    let index = from;
    while (index < to && roles[units[index] as number] === 0 && !isHigh(units[index] as number))
      index++;
    if (index > from) this.before = String.fromCharCode(units[index - 1] as number);
    return index;
  }

  end(at: number, sink: MatchSink): void {
    if (this.half !== '') this.take(this.half, at - 1, sink);
    this.half = '';
    this.close('', sink);
  }

  private take(character: string, at: number, sink: MatchSink): void {
    if (IGNORABLE.test(character)) {
      if (this.run.length + character.length > RUN_UNITS_MAX) this.close(character, sink);
      if (this.run === '') this.start = at;
      this.run += character;
      this.liveStart = this.start;
      return;
    }
    this.close(character, sink);
    this.before = character;
    if (RTL_LETTER.test(character)) this.rtlAt = at;
  }

  private close(behind: string, sink: MatchSink): void {
    const { run, start } = this;
    this.liveStart = Number.POSITIVE_INFINITY;
    if (run === '') return;
    this.run = '';
    const rtl = start - this.rtlAt <= RTL_UNITS;
    const needed = isNeeded(run, { before: this.before, behind, rtl });
    this.before = run;
    if (needed || ![...run].some((one) => this.classes.has(classOf(one.codePointAt(0) as number))))
      return;
    sink({ start, end: start + run.length, label: INVISIBLE_LABEL });
  }
}

/** A few operations for each run, and one look-up for each other unit. */
export function invisibleDetector({
  classes = INVISIBLE_CLASSES,
}: InvisibleOptions = {}): Detector {
  const wanted = new Set(classes);
  const start = (): readonly Tracker[] => [new InvisibleTracker(wanted)];
  return Object.freeze({
    kind: 'invisible' as const,
    labels: [INVISIBLE_LABEL],
    unitsMax: RUN_UNITS_MAX,
    bytes: 0,
    start,
    matches: (text: string) => matchesIn(start(), text).length > 0,
  });
}
