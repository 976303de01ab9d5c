/** Which models answer, as far as exchanges that were routed to them show. Names come from policies alone. */
import type { Clock } from './clock.ts';

/** So many failures in a row, with no answer between them, and a model is passed over for a while. */
export const MODEL_FAILURES_MAX = 3;
export const MODEL_PAUSE_MS = 10_000;
/** Models remembered; a set names dozens. */
export const MODELS_MAX = 10_000;

interface Health {
  failures: number;
  pausedUntilMs: number;
}

export class ModelHealth {
  private readonly clock: Clock;
  private readonly models = new Map<string, Health>();

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** The first that answers; the first of all when none does, as it is the one that is meant. */
  choose(models: readonly string[]): string | undefined {
    const nowMs = this.clock.monotonicMs();
    return (
      models.find((model) => nowMs >= (this.models.get(model)?.pausedUntilMs ?? 0)) ?? models[0]
    );
  }

  /** `status` of the answer: what is too busy or broken is no answer. */
  answered(model: string, status: number): void {
    if (status < 500 && status !== 429) {
      this.models.delete(model);
      return;
    }
    const health = this.models.get(model) ?? { failures: 0, pausedUntilMs: 0 };
    health.failures += 1;
    if (health.failures >= MODEL_FAILURES_MAX)
      health.pausedUntilMs = this.clock.monotonicMs() + MODEL_PAUSE_MS;
    if (this.models.has(model) || this.models.size < MODELS_MAX) this.models.set(model, health);
  }
}
