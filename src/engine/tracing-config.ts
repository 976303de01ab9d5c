/** Where spans of sampled traces go, and how many may wait. Docs: docs/reference/tracing.md. */
import { Type } from 'typebox';

export interface TracingConfig {
  /** URL of a receiver of OTLP over HTTP, with its path; undefined: no spans. */
  readonly endpoint: string | undefined;
  /** Exchanges, and questions to classifiers, that wait to be sent; beyond it further ones are dropped and counted. */
  readonly queueMax: number;
  /** Most of them that are sent at once. */
  readonly batchMax: number;
  /** How long the first of a batch waits for others. */
  readonly batchMs: number;
  /** One batch, everything that is tried for it together. */
  readonly exportTimeoutMs: number;
  /** At a graceful end, behind the last exchange: so long for what was not sent yet. */
  readonly closeMs: number;
}

export const TRACING_DEFAULT: TracingConfig = Object.freeze({
  endpoint: undefined,
  queueMax: 1_024,
  batchMax: 128,
  batchMs: 1_000,
  exportTimeoutMs: 10_000,
  closeMs: 2_000,
});

const Positive = Type.Optional(Type.Integer({ minimum: 1, maximum: 2 ** 31 - 1 }));

export const TracingSchema = Type.Object(
  {
    endpoint: Type.Optional(Type.String({ minLength: 1 })),
    queueMax: Positive,
    batchMax: Positive,
    batchMs: Positive,
    exportTimeoutMs: Positive,
    closeMs: Positive,
  },
  { additionalProperties: false },
);

/** What is wrong with an address, or undefined. */
export function endpointComplaint(text: string): string | undefined {
  if (!URL.canParse(text)) return 'must be a URL, as `http://127.0.0.1:4318/v1/traces`';
  const { protocol, username, password } = new URL(text);
  if (protocol !== 'http:' && protocol !== 'https:')
    return 'must begin with `http://` or `https://`';
  return username === '' && password === ''
    ? undefined
    : 'must not hold a password; `OTEL_EXPORTER_OTLP_HEADERS` is for that';
}
