/**
 * The fields a log line may have, and the shape that each value must have. What does not fit its shape
 * is replaced by WITHHELD: a prompt, a header value or a secret cannot become part of a line by
 * accident, because there is no field that takes free text (invariant 9).
 */
export const WITHHELD = '[withheld]';

/** Longest path of a file, in UTF-16 units. */
export const PATH_UNITS_MAX = 512;

const DIGEST = /^sha256:[0-9a-f]{6,64}$/;
const ID = /^[0-9A-Za-z_.-]{1,64}$/;
/** `policy/rule`, as authors name them. */
const RULE = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}(\/[A-Za-z0-9][A-Za-z0-9._-]{0,127})?$/;
/** A word of one of our closed tables. */
const CODE = /^[a-z][a-z0-9_-]{0,47}$/;
const ERRNO = /^[A-Z][A-Z0-9_]{1,31}$/;
const VERSION = /^\d+\.\d+\.\d+[0-9A-Za-z.+-]{0,32}$/;
const HOST = /^[0-9A-Za-z.:[\]-]{1,253}$/;
const ERROR_NAME = /^[A-Z][A-Za-z]{1,47}$/;

const matching =
  (shape: RegExp) =>
  (value: unknown): boolean =>
    typeof value === 'string' && shape.test(value);

function isPath(value: unknown): boolean {
  return (
    typeof value === 'string' &&
    value.length > 0 &&
    value.length <= PATH_UNITS_MAX &&
    !/[\p{Cc}\p{Cf}\u2028\u2029]/u.test(value)
  );
}

const isNumber = (value: unknown): boolean => typeof value === 'number' && Number.isFinite(value);

/** How each field is checked. */
const SHAPES = {
  digest: matching(DIGEST),
  from: matching(DIGEST),
  to: matching(DIGEST),
  exchange: matching(ID),
  run: matching(ID),
  rollout: matching(ID),
  rule: matching(RULE),
  code: matching(CODE),
  reason: matching(CODE),
  kind: matching(CODE),
  outcome: matching(CODE),
  metric: matching(CODE),
  state: matching(CODE),
  errno: matching(ERRNO),
  /** Class of an error, never its message. */
  error: matching(ERROR_NAME),
  signal: matching(ERRNO),
  version: matching(VERSION),
  host: matching(HOST),
  /** Of a file or socket of the operator's. */
  path: isPath,
  line: isNumber,
  column: isNumber,
  port: isNumber,
  epoch: isNumber,
  count: isNumber,
  sharePpm: isNumber,
  stage: isNumber,
  durationMs: isNumber,
  bytes: isNumber,
  status: isNumber,
} as const;

type NumberField =
  | 'line'
  | 'column'
  | 'port'
  | 'epoch'
  | 'count'
  | 'sharePpm'
  | 'stage'
  | 'durationMs'
  | 'bytes'
  | 'status';

export type LogFields = {
  readonly [Field in keyof typeof SHAPES]?: Field extends NumberField ? number : string;
};

/** The fields that may be written, in the order of the table. Never throws. */
export function admitFields(fields: LogFields): Record<string, string | number> {
  const admitted: Record<string, string | number> = {};
  for (const [name, fits] of Object.entries(SHAPES)) {
    const value: unknown = Object.hasOwn(fields, name)
      ? fields[name as keyof LogFields]
      : undefined;
    if (value === undefined) continue;
    admitted[name] = fits(value) ? (value as string | number) : WITHHELD;
  }
  return admitted;
}
