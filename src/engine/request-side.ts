/**
 * The request of an exchange. A request is judged whole and before anything of it, headers included,
 * reaches the upstream: what a rule refuses is refused with a 4xx, and what it changes is one document.
 */

import { detectFormat } from '../formats/detect.ts';
import type { Frame } from '../formats/frame.ts';
import { changesRequest, isMutation } from '../policy/evaluate.ts';
import type { Rule } from '../policy/set.ts';
import type { BodyEvent, HeaderMutation, HeadersEvent, HeaderView } from '../protocol/process.ts';
import {
  type ActiveRules,
  candidates,
  needsModel,
  needsRequest,
  reaches,
  unallowed,
} from './active-rules.ts';
import type { Job, Pause } from './backlog.ts';

import { BodyBuffer, ownEvent } from './body-buffer.ts';
import { Classification } from './classification.ts';
import type { RefusalCode } from './codes.ts';
import type { Exchange } from './exchange.ts';
import { respelled } from './given-spans.ts';
import { BodyInspection } from './inspection.ts';
import { sendWhole } from './paced-sending.ts';
import { NO_MUTATION, RequestChanges, ROUTE_HEADERS } from './request-changes.ts';
import { narrowed } from './rule-lists.ts';
import { WholeOutput } from './whole-output.ts';
import {
  bytesOfWhole,
  decodeWhole,
  movedBytesMax,
  movedUnits,
  readWhole,
} from './whole-reading.ts';

type State =
  | { readonly kind: 'idle' }
  /** Nothing in the body concerns any rule: chunks are returned as they come. */
  | { readonly kind: 'passing' }
  | { readonly kind: 'collecting'; readonly buffer: BodyBuffer; headersHeld: boolean }
  /** STREAMED: chunks pass one by one; the body is looked at, and may be refused, but not changed. */
  | { readonly kind: 'watching'; readonly buffer: BodyBuffer }
  | { readonly kind: 'done' };

interface Judged {
  readonly bytes: Uint8Array;
  readonly changed: boolean;
}

export class RequestSide {
  /** Something of the request is still to be judged. */
  get pending(): boolean {
    return this.state.kind === 'collecting' || this.state.kind === 'watching';
  }

  /** The caller asked for a stream, as far as the body was read. */
  asksForStream = false;

  private readonly exchange: Exchange;
  private state: State = { kind: 'idle' };
  private contentType = '';
  private requestHeaders: HeaderView | undefined;
  private contentEncoding = '';
  private changes: RequestChanges | undefined;
  private classification: Classification | undefined;
  /** Monotonic. */
  private bodyDueMs = Number.POSITIVE_INFINITY;

  constructor(exchange: Exchange) {
    this.exchange = exchange;
  }

