/** What a list of rules is to every text that they read together: worked out once, and shared by all of them. */
import type { Detector, Partition, TextContext, Tracker } from './detector.ts';
import type { History } from './text-history.ts';
import type { UnionPart } from './union-part.ts';

export interface ScannedRule {
  /** What the caller calls the rule; comes back in its matches. */
  readonly rule: number;
  readonly detector: Detector;
}

/** A rule's part of the automaton. */
export interface SharedPart {
  /** Place of its rule in `rules`. */
  readonly order: number;
  /** Undefined: the rule's only one. */
  readonly partition: Partition | undefined;
}

export interface ScanPlan {
  readonly rules: readonly ScannedRule[];
  /** What of them the automaton reads, and whose part each is, by place in the automaton. */
  readonly parts: readonly UnionPart[];
  readonly shared: readonly SharedPart[];
  /** Places of the rules that have trackers which read every unit. */
  readonly alone: readonly number[];
}

const plans = new WeakMap<readonly ScannedRule[], ScanPlan>();

/** The plan of a list that does not change any more; the same list has the same plan. Cost: linear, once. */
export function planOf(rules: readonly ScannedRule[]): ScanPlan {
  const known = plans.get(rules);
  if (known !== undefined) return known;
  const parts: UnionPart[] = [];
  const shared: SharedPart[] = [];
  const alone: number[] = [];
  for (const [order, { detector }] of rules.entries()) {
    if (detector.part !== undefined) {
      parts.push(detector.part);
      shared.push({ order, partition: undefined });
    } else if (detector.partitions !== undefined)
      for (const partition of detector.partitions) {
        parts.push(partition.part);
        shared.push({ order, partition });
      }
    if ((detector.part ?? detector.partitions) === undefined || detector.lanes) alone.push(order);
  }
  const plan = { rules, parts, shared, alone };
  plans.set(rules, plan);
  return plan;
}

/** New trackers of a rule that read every unit. `context`: of the text that they will read. */
export function trackersAlone(
  { detector }: ScannedRule,
  context: TextContext | undefined,
): readonly Tracker[] {
  const shares = (detector.part ?? detector.partitions) !== undefined;
  return shares ? (detector.lanes?.() ?? []) : detector.start(context);
}

/** A new tracker for a part of the automaton. */
export function trackerOf({ rules, shared }: ScanPlan, part: number, history: History): Tracker {
  const { order, partition } = shared[part] as SharedPart;
  return partition?.start(history) ?? (rules[order]?.detector.start()[0] as Tracker);
}
