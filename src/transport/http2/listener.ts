/** Sockets that are listened on: TCP in the clear or with TLS, and Unix sockets. */
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type { Http2Limits } from '../../engine/http2-limits.ts';
import { type ListenAddress, ListenError, type StagedSocket, stageSocket } from '../listen.ts';
import { Admission, type Eviction, type Visitor } from './admission.ts';
import type { Http2Connection } from './connection.ts';
import { ENHANCE_YOUR_CALM, NO_ERROR } from './frames.ts';

export interface Listener {
  /** `host:port` or `unix:path`, with the port that was bound. */
  readonly address: string;
  /** No new connections; those that are open stay. */
  close(): void;
  /** Removes what the listener left on disk. */
  remove(): Promise<void>;
}

export interface ListenerEvents {
  /** With TLS: h2 is agreed on. */
  readonly connected: (socket: Socket, place: Place) => void;
  /** Refused before it was a connection, or given up for another before it had said who it is. */
  readonly refused: (
    reason: 'connections_max' | 'tls_without_h2' | 'accept_failed' | Eviction,
  ) => void;
}

/** The place of a socket among the connections of its listener. */
export class Place implements Visitor {
  readonly #socket: Socket;
  readonly #admission: Admission;
  readonly #refused: ListenerEvents['refused'];
  #connection: Http2Connection | undefined;

  constructor(socket: Socket, admission: Admission, refused: ListenerEvents['refused']) {
    this.#socket = socket;
    this.#admission = admission;
    this.#refused = refused;
  }

  /** Its connection is over, its socket may linger. */
  over(): void {
    this.#admission.lingers(this);
  }

  takenBy(connection: Http2Connection): void {
    this.#connection = connection;
  }

  get state(): Visitor['state'] {
    const connection = this.#connection;
    if (connection?.over === true) return 'over';
    return connection?.established === true ? 'established' : 'half-open';
  }

  get idleSinceMs(): number | undefined {
    return this.#connection?.idleSinceMs;
  }

  evict(): void {
    if (this.#connection === undefined) this.#refused('evicted_half_open');
    else if (this.state === 'established') this.#connection.fail(NO_ERROR, 'evicted_idle');
    else this.#connection.fail(ENHANCE_YOUR_CALM, 'evicted_half_open');
    // The last words are with the kernel by then.
    setImmediate(() => this.#socket.destroy());
  }
}

/** What RFC 9113 Appendix A leaves of TLS 1.2; 1.3 has nothing else. */
const CIPHERS = [
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'TLS_AES_128_GCM_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':');

/** Rejects with ListenError. */
export async function listen(
  address: ListenAddress,
  limits: Http2Limits,
  events: ListenerEvents,
): Promise<Listener> {
  const admission = new Admission(limits.connectionsMax);
  const server =
    address.kind === 'tcp' && address.tls
      ? tls(address, limits, admission, events)
      : clear(admission, events);
  if (address.kind === 'unix') {
    const staged = await stageSocket(address.path, address.mode);
    await bind(server, { path: staged.bindPath }, `unix:${address.path}`, events, staged);
    await staged.publish();
    return listener(server, `unix:${address.path}`, staged);
  }
  const host = address.host.includes(':') ? `[${address.host}]` : address.host;
  await bind(server, { host: address.host, port: address.port }, `${host}:${address.port}`, events);
  const bound = server.address();
  const port = typeof bound === 'object' && bound !== null ? bound.port : address.port;
  return listener(server, `${host}:${port}`);
}

function listener(server: Server, address: string, staged?: StagedSocket): Listener {
  return {
    address,
    close: () => {
      server.close();
    },
    remove: async () => staged?.remove(),
  };
}

/** Its place among the others, or undefined where there is none. */
function admitted(
  socket: Socket,
  admission: Admission,
  refused: ListenerEvents['refused'],
): Place | undefined {
  const place = new Place(socket, admission, refused);
  if (!admission.admit(place, performance.now())) {
    refused('connections_max');
    return undefined;
  }
  socket.on('close', () => admission.left(place));
  return place;
}

function clear(admission: Admission, events: ListenerEvents): Server {
  return createServer({ noDelay: true }, (socket) => {
    const place = admitted(socket, admission, events.refused);
    if (place === undefined) socket.destroy();
    else events.connected(socket, place);
  });
}

function tls(
  address: Extract<ListenAddress, { kind: 'tcp' }>,
  limits: Http2Limits,
  admission: Admission,
  events: ListenerEvents,
): Server {
  const { cert, key, ca, requireClientCert } = address.tls as NonNullable<typeof address.tls>;
  if (requireClientCert === true && ca === undefined)
    throw new ListenError('ca_missing', `${address.host}:${address.port}`);
  const server = createTlsServer({
    ...{ cert, key, ...(ca && { ca }) },
    ...{ requestCert: requireClientCert === true, rejectUnauthorized: requireClientCert === true },
    ALPNProtocols: ['h2'],
    minVersion: 'TLSv1.2',
    ciphers: CIPHERS,
    handshakeTimeout: limits.prefaceMs,
    noDelay: true,
  });
  // A handshake takes a place, too. Its socket is another one than that which comes of it.
  const places = new Map<string, Place>();
  server.prependListener('connection', (socket: Socket) => {
    const place = admitted(socket, admission, events.refused);
    const peer = peerOf(socket);
    if (place === undefined) process.nextTick(() => socket.destroy());
    else {
      places.set(peer, place);
      socket.on('close', () => {
        if (places.get(peer) === place) places.delete(peer);
      });
    }
  });
  server.on('secureConnection', (socket) => {
    const place = places.get(peerOf(socket));
    if (place === undefined) socket.destroy();
    else if (socket.alpnProtocol === 'h2') events.connected(socket, place);
    else {
      events.refused('tls_without_h2');
      socket.destroy();
    }
  });
  // A handshake that fails is the peer's affair; its socket is closed by Node.
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  return server;
}

const peerOf = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress} ${remotePort}`;

function bind(
  server: Server,
  where: { readonly path: string } | { readonly host: string; readonly port: number },
  shown: string,
  events: ListenerEvents,
  staged?: StagedSocket,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException): void => {
      void staged?.remove();
      reject(
        new ListenError(error.code === 'EADDRINUSE' ? 'address_in_use' : 'bind_failed', shown),
      );
    };
    server.once('error', failed);
    server.listen({ ...where, backlog: LISTEN_BACKLOG }, () => {
      server.off('error', failed);
      // One connection that could not be accepted, for want of descriptors mostly: the others are served.
      server.on('error', () => events.refused('accept_failed'));
      resolve();
    });
  });
}

/**
 * Connections that the kernel keeps while we are busy; it takes the smaller of this and its own limit. Fewer would have
 * those beyond it believe that they are connected, and wait.
 */
const LISTEN_BACKLOG = 1024;