  headers(event: HeadersEvent): void {
    const { exchange } = this;
    const { port, decision } = exchange;
    const headers = event.headers;
    this.requestHeaders = headers;
    this.contentType = headers.get('content-type') ?? '';
    this.contentEncoding = headers.get('content-encoding') ?? '';
    const { format } = detectFormat(
      {
        path: exchange.path,
        contentType: this.contentType,
        direction: 'request',
      },
      exchange.deps.formats,
    );
    exchange.requestFormat = format;
    decision.format = format.name;

    const possible = this.possible();
    const contentRules = narrowed(possible, 'needsRequest', needsRequest);
    const wantsBody =
      !event.endOfStream && (contentRules.length > 0 || this.waitingForModel(possible).length > 0);
    const upgrade = headers.get('upgrade') !== undefined || exchange.method === 'CONNECT';
    if (
      upgrade &&
      (possible.some((rule) => rule.detector || changesRequest(rule)) ||
        this.waitingForModel(possible).length > 0) &&
      exchange.cannotEnforce(possible)
    ) {
      exchange.refuse('request', 'mode_cannot_enforce');
      return;
    }
    if (!wantsBody || upgrade) {
      exchange.activateRules(undefined);
      if (this.refuseStanding()) return;
      this.state = { kind: 'passing' };
      port.continueHeaders('request', this.mutation(), exchange.metadata('allow', 'allowed'));
      if (event.endOfStream) this.state = { kind: 'done' };
      return;
    }
    if (exchange.contradictsOpenRoute(contentRules)) {
      exchange.refuse('request', 'mode_cannot_enforce');
      return;
    }
    const { clock, limits } = exchange.deps;
    this.bodyDueMs = clock.monotonicMs() + limits.requestBodyMsMax;
    switch (exchange.shownMode('request')) {
      case 'FULL_DUPLEX_STREAMED':
        this.state = { kind: 'collecting', buffer: new BodyBuffer(), headersHeld: true };
        exchange.stall.hold('request', exchange.deps.limits.requestStallTimeoutMs, this.bodyDueMs);
        return;
      case 'BUFFERED':
      case 'BUFFERED_PARTIAL':
        this.state = { kind: 'collecting', buffer: new BodyBuffer(), headersHeld: false };
        port.continueHeaders('request', this.mutation(), exchange.metadata('allow', 'allowed'));
        return;
      case 'STREAMED':
        if (
          !port.observability &&
          contentRules.some((rule) => rule.enforcement === 'enforce' && isMutation(rule))
        ) {
          exchange.refuse('request', 'mode_cannot_enforce');
          return;
        }
        this.state = { kind: 'watching', buffer: new BodyBuffer() };
        port.continueHeaders('request', this.mutation(), exchange.metadata('allow', 'allowed'));
        return;
      default: {
        // No body will come: what must read it cannot.
        if (exchange.cannotEnforce(this.readingBody())) {
          exchange.refuse('request', 'mode_cannot_enforce');
          return;
        }
        exchange.activateRules(undefined);
        if (this.refuseStanding()) return;
        this.state = { kind: 'passing' };
        port.continueHeaders('request', this.mutation(), exchange.metadata('allow', 'allowed'));
      }
    }
  }

  /** An upstream that answers before it was asked to the end: only STREAMED lets the request run ahead. */
  get answeredTooSoon(): boolean {
    if (this.state.kind !== 'watching' || this.exchange.port.observability) return false;
    return this.exchange.cannotEnforce(this.readingBody());
  }

  /** No set serves and the operator chose to stay open: everything passes. */
  pass(event: HeadersEvent): void {
    this.state = { kind: event.endOfStream ? 'done' : 'passing' };
    this.exchange.port.continueHeaders('request', this.mutation());
  }

  body(event: BodyEvent): void {
    const { state, exchange } = this;
    exchange.decision.requestBytes += event.bytes.length;
    switch (state.kind) {
      case 'passing':
        exchange.port.body('request', event.bytes, event.endOfStream, true);
        if (event.endOfStream) this.state = { kind: 'done' };
        return;
      case 'collecting':
        this.collect(state, event);
        return;
      case 'watching':
        this.watch(state, event);
        return;
      case 'idle': // headers are not sent to us on this route: nothing was decided, nothing may pass
        exchange.refuse('request', 'mode_cannot_enforce');
        return;
      case 'done':
        return;
    }
  }

  judgedUnits({ bytes, endOfStream }: BodyEvent): number {
    const { state } = this;
    const judged = endOfStream && (state.kind === 'collecting' || state.kind === 'watching');
    return judged ? state.buffer.bytes + bytes.length : movedUnits(bytes.length);
  }

  trailers(): void {
    const { state, exchange } = this;
    if (state.kind === 'collecting') {
      const mode = exchange.port.bodyMode('request');
      if (mode === 'FULL_DUPLEX_STREAMED') {
        this.work(state.buffer, this.endByTrailers(this.judge(state, false)));
        return;
      }
    } else if (state.kind === 'watching') {
      this.work(state.buffer, this.endByTrailers(this.verdictOf(state.buffer)));
      return;
    }
    this.passTrailers();
  }

  /** All of the body is here. */
  private work({ bytes }: BodyBuffer, job: Job | Generator<Pause, boolean>): void {
    const { exchange } = this;
    // While it waits for its place, nobody waits for more of it.
    if (this.state.kind === 'collecting') exchange.stall.stop();
    const most = bytesOfWhole(bytes, this.contentEncoding, exchange.deps.limits);
    exchange.work('request', job, most);
  }

