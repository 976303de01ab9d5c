/** What one word under `match:` is: its settings, and how a detector is made of them. One file each. */
import type { Static, TSchema } from 'typebox';
import type { Detector } from '../../match/detector.ts';
import type { CompileLimits } from '../limits.ts';
import type { Located } from '../located.ts';
import type { Report } from '../read.ts';
import type { Action, InspectWord } from '../set.ts';

/** What a kind may know of the rule around it. */
export interface MatchContext {
  /** The settings, with their places. */
  readonly node: Located;
  readonly inspect: ReadonlySet<InspectWord>;
  readonly action: Action['kind'];
  readonly limits: CompileLimits;
  readonly report: Report;
  /** The detector of a `match` inside of this one; undefined when something was reported. */
  readonly compileMember: (node: Located) => Detector | undefined;
}

export interface MatchKind<Schema extends TSchema = TSchema> {
  /** Of the settings. What it accepts is what `compile` gets. */
  readonly schema: Schema;
  /** What a rule of this kind reads that does not say; without it the rule must. */
  inspect?(settings: Static<Schema>): readonly InspectWord[] | undefined;
  /** Undefined when something was reported. Never throws for settings that the schema accepts. */
  compile(settings: Static<Schema>, context: MatchContext): Detector | undefined;
}

/** Gives `compile` the type of its own schema. */
export function matchKind<Schema extends TSchema>(kind: MatchKind<Schema>): MatchKind<Schema> {
  return Object.freeze(kind);
}
