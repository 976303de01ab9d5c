/** The requests that change what serves: their bodies are checked here, then asked of Control. */

import type { Control, ControlOutcome } from '../engine/control.ts';
import { POSTURES } from '../policy/surroundings.ts';
import { AdminError } from './answer.ts';
import { resolveDigest } from './digest.ts';

/** Longest reason, in UTF-16 units: it is shown in the history and kept in the audit record. */
export const REASON_UNITS_MAX = 256;
/** Longest emergency, and longest posture that ends by itself: after a week it is not one any more. */
export const EMERGENCY_MS_MAX = 7 * 24 * 60 * 60 * 1000;
const PPM_MAX = 1_000_000;

type Body = Readonly<Record<string, unknown>>;

/** `who` is the channel that the request came by; the caller may add a name to it. */
export type Mutation = (control: Control, body: Body, who: string) => Promise<ControlOutcome>;

function onlyFields(body: Body, allowed: readonly string[]): void {
  if (Object.keys(body).every((name) => name === 'by' || allowed.includes(name))) return;
  const names = [...allowed, 'by'].map((name) => `\`${name}\``).join(', ');
  throw new AdminError('invalid_argument', `a field is not known here; known are ${names}`);
}

function invalid(field: string, rule: string): AdminError {
  return new AdminError('invalid_argument', `\`${field}\` must be ${rule}`);
}

function flag(body: Body, field: string): boolean {
  const value = body[field] ?? false;
  if (typeof value !== 'boolean') throw invalid(field, 'true or false');
  return value;
}

function integer(body: Body, field: string, min: number, max: number): number | undefined {
  const value = body[field];
  if (value === undefined) return undefined;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max) {
    throw invalid(field, `a whole number from ${min} to ${max}`);
  }
  return value;
}

function digest(control: Control, body: Body, field: string): string | undefined {
  const value = body[field];
  if (value === undefined) return undefined;
  if (typeof value !== 'string') throw invalid(field, 'a digest');
  return resolveDigest(value, control.status());
}

function reason(body: Body): string {
  const value = body.reason ?? 'asked for by an operator';
  if (
    typeof value !== 'string' ||
    value.length === 0 ||
    value.length > REASON_UNITS_MAX ||
    /[\p{Cc}\p{Cf}\u2028\u2029]/u.test(value)
  ) {
    throw invalid('reason', `one line of at most ${REASON_UNITS_MAX} characters`);
  }
  return value;
}

function by(body: Body, who: string): string {
  if (body.by === undefined) return who;
  if (typeof body.by !== 'string' || !/^[A-Za-z0-9._@-]{1,64}$/.test(body.by)) {
    throw invalid('by', 'a name of at most 64 letters, digits, dots, dashes and @');
  }
  return `${who}:${body.by}`;
}

export const MUTATIONS: Readonly<Record<string, Mutation>> = {
  canary(control, body, who) {
    onlyFields(body, ['sharePpm', 'digest']);
    const sharePpm = integer(body, 'sharePpm', 0, PPM_MAX);
    if (sharePpm === undefined) throw invalid('sharePpm', `a whole number from 0 to ${PPM_MAX}`);
    const named = digest(control, body, 'digest');
    return control.canary({
      sharePpm,
      by: by(body, who),
      ...(named === undefined ? {} : { digest: named }),
    });
  },

  promote(control, body, who) {
    onlyFields(body, ['force']);
    return control.promote({ force: flag(body, 'force'), by: by(body, who) });
  },

  rollback(control, body, who) {
    onlyFields(body, ['to', 'reason']);
    const to = digest(control, body, 'to');
    return control.rollback({
      reason: reason(body),
      by: by(body, who),
      ...(to === undefined ? {} : { to }),
    });
  },

  activate(control, body, who) {
    onlyFields(body, ['digest', 'emergency', 'forMs']);
    const emergency = flag(body, 'emergency');
    const forMs = integer(body, 'forMs', 1000, EMERGENCY_MS_MAX);
    if (forMs !== undefined && !emergency) {
      throw new AdminError('invalid_argument', '`forMs` is for `emergency` only');
    }
    const named = digest(control, body, 'digest');
    return control.activate({
      emergency,
      by: by(body, who),
      ...(named === undefined ? {} : { digest: named }),
      ...(forMs === undefined ? {} : { forMs }),
    });
  },

  posture(control, body, who) {
    onlyFields(body, ['posture', 'forMs', 'reason']);
    const posture = POSTURES.find((one) => one === body.posture);
    if (posture === undefined) throw invalid('posture', `one of ${POSTURES.join(', ')}`);
    const forMs = integer(body, 'forMs', 1000, EMERGENCY_MS_MAX);
    if (forMs !== undefined && posture === 'normal') {
      throw new AdminError('invalid_argument', '`forMs` is for a posture that ends in `normal`');
    }
    return control.setPosture({
      posture,
      reason: reason(body),
      by: by(body, who),
      ...(forMs === undefined ? {} : { forMs }),
    });
  },
};
