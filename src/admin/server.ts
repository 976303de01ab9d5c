/**
 * The admin API: a Unix socket of mode 0600 for everything, and optionally a TCP listener that only
 * reads unless a bearer token is configured.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Control } from '../engine/control.ts';
import { AdminError, type Answer, failed } from './answer.ts';
import { assertToken } from './guard.ts';
import { listenPrivately } from './private-socket.ts';
import { type Channel, createRouter, type Router } from './routes.ts';

/** An operator, a probe and a scraper: more connections are somebody else. */
export const CONNECTIONS_MAX = 64;
/** A whole request must have arrived by then. */
const REQUEST_TIMEOUT_MS = 10_000;
const HEADERS_TIMEOUT_MS = 5_000;
const HEADER_BYTES_MAX = 16 * 1024;

export interface AdminOptions {
  /** At least one of the two listeners should be given. */
  readonly socketPath?: string;
  readonly tcp?: {
    readonly host: string;
    /** 0 takes a free one. */
    readonly port: number;
    /** Names other than loopback's that may stand in Host. */
    readonly names?: readonly string[];
    /** Allows changes over TCP. At least TOKEN_CHARS_MIN characters. */
    readonly token?: string;
  };
  readonly control: Control;
  readonly metrics: { render(): Promise<string>; readonly contentType: string };
  /** Why no set serves, in our own words; undefined when one does. */
  readonly ready: () => string | undefined;
  /** Records of an exchange id or a request id. */
  readonly decisions: (id: string) => Promise<readonly unknown[]>;
  /** Told the class of an error that was answered with internal_error. */
  readonly onInternalError?: (errorName: string) => void;
  readonly nowMs?: () => number;
}

export interface Admin {
  readonly addresses: {
    readonly socket?: string;
    readonly tcp?: { readonly host: string; readonly port: number };
  };
  /** Answers in flight are cut: an operator asks again. Idempotent. */
  close(): Promise<void>;
}

/** Starts the listeners. Throws AdminSocketError, the system's error, or Error for a weak token. */
export async function startAdmin(options: AdminOptions): Promise<Admin> {
  const { socketPath, tcp } = options;
  if (tcp?.token !== undefined) assertToken(tcp.token);
  const router = createRouter({ ...options, nowMs: options.nowMs ?? Date.now });
  const closers: (() => Promise<void>)[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(closers.splice(0).map((closeOne) => closeOne()));
  };
  const listener = (channel: Channel): Server =>
    httpServer(router, channel, options.onInternalError);
  try {
    if (socketPath !== undefined) {
      const server = listener({ kind: 'socket' });
      const remove = await listenPrivately(server, socketPath);
      closers.push(async () => {
        remove();
        await closeServer(server);
      });
    }
    let tcpAddress: { host: string; port: number } | undefined;
    if (tcp !== undefined) {
      const server = listener({ kind: 'tcp', names: tcp.names ?? [], token: tcp.token });
      await listenTcp(server, tcp.host, tcp.port);
      closers.push(() => closeServer(server));
      const { address, port } = server.address() as AddressInfo;
      tcpAddress = { host: address, port };
    }
    return {
      addresses: {
        ...(socketPath === undefined ? {} : { socket: socketPath }),
        ...(tcpAddress === undefined ? {} : { tcp: tcpAddress }),
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function httpServer(
  router: Router,
  channel: Channel,
  onInternalError: ((errorName: string) => void) | undefined,
): Server {
  const server = createServer(
    {
      requestTimeout: REQUEST_TIMEOUT_MS,
      headersTimeout: HEADERS_TIMEOUT_MS,
      maxHeaderSize: HEADER_BYTES_MAX,
    },
    (request, response) => {
      answer(router, request, channel, onInternalError).then(
        (value) => send(request, response, value),
        () => response.destroy(),
      );
    },
  );
  server.maxConnections = CONNECTIONS_MAX;
  return server;
}

async function answer(
  router: Router,
  request: IncomingMessage,
  channel: Channel,
  onInternalError: ((errorName: string) => void) | undefined,
): Promise<Answer> {
  try {
    return await router(request, channel);
  } catch (error) {
    if (error instanceof AdminError) return failed(error);
    // Its message may quote anything: only the class is told, and not to the caller.
    onInternalError?.(error instanceof Error ? error.name : 'Unknown');
    return failed(new AdminError('internal_error', 'the server failed at this; see its log'));
  }
}

function send(request: IncomingMessage, response: ServerResponse, value: Answer): void {
  if (response.destroyed) return;
  const bytes = Buffer.from(value.body, 'utf8');
  response.writeHead(value.status, {
    ...value.headers,
    'content-length': String(bytes.length),
  });
  response.end(request.method === 'HEAD' ? undefined : bytes);
}

function listenTcp(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
