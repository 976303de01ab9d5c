/**
 * `when`: CEL over facts and the request line. Compiled once; what can be known to be wrong is refused
 * then. At run time a condition gives true, false, or throws without naming any value.
 */
import { CelScalar, type CelType, isCelError, parse, plan } from '@bufbuild/cel';
import { STEPS_TAKEN, WEIGHED_ENVIRONMENT, withSteps } from './cel-budget.ts';
import { CEL_ENVIRONMENT } from './cel-environment.ts';
import { keepPattern } from './cel-patterns.ts';
import { isCalendarField, isZone } from './cel-time.ts';
import {
  type Expr,
  FUNCTION_NAMES,
  JSON_VALUE,
  TYPE_NAMES,
  TypeMismatch,
  typeOf,
  typeWord,
} from './cel-types.ts';
import {
  CONDITION_VARIABLES,
  type Inputs,
  LATER_VARIABLES,
  VARIABLES,
} from './condition-variables.ts';
import { conditionTooDeep } from './depth.ts';
import { type CompileErrorCode, quote, quoteList } from './errors.ts';
import { frozenSet } from './freeze.ts';
import type { CompileLimits } from './limits.ts';
import type { Condition, Conditions } from './set.ts';
import { didYouMean } from './suggest.ts';
import { POSTURES } from './surroundings.ts';

/** What a condition throws. The message is from a closed list and carries no value (invariant 9). */
export class ConditionError extends Error {
  override readonly name = 'ConditionError';
}

export type CompiledCondition =
  | { readonly ok: true; readonly condition: Condition }
  | { readonly ok: false; readonly code: CompileErrorCode; readonly message: string };

