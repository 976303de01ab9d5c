/**
 * What a rule may match, said a second time and slowly: for every start the longest end, by looking at the
 * whole text. Nothing here is shared with `src/match`, and nothing here knows that texts arrive in parts;
 * `completions` only says which continuations are worth trying to see what is still open.
 */
import {
  bold,
  characterAt,
  characterBefore,
  digitOf,
  folded,
  insidePair,
  isAsciiWord,
  isHigh,
  isHyphen,
  isLow,
  isMark,
  isSpace,
  isUnseen,
  isWord,
} from './characters.ts';

export interface Language {
  /** What the placeholder of a match is called. */
  readonly label: string;
  /** The longest end of a match that begins at unit `start`, or 0. */
  longestEnd(text: string, start: number): number;
  /** Ways in which `text` may go on that tell apart what can still become of its units from `from` on. */
  completions(text: string, from: number): readonly string[];
  /** Whether a match counts; the ones that do not still take their place in the partition. */
  counts?(matched: string): boolean;
}

export interface KeywordSpec {
  readonly words: readonly string[];
  readonly aliases?: Readonly<Record<string, readonly string[]>>;
  readonly substring?: boolean;
  readonly caseSensitive?: boolean;
}

/** Most marks and unseen units inside of a match, and most spaces in a row. */
const SKIPPED_MAX = 64;
const SPACES_MAX = 8;

interface Walk {
  /** Where the keyword ends, or 0. */
  readonly end: number;
  /** Characters of the keyword that were still to come when the text ended. */
  readonly rest: readonly string[] | undefined;
}

const NO_WALK: Walk = { end: 0, rest: undefined };

/** Words as a keyword rule reads them. */
export function keywordLanguage(spec: KeywordSpec): Language {
  const { substring = false, caseSensitive = false } = spec;
  const fold = (character: string): readonly string[] =>
    isSpace(character) ? [' '] : folded(character, caseSensitive);
  const words = [...spec.words, ...Object.values(spec.aliases ?? {}).flat()].map((word) =>
    [...word].filter((one) => !isUnseen(one) && !isMark(one)).flatMap(fold),
  );

  const walk = (word: readonly string[], text: string, start: number): Walk => {
    const first = word[0]!;
    const last = word.at(-1)!;
    if (insidePair(text, start)) return NO_WALK;
    if (!substring && isWord(first) && isWord(characterBefore(text, start))) return NO_WALK;
    let at = start;
    let skipped = 0;
    let spaces = 0;
    let next = 0;
    while (next < word.length) {
      if (at >= text.length) return { end: 0, rest: word.slice(next) };
      const character = characterAt(text, at);
      const letters = fold(character);
      if (next > 0 && (isUnseen(character) || isMark(character))) {
        skipped += character.length;
        if (skipped > SKIPPED_MAX) return NO_WALK;
      } else if (next > 0 && word[next - 1] === ' ' && isSpace(character)) {
        spaces++;
        if (spaces > SPACES_MAX) return NO_WALK;
      } else if (letters.every((letter, place) => word[next + place] === letter)) {
        next += letters.length;
        spaces = 1;
      } else if (word[next] === ' ' && isHyphen(character)) {
        next++;
        spaces = 1;
      } else if (isHigh(character) && at + 1 === text.length) {
        return { end: 0, rest: word.slice(next) };
      } else return NO_WALK;
      at += character.length;
    }
    if (substring || !isWord(last)) return { end: at, rest: undefined };
    // A mark belongs to the letter before it.
    for (; at < text.length && isMark(text[at]!) && skipped < SKIPPED_MAX; at++) skipped++;
    const behind = characterAt(text, at);
    return isWord(behind) && !isMark(behind) ? NO_WALK : { end: at, rest: undefined };
  };

  return {
    label: 'KEYWORD',
    longestEnd: (text, start) => Math.max(0, ...words.map((word) => walk(word, text, start).end)),
    completions(text, from) {
      const ways = new Set(['', ' ', 'x', '\u0301', '\u0301x', '-x']);
      const half = isHigh(text.at(-1));
      if (half)
        for (const low of ['\udc00', '\ude00', '\udc41'])
          for (const behind of ['', 'x', ' ']) ways.add(low + behind);
      for (let start = from; start < text.length; start++)
        for (const word of words) {
          const { rest } = walk(word, text, start);
          if (rest === undefined) continue;
          const tails = [rest.join('')];
          if (half) {
            const [one, ...others] = rest;
            // The half may become the character that is due, a form of it, or one that nobody sees.
            if (/^[A-Za-z]$/.test(one!)) {
              tails.push(bold(one!)[1] + others.join(''));
              tails.push(bold(one!.toUpperCase())[1] + others.join(''));
            }
            if (one!.length === 2) tails.push(one![1] + others.join(''));
            tails.push(`\udc41${rest.join('')}`);
          }
          for (const tail of tails) for (const behind of ['', 'x', ' ']) ways.add(tail + behind);
        }
      return [...ways];
    },
  };
}

