import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Detector } from '../../src/match/detector.ts';
import { regexDetector } from '../../src/match/regex.ts';
import { NODES_MAX } from '../../src/match/regex-nodes.ts';
import { instructionsOf, RE2JS_OPS } from '../../src/match/regex-program.ts';
import { progressByForesight, progressOf, type Span, scan, textsOver } from './oracle.ts';
import { naive } from './regex-oracle.ts';

function detectorOf(pattern: string, cap?: number): Detector {
  const made = regexDetector(cap === undefined ? { pattern } : { pattern, maxMatchBytes: cap });
  assert.ok(made.ok, pattern);
  return made.detector;
}

/** The partition law is tested on its own, so that the law of holding may rely on it. */
function remembered(detector: Detector): (whole: string) => readonly Span[] {
  const known = new Map<string, readonly Span[]>();
  return (whole) => {
    const spans = known.get(whole) ?? scan(detector, whole);
    known.set(whole, spans);
    return spans;
  };
}

const atom = fc.constantFrom(
  'a',
  'b',
  '1',
  ' ',
  '[ab]',
  '[^a]',
  '\\w',
  '\\d',
  '\\n',
  '😀',
  '[😀-😄b]',
  '.',
);
const assertion = fc.constantFrom('\\b', '\\B', '^', '$');
const { expression } = fc.letrec<{ expression: string }>((tie) => ({
  expression: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    atom,
    assertion,
    fc.tuple(tie('expression'), tie('expression')).map(([one, two]) => one + two),
    fc.tuple(tie('expression'), tie('expression')).map(([one, two]) => `(?:${one}|${two})`),
    fc
      .tuple(tie('expression'), fc.constantFrom('*', '+', '?', '{2}', '{1,3}', '*?'))
      .map(([one, times]) => `(?:${one})${times}`),
  ),
}));
const pattern = fc.tuple(fc.constantFrom('', '(?m)'), expression).map(([flag, body]) => {
  // A dot is not a newline to RE2; the oracle's flag says otherwise.
  return flag + body.replaceAll('.', '[^\\n]');
});
const text = fc.string({
  unit: fc.constantFrom('a', 'b', '1', ' ', '\n', '😀', '\ud83d', '\ude00'),
  maxLength: 14,
});
const cap = fc.option(fc.integer({ min: 1, max: 6 }), { nil: undefined });

