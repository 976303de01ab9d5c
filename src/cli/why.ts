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

function findingLines(record: DecisionRecord): string[] {
  if (record.findings.length === 0) return ['  no rule matched'];
  const lines = record.findings.flatMap((finding) => {
    const { rule, action, enforced, label, text, start, end, score, signals } = finding;
    const how = enforced ? action : `${action} (shadow: not enforced)`;
    const scored = score === undefined ? '' : `, score ${score}`;
    return [
      `  ${rule}: ${how}, ${label} at ${start}–${end} of ${text}${scored}`,
      ...(signals ?? []).map((one) => `    ${one.id} ${one.weight} at ${one.start}–${one.end}`),
    ];
  });
  if (record.findingsDropped > 0) lines.push(`  and ${record.findingsDropped} more`);
  return lines;
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
    ...findingLines(record),
    ...reroutedLines(record),
    ...record.errors.map(({ rule, error }) => `  ${rule}: could not be evaluated (${error})`),
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
