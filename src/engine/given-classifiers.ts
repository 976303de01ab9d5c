/** Classifiers of a case or a trial: they say what was written down, and of all else that it is harmless. */
import { type GivenVerdict, verdictOn } from '../policy/given-verdict.ts';
import type { Classifiers } from './classifiers.ts';

/** By the names of classifiers. */
export function givenClassifiers(verdicts: ReadonlyMap<string, GivenVerdict>): Classifiers {
  return {
    ask({ classifier, texts }, told) {
      const given = verdicts.get(classifier) ?? HARMLESS;
      if (given.kind === 'failed') told(given);
      else told({ kind: 'judged', verdicts: texts.map((text) => verdictOn(given, text)) });
    },
  };
}

const HARMLESS: GivenVerdict = Object.freeze({ kind: 'scores', of: [] });
