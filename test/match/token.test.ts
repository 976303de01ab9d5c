import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Detector, Match } from '../../src/match/detector.ts';
import { keywordDetector } from '../../src/match/keywords.ts';
import { regexDetector } from '../../src/match/regex.ts';
import { DEAD } from '../../src/match/regex-dfa.ts';
import { TextScanner } from '../../src/match/scanner.ts';
import { compileToken } from '../../src/match/token-kind.ts';
import {
  type Check,
  SKIPPED_MAX,
  type TokenTracker,
  VALIDATED_UNITS_MAX,
  type Validator,
} from '../../src/match/token-tracker.ts';
import { TRAIL_UNITS, Trail } from '../../src/match/token-trail.ts';
import { UNION_LIMITS, UnionAutomaton } from '../../src/match/union-automaton.ts';
import { UnionRun } from '../../src/match/union-run.ts';
import { matchesIn } from '../../src/match/whole-text.ts';
import { pieces, type Span, textsOver } from './oracle.ts';

interface Made {
  readonly expression: string;
  readonly unitsMax?: number;
  readonly check?: Check;
}

const compile = (made: Made) => compileToken({ label: 'TOKEN', ...made });

function detectorOf(kinds: readonly Made[]): Detector {
  const partitions = kinds.map(compile);
  const start = () => partitions.map((one) => one.start());
  return { kind: 'secrets', labels: ['SECRET'], partitions, bytes: 0, start, matches: () => false };
}

const TAG = /\u{e0041}|\u{e0100}/u;
const UNSEEN = /[\u200b\u2060]|\u{e0041}|\u{e0100}/gu;

/** All ends of candidates that start at `start`, by definition: without what is not seen, in its context. */
function endsAt(text: string, start: number, { expression, unitsMax = 1e9 }: Made): number[] {
  const ends: number[] = [];
  const exactly = (before: string, after: string): RegExp =>
    new RegExp(`(?<=^[^]{${before.length}})(?:${expression})(?=[^]{${after.length}}$)`);
  if (text.slice(start).search(UNSEEN) === 0) return [];
  for (let end = start + 1; end <= text.length; end++) {
    const piece = text.slice(start, end);
    // The last unit is seen, and no character is cut that is not.
    if (/[\u200b\u2060]$/.test(piece) || /^[\udc41\udd00]/.test(piece)) continue;
    if (piece.endsWith('\udb40') && TAG.test(text.slice(end - 1, end + 1))) continue;
    if (/(?:\u{e0041}|\u{e0100})$/u.test(piece)) continue;
    const token = piece.replaceAll(UNSEEN, '');
    if (piece.length - token.length > SKIPPED_MAX || token.length > unitsMax) continue;
    const before = text.slice(Math.max(0, start - 1), start);
    const after = text.slice(end, end + 1);
    if (exactly(before, after).test(before + token + after)) ends.push(end);
  }
  return ends;
}

const validOf = (text: string, start: number, ends: readonly number[], made: Made): number =>
  ends.findLast(
    (end) => made.check?.validator(text.slice(start, end).replaceAll(UNSEEN, '')) ?? true,
  ) ?? 0;

function matchesByDefinition(text: string, made: Made): Span[] {
  const spans: Span[] = [];
  for (let at = 0; at < text.length; at++) {
    const end = validOf(text, at, endsAt(text, at, made), made);
    if (end === 0) continue;
    spans.push([at, end]);
    at = end - 1;
  }
  return spans;
}

/** Smallest start whose candidates depend on what follows, once those before it are decided. */
function liveByForesight(text: string, futures: readonly string[], made: Made): number {
  const certain = (start: number): readonly number[] | undefined => {
    const ends = endsAt(text + (futures[0] as string), start, made);
    // Those that end in what is only one future's are different in another.
    const same = futures.every(
      (future) => endsAt(text + future, start, made).join() === ends.join(),
    );
    return same ? ends : undefined;
  };
  for (let at = 0; at < text.length; at++) {
    const ends = certain(at);
    if (ends === undefined) return at;
    const end = validOf(text, at, ends, made);
    if (end > 0) at = end - 1;
  }
  return Number.POSITIVE_INFINITY;
}

