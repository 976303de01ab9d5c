/**
 * What a socket brings, handed to its connection in turns with all others: of one turn of the event loop they have a
 * bounded share together, whoever took little comes before whoever took much, and a peer that sends faster than that
 * is not read meanwhile. So a flood waits for itself, and nobody for the flood.
 */
import type { Buffer } from 'node:buffer';
import type { Socket } from 'node:net';
import type { Asker, Turns } from '../../engine/turns.ts';

/** What a connection is to its reader. */
export interface PacedTaker {
  /** Takes what so many units of work are enough for; how many of the bytes that were. */
  receive(chunk: Buffer, units: number): number;
  lost(): void;
}

/** Of one connection that has to wait, before the next one has its turn: about 200 µs. */
const SLICE_UNITS = 200;
/**
 * What is charged for a read, before anybody knows what its bytes ask for: little for little, so that a few frames go
 * before what is left of any number of floods.
 */
const READ_UNITS = 1;
const BYTES_PER_UNIT = 64;
/** A peer with more than this waiting is not read on: less costs less to keep than to stop and start its socket. */
const WAITING_BYTES_MAX = 16 * 1024;

export class PacedReader implements Asker {
  dueAt = 0;
  readonly #socket: Socket;
  readonly #taker: PacedTaker;
  readonly #turns: Turns;
  readonly #slice = (): number => this.#goOn();
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #peerEnded = false;

  constructor(socket: Socket, taker: PacedTaker, turns: Turns) {
    this.#socket = socket;
    this.#taker = taker;
    this.#turns = turns;
    socket.on('data', (chunk) => this.#took(chunk));
    socket.on('end', () => {
      this.#peerEnded = true;
      // What it had said before comes first.
      if (this.#waiting.length === 0) taker.lost();
    });
    socket.on('close', () => this.#lost());
    socket.on('error', () => this.#lost());
  }

  #lost(): void {
    this.#waiting = [];
    this.#taker.lost();
  }

  #took(chunk: Buffer): void {
    if (this.#waiting.length > 0) {
      this.#wait(chunk);
      return;
    }
    // Where nobody waits all of it is taken at once, as far as a turn goes: each slice is a write of its own.
    const units = unitsOf(chunk, this.#turns.unitsMax);
    if (this.#turns.othersWait || !this.#turns.take(units)) this.#wait(chunk);
    else {
      const taken = this.#taker.receive(chunk, Math.max(units, SLICE_UNITS));
      if (taken < chunk.length) this.#wait(chunk.subarray(taken));
    }
    if (this.#waiting.length > 0) this.#turns.add(this.#slice, this, unitsOf(chunk, SLICE_UNITS));
  }

  #wait(chunk: Buffer): void {
    this.#waiting.push(chunk);
    this.#waitingBytes += chunk.length;
    if (this.#waitingBytes > WAITING_BYTES_MAX) this.#socket.pause();
  }

  /** One slice of what waits; what the next one is charged. */
  #goOn(): number {
    const chunk = this.#waiting[0];
    if (chunk === undefined) return 0;
    const taken = this.#taker.receive(chunk, SLICE_UNITS);
    this.#waitingBytes -= taken;
    if (taken < chunk.length) this.#waiting[0] = chunk.subarray(taken);
    else this.#waiting.shift();
    const next = this.#waiting[0];
    if (next !== undefined) return unitsOf(next, SLICE_UNITS);
    if (this.#peerEnded) this.#taker.lost();
    else if (this.#socket.isPaused()) this.#socket.resume();
    return 0;
  }
}

function unitsOf({ length }: Buffer, most: number): number {
  return Math.min(most, READ_UNITS + Math.ceil(length / BYTES_PER_UNIT));
}
