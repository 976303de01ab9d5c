/**
 * What a server has to make of a client's frames, by RFC 9113, in the plainest words: one frame at a time, nothing kept but
 * what the RFC speaks of. It looks at what the server under test has said (`PeerView`) where an answer decides in which
 * state a stream is; what it foresees is compared with that.
 */
import { Buffer } from 'node:buffer';
import { ACK, END_HEADERS, END_STREAM, type Frame, TYPE } from '../raw-peer.ts';
import { CallModel } from './calls.ts';
import { HpackModel } from './hpack-model.ts';
import type { PeerView } from './peer-view.ts';
import { areTrailers, requestOf } from './request-model.ts';

const PROTOCOL = 1;
const FLOW_CONTROL = 3;
const CLOSED = 5;
const FRAME_SIZE = 6;
const REFUSED = 7;
const COMPRESSION = 9;
const CALM = 11;

const PADDED = 8;
const PRIORITY = 0x20;
const WINDOW_MAX = 2 ** 31 - 1;
const INITIAL_WINDOW = 65_535;

export interface ModelLimits {
  readonly streamWindowBytes: number;
  readonly connectionWindowBytes: number;
  readonly concurrentStreamsMax: number;
  readonly headerTableBytes: number;
  readonly headerListBytesMax: number;
  readonly headerFieldsMax: number;
  readonly headerBlockBytesMax: number;
  readonly continuationsMax: number;
  readonly messageBytesMax: number;
}

/** Codes that are right, where the RFC leaves a choice or two faults meet. */
export interface Verdict {
  /** The connection ends with one of them. */
  readonly fatal?: readonly number[];
  /** This stream is reset with one of them. */
  readonly reset?: { readonly id: number; readonly codes: readonly number[] };
  /** Its payload comes back. */
  readonly pong?: string;
  readonly settingsAck?: boolean;
}

const fatal = (...codes: readonly number[]): Verdict => ({ fatal: codes });
const NOTHING: Verdict = {};

interface ModelStream {
  readonly call: CallModel;
  remoteEnded: boolean;
  /** Bytes that content-length promises still; -1: none promised. */
  left: number;
  readonly body: Buffer[];
}

export class FrameModel {
  readonly streams = new Map<number, ModelStream>();
  readonly #limits: ModelLimits;
  readonly #view: PeerView;
  readonly #hpack: HpackModel;
  #settingsSeen = false;
  #acked = false;
  #lastId = 0;
  /** The last that was looked at, which a GOAWAY has to name. */
  lastTakenId = 0;
  #block: { id: number; flags: number; parts: Buffer[] } | undefined;
  /** What the peer may send on a stream that has not been reduced by our SETTINGS yet. */
  readonly #ahead: number;

  constructor(limits: ModelLimits, view: PeerView) {
    this.#limits = limits;
    this.#view = view;
    this.#hpack = new HpackModel(limits.headerTableBytes);
    this.#ahead = Math.max(0, INITIAL_WINDOW - limits.streamWindowBytes);
  }

  tick(): void {
    for (const { call } of this.streams.values()) call.tick();
  }

  frame(frame: Frame): Verdict {
    const { type, flags, id, payload } = frame;
    if (payload.length > 16_384) return fatal(FRAME_SIZE);
    if (this.#block !== undefined && (type !== TYPE.continuation || id !== this.#block.id))
      return fatal(PROTOCOL);
    if (!this.#settingsSeen && type !== TYPE.settings) return fatal(PROTOCOL);
    switch (type) {
      case TYPE.data:
        return this.#data(frame);
      case TYPE.headers:
        return this.#headers(frame);
      case TYPE.continuation:
        return this.#continuation(frame);
      case TYPE.priority:
        return this.#priority(frame);
      case TYPE.reset:
        return this.#reset(frame);
      case TYPE.settings:
        return this.#settings(frame);
      case TYPE.push:
        return fatal(PROTOCOL);
      case TYPE.ping:
        if (id !== 0 || payload.length !== 8)
          return fatal(
            ...(id !== 0 ? [PROTOCOL] : []),
            ...(payload.length !== 8 ? [FRAME_SIZE] : []),
          );
        return (flags & ACK) === 0 ? { pong: payload.toString('hex') } : NOTHING;
      case TYPE.goaway:
        if (id !== 0 || payload.length < 8) return fatal(id !== 0 ? PROTOCOL : FRAME_SIZE);
        return NOTHING;
      case TYPE.window:
        return this.#windowUpdate(frame);
      default:
        return NOTHING;
    }
  }

  /** Open or half-closed by the peer: nothing has ended it for both. */
  #live(id: number): ModelStream | undefined {
    const answer = this.#view.answers.get(id);
    const over =
      answer === undefined || answer.ended || answer.resetCode !== undefined || answer.peerReset;
    return over ? undefined : this.streams.get(id);
  }

  #idle(id: number): boolean {
    return id % 2 === 0 || id > this.#lastId;
  }