export class Refused extends Error {
  readonly code: CompileErrorCode;
  constructor(code: CompileErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** Conditions that were compiled last: tenants and modules repeat them, and so do sets that differ little. */
const known = new Map<string, CompiledCondition>();
const KNOWN_MAX = 4_096;

/** Compiles a condition. Cost: about 0.3 ms for a short new one; a call of `holds` takes some µs. */
export function compileCondition(source: string, limits: CompileLimits): CompiledCondition {
  const { whenCharsMax, whenDepthMax, whenNodesMax, whenLoopsMax, whenStepsMax } = limits;
  const bounds = [whenCharsMax, whenDepthMax, whenNodesMax, whenLoopsMax, whenStepsMax];
  const key = `${bounds.join(' ')} ${source}`;
  const before = known.get(key);
  if (before !== undefined) return before;
  const compiled = Object.freeze(compileAnew(source, limits));
  if (known.size >= KNOWN_MAX) known.delete(known.keys().next().value ?? '');
  if (source.length <= whenCharsMax) known.set(key, compiled);
  return compiled;
}

function compileAnew(source: string, limits: CompileLimits): CompiledCondition {
  try {
    return { ok: true, condition: compile(source, limits) };
  } catch (error) {
    if (error instanceof Refused) return { ok: false, code: error.code, message: error.message };
    if (error instanceof RangeError) {
      return {
        ok: false,
        code: 'when_too_complex',
        message: 'the condition is nested too deep; split the rule',
      };
    }
    throw error;
  }
}

function compile(source: string, limits: CompileLimits): Condition {
  const { reads, decide } = planCondition(source, limits, new Map());
  const used = [...reads].map((name) => [name, VARIABLES[name]!] as const);
  const holds = (conditions: Conditions): boolean => {
    const inputs: Inputs = {};
    for (const [name, variable] of used) {
      const value = variable.read(conditions);
      // What is not there stays unbound: CEL's own operators say where that is an error.
      if (value !== undefined) inputs[name] = value;
    }
    return decide(inputs);
  };
  return Object.freeze({ source, reads: frozenSet(reads), holds });
}

/** An expression that gives true or false, over the variables of conditions and others of any type. */
export interface PlannedCondition {
  readonly tree: Expr;
  /** Variables of conditions that it names. */
  readonly reads: ReadonlySet<string>;
  /** Throws `ConditionError` where it gives neither. */
  decide(inputs: Inputs): boolean;
}

/** `given`: the other variables with their types. Throws `Refused`. */
export function planCondition(
  source: string,
  limits: CompileLimits,
  given: ReadonlyMap<string, CelType>,
): PlannedCondition {
  if (source.length > limits.whenCharsMax) {
    throw new Refused(
      'when_too_complex',
      `the condition has ${source.length} characters; write at most ${limits.whenCharsMax}`,
    );
  }
  if (conditionTooDeep(source, limits.whenDepthMax)) {
    throw new Refused(
      'when_too_complex',
      `the condition is nested more than ${limits.whenDepthMax} deep; split the rule`,
    );
  }
  const tree = parseSource(source);
  const reads = new Set<string>();
  const inspector = new Inspector(reads, limits);
  inspector.visit(tree, new Set(given.keys()), 0);
  const type = checkedType(tree, given);
  if (type !== CelScalar.BOOL && type !== CelScalar.DYN && type !== JSON_VALUE) {
    throw new Refused(
      'when_type',
      `the condition is a ${typeWord(type)}, not true or false; compare it with something`,
    );
  }
  const evaluate = plan(WEIGHED_ENVIRONMENT, tree);
  const { whenStepsMax } = limits;
  const decide = (inputs: Inputs): boolean => {
    let value: unknown;
    try {
      value = withSteps(whenStepsMax, () => evaluate(inputs));
    } catch {
      throw new ConditionError('the condition could not be evaluated');
    }
    if (isCelError(value)) throw new ConditionError(failureWord(value.message));
    if (typeof value !== 'boolean') throw new ConditionError('the condition gave no true or false');
    return value;
  };
  return { tree, reads, decide };
}

const VARIABLE_TYPES: readonly (readonly [string, CelType])[] = Object.entries(VARIABLES).map(
  ([name, { type }]) => [name, type],
);

function checkedType(tree: Expr, given: ReadonlyMap<string, CelType>): CelType {
  try {
    return typeOf(tree, new Map([...VARIABLE_TYPES, ...given]));
  } catch (error) {
    if (error instanceof TypeMismatch) throw new Refused('when_type', error.message);
    throw error;
  }
}

function parseSource(source: string): Expr {
  try {
    return parse(source).expr;
  } catch (error) {
    if (error instanceof RangeError) throw error;
    const { location } = error as { location?: { start?: { offset?: number } } };
    const offset = location?.start?.offset;
    const where =
      offset === undefined
        ? ''
        : ` near ${quote(source.slice(offset, offset + 20).trim() || source)}`;
    const rest = offset === undefined ? '' : source.slice(offset);
    throw new Refused('when_syntax', `the condition is not CEL${where}; ${wayOutOf(rest)}`);
  }
}

/** What is meant by words that CEL has not, where it stopped at them. */
function wayOutOf(rest: string): string {
  if (/^=(?!=)/u.test(rest)) return 'compare with `==`';
  if (/^(?:and|or)\b/iu.test(rest)) return 'write `&&` for and, `||` for or';
  return 'correct it';
}

/** The library's messages can quote values, so that only their kind is passed on. */
function failureWord(message: string): string {
  if (message.includes(STEPS_TAKEN)) return 'the condition takes more steps than `whenStepsMax`';
  if (/no matching overload|unbound function/.test(message)) {
    return 'an operator or function of the condition does not fit the types it met';
  }
  if (/field not found|no such key|key not found|unresolved|index/.test(message)) {
    return 'a key or field that the condition reads is absent';
  }
  return 'the condition failed at run time';
}

/** Walks the tree once: names, functions, patterns and complexity. */
class Inspector {
  readonly #reads: Set<string>;
  readonly #limits: CompileLimits;
  #nodes = 0;

  constructor(reads: Set<string>, limits: CompileLimits) {
    this.#reads = reads;
    this.#limits = limits;
  }

  visit(expr: Expr | undefined, bound: ReadonlySet<string>, loops: number): void {
    if (expr === undefined) return;
    this.#nodes += 1;
    if (this.#nodes > this.#limits.whenNodesMax) {
      throw new Refused(
        'when_too_complex',
        `the condition has more than ${this.#limits.whenNodesMax} parts; split the rule`,
      );
    }
    const { exprKind } = expr;
    switch (exprKind.case) {
      case 'identExpr':
        this.#name(exprKind.value.name, bound);
        return;
      case 'selectExpr':
        this.#select(exprKind.value.operand, exprKind.value.field, bound);
        this.visit(exprKind.value.operand, bound, loops);
        return;
      case 'callExpr': {
        const { function: name, target, args } = exprKind.value;
        if (CEL_ENVIRONMENT.funcs.find(name) === undefined && !isOperator(name)) {
          throw new Refused(
            'when_unknown_name',
            `${quote(name)} is not a function of CEL${didYouMean(name, FUNCTION_NAMES) || '; remove it'}`,
          );
        }
        this.visit(target, bound, loops);
        for (const arg of args) this.visit(arg, bound, loops);
        if (COMPARED.has(name)) checkPostures(args, bound);
        if (name === 'matches') checkPattern(textConstant(args.at(-1)), this.#limits);
        if (isCalendarField(name)) checkZone(textConstant(args.at(-1)));
        return;
      }
      case 'listExpr':
        for (const element of exprKind.value.elements) this.visit(element, bound, loops);
        return;
      case 'structExpr':
        if (exprKind.value.messageName !== '') {
          throw new Refused(
            'when_unknown_name',
            `${quote(exprKind.value.messageName)} is not a type of conditions; use a map or a text`,
          );
        }
        for (const { keyKind, value } of exprKind.value.entries) {
          if (keyKind.case === 'mapKey') this.visit(keyKind.value, bound, loops);
          this.visit(value, bound, loops);
        }
        return;
      case 'comprehensionExpr': {
        if (loops >= this.#limits.whenLoopsMax) {
          throw new Refused(
            'when_too_complex',
            `loops stand inside each other more than ${this.#limits.whenLoopsMax} deep; flatten the condition`,
          );
        }
        const loop = exprKind.value;
        this.visit(loop.iterRange, bound, loops);
        this.visit(loop.accuInit, bound, loops);
        const inner = new Set([...bound, loop.accuVar, loop.iterVar, loop.iterVar2]);
        this.visit(loop.loopCondition, inner, loops + 1);
        this.visit(loop.loopStep, inner, loops + 1);
        this.visit(loop.result, inner, loops + 1);
        return;
      }
      default:
        return;
    }
  }

  #name(name: string, bound: ReadonlySet<string>): void {
    if (bound.has(name) || TYPE_NAMES.has(name)) return;
    if (Object.hasOwn(VARIABLES, name)) {
      this.#reads.add(name);
      return;
    }
    if (LATER_VARIABLES.includes(name)) {
      throw new Refused(
        'unsupported_construct',
        `${quote(name)} is part of the policy language but not of this version; a condition can read ${quoteList(CONDITION_VARIABLES)}`,
      );
    }
    if (name === 'args') {
      throw new Refused(
        'when_unknown_name',
        '`args` is what a tool is called with, which `when` cannot know yet; write `match: { tool: { where: … } }`',
      );
    }
    const meant =
      didYouMean(name, CONDITION_VARIABLES) ||
      `; a text stands in quotes, ${quote(JSON.stringify(name))}, and a condition can read ${quoteList(CONDITION_VARIABLES)}`;
    throw new Refused('when_unknown_name', `${quote(name)} is not known to conditions${meant}`);
  }

  #select(operand: Expr | undefined, field: string, bound: ReadonlySet<string>): void {
    if (operand?.exprKind.case !== 'identExpr') return;
    const { name } = operand.exprKind.value;
    const members = bound.has(name) ? undefined : VARIABLES[name]?.members;
    if (members === undefined || members.includes(field)) return;
    throw new Refused(
      'when_unknown_name',
      `${quote(`${name}.${field}`)} is not known to conditions${didYouMean(field, members) || `; ${quote(name)} has ${quoteList(members)}`}`,
    );
  }
}

function isOperator(name: string): boolean {
  return name.startsWith('_') || name.startsWith('@') || name === '!_' || name === '-_';
}

const COMPARED: ReadonlySet<string> = new Set(['_==_', '_!=_', '@in']);

/** Refuses to compare the posture with a word that it never is: what was meant for an attack would sleep through it. */
function checkPostures(args: readonly Expr[], bound: ReadonlySet<string>): void {
  const isPosture = ({ exprKind }: NonNullable<Expr>): boolean =>
    exprKind.case === 'identExpr' && exprKind.value.name === 'posture' && !bound.has('posture');
  if (!args.some((arg) => arg !== undefined && isPosture(arg))) return;
  for (const word of args.flatMap(constantTexts)) {
    if (POSTURES.some((posture) => posture === word)) continue;
    const meant = didYouMean(word, POSTURES) || `; it is ${quoteList(POSTURES)}`;
    throw new Refused('when_unknown_name', `the posture is never ${quote(word)}${meant}`);
  }
}

/** The text that an expression is, or those of a list. */
function constantTexts(expr: Expr | undefined): readonly string[] {
  if (expr?.exprKind.case === 'listExpr')
    return expr.exprKind.value.elements.flatMap(constantTexts);
  const text = textConstant(expr);
  return text === undefined ? [] : [text];
}

/** Refuses a constant pattern that is no RE2, or that a condition could never afford. */
function checkPattern(pattern: string | undefined, { whenStepsMax }: CompileLimits): void {
  if (pattern === undefined) return;
  const matched = withSteps(whenStepsMax, () => MATCHES({ text: '', pattern }));
  if (!isCelError(matched)) {
    keepPattern(pattern);
    return;
  }
  if (matched.message.includes(STEPS_TAKEN)) {
    throw new Refused(
      'when_too_complex',
      `${quote(pattern)} takes more than ${whenStepsMax} steps to compile; write a shorter pattern, or smaller counts`,
    );
  }
  throw new Refused('when_syntax', `${quote(pattern)} is no RE2 pattern; correct it`);
}

/** Refuses a constant time zone that there is not. */
function checkZone(zone: string | undefined): void {
  if (zone === undefined || isZone(zone)) return;
  throw new Refused(
    'when_syntax',
    `${quote(zone)} is no time zone; write one as \`Europe/Berlin\` or \`+02:00\``,
  );
}

const MATCHES = plan(WEIGHED_ENVIRONMENT, parse('text.matches(pattern)'));

function textConstant(expr: Expr | undefined): string | undefined {
  if (expr?.exprKind.case !== 'constExpr') return undefined;
  const { constantKind } = expr.exprKind.value;
  return constantKind.case === 'stringValue' ? constantKind.value : undefined;
}
