/** The operator of a test: asks over the admin socket, reads the status, waits for what is to come. */
import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ControlStatus } from '../../src/engine/control.ts';
import type { Switchyard } from './harness.ts';

export interface Reply {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/** POST /v1/NAME over the admin socket: what the CLI does, without a process for each. Never rejects. */
export function ask(server: Switchyard, name: string, fields: object = {}): Promise<Reply> {
  const body = JSON.stringify(fields);
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
  return new Promise((resolve) => {
    const failed = (): void => resolve({ status: 0, body: {} });
    const outgoing = request(
      {
        socketPath: server.adminSocket,
        method: 'POST',
        path: `/v1/${name}`,
        headers,
        agent: false,
      },
      (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
        incoming.on('error', failed);
        incoming.on('end', () =>
          resolve({
            status: incoming.statusCode ?? 0,
            body: JSON.parse(Buffer.concat(chunks).toString('utf8')) as Reply['body'],
          }),
        );
      },
    );
    outgoing.on('error', failed);
    outgoing.end(body);
  });
}

export async function statusOf(server: Switchyard): Promise<ControlStatus> {
  return JSON.parse((await server.admin('/status')).text) as ControlStatus;
}

/** Looks every `everyMs` until there is something; rejects, naming what it waited for, after `withinMs`. */
export async function eventually<T>(
  what: string,
  look: () => Promise<T | undefined>,
  { withinMs = 15_000, everyMs = 25 }: { withinMs?: number; everyMs?: number } = {},
): Promise<T> {
  const startedAt = performance.now();
  while (performance.now() - startedAt < withinMs) {
    const found = await look();
    if (found !== undefined) return found;
    await sleep(everyMs);
  }
  throw new Error(`waited ${withinMs} ms in vain for ${what}`);
}

/** Waits until the status is as wanted, and returns it. */
export function statusWhere(
  server: Switchyard,
  what: string,
  isWanted: (status: ControlStatus) => boolean,
): Promise<ControlStatus> {
  return eventually(what, async () => {
    const status = await statusOf(server);
    return isWanted(status) ? status : undefined;
  });
}

/** Saves one file and waits until the set made of it serves, or is tried, or waits; returns the status. */
export async function saveAndServe(
  server: Switchyard,
  name: string,
  text: string,
): Promise<ControlStatus> {
  const before = await statusOf(server);
  await server.save(name, text);
  return statusWhere(
    server,
    `the save of ${name}`,
    ({ epoch, blue }) => epoch > before.epoch && blue?.digest !== before.blue?.digest,
  );
}
