/**
 * What is counted while traffic runs, and how it is published. Counting touches typed arrays only;
 * prom-client reads them when somebody scrapes. Labels come from bounded tables (invariants 9, 10).
 */
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { ACTION_KINDS } from '../policy/actions/table.ts';
import { CountTable } from './count-table.ts';
import { DurationHistogram } from './duration-histogram.ts';
import { LabelTable } from './label-table.ts';
import { METRICS, type MetricEntry } from './metric-table.ts';

/** Most rules with a time series of their own; the others share `other`. 26 cells of 8 bytes each. */
export const RULES_MAX = 500;
/** Most decision codes and failure reasons; both come from our own closed tables. */
export const CODES_MAX = 64;
/** Most metrics of the judge. */
export const JUDGE_METRICS_MAX = 32;

export const COHORTS = ['control', 'canary'] as const;
export const VERDICTS = ['allow', 'deny', 'mutate', 'unavailable', 'incomplete'] as const;
export const PHASES = ['request', 'response', 'none'] as const;
export const ACTIONS: readonly string[] = [...Object.keys(ACTION_KINDS), 'restore', 'fallback'];
export const BREAKER_STATES = ['closed', 'half-open', 'open'] as const;
export const SWAP_KINDS = [
  'boot',
  'save',
  'canary',
  'stage',
  'promote',
  'rollback',
  'activate',
  'emergency',
] as const;
export const SWAP_OUTCOMES = ['done', 'refused', 'failed'] as const;
export const AUDIT_KINDS = [
  'process',
  'check',
  'local_reply',
  'mutation',
  'deferred',
  'transition',
] as const;

export const CLASSIFIER_OUTCOMES = [
  'judged',
  'cached',
  'deadline',
  'unreachable',
  'bad_status',
  'bad_answer',
  'overloaded',
  'too_long',
  'breaker_open',
  'not_configured',
] as const;

export const SPAN_OUTCOMES = ['exported', 'failed', 'dropped'] as const;

export type BreakerState = (typeof BREAKER_STATES)[number];
export type SetRole = 'blue' | 'green' | 'waiting';

/** Values that are as they are at the moment; each one given replaces the one before. */
export interface GaugeValues {
  readonly epoch?: number;
  readonly canarySharePpm?: number;
  readonly compileErrors?: number;
  readonly quarantinedFiles?: number;
  /** All sets in use. */
  readonly sets?: readonly { readonly digest: string; readonly role: SetRole }[];
  /** All breakers that exist. */
  readonly breakers?: readonly { readonly rule: string; readonly state: BreakerState }[];
  /** Calls that run or wait. */
  readonly classifierBacklogs?: readonly { readonly classifier: string; readonly calls: number }[];
  /** ln e-value per metric of the running judge; empty without one. */
  readonly evidence?: readonly { readonly metric: string; readonly logE: number }[];
}

export interface DecidedLabels {
  readonly cohort: string;
  readonly verdict: string;
  readonly code: string;
  readonly phase: string;
}

export interface Metrics {
  /** One exchange was decided; a DecisionRecord will do. Unknown labels count as `other`. */
  decision(decision: DecidedLabels): void;
  /** Time spent deciding one phase, in ms. */
  duration(phase: 'request' | 'response', durationMs: number): void;
  ruleMatch(rule: string, action: string, enforced: boolean): void;
  streamOpened(): void;
  streamClosed(): void;
  /** Held bytes grew by, or with a negative number shrank by. */
  held(deltaBytes: number): void;
  failure(reason: string): void;
  /** By us: for a fault of the peer's or a limit, a word of ours. */
  connectionClosed(reason: string): void;
  swap(kind: (typeof SWAP_KINDS)[number], outcome: (typeof SWAP_OUTCOMES)[number]): void;
  rollback(metric: string): void;
  breakerTransition(rule: string, to: BreakerState): void;
  auditWritten(kind: (typeof AUDIT_KINDS)[number], count: number): void;
  auditLost(count: number): void;
  auditFailing(failing: boolean): void;
  classifierOutcome(classifier: string, outcome: string): void;
  classifierDuration(classifier: string, durationMs: number): void;
  /** Spans of so many exchanges, or questions to classifiers. */
  spans(outcome: (typeof SPAN_OUTCOMES)[number], count: number): void;
  setGauges(values: GaugeValues): void;
  /** The rules of all sets in use: the series of all others end, and their slots are free again. */
  rulesInUse(rules: ReadonlySet<string>): void;
  /** The text format of Prometheus. */
  render(): Promise<string>;
  readonly contentType: string;
}

