/** JSON values one to a line (NDJSON, JSON Lines): a line is a frame, its strings are texts. */
import { Buffer } from 'node:buffer';
import { ByteStore } from './byte-store.ts';
import { errorResponse, refusalHeaders } from './chat-refusal.ts';
import type { AppendForm, BodyReader, Format, Frame, Refusal, RefusalResponse } from './frame.ts';
import { FrameReading, type Opened, PacedReader, unreadable } from './frame-reading.ts';
import { type JsonReading, JsonScanner } from './json.ts';
import { jsonFrame, silentFrame, unreadableFrame } from './json-frame.ts';
import { LeafReader } from './json-leaves.ts';
import { overlay } from './json-string.ts';
import { DEFAULT_FORMAT_LIMITS, type FormatLimits } from './limits.ts';
import { BYTES_PER_UNIT, type Pace } from './pace.ts';
import { KeyCounter, PieceCollector } from './piece-collector.ts';

/** The format with limits of its own. */
export function ndjsonWith(limits: FormatLimits): Format {
  return Object.freeze({
    name: 'ndjson' as const,
    messages: 'unknown' as const,
    reader: (direction: 'request' | 'response', streamed: boolean): BodyReader =>
      new LineReader(limits, direction, streamed),
    refusalResponse(refusal: Refusal, status: number): RefusalResponse {
      const { body } = errorResponse(refusal, status);
      return { status, headers: refusalHeaders(refusal, NDJSON), body: `${body}\n` };
    },
  });
}

export const ndjson: Format = ndjsonWith(DEFAULT_FORMAT_LIMITS);

const NDJSON = 'application/x-ndjson';
const LF = 0x0a;

/** What it takes to make a frame of a line, however short it is, in the units of a pace. */
const LINE_UNITS = 8;
const NOTHING = new Uint8Array(0);

class LineReader extends PacedReader implements BodyReader {
  readonly #limits: FormatLimits;
  readonly #direction: 'request' | 'response';
  readonly #streamed: boolean;
  readonly #leaves: LeafReader;
  readonly #keys = new KeyCounter();
  /** The beginning of a line. */
  readonly #pending = new ByteStore();
  /** What was pushed and not looked at yet. */
  #input: Uint8Array = NOTHING;
  /** That stays as it is. */
  #own = false;
  /** What is pending is the rest of a line that was too long. */
  #oversized = false;
  /** What has left ends inside a line. */
  #open = false;
  /** Lines of a whole body and texts in them, all of which are kept until the last one is judged. */
  #kept = 0;

  constructor(limits: FormatLimits, direction: 'request' | 'response', streamed: boolean) {
    super();
    this.#limits = limits;
    this.#direction = direction;
    this.#streamed = streamed;
    const place = direction === 'request' ? 'user' : 'assistant';
    this.#leaves = new LeafReader(place, undefined, limits.textsMax);
  }

  get pendingBytes(): number {
    return this.#pending.length;
  }

  override get unread(): boolean {
    return super.unread || this.#input.length > 0;
  }

  push(bytes: Uint8Array): readonly Frame[] {
    return this.#lines(bytes, false);
  }

  pushOwn(bytes: Uint8Array): readonly Frame[] {
    return this.#lines(bytes, true);
  }

  end(): readonly Frame[] {
    const { length } = this.#pending;
    return length === 0 ? [] : this.#through(this.#line(overlay(this.#pending.takeAll())));
  }

  override readOn(): readonly Frame[] {
    return super.unread ? super.readOn() : this.#lines(this.#input, this.#own);
  }

