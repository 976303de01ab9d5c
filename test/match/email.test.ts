import assert from 'node:assert/strict';
import fc from 'fast-check';
import { piiDetector } from '../../src/match/pii.ts';
import {
  partition,
  progressByForesight,
  progressOf,
  type Span,
  scan,
  textsOver,
} from './oracle.ts';

const emails = piiDetector({ entities: ['email'] });

const foreign = '(?:(?=\\P{ASCII})[\\p{L}\\p{M}])';
/** Some of what is not seen: the one that occurs here is among them. */
const unseen = '[\\u00ad\\u200b-\\u200d\\u2060]';
const first = `(?:[A-Za-z0-9_]|${foreign})`;
const rest = `(?:[A-Za-z0-9_.!#$%&'*+\\/=?^\`\\{\\|\\}~\\-\\uff0e]|${foreign}|${unseen})`;
const label = `(?:[A-Za-z0-9\\-]|${foreign})`;

/** Two or more of them, with what is not seen between. */
function spread(unit: string): string {
  return `${unit}(?:${unseen}*${unit})+`;
}

/** The grammar of the module's comment, as one expression asked for every end. */
const GRAMMAR = new RegExp(
  `^${first}${rest}{0,63}[@\\uff20](?:(?:${unseen}*${label})+${unseen}*[.\\uff0e])+${unseen}*(?:${spread('[A-Za-z]')}|${spread(foreign)}|[xX]${unseen}*[nN]${unseen}*-${unseen}*-(?:${unseen}*${label})+)$`,
  'u',
);

function naive(text: string): Span[] {
  return partition(text, (whole, start) => {
    for (let end = Math.min(whole.length, start + 320); end > start; end--) {
      const part = whole.slice(start, end);
      if (part.length - part.search(/[@\uff20]/u) - 1 <= 255 && GRAMMAR.test(part)) return end;
    }
    return 0;
  });
}

const found = (text: string, except: readonly string[] = []): string[] =>
  scan(piiDetector({ entities: ['email'], except }), text).map(([start, end]) =>
    text.slice(start, end),
  );

