/** STREAMED: looked at chunk by chunk; may be broken off, never changed or held back. */
import type { Rule } from '../policy/set.ts';
import type { BodyEvent } from '../protocol/process.ts';
import { type Answer, type AnswerSide, EMPTY_BODY } from './answer.ts';
import type { Job, Pause } from './backlog.ts';
import { ownEvent } from './body-buffer.ts';
import type { RefusalCode } from './codes.ts';
import type { BodyInspection, InspectionStep } from './inspection.ts';

export class WatchedAnswer implements Answer {
  private readonly side: AnswerSide;
  private readonly inspection: BodyInspection;
  /** A failed stream would let the rest pass on such a route: every chunk still gets its reply, an empty one. */
  private silenced = false;

  constructor(side: AnswerSide, inspection: BodyInspection) {
    this.side = side;
    this.inspection = inspection;
  }

  body(event: BodyEvent): void {
    if (this.silenced) {
      this.answerChunk(false, event);
      return;
    }
    const step = this.inspection.push(event.bytes);
    if (step.more || event.endOfStream)
      this.side.exchange.work('response', this.slices(step, ownEvent(event)));
    else this.answerChunk(this.passes(step), event);
  }

  unitsOf({ bytes }: BodyEvent): number {
    return bytes.length;
  }

  trailers(): void {
    if (this.silenced) this.side.passTrailers();
    else this.side.exchange.work('response', this.endByTrailers());
  }

  refuse(code: RefusalCode, rule?: Rule): void {
    const { port, declaredOpen } = this.side.exchange;
    if (!port.canRefuse && !port.observability && declaredOpen) this.silence(code);
    else this.side.refuseOutside(code, rule);
  }

  discard(): void {}

  private silence(code: RefusalCode): void {
    this.side.recordRefusal(code);
    this.side.exchange.refused = false;
    this.silenced = true;
  }

  private *slices(first: InspectionStep, event: BodyEvent): Job {
    let passes = yield* this.look(first);
    if (passes && event.endOfStream) passes = yield* this.look(this.inspection.end());
    this.answerChunk(passes, event);
  }

  private *endByTrailers(): Job {
    if ((yield* this.look(this.inspection.end())) || this.silenced) this.side.passTrailers();
  }

  private answerChunk(passes: boolean, { bytes, endOfStream }: BodyEvent): void {
    const { port } = this.side.exchange;
    if (passes) port.body('response', bytes, endOfStream, true);
    else if (this.silenced) port.body('response', EMPTY_BODY, endOfStream);
    else return;
    if (endOfStream) this.side.finish();
  }

  /** Looks at what has come, slice by slice; false when the answer was broken off. */
  private *look(first: InspectionStep): Generator<Pause, boolean> {
    for (let step = first; ; step = this.inspection.resume()) {
      if (!this.passes(step)) return false;
      if (!step.more) return true;
      yield;
    }
  }

  private passes({ stopped }: InspectionStep): boolean {
    if (!stopped) return true;
    const { exchange } = this.side;
    if (exchange.port.observability && stopped.kind !== 'policy') {
      exchange.decision.degraded = true;
      return true;
    }
    const { code, rule } = exchange.refusalOf(stopped);
    this.refuse(code, rule);
    return false;
  }
}
