/** What one word under `then:` is: its settings, and the action made of them. One file each. */
import type { Static, TSchema } from 'typebox';
import type { Located } from '../located.ts';
import type { Report } from '../read.ts';
import type { Action, InspectWord } from '../set.ts';

/** What an action may know of the rule around it. */
export interface ActionContext {
  /** The value of `then`. */
  readonly node: Located;
  /** Empty where the rule says none. */
  readonly inspect: ReadonlySet<InspectWord>;
  readonly report: Report;
}

export interface ActionKind<Schema extends TSchema = TSchema> {
  /** Of the settings. What it accepts is what `compile` gets. */
  readonly schema: Schema;
  /** How it is written, for somebody who left the settings out; without it the word alone will do. */
  readonly example?: string;
  /** It acts on what was found in a text: a rule without `match` cannot have it. */
  readonly needsMatch: boolean;
  /** What it writes is the author's text, which must not be empty. */
  text?(settings: Static<Schema>): string;
  /** May report what the schema cannot say. */
  compile(settings: Static<Schema>, context: ActionContext): Action;
}

/** Gives `compile` the type of its own schema. */
export function actionKind<Schema extends TSchema>(kind: ActionKind<Schema>): ActionKind<Schema> {
  return Object.freeze(kind);
}
