/** What a `json` rule asks of the values that it finds. */
import { Buffer } from 'node:buffer';
import type { JsonNode } from '../formats/json.ts';
import { numberOf } from '../formats/json-clamp.ts';
import { stringValue } from '../formats/json-string.ts';

export type JsonScalarValue = string | number | boolean | null;

export type JsonTest =
  /** There is a value. */
  | { readonly kind: 'present' }
  /** A number outside of these. */
  | { readonly kind: 'outside'; readonly above?: number; readonly below?: number }
  | { readonly kind: 'in' | 'notIn'; readonly values: readonly JsonScalarValue[] }
  | { readonly kind: 'matches'; readonly pattern: (text: string) => boolean }
  | { readonly kind: 'violates'; readonly accepts: (value: unknown) => boolean };

export type TestVerdict = 'matches' | 'no' | 'failed';

/** `failed`: the value cannot be compared, as readers would take it in different ways. */
export function testNode(test: JsonTest, node: JsonNode, bytes: Uint8Array): TestVerdict {
  switch (test.kind) {
    case 'present':
      return 'matches';
    case 'outside':
      return outside(test, node, bytes);
    case 'in':
    case 'notIn': {
      const listed = test.values.some((value) => isSame(value, node, bytes));
      return listed === (test.kind === 'in') ? 'matches' : 'no';
    }
    case 'matches': {
      const text = textOf(node, bytes);
      return text !== undefined && test.pattern(text) ? 'matches' : 'no';
    }
    case 'violates': {
      const value: unknown = JSON.parse(written(node, bytes));
      return test.accepts(value) ? 'no' : 'matches';
    }
  }
}

function outside(
  { above, below }: Extract<JsonTest, { kind: 'outside' }>,
  node: JsonNode,
  bytes: Uint8Array,
): TestVerdict {
  if (node.kind === 'null') return 'no';
  const value = numberOf(node, bytes);
  if (value === undefined) return 'failed';
  const beyond = (above !== undefined && value > above) || (below !== undefined && value < below);
  return beyond ? 'matches' : 'no';
}

/** A number is the same in a string. */
function isSame(value: JsonScalarValue, node: JsonNode, bytes: Uint8Array): boolean {
  if (typeof value === 'number') return numberOf(node, bytes) === value;
  if (typeof value === 'string') return textOf(node, bytes) === value;
  return node.kind === String(value);
}

/** A text, or a scalar as it is written. */
function textOf(node: JsonNode, bytes: Uint8Array): string | undefined {
  if (node.kind === 'string') return stringValue(bytes, node);
  return node.kind === 'object' || node.kind === 'array' ? undefined : written(node, bytes);
}

/** An empty object stands for arguments that are not there. */
function written({ start, end }: JsonNode, bytes: Uint8Array): string {
  return end === start ? '{}' : Buffer.from(bytes.subarray(start, end)).toString('utf8');
}