export interface MetricsOptions {
  readonly version?: string;
  /** The closed tables of decision codes and of failure reasons; without them the first CODES_MAX seen. */
  readonly codes?: readonly string[];
  readonly failures?: readonly string[];
  /** The names of the classifiers that are configured. */
  readonly classifiers?: readonly string[];
  readonly rulesMax?: number;
  /** Called before each scrape, to set gauges from what is. */
  readonly beforeRender?: (metrics: Metrics) => void;
  /** Metrics of the Node process. Default true. */
  readonly processMetrics?: boolean;
}

const RULE_POSITION = 0;

class RegistryMetrics implements Metrics {
  readonly #registry = new Registry();
  readonly #rules: LabelTable;
  readonly #judgeMetrics = new LabelTable([], JUDGE_METRICS_MAX);
  readonly #decisions: CountTable;
  readonly #ruleMatches: CountTable;
  readonly #failures: CountTable;
  readonly #connectionsClosed: CountTable;
  readonly #swaps: CountTable;
  readonly #rollbacks: CountTable;
  readonly #breakerTransitions: CountTable;
  readonly #auditRecords: CountTable;
  readonly #durations: DurationHistogram<'request' | 'response'>;
  readonly #classifierOutcomes: CountTable;
  readonly #spans: CountTable;
  readonly #classifierDurations: DurationHistogram<string>;
  readonly #beforeRender: ((metrics: Metrics) => void) | undefined;
  #openStreams = 0;
  #heldBytes = 0;
  #auditLost = 0;
  #auditFailing = false;
  #gauges: Required<GaugeValues> = {
    epoch: 0,
    canarySharePpm: 0,
    compileErrors: 0,
    quarantinedFiles: 0,
    sets: [],
    breakers: [],
    classifierBacklogs: [],
    evidence: [],
  };

  constructor(options: MetricsOptions) {
    this.#beforeRender = options.beforeRender;
    this.#rules = new LabelTable([], options.rulesMax ?? RULES_MAX);
    this.#decisions = this.#counted(METRICS.decisions, [
      new LabelTable(COHORTS),
      new LabelTable(VERDICTS),
      options.codes === undefined ? new LabelTable([], CODES_MAX) : new LabelTable(options.codes),
      new LabelTable(PHASES),
    ]);
    this.#ruleMatches = this.#counted(METRICS.ruleMatches, [
      this.#rules,
      new LabelTable(ACTIONS),
      new LabelTable(['true', 'false']),
    ]);
    this.#durations = new DurationHistogram({
      registry: this.#registry,
      name: METRICS.duration.name,
      help: METRICS.duration.help,
      labelName: METRICS.duration.labels[0],
      labels: ['request', 'response'],
    });
    this.#gauge(METRICS.heldBytes, (gauge) => gauge.set(this.#heldBytes));
    this.#gauge(METRICS.openStreams, (gauge) => gauge.set(this.#openStreams));
    this.#failures = this.#counted(METRICS.streamFailures, [
      options.failures === undefined
        ? new LabelTable([], CODES_MAX)
        : new LabelTable(options.failures),
    ]);
    this.#connectionsClosed = this.#counted(METRICS.connectionsClosed, [
      new LabelTable([], CODES_MAX),
    ]);
    this.#swaps = this.#counted(METRICS.swaps, [
      new LabelTable(SWAP_KINDS),
      new LabelTable(SWAP_OUTCOMES),
    ]);
    this.#gauge(METRICS.epoch, (gauge) => gauge.set(this.#gauges.epoch));
    this.#gauge(METRICS.setInfo, (gauge) => {
      for (const { digest, role } of this.#gauges.sets) gauge.set({ digest, role }, 1);
    });
    this.#gauge(METRICS.canaryShare, (gauge) => gauge.set(this.#gauges.canarySharePpm));
    this.#rollbacks = this.#counted(METRICS.rollbacks, [this.#judgeMetrics]);
    this.#gauge(METRICS.breakerState, (gauge) => this.#collectBreakers(gauge));
    this.#breakerTransitions = this.#counted(METRICS.breakerTransitions, [
      this.#rules,
      new LabelTable(BREAKER_STATES),
    ]);
    this.#gauge(METRICS.compileErrors, (gauge) => gauge.set(this.#gauges.compileErrors));
    this.#gauge(METRICS.quarantinedFiles, (gauge) => gauge.set(this.#gauges.quarantinedFiles));
    this.#auditRecords = this.#counted(METRICS.auditRecords, [new LabelTable(AUDIT_KINDS)]);
    this.#counter(METRICS.auditLost, (counter) => counter.inc(this.#auditLost));
    this.#gauge(METRICS.auditFailing, (gauge) => gauge.set(this.#auditFailing ? 1 : 0));
    this.#gauge(METRICS.evidence, (gauge) => {
      for (const { metric, logE } of this.#gauges.evidence) {
        gauge.set({ metric: this.#labelOf(this.#judgeMetrics, metric) }, logE);
      }
    });
    const classifiers = options.classifiers ?? [];
    this.#classifierOutcomes = this.#counted(METRICS.classifierOutcomes, [
      new LabelTable(classifiers),
      new LabelTable(CLASSIFIER_OUTCOMES),
    ]);
    this.#classifierDurations = new DurationHistogram({
      registry: this.#registry,
      name: METRICS.classifierDuration.name,
      help: METRICS.classifierDuration.help,
      labelName: METRICS.classifierDuration.labels[0],
      labels: classifiers,
    });
    this.#gauge(METRICS.classifierBacklog, (gauge) => {
      for (const { classifier, calls } of this.#gauges.classifierBacklogs)
        gauge.set({ classifier }, calls);
    });
    this.#spans = this.#counted(METRICS.spans, [new LabelTable(SPAN_OUTCOMES)]);
    this.#gauge(METRICS.buildInfo, (gauge) =>
      gauge.set({ version: options.version ?? 'unknown' }, 1),
    );
    if (options.processMetrics ?? true) collectDefaultMetrics({ register: this.#registry });
  }

  decision({ cohort, verdict, code, phase }: DecidedLabels): void {
    this.#decisions.add(1, cohort, verdict, code, phase);
  }

  duration(phase: 'request' | 'response', durationMs: number): void {
    this.#durations.observe(phase, durationMs);
  }

  ruleMatch(rule: string, action: string, enforced: boolean): void {
    this.#ruleMatches.add(1, rule, action, enforced ? 'true' : 'false');
  }

  streamOpened(): void {
    this.#openStreams += 1;
  }

  streamClosed(): void {
    this.#openStreams -= 1;
  }

  held(deltaBytes: number): void {
    this.#heldBytes += deltaBytes;
  }

  failure(reason: string): void {
    this.#failures.add(1, reason);
  }

  connectionClosed(reason: string): void {
    this.#connectionsClosed.add(1, reason);
  }

  swap(kind: string, outcome: string): void {
    this.#swaps.add(1, kind, outcome);
  }

  rollback(metric: string): void {
    this.#rollbacks.add(1, metric);
  }

  breakerTransition(rule: string, to: BreakerState): void {
    this.#breakerTransitions.add(1, rule, to);
  }

  auditWritten(kind: string, count: number): void {
    this.#auditRecords.add(count, kind);
  }

  auditLost(count: number): void {
    this.#auditLost += count;
  }

  auditFailing(failing: boolean): void {
    this.#auditFailing = failing;
  }

  classifierOutcome(classifier: string, outcome: string): void {
    this.#classifierOutcomes.add(1, classifier, outcome);
  }

  classifierDuration(classifier: string, durationMs: number): void {
    this.#classifierDurations.observe(classifier, durationMs);
  }

  spans(outcome: string, count: number): void {
    this.#spans.add(count, outcome);
  }

  setGauges(values: GaugeValues): void {
    this.#gauges = { ...this.#gauges, ...values };
  }

  rulesInUse(rules: ReadonlySet<string>): void {
    const freed = this.#rules.keepOnly(rules);
    this.#ruleMatches.forget(RULE_POSITION, freed);
    this.#breakerTransitions.forget(RULE_POSITION, freed);
    for (const rule of rules) this.#rules.slot(rule);
  }

  async render(): Promise<string> {
    this.#beforeRender?.(this);
    return this.#registry.metrics();
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  #labelOf(table: LabelTable, value: string): string {
    return table.value(table.slot(value)) ?? 'other';
  }

  #collectBreakers(gauge: Gauge): void {
    const worst = new Map<string, number>();
    for (const { rule, state } of this.#gauges.breakers) {
      const label = this.#labelOf(this.#rules, rule);
      worst.set(label, Math.max(worst.get(label) ?? 0, BREAKER_STATES.indexOf(state)));
    }
    for (const [rule, state] of worst) gauge.set({ rule }, state);
  }

  #counted(entry: MetricEntry, tables: readonly LabelTable[]): CountTable {
    const counts = new CountTable(entry.labels.map((label, index) => [label, tables[index]!]));
    this.#counter(entry, (counter) => counts.each((labels, count) => counter.inc(labels, count)));
    return counts;
  }

  #counter(entry: MetricEntry, collect: (counter: Counter) => void): void {
    new Counter({
      name: entry.name,
      help: entry.help,
      labelNames: [...entry.labels],
      registers: [this.#registry],
      collect() {
        this.reset();
        collect(this);
      },
    });
  }

  #gauge(entry: MetricEntry, collect: (gauge: Gauge) => void): void {
    new Gauge({
      name: entry.name,
      help: entry.help,
      labelNames: [...entry.labels],
      registers: [this.#registry],
      collect() {
        this.reset();
        collect(this);
      },
    });
  }
}

/** A registry of its own: two servers in one process do not mix. */
export function createMetrics(options: MetricsOptions = {}): Metrics {
  return new RegistryMetrics(options);
}
