import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import fc from 'fast-check';
import { DURATION_BUCKETS_S } from '../../src/telemetry/duration-histogram.ts';
import { METRICS } from '../../src/telemetry/metric-table.ts';
import * as metrics from '../../src/telemetry/metrics.ts';

const create = (over: metrics.MetricsOptions = {}): metrics.Metrics =>
  metrics.createMetrics({ processMetrics: false, ...over });

async function sample(of: metrics.Metrics, series: string): Promise<number | undefined> {
  const line = (await of.render()).split('\n').find((text) => text.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1));
}

const DECIDED = { cohort: 'control', verdict: 'deny', code: 'policy', phase: 'request' };

describe('metrics', () => {
  it('counts decisions by their labels', async () => {
    const own = create();
    own.decision(DECIDED);
    own.decision(DECIDED);
    own.decision({ ...DECIDED, phase: 'response', cohort: 'canary' });
    const series = 'switchyard_decisions_total{cohort="control",verdict="deny",code="policy"';
    assert.equal(await sample(own, `${series},phase="request"}`), 2);
    assert.equal(
      await sample(
        own,
        'switchyard_decisions_total{cohort="canary",verdict="deny",code="policy",phase="response"}',
      ),
      1,
    );
    assert.equal(await sample(own, `${series},phase="none"}`), undefined);
  });

  it('is the same however often it is scraped', async () => {
    const own = create();
    own.decision(DECIDED);
    own.duration('request', 3);
    own.auditLost(2);
    own.setGauges({ epoch: 4, sets: [{ digest: 'sha256:aa', role: 'blue' }] });
    const first = await own.render();
    assert.equal(await own.render(), first);
  });

  it('publishes every event', async () => {
    const own = create({ version: '1.2.3' });
    own.ruleMatch('p/r', 'block', true);
    own.ruleMatch('p/r', 'block', false);
    own.streamOpened();
    own.streamOpened();
    own.streamClosed();
    own.held(100);
    own.held(-40);
    own.failure('protocol');
    own.swap('promote', 'done');
    own.rollback('deny_rate');
    own.breakerTransition('p/r', 'open');
    own.auditWritten('process', 5);
    own.auditLost(3);
    own.auditFailing(true);
    own.setGauges({
      epoch: 9,
      canarySharePpm: 200_000,
      compileErrors: 2,
      quarantinedFiles: 1,
      sets: [
        { digest: 'sha256:aa', role: 'blue' },
        { digest: 'sha256:bb', role: 'green' },
      ],
      breakers: [
        { rule: 'p/r', state: 'half-open' },
        { rule: 'p/r', state: 'closed' },
        { rule: 'p/s', state: 'open' },
      ],
      evidence: [{ metric: 'deny_rate', logE: 3.5 }],
    });
    const text = await own.render();
    for (const line of [
      'switchyard_rule_matches_total{rule="p/r",action="block",enforced="true"} 1',
      'switchyard_rule_matches_total{rule="p/r",action="block",enforced="false"} 1',
      'switchyard_open_streams 1',
      'switchyard_held_bytes 60',
      'switchyard_stream_failures_total{reason="protocol"} 1',
      'switchyard_swaps_total{kind="promote",outcome="done"} 1',
      'switchyard_rollbacks_total{metric="deny_rate"} 1',
      'switchyard_breaker_transitions_total{rule="p/r",to="open"} 1',
      'switchyard_audit_records_total{kind="process"} 5',
      'switchyard_audit_lost_total 3',
      'switchyard_audit_disk_failing 1',
      'switchyard_epoch 9',
      'switchyard_canary_share_ppm 200000',
      'switchyard_compile_errors 2',
      'switchyard_quarantined_files 1',
      'switchyard_set_info{digest="sha256:aa",role="blue"} 1',
      'switchyard_set_info{digest="sha256:bb",role="green"} 1',
      'switchyard_breaker_state{rule="p/r"} 1',
      'switchyard_breaker_state{rule="p/s"} 2',
      'switchyard_evidence_log{metric="deny_rate"} 3.5',
      'switchyard_build_info{version="1.2.3"} 1',
    ]) {
      assert.ok(text.split('\n').includes(line), line);
    }
  });

  it('drops the gauges of sets that are gone', async () => {
    const own = create();
    own.setGauges({ sets: [{ digest: 'sha256:aa', role: 'blue' }] });
    own.setGauges({ sets: [{ digest: 'sha256:bb', role: 'blue' }], epoch: 2 });
    assert.equal(
      await sample(own, 'switchyard_set_info{digest="sha256:aa",role="blue"}'),
      undefined,
    );
    own.setGauges({ epoch: 3 });
    assert.equal(await sample(own, 'switchyard_set_info{digest="sha256:bb",role="blue"}'), 1);
  });

  it('gives rulesMax rules a series, and the next one `other`', async () => {
    const own = create({ rulesMax: 3 });
    for (const rule of ['a', 'b', 'c', 'd', 'e', 'a']) own.ruleMatch(rule, 'flag', true);
    const series = (rule: string) =>
      sample(own, `switchyard_rule_matches_total{rule="${rule}",action="flag",enforced="true"}`);
    assert.deepEqual(
      [await series('a'), await series('c'), await series('d'), await series('other')],
      [2, 1, undefined, 2],
    );
    own.rulesInUse(new Set(['a', 'd', 'e']));
    own.ruleMatch('d', 'flag', true);
    assert.deepEqual(
      [await series('a'), await series('c'), await series('d'), await series('other')],
      [2, undefined, 1, 2],
    );
  });

  it('bounds codes and reasons, with and without a closed table', async () => {
    const closed = create({ codes: ['policy'], failures: ['protocol'] });
    closed.decision({ ...DECIDED, code: 'invented' });
    closed.failure('invented');
    const text = await closed.render();
    assert.match(text, /code="other"/);
    assert.match(text, /reason="other"/);
    assert.doesNotMatch(text, /invented/);
    const open = create();
    for (let index = 0; index <= metrics.CODES_MAX; index += 1) open.failure(`f${index}`);
    assert.equal(
      await sample(open, `switchyard_stream_failures_total{reason="f${metrics.CODES_MAX - 1}"}`),
      1,
    );
    assert.equal(
      await sample(open, `switchyard_stream_failures_total{reason="f${metrics.CODES_MAX}"}`),
      undefined,
    );
    assert.equal(await sample(open, 'switchyard_stream_failures_total{reason="other"}'), 1);
  });

  it('puts a duration into the bucket that ends at it', async () => {
    const own = create();
    for (const bound of DURATION_BUCKETS_S) own.duration('request', bound * 1000);
    own.duration('request', 11_000);
    own.duration('request', -1);
    own.duration('response', 0.5);
    const bucket = (le: string) =>
      sample(own, `switchyard_decision_duration_seconds_bucket{le="${le}",phase="request"}`);
    for (const [index, bound] of DURATION_BUCKETS_S.entries()) {
      assert.equal(await bucket(String(bound)), index + 2, String(bound));
    }
    assert.equal(await bucket('+Inf'), DURATION_BUCKETS_S.length + 2);
    const name = 'switchyard_decision_duration_seconds';
    assert.equal(await sample(own, `${name}_count{phase="response"}`), 1);
    assert.equal(await sample(own, `${name}_sum{phase="response"}`), 0.0005);
    assert.equal(await sample(own, `${name}_bucket{le="0.00005",phase="response"}`), 0);
  });

  it('law: no sample is lost, whatever was counted', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            rule: fc.constantFrom('a', 'b', 'c', 'other', 'd"\\\n'),
            action: fc.constantFrom(...metrics.ACTIONS, 'unheard-of'),
            enforced: fc.boolean(),
          }),
          { maxLength: 60 },
        ),
        async (matches) => {
          const own = create({ rulesMax: 3 });
          for (const { rule, action, enforced } of matches) own.ruleMatch(rule, action, enforced);
          const total = (await own.render())
            .split('\n')
            .filter((line) => line.startsWith('switchyard_rule_matches_total{'))
            .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
          assert.equal(total, matches.length);
        },
      ),
      { numRuns: 50 },
    );
  });

  it('lets the owner set gauges from what is, before each scrape', async () => {
    let epoch = 0;
    const own = create({ beforeRender: (self) => self.setGauges({ epoch: ++epoch }) });
    assert.equal(await sample(own, 'switchyard_epoch'), 1);
    assert.equal(await sample(own, 'switchyard_epoch'), 2);
  });

  it('has the metrics of the process unless told not to', async () => {
    assert.match(await metrics.createMetrics().render(), /^process_cpu_seconds_total /m);
    assert.doesNotMatch(await create().render(), /^process_/m);
  });
});

