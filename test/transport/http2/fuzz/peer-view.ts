/**
 * The other side of the connection, strict: reads what we send as RFC 9113 lets a client read it, and says what is wrong.
 * It knows nothing of how we come to send it. Settings of the peer count from our acknowledgement on.
 */
import { Buffer } from 'node:buffer';
import { ACK, END_HEADERS, END_STREAM, type Frame, readFrames, TYPE } from '../raw-peer.ts';
import { type Field, HpackModel } from './hpack-model.ts';

const INITIAL_WINDOW = 65_535;
const WINDOW_MAX = 2 ** 31 - 1;

/** An answer as far as it has come. */
export interface AnswerView {
  sendWindow: number;
  head: readonly Field[] | undefined;
  readonly body: Buffer[];
  bodyBytes: number;
  trailers: readonly Field[] | undefined;
  ended: boolean;
  /** By us, with this code. */
  resetCode: number | undefined;
  /** By the peer, which nothing may follow. */
  peerReset: boolean;
}

export class PeerView {
  readonly problems: string[] = [];
  readonly answers = new Map<number, AnswerView>();
  /** Codes of GOAWAYs and the ids they name. */
  readonly goaways: { readonly code: number; readonly lastId: number }[] = [];
  readonly pingAcks: string[] = [];
  settingsAcks = 0;
  sendWindow = INITIAL_WINDOW;
  /** What we may be sent: by our words alone. */
  receiveWindow = INITIAL_WINDOW;
  readonly receiveWindows = new Map<number, number>();
  #initialReceiveWindow = INITIAL_WINDOW;
  /** The peer's initial window, as we have acknowledged it. */
  peerWindow = INITIAL_WINDOW;
  #frameBytesMax = 16_384;
  /** SETTINGS of the peer that wait for their acknowledgement. */
  readonly #said: (readonly (readonly [number, number])[])[] = [];
  #settingsSeen = false;
  #rest: Buffer = Buffer.alloc(0);
  #hpack = new HpackModel(4_096);
  #over = false;

  // ---- what the peer has sent

