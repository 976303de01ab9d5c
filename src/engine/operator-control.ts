/** All that an operator can ask for, of those who each do a part of it. */
import type { Control, SetControl } from './control.ts';
import type { FeedBook } from './feeds.ts';
import type { LoadGauge } from './load.ts';
import type { PostureKeeper } from './posture.ts';

export interface ControlParts {
  readonly sets: SetControl;
  readonly posture: Pick<PostureKeeper, 'current' | 'set'>;
  readonly feeds: Pick<FeedBook, 'status'>;
  readonly load: Pick<LoadGauge, 'current'>;
}

export function operatorControl({ sets, posture, feeds, load }: ControlParts): Control {
  return {
    status() {
      const { current } = posture;
      return {
        ...sets.status(),
        ...(current && { posture: current }),
        feeds: feeds.status(),
        load: load.current,
      };
    },
    canary: (request) => sets.canary(request),
    promote: (request) => sets.promote(request),
    rollback: (request) => sets.rollback(request),
    activate: (request) => sets.activate(request),
    async setPosture(request) {
      try {
        const { posture: word, version, untilMs } = await posture.set(request);
        const { epoch, blue } = sets.status();
        const until = untilMs === undefined ? '' : ` until ${new Date(untilMs).toISOString()}`;
        const message = `the posture is ${word}${until} (version ${version})`;
        return { ok: true, epoch, digest: blue?.digest ?? '', message };
      } catch {
        return {
          ok: false,
          code: 'store_failed',
          message: 'the posture could not be made durable, so it was not changed',
        };
      }
    },
  };
}
