/** One cell through Envoy: what was sent, what left, and whether that is what the table says. */
import assert from 'node:assert/strict';
import { encodeScript, SCRIPT_HEADER } from '../../../demo/script.ts';
import type { JournalEntry } from '../../../demo/upstream.ts';
import { REFUSALS } from '../../../src/engine/codes.ts';
import type { Stack } from '../harness.ts';
import { type Answer, send } from '../http-client.ts';
import type { Cell } from './cells.ts';
import type { Outcome } from './examples.ts';
import { type Content, deltasOf, type Wire, type Written } from './wires.ts';

/** Names a request to the journal of the provider. */
const PROBE_HEADER = 'x-probe';

/** An application that no rule is for. */
export const NOBODY = 'nobody';

interface Seen {
  readonly answer: Answer;
  /** What reached the provider; undefined when nothing did. */
  readonly arrived: JournalEntry | undefined;
}

let probes = 0;

/** Sends what the cell is about, as the application, in the session if one is given. */
async function exchange(
  stack: Stack,
  { wire, try: { content } }: Cell,
  app: string,
  session?: string,
): Promise<Seen> {
  probes += 1;
  const probe = String(probes);
  const written = present(wire.write(content));
  const judged = wire.column === 'request';
  const answered = judged ? wire.harmless : written;
  const script = { chunks: answered.chunks, headers: { 'content-type': answered.contentType } };
  const { method, path, body } = wire.asks;
  const asked = judged ? written : body && { contentType: body.contentType, chunks: [body.text] };
  const got = await send(stack.envoy.port, {
    method: judged ? 'POST' : method,
    path,
    headers: {
      ...(asked && { 'content-type': asked.contentType }),
      accept: 'application/json, text/event-stream',
      'x-app': app,
      ...(session !== undefined && { 'x-session': session }),
      [PROBE_HEADER]: probe,
      [SCRIPT_HEADER]: encodeScript(script),
    },
    ...(asked && { body: asked.chunks.join('') }),
  });
  assert.equal(got.error, '', 'the connection broke');
  const arrived = stack.upstream.journal.findLast(({ headers }) => headers[PROBE_HEADER] === probe);
  return { answer: got, arrived };
}

/** What the matched side of an exchange has become. */
const left = ({ column }: Wire, { answer, arrived }: Seen): string =>
  column === 'request' ? (arrived?.body ?? '') : answer.text;

function present(written: ReturnType<Wire['write']>): Written {
  if ('absent' in written) throw new Error(`there is no such body: ${written.absent}`);
  return written;
}

/** Rejects where it ends otherwise than the table says, or where it would have ended so without its rule. */
export async function runCell(stack: Stack, cell: Cell, app: string): Promise<void> {
  assert.ok('outcome' in cell.what);
  const { wire } = cell;
  const free = await exchange(stack, cell, NOBODY);
  const whole = present(wire.write(cell.try.content)).chunks.join('');
  assert.equal(left(wire, free), whole, 'an application without rules is not served as it is');
  const { outcome } = cell.what;
  if (outcome.is === 'throttled') {
    await throttled(stack, cell, app, outcome.says);
    return;
  }
  check(cell, outcome, await exchange(stack, cell, app));
}

function check(
  { wire, try: { content } }: Cell,
  outcome: Exclude<Outcome, { is: 'throttled' }>,
  seen: Seen,
): void {
  const sent = present(wire.write(content)).chunks.join('');
  switch (outcome.is) {
    case 'recorded':
    case 'untouched':
      assert.equal(seen.answer.status, 200);
      assert.equal(left(wire, seen), sent);
      return;
    case 'changed':
      changed(wire, outcome.to, seen);
      return;
    case 'added':
      added(outcome, sent, seen);
      return;
    case 'refused':
      refused(wire, content, seen, outcome.says, outcome.status);
      return;
    default:
      byClass(wire, content, seen, outcome.code, sent);
  }
}

/** A document is what it would be with the other content, to the byte; a stream says the same to who listens. */
function changed(wire: Wire, to: Content, seen: Seen): void {
  assert.equal(seen.answer.status, 200, seen.answer.text);
  const wanted = present(wire.write(to)).chunks.join('');
  if (wire.column !== 'streamed answer') {
    assert.equal(left(wire, seen), wanted);
    return;
  }
  assert.deepEqual(wire.hear(seen.answer.text, to), wire.hear(wanted, to));
}

