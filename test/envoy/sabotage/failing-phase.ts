/**
 * A build with a fault inside: an exchange throws at the event that the route's gRPC metadata names
 * (`x-test-throw: request-body`), and Check where the environment says so.
 */
import { DecisionDraft } from '../../../src/engine/decision.ts';
import { Exchange } from '../../../src/engine/exchange.ts';

const event = Exchange.prototype.event;
Exchange.prototype.event = function (arriving) {
  if (this.port.initialMetadata('x-test-throw') === `${arriving.direction}-${arriving.kind}`)
    throw new Error('sabotaged');
  event.call(this, arriving);
};

const close = DecisionDraft.prototype.close;
DecisionDraft.prototype.close = function (verdict, code) {
  // biome-ignore lint/complexity/useLiteralKeys: reaches into the private member it sabotages
  if (process.env.SABOTAGE_CHECK === '1' && this['kind'] === 'check') throw new Error('sabotaged');
  close.call(this, verdict, code);
};

await import('../../../src/main.ts');
