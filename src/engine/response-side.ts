/**
 * The answer of an exchange. A stream is judged frame by frame and leaves as it is judged; a document is
 * judged whole. Headers wait for the first bytes that may leave, so that until then a refusal is a clean
 * 4xx; after that it is the last event of the answer, in the format's own words.
 */
import { detectFormat } from '../formats/detect.ts';
import { parseContentEncoding } from '../formats/encodings.ts';
import { refusingWords } from '../policy/actions/refusing.ts';
import { isMutation } from '../policy/evaluate.ts';
import type { Rule } from '../policy/set.ts';
import type { BodyEvent, HeaderMutation, HeadersEvent } from '../protocol/process.ts';
import { reaches } from './active-rules.ts';
import type { Job, Pause } from './backlog.ts';
import { BodyBuffer, concatBytes as concat } from './body-buffer.ts';
import type { RefusalCode } from './codes.ts';
import { REFUSALS, refusalWord } from './codes.ts';
import type { Exchange } from './exchange.ts';
import { BodyInspection, type InspectionStep, refusalOf } from './inspection.ts';
import { decodeWhole } from './whole-reading.ts';

type State =
  | { readonly kind: 'idle' }
  | { readonly kind: 'passing' }
  /** FULL_DUPLEX, readable as it comes. */
  | {
      readonly kind: 'streaming';
      readonly inspection: BodyInspection;
      headersSent: boolean;
      held: number;
    }
  /** One document, or an encoded body: needed whole. */
  | {
      readonly kind: 'collecting';
      readonly inspection: BodyInspection;
      readonly buffer: BodyBuffer;
      readonly encoding: string;
      headersSent: boolean;
    }
  /** STREAMED: looked at chunk by chunk; may be broken off, never changed. */
  | { readonly kind: 'watching'; readonly inspection: BodyInspection }
  /** STREAMED on a route that would pass a broken-off answer on: the rest of it is sent empty. */
  | { readonly kind: 'silenced' }
  | { readonly kind: 'done' };

export class ResponseSide {
  /** Everything of the answer was handed to Envoy. */
  complete = false;
  begun = false;

  private readonly exchange: Exchange;
  private state: State = { kind: 'idle' };
  private rules: readonly Rule[] = [];
  /** They, and those that change the answer without reading it. */
  private relevant: readonly Rule[] = [];
  private passAll = false;

  constructor(exchange: Exchange) {
    this.exchange = exchange;
  }

  /** The answer is not to be looked at. */
  pass(): void {
    this.passAll = true;
  }