  opened(id: number): void {
    if (this.answers.has(id)) return;
    this.answers.set(id, {
      sendWindow: this.peerWindow,
      head: undefined,
      body: [],
      bodyBytes: 0,
      trailers: undefined,
      ended: false,
      resetCode: undefined,
      peerReset: false,
    });
    this.receiveWindows.set(id, this.#initialReceiveWindow);
  }

  settingsSent(list: readonly (readonly [number, number])[]): void {
    this.#said.push(list);
  }

  windowSent(id: number, more: number): void {
    if (id === 0) this.sendWindow += more;
    else {
      const answer = this.answers.get(id);
      if (answer !== undefined) answer.sendWindow += more;
    }
  }

  resetSent(id: number): void {
    const answer = this.answers.get(id);
    if (answer !== undefined) answer.peerReset = true;
  }

  dataSent(id: number, bytes: number): void {
    this.receiveWindow -= bytes;
    const window = this.receiveWindows.get(id);
    if (window !== undefined) this.receiveWindows.set(id, window - bytes);
  }

  // ---- what has come

  /** The frames among `bytes`, which may end within one. */
  receive(bytes: Buffer): readonly Frame[] {
    const { frames, rest } = readFrames(Buffer.concat([this.#rest, bytes]));
    this.#rest = rest;
    for (const frame of frames) this.#take(frame);
    return frames;
  }

  /** Nothing more will come. */
  closed(): void {
    if (this.#rest.length > 0) this.#wrong('half a frame at the end');
  }

  #wrong(what: string): void {
    this.problems.push(what);
  }

  #take(frame: Frame): void {
    const { type, id, payload } = frame;
    if (this.#over) this.#wrong(`frame ${type} behind the last GOAWAY`);
    if (payload.length > this.#frameBytesMax) this.#wrong(`frame of ${payload.length} bytes`);
    if (!this.#settingsSeen && type !== TYPE.settings) this.#wrong(`frame ${type} before SETTINGS`);
    switch (type) {
      case TYPE.settings:
        this.#settings(frame);
        return;
      case TYPE.ping:
        if (id !== 0 || payload.length !== 8) this.#wrong('malformed PING');
        if ((frame.flags & ACK) !== 0) this.pingAcks.push(payload.toString('hex'));
        return;
      case TYPE.goaway:
        this.#goaway(frame);
        return;
      case TYPE.window:
        this.#windowUpdate(frame);
        return;
      case TYPE.reset:
        this.#reset(frame);
        return;
      case TYPE.headers:
        this.#headers(frame);
        return;
      case TYPE.data:
        this.#data(frame);
        return;
      default:
        this.#wrong(`a frame of type ${type}`);
    }
  }

  #settings({ flags, id, payload }: Frame): void {
    if (id !== 0 || payload.length % 6 !== 0) this.#wrong('malformed SETTINGS');
    if ((flags & ACK) !== 0) {
      this.settingsAcks++;
      if (payload.length > 0) this.#wrong('malformed acknowledgement');
      const said = this.#said.shift();
      if (said === undefined) this.#wrong('an acknowledgement of no SETTINGS');
      for (const [name, value] of said ?? []) this.#apply(name, value);
      return;
    }
    if (this.#settingsSeen) this.#wrong('SETTINGS twice');
    this.#settingsSeen = true;
    for (let at = 0; at < payload.length; at += 6) {
      const value = payload.readUInt32BE(at + 2);
      switch (payload.readUInt16BE(at)) {
        case 2:
          this.#wrong('a server speaks of push');
          break;
        case 4:
          if (value > WINDOW_MAX) this.#wrong('an initial window too large');
          this.#initialReceiveWindow = value;
          break;
        case 5:
          if (value < 16_384 || value > 2 ** 24 - 1) this.#wrong('a frame size out of bounds');
          break;
        default:
      }
    }
  }

  /** What the peer has said counts for us from here on. */
  #apply(name: number, value: number): void {
    if (name === 5) this.#frameBytesMax = value;
    if (name !== 4) return;
    for (const answer of this.answers.values()) answer.sendWindow += value - this.peerWindow;
    this.peerWindow = value;
  }

  #goaway({ id, payload }: Frame): void {
    if (id !== 0 || payload.length < 8) this.#wrong('malformed GOAWAY');
    const lastId = payload.readUInt32BE(0);
    const code = payload.readUInt32BE(4);
    const before = this.goaways.at(-1);
    if (before !== undefined && before.lastId < lastId) this.#wrong('GOAWAY of a larger id');
    this.goaways.push({ code, lastId });
    if (code !== 0) this.#over = true;
  }

  #windowUpdate({ id, payload }: Frame): void {
    const more = payload.length === 4 ? payload.readUInt32BE(0) : 0;
    if (more === 0 || more > WINDOW_MAX) this.#wrong('malformed WINDOW_UPDATE');
    if (id === 0) {
      this.receiveWindow += more;
      if (this.receiveWindow > WINDOW_MAX) this.#wrong('a window too large');
      return;
    }
    this.#live(id, 'WINDOW_UPDATE');
    const window = (this.receiveWindows.get(id) ?? 0) + more;
    if (window > WINDOW_MAX) this.#wrong(`a window of ${id} too large`);
    this.receiveWindows.set(id, window);
  }

  #reset({ id, payload }: Frame): void {
    const answer = this.answers.get(id);
    if (payload.length !== 4) this.#wrong('malformed RST_STREAM');
    if (answer === undefined) {
      this.#wrong(`RST_STREAM of ${id}, which is idle`);
      return;
    }
    if (answer.resetCode !== undefined) this.#wrong(`RST_STREAM of ${id} twice`);
    if (answer.peerReset) this.#wrong(`RST_STREAM of ${id}, which the peer has reset`);
    answer.resetCode = payload.readUInt32BE(0);
    if (answer.ended && answer.resetCode !== 0) this.#wrong(`RST_STREAM of ${id} behind its end`);
  }

  #headers({ flags, id, payload }: Frame): void {
    const answer = this.#live(id, 'HEADERS');
    if ((flags & END_HEADERS) === 0 || (flags & ~(END_HEADERS | END_STREAM)) !== 0)
      this.#wrong(`HEADERS of ${id} with flags ${flags}`);
    const fields = this.#hpack.decode(payload);
    if (typeof fields === 'string' || answer === undefined) {
      this.#wrong(`a header block that cannot be read`);
      return;
    }
    const ends = (flags & END_STREAM) !== 0;
    if (fields.some(([name, value]) => !/^[:a-z-]+$/.test(name) || /[^\x20-\x7e]/.test(value)))
      this.#wrong('a field that cannot be');
    if (answer.head === undefined) {
      if (fields[0]?.[0] !== ':status' || !/^[245]\d\d$/.test(fields[0][1]))
        this.#wrong('no status');
      answer.head = fields;
    } else {
      if (!ends || fields.some(([name]) => name.startsWith(':'))) this.#wrong('malformed trailers');
      answer.trailers = fields;
    }
    if (ends) answer.ended = true;
  }

  #data({ flags, id, payload }: Frame): void {
    const answer = this.#live(id, 'DATA');
    if ((flags & ~END_STREAM) !== 0) this.#wrong(`DATA of ${id} with flags ${flags}`);
    if (answer === undefined) return;
    if (answer.head === undefined) this.#wrong(`DATA of ${id} without a head`);
    this.sendWindow -= payload.length;
    answer.sendWindow -= payload.length;
    if (payload.length > 0 && (this.sendWindow < 0 || answer.sendWindow < 0))
      this.#wrong(`DATA of ${id} beyond a window: ${this.sendWindow}, ${answer.sendWindow}`);
    answer.body.push(payload);
    answer.bodyBytes += payload.length;
    if ((flags & END_STREAM) !== 0) answer.ended = true;
  }

  #live(id: number, what: string): AnswerView | undefined {
    const answer = this.answers.get(id);
    if (answer === undefined) this.#wrong(`${what} of ${id}, which is idle`);
    else if (answer.ended) this.#wrong(`${what} of ${id} behind its end`);
    else if (answer.resetCode !== undefined) this.#wrong(`${what} of ${id} behind its reset`);
    else if (answer.peerReset) this.#wrong(`${what} of ${id} behind the peer's reset`);
    return answer;
  }
}

/** Frames of the peer, as far as the view has to know them; `undefined` where they are malformed. */
export function told(view: PeerView, { type, flags, id, payload }: Frame): void {
  switch (type) {
    case TYPE.headers:
      if (id % 2 === 1) view.opened(id);
      return;
    case TYPE.data:
      view.dataSent(id, payload.length);
      return;
    case TYPE.reset:
      if (payload.length === 4) view.resetSent(id);
      return;
    case TYPE.window:
      if (payload.length === 4) view.windowSent(id, payload.readUInt32BE(0) & 0x7fff_ffff);
      return;
    case TYPE.settings:
      if ((flags & ACK) === 0 && payload.length % 6 === 0)
        view.settingsSent(
          Array.from({ length: payload.length / 6 }, (_, at) => [
            payload.readUInt16BE(at * 6),
            payload.readUInt32BE(at * 6 + 2),
          ]),
        );
      return;
    default:
  }
}
