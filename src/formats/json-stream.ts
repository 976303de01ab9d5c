/** A body that is an event stream of JSON objects, one frame an event. */
import { Buffer } from 'node:buffer';
import type { ApiNames } from './api-names.ts';
import type { AppendForm, BodyReader, Frame, Refusal } from './frame.ts';
import { FrameReading, type Opened, PacedReader, unreadable } from './frame-reading.ts';
import {
  type JsonArray,
  type JsonObject,
  type JsonReading,
  JsonScanner,
  readJson,
} from './json.ts';
import { type JsonFrameParts, silentFrame, unreadableFrame } from './json-frame.ts';
import type { FormatLimits } from './limits.ts';
import type { Pace } from './pace.ts';
import { type DataLine, EventSplitter, type RawEvent, readEvent } from './sse.ts';

const NONE: readonly RawEvent[] = Object.freeze([]);
const CR = 0x0d;
const LF = 0x0a;

/** Where the JSON of an event stands. */
export type EventSource = Pick<JsonFrameParts, 'raw' | 'data' | 'lines'>;

/** Cuts the stream and parses each event; what its members mean is the format's to say. */
export abstract class JsonStreamReader extends PacedReader implements BodyReader {
  protected readonly limits: FormatLimits;
  /** The end of the answer was read. */
  #over = false;
  protected readonly names: ApiNames;
  readonly #events: EventSplitter;
  /** What must come first so that our own event begins on a line of its own. */
  #lead: '' | '\n' | '\n\n' = '';
  /** Events behind a large one. */
  #waiting = NONE;

  constructor(limits: FormatLimits, names: ApiNames) {
    super();
    this.limits = limits;
    this.names = names;
    this.#events = new EventSplitter(limits.frameBytesMax);
  }

  /** What becomes of an event whose data is the object `root`. `pace`: see `PieceCollector`. */
  protected abstract read(root: JsonObject, source: EventSource, pace: Pace | undefined): Opened;

  /** What becomes of an event whose data is an array: nothing, for most formats. */
  protected readArray(_root: JsonArray, source: EventSource, _pace: Pace | undefined): Opened {
    return unreadable(source.raw, 'not_an_object');
  }

  abstract refuse(refusal: Refusal): readonly Uint8Array[];

  abstract append(text: string, addition: string, before: Frame | undefined): AppendForm;

  get pendingBytes(): number {
    return this.#events.pendingBytes;
  }

  push(bytes: Uint8Array): readonly Frame[] {
    return this.#take(this.#events.push(bytes));
  }

  end(): readonly Frame[] {
    return this.#take(this.#events.end());
  }

  protected override readThrough(frame: Frame): readonly Frame[] {
    const waiting = this.#waiting;
    this.#waiting = NONE;
    return [this.#inPlace(frame), ...this.#take(waiting)];
  }

  /** The frames of these events, up to one that is too large for one go. */
  #take(events: readonly RawEvent[]): readonly Frame[] {
    const frames: Frame[] = [];
    for (let index = 0; index < events.length; index += 1) {
      const frame = this.#frame(events[index]!);
      if (frame === undefined) {
        this.#waiting = events.slice(index + 1).map(ownEvent);
        return [...frames, ...this.readOn()];
      }
      frames.push(frame);
    }
    return frames;
  }

  sent(frame: Frame, _unfinished?: boolean): void {
    this.#lead = leadAfter(frame.bytes);
  }

  /** Events of our own behind all that has left. */
  protected following(events: readonly Uint8Array[]): readonly Uint8Array[] {
    return this.#lead === '' ? events : [Buffer.from(this.#lead), ...events];
  }