  headers(event: HeadersEvent): void {
    const { exchange } = this;
    const { port, decision } = exchange;
    this.begun = true;
    decision.status = Number(event.headers.get(':status') ?? 0);
    if (!exchange.isLocalReply(event)) exchange.answered(decision.status);
    if (this.passAll || exchange.isLocalReply(event)) {
      this.letPass(event);
      return;
    }
    const active = exchange.active ?? exchange.activateRules(undefined);
    this.rules = active.content.filter((rule) => reaches(rule, 'response'));
    const appends = active.plain.filter(
      (rule) => rule.action.kind === 'append' && rule.enforcement === 'enforce',
    );
    const list = exchange.modelList(active, decision.status);
    const granting = list ? active.granting : [];
    const relevant = [...this.rules, ...appends, ...granting];
    if (relevant.length === 0 || event.endOfStream) {
      this.letPass(event);
      return;
    }
    this.relevant = relevant;
    const encoding = event.headers.get('content-encoding') ?? '';
    const { format, streamed } =
      list ??
      detectFormat(
        {
          path: exchange.path,
          contentType: event.headers.get('content-type') ?? '',
          direction: 'response',
          ...(exchange.requestFormat.name === 'mcp' && { requestFormat: exchange.requestFormat }),
        },
        exchange.deps.formats,
      );
    decision.format = format.name;
    const mode = exchange.shownMode('response');
    // A document is judged at its end, when STREAMED has sent all of it.
    const tooLate =
      mode === 'STREAMED' && !streamed && !port.observability ? this.rules.filter(blocks) : [];
    const rules = this.rules.filter((rule) => !tooLate.includes(rule));
    const observer = exchange.deps.observer?.body({
      direction: 'response',
      format: format.name,
      streamed,
      rules,
    });
    const inspection = new BodyInspection({
      direction: 'response',
      reader: format.reader('response', streamed),
      whole: !streamed,
      rules,
      appends,
      placeholders: exchange.placeholders,
      heldBytesMax: streamed
        ? exchange.deps.limits.heldBytesMax
        : exchange.deps.limits.responseBodyBytesMax,
      textsMax: exchange.deps.limits.textsMax,
      matchesMax: exchange.deps.limits.matchesMax,
      sliceUnitsMax: exchange.deps.limits.sliceUnitsMax,
      onFinding: (finding) => {
        decision.finding(finding);
        observer?.finding(finding);
      },
      mayPassUnread: (reading = relevant) => !exchange.cannotEnforce(reading),
      mayAppend: (rule) => exchange.mayAppend(rule),
      observer,
    });
    if (exchange.contradictsOpenRoute(relevant)) {
      exchange.refuse('response', 'mode_cannot_enforce');
      return;
    }
    const encoded = isEncoded(encoding);
    switch (mode) {
      case 'FULL_DUPLEX_STREAMED':
        this.state =
          streamed && !encoded
            ? { kind: 'streaming', inspection, headersSent: false, held: 0 }
            : {
                kind: 'collecting',
                inspection,
                buffer: new BodyBuffer(),
                encoding,
                headersSent: false,
              };
        return;
      case 'BUFFERED':
      case 'BUFFERED_PARTIAL':
        this.state = {
          kind: 'collecting',
          inspection,
          buffer: new BodyBuffer(),
          encoding,
          headersSent: true,
        };
        port.continueHeaders('response');
        return;
      case 'STREAMED':
        // A list that is shortened is changed.
        if (
          !port.observability &&
          (this.streamedCannot(relevant, tooLate, encoded) || exchange.cannotEnforce(granting))
        ) {
          exchange.refuse('response', 'mode_cannot_enforce');
          return;
        }
        // Its first chunk could only be broken off, at worst behind headers that say 200.
        if (!port.observability && format.name === 'opaque' && exchange.cannotEnforce(relevant)) {
          exchange.refuse('response', 'unreadable_body');
          return;
        }
        if (encoded) decision.degraded = true;
        this.state = encoded ? { kind: 'passing' } : { kind: 'watching', inspection };
        port.continueHeaders('response');
        return;
      default:
        if (exchange.cannotEnforce(relevant)) {
          exchange.refuse('response', 'mode_cannot_enforce');
          return;
        }
        this.letPass(event);
    }
  }

  body(event: BodyEvent): void {
    const { state, exchange } = this;
    exchange.decision.responseBytes += event.bytes.length;
    switch (state.kind) {
      case 'passing':
        exchange.port.body('response', event.bytes, event.endOfStream, true);
        if (event.endOfStream) this.finish();
        return;
      case 'streaming':
        this.stream(state, event);
        return;
      case 'collecting':
        this.collect(state, event);
        return;
      case 'watching':
        this.watch(state, event);
        return;
      case 'silenced':
        exchange.port.body('response', EMPTY, event.endOfStream);
        if (event.endOfStream) this.finish();
        return;
      case 'idle': // response headers are not sent to us on this route: nothing can be judged
        if (exchange.active?.content.some((rule) => reaches(rule, 'response')) ?? true) {
          exchange.refuse('response', 'mode_cannot_enforce');
          return;
        }
        this.state = { kind: 'passing' };
        this.body(event);
        return;
      case 'done':
        return;
    }
  }

  trailers(): void {
    const { state, exchange } = this;
    switch (state.kind) {
      case 'streaming':
        exchange.work(
          'response',
          this.endByTrailers(this.streamAll(state, state.inspection.end())),
        );
        return;
      case 'collecting':
        if (exchange.port.bodyMode('response') !== 'FULL_DUPLEX_STREAMED') break;
        exchange.work('response', this.endByTrailers(this.judge(state, false)));
        return;
      case 'watching':
        exchange.work('response', this.endByTrailers(this.watchAll(state.inspection.end(), state)));
        return;
      case 'done':
        return;
      default:
    }
    this.passTrailers();
  }

