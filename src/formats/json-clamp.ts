/** Numbers on a path that are brought inside their bounds, in place. */
import { Buffer } from 'node:buffer';
import { folded } from './api-names.ts';
import type { JsonNode } from './json.ts';
import { readJson } from './json.ts';
import { hasDoubt, type JsonPath, pathNames, valuesAt } from './json-path.ts';
import { stringValue } from './json-string.ts';
import { DEFAULT_FORMAT_LIMITS } from './limits.ts';

export interface Clamp {
  readonly path: JsonPath;
  readonly min?: number;
  readonly max?: number;
}

/** Bytes `[start,end)` become `replacement`. */
export interface ClampedNumber {
  readonly start: number;
  readonly end: number;
  readonly replacement: string;
}

/** A plain decimal number, alone in a string: many tools take it for one. */
const DECIMAL = /^\s*[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?\s*$/;

/** A value read as a number: also one that is written as a string. Undefined for any other. */
export function numberOf(node: JsonNode, bytes: Uint8Array): number | undefined {
  if (node.kind === 'number')
    return Number(Buffer.from(bytes.subarray(node.start, node.end)).toString('latin1'));
  if (node.kind !== 'string') return undefined;
  const text = stringValue(bytes, node);
  return DECIMAL.test(text) ? Number(text) : undefined;
}

/**
 * A JSON text of which every name means one thing, see `hasDoubt`; blank text is an empty object, as a call
 * without arguments has it. Undefined for what cannot be read.
 */
export function readSound(bytes: Uint8Array, names: readonly string[]): JsonNode | undefined {
  const blank = bytes.every((byte) => byte === 0x20 || (byte >= 0x09 && byte <= 0x0d));
  if (blank) return { kind: 'object', start: 0, end: 0, members: [] };
  const reading = readJson(bytes, DEFAULT_FORMAT_LIMITS);
  return reading.ok && !hasDoubt(reading.root, new Set(names.map(folded)))
    ? reading.root
    : undefined;
}

/**
 * The numbers at a path that are outside of their bounds, in the order of the text; what is absent or `null` has
 * none. A number in a string stays in its quotes. Undefined where `bytes` cannot be read, or another value
 * stands on the path, of which nobody knows how it would be read. Cost: linear.
 */
export function clampedNumbers(
  bytes: Uint8Array,
  { path, min, max }: Clamp,
): readonly ClampedNumber[] | undefined {
  const root = readSound(bytes, pathNames(path));
  if (root === undefined) return undefined;
  const clamped: ClampedNumber[] = [];
  for (const node of valuesAt(root, path)) {
    if (node.kind === 'null') continue;
    const value = numberOf(node, bytes);
    if (value === undefined) return undefined;
    const bound = bounded(value, min, max);
    if (bound === value) continue;
    const quotes = node.kind === 'string' ? 1 : 0;
    const { start, end } = node;
    clamped.push({ start: start + quotes, end: end - quotes, replacement: String(bound) });
  }
  return clamped.sort((a, b) => a.start - b.start);
}

export type ClampedDecimal =
  | { readonly kind: 'within' }
  | { readonly kind: 'no number' }
  | { readonly kind: 'changed'; readonly replacement: string };

/** One number as it is written, without quotes; `null` is within every bounds. */
export function clampedDecimal(written: string, { min, max }: Clamp): ClampedDecimal {
  if (written === 'null') return { kind: 'within' };
  if (!DECIMAL.test(written)) return { kind: 'no number' };
  const bound = bounded(Number(written), min, max);
  return bound === Number(written)
    ? { kind: 'within' }
    : { kind: 'changed', replacement: String(bound) };
}

function bounded(
  value: number,
  min = Number.NEGATIVE_INFINITY,
  max = Number.POSITIVE_INFINITY,
): number {
  return Math.min(Math.max(value, min), max);
}
