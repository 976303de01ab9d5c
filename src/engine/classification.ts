/**
 * What classifiers outside of this process are asked about one body, and what follows. Rules that block `inline`
 * hold the body until their verdicts; all others are asked when it leaves, and nobody waits for them.
 */

import type { Frame } from '../formats/frame.ts';
import { scoreOf, spanOf, stretchesOf, type TextVerdict } from '../match/classifier.ts';
import { decide } from '../policy/evaluate.ts';
import { ruleReaches } from '../policy/reach.ts';
import type { Direction, Place, Rule } from '../policy/set.ts';
import type { RuleError } from './active-rules.ts';
import type { Pause } from './backlog.ts';
import { type ClassifiedText, ClassifiedTexts } from './classified-texts.ts';
import type { ClassifierOutcome } from './classifiers.ts';
import type { Exchange } from './exchange.ts';
import type { Finding, PieceEdit } from './findings.ts';
import { type GivenSpan, GivenSpans } from './given-spans.ts';
import type { BodyObserver } from './observer.ts';
import { narrowed } from './rule-lists.ts';

/** Evidence is `-ln(1 - score)`: of a score of 1 it would have no end. */
const SCORE_MAX = 0.999;

/** What asking some rules has come to. */
interface Results {
  readonly findings: readonly Finding[];
  readonly errors: readonly RuleError[];
}

export class Classification {
  /** Undefined where no rule of `rules` asks, or nobody can be asked. */
  static of(
    exchange: Exchange,
    direction: Direction,
    rules: readonly Rule[],
    observer: BodyObserver | undefined,
  ): Classification | undefined {
    if (exchange.deps.classifiers === undefined) return undefined;
    const asking = narrowed(rules, 'asking', asks);
    return asking.length === 0
      ? undefined
      : new Classification(exchange, direction, asking, observer);
  }

  private readonly exchange: Exchange;
  private readonly direction: Direction;
  private readonly rules: readonly Rule[];
  private readonly texts: ClassifiedTexts;
  private readonly observer: BodyObserver | undefined;
  private over = false;
  private readonly found = new Map<
    string,
    { readonly value: string; readonly spans: GivenSpan[] }
  >();
  /** Groups of rules that have not been answered yet. */
  private unanswered = 0;

  private constructor(
    exchange: Exchange,
    direction: Direction,
    rules: readonly Rule[],
    observer: BodyObserver | undefined,
  ) {
    this.observer = observer;
    this.exchange = exchange;
    this.direction = direction;
    this.rules = rules;
    const { limits, held } = exchange.deps;
    const wants = (place: Place) => rules.some((rule) => this.reads(rule, place));
    this.texts = new ClassifiedTexts(direction, wants, limits.classifiedUnitsMax, held);
  }

  /** Nothing of the body may leave before `judge` says so. */
  get holds(): boolean {
    return this.holding.length > 0;
  }

  /** A frame that may leave, and what was changed in it. */
  take(frame: Frame, edits: readonly PieceEdit[]): void {
    this.texts.take(frame, edits);
  }

  /** Everything was taken: whoever is not waited for is asked. */
  complete(): void {
    if (!this.holds) this.askLater();
  }

  /** The body goes no further: what was to be asked later is not. */
  discard(): void {
    if (this.over) return;
    this.over = true;
    this.texts.release();
  }

  /** Asks, and waits for those that hold the body; false when the exchange was refused. */
  *judge(): Generator<Pause, boolean> {
    const { holding } = this;
    if (holding.length > 0) {
      let results: Results | undefined;
      let wake = (): void => {};
      this.ask(holding, true, (told) => {
        results = told;
        wake();
      });
      if (results === undefined)
        yield (resume) => {
          wake = resume;
        };
      if (this.refuses(results!)) {
        this.discard();
        return false;
      }
    }
    this.askLater();
    return true;
  }

  private get holding(): readonly Rule[] {
    if (this.exchange.port.observability) return NO_RULES;
    return narrowed(this.rules, 'holding', decidesInline);
  }

  /** What rules replace of the body, after `judge`; undefined where nothing. */
  get spans(): GivenSpans | undefined {
    return this.found.size === 0 ? undefined : new GivenSpans(this.found);
  }

  private refuses({ findings, errors }: Results): boolean {
    const { exchange, direction } = this;
    this.tell({ findings, errors });
    const verdict = decide(
      [],
      [
        ...findings.map(({ rule }) => ({ rule })),
        ...errors.map(({ rule }) => ({ rule, failed: true })),
      ],
    );
    if (verdict.kind === 'block') {
      exchange.refuse(direction, 'policy', verdict.rule);
      return true;
    }
    if (verdict.kind !== 'unavailable') return false;
    const { rule } = verdict;
    const open = errors.some((one) => one.rule === rule && one.error === 'breaker_open');
    exchange.refuse(direction, open ? 'breaker_open' : 'rule_error', rule);
    return true;
  }

  private askLater(): void {
    if (this.over) return;
    this.over = true;
    const { holding } = this;
    const later = this.rules.filter((rule) => !holding.includes(rule));
    if (later.length > 0) this.ask(later, false, (results) => this.tell(results));
    if (this.unanswered === 0) this.texts.release();
  }

  /** In the exchange's own record as long as there is none, in one of its own after that. */
  private tell({ findings, errors }: Results): void {
    const { decision } = this.exchange;
    if (findings.length + errors.length === 0) return;
    if (decision.closed) {
      decision.late(findings, errors);
      return;
    }
    for (const finding of findings) {
      decision.finding(finding);
      this.observer?.finding(finding);
    }
    decision.failedRules(errors);
  }

