/**
 * The others, in a process of their own: streams that some provider writes and some clients read, a word every
 * few ms, and how long each word takes from the one to the other. Both are this process, so that there is one
 * clock. It ends with its parent.
 */
import { once } from 'node:events';
import { createServer, request } from 'node:http';
import { CHAT_PATH, chatBody, EVENTS, JSON_TYPE, say } from './evasions-bodies.ts';
import { NEIGHBOURS } from './evasions-floods.ts';

/** `port`: where Envoy listens; begins the streams of one group. `read`: gives the delays since the last time. */
export type NeighbourOrder =
  | {
      readonly group: string;
      readonly port: number;
      readonly headers: Readonly<Record<string, string>>;
    }
  | { readonly read: true };

export interface Delays {
  /** By group. */
  readonly delaysMs: Readonly<Record<string, readonly number[]>>;
}

const PAUSE_MS = 16;

const provider = createServer((incoming, response) => {
  incoming.resume();
  response.on('error', () => undefined);
  response.writeHead(200, EVENTS);
  const timer = setInterval(() => {
    response.write(say(`at${performance.now()} now `));
  }, PAUSE_MS);
  response.on('close', () => clearInterval(timer));
});

let delaysMs: Record<string, number[]> = {};

function listen(group: string, port: number, headers: Readonly<Record<string, string>>): void {
  const outgoing = request({
    host: '127.0.0.1',
    port,
    method: 'POST',
    path: CHAT_PATH,
    agent: false,
    headers: { ...JSON_TYPE, ...headers },
  });
  outgoing.on('response', (incoming) => {
    incoming.on('data', (bytes: Buffer) => {
      const nowMs = performance.now();
      for (const [, wroteMs] of bytes.toString('latin1').matchAll(/"at([\d.]+) now /gu))
        (delaysMs[group] ??= []).push(nowMs - Number(wroteMs));
    });
    incoming.on('end', () => process.exit(1));
  });
  outgoing.on('error', () => process.exit(1));
  outgoing.end(chatBody('hello', { stream: true }));
}

process.on('message', (order: NeighbourOrder) => {
  if ('read' in order) {
    process.send?.({ delaysMs });
    delaysMs = {};
    return;
  }
  for (let stream = 0; stream < NEIGHBOURS; stream++)
    listen(order.group, order.port, order.headers);
  process.send?.({ begun: true });
});
process.once('disconnect', () => process.exit(0));
provider.listen({ host: '127.0.0.1', port: 0 });
await once(provider, 'listening');
const address = provider.address();
process.send?.({ port: typeof address === 'object' ? address?.port : 0 });
