/** Executes rows of the table and puts together what the client, the upstream, Envoy and the records saw. */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { encodeScript, SCRIPT_HEADER, type Script } from '../../demo/script.ts';
import type { JournalEntry } from '../../demo/upstream.ts';
import { auditFiles } from '../../src/audit/files.ts';
import type { DecisionRecord } from '../../src/audit/record.ts';
import type { LogEntry, Stack } from './harness.ts';
import { type Answer, type RequestOptions, send } from './http-client.ts';
import { BUFFER_BYTES, MATCHED_WORD, ROW_HEADER, stancePath } from './stance-envoy.ts';
import type { Fault, Mode, Row } from './stance-table.ts';

/** Exchanges at once: enough to be quick, few enough for two cores that others use too. */
const AT_ONCE = 8;
const POLLS_MAX = 400;
const POLL_MS = 25;

export interface Witnessed {
  readonly answer: Answer;
  readonly log: LogEntry | undefined;
  /** Records of kind `process` or `local_reply`. */
  readonly records: readonly DecisionRecord[];
  readonly journal: JournalEntry | undefined;
}

/**
 * Sends all of them, tagged; resolves when Envoy has logged and Switchyard recorded what they came to.
 * `unnamed`: exchanges of which Switchyard fails before it has read their id.
 */
export async function witness(
  stack: Stack,
  requests: ReadonlyMap<string, RequestOptions>,
  unnamed = 0,
): Promise<ReadonlyMap<string, Witnessed>> {
  const answers = new Map<string, Answer>();
  const waiting = [...requests];
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        const [row, request] = next;
        const headers = { ...request.headers, [ROW_HEADER]: row };
        answers.set(row, await send(stack.envoy.port, { ...request, headers }));
      }
    }),
  );
  const logs = await logsOf(stack, new Set(requests.keys()));
  const ids = new Set([...logs.values()].map((entry) => String(entry.request_id)));
  const records = await recordsOf(stack, ids, ids.size - unnamed);
  const found = new Map<string, Witnessed>();
  for (const [row, answer] of answers) {
    const log = logs.get(row);
    found.set(row, {
      answer,
      log,
      records: records.filter((record) => record.requestId === log?.request_id),
      journal: stack.upstream.journal.find((entry) => entry.headers[ROW_HEADER] === row),
    });
  }
  return found;
}

async function logsOf(
  { envoy }: Stack,
  rows: ReadonlySet<string>,
): Promise<ReadonlyMap<string, LogEntry>> {
  let found = new Map<string, LogEntry>();
  for (let polls = 0; polls < POLLS_MAX; polls++) {
    const log = await envoy.accessLog();
    found = new Map(log.map((entry) => [String(entry.row), entry]));
    if ([...rows].every((row) => found.has(row))) break;
    await sleep(POLL_MS);
  }
  return found;
}

async function recordsOf(
  { switchyard }: Stack,
  ids: ReadonlySet<string>,
  expected: number,
): Promise<readonly DecisionRecord[]> {
  let found: readonly DecisionRecord[] = [];
  for (let polls = 0; polls < POLLS_MAX; polls++) {
    found = exchangeRecords(switchyard.dataDirectory).filter((r) => ids.has(r.requestId));
    if (new Set(found.map((record) => record.requestId)).size >= expected) break;
    await sleep(POLL_MS);
  }
  return found;
}

/** The own record of every exchange so far, as the files have them. */
export function exchangeRecords(dataDirectory: string): readonly DecisionRecord[] {
  return auditFiles(`${dataDirectory}/decisions`)
    .flatMap((file) => readFileSync(file, 'utf8').split('\n'))
    .filter((line) => line.endsWith('}'))
    .map((line) => JSON.parse(line) as DecisionRecord)
    .filter((record) => record.kind === 'process' || record.kind === 'local_reply');
}

/** What is in the body: nothing that a rule is for, or the word. */
const textFor = (fault: Fault): string => {
  const text = `All about ${fault === 'clean' ? 'horses' : MATCHED_WORD} today`;
  return fault === 'oversized' ? `${'x'.repeat(BUFFER_BYTES * 5)} ${text}` : text;
};

/** The request that brings a row about. */
export function requestOf(row: Row): RequestOptions {
  const stance = row.fault.startsWith('declared_open') ? 'open' : 'closed';
  const headers = {
    'content-type': 'application/json',
    'x-test-class': row.policyClass,
    'x-test-action': `${row.action}-${row.direction}`,
  };
  const path = stancePath(stance, row.direction, row.mode);
  return row.direction === 'request'
    ? { path, method: 'POST', ...requestBody(row.fault, headers) }
    : { path, method: 'POST', ...responseScript(row, headers) };
}

const chatBody = (text: string, stream = false): string =>
  JSON.stringify({ model: 'demo', stream, messages: [{ role: 'user', content: text }] });

function requestBody(
  fault: Fault,
  headers: Readonly<Record<string, string>>,
): Pick<RequestOptions, 'headers' | 'body' | 'pieces'> {
  const body = chatBody(textFor(fault));
  switch (fault) {
    case 'encoded':
      return { body, headers: { ...headers, 'content-encoding': 'compress' } };
    case 'broken_encoding':
      return { body, headers: { ...headers, 'content-encoding': 'gzip' } };
    case 'opaque':
      return { body, headers: { ...headers, 'content-type': 'application/json; charset=utf-16' } };
    case 'oversized':
      return { pieces: cut(body, BUFFER_BYTES), headers };
    default:
      return { body, headers };
  }
}

function cut(text: string, pieceChars: number): readonly string[] {
  const pieces: string[] = [];
  for (let at = 0; at < text.length; at += pieceChars) pieces.push(text.slice(at, at + pieceChars));
  return pieces;
}

/** A long answer does not fit into the header that carries scripts: the prompt asks for it. */
function responseScript(
  { fault, mode }: Row,
  headers: Readonly<Record<string, string>>,
): Pick<RequestOptions, 'headers' | 'body'> {
  const script = (told: Script) => ({ ...headers, [SCRIPT_HEADER]: encodeScript(told) });
  const text = textFor(fault);
  switch (fault) {
    case 'match_in_stream':
    case 'declared_open_stream':
      return {
        body: chatBody('Hello', true),
        headers: script({ deltas: ['All about ', 'Zeb', 'ra', ' today'], ...slowly(mode) }),
      };
    case 'encoded':
      return {
        body: chatBody(`say: ${text}`),
        headers: script({ headers: { 'content-encoding': 'compress' } }),
      };
    case 'broken_encoding':
      return {
        body: chatBody(`say: ${text}`),
        headers: script({ headers: { 'content-encoding': 'gzip' } }),
      };
    case 'opaque':
      return {
        body: chatBody(`say: ${text}`),
        headers: script({ headers: { 'content-type': 'application/octet-stream' } }),
      };
    case 'oversized':
      return { body: chatBody(`say: ${text}`), headers };
    default:
      return {
        body: chatBody(`say: ${text}`),
        headers: script({ cutBytes: 150, ...slowly(mode) }),
      };
  }
}

/**
 * STREAMED judges chunk by chunk, so it matters whether headers have left before the match comes: in pieces
 * far enough apart they have.
 */
const slowly = (mode: Mode): Script => (mode === 'STREAMED' ? { delayMs: 150 } : {});
