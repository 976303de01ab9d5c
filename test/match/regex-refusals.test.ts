import assert from 'node:assert/strict';
import { regexDetector } from '../../src/match/regex.ts';
import { asksForHalf, REPEATS_MAX, refusedConstruct } from '../../src/match/regex-refusals.ts';

const code = (pattern: string, statesMax: number): string => {
  const made = regexDetector({ pattern, statesMax });
  return made.ok ? 'ok' : made.code;
};

describe('what a regex is refused for', () => {
  it('tells look-around, back-references and counts from what looks like them', () => {
    for (const pattern of ['(?=a)', 'a(?!b)', '(?<=a)', '(?<!a)', '(?:x(?=y))', '[a](?=b)'])
      assert.equal(refusedConstruct(pattern), 'look_around', pattern);
    for (const pattern of ['(a)\\1', '(?P<x>a)(?P=x)', '\\k<x>', "\\k'x'", '\\\\\\2'])
      assert.equal(refusedConstruct(pattern), 'back_reference', pattern);
    for (const pattern of ['a{1001}', 'a{1001,}', 'a{0,1001}', '\\Qa\\E{1001}', '[]{]{1001}'])
      assert.equal(refusedConstruct(pattern), 'count', pattern);
    const others = [
      ...['\\(?=', '[(?=]', '\\Q(?=\\E', '(?P<x>a)', '(?<x>a)', '(?i)a', '\\\\1', '[\\1]'],
      ...[
        'a{1000}',
        '\\{1001}',
        '[{1001}]',
        '[]{1001}]',
        '[[:alpha:]{1001}]',
        '\\Q{1001}',
        'a{,1001}',
      ],
    ];
    for (const pattern of others) assert.equal(refusedConstruct(pattern), undefined, pattern);
  });

  it('takes a repeat of the largest count, and none beyond', () => {
    const made = (count: number) => regexDetector({ pattern: `a{${count}}` });
    assert.ok(made(REPEATS_MAX).ok);
    const beyond = made(REPEATS_MAX + 1);
    assert.ok(!beyond.ok && beyond.code === 'regex_repeat');
  });

  it('knows half of a character by its number', () => {
    for (const pattern of ['\ud83d', 'a\ude00', '\\x{D83D}', '\\x{0dfff}', '[\\x{d800}-\\x{dfff}]'])
      assert.ok(asksForHalf(pattern), pattern);
    for (const pattern of ['😀', '\\x{1F600}', '\\x{D7FF}', '\\x{E000}', '[^a]'])
      assert.ok(!asksForHalf(pattern), pattern);
  });

  it('counts the states that overlapping starts come to, and refuses one too many', () => {
    // One run of digits, as long as it may be: a state for each length, and one behind what is none.
    assert.equal(code('[0-9a-f]{200}x', 200), 'ok');
    assert.equal(code('[0-9a-f]{200}x', 199), 'regex_states');
    // Starts anywhere among the last units: two to the power of so many.
    for (const pattern of ['a[ab]{20}c', '[ab]*a[ab]{20}', 'x.{0,250}y', '(?:a|b)*a(?:a|b){16}'])
      assert.equal(code(pattern, 5_000), 'regex_states', pattern);
    const harmless = [
      ...['(?i)curl.{1,100}-u', '(?i)(?:api|key|token).{0,40}[0-9a-f]{32}', '\\pL{3,40}x'],
      ...[
        '[a-z]+@[a-z]+',
        '-----BEGIN [A-Z ]{1,30}KEY-----',
        '(?:\\d{1,3}\\.){3}\\d{1,3}',
        'a{999}',
      ],
    ];
    for (const pattern of harmless) assert.equal(code(pattern, 5_000), 'ok', pattern);
  });
});
