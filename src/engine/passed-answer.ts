/** An answer of which nothing is looked at. */
import type { Rule } from '../policy/set.ts';
import type { BodyEvent } from '../protocol/process.ts';
import type { Answer, AnswerSide } from './answer.ts';
import type { RefusalCode } from './codes.ts';
import { movedUnits } from './whole-reading.ts';

export class PassedAnswer implements Answer {
  private readonly side: AnswerSide;

  constructor(side: AnswerSide) {
    this.side = side;
  }

  body({ bytes, endOfStream }: BodyEvent): void {
    this.side.exchange.port.body('response', bytes, endOfStream, true);
    if (endOfStream) this.side.finish();
  }

  unitsOf({ bytes }: BodyEvent): number {
    return movedUnits(bytes.length);
  }

  trailers(): void {
    this.side.passTrailers();
  }

  refuse(code: RefusalCode, rule?: Rule): void {
    this.side.refuseOutside(code, rule);
  }

  discard(): void {}
}
