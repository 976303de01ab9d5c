/** Servers of the Model Context Protocol that nobody here wrote, on the loopback address. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { createMcpHandler, fromJsonSchema, McpServer } from '@modelcontextprotocol/server';
import { startProcess } from '../../demo/processes.ts';

const READY_TIMEOUT_MS = 20_000;
/** Makes a server listen on the loopback address, on a port that is free, and say which. */
const LOOPBACK = new URL('./loopback.mjs', import.meta.url).href;

export interface ToolServer {
  readonly port: number;
  /** Arguments of the calls that reached it, as JSON; only of the server of our own process. */
  readonly called: readonly string[];
  stop(): Promise<void>;
}

/** The official test server, which speaks the revisions up to 2025-11-25, with sessions. */
export async function startEverything(): Promise<ToolServer> {
  const entry = import.meta.resolve('@modelcontextprotocol/server-everything/dist/index.js');
  const running = await startProcess(process.execPath, [
    ...['--import', LOOPBACK],
    fileURLToPath(entry),
    'streamableHttp',
  ]);
  const line = await running.line((text) => text.startsWith('{"port":'), READY_TIMEOUT_MS);
  const { port } = JSON.parse(line) as { readonly port: number };
  return { port, called: [], stop: () => running.stop() };
}

interface Echoed {
  readonly message: string;
}

/** The official server library with one tool, which speaks revision 2026-07-28. */
export async function startModern(): Promise<ToolServer> {
  const called: string[] = [];
  const handler = createMcpHandler(() => {
    const server = new McpServer({ name: 'echo', version: '1.0.0' });
    const inputSchema = fromJsonSchema<Echoed>({
      type: 'object',
      properties: { message: { type: 'string' } },
      required: ['message'],
    });
    server.registerTool('echo', { inputSchema }, async ({ message }, context) => {
      called.push(JSON.stringify({ message }));
      const progress = { progressToken: context.mcpReq._meta?.progressToken ?? 0, progress: 1 };
      if (context.mcpReq._meta?.progressToken !== undefined)
        await context.mcpReq.notify({
          method: 'notifications/progress',
          params: { ...progress, message: `half of ${message}` },
        });
      return { content: [{ type: 'text', text: `Echo: ${message}` }] };
    });
    return server;
  });
  const http = createServer((request, response) => {
    void answer(handler, request, response);
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  const { port } = http.address() as AddressInfo;
  return {
    port,
    called,
    stop: async () => {
      await handler.close();
      http.closeAllConnections();
      http.close();
    },
  };
}

/** The handler speaks web-standard requests; Node's are others. */
async function answer(
  handler: ReturnType<typeof createMcpHandler>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers))
    if (typeof value === 'string') headers.set(name, value);
  const body = Buffer.concat(chunks);
  const answered = await handler.fetch(
    new Request(`http://127.0.0.1${request.url}`, {
      method: request.method ?? 'POST',
      headers,
      ...(body.length > 0 && { body }),
    }),
  );
  response.writeHead(answered.status, Object.fromEntries(answered.headers));
  if (answered.body === null) response.end();
  else await pipeline(Readable.fromWeb(answered.body as never), response).catch(() => undefined);
}
