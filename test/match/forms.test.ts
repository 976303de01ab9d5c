/** Forms of one automaton: where they may begin, and which of them end in a place. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Detector } from '../../src/match/detector.ts';
import { Heads, NOT_ALNUM, NOT_WORD } from '../../src/match/heads.ts';
import { formAutomaton, type Written } from '../../src/match/pii/form-automaton.ts';
import { Names } from '../../src/match/pii/named.ts';
import { TextScanner } from '../../src/match/scanner.ts';
import { LOOK_BACK_UNITS, plainText } from '../../src/match/text-history.ts';
import { compileToken } from '../../src/match/token-kind.ts';
import type { TokenTracker } from '../../src/match/token-tracker.ts';
import { UNION_LIMITS, UnionAutomaton } from '../../src/match/union-automaton.ts';
import { UnionRun } from '../../src/match/union-run.ts';
import { pieces } from './oracle.ts';

const RUNS = (usual: number) => ({ numRuns: Number(process.env.RUNS ?? usual) });
const unitsOf = (text: string): Uint16Array =>
  Uint16Array.from({ length: text.length }, (_, at) => text.charCodeAt(at));

/** RE2's spelling of numbers of characters as JavaScript has it. */
const script = (expression: string): string => expression.replaceAll('\\x{', '\\u{');

describe('what stands before a candidate', () => {
  const EXPRESSIONS = [
    '\\w',
    '[ab][-.]',
    `${NOT_ALNUM}[0-9a]{1,3}:`,
    `\\d[-./,:]|${NOT_WORD}[ab]{2}\\d{2}[ -]?(?:[a0-9]{2}[ -]){0,3}`,
    '[+][\\d ]{1,4}',
    // As far back as is looked, and farther.
    'b {94,99}',
    '\u20ac',
  ];
  const heads = new Heads(EXPRESSIONS);
  const slow = EXPRESSIONS.map((one) => new RegExp(`(?:${script(one)})$`, 'u'));

  it('is told backwards as expressions tell it', () => {
    const unit = fc.constantFrom(
      ...['a', 'b', '1', '0', '-', '.', ' ', ':', '+', '_', '\u20ac', '\u00e9', '\u200b'],
      ...['\uff11', '\u{e0041}', '\u{1d400}', '\udb40', '\udc41', 'ab12', `b${' '.repeat(94)}`],
    );
    fc.assert(
      fc.property(
        fc.array(unit, { maxLength: 24, size: 'max' }),
        fc.nat({ max: 0x7f }),
        (parts, asked) => {
          const text = parts.join('');
          const before = plainText(
            unitsOf(text),
            Math.max(0, text.length - LOOK_BACK_UNITS),
            text.length,
          );
          // The edge, and halves of characters, are a unit that no text has.
          const told = `\x01${before.replace(/[\ud800-\udfff]/g, '\x01')}`;
          const wanted = slow.reduce(
            (bits, one, bit) => (one.test(told) ? bits | (1 << bit) : bits),
            0,
          );
          assert.equal(
            heads.before(unitsOf(text), text.length, asked),
            wanted & asked,
            JSON.stringify(text),
          );
          const last = text.charCodeAt(text.length - 1);
          // What the last unit says alone is true, and what is not asked for makes no difference.
          if (last >= 0x20 && last < 0x7f) assert.equal(heads.behind(last) & ~wanted, 0);
        },
      ),
      RUNS(4_000),
    );
  });

  it('takes no assertions, and no more heads than it has bits', () => {
    assert.throws(() => new Heads(['\\ba']), /assertions/);
    assert.throws(() => new Heads(Array.from({ length: 31 }, () => 'a')), /too many/);
  });
});

