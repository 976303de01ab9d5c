/**
 * The static type of a CEL expression, from the types of what it names: what can never be evaluated is refused when
 * it is compiled. Standard functions bring their own signatures; comparisons follow CEL's check (both sides of one
 * type, numbers of any kind among each other), membership and indexing the specification's declarations.
 * https://github.com/google/cel-spec/blob/v0.25.1/doc/langdef.md#gradual-type-checking
 */
import {
  type CelFunc,
  CelScalar,
  type CelType,
  listType,
  mapType,
  objectType,
  type parse,
} from '@bufbuild/cel';
import { CEL_ENVIRONMENT } from './cel-environment.ts';
import { quote } from './errors.ts';

export type Expr = ReturnType<typeof parse>['expr'];

const { BOOL, BYTES, DOUBLE, DYN, INT, NULL, STRING, TYPE, UINT } = CelScalar;

/** A value of a JSON document: as `dyn`, but never an int, a timestamp or bytes. JSON has doubles only. */
export const JSON_VALUE: CelType = objectType('json');
export const TIMESTAMP: CelType = objectType('google.protobuf.Timestamp');

/** Names of types, which are values as well. */
export const TYPE_NAMES: ReadonlySet<string> = new Set([
  ...[BOOL, INT, UINT, DOUBLE, STRING, BYTES, NULL].map((type) => type.name),
  'list',
  'map',
  'type',
]);

/** What an expression gets wrong, for its author. */
export class TypeMismatch extends Error {
  override readonly name = 'TypeMismatch';
}

const EQUALITY: ReadonlySet<string> = new Set(['_==_', '_!=_']);
const ORDER: ReadonlySet<string> = new Set(['_<_', '_<=_', '_>_', '_>=_']);
const NUMBERS: ReadonlySet<string> = new Set(['int', 'uint', 'double']);
const IN_JSON: ReadonlySet<string> = new Set([
  'bool',
  'double',
  'string',
  'null_type',
  'list',
  'map',
]);
const MAP_KEYS = [STRING, INT, UINT, BOOL] as const;

const SIGNATURES: ReadonlyMap<string, readonly CelFunc[]> = (() => {
  const signatures = new Map<string, CelFunc[]>();
  for (const one of CEL_ENVIRONMENT.funcs) {
    const before = signatures.get(one.name);
    if (before === undefined) signatures.set(one.name, [one]);
    else before.push(one);
  }
  return signatures;
})();

/** Names of functions that an author may write; operators stand apart. */
export const FUNCTION_NAMES: readonly string[] = Object.freeze(
  [...SIGNATURES.keys()].filter((name) => /^[a-z]/i.test(name)),
);

/** As people write it: `string`, `list(string)`, `timestamp`. */
export function typeWord(type: CelType): string {
  if (type.kind === 'list') return `list(${typeWord(type.element)})`;
  if (type.kind === 'map') return `map(${typeWord(type.key)}, ${typeWord(type.value)})`;
  const { name } = type;
  return name.startsWith('google.protobuf.') ? name.slice(16).toLowerCase() : name;
}

/** The type of an expression whose every name is in `scope` or names a type. Throws `TypeMismatch`. */
export function typeOf(expr: Expr | undefined, scope: ReadonlyMap<string, CelType>): CelType {
  if (expr === undefined) return DYN;
  const { exprKind } = expr;
  switch (exprKind.case) {
    case 'constExpr':
      return constantType(exprKind.value.constantKind.case);
    case 'identExpr':
      return scope.get(exprKind.value.name) ?? (TYPE_NAMES.has(exprKind.value.name) ? TYPE : DYN);
    case 'selectExpr': {
      const { operand, field, testOnly } = exprKind.value;
      const selected = fieldType(typeOf(operand, scope), field);
      return testOnly ? BOOL : selected;
    }
    case 'listExpr':
      return listType(joined(exprKind.value.elements.map((element) => typeOf(element, scope))));
    case 'structExpr': {
      const { entries } = exprKind.value;
      const keys = entries.map(({ keyKind }) =>
        keyKind.case === 'mapKey' ? typeOf(keyKind.value, scope) : STRING,
      );
      const key = joined(keys);
      const values = entries.map(({ value }) => typeOf(value, scope));
      return mapType(MAP_KEYS.find(({ name }) => name === key.name) ?? DYN, joined(values));
    }
    case 'callExpr': {
      const { function: name, target, args } = exprKind.value;
      const operands = args.map((arg) => typeOf(arg, scope));
      return callType(name, target === undefined ? undefined : typeOf(target, scope), operands);
    }
    case 'comprehensionExpr': {
      const loop = exprKind.value;
      const inner = new Map(scope);
      inner.set(loop.iterVar, elementType(typeOf(loop.iterRange, scope)));
      inner.set(loop.accuVar, typeOf(loop.accuInit, scope));
      typeOf(loop.loopCondition, inner);
      typeOf(loop.loopStep, inner);
      return typeOf(loop.result, inner);
    }
    default:
      return DYN;
  }
}

