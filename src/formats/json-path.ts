/** Paths into JSON, as an author writes them: `$.order.items[*].discount`, `items[0]`, `["odd name"]`. */
import { folded } from './api-names.ts';
import type { JsonNode } from './json.ts';

type Step =
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'element'; readonly index: number }
  /** Every member or element. */
  | { readonly kind: 'any' };

export interface JsonPath {
  /** As it was written. */
  readonly written: string;
  readonly steps: readonly Step[];
}

const STEP =
  /\.([^.[\]*'"\s$]+)|\.\*|\[\*?\]|\[(\d{1,6})\]|\["((?:[^"\\]|\\["\\])*)"\]|\['((?:[^'\\]|\\['\\])*)'\]/y;

/** Most steps of a path. */
export const PATH_STEPS_MAX = 32;

/** Undefined for what is no path. `$` and the dot behind it may be left out; `[]` is `[*]`. */
export function jsonPath(written: string): JsonPath | undefined {
  const rest = written.replace(/^\$/, '');
  const path = rest === '' || rest.startsWith('.') || rest.startsWith('[') ? rest : `.${rest}`;
  const steps: Step[] = [];
  for (STEP.lastIndex = 0; STEP.lastIndex < path.length; ) {
    const found = STEP.exec(path);
    if (found === null) return undefined;
    const [, plain, index, double, single] = found;
    const name = plain ?? double?.replace(/\\(.)/g, '$1') ?? single?.replace(/\\(.)/g, '$1');
    if (name !== undefined) steps.push({ kind: 'name', name });
    else if (index !== undefined) steps.push({ kind: 'element', index: Number(index) });
    else steps.push({ kind: 'any' });
  }
  const sound = written !== '' && steps.length <= PATH_STEPS_MAX;
  return sound ? Object.freeze({ written, steps: Object.freeze(steps) }) : undefined;
}

/** The names in a path. */
export function pathNames({ steps }: JsonPath): readonly string[] {
  return steps.flatMap((step) => (step.kind === 'name' ? [step.name] : []));
}

/**
 * The values at a path. Names count in any case, in camel and in snake case, as some tools read them
 * (api-names.ts). Cost: linear in what the path passes.
 */
export function valuesAt(root: JsonNode, { steps }: JsonPath): readonly JsonNode[] {
  let nodes: readonly JsonNode[] = [root];
  for (const step of steps) {
    const below: JsonNode[] = [];
    const name = step.kind === 'name' ? folded(step.name) : '';
    for (const node of nodes) {
      if (node.kind === 'array') {
        if (step.kind === 'any') for (const item of node.items) below.push(item);
        else if (step.kind === 'element' && node.items[step.index] !== undefined)
          below.push(node.items[step.index]!);
      } else if (node.kind === 'object')
        for (const { key, value } of node.members)
          if (step.kind === 'any' || (step.kind === 'name' && folded(key) === name))
            below.push(value);
    }
    nodes = below;
  }
  return nodes;
}

/**
 * Whether an object below `node` has a name twice: readers differ in which of the two they take. `names`: names
 * that count as the same in other spellings, too, folded (api-names.ts).
 */
export function hasDoubt(node: JsonNode, names: ReadonlySet<string>): boolean {
  if (node.kind === 'array') return node.items.some((item) => hasDoubt(item, names));
  if (node.kind !== 'object') return false;
  const seen = new Set<string>();
  for (const { key, value } of node.members) {
    const plain = folded(key);
    const name = names.has(plain) ? plain : key;
    if (seen.has(name) || hasDoubt(value, names)) return true;
    seen.add(name);
  }
  return false;
}
