/** What the engine asks of classifiers outside of this process, and what it is told. */
import type { TextVerdict } from '../match/classifier.ts';
import type { ClassifierFailure } from '../policy/given-verdict.ts';
import type { Direction } from '../policy/set.ts';

export interface ClassifierQuery {
  /** As the configuration names it. */
  readonly classifier: string;
  /** Digest of the set that asks: no set is told what another one was. */
  readonly set: string;
  /** Whose exchange it is: no tenant is told, nor can time, what another one has sent. */
  readonly tenant: string | undefined;
  readonly direction: Direction;
  /** None is empty. */
  readonly texts: readonly string[];
  /** Something is held until the verdict. */
  readonly urgent: boolean;
  /** Whose texts they are: a source that makes a classifier fail does not take it from the others. */
  readonly source: string | undefined;
}

export type ClassifierOutcome =
  /** One verdict for each text. */
  | { readonly kind: 'judged'; readonly verdicts: readonly TextVerdict[] }
  /** Why there is no verdict, which is none (invariant 4). */
  | { readonly kind: 'failed'; readonly reason: ClassifierFailure };

export interface Classifiers {
  /** Calls `told` once, perhaps before it returns. Never throws. */
  ask(query: ClassifierQuery, told: (outcome: ClassifierOutcome) => void): void;
}

/** What an external detector is called beside rules, which are `policy/rule`. */
export const detectorName = (classifier: string): string => `classifier/${classifier}`;
