import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { durationToMs, shareToPpm, toRatio } from '../../src/policy/units.ts';
import { compileText, policy } from './compiling.ts';

const POLICY = `---\n${policy(['{ id: a, then: block }'])}`;
const FAMILIAR = `canary_policy_deployment:
  new_policy_id: "policy_v2.3.1"
  old_policy_id: "policy_v2.2.5"
  rollout_stages:
    - percentage: 5
      duration_hours: 24
      success_criteria:
        max_evaluation_error_rate: 0.001
        max_deny_rate_change: 0.05
        max_latency_p99_ms: 50
    - percentage: 20
      duration_hours: 48
      success_criteria:
        max_evaluation_error_rate: 0.001
        max_deny_rate_change: 0.05
        max_latency_p99_ms: 50
    - percentage: 100
      duration_hours: 0
  rollback_triggers:
    evaluation_error_rate_threshold: 0.01
    deny_rate_change_threshold: 0.15
    latency_p99_threshold_ms: 100
`;

describe('kind: Rollout', () => {
  it('in our words', () => {
    const { rollout } = compileText(
      `kind: Rollout
metadata: { name: careful }
stages:
  - { share: 5%, duration: 10m }
  - { share: 250000ppm, duration: 1.5h }
  - { share: 100% }
expect: { denyRate: up }
denyRateChangeMax: 20%
errorRateMax: 0.02
analysis: { alpha: 0.01 }
${POLICY}`,
    );
    assert.deepEqual(rollout, {
      name: 'careful',
      stages: [
        { sharePpm: 50_000, durationMs: 600_000 },
        { sharePpm: 250_000, durationMs: 5_400_000 },
        { sharePpm: 1_000_000, durationMs: 0 },
      ],
      expectDenyRate: 'up',
      denyRateChangeMax: 0.2,
      errorRateMax: 0.02,
      alpha: 0.01,
    });
  });

  it('fills in what the author leaves out', () => {
    const { rollout } = compileText(`kind: Rollout\nname: r\nstages: [{ share: 100% }]\n${POLICY}`);
    assert.equal(rollout?.expectDenyRate, 'same');
    assert.equal(rollout?.denyRateChangeMax, 0.05);
    assert.equal(rollout?.errorRateMax, 0.01);
    assert.equal(rollout?.alpha, 0.001);
  });

  it('the familiar block, bare or with a kind, and says what it does not act on', () => {
    for (const head of ['', 'apiVersion: switchyard/v1\nkind: Rollout\n']) {
      const { rollout, warnings } = compileText(`${head}${FAMILIAR}${POLICY}`);
      assert.deepEqual(rollout, {
        name: 'policy_v2.3.1',
        stages: [
          { sharePpm: 50_000, durationMs: 86_400_000 },
          { sharePpm: 200_000, durationMs: 172_800_000 },
          { sharePpm: 1_000_000, durationMs: 0 },
        ],
        expectDenyRate: 'same',
        denyRateChangeMax: 0.05,
        errorRateMax: 0.001,
        alpha: 0.001,
      });
      assert.equal(warnings.length, 3);
      assert.ok(warnings.some((warning) => warning.includes('latency')));
    }
  });
});

describe('units', () => {
  it('shares', () => {
    assert.equal(shareToPpm('0.0001%'), 1);
    assert.equal(shareToPpm('100%'), 1_000_000);
    assert.equal(shareToPpm('1000000ppm'), 1_000_000);
    for (const text of ['0%', '100.0001%', '1000001ppm', '5', '-5%', '5 percent', '']) {
      assert.equal(shareToPpm(text), undefined, text);
    }
  });

  it('durations', () => {
    assert.equal(durationToMs('250ms'), 250);
    assert.equal(durationToMs('1d'), 86_400_000);
    assert.equal(durationToMs('366d'), 366 * 86_400_000);
    for (const text of ['367d', '10', '10 minutes', '-1s', '1h30m', '']) {
      assert.equal(durationToMs(text), undefined, text);
    }
  });

  it('ratios', () => {
    assert.equal(toRatio(0.05), 0.05);
    assert.equal(toRatio('150%'), 1.5);
    assert.equal(toRatio('0.05'), undefined);
  });
});
