/**
 * How much the operator trusts the traffic, for conditions: `normal` unless somebody said otherwise. Every change has
 * a version, is durable before it counts, and is recorded as a transition; what was set for a time ends by itself.
 */
import type { TransitionRecord } from '../audit/record.ts';
import { POSTURES, type Posture } from '../policy/surroundings.ts';
import type { Clock } from './clock.ts';

export interface PostureState {
  readonly posture: Posture;
  /** Counts the changes of this deployment; 0 before the first. */
  readonly version: number;
  readonly sinceMs: number;
  /** Then it is `normal` again. */
  readonly untilMs?: number;
  readonly by: string;
}

export interface PostureRepository {
  /** What was written last, as it was read: `parsePosture` judges it. Undefined when nothing was. */
  read(): Promise<unknown>;
  /** Durable when it resolves. */
  write(state: PostureState): Promise<void>;
}

export interface PostureDeps {
  readonly clock: Clock;
  readonly repository: PostureRepository;
  readonly epoch: () => number;
  /** Durable before it returns; throws when it cannot be. */
  readonly recordTransition: (record: TransitionRecord) => void;
  readonly onEvent: (event: PostureEvent) => void;
}

export type PostureEvent =
  | { readonly kind: 'changed'; readonly state: PostureState }
  /** What is stored cannot be read, or a change could not be kept. */
  | { readonly kind: 'failed' };

export interface PostureRequest {
  readonly posture: Posture;
  /** Undefined: until somebody changes it. */
  readonly forMs?: number;
  readonly reason: string;
  readonly by: string;
}

const BEGINNING: PostureState = Object.freeze({
  posture: 'normal',
  version: 0,
  sinceMs: 0,
  by: 'start',
});

export class PostureKeeper {
  private readonly deps: PostureDeps;
  private state: PostureState | undefined = BEGINNING;
  private cancelExpiry: () => void = () => {};
  /** One change at a time, in order. */
  private last: Promise<unknown> = Promise.resolve();

  constructor(deps: PostureDeps) {
    this.deps = deps;
  }

  /** Takes what was stored. Never throws: what cannot be read is nobody's posture, and conditions on it fail. */
  async boot(): Promise<void> {
    try {
      const stored = await this.deps.repository.read();
      this.state = stored === undefined ? BEGINNING : parsePosture(stored);
    } catch {
      this.state = undefined;
    }
    if (this.state === undefined) this.deps.onEvent({ kind: 'failed' });
    this.awaitExpiry();
  }

  /** Undefined: what was stored cannot be read, and nobody has said anything since. */
  get current(): PostureState | undefined {
    const { state } = this;
    // A timer may be late; what was promised for two hours does not last longer.
    if (state?.untilMs !== undefined && state.untilMs <= this.deps.clock.nowMs()) this.expire();
    return this.state;
  }

  /** Resolves to the new state; rejects when it could not be made durable or recorded, and then nothing has changed. */
  set(request: PostureRequest): Promise<PostureState> {
    const change = this.last.then(async () => {
      const { clock } = this.deps;
      const nowMs = clock.nowMs();
      const state: PostureState = Object.freeze({
        posture: request.posture,
        version: (this.current?.version ?? 0) + 1,
        sinceMs: nowMs,
        ...(request.forMs !== undefined && { untilMs: nowMs + request.forMs }),
        by: request.by,
      });
      await this.deps.repository.write(state);
      try {
        this.take(state, request.reason);
      } catch (error) {
        await this.takeBack();
        throw error;
      }
      return state;
    });
    this.last = change.catch(() => undefined);
    return change;
  }

  /** Resolves when no change is on its way any more. */
  async close(): Promise<void> {
    this.cancelExpiry();
    await this.last;
  }

  /** A restart must not find what nobody was told. */
  private async takeBack(): Promise<void> {
    if (this.state !== undefined) await this.deps.repository.write(this.state);
  }

  private take(state: PostureState, reason: string): void {
    const from = this.state;
    this.deps.recordTransition({
      kind: 'transition',
      atMs: state.sinceMs,
      epoch: this.deps.epoch(),
      transition: 'posture',
      from: from?.posture ?? 'unknown',
      to: state.posture,
      by: state.by,
      reason,
      evidence: {
        version: state.version,
        ...(state.untilMs !== undefined && { untilMs: state.untilMs }),
      },
    });
    this.state = state;
    this.awaitExpiry();
    this.deps.onEvent({ kind: 'changed', state });
  }

  private awaitExpiry(): void {
    this.cancelExpiry();
    const untilMs = this.state?.untilMs;
    if (untilMs === undefined) return;
    const delayMs = Math.max(0, untilMs - this.deps.clock.nowMs());
    this.cancelExpiry = this.deps.clock.after(delayMs, () => void this.current);
  }

  /** At once in memory; should the write be lost, the stored state says itself that it is over. */
  private expire(): void {
    const { state } = this;
    if (state?.untilMs === undefined) return;
    const over: PostureState = Object.freeze({
      posture: 'normal',
      version: state.version + 1,
      sinceMs: state.untilMs,
      by: 'clock',
    });
    // Before anything can throw: whoever asks meanwhile must not expire it again.
    this.state = over;
    this.cancelExpiry();
    try {
      this.deps.recordTransition({
        kind: 'transition',
        atMs: over.sinceMs,
        epoch: this.deps.epoch(),
        transition: 'posture',
        from: state.posture,
        to: over.posture,
        by: over.by,
        reason: 'its time is over',
        evidence: { version: over.version },
      });
    } catch {
      this.deps.onEvent({ kind: 'failed' });
    }
    this.deps.onEvent({ kind: 'changed', state: over });
    const kept = this.last.then(() =>
      this.state === over ? this.deps.repository.write(over) : undefined,
    );
    this.last = kept.catch(() => this.deps.onEvent({ kind: 'failed' }));
  }
}

/** Undefined for anything but a state that was written. */
export function parsePosture(value: unknown): PostureState | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { posture, version, sinceMs, untilMs, by } = value as Record<string, unknown>;
  const isTime = (ms: unknown): ms is number => Number.isSafeInteger(ms) && (ms as number) >= 0;
  const known = POSTURES.find((one) => one === posture);
  if (known === undefined || !isTime(version) || !isTime(sinceMs)) return undefined;
  if ((untilMs !== undefined && !isTime(untilMs)) || typeof by !== 'string') return undefined;
  return Object.freeze({
    posture: known,
    version,
    sinceMs,
    ...(untilMs !== undefined && { untilMs }),
    by,
  });
}
