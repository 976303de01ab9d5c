/**
 * How many matches of one rule a body may have (`limits.matchesMax`): every match costs work and memory, and
 * a body can be made of nothing else. Beyond it the class of the rule decides.
 */
import type { Rule } from '../policy/set.ts';

/** `ignore`: the rule has given up on this body. `exceed`: nothing more of the body may be judged. */
export type Spending = 'act' | 'ignore' | 'exceed';

export class MatchBudget {
  private readonly matchesMax: number;
  private readonly mayGiveUp: (rule: Rule) => boolean;
  private spent: Map<Rule, number> | undefined;

  /** `mayGiveUp`: whether what the rule does not see may pass; asked once for each rule that has too many. */
  constructor(matchesMax: number, mayGiveUp: (rule: Rule) => boolean) {
    this.matchesMax = matchesMax;
    this.mayGiveUp = mayGiveUp;
  }

  /** One more match of `rule`, in the order in which they settle. */
  spend(rule: Rule): Spending {
    this.spent ??= new Map();
    const spent = (this.spent.get(rule) ?? 0) + 1;
    if (spent > this.matchesMax + 1) return 'ignore';
    this.spent.set(rule, spent);
    if (spent <= this.matchesMax) return 'act';
    return this.mayGiveUp(rule) ? 'ignore' : 'exceed';
  }
}