function constantType(kind: string | undefined): CelType {
  switch (kind) {
    case 'stringValue':
      return STRING;
    case 'boolValue':
      return BOOL;
    case 'int64Value':
      return INT;
    case 'uint64Value':
      return UINT;
    case 'doubleValue':
      return DOUBLE;
    case 'bytesValue':
      return BYTES;
    case 'nullValue':
      return NULL;
    default:
      return DYN;
  }
}

/** One type for all, or `dyn`. Of none: `dyn`. */
function joined(types: readonly CelType[]): CelType {
  const [first = DYN, ...others] = types;
  return others.every((other) => typeWord(other) === typeWord(first)) ? first : DYN;
}

function fieldType(type: CelType, field: string): CelType {
  if (type.kind === 'map') return type.value;
  if (type === DYN || type === JSON_VALUE) return type;
  throw new TypeMismatch(`a ${typeWord(type)} has no field ${quote(field)}; only a map has fields`);
}

function elementType(range: CelType): CelType {
  if (range.kind === 'list') return range.element;
  if (range.kind === 'map') return range.key;
  if (range === DYN || range === JSON_VALUE) return range;
  throw new TypeMismatch(
    `a ${typeWord(range)} has no elements to go through; take a list or a map`,
  );
}

function callType(
  name: string,
  target: CelType | undefined,
  operands: readonly CelType[],
): CelType {
  const [left = DYN, right = DYN] = operands;
  if (EQUALITY.has(name) || ORDER.has(name)) {
    if (comparable(left, right) || (EQUALITY.has(name) && (left === NULL || right === NULL))) {
      if (EQUALITY.has(name)) return BOOL;
    } else throw new TypeMismatch(comparisonMessage(left, right));
  }
  switch (name) {
    case '_&&_':
    case '_||_':
    case '@not_strictly_false':
      for (const operand of operands) demandBool(operand, name);
      return BOOL;
    case '_?_:_': {
      demandBool(left, name);
      return joined(operands.slice(1));
    }
    case '_[_]':
      return indexedType(left, right);
    case '@in':
    case '_in_':
      return membershipType(left, right);
    default:
      return resultType(name, target, operands);
  }
}

/** Whether values of both can be equal, or be ordered. */
function comparable(left: CelType, right: CelType): boolean {
  if (left === DYN || right === DYN) return true;
  if (left === JSON_VALUE || right === JSON_VALUE) {
    const other = left === JSON_VALUE ? right : left;
    return other === JSON_VALUE || NUMBERS.has(other.name) || IN_JSON.has(other.name);
  }
  if (NUMBERS.has(left.name) && NUMBERS.has(right.name)) return true;
  if (left.kind === 'list' && right.kind === 'list') return comparable(left.element, right.element);
  if (left.kind === 'map' && right.kind === 'map') {
    return comparable(left.key, right.key) && comparable(left.value, right.value);
  }
  return left.name === right.name;
}

function comparisonMessage(left: CelType, right: CelType): string {
  const [one, other] = [typeWord(left), typeWord(right)];
  const hint =
    left.kind === 'list' || right.kind === 'list'
      ? 'ask with `"word" in consent`'
      : left.kind === 'map' || right.kind === 'map'
        ? 'compare a member of the map, as in `principal.id == "x"`'
        : 'convert one of them, as in `double(headers["x-score"]) > 0.5`';
  return `a ${one} is compared with a ${other}; ${hint}`;
}

