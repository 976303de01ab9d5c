/** All that an operator can ask for, of those who each do a part of it. */
import { apiAt } from '../formats/detect.ts';
import { effectiveReport } from '../policy/effective.ts';
import type { Control, SetControl } from './control.ts';
import type { FeedBook } from './feeds.ts';
import type { LoadGauge } from './load.ts';
import type { EngineDeps } from './ports.ts';
import type { PostureKeeper } from './posture.ts';
import { ReadOnce } from './surroundings.ts';

export interface ControlParts {
  readonly sets: SetControl;
  readonly posture: Pick<PostureKeeper, 'current' | 'set'>;
  readonly feeds: Pick<FeedBook, 'status'>;
  readonly load: Pick<LoadGauge, 'current'>;
  /** What exchanges are decided with. */
  readonly exchanges: Pick<
    EngineDeps,
    'serving' | 'clock' | 'formats' | 'trustedHeaders' | 'world'
  >;
}

export function operatorControl(parts: ControlParts): Control {
  const { sets, posture, feeds, load, exchanges } = parts;
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
    effective(asked) {
      const { serving, clock, formats, trustedHeaders, world } = exchanges;
      const { blue, green } = serving.current;
      const set = asked.cohort === 'canary' ? green?.set : blue;
      if (set === undefined) return undefined;
      const { facts, method = '', path = '/', authority = '', route = '' } = asked;
      const headers = Object.fromEntries(
        Object.entries(asked.headers).filter(([name]) => trustedHeaders.includes(name)),
      );
      return effectiveReport(set, {
        ...{ facts, method, path, authority, route, headers, nowMs: clock.nowMs() },
        ...apiAt(path, formats),
        ...(world && { surroundings: new ReadOnce(world, undefined) }),
      });
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