  protected override readThrough(frame: Frame): readonly Frame[] {
    return [this.#counted(frame), ...this.#lines(this.#input, this.#own)];
  }

  sent(frame: Frame): void {
    this.#open = frame.bytes.at(-1) !== LF;
  }

  refuse(refusal: Refusal): readonly Uint8Array[] {
    if (this.#direction === 'request') return [];
    const { body } = errorResponse(refusal, 200);
    return [Buffer.from(`${this.#open ? '\n' : ''}${body}\n`, 'utf8')];
  }

  append(): AppendForm {
    return { kind: 'impossible' };
  }

  /** The frames of these bytes, as far as the pace goes. `own`: they stay as they are. */
  #lines(bytes: Uint8Array, own: boolean): readonly Frame[] {
    const frames: Frame[] = [];
    this.#input = bytes;
    this.#own = own;
    while (this.#input.length > 0 && !super.unread) {
      if (this.pace !== undefined && this.pace.left <= 0) break;
      const raw = this.#tooMany ? this.#rest() : this.#cut();
      if (raw !== undefined) frames.push(...this.#through(this.#line(raw)));
    }
    // What is read on in a later call must not lie in what this call was given.
    if (this.#input.length > 0 && !this.#own) {
      this.#input = new Uint8Array(this.#input);
      this.#own = true;
    }
    return frames;
  }

  /** More than one body may keep: what follows is not read, and is one frame. */
  get #tooMany(): boolean {
    return this.#kept > this.#limits.nodesMax;
  }

  #rest(): Uint8Array {
    this.#pending.append(this.#input);
    this.#input = NOTHING;
    return overlay(this.#pending.takeAll());
  }

  /** Takes a line, or so much of it as a frame may have; undefined where it goes on with what comes next. */
  #cut(): Uint8Array | undefined {
    const input = this.#input;
    const room = this.#limits.frameBytesMax - this.#pending.length;
    const within = overlay(input).subarray(0, room);
    const at = within.indexOf(LF);
    const tooLong = at === -1 && input.length > room;
    if (at === -1 && !tooLong) {
      this.#pending.append(input);
      this.#pending.keepFrom(0);
      this.#input = NOTHING;
      return undefined;
    }
    const end = tooLong ? room : at + 1;
    const part = input.subarray(0, end);
    this.#input = end === input.length ? NOTHING : input.subarray(end);
    if (tooLong) this.#oversized = true;
    if (this.#own && this.#pending.length === 0) return overlay(part);
    this.#pending.append(part);
    const { length } = this.#pending;
    const raw = this.#pending.copy(0, length);
    this.#pending.keepFrom(length);
    return raw;
  }

  /** The frame of a line; undefined where it is large, and is being read. */
  #line(raw: Uint8Array): Frame | undefined {
    const { pace } = this;
    const oversized = this.#oversized;
    if (raw.at(-1) === LF) this.#oversized = false;
    if (oversized) return unreadableFrame(raw, 'frame_too_large');
    if (this.#tooMany) return unreadableFrame(raw, 'json_too_many_nodes');
    if (pace !== undefined) pace.left -= LINE_UNITS;
    if (isBlank(raw)) return this.#counted(silentFrame(raw, false));
    const scanner = new JsonScanner(raw, this.#limits);
    const reading = new FrameReading(scanner, (json, at) => this.#meaning(json, raw, at));
    if (this.isLarge(raw.length)) {
      this.open(reading);
      return undefined;
    }
    if (pace !== undefined) pace.left -= raw.length / BYTES_PER_UNIT;
    return this.#counted(reading.readOn(undefined)!);
  }

  #through(frame: Frame | undefined): readonly Frame[] {
    return frame === undefined ? super.readOn() : [frame];
  }

  #counted(frame: Frame): Frame {
    if (!this.#streamed) this.#kept += 1 + frame.pieces.length;
    return frame;
  }

  #meaning(json: JsonReading, raw: Uint8Array, pace: Pace | undefined): Opened {
    if (!json.ok) return unreadable(raw, json.reason);
    const collector = new PieceCollector(raw, this.#keys, pace);
    const reason = this.#leaves.read(json.root, raw, collector, this.#streamed);
    const frame = (): Frame => {
      const why = reason();
      if (why !== undefined) return unreadableFrame(raw, why);
      const { pieces, literals } = collector;
      return jsonFrame({ raw, data: raw, pieces, literals, ends: [] });
    };
    return { collector, frame };
  }
}

function isBlank(bytes: Uint8Array): boolean {
  for (let at = 0; at < bytes.length; at += 1) if (!isSpace(bytes[at]!)) return false;
  return true;
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === LF || byte === 0x0d || byte === 0x09;
}
