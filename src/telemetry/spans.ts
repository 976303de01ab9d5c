/**
 * Spans of sampled traces: a bounded queue, and a thread that makes and sends them (`span-thread.ts`). It begins with the
 * first of them, one batch after the other. Nobody waits for it: what there is no room for is dropped and counted, and what
 * could not be sent is counted too, and told once.
 */
import { randomBytes } from 'node:crypto';
import type { TracedDecision, TracedQuestion, Traces } from '../engine/tracing.ts';
import type { TracingConfig } from '../engine/tracing-config.ts';
import type { SPAN_OUTCOMES } from './metrics.ts';
import { decisionContent, questionContent } from './span-content.ts';
import {
  type SpanOrder,
  type SpanOutcome,
  type SpanThread,
  startSpanThread,
} from './span-thread.ts';

export interface SpanFault {
  readonly status?: number;
  readonly errno?: string;
}

export interface SpansOptions extends TracingConfig {
  readonly endpoint: string;
  readonly version: string;
  /** What became of so many exchanges, or questions to a classifier. */
  readonly counted: (outcome: (typeof SPAN_OUTCOMES)[number], count: number) => void;
  /** Once when sending begins to fail, and once (undefined) when it works again. */
  readonly failing: (fault: SpanFault | undefined) => void;
}

export interface Spans extends Traces {
  /** Sends what is left, for at most `closeMs`, and ends the thread. */
  close(): Promise<void>;
}

const SPAN_ID_BYTES = 8;
const ZEROS = '0'.repeat(2 * SPAN_ID_BYTES);

type Item =
  | { readonly kind: 'decision'; readonly decision: TracedDecision }
  | { readonly kind: 'question'; readonly question: TracedQuestion };

export function openSpans(options: SpansOptions): Spans {
  return new QueuedSpans(options);
}

class QueuedSpans implements Spans {
  private readonly options: SpansOptions;
  private queue: Item[] = [];
  private thread: SpanThread | undefined;
  /** Items that the thread has not answered yet. */
  private underWay = 0;
  private timer: NodeJS.Timeout | undefined;
  private fails = false;
  private closing: (() => void) | undefined;
  private closed = false;

  constructor(options: SpansOptions) {
    this.options = options;
  }

  newSpanId(): string {
    const id = randomBytes(SPAN_ID_BYTES).toString('hex');
    return id === ZEROS ? this.newSpanId() : id;
  }

  decided(decision: TracedDecision): void {
    this.add({ kind: 'decision', decision });
  }

  asked(question: TracedQuestion): void {
    this.add({ kind: 'question', question });
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      const deadline = setTimeout(() => this.end(), this.options.closeMs);
      this.closing = () => {
        clearTimeout(deadline);
        resolve();
      };
      this.flush();
    });
  }

  private add(item: Item): void {
    const { queueMax, batchMs } = this.options;
    if (this.closed || this.queue.length >= queueMax) {
      this.options.counted('dropped', 1);
      return;
    }
    this.queue.push(item);
    if (this.underWay > 0) return;
    this.timer ??= setTimeout(() => this.flush(), batchMs).unref();
  }

  private flush(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (this.underWay > 0) return;
    const batch = this.queue.splice(0, this.options.batchMax);
    if (batch.length === 0) {
      if (this.closing !== undefined) this.end();
      return;
    }
    this.underWay = batch.length;
    try {
      this.thread ??= this.begun();
      this.thread.postMessage(orderOf(batch));
    } catch {
      this.lost();
    }
  }

  private begun(): SpanThread {
    const { endpoint, exportTimeoutMs, version } = this.options;
    const thread = startSpanThread({ endpoint, exportTimeoutMs, version });
    thread.on('message', (outcome) => this.answered(outcome));
    thread.on('error', () => {});
    // With whatever it had; the next batch begins another one.
    thread.on('exit', () => {
      if (this.thread !== thread) return;
      this.thread = undefined;
      this.lost();
    });
    // What is left to send does not keep a process alive: `close` waits for it.
    thread.unref();
    return thread;
  }

  private lost(): void {
    if (this.underWay > 0) this.answered({ kind: 'failed' });
  }

  private answered(outcome: SpanOutcome): void {
    if (this.closed) return;
    const { counted, failing, batchMs, batchMax } = this.options;
    counted(outcome.kind, this.underWay);
    this.underWay = 0;
    if (outcome.kind === 'failed' && !this.fails) {
      const { kind, ...fault } = outcome;
      failing(fault);
    } else if (outcome.kind === 'exported' && this.fails) failing(undefined);
    this.fails = outcome.kind === 'failed';
    if (this.closing !== undefined || this.queue.length >= batchMax) this.flush();
    else if (this.queue.length > 0) this.timer = setTimeout(() => this.flush(), batchMs).unref();
  }

  /** What is left is lost. */
  private end(): void {
    if (this.closed) return;
    this.closed = true;
    this.options.counted('dropped', this.queue.length + this.underWay);
    this.queue = [];
    this.underWay = 0;
    clearTimeout(this.timer);
    const { thread, closing } = this;
    this.thread = undefined;
    void thread?.terminate();
    closing?.();
  }
}

function orderOf(batch: readonly Item[]): SpanOrder {
  return batch.map((item) => {
    if (item.kind === 'question') {
      const { trace, parent } = item.question;
      return { trace, parent, content: questionContent(item.question) };
    }
    const { parent, record } = item.decision;
    return { trace: record.traceContext!.trace, parent, content: decisionContent(item.decision) };
  });
}
