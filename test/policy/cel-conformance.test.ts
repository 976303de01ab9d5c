/**
 * The conformance cases of the CEL specification (v0.25.1, `@bufbuild/cel-spec`), run on the environment of our
 * conditions: each value and each error, and the static type beside the one that cel-go deduced.
 */
import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import {
  CelScalar,
  type CelType,
  celUint,
  isCelError,
  isCelList,
  isCelMap,
  isCelType,
  isCelUint,
  listType,
  mapType,
  objectType,
  parse,
  plan,
} from '@bufbuild/cel';
import { tests } from '@bufbuild/cel-spec/testdata/conformance.js';
import { describe, it } from 'mocha';
import { WEIGHED_ENVIRONMENT } from '../../src/policy/cel-budget.ts';
import { TypeMismatch, typeOf, typeWord } from '../../src/policy/cel-types.ts';

interface Value {
  readonly int64Value?: string;
  readonly uint64Value?: string;
  readonly doubleValue?: number | string;
  readonly stringValue?: string;
  readonly bytesValue?: string;
  readonly boolValue?: boolean;
  readonly nullValue?: null;
  readonly typeValue?: string;
  readonly listValue?: { readonly values?: readonly Value[] };
  readonly mapValue?: { readonly entries?: readonly { key: Value; value: Value }[] };
  readonly objectValue?: { readonly '@type': string; readonly value?: unknown };
}

interface Type {
  readonly primitive?: string;
  readonly wellKnown?: string;
  readonly dyn?: unknown;
  readonly null?: unknown;
  readonly listType?: { readonly elemType: Type };
  readonly mapType?: { readonly keyType: Type; readonly valueType: Type };
}

interface Original {
  readonly name: string;
  readonly expr: string;
  readonly container?: string;
  readonly disableCheck?: boolean;
  readonly checkOnly?: boolean;
  readonly value?: Value;
  readonly typedResult?: { readonly result?: Value };
  readonly evalError?: unknown;
  readonly bindings?: Readonly<Record<string, { readonly value: Value }>>;
  readonly typeEnv?: readonly { readonly name: string; readonly ident?: { readonly type: Type } }[];
}

interface Case {
  readonly section: string;
  readonly group: string;
  readonly original: Original;
  /** What cel-go deduced. */
  readonly type: string | undefined;
}

/** Extensions that conditions do not have, and protobuf messages, which no exchange holds. */
const NOT_OF_CONDITIONS: ReadonlySet<string> = new Set([
  ...[
    'bindings_ext',
    'block_ext',
    'encoders_ext',
    'macros2',
    'math_ext',
    'optionals',
    'string_ext',
  ],
  ...['proto2', 'proto2_ext', 'proto3', 'enums', 'dynamic', 'wrappers'],
]);

const CASES: readonly Case[] = (tests.suites ?? []).flatMap((section) =>
  (section.suites ?? []).flatMap((group) =>
    (group.tests ?? []).map(({ original, type }) => ({
      section: section.name,
      group: group.name,
      original: original as unknown as Original,
      type,
    })),
  ),
);

