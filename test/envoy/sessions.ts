/** Many sessions as a test's clients keep them: connections kept alive, a bounded number at a time. */
import { readFile } from 'node:fs/promises';
import { Agent, request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { auditFiles } from '../../src/audit/files.ts';
import type { DecisionRecord, TransitionRecord } from '../../src/audit/record.ts';
import type { ControlStatus } from '../../src/engine/control.ts';
import type { Switchyard } from './harness.ts';

export interface Ask {
  readonly session?: string;
  /** A chat request that says this; a GET without it, the cheapest exchange there is. */
  readonly prompt?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Loopback address that the client has. */
  readonly from?: string;
}

export interface Asked {
  /** 0 when no answer came. */
  readonly status: number;
  readonly text: string;
}

export interface Client {
  ask(ask: Ask): Promise<Asked>;
  close(): void;
}

/** Speaks to the loopback port over at most `connections` connections; `ask` never rejects. */
export function keepAliveClient(port: number, connections: number): Client {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  return {
    ask: ({ session, prompt, headers, from }) =>
      new Promise((resolve) => {
        const body =
          prompt === undefined
            ? undefined
            : JSON.stringify({ model: 'demo', messages: [{ role: 'user', content: prompt }] });
        const outgoing = httpRequest({
          host: '127.0.0.1',
          port,
          agent,
          ...(from !== undefined && { localAddress: from }),
          method: body === undefined ? 'GET' : 'POST',
          path: body === undefined ? '/v1/models' : '/v1/chat/completions',
          headers: {
            ...(session !== undefined && { 'x-session-id': session }),
            ...(body !== undefined && {
              'content-type': 'application/json',
              'content-length': String(Buffer.byteLength(body)),
            }),
            ...headers,
          },
        });
        outgoing.on('error', () => resolve({ status: 0, text: '' }));
        outgoing.on('response', (incoming) => {
          const chunks: Buffer[] = [];
          incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
          incoming.on('error', () => resolve({ status: 0, text: '' }));
          incoming.on('end', () =>
            resolve({ status: incoming.statusCode ?? 0, text: Buffer.concat(chunks).toString() }),
          );
        });
        outgoing.end(body);
      }),
    close: () => agent.destroy(),
  };
}

/** Runs `action(0..count-1)`, at most `atOnce` of them at a time, begun in order. */
export async function inTurn(
  count: number,
  atOnce: number,
  action: (index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) await action(next++);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}

/** Polls until `look` finds something; rejects, naming `what`, when that takes too long. */
export async function until<T>(
  what: string,
  look: () => Promise<T | undefined>,
  withinMs = 20_000,
): Promise<T> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() > deadline) throw new Error(`not within ${withinMs} ms: ${what}`);
    await sleep(25);
  }
}

export async function statusOf(switchyard: Switchyard): Promise<ControlStatus> {
  return JSON.parse((await switchyard.admin('/status')).text) as ControlStatus;
}

/** Every record written so far. Allows are written a moment after their answer. */
export async function recordsOf(
  switchyard: Switchyard,
): Promise<readonly (DecisionRecord | TransitionRecord)[]> {
  const texts = await Promise.all(
    auditFiles(join(switchyard.dataDirectory, 'decisions')).map((path) => readFile(path, 'utf8')),
  );
  return texts
    .join('')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as DecisionRecord | TransitionRecord);
}

export function decisionsIn(
  records: readonly (DecisionRecord | TransitionRecord)[],
): readonly DecisionRecord[] {
  return records.filter((record) => record.kind !== 'transition');
}

/** Exchanges that the set judged: Check and Process write one record each. */
export function exchangesOf(set: string, records: readonly DecisionRecord[]): number {
  return new Set(records.filter((record) => record.set === set).map((r) => r.exchange)).size;
}

/** Uniform in [0, 1), the same for the same seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
