/**
 * What of an exchange goes into spans, where its trace is sampled and somebody takes them. Of every other one nothing is
 * kept, and nothing asked but whether it is one.
 */
import type { DecisionRecord } from '../audit/record.ts';
import type { Direction } from '../policy/set.ts';
import type { Clock } from './clock.ts';
import type { TraceContext } from './trace-context.ts';

/** When something began (Unix, ms) and how long it took. */
interface Timed {
  readonly atMs: number;
  readonly durationMs: number;
}

/** The exchange, or what a classifier said when it was over, as its record tells it. */
export interface TracedDecision {
  /** Sixteen lower-case hexadecimal digits. */
  readonly span: string;
  /** Of the record's trace. */
  readonly parent: string;
  readonly record: DecisionRecord;
  /** From its first event to its last. */
  readonly sides: Readonly<Partial<Record<Direction, Timed>>>;
}

/** A classifier was asked. */
export interface TracedQuestion extends Timed {
  readonly trace: string;
  readonly parent: string;
  readonly exchange: string;
  readonly classifier: string;
  readonly direction: Direction;
  /** `judged`, or why not. */
  readonly outcome: string;
}

/** Takes what spans are made of; never throws, never waits. It has no content to show (invariant 9). */
export interface Traces {
  newSpanId(): string;
  /** `sides` may still change until this turn of the event loop is over. */
  decided(decision: TracedDecision): void;
  asked(question: TracedQuestion): void;
}

/** Of one exchange. */
export class ExchangeSpan {
  private readonly id: string;
  private readonly traces: Traces;
  private readonly context: TraceContext;
  private readonly clock: Clock;
  /** Of the wall over the monotonic clock: what took how long is not for a clock that somebody sets. */
  private readonly offsetMs: number;
  private readonly sides: Partial<Record<Direction, { atMs: number; durationMs: number }>> = {};

  constructor(traces: Traces, context: TraceContext, clock: Clock) {
    this.id = traces.newSpanId();
    this.traces = traces;
    this.context = context;
    this.clock = clock;
    this.offsetMs = clock.nowMs() - clock.monotonicMs();
  }

  /** Worked on one side, in monotonic ms. */
  worked(direction: Direction, fromMs: number, toMs: number): void {
    const side = (this.sides[direction] ??= { atMs: this.offsetMs + fromMs, durationMs: 0 });
    side.durationMs = this.offsetMs + toMs - side.atMs;
  }

  /** A classifier is asked; the result is called with how that ended. */
  asking(exchange: string, classifier: string, direction: Direction): (outcome: string) => void {
    const startedMs = this.clock.monotonicMs();
    return (outcome) =>
      this.traces.asked({
        ...{ trace: this.context.trace, parent: this.id },
        ...{ exchange, classifier, direction, outcome },
        atMs: this.offsetMs + startedMs,
        durationMs: this.clock.monotonicMs() - startedMs,
      });
  }

  decided(record: DecisionRecord): void {
    const { id: span, sides } = this;
    this.traces.decided({ span, parent: this.context.parent, record, sides });
  }

  /** When it was over already. */
  decidedLate(record: DecisionRecord): void {
    const span = this.traces.newSpanId();
    this.traces.decided({ span, parent: this.id, record, sides: {} });
  }
}
