/** A socket as the place where a connection's bytes go. */
import type { Buffer } from 'node:buffer';
import type { Socket } from 'node:net';
import type { ByteSink } from './output.ts';

/** Time for the last bytes to leave a socket whose peer reads slowly. */
const LINGER_MS = 1_000;

export function socketSink(socket: Socket): ByteSink & { close(fault: boolean): void } {
  return {
    write(bytes: readonly Buffer[], done: () => void): void {
      if (bytes.length === 1) {
        socket.write(bytes[0] as Buffer, done);
        return;
      }
      const last = bytes.length - 1;
      socket.cork();
      for (let index = 0; index < last; index++) socket.write(bytes[index] as Buffer);
      socket.write(bytes[last] as Buffer, done);
      socket.uncork();
    },
    close(fault: boolean): void {
      if (socket.destroyed) return;
      // Who floods goes on for as long as he is read; what he is told stays with him until the socket is destroyed.
      if (fault) socket.pause();
      socket.end();
      setTimeout(() => socket.destroy(), LINGER_MS).unref();
    },
  };
}
