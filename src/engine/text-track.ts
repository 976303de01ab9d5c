/**
 * One text of a body (a choice's field, a message) while it passes: which of its matches are settled,
 * what they cover, and how far it may leave. Everything here is a function of the text alone, so that
 * how it was cut cannot show (SEMANTICS §1 b).
 *
 * Two coordinates: *view* units are what the matcher reads; *source* units are what the frames carry.
 * They differ only in text that is itself JSON, whose escapes the view decodes.
 */
import { type Clamp, clampedDecimal } from '../formats/json-clamp.ts';
import { escapeInner, JsonTextView } from '../formats/json-view.ts';
import { type ScannedMatch, TextScanner } from '../match/scanner.ts';
import { exempts } from '../policy/evaluate.ts';
import type { Place, Rule } from '../policy/set.ts';
import type { Blocked, Effect, Finding, TextEdit } from './findings.ts';
import type { MatchBudget } from './match-budget.ts';
import type { Placeholders } from './placeholders.ts';
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
  sealed: Object.freeze({ kind: 'sealed' }),
} as const) satisfies Readonly<Record<string, Effect>>;

/** A stretch in which text is replaced: the winner's replacement at its start, nothing for the rest. */
interface Covered {
  readonly start: number;
  end: number;
  readonly replacement: string;
}

/** What a text is: its key in the body, whose words it has, and how they are written. */
export interface TextKind {
  readonly key: string;
  readonly place: Place;
  readonly encoding: 'plain' | 'json';
  /** Its provider has signed it (SEMANTICS §1). */
  readonly sealed: boolean;
}

const NO_EDITS: readonly TextEdit[] = Object.freeze([]);

export class TextTrack {
  readonly key: string;
  readonly place: Place;
  /** Source units fed so far. */
  length = 0;
  ended = false;
  /**
   * The first settled match that ends the text: it is cut at its start.
   */
  blocked: Blocked | undefined;
  /** Rules whose `append` was earned by a match. */
  readonly appends = new Set<Rule>();

  private readonly rules: readonly Rule[];
  private readonly sealed: boolean;
  private readonly scanner: TextScanner;
  private readonly view: JsonTextView | undefined;
  private readonly placeholders: Placeholders;
  private readonly budget: MatchBudget;
  private readonly scores: TextScores;
  private whole = false;
  /** Nothing more of it may be judged. */
  private exhausted = false;
  private window = '';
  private windowStart = 0;
  private undecided: ScannedMatch[] = [];
  /** The smallest start of `undecided`. */
  private earliest = Number.POSITIVE_INFINITY;
  private readonly covered: Covered[] = [];
  /** Settled matches of `allow` rules that later ones may still lie in. */
  private allowances: ScannedMatch[] = [];
  /** View coordinate up to which the current cluster of overlapping matches reaches. */
  private clusterEnd = 0;
  /** Whose replacement stands for that cluster. */
  private clusterRule: Rule | undefined;

  /** `rules`: those that read this text, in rank order; only those with a detector. */
  constructor(
    kind: TextKind,
    rules: readonly Rule[],
    placeholders: Placeholders,
    budget: MatchBudget,
    scores: TextScores,
  ) {
    this.key = kind.key;
    this.sealed = kind.sealed;
    this.place = kind.place;
    this.rules = rules;
    this.placeholders = placeholders;
    this.budget = budget;
    this.scores = scores;
    this.view = kind.encoding === 'json' ? new JsonTextView() : undefined;
    this.scanner = new TextScanner(
      rules.map((rule, index) => ({
        rule: index,
        detector: rule.detector!,
        context: scores.contextOf(rule, kind.place),
      })),
    );
  }

  /** A match has been live for longer than the matcher keeps: the text cannot be judged any further. */
  get overflow(): boolean {
    return this.scanner.overflow;
  }

  /** `last`: a part of what is known to be the rest of the text. */
  feed(value: string, findings: (finding: Finding) => void, last = false): void {
    this.add(value, last);
    this.settle(findings);
  }

  /**
   * The rest of the text, known to be the rest: where it is all of it, the rule of the lowest rank blocks
   * and not the one that matches first, as it does between verdicts on a whole message (SEMANTICS §6).
   */
  feedLast(value: string, findings: (finding: Finding) => void): void {
    this.add(value, true);
    this.finish(findings);
  }

  private add(value: string, last: boolean): void {
    if (last && this.length === 0) this.whole = true;
    this.length += value.length;
    this.read(this.view ? this.view.push(value) : value);
  }

  finish(findings: (finding: Finding) => void): void {
    if (this.ended) return;
    this.ended = true;
    this.read(this.view?.end() ?? '');
    this.scanner.end();
    for (const { rule, evidence } of this.scanner.evidence())
      this.scores.ended(this.rules[rule]!, evidence);
    this.settle(findings);
  }

  /** Source units that may leave: no match that is still undecided starts before it. */
  get settled(): number {
    if (this.blocked) return this.blocked.cut;
    if (this.ended) return this.length;
    return this.view ? this.view.sourceStart(this.scanner.safe) : this.scanner.safe;
  }

  /** Rules of which a match may still begin before the end, each with the source unit where. */
  waiting(): readonly { readonly rule: Rule; readonly start: number }[] {
    return this.scanner.live().map(({ rule, start }) => ({
      rule: this.rules[rule]!,
      start: this.view ? this.view.sourceStart(start) : start,
    }));
  }