/** An expression as the laws write them, so that no parser of expressions is needed here. */
export type Expression =
  | {
      readonly kind: 'one';
      readonly source: string;
      readonly samples: string;
      accepts(character: string): boolean;
    }
  | { readonly kind: 'sequence'; readonly parts: readonly Expression[] }
  | { readonly kind: 'or'; readonly ways: readonly Expression[] }
  | {
      readonly kind: 'times';
      readonly part: Expression;
      readonly least: number;
      readonly most: number;
    }
  | { readonly kind: 'boundary' | 'inside' | 'begin' | 'end' };

const SPECIAL = /[\\^$.|?*+()[\]{}]/;

export const one = (character: string): Expression => ({
  kind: 'one',
  source: SPECIAL.test(character) ? `\\${character}` : character,
  samples: character,
  accepts: (other) => other === character,
});

export const oneOf = (source: string, samples: string): Expression => {
  const expression = new RegExp(`^${source}$`, 'u');
  return { kind: 'one', source, samples, accepts: (other) => expression.test(other) };
};

export const word = (letters: string): Expression => ({
  kind: 'sequence',
  parts: [...letters].map(one),
});
export const sequence = (...parts: readonly Expression[]): Expression => ({
  kind: 'sequence',
  parts,
});
export const or = (...ways: readonly Expression[]): Expression => ({ kind: 'or', ways });
export const times = (part: Expression, least: number, most: number): Expression => ({
  kind: 'times',
  part,
  least,
  most,
});
export const BOUNDARY: Expression = { kind: 'boundary' };

/** The expression as RE2 and V8 read it. */
export function sourceOf(expression: Expression): string {
  switch (expression.kind) {
    case 'one':
      return expression.source;
    case 'sequence':
      return expression.parts.map(sourceOf).join('');
    case 'or':
      return `(?:${expression.ways.map(sourceOf).join('|')})`;
    case 'times': {
      const { least, most } = expression;
      const count = most === Number.POSITIVE_INFINITY ? `{${least},}` : `{${least},${most}}`;
      return `(?:${sourceOf(expression.part)})${count}`;
    }
    case 'boundary':
      return '\\b';
    case 'inside':
      return '\\B';
    case 'begin':
      return '^';
    case 'end':
      return '$';
  }
}

type Step =
  | {
      readonly accepts: (character: string) => boolean;
      readonly samples: string;
      readonly to: number;
    }
  | { readonly demands: 'boundary' | 'inside' | 'begin' | 'end'; readonly to: number }
  | { readonly to: readonly number[] };