  private *endByTrailers(passes: Generator<Pause, boolean>): Job {
    if (yield* passes) this.passTrailers();
  }

  private passTrailers(): void {
    this.state = { kind: 'done' };
    this.exchange.port.trailers('request');
  }

  /** The request has left: what changed it is needed no more, nor is what it changed. */
  forgetHeaders(): void {
    this.requestHeaders = undefined;
    this.changes = undefined;
  }

  /** FULL_DUPLEX: the rest of the body did not come in time. */
  tooLate(code: RefusalCode = 'verdict_deadline'): void {
    const { state, exchange } = this;
    if (state.kind !== 'collecting' && state.kind !== 'watching') return;
    exchange.deps.held.add(-state.buffer.bytes);
    const bytes = state.buffer.take();
    if (!this.passUnread(code)) return;
    const { port } = exchange;
    port.continueHeaders('request', this.mutation(), exchange.metadata('allow', 'allowed'));
    port.body('request', bytes, false);
  }

  /** What should have been read is not: the class of the rules decides. False when the request was refused. */
  private passUnread(code: RefusalCode): boolean {
    const { exchange } = this;
    if (exchange.cannotEnforce(this.readingBody())) {
      exchange.refuse('request', code);
      return false;
    }
    exchange.activateRules(undefined);
    this.state = { kind: 'passing' };
    return !this.refuseStanding();
  }

  discard(): void {
    const { state } = this;
    if (state.kind === 'collecting' || state.kind === 'watching') this.release(state.buffer);
    this.classification?.discard();
    this.state = { kind: 'done' };
  }

  private collect(state: State & { kind: 'collecting' }, event: BodyEvent): void {
    const { exchange } = this;
    if (!this.keep(state.buffer, event.bytes)) return;
    const mode = exchange.port.bodyMode('request');
    if (mode === 'BUFFERED_PARTIAL' && !event.endOfStream) {
      // The body was cut: what is missing was not judged.
      this.release(state.buffer);
      if (this.passUnread('mode_cannot_enforce'))
        exchange.port.body('request', event.bytes, false, true);
      return;
    }
    // BUFFERED with trailers: the one message is the whole body, and says no end_of_stream.
    if (event.endOfStream || mode === 'BUFFERED')
      this.work(state.buffer, this.judge(state, event.endOfStream));
  }

  private watch(state: State & { kind: 'watching' }, event: BodyEvent): void {
    if (!this.keep(state.buffer, event.bytes)) return;
    // Between chunks nobody waits for a reply, so that here the deadline is looked at when one comes.
    if (this.exchange.deps.clock.monotonicMs() >= this.bodyDueMs) {
      this.release(state.buffer);
      if (!this.passUnread('verdict_deadline')) return;
      this.exchange.port.body('request', event.bytes, event.endOfStream, true);
      if (event.endOfStream) this.state = { kind: 'done' };
      return;
    }
    if (event.endOfStream)
      this.work(state.buffer, this.passLast(state.buffer, ownEvent(event).bytes));
    else this.exchange.port.body('request', event.bytes, false, true);
  }

  private *passLast(buffer: BodyBuffer, bytes: Uint8Array): Job {
    if (!(yield* this.verdictOf(buffer))) return;
    this.exchange.port.body('request', bytes, true, true);
    this.state = { kind: 'done' };
  }

  /** STREAMED: the last chunk waits for the verdict on the whole; false when it was refused. */
  private *verdictOf(buffer: BodyBuffer): Generator<Pause, boolean> {
    return (yield* this.inspect(yield* this.releaseInSlices(buffer))) !== undefined;
  }

  private keep(buffer: BodyBuffer, bytes: Uint8Array): boolean {
    const { exchange } = this;
    const { limits, held } = exchange.deps;
    const within = held.add(bytes.length);
    buffer.add(bytes);
    if (buffer.bytes > limits.requestBodyBytesMax) {
      this.release(buffer);
      exchange.refuse('request', 'body_too_large');
      return false;
    }
    if (!within) {
      this.release(buffer);
      exchange.refuse('request', 'held_bytes_exceeded');
      return false;
    }
    return true;
  }

