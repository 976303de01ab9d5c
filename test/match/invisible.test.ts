import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  classOf,
  INVISIBLE_CLASSES,
  invisibleDetector,
  RTL_UNITS,
  RUN_UNITS_MAX,
} from '../../src/match/invisible.ts';
import { progressOf, type Span, scan } from './oracle.ts';

const detector = invisibleDetector();
const IGNORABLE = /\p{Default_Ignorable_Code_Point}+/gu;

/** The texts of matches, as code points. */
const found = (text: string, one = detector): string[] =>
  scan(one, text).map(([start, end]) =>
    [...text.slice(start, end)]
      .map((character) => (character.codePointAt(0) as number).toString(16))
      .join(' '),
  );

describe('what is not seen', () => {
  it('is found in runs, where nobody needs it', () => {
    assert.deepEqual(found('ig\u200bnore'), ['200b']);
    assert.deepEqual(found('a\u200b\u200c\u2060b\ufeffc'), ['200b 200c 2060', 'feff']);
    assert.deepEqual(found('user\u202etxt.exe\u202c and \u2066x\u2069'), [
      '202e',
      '202c',
      '2066',
      '2069',
    ]);
    assert.deepEqual(found('a\u{e0068}\u{e0069}'), ['e0068 e0069']);
    assert.deepEqual(found('😀\u{e0101}\u{e0102}\u{e0103}'), ['e0101 e0102 e0103']);
    assert.deepEqual(found('a\ufe0f, a\ufe00, \u{e0100}'), ['fe0f', 'fe00', 'e0100']);
    assert.deepEqual(found('latin\u200dletters, \u200f latin'), ['200d', '200f']);
    assert.deepEqual(found('\u115fx\u3164y\uffa0z\u2064'), ['115f', '3164', 'ffa0', '2064']);
    assert.deepEqual(found('end\u200b'), ['200b']);
  });

  it('is left alone in emoji', () => {
    for (const text of ['👨‍👩‍👧‍👦', '👩🏽‍🚀', '🏳️‍🌈', '❤️‍🔥', '1️⃣ #️⃣', '☺︎ ☺️', '🏴‍☠️', '🇩🇪', '🧑‍🤝‍🧑'])
      assert.deepEqual(found(`so ${text}!`), [], text);
    assert.deepEqual(found('🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}'), []);
    // Letters that hide behind a flag are more, or have no end.
    assert.deepEqual(found('🏴\u{e0067}\u{e0062}\u{e0065}').length, 1);
    assert.deepEqual(found(`🏴${'\u{e0061}'.repeat(7)}\u{e007f}`).length, 1);
    assert.deepEqual(found('🏁\u{e0067}\u{e0062}\u{e0065}\u{e007f}').length, 1);
    assert.deepEqual(found('👨\u200d'), ['200d']);
    assert.deepEqual(found('👨\u200d\u200d👩'), ['200d 200d']);
    assert.deepEqual(found('👨\ufe0f\ufe0f'), ['fe0f fe0f']);
  });

  it('is left alone where a script joins, parts or turns by it', () => {
    for (const text of [
      'می\u200cخواهم',
      'क\u094d\u200dष and क\u094d\u200cष',
      'ശ\u0d4d\u200d',
      'ไทย\u200bแลนด์',
      'ភាសា\u200bខ្មែរ',
      'שלום\u200f! 123',
      '\u200fשלום',
      'السعر 5\u200e%',
      'Donau\u00addampf',
      '葛\u{e0100}城',
      'ᠠ\u180b',
      '\ufefftext',
    ])
      assert.deepEqual(found(text), [], text);
    assert.deepEqual(found('text \ufeffא'), ['feff']);
    assert.deepEqual(found('שלום\u202e'), ['202e']);
    assert.deepEqual(found('-\u00ad-'), ['ad']);
  });

  it('turns direction at home within 64 units of a letter from right to left', () => {
    const far = (units: number) => `א${'.'.repeat(units)}\u200f.`;
    assert.deepEqual(found(far(RTL_UNITS - 1)), []);
    assert.deepEqual(found(far(RTL_UNITS)), ['200f']);
  });

  it('is a match of 64 units at most', () => {
    const lengths = (units: number) =>
      scan(detector, `a${'\u200b'.repeat(units)}b`).map(([start, end]) => end - start);
    assert.deepEqual(lengths(RUN_UNITS_MAX), [64]);
    assert.deepEqual(lengths(RUN_UNITS_MAX + 1), [64, 1]);
    const tags = scan(detector, `a${'\u{e0041}'.repeat(40)}b`);
    assert.deepEqual(tags, [
      [1, 65],
      [65, 81],
    ]);
  });

  it('is looked for by class', () => {
    const text = 'a\u200bb\u202ec\u{e0041}d\ufe00e\u00ad';
    const each = INVISIBLE_CLASSES.map((one) => found(text, invisibleDetector({ classes: [one] })));
    assert.deepEqual(each, [['200b'], ['202e'], ['e0041'], ['fe00'], ['ad']]);
    assert.deepEqual(found('a\u200b\u202eb', invisibleDetector({ classes: ['bidi'] })), [
      '200b 202e',
    ]);
    assert.deepEqual([0x61c, 0x200d, 0x180e, 0x180d, 0xe01ef, 0xe007f, 0x34f].map(classOf), [
      'bidi',
      'zero_width',
      'zero_width',
      'variation_selectors',
      'variation_selectors',
      'tags',
      'other',
    ]);
  });

  const text = fc.string({
    unit: fc.constantFrom(
      ...['a', ' ', '1', '👨', '👩', '🏴', 'א', 'ش', '葛', '\ud83d', '\udb40', '\udc41'],
      ...['\u200b', '\u200d', '\u200f', '\ufe0f', '\u00ad', '\u{e0067}', '\u{e007f}', '\u{e0100}'],
      ...['\u200b'.repeat(63), '.'.repeat(63)],
    ),
    maxLength: 12,
  });

  it('is the same however the text is cut, and nothing but what is not seen', () => {
    fc.assert(
      fc.property(text, fc.array(fc.nat(), { maxLength: 5 }), (whole, cuts) => {
        const spans = scan(detector, whole);
        assert.deepEqual(scan(detector, whole, cuts), spans);
        assert.deepEqual(
          scan(
            detector,
            whole,
            [...whole].map((_, at) => at),
          ),
          spans,
        );
        for (const [start, end] of spans)
          assert.equal(whole.slice(start, end).replace(IGNORABLE, ''), '');
      }),
      { numRuns: Number(process.env.RUNS ?? 500) },
    );
  });

  it('is held from the beginning of a run until what is behind it is known', () => {
    const live = (whole: string): number => progressOf(detector, whole).liveStart;
    const nothing = Number.POSITIVE_INFINITY;
    assert.equal(live('ab'), nothing);
    assert.equal(live('ab\u200b'), 2);
    assert.equal(live('👨\u200d'), 2);
    // Half of a character: the run may go on with it.
    assert.equal(live('👨\u200d\ud83d'), 2);
    assert.equal(live('👨\u200d👩'), nothing);
    // Half of a tag begins a run, unless it stands alone; half of an emoji does not.
    assert.equal(live('a\udb40'), 1);
    assert.equal(live('a\udb40b'), nothing);
    assert.equal(live('a\ud83d'), nothing);
    const spans: Span[] = scan(detector, 'a\udb40');
    assert.deepEqual(spans, []);
  });
});
