/**
 * What the settled matches of one text do to it: in order, by the text alone (SEMANTICS §1). Made with the first
 * match of a text, as most texts have none.
 */
import { type Clamp, clampedDecimal } from '../formats/json-clamp.ts';
import type { JsonTextView } from '../formats/json-view.ts';
import type { ScannedMatch } from '../match/scanner.ts';
import { exempts } from '../policy/evaluate.ts';
import type { Rule } from '../policy/set.ts';
import type { Blocked, Effect, Finding, TextEdit } from './findings.ts';
import { JsonCover } from './json-cover.ts';
import type { Spending } from './match-budget.ts';
import type { Placeholders, Reversal } from './placeholders.ts';
import type { TextScores } from './text-scores.ts';

const EFFECTS = Object.freeze({
  shadow: Object.freeze({ kind: 'shadow' }),
  flag: Object.freeze({ kind: 'flag' }),
  allow: Object.freeze({ kind: 'allow' }),
  append: Object.freeze({ kind: 'append' }),
  block: Object.freeze({ kind: 'block' }),
  inject: Object.freeze({ kind: 'inject' }),
  route: Object.freeze({ kind: 'route' }),
  throttle: Object.freeze({ kind: 'throttle' }),
  hold: Object.freeze({ kind: 'hold' }),
  restore: Object.freeze({ kind: 'restore' }),
  sealed: Object.freeze({ kind: 'sealed' }),
  structure: Object.freeze({ kind: 'structure' }),
  unable: Object.freeze({ kind: 'unable' }),
} as const) satisfies Readonly<Record<string, Effect>>;

/** A stretch in which text is replaced: the winner's replacement at its start, nothing for the rest. */
export interface Covered {
  readonly start: number;
  end: number;
  replacement: string;
  /** See `TextEdit`. */
  outside?: string;
}

/** What is written, where it is not the rule alone that says it; `bare`: a number in place of one. */
interface Written {
  readonly words: string;
  readonly bare: boolean;
  /** See `TextEdit`. */
  readonly outside?: string;
}

function reversalBy({ id, action }: Rule): Reversal | undefined {
  if (action.kind !== 'redact' || action.reversible === undefined) return undefined;
  return { rule: id, ttlMs: action.reversible.ttlMs };
}

const NO_EDITS: readonly TextEdit[] = Object.freeze([]);

/** The text whose matches these are. */
export interface MatchedText {
  readonly key: string;
  /** Its provider has signed it (SEMANTICS §1). */
  readonly sealed: boolean;
  /** What a model says, and not what it thinks, calls or cites: it may go on. */
  readonly said: boolean;
  /** Those that read it, in rank order. */
  readonly rules: readonly Rule[];
  readonly host: TextHost;
  /** Of a text that is JSON: what its units are part of. */
  readonly view: JsonTextView | undefined;
  /** Where a view unit begins in the source, and where those before it end. */
  sourceStart(viewUnit: number): number;
  /** View units `[start,end)`; from the first that may not leave yet on they are there. */
  textOf(start: number, end: number): string;
}

/** The body that a text is of. */
export interface TextHost {
  readonly scores: TextScores;
  /** One more match of `rule`. */
  spend(rule: Rule): Spending;
  finding(finding: Finding): void;
  /** Whether what `rule` appends can be added, or may be missing, as its class says. */
  mayEarn(rule: Rule): boolean;
  /** Numbers for what is replaced in one text. */
  placeholders(): Placeholders;
}

export class TextMatches {
  /** The first settled match that ends the text: it is cut at its start. */
  blocked: Blocked | undefined;
  /** Rules whose `append` was earned by a match. */
  appends: ReadonlySet<Rule> | undefined;

  private readonly text: MatchedText;
  /** Nothing more of it may be judged. */
  private exhausted = false;
  private undecided: ScannedMatch[] = [];
  /** The smallest start of `undecided`. */
  private earliest = Number.POSITIVE_INFINITY;
  private readonly covered: Covered[] = [];
  /** Settled matches of `allow` rules that later ones may still lie in. */
  private allowances: ScannedMatch[] = [];
  /** View coordinate up to which the current cluster of overlapping matches reaches. */
  private clusterEnd = 0;
  /** Whose replacement stands for that cluster. */
  private winner: { readonly rule: Rule; readonly words: string } | undefined;
  private json: JsonCover | undefined;
  private placeholders: Placeholders | undefined;

  constructor(text: MatchedText) {
    this.text = text;
  }

  /** More matches, in any order. */
  take(matches: readonly ScannedMatch[]): void {
    // One by one: a body may hold more matches than a call takes arguments.
    for (const match of matches) {
      this.undecided.push(match);
      this.earliest = Math.min(this.earliest, match.start);
    }
  }

