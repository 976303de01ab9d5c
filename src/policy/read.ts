/**
 * Validates a located value against a schema and says every mistake at its own place, in words that the
 * author can act on. A test holds it to typebox's own validator: both accept the same values.
 */
import { type CompileErrorCode, quote, quoteList } from './errors.ts';
import type { Located, Scalar } from './located.ts';
import { didYouMean } from './suggest.ts';

/** Receives mistakes; `at` is an offset in the file. */
export type Report = (at: number, code: CompileErrorCode, message: string) => void;

/** The part of JSON Schema that the policy language uses, as typebox writes it. */
interface SchemaNode {
  readonly type?: 'object' | 'array' | 'string' | 'number' | 'integer' | 'boolean';
  readonly anyOf?: readonly SchemaNode[];
  readonly enum?: readonly Scalar[];
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly patternProperties?: Readonly<Record<string, SchemaNode>>;
  readonly required?: readonly string[];
  readonly minProperties?: number;
  readonly maxProperties?: number;
  readonly items?: SchemaNode;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  /** Words of the language that this version does not have. */
  readonly 'x-later'?: readonly string[];
  /** What the hint shows to somebody who wrote something else. */
  readonly 'x-example'?: string;
  /** Words that need settings, each with an example. */
  /** The page that lists the words, where they are too many for a message. */
  readonly 'x-listed'?: string;
  readonly 'x-settings'?: Readonly<Record<string, string>>;
}

/**
 * Reports every mistake in `node`; true when there is none, and then `plain(node)` is of the schema's
 * type. `place` names the value in sentences, e.g. `rules`. Cost: linear in the value.
 */
export function accepts(schema: object, node: Located, place: string, report: Report): boolean {
  let clean = true;
  check(schema as SchemaNode, node, place, (at, code, message) => {
    clean = false;
    report(at, code, message);
  });
  return clean;
}

function check(schema: SchemaNode, node: Located, place: string, report: Report): void {
  if (schema.anyOf !== undefined) {
    checkUnion(schema.anyOf, node, place, report);
    return;
  }
  if (schema.enum !== undefined) {
    checkWord(schema, schema.enum, node, place, report);
    return;
  }
  switch (schema.type) {
    case 'object':
      checkMap(schema, node, place, report);
      return;
    case 'array':
      checkList(schema, node, place, report);
      return;
    case 'string':
      checkText(schema, node, place, report);
      return;
    case 'number':
    case 'integer':
      checkNumber(schema, schema.type, node, place, report);
      return;
    case 'boolean':
      if (node.kind !== 'scalar' || typeof node.value !== 'boolean') {
        report(node.at, 'wrong_type', `${quote(place)} must be true or false; ${got(node)}`);
      }
      return;
    case undefined:
      return;
  }
}

/** A union holds at most one schema for each kind of value, so that the kind picks the one to report. */
function checkUnion(
  branches: readonly SchemaNode[],
  node: Located,
  place: string,
  report: Report,
): void {
  const branch = branches.find((one) => fitsKind(one, node));
  if (branch !== undefined) {
    check(branch, node, place, report);
    return;
  }
  const kinds = branches.map(kindWord).join(' or ');
  report(node.at, 'wrong_type', `${quote(place)} must be ${kinds}; ${got(node)}`);
}

function fitsKind(schema: SchemaNode, node: Located): boolean {
  if (schema.enum !== undefined || schema.type === 'string') {
    return node.kind === 'scalar' && typeof node.value === 'string';
  }
  if (schema.type === 'object') return node.kind === 'map';
  if (schema.type === 'array') return node.kind === 'list';
  return (
    node.kind === 'scalar' &&
    typeof node.value === (schema.type === 'integer' ? 'number' : schema.type)
  );
}

function kindWord(schema: SchemaNode): string {
  if (schema.enum !== undefined) return 'a word';
  if (schema.type === 'object') return 'a map';
  if (schema.type === 'array') return 'a list';
  return schema.type === 'string' ? 'a text' : `a ${schema.type}`;
}