  /** Each classifier once, about the texts of all of `rules` that name it. */
  private ask(rules: readonly Rule[], urgent: boolean, told: (results: Results) => void): void {
    const { exchange, direction } = this;
    const { decision, deps } = exchange;
    const { source } = exchange;
    const groups = groupByClassifier(rules);
    const findings: Finding[] = [];
    const errors: RuleError[] = [];
    let unanswered = groups.size;
    for (const [classifier, group] of groups) {
      const texts = this.texts.all.filter(({ place }) =>
        group.some((rule) => this.reads(rule, place)),
      );
      this.unanswered++;
      const answer = (outcome: ClassifierOutcome): void => {
        this.unanswered--;
        for (const rule of group) this.settle(rule, texts, outcome, findings, errors);
        unanswered--;
        if (unanswered > 0) return;
        if (this.over && this.unanswered === 0) this.texts.release();
        told({ findings, errors });
      };
      if (this.texts.exceeded) answer({ kind: 'failed', reason: 'too_long' });
      else if (texts.length === 0) answer({ kind: 'judged', verdicts: [] });
      else {
        const asked = decision.span?.asking(decision.id, classifier, direction);
        deps.classifiers!.ask(
          {
            classifier,
            set: decision.assignment!.set.digest,
            tenant: decision.facts.tenant,
            direction,
            texts: texts.map(({ value }) => value),
            urgent,
            source,
          },
          (outcome) => {
            asked?.(outcome.kind === 'judged' ? outcome.kind : outcome.reason);
            answer(outcome);
          },
        );
      }
    }
  }

  private settle(
    rule: Rule,
    texts: readonly ClassifiedText[],
    outcome: ClassifierOutcome,
    findings: Finding[],
    errors: RuleError[],
  ): void {
    const classifier = rule.detector!.classifier!.name;
    if (outcome.kind === 'failed') {
      const { reason } = outcome;
      const error = reason === 'breaker_open' ? reason : (`classifier_${reason}` as const);
      errors.push({ rule, error, classifier });
      return;
    }
    let evidence = 0;
    for (const [index, text] of texts.entries()) {
      if (!this.reads(rule, text.place)) continue;
      const verdict = outcome.verdicts[index]!;
      const finding = findingOf(rule, text, verdict);
      if (finding === undefined) continue;
      // What it replaces is told when it is replaced.
      if (replacesInline(rule) && this.holding.includes(rule)) this.replace(rule, text, verdict);
      else findings.push(finding);
      const { score = 0 } = finding;
      if (text.fresh) evidence = Math.max(evidence, -Math.log(1 - Math.min(score, SCORE_MAX)));
    }
    this.remember(rule, evidence);
  }

  private replace(rule: Rule, { key, left, value }: ClassifiedText, verdict: TextVerdict): void {
    const stretches = stretchesOf(rule.detector!.classifier!, verdict, value.length);
    const spans = stretches.map(({ start, end, label }) => ({
      ...{ rule, label },
      ...this.texts.leftSpan(key, start, end),
    }));
    const known = this.found.get(key);
    if (known === undefined) this.found.set(key, { value: left, spans });
    else known.spans.push(...spans);
  }

  private remember(rule: Rule, evidence: number): void {
    const { decision, deps } = this.exchange;
    if (rule.detector?.classifier?.session === undefined || evidence === 0) return;
    if (decision.session === undefined) return;
    deps.sessionScores?.add(rule.id, decision.session.hex, evidence, deps.clock.monotonicMs());
  }

  /** An application's own orders are asked about only where `inspect` names them. */
  private reads(rule: Rule, place: Place): boolean {
    if (place === 'system' && !rule.inspect.has('system')) return false;
    return ruleReaches(rule, this.direction, place);
  }
}

const NO_RULES: readonly Rule[] = Object.freeze([]);

const asks = ({ detector }: Rule): boolean => detector?.classifier !== undefined;

/** Whether what the rule reads is blocked by a verdict from outside, and waits for it. */
export const blocksInline = (rule: Rule): boolean =>
  rule.action.kind === 'block' && actsInline(rule);

/** Whether it is changed by one. */
const replacesInline = (rule: Rule): boolean =>
  (rule.action.kind === 'redact' || rule.action.kind === 'rewrite') && actsInline(rule);

const actsInline = ({ detector, enforcement }: Rule): boolean =>
  detector?.classifier?.mode === 'inline' && enforcement === 'enforce';

const decidesInline = (rule: Rule): boolean => blocksInline(rule) || replacesInline(rule);

/** Whether the rule comes too late for the exchange whose words it reads. */
export const isDeferred = ({ detector }: Rule): boolean =>
  detector?.classifier?.mode === 'deferred';

function groupByClassifier(rules: readonly Rule[]): ReadonlyMap<string, readonly Rule[]> {
  const groups = new Map<string, Rule[]>();
  for (const rule of rules) {
    const { name } = rule.detector!.classifier!;
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [rule]);
    else group.push(rule);
  }
  return groups;
}

function findingOf(rule: Rule, text: ClassifiedText, verdict: TextVerdict): Finding | undefined {
  const question = rule.detector!.classifier!;
  const score = scoreOf(question, verdict);
  if (score < question.threshold) return undefined;
  const { start, end } = spanOf(question, verdict) ?? { start: 0, end: text.value.length };
  // What a deferred verdict would block has left.
  const enforced =
    rule.enforcement === 'enforce' && !(isDeferred(rule) && rule.action.kind === 'block');
  return {
    rule,
    label: 'CLASSIFIER',
    text: text.key,
    start,
    end,
    enforced,
    effect: { kind: !enforced ? 'shadow' : rule.action.kind === 'block' ? 'block' : 'flag' },
    score,
  };
}
