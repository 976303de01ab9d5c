/** What the board shows, as data: titles, queries and units, row by row. */

export interface PanelQuery {
  readonly expr: string;
  /** Legend, with `{{label}}`. */
  readonly legend: string;
}

export interface PanelSpec {
  readonly title: string;
  /** What a person should do with it, in a sentence. */
  readonly description: string;
  readonly kind: 'timeseries' | 'stat' | 'table';
  /** Grafana's unit id. */
  readonly unit: string;
  readonly queries: readonly PanelQuery[];
}

export interface RowSpec {
  readonly title: string;
  readonly panels: readonly PanelSpec[];
}

function rate(metric: string, by: string): string {
  return `sum by (${by}) (rate(${metric}[$__rate_interval]))`;
}

function quantile(q: number): string {
  const buckets = rate('switchyard_decision_duration_seconds_bucket', 'le, phase');
  return `histogram_quantile(${q}, ${buckets})`;
}

function denyRatio(cohort: string): string {
  const exchanges = (matcher: string): string =>
    `sum(rate(switchyard_decisions_total{cohort="${cohort}"${matcher}}[$__rate_interval]))`;
  return `${exchanges(', verdict="deny"')} / ${exchanges('')}`;
}

const DECISIONS: RowSpec = {
  title: 'Decisions',
  panels: [
    {
      title: 'Exchanges by verdict',
      description: '`unavailable` is a failure, not a verdict: look at the reasons below.',
      kind: 'timeseries',
      unit: 'reqps',
      queries: [{ expr: rate('switchyard_decisions_total', 'verdict'), legend: '{{verdict}}' }],
    },
    {
      title: 'Why not allowed',
      description: 'Codes of decisions that denied, or could not be made.',
      kind: 'timeseries',
      unit: 'reqps',
      queries: [
        {
          expr: 'sum by (code) (rate(switchyard_decisions_total{verdict=~"deny|unavailable|incomplete"}[$__rate_interval]))',
          legend: '{{code}}',
        },
      ],
    },
    {
      title: 'Matches by rule',
      description: 'A rule with enforced="false" is in shadow: it is counted and changes nothing.',
      kind: 'timeseries',
      unit: 'ops',
      queries: [
        {
          expr: rate('switchyard_rule_matches_total', 'rule, action, enforced'),
          legend: '{{rule}} {{action}} enforced={{enforced}}',
        },
      ],
    },
    {
      title: 'Time to decide',
      description: "Switchyard's own time in a phase, without waiting for the model.",
      kind: 'timeseries',
      unit: 's',
      queries: [
        { expr: quantile(0.5), legend: 'p50 {{phase}}' },
        { expr: quantile(0.99), legend: 'p99 {{phase}}' },
      ],
    },
  ],
};

const ROLLOUTS: RowSpec = {
  title: 'Rollouts',
  panels: [
    {
      title: 'Canary share',
      description: 'Share of sessions that the green set decides; 0 without a rollout.',
      kind: 'stat',
      unit: 'percentunit',
      queries: [{ expr: 'max(switchyard_canary_share_ppm) / 1e6', legend: 'canary' }],
    },
    {
      title: 'Epoch',
      description: 'Grows with every change of what serves; a rollback is a new epoch.',
      kind: 'stat',
      unit: 'none',
      queries: [{ expr: 'max(switchyard_epoch)', legend: 'epoch' }],
    },
    {
      title: 'Quarantined files',
      description: 'Rolled back, and kept out until promoted by force or changed.',
      kind: 'stat',
      unit: 'none',
      queries: [{ expr: 'max(switchyard_quarantined_files)', legend: 'files' }],
    },
    {
      title: 'Sets in use',
      description: 'Digests by role: blue served when the rollout began, green is the candidate.',
      kind: 'table',
      unit: 'none',
      queries: [
        { expr: 'max by (digest, role) (switchyard_set_info)', legend: '{{role}} {{digest}}' },
      ],
    },
    {
      title: 'Denials by cohort',
      description: 'What the judge compares, as a ratio of exchanges; it judges per session.',
      kind: 'timeseries',
      unit: 'percentunit',
      queries: [
        { expr: denyRatio('control'), legend: 'control' },
        { expr: denyRatio('canary'), legend: 'canary' },
      ],
    },
    {
      title: 'Evidence',
      description: 'Natural logarithm of the e-value: at ln(1/alpha) the judge rolls back.',
      kind: 'timeseries',
      unit: 'none',
      queries: [{ expr: 'max by (metric) (switchyard_evidence_log)', legend: '{{metric}}' }],
    },
    {
      title: 'Changes of what serves',
      description: 'Saves, promotions, rollbacks and activations, and what became of them.',
      kind: 'timeseries',
      unit: 'none',
      queries: [
        {
          expr: 'sum by (kind, outcome) (increase(switchyard_swaps_total[$__rate_interval]))',
          legend: '{{kind}} {{outcome}}',
        },
      ],
    },
    {
      title: 'Rollbacks',
      description: 'By the metric that caused them; `operator` was asked for by a person.',
      kind: 'stat',
      unit: 'none',
      queries: [{ expr: 'sum by (metric) (switchyard_rollbacks_total)', legend: '{{metric}}' }],
    },
  ],
};