describe('e-mail addresses', () => {
  const cases: [string, string, string[]][] = [
    ['a plain one', 'write to bob@acme.example.', ['bob@acme.example']],
    ['behind a broken one', 'a@b@c.com', ['b@c.com']],
    ['two in a row', 'a@b.com,c@d.org', ['a@b.com', 'c@d.org']],
    ['one that runs into the next', 'a@b.com+c@d.org', ['a@b.com', 'c@d.org']],
    [
      'in quotes and stars',
      "**bob@acme.example** 'al@acme.example' <x@y.zz>",
      ['bob@acme.example', 'al@acme.example', 'x@y.zz'],
    ],
    ['with a tag', 'hans.m端ller+tag@test.com', ['hans.m端ller+tag@test.com']],
    ['in front of other letters', 'a@b.com请联系', ['a@b.com']],
    [
      'international',
      'δοκιμή@παράδειγμα.δοκιμή x@y.xn--p1ai',
      ['δοκιμή@παράδειγμα.δοκιμή', 'x@y.xn--p1ai'],
    ],
    [
      'with what is not seen in it, but not at its edges',
      '\u200bb\u200bob\u00ad@ac\u2060me\u200b.\u200bexa\u200bmple\u200b.',
      ['b\u200bob\u00ad@ac\u2060me\u200b.\u200bexa\u200bmple'],
    ],
    ['with a full-width at sign and dot', 'bob＠acme．example', ['bob＠acme．example']],
    ['none with nothing but that for a label', 'a@\u200b.com a@b.\u200bc', []],
    ['parted by controls', 'a@b.com\u0000c@d.org', ['a@b.com', 'c@d.org']],
    [
      'a domain of 255, all seen or not',
      `a@\u200b${'x'.repeat(251)}.co`,
      [`a@\u200b${'x'.repeat(251)}.co`],
    ],
    ['none without a dot, or with a short end', 'a@b a@b.c a@b..com @b.com a@.com a@b.1', []],
    ['up to where a digit spoils it', 'a@b.com1', ['a@b.com']],
    ['the last 64 units of a long run', `${'x'.repeat(80)}@b.com`, [`${'x'.repeat(64)}@b.com`]],
    ['a local part of 64', `+${'x'.repeat(64)}@b.com`, [`${'x'.repeat(64)}@b.com`]],
    ['a domain of 255', `a@${'x.'.repeat(126)}com`, [`a@${'x.'.repeat(126)}com`]],
    ['not one of 256', `a@${'x'.repeat(252)}.com`, [`a@${'x'.repeat(252)}.co`]],
  ];
  for (const [title, text, expected] of cases)
    it(title, () => {
      assert.deepEqual(found(text), expected);
      assert.deepEqual(
        found(text),
        naive(text).map(([start, end]) => text.slice(start, end)),
      );
    });

  it('leaves out what is excepted, in any case, and nothing that contains it', () => {
    const text = 'support@ACME.example, xsupport@acme.example support@acme.examples';
    const except = ['Support@acme.example'];
    assert.deepEqual(found(text, except), ['xsupport@acme.example', 'support@acme.examples']);
  });

  it('leaves it out wherever the text is cut, and however long what stands before it', () => {
    const except = ['support@acme.example'];
    const detector = piiDetector({ entities: ['email'], except });
    const text = `${'y'.repeat(70)}.support@acme.example-support@acme.example a@b.org+support@acme.example`;
    const whole = scan(detector, text);
    assert.deepEqual(
      whole.map(([start, end]) => text.slice(start, end)),
      [`${'y'.repeat(56)}.support@acme.example`, 'a@b.org'],
    );
    for (let one = 0; one <= text.length; one++) {
      assert.deepEqual(scan(detector, text, [one]), whole, `${one}`);
      const near = [one, one + 1, one + 3, one + 8];
      assert.deepEqual(scan(detector, text, near), whole, `${near}`);
    }
    const each = Array.from(text, (_, place) => place);
    assert.deepEqual(scan(detector, text, each), whole);
  });

  it('leaves it out where its local part is as long as one may be, wherever the text is cut', () => {
    const letters = Array.from({ length: 100 }, (_, place) => (place * 7).toString(36).slice(-1));
    const text = `${letters.join('')}@b.org`;
    const detector = piiDetector({ entities: ['email'], except: [text.slice(36)] });
    for (let one = 0; one <= text.length; one++)
      for (const places of [[one], [one, one + 5, one + 64], [one, one + 1, one + 2]])
        assert.deepEqual(scan(detector, text, places), [], `${places}`);
    const each = Array.from(text, (_, place) => place);
    assert.deepEqual(scan(detector, text, each), []);
    assert.equal(scan(detector, text.slice(37)).length, 1);
  });

  it('finds what the grammar says, however the text is cut', () => {
    const unit = fc.constantFrom(
      'a',
      'x',
      'xn--',
      '1',
      '@',
      '@b.co',
      '.',
      '-',
      '+',
      ' ',
      'é',
      '_',
      '😀',
      '\u200b',
      '＠',
      '．',
    );
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 16 }), fc.array(fc.nat()), (text, cuts) => {
        assert.deepEqual(scan(emails, text, cuts), naive(text));
      }),
      { numRuns: 3_000 },
    );
  });

  it('finds it in long runs of letters, dots and signs', () => {
    const unit = fc.constantFrom(
      'x'.repeat(40),
      'x.'.repeat(60),
      '+'.repeat(30),
      '@',
      'b.co',
      'x'.repeat(200),
      '.',
      'é',
    );
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 6 }), (text) => {
        assert.deepEqual(scan(emails, text), naive(text));
      }),
      { numRuns: 50 },
    );
  });

  it('finds what the grammar says in floods', () => {
    const unit = fc.constantFrom('a', 'x@', '@b.co', 'ab.cd', '.', '+', ' ', 'xn--', '1', '-', 'é');
    const flood = fc
      .tuple(fc.string({ unit, minLength: 1, maxLength: 4 }), fc.integer({ min: 80, max: 300 }))
      .map(([part, units]) => part.repeat(Math.ceil(units / part.length)));
    fc.assert(
      fc.property(flood, fc.array(fc.nat(), { maxLength: 8 }), (text, cuts) => {
        assert.deepEqual(scan(emails, text, cuts), naive(text));
      }),
      { numRuns: 60 },
    );
  });

  it('holds exactly what may become one', () => {
    const continuations = textsOver(['a', '@', '.', ' '], 5);
    const prefix = fc.string({
      unit: fc.constantFrom('a', '@', '.', ' ', '1', '-', '\u200b'),
      maxLength: 9,
    });
    fc.assert(
      fc.property(prefix, (text) => {
        const foreseen = progressByForesight(text, continuations, (whole) => scan(emails, whole));
        assert.deepEqual(progressOf(emails, text), foreseen);
      }),
      { numRuns: 60 },
    );
  });

  it('holds no more than a local part, and no domain that is too long', () => {
    const live = (text: string): number => progressOf(emails, text).liveStart;
    assert.equal(live('x'.repeat(64)), 0);
    assert.equal(live('x'.repeat(65)), 1);
    assert.equal(live('+'.repeat(99)), Number.POSITIVE_INFINITY);
    assert.equal(live(`x${'+'.repeat(63)}`), 0);
    assert.equal(live(`x${'+'.repeat(64)}`), Number.POSITIVE_INFINITY);
    const domain = (units: number): string => `a@${'x'.repeat(units)}`;
    assert.equal(live(domain(252)), 0);
    // A dot and two letters no longer fit; what is left is the domain as a local part.
    assert.equal(live(domain(253)), 2 + 253 - 64);
  });
});
