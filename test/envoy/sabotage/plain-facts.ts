/** A build whose records show the facts that clients choose as they are. */
import { DecisionDraft } from '../../../src/engine/decision.ts';

Object.defineProperty(DecisionDraft.prototype, 'shownFact', {
  value: (_name: string, value: string) => value,
});
