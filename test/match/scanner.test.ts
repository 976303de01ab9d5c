import assert from 'node:assert/strict';
import fc from 'fast-check';
import { keywordDetector } from '../../src/match/keywords.ts';
import { piiDetector } from '../../src/match/pii.ts';
import { regexDetector } from '../../src/match/regex.ts';
import {
  LIVE_UNITS_MAX,
  type ScannedMatch,
  type ScannedRule,
  TextScanner,
} from '../../src/match/scanner.ts';
import { pieces } from './oracle.ts';

function regex(pattern: string) {
  const made = regexDetector({ pattern });
  assert.ok(made.ok);
  return made.detector;
}

const RULES = [
  { rule: 3, detector: keywordDetector({ words: ['Bank A', 'Bank'] }) },
  { rule: 1, detector: piiDetector({ entities: ['email', 'credit_card'] }) },
  { rule: 2, detector: regex('ba+n') },
];

const MORE_RULES = [
  { rule: 4, detector: keywordDetector({ words: ['an', '\u00fcber', '\u{1d400}b'] }) },
  { rule: 5, detector: keywordDetector({ words: ['an', '-x'], substring: true }) },
  { rule: 6, detector: regex('\\b[\u00fcx]n?\\b') },
];

const unit = fc.constantFrom(
  ...['Bank', 'A', 'an', 'b', 'x', ' ', '-', '_', '@a.co', '4111111111111111', '4111', '1'],
  ...['\u00fc', 'ber', '\ud835', '\udc00', '\u{1d400}', '\u0661', '\u00a0', '\n'],
);

/** The rule without its part in the automaton: its own tracker reads every unit. */
function alone({ rule, detector }: ScannedRule): ScannedRule {
  const { part, ...rest } = detector;
  assert.ok(part !== undefined || detector.kind === 'pii');
  return { rule, detector: rest };
}

interface Run {
  readonly matches: readonly ScannedMatch[];
  /** By units consumed; only where a push ended. */
  readonly safes: readonly number[];
  readonly overflow: boolean;
}

function run(
  parts: readonly string[],
  liveUnitsMax = LIVE_UNITS_MAX,
  rules: readonly ScannedRule[] = RULES,
): Run {
  const scanner = new TextScanner(rules, { liveUnitsMax });
  const matches: ScannedMatch[] = [];
  const safes = [0];
  for (const part of parts) {
    scanner.push(part);
    safes[scanner.length] = scanner.safe;
    matches.push(...scanner.takeMatches());
  }
  scanner.end();
  matches.push(...scanner.takeMatches());
  return { matches, safes, overflow: scanner.overflow };
}

/** Every unit its own push. */
const unitsOf = (whole: string): string[] => whole.split('');

function sameRun(one: Run, unitwise: Run): void {
  const safes = one.safes.map((_, units) => unitwise.safes[units]);
  assert.deepEqual(one, { ...unitwise, safes });
}

const text = fc.string({
  unit: fc.constantFrom(
    'Bank',
    ' ',
    'A',
    'b',
    'an',
    '@',
    '.co',
    '4111111111111111',
    '. ',
    'x'.repeat(70),
  ),
  maxLength: 20,
});