  /**
   * Behind the match that ends a text nothing is looked at, unless all of it is here (`whole`) and a lower rank
   * may speak.
   */
  mayAct(whole: boolean): boolean {
    return this.blocked === undefined || (whole && !this.exhausted);
  }

  /** All matches that start before `safe` are known: they act, in order. */
  settle(safe: number, whole: boolean): void {
    if (this.earliest >= safe || !this.mayAct(whole)) return;
    const settled = this.undecided.filter((match) => match.start < safe);
    this.undecided = this.undecided.filter((match) => match.start >= safe);
    this.earliest = this.undecided.reduce(
      (earliest, { start }) => Math.min(earliest, start),
      Number.POSITIVE_INFINITY,
    );
    // What an `allow` exempts may have the same extent and a higher rank, so that an `allow` speaks first.
    settled.sort(
      (a, b) =>
        a.start - b.start ||
        b.end - a.end ||
        this.speaksLater(a) - this.speaksLater(b) ||
        a.rule - b.rule,
    );
    for (const match of settled) {
      if (!this.mayAct(whole)) return;
      this.act(match);
    }
  }

  /** The edits of source units `[start,end)`, relative to `start`; all of it must be settled. */
  edits(start: number, end: number): readonly TextEdit[] {
    if (this.covered.length === 0) return NO_EDITS;
    const edits: TextEdit[] = [];
    // One text may be made of thousands of pieces, all of which ask.
    for (let at = this.firstBehind(start); at < this.covered.length; at += 1) {
      const covered = this.covered[at]!;
      if (covered.start >= end) break;
      edits.push({
        start: Math.max(covered.start, start) - start,
        end: Math.min(covered.end, end) - start,
        replacement: covered.start >= start ? covered.replacement : '',
        ...(covered.outside !== undefined && {
          outside: covered.start >= start ? covered.outside : '',
        }),
      });
    }
    return edits;
  }

  /** Forgets what only frames before source unit `upTo` needed. */
  forget(upTo: number): void {
    const done = Math.min(this.firstBehind(upTo), this.covered.length - 1);
    if (done > 0) this.covered.splice(0, done);
  }