/** Steps of a little machine; the last one, with nothing behind it, is the match. */
function machineOf(expression: Expression): {
  readonly steps: readonly Step[];
  readonly start: number;
} {
  const steps: Step[] = [{ to: [] }];
  const add = (step: Step): number => steps.push(step) - 1;
  const build = (part: Expression, to: number): number => {
    switch (part.kind) {
      case 'one':
        return add({ accepts: part.accepts, samples: part.samples, to });
      case 'sequence':
        return part.parts.reduceRight((behind, each) => build(each, behind), to);
      case 'or':
        return add({ to: part.ways.map((way) => build(way, to)) });
      case 'times': {
        let at = to;
        if (part.most === Number.POSITIVE_INFINITY) {
          const ways: number[] = [];
          at = add({ to: ways });
          ways.push(build(part.part, at), to);
        } else
          for (let time = part.least; time < part.most; time++)
            at = add({ to: [build(part.part, at), to] });
        for (let time = 0; time < part.least; time++) at = build(part.part, at);
        return at;
      }
      default:
        return add({ demands: part.kind, to });
    }
  };
  const start = build(expression, 0);
  return { steps, start };
}

const MATCH = 0;

function holds(demand: string, before: string, after: string): boolean {
  const boundary = isAsciiWord(before) !== isAsciiWord(after);
  if (demand === 'boundary') return boundary;
  if (demand === 'inside') return !boundary;
  return demand === 'begin' ? before === '' : after === '';
}

export interface ExpressionSpec {
  readonly expression: Expression;
  /** Longer matches than so many units do not exist. */
  readonly unitsMax?: number;
}

/** Most units that are put behind a text to see whether a match comes of it. */
const COMPLETION_UNITS_MAX = 32;

export function expressionLanguage({
  expression,
  unitsMax = Number.POSITIVE_INFINITY,
}: ExpressionSpec): Language {
  const { steps, start: first } = machineOf(expression);
  const samples = new Set(['x', ' ', '1', '-', '\n', '😀']);
  for (const step of steps)
    if ('samples' in step) for (const sample of step.samples) samples.add(sample);

  /** All steps that take a character, or the match, reached without one. */
  const reach = (from: Iterable<number>, before: string, after: string): Set<number> => {
    const reached = new Set(from);
    for (const index of reached) {
      const step = steps[index]!;
      if ('demands' in step) {
        if (holds(step.demands, before, after)) reached.add(step.to);
      } else if (!('accepts' in step)) for (const to of step.to) reached.add(to);
    }
    return reached;
  };
  const take = (reached: Iterable<number>, character: string): Set<number> => {
    const taken = new Set<number>();
    for (const index of reached) {
      const step = steps[index]!;
      if ('accepts' in step && step.accepts(character)) taken.add(step.to);
    }
    return taken;
  };

  /** States behind each character from `start` on, until there are none. */
  const run = (text: string, start: number): { at: number; states: Set<number> }[] => {
    let states = new Set([first]);
    const trail: { at: number; states: Set<number> }[] = [];
    for (let at = start; states.size > 0; ) {
      trail.push({ at, states });
      if (at >= text.length) break;
      const character = characterAt(text, at);
      states = take(reach(states, characterBefore(text, at), character), character);
      at += character.length;
    }
    return trail;
  };

  /** The continuation behind `before` that ends in a match with the fewest units, one character at least. */
  const shortest = (state: number, before: string): string | undefined => {
    const levels: { state: number; before: string; path: string }[][] = [
      [{ state, before, path: '' }],
    ];
    const seen = new Set<string>();
    for (let units = 0; units < COMPLETION_UNITS_MAX; units++)
      for (const one of levels[units] ?? [])
        for (const character of ['', ...samples]) {
          const reached = reach([one.state], one.before, character);
          if (reached.has(MATCH) && one.path !== '') return one.path + character;
          if (character === '') continue;
          for (const to of take(reached, character)) {
            const key = `${to} ${character}`;
            if (seen.has(key)) continue;
            seen.add(key);
            const next = { state: to, before: character, path: one.path + character };
            (levels[units + character.length] ??= []).push(next);
          }
        }
    return undefined;
  };
  const known = new Map<string, string | undefined>();
  const shortestKept = (state: number, before: string): string | undefined => {
    const key = `${state} ${before}`;
    if (!known.has(key)) known.set(key, shortest(state, before));
    return known.get(key);
  };

  return {
    label: 'REGEX',
    longestEnd(text, start) {
      if (insidePair(text, start)) return 0;
      let end = 0;
      for (const { at, states } of run(text, start)) {
        if (at === start || at - start > unitsMax) continue;
        if (reach(states, characterBefore(text, at), characterAt(text, at)).has(MATCH)) end = at;
      }
      return end;
    },
    completions(text, from) {
      const ways = new Set(['', ' ', 'x', '1', '-', '\n', '😀']);
      const half = isHigh(text.at(-1));
      const goOn = (whole: string, ways_: Set<string>, lead: string): void => {
        for (let start = from; start < text.length; start++) {
          if (insidePair(whole, start)) continue;
          const last = run(whole, start).at(-1)!;
          if (last.at !== whole.length) continue;
          for (const state of last.states) {
            const path = shortestKept(state, characterBefore(whole, whole.length));
            if (path !== undefined)
              for (const behind of ['', 'x', ' ']) ways_.add(lead + path + behind);
          }
        }
      };
      goOn(text, ways, '');
      const lows = [...samples]
        .filter((one) => one[0] === text.at(-1) && isLow(one[1]))
        .map((one) => one[1]!);
      if (half)
        for (const low of new Set(['\udc00', '\ude00', ...lows])) {
          for (const behind of ['', 'x', ' ']) ways.add(low + behind);
          goOn(text + low, ways, low);
        }
      return [...ways];
    },
  };
}