describe('names before a candidate, told from its units', () => {
  const KINDS = [
    { entity: 'passport', names: ['passport', 'travel document', 'pass nr', '\u62a4\u7167'] },
    { entity: 'ssn', names: ['ssn', 'social security', 'no', 'n o', 'ssid'] },
    { entity: 'either', names: ['pass', 'document'] },
  ];
  const names = new Names(KINDS);
  /** By definition: the words of the whole text, the last first, and phrases that end with them. */
  const nearest = (before: string): string => {
    const words =
      before
        .replace(/([a-z])([A-Z])/g, '$1 $2')
        .toLowerCase()
        .normalize('NFD')
        .replace(/\p{M}+/gu, '')
        .match(/[a-z]+|[\u0080-\uffff]+/g) ?? [];
    const phrases = KINDS.flatMap(({ entity, names: all }) =>
      all.map((name) => ({ entity, words: name.split(' ') })),
    ).concat([{ entity: '', words: ['order'] }]);
    for (let last = words.length - 1; last >= 0; last--) {
      const word = words[last] as string;
      for (const own of [word, word.replace(/(?:numbers?|nummern?|nr|num|no|id|s)$/, '')]) {
        const longest = phrases
          .filter(({ words: phrase }) =>
            phrase.every((one, at) => {
              const back = phrase.length - 1 - at;
              return one === (back === 0 ? own : words[last - back]);
            }),
          )
          .sort((one, other) => other.words.length - one.words.length);
        const most = longest[0]?.words.length;
        const found = longest.filter(({ words: phrase }) => phrase.length === most);
        if (found.length > 0) return found.map(({ entity }) => entity).join();
      }
      if (word.includes('\u62a4\u7167')) return 'passport';
    }
    return 'none';
  };

  it('are those of its text', () => {
    const part = fc.constantFrom(
      ...[
        'pass',
        'port',
        'Port',
        'passport',
        'Number',
        'nr',
        'ssn',
        'SSN',
        's',
        'no',
        'n',
        'o',
        'id',
      ],
      ...[
        'travel',
        'document',
        'social',
        'security',
        'order',
        'user',
        ' ',
        ' ',
        '-',
        '_',
        '1',
        '99',
      ],
      ...['\u200b', '\u0301', '\u00e9', '\u62a4\u7167', '\uff50', '\u{e0041}', '.'.repeat(40)],
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 14, size: 'max' }), (parts) => {
        const text = parts.join('');
        const edge = Math.max(0, text.length - LOOK_BACK_UNITS);
        const found = names.nearest(unitsOf(text), text.length);
        assert.equal(
          found === undefined ? 'none' : [...found].join(),
          nearest(plainText(unitsOf(text), edge, text.length)),
          JSON.stringify(text),
        );
      }),
      RUNS(4_000),
    );
  });
});

