/**
 * Routes that declare that they stay open without us (SEMANTICS §5): configured, or learned from the
 * first exchange that came by. A set that such a route could not enforce is not activated.
 */
import { isMutation } from '../policy/evaluate.ts';
import type { Facts, PolicySet, Rule } from '../policy/set.ts';
import { candidates, deniesByClass } from './active-rules.ts';

/** Routes remembered; an operator has dozens, a client cannot make any. */
export const OPEN_ROUTES_MAX = 10_000;

export class RouteStances {
  private readonly open = new Map<string, Facts>();

  declareOpen(route: string, facts: Facts): void {
    if (this.open.has(route) || this.open.size >= OPEN_ROUTES_MAX) return;
    const { tenant, app } = facts;
    this.open.set(route, { ...(tenant && { tenant }), ...(app && { app }) });
  }

  /** The first open route, and the first of the set's rules that could not be enforced on it. */
  conflict(set: PolicySet): { readonly route: string; readonly rule: Rule } | undefined {
    for (const [route, facts] of this.open) {
      const rule = candidates(set, facts, false).find(unenforceableWhenOpen);
      if (rule) return { route, rule };
    }
    return undefined;
  }
}

/** Whether a rule would be passed by, against its class or its purpose, while Switchyard is gone. */
export const unenforceableWhenOpen = (rule: Rule): boolean =>
  rule.enforcement === 'enforce' &&
  (isMutation(rule) || (rule.detector !== undefined && deniesByClass(rule.class)));