  private *endByTrailers(passes: Generator<Pause, boolean>): Job {
    if (!(yield* passes) && !this.silenced) return;
    if (this.state.kind === 'streaming') this.openHeaders(this.state);
    this.passTrailers();
  }

  private passTrailers(): void {
    this.finish();
    this.exchange.port.trailers('response');
  }

  discard(): void {
    const { state } = this;
    const { held } = this.exchange.deps;
    if (state.kind === 'streaming') held.add(-state.held);
    if (state.kind === 'collecting') held.add(-state.buffer.bytes);
    this.state = { kind: 'done' };
  }

  /** Ends the answer now with a refusal, in whatever way is still clean. */
  refuseNow(code: RefusalCode, rule?: Rule): void {
    const { state, exchange } = this;
    // Text that precedes the match leaves in any case: how the answer was cut must not show.
    const inside =
      state.kind === 'streaming' && (state.headersSent || state.inspection.hasRemainder);
    if (exchange.port.canRefuse && !inside) {
      exchange.refuse('response', code, rule);
      return;
    }
    if (state.kind === 'streaming') this.refuseInside(state, code, rule);
    else if (exchange.port.observability) this.record(code);
    else if (state.kind === 'watching' && exchange.declaredOpen) this.silence(code);
    else {
      this.record(code);
      exchange.port.fail('INTERNAL', code);
    }
  }

  /** A failed stream would let the rest pass on such a route; every chunk still gets its reply. */
  private silence(code: RefusalCode): void {
    this.record(code);
    this.exchange.refused = false;
    this.state = { kind: 'silenced' };
  }

  private get silenced(): boolean {
    return this.state.kind === 'silenced';
  }

  private stream(state: State & { kind: 'streaming' }, event: BodyEvent): void {
    const { exchange } = this;
    const step = state.inspection.push(event.bytes);
    if (step.more) {
      exchange.work('response', this.streamSlices(state, step, event.endOfStream));
      return;
    }
    if (!event.endOfStream || step.stopped) {
      if (!this.emit(state, step, false)) return;
      if (event.endOfStream) return;
      this.account(state);
      return;
    }
    const last = state.inspection.end();
    if (last.more) {
      if (this.emit(state, step, false)) exchange.work('response', this.endSlices(state, last));
      return;
    }
    const output = [...step.output, ...last.output];
    if (!this.emit(state, { ...last, output }, true)) return;
    this.openHeaders(state);
    if (output.length === 0) exchange.port.body('response', EMPTY, true);
    this.finish();
  }

  /** A chunk that takes longer than one slice. */
  private *streamSlices(
    state: State & { kind: 'streaming' },
    first: InspectionStep,
    endOfStream: boolean,
  ): Job {
    if (!(yield* this.streamAll(state, first))) return;
    if (endOfStream) yield* this.endSlices(state, state.inspection.end());
  }

  private *endSlices(state: State & { kind: 'streaming' }, first: InspectionStep): Job {
    if (!(yield* this.streamAll(state, first))) return;
    this.openHeaders(state);
    this.exchange.port.body('response', EMPTY, true);
    this.finish();
  }

  /** Sends what may leave, slice by slice; false when the answer was refused. */
  private *streamAll(
    state: State & { kind: 'streaming' },
    first: InspectionStep,
  ): Generator<Pause, boolean> {
    for (let step = first; ; step = state.inspection.resume()) {
      if (!this.emit(state, step, false)) return false;
      if (this.exchange.refused) return false;
      this.account(state);
      if (this.exchange.refused) return false;
      if (!step.more) return true;
      yield;
    }
  }

  /** Sends what may leave; false when the answer was refused. */
  private emit(
    state: State & { kind: 'streaming' },
    step: InspectionStep,
    endOfStream: boolean,
  ): boolean {
    const { exchange } = this;
    if (step.output.length > 0) {
      if (state.inspection.changed && exchange.decision.mutationDue)
        exchange.decision.mutation('response');
      this.openHeaders(state);
      exchange.port.body('response', concat(step.output), endOfStream && !step.stopped);
    }
    if (!step.stopped) return true;
    const { code, rule } = refusalOf(step.stopped);
    this.refuseNow(code, rule);
    return false;
  }