  private release(buffer: BodyBuffer): void {
    this.exchange.deps.held.add(-buffer.bytes);
    buffer.drop();
  }

  private releaseInSlices(buffer: BodyBuffer): Generator<undefined, Uint8Array> {
    const { sliceUnits, deps } = this.exchange;
    deps.held.add(-buffer.bytes);
    return buffer.takeInSlices(movedBytesMax(sliceUnits));
  }

  /** The whole body is here: verdict, then headers and body leave together. False when refused. */
  private *judge(
    state: State & { kind: 'collecting' },
    endOfStream: boolean,
  ): Generator<Pause, boolean> {
    const { exchange } = this;
    const { port } = exchange;
    const original = yield* this.releaseInSlices(state.buffer);
    const result = yield* this.inspect(original);
    if (!result) return false;
    const { bytes, changed } = result;
    if (state.headersHeld) {
      const remove = changed && this.contentEncoding !== '' ? ['content-encoding'] : [];
      port.continueHeaders('request', this.mutation(remove), exchange.metadata('allow', 'allowed'));
    } else if (changed && this.contentEncoding !== '') {
      // The headers, with content-encoding, have left: the changed body can only be sent as identity.
      exchange.refuse('request', 'mode_cannot_enforce');
      return false;
    }
    // It is judged: what comes from now on finds it so, also while it is still on its way out.
    this.state = endOfStream ? { kind: 'done' } : { kind: 'passing' };
    yield* sendWhole(port, 'request', changed ? bytes : original, {
      endOfStream,
      unchanged: !changed,
      sliceBytesMax: movedBytesMax(exchange.sliceUnits),
    });
    return true;
  }