const HEALTH: RowSpec = {
  title: 'Health',
  panels: [
    {
      title: 'Open streams',
      description: 'ext_proc streams at this moment, one per exchange.',
      kind: 'timeseries',
      unit: 'none',
      queries: [{ expr: 'sum(switchyard_open_streams)', legend: 'streams' }],
    },
    {
      title: 'Held bytes',
      description: 'Held back until they are judged; bounded per stream and in total.',
      kind: 'timeseries',
      unit: 'bytes',
      queries: [{ expr: 'sum(switchyard_held_bytes)', legend: 'held' }],
    },
    {
      title: 'Streams ended by us',
      description: 'With an error status, so that Envoy fails closed. Should be 0.',
      kind: 'timeseries',
      unit: 'ops',
      queries: [{ expr: rate('switchyard_stream_failures_total', 'reason'), legend: '{{reason}}' }],
    },
    {
      title: 'Connections closed by us',
      description:
        'Of the fast transport, by the limit that was reached or the fault. Envoy gives no reason for any: look who else can reach the port.',
      kind: 'timeseries',
      unit: 'ops',
      queries: [
        { expr: rate('switchyard_connections_closed_total', 'reason'), legend: '{{reason}}' },
      ],
    },
    {
      title: 'Circuit breakers',
      description: '0 closed, 1 half-open, 2 open.',
      kind: 'timeseries',
      unit: 'none',
      queries: [{ expr: 'max by (rule) (switchyard_breaker_state)', legend: '{{rule}}' }],
    },
  ],
};

const CLASSIFIERS: RowSpec = {
  title: 'Classifiers',
  panels: [
    {
      title: 'Questions to classifiers',
      description:
        '`cached` asked nobody. What is neither that nor `judged` had no verdict: the class of the rule decided.',
      kind: 'timeseries',
      unit: 'ops',
      queries: [
        {
          expr: rate('switchyard_classifier_outcomes_total', 'classifier, outcome'),
          legend: '{{classifier}} {{outcome}}',
        },
      ],
    },
    {
      title: 'Time to a verdict',
      description:
        'Of one call. Inline rules hold the exchange for it: keep it below `deadlineMs`.',
      kind: 'timeseries',
      unit: 's',
      queries: [0.5, 0.99].map((q) => ({
        expr: `histogram_quantile(${q}, ${rate('switchyard_classifier_duration_seconds_bucket', 'le, classifier')})`,
        legend: `p${q * 100} {{classifier}}`,
      })),
    },
    {
      title: 'Calls that run or wait',
      description: 'One that only grows has a classifier that is slower than it is asked.',
      kind: 'timeseries',
      unit: 'none',
      queries: [
        {
          expr: 'sum by (classifier) (switchyard_classifier_backlog)',
          legend: '{{classifier}}',
        },
      ],
    },
  ],
};

export const ROWS: readonly RowSpec[] = [DECISIONS, ROLLOUTS, HEALTH, CLASSIFIERS];

/**
 * Every query of the board as Prometheus takes it, with `$__rate_interval` replaced, e.g. by `1m`: a check
 * runs each against a real Prometheus and wants data.
 */
export function panelQueries(
  rateInterval: string,
): readonly { readonly panel: string; readonly expr: string }[] {
  return ROWS.flatMap(({ panels }) =>
    panels.flatMap(({ title, queries }) =>
      queries.map(({ expr }) => ({
        panel: title,
        expr: expr.replaceAll('$__rate_interval', rateInterval),
      })),
    ),
  );
}