describe('docs/reference/metrics.md', () => {
  const page = fs.readFileSync(new URL('../../docs/reference/metrics.md', import.meta.url), 'utf8');

  it('lists exactly the metrics of the registry', async () => {
    const documented = [
      ...page.matchAll(/^\| `(switchyard_\w+)` +\| (\w+) +\| (.*?) +\| (.*?) +\|$/gm),
    ];
    assert.deepEqual(
      documented.map(([, name, type, labels, help]) => ({
        name,
        type,
        labels: labels === '–' ? [] : labels!.split(', ').map((label) => label.slice(1, -1)),
        help,
      })),
      Object.values(METRICS).map((entry) => ({ ...entry, labels: [...entry.labels] })),
    );
    const published = [...(await create().render()).matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(
      ([, name, type]) => `${name} ${type}`,
    );
    assert.deepEqual(
      published.sort(),
      documented.map(([, name, type]) => `${name} ${type}`).sort(),
    );
  });

  it('names every value of every closed label, and every bucket', () => {
    const values = [
      ...metrics.COHORTS,
      ...metrics.VERDICTS,
      ...metrics.PHASES,
      ...metrics.ACTIONS,
      ...metrics.BREAKER_STATES,
      ...metrics.SWAP_KINDS,
      ...metrics.SWAP_OUTCOMES,
      ...metrics.AUDIT_KINDS,
      ...metrics.CLASSIFIER_OUTCOMES,
    ];
    for (const value of values) assert.ok(page.includes(`\`${value}\``), value);
    assert.ok(page.includes(`\n${DURATION_BUCKETS_S.join(', ')}\n`));
    assert.ok(page.includes(`at most ${metrics.RULES_MAX} have`));
  });
});