const atom = fc.constantFrom('a', 'b', '1', '-', '[ab]', '[^a]', '\\w', '\\d');
const { body } = fc.letrec<{ body: string }>((tie) => ({
  body: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    atom,
    fc.constantFrom('\\b', '\\B'),
    fc.tuple(tie('body'), tie('body')).map(([one, two]) => one + two),
    fc.tuple(tie('body'), tie('body')).map(([one, two]) => `(?:${one}|${two})`),
    fc
      .tuple(tie('body'), fc.constantFrom('?', '{2}', '{1,3}', '{0,2}', '+', '*'))
      .map(([one, times]) => `(?:${one})${times}`),
  ),
}));

/** Refuses for no reason that an expression could know. */
const odd: Validator = (token) =>
  [...token].reduce((sum, one) => sum * 7 + one.charCodeAt(0), token.length) % 3 !== 0;

/** The same verdict on all that begin alike, and said to be so. */
const CHECKS: readonly Check[] = [
  { validator: odd },
  { validator: (token) => odd(token.slice(0, 1)), looksAt: 'shortest' },
  { validator: (token) => odd(token.slice(0, 3)), looksAt: () => 3 },
];

const kind = fc
  .record({
    // What matches nothing only wastes a run.
    expression: body.map((one) => `[ab1](?:${one})`),
    check: fc.constantFrom<Check | undefined>(...CHECKS, undefined),
    unitsMax: fc.integer({ min: 1, max: 9 }),
  })
  .map(({ check, ...rest }): Made => (check === undefined ? rest : { check, ...rest }))
  .filter((made) => {
    try {
      compile(made);
      return true;
    } catch {
      return false;
    }
  });

const text = fc.string({
  unit: fc.constantFrom(
    ...['a', 'a', 'b', '1', '-', ' ', '\u200b', '\u{e0041}', '\u{e0100}', '\udb40', '\u2060'],
    ...['aab', '\u200b'.repeat(62), 'é'],
  ),
  maxLength: 16,
});
const cuts = fc.array(fc.nat(), { maxLength: 5 });
const RUNS = (usual: number) => ({ numRuns: Number(process.env.RUNS ?? usual) });

function scanned(kinds: readonly Made[], whole: string, places: readonly number[]): string[] {
  const scanner = new TextScanner([{ rule: 0, detector: detectorOf(kinds) }]);
  const matches: { readonly start: number; readonly end: number }[] = [];
  for (const piece of pieces(whole, places)) {
    const { safe } = scanner;
    scanner.push(piece);
    const decided = scanner.takeMatches();
    // Nothing begins where it was said that nothing can.
    assert.ok(decided.every(({ start }) => start >= safe));
    matches.push(...decided);
  }
  const { safe } = scanner;
  scanner.end();
  const last = scanner.takeMatches();
  assert.ok(last.every(({ start }) => start >= safe));
  matches.push(...last);
  return matches.map(({ start, end }) => `${start}-${end}`).sort();
}

/** What the automaton of all rules says, against what each tracker says alone. */
function sameTogether(
  kinds: readonly Made[],
  whole: string,
  places: readonly number[],
  statesMax: number,
): void {
  const tokens = kinds.map(compile);
  const keywords = keywordDetector({ words: ['aab', 'b1'] });
  const parts = [...tokens.map(({ part }) => part), keywords.part!];
  const startOf = (rule: number) => tokens[rule]?.start() ?? keywords.start()[0]!;
  const automaton = new UnionAutomaton(parts, { ...UNION_LIMITS, statesMax });
  const seen: string[] = [];
  let consumed = 0;
  const run = new UnionRun(automaton, {
    start: startOf,
    sink:
      (rule) =>
      ({ start, end }) =>
        seen.push(`${rule}: ${start}-${end} at ${consumed}`),
    consume: (units) => {
      consumed = units;
    },
  });
  const alone = parts.map((_, rule) => startOf(rule));
  const expected: string[] = [];
  let first = 0;
  const sinkOf = (rule: number, at: number) => (match: Match) =>
    expected.push(`${rule}: ${match.start}-${match.end} at ${at}`);
  for (const piece of pieces(whole, places)) {
    const units = Uint16Array.from(piece.split(''), (unit) => unit.charCodeAt(0));
    const live = run.take(units, units.length, first);
    for (const unit of units) {
      for (const [rule, tracker] of alone.entries())
        tracker.step(unit, first, sinkOf(rule, first + 1));
      first++;
    }
    const aloneLive = Math.min(...alone.map(({ liveStart }) => liveStart));
    // What a tracker has refused, the automaton holds until it calls the tracker, or the expression ends.
    if (kinds.some(({ check }) => check?.looksAt === 'shortest')) assert.ok(live <= aloneLive);
    else assert.equal(live, aloneLive);
  }
  run.end(first);
  for (const [rule, tracker] of alone.entries()) tracker.end(first, sinkOf(rule, first));
  assert.deepEqual(seen.sort(), expected.sort());
}