  private openHeaders(state: State & { kind: 'streaming' }): void {
    if (state.headersSent) return;
    state.headersSent = true;
    this.exchange.port.continueHeaders('response');
  }

  private account(state: State & { kind: 'streaming' }): void {
    const { exchange } = this;
    const { limits, held } = exchange.deps;
    const now = state.inspection.heldBytes;
    const within = held.add(now - state.held);
    state.held = now;
    if (!within && now > 0) {
      this.refuseNow('held_bytes_exceeded');
      return;
    }
    if (now > 0) exchange.stall.hold('response', limits.responseStallTimeoutMs);
    else exchange.stall.stop();
  }

  private refuseInside(
    state: State & { kind: 'streaming' },
    code: RefusalCode,
    rule: Rule | undefined,
  ): void {
    const { exchange } = this;
    const block = code === 'policy' ? refusingWords(rule?.action) : undefined;
    const tail = state.inspection.refuse({
      message: block?.message ?? REFUSALS[code].message,
      decisionId: exchange.decision.id,
      code: refusalWord(code),
    });
    this.record(code);
    exchange.deps.observer?.refused({ direction: 'response', code, rule, answer: undefined });
    this.openHeaders(state);
    const { verdict } = REFUSALS[code];
    const metadata = exchange.metadata(verdict, code);
    exchange.port.body('response', concat(tail), true, false, metadata);
    this.discard();
    this.complete = true;
  }

  private record(code: RefusalCode): void {
    const { exchange } = this;
    exchange.refused = true;
    exchange.stall.stop();
    exchange.decision.phase = 'response';
    exchange.decision.close(REFUSALS[code].verdict, code);
  }

  private collect(state: State & { kind: 'collecting' }, event: BodyEvent): void {
    const { exchange } = this;
    const { limits, held } = exchange.deps;
    state.buffer.add(event.bytes);
    const within = held.add(event.bytes.length);
    if (state.buffer.bytes > limits.responseBodyBytesMax) {
      this.refuseNow('body_too_large');
      return;
    }
    if (!within) {
      this.refuseNow('held_bytes_exceeded');
      return;
    }
    exchange.stall.hold('response', limits.responseStallTimeoutMs);
    const mode = exchange.port.bodyMode('response');
    if (mode === 'BUFFERED_PARTIAL' && !event.endOfStream) {
      if (exchange.cannotEnforce(this.relevant)) {
        this.refuseNow('mode_cannot_enforce');
        return;
      }
      held.add(-state.buffer.bytes);
      this.state = { kind: 'passing' };
      // The rest of it is not shown to us.
      this.complete = true;
      exchange.port.body('response', event.bytes, false, true);
      return;
    }
    if (event.endOfStream || mode === 'BUFFERED')
      exchange.work('response', this.judge(state, event.endOfStream));
  }

  private *judge(
    state: State & { kind: 'collecting' },
    endOfStream: boolean,
  ): Generator<Pause, boolean> {
    const { exchange } = this;
    const { deps, decision } = exchange;
    exchange.stall.stop();
    deps.held.add(-state.buffer.bytes);
    const original = state.buffer.take();
    const large = original.length > deps.limits.sliceUnitsMax;
    if (large) yield;
    const decoded = yield* decodeWhole(original, state.encoding, deps);
    if (!decoded.ok) {
      deps.observer?.unreadable('response', decoded.reason);
      if (exchange.cannotEnforce(this.relevant)) {
        exchange.refuse('response', 'mode_cannot_enforce');
        return false;
      }
      this.send(state, original, false, endOfStream);
      return true;
    }
    if (large) yield;
    const output: Uint8Array[] = [];
    let ending = false;
    for (let step = state.inspection.push(decoded.bytes); ; ) {
      if (step.stopped) {
        const { code, rule } = refusalOf(step.stopped);
        exchange.refuse('response', code, rule);
        return false;
      }
      output.push(...step.output);
      if (step.more) {
        yield;
        step = state.inspection.resume();
      } else if (!ending) {
        ending = true;
        step = state.inspection.end();
      } else break;
    }
    const { changed } = state.inspection;
    if (changed && state.headersSent && isEncoded(state.encoding)) {
      exchange.refuse('response', 'mode_cannot_enforce');
      return false;
    }
    if (changed) {
      decision.mutation('response');
    }
    const bytes = changed ? concat(output) : original;
    this.send(state, bytes, changed, endOfStream);
    return true;
  }

