/** The status as a page for a tired person: what serves, what is being tried, and what to do next. */
import type { ControlStatus, SetSummary } from '../engine/control.ts';

/** Longest line of somebody else's words. */
const WORDS_UNITS_MAX = 400;
const HISTORY_SHOWN = 10;
const LABEL_WIDTH = 11;

/** One printable line: a file name or a reason must not steer the terminal that shows it. */
function words(value: string): string {
  const line = value.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '?');
  return line.length > WORDS_UNITS_MAX ? `${line.slice(0, WORDS_UNITS_MAX)}…` : line;
}

const short = (digest: string): string => words(digest.replace(/^(sha256:[0-9a-f]{12}).*$/, '$1'));

/** `2 d 3 h`, `4 min`, `12 s`: the two largest units that are not zero. */
export function span(ms: number): string {
  let seconds = Math.max(0, Math.round(ms / 1000));
  const parts: string[] = [];
  for (const [unit, size] of [
    ['d', 86_400],
    ['h', 3600],
    ['min', 60],
    ['s', 1],
  ] as const) {
    const count = Math.floor(seconds / size);
    seconds -= count * size;
    if (count > 0 && parts.length < 2) parts.push(`${count} ${unit}`);
    else if (parts.length > 0) break;
  }
  return parts.join(' ') || '0 s';
}

function at(ms: number): string {
  const date = new Date(ms);
  if (Number.isNaN(date.getTime())) return 'at an unknown time';
  return `${date.toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

const percent = (ppm: number): string => `${ppm / 10_000} %`;

const counted = (count: number, one: string, many: string): string =>
  `${count} ${count === 1 ? one : many}`;

/** The first line with its label, the others under it. */
function block(label: string, lines: readonly string[]): string[] {
  return lines.map((line, index) => `${(index === 0 ? label : '').padEnd(LABEL_WIDTH)}${line}`);
}

function setLines(set: SetSummary): string[] {
  const layerWidth = Math.max(0, ...set.policies.map(({ layer }) => layer.length));
  return [
    `${counted(set.policies.length, 'policy', 'policies')}, ${counted(set.rules, 'rule', 'rules')}`,
    ...set.policies.map(({ name, version, layer }) =>
      words(`  ${layer.padEnd(layerWidth)}  ${name}${version === undefined ? '' : ` ${version}`}`),
    ),
    ...set.warnings.map((warning) => `  warning: ${words(warning)}`),
  ];
}

function serves(status: ControlStatus, nowMs: number): string[] {
  const { blue } = status;
  if (blue === undefined) {
    return block('Serves', ['nothing: no policy set was ever good enough to serve']);
  }
  const since = `since ${at(blue.sinceMs)} (${span(nowMs - blue.sinceMs)})`;
  return block('Serves', [`${short(blue.digest)}  ${since}`, ...setLines(blue)]);
}

function trying(status: ControlStatus, nowMs: number): string[] {
  const lines: string[] = [];
  const { green, rollout, watch, emergency, waiting, posture } = status;
  if (posture !== undefined && posture.posture !== 'normal') {
    const until = posture.untilMs === undefined ? '' : ` until ${at(posture.untilMs)}`;
    lines.push(
      ...block('Posture', [
        `${posture.posture}${until}, said by ${words(posture.by)} ${span(nowMs - posture.sinceMs)} ago`,
      ]),
    );
  }
  if (green !== undefined) {
    lines.push(...block('Green', [short(green.digest), ...setLines(green)]));
  }
  if (rollout !== undefined) {
    const stage = `stage ${rollout.stage} of ${rollout.stages}`;
    const begun = `begun ${span(nowMs - rollout.startedAtMs)} ago`;
    lines.push(
      ...block('Rollout', [
        `${percent(rollout.sharePpm)} of sessions, ${stage}, ${begun} (${words(rollout.id)})`,
        ...rollout.judgement.map((line) => `  ${words(line)}`),
        'all of it now: switchyard promote    give it up: switchyard rollback',
      ]),
    );
  }
  if (watch !== undefined) {
    lines.push(
      ...block('Watch', [
        `compared with ${short(watch.against)} for ${span(watch.untilMs - nowMs)} more`,
        ...watch.judgement.map((line) => `  ${words(line)}`),
      ]),
    );
  }
  if (emergency !== undefined) {
    const left = span(emergency.untilMs - nowMs);
    lines.push(
      ...block('Emergency', [
        `${short(emergency.digest)} until ${at(emergency.untilMs)} (${left} more)`,
        'a rise of denials does not undo it; errors and latency do',
      ]),
    );
  }
  if (waiting !== undefined) {
    lines.push(
      ...block('Waiting', [
        `${short(waiting.digest)}  saved during the rollout; becomes green when it has ended`,
      ]),
    );
  }
  return lines;
}

function troubles(status: ControlStatus, nowMs: number): string[] {
  const lines: string[] = [];
  if (status.quarantined.length > 0) {
    lines.push('', 'Quarantined: rolled back, does not serve');
    for (const { file, digest, reason, atMs } of status.quarantined) {
      lines.push(`  ${words(file)}  ${short(digest)}`);
      lines.push(`    ${words(reason)}, ${span(nowMs - atMs)} ago`);
    }
    lines.push('  to lift it: save other bytes, or: switchyard promote --force');
  }
  if (status.breakers.length > 0) {
    lines.push('', 'Breakers');
    for (const { rule, digest, state } of status.breakers) {
      lines.push(`  ${words(state.padEnd(9))}  ${words(rule)}  (${short(digest)})`);
    }
  }
  if (status.feeds !== undefined && status.feeds.length > 0) {
    lines.push('', 'Feeds');
    for (const { name, digest, entries, sinceMs, fault } of status.feeds) {
      const version =
        digest === undefined
          ? 'never read'
          : `${counted(entries, 'entry', 'entries')}, ${short(digest)}, ${span(nowMs - sinceMs)} ago`;
      lines.push(`  ${words(name)}  ${version}`);
      if (fault !== undefined) lines.push(`    THE LAST DOCUMENT WAS NOT TAKEN: ${words(fault)}`);
    }
  }
  const { directory } = status;
  if (directory !== undefined) {
    const read = `${words(directory.path)}, read ${span(nowMs - directory.lastReadMs)} ago`;
    if (directory.errors.length === 0) {
      lines.push('', `Directory  ${read}: the last save was taken`);
    } else {
      lines.push('', `Directory  ${read}: THE LAST SAVE WAS NOT TAKEN, what serves keeps serving`);
      lines.push(...directory.errors.map((error) => `  ${words(error)}`));
    }
  }
  return lines;
}

function history(status: ControlStatus): string[] {
  if (status.history.length === 0) return [];
  const shown = status.history.slice(0, HISTORY_SHOWN);
  return [
    '',
    'History, newest first',
    ...shown.map(({ epoch, atMs, kind, digest, by, reason }) =>
      words(
        `  ${String(epoch).padStart(4)}  ${at(atMs)}  ${kind.padEnd(9)} ${short(digest)}  by ${by}${reason === '' ? '' : `: ${reason}`}`,
      ),
    ),
  ];
}

/** The whole page, ending in a newline. */
export function statusPage(status: ControlStatus, nowMs: number): string {
  const title = `Switchyard ${words(status.version)}   ${status.health}   epoch ${status.epoch}`;
  const lines = [
    title,
    '',
    ...serves(status, nowMs),
    ...trying(status, nowMs),
    ...troubles(status, nowMs),
    ...history(status),
  ];
  return `${lines.join('\n')}\n`;
}
