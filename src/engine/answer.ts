/** The seam between the response side and the ways in which an answer may come and go. */
import type { Rule } from '../policy/set.ts';
import type { BodyEvent } from '../protocol/process.ts';
import type { RefusalCode } from './codes.ts';
import type { Exchange } from './exchange.ts';

export const EMPTY_BODY = new Uint8Array(0);

/** One way: it owns what of the answer is held. */
export interface Answer {
  body(event: BodyEvent): void;
  /** What `body` will cost, in units of text that is judged. */
  unitsOf(event: BodyEvent): number;
  trailers(): void;
  /** Ends the answer now with a refusal, in whatever way is still clean. */
  refuse(code: RefusalCode, rule?: Rule): void;
  /** Nothing more of it is wanted. */
  discard(): void;
}

/** What the ways have in common: the answer's side of an exchange. */
export interface AnswerSide {
  readonly exchange: Exchange;
  /** What is still to come is passed on as it comes; `shown`: it will be shown to us. */
  passRest(shown: boolean): void;
  /** Everything of the answer was handed to Envoy. */
  finish(): void;
  /** The same, where trailers end it. */
  passTrailers(): void;
  /** Our own HTTP answer as long as nothing has left; after that the stream is broken off. */
  refuseOutside(code: RefusalCode, rule?: Rule): void;
  /** A refusal that is no HTTP answer of ours: the record, and nothing more is looked at. */
  recordRefusal(code: RefusalCode): void;
}
