/**
 * One record as one line of JSON. The fields are named here one by one, so that a value which is not
 * part of the record's contract cannot reach the file (invariant 9), whatever object was passed in.
 */
import type { DecisionRecord, TransitionRecord } from './record.ts';

/**
 * Longest string written for one field, in UTF-16 units. Facts such as `model` come out of request
 * bodies: without a bound a client could write the audit disk full with one field.
 */
export const FIELD_UNITS_MAX = 512;

/** Most findings, errors or breakers written per record; what is cut is added to `findingsDropped`. */
export const LIST_ITEMS_MAX = 256;

const clip = (text: string): string =>
  text.length <= FIELD_UNITS_MAX ? text : `${text.slice(0, FIELD_UNITS_MAX)}…`;

function processFields(record: DecisionRecord) {
  const { tenant, app, model } = record.facts;
  const cut = Math.max(0, record.findings.length - LIST_ITEMS_MAX);
  return {
    kind: record.kind,
    exchange: clip(record.exchange),
    requestId: clip(record.requestId),
    traceContext: record.traceContext && {
      trace: clip(record.traceContext.trace),
      parent: clip(record.traceContext.parent),
      sampled: record.traceContext.sampled,
    },
    atMs: record.atMs,
    durationMs: record.durationMs,
    epoch: record.epoch,
    set: clip(record.set),
    cohort: record.cohort,
    verdict: record.verdict,
    code: clip(record.code),
    degraded: record.degraded,
    phase: record.phase,
    session: record.session === undefined ? undefined : clip(record.session),
    facts: {
      tenant: tenant === undefined ? undefined : clip(tenant),
      app: app === undefined ? undefined : clip(app),
      model: model === undefined ? undefined : clip(model),
    },
    factFaults: record.factFaults?.slice(0, LIST_ITEMS_MAX).map(clip),
    surroundings: record.surroundings && surroundingsFields(record.surroundings),
    route: clip(record.route),
    format: clip(record.format),
    status: record.status,
    findings: record.findings.slice(0, LIST_ITEMS_MAX).map((finding) => ({
      rule: clip(finding.rule),
      action: finding.action,
      enforced: finding.enforced,
      by: finding.by === undefined ? undefined : clip(finding.by),
      label: clip(finding.label),
      text: clip(finding.text),
      start: finding.start,
      end: finding.end,
      score: finding.score,
      signals: finding.signals?.slice(0, LIST_ITEMS_MAX).map((signal) => ({
        id: clip(signal.id),
        weight: signal.weight,
        start: signal.start,
        end: signal.end,
      })),
    })),
    findingsDropped: record.findingsDropped + cut,
    lifted: record.lifted
      ?.slice(0, LIST_ITEMS_MAX)
      .map(({ rule, by }) => ({ rule: clip(rule), by: clip(by) })),
    errors: record.errors.slice(0, LIST_ITEMS_MAX).map(({ rule, error, classifier }) => ({
      rule: clip(rule),
      error: clip(error),
      classifier: classifier === undefined ? undefined : clip(classifier),
    })),
    breakers: record.breakers.slice(0, LIST_ITEMS_MAX).map(clip),
    rerouted: record.rerouted && {
      rule: clip(record.rerouted.rule),
      from: record.rerouted.from === undefined ? undefined : clip(record.rerouted.from),
      to: record.rerouted.to === undefined ? undefined : clip(record.rerouted.to),
    },
    requestBytes: record.requestBytes,
    responseBytes: record.responseBytes,
  };
}

function surroundingsFields(
  surroundings: NonNullable<DecisionRecord['surroundings']>,
): DecisionRecord['surroundings'] {
  const { posture, postureVersion, load, feeds, session } = surroundings;
  return {
    ...(posture !== undefined && { posture }),
    ...(postureVersion !== undefined && { postureVersion }),
    ...(load !== undefined && { load }),
    ...(feeds !== undefined && {
      feeds: Object.fromEntries(
        Object.entries(feeds)
          .slice(0, LIST_ITEMS_MAX)
          .map(([name, digest]) => [clip(name), clip(digest)]),
      ),
    }),
    ...(session !== undefined && {
      session: {
        topic: clip(session.topic),
        topics: session.topics.slice(0, LIST_ITEMS_MAX).map(clip),
        flags: session.flags.slice(0, LIST_ITEMS_MAX).map(clip),
        injection: session.injection,
      },
    }),
  };
}

function transitionFields(record: TransitionRecord) {
  return {
    kind: record.kind,
    atMs: record.atMs,
    epoch: record.epoch,
    transition: clip(record.transition),
    from: clip(record.from),
    to: clip(record.to),
    by: clip(record.by),
    reason: clip(record.reason),
    evidence:
      record.evidence === undefined
        ? undefined
        : Object.fromEntries(
            Object.entries(record.evidence)
              .slice(0, LIST_ITEMS_MAX)
              .map(([name, value]) => [
                clip(name),
                typeof value === 'string' ? clip(value) : value,
              ]),
          ),
  };
}

/**
 * A record as a line, with its newline. `run` names the server run and `seq` counts its records from
 * 1: a reader that misses a number knows that a record was lost. Costs a few µs.
 */
export function recordLine(
  run: string,
  seq: number,
  record: DecisionRecord | TransitionRecord,
): string {
  const fields = record.kind === 'transition' ? transitionFields(record) : processFields(record);
  return `${JSON.stringify({ run, seq, ...fields })}\n`;
}
