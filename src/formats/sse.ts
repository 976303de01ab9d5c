/**
 * Server-sent events, as the WHATWG event-stream grammar reads them, with every byte kept.
 * An event ends with the line end that completes its blank line; where that line end is a CR, an LF
 * directly behind it opens the next event, so that nothing ever waits for a byte that may not come.
 */
import { Buffer } from 'node:buffer';
import { ByteStore } from './byte-store.ts';

const LF = 0x0a;
const CR = 0x0d;

export interface RawEvent {
  /** Perhaps a view of what was pushed: valid as long as that is. */
  readonly bytes: Uint8Array;
  /** A part of an event longer than `frameBytesMax`: nothing in it can be read. */
  readonly oversized: boolean;
  /** These are the first bytes of the stream: a byte-order mark may stand there. */
  readonly first: boolean;
}

/** Most streams are refused with it, so that it is put together only when somebody asks. */
class OversizedEvent implements RawEvent {
  readonly oversized = true;
  readonly first: boolean;
  readonly #parts: readonly Uint8Array[];

  constructor(parts: readonly Uint8Array[], first: boolean) {
    this.#parts = parts;
    this.first = first;
  }

  get bytes(): Uint8Array {
    return Buffer.concat(this.#parts);
  }
}

/** Cuts a stream into events. Which events come out depends on the bytes only, never on how they arrive. */
export class EventSplitter {
  readonly #frameBytesMax: number;
  readonly #pending = new ByteStore();
  #lineIsEmpty = true;
  #afterCr = false;
  #oversized = false;
  #first = true;

  /** `frameBytesMax`: longest event given out whole; a longer one comes in parts of that size. */
  constructor(frameBytesMax: number) {
    this.#frameBytesMax = frameBytesMax;
  }

  get pendingBytes(): number {
    return this.#pending.length;
  }

  push(bytes: Uint8Array): readonly RawEvent[] {
    const events: RawEvent[] = [];
    /** Where these bytes begin. */
    const base = this.#pending.length;
    this.#pending.append(bytes);
    // All of these are offsets in `bytes`: what came before has been looked at.
    let start = -base;
    for (let scan = 0; scan < bytes.length; scan += 1) {
      if (scan - start === this.#frameBytesMax) {
        this.#oversized = true;
        events.push(this.#cut(base + start, base + scan));
        start = scan;
      }
      const next = insideLine(bytes, scan, Math.min(bytes.length, start + this.#frameBytesMax));
      if (next > scan) {
        this.#lineIsEmpty = false;
        this.#afterCr = false;
        // The loop adds the one back.
        scan = next - 1;
      } else if (this.#endsEvent(bytes[scan]!)) {
        events.push(this.#cut(base + start, base + scan + 1));
        start = scan + 1;
        this.#oversized = false;
      }
    }
    this.#pending.keepFrom(base + start);
    return events;
  }

  /** The stream is over: what stands before the missing blank line, if anything. */
  end(): readonly RawEvent[] {
    if (this.#pending.length === 0) return [];
    const event = this.#cut(0, this.#pending.length);
    this.#pending.keepFrom(this.#pending.length);
    return [event];
  }

  #cut(start: number, end: number): RawEvent {
    const first = this.#first;
    this.#first = false;
    if (this.#oversized) return new OversizedEvent(this.#pending.parts(start, end), first);
    return { bytes: this.#pending.take(start, end), oversized: false, first };
  }

  /** `byte`: an LF or a CR. */
  #endsEvent(byte: number): boolean {
    const completesCrlf = byte === LF && this.#afterCr;
    this.#afterCr = byte === CR;
    if (completesCrlf) return false;
    const blank = this.#lineIsEmpty;
    this.#lineIsEmpty = true;
    return blank;
  }
}

/** The first line end from `from` on, or `to`. */
function insideLine(bytes: Uint8Array, from: number, to: number): number {
  let at = from;
  while (at < to && bytes[at] !== LF && bytes[at] !== CR) at += 1;
  return at;
}

/** Where the value of one `data` line lies. */
export interface DataLine {
  /** Offset in the data as a client joins it (lines joined by LF). */
  readonly dataStart: number;
  /** Offset in the event's own bytes. */
  readonly rawStart: number;
  readonly length: number;
}

export interface EventReading {
  /** Empty when the event has no `data` line: clients ignore it. */
  readonly lines: readonly DataLine[];
  /** A line that no client would take for a field; the text of a body that is no event stream. */
  readonly foreign: boolean;
}

const FIELD_NAMES: ReadonlySet<string> = new Set(['event', 'id', 'retry']);

/** Reads the fields of one event. `first`: skip a byte-order mark. Cost: linear. */
export function readEvent(bytes: Uint8Array, first: boolean): EventReading {
  const lines: DataLine[] = [];
  let foreign = false;
  let dataStart = 0;
  const marked = first && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
  let start = marked ? 3 : 0;
  while (start < bytes.length) {
    const end = insideLine(bytes, start, bytes.length);
    const value = dataValue(bytes, start, end);
    if (value !== undefined) {
      lines.push({ dataStart, rawStart: value, length: end - value });
      dataStart += end - value + 1;
    } else if (end > start && !isKnownLine(bytes, start, end)) {
      foreign = true;
    }
    start = end + (bytes[end] === CR && bytes[end + 1] === LF ? 2 : 1);
  }
  return { lines, foreign };
}

/** First byte of the value of a `data` line, or undefined for another line. */
function dataValue(bytes: Uint8Array, start: number, end: number): number | undefined {
  const named =
    bytes[start] === 0x64 &&
    bytes[start + 1] === 0x61 &&
    bytes[start + 2] === 0x74 &&
    bytes[start + 3] === 0x61;
  if (!named || end - start < 4) return undefined;
  const colon = start + 4;
  if (colon === end) return end;
  if (bytes[colon] !== 0x3a) return undefined;
  return colon + 1 < end && bytes[colon + 1] === 0x20 ? colon + 2 : colon + 1;
}

const FIELD_NAME_BYTES_MAX = 8;

function isKnownLine(bytes: Uint8Array, start: number, end: number): boolean {
  if (bytes[start] === 0x3a) return true;
  const head = Buffer.from(bytes.subarray(start, Math.min(end, start + FIELD_NAME_BYTES_MAX)));
  const name = head.toString('latin1').split(':', 1)[0]!;
  return FIELD_NAMES.has(name);
}
