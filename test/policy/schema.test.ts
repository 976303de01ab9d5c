/** One schema, two readers: ours (which knows places) and typebox's must accept the same documents. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import type { TSchema } from 'typebox';
import { Check } from 'typebox/value';
import type { Located } from '../../src/policy/located.ts';
import { canonicalJson, plain } from '../../src/policy/located.ts';
import { accepts } from '../../src/policy/read.ts';
import { PolicySchema, policyJsonSchema, RolloutSchema } from '../../src/policy/schema.ts';

function located(value: unknown): Located {
  if (Array.isArray(value)) return { kind: 'list', at: 0, items: value.map(located) };
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).map(([key, one]) => ({
      key,
      keyAt: 0,
      value: located(one),
    }));
    return { kind: 'map', at: 0, entries };
  }
  return { kind: 'scalar', at: 0, value: value as string };
}

const ours = (schema: object, value: unknown) =>
  accepts(schema, located(value), 'policy', () => {});

const VALID = {
  apiVersion: 'switchyard/v1',
  kind: 'Policy',
  metadata: { name: 'p', version: '1.2.3', layer: 'tenant', selector: { tenant: 'a' }, owner: 'o' },
  class: 'security',
  default: 'allow',
  rules: [
    {
      id: 'k',
      inspect: ['request'],
      match: { keywords: { words: ['a'], aliases: { a: ['b'] }, substring: true } },
      // biome-ignore lint/suspicious/noThenProperty: a word of the language
      then: { block: { status: 400, message: 'm', as: 'error' } },
      priority: 3,
    },
    {
      id: 'r',
      inspect: ['response'],
      match: { regex: { pattern: 'a', maxMatchBytes: 3 } },
      // biome-ignore lint/suspicious/noThenProperty: a word of the language
      then: { rewrite: { with: 'x' } },
    },
    {
      id: 'p',
      inspect: ['response'],
      match: { pii: { entities: ['email'], except: ['a@b.example'] } },
      // biome-ignore lint/suspicious/noThenProperty: a word of the language
      then: 'redact',
      onError: 'deny',
      signedOffBy: 'x',
      overridable: true,
      enforcement: 'off',
      when: 'true',
    },
  ],
};

const ROLLOUT = {
  kind: 'Rollout',
  metadata: { name: 'r' },
  stages: [{ share: '5%', duration: '1m' }],
  expect: { denyRate: 'up' },
  denyRateChangeMax: 0.1,
  errorRateMax: '1%',
  analysis: { alpha: 0.01 },
};

type Path = readonly (string | number)[];

function paths(value: unknown, at: Path = []): Path[] {
  const below =
    typeof value === 'object' && value !== null
      ? Object.entries(value).flatMap(([key, one]) => paths(one, [...at, key]))
      : [];
  return [at, ...below];
}

function edited(value: unknown, path: Path, edit: (old: unknown) => unknown): unknown {
  const [head, ...rest] = path;
  if (head === undefined) return edit(value);
  const list = Array.isArray(value);
  const copy = (list ? [...(value as unknown[])] : { ...(value as object) }) as Record<
    string,
    unknown
  >;
  const next = edited(copy[head], rest, edit);
  if (next === undefined) delete copy[head];
  else copy[head] = next;
  return list ? Object.values(copy) : copy;
}

describe('the schema', () => {
  it('takes what the language says', () => {
    assert.ok(ours(PolicySchema, VALID));
    assert.ok(ours(RolloutSchema, ROLLOUT));
  });

  for (const [name, schema, valid] of [
    ['Policy', PolicySchema, VALID],
    ['Rollout', RolloutSchema, ROLLOUT],
  ] as const) {
    it(`${name}: both readers accept the same mutants`, () => {
      const replacement = fc.constantFrom<unknown>(
        undefined,
        null,
        '',
        'block',
        'a b',
        'x'.repeat(65),
        'x'.repeat(2_001),
        '\u{1F600}'.repeat(2_000),
        0,
        0.5,
        -1,
        399,
        499,
        500,
        1e9,
        true,
        [],
        ['request'],
        {},
        { nope: 1 },
        { block: {}, flag: {} },
        { allow: {} },
      );
      let refused = 0;
      fc.assert(
        fc.property(
          fc.constantFrom(...paths(valid).slice(1)),
          replacement,
          fc.boolean(),
          (path, value, add) => {
            const mutant = edited(valid, path, (old) =>
              add && typeof old === 'object' && old !== null && !Array.isArray(old)
                ? { ...(old as object), stranger: value ?? 1 }
                : value,
            );
            const accepted = Check(schema, mutant);
            if (!accepted) refused += 1;
            assert.equal(ours(schema, mutant), accepted, JSON.stringify(mutant));
          },
        ),
        { numRuns: 3_000 },
      );
      assert.ok(refused > 500, `only ${refused} mutants were wrong`);
    });
  }

  it('is JSON Schema without our annotations, a fresh copy each time', () => {
    const schema = policyJsonSchema();
    assert.ok(!JSON.stringify(schema).includes('"x-'));
    assert.match(String(schema.$schema), /2020-12/);
    assert.notEqual(schema, policyJsonSchema());
    const fits = (value: unknown): boolean => Check(schema as TSchema, value);
    assert.ok(fits(VALID));
    assert.ok(!fits({ ...VALID, kind: 'Polici' }));
  });
});

describe('located values', () => {
  it('canonical JSON is that of the plain value with sorted keys', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = canonicalJson(located(value));
        assert.deepEqual(JSON.parse(text), JSON.parse(JSON.stringify(value)));
        assert.equal(canonicalJson(located(plain(located(JSON.parse(text))))), text);
      }),
    );
  });

  it('keeps infinities apart from null and from each other', () => {
    const texts = [Infinity, -Infinity, Number.NaN, null].map((value) =>
      canonicalJson({ kind: 'scalar', at: 0, value }),
    );
    assert.equal(new Set(texts).size, 4);
  });
});