  /** Undefined: it is large, and is being read. */
  #frame(event: RawEvent): Frame | undefined {
    if (event.oversized) return unreadableFrame(event, 'frame_too_large');
    const { lines, foreign } = readEvent(event.bytes, event.first);
    if (foreign) return unreadableFrame(event.bytes, 'not_an_event');
    const only = lines[0];
    if (only === undefined) return silentFrame(event.bytes, false);
    if (lines.length > 1) return this.#joined(event.bytes, lines);
    const source = { raw: event.bytes, data: event.bytes };
    return this.#parsed(source, only.rawStart, only.rawStart + only.length);
  }

  #joined(raw: Uint8Array, lines: readonly DataLine[]): Frame | undefined {
    const last = lines.at(-1)!;
    const data = new Uint8Array(last.dataStart + last.length).fill(LF);
    for (const { rawStart, dataStart, length } of lines)
      if (length > SHORT_LINE_BYTES) data.set(raw.subarray(rawStart, rawStart + length), dataStart);
      else for (let at = 0; at < length; at += 1) data[dataStart + at] = raw[rawStart + at]!;
    return this.#parsed({ raw, data, lines }, 0, data.length);
  }

  /** The frame of an event whose data is `source.data[from,to)`. */
  #parsed(source: EventSource, from: number, to: number): Frame | undefined {
    const silent = this.silent(source, from, to);
    if (silent !== undefined) return silent;
    const { data } = source;
    if (this.isLarge(to - from)) {
      const own = ownSource(source);
      const scanner = new JsonScanner(own.data, this.limits, this.names, from, to);
      this.open(new FrameReading(scanner, (json, at) => this.meaning(json, own, from, to, at)));
      return undefined;
    }
    const json = readJson(data, this.limits, this.names, from, to);
    return this.#inPlace(this.meaning(json, source, from, to, undefined).frame());
  }

  /** The frame of an event that needs no reading, if it is one. */
  protected silent({ raw, data }: EventSource, from: number, to: number): Frame | undefined {
    if (to - from <= BLANK_DATA_BYTES_MAX) {
      const text = Buffer.from(data.subarray(from, to)).toString('latin1').trim();
      if (text === '') return silentFrame(raw, false);
      if (text === '[DONE]') {
        this.#over = true;
        return silentFrame(raw, true);
      }
    }
    return undefined;
  }

  /** What becomes of an event whose data, `source.data[from,to)`, reads as `json`. */
  protected meaning(
    json: JsonReading,
    source: EventSource,
    _from: number,
    _to: number,
    pace: Pace | undefined,
  ): Opened {
    if (!json.ok) return unreadable(source.raw, json.reason);
    if (json.root.kind === 'object') return this.read(json.root, source, pace);
    if (json.root.kind === 'array') return this.readArray(json.root, source, pace);
    return unreadable(source.raw, 'not_an_object');
  }

  /** Some clients read on behind the end, and put what follows behind what they have. */
  #inPlace(frame: Frame): Frame {
    if (this.#over && frame.pieces.length > 0)
      return unreadableFrame(frame.bytes, 'text_after_end');
    if (frame.terminal) this.#over = true;
    return frame;
  }
}

/** What is read on in a later call must not lie in what this call was given. */
function ownSource({ raw, data, lines }: EventSource): EventSource {
  const own = Buffer.from(raw);
  return { raw: own, data: data === raw ? own : data, lines };
}

function ownEvent(event: RawEvent): RawEvent {
  return { ...event, bytes: Buffer.from(event.bytes) };
}

/** Up to here copying byte by byte is quicker. */
const SHORT_LINE_BYTES = 32;
/** Data this short may be blank or the end marker. */
const BLANK_DATA_BYTES_MAX = 16;

/**
 * Our own event must begin on a fresh line after a complete event. After a CR an LF may be missing,
 * which then belongs to that line end; after anything else the event is still open.
 */
function leadAfter(bytes: Uint8Array): '' | '\n' | '\n\n' {
  const last = bytes.at(-1);
  if (last === undefined) return '';
  const before = bytes.at(-2);
  if (last === CR && (before === CR || before === LF)) return '\n';
  if (last === LF && (before === LF || before === undefined)) return '';
  return '\n\n';
}