describe('forms', () => {
  const form = fc.record({
    expression: fc.constantFrom(
      ...['1{2,3}', '1+(?:-1{1,2}){1,2}', '[a1]{3}', 'a1?-1', '1(?:[- ]1){2}', 'a+1'].map((one) =>
        one.replaceAll('+', '{1,4}'),
      ),
      '(?:-|\\b)1-1',
    ),
    head: fc.constantFrom('', '1-', '[-a]', `${NOT_WORD}a[ -]`),
    tail: fc.constantFrom('', '-1', '[- ]a', 'a'),
    open: fc.constantFrom<Written['open']>(undefined, undefined, 'start', 'end'),
  });
  /** Some ends of some forms count, by nothing that an automaton could know. */
  const isOdd = (token: string, tag: number): boolean =>
    [...token].reduce((sum, one) => sum * 5 + one.charCodeAt(0), token.length + tag) % 3 !== 0;

  const judged = (
    forms: readonly Written[],
    tags: readonly number[],
    token: string,
    after: string,
  ): string | undefined => {
    const left = tags.filter((tag) => {
      const { tail } = forms[tag] as Written;
      return isOdd(token, tag) && (tail === '' || !new RegExp(`^(?:${tail})`).test(after));
    });
    return left.length === 0 ? undefined : left.join();
  };

  const compiled = (forms: readonly Written[]) =>
    compileToken({
      expression: formAutomaton(forms),
      label: 'NONE',
      plain: true,
      check: {
        validator: () => true,
        judgeForms: ({ tags }, { token, after }) => judged(forms, tags, token, after),
      },
    });

  function byDefinition(forms: readonly Written[], text: string): string[] {
    const found: string[] = [];
    for (let start = 0; start < text.length; start++) {
      for (let end = text.length; end > start; end--) {
        const token = text.slice(start, end);
        const tags = forms.flatMap(({ expression, head, open }, tag) => {
          const core = `${open === 'start' ? '' : '\\b'}(?:${expression})${open === 'end' ? '' : '\\b'}`;
          const isWhole = new RegExp(
            `(?<=^[^]{${start}})${core}(?=[^]{${text.length - end}}$)`,
          ).test(text);
          const before = `\x01${text.slice(0, start)}`;
          const isBehind = new RegExp(`(?:\\w${head === '' ? '' : `|${script(head)}`})$`, 'u').test(
            before,
          );
          return isWhole && !isBehind ? [tag] : [];
        });
        if (tags.length === 0) continue;
        const label = judged(forms, tags, token, text.slice(end));
        if (label === undefined) continue;
        found.push(`${start}-${end} ${label}`);
        start = end - 1;
        break;
      }
    }
    return found;
  }

  const text = fc.string({
    unit: fc.constantFrom('1', '1', '1', '-', '-', ' ', 'a'),
    maxLength: 24,
  });
  const cuts = fc.array(fc.nat(), { maxLength: 5 });

  it('are those that the definition of each has, however the text is cut', () => {
    let matches = 0;
    fc.assert(
      fc.property(
        fc.array(form, { minLength: 1, maxLength: 4 }),
        text,
        cuts,
        (forms, whole, at) => {
          const partition = compiled(forms);
          const detector: Detector = {
            kind: 'pii',
            labels: ['NONE'],
            partitions: [partition],
            bytes: 0,
            start: () => [partition.start()],
            matches: () => false,
          };
          const expected = byDefinition(forms, whole);
          matches += expected.length;
          for (const cutting of [[], at, [...whole].map((_, place) => place)]) {
            const scanner = new TextScanner([{ rule: 0, detector }]);
            for (const piece of pieces(whole, cutting)) scanner.push(piece);
            scanner.end();
            const found = scanner.takeMatches().sort((one, other) => one.start - other.start);
            assert.deepEqual(
              found.map(({ start, end, label }) => `${start}-${end} ${label}`),
              expected,
              JSON.stringify([forms, whole]),
            );
          }
        },
      ),
      RUNS(500),
    );
    assert.ok(matches > 30, `${matches}`);
  });

  it('are not told by what a store holds behind the piece', () => {
    const units = Uint16Array.from([0x31, 0x7a]);
    const history = { units, placeOf: (at: number) => at, before: () => '' };
    const tracker = compileToken({
      expression: formAutomaton([{ expression: '1-1', head: '', tail: '', open: undefined }]),
      label: 'NONE',
      plain: true,
      check: { validator: () => true, judgeForms: () => 'FOUND' },
    }).start(history) as TokenTracker;
    tracker.readLive(units, 0, 1, 1, 0, () => assert.fail('it is no match'), { consume: () => {} });
    assert.equal(tracker.liveStart, 0);
  });

  it('are decided as soon, and found as well, by the automaton as alone, in any spelling', () => {
    const spelt = text.map((one) =>
      one.replaceAll('11', '\uff11\u200b1').replaceAll('- ', '\u2011\u{e0041} '),
    );
    fc.assert(
      fc.property(
        fc.array(form, { minLength: 1, maxLength: 3 }),
        spelt,
        cuts,
        (forms, whole, at) => {
          const partition = compiled(forms);
          const alone: string[] = [];
          const tracker = partition.start() as TokenTracker;
          let consumed = 0;
          for (; consumed < whole.length; consumed++)
            tracker.step(whole.charCodeAt(consumed), consumed, ({ start, end, label }) =>
              alone.push(`${start}-${end} ${label} at ${consumed + 1}`),
            );
          tracker.end(whole.length, ({ start, end, label }) =>
            alone.push(`${start}-${end} ${label} at ${whole.length}`),
          );
          const together: string[] = [];
          let told = 0;
          const limits = { ...UNION_LIMITS, statesMax: 1 + ((at[0] ?? 0) % 40) };
          const run = new UnionRun(new UnionAutomaton([partition.part], limits), {
            start: (_, history) => partition.start(history),
            sink:
              () =>
              ({ start, end, label }) =>
                together.push(`${start}-${end} ${label} at ${told}`),
            consume: (units) => {
              told = units;
            },
          });
          let first = 0;
          for (const piece of pieces(whole, at)) {
            run.take(unitsOf(piece), piece.length, first);
            first += piece.length;
          }
          run.end(whole.length);
          assert.deepEqual(together, alone, JSON.stringify([forms, whole]));
        },
      ),
      RUNS(300),
    );
  });
});