describe('regex', () => {
  const cases: [string, string, string[]][] = [
    ['a+?', 'baaac', ['aaa']],
    ['a|ab\\b', 'ab abc', ['ab', 'a']],
    ['a|a[a-z]*!', 'aaa aa!', ['a', 'a', 'a', 'aa!']],
    ['(?i)straße', 'STRAßE', ['STRAßE']],
    ['(?i)k', '\u212a', ['\u212a']],
    ['(?i)𐐀', '𐐨', ['𐐨']],
    ['.', '😀\ud83dx', ['😀', '\ud83d', 'x']],
    ['[\\x{1F600}-\\x{1F64F}]{2}', '😀😁', ['😀😁']],
    ['\\pL+', 'é𝐁1', ['é𝐁']],
    ['\\bé\\b', 'aéa', ['é']],
    ['\\Afoo\\z', 'foo', ['foo']],
    ['foo$', 'foo\nfoo', ['foo']],
    ['(?P<name>x)', 'x', ['x']],
    ['sk-[A-Za-z0-9]{4,8}', 'sk-abcdefghij', ['sk-abcdefgh']],
  ];
  for (const [given, whole, expected] of cases)
    it(`/${given}/ in ${JSON.stringify(whole)}`, () =>
      assert.deepEqual(
        scan(detectorOf(given), whole).map(([start, end]) => whole.slice(start, end)),
        expected,
      ));

  it('says what is wrong with an expression', () => {
    const code = (given: string, cap?: number): string => {
      const made = regexDetector(
        cap === undefined ? { pattern: given } : { pattern: given, maxMatchBytes: cap },
      );
      return made.ok ? 'ok' : made.code;
    };
    for (const given of ['(', '\\Z', 'a**']) assert.equal(code(given), 'regex_syntax', given);
    for (const given of ['(?<=a)b', '(?<!a)b', 'a(?=b)', '(a)\\1'])
      assert.equal(code(given), 'regex_look_around', given);
    assert.equal(code('a{1001}'), 'regex_repeat');
    for (const given of ['', '^$', '\\b', '(?:)*', 'a\\b\\wb', '[^\\x00-\\x{10FFFF}]'])
      assert.equal(code(given), 'regex_empty', given);
    assert.equal(code('abc', 2), 'regex_empty');
    assert.equal(code('abc', 3), 'ok');
    assert.equal(code('a*'), 'ok');
  });

  it('knows its longest match', () => {
    const longest = (given: string, cap?: number) => detectorOf(given, cap).unitsMax;
    assert.equal(longest('a{2,5}b?'), 6);
    assert.equal(longest('😀|ab'), 2);
    assert.equal(longest('[^a]'), 2);
    assert.equal(longest('a(?:\\b)*b?c'), 3);
    assert.equal(longest('a*'), undefined);
    assert.equal(longest('x(?:a|bc)+'), undefined);
    assert.equal(longest('a*', 9), 9);
    assert.equal(longest('ab', 9), 2);
    assert.equal(longest('a(?:\\b\\B.*)?'), 1);
  });

  it('refuses one state more than the limit', () => {
    const states = instructionsOf('(?:a{999}){1}').inst.length;
    assert.ok(states > 999 && states < NODES_MAX);
    assert.ok(regexDetector({ pattern: 'a{999}' }).ok);
    const made = regexDetector({ pattern: Array.from({ length: 21 }, () => 'a{999}').join('') });
    assert.ok(!made.ok && made.code === 'regex_too_large');
  });

  it('reads the instructions of the installed re2js', () => {
    const ops = (given: string): number[] => instructionsOf(given).inst.map(({ op }) => op);
    const { fail, rune, rune1, match, alt, capture, emptyWidth, runeAny, runeAnyNotNewline, nop } =
      RE2JS_OPS;
    assert.deepEqual(ops('[ac]'), [fail, rune, match]);
    assert.deepEqual(ops('ab'), [fail, rune1, rune1, match]);
    assert.deepEqual(ops('a*'), [fail, rune1, alt, match]);
    assert.deepEqual(ops('(a)'), [fail, capture, rune1, capture, match]);
    assert.deepEqual(ops('(?s).'), [fail, runeAny, match]);
    assert.deepEqual(ops('.'), [fail, runeAnyNotNewline, match]);
    assert.deepEqual(ops(''), [fail, nop, match]);
    const masks = instructionsOf('(?m)^$\\A\\z\\b\\B').inst.filter(({ op }) => op === emptyWidth);
    assert.deepEqual(
      masks.map(({ arg }) => arg),
      [1, 2, 4, 8, 16, 32],
    );
    assert.deepEqual(ops('(?i)k'), [fail, rune, match]);
    assert.equal(instructionsOf('(?i)k').inst[1]?.arg, 1);
  });

  it('finds what the definition says, however the text is cut', () => {
    fc.assert(
      fc.property(pattern, cap, text, fc.array(fc.nat()), (given, units, whole, cuts) => {
        const made = regexDetector(
          units === undefined ? { pattern: given } : { pattern: given, maxMatchBytes: units },
        );
        const spans = made.ok ? scan(made.detector, whole, cuts) : [];
        if (!made.ok) assert.equal(made.code, 'regex_empty');
        assert.deepEqual(spans, naive(given, units)(whole));
      }),
      { numRuns: 1_200 },
    );
  });

  it('is right across windows of starts', () => {
    const long = fc.array(
      fc.constantFrom('a', 'aaaa', 'b', '1', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'),
      {
        maxLength: 14,
      },
    );
    const patterns = fc.constantFrom(
      'a|a[ab]*1',
      'a{3,70}b',
      '[ab]*1',
      'a[ab]{40}',
      'ba*b|a',
      'a+b?',
    );
    const caps = fc.constantFrom(undefined, 33, 64, 65);
    fc.assert(
      fc.property(patterns, caps, long, (given, units, parts) => {
        const whole = parts.join('').slice(0, 120);
        const made = regexDetector(
          units === undefined ? { pattern: given } : { pattern: given, maxMatchBytes: units },
        );
        const spans = made.ok ? scan(made.detector, whole) : [];
        assert.deepEqual(spans, naive(given, units)(whole));
      }),
      { numRuns: 150 },
    );
  });

  it('holds exactly what may become a match', () => {
    const continuations = textsOver(['a', 'b', ' '], 4);
    const patterns = [
      'ab',
      'a|ab',
      'a\\b',
      'a\\b|a',
      'a\\b b',
      'ab?b',
      'a{2,3}b',
      '^ab',
      'a$',
      'a\\Bb|aa',
      '(?:ab)+',
      'a|a[ab]{1,2} ',
      ' a| ab|b',
      '\\ba+\\b',
      'a[^a]',
      'b\\b\\b ?a',
      '(?:a\\b|ab)b?',
    ];
    for (const given of patterns)
      for (const units of [undefined, 2, 3]) {
        const made = regexDetector(
          units === undefined ? { pattern: given } : { pattern: given, maxMatchBytes: units },
        );
        if (!made.ok) continue;
        const matches = remembered(made.detector);
        for (const prefix of textsOver(['a', 'b', ' '], 3))
          assert.deepEqual(
            progressOf(made.detector, prefix),
            progressByForesight(prefix, continuations, matches),
            `/${given}/ cap ${units} after ${JSON.stringify(prefix)}`,
          );
      }
  });

  it('is exact between the two halves of a character', () => {
    const continuations = textsOver(['a', '\ude00', '\ud83d'], 3);
    for (const given of ['😀', '[^a]', 'a😀', 'a|a😀', '\\x{D83D}', '\\x{DE00}', 'a.?']) {
      const detector = detectorOf(given);
      const matches = remembered(detector);
      for (const prefix of textsOver(['a', '\ude00', '\ud83d'], 4))
        assert.deepEqual(
          progressOf(detector, prefix),
          progressByForesight(prefix, continuations, matches),
          `/${given}/ after ${JSON.stringify(prefix)}`,
        );
    }
  });

  it('does a bounded number of steps per unit in a flood', () => {
    const work = (given: string, flood: string, units: number, cap?: number): number => {
      const [tracker] = detectorOf(given, cap).start();
      for (let at = 0; at < units; at++)
        tracker?.step(flood.charCodeAt(at % flood.length), at, () => undefined);
      return (tracker as unknown as { work: number }).work;
    };
    for (const [given, flood, units] of [
      ['a{1,64}b', 'a', undefined],
      ['a|a[a-z]*!', 'a', 256],
      ['[ab]*a[ab]{20}', 'ab', 256],
      ['\\w+@\\w+', 'a', 256],
    ] as [string, string, number | undefined][]) {
      const short = work(given, flood, 2_000, units);
      const long = work(given, flood, 8_000, units);
      assert.ok(long <= 4.5 * short, `/${given}/: ${short} steps, then ${long}`);
    }
  });
});
