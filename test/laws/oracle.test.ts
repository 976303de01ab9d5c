/** The oracle is held to what others say: V8 about expressions, JSON.parse about JSON, the grammar about events. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { insidePair } from './characters.ts';
import { Foresight, partition } from './foresight.ts';
import {
  cardLanguage,
  emailLanguage,
  expressionLanguage,
  keywordLanguage,
  one,
  oneOf,
  or,
  sequence,
  sourceOf,
  times,
} from './languages.ts';
import { predict } from './oracle.ts';
import { DOCUMENTS, STREAMS } from './readers.ts';
import { randomExpression } from './rule-choices.ts';
import { keywords } from './rules.ts';
import { eventFrames, jsonNodes, latin1Of } from './wire.ts';

/** V8 asked for every end, farthest first. */
function longestByV8(source: string, unitsMax: number, text: string, start: number): number {
  if (insidePair(text, start)) return 0;
  for (let end = Math.min(text.length, start + unitsMax); end > start; end--) {
    if (insidePair(text, end)) continue;
    const before = [...text.slice(0, end)].length;
    const expression = new RegExp(`(?:${source})(?<=^[\\s\\S]{${before}})`, 'suy');
    expression.lastIndex = start;
    if (expression.test(text)) return end;
  }
  return 0;
}

const text = fc.string({
  unit: fc.constantFrom('x', 'y', '1', ' ', '\n', '😀', 'é'),
  maxLength: 10,
});

describe('the oracle of the laws', () => {
  it('reads expressions as V8 does', () => {
    fc.assert(
      fc.property(randomExpression, text, ({ look }, whole) => {
        if (look.kind !== 'expression') return;
        const { expression, unitsMax = Number.POSITIVE_INFINITY } = look.regex;
        const language = expressionLanguage(look.regex);
        for (let start = 0; start < whole.length; start++)
          assert.equal(
            language.longestEnd(whole, start),
            longestByV8(sourceOf(expression), unitsMax, whole, start),
          );
      }),
      { numRuns: 400 },
    );
  });

  const found = (language: ReturnType<typeof emailLanguage>, whole: string): string[] =>
    partition(language, whole).map(({ start, end }) => whole.slice(start, end));

  it('finds what anybody would', () => {
    const banks = keywordLanguage({ words: ['Bank A'] });
    assert.deepEqual(found(banks, 'bank a, Ｂank \u00a0Á! Bank Ab xBank A'), [
      'bank a',
      'Ｂank \u00a0Á',
    ]);
    assert.deepEqual(found(emailLanguage(), '<joe@acme.example>, a@b'), ['joe@acme.example']);
    assert.deepEqual(found(cardLanguage(), '4111 1111 1111 1111, 4111111111111112'), [
      '4111 1111 1111 1111',
    ]);
  });

  it('tries the continuations with the fewest units', () => {
    const x = one('x');
    const y = one('y');
    const face = oneOf('[😀-😄]', '😀');
    // Of at most six units: only a letter still fits behind the face, and with it the match is longer.
    const regex = {
      expression: sequence(x, times(y, 1, 2), oneOf('[^x]', 'y'), or(face, y)),
      unitsMax: 6,
    };
    const told = new Foresight(expressionLanguage(regex));
    told.read('xyy😀', false);
    assert.equal(told.live, 0);
    told.read('xyy😀😀', false);
    assert.deepEqual(told.certain, [{ start: 0, end: 5 }]);
  });

  it('reads JSON as JSON.parse does', () => {
    const value = (node: ReturnType<typeof jsonNodes>): unknown => {
      if (node.kind === 'array') return node.items.map(value);
      if (node.kind !== 'object') return node.value;
      return Object.fromEntries(node.members.map((one) => [one.name, value(one.value)]));
    };
    fc.assert(
      fc.property(fc.jsonValue(), fc.nat(2), (given, spaces) => {
        const written = JSON.stringify(given, null, spaces);
        assert.deepEqual(
          JSON.stringify(value(jsonNodes(latin1Of(written)))),
          JSON.stringify(JSON.parse(written)),
        );
      }),
    );
  });

  it('ends events where their blank lines end', () => {
    assert.deepEqual(eventFrames('data: a\n\ndata: b\r\n\r\ndata: c\r\rdata: d'), {
      ends: [9, 19, 29, 36],
      closed: 3,
    });
  });

  it('says what leaves when', () => {
    const event = (words: string): string =>
      `data: {"choices":[{"delta":{"content":"${words}"}}]}\n\n`;
    const rules = [{ look: keywords(['Bank A']), doing: { kind: 'redact' } as const }];
    const input = ['to ', 'Ban', 'k A', '.'].map(event);
    const told = predict(Buffer.from(input.join('')), { reader: STREAMS['openai.chat'], rules });
    const output = ['to ', '[KEYWORD_1]', '', '.'].map(event);
    assert.equal(told.output, output.join(''));
    const [first, , , all] = [1, 2, 3, 4].map((count) => output.slice(0, count).join('').length);
    assert.deepEqual(told.leftAfter, [0, first, first, first, all]);
    assert.equal(told.stop, undefined);
  });

  it('says where an answer stops', () => {
    const rules = [
      { look: keywords(['Bank A']), doing: { kind: 'block', message: 'No.' } as const },
    ];
    const reader = DOCUMENTS['openai.chat'];
    const body = Buffer.from('{"choices":[{"message":{"content":"to Bank A"}}]}');
    const { stop, output } = predict(body, { reader, rules, whole: true });
    assert.equal(stop?.rule?.rank, 0);
    assert.equal(output, '');
  });
});
