/** The records of an exchange as sentences: what was decided, by which rules of which set. */
import type { DecisionRecord } from '../audit/record.ts';
import { printable } from './printable.ts';

const VERDICTS: Readonly<Record<DecisionRecord['verdict'], string>> = {
  allow: 'allowed',
  deny: 'denied',
  mutate: 'passed, changed',
  unavailable: 'refused because it could not be judged',
  incomplete: 'ended before it was judged to its end',
};

const KINDS: Readonly<Record<DecisionRecord['kind'], string>> = {
  process: 'bodies (ext_proc)',
  check: 'headers (ext_authz)',
  mutation: 'bytes changed (ext_proc)',
  deferred: 'a classifier, afterwards',
  local_reply: "Envoy's own reply",
};

function iso(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? 'unknown time' : date.toISOString();
}

function whoLine(record: DecisionRecord): string {
  const { tenant, app, model } = record.facts;
  const facts = Object.entries({ tenant, app, model, session: record.session })
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name} ${value}`);
  return [`route ${record.route || '–'}`, ...facts].join(', ');
}

type Finding = DecisionRecord['findings'][number];

/** What became of it. */
function effectOf({ action, enforced, by }: Finding): string {
  if (by === undefined) return enforced ? action : `${action} (shadow: not enforced)`;
  return enforced ? `${action}, which goes with that of ${by}` : `${action}, lifted by ${by}`;
}

/** Findings that stand in no text, by their label. */
const WITHOUT_PLACE: Readonly<Record<string, string>> = {
  WHEN: 'its condition held',
  RESTRICTION: 'the request is what it forbids',
  THROTTLE: 'too many requests',
};

function findingLines(record: DecisionRecord): string[] {
  const lifted = (record.lifted ?? []).map(
    ({ rule, by }) => `  ${rule}: lifted by ${by}, for the whole exchange`,
  );
  if (record.findings.length === 0) return ['  no rule matched', ...lifted];
  const lines = record.findings.flatMap((finding) => {
    const { rule, label, text, start, end, score, signals } = finding;
    const place = WITHOUT_PLACE[label] ?? `${label} at ${start}–${end} of ${text}`;
    const scored = score === undefined ? '' : `, score ${score}`;
    return [
      `  ${rule}: ${effectOf(finding)}, ${place}${scored}`,
      ...(signals ?? []).map((one) => `    ${one.id} ${one.weight} at ${one.start}–${one.end}`),
    ];
  });
  if (record.findingsDropped > 0) lines.push(`  and ${record.findingsDropped} more`);
  return [...lines, ...lifted];
}

/** Where `docs/reference/errors.md` says what each of these words means. */
const UNJUDGED_PAGE = 'docs/reference/errors.md';

function unjudgedLines({ unjudged }: DecisionRecord): string[] {
  if (unjudged === undefined) return [];
  const { reason, rules } = unjudged;
  const advice =
    reason === 'opaque_body'
      ? 'no format is known for its path and type: name one under `formats`, or keep the rules off it by `when`'
      : UNJUDGED_PAGE;
  return [
    ...(reason === '' ? [] : [`  could not be read: ${reason} (${advice})`]),
    ...(rules.length === 0 ? [] : [`  rules that had to judge it: ${rules.join(', ')}`]),
  ];
}

function reroutedLines({ rerouted }: DecisionRecord): string[] {
  if (rerouted === undefined) return [];
  const { rule, from = 'unknown', to = 'the same' } = rerouted;
  return [`  ${rule}: sent from model ${from} to ${to}`];
}

function surroundingLines({ surroundings, factFaults }: DecisionRecord): string[] {
  const { posture, postureVersion, load, feeds, session } = surroundings ?? {};
  const named = [
    ...(posture === undefined ? [] : [`posture ${posture} (version ${postureVersion})`]),
    ...(load === undefined ? [] : [`load ${load}`]),
    ...Object.entries(feeds ?? {}).map(([name, digest]) => `feed ${name} ${digest}`),
    ...(session === undefined
      ? []
      : [`session topic ${session.topic || 'none'}, injection ${session.injection}`]),
  ];
  return [
    ...(named.length === 0 ? [] : [`  conditions were told: ${named.join(', ')}`]),
    ...(factFaults ?? []).map((fact) => `  ${fact}: its value was none, and not guessed at`),
  ];
}

function recordLines(record: DecisionRecord): string[] {
  return [
    `${VERDICTS[record.verdict] ?? record.verdict}: ${record.code}, HTTP ${record.status}`,
    `  exchange ${record.exchange}, request ${record.requestId}`,
    `  ${iso(record.atMs)}, ${record.durationMs} ms, phase ${record.phase}, ${KINDS[record.kind] ?? record.kind}`,
    `  set ${record.set}, epoch ${record.epoch}, cohort ${record.cohort}`,
    `  ${whoLine(record)}`,
    ...surroundingLines(record),
    `  ${record.format || 'no format'}, ${record.requestBytes} bytes in, ${record.responseBytes} bytes out`,
    ...unjudgedLines(record),
    ...findingLines(record),
    ...reroutedLines(record),
    ...record.errors.map(
      ({ rule, error, classifier }) =>
        `  ${rule}: could not be evaluated (${error}${classifier === undefined ? '' : ` ${classifier}`})`,
    ),
    ...record.breakers.map((rule) => `  ${rule}: its breaker was open`),
    ...(record.degraded ? ['  degraded: not everything could be judged'] : []),
  ];
}

/** Undefined when these are not the records of a server that speaks our version. */
export function explainRecords(records: unknown): string | undefined {
  if (!Array.isArray(records)) return undefined;
  try {
    const blocks = (records as DecisionRecord[]).map((record) => recordLines(record).join('\n'));
    return `${printable(blocks.join('\n\n'))}\n`;
  } catch {
    return undefined; // a field that we read is not there
  }
}
