/**
 * What a span says of an exchange: what its record says, under the names that OpenTelemetry's conventions have for a gRPC
 * server (https://opentelemetry.io/docs/specs/semconv/rpc/grpc/), and `switchyard.…` for what they have none for. The
 * table of docs/reference/tracing.md follows it.
 */
import type { DecisionRecord } from '../audit/record.ts';
import type { TracedDecision, TracedQuestion } from '../engine/tracing.ts';

type Value = string | number | boolean | readonly string[];
export type SpanAttributes = Readonly<Record<string, Value>>;

export interface SpanContent {
  /** None: one is made up. */
  readonly span?: string;
  readonly name: string;
  readonly kind: 'server' | 'client' | 'internal';
  /** Unix, in ms. */
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: SpanAttributes;
  /** At the end of the span, as records tell no times of what they name. */
  readonly events: readonly { readonly name: string; readonly attributes: SpanAttributes }[];
  /** It could not be decided, which is no refusal: why, as a word of our own. */
  readonly error?: string;
  readonly children: readonly SpanContent[];
}

const PROCESS = ['envoy.service.ext_proc.v3.ExternalProcessor', 'Process'] as const;
const CHECK = ['envoy.service.auth.v3.Authorization', 'Check'] as const;
const DEFERRED = 'switchyard.deferred';

export function decisionContent({ span, record, sides }: TracedDecision): SpanContent {
  const startMs = record.atMs;
  const endMs = startMs + record.durationMs;
  const deferred = record.kind === 'deferred';
  const [service, method] = record.kind === 'check' ? CHECK : PROCESS;
  return {
    span,
    name: deferred ? DEFERRED : `${service}/${method}`,
    kind: deferred ? 'internal' : 'server',
    // When it was over already: the moment that it became known.
    ...{ startMs: deferred ? endMs : startMs, endMs },
    attributes: {
      ...(!deferred && { 'rpc.system': 'grpc', 'rpc.service': service, 'rpc.method': method }),
      ...decisionAttributes(record),
    },
    events: [
      ...record.findings.map(({ rule, action, enforced, by, label, text, start, end, score }) => ({
        name: 'switchyard.finding',
        attributes: {
          'switchyard.rule': rule,
          'switchyard.action': action,
          'switchyard.enforced': enforced,
          'switchyard.label': label,
          'switchyard.text': text,
          'switchyard.start': start,
          'switchyard.end': end,
          ...(by !== undefined && { 'switchyard.by': by }),
          ...(score !== undefined && { 'switchyard.score': score }),
        },
      })),
      ...record.errors.map(({ rule, error, classifier }) => ({
        name: 'switchyard.rule_error',
        attributes: {
          'switchyard.rule': rule,
          'error.type': error,
          ...(classifier !== undefined && { 'switchyard.classifier': classifier }),
        },
      })),
    ],
    ...(record.verdict === 'unavailable' && { error: record.code }),
    children: Object.entries(sides).map(([side, { atMs, durationMs }]) => ({
      name: `switchyard.${side}`,
      kind: 'internal',
      // Its last step ends a moment after the record was made.
      startMs: Math.min(Math.max(atMs, startMs), endMs),
      endMs: Math.min(Math.max(atMs + durationMs, startMs), endMs),
      attributes: {},
      events: [],
      children: [],
    })),
  };
}

function decisionAttributes(record: DecisionRecord): SpanAttributes {
  const { facts, findings } = record;
  const rules = (list: DecisionRecord['findings']) => [...new Set(list.map(({ rule }) => rule))];
  return {
    'switchyard.exchange': record.exchange,
    'switchyard.verdict': record.verdict,
    'switchyard.code': record.code,
    'switchyard.phase': record.phase,
    'switchyard.degraded': record.degraded,
    'switchyard.set': record.set,
    'switchyard.epoch': record.epoch,
    'switchyard.cohort': record.cohort,
    'switchyard.format': record.format,
    'switchyard.route': record.route,
    'switchyard.rules': rules(findings),
    'switchyard.rules.enforced': rules(findings.filter(({ enforced }) => enforced)),
    'switchyard.findings.dropped': record.findingsDropped,
    'switchyard.breakers': record.breakers,
    'switchyard.request.bytes': record.requestBytes,
    'switchyard.response.bytes': record.responseBytes,
    ...(record.status > 0 && { 'http.response.status_code': record.status }),
    ...(facts.tenant !== undefined && { 'switchyard.tenant': facts.tenant }),
    ...(facts.app !== undefined && { 'switchyard.app': facts.app }),
    ...(facts.model !== undefined && { 'switchyard.model': facts.model }),
    ...(record.session !== undefined && { 'switchyard.session': record.session }),
  };
}

const JUDGED = 'judged';

export function questionContent(question: TracedQuestion): SpanContent {
  const { classifier, direction, outcome, atMs, durationMs, exchange } = question;
  return {
    name: `switchyard.classifier ${classifier}`,
    kind: 'client',
    ...{ startMs: atMs, endMs: atMs + durationMs },
    attributes: {
      'switchyard.exchange': exchange,
      'switchyard.classifier': classifier,
      'switchyard.phase': direction,
      'switchyard.outcome': outcome,
    },
    events: [],
    ...(outcome !== JUDGED && { error: outcome }),
    children: [],
  };
}
