import assert from 'node:assert/strict';
import fc from 'fast-check';
import { DEAD, type DfaLimits, dfaLimitsFor, RegexDfa } from '../../src/match/regex-dfa.ts';
import { NEVER } from '../../src/match/regex-liveness.ts';
import { buildAutomaton } from '../../src/match/regex-program.ts';
import { Starts } from '../../src/match/regex-starts.ts';
import { RegexSteps } from '../../src/match/regex-steps.ts';
import { RegexTracker } from '../../src/match/regex-tracker.ts';
import type { Span } from './oracle.ts';
import { naive } from './regex-oracle.ts';

function dfaOf(pattern: string, limits?: DfaLimits): RegexDfa {
  const automaton = buildAutomaton(pattern);
  assert.ok(typeof automaton !== 'string');
  return new RegexDfa(new RegexSteps(automaton), limits ?? dfaLimitsFor(automaton.nodes.length));
}

function run(dfa: RegexDfa, text: string, cap: number = NEVER): Span[] {
  const found: Span[] = [];
  const tracker = new RegexTracker(dfa, cap);
  for (let at = 0; at < text.length; at++)
    tracker.step(text.charCodeAt(at), at, ({ start, end }) => found.push([start, end]));
  tracker.end(text.length, ({ start, end }) => found.push([start, end]));
  return found;
}

/** The same text every time. */
function randomText(letters: string, units: number): string {
  let state = 1;
  return Array.from({ length: units }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return letters[Math.floor((state / 2 ** 32) * letters.length)];
  }).join('');
}

describe('states of one expression', () => {
  const patterns = [
    ...['a[ab]*1', 'a|a[ab]*1', '(?:a|bb)*1|b', '[ab]{2,4}a', '(?:ab|ba?)+1?', 'a\\b|b\\Ba'],
    ...['[ab]*a[ab]{3}', 'ab?|b[^a]a', '(?:aa)*1|a(?:ba)*', '😀a?|a😀', '\\B[ab]+\\b', 'a.b|.$'],
  ];

  it('are the same however few are kept', () => {
    const text = fc.string({
      unit: fc.constantFrom('a', 'a', 'b', '1', ' ', '😀', '\ud83d', 'abab', 'é'),
      maxLength: 24,
    });
    const limits = fc.record({
      statesMax: fc.integer({ min: 0, max: 4 }),
      missesPerState: fc.integer({ min: 0, max: 3 }),
    });
    const cap = fc.constantFrom(NEVER, 2, 5);
    fc.assert(
      fc.property(fc.constantFrom(...patterns), text, limits, cap, (given, whole, few, units) => {
        const dfa = dfaOf(given, few);
        const expected = naive(given, units)(whole);
        // Twice: the second time some are kept, or were dropped.
        assert.deepEqual(run(dfa, whole, units), expected);
        assert.deepEqual(run(dfa, whole, units), expected);
        assert.ok(dfa.statesKept <= Math.max(1, few.statesMax));
      }),
      { numRuns: Number(process.env.RUNS ?? 300) },
    );
  });

  it('stay as few as the limit says where an expression has a million, and the matches right', () => {
    const units = 12_000;
    const text = randomText('ab', units);
    const limits = { statesMax: 100, missesPerState: 4 };
    const tail = 20;
    /** The farthest end within the cap that has an `a` just before its last 20 units. */
    const expectedOf = (cap: number): Span[] => {
      const spans: Span[] = [];
      for (let start = 0; start < units; ) {
        let end = Math.min(units, start + cap);
        while (end - start > tail && text[end - tail - 1] !== 'a') end--;
        if (end - start <= tail) start++;
        else {
          spans.push([start, end]);
          start = end;
        }
      }
      return spans;
    };
    for (const cap of [NEVER, 64, 21]) {
      const dfa = dfaOf('[ab]*a[ab]{20}', limits);
      assert.deepEqual(run(dfa, text, cap), expectedOf(cap), `cap ${cap}`);
      assert.ok(dfa.statesKept <= limits.statesMax);
    }
    const dfa = dfaOf('[ab]*a[ab]{20}', limits);
    const seen = new Set<number>();
    const tracker = new RegexTracker(dfa, 64);
    for (let at = 0; at < units; at++) {
      tracker.step(text.charCodeAt(at), at, () => undefined);
      seen.add(dfa.statesKept);
    }
    assert.equal(Math.max(...seen), limits.statesMax, 'the limit is reached');
    assert.ok(seen.has(1), 'and room made again');
  });
});

describe('starts in one state', () => {
  it('keep their order and their ends through all that can happen to them', () => {
    type Model = [start: number, end: number][];
    const on = fc.nat(1);
    const action = fc.oneof(
      {
        weight: 6,
        arbitrary: fc.record({ kind: fc.constant('append' as const), on, end: fc.nat(3) }),
      },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant('reach' as const), on }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('dropFirst' as const), on }) },
      {
        weight: 1,
        arbitrary: fc.record({ kind: fc.constant('dropBelow' as const), on, by: fc.nat(150) }),
      },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('keepFirst' as const), on }) },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant('takeAll' as const), on }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('takeEnded' as const), on }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('many' as const), on }) },
    );
    const drain = (starts: Starts): Model => {
      const all: Model = [];
      for (; starts.size > 0; starts.dropFirst()) all.push([starts.first, starts.firstEnd]);
      return all;
    };
    fc.assert(
      fc.property(fc.array(action, { maxLength: 40 }), (actions) => {
        const real = [new Starts(DEAD), new Starts(DEAD)] as const;
        const models: [Model, Model] = [[], []];
        let next = 1;
        const append = (on: number, end: number): void => {
          real[on]!.append(next, end);
          models[on]!.push([next++, end]);
        };
        for (const one of actions) {
          const own = real[one.on]!;
          const other = real[1 - one.on]!;
          const model = models[one.on]!;
          const rest = models[1 - one.on]!;
          if (one.kind === 'append') append(one.on, one.end);
          else if (one.kind === 'many') for (let count = 0; count < 90; count++) append(one.on, 0);
          else if (one.kind === 'reach') {
            own.reach(1_000 + next);
            for (const entry of model) entry[1] = 1_000 + next;
          } else if (one.kind === 'dropFirst' && model.length > 0) {
            own.dropFirst();
            model.shift();
          } else if (one.kind === 'dropBelow') {
            own.dropBelow(next - one.by);
            models[one.on] = model.filter(([start]) => start >= next - one.by);
          } else if (one.kind === 'keepFirst' && model.length > 0) {
            own.keepFirst();
            model.length = 1;
          } else if (one.kind === 'takeAll' && model.length > 0 && rest.length > 0) {
            own.takeAll(other);
            models[one.on] = [...model, ...rest].sort((a, b) => a[0] - b[0]);
            models[1 - one.on] = [];
          } else if (one.kind === 'takeEnded') {
            own.takeEnded(other);
            const ended = rest.filter(([, end]) => end !== 0);
            models[one.on] = [...model, ...ended].sort((a, b) => a[0] - b[0]);
            models[1 - one.on] = [];
          }
          assert.equal(own.first, models[one.on]![0]?.[0] ?? Number.POSITIVE_INFINITY);
          assert.equal(own.size, models[one.on]!.length);
        }
        assert.deepEqual(real.map(drain), models);
      }),
      { numRuns: Number(process.env.RUNS ?? 500) },
    );
  });
});