  /** The first that is covered of what ends behind source unit `unit`: they stand in order, apart from each other. */
  private firstBehind(unit: number): number {
    let low = 0;
    for (let high = this.covered.length; low < high; ) {
      const middle = (low + high) >> 1;
      if (this.covered[middle]!.end <= unit) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  private speaksLater(match: ScannedMatch): number {
    return this.text.rules[match.rule]?.action.kind === 'allow' ? 0 : 1;
  }

  private act(match: ScannedMatch): void {
    const { text } = this;
    const rule = text.rules[match.rule]!;
    const spending = text.host.spend(rule);
    if (spending === 'ignore') return;
    const start = text.sourceStart(match.start);
    if (spending === 'exceed') {
      this.exhausted = true;
      this.blocked ??= { kind: 'exceeded', rule, cut: start };
      return;
    }
    const end = text.sourceStart(match.end);
    const by = rule.enforcement === 'enforce' ? this.exempting(match, rule) : undefined;
    const enforced = rule.enforcement === 'enforce' && by === undefined;
    const effect = enforced
      ? this.enforce(match, start, end, rule)
      : by === undefined
        ? EFFECTS.shadow
        : { kind: 'exempt' as const, by };
    if (effect === undefined) return;
    const { score, signals } = match;
    const label = effect.kind === 'restore' ? 'PLACEHOLDER' : match.label;
    const weighed = signals && { ...(score !== undefined && { score }), signals };
    const { host, key } = text;
    host.finding({ rule, label, text: key, start, end, enforced, effect, ...weighed });
  }

  /** Undefined: there is nothing that the rule would do. */
  private enforce(match: ScannedMatch, start: number, end: number, rule: Rule): Effect | undefined {
    switch (rule.action.kind) {
      case 'flag':
      case 'inject':
      case 'route':
      case 'throttle':
      case 'hold':
        return EFFECTS[rule.action.kind];
      case 'allow':
        // Matches come in order, so what ends before this one begins exempts nothing any more.
        this.allowances = this.allowances.filter(({ end: last }) => last > match.start);
        this.allowances.push(match);
        return EFFECTS.allow;
      case 'append':
        if (!this.text.host.mayEarn(rule)) {
          this.blocked ??= { kind: 'unable', rule, cut: start };
          return EFFECTS.unable;
        }
        // What nobody is told needs no words beside it.
        if (!this.text.said) return undefined;
        this.appends = new Set([...(this.appends ?? []), rule]);
        return EFFECTS.append;
      case 'block':
        this.block(rule, start);
        return EFFECTS.block;
      case 'redact':
      case 'rewrite':
        if (!this.text.sealed) return this.cover(match, start, end, rule);
        this.blocked ??= { kind: 'sealed', rule, cut: start };
        return EFFECTS.sealed;
      case 'restore':
        return this.restore(match, start, end, rule);
      case 'clamp':
        return this.clamp(match, start, end, rule, rule.action);
      case 'remove':
        throw new TypeError('an action on tools has no detector of texts');
    }
  }

  /** A value of JSON that is no number cannot be brought inside its bounds, and may not pass either. */
  private clamp(
    match: ScannedMatch,
    start: number,
    end: number,
    rule: Rule,
    clamp: Clamp,
  ): Effect | undefined {
    const within = clampedDecimal(this.text.textOf(match.start, match.end), clamp);
    if (within.kind === 'within') return undefined;
    if (within.kind === 'no number') {
      this.blocked ??= { kind: 'unjudged', rule, cut: start };
      return EFFECTS.block;
    }
    const written = { words: within.replacement, bare: true };
    if (!this.text.sealed) return this.cover(match, start, end, rule, written);
    this.blocked ??= { kind: 'sealed', rule, cut: start };
    return EFFECTS.sealed;
  }

  /** Nothing where the placeholder is nobody's, or where the provider has signed the text: it is read as it stands. */
  private restore(match: ScannedMatch, start: number, end: number, rule: Rule): Effect | undefined {
    const outside = this.text.textOf(match.start, match.end);
    const value = this.numbers.restored(outside);
    if (value === undefined || this.text.sealed) return undefined;
    const effect = this.cover(match, start, end, rule, { words: value, bare: false, outside });
    return effect.kind === 'replace' ? EFFECTS.restore : effect;
  }

  /** What a rule forbids outranks what could only not be changed, wherever in the text they stand. */
  private block(rule: Rule, start: number): void {
    const { blocked } = this;
    if (blocked?.kind === 'policy' && rule.rank >= blocked.rule.rank) return;
    this.blocked = { kind: 'policy', rule, cut: blocked?.cut ?? start };
  }

  /** An `allow` that reads content exempts what its match covers, and no more. */
  private exempting(match: ScannedMatch, rule: Rule): Rule | undefined {
    const covering = this.allowances.find((other) => {
      return (
        exempts(this.text.rules[other.rule]!, rule) &&
        other.start <= match.start &&
        other.end >= match.end
      );
    });
    return covering && this.text.rules[covering.rule];
  }

  /** Of overlapping matches the first is the winner; what sticks out of a loser is covered all the same. */
  private cover(
    match: ScannedMatch,
    start: number,
    end: number,
    rule: Rule,
    written?: Written,
  ): Effect {
    if (this.winner && match.start < this.clusterEnd) {
      if (reversalBy(rule) === undefined) this.numbers.takeOut(this.winner.words);
      const from = this.clusterEnd;
      this.clusterEnd = Math.max(from, match.end);
      if (this.json) this.json.cover(from, match.end, this.winner.words, true);
      else {
        const last = this.covered.at(-1)!;
        last.end = Math.max(last.end, end);
      }
      return { kind: 'cover', by: this.winner.rule };
    }
    const words = written?.words ?? this.wordsOf(match, rule);
    if (this.text.view) this.json ??= new JsonCover(this.text, this.text.view, this.covered);
    // A number that is brought inside its bounds stands where one stood, in quotes or without.
    if (this.json === undefined || written?.bare)
      this.covered.push({
        ...{ start, end, replacement: words },
        ...(written?.outside !== undefined && { outside: written.outside }),
      });
    // Structure alone: nothing in it can be changed so that it stays JSON.
    else if (!this.json.cover(match.start, match.end, words, false, written?.outside)) {
      this.blocked ??= { kind: 'structure', rule, cut: start };
      return EFFECTS.structure;
    }
    this.clusterEnd = match.end;
    this.winner = { rule, words };
    return { kind: 'replace', replacement: words };
  }

  private wordsOf(match: ScannedMatch, rule: Rule): string {
    if (rule.action.kind === 'rewrite') return rule.action.with;
    const value = this.text.textOf(match.start, match.end);
    return this.numbers.placeholder(match.label, value, reversalBy(rule));
  }

  /** Text up to view unit `safe` may leave: bare values before it are over. */
  closeValues(safe: number): void {
    this.json?.closeValue(safe, this.blocked?.cut);
  }

  private get numbers(): Placeholders {
    return (this.placeholders ??= this.text.host.placeholders());
  }
}