  private send(
    state: State & { kind: 'collecting' },
    bytes: Uint8Array,
    changed: boolean,
    endOfStream: boolean,
  ): void {
    const { port } = this.exchange;
    if (!state.headersSent) {
      const mutation: HeaderMutation =
        changed && isEncoded(state.encoding) ? { remove: ['content-encoding'] } : {};
      port.continueHeaders('response', mutation);
    }
    port.body('response', bytes, endOfStream, !changed);
    if (endOfStream) this.finish();
    else this.state = { kind: 'passing' };
  }

  private watch(state: State & { kind: 'watching' }, event: BodyEvent): void {
    const { exchange } = this;
    const step = state.inspection.push(event.bytes);
    if (step.more || event.endOfStream)
      exchange.work('response', this.watchSlices(state, step, event));
    else this.passWatched(this.emitNothing(step), event);
  }

  private *watchSlices(
    state: State & { kind: 'watching' },
    first: InspectionStep,
    event: BodyEvent,
  ): Job {
    let passes = yield* this.watchAll(first, state);
    if (passes && event.endOfStream) passes = yield* this.watchAll(state.inspection.end(), state);
    this.passWatched(passes, event);
  }

  private passWatched(passes: boolean, { bytes, endOfStream }: BodyEvent): void {
    const { port } = this.exchange;
    if (passes) port.body('response', bytes, endOfStream, true);
    else if (this.silenced) port.body('response', EMPTY, endOfStream);
    if (passes && endOfStream) this.finish();
  }

  /** Looks at what has come, slice by slice; false when the answer was broken off. */
  private *watchAll(
    first: InspectionStep,
    state: State & { kind: 'watching' },
  ): Generator<Pause, boolean> {
    for (let step = first; ; step = state.inspection.resume()) {
      if (!this.emitNothing(step)) return false;
      if (!step.more) return true;
      yield;
    }
  }

  private emitNothing(step: InspectionStep): boolean {
    if (!step.stopped) return true;
    if (this.exchange.port.observability && step.stopped.kind !== 'policy') {
      this.exchange.decision.degraded = true;
      return true;
    }
    const { code, rule } = refusalOf(step.stopped);
    this.refuseNow(code, rule);
    return false;
  }

  /** STREAMED cannot hold back: what changes bodies cannot live with it, nor what comes too late. */
  private streamedCannot(
    relevant: readonly Rule[],
    tooLate: readonly Rule[],
    encoded: boolean,
  ): boolean {
    const { exchange } = this;
    const enforcing = relevant.filter((rule) => rule.enforcement === 'enforce');
    if (enforcing.some((rule) => isMutation(rule))) return true;
    return exchange.cannotEnforce(tooLate) || (encoded && exchange.cannotEnforce(enforcing));
  }

  private letPass(event: HeadersEvent): void {
    const { exchange } = this;
    exchange.port.continueHeaders('response');
    this.state = { kind: 'passing' };
    if (event.endOfStream) this.finish();
    // No body will be shown to us: as far as we are asked, the answer is complete.
    else if (exchange.shownMode('response') === 'NONE') this.complete = true;
  }

  private finish(): void {
    this.exchange.stall.stop();
    this.discard();
    this.complete = true;
  }
}

const EMPTY = new Uint8Array(0);

const blocks = (rule: Rule): boolean =>
  rule.action.kind === 'block' && rule.enforcement === 'enforce';

const isEncoded = (encoding: string): boolean => parseContentEncoding(encoding).length > 0;
