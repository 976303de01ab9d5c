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

/** Printable ASCII but for the quote and the backslash: such text is JSON as it stands. */
const PLAIN_TEXT = /^[ !#-[\]-~]*$/;

function quoted(text: string): string {
  const shown = clip(text);
  return PLAIN_TEXT.test(shown) ? `"${shown}"` : JSON.stringify(shown);
}

const field = (name: string, text: string | undefined): string =>
  text === undefined ? '' : `,"${name}":${quoted(text)}`;

/** For a field that says the same in most records. */
function usualField(name: string): (text: string | undefined) => string {
  let usual = '';
  let shown = field(name, usual);
  return (text) => {
    if (text !== undefined && text !== usual) {
      usual = text;
      shown = field(name, text);
    }
    return text === undefined ? '' : shown;
  };
}

const tenantField = usualField('tenant');
const appField = usualField('app');
const modelField = usualField('model');
const setField = usualField('set');
const codeField = usualField('code');
const routeField = usualField('route');
const formatField = usualField('format');

/** A number of JSON: `null` for what JSON cannot say. */
const number = (value: number): string => (Number.isFinite(value) ? `${value}` : 'null');

/** For the fields that few records have. */
const rare = (name: string, value: unknown): string =>
  value === undefined ? '' : `,"${name}":${JSON.stringify(value)}`;

/** A list of a record, which most have empty. */
const list = <Item>(
  name: string,
  items: readonly Item[],
  shown: (item: Item) => unknown,
): string =>
  items.length === 0
    ? `,"${name}":[]`
    : `,"${name}":${JSON.stringify(items.slice(0, LIST_ITEMS_MAX).map(shown))}`;

/** Written field by field: each exchange has one of these, and `JSON.stringify` of it all takes four times as long. */
function processFields(record: DecisionRecord): string {
  const { tenant, app, model } = record.facts;
  const { traceContext, rerouted } = record;
  const cut = Math.max(0, record.findings.length - LIST_ITEMS_MAX);
  const facts = tenantField(tenant) + appField(app) + modelField(model);
  return (
    `,"kind":"${record.kind}"` +
    field('exchange', record.exchange) +
    field('requestId', record.requestId) +
    (traceContext === undefined
      ? ''
      : `,"traceContext":{${field('trace', traceContext.trace).slice(1)}${field('parent', traceContext.parent)},"sampled":${traceContext.sampled}}`) +
    `,"atMs":${number(record.atMs)},"durationMs":${number(record.durationMs)},"epoch":${number(record.epoch)}` +
    setField(record.set) +
    `,"cohort":"${record.cohort}","verdict":"${record.verdict}"` +
    codeField(record.code) +
    `,"degraded":${record.degraded},"phase":"${record.phase}"` +
    field('session', record.session) +
    `,"facts":{${facts.slice(1)}}` +
    rare('factFaults', record.factFaults?.slice(0, LIST_ITEMS_MAX).map(clip)) +
    rare('surroundings', record.surroundings && surroundingsFields(record.surroundings)) +
    routeField(record.route) +
    formatField(record.format) +
    `,"status":${number(record.status)}` +
    list('findings', record.findings, findingFields) +
    `,"findingsDropped":${number(record.findingsDropped + cut)}` +
    (record.lifted === undefined
      ? ''
      : list('lifted', record.lifted, ({ rule, by }) => ({ rule: clip(rule), by: clip(by) }))) +
    list('errors', record.errors, ({ rule, error, classifier }) => ({
      rule: clip(rule),
      error: clip(error),
      classifier: classifier === undefined ? undefined : clip(classifier),
    })) +
    list('breakers', record.breakers, clip) +
    rare(
      'rerouted',
      rerouted && {
        rule: clip(rerouted.rule),
        from: rerouted.from === undefined ? undefined : clip(rerouted.from),
        to: rerouted.to === undefined ? undefined : clip(rerouted.to),
      },
    ) +
    `,"requestBytes":${number(record.requestBytes)},"responseBytes":${number(record.responseBytes)}`
  );
}

const findingFields = (finding: DecisionRecord['findings'][number]) => ({
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
});

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
 * 1: a reader that misses a number knows that a record was lost. Costs about 1 µs.
 */
export function recordLine(
  run: string,
  seq: number,
  record: DecisionRecord | TransitionRecord,
): string {
  const fields =
    record.kind === 'transition'
      ? `,${JSON.stringify(transitionFields(record)).slice(1, -1)}`
      : processFields(record);
  return `{"run":${quoted(run)},"seq":${number(seq)}${fields}}\n`;
}
