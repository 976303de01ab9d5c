import type { ActivationRecord, Evidence } from './activation.ts';
import { type Act, type Outcome, unchanged } from './outcome.ts';
import { begin, finish, note, servingDigest } from './step.ts';

/** What somebody has signed for: which set, why, and (for the audit log) until when and with which key. */
export interface Signed {
  readonly digest: string;
  readonly evidence: Evidence;
}

/**
 * A set was let past its golden cases. Written down once for each set, signer and reason that the history knows: the
 * directory is read again and again.
 */
export function overridden(record: ActivationRecord, signed: Signed, act: Act): Outcome {
  const { digest, evidence } = signed;
  const reason = act.reason ?? '';
  const known = record.history.some(
    (one) =>
      one.kind === 'golden_override' &&
      one.digest === digest &&
      one.by === act.by &&
      one.reason === reason,
  );
  if (known) return unchanged(record, 'it is written down already');
  const step = note(begin(record), act, {
    kind: 'golden_override',
    from: servingDigest(record),
    to: digest,
    reason,
    serving: false,
    evidence,
  });
  return finish(step, `\`${digest}\` may serve by an override of ${act.by}`);
}
