/** What made-up exchanges are judged with: the set that serves, and nothing that anybody counts, keeps or asks. */
import { NO_GUARD } from './active-rules.ts';
import { HeldBudget } from './held-budget.ts';
import { LargeBodies } from './large-bodies.ts';
import { type EngineDeps, NO_METRICS } from './ports.ts';
import { RouteStances } from './route-stances.ts';
import { subjectMemories } from './subject-memory.ts';
import { Turns } from './turns.ts';

export function warmUpDeps(deps: EngineDeps): EngineDeps {
  const { classifiers, restores, sessionScores, sessionFacts, traces, ...rest } = deps;
  return {
    ...rest,
    decisions: { denied() {}, allowed() {} },
    metrics: NO_METRICS,
    outcome() {},
    guard: NO_GUARD,
    held: new HeldBudget(deps.limits.heldBytesTotalMax),
    turns: new Turns(deps.clock, deps.limits),
    largeBodies: new LargeBodies(deps.limits),
    subjects: subjectMemories(deps.clock, deps.limits),
    stances: new RouteStances(),
  };
}
