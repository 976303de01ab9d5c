/**
 * Who decides what a candidate is. All forms of a rule that begin alike share one expression, and so one
 * tracker; of those that a candidate has, the likeliest gives it its name.
 */
import type { Check } from '../token-tracker.ts';
import type { Names } from './named.ts';
import { type PiiForm, type PiiKind, plainId } from './pii-kind.ts';
import { ShapeIndex } from './shape-index.ts';

/** What a name in front of a candidate is worth. */
export const NAMED_SCORE = 0.4;
/** What it costs to stand behind the name of something else. */
export const OTHERWISE_NAMED_SCORE = 0.2;

/** A digit and a sign before it, or the beginning of an account number in groups. */
const HEAD = '\\d[-./,:]|\\b[A-Za-z]{2}\\d{2}[ -]?(?:[A-Z0-9]{4}[ -]){0,6}';
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

/** RE2's spelling as JavaScript has it; groups with flags become a flag of the whole. */
const scriptOf = (expression: string): string =>
  expression
    .replaceAll('\\A', '')
    .replaceAll('\\z', '')
    .replaceAll('\\x{', '\\u{')
    .replaceAll('(?i:', '(?:');

/** Whether a text ends like this; asked of the same one for every end that a candidate may have. */
class Ending {
  private readonly expression: RegExp;
  private asked: string | undefined;
  private answer = false;

  constructor(expression: string) {
    this.expression = new RegExp(`(?:${expression})$`);
  }

  test(text: string): boolean {
    if (text !== this.asked) {
      this.asked = text;
      this.answer = this.expression.test(text);
    }
    return this.answer;
  }
}

const endings = new Map<string, Ending>();

function endingOf(expression: string): Ending {
  const known = endings.get(expression) ?? new Ending(expression);
  endings.set(expression, known);
  return known;
}

interface Matcher extends PiiMember {
  readonly core: RegExp;
  readonly head: Ending;
  readonly tail: RegExp | undefined;
  /** Has to begin, and to end, the text. */
  readonly alone: boolean;
}

function matcherOf(member: PiiMember): Matcher {
  const { expression, tail = TAIL, head = HEAD } = member.form;
  return {
    ...member,
    core: new RegExp(`^(?:${scriptOf(expression)})$`, expression.includes('(?i:') ? 'iu' : 'u'),
    head: endingOf(head),
    tail: tail === '' ? undefined : new RegExp(`^(?:${tail})`),
    alone: expression.startsWith('\\A'),
  };
}

const ENDS_IN_WORD = /\w$/;
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

export function checkOf(members: readonly PiiMember[], settings: JudgeSettings): Check {
  const { threshold, names, except } = settings;
  const index = new ShapeIndex(
    members.map((member) => [member.form.expression, matcherOf(member)] as const),
  );
  return {
    validator: () => true,
    judge: (token, around) => {
      const matchers = index.candidates(token);
      if (matchers.length === 0) return undefined;
      const { before, after, last } = around;
      let label: string | undefined;
      let best = 0;
      const insideBefore = ENDS_IN_WORD.test(before);
      const insideAfter = BEGINS_WITH_WORD.test(after);
      for (const { kind, form, core, head, tail, alone } of matchers) {
        // Another form may have let it begin or end there.
        if ((form.open !== 'start' && insideBefore) || (form.open !== 'end' && insideAfter))
          continue;
        if (!core.test(token) || (alone && !(before === '' && last))) continue;
        let score = form.scoreOf?.(token) ?? form.score;
        if (score <= best - NAMED_SCORE || score === 0 || !(form.valid?.(token) ?? true)) continue;
        if (head.test(before) || tail?.test(after)) continue;
        // Last, as it costs most.
        const named = kind.names.length === 0 ? undefined : names.nearest(before);
        if (named !== undefined)
          score += named.has(kind.entity) ? NAMED_SCORE : -OTHERWISE_NAMED_SCORE;
        // In thousandths: sums of these are no exact numbers.
        score = Math.min(1, Math.round(1_000 * score) / 1_000);
        if (score < threshold || score <= best) continue;
        best = score;
        label = kind.label;
      }
      return label !== undefined && isExcepted(token, except) ? undefined : label;
    },
  };
}
