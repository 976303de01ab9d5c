/** A condition that the type check accepts, and that names nothing of an unknown type, meets no missing overload. */
import assert from 'node:assert/strict';
import { CelScalar, type CelType, isCelError, listType, mapType, parse, plan } from '@bufbuild/cel';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { CEL_ENVIRONMENT } from '../../src/policy/cel-environment.ts';
import { JSON_VALUE, TypeMismatch, typeOf, typeWord } from '../../src/policy/cel-types.ts';

const SCOPE: ReadonlyMap<string, CelType> = new Map<string, CelType>([
  ['text', CelScalar.STRING],
  ['whole', CelScalar.INT],
  ['ratio', CelScalar.DOUBLE],
  ['flag', CelScalar.BOOL],
  ['words', listType(CelScalar.STRING)],
  ['headers', mapType(CelScalar.STRING, CelScalar.STRING)],
  ['args', JSON_VALUE],
]);
const VALUES = {
  text: 'a',
  whole: 2n,
  ratio: 0.5,
  flag: true,
  words: ['a', 'b'],
  headers: new Map([['a', 'b']]),
};

function checked(source: string): string {
  try {
    return typeWord(typeOf(parse(source).expr, SCOPE));
  } catch (error) {
    if (error instanceof TypeMismatch) return 'refused';
    throw error;
  }
}

const leaf = fc.constantFrom(
  ...['text', 'whole', 'ratio', 'flag', 'words', 'headers', '1', '2.5', '"a"', 'true', '[1]'],
  ...['{"a": 1}', 'timestamp(0)', 'duration("1s")', 'null', '3u', 'b"x"', 'headers.a'],
);
const { expression } = fc.letrec<{ expression: string }>((tie) => {
  const part = tie('expression');
  return {
    expression: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      leaf,
      fc
        .tuple(part, fc.constantFrom(...'+ - * / % == != < <= > >= && || in'.split(' ')), part)
        .map(([left, sign, right]) => `(${left} ${sign} ${right})`),
      fc.tuple(fc.constantFrom('!', '-'), part).map(([sign, one]) => `${sign}(${one})`),
      fc.tuple(part, part, part).map(([test, one, other]) =>
        // Branches of two types give `dyn`, of which nothing is promised.
        checked(one) === checked(other) ? `(${test} ? ${one} : ${other})` : one,
      ),
      fc.tuple(part, part).map(([list, at]) => `(${list})[${at}]`),
      fc
        .tuple(fc.constantFrom('size', 'int', 'double', 'string', 'bool', 'type'), part)
        .map(([name, one]) => `${name}(${one})`),
      fc
        .tuple(part, fc.constantFrom('startsWith', 'contains', 'matches'), part)
        .map(([text, name, one]) => `(${text}).${name}(${one})`),
      fc
        .tuple(part, fc.constantFrom('getHours()', 'size()'))
        .map(([one, call]) => `(${one}).${call}`),
      fc
        .tuple(
          part,
          fc.constantFrom('all', 'exists', 'exists_one'),
          fc.constantFrom('word == text', 'word > 1', 'word.size() > 1', 'word'),
        )
        .map(([list, name, test]) => `(${list}).${name}(word, ${test})`),
    ),
  };
});

describe('the types of conditions', () => {
  it('are sound: what is accepted meets no missing overload', () => {
    let accepted = 0;
    fc.assert(
      fc.property(expression, (source) => {
        if (checked(source) === 'refused') return;
        accepted += 1;
        const value = plan(CEL_ENVIRONMENT, parse(source))(VALUES);
        if (isCelError(value)) assert.doesNotMatch(value.message, /overload|type mismatch/, source);
      }),
      { numRuns: 4_000 },
    );
    assert.ok(accepted > 400, `${accepted} accepted`);
  });

  const ofCalls: readonly (readonly [string, string])[] = [
    ['args.amount > 10000', 'bool'],
    ['args.amount + 1.0 > 2.0', 'bool'],
    ['args.amount + 1 > 2', 'refused'],
    ['args.amount % 2 == 0', 'refused'],
    ['int(args.amount) % 2 == 0', 'bool'],
    ['args.a + args.b', 'json'],
    ['args.a + args.b + 1', 'refused'],
    ['args.items[0].name.startsWith("x")', 'bool'],
    ['args.items.exists(one, one.price > 3)', 'bool'],
    ['args.items.size() + 1 > 2', 'bool'],
    ['args.amount in [1, 2]', 'bool'],
    ['args == timestamp(0)', 'refused'],
    ['args.when.getHours() == 1', 'refused'],
    ['args.flag', 'json'],
    ['args.flag && true', 'bool'],
  ];
  for (const [source, type] of ofCalls) {
    it(`${source}: ${type}`, () => assert.equal(checked(source), type));
  }
});