  /** The edits of source units `[start,end)`, relative to `start`; all of it must be settled. */
  edits(start: number, end: number): readonly TextEdit[] {
    if (this.covered.length === 0) return NO_EDITS;
    const edits: TextEdit[] = [];
    for (const covered of this.covered) {
      if (covered.end <= start) continue;
      if (covered.start >= end) break;
      edits.push({
        start: Math.max(covered.start, start) - start,
        end: Math.min(covered.end, end) - start,
        replacement: covered.start >= start ? covered.replacement : '',
      });
    }
    return edits;
  }

  /** Forgets what only frames before source unit `upTo` needed. */
  forget(upTo: number): void {
    let done = 0;
    while (done < this.covered.length - 1 && this.covered[done]!.end <= upTo) done++;
    if (done > 0) this.covered.splice(0, done);
  }

  private read(units: string): void {
    if (units.length === 0) return;
    this.window += units;
    this.scanner.push(units);
  }

  /** Matches whose start lies before the safe point are all known: only now may they act, in order. */
  private settle(findings: (finding: Finding) => void): void {
    // One by one: a body may hold more matches than a call takes arguments.
    for (const match of this.scanner.takeMatches()) {
      this.undecided.push(match);
      this.earliest = Math.min(this.earliest, match.start);
    }
    const safe = this.scanner.safe;
    if (this.earliest < safe && this.mayAct) this.actUpTo(safe, findings);
    if (!this.mayAct) return;
    if (safe > this.windowStart) {
      this.window = this.window.slice(safe - this.windowStart);
      this.windowStart = safe;
    }
    this.view?.forget(safe);
  }

  /** Behind the match that ends a text nothing is looked at, unless all of it is here and a lower rank may speak. */
  private get mayAct(): boolean {
    return !this.blocked || (this.whole && !this.exhausted);
  }

  private actUpTo(safe: number, findings: (finding: Finding) => void): void {
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
      if (!this.mayAct) return;
      this.act(match, findings);
    }
  }

  private speaksLater(match: ScannedMatch): number {
    return this.rules[match.rule]?.action.kind === 'allow' ? 0 : 1;
  }

  private act(match: ScannedMatch, findings: (finding: Finding) => void): void {
    const rule = this.rules[match.rule]!;
    const spending = this.budget.spend(rule);
    if (spending === 'ignore') return;
    const start = this.view ? this.view.sourceStart(match.start) : match.start;
    if (spending === 'exceed') {
      this.exhausted = true;
      this.blocked ??= { kind: 'exceeded', rule, cut: start };
      return;
    }
    const end = this.view ? this.view.sourceEnd(match.end) : match.end;
    const by = rule.enforcement === 'enforce' ? this.exempting(match, rule) : undefined;
    const enforced = rule.enforcement === 'enforce' && by === undefined;
    const effect = enforced
      ? this.enforce(match, start, end, rule)
      : by === undefined
        ? EFFECTS.shadow
        : { kind: 'exempt' as const, by };
    if (effect === undefined) return;
    const { label, score, signals } = match;
    const weighed = signals && { ...(score !== undefined && { score }), signals };
    findings({ rule, label, text: this.key, start, end, enforced, effect, ...weighed });
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
        this.appends.add(rule);
        return EFFECTS.append;
      case 'block':
        this.block(rule, start);
        return EFFECTS.block;
      case 'redact':
      case 'rewrite':
        if (!this.sealed) return this.cover(match, start, end, rule);
        this.blocked ??= { kind: 'sealed', rule, cut: start };
        return EFFECTS.sealed;
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
    const within = clampedDecimal(this.textOf(match), clamp);
    if (within.kind === 'within') return undefined;
    if (within.kind === 'no number') {
      this.blocked ??= { kind: 'unjudged', rule, cut: start };
      return EFFECTS.block;
    }
    if (!this.sealed) return this.cover(match, start, end, rule, within.replacement);
    this.blocked ??= { kind: 'sealed', rule, cut: start };
    return EFFECTS.sealed;
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
        exempts(this.rules[other.rule]!, rule) &&
        other.start <= match.start &&
        other.end >= match.end
      );
    });
    return covering && this.rules[covering.rule];
  }

  /** Of overlapping matches the first is the winner; what sticks out of a loser is covered all the same. */
  private cover(
    match: ScannedMatch,
    start: number,
    end: number,
    rule: Rule,
    written?: string,
  ): Effect {
    const last = this.covered.at(-1);
    if (last && match.start < this.clusterEnd) {
      last.end = Math.max(last.end, end);
      this.clusterEnd = Math.max(this.clusterEnd, match.end);
      return { kind: 'cover', by: this.clusterRule! };
    }
    const replacement =
      written ??
      (rule.action.kind === 'rewrite'
        ? rule.action.with
        : this.placeholders.placeholder(match.label, this.textOf(match)));
    const spelled = this.spelled(replacement, match);
    this.covered.push({ start, end, replacement: spelled });
    this.clusterEnd = match.end;
    this.clusterRule = rule;
    return { kind: 'replace', replacement: spelled };
  }

  /** In JSON a replacement for a bare number must become a string, or the client could not parse it. */
  private spelled(replacement: string, match: ScannedMatch): string {
    if (!this.view) return replacement;
    const inner = escapeInner(replacement);
    return this.view.inString(match.start) ? inner : `"${inner}"`;
  }

  private textOf(match: ScannedMatch): string {
    return this.window.slice(match.start - this.windowStart, match.end - this.windowStart);
  }
}
