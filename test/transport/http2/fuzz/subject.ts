/** The connection under test, its calls, and its peer's strict view of all that it says. */
import { Buffer } from 'node:buffer';
import { HTTP2_LIMITS_DEFAULT, type Http2Limits } from '../../../../src/engine/http2-limits.ts';
import { Http2Connection } from '../../../../src/transport/http2/connection.ts';
import type { ConnectionFault } from '../../../../src/transport/http2/frames.ts';
import { SharedBytes } from '../../../../src/transport/http2/held-bytes.ts';
import { Ledger } from './calls.ts';
import type { ModelLimits } from './frame-model.ts';
import { PeerView } from './peer-view.ts';

export type SubjectLimits = Http2Limits & ModelLimits;

/** Limits by their names, the others as they are by default. */
export function limitsOf(options: Readonly<Record<string, number>>): SubjectLimits {
  return { messageBytesMax: 100_000, ...HTTP2_LIMITS_DEFAULT, ...options };
}

export class Subject {
  readonly connection: Http2Connection;
  readonly view = new PeerView();
  readonly ledger = new Ledger();
  readonly shared: SharedBytes;
  readonly output: Buffer[] = [];
  readonly problems: string[] = [];
  fault: ConnectionFault | undefined | 'running' = 'running';
  nowMs = 0;
  readonly #watched: boolean;
  #closed = false;
  #opened = 0;
  #streamEnds = 0;
  #overs = 0;
  /** The socket takes nothing meanwhile. */
  stalled = false;
  #held: { readonly given: Buffer; readonly copy: Buffer }[] = [];
  #dones: (() => void)[] = [];

  /** `watched`: the view is told of every frame that is sent, and so may judge the answers. */
  constructor(limits: SubjectLimits, watched = true) {
    this.#watched = watched;
    this.shared = new SharedBytes(limits.inboundBytesTotalMax);
    this.connection = new Http2Connection({
      limits,
      inbound: this.shared,
      open: (head, stream) => {
        this.#opened++;
        return this.ledger.open(head, stream, {
          receiveBytesMax: limits.messageBytesMax,
          outboundBytes: limits.outboundBytesPerStream,
        });
      },
      sink: {
        write: (bytes, done) => this.#write(bytes, done),
        close: () => {
          if (this.#closed) this.problems.push('the socket is closed twice');
          this.#closed = true;
        },
      },
      nowMs: () => this.nowMs,
      onOver: (fault) => {
        this.#overs++;
        this.fault = fault;
      },
      onStreamOver: () => this.#streamEnds++,
      onCrash: (error) => this.problems.push(`crash: ${error instanceof Error ? error.stack : ''}`),
    });
  }

  /** Told of a chunk of the socket. */
  receive(bytes: Buffer): void {
    this.connection.receive(bytes);
  }

  /** The same with what is said in answer: a turn. */
  async received(bytes: Buffer): Promise<void> {
    this.receive(bytes);
    await this.settled();
  }

  #write(bytes: readonly Buffer[], done: () => void): void {
    if (this.#closed) this.problems.push('written behind the end');
    for (const given of bytes) {
      const copy = Buffer.from(given);
      this.output.push(copy);
      if (this.#watched) this.view.receive(copy);
      this.#held.push({ given, copy });
    }
    this.#dones.push(done);
    if (!this.stalled) this.take();
  }

  /** The socket takes what it was given, which nobody may have written to since. */
  take(): void {
    for (const { given, copy } of this.#held.splice(0))
      if (!given.equals(copy)) this.problems.push('bytes changed before they were out');
    for (const done of this.#dones.splice(0)) done();
  }

  /** What is said outside of `receive` leaves at the end of the turn. */
  async settled(): Promise<void> {
    for (let turn = 0; turn < 4; turn++) await Promise.resolve();
  }

  /** The peer goes; what must hold by then whatever has come before. */
  async end(): Promise<readonly string[]> {
    await this.settled();
    this.stalled = false;
    this.take();
    await this.settled();
    const endedBefore = this.fault !== 'running';
    this.connection.lost();
    await this.settled();
    this.take();
    this.view.closed();
    const { problems } = this;
    if (!this.#closed) problems.push('the socket stays open');
    if (this.#overs !== 1) problems.push(`told ${this.#overs} times that it is over`);
    if (this.shared.held !== 0 || this.shared.holders !== 0)
      problems.push(`${this.shared.held} bytes are held still`);
    if (this.connection.streams !== 0) problems.push('streams are left');
    if (!endedBefore && this.fault !== 'peer_closed') problems.push(`fault ${this.fault}`);
    for (const ends of this.ledger.ends)
      if (ends.length !== 1) problems.push(`a stream has ${ends.length} ends: ${ends}`);
    if (this.#streamEnds !== this.#opened)
      problems.push(`${this.#opened} streams were opened, ${this.#streamEnds} told to be over`);
    return [...problems, ...this.view.problems];
  }
}
