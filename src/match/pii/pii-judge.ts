/**
 * Who decides what a candidate is. All forms of a rule that begin alike share one expression, and so one
 * tracker; of those that a candidate has, the likeliest gives it its name.
 */
import { NOT_WORD } from '../heads.ts';
import type { TagSet } from '../regex-dfa.ts';
import type { Candidate, Check } from '../token-tracker.ts';
import type { Written } from './form-automaton.ts';
import type { Names } from './named.ts';
import { type PiiForm, type PiiKind, plainId } from './pii-kind.ts';

/** What a name in front of a candidate is worth. */
export const NAMED_SCORE = 0.4;
/** What it costs to stand behind the name of something else. */
export const OTHERWISE_NAMED_SCORE = 0.2;

/** A digit and a sign before it, or the beginning of an account number in groups. */
const HEAD = `\\d[-./,:]|${NOT_WORD}[A-Za-z]{2}\\d{2}[ -]?(?:[A-Z0-9]{4}[ -]){0,6}`;
const TAIL = '[-./,:]\\d';
/** A tail goes on to the end of its word, so that where a candidate ends it ends at a boundary. */
const REST_OF_WORD = '\\w{0,24}\\b';

export interface PiiMember {
  readonly kind: PiiKind;
  readonly form: PiiForm;
}

/** The form, and what behind it would make it part of something longer. */
export function expressionOf({ expression, tail = TAIL, open }: PiiForm): string {
  const start = open === 'start' ? '' : '\\b';
  const closed = open !== 'end';
  const further = tail === '' ? '' : `|(?:${tail})${closed ? REST_OF_WORD : ''}`;
  return `${start}(?:${expression})(?:${closed ? '\\b' : ''}${further})`;
}

/** Nothing but its form decides: no question is asked, so that it may be long. */
export const isCertain = ({ kind, form }: PiiMember): boolean =>
  kind.names.length === 0 &&
  form.valid === undefined &&
  form.scoreOf === undefined &&
  form.tail === '' &&
  form.head === undefined;

/** All forms of the kinds but those that nothing could lift over the threshold. */
export const membersOf = (kinds: readonly PiiKind[], threshold: number): readonly PiiMember[] =>
  kinds.flatMap((kind) =>
    kind.forms
      .filter(({ score }) => score + (kind.names.length === 0 ? 0 : NAMED_SCORE) >= threshold)
      .map((form) => ({ kind, form })),
  );

const writtenOf = ({
  form: { expression, head = HEAD, tail = TAIL, open },
}: PiiMember): Written => ({
  expression,
  head,
  tail,
  open,
});

/** The ways in which members are written, each once, in their order. */
export function writtenIn(members: readonly PiiMember[]): readonly Written[] {
  const ways = new Map<string, Written>();
  for (const member of members) {
    const way = writtenOf(member);
    const key = keyOf(way);
    if (!ways.has(key)) ways.set(key, way);
  }
  return [...ways.values()];
}

export const keyOf = ({ expression, head, tail, open }: Written): string =>
  JSON.stringify([expression, head, tail, open]);

/** What is asked of a candidate that has the form of a member. */
interface Rated extends PiiMember {
  /** Place of the way in which it is written. */
  readonly way: number;
  readonly tail: Beginning | undefined;
  /** Has to begin, and to end, the text. */
  readonly alone: boolean;
  readonly isNamed: boolean;
}

interface Asked {
  readonly all: readonly Rated[];
  /** Those that may come to the threshold without a name. */
  readonly unnamed: readonly Rated[];
}

/** Whether a text begins like this; asked of the same one for each form that a candidate has. */
class Beginning {
  private readonly expression: RegExp;
  private asked: string | undefined;
  private answer = false;

  constructor(expression: string) {
    this.expression = new RegExp(`^(?:${expression})`);
  }

  test(text: string): boolean {
    if (text !== this.asked) {
      this.asked = text;
      this.answer = this.expression.test(text);
    }
    return this.answer;
  }
}

const beginnings = new Map<string, Beginning>();

function beginningOf(expression: string): Beginning {
  const known = beginnings.get(expression) ?? new Beginning(expression);
  beginnings.set(expression, known);
  return known;
}

const BEGINS_WITH_WORD = /^\w/;

