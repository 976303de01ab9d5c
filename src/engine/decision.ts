/** Collects what one exchange's record will say, and writes it exactly once. */
import type { DecisionRecord } from '../audit/record.ts';
import { isMutation } from '../policy/evaluate.ts';
import { riskOf } from '../policy/risk.ts';
import { isNamedBySelector } from '../policy/scope.ts';
import type { Direction, FactName, Facts, Rule } from '../policy/set.ts';
import type { SessionHash } from '../rollout/cohort.ts';
import type { Lifted, RuleError } from './active-rules.ts';
import { detectorName } from './classifiers.ts';
import type { DecisionCode } from './codes.ts';
import { isChosenByClient } from './facts.ts';
import type { Finding } from './findings.ts';
import type { EngineDeps } from './ports.ts';
import { TurnFacts } from './session-facts.ts';
import type { Assigned } from './snapshot.ts';
import { ReadOnce } from './surroundings.ts';
import type { TraceContext } from './trace-context.ts';
import { ExchangeSpan } from './tracing.ts';

/** Words that text keys are made of; anything else in a key came from the body and is not shown. */
const KEY_WORDS = new Set([
  'choice',
  'message',
  'tool',
  'tools',
  'part',
  'content',
  'refusal',
  'reasoning',
  'reasoning_content',
  'arguments',
  'name',
  'text',
  'shadowed',
  'error',
  'function',
  'system',
  'input',
  'other',
]);

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/iu;

const NONE: readonly never[] = Object.freeze([]);
const NO_FACTS: DecisionRecord['facts'] = Object.freeze({});
const RISK_FAULT: readonly string[] = Object.freeze(['risk']);

export class DecisionDraft {
  /** Made anew, unless Check already named this exchange. */
  id: string;
  assignment: Assigned | undefined;
  facts: Facts = {};
  session: SessionHash | undefined;
  requestId = '';
  /** Of a sampled trace, where somebody takes spans. */
  span: ExchangeSpan | undefined;
  route = '';
  format = '';
  status = 0;
  phase: 'request' | 'response' | 'none' = 'none';
  degraded = false;
  requestBytes = 0;
  responseBytes = 0;
  mutated = false;
  rerouted: DecisionRecord['rerouted'];
  /** Something was changed that no written record names yet. */
  mutationDue = true;
  closed = false;

  private readonly deps: EngineDeps;
  private readonly kind: 'process' | 'check';
  private readonly startedAtMs: number;
  private readonly startedMonotonicMs: number;
  private readonly findings: DecisionRecord['findings'][number][] = [];
  private findingsDropped = 0;
  private readonly errors: RuleError[] = [];
  private unjudgedReason = '';
  private unjudgedRules: readonly Rule[] = [];
  private liftedRules: readonly Lifted[] = [];
  private readonly turn = new TurnFacts();
  private around: ReadOnce | undefined;
  private traceContext: TraceContext | undefined;

  constructor(deps: EngineDeps, kind: 'process' | 'check', id: string) {
    this.deps = deps;
    this.kind = kind;
    this.id = id;
    this.startedAtMs = deps.clock.nowMs();
    this.startedMonotonicMs = deps.clock.monotonicMs();
  }

  /** Which trace the exchange belongs to. */
  traced(context: TraceContext | undefined): void {
    this.traceContext = context;
    const { traces, clock } = this.deps;
    if (context?.sampled && traces) this.span = new ExchangeSpan(traces, context, clock);
  }

  /** What conditions read beside the request, the same for all of this call; asked for when the session is known. */
  get surroundings(): ReadOnce | undefined {
    const { world } = this.deps;
    if (world !== undefined) this.around ??= new ReadOnce(world, this.session?.hex);
    return this.around;
  }

  finding(finding: Finding): void {
    const { rule } = finding;
    this.turn.add(finding);
    this.deps.metrics.ruleMatch(rule.id, rule.action.kind, finding.enforced);
    if (finding.enforced && isMutation(rule)) this.mutationDue = true;
    if (this.findings.length >= this.deps.limits.findingsMax) {
      this.findingsDropped++;
      return;
    }
    this.findings.push(shownFinding(finding));
  }

