/** What a rule may say instead of `match` and `then`: what may be used at all. One file each. */
import type { Static, TSchema } from 'typebox';
import type { Detector } from '../../match/detector.ts';
import type { CompileLimits } from '../limits.ts';
import type { Located } from '../located.ts';
import type { Report } from '../read.ts';
import type { Action, InspectWord, Restriction } from '../set.ts';

export interface RestrictionContext {
  /** The settings, with their places. */
  readonly node: Located;
  readonly limits: CompileLimits;
  readonly report: Report;
}

/** The parts of a rule that a restriction stands for. */
export interface CompiledRestriction {
  readonly restriction: Restriction;
  readonly action: Action;
  /** What else breaks it, in a text. */
  readonly detector?: Detector;
  readonly inspect?: readonly InspectWord[];
}

export interface RestrictionKind<Schema extends TSchema = TSchema> {
  /** Of the settings. What it accepts is what `compile` gets. */
  readonly schema: Schema;
  /** May report what the schema cannot say; what it returns then is not used. */
  compile(settings: Static<Schema>, context: RestrictionContext): CompiledRestriction;
}

/** Gives `compile` the type of its own schema. */
export function restrictionKind<Schema extends TSchema>(
  kind: RestrictionKind<Schema>,
): RestrictionKind<Schema> {
  return Object.freeze(kind);
}
