/** A build that counts failures by whatever the client wrote into a header. */
import { DecisionDraft } from '../../../src/engine/decision.ts';

const failedRules = DecisionDraft.prototype.failedRules;
DecisionDraft.prototype.failedRules = function (errors) {
  // biome-ignore lint/complexity/useLiteralKeys: reaches into the private member it sabotages
  this['deps'].metrics.failure(this.facts.app ?? '');
  failedRules.call(this, errors);
};