  /** Decodes, reads and judges a whole body; undefined when it was refused. Yields where it is large. */
  private *inspect(original: Uint8Array): Generator<Pause, Judged | undefined> {
    const { exchange } = this;
    const { deps, decision } = exchange;
    const large = original.length > deps.limits.sliceUnitsMax;
    if (large) yield;
    const decoded = yield* decodeWhole(original, this.contentEncoding, deps);
    if (decoded.ok && decoded.bytes !== original)
      exchange.sized(original.length + decoded.bytes.length);
    if (large) yield;
    const reader = exchange.requestFormat.reader('request', false);
    const frames = decoded.ok ? yield* readWhole(reader, decoded.bytes, exchange) : [];
    if (large) yield;
    const asked = frames[0]?.request;
    this.asksForStream = asked?.stream ?? false;
    const { pathModel } = exchange;
    const bodyRead = frames.length === 0 || asked?.modelInDoubt === false;
    const modelRead =
      decoded.ok &&
      (bodyRead || (asked === undefined && pathModel !== undefined)) &&
      agree(asked?.model, pathModel);
    if (!modelRead && this.refuseUnknownModel()) return undefined;
    const active = exchange.activateRules(asked?.model);
    if (this.refuseStanding()) return undefined;
    const rules = narrowed(active.content, 'request', (rule) => reaches(rule, 'request'));
    const changes = this.changesOf(active);
    this.changes = changes;
    // Whatever of these cannot do its work, the class says what follows.
    const relevant = [...rules, ...changes.wanted];
    if (!decoded.ok) exchange.unreadable('request', decoded.reason);
    if (relevant.length === 0 && active.sticky.length === 0)
      return this.refuseUnallowed([]) ? undefined : { bytes: original, changed: false };
    if (this.contradicted(frames) && exchange.cannotEnforce(rules)) {
      exchange.refuse('request', 'unreadable_body');
      return undefined;
    }
    if (!decoded.ok) {
      if (exchange.cannotEnforce(relevant)) {
        exchange.refuse('request', 'mode_cannot_enforce');
        return undefined;
      }
      return this.refuseUnallowed([]) ? undefined : { bytes: original, changed: false };
    }
    const matched = new Set<Rule>();
    const format = exchange.requestFormat.name;
    const observer = deps.observer?.body({ direction: 'request', format, streamed: false, rules });
    const scores = exchange.textScores();
    const classification = Classification.of(exchange, 'request', rules, observer);
    this.classification = classification;
    exchange.recallPlaceholders(active.content);
    const inspection = new BodyInspection({
      direction: 'request',
      reader,
      whole: true,
      rules,
      appends: [],
      placeholders: exchange.placeholders,
      heldBytesMax: deps.limits.decodedBytesMax,
      textsMax: deps.limits.textsMax,
      matchesMax: deps.limits.matchesMax,
      worker: exchange,
      onFinding: (finding) => {
        if (finding.enforced) {
          matched.add(finding.rule);
          changes.matched(finding.rule);
        }
        decision.finding(finding);
        observer?.finding(finding);
      },
      mayPassUnread: (reading = relevant) => !exchange.cannotEnforce(reading),
      judged: (frame) => changes.apply(frame),
      observer,
      scores,
      classification,
    });
    const output = new WholeOutput(decoded.bytes);
    let step = inspection.finish(frames);
    for (; step.more; step = inspection.resume()) {
      output.add(step.output, inspection.changed);
      yield;
    }
    scores.store();
    if (step.stopped) {
      const { code, rule } = exchange.refusalOf(step.stopped);
      exchange.refuse('request', code, rule);
      return undefined;
    }
    output.add(step.output, inspection.changed);
    if (this.refuseUnallowed([...matched])) return undefined;
    if (changes.unable.length > 0 && exchange.cannotEnforce(changes.unable)) {
      exchange.refuse('request', 'mode_cannot_enforce', changes.unable[0]);
      return undefined;
    }
    if (exchange.refuseThrottled([...matched])) return undefined;
    if (classification) {
      exchange.judged();
      if (!(yield* classification.judge())) return undefined;
    }
    const spans = classification?.spans;
    let bytes = inspection.changed ? output.bytes : decoded.bytes;
    if (spans !== undefined) {
      const again = new BodyInspection({
        ...{ direction: 'request', whole: true, rules: spans.rules, appends: [], given: spans },
        reader: exchange.requestFormat.reader('request', false),
        placeholders: exchange.placeholders,
        heldBytesMax: deps.limits.decodedBytesMax,
        textsMax: deps.limits.textsMax,
        matchesMax: deps.limits.matchesMax,
        worker: exchange,
        onFinding: (finding) => {
          decision.finding(finding);
          observer?.finding(finding);
        },
        mayPassUnread: (reading = spans.rules) => !exchange.cannotEnforce(reading),
      });
      const left = yield* respelled(again, spans, bytes);
      if (left.kind !== 'respelled') {
        if (exchange.refuseUnreplaced('request', left)) return undefined;
      } else bytes = left.bytes;
    }
    exchange.keepPlaceholders(active.content);
    const changed = inspection.changed || spans !== undefined;
    if (changes.rerouted) exchange.rerouted(changes.rerouted);
    if ((changed || changes.rerouted) && !exchange.port.observability) decision.mutation('request');
    return { bytes: changed ? bytes : original, changed };
  }

  private changesOf(active: ActiveRules): RequestChanges {
    const { exchange, state } = this;
    const { deps, decision } = exchange;
    return new RequestChanges({
      plain: active.plain,
      sticky: active.sticky,
      path: exchange.path,
      session: decision.session?.hex,
      headersHeld: state.kind === 'collecting' && state.headersHeld,
      routes: deps.subjects.routes,
      health: deps.subjects.models,
      onFinding: (finding) => decision.finding(finding),
    });
  }

  private contradicted(frames: readonly Frame[]): boolean {
    const { requestFormat } = this.exchange;
    const { requestHeaders } = this;
    const found =
      requestHeaders !== undefined &&
      frames.some((frame) => requestFormat.contradicts?.(requestHeaders, frame) ?? false);
    if (found) this.exchange.unreadable('request', 'headers_contradict');
    return found;
  }

  /** Rules that may come to act, as far as is known before the body was read. */
  private possible(): readonly Rule[] {
    const { exchange } = this;
    const known = !exchange.modelComesFromBody;
    return candidates(exchange.decision.assignment!.set, exchange.factsWith(undefined), known);
  }