  /** We have reset it, so that the peer may not have known. */
  #resetByUs(id: number): boolean {
    return this.#view.answers.get(id)?.resetCode !== undefined;
  }

  #data({ flags, id, payload }: Frame): Verdict {
    if (id === 0) return fatal(PROTOCOL);
    // `dataSent` has been told: the window is what is left behind this frame.
    if (this.#view.receiveWindow < 0) return fatal(FLOW_CONTROL);
    const padded = (flags & PADDED) !== 0;
    if (padded && payload.length === 0) return fatal(FRAME_SIZE);
    const padding = padded ? (payload[0] as number) + 1 : 0;
    if (padding > payload.length) return fatal(PROTOCOL);
    const content = padded ? payload.subarray(1, payload.length - padding + 1) : payload;
    if (this.#idle(id)) return fatal(PROTOCOL);
    const stream = this.#live(id);
    if (stream === undefined) return this.#resetByUs(id) ? NOTHING : fatal(CLOSED);
    if (stream.remoteEnded) return { reset: { id, codes: [CLOSED] } };
    const window = (this.#view.receiveWindows.get(id) ?? 0) + (this.#acked ? 0 : this.#ahead);
    if (window < 0) return { reset: { id, codes: [FLOW_CONTROL] } };
    const ends = (flags & END_STREAM) !== 0;
    if (stream.left >= 0) {
      stream.left -= content.length;
      if (stream.left < 0 || (ends && stream.left > 0)) return { reset: { id, codes: [PROTOCOL] } };
    }
    if (content.length > 0) {
      stream.body.push(content);
      stream.call.data(content);
    }
    if (ends) this.#remoteEnded(stream);
    return NOTHING;
  }

  #remoteEnded(stream: ModelStream): void {
    stream.remoteEnded = true;
    stream.call.halfClosed();
  }

  #headers({ flags, id, payload }: Frame): Verdict {
    if (id === 0 || id % 2 === 0) return fatal(PROTOCOL);
    let rest = payload;
    let padding = 0;
    if ((flags & PADDED) !== 0) {
      if (rest.length === 0) return fatal(FRAME_SIZE);
      padding = rest[0] as number;
      rest = rest.subarray(1);
    }
    const tooShort = (flags & PRIORITY) !== 0 && rest.length - padding < 5;
    if (tooShort || padding > rest.length) return fatal(FRAME_SIZE, PROTOCOL);
    if ((flags & PRIORITY) !== 0) {
      if ((rest.readUInt32BE(0) & 0x7fff_ffff) === id) return fatal(PROTOCOL);
      rest = rest.subarray(5);
    }
    const part = rest.subarray(0, rest.length - padding);
    if ((flags & END_HEADERS) !== 0) return this.#whole(id, flags, part);
    this.#block = { id, flags, parts: [part] };
    return NOTHING;
  }

  #continuation({ flags, payload }: Frame): Verdict {
    const block = this.#block;
    if (block === undefined) return fatal(PROTOCOL);
    block.parts.push(payload);
    const bytes = Buffer.concat(block.parts);
    if (bytes.length > this.#limits.headerBlockBytesMax) return fatal(CALM);
    if (block.parts.length - 1 > this.#limits.continuationsMax) return fatal(CALM);
    if ((flags & END_HEADERS) === 0) return NOTHING;
    this.#block = undefined;
    return this.#whole(block.id, block.flags, bytes);
  }

  #whole(id: number, flags: number, block: Buffer): Verdict {
    if (block.length > this.#limits.headerBlockBytesMax) return fatal(CALM);
    const fields = this.#hpack.decode(block);
    if (typeof fields === 'string') return fatal(COMPRESSION);
    const tooLarge =
      fields.length > this.#limits.headerFieldsMax ||
      fields.reduce((all, [name, value]) => all + name.length + value.length + 32, 0) >
        this.#limits.headerListBytesMax;
    const ends = (flags & END_STREAM) !== 0;
    if (id <= this.#lastId) {
      const stream = this.#live(id);
      if (stream === undefined) return this.#resetByUs(id) ? NOTHING : fatal(CLOSED, PROTOCOL);
      if (stream.remoteEnded) return { reset: { id, codes: [CLOSED] } };
      if (!ends || tooLarge || !areTrailers(fields) || stream.left > 0)
        return { reset: { id, codes: [PROTOCOL] } };
      this.#remoteEnded(stream);
      return NOTHING;
    }
    const live = [...this.streams.keys()].filter((one) => this.#live(one) !== undefined).length;
    this.#lastId = id;
    this.lastTakenId = id;
    const codes: number[] = [];
    if (live >= this.#limits.concurrentStreamsMax) codes.push(REFUSED);
    const request = requestOf(fields);
    if (tooLarge) codes.push(CALM);
    else if (request === undefined || (ends && request.contentLength > 0)) codes.push(PROTOCOL);
    if (codes.length > 0 || request === undefined) return { reset: { id, codes } };
    const call = new CallModel(request, this.#limits.messageBytesMax);
    const stream = { call, remoteEnded: false, left: request.contentLength, body: [] };
    this.streams.set(id, stream);
    if (ends) this.#remoteEnded(stream);
    return NOTHING;
  }

  #priority({ id, payload }: Frame): Verdict {
    if (id === 0) return fatal(PROTOCOL);
    const wrongSize = payload.length !== 5;
    if (!wrongSize && (payload.readUInt32BE(0) & 0x7fff_ffff) !== id) return NOTHING;
    const code = wrongSize ? FRAME_SIZE : PROTOCOL;
    return this.#live(id) === undefined ? fatal(code) : { reset: { id, codes: [code] } };
  }

  #reset({ id, payload }: Frame): Verdict {
    if (id === 0) return fatal(PROTOCOL);
    if (payload.length !== 4) return fatal(FRAME_SIZE);
    return this.#idle(id) ? fatal(PROTOCOL) : NOTHING;
  }

  #windowUpdate({ id, payload }: Frame): Verdict {
    if (payload.length !== 4) return fatal(FRAME_SIZE);
    const more = payload.readUInt32BE(0) & 0x7fff_ffff;
    if (id === 0) {
      if (more === 0) return fatal(PROTOCOL);
      return this.#view.sendWindow > WINDOW_MAX ? fatal(FLOW_CONTROL) : NOTHING;
    }
    if (this.#idle(id)) return fatal(PROTOCOL);
    if (this.#live(id) === undefined) return NOTHING;
    if (more === 0) return { reset: { id, codes: [PROTOCOL] } };
    const window = this.#view.answers.get(id)?.sendWindow ?? 0;
    return window > WINDOW_MAX ? { reset: { id, codes: [FLOW_CONTROL] } } : NOTHING;
  }

  #settings({ flags, id, payload }: Frame): Verdict {
    const wrongSize = (flags & ACK) !== 0 ? payload.length !== 0 : payload.length % 6 !== 0;
    const codes: number[] = [];
    if (id !== 0) codes.push(PROTOCOL);
    if (wrongSize) codes.push(FRAME_SIZE);
    if ((flags & ACK) !== 0 && !this.#settingsSeen) codes.push(PROTOCOL);
    if (codes.length > 0) return fatal(...codes);
    if ((flags & ACK) !== 0) {
      if (!this.#acked) this.#hpack.settled();
      this.#acked = true;
      return NOTHING;
    }
    this.#settingsSeen = true;
    for (let at = 0; at < payload.length; at += 6) {
      const value = payload.readUInt32BE(at + 2);
      switch (payload.readUInt16BE(at)) {
        case 2:
          if (value > 1) codes.push(PROTOCOL);
          break;
        case 4:
          if (value > WINDOW_MAX || this.#overflows(value)) codes.push(FLOW_CONTROL);
          break;
        case 5:
          if (value < 16_384 || value > 2 ** 24 - 1) codes.push(PROTOCOL);
          break;
        default:
      }
    }
    return codes.length > 0 ? fatal(...codes) : { settingsAck: true };
  }

  /** A stream's window would grow beyond what there is. */
  #overflows(initial: number): boolean {
    return [...this.streams.keys()].some((id) => {
      if (this.#live(id) === undefined) return false;
      const answer = this.#view.answers.get(id);
      return (answer?.sendWindow ?? 0) + initial - this.#view.peerWindow > WINDOW_MAX;
    });
  }
}
