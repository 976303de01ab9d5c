/**
 * One HTTP/2 connection of a peer that is not trusted: RFC 9113 from the server's side, without sockets and timers.
 * Bytes come in by `receive`, answers go out through the sink, `sweep` says that time has passed. Every limit of
 * `Http2Limits` that speaks of a connection is held here.
 */
import { Buffer } from 'node:buffer';
import type { Http2Limits } from '../../engine/http2-limits.ts';
import { Allowance } from './allowance.ts';
import { FrameSplitter, type FrameTaker } from './frame-splitter.ts';
import {
  CONTINUATION,
  ConnectionError,
  type ConnectionFault,
  DATA,
  ENHANCE_YOUR_CALM,
  FLAG_ACK,
  FLAG_END_HEADERS,
  FLAG_END_STREAM,
  FLAG_PADDED,
  FLAG_PRIORITY,
  FLOW_CONTROL_ERROR,
  FRAME_PAYLOAD_BYTES_LIMIT,
  FRAME_PAYLOAD_BYTES_MAX,
  FRAME_SIZE_ERROR,
  GOAWAY,
  HEADERS,
  INTERNAL_ERROR,
  NO_ERROR,
  PING,
  PRIORITY,
  PROTOCOL_ERROR,
  PUSH_PROMISE,
  REFUSED_STREAM,
  RST_STREAM,
  SETTINGS,
  SETTINGS_ENABLE_PUSH,
  SETTINGS_HEADER_TABLE_SIZE,
  SETTINGS_INITIAL_WINDOW_SIZE,
  SETTINGS_MAX_CONCURRENT_STREAMS,
  SETTINGS_MAX_FRAME_SIZE,
  SETTINGS_MAX_HEADER_LIST_SIZE,
  SETTINGS_TIMEOUT,
  STREAM_CLOSED,
  STREAM_ID_LIMIT,
  WINDOW_BYTES_INITIAL,
  WINDOW_BYTES_LIMIT,
  WINDOW_UPDATE,
} from './frames.ts';
import { HeldBytes, type SharedBytes } from './held-bytes.ts';
import { type HeaderList, HpackDecoder } from './hpack-decoder.ts';
import { type ByteSink, Output } from './output.ts';
import { RememberedIds } from './remembered-ids.ts';
import { type RequestHead, readRequestHead, trailersStand } from './request-head.ts';
import { BARE_END, Http2Stream, type OpenStream, type StreamConnection } from './stream.ts';
import { StreamTable } from './stream-table.ts';

export interface ConnectionOptions {
  readonly limits: Http2Limits;
  /** Shared by all connections. */
  readonly inbound: SharedBytes;
  readonly open: OpenStream;
  /** The socket. `close` lets what is written leave; after it nothing is written. Nobody reads on after a `fault`. */
  readonly sink: ByteSink & { close(fault: boolean): void };
  /** A monotonic clock, in ms. */
  readonly nowMs: () => number;
  /** The connection is over: by us for a fault, or because the peer has gone. Told once. */
  readonly onOver: (fault: ConnectionFault | undefined) => void;
  /** A stream is over; `reset` by either side. */
  readonly onStreamOver?: (stream: Http2Stream, reset: boolean) => void;
  /** Our own code has failed; the error may quote anything. */
  readonly onCrash?: (error: unknown) => void;
}

/** About what an open stream costs beside the bytes that came for it, its call included. */
const STREAM_BYTES = 4_096;
/** Open streams whose windows one SETTINGS changes for the price of a control frame. */
const REWINDOWED_STREAMS = 500;
/** Smaller pieces are kept back joined: each alone would cost many times its bytes. */
const JOINED_BYTES_MAX = 1_024;
const JOINED_BLOCK_BYTES_MIN = 512;
const JOINED_BLOCK_BYTES_MAX = 16_384;
/** Resets that may cross what the peer has still to say, however few streams it may have open at a time. */
const RESET_IDS_MIN = 1_000;
/** How long the peer may take to see that no stream is welcome any more (RFC 9113 §6.8). */
const GOAWAY_SETTLE_MS = 1_000;
const PING_BYTES = 8;
/** Our pings: one asks whether the peer is there, the other how far it had got when it read our GOAWAY. */
const KEEPALIVE_PING = Buffer.from('keepaliv', 'latin1');
const GOAWAY_PING = Buffer.from('last one', 'latin1');

export class Http2Connection implements FrameTaker, StreamConnection {
  readonly #options: ConnectionOptions;
  readonly #limits: Http2Limits;
  readonly #output: Output;
  readonly #splitter = new FrameSplitter(this);
  readonly #decoder: HpackDecoder;
  readonly #streams = new StreamTable();
  /** Those with something kept back, in the order in which they came to it. */
  readonly #waiting = new Set<Http2Stream>();
  /** Those among them whose own window is open. */
  readonly #ready = new Set<Http2Stream>();
  readonly #control: Allowance;
  readonly #emptyResets: Allowance;
  /** Streams that we have reset: what the peer had sent by then is no fault of its. */
  readonly #resetIds: RememberedIds;
  readonly inbound: HeldBytes;
  readonly #openedAtMs: number;

