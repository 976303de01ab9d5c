/** A body that is an event stream of JSON objects, one frame an event. */
import { Buffer } from 'node:buffer';
import type { ApiNames } from './api-names.ts';
import type { AppendForm, BodyReader, Frame, Refusal } from './frame.ts';
import { type JsonArray, type JsonObject, readJson } from './json.ts';
import { type JsonFrameParts, silentFrame, unreadableFrame } from './json-frame.ts';
import type { FormatLimits } from './limits.ts';
import { type DataLine, EventSplitter, type RawEvent, readEvent } from './sse.ts';

const CR = 0x0d;
const LF = 0x0a;

/** Where the JSON of an event stands. */
export type EventSource = Pick<JsonFrameParts, 'raw' | 'data' | 'lines'>;

/** Cuts the stream and parses each event; what its members mean is the format's to say. */
export abstract class JsonStreamReader implements BodyReader {
  protected readonly limits: FormatLimits;
  /** The end of the answer was read. */
  #over = false;
  protected readonly names: ApiNames;
  readonly #events: EventSplitter;
  /** What must come first so that our own event begins on a line of its own. */
  #lead: '' | '\n' | '\n\n' = '';

  constructor(limits: FormatLimits, names: ApiNames) {
    this.limits = limits;
    this.names = names;
    this.#events = new EventSplitter(limits.frameBytesMax);
  }

  /** The frame of an event whose data is the object `root`. */
  protected abstract read(root: JsonObject, source: EventSource): Frame;

  /** The frame of an event whose data is an array: of none, for most formats. */
  protected readArray(_root: JsonArray, source: EventSource): Frame {
    return unreadableFrame(source.raw, 'not_an_object');
  }

  abstract refuse(refusal: Refusal): readonly Uint8Array[];

  abstract append(text: string, addition: string, before: Frame | undefined): AppendForm;

  get pendingBytes(): number {
    return this.#events.pendingBytes;
  }

  push(bytes: Uint8Array): readonly Frame[] {
    return this.#events.push(bytes).map((event) => this.#frame(event));
  }

  end(): readonly Frame[] {
    return this.#events.end().map((event) => this.#frame(event));
  }

  sent(frame: Frame, _unfinished?: boolean): void {
    this.#lead = leadAfter(frame.bytes);
  }

  /** Events of our own behind all that has left. */
  protected following(events: readonly Uint8Array[]): readonly Uint8Array[] {
    return this.#lead === '' ? events : [Buffer.from(this.#lead), ...events];
  }

  #frame(event: RawEvent): Frame {
    if (event.oversized) return unreadableFrame(event.bytes, 'frame_too_large');
    const { lines, foreign } = readEvent(event.bytes, event.first);
    if (foreign) return unreadableFrame(event.bytes, 'not_an_event');
    const only = lines[0];
    if (only === undefined) return silentFrame(event.bytes, false);
    if (lines.length > 1) return this.#joined(event.bytes, lines);
    const source = { raw: event.bytes, data: event.bytes };
    return this.parsed(source, only.rawStart, only.rawStart + only.length);
  }

  #joined(raw: Uint8Array, lines: readonly DataLine[]): Frame {
    const last = lines.at(-1)!;
    const data = new Uint8Array(last.dataStart + last.length).fill(LF);
    for (const line of lines)
      data.set(raw.subarray(line.rawStart, line.rawStart + line.length), line.dataStart);
    return this.parsed({ raw, data, lines }, 0, data.length);
  }

  /** The frame of an event whose data is `source.data[from,to)`. */
  protected parsed(source: EventSource, from: number, to: number): Frame {
    const { raw, data } = source;
    if (to - from <= BLANK_DATA_BYTES_MAX) {
      const text = Buffer.from(data.subarray(from, to)).toString('latin1').trim();
      if (text === '') return silentFrame(raw, false);
      if (text === '[DONE]') {
        this.#over = true;
        return silentFrame(raw, true);
      }
    }
    const json = readJson(data, this.limits, this.names, from, to);
    if (!json.ok) return unreadableFrame(raw, json.reason);
    if (json.root.kind !== 'object' && json.root.kind !== 'array')
      return unreadableFrame(raw, 'not_an_object');
    const frame =
      json.root.kind === 'object'
        ? this.read(json.root, source)
        : this.readArray(json.root, source);
    // Some clients read on, and put what follows behind what they have.
    if (this.#over && frame.pieces.length > 0) return unreadableFrame(raw, 'text_after_end');
    if (frame.terminal) this.#over = true;
    return frame;
  }
}

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
