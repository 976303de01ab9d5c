import assert from 'node:assert/strict';
import { DECISION_CODES, REFUSALS, type RefusalCode } from '../../src/engine/codes.ts';
import type { ControlOutcome } from '../../src/engine/control.ts';
import { tableUnder } from './page-table.ts';

type ControlCode = Extract<ControlOutcome, { ok: false }>['code'];

/** Complete by its type: a code that is added must be added here, and then to the page. */
const CONTROL_CODES: Record<ControlCode, true> = {
  no_green: true,
  quarantined: true,
  unknown_digest: true,
  rollout_running: true,
  no_previous_set: true,
  invalid_argument: true,
  stance_conflict: true,
  store_failed: true,
};

describe('the page of errors', () => {
  const decisions = tableUnder('errors.md', 'Decision codes');

  it('has a row for each decision code, in no other words', () => {
    assert.deepEqual(decisions.map(([code]) => code).toSorted(), DECISION_CODES.toSorted());
  });

  it('says of each refusal what it answers', () => {
    for (const [code, { verdict, status }] of Object.entries(REFUSALS)) {
      const row = decisions.find(([name]) => name === code) ?? [];
      const said = row.slice(1, 4);
      assert.deepEqual(said, [verdict, String(status.request), String(status.response)], code);
    }
  });

  it('gives a status to refusals only', () => {
    for (const [code = '', , request, response] of decisions)
      if (!(code in REFUSALS)) assert.deepEqual([request, response], ['–', '–'], code);
  });

  it('has a row for each control code', () => {
    const rows = tableUnder('errors.md', 'Control codes').map(([code]) => code);
    assert.deepEqual(rows.toSorted(), Object.keys(CONTROL_CODES).toSorted());
  });
});

describe('a refusal', () => {
  it('is a verdict only when a policy said no; all else is a failure (invariant 4)', () => {
    const verdicts: readonly RefusalCode[] = ['policy', 'default_deny', 'throttled'];
    for (const [code, { verdict }] of Object.entries(REFUSALS))
      assert.equal(verdict === 'deny', verdicts.includes(code as RefusalCode), code);
  });
});