export interface JudgeSettings {
  /** What scores less is none. */
  readonly threshold: number;
  readonly names: Names;
  /** What is nobody's secret: as it is written, and its letters and digits only, in small letters. */
  readonly except: ReadonlySet<string>;
}

const isExcepted = (token: string, except: ReadonlySet<string>): boolean => {
  if (except.size === 0) return false;
  return except.has(token.toLowerCase()) || except.has(plainId(token));
};

/** In thousandths, and 1 at most: sums of scores are no exact numbers. */
const rounded = (score: number): number => Math.min(1, Math.round(1_000 * score) / 1_000);

/** What stands behind it makes it part of something longer, or of a word: what is not seen may stand between. */
const goesOnAs = ({ form, tail }: Rated, after: string): boolean =>
  (form.open !== 'end' && BEGINS_WITH_WORD.test(after)) || (tail?.test(after) ?? false);

/**
 * Who decides what a candidate is. What is dear comes last: of most candidates it is known without their text that
 * no form they have could come to the threshold.
 */
class PiiJudge {
  private readonly settings: JudgeSettings;
  private readonly rated: readonly Rated[];
  private readonly nearest: (units: Uint16Array, place: number) => ReadonlySet<string> | undefined;
  /** By the number of a set of tags. */
  private readonly byForms: Asked[] = [];

  constructor(members: readonly PiiMember[], settings: JudgeSettings) {
    this.settings = settings;
    const { names } = settings;
    this.nearest = (units, place) => names.nearest(units, place);
    const ways = new Map(writtenIn(members).map((way, place) => [keyOf(way), place]));
    this.rated = members.map((member) => {
      const way = writtenOf(member);
      return {
        ...member,
        way: ways.get(keyOf(way)) as number,
        tail: way.tail === '' ? undefined : beginningOf(way.tail),
        alone: way.expression.startsWith('\\A'),
        isNamed: member.kind.names.length > 0,
      };
    });
  }

  judge(forms: TagSet, candidate: Candidate): string | undefined {
    const asked = (this.byForms[forms.id] ??= this.askedFor(forms));
    const needsNoName =
      asked.all.length === asked.unnamed.length || candidate.lookBack(this.nearest) === undefined;
    const members = needsNoName ? asked.unnamed : asked.all;
    return members.length === 0 ? undefined : this.likeliest(members, candidate);
  }

  private likeliest(members: readonly Rated[], candidate: Candidate): string | undefined {
    const { threshold, except } = this.settings;
    let label: string | undefined;
    let best = 0;
    for (const rated of members) {
      const { form, kind, isNamed } = rated;
      // To look back is dear where the form alone may be enough.
      const most = form.score < threshold ? this.lift(rated, candidate) : NAMED_SCORE;
      if (this.isBelow(form.score + (isNamed ? most : 0), threshold, best)) continue;
      if (rated.alone && !(candidate.before === '' && candidate.last)) continue;
      if (candidate.goesOn && goesOnAs(rated, candidate.after)) continue;
      const { token } = candidate;
      const own = form.scoreOf?.(token) ?? form.score;
      if (own === 0 || !(form.valid?.(token) ?? true)) continue;
      const score = own + this.lift(rated, candidate);
      if (this.isBelow(score, threshold, best)) continue;
      best = rounded(score);
      label = kind.label;
    }
    return label !== undefined && isExcepted(candidate.token, except) ? undefined : label;
  }

  private isBelow(score: number, threshold: number, best: number): boolean {
    const most = rounded(score);
    return most < threshold || most <= best;
  }

  /** What the nearest name before it adds to its score, or takes from it. */
  private lift({ kind, isNamed }: Rated, candidate: Candidate): number {
    if (!isNamed) return 0;
    const named = candidate.lookBack(this.nearest);
    if (named === undefined) return 0;
    return named.has(kind.entity) ? NAMED_SCORE : -OTHERWISE_NAMED_SCORE;
  }

  /** Members that are written in these ways, in their order. */
  private askedFor({ tags }: TagSet): Asked {
    const all = this.rated.filter(({ way }) => tags.includes(way));
    const { threshold } = this.settings;
    return { all, unnamed: all.filter(({ form }) => rounded(form.score) >= threshold) };
  }
}

export function checkOf(members: readonly PiiMember[], settings: JudgeSettings): Check {
  const judge = new PiiJudge(members, settings);
  return {
    validator: () => true,
    judgeForms: (forms, candidate) => judge.judge(forms, candidate),
  };
}