  /** What was found out about this exchange when its record was written already: a record of its own. */
  late(findings: readonly Finding[], errors: readonly RuleError[]): void {
    const { decisions, limits, metrics } = this.deps;
    for (const { rule, enforced } of findings)
      metrics.ruleMatch(rule.id, rule.action.kind, enforced);
    const record: DecisionRecord = {
      ...this.record('deferred', 'allow', 'allowed'),
      degraded: errors.length > 0,
      findings: findings.slice(0, limits.findingsMax).map(shownFinding),
      findingsDropped: Math.max(0, findings.length - limits.findingsMax),
      errors: errors.map(shownError),
      breakers: openBreakers(errors),
    };
    try {
      decisions.allowed(record);
    } catch {
      // The exchange is over and nothing can be refused any more; that the record is missing is counted.
      metrics.failure('audit_unavailable');
    }
    this.span?.decidedLate(record);
  }

  failedRules(errors: readonly RuleError[]): void {
    this.errors.push(...errors);
    if (errors.length > 0) this.degraded = true;
  }

  /** Something could not be read: told in the record of a refusal that comes of it. */
  unreadable(reason: string): void {
    this.unjudgedReason = reason;
  }

  /** These rules cannot be kept, and their class refuses. */
  mustJudge(rules: readonly Rule[]): void {
    this.unjudgedRules = rules;
  }

  lifted(lifted: readonly Lifted[]): void {
    this.liftedRules = lifted;
  }

  /** The model that was asked for, as it may be shown. */
  get shownModel(): string | undefined {
    const { model } = this.facts;
    return model === undefined ? undefined : this.shownFact('model', model);
  }

  /** Written before changed bytes leave (SEMANTICS §9). */
  mutation(direction: Direction): void {
    this.phase = direction;
    this.mutated = true;
    this.mutationDue = false;
    this.deps.decisions.denied(this.record('mutation', 'mutate', 'allowed'));
  }

  /** Denials are durable when this returns; a second call does nothing. Throws when they cannot be. */
  close(verdict: DecisionRecord['verdict'], code: DecisionCode): void {
    if (this.closed) return;
    this.closed = true;
    this.deps.sessionFacts?.learn(this.session?.hex, this.turn);
    const record = this.record(code === 'local_reply' ? 'local_reply' : this.kind, verdict, code);
    // What Check allows is decided by Process: counted here, it would count twice.
    const decided = this.kind === 'process' || verdict !== 'allow';
    if (decided) this.deps.metrics.decision(record);
    if (this.assignment && code !== 'local_reply' && decided) {
      const errored = this.errors.length > 0 || code === 'internal_error';
      this.deps.outcome({
        set: this.assignment.set.digest,
        epoch: this.assignment.epoch,
        cohort: this.assignment.cohort,
        session: this.session?.hex,
        // What a limit or a body nobody can read refuses is no fault of a rule: counted as an error, a
        // client who sends such bodies could undo a rollout.
        denied: verdict === 'deny' || (verdict === 'unavailable' && !errored),
        errored,
        startedMs: this.startedMonotonicMs,
      });
    }
    if (verdict === 'allow' || verdict === 'incomplete') this.deps.decisions.allowed(record);
    else this.deps.decisions.denied(record);
    this.span?.decided(record);
  }

