import assert from 'node:assert/strict';
import { compileCondition } from '../../src/policy/condition.ts';
import { DEFAULT_LIMITS } from '../../src/policy/limits.ts';

function holds(
  source: string,
  at: string,
  headers: Readonly<Record<string, string>> = {},
): boolean {
  const compiled = compileCondition(source, DEFAULT_LIMITS);
  assert.ok(compiled.ok, compiled.ok ? '' : compiled.message);
  const asked = { facts: {}, method: '', path: '', authority: '', route: '', headers };
  return compiled.condition.holds({ ...asked, nowMs: Date.parse(at) });
}

describe('the calendar of a condition', () => {
  const rows: readonly (readonly [at: string, says: string])[] = [
    ['2026-03-29T00:59:59Z', 'time.getHours("Europe/Berlin") == 1'],
    ['2026-03-29T01:00:00Z', 'time.getHours("Europe/Berlin") == 3'],
    ['2026-10-25T00:59:59Z', 'time.getHours("Europe/Berlin") == 2'],
    ['2026-10-25T01:00:00Z', 'time.getHours("Europe/Berlin") == 2'],
    ['2026-10-25T02:00:00Z', 'time.getHours("Europe/Berlin") == 3'],
    ['2026-01-31T15:00:00Z', 'time.getHours("Asia/Tokyo") == 0 && time.getDate("Asia/Tokyo") == 1'],
    ['2026-01-31T15:00:00Z', 'time.getMonth("Asia/Tokyo") == 1 && time.getMonth() == 0'],
    ['2026-01-31T15:00:00Z', 'time.getDayOfMonth("Asia/Tokyo") == 0'],
    [
      '2025-12-31T23:30:00Z',
      'time.getFullYear("+01:00") == 2026 && time.getDayOfYear("+01:00") == 0',
    ],
    ['2024-12-31T12:00:00Z', 'time.getDayOfYear() == 365 && time.getDayOfYear("UTC") == 365'],
    ['2026-06-01T00:15:30.250Z', 'time.getHours("-08:00") == 16 && time.getDate("-08:00") == 31'],
    ['2026-06-01T00:15:30.250Z', 'time.getMinutes("Asia/Kolkata") == 45'],
    ['2026-06-01T00:15:30.250Z', 'time.getSeconds("Asia/Kolkata") == 30'],
    ['2026-06-01T00:15:30.250Z', 'time.getMilliseconds("Asia/Kolkata") == 250'],
    ['2026-06-01T00:15:30.250Z', 'time.getMilliseconds() == 250 && time.getDayOfWeek() == 1'],
    ['1969-12-31T23:59:59.999Z', 'time.getMilliseconds("Europe/London") == 999'],
  ];
  for (const [at, says] of rows) it(`${at}: ${says}`, () => assert.equal(holds(says, at), true));

  it('is the same in whatever zone the process runs', () => {
    const { TZ } = process.env;
    try {
      for (const zone of ['America/New_York', 'Pacific/Auckland', 'UTC']) {
        process.env.TZ = zone;
        // In New York this hour does not exist.
        assert.equal(holds('time.getHours() == 2', '2026-03-08T02:30:00Z'), true, zone);
        assert.equal(holds('time.getHours("Europe/Paris") == 2', '2026-03-08T01:30:00Z'), true);
      }
    } finally {
      if (TZ === undefined) Reflect.deleteProperty(process.env, 'TZ');
      else process.env.TZ = TZ;
    }
  });

  it('refuses a zone that there is not: when it is compiled, or when a header names it', () => {
    for (const zone of ['Europe/Berln', 'local', '+1:00', ''])
      assert.deepEqual(
        Object.entries(compileCondition(`time.getHours("${zone}") == 1`, DEFAULT_LIMITS)).slice(
          0,
          2,
        ),
        [
          ['ok', false],
          ['code', 'when_syntax'],
        ],
        zone,
      );
    const source = 'time.getHours(headers["x-zone"]) == 3';
    const at = '2026-06-01T01:00:00Z';
    assert.equal(holds(source, at, { 'x-zone': 'Europe/Berlin' }), true);
    assert.throws(() => holds(source, at, { 'x-zone': 'Europe/Berln' }), {
      name: 'ConditionError',
    });
  });
});