function got(node: Located): string {
  if (node.kind === 'map') return 'here stands a map';
  if (node.kind === 'list') return 'here stands a list';
  if (node.value === null) return 'here stands nothing';
  return `here stands the ${typeof node.value === 'string' ? 'text' : typeof node.value} ${quote(node.value)}`;
}

function checkWord(
  schema: SchemaNode,
  allowed: readonly Scalar[],
  node: Located,
  place: string,
  report: Report,
): void {
  const words = allowed.map(String);
  if (node.kind !== 'scalar' || typeof node.value !== 'string') {
    report(node.at, 'wrong_type', `${quote(place)} must be ${quoteList(words)}; ${got(node)}`);
    return;
  }
  const word = node.value;
  if (words.includes(word)) return;
  const example = own(schema['x-settings'], word);
  if (example !== undefined) {
    report(node.at, 'missing_key', `${quote(word)} needs settings; write ${quote(example)}`);
  } else if (schema['x-later']?.includes(word)) {
    report(node.at, 'unsupported_construct', later(word, place, words));
  } else {
    const page = schema['x-listed'];
    const listed = page === undefined ? undefined : `one of those that ${quote(page)} lists`;
    const meant = didYouMean(word, words) || `; write ${listed ?? quoteList(words)}`;
    report(node.at, 'unknown_word', `${quote(word)} is not a word for ${quote(place)}${meant}`);
  }
}

function later(word: string, place: string, supported: readonly string[]): string {
  const takes = supported.length === 0 ? 'no settings' : quoteList(supported);
  return `${quote(word)} is part of the policy language but not of this version; ${quote(place)} takes ${takes}`;
}

/** `{ message: No keys, please }`: what stands behind the comma is a key without a value. */
const COMMA = ', and a text with a comma stands in quotes between `{` and `}`';

function checkMap(schema: SchemaNode, node: Located, place: string, report: Report): void {
  if (node.kind !== 'map') {
    const keys = Object.keys(schema.properties ?? {});
    const out = keys.length === 0 ? '' : `; its keys are ${quoteList(keys)}`;
    report(node.at, 'wrong_type', `${quote(place)} must be a map; ${got(node)}${out}`);
    return;
  }
  const known = Object.keys(schema.properties ?? {});
  const open = Object.values(schema.patternProperties ?? {})[0];
  let strangers = 0;
  for (const { key, keyAt, value } of node.entries) {
    const property = own(schema.properties, key) ?? open;
    if (property !== undefined) {
      check(property, value, key, report);
      continue;
    }
    strangers += 1;
    if (schema['x-later']?.includes(key)) {
      report(keyAt, 'unsupported_construct', later(key, place, known));
    } else {
      const meant =
        didYouMean(key, known) ||
        (known.length === 0 ? '; remove it' : `; the keys here are ${quoteList(known)}`) +
          (value.kind === 'scalar' && value.value === null ? COMMA : '');
      report(keyAt, 'unknown_key', `${quote(key)} is not a key of ${quote(place)}${meant}`);
    }
  }
  // A misspelled or unsupported key explains what is missing better than a second error would.
  if (strangers > 0) return;
  for (const key of schema.required ?? []) {
    if (!node.entries.some((one) => one.key === key)) {
      report(node.at, 'missing_key', `${quote(place)} needs the key ${quote(key)}; add it`);
    }
  }
  const count = node.entries.length;
  if (schema.minProperties === 1 && schema.maxProperties === 1) {
    if (count !== 1) {
      report(
        node.at,
        'not_exactly_one',
        `${quote(place)} must hold exactly one of ${quoteList(known)}; it holds ${count}`,
      );
    }
  } else if (schema.minProperties !== undefined && count < schema.minProperties) {
    report(node.at, 'out_of_range', `${quote(place)} is empty; write a key or remove it`);
  }
}