  /** Those that act or not depending on the model that the body names. */
  private waitingForModel(rules: readonly Rule[]): readonly Rule[] {
    return this.exchange.modelComesFromBody ? narrowed(rules, 'needsModel', needsModel) : NO_RULES;
  }

  /** Rules that can do nothing, in either direction, without having seen the whole request. */
  private readingBody(): readonly Rule[] {
    const possible = this.possible();
    const waiting = this.waitingForModel(possible);
    return possible.filter((rule) => needsRequest(rule) || waiting.includes(rule));
  }

  /**
   * A body that hides its model would choose its rules by it: those that ask for the model cannot say that
   * they are not meant.
   */
  private refuseUnknownModel(): boolean {
    const { exchange } = this;
    const asking = exchange.modelComesFromRequest
      ? narrowed(this.possible(), 'needsModel', needsModel)
      : NO_RULES;
    if (!exchange.cannotEnforce(asking)) return false;
    exchange.unreadable('request', 'model_in_doubt');
    exchange.refuse('request', 'unreadable_body');
    return true;
  }

  private refuseStanding(): boolean {
    const refusal = this.exchange.active?.refusal;
    if (!refusal) {
      if (!this.pending && this.refuseUnallowed([])) return true;
      if (this.exchange.refuseSession(this.exchange.active?.content ?? [])) return true;
      return this.exchange.refuseThrottled(this.exchange.active?.plain ?? []);
    }
    const rule = refusal.code === 'default_deny' ? undefined : refusal.rule;
    this.exchange.refuse('request', refusal.code, rule);
    return true;
  }

  /** `default: deny` where no `allow` matched. */
  private refuseUnallowed(matched: readonly Rule[]): boolean {
    const { exchange } = this;
    const { active } = exchange;
    if (!active || !unallowed(active, matched)) return false;
    exchange.refuse('request', 'default_deny');
    return true;
  }

  /** Answers must be readable: an upstream that is asked for identity rarely encodes (docs/adr/0004). */
  private mutation(remove: readonly string[] = NO_NAMES): HeaderMutation | undefined {
    const { assignment } = this.exchange.decision;
    const reads =
      assignment !== undefined &&
      narrowed(this.possible(), 'readsAnswers', readsAnswers).length > 0;
    const own = this.changes?.mutation ?? NO_MUTATION;
    const set = own.set === undefined ? NO_HEADERS : own.set;
    const forged = ROUTE_HEADER_NAMES.filter(
      (name) =>
        this.requestHeaders?.get(name) !== undefined && !set.some((one) => one.name === name),
    );
    if (forged.length === 0 && own === NO_MUTATION && remove.length === 0)
      return reads ? ASK_FOR_IDENTITY : undefined;
    const headers = reads ? [ACCEPT_IDENTITY, ...set] : set;
    const removed = [...remove, ...forged];
    return {
      ...(headers.length > 0 && { set: headers }),
      ...(removed.length > 0 && { remove: removed }),
      ...((own.clearRouteCache || forged.length > 0) && { clearRouteCache: true }),
    };
  }
}

const NO_RULES: readonly Rule[] = Object.freeze([]);
const NO_NAMES: readonly string[] = Object.freeze([]);
const NO_HEADERS: NonNullable<HeaderMutation['set']> = Object.freeze([]);
const ROUTE_HEADER_NAMES: readonly string[] = Object.freeze(Object.values(ROUTE_HEADERS));
const ACCEPT_IDENTITY = Object.freeze({ name: 'accept-encoding', value: 'identity' });
const ASK_FOR_IDENTITY: HeaderMutation = Object.freeze({ set: Object.freeze([ACCEPT_IDENTITY]) });

const readsAnswers = (rule: Rule): boolean =>
  reaches(rule, 'response') ||
  rule.restriction !== undefined ||
  (rule.action.kind === 'redact' && rule.action.reversible !== undefined);

/** Where the path and the body both name a model, they name the same: servers differ in which they go by. */
function agree(inBody: string | undefined, inPath: string | undefined): boolean {
  return inBody === undefined || inPath === undefined || inBody === inPath;
}
