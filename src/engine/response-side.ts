/**
 * The answer of an exchange: which rules read it, and in which of the ways (`streamed-answer.ts`,
 * `collected-answer.ts`, `watched-answer.ts`, `passed-answer.ts`) it comes and goes.
 */
import { detectFormat } from '../formats/detect.ts';
import type { BodyReader, Format } from '../formats/frame.ts';
import { isMutation } from '../policy/evaluate.ts';
import type { Rule } from '../policy/set.ts';
import type { BodyEvent, HeadersEvent } from '../protocol/process.ts';
import { mustJudge, reaches } from './active-rules.ts';
import type { Answer, AnswerSide } from './answer.ts';
import { blocksInline, Classification, isDeferred } from './classification.ts';
import type { RefusalCode } from './codes.ts';
import { REFUSALS } from './codes.ts';
import { CollectedAnswer, isEncoded } from './collected-answer.ts';
import type { Exchange } from './exchange.ts';
import type { Finding } from './findings.ts';
import type { GivenSpans } from './given-spans.ts';
import { BodyInspection, type InspectionOptions } from './inspection.ts';
import type { BodyObserver } from './observer.ts';
import { PassedAnswer } from './passed-answer.ts';
import type { Placeholders } from './placeholders.ts';
import { narrowed, sharedList } from './rule-lists.ts';
import { StreamedAnswer } from './streamed-answer.ts';
import { WatchedAnswer } from './watched-answer.ts';

/** Which rules are for an answer. */
interface Relevant {
  readonly content: readonly Rule[];
  /** `append` rules that hold for every message. */
  readonly appends: readonly Rule[];
  /** Those that say which models may be used, where the answer is a list of models. */
  readonly granting: readonly Rule[];
  /** All of them. */
  readonly all: readonly Rule[];
  /** How that list is read. */
  readonly list: ReturnType<Exchange['modelList']>;
}

export class ResponseSide implements AnswerSide {
  /** Everything of the answer was handed to Envoy. */
  complete = false;
  begun = false;
  readonly exchange: Exchange;

  /** Undefined before its headers have come, and when it is over. */
  private answer: Answer | undefined;
  private classification: Classification | undefined;
  private over = false;
  private passAll = false;
  /** Rules that wait for what is still to come. */
  private waiting: readonly Rule[] = NOTHING;

  constructor(exchange: Exchange) {
    this.exchange = exchange;
  }

  /** The answer is not to be looked at. */
  pass(): void {
    this.passAll = true;
  }

  headers(event: HeadersEvent): void {
    const { exchange } = this;
    const { decision } = exchange;
    this.begun = true;
    decision.status = Number(event.headers.get(':status') ?? 0);
    if (!exchange.isLocalReply(event)) exchange.answered(decision.status);
    const relevant = this.relevant(event);
    if (!relevant) {
      this.letPass(event);
      return;
    }
    const { format, streamed } =
      relevant.list ??
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
    // A document, and what a classifier is asked about, is judged at its end, when STREAMED has sent all of it.
    const tooLate =
      exchange.shownMode('response') === 'STREAMED' && !exchange.port.observability
        ? judgedAtEnd(relevant.content, streamed)
        : NOTHING;
    const rules =
      tooLate.length === 0
        ? relevant.content
        : relevant.content.filter((rule) => !tooLate.includes(rule));
    const options = new AnswerInspection(exchange, format, streamed, rules, relevant);
    if (
      exchange.contradictsOpenRoute(relevant.all) ||
      (format.messages === 'unknown' && this.cannotAppend(relevant.appends))
    ) {
      exchange.refuse('response', 'mode_cannot_enforce');
      return;
    }
    this.begin(event, options, relevant, tooLate);
  }

  /** What is to be done with the answer; undefined where nobody wants to see it. */
  private relevant(event: HeadersEvent): Relevant | undefined {
    const { exchange } = this;
    if (this.passAll || exchange.isLocalReply(event)) return undefined;
    const active = exchange.active ?? exchange.activateRules(undefined);
    const reading = narrowed(active.content, 'response', (rule) => reaches(rule, 'response'));
    const restorer = exchange.restorer(active.content);
    const content = restorer ? sharedList(reading, withRule(reading, restorer)) : reading;
    const appends = narrowed(active.plain, 'appends', appendsAlways);
    const list = exchange.modelList(active, exchange.decision.status);
    const granting = list ? active.granting : NOTHING;
    const changing = appends.length + granting.length > 0;
    const all = changing ? [...content, ...appends, ...granting] : content;
    if (all.length === 0 || event.endOfStream) return undefined;
    return { content, appends, granting, all, list };
  }