function checkList(schema: SchemaNode, node: Located, place: string, report: Report): void {
  if (node.kind !== 'list') {
    const text = node.kind === 'scalar' && node.value !== null ? String(node.value) : '…';
    const out = `; write ${quote(`${place}: [${text}]`)}`;
    report(node.at, 'wrong_type', `${quote(place)} must be a list; ${got(node)}${out}`);
    return;
  }
  if (schema.minItems !== undefined && node.items.length < schema.minItems) {
    const { length } = node.items;
    const said = length === 0 ? 'is an empty list' : `has ${length} item${length === 1 ? '' : 's'}`;
    const least = schema.minItems === 1 ? 'one item' : `${schema.minItems} items`;
    report(node.at, 'out_of_range', `${quote(place)} ${said}; write at least ${least}`);
  }
  if (schema.maxItems !== undefined && node.items.length > schema.maxItems) {
    report(
      node.at,
      'out_of_range',
      `${quote(place)} has ${node.items.length} items; write at most ${schema.maxItems}`,
    );
  }
  if (schema.items === undefined) return;
  for (const item of node.items) check(schema.items, item, place, report);
}

function checkText(schema: SchemaNode, node: Located, place: string, report: Report): void {
  if (node.kind !== 'scalar' || typeof node.value !== 'string') {
    const value = node.kind === 'scalar' ? node.value : null;
    const example = schema['x-example'] ?? (value === null ? undefined : `"${value}"`);
    const hint = example === undefined ? '' : `; write ${quote(example)}`;
    report(node.at, 'wrong_type', `${quote(place)} must be a text; ${got(node)}${hint}`);
    return;
  }
  // JSON Schema counts code points.
  const length = [...node.value].length;
  if (schema.minLength !== undefined && length < schema.minLength) {
    report(node.at, 'out_of_range', `${quote(place)} is empty; write a text or remove the key`);
    return;
  }
  if (schema.maxLength !== undefined && length > schema.maxLength) {
    report(
      node.at,
      'out_of_range',
      `${quote(place)} has ${length} characters; write at most ${schema.maxLength}`,
    );
  }
  if (schema.pattern !== undefined && !new RegExp(schema.pattern, 'u').test(node.value)) {
    const form =
      schema['x-example'] === undefined
        ? 'letters, digits, `.`, `_` and `-`, at most 64, beginning and ending with a letter or digit'
        : `one like ${quote(schema['x-example'])}`;
    report(node.at, 'bad_name', `${quote(node.value)} is no ${place}; write ${form}`);
  }
}

function checkNumber(
  schema: SchemaNode,
  type: 'number' | 'integer',
  node: Located,
  place: string,
  report: Report,
): void {
  const value = node.kind === 'scalar' ? node.value : undefined;
  const fits =
    typeof value === 'number' &&
    (type === 'integer' ? Number.isInteger(value) : Number.isFinite(value));
  if (!fits) {
    const wanted = type === 'integer' ? 'a whole number' : 'a number';
    const inQuotes =
      typeof value === 'string' && value.trim() !== '' && !Number.isNaN(Number(value));
    const out = inQuotes ? `; write it without quotes` : '';
    report(node.at, 'wrong_type', `${quote(place)} must be ${wanted}; ${got(node)}${out}`);
    return;
  }
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = schema;
  const low =
    (minimum !== undefined && value < minimum) ||
    (exclusiveMinimum !== undefined && value <= exclusiveMinimum);
  const high =
    (maximum !== undefined && value > maximum) ||
    (exclusiveMaximum !== undefined && value >= exclusiveMaximum);
  if (!low && !high) return;
  const bounds = [
    minimum === undefined ? undefined : `at least ${minimum}`,
    exclusiveMinimum === undefined ? undefined : `more than ${exclusiveMinimum}`,
    maximum === undefined ? undefined : `at most ${maximum}`,
    exclusiveMaximum === undefined ? undefined : `less than ${exclusiveMaximum}`,
  ].filter((bound) => bound !== undefined);
  report(
    node.at,
    'out_of_range',
    `${quote(place)} is ${quote(value)}; write ${bounds.join(' and ')}`,
  );
}

/** Own properties only: a key called `constructor` is not known by inheritance. */
function own<Value>(
  record: Readonly<Record<string, Value>> | undefined,
  key: string,
): Value | undefined {
  return record !== undefined && Object.hasOwn(record, key) ? record[key] : undefined;
}
