export type StoreErrorCode =
  /** The operating system refused; `cause` has its code. */
  | 'store_io'
  /** What is stored is not what was stored: bytes changed. */
  | 'set_damaged'
  | 'set_too_large'
  /** Neither the activation record nor its backup can be read. */
  | 'activation_damaged'
  | 'digest_invalid'
  | 'key_damaged';

/** A failure of the store. The message names files and codes, never content. */
export class StoreError extends Error {
  readonly code: StoreErrorCode;

  constructor(code: StoreErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.name = 'StoreError';
    this.code = code;
  }
}

/** The code of a system error (`ENOENT`, `EACCES`, ...), or `unknown`. */
export function systemCode(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : 'unknown';
}