function demandBool(type: CelType, operator: string): void {
  if (type === BOOL || type === DYN || type === JSON_VALUE) return;
  const sign = operator === '_?_:_' ? '?' : operator.replaceAll('_', '');
  throw new TypeMismatch(
    `${quote(sign)} asks what is true or false, not a ${typeWord(type)}; compare it with something`,
  );
}

function indexedType(container: CelType, key: CelType): CelType {
  if (container === DYN || container === JSON_VALUE) return container;
  if (container.kind === 'map') {
    if (comparable(container.key, key)) return container.value;
    throw new TypeMismatch(
      `a ${typeWord(container)} has no key that is a ${typeWord(key)}; write a ${typeWord(container.key)}`,
    );
  }
  if (container.kind === 'list') {
    if (comparable(INT, key)) return container.element;
    throw new TypeMismatch(`a list is indexed by an int, not by a ${typeWord(key)}`);
  }
  throw new TypeMismatch(
    `a ${typeWord(container)} has no elements; only a list or a map is indexed`,
  );
}

function membershipType(element: CelType, container: CelType): CelType {
  if (container === DYN || container === JSON_VALUE) return BOOL;
  if (container.kind !== 'list' && container.kind !== 'map') {
    const hint =
      container === STRING ? 'ask a text with `text.contains("word")`' : 'take a list or a map';
    throw new TypeMismatch(`nothing is in a ${typeWord(container)}; ${hint}`);
  }
  const member = container.kind === 'list' ? container.element : container.key;
  if (comparable(element, member)) return BOOL;
  throw new TypeMismatch(
    `a ${typeWord(element)} is never in a ${typeWord(container)}; ask for a ${typeWord(member)}`,
  );
}

/** Of a function or operator with signatures: the result where the ones that fit agree, otherwise `dyn`. */
function resultType(
  name: string,
  target: CelType | undefined,
  operands: readonly CelType[],
): CelType {
  const fitting = (SIGNATURES.get(name) ?? []).filter(
    (one) =>
      (one.target === undefined) === (target === undefined) &&
      (one.target === undefined || fits(target ?? DYN, one.target)) &&
      one.arguments.length === operands.length &&
      one.arguments.every((type, at) => fits(operands[at] ?? DYN, type)),
  );
  if (fitting.length === 0) throw new TypeMismatch(noSignature(name, target, operands));
  const result = joined(fitting.map((one) => one.result));
  if (result !== DYN) return result;
  const ofJson = target === JSON_VALUE || operands.includes(JSON_VALUE);
  return ofJson && fitting.every((one) => fits(JSON_VALUE, one.result)) ? JSON_VALUE : DYN;
}

function fits(type: CelType, wanted: CelType): boolean {
  if (type === DYN || wanted === DYN) return true;
  if (type === JSON_VALUE) return IN_JSON.has(wanted.name);
  if (type.kind === 'list' && wanted.kind === 'list') return fits(type.element, wanted.element);
  if (type.kind === 'map' && wanted.kind === 'map') {
    return fits(type.key, wanted.key) && fits(type.value, wanted.value);
  }
  return type.name === wanted.name;
}

function noSignature(
  name: string,
  target: CelType | undefined,
  operands: readonly CelType[],
): string {
  const taken = operands.map((type) => `a ${typeWord(type)}`).join(' and ') || 'nothing';
  const asked = target === undefined ? '' : ` of a ${typeWord(target)}`;
  const sign = quote(/^[a-z]/i.test(name) ? name : name.replaceAll('_', ''));
  const ofJson = target === JSON_VALUE || operands.includes(JSON_VALUE);
  const whole = operands.some((type) => type === INT || type === UINT);
  let hint = 'convert with `int(…)`, `double(…)` or `string(…)`';
  if (ofJson && name === '_%_') hint = 'numbers of a call are doubles: write `int(…)` around them';
  else if (ofJson && whole) hint = 'numbers of a call are doubles: write `1.0` for `1`';
  else if (target?.kind === 'list') hint = 'ask a list with `"word" in consent`';
  return `${sign}${asked} cannot take ${taken}; ${hint}`;
}
