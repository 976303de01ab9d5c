/** Every metric of Switchyard: its name, type, labels and meaning. `docs/reference/metrics.md` follows it. */
export interface MetricEntry {
  readonly name: `switchyard_${string}`;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly labels: readonly string[];
  readonly help: string;
}

export const METRICS = {
  decisions: {
    name: 'switchyard_decisions_total',
    type: 'counter',
    labels: ['cohort', 'verdict', 'code', 'phase'],
    help: 'Exchanges decided, one each, by what was decided and why',
  },
  ruleMatches: {
    name: 'switchyard_rule_matches_total',
    type: 'counter',
    labels: ['rule', 'action', 'enforced'],
    help: 'Matches of a rule; enforced="false" is a rule in shadow',
  },
  duration: {
    name: 'switchyard_decision_duration_seconds',
    type: 'histogram',
    labels: ['phase'],
    help: 'Time Switchyard itself took to decide a phase of an exchange',
  },
  heldBytes: {
    name: 'switchyard_held_bytes',
    type: 'gauge',
    labels: [],
    help: 'Body bytes held back at this moment, over all streams',
  },
  openStreams: {
    name: 'switchyard_open_streams',
    type: 'gauge',
    labels: [],
    help: 'ext_proc streams open at this moment',
  },
  streamFailures: {
    name: 'switchyard_stream_failures_total',
    type: 'counter',
    labels: ['reason'],
    help: 'Streams that Switchyard ended with an error status, so that Envoy fails closed',
  },
  connectionsClosed: {
    name: 'switchyard_connections_closed_total',
    type: 'counter',
    labels: ['reason'],
    help: 'Connections that the transport `fast` refused or closed for a fault of the peer or a limit',
  },
  swaps: {
    name: 'switchyard_swaps_total',
    type: 'counter',
    labels: ['kind', 'outcome'],
    help: 'Changes of what serves that were asked for',
  },
  epoch: {
    name: 'switchyard_epoch',
    type: 'gauge',
    labels: [],
    help: 'Epoch that serves; it only grows, a rollback is a new one',
  },
  setInfo: {
    name: 'switchyard_set_info',
    type: 'gauge',
    labels: ['digest', 'role'],
    help: '1 for each policy set in use, by role',
  },
  canaryShare: {
    name: 'switchyard_canary_share_ppm',
    type: 'gauge',
    labels: [],
    help: 'Share of sessions in the canary cohort, in millionths; 0 without a rollout',
  },
  rollbacks: {
    name: 'switchyard_rollbacks_total',
    type: 'counter',
    labels: ['metric'],
    help: 'Rollbacks, by the metric that caused them; operator for one asked for',
  },
  breakerState: {
    name: 'switchyard_breaker_state',
    type: 'gauge',
    labels: ['rule'],
    help: '0 closed, 1 half-open, 2 open; the worst state when two sets have the rule',
  },
  breakerTransitions: {
    name: 'switchyard_breaker_transitions_total',
    type: 'counter',
    labels: ['rule', 'to'],
    help: 'State changes of circuit breakers',
  },
  compileErrors: {
    name: 'switchyard_compile_errors',
    type: 'gauge',
    labels: [],
    help: 'Errors of the last save of the watched directory; 0 when it was taken',
  },
  quarantinedFiles: {
    name: 'switchyard_quarantined_files',
    type: 'gauge',
    labels: [],
    help: 'Policy files that were rolled back and do not serve until promoted by force or changed',
  },
  auditRecords: {
    name: 'switchyard_audit_records_total',
    type: 'counter',
    labels: ['kind'],
    help: 'Records that reached the audit file',
  },
  auditLost: {
    name: 'switchyard_audit_lost_total',
    type: 'counter',
    labels: [],
    help: 'Records that will never reach the audit file; their exchanges were refused or declared lossy',
  },
  auditFailing: {
    name: 'switchyard_audit_disk_failing',
    type: 'gauge',
    labels: [],
    help: '1 while audit records cannot be written, and what needs one is refused',
  },
  evidence: {
    name: 'switchyard_evidence_log',
    type: 'gauge',
    labels: ['metric'],
    help: 'Natural logarithm of the e-value of the running judge; ln(1/alpha) decides',
  },
  classifierOutcomes: {
    name: 'switchyard_classifier_outcomes_total',
    type: 'counter',
    labels: ['classifier', 'outcome'],
    help: 'Questions to a classifier, by how they ended; cached asked nobody',
  },
  classifierDuration: {
    name: 'switchyard_classifier_duration_seconds',
    type: 'histogram',
    labels: ['classifier'],
    help: 'Time a call of a classifier took, as far as it was answered',
  },
  classifierBacklog: {
    name: 'switchyard_classifier_backlog',
    type: 'gauge',
    labels: ['classifier'],
    help: 'Calls of a classifier that run or wait at this moment',
  },
  spans: {
    name: 'switchyard_spans_total',
    type: 'counter',
    labels: ['outcome'],
    help: 'Exchanges, and questions to classifiers, whose spans were exported, failed to be or were dropped',
  },
  buildInfo: {
    name: 'switchyard_build_info',
    type: 'gauge',
    labels: ['version'],
    help: '1; the version is the label',
  },
} as const satisfies Record<string, MetricEntry>;