  private begin(
    event: HeadersEvent,
    options: AnswerInspection,
    { granting, all }: Relevant,
    tooLate: readonly Rule[],
  ): void {
    const { exchange } = this;
    const { port, decision } = exchange;
    this.waiting = all;
    const encoding = event.headers.get('content-encoding') ?? '';
    const encoded = isEncoded(encoding);
    const inspection = new BodyInspection(options);
    const { classification } = options;
    this.classification = classification;
    switch (exchange.shownMode('response')) {
      case 'FULL_DUPLEX_STREAMED':
        this.answer =
          options.whole || encoded || classification?.holds
            ? new CollectedAnswer(this, {
                inspection,
                classification,
                reread: (spans) => options.again(spans),
                rules: all,
                encoding,
                headersSent: false,
              })
            : new StreamedAnswer(this, inspection);
        return;
      case 'BUFFERED':
      case 'BUFFERED_PARTIAL':
        this.answer = new CollectedAnswer(this, {
          inspection,
          classification,
          reread: (spans) => options.again(spans),
          rules: all,
          encoding,
          headersSent: true,
        });
        port.continueHeaders('response');
        return;
      case 'STREAMED':
        // A list that is shortened is changed.
        if (
          !port.observability &&
          (this.streamedCannot(all, tooLate, encoded) || exchange.cannotEnforce(granting))
        ) {
          exchange.refuse('response', 'mode_cannot_enforce');
          return;
        }
        // Its first chunk could only be broken off, at worst behind headers that say 200.
        if (!port.observability && decision.format === 'opaque' && exchange.cannotEnforce(all)) {
          decision.unreadable('opaque_body');
          exchange.refuse('response', 'unreadable_body');
          return;
        }
        if (encoded) decision.degraded = true;
        this.answer = encoded ? new PassedAnswer(this) : new WatchedAnswer(this, inspection);
        port.continueHeaders('response');
        return;
      default:
        if (exchange.cannotEnforce(all)) exchange.refuse('response', 'mode_cannot_enforce');
        else this.letPass(event);
    }
  }

  body(event: BodyEvent): void {
    const { exchange } = this;
    exchange.decision.responseBytes += event.bytes.length;
    if (this.over) return;
    if (!this.answer) {
      // Response headers are not sent to us on this route: nothing can be judged.
      if (exchange.active?.content.some((rule) => reaches(rule, 'response')) ?? true) {
        exchange.refuse('response', 'mode_cannot_enforce');
        return;
      }
      this.answer = new PassedAnswer(this);
    }
    this.answer.body(event);
  }

  judgedUnits(event: BodyEvent): number {
    return this.answer?.unitsOf(event) ?? 0;
  }

  trailers(): void {
    if (this.over) return;
    if (this.answer) this.answer.trailers();
    else this.passTrailers();
  }

  /** Ends the answer now with a refusal, in whatever way is still clean. */
  refuseNow(code: RefusalCode, rule?: Rule): void {
    if (this.answer) this.answer.refuse(code, rule);
    else this.refuseOutside(code, rule);
  }

  /** Something of it is not judged yet that may not pass unjudged. */
  get stillDenies(): boolean {
    return !this.over && this.waiting.some(mustJudge);
  }

  discard(): void {
    this.answer?.discard();
    this.classification?.discard();
    this.answer = undefined;
    this.over = true;
  }

  passRest(shown: boolean): void {
    this.waiting = NOTHING;
    this.answer = new PassedAnswer(this);
    if (!shown) this.complete = true;
  }

  finish(): void {
    this.exchange.stall.stop();
    this.discard();
    this.complete = true;
  }

  passTrailers(): void {
    this.finish();
    this.exchange.port.trailers('response');
  }

  refuseOutside(code: RefusalCode, rule?: Rule): void {
    const { exchange } = this;
    if (exchange.port.canRefuse) {
      exchange.refuse('response', code, rule);
      return;
    }
    this.recordRefusal(code);
    if (!exchange.port.observability) exchange.port.fail('INTERNAL', code);
  }

  recordRefusal(code: RefusalCode): void {
    const { exchange } = this;
    exchange.refused = true;
    exchange.stall.stop();
    exchange.decision.phase = 'response';
    exchange.decision.close(REFUSALS[code].verdict, code);
  }

