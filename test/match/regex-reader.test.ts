import assert from 'node:assert/strict';
import fc from 'fast-check';
import { PII_TABLES } from '../../src/match/pii.ts';
import { NEVER } from '../../src/match/regex-liveness.ts';
import { type Automaton, EDGE, KINDS, kindOf } from '../../src/match/regex-nodes.ts';
import { buildAutomaton } from '../../src/match/regex-program.ts';
import { readExpression } from '../../src/match/regex-reader.ts';
import { accepts, RegexSteps } from '../../src/match/regex-steps.ts';
import { SECRET_GROUPS } from '../../src/match/secrets.ts';
import { rangeClasses } from '../../src/match/unit-classes.ts';

const tables: readonly string[] = [
  ...Object.values(SECRET_GROUPS)
    .flat()
    .map(({ expression }) => expression),
  ...Object.values(PII_TABLES)
    .flat()
    .flatMap(({ forms }) => forms.map(({ expression }) => expression)),
];

/** Most expressions have fewer; counts that overlap have more than anybody could walk through. */
const STATES_MAX = 1_500;

const fromRe2js = (expression: string): Automaton => {
  const made = buildAutomaton(expression);
  assert.ok(typeof made !== 'string', expression);
  return made;
};

/** Nodes behind one unit, those that may still lead to a match. */
function behind(
  steps: RegexSteps,
  nodes: readonly number[],
  before: number,
  unit: number,
): number[] {
  const kind = kindOf(unit);
  const reached = new Set<number>();
  for (const node of nodes)
    for (const next of steps.closure(node, before, kind).units)
      if (accepts(next, unit) && steps.fewest(next.out, kind) !== NEVER) reached.add(next.out);
  return [...reached].sort((a, b) => a - b);
}

const matches = (steps: RegexSteps, nodes: readonly number[], before: number, after: number) =>
  nodes.some((node) => steps.closure(node, before, after).matches);

/**
 * Where both part: a text that one matches and the other does not, as units. Walks through the pairs of states that
 * a start can come to, breadth first, all units that none of them tells apart at once.
 */
function difference(one: Automaton, other: Automaton, statesMax = STATES_MAX): string | undefined {
  const both = [new RegexSteps(one), new RegexSteps(other)] as const;
  const { samples } = rangeClasses([...both[0].unitSets, ...both[1].unitSets]);
  const queue: { sets: readonly (readonly number[])[]; before: number; text: string }[] = [];
  const seen = new Set<string>();
  const reach = (sets: readonly (readonly number[])[], before: number, text: string): void => {
    const key = `${before};${sets.join(';')}`;
    if (seen.has(key) || seen.size >= statesMax) return;
    seen.add(key);
    queue.push({ sets, before, text });
  };
  for (let before = EDGE; before < KINDS; before++)
    reach([[one.start], [other.start]], before, `${before}:`);
  for (const { sets, before, text } of queue) {
    const [mine, theirs] = sets as [number[], number[]];
    for (let after = EDGE; after < KINDS; after++)
      if (matches(both[0], mine, before, after) !== matches(both[1], theirs, before, after))
        return `${text} before ${after}`;
    for (const unit of samples) {
      const next = [behind(both[0], mine, before, unit), behind(both[1], theirs, before, unit)];
      if (next.every((set) => set.length === 0)) continue;
      reach(next, kindOf(unit), `${text}${String.fromCharCode(unit)}`);
    }
  }
  return undefined;
}

describe('the reader of table expressions', () => {
  it('reads every expression of the tables', () => {
    assert.deepEqual(
      tables.filter((expression) => readExpression(expression) === undefined),
      [],
    );
  });

  it('makes of each what re2js makes of it', function () {
    this.timeout(60_000);
    for (const expression of new Set(tables)) {
      const made = readExpression(expression);
      assert.ok(made !== undefined);
      assert.equal(difference(made, fromRe2js(expression)), undefined, expression);
    }
  });

  it('makes the same of each letter and class in either case, and of what is written in escapes', () => {
    const letters = Array.from({ length: 95 }, (_, index) => String.fromCharCode(0x20 + index));
    const plain = letters.map((letter) => (/\w| /.test(letter) ? letter : `\\${letter}`));
    const expressions = [
      ...plain,
      ...plain.map((letter) => `(?i:${letter})`),
      ...[
        '(?i:[a-z])',
        '(?i:[^k-s_])',
        '[^a]',
        '\\d\\D\\s\\S',
        '[\\w-.]',
        '[\\d-z]',
        '[-a]',
        '[a-]',
        '(?i:ß)',
      ],
      ...[
        '(?i:[é-ö]x)',
        '\\x41\\x{1fff}',
        '[\\x{10000}-\\x{10ffff}a]',
        '\\t\\n\\f\\r',
        '[\\]\\[\\\\^]',
      ],
      ...[
        '.',
        'a.b',
        '^a$',
        '\\Aa\\z',
        '\\ba\\B',
        'é',
        '💶',
        '[💶-💸]',
        'a|',
        '|a',
        '(?:|a)b',
        '(a|b)+c',
      ],
    ];
    for (const expression of expressions) {
      const made = readExpression(expression);
      assert.ok(made !== undefined, expression);
      assert.equal(difference(made, fromRe2js(expression)), undefined, expression);
    }
  });

  it('leaves to re2js what it does not know', () => {
    const unknown = [
      '(?i)a',
      '(?s:.)',
      '(?P<n>a)',
      '\\p{Greek}',
      '[[:alpha:]]',
      '\\Qa\\E',
      'a**',
      'a{2}{3}',
    ];
    const wrong = ['(a', 'a)', '[a', '*a', 'a{3,2}', 'a{1001}', '[b-a]', '\\', '\\8'];
    for (const expression of [...unknown, ...wrong])
      assert.equal(readExpression(expression), undefined, expression);
  });

  const atom = fc.constantFrom(
    ...'ab',
    '[ab]',
    '[^a]',
    '\\b',
    '\\B',
    '.',
    '(?i:a)',
    '\\w',
    '^',
    '$',
  );
  const count = fc.constantFrom(
    '',
    '',
    '',
    '*',
    '+',
    '?',
    '{2}',
    '{1,3}',
    '{2,}',
    '{0}',
    '*?',
    '{0,2}?',
  );
  const { expression } = fc.letrec<{ expression: string; item: string; sequence: string }>(
    (tie) => ({
      item: fc
        .tuple(
          fc.oneof(
            { depthSize: 'small' },
            atom,
            tie('expression').map((of) => `(?:${of})`),
          ),
          count,
        )
        .map(([one, often]) => one + often),
      sequence: fc.array(tie('item'), { maxLength: 3 }).map((items) => items.join('')),
      expression: fc
        .array(tie('sequence'), { minLength: 1, maxLength: 3 })
        .map((ways) => ways.join('|')),
    }),
  );

  it('makes the same of expressions at random', function () {
    this.timeout(60_000);
    fc.assert(
      fc.property(expression, (random) => {
        const made = readExpression(random);
        assert.ok(made !== undefined, random);
        assert.equal(difference(made, fromRe2js(random), 64), undefined);
      }),
      { numRuns: 300 },
    );
  });
});
