/** Policies and the modules that they use → the rules of the set, each with its layer, selector and lineage. */
import type { RuleDraft } from './compile-rule.ts';
import { bothHold, eitherHolds } from './compose-conditions.ts';
import { placeOf, quote, type Tell } from './errors.ts';
import type { ModuleReading, PolicyReading, Use } from './read-document.ts';
import type { Condition, Enforcement } from './set.ts';
import { didYouMean } from './suggest.ts';
import { inRange } from './version-range.ts';

export interface Composition {
  readonly drafts: readonly RuleDraft[];
  /** By the name of a module: the policies whose rules come from it, sorted. */
  readonly usedBy: ReadonlyMap<string, readonly string[]>;
}

/** How a module comes into a policy; over several ways, one of which is enough. */
interface Way {
  readonly when: Condition | undefined;
  readonly enforcement: Enforcement;
}

const STRENGTH: readonly Enforcement[] = ['off', 'shadow', 'enforce'];

const weaker = (a: Enforcement, b: Enforcement): Enforcement =>
  STRENGTH.indexOf(a) < STRENGTH.indexOf(b) ? a : b;

const stronger = (a: Enforcement, b: Enforcement): Enforcement => (weaker(a, b) === a ? b : a);

/**
 * Every rule of every policy, its modules' among them: a module's rule is `policy/module/rule`, of the layer
 * and selector of the policy. At most `rulesMax` of them; the `use` that goes over is told. Cost: the rules.
 */
export function compose(
  policies: readonly PolicyReading[],
  modules: readonly ModuleReading[],
  rulesMax: number,
  tell: Tell,
): Composition {
  const byName = new Map(modules.map((module) => [module.name, module]));
  checkUses([...policies, ...modules], byName, tell);
  checkRequirements([...policies, ...modules], tell);
  if (!checkCycles(modules, byName, tell)) return { drafts: [], usedBy: new Map() };
  const drafts: RuleDraft[] = [];
  const usedBy = new Map<string, string[]>();
  for (const policy of policies) {
    for (const draft of policy.drafts) drafts.push(withEnforcement(draft, policy.enforcement));
    for (const [module, way] of waysInto(policy, byName)) {
      const users = usedBy.get(module.name) ?? [];
      usedBy.set(module.name, users);
      users.push(policy.name);
      for (const draft of module.drafts) drafts.push(instance(draft, policy, module, way));
      if (drafts.length > rulesMax) {
        const use = policy.uses.find((one) => one.module === module.name) ?? policy.uses[0];
        tell(
          use?.position ?? policy.nameAt,
          'too_many_rules',
          `with module ${quote(module.name)} there are more than ${rulesMax} rules; use it in fewer policies or raise \`rulesMax\``,
        );
        return { drafts, usedBy };
      }
    }
  }
  for (const users of usedBy.values()) users.sort();
  return { drafts, usedBy };
}

function withEnforcement(draft: RuleDraft, enforcement: Enforcement): RuleDraft {
  const weakest = weaker(draft.rule.enforcement, enforcement);
  if (weakest === draft.rule.enforcement) return draft;
  return { ...draft, rule: { ...draft.rule, enforcement: weakest } };
}

function instance(
  draft: RuleDraft,
  policy: PolicyReading,
  module: ModuleReading,
  way: Way,
): RuleDraft {
  const { rule } = draft;
  const { when: _own, ...rest } = rule;
  const when = bothHold(way.when, rule.when);
  return {
    ...draft,
    rule: {
      ...rest,
      // A rule of a module is `module/rule` until it is used.
      id: `${policy.name}/${rule.id}`,
      policy: policy.name,
      module: module.name,
      layer: policy.layer,
      selector: policy.selector,
      enforcement: weaker(rule.enforcement, way.enforcement),
      ...(when === undefined ? {} : { when }),
    },
  };
}

/** Every module that a policy uses, also through others, in the order of their names. */
function waysInto(
  policy: PolicyReading,
  byName: ReadonlyMap<string, ModuleReading>,
): readonly (readonly [ModuleReading, Way])[] {
  const ways = new Map<ModuleReading, Way>();
  const enter = (uses: readonly Use[], from: Way): void => {
    for (const use of uses) {
      const module = byName.get(use.module);
      if (module === undefined) continue;
      const way: Way = {
        when: bothHold(from.when, use.when),
        enforcement: weaker(from.enforcement, weaker(use.enforcement, module.enforcement)),
      };
      const other = ways.get(module);
      ways.set(
        module,
        other === undefined
          ? way
          : {
              when: eitherHolds(other.when, way.when),
              enforcement: stronger(other.enforcement, way.enforcement),
            },
      );
      enter(module.uses, way);
    }
  };
  enter(policy.uses, { when: undefined, enforcement: policy.enforcement });
  return [...ways].sort(([a], [b]) => (a.name < b.name ? -1 : 1));
}

type Composable = PolicyReading | ModuleReading;

function checkUses(
  all: readonly Composable[],
  byName: ReadonlyMap<string, ModuleReading>,
  tell: Tell,
): void {
  const policies = new Set(all.filter(({ kind }) => kind === 'policy').map(({ name }) => name));
  for (const { uses } of all)
    for (const { module, position } of uses) {
      if (byName.has(module)) continue;
      const hint = policies.has(module)
        ? '; it is a policy: put the rules that are used elsewhere into a `kind: Module`'
        : didYouMean(module, [...byName.keys()]) || '; add a `kind: Module` of this name';
      tell(position, 'unknown_module', `there is no module ${quote(module)}${hint}`);
    }
}

function checkRequirements(all: readonly Composable[], tell: Tell): void {
  const byName = new Map(all.map((one) => [one.name, one]));
  for (const { name: own, requires } of all)
    for (const { name, range, position } of requires) {
      const found = byName.get(name);
      if (found === undefined) {
        tell(
          position,
          'unknown_module',
          `${quote(own)} requires ${quote(name)} in version ${quote(range)}, and there is none${didYouMean(name, [...byName.keys()]) || '; add it'}`,
        );
      } else if (found.version === undefined) {
        tell(
          position,
          'version_conflict',
          `${quote(own)} requires ${quote(name)} in version ${quote(range)}, and the one at ${placeOf(found.nameAt)} does not say its version; add \`metadata.version\``,
        );
      } else if (!inRange(found.version, range)) {
        tell(
          position,
          'version_conflict',
          `${quote(own)} requires ${quote(name)} in version ${quote(range)}, and the one at ${placeOf(found.nameAt)} is ${quote(found.version)}; update it or change the range`,
        );
      }
    }
}

/** False when modules use each other in a circle; each circle is told once. */
function checkCycles(
  modules: readonly ModuleReading[],
  byName: ReadonlyMap<string, ModuleReading>,
  tell: Tell,
): boolean {
  let clean = true;
  const done = new Set<ModuleReading>();
  const visit = (module: ModuleReading, path: readonly ModuleReading[]): void => {
    if (done.has(module)) return;
    for (const use of module.uses) {
      const next = byName.get(use.module);
      if (next === undefined) continue;
      const from = [...path, module].indexOf(next);
      if (from === -1) {
        visit(next, [...path, module]);
        continue;
      }
      clean = false;
      const circle = [...[...path, module].slice(from), next].map(({ name }) => name);
      tell(
        use.position,
        'module_cycle',
        `modules use each other in a circle, ${quote(circle.join(' → '))}; take one \`use\` out`,
      );
    }
    done.add(module);
  };
  for (const module of [...modules].sort((a, b) => (a.name < b.name ? -1 : 1))) visit(module, []);
  return clean;
}
