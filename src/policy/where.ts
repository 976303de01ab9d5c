/**
 * `where` of a `tool`: CEL over what the tool is called with, as `args`. Numbers are doubles, as JSON has them;
 * what the call does not have is an error unless the expression asks with `has(…)`.
 */
import { Buffer } from 'node:buffer';
import { type CelType, celList, celMap } from '@bufbuild/cel';
import { folded } from '../formats/api-names.ts';
import type { JsonNode } from '../formats/json.ts';
import { readSound } from '../formats/json-clamp.ts';
import { stringValue } from '../formats/json-string.ts';
import type { InputVerdict, SubjectInput } from '../match/subject.ts';
import { type Expr, JSON_VALUE } from './cel-types.ts';
import { planCondition, Refused } from './condition.ts';
import type { Inputs } from './condition-variables.ts';
import { type CompileErrorCode, quote } from './errors.ts';
import type { CompileLimits } from './limits.ts';

type Value = Inputs[string];

export type CompiledWhere =
  | { readonly ok: true; judge(input: SubjectInput): InputVerdict }
  | { readonly ok: false; readonly code: CompileErrorCode; readonly message: string };

const ARGS: ReadonlyMap<string, CelType> = new Map([['args', JSON_VALUE]]);

/** Cost of `judge`: linear in the input, times the parts of the expression (`whenNodesMax`). */
export function compileWhere(source: string, limits: CompileLimits): CompiledWhere {
  try {
    const { tree, reads, decide } = planCondition(source, limits, ARGS);
    const [fact] = reads;
    if (fact !== undefined) {
      const message = `${quote(fact)} is nothing that a tool is called with; \`where\` reads \`args\`, and everything else stands in \`when\``;
      return { ok: false, code: 'when_unknown_name', message };
    }
    const names: string[] = [];
    addNames(tree, names);
    const spellings = new Map(names.map((name) => [folded(name), name]));
    return {
      ok: true,
      judge(input) {
        const args = argumentsOf(input, names, spellings);
        if (args === undefined) return 'failed';
        try {
          return decide({ args }) ? 'matches' : 'no';
        } catch {
          return 'failed';
        }
      },
    };
  } catch (error) {
    if (error instanceof Refused) return { ok: false, code: error.code, message: error.message };
    if (!(error instanceof RangeError)) throw error;
    const message = 'the expression is nested too deep; split the rule';
    return { ok: false, code: 'when_too_complex', message };
  }
}

function argumentsOf(
  { bytes, json }: SubjectInput,
  names: readonly string[],
  spellings: ReadonlyMap<string, string>,
): Value | undefined {
  if (!json) return celMap(new Map([['input', Buffer.from(bytes).toString('utf8')]]));
  const root = readSound(bytes, names);
  return root === undefined ? undefined : celValue(root, bytes, spellings);
}

/** Names that the expression asks for are spelled as it spells them, however the call does. */
function celValue(
  node: JsonNode,
  bytes: Uint8Array,
  spellings: ReadonlyMap<string, string>,
): Value {
  switch (node.kind) {
    case 'string':
      return stringValue(bytes, node);
    case 'number':
      return Number(Buffer.from(bytes.subarray(node.start, node.end)).toString('latin1'));
    case 'array':
      return celList(node.items.map((item) => celValue(item, bytes, spellings)));
    case 'object':
      return celMap(
        new Map(
          node.members.map(({ key, value }) => [
            spellings.get(folded(key)) ?? key,
            celValue(value, bytes, spellings),
          ]),
        ),
      );
    default:
      return node.kind === 'null' ? null : node.kind === 'true';
  }
}

/** Names of fields, and constant texts, which may stand for some. */
function addNames(expr: Expr | undefined, names: string[]): void {
  if (expr === undefined) return;
  const { exprKind } = expr;
  switch (exprKind.case) {
    case 'selectExpr':
      names.push(exprKind.value.field);
      addNames(exprKind.value.operand, names);
      return;
    case 'constExpr': {
      const { constantKind } = exprKind.value;
      if (constantKind.case === 'stringValue') names.push(constantKind.value);
      return;
    }
    case 'callExpr':
      addNames(exprKind.value.target, names);
      for (const arg of exprKind.value.args) addNames(arg, names);
      return;
    case 'listExpr':
      for (const element of exprKind.value.elements) addNames(element, names);
      return;
    case 'structExpr':
      for (const { value } of exprKind.value.entries) addNames(value, names);
      return;
    case 'comprehensionExpr': {
      const loop = exprKind.value;
      for (const part of [
        loop.iterRange,
        loop.accuInit,
        loop.loopCondition,
        loop.loopStep,
        loop.result,
      ])
        addNames(part, names);
      return;
    }
    default:
  }
}
