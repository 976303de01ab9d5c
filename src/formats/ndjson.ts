/** JSON values one to a line (NDJSON, JSON Lines): a line is a frame, its strings are texts. */
import { Buffer } from 'node:buffer';
import { ByteStore } from './byte-store.ts';
import { errorResponse, refusalHeaders } from './chat-refusal.ts';
import type { AppendForm, BodyReader, Format, Frame, Refusal, RefusalResponse } from './frame.ts';
import { readJson } from './json.ts';
import { jsonFrame, silentFrame, unreadableFrame } from './json-frame.ts';
import { LeafReader } from './json-leaves.ts';
import { DEFAULT_FORMAT_LIMITS, type FormatLimits } from './limits.ts';
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

class LineReader implements BodyReader {
  readonly #limits: FormatLimits;
  readonly #direction: 'request' | 'response';
  readonly #streamed: boolean;
  readonly #leaves: LeafReader;
  readonly #keys = new KeyCounter();
  readonly #pending = new ByteStore();
  /** What is pending is the rest of a line that was too long. */
  #oversized = false;
  /** What has left ends inside a line. */
  #open = false;

  constructor(limits: FormatLimits, direction: 'request' | 'response', streamed: boolean) {
    this.#limits = limits;
    this.#direction = direction;
    this.#streamed = streamed;
    const place = direction === 'request' ? 'user' : 'assistant';
    this.#leaves = new LeafReader(place, undefined, limits.textsMax);
  }

  get pendingBytes(): number {
    return this.#pending.length;
  }

  push(bytes: Uint8Array): readonly Frame[] {
    const frames: Frame[] = [];
    const scanned = this.#pending.length;
    this.#pending.append(bytes);
    const view = this.#pending.view;
    let start = 0;
    for (let at = scanned; at < view.length; at += 1) {
      if (at - start === this.#limits.frameBytesMax) {
        this.#oversized = true;
        frames.push(this.#frame(start, at));
        start = at;
      }
      if (view[at] !== LF) continue;
      frames.push(this.#frame(start, at + 1));
      start = at + 1;
      this.#oversized = false;
    }
    this.#pending.keepFrom(start);
    return frames;
  }

  end(): readonly Frame[] {
    const { length } = this.#pending;
    if (length === 0) return [];
    const last = this.#frame(0, length);
    this.#pending.keepFrom(length);
    return [last];
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

  #frame(start: number, end: number): Frame {
    const raw = this.#pending.copy(start, end);
    if (this.#oversized) return unreadableFrame(raw, 'frame_too_large');
    if (raw.every(isSpace)) return silentFrame(raw, false);
    const json = readJson(raw, this.#limits);
    if (!json.ok) return unreadableFrame(raw, json.reason);
    const collector = new PieceCollector(raw, this.#keys);
    const unreadable = this.#leaves.read(json.root, raw, collector, this.#streamed)();
    if (unreadable !== undefined) return unreadableFrame(raw, unreadable);
    const { pieces, literals } = collector;
    return jsonFrame({ raw, data: raw, pieces, literals, ends: [] });
  }
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === LF || byte === 0x0d || byte === 0x09;
}
