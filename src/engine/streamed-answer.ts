/**
 * FULL_DUPLEX, readable as it comes: frames leave as they are judged. Headers wait for the first bytes that may
 * leave, so that until then a refusal is a clean 4xx; after that it is the last event of the answer.
 */
import { refusingWords } from '../policy/actions/refusing.ts';
import type { Rule } from '../policy/set.ts';
import type { BodyEvent } from '../protocol/process.ts';
import { type Answer, type AnswerSide, EMPTY_BODY } from './answer.ts';
import type { Job, Pause } from './backlog.ts';
import { concatBytes } from './body-buffer.ts';
import { REFUSALS, type RefusalCode, refusalWord } from './codes.ts';
import type { BodyInspection, InspectionStep } from './inspection.ts';

export class StreamedAnswer implements Answer {
  private readonly side: AnswerSide;
  private readonly inspection: BodyInspection;
  private headersSent = false;
  /** Bytes that were counted as held. */
  private heldBytes = 0;

  constructor(side: AnswerSide, inspection: BodyInspection) {
    this.side = side;
    this.inspection = inspection;
  }

  body(event: BodyEvent): void {
    const { exchange } = this.side;
    const step = this.inspection.push(event.bytes);
    if (step.more) {
      exchange.work('response', this.slices(step, event.endOfStream));
      return;
    }
    if (!event.endOfStream || step.stopped) {
      if (this.emit(step, false) && !event.endOfStream) this.account();
      return;
    }
    const last = this.inspection.end();
    if (last.more) {
      if (this.emit(step, false)) exchange.work('response', this.endSlices(last));
      return;
    }
    const output = [...step.output, ...last.output];
    if (!this.emit({ ...last, output }, true)) return;
    this.openHeaders();
    if (output.length === 0) exchange.port.body('response', EMPTY_BODY, true);
    this.side.finish();
  }

  unitsOf({ bytes }: BodyEvent): number {
    return bytes.length;
  }

  trailers(): void {
    this.side.exchange.work('response', this.endByTrailers());
  }

  refuse(code: RefusalCode, rule?: Rule): void {
    const { exchange } = this.side;
    // Text that precedes the match leaves in any case: how the answer was cut must not show.
    const begun = this.headersSent || this.inspection.hasRemainder;
    if (exchange.port.canRefuse && !begun) exchange.refuse('response', code, rule);
    else this.refuseInside(code, rule);
  }

  discard(): void {
    this.side.exchange.deps.held.add(-this.heldBytes);
    this.heldBytes = 0;
  }

  private *endByTrailers(): Job {
    if (!(yield* this.emitAll(this.inspection.end()))) return;
    this.openHeaders();
    this.side.passTrailers();
  }

  /** A chunk that takes longer than one slice. */
  private *slices(first: InspectionStep, endOfStream: boolean): Job {
    if (!(yield* this.emitAll(first))) return;
    if (endOfStream) yield* this.endSlices(this.inspection.end());
  }

  private *endSlices(first: InspectionStep): Job {
    if (!(yield* this.emitAll(first))) return;
    this.openHeaders();
    this.side.exchange.port.body('response', EMPTY_BODY, true);
    this.side.finish();
  }

  /** Sends what may leave, slice by slice; false when the answer was refused. */
  private *emitAll(first: InspectionStep): Generator<Pause, boolean> {
    const { exchange } = this.side;
    for (let step = first; ; step = this.inspection.resume()) {
      if (!this.emit(step, false)) return false;
      if (exchange.refused) return false;
      this.account();
      if (exchange.refused) return false;
      if (!step.more) return true;
      yield;
    }
  }

  /** Sends what may leave; false when the answer was refused. */
  private emit(step: InspectionStep, endOfStream: boolean): boolean {
    const { exchange } = this.side;
    if (step.output.length > 0) {
      if (this.inspection.changed && exchange.decision.mutationDue)
        exchange.decision.mutation('response');
      this.openHeaders();
      exchange.port.body('response', concatBytes(step.output), endOfStream && !step.stopped);
    }
    if (!step.stopped) return true;
    const { code, rule } = exchange.refusalOf(step.stopped);
    this.refuse(code, rule);
    return false;
  }

  private openHeaders(): void {
    if (this.headersSent) return;
    this.headersSent = true;
    this.side.exchange.port.continueHeaders('response');
  }

  private account(): void {
    const { exchange } = this.side;
    const { limits, held } = exchange.deps;
    const now = this.inspection.heldBytes;
    const within = held.add(now - this.heldBytes);
    this.heldBytes = now;
    if (!within && now > 0) {
      this.refuse('held_bytes_exceeded');
      return;
    }
    if (now > 0) exchange.stall.hold('response', limits.responseStallTimeoutMs);
    else exchange.stall.stop();
  }

  /** The last event of the answer, in the format's own words. */
  private refuseInside(code: RefusalCode, rule: Rule | undefined): void {
    const { side } = this;
    const { exchange } = side;
    const block = code === 'policy' ? refusingWords(rule?.action) : undefined;
    const tail = this.inspection.refuse({
      message: block?.message ?? REFUSALS[code].message,
      decisionId: exchange.decision.id,
      code: refusalWord(code),
    });
    side.recordRefusal(code);
    exchange.deps.observer?.refused({ direction: 'response', code, rule, answer: undefined });
    this.openHeaders();
    const metadata = exchange.metadata(REFUSALS[code].verdict, code);
    exchange.port.body('response', concatBytes(tail), true, false, metadata);
    side.finish();
  }
}