describe('TextScanner', () => {
  it('reports the matches of all rules, and when each was decided', () => {
    const { matches } = run(['Try Ba', 'nk A today, a@b.co']);
    assert.deepEqual(matches, [
      { rule: 3, start: 4, end: 10, label: 'KEYWORD', decidedAt: 11 },
      { rule: 1, start: 18, end: 24, label: 'EMAIL', decidedAt: 24 },
    ]);
  });

  it('says the same however the text is cut', () => {
    fc.assert(
      fc.property(
        text,
        fc.array(fc.nat()),
        fc.integer({ min: 1, max: 80 }),
        (whole, cuts, most) => {
          sameRun(run(pieces(whole, cuts), most), run(unitsOf(whole), most));
        },
      ),
      { numRuns: 500 },
    );
  });

  it('says the same across its own pieces', () => {
    const whole =
      `${'lorem ipsum '.repeat(85)}Bank A 4111111111111111 ${'x'.repeat(999)} a@b.co `.repeat(3);
    const matches = run([whole]).matches;
    assert.equal(matches.length, 9);
    assert.deepEqual(run([...whole]).matches, matches);
  });

  it('says the same whether or not its trackers skip, or read many units at once', () => {
    const rules = [...RULES, ...MORE_RULES];
    const stepping = rules.map(({ rule, detector }) => ({
      rule,
      detector: {
        ...detector,
        start: () =>
          detector
            .start()
            .map((tracker) => Object.assign(tracker, { skip: undefined, read: undefined })),
      },
    }));
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 24 }), fc.array(fc.nat()), (whole, cuts) => {
        sameRun(run(pieces(whole, cuts), 40, rules), run(unitsOf(whole), 40, stepping));
      }),
      { numRuns: 500 },
    );
  });

  it('says with one automaton for all rules what each tracker says alone', () => {
    const rules = [...RULES, ...MORE_RULES];
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 24 }), fc.array(fc.nat()), (whole, cuts) => {
        sameRun(run(pieces(whole, cuts), 40, rules), run(unitsOf(whole), 40, rules.map(alone)));
      }),
      { numRuns: 1_000 },
    );
  });

  it('reports every match that starts before `safe`, and no other later', () => {
    fc.assert(
      fc.property(text, (whole) => {
        const scanner = new TextScanner(RULES);
        for (const unit of whole) {
          const before = scanner.safe;
          scanner.push(unit);
          for (const match of scanner.takeMatches()) {
            assert.ok(match.start >= before);
            assert.equal(match.decidedAt, scanner.length);
          }
        }
        const before = scanner.safe;
        scanner.end();
        assert.equal(scanner.safe, whole.length);
        for (const match of scanner.takeMatches()) assert.ok(match.start >= before);
      }),
      { numRuns: 300 },
    );
  });

  it('names the rules that hold the rest back, the same for every cut', () => {
    const rules = [...RULES, ...MORE_RULES];
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 24 }), fc.array(fc.nat()), (whole, cuts) => {
        const scanner = new TextScanner(rules);
        for (const piece of pieces(whole, cuts)) {
          scanner.push(piece);
          const live = scanner.live();
          assert.equal(Math.min(scanner.length, ...live.map(({ start }) => start)), scanner.safe);
          const single = new TextScanner(rules.map(alone));
          for (const unit of unitsOf(whole.slice(0, scanner.length))) single.push(unit);
          assert.deepEqual(live, single.live());
        }
        scanner.end();
        assert.deepEqual(scanner.live(), []);
      }),
      { numRuns: 500 },
    );
  });

  it('stops, and says so, when one unit too many waits', () => {
    const limits = { liveUnitsMax: 10 };
    const rules = [{ rule: 0, detector: regex('x[a-z]*!') }];
    const within = new TextScanner(rules, limits);
    within.push(`x${'a'.repeat(9)}`);
    assert.equal(within.overflow, false);
    within.push('! y');
    assert.deepEqual(
      within.takeMatches().map(({ end }) => end),
      [11],
    );
    const beyond = new TextScanner(rules, limits);
    beyond.push(`--x${'a'.repeat(10)}`);
    assert.deepEqual([beyond.overflow, beyond.safe, beyond.length], [true, 2, 13]);
    beyond.push('! x! ');
    beyond.end();
    assert.deepEqual(beyond.takeMatches(), []);
    assert.deepEqual([beyond.safe, beyond.length], [2, 18]);
  });

  it('passes everything when there are no rules', () => {
    const scanner = new TextScanner([]);
    scanner.push('Bank A');
    assert.equal(scanner.safe, 6);
    scanner.end();
    assert.throws(() => scanner.push('x'));
  });
});
