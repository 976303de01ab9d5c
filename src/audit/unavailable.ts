/**
 * The record of a decision could not be written. What it would have justified must not leave: the
 * engine answers with the verdict `unavailable` (SEMANTICS §9). `reason` is an errno code or `closed`.
 */
export class AuditUnavailable extends Error {
  readonly code = 'audit_unavailable';
  readonly reason: string;

  constructor(reason: string) {
    super(
      `the audit record could not be written (${reason}): free space in, or repair, its directory`,
    );
    this.name = 'AuditUnavailable';
    this.reason = reason;
  }
}

/** The errno code of a failed system call; `unknown` when there is none. */
export function errnoOf(error: unknown): string {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  return typeof code === 'string' && /^[A-Z][A-Z0-9_]{1,31}$/.test(code) ? code : 'unknown';
}
