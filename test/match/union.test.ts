import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Detector, Match } from '../../src/match/detector.ts';
import { keywordDetector } from '../../src/match/keywords.ts';
import { regexDetector } from '../../src/match/regex.ts';
import { TextScanner } from '../../src/match/scanner.ts';
import {
  FREQUENT_CLASSES,
  UNION_LIMITS,
  UnionAutomaton,
  type UnionLimits,
} from '../../src/match/union-automaton.ts';
import type { UnionPart } from '../../src/match/union-part.ts';
import { UnionRun } from '../../src/match/union-run.ts';
import { pieces } from './oracle.ts';

/** Unlimited, or nearly. */
const ROOMY: UnionLimits = UNION_LIMITS;

interface Seen {
  readonly matches: readonly (readonly [rule: number, start: number, end: number, at: number])[];
  /** By units consumed; only where a piece ended. */
  readonly lives: readonly number[];
}

const inOrder = (matches: [number, number, number, number][]) =>
  matches.sort((a, b) => a[0] - b[0] || a[1] - b[1]);

/** What the automaton of all rules sees. */
function together(
  automaton: UnionAutomaton,
  detectors: readonly Detector[],
  parts: readonly string[],
): Seen {
  const matches: [number, number, number, number][] = [];
  const lives: number[] = [];
  let consumed = 0;
  const run = new UnionRun(automaton, {
    start: (rule) => detectors[rule]!.start()[0]!,
    sink:
      (rule) =>
      ({ start, end }) =>
        matches.push([rule, start, end, consumed]),
    consume: (units) => {
      consumed = units;
    },
  });
  let length = 0;
  for (const part of parts) {
    const units = Uint16Array.from(part.split(''), (unit) => unit.charCodeAt(0));
    const live = run.take(units, units.length, length);
    length += units.length;
    lives[length] = Math.min(live, length);
  }
  run.end(length);
  return { matches: inOrder(matches), lives };
}

/** What each rule's own tracker sees, unit by unit. */
function apart(detectors: readonly Detector[], text: string): Seen {
  const matches: [number, number, number, number][] = [];
  const lives = Array.from({ length: text.length + 1 }, (_, units) => units);
  for (const [rule, detector] of detectors.entries()) {
    const tracker = detector.start()[0]!;
    let consumed = 0;
    const sink = ({ start, end }: Match) => matches.push([rule, start, end, consumed]);
    for (let at = 0; at < text.length; at++) {
      consumed = at + 1;
      tracker.step(text.charCodeAt(at), at, sink);
      lives[at + 1] = Math.min(lives[at + 1]!, tracker.liveStart);
    }
    tracker.end(text.length, sink);
  }
  return { matches: inOrder(matches), lives };
}

const partsOf = (detectors: readonly Detector[]): UnionPart[] => detectors.map(({ part }) => part!);

function sameAsApart(
  detectors: readonly Detector[],
  text: string,
  cuts: readonly number[],
  limits = ROOMY,
): void {
  const automaton = new UnionAutomaton(partsOf(detectors), limits);
  const expected = apart(detectors, text);
  // Twice: the second time the table is there.
  for (const parts of [pieces(text, cuts), text.split('')]) {
    const { matches, lives } = together(automaton, detectors, parts);
    assert.deepEqual(matches, expected.matches);
    for (const [units, live] of lives.entries())
      if (live !== undefined) assert.equal(live, expected.lives[units], `after ${units} units`);
  }
}

const atom = fc.constantFrom('a', 'b', '1', ' ', '[ab]', '[^a]', '\\w', '\\d', '\\n', '😀', '.');
const assertion = fc.constantFrom('\\b', '\\B', '^', '$', '(?m:^)', '(?m:$)');
const { expression } = fc.letrec<{ expression: string }>((tie) => ({
  expression: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    atom,
    assertion,
    fc.tuple(tie('expression'), tie('expression')).map(([one, two]) => one + two),
    fc.tuple(tie('expression'), tie('expression')).map(([one, two]) => `(?:${one}|${two})`),
    fc
      .tuple(tie('expression'), fc.constantFrom('*', '+', '?', '{2}', '{1,3}', '{3,40}'))
      .map(([one, times]) => `(?:${one})${times}`),
  ),
}));

const regex = fc
  .tuple(expression, fc.option(fc.integer({ min: 1, max: 9 }), { nil: undefined }))
  .map(([pattern, cap]) =>
    regexDetector(cap === undefined ? { pattern } : { pattern, maxMatchBytes: cap }),
  )
  .filter((made) => made.ok)
  .map((made) => made.detector);

const character = fc.constantFrom('a', 'b', 'B', '1', '.', ' ', '-', '𝐁', '😀', 'é');
const keyword = fc
  .string({ unit: character, minLength: 1, maxLength: 5 })
  .filter((word) => word.trim() !== '');
const keywords = fc
  .record({
    words: fc.array(keyword, { minLength: 1, maxLength: 5 }),
    substring: fc.boolean(),
    caseSensitive: fc.boolean(),
  })
  .map(keywordDetector);