const FOREIGN = /^[\p{L}\p{M}]$/u;
const isForeign = (unit: string): boolean =>
  unit > '\u007f' && FOREIGN.test(unit) && !isUnseen(unit);
const isAlphanumeric = (unit: string): boolean => /^[A-Za-z0-9]$/.test(unit) || isForeign(unit);
const WIDE_SIGN = '\uff20';
const WIDE_DOT = '\uff0e';
const LOCAL_MAX = 64;
const DOMAIN_MAX = 255;

/** Whether a name is a domain that an address may have; what is not seen in it counts for length alone. */
function isDomain(name: string): boolean {
  if (name.length > DOMAIN_MAX || isUnseen(name.at(-1) ?? '')) return false;
  const seen = [...name].filter((unit) => !isUnseen(unit)).join('');
  const labels = seen.replaceAll(WIDE_DOT, '.').split('.');
  if (labels.length < 2 || labels.some((label) => label === '')) return false;
  const last = labels.at(-1)!;
  return (
    /^[A-Za-z]{2,}$/.test(last) ||
    (last.length >= 2 && [...last].every(isForeign)) ||
    /^xn--./i.test(last)
  );
}

export function emailLanguage(except: readonly string[] = []): Language {
  const spared = new Set(except.map((address) => address.toLowerCase()));
  const isFirst = (unit: string): boolean => isAlphanumeric(unit) || unit === '_';
  const inLocal = (unit: string): boolean =>
    isFirst(unit) || isUnseen(unit) || `.!#$%&'*+/=?^\`{|}~-${WIDE_DOT}`.includes(unit);
  const inDomain = (unit: string): boolean =>
    isAlphanumeric(unit) || isUnseen(unit) || `-.${WIDE_DOT}`.includes(unit);
  return {
    label: 'EMAIL',
    longestEnd(text, start) {
      if (start >= text.length || !isFirst(text[start]!)) return 0;
      let sign = start;
      while (sign < text.length && sign - start <= LOCAL_MAX && inLocal(text[sign]!)) sign++;
      if (sign - start > LOCAL_MAX || !`@${WIDE_SIGN}`.includes(text[sign] ?? ' ')) return 0;
      let most = sign + 1;
      while (most < text.length && most - sign <= DOMAIN_MAX && inDomain(text[most]!)) most++;
      for (let end = most; end > sign + 3; end--)
        if (isDomain(text.slice(sign + 1, end))) return end;
      return 0;
    },
    completions: () => EMAIL_WAYS,
    counts: (matched) => !spared.has(matched.replace(WIDE_SIGN, '@').toLowerCase()),
  };
}

