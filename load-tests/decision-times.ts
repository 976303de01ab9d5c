/** What Switchyard says that deciding took, from its own histogram. */
import type { Switchyard } from '../test/envoy/harness.ts';

/** Upper bounds in seconds, and how many decisions since the start took no longer. */
export type DecisionTimes = ReadonlyMap<number, number>;

const BUCKET =
  /^switchyard_decision_duration_seconds_bucket\{le="([^"]+)",phase="request"\} (\d+)$/gm;

export async function decisionTimes(switchyard: Switchyard): Promise<DecisionTimes> {
  const { text } = await switchyard.admin('/metrics');
  return new Map(
    [...text.matchAll(BUCKET)].map(([, bound, count]) => [
      bound === '+Inf' ? Number.POSITIVE_INFINITY : Number(bound),
      Number(count),
    ]),
  );
}

/** The bound in ms under which `share` of the decisions between the two stayed. */
export function boundMs(before: DecisionTimes, after: DecisionTimes, share: number): number {
  const count = (bound: number): number => (after.get(bound) ?? 0) - (before.get(bound) ?? 0);
  const all = count(Number.POSITIVE_INFINITY);
  const bounds = [...after.keys()].sort((a, b) => a - b);
  return 1_000 * (bounds.find((bound) => count(bound) >= share * all) ?? Number.NaN);
}
