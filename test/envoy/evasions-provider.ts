/** A provider that plays each row's answer byte for byte, and keeps what reached it byte for byte. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Reply } from './evasions-row.ts';

export interface Arrival {
  /** The body as it was on the wire, and behind it the trailers. */
  readonly bytes: Buffer;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly trailers: Readonly<Record<string, string | undefined>>;
}

export interface Provider {
  readonly port: number;
  /** By row, what came; absent when nothing did. */
  readonly arrivals: ReadonlyMap<string, Arrival>;
  stop(): Promise<void>;
}

/** `reply`: the answer to the row that `header` of the request names. Port 0. */
export async function startProvider(
  header: string,
  reply: (row: string) => Reply,
): Promise<Provider> {
  const arrivals = new Map<string, Arrival>();

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const row = String(request.headers[header]);
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    arrivals.set(row, {
      bytes: Buffer.concat(chunks),
      path: request.url ?? '',
      headers: request.headers,
      trailers: request.trailers,
    });
    const { status = 200, headers, writes, trailers, stalls } = reply(row);
    const named = { 'content-type': 'application/json', ...headers };
    for (const [name, value] of Object.entries(named))
      if (value !== '') response.setHeader(name, value);
    if (trailers !== undefined) response.setHeader('trailer', Object.keys(trailers));
    response.writeHead(status);
    response.flushHeaders();
    // One write each: put together they would tell nothing about cuts.
    for (const bytes of writes)
      await new Promise<void>((resolve) => response.write(bytes, () => resolve()));
    if (stalls === true) return;
    if (trailers !== undefined) response.addTrailers(trailers);
    response.end();
  }

  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  server.keepAliveTimeout = 0;
  server.listen({ host: '127.0.0.1', port: 0 });
  await once(server, 'listening');
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    arrivals,
    stop: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
