/** A peer made of bytes at a real socket. */
import { Buffer } from 'node:buffer';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { type Frame, fields, readFrames } from './raw-peer.ts';

export const PROCESS = '/envoy.service.ext_proc.v3.ExternalProcessor/Process';

/** The header block of a gRPC call. */
export const callBlock = (path: string, ...more: readonly (readonly [string, string])[]): Buffer =>
  fields(
    [':method', 'POST'],
    [':scheme', 'http'],
    [':path', path],
    ['content-type', 'application/grpc'],
    ['te', 'trailers'],
    ...more,
  );

/** A socket to `address`, what has come of it, and whether it is over. */
export class RawClient {
  readonly socket: Socket;
  readonly frames: Frame[] = [];
  #rest: Buffer = Buffer.alloc(0);
  #wake: () => void = () => {};
  over = false;

  constructor(address: string, tls = false) {
    const [host, port] = address.split(':') as [string, string];
    const where = { host, port: Number(port), noDelay: true };
    this.socket = tls
      ? connectTls({ ...where, ALPNProtocols: ['h2'], rejectUnauthorized: false })
      : connect(where);
    this.socket.on('data', (chunk) => {
      const { frames, rest } = readFrames(Buffer.concat([this.#rest, chunk]));
      this.#rest = rest;
      this.frames.push(...frames);
      this.#wake();
    });
    // A flood is cut off while it is written.
    this.socket.on('error', () => {});
    this.socket.on('close', () => {
      this.over = true;
      this.#wake();
    });
  }

  /** Resolves in a later turn, when the bytes are with the kernel or will never be: a flood has to see its end. */
  async write(...parts: readonly Buffer[]): Promise<void> {
    if (!this.over && !this.socket.destroyed)
      await new Promise<void>((resolve) => {
        this.socket.write(Buffer.concat(parts), () => resolve());
      });
    await new Promise((resolve) => setImmediate(resolve));
  }

  /** Until `found` gives something for what has come, or the connection is over. */
  async until<Found>(
    found: (frames: readonly Frame[]) => Found | undefined,
  ): Promise<Found | undefined> {
    for (;;) {
      const got = found(this.frames);
      if (got !== undefined || this.over) return got;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  closed(): Promise<unknown> {
    return this.until(() => undefined);
  }

  destroy(): void {
    this.socket.destroy();
  }
}
