import { DecisionDraft } from './decision.ts';
import type { EngineDeps } from './ports.ts';

/**
 * The record of a stream that was refused before anything of it was read: every exchange that Envoy opens
 * has one (SEMANTICS §9). Never throws: the stream is refused whether or not it can be written.
 */
export function recordOverload(deps: EngineDeps): void {
  try {
    new DecisionDraft(deps, 'process', deps.newId()).close('unavailable', 'overloaded');
  } catch {
    deps.metrics.failure('audit_unavailable');
  }
}