  #settingsSeen = false;
  #settingsAcked = false;
  #lastId = 0;
  /** The last that was looked at, which GOAWAY tells: none is behind its final one. */
  #lastTakenId = 0;
  #over = false;
  /** Ended by both sides in the bytes at hand: a reset may follow at once, as Envoy's does. */
  #justEnded: Http2Stream[] = [];
  /** Inside `receive`, which flushes at its end. */
  #receiving = false;
  #flushAsked = false;

  #peerFrameBytes = FRAME_PAYLOAD_BYTES_MAX;
  #peerStreamWindow = WINDOW_BYTES_INITIAL;
  #sendWindow = WINDOW_BYTES_INITIAL;
  #receiveWindow = WINDOW_BYTES_INITIAL;
  #uncredited = 0;
  #queuedBytes = 0;
  #emptyDataFrames = 0;
  /** WINDOW_UPDATEs that may still come; each DATA frame of ours pays for two more. */
  #windowUpdatesLeft: number;
  /** Answers to control frames that have not left, and those of them that are not yet with the socket. */
  #controlWaiting = 0;
  #controlUnflushed = 0;

  #headList: HeaderList | undefined;
  #head: RequestHead | undefined;
  /** A header block whose CONTINUATIONs are awaited. */
  #block:
    | { readonly id: number; readonly flags: number; parts: Buffer[]; bytes: number }
    | undefined;

