/** Short ways to compile in tests; every failure shows all errors. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { type CompileOptions, compilePolicies, type PolicyFile } from '../../src/policy/compile.ts';
import { formatCompileError } from '../../src/policy/errors.ts';
import type { PolicySet, Rule } from '../../src/policy/set.ts';

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

type Options = Partial<CompileOptions>;

export function compileFiles(files: readonly PolicyFile[], options: Options = {}): PolicySet {
  const result = compilePolicies(files, { sha256, ...options });
  if (!result.ok) assert.fail(result.errors.map(formatCompileError).join('\n'));
  return result.set;
}

export function compileText(text: string, options: Options = {}): PolicySet {
  return compileFiles([{ path: 'p.yaml', text }], options);
}

/** `line:column: code` of every error. */
export function refusals(text: string | readonly PolicyFile[], options: Options = {}): string[] {
  const files = typeof text === 'string' ? [{ path: 'p.yaml', text }] : text;
  const result = compilePolicies(files, { sha256, ...options });
  return result.ok
    ? []
    : result.errors.map(({ line, column, code }) => `${line}:${column}: ${code}`);
}

/** Codes only. */
export function codes(text: string | readonly PolicyFile[], options: Options = {}): string[] {
  return refusals(text, options).map((refusal) => refusal.split(' ').at(-1) as string);
}

/** One policy around rules written in flow style, one a line. */
export function policy(
  rules: readonly string[],
  {
    name = 'p',
    layer = 'platform',
    head = '',
  }: { name?: string; layer?: string; head?: string } = {},
): string {
  return [
    'kind: Policy',
    `metadata: { name: ${name}, layer: ${layer} }`,
    'class: security',
    ...(head === '' ? [] : [head]),
    'rules:',
    ...rules.map((rule) => `  - ${rule}`),
    '',
  ].join('\n');
}

export function ruleOf(set: PolicySet, id: string): Rule {
  const rule = set.rules.find((one) => one.id === id);
  assert.ok(rule, `no rule ${id}`);
  return rule;
}