const rules = fc.array(fc.oneof(regex, keywords), { minLength: 1, maxLength: 4 });
const text = fc.string({
  unit: fc.constantFrom(
    ...['a', 'a', 'b', 'B', '1', ' ', '  ', '.', '\n', '\u00a0', 'é'],
    ...['á', 'ｂ', 'а', '\u0301', '\u200b', '\u{e0041}', '\u{e0100}', '\u200b'.repeat(60)],
    ...['-', '-', '\u2011'],
    ...['\u0301'.repeat(60), '\u200b'.repeat(4)],
    ...['\u{e0041}'.repeat(29), '\udb40', '\u{e01f0}'],
    ...['😀', '𝐁', '\ud83d', '\ude00', '\ud835', 'a'.repeat(30), ' '.repeat(9)],
  ),
  maxLength: 30,
});
const cuts = fc.array(fc.nat(), { maxLength: 6 });

describe('the automaton of all rules', () => {
  it('says what each tracker says alone, unit for unit', () => {
    fc.assert(
      fc.property(rules, text, cuts, (given, whole, places) => {
        sameAsApart(given, whole, places);
      }),
      { numRuns: Number(process.env.RUNS ?? 400) },
    );
  });

  it('says the same with room for eight states, or for one', () => {
    fc.assert(
      fc.property(rules, text, cuts, fc.constantFrom(1, 8), (given, whole, places, statesMax) => {
        sameAsApart(given, whole, places, {
          ...ROOMY,
          statesMax,
          statesAtOnce: 2,
          unitsPerState: 2,
        });
      }),
      { numRuns: Number(process.env.RUNS ?? 150) },
    );
  });

  it('is right however long a start is live', () => {
    const given = ['a[ab]*1', '\\ba+\\b', '[^1]+1', '(?:a|bb)*c'].map((pattern) => {
      const made = regexDetector({ pattern });
      assert.ok(made.ok);
      return made.detector;
    });
    const runs = fc.array(
      fc.oneof(
        fc.constantFrom('1', ' ', 'b', 'c'),
        fc.integer({ min: 60, max: 70 }).map((units) => 'a'.repeat(units)),
        fc.integer({ min: 30, max: 34 }).map((units) => 'bb'.repeat(units)),
      ),
      { maxLength: 8 },
    );
    fc.assert(
      fc.property(runs, cuts, (parts, places) => sameAsApart(given, parts.join(''), places)),
      { numRuns: Number(process.env.RUNS ?? 60) },
    );
  });

  it('tells units apart of which texts have few', () => {
    const rare = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789абвгдежзик'];
    const words = rare.map((one, place) => `${one}${rare[(place * 7 + 3) % rare.length]}${one}`);
    const lower = [...'abcdefghijklmnopqrstuvwxyz'];
    const detectors = [
      keywordDetector({ words: [...words, ...lower], caseSensitive: true, substring: true }),
    ];
    const text = [...words, ...rare.map((one) => one + one), ...[...words].reverse()].join('x,');
    const automaton = new UnionAutomaton(partsOf(detectors), ROOMY);
    assert.ok(automaton.rareWidth > rare.length - 10);
    sameAsApart(detectors, text, [3, 10, 11, 60]);
  });

  it('keeps no more states than it may, and makes room again', () => {
    const words = Array.from({ length: 50 }, (_, index) => `word${index}x`);
    const detector = keywordDetector({ words });
    const limits = { ...ROOMY, statesMax: 8, unitsPerState: 2 };
    const automaton = new UnionAutomaton(partsOf([detector]), limits);
    together(automaton, [detector], pieces(words.join(' ').repeat(4), [100, 200, 300, 400, 500]));
    assert.ok(automaton.generation > 0, 'made room');
    assert.equal(automaton.states.length, 8);
    assert.ok(automaton.table.length <= 8 * FREQUENT_CLASSES);
    assert.ok(automaton.rareTable.length <= 8 * automaton.rareWidth);
    assert.ok(automaton.rareWidth > 0);
    // With room for no state, or for some of them by their bytes, it says the same.
    for (const [bytesMax, least, most] of [
      [0, 0, 0],
      [10_000, 2, 40],
    ] as const) {
      const narrow = new UnionAutomaton(partsOf([detector]), { ...ROOMY, bytesMax });
      const { matches } = together(narrow, [detector], [words.join(' ')]);
      assert.equal(matches.length, words.length);
      assert.ok(narrow.states.length >= least && narrow.states.length <= most);
    }
  });

  it('shares one automaton among the texts of a list of rules', () => {
    const detector = keywordDetector({ words: ['bank'] });
    let builds = 0;
    const part = detector.part!;
    const counted = {
      ...detector,
      part: {
        ...part,
        get unitSets() {
          builds++;
          return part.unitSets;
        },
      },
    };
    for (let text = 0; text < 3; text++) {
      const scanner = new TextScanner([{ rule: 0, detector: counted }]);
      scanner.push('a bank ');
      assert.equal(scanner.takeMatches().length, 1);
    }
    assert.equal(builds, 1);
  });
});