/** Why a case of a section that counts cannot be put to conditions; undefined where it can. */
function leftOut({ section, group, original }: Case): string | undefined {
  if (NOT_OF_CONDITIONS.has(section)) return 'extension or protobuf';
  const { expr, container, typeEnv = [], name } = original;
  if (container !== undefined || /TestAllTypes|google\.protobuf\.\w+\s*\{/.test(expr)) {
    return 'protobuf message';
  }
  if (typeEnv.some(({ ident }) => ident === undefined || typeFrom(ident.type) === undefined)) {
    return 'function, wrapper or type parameter of the case';
  }
  if (/optional\./.test(expr)) return 'extension or protobuf';
  if (group === 'quoted_map_fields') return 'quoted field: the library does not read it';
  if (name === 'map_value_repeat_key_heterogeneous') return 'equal keys of two types: not refused';
  return undefined;
}

const PRIMITIVES: Readonly<Record<string, CelType>> = {
  BOOL: CelScalar.BOOL,
  INT64: CelScalar.INT,
  UINT64: CelScalar.UINT,
  DOUBLE: CelScalar.DOUBLE,
  STRING: CelScalar.STRING,
  BYTES: CelScalar.BYTES,
};

function typeFrom(type: Type): CelType | undefined {
  if (type.primitive !== undefined) return PRIMITIVES[type.primitive];
  if (type.wellKnown === 'TIMESTAMP') return objectType('google.protobuf.Timestamp');
  if (type.wellKnown === 'DURATION') return objectType('google.protobuf.Duration');
  if (type.dyn !== undefined) return CelScalar.DYN;
  if (type.listType !== undefined) {
    const element = typeFrom(type.listType.elemType);
    return element && listType(element);
  }
  if (type.mapType !== undefined) {
    const key = typeFrom(type.mapType.keyType);
    const value = typeFrom(type.mapType.valueType);
    return key && value && mapType(key as typeof CelScalar.STRING, value);
  }
  return undefined;
}

const TIMESTAMP = plan(WEIGHED_ENVIRONMENT, parse('timestamp(text)'));
const DURATION = plan(WEIGHED_ENVIRONMENT, parse('duration(text)'));

// biome-ignore lint/suspicious/noExplicitAny: values of every type pass here
function input(value: Value): any {
  if (value.int64Value !== undefined) return BigInt(value.int64Value);
  if (value.uint64Value !== undefined) return celUint(BigInt(value.uint64Value));
  if (value.doubleValue !== undefined) return Number(value.doubleValue);
  if (value.stringValue !== undefined) return value.stringValue;
  if (value.bytesValue !== undefined) return Buffer.from(value.bytesValue, 'base64');
  if (value.boolValue !== undefined) return value.boolValue;
  if (value.listValue !== undefined) return (value.listValue.values ?? []).map(input);
  if (value.mapValue !== undefined) {
    const entries = value.mapValue.entries ?? [];
    return new Map(entries.map(({ key, value: one }) => [input(key), input(one)]));
  }
  if (value.objectValue !== undefined) {
    const { '@type': name, value: text } = value.objectValue;
    if (name.endsWith('.Timestamp')) return TIMESTAMP({ text: String(text) });
    if (name.endsWith('.Duration')) return DURATION({ text: String(text) });
    throw new Error(`an object of ${name}`);
  }
  return null;
}

/** A value and its type as a text: two are equal where the texts are. */
function told(value: unknown): string {
  if (typeof value === 'bigint') return `int ${value}`;
  if (isCelUint(value)) return `uint ${value.value}`;
  if (typeof value === 'number') return `double ${Object.is(value, -0) ? '-0' : value}`;
  if (value instanceof Uint8Array) return `bytes ${Buffer.from(value).toString('hex')}`;
  if (isCelType(value)) return `type ${value.name}`;
  if (isCelList(value) || Array.isArray(value)) return `[${[...value].map(told).join()}]`;
  if (isCelMap(value) || value instanceof Map) {
    const entries = [...value].map(([key, one]) => `${told(key)}: ${told(one)}`);
    return `{${entries.sort().join()}}`;
  }
  if (typeof value === 'object' && value !== null && 'message' in value) {
    const message = value.message as { $typeName: string; seconds: bigint; nanos: number };
    return `${message.$typeName} ${message.seconds} ${message.nanos}`;
  }
  return JSON.stringify(value);
}

const expectedText = (value: Value): string =>
  value.typeValue === undefined ? told(input(value)) : `type ${value.typeValue}`;

function evaluated({ expr, bindings = {} }: Original): string {
  try {
    const inputs = Object.fromEntries(
      Object.entries(bindings).map(([name, { value }]) => [name, input(value)]),
    );
    const value = plan(WEIGHED_ENVIRONMENT, parse(expr))(inputs);
    return isCelError(value) ? 'an error' : told(value);
  } catch {
    return 'an error';
  }
}

function deduced({ expr, typeEnv = [] }: Original): string {
  const scope = new Map(
    typeEnv.map(({ name, ident }) => [name, (ident && typeFrom(ident.type)) ?? CelScalar.DYN]),
  );
  try {
    return typeWord(typeOf(parse(expr).expr, scope));
  } catch (error) {
    if (error instanceof TypeMismatch) return `refused: ${error.message}`;
    throw error;
  }
}

/** What is put together from lists, or through a qualified name, is a list of anything here, or anything. */
const WIDER: Readonly<Record<string, number>> = {
  fields: 3,
  lists: 3,
  macros: 12,
  namespace: 1,
  type_deductions: 2,
};

const TRIED = CASES.filter((one) => leftOut(one) === undefined);

describe('the conformance cases of CEL', () => {
  it('are counted, those left out with the reason', () => {
    const counts: Record<string, number> = {};
    for (const one of CASES) {
      const reason = leftOut(one) ?? 'tried';
      counts[reason] = (counts[reason] ?? 0) + 1;
    }
    assert.deepEqual(counts, {
      tried: 1_085,
      'extension or protobuf': 1_124,
      'protobuf message': 107,
      'function, wrapper or type parameter of the case': 21,
      'quoted field: the library does not read it': 6,
      'equal keys of two types: not refused': 1,
    });
  });

  for (const section of new Set(TRIED.map((one) => one.section))) {
    const cases = TRIED.filter((one) => one.section === section);
    it(`${section}: ${cases.length} give their value or an error`, () => {
      const wrong = cases.flatMap(({ group, original }) => {
        if (original.checkOnly) return [];
        const value = original.value ?? original.typedResult?.result;
        const expected =
          original.evalError === undefined
            ? expectedText(value ?? { boolValue: true })
            : 'an error';
        const got = evaluated(original);
        return got === expected
          ? []
          : [`${group} ${original.name} ${original.expr}: ${got}, not ${expected}`];
      });
      assert.deepEqual(wrong, []);
    });

    it(`${section}: has the types that cel-go deduced, or wider ones where it says how many`, () => {
      let wider = 0;
      const wrong = cases.flatMap(({ group, original, type }) => {
        if (original.disableCheck || type === undefined) return [];
        const got = deduced(original);
        const meant = type.replace(/^type\(.*\)$/, 'type').replace(/^null$/, 'null_type');
        if (got === meant) return [];
        wider += 1;
        return new RegExp(`^${got.replace(/[()]/g, '\\$&').replaceAll('dyn', '.+')}$`).test(meant)
          ? []
          : [`${group} ${original.name} ${original.expr}: ${got}, not ${meant}`];
      });
      assert.deepEqual(wrong, []);
      assert.equal(wider, WIDER[section] ?? 0);
    });
  }
});