const EMAIL_WAYS: readonly string[] = [
  '',
  ' ',
  'x',
  'co',
  'é',
  'éé',
  '.co',
  'b.co',
  '@b.co',
  'x@b.co',
  '.x@b.co',
  '-x@b.co',
  '-p1',
  '--p1',
  'n--p1',
  'xn--p1',
  'p1',
  '1',
  '-',
  '.éé',
];

/** Numbers that the networks give out. */
const ISSUED: readonly RegExp[] = [
  /^4(?:\d{12}|\d{15}|\d{18})$/,
  /^5[1-5]\d{14}$/,
  /^(?:222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12}$/,
  /^220[0-4]\d{12,15}$/,
  /^3[47]\d{13}$/,
  /^(?:30[0-5]\d|3095|36\d\d|3[89]\d\d)\d{10,15}$/,
  /^(?:352[89]|35[3-8]\d)\d{12,15}$/,
  /^(?:50|5[678])\d{11,17}$/,
  /^6\d{12,18}$/,
];
const LEADS: readonly string[] = Array.from({ length: 10_000 }, (_, lead) =>
  String(lead).padStart(4, '0'),
).filter((lead) =>
  ISSUED.some((issuer) =>
    [13, 14, 15, 16, 17, 18, 19].some((digits) => issuer.test(lead.padEnd(digits, '0'))),
  ),
);

function checkSum(digits: string): number {
  return [...digits]
    .reverse()
    .map((digit, place) => Number(digit) * (place % 2 === 0 ? 1 : 2))
    .reduce((sum, value) => sum + (value > 9 ? value - 9 : value), 0);
}

const isCard = (digits: string): boolean =>
  checkSum(digits) % 10 === 0 && ISSUED.some((issuer) => issuer.test(digits));

const BETWEEN_DIGITS = ' \u00a0\u2007\u202f-\u2010\u2011\u2012\u2013\u2212';
const isBetween = (unit: string): boolean => BETWEEN_DIGITS.includes(unit) || isUnseen(unit);
const DIGITS_MAX = 19;

export function cardLanguage(): Language {
  /** Digits of a number from `start` on, and where each ends. */
  const digitsFrom = (
    text: string,
    start: number,
  ): { digits: string; ends: number[]; at: number } => {
    let digits = '';
    const ends: number[] = [];
    let at = start;
    for (; at < text.length && digits.length <= DIGITS_MAX; at++) {
      const digit = digitOf(text[at]!);
      if (digit >= 0) {
        digits += digit;
        ends.push(at + 1);
      } else if (!isBetween(text[at]!) || digitOf(text[at - 1] ?? ' ') < 0) break;
    }
    return { digits, ends, at };
  };
  const begins = (text: string, start: number): boolean =>
    digitOf(text[start] ?? ' ') >= 0 && digitOf(text[start - 1] ?? ' ') < 0;
  return {
    label: 'CREDIT_CARD',
    longestEnd(text, start) {
      if (!begins(text, start)) return 0;
      const { digits, ends } = digitsFrom(text, start);
      for (let count = Math.min(digits.length, DIGITS_MAX); count > 0; count--) {
        const end = ends[count - 1]!;
        if (digitOf(text[end] ?? ' ') < 0 && isCard(digits.slice(0, count))) return end;
      }
      return 0;
    },
    completions(text, from) {
      const ways = new Set(['', ' ', 'x', '0', '1']);
      for (let start = from; start < text.length; start++) {
        if (!begins(text, start)) continue;
        const { digits, at } = digitsFrom(text, start);
        if (at < text.length || digits.length >= DIGITS_MAX) continue;
        const leads =
          digits.length >= 4
            ? [digits]
            : LEADS.filter((lead) => lead.startsWith(digits)).filter(
                (_, place, all) =>
                  place % Math.ceil(all.length / 12) === 0 || place === all.length - 1,
              );
        for (const lead of leads)
          for (let count = Math.max(13, lead.length + 1); count <= DIGITS_MAX; count++) {
            const body = lead.padEnd(count - 1, '0');
            const whole = [...'0123456789'].map((last) => body + last).find(isCard);
            if (whole !== undefined) ways.add(whole.slice(digits.length));
          }
      }
      return [...ways];
    },
  };
}