  /** What rules add to every message has no place in this answer. Errors are no messages. */
  private cannotAppend(appends: readonly Rule[]): boolean {
    const { exchange } = this;
    if (exchange.port.observability || exchange.decision.status >= FIRST_ERROR) return false;
    return exchange.cannotEnforce(appends.filter((rule) => exchange.owesAppend(rule)));
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
    this.answer = new PassedAnswer(this);
    if (event.endOfStream) this.finish();
    // No body will be shown to us: as far as we are asked, the answer is complete.
    else if (exchange.shownMode('response') === 'NONE') this.complete = true;
  }
}

/** What an answer is inspected with. An object of its own, and not of closures: it is kept as long as the answer lasts. */
class AnswerInspection implements InspectionOptions {
  readonly direction = 'response';
  readonly reader: BodyReader;
  readonly whole: boolean;
  readonly noMessages: boolean;
  readonly rules: readonly Rule[];
  readonly appends: readonly Rule[];
  readonly observer: BodyObserver | undefined;
  readonly classification: Classification | undefined;
  private readonly exchange: Exchange;
  private readonly relevant: readonly Rule[];
  private readonly format: Format;

  constructor(
    exchange: Exchange,
    format: Format,
    streamed: boolean,
    rules: readonly Rule[],
    { appends, all }: Relevant,
  ) {
    this.exchange = exchange;
    this.format = format;
    this.reader = format.reader('response', streamed);
    this.whole = !streamed;
    this.noMessages = format.messages !== undefined;
    this.rules = rules;
    this.appends = appends;
    this.relevant = all;
    this.observer = exchange.deps.observer?.body({
      direction: 'response',
      format: format.name,
      streamed,
      rules,
    });
    this.classification = Classification.of(exchange, 'response', rules, this.observer);
  }

  /** For a body that is read once more, as it would have left, to replace what was found in it. */
  again(given: GivenSpans): BodyInspection {
    const { whole, placeholders, textsMax, matchesMax, worker } = this;
    return new BodyInspection({
      ...{ direction: 'response', whole, placeholders, textsMax, matchesMax, worker, given },
      reader: this.format.reader('response', !whole),
      rules: given.rules,
      appends: NOTHING,
      heldBytesMax: this.exchange.deps.limits.responseBodyBytesMax,
      onFinding: (finding) => this.onFinding(finding),
      mayPassUnread: (rules = given.rules) => this.mayPassUnread(rules),
    });
  }

  get placeholders(): Placeholders {
    return this.exchange.placeholders;
  }

  get heldBytesMax(): number {
    const { limits } = this.exchange.deps;
    return this.whole ? limits.responseBodyBytesMax : limits.heldBytesMax;
  }

  get textsMax(): number {
    return this.exchange.deps.limits.textsMax;
  }

  get matchesMax(): number {
    return this.exchange.deps.limits.matchesMax;
  }

  get worker(): Exchange {
    return this.exchange;
  }

  onFinding(finding: Finding): void {
    this.exchange.decision.finding(finding);
    this.observer?.finding(finding);
  }

  mayPassUnread(reading: readonly Rule[] = this.relevant): boolean {
    return !this.exchange.cannotEnforce(reading);
  }

  owesAppend(rule: Rule): boolean {
    return this.exchange.owesAppend(rule);
  }

  mayAppend(rule: Rule): boolean {
    return this.exchange.mayAppend(rule);
  }
}

/** In rank order. */
const withRule = (rules: readonly Rule[], rule: Rule): readonly Rule[] =>
  [...rules, rule].sort((a, b) => a.rank - b.rank);

const NOTHING: readonly Rule[] = Object.freeze([]);

const blocks = (rule: Rule): boolean =>
  rule.action.kind === 'block' && rule.enforcement === 'enforce' && !isDeferred(rule);

/** Rules that decide about an answer when all of it has come. */
function judgedAtEnd(rules: readonly Rule[], streamed: boolean): readonly Rule[] {
  return streamed
    ? narrowed(rules, 'blocksInline', blocksInline)
    : narrowed(rules, 'blocks', blocks);
}

/** The lowest HTTP status of an error. */
const FIRST_ERROR = 400;

const appendsAlways = (rule: Rule): boolean =>
  rule.action.kind === 'append' && rule.enforcement === 'enforce';