describe('tokens', () => {
  it('are what their definition says, however the text is cut', () => {
    fc.assert(
      fc.property(
        fc.array(kind, { minLength: 1, maxLength: 3 }),
        text,
        cuts,
        (kinds, whole, places) => {
          const expected = kinds
            .flatMap((made) => matchesByDefinition(whole, made))
            .map(([start, end]) => `${start}-${end}`)
            .sort();
          assert.deepEqual(scanned(kinds, whole, places), expected);
          assert.deepEqual(
            scanned(
              kinds,
              whole,
              [...whole].map((_, at) => at),
            ),
            expected,
          );
        },
      ),
      RUNS(200),
    );
  });

  it('are held as long as their expression may end further, and no longer', () => {
    const futures = textsOver(['a', 'b', '1', '-', '\u200ba'], 4);
    const short = fc.string({
      unit: fc.constantFrom('a', 'b', '1', '-', '\u200b', '\u{e0041}'),
      maxLength: 6,
    });
    const brief = kind.map((made) => ({ ...made, unitsMax: Math.min(4, made.unitsMax ?? 4) }));
    fc.assert(
      fc.property(brief, short, (made, whole) => {
        const tracker = compile(made).start();
        for (let at = 0; at < whole.length; at++) tracker.step(whole.charCodeAt(at), at, () => {});
        // Half of a tag says nothing of itself: what follows it here is no tag.
        const live = liveByForesight(whole, futures, made);
        // Refused by what is there already: nothing that follows matters.
        if (made.check?.looksAt === 'shortest') assert.ok(tracker.liveStart >= live);
        else assert.equal(tracker.liveStart, live);
      }),
      RUNS(80),
    );
  });

  it('say the same through the automaton as alone, unit for unit, with room for one state or many', () => {
    fc.assert(
      fc.property(
        fc.array(kind, { minLength: 1, maxLength: 3 }),
        text,
        cuts,
        fc.constantFrom(1, 8, UNION_LIMITS.statesMax),
        sameTogether,
      ),
      RUNS(150),
    );
  });

  it('have assertions that look past what is not seen inside, and at it where they end', () => {
    const texts = textsOver(['a', 'b', '-', '\u200b'], 3)
      .filter((rest) => rest.includes('\u200b'))
      .map((rest) => `a${rest}`);
    for (const expression of [
      'ab\\B|a{4}',
      'a\\Bb',
      'a\\bb?',
      'a-?\\b-?b',
      'ab?\\B',
      'a(?:\\B|-\\b)b?',
    ])
      for (const whole of texts) {
        const made = { expression, unitsMax: 4 };
        const expected = matchesByDefinition(whole, made).map(([start, end]) => `${start}-${end}`);
        assert.deepEqual(scanned([made], whole, []), expected.sort(), `${expression} in ${whole}`);
        sameTogether([made], whole, [1, 2, 3, 4], UNION_LIMITS.statesMax);
      }
  });

  it('that a validator refuses leave room for shorter and for later ones', () => {
    const valid = new Set(['abb', 'bbb1']);
    const made = {
      expression: '[ab]+1?',
      unitsMax: 9,
      check: { validator: (one: string) => valid.has(one) },
    };
    assert.deepEqual(scanned([made], 'abbb ', []), ['0-3']);
    assert.deepEqual(scanned([made], 'aabbb1 ', []), ['1-4']);
    assert.deepEqual(scanned([made], 'aaabbb1 abb', []), ['2-5', '8-11']);
    assert.deepEqual(scanned([made], 'bbbb1', []), ['1-5']);
    // The first is certain, and may grow over the second until it does not.
    const growing = { expression: '[ac]b(?:cbd)?' };
    assert.deepEqual(scanned([growing], 'abcb.', []), ['0-2', '2-4']);
    assert.deepEqual(scanned([growing], 'abcbd', []), ['0-5']);
  });

  it('may hold 64 invisible units, and not one more', () => {
    // The other branch lets the automaton count farther than a match of the first one is long.
    const made = {
      expression: 'a{3}(?:b|c{1,190})',
      check: { validator: (one: string) => one === 'aaab' },
    };
    const holding = (units: number) => `aa${'\u200b'.repeat(units)}ab`;
    assert.deepEqual(scanned([made], holding(SKIPPED_MAX), []), [`0-${4 + SKIPPED_MAX}`]);
    assert.deepEqual(scanned([made], holding(SKIPPED_MAX + 1), []), []);
    sameTogether([made], holding(SKIPPED_MAX + 1), [10, SKIPPED_MAX + 3], 1_000);
    const tags = (count: number) => `aa${'\u{e0041}'.repeat(count)}ab`;
    assert.equal(scanned([made], tags(SKIPPED_MAX / 2), []).length, 1);
    assert.equal(scanned([made], tags(SKIPPED_MAX / 2 + 1), []).length, 0);
  });

  it('must have a bound, and with a validator one of 256 units at most', () => {
    const check = { validator: () => true };
    assert.throws(() => compile({ expression: 'a+' }), /no bound/);
    assert.ok(compile({ expression: 'a+', unitsMax: 10_000 }));
    assert.equal(VALIDATED_UNITS_MAX, 256);
    assert.ok(compile({ expression: 'a{256}', check }));
    assert.throws(() => compile({ expression: 'a{257}', check }), /too many/);
    assert.ok(compile({ expression: 'a+', check, unitsMax: 256 }));
    assert.throws(() => compile({ expression: 'a+', check, unitsMax: 257 }), /too many/);
  });

  it('without a validator are what their expression says however many starts live, and cost little more', () => {
    const unitsMax = 400;
    for (const expression of ['x-[^1]*1', 'x-(?:[^1][^1z])*1', 'x-[^1]*1|y-[x-]*\\bz']) {
      const made = regexDetector({ pattern: expression, maxMatchBytes: unitsMax });
      assert.ok(made.ok);
      const compiled = compile({ expression, unitsMax });
      const piece = fc.constantFrom(
        ...[
          'x-',
          'x-',
          'x-x-',
          'y-',
          'z',
          'x',
          '-'.repeat(70),
          'x-'.repeat(90),
          '1',
          '\u200b',
          '\u{e0041}',
        ],
      );
      fc.assert(
        fc.property(fc.array(piece, { maxLength: 60, size: 'max' }), cuts, (parts, places) => {
          const whole = parts.join('');
          // Fewer than a match may hold: each counts as if it were not there.
          const seenAt = Array.from({ length: whole.length }, (_, at) => at).filter(
            (at) => !'\u200b\u{e0041}'.includes(whole[at] as string),
          );
          const expected = matchesIn(made.detector.start(), whole.replaceAll(UNSEEN, '')).map(
            ({ start, end }) => `${seenAt[start]}-${(seenAt[end - 1] as number) + 1}`,
          );
          const tracker = compiled.start();
          const found: string[] = [];
          let at = 0;
          const sink = ({ start, end }: Match) => found.push(`${start}-${end}`);
          for (const part of pieces(whole, places)) {
            const units = Uint16Array.from(part.split(''), (unit) => unit.charCodeAt(0));
            const { length } = units;
            const told = { consume: () => {} };
            assert.equal(tracker.readLive?.(units, 0, length, length, at, sink, told), length);
            at += length;
          }
          tracker.end(at, sink);
          assert.deepEqual(found, expected);
        }),
        RUNS(100),
      );
    }
    const flooded = (units: number): number => {
      const tracker = compile({ expression: 'x-[^1]*1', unitsMax: 8_192 }).start() as TokenTracker;
      for (let at = 0; at < units; at++) tracker.step(at % 2 === 0 ? 0x78 : 0x2d, at, () => {});
      return tracker.work;
    };
    // Each of 4,096 starts that live goes from one place on the trail to the next, and from the last one on.
    assert.ok(flooded(30_000) < 30_000 * TRAIL_UNITS);
  });

  it('with one are what it says of each, however many starts come the same way', () => {
    const check = { validator: (token: string) => token.length % 37 === 5 && token.length > 90 };
    const unseen = '\u200b';
    for (const expression of ['x-[^1]*[1;]', 'x-(?:[^1][^1z])*;', 'x[-;x]*z']) {
      const made = { expression, check, unitsMax: VALIDATED_UNITS_MAX };
      const whole = new RegExp(`^(?:${expression})$`);
      const endFrom = (text: string, start: number): number => {
        let token = '';
        let longest = 0;
        for (let at = start; at < text.length && token.length < made.unitsMax; at++) {
          if (text[at] === unseen) continue;
          token += text[at];
          if (check.validator(token) && whole.test(token)) longest = at + 1;
        }
        return longest;
      };
      const compiled = compile(made);
      const piece = fc.constantFrom(
        ...['x-', 'x-x-', ';', 'z', '1', '-'.repeat(70), 'x-'.repeat(50), 'x-'.repeat(45), unseen],
      );
      fc.assert(
        fc.property(fc.array(piece, { maxLength: 14, size: 'max' }), cuts, (parts, places) => {
          const given = parts.join('');
          const expected: string[] = [];
          for (let at = 0; at < given.length; at++) {
            const end = given[at] === 'x' ? endFrom(given, at) : 0;
            if (end === 0) continue;
            expected.push(`${at}-${end}`);
            at = end - 1;
          }
          const decided = [places, [], Array.from(given, (_, at) => at)].map((cutting) => {
            const tracker = compiled.start();
            const found: string[] = [];
            let at = 0;
            let consumed = 0;
            const told = { consume: (units: number) => void (consumed = units) };
            const sink = ({ start, end }: Match) => found.push(`${start}-${end} at ${consumed}`);
            for (const part of pieces(given, cutting)) {
              const units = Uint16Array.from(part.split(''), (unit) => unit.charCodeAt(0));
              tracker.readLive?.(units, 0, units.length, units.length, at, sink, told);
              at += units.length;
            }
            consumed = at;
            tracker.end(at, sink);
            return found;
          });
          assert.deepEqual(
            decided[0]?.map((one) => one.split(' ')[0]),
            expected,
          );
          assert.deepEqual(decided[1], decided[0]);
          assert.deepEqual(decided[2], decided[0]);
        }),
        RUNS(150),
      );
    }
    const flooded = (units: number): number => {
      const made = { expression: 'x-[^1]*1', check: { validator: () => false }, unitsMax: 256 };
      const tracker = compile(made).start() as TokenTracker;
      for (let at = 0; at < units; at++) tracker.step(at % 2 === 0 ? 0x78 : 0x2d, at, () => {});
      return tracker.work;
    };
    // Without a trail each of them takes 256, and half of the units are starts.
    assert.ok(flooded(30_000) < 30_000 * TRAIL_UNITS * 1.5, `${flooded(30_000)}`);
  });

  it('are not told by what a store holds behind the piece', () => {
    const tracker = compile({ expression: 'ab' }).start();
    const found: string[] = [];
    const sink = ({ start, end }: Match) => found.push(`${start}-${end}`);
    const told = { consume: () => {} };
    const store = Uint16Array.from([0x61, 0x7a]);
    tracker.readLive?.(store, 0, 1, 1, 0, sink, told);
    assert.equal(tracker.liveStart, 0);
    store[0] = 0x62;
    tracker.readLive?.(store, 0, 1, 1, 1, sink, told);
    assert.deepEqual(found, ['0-2']);
  });

  it('go on only where a start before them came by in the same state, and that way goes on', () => {
    const [one, other, third] = [0, 1, 2].map(() => ({ ...DEAD }));
    const trail = new Trail();
    const pass = (place: number, state = one as typeof DEAD, units = place) =>
      trail.pass(place, state, units, 0, true);
    trail.startAt(0);
    assert.deepEqual([pass(64), pass(128), pass(192, third)], [false, false, false]);
    // This one comes to nothing behind its first place: who comes there in its state does, too.
    trail.startAt(10);
    assert.equal(pass(64, other, 54), false);
    trail.startAt(20);
    assert.equal(pass(64, other, 44), false);
    assert.equal(pass(128, one, 108), true);
    const { place, state, units, skipped, fresh } = trail;
    assert.equal(state, third);
    assert.deepEqual(
      { place, units, skipped, fresh },
      { place: 192, units: 172, skipped: 0, fresh: true },
    );
  });

  it('cost a bounded number of steps a unit, whatever floods them', () => {
    const made = { expression: '[ab]{8,24}', check: { validator: () => false } };
    const workOf = (units: number): number => {
      const tracker = compile(made).start() as TokenTracker;
      for (let at = 0; at < units; at++) tracker.step(0x61, at, () => {});
      tracker.end(units, () => {});
      return tracker.work;
    };
    // 24 starts live at a time, and each is asked about at 17 ends of 8 to 24 units.
    const each = 24 + 17 * 16;
    for (const units of [1_000, 4_000])
      assert.ok(workOf(units) <= units * each, `${workOf(units)} for ${units}`);
  });
});
