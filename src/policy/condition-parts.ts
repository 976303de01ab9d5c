/** A condition taken apart for people: what each of its operands gave, and what it read. */
import { compileCondition } from './condition.ts';
import { DEFAULT_LIMITS } from './limits.ts';
import type { Condition, Conditions } from './set.ts';
import { NO_SESSION } from './surroundings.ts';

export interface ConditionPart {
  readonly source: string;
  readonly result: 'true' | 'false' | 'error';
}

/**
 * The operands of the outermost `||`, or else `&&`, each evaluated by itself as the whole is; empty for a
 * condition that has only one. A part that is no condition by itself makes all of them unknown: empty.
 * Cost: compiles each operand.
 */
export function conditionParts(
  condition: Condition,
  conditions: Conditions,
): readonly ConditionPart[] {
  const operands = operandsOf(condition.source);
  const parts: ConditionPart[] = [];
  for (const source of operands) {
    const compiled = compileCondition(source, DEFAULT_LIMITS);
    if (!compiled.ok) return [];
    parts.push({ source, result: resultOf(compiled.condition, conditions) });
  }
  return parts;
}

function resultOf(condition: Condition, conditions: Conditions): ConditionPart['result'] {
  try {
    return condition.holds(conditions) ? 'true' : 'false';
  } catch {
    return 'error';
  }
}

function operandsOf(source: string): readonly string[] {
  const parts = split(source, '||');
  if (parts.length > 1) return parts;
  const both = split(source, '&&');
  return both.length > 1 ? both : [];
}

/** CEL's texts: raw or not, in one quote or three, of either kind; an escape hides a quote unless raw. */
const TEXT =
  /[rR]?(?:"""[\s\S]*?"""|'''[\s\S]*?''')|[rR](?:"[^"\n]*"|'[^'\n]*')|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'/y;

/** Cuts at an operator that stands in no text and no bracket; choices and comments are left whole. */
function split(source: string, operator: '||' | '&&'): readonly string[] {
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (let at = 0; at < source.length; ) {
    TEXT.lastIndex = at;
    const text = TEXT.exec(source)?.[0];
    if (text !== undefined) {
      at += text.length;
      continue;
    }
    if (depth === 0 && source.startsWith(operator, at)) {
      parts.push(source.slice(start, at).trim());
      at += operator.length;
      start = at;
      continue;
    }
    const unit = source[at]!;
    if ((unit === '?' && depth === 0) || source.startsWith('//', at)) return [];
    if ('([{'.includes(unit)) depth += 1;
    else if (')]}'.includes(unit)) depth -= 1;
    at += 1;
  }
  parts.push(source.slice(start).trim());
  return parts;
}

/** What the condition reads and with which values, as an author would write them; absent facts are ''. Feeds are too long to show. */
export function conditionInputs(
  condition: Condition,
  conditions: Conditions,
): Readonly<Record<string, string>> {
  const values: Record<string, string> = {};
  for (const name of condition.reads) if (name !== 'feed') values[name] = inputOf(name, conditions);
  return values;
}

function inputOf(name: string, conditions: Conditions): string {
  const { facts, method, path, authority, route, headers, nowMs } = conditions;
  const { surroundings, sourceIp, claims } = conditions;
  switch (name) {
    case 'principal':
      return JSON.stringify({ ...claims, id: facts.principal ?? '' });
    case 'session':
      return JSON.stringify({
        id: facts.session ?? '',
        ...(surroundings?.session() ?? NO_SESSION),
      });
    case 'source':
      return JSON.stringify({ ip: sourceIp });
    case 'posture':
      return (surroundings === undefined ? 'normal' : surroundings.posture()) ?? '';
    case 'load':
      return String(surroundings?.load() ?? 0);
    case 'method':
      return method;
    case 'path':
      return path;
    case 'authority':
      return authority;
    case 'route':
      return route;
    case 'headers':
      return JSON.stringify(headers);
    case 'request':
      return JSON.stringify({ method, path, host: authority });
    case 'time':
      return new Date(nowMs).toISOString();
    default:
      return facts[name as keyof typeof facts] ?? '';
  }
}