  private record(
    kind: DecisionRecord['kind'],
    verdict: DecisionRecord['verdict'],
    code: DecisionCode,
  ): DecisionRecord {
    const { assignment, facts } = this;
    const { clock, limits, serving } = this.deps;
    // What is not there is undefined and not left out: a literal of one shape costs a tenth of one put together.
    return {
      kind,
      exchange: this.id,
      requestId: this.shownRequestId(),
      traceContext: this.traceContext,
      atMs: this.startedAtMs,
      durationMs: wholeMicroseconds(clock.monotonicMs() - this.startedMonotonicMs),
      epoch: assignment?.epoch ?? serving.current.epoch,
      set: assignment?.set.digest ?? '',
      cohort: assignment?.cohort ?? 'control',
      verdict,
      code,
      degraded: this.degraded,
      phase: this.phase,
      session: this.session?.hex,
      facts: this.shownFacts(),
      factFaults:
        facts.risk !== undefined && riskOf(facts.risk) === undefined ? RISK_FAULT : undefined,
      surroundings: this.around?.read,
      route: this.route,
      format: this.format,
      status: this.status,
      findings: this.findings,
      findingsDropped: this.findingsDropped,
      lifted:
        this.liftedRules.length === 0
          ? undefined
          : this.liftedRules
              .slice(0, limits.findingsMax)
              .map(({ rule, by }) => ({ rule: rule.id, by: by.id })),
      errors: this.errors.length === 0 ? NONE : this.errors.map(shownError),
      breakers: this.errors.length === 0 ? NONE : openBreakers(this.errors),
      unjudged: verdict === 'unavailable' ? this.shownUnjudged() : undefined,
      rerouted: this.rerouted,
      requestBytes: this.requestBytes,
      responseBytes: this.responseBytes,
    };
  }

  private shownFacts(): DecisionRecord['facts'] {
    const { tenant, app, model } = this.facts;
    if (tenant === undefined && app === undefined && model === undefined) return NO_FACTS;
    const shown: Partial<Record<'tenant' | 'app' | 'model', string>> = {};
    if (tenant !== undefined) shown.tenant = this.shownFact('tenant', tenant);
    if (app !== undefined) shown.app = this.shownFact('app', app);
    if (model !== undefined) shown.model = this.shownFact('model', model);
    return shown;
  }

  /** A fact that a client can choose is shown only when some rule names it; else its keyed hash. */
  private shownFact(name: FactName, value: string): string {
    const chosen = this.deps.facts[name]?.some(isChosenByClient);
    if (!chosen) return value;
    const set = this.assignment?.set;
    const named = set !== undefined && isNamedBySelector(set, name, value);
    return named ? value : `h:${this.deps.keyedHash(value)}`;
  }

  private shownUnjudged(): DecisionRecord['unjudged'] {
    const { unjudgedReason: reason, unjudgedRules: rules } = this;
    if (reason === '' && rules.length === 0) return undefined;
    const { findingsMax } = this.deps.limits;
    return { reason, rules: rules.slice(0, findingsMax).map(({ id }) => id) };
  }

  private shownRequestId(): string {
    if (this.requestId === '') return '';
    return UUID.test(this.requestId) ? this.requestId : `h:${this.deps.keyedHash(this.requestId)}`;
  }
}

function shownFinding(finding: Finding): DecisionRecord['findings'][number] {
  const { rule, effect } = finding;
  return {
    rule: rule.id,
    action: rule.action.kind,
    enforced: finding.enforced,
    ...('by' in effect && { by: effect.by.id }),
    label: finding.label,
    text: shownKey(finding.text),
    start: finding.start,
    end: finding.end,
    ...(finding.score !== undefined && { score: finding.score }),
    ...(finding.signals !== undefined && { signals: finding.signals }),
  };
}

function shownError({ rule, error, classifier }: RuleError): DecisionRecord['errors'][number] {
  return { rule: rule.id, error, ...(classifier !== undefined && { classifier }) };
}

/** Of rules, and of the detectors of rules, that failed because they are out of service. */
function openBreakers(errors: readonly RuleError[]): readonly string[] {
  const open = errors.filter(({ error }) => error === 'breaker_open');
  return [
    ...new Set(
      open.map(({ rule, classifier }) =>
        classifier === undefined ? rule.id : detectorName(classifier),
      ),
    ),
  ];
}

/** No clock says more, and a number of few digits is quicker to write. */
const wholeMicroseconds = (ms: number): number => Math.round(ms * 1_000) / 1_000;

function shownKey(key: string): string {
  return key
    .split('/')
    .map((part) => (KEY_WORDS.has(part) || /^\d{1,6}$/u.test(part) ? part : '*'))
    .join('/');
}
