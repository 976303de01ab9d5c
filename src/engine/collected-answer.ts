/** One document, an encoded body, or one that a classifier must judge: needed whole before anything of it may leave. */
import { parseContentEncoding } from '../formats/encodings.ts';
import type { Rule } from '../policy/set.ts';
import type { BodyEvent, HeaderMutation } from '../protocol/process.ts';
import type { Answer, AnswerSide } from './answer.ts';
import type { Job, Pause } from './backlog.ts';
import { BodyBuffer } from './body-buffer.ts';
import type { Classification } from './classification.ts';
import type { RefusalCode } from './codes.ts';
import { type GivenSpans, respelled } from './given-spans.ts';
import type { BodyInspection } from './inspection.ts';
import { sendWhole } from './paced-sending.ts';
import { WholeOutput } from './whole-output.ts';
import { bytesOfWhole, decodeWhole, movedBytesMax, movedUnits } from './whole-reading.ts';

export interface CollectedParts {
  readonly inspection: BodyInspection;
  /** Whom to ask about it. */
  readonly classification: Classification | undefined;
  /** Reads it once more, to replace what classifiers have found. */
  readonly reread: (spans: GivenSpans) => BodyInspection;
  /** Rules that read it or change it. */
  readonly rules: readonly Rule[];
  /** Its `content-encoding`, or ''. */
  readonly encoding: string;
  /** Its headers have left: nothing in them can be changed any more. */
  readonly headersSent: boolean;
}

export class CollectedAnswer implements Answer {
  private readonly side: AnswerSide;
  private readonly parts: CollectedParts;
  private readonly buffer = new BodyBuffer();

  constructor(side: AnswerSide, parts: CollectedParts) {
    this.side = side;
    this.parts = parts;
  }

  body(event: BodyEvent): void {
    const { exchange } = this.side;
    const { limits, held } = exchange.deps;
    this.buffer.add(event.bytes);
    const within = held.add(event.bytes.length);
    if (this.buffer.bytes > limits.responseBodyBytesMax) {
      this.refuse('body_too_large');
      return;
    }
    if (!within) {
      this.refuse('held_bytes_exceeded');
      return;
    }
    exchange.stall.hold('response', limits.responseStallTimeoutMs);
    const mode = exchange.port.bodyMode('response');
    if (mode === 'BUFFERED_PARTIAL' && !event.endOfStream) this.passCut(event.bytes);
    else if (event.endOfStream || mode === 'BUFFERED') this.work(this.judge(event.endOfStream));
  }

  unitsOf({ bytes, endOfStream }: BodyEvent): number {
    return endOfStream ? this.buffer.bytes + bytes.length : movedUnits(bytes.length);
  }

  trailers(): void {
    const { exchange } = this.side;
    if (exchange.port.bodyMode('response') === 'FULL_DUPLEX_STREAMED')
      this.work(this.endByTrailers());
    else this.side.passTrailers();
  }

  refuse(code: RefusalCode, rule?: Rule): void {
    this.side.refuseOutside(code, rule);
  }

  discard(): void {
    this.release();
  }

  private release(): void {
    this.side.exchange.deps.held.add(-this.buffer.bytes);
    this.buffer.drop();
  }

  /** BUFFERED_PARTIAL: the rest of the body is not shown to us. */
  private passCut(bytes: Uint8Array): void {
    const { exchange } = this.side;
    if (exchange.cannotEnforce(this.parts.rules)) {
      this.refuse('mode_cannot_enforce');
      return;
    }
    this.release();
    this.side.passRest(false);
    exchange.port.body('response', bytes, false, true);
  }

  /** All of the body is here; while it waits for its place nobody waits for more of it. */
  private work(job: Job | Generator<Pause, boolean>): void {
    const { exchange } = this.side;
    exchange.stall.stop();
    const most = bytesOfWhole(this.buffer.bytes, this.parts.encoding, exchange.deps.limits);
    exchange.work('response', job, most);
  }

  private *endByTrailers(): Job {
    if (yield* this.judge(false)) this.side.passTrailers();
  }

  /** False when it was refused. */
  private *judge(endOfStream: boolean): Generator<Pause, boolean> {
    const { inspection, classification, rules, encoding, headersSent } = this.parts;
    const { exchange } = this.side;
    const { deps, decision } = exchange;
    deps.held.add(-this.buffer.bytes);
    const original = yield* this.buffer.takeInSlices(movedBytesMax(exchange.sliceUnits));
    const large = original.length > deps.limits.sliceUnitsMax;
    if (large) yield;
    const decoded = yield* decodeWhole(original, encoding, deps);
    if (!decoded.ok) {
      exchange.unreadable('response', decoded.reason);
      if (exchange.cannotEnforce(rules)) {
        exchange.refuse('response', 'mode_cannot_enforce');
        return false;
      }
      yield* this.send(original, false, endOfStream);
      return true;
    }
    if (decoded.bytes !== original) exchange.sized(original.length + decoded.bytes.length);
    if (large) yield;
    const output = new WholeOutput(decoded.bytes);
    let ending = false;
    for (let step = inspection.push(decoded.bytes, true); ; ) {
      if (step.stopped) {
        const { code, rule } = exchange.refusalOf(step.stopped);
        exchange.refuse('response', code, rule);
        return false;
      }
      output.add(step.output, inspection.changed);
      if (step.more) {
        yield;
        step = inspection.resume();
      } else if (!ending) {
        ending = true;
        step = inspection.end();
      } else break;
    }
    if (classification) {
      exchange.judged();
      if (!(yield* classification.judge())) return false;
    }
    const spans = classification?.spans;
    let bytes = inspection.changed ? output.bytes : decoded.bytes;
    if (spans !== undefined) {
      const left = yield* respelled(this.parts.reread(spans), spans, bytes);
      if (left.kind !== 'respelled') {
        if (exchange.refuseUnreplaced('response', left)) return false;
      } else bytes = left.bytes;
    }
    const changed = inspection.changed || spans !== undefined;
    if (changed && headersSent && isEncoded(encoding)) {
      exchange.refuse('response', 'mode_cannot_enforce');
      return false;
    }
    if (changed) decision.mutation('response');
    yield* this.send(changed ? bytes : original, changed, endOfStream);
    return true;
  }

  private *send(bytes: Uint8Array, changed: boolean, endOfStream: boolean): Job {
    const { encoding, headersSent } = this.parts;
    const { port, sliceUnits } = this.side.exchange;
    if (!headersSent) {
      const mutation: HeaderMutation =
        changed && isEncoded(encoding) ? { remove: ['content-encoding'] } : {};
      port.continueHeaders('response', mutation);
    }
    yield* sendWhole(port, 'response', bytes, {
      endOfStream,
      unchanged: !changed,
      sliceBytesMax: movedBytesMax(sliceUnits),
    });
    if (endOfStream) this.side.finish();
    else this.side.passRest(true);
  }
}

/** Whether a `content-encoding` says anything but identity. */
export const isEncoded = (encoding: string): boolean => parseContentEncoding(encoding).length > 0;
