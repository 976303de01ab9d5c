import assert from 'node:assert/strict';
import { span, statusPage } from '../../src/admin/status-page.ts';
import { BLUE, GREEN, NOW_MS, status } from './model.ts';

const MINUTE_MS = 60_000;

describe('status page', () => {
  it('says everything a tired person needs, in one screen', () => {
    const page = statusPage(
      status({
        blue: {
          digest: BLUE,
          sinceMs: NOW_MS - 134 * MINUTE_MS,
          rules: 41,
          policies: [
            { name: 'stop-the-leak', layer: 'platform' },
            { name: 'retail', version: '2.3.1', layer: 'app' },
          ],
          warnings: ['rule `a` never acts'],
        },
        green: { digest: GREEN, rules: 1, policies: [], warnings: [] },
        rollout: {
          id: 'r-7',
          sharePpm: 50_000,
          stage: 1,
          stages: 3,
          startedAtMs: NOW_MS - 4 * MINUTE_MS,
          judgement: ['deny rate: observed 1.5 % > limit 1 %; evidence 40 of the 1,000 needed'],
        },
        watch: { against: GREEN, untilMs: NOW_MS + MINUTE_MS, judgement: ['errors: equal'] },
        emergency: { digest: BLUE, untilMs: NOW_MS + 120 * MINUTE_MS },
        waiting: { digest: GREEN },
        quarantined: [
          { file: 'bad.yaml', digest: GREEN, reason: 'deny_rate', atMs: NOW_MS - MINUTE_MS },
        ],
        breakers: [{ rule: 'retail/pii', digest: BLUE, state: 'open' }],
        directory: {
          path: '/policies',
          lastReadMs: NOW_MS - 12_000,
          errors: ['bad.yaml:3:4: unknown_key: no such key'],
        },
        history: [
          {
            epoch: 12,
            atMs: NOW_MS,
            kind: 'rollback',
            digest: BLUE,
            by: 'judge',
            reason: 'deny_rate',
          },
        ],
      }),
      NOW_MS,
    );
    assert.equal(
      page,
      `Switchyard 0.1.0   SERVING   epoch 12

Serves     sha256:abababababab  since 2030-01-02 09:46:00 UTC (2 h 14 min)
           2 policies, 41 rules
             platform  stop-the-leak
             app       retail 2.3.1
             warning: rule \`a\` never acts
Green      sha256:acacacacacac
           0 policies, 1 rule
Rollout    5 % of sessions, stage 1 of 3, begun 4 min ago (r-7)
             deny rate: observed 1.5 % > limit 1 %; evidence 40 of the 1,000 needed
           all of it now: switchyard promote    give it up: switchyard rollback
Watch      compared with sha256:acacacacacac for 1 min more
             errors: equal
Emergency  sha256:abababababab until 2030-01-02 14:00:00 UTC (2 h more)
           a rise of denials does not undo it; errors and latency do
Waiting    sha256:acacacacacac  saved during the rollout; becomes green when it has ended

Quarantined: rolled back, does not serve
  bad.yaml  sha256:acacacacacac
    deny_rate, 1 min ago
  to lift it: save other bytes, or: switchyard promote --force

Breakers
  open       retail/pii  (sha256:abababababab)

Directory  /policies, read 12 s ago: THE LAST SAVE WAS NOT TAKEN, what serves keeps serving
  bad.yaml:3:4: unknown_key: no such key

History, newest first
    12  2030-01-02 12:00:00 UTC  rollback  sha256:abababababab  by judge: deny_rate
`,
    );
  });

  it('says so when nothing serves', () => {
    const { blue: _, ...nothing } = status({ health: 'NOT_SERVING' });
    assert.match(statusPage(nothing, NOW_MS), /NOT_SERVING.*Serves {5}nothing/s);
  });

  it('steers no terminal, whatever a name holds', () => {
    const evil = '\u001b[2J\u0007\u202e\r\n\u2028x'.repeat(40);
    const page = statusPage(
      status({
        version: evil,
        quarantined: [{ file: evil, digest: evil, reason: evil, atMs: Number.NaN }],
        breakers: [{ rule: evil, digest: evil, state: evil }],
        directory: { path: evil, lastReadMs: 0, errors: [evil] },
        history: [{ epoch: 1, atMs: Number.NaN, kind: evil, digest: evil, by: evil, reason: evil }],
        blue: {
          digest: evil,
          sinceMs: 0,
          rules: 0,
          policies: [{ name: evil, version: evil, layer: evil }],
          warnings: [evil],
        },
        rollout: {
          id: evil,
          sharePpm: 1,
          stage: 1,
          stages: 1,
          startedAtMs: 0,
          judgement: [evil],
        },
      }),
      NOW_MS,
    );
    assert.doesNotMatch(page.replaceAll('\n', ''), /[\p{Cc}\p{Cf}\p{Zl}]/u);
  });

  it('shortens spans to two units', () => {
    assert.deepEqual(
      [0, 400, 59_600, 3_600_000, 3_660_000, 90_061_000, 86_400_000, 86_460_000, -5].map(span),
      ['0 s', '0 s', '1 min', '1 h', '1 h 1 min', '1 d 1 h', '1 d', '1 d', '0 s'],
    );
  });
});