/** The body as it was, and beside it what the rule adds. */
function added(outcome: Extract<Outcome, { is: 'added' }>, sent: string, seen: Seen): void {
  assert.equal(seen.answer.status, 200, seen.answer.text);
  const { arrived } = seen;
  assert.ok(arrived);
  if (outcome.to === 'model') {
    const inPath = /\/models\//u.test(arrived.path);
    if (inPath) assert.match(arrived.path, new RegExp(`/models/${outcome.value}:`, 'u'));
    const { model: _, ...rest } = JSON.parse(sent);
    const wanted = inPath ? JSON.parse(sent) : { ...rest, model: outcome.value };
    assert.deepEqual(JSON.parse(arrived.body), wanted);
    return;
  }
  const body = JSON.parse(arrived.body);
  assert.ok(systemWords(body).includes(outcome.value), arrived.body);
  // Without what was added it is what was sent.
  const {
    system: _system,
    instructions: _instructions,
    systemInstruction: _google,
    ...rest
  } = body;
  if (Array.isArray(rest.messages))
    rest.messages = rest.messages.filter(({ role }: { role: string }) => role !== 'system');
  assert.deepEqual(rest, JSON.parse(sent));
}

// biome-ignore lint/suspicious/noExplicitAny: a body as it comes, read by the test alone.
const systemWords = (body: any): readonly string[] => [
  body.system,
  body.instructions,
  body.systemInstruction?.parts?.[0]?.text,
  // biome-ignore lint/suspicious/noExplicitAny: as above.
  ...(body.messages ?? []).map(({ role, content }: any) =>
    role === 'system' ? content : undefined,
  ),
];

/** The client reads why, and nothing of what stood from the match on. */
function refused(
  wire: Wire,
  content: Content,
  { answer, arrived }: Seen,
  says: string,
  status = 400,
): void {
  assert.ok(answer.text.includes(says), answer.text);
  for (const part of forbidden(content)) assert.ok(!answer.text.includes(part), answer.text);
  if (wire.column === 'request') {
    assert.equal(arrived, undefined, 'a refused request went on');
    // Clients of MCP read an error from no other status.
    assert.equal(answer.status, wire.format === 'mcp' && status === 400 ? 200 : status);
    return;
  }
  if (wire.column === 'answer' && wire.format !== 'mcp') assert.equal(answer.status, status);
}

/** Stretches of which none may be seen: the whole, and what of it came in parts from the match on. */
function forbidden(content: Content): readonly string[] {
  const inside = (text: string): string => JSON.stringify(text).slice(1, -1);
  switch (content.has) {
    case 'words':
      return [content.text, JSON.stringify(deltasOf(content.text).at(-1))];
    case 'call': {
      const input = JSON.stringify(content.input);
      return [input, inside(input), inside(deltasOf(input)[1]!), inside(deltasOf(input)[2]!)];
    }
    default:
      return [];
  }
}

/** Of a security rule: it is refused, and nothing of it is seen on the other side. */
function byClass(
  wire: Wire,
  content: Content,
  { answer, arrived }: Seen,
  code: 'unreadable_body' | 'mode_cannot_enforce',
  sent: string,
): void {
  const { message, status } = REFUSALS[code];
  assert.ok(answer.text.includes(message), answer.text);
  assert.ok(!answer.text.includes(sent), answer.text);
  if (wire.column === 'request') {
    assert.equal(arrived, undefined, 'an unjudged request went on');
    assert.equal(answer.status, status.request);
    return;
  }
  // What stands before the match has left, and with it the status.
  if (
    code === 'mode_cannot_enforce' &&
    wire.column === 'streamed answer' &&
    answer.status === 200
  ) {
    for (const part of forbidden(content)) assert.ok(!answer.text.includes(part), answer.text);
    return;
  }
  assert.equal(answer.status, status.response);
}

async function throttled(stack: Stack, cell: Cell, app: string, says: string): Promise<void> {
  const session = `session-${probes}`;
  const first = await exchange(stack, cell, app, session);
  assert.equal(first.answer.status, 200, first.answer.text);
  const second = await exchange(stack, cell, app, session);
  assert.equal(second.answer.status, 429);
  assert.ok(second.answer.text.includes(says), second.answer.text);
  assert.match(String(second.answer.headers['retry-after']), /^\d+$/u);
  assert.equal(second.arrived, undefined);
}