  #heard = true;
  #heardAtMs: number;
  #pingedAtMs: number | undefined;
  #idleSinceMs: number;
  #outBefore = 0;
  #outAtMs: number;
  #outTotal = 0;
  #goaway:
    | { readonly kind: 'announced'; readonly atMs: number }
    | { readonly kind: 'final' }
    | undefined;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    const limits = (this.#limits = options.limits);
    const now = options.nowMs();
    this.#openedAtMs = now;
    this.#heardAtMs = now;
    this.#idleSinceMs = now;
    this.#outAtMs = now;
    this.#windowUpdatesLeft = limits.windowUpdatesSpareMax;
    this.#control = new Allowance(limits.controlFramesBurst, limits.controlFramesPerSecond, now);
    this.#emptyResets = new Allowance(limits.emptyResetsBurst, limits.emptyResetsPerSecond, now);
    this.#resetIds = new RememberedIds(Math.max(limits.concurrentStreamsMax, RESET_IDS_MIN));
    this.inbound = new HeldBytes(options.inbound);
    this.#decoder = new HpackDecoder(limits.headerTableBytes, limits);
    this.#output = new Output({
      write: (bytes, done) => {
        const answers = this.#controlUnflushed;
        this.#controlUnflushed = 0;
        options.sink.write(bytes, () => {
          done();
          this.#controlWaiting -= answers;
          this.#written();
        });
      },
    });
    this.#greet();
  }

  get streams(): number {
    return this.#streams.size;
  }

  /** What the peer has not taken of our answers. */
  get outboundBytes(): number {
    return this.#output.waiting + this.#queuedBytes;
  }

  /** Whether the peer has said who it is: preface and SETTINGS. */
  get established(): boolean {
    return this.#settingsSeen;
  }

  /** Since when it has had no stream, in ms of its clock. */
  get idleSinceMs(): number | undefined {
    return this.#streams.size === 0 ? this.#idleSinceMs : undefined;
  }

  get over(): boolean {
    return this.#over;
  }

  // ---- from the socket

  /** As much of it as so many units of work are enough for; how many bytes that was. Never throws. */
  receive(chunk: Buffer, units: number = Number.POSITIVE_INFINITY): number {
    if (this.#over) return chunk.length;
    this.#heard = true;
    this.#receiving = true;
    let taken = chunk.length;
    try {
      taken = this.#splitter.push(chunk, units);
    } catch (error) {
      this.#receiving = false;
      if (error instanceof ConnectionError) this.fail(error.code, error.reason);
      else {
        this.#options.onCrash?.(error);
        this.fail(INTERNAL_ERROR, 'internal');
      }
      return taken;
    }
    this.#receiving = false;
    if (this.#justEnded.length > 0) this.#tellEnded();
    this.#flush();
    return taken;
  }

  /** The socket is gone, or the peer writes no more. */
  lost(): void {
    this.#end('peer_closed');
  }

  /** GOAWAY with a code, and the end. */
  fail(code: number, fault: ConnectionFault): void {
    if (this.#over) return;
    this.#goawayFrame(this.#lastTakenId, code);
    this.#over = true;
    this.#output.flush();
    this.#ended(fault);
  }

  /** No new streams: told in two steps, so that none that is on its way is lost. Those that are open go on. */
  goaway(): void {
    if (this.#over || this.#goaway !== undefined) return;
    this.#goaway = { kind: 'announced', atMs: this.#options.nowMs() };
    this.#goawayFrame(STREAM_ID_LIMIT, NO_ERROR);
    this.#ping(GOAWAY_PING, 0);
    this.#touch();
  }

  /** Time has passed: once a second or so. */
  sweep(nowMs: number): void {
    if (this.#over) return;
    const limits = this.#limits;
    if (!this.#settingsSeen) {
      if (nowMs - this.#openedAtMs >= limits.prefaceMs)
        this.fail(SETTINGS_TIMEOUT, 'preface_timeout');
      return;
    }
    if (!this.#settingsAcked && nowMs - this.#openedAtMs >= limits.settingsAckMs) {
      this.fail(SETTINGS_TIMEOUT, 'settings_timeout');
      return;
    }
    this.#sweepSilence(nowMs);
    if (!this.#over) this.#sweepStalls(nowMs);
    if (!this.#over) this.#sweepIdle(nowMs);
    this.#touch();
  }

  // ---- frames

  frame(type: number, flags: number, id: number, bytes: Buffer, start: number, end: number): void {
    if (this.#over) return;
    if (this.#block !== undefined && type !== CONTINUATION) malformed();
    if (!this.#settingsSeen && type !== SETTINGS) malformed();
    switch (type) {
      case DATA:
        this.#onData(flags, id, bytes, start, end);
        return;
      case HEADERS:
        this.#onHeaders(flags, id, bytes, start, end);
        return;
      case CONTINUATION:
        this.#onContinuation(flags, id, bytes, start, end);
        return;
      case RST_STREAM:
        this.#onReset(id, start, end);
        return;
      case WINDOW_UPDATE:
        this.#onWindowUpdate(id, bytes, start, end);
        return;
      case SETTINGS:
        this.#onSettings(flags, id, bytes, start, end);
        return;
      case PING:
        this.#onPing(flags, id, bytes, start, end);
        return;
      case PRIORITY:
        this.#onPriority(id, bytes, start, end);
        return;
      case GOAWAY:
        if (id !== 0) malformed();
        if (end - start < 8) wrongSize();
        this.#charge();
        return;
      case PUSH_PROMISE:
        malformed();
        return;
      default:
        // Unknown types are extensions that we do not speak (RFC 9113 §5.5).
        this.#charge();
    }
  }

  #onData(flags: number, id: number, bytes: Buffer, start: number, end: number): void {
    if (id === 0) malformed();
    const length = end - start;
    if (length > this.#receiveWindow) throw new ConnectionError(FLOW_CONTROL_ERROR, 'flow_control');
    this.#receiveWindow -= length;
    this.#uncredited += length;
    if (this.#uncredited * 2 >= this.#limits.connectionWindowBytes) {
      this.#windowUpdate(0, this.#uncredited);
      this.#receiveWindow += this.#uncredited;
      this.#uncredited = 0;
    }
    let from = start;
    let to = end;
    if ((flags & FLAG_PADDED) !== 0) {
      if (length < 1) wrongSize();
      to = end - (bytes[from++] as number);
      if (to < from) malformed();
    }
    const ends = (flags & FLAG_END_STREAM) !== 0;
    const stream = this.#streams.get(id);
    if (stream === undefined) {
      // Half-closes that cross a reset of ours are empty, and many may come in a row when many calls end at once.
      if (from === to) this.#charge();
      this.#onGone(id);
      return;
    }
    if (from === to && !ends) this.#countEmpty();
    if (stream.remoteEnded) {
      this.#streamError(stream, STREAM_CLOSED);
      return;
    }
    if (length > stream.receiveWindow) {
      this.#streamError(stream, FLOW_CONTROL_ERROR);
      return;
    }
    stream.receiveWindow -= length;
    stream.uncredited += length;
    if (stream.bodyLeft >= 0) {
      stream.bodyLeft -= to - from;
      if (stream.bodyLeft < 0 || (ends && stream.bodyLeft > 0)) {
        this.#streamError(stream, PROTOCOL_ERROR);
        return;
      }
    }
    if (ends) stream.remoteEnded = true;
    else if (stream.reading) this.#creditStream(stream, false);
    if (from < to) {
      this.#emptyDataFrames = 0;
      this.#control.give();
      stream.handler.data(bytes, from, to);
    }
    if (ends && !stream.over) this.#remoteEnded(stream);
  }

  #countEmpty(): void {
    if (++this.#emptyDataFrames > this.#limits.emptyDataFramesMax)
      throw new ConnectionError(ENHANCE_YOUR_CALM, 'empty_data_flood');
  }

  #onHeaders(flags: number, id: number, bytes: Buffer, start: number, end: number): void {
    if (id === 0 || id % 2 === 0) malformed();
    let from = start;
    let to = end;
    if ((flags & FLAG_PADDED) !== 0) {
      if (to <= from) wrongSize();
      to = end - (bytes[from++] as number);
    }
    if ((flags & FLAG_PRIORITY) !== 0) {
      if (to - from < 5) wrongSize();
      // A stream that depends on itself: RFC 7540 §5.3.1, which strict peers still try.
      if ((readUint32(bytes, from) & 0x7fff_ffff) === id)
        throw new ConnectionError(PROTOCOL_ERROR, 'malformed');
      from += 5;
    }
    if (to < from) malformed();
    if ((flags & FLAG_END_HEADERS) !== 0) {
      this.#onBlock(id, flags, bytes, from, to);
      return;
    }
    this.#block = { id, flags, parts: [bytes.subarray(from, to)], bytes: to - from };
  }

  #onContinuation(flags: number, id: number, bytes: Buffer, start: number, end: number): void {
    const block = this.#block;
    if (block === undefined || block.id !== id) malformed();
    block.bytes += end - start;
    if (block.bytes > this.#limits.headerBlockBytesMax)
      throw new ConnectionError(ENHANCE_YOUR_CALM, 'header_block_too_large');
    if (block.parts.length > this.#limits.continuationsMax)
      throw new ConnectionError(ENHANCE_YOUR_CALM, 'continuation_flood');
    block.parts.push(bytes.subarray(start, end));
    if ((flags & FLAG_END_HEADERS) === 0) return;
    this.#block = undefined;
    const whole = Buffer.concat(block.parts);
    this.#onBlock(id, block.flags, whole, 0, whole.length);
  }

  /** The tables must stay in step, so a block is decoded whoever it is for. */
  #onBlock(id: number, flags: number, bytes: Buffer, start: number, end: number): void {
    if (end - start > this.#limits.headerBlockBytesMax)
      throw new ConnectionError(ENHANCE_YOUR_CALM, 'header_block_too_large');
    const list = this.#decoder.decode(bytes, start, end);
    const ends = (flags & FLAG_END_STREAM) !== 0;
    const stream = this.#streams.get(id);
    if (stream !== undefined) {
      this.#onTrailers(stream, list, ends);
      return;
    }
    if (id <= this.#lastId) {
      // What follows a stream that is gone costs the peer of its budget: it was reset a round trip ago at most.
      this.#charge();
      if (this.#resetIds.has(id)) return;
      throw new ConnectionError(STREAM_CLOSED, 'stream_closed');
    }
    this.#lastId = id;
    if (this.#goaway?.kind === 'final') {
      this.#charge();
      return;
    }
    this.#lastTakenId = id;
    this.#openStream(id, list, ends, end - start);
  }

  #onTrailers(stream: Http2Stream, list: HeaderList, ends: boolean): void {
    if (stream.remoteEnded) this.#streamError(stream, STREAM_CLOSED);
    else if (!ends || list.tooLarge || !trailersStand(list.fields) || stream.bodyLeft > 0)
      this.#streamError(stream, PROTOCOL_ERROR);
    else {
      stream.remoteEnded = true;
      this.#remoteEnded(stream);
    }
  }

  /** A list that was said before is the same object. */
  #headOf(list: HeaderList): RequestHead | undefined {
    if (list !== this.#headList) {
      this.#headList = list;
      this.#head = list.tooLarge ? undefined : readRequestHead(list.fields);
    }
    return this.#head;
  }

  #openStream(id: number, list: HeaderList, ends: boolean, blockBytes: number): void {
    const head = this.#headOf(list);
    if (
      this.#streams.size >= this.#limits.concurrentStreamsMax ||
      this.#queuedBytes > this.#limits.outboundBytesPerConnectionMax / 2
    ) {
      this.#refuse(id, REFUSED_STREAM);
      return;
    }
    if (head === undefined || (ends && head.contentLength > 0)) {
      this.#refuse(id, list.tooLarge ? ENHANCE_YOUR_CALM : PROTOCOL_ERROR);
      return;
    }
    const openBytes = STREAM_BYTES + blockBytes;
    if (!this.inbound.take(openBytes)) {
      this.#refuse(id, REFUSED_STREAM);
      return;
    }
    const stream = new Http2Stream(
      id,
      this,
      this.#peerStreamWindow,
      this.#settingsAcked
        ? this.#limits.streamWindowBytes
        : Math.max(WINDOW_BYTES_INITIAL, this.#limits.streamWindowBytes),
      head.contentLength,
      openBytes,
    );
    this.#streams.add(stream);
    stream.remoteEnded = ends;
    const handler = this.#options.open(head, stream);
    if (stream.over) return;
    stream.handler = handler;
    if (ends) this.#remoteEnded(stream);
  }

  /** The peer has said all; the handler may have answered all by now. */
  #remoteEnded(stream: Http2Stream): void {
    stream.handler.ended();
    if (!stream.over && stream.localEnded) this.#finish(stream, 'ended');
  }

  #onReset(id: number, start: number, end: number): void {
    if (id === 0) malformed();
    if (end - start !== 4) wrongSize();
    this.#notIdle(id);
    const stream = this.#streams.get(id);
    if (stream === undefined) {
      this.#charge();
      const ended = this.#justEnded.findLastIndex((gone) => gone.id === id);
      if (ended >= 0)
        for (const gone of this.#justEnded.splice(ended, 1))
          this.#options.onStreamOver?.(gone, true);
      return;
    }
    if (!stream.carriedMessage) this.#chargeReset();
    this.#finish(stream, 'reset');
  }

  #onWindowUpdate(id: number, bytes: Buffer, start: number, end: number): void {
    if (end - start !== 4) wrongSize();
    if (--this.#windowUpdatesLeft < 0)
      throw new ConnectionError(ENHANCE_YOUR_CALM, 'window_update_flood');
    const increment = readUint32(bytes, start) & 0x7fff_ffff;
    if (id === 0) {
      if (increment === 0) malformed();
      this.#sendWindow += increment;
      if (this.#sendWindow > WINDOW_BYTES_LIMIT)
        throw new ConnectionError(FLOW_CONTROL_ERROR, 'flow_control');
      this.#pumpAll();
      return;
    }
    this.#notIdle(id);
    const stream = this.#streams.get(id);
    if (stream === undefined) return;
    if (increment === 0) {
      this.#streamError(stream, PROTOCOL_ERROR);
      return;
    }
    stream.sendWindow += increment;
    if (stream.sendWindow > WINDOW_BYTES_LIMIT) this.#streamError(stream, FLOW_CONTROL_ERROR);
    else this.#pump(stream);
  }

  #onSettings(flags: number, id: number, bytes: Buffer, start: number, end: number): void {
    if (id !== 0) malformed();
    if ((flags & FLAG_ACK) !== 0) {
      if (end !== start) wrongSize();
      if (!this.#settingsSeen) malformed();
      this.#charge();
      if (!this.#settingsAcked) this.#settled();
      return;
    }
    if ((end - start) % 6 !== 0) wrongSize();
    this.#charge();
    this.#settingsSeen = true;
    const windowBefore = this.#peerStreamWindow;
    let windowMost = windowBefore;
    for (let at = start; at < end; at += 6) {
      this.#setting(
        ((bytes[at] as number) << 8) | (bytes[at + 1] as number),
        readUint32(bytes, at + 2),
      );
      windowMost = Math.max(windowMost, this.#peerStreamWindow);
    }
    this.#moveWindows(this.#peerStreamWindow - windowBefore, windowMost - windowBefore);
    this.#output.frame(0, SETTINGS, FLAG_ACK, 0);
    this.#answeredControl();
    // Behind the acknowledgement: by it the peer knows that what follows keeps to its new windows.
    this.#pumpAll();
  }

  /** The peer keeps to our SETTINGS from here on. */
  #settled(): void {
    this.#settingsAcked = true;
    this.#decoder.settled();
    const less = WINDOW_BYTES_INITIAL - this.#limits.streamWindowBytes;
    if (less > 0) for (const stream of this.#streams.all()) stream.receiveWindow -= less;
  }

  #setting(name: number, value: number): void {
    switch (name) {
      case SETTINGS_ENABLE_PUSH:
        if (value > 1) malformed();
        return;
      case SETTINGS_INITIAL_WINDOW_SIZE:
        if (value > WINDOW_BYTES_LIMIT)
          throw new ConnectionError(FLOW_CONTROL_ERROR, 'flow_control');
        this.#peerStreamWindow = value;
        return;
      case SETTINGS_MAX_FRAME_SIZE:
        if (value < FRAME_PAYLOAD_BYTES_MAX || value > FRAME_PAYLOAD_BYTES_LIMIT) malformed();
        this.#peerFrameBytes = value;
        return;
      // Our header blocks refer to no table of the peer's, and are shorter than any limit of it.
      default:
    }
  }

  /**
   * The windows of all open streams, once for a frame however often it sets them: by `change` in the end, by `most` at
   * some time in between.
   */
  #moveWindows(change: number, most: number): void {
    if (change === 0 && most === 0) return;
    // A few bytes that have us look at each of thousands of streams.
    for (let left = this.#streams.size; left > 0; left -= REWINDOWED_STREAMS) this.#charge();
    for (const stream of this.#streams.all()) {
      if (stream.sendWindow + most > WINDOW_BYTES_LIMIT)
        throw new ConnectionError(FLOW_CONTROL_ERROR, 'flow_control');
      stream.sendWindow += change;
      if (stream.queue !== undefined) this.#sort(stream);
    }
  }

  #onPing(flags: number, id: number, bytes: Buffer, start: number, end: number): void {
    if (id !== 0) malformed();
    if (end - start !== PING_BYTES) wrongSize();
    if ((flags & FLAG_ACK) === 0) {
      this.#charge();
      this.#output.frame(PING_BYTES, PING, FLAG_ACK, 0);
      this.#output.append(bytes, start, end);
      this.#answeredControl();
      return;
    }
    const announced = this.#goaway?.kind === 'announced';
    if (announced && GOAWAY_PING.compare(bytes, start, end) === 0) this.#settleGoaway();
    else if (this.#pingedAtMs === undefined) this.#charge();
    this.#pingedAtMs = undefined;
  }

  #onPriority(id: number, bytes: Buffer, start: number, end: number): void {
    if (id === 0) malformed();
    this.#charge();
    if (end - start !== 5) {
      this.#errorOf(id, FRAME_SIZE_ERROR);
      return;
    }
    if ((readUint32(bytes, start) & 0x7fff_ffff) === id) this.#errorOf(id, PROTOCOL_ERROR);
  }

  // ---- StreamConnection

  headers(stream: Http2Stream, block: Buffer, endStream: boolean): void {
    if (stream.queue !== undefined) {
      // Only trailers come behind a body.
      stream.ending = block;
      return;
    }
    const flags = endStream ? FLAG_END_HEADERS | FLAG_END_STREAM : FLAG_END_HEADERS;
    this.#output.frame(block.length, HEADERS, flags, stream.id);
    this.#output.append(block, 0, block.length);
    if (endStream) this.#localEnded(stream);
    this.#touch();
  }

  data(stream: Http2Stream, bytes: Uint8Array, asMessage: boolean, endStream: boolean): void {
    const length = asMessage ? bytes.length + 5 : bytes.length;
    if (
      stream.queue === undefined &&
      length <= this.#peerFrameBytes &&
      length <= stream.sendWindow &&
      length <= this.#sendWindow &&
      this.#socketTakes()
    ) {
      this.#dataFrame(stream, length, endStream);
      if (asMessage) this.#output.messagePrefix(bytes.length);
      this.#output.append(bytes, 0, bytes.length);
      if (endStream) this.#localEnded(stream);
      this.#touch();
      return;
    }
    if (stream.queue === undefined) {
      stream.queue = [];
      stream.progressAtMs = this.#options.nowMs();
      this.#waiting.add(stream);
    }
    if (asMessage) this.#keep(stream, stream.queue, messagePrefix(bytes.length));
    if (bytes.length > 0) this.#keep(stream, stream.queue, bytes);
    stream.queuedBytes += length;
    this.#queuedBytes += length;
    if (endStream) stream.ending = BARE_END;
    if (this.#queuedBytes > this.#limits.outboundBytesPerConnectionMax) {
      queueMicrotask(() => this.fail(ENHANCE_YOUR_CALM, 'outbound_too_large'));
      return;
    }
    this.#pump(stream);
    this.#touch();
  }

  reset(stream: Http2Stream, code: number): void {
    this.#resetFrame(stream.id, code);
    this.#finish(stream, 'reset');
    this.#touch();
  }

  credit(stream: Http2Stream): void {
    if (!stream.remoteEnded) this.#creditStream(stream, true);
    this.#touch();
  }

  // ---- sending

  /** One DATA frame's header; the windows pay for it, and so does the peer's budget of WINDOW_UPDATEs. */
  #dataFrame(stream: Http2Stream, length: number, endStream: boolean): void {
    stream.sendWindow -= length;
    this.#sendWindow -= length;
    if (this.#windowUpdatesLeft < this.#limits.windowUpdatesSpareMax) this.#windowUpdatesLeft += 2;
    this.#control.give();
    this.#output.frame(length, DATA, endStream ? FLAG_END_STREAM : 0, stream.id);
  }

  #pumpAll(): void {
    let left = this.#ready.size;
    for (const stream of this.#ready) {
      if (left-- === 0 || this.#sendWindow <= 0 || !this.#socketTakes()) return;
      // To the end of the line, so that a long answer does not keep the others waiting.
      this.#ready.delete(stream);
      this.#pump(stream);
    }
  }

  /** As much of what is kept back as the windows and the socket take. */
  #pump(stream: Http2Stream): void {
    const { queue } = stream;
    if (queue === undefined) return;
    let sent = false;
    while (stream.queuedBytes > 0) {
      const room = Math.min(
        stream.sendWindow,
        this.#sendWindow,
        this.#peerFrameBytes,
        FRAME_PAYLOAD_BYTES_MAX,
      );
      if (room <= 0 || !this.#socketTakes()) break;
      const length = Math.min(room, stream.queuedBytes);
      const last = length === stream.queuedBytes && stream.ending === BARE_END;
      this.#dataFrame(stream, length, last);
      this.#takeQueued(stream, queue, length);
      sent = true;
      if (last) {
        this.#emptied(stream);
        this.#localEnded(stream);
        return;
      }
    }
    if (sent) stream.progressAtMs = this.#options.nowMs();
    if (stream.queuedBytes > 0) {
      this.#sort(stream);
      return;
    }
    const { ending } = stream;
    this.#emptied(stream);
    if (ending === BARE_END) {
      this.#output.frame(0, DATA, FLAG_END_STREAM, stream.id);
      this.#localEnded(stream);
    } else if (ending !== undefined) this.headers(stream, ending, true);
    else stream.handler.drained();
  }

  /** Among those that may send, or not. */
  #sort(stream: Http2Stream): void {
    if (stream.sendWindow > 0) this.#ready.add(stream);
    else this.#ready.delete(stream);
  }

  /** At the end of what is kept back. */
  #keep(stream: Http2Stream, queue: Uint8Array[], bytes: Uint8Array): void {
    if (bytes.length > JOINED_BYTES_MAX) {
      queue.push(bytes);
      return;
    }
    const last = queue[queue.length - 1];
    let block = stream.keptBlock;
    let at = last?.length ?? 0;
    if (
      block === undefined ||
      last === undefined ||
      last !== stream.keptView ||
      at + bytes.length > block.length
    ) {
      const size = Math.max(bytes.length, JOINED_BLOCK_BYTES_MIN, stream.queuedBytes);
      block = Buffer.allocUnsafeSlow(Math.min(size, JOINED_BLOCK_BYTES_MAX));
      stream.keptBlock = block;
      at = 0;
      queue.push(block);
    }
    block.set(bytes, at);
    stream.keptView = block.subarray(0, at + bytes.length);
    queue[queue.length - 1] = stream.keptView;
  }

  #takeQueued(stream: Http2Stream, queue: Uint8Array[], length: number): void {
    let left = length;
    while (left > 0) {
      const first = queue[0] as Uint8Array;
      const end = Math.min(first.length, stream.queueAt + left);
      this.#output.append(first, stream.queueAt, end);
      left -= end - stream.queueAt;
      stream.queueAt = end;
      if (end === first.length) {
        queue.shift();
        stream.queueAt = 0;
      }
    }
    stream.queuedBytes -= length;
    this.#queuedBytes -= length;
  }

  #emptied(stream: Http2Stream): void {
    this.#queuedBytes -= stream.queuedBytes;
    stream.queue = undefined;
    stream.queuedBytes = 0;
    stream.queueAt = 0;
    stream.keptBlock = undefined;
    stream.keptView = undefined;
    stream.ending = undefined;
    this.#waiting.delete(stream);
    this.#ready.delete(stream);
  }

  #socketTakes(): boolean {
    return this.#output.waiting < this.#limits.outboundBytesPerStream;
  }

  /** The socket has taken a write. */
  #written(): void {
    if (this.#over) return;
    this.#outTotal++;
    if (this.#waiting.size === 0) return;
    this.#pumpAll();
    this.#flush();
  }

  /** Where nobody else will: at the end of the work at hand. */
  #touch(): void {
    if (this.#receiving || this.#flushAsked || !this.#output.unflushed) return;
    this.#flushAsked = true;
    queueMicrotask(() => {
      this.#flushAsked = false;
      this.#flush();
    });
  }

  #flush(): void {
    if (this.#over) return;
    this.#output.flush();
    if (this.outboundBytes > this.#limits.outboundBytesPerConnectionMax)
      this.fail(ENHANCE_YOUR_CALM, 'outbound_too_large');
    else this.#closeWhenDone();
  }

  #greet(): void {
    const { limits } = this.#options;
    const settings = [
      [SETTINGS_HEADER_TABLE_SIZE, limits.headerTableBytes],
      [SETTINGS_MAX_CONCURRENT_STREAMS, limits.concurrentStreamsMax],
      [SETTINGS_INITIAL_WINDOW_SIZE, limits.streamWindowBytes],
      [SETTINGS_MAX_HEADER_LIST_SIZE, limits.headerListBytesMax],
    ] as const;
    this.#output.frame(settings.length * 6, SETTINGS, 0, 0);
    for (const [name, value] of settings) {
      this.#output.append(Uint8Array.of(name >> 8, name), 0, 2);
      this.#output.uint32(value);
    }
    const more = limits.connectionWindowBytes - WINDOW_BYTES_INITIAL;
    if (more > 0) {
      this.#windowUpdate(0, more);
      this.#receiveWindow += more;
    }
    this.#touch();
  }

  #windowUpdate(id: number, increment: number): void {
    this.#output.frame(4, WINDOW_UPDATE, 0, id);
    this.#output.uint32(increment);
  }

  /** One WINDOW_UPDATE for half a window, not one for each frame: Envoy counts them. */
  #creditStream(stream: Http2Stream, now: boolean): void {
    const { uncredited } = stream;
    if (uncredited === 0 || (!now && uncredited * 2 < this.#limits.streamWindowBytes)) return;
    stream.uncredited = 0;
    stream.receiveWindow += uncredited;
    this.#windowUpdate(stream.id, uncredited);
  }

  #resetFrame(id: number, code: number): void {
    this.#output.frame(4, RST_STREAM, 0, id);
    this.#output.uint32(code);
    this.#resetIds.add(id);
  }

  #goawayFrame(lastId: number, code: number): void {
    this.#output.frame(8, GOAWAY, 0, 0);
    this.#output.uint32(lastId);
    this.#output.uint32(code);
  }

  #ping(payload: Buffer, flags: number): void {
    this.#output.frame(PING_BYTES, PING, flags, 0);
    this.#output.append(payload, 0, PING_BYTES);
  }

  // ---- ends of streams

  /** We have said all. A peer that has not is told that nothing more is read (RFC 9113 §8.1). */
  #localEnded(stream: Http2Stream): void {
    stream.localEnded = true;
    if (!stream.remoteEnded) this.#resetFrame(stream.id, NO_ERROR);
    this.#finish(stream, 'ended');
  }

  #finish(stream: Http2Stream, how: 'ended' | 'reset'): void {
    stream.over = true;
    this.#streams.delete(stream);
    this.inbound.take(-stream.openBytes);
    if (stream.queue !== undefined) this.#emptied(stream);
    if (this.#streams.size === 0) this.#idleSinceMs = this.#options.nowMs();
    stream.handler.closed(how);
    if (how === 'ended' && this.#receiving) this.#justEnded.push(stream);
    else this.#options.onStreamOver?.(stream, how === 'reset');
  }

  #tellEnded(): void {
    const ended = this.#justEnded;
    this.#justEnded = [];
    for (const stream of ended) this.#options.onStreamOver?.(stream, false);
  }

  #streamError(stream: Http2Stream, code: number): void {
    // A peer that has us reset streams costs as much as one that does it itself (CVE-2025-8671).
    if (!stream.carriedMessage) this.#chargeReset();
    this.#resetFrame(stream.id, code);
    this.#finish(stream, 'reset');
  }

  #refuse(id: number, code: number): void {
    this.#chargeReset();
    this.#resetFrame(id, code);
  }

  /** An error of a stream that may be none, as PRIORITY may name any. */
  #errorOf(id: number, code: number): void {
    const stream = this.#streams.get(id);
    if (stream !== undefined) this.#streamError(stream, code);
    else throw new ConnectionError(code, 'malformed');
  }

  #onGone(id: number): void {
    this.#notIdle(id);
    // What was on its way when we reset it, or behind our last GOAWAY.
    if (this.#resetIds.has(id) || this.#goaway?.kind === 'final') return;
    throw new ConnectionError(STREAM_CLOSED, 'stream_closed');
  }

  #notIdle(id: number): void {
    if (id % 2 === 0 || id > this.#lastId) malformed();
  }

  // ---- charges

  #charge(): void {
    if (!this.#control.take(this.#options.nowMs()))
      throw new ConnectionError(ENHANCE_YOUR_CALM, 'control_flood');
  }

  #chargeReset(): void {
    if (!this.#emptyResets.take(this.#options.nowMs()))
      throw new ConnectionError(ENHANCE_YOUR_CALM, 'reset_flood');
  }

  #answeredControl(): void {
    this.#controlUnflushed++;
    if (++this.#controlWaiting > this.#limits.outboundControlFramesMax)
      throw new ConnectionError(ENHANCE_YOUR_CALM, 'control_flood');
  }

  // ---- time

  #sweepSilence(nowMs: number): void {
    if (this.#heard) {
      this.#heard = false;
      this.#heardAtMs = nowMs;
      this.#pingedAtMs = undefined;
    } else if (this.#pingedAtMs !== undefined) {
      if (nowMs - this.#pingedAtMs >= this.#limits.keepaliveTimeoutMs)
        this.fail(NO_ERROR, 'keepalive_timeout');
    } else if (nowMs - this.#heardAtMs >= this.#limits.keepaliveMs) {
      this.#pingedAtMs = nowMs;
      this.#ping(KEEPALIVE_PING, 0);
    }
  }

  #sweepStalls(nowMs: number): void {
    if (this.#output.waiting === 0 || this.#outTotal !== this.#outBefore) {
      this.#outBefore = this.#outTotal;
      this.#outAtMs = nowMs;
    } else if (nowMs - this.#outAtMs >= this.#limits.writeStallMs) {
      this.fail(ENHANCE_YOUR_CALM, 'write_stalled');
      return;
    }
    for (const stream of [...this.#waiting])
      if (nowMs - stream.progressAtMs >= this.#limits.writeStallMs) {
        this.#resetFrame(stream.id, ENHANCE_YOUR_CALM);
        this.#finish(stream, 'reset');
      }
  }

  #sweepIdle(nowMs: number): void {
    if (this.#goaway?.kind === 'announced') {
      if (nowMs - this.#goaway.atMs >= GOAWAY_SETTLE_MS) this.#settleGoaway();
    } else if (
      this.#goaway === undefined &&
      this.#streams.size === 0 &&
      nowMs - this.#idleSinceMs >= this.#limits.idleMs
    )
      this.goaway();
  }

  #settleGoaway(): void {
    this.#goaway = { kind: 'final' };
    this.#goawayFrame(this.#lastTakenId, NO_ERROR);
    this.#touch();
  }

  #closeWhenDone(): void {
    if (this.#goaway?.kind === 'final' && this.#streams.size === 0 && !this.#output.unflushed)
      this.#end(undefined);
  }

  #end(fault: ConnectionFault | undefined): void {
    if (this.#over) return;
    this.#over = true;
    this.#ended(fault);
  }

  #ended(fault: ConnectionFault | undefined): void {
    this.#options.sink.close(fault !== undefined && fault !== 'peer_closed');
    for (const stream of this.#streams.all()) {
      stream.over = true;
      this.inbound.take(-stream.openBytes);
      stream.handler.closed('lost');
      this.#options.onStreamOver?.(stream, true);
    }
    this.#streams.clear();
    this.#waiting.clear();
    this.#ready.clear();
    this.#tellEnded();
    this.#options.onOver(fault);
  }
}

function readUint32(bytes: Buffer, at: number): number {
  return (
    (((bytes[at] as number) << 24) |
      ((bytes[at + 1] as number) << 16) |
      ((bytes[at + 2] as number) << 8) |
      (bytes[at + 3] as number)) >>>
    0
  );
}

function messagePrefix(length: number): Buffer {
  const prefix = Buffer.allocUnsafe(5);
  prefix[0] = 0;
  prefix.writeUInt32BE(length, 1);
  return prefix;
}

function malformed(): never {
  throw new ConnectionError(PROTOCOL_ERROR, 'malformed');
}

function wrongSize(): never {
  throw new ConnectionError(FRAME_SIZE_ERROR, 'malformed');
}
