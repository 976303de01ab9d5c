/**
 * JSON Schema (draft 2020-12) of an author, compiled once. Taken is what can be checked in a time that is linear
 * in the JSON: nothing that compares elements with each other, no schema that refers to itself, none from
 * elsewhere. Patterns are RE2.
 */
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { CompileLimits } from './limits.ts';
import { linearPattern } from './linear-pattern.ts';

export type CompiledSchema =
  | { readonly ok: true; accepts(value: unknown): boolean }
  | { readonly ok: false; readonly message: string };

/** How the value of a keyword is read. */
type Holds = 'plain' | 'schema' | 'schemas' | 'named schemas';

const KEYWORDS: Readonly<Record<string, Holds>> = {
  $schema: 'plain',
  $comment: 'plain',
  $ref: 'plain',
  $defs: 'named schemas',
  title: 'plain',
  description: 'plain',
  default: 'plain',
  examples: 'plain',
  type: 'plain',
  enum: 'plain',
  const: 'plain',
  minimum: 'plain',
  maximum: 'plain',
  exclusiveMinimum: 'plain',
  exclusiveMaximum: 'plain',
  minLength: 'plain',
  maxLength: 'plain',
  pattern: 'plain',
  minItems: 'plain',
  maxItems: 'plain',
  minProperties: 'plain',
  maxProperties: 'plain',
  required: 'plain',
  dependentRequired: 'plain',
  properties: 'named schemas',
  patternProperties: 'named schemas',
  additionalProperties: 'schema',
  propertyNames: 'schema',
  items: 'schema',
  prefixItems: 'schemas',
  contains: 'schema',
  minContains: 'plain',
  maxContains: 'plain',
  not: 'schema',
  if: 'schema',
  // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
  then: 'schema',
  else: 'schema',
  allOf: 'schemas',
  anyOf: 'schemas',
  oneOf: 'schemas',
};

class Refused extends Error {}

/** Cost of `accepts`: linear in the value, times `schemaNodesMax` at worst. Never throws. */
export function compileSchema(schema: object, limits: CompileLimits): CompiledSchema {
  try {
    new SchemaWalk(schema, limits.schemaNodesMax).visit(schema, []);
    const ajv = new Ajv2020({
      strict: true,
      strictTypes: false,
      strictRequired: false,
      strictTuples: false,
      validateFormats: false,
      ownProperties: true,
      allErrors: false,
      logger: false,
      code: { regExp: LINEAR },
    });
    const validate = ajv.compile(schema);
    return { ok: true, accepts: (value) => validate(value) === true };
  } catch (error) {
    if (error instanceof Refused) return { ok: false, message: error.message };
    const said = error instanceof Error ? error.message.split('\n', 1)[0]! : 'it cannot be read';
    return { ok: false, message: `${said}; correct the schema` };
  }
}

/** Counts what a schema comes to with all that it refers to, so that no value can make it cost more. */
class SchemaWalk {
  readonly #root: object;
  readonly #nodesMax: number;
  #nodes = 0;

  constructor(root: object, nodesMax: number) {
    this.#root = root;
    this.#nodesMax = nodesMax;
  }

  visit(schema: unknown, through: readonly string[]): void {
    this.#nodes += 1;
    if (this.#nodes > this.#nodesMax)
      throw new Refused(
        `the schema has more than ${this.#nodesMax} parts with all that it refers to; write a smaller one, or raise \`schemaNodesMax\``,
      );
    if (typeof schema === 'boolean') return;
    if (typeof schema !== 'object' || schema === null || Array.isArray(schema))
      throw new Refused('a schema must be a map, `true` or `false`; correct it');
    for (const [keyword, value] of Object.entries(schema)) this.#keyword(keyword, value, through);
  }

  #keyword(keyword: string, value: unknown, through: readonly string[]): void {
    const holds = Object.hasOwn(KEYWORDS, keyword) ? KEYWORDS[keyword] : undefined;
    if (holds === undefined)
      throw new Refused(
        `${quoted(keyword)} is not among the keywords that are checked; docs/reference/detectors.md lists them`,
      );
    if (keyword === '$ref') this.#refer(String(value), through);
    if (holds === 'schema') this.visit(value, through);
    else if (holds === 'schemas') {
      if (!Array.isArray(value))
        throw new Refused(`${quoted(keyword)} must be a list of schemas; write one`);
      for (const one of value) this.visit(one, through);
    } else if (holds === 'named schemas') {
      if (typeof value !== 'object' || value === null || Array.isArray(value))
        throw new Refused(`${quoted(keyword)} must be a map of schemas; write one`);
      for (const one of Object.values(value)) this.visit(one, through);
    }
  }

  #refer(ref: string, through: readonly string[]): void {
    const name = /^#\/\$defs\/([^/~%]+)$/.exec(ref)?.[1];
    const defs: unknown = '$defs' in this.#root ? this.#root.$defs : undefined;
    const known = name !== undefined && typeof defs === 'object' && defs !== null;
    const target: unknown =
      known && Object.hasOwn(defs, name) ? (defs as Record<string, unknown>)[name] : undefined;
    if (name === undefined || target === undefined)
      throw new Refused(`${quoted(ref)} refers to nothing here; write \`#/$defs/…\` and define it`);
    if (through.includes(name))
      throw new Refused(
        `${quoted(ref)} refers to itself, so that nothing bounds its cost; write it out`,
      );
    this.visit(target, [...through, name]);
  }
}

const quoted = (word: string): string => `\`${word.slice(0, 80).replaceAll('`', ' ')}\``;

/** The expressions of ajv's code, by RE2. */
const LINEAR = Object.assign(
  (pattern: string) => {
    const compiled = linearPattern(pattern);
    if (!compiled.ok)
      throw new Refused(`the pattern ${quoted(pattern)} is not taken: ${compiled.message}`);
    // Ajv tells expressions apart by what they are as text.
    return { test: compiled.test, toString: () => `/${pattern}/` };
  },
  // What ajv would write in code of its own, which is not asked for.
  { code: 'new RegExp' },
);
