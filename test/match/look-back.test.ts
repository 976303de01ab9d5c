/** What stands before a candidate, and what lives, is known however small the pieces are that a text comes in. */
import assert from 'node:assert/strict';
import { keywordDetector } from '../../src/match/keywords.ts';
import { piiDetector } from '../../src/match/pii.ts';
import { regexDetector } from '../../src/match/regex.ts';
import { TextScanner } from '../../src/match/scanner.ts';
import { secretDetector } from '../../src/match/secrets.ts';
import { LOOK_BACK_UNITS } from '../../src/match/text-history.ts';

const long = regexDetector({ pattern: '<[a-z ]+>', maxMatchBytes: 600 });
assert.ok(long.ok);
const RULES = [
  piiDetector({ entities: ['passport', 'us_ssn'] }),
  secretDetector(),
  keywordDetector({ words: ['bank account'] }),
  long.detector,
].map((detector, rule) => ({ rule, detector }));

type Found = readonly (readonly [rule: number, start: number, end: number, decidedAt: number])[];

function found(text: string, sizes: readonly number[]): Found {
  const scanner = new TextScanner(RULES);
  const matches: Found[number][] = [];
  for (let at = 0, turn = 0; at < text.length; turn++) {
    const size = sizes[turn % sizes.length]!;
    scanner.push(text.slice(at, at + size));
    at += size;
  }
  scanner.end();
  for (const { rule, start, end, decidedAt } of scanner.takeMatches())
    matches.push([rule, start, end, decidedAt]);
  return matches;
}

const PIECES = [[1], [7], [8], [63, 64, 65], [64], [65], [200], [3, 300, 5], [8, 8, 8, 8, 400, 1]];

describe('what is kept of a text', () => {
  it('is as much as a name in front of a number may be away, and no more is asked', () => {
    const name = 'passport ';
    let named = 0;
    // From where the whole name is seen to where only its last letter is.
    for (let gap = LOOK_BACK_UNITS - 12; gap <= LOOK_BACK_UNITS + 3; gap++) {
      const text = `${'of the and '.repeat(30)}${name}${'of '.repeat(40).slice(0, gap - 1)} C01234567 ${'and '.repeat(30)}`;
      const whole = found(text, [text.length]);
      if (whole.length > 0) named++;
      for (const sizes of PIECES) assert.deepEqual(found(text, sizes), whole, `${gap}, ${sizes}`);
    }
    assert.ok(named > 2 && named < 14, `${named}`);
  });

  it('is what is live, and what stands before that', () => {
    const hex = '9f86d081884c7d659a2feaa0c55ad015';
    const lines = [
      `<${'a b '.repeat(40)}bank account ${'c d'.repeat(30)}> and the bank accounts `,
      `x${hex}, next_token=${hex}, token=${hex}, the checksum: ${'of '.repeat(20)}token=${hex} `,
      `<${'long '.repeat(130)}passport C01234567> `,
    ];
    const text = `${lines.join('')}${lines.reverse().join('')}`;
    const whole = found(text, [text.length]);
    assert.deepEqual([...new Set(whole.map(([rule]) => rule))].sort(), [0, 1, 2, 3]);
    for (const sizes of PIECES) assert.deepEqual(found(text, sizes), whole, `${sizes}`);
  });

  it('is of this text only, however many are read by turns', () => {
    const texts = Array.from({ length: 4 }, (_, one) =>
      one % 2 === 0
        ? `passport no: ${' '.repeat(one)}C01234567 and `
        : `order: ${one} C01234567 and `,
    );
    const alone = texts.map((text) => found(text, [2]));
    const scanners = texts.map(() => new TextScanner(RULES));
    for (let at = 0; at < 40; at += 2)
      for (const [one, scanner] of scanners.entries()) scanner.push(texts[one]!.slice(at, at + 2));
    const together = scanners.map((scanner) => {
      scanner.end();
      return scanner
        .takeMatches()
        .map(({ rule, start, end, decidedAt }) => [rule, start, end, decidedAt] as const);
    });
    assert.deepEqual(together, alone);
    assert.deepEqual(
      together.map((matches) => matches.length),
      [1, 0, 1, 0],
    );
  });
});
