/** A wire that carries one byte at a time, each way, as no client or server would write of itself. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface Dribbler {
  readonly port: number;
  /** How many single bytes went to the server so far. */
  readonly carried: () => number;
  stop(): Promise<void>;
}

/** Bytes between two of which the event loop gets its turn: the kernel may not put all of them together again. */
const TURN_BYTES = 8;

export async function startDribbler(target: number): Promise<Dribbler> {
  let carried = 0;
  const open = new Set<Socket>();
  const dribble = async (from: Socket, to: Socket, count: boolean): Promise<void> => {
    to.setNoDelay(true);
    for await (const bytes of from as AsyncIterable<Buffer>)
      for (let at = 0; at < bytes.length; at++) {
        if (to.destroyed) return;
        to.write(bytes.subarray(at, at + 1));
        if (count) carried++;
        if (at % TURN_BYTES === 0) await new Promise((resolve) => setImmediate(resolve));
      }
    to.end();
  };
  const server = createServer((client) => {
    const upstream = connect(target, '127.0.0.1');
    for (const socket of [client, upstream]) {
      open.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        open.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    dribble(client, upstream, true).catch(() => undefined);
    dribble(upstream, client, false).catch(() => undefined);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    carried: () => carried,
    stop: async () => {
      for (const socket of open) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
