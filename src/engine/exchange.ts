/**
 * One exchange through ext_proc: routes Envoy's messages to the two sides, and owns what they share: the
 * assignment (invariant 1), the facts, the active rules, the refusal and the record. A throw anywhere
 * below ends the stream with an error status in the protocol layer; the record still says so.
 */
import { type DetectedFormat, formatOfPath } from '../formats/detect.ts';
import type { Format } from '../formats/frame.ts';
import { modelList } from '../formats/model-list.ts';
import { bodyNamesModelToo, listsModels, modelOfPath } from '../formats/model-path.ts';
import { openaiChat } from '../formats/openai-chat.ts';
import { refusingWords } from '../policy/actions/refusing.ts';
import type { Direction, Facts, Rule, ThrottleSubject } from '../policy/set.ts';
import type {
  BodyEvent,
  BodyMode,
  HeadersEvent,
  ProcessEvent,
  ProcessHandler,
  ProcessPort,
  Stopping,
  StreamEnd,
  StructObject,
} from '../protocol/process.ts';
import {
  type ActiveRules,
  activate,
  deniesByClass,
  mustJudge,
  reaches,
  sourceOf,
} from './active-rules.ts';
import { Backlog, type Pause } from './backlog.ts';
import { REFUSALS, type RefusalCode, refusalWord } from './codes.ts';
import { DecisionDraft } from './decision.ts';
import { ExchangeConditions, ExchangeFacts } from './exchange-facts.ts';
import { type FactContext, factsOf, lookUp, sourceIpOf, sourceName } from './facts.ts';
import type { Effect } from './findings.ts';
import type { Respelled } from './given-spans.ts';
import { refusalOf, type StopReason } from './inspection.ts';
import { Placeholders } from './placeholders.ts';
import type { EngineDeps } from './ports.ts';
import type { Rerouted } from './request-changes.ts';
import { RequestSide } from './request-side.ts';
import { ResponseSide } from './response-side.ts';
import { restorerOf, reversibleAmong } from './restoring.ts';
import { unenforceableWhenOpen } from './route-stances.ts';
import { assign, obey } from './snapshot.ts';
import { StallTimer } from './stall-timer.ts';
import { subjectKey } from './subject-memory.ts';
import { TextScores } from './text-scores.ts';
import { throttled } from './throttling.ts';
import { TRACEPARENT, traceContextOf } from './trace-context.ts';
import { movedUnits } from './whole-reading.ts';

export const CHECK_NAMESPACE = 'envoy.filters.http.ext_authz';
const HTTP_OK = 200;
/** Modes in which an answer can be changed. */
const CAN_RESTORE: ReadonlySet<BodyMode> = new Set(['FULL_DUPLEX_STREAMED', 'BUFFERED']);
const SWITCHYARD_NAMESPACE = 'switchyard';
/** Key of the per-route declaration that a route prefers to stay open without us (SEMANTICS §5). */
export const STANCE_METADATA = 'x-switchyard-stance';

export class Exchange implements ProcessHandler {
  readonly deps: EngineDeps;
  readonly port: ProcessPort;
  readonly decision: DecisionDraft;
  readonly placeholders = new Placeholders();
  readonly stall: StallTimer;
  method = '';
  path = '';
  authority = '';
  /** The model that the path names, which is known before the body. */
  pathModel: string | undefined;
  requestFormat: Format = openaiChat;
  active: ActiveRules | undefined;
  /** Our refusal was sent; whatever still arrives is not looked at. */
  refused = false;
  /** Envoy answered by itself before the request was judged: nothing of it went anywhere. */
  private localReply = false;
  private stopping = false;

  private readonly backlog: Backlog;
  private readonly spentMs: Record<Direction, number> = { request: 0, response: 0 };
  private readonly request: RequestSide;
  private readonly response: ResponseSide;
  private begun = false;
  /** The model that a rule has sent the request to. */
  private routedModel: string | undefined;
  /** Rules that append once in a session → whether it is this exchange. Made for the first of them. */
  private claims: Map<Rule, boolean> | undefined;
  /** Those of the request, until nothing more is to be read from them. */
  private headers: HeadersEvent | undefined;
  /** What Check has said of this exchange. */
  private promised: StructObject | undefined;
  /** What is known of who asks before the body was read, and where it stands. */
  private headerFacts: Facts | undefined;
  private contextOfHeaders: FactContext | undefined;
  private bodyTellsModel: boolean | undefined;

  constructor(deps: EngineDeps, port: ProcessPort) {
    this.deps = deps;
    this.port = port;
    this.decision = new DecisionDraft(deps, 'process', deps.newId());
    this.stall = new StallTimer(deps.clock, (direction) => this.stalled(direction));
    this.backlog = new Backlog(this);
    this.request = new RequestSide(this);
    this.response = new ResponseSide(this);
    deps.metrics.streamOpened();
  }

  event(event: ProcessEvent): void {
    if (this.refused) return;
    this.stall.progress();
    if (this.backlog.busy) {
      if (!this.overtakes(event)) {
        this.backlog.keep(event);
        return;
      }
      this.backlog.drop();
    }
    // Headers are views of a message, and wait for nobody; but what they cost counts.
    if (!this.deps.turns.take(this.backlog.unitsOf(event)) && this.isJudged(event)) {
      this.backlog.defer(event);
      return;
    }
    const startedMs = this.deps.clock.monotonicMs();
    this.dispatch(event);
    this.spent(event.direction, startedMs);
  }

  /**
   * Does work of one side; what is left of it when it yields is done in turns, and events wait until then. `bytes`: what
   * the body that it judges whole may come to.
   */
  work(direction: Direction, job: Generator<Pause, unknown>, bytes = 0): void {
    this.backlog.begin(direction, job, bytes);
  }

  /** The body that is being judged has turned out to come to so many bytes. */
  sized(bytes: number): void {
    this.backlog.sized(bytes);
  }

  /** The body is judged; what is still waited for takes none of what large bodies share. */
  judged(): void {
    this.backlog.leave();
  }

  /** A slice of such work. */
  run(direction: Direction, action: () => void): void {
    const startedMs = this.deps.clock.monotonicMs();
    this.stall.progress();
    action();
    this.spent(direction, startedMs);
  }

  private spent(direction: Direction, sinceMs: number): void {
    const nowMs = this.deps.clock.monotonicMs();
    this.spentMs[direction] += nowMs - sinceMs;
    this.decision.span?.worked(direction, sinceMs, nowMs);
  }

  dispatch(event: ProcessEvent): void {
    const side = event.direction === 'request' ? this.request : this.response;
    switch (event.kind) {
      case 'headers':
        this.begin(event);
        return;
      case 'body':
        side.body(event);
        return;
      case 'trailers':
        side.trailers();
        return;
    }
  }

  /** How much may be done in one go, in units (`EngineLimits.sliceUnitsMax`). */
  get sliceUnits(): number {
    return this.backlog.sliceUnits;
  }

  judgedUnits(event: BodyEvent): number {
    return (event.direction === 'request' ? this.request : this.response).judgedUnits(event);
  }

  /** What is only laid aside or passed on would be copied, too, to be put off. */
  private isJudged(event: ProcessEvent): event is BodyEvent {
    return event.kind === 'body' && this.judgedUnits(event) > movedUnits(event.bytes.length);
  }

  /** Envoy has answered by itself: nothing of the request will go anywhere, so it need not be judged. */
  private overtakes(event: ProcessEvent): boolean {
    return (
      event.kind === 'headers' &&
      event.direction === 'response' &&
      this.request.pending &&
      this.isLocalReply(event)
    );
  }

  end(end: StreamEnd): void {
    // Who only watches us does not wait: what has arrived is looked at all the same.
    if (end === 'half_close' && this.port.observability && this.backlog.busy)
      this.backlog.whenDone(() => this.over(end));
    else this.over(end);
  }

  /**
   * The server's deadline for open exchanges has come, and the class decides (docs/reference/stances.md): what a rule of
   * security or regulation would still have judged is refused in the format's own words, what is held of it dropped.
   * Nobody is to be kept from all else: it goes on, judged as before, for as long as the server may wait. Where Envoy
   * passes on what it still has, as the route stays open, an error status is the shorter way to the same.
   */
  stop(): Stopping {
    if (this.refused) return 'ended';
    this.stopping = true;
    if (this.port.observability) return 'fails';
    if (this.backlog.busy) {
      // Half of a slice is judged: that cannot be ended in words. At its end it can.
      this.backlog.whenDone(() => {
        if (this.stop() === 'fails') this.port.fail('UNAVAILABLE', 'draining');
      });
      return 'goes_on';
    }
    if (this.response.begun) {
      if (this.response.stillDenies) this.response.refuseNow('draining');
    } else if (this.request.pending) this.request.tooLate('draining');
    else if (this.deniesAnswers) this.refuse('request', 'draining');
    if (this.refused) return 'ended';
    return this.declaredOpen && this.shownMode('response') !== 'FULL_DUPLEX_STREAMED'
      ? 'fails'
      : 'goes_on';
  }

  /** A rule whose class denies waits for the answer. */
  private get deniesAnswers(): boolean {
    return (
      this.active?.content.some((rule) => mustJudge(rule) && reaches(rule, 'response')) ?? false
    );
  }

  private over(end: StreamEnd): void {
    this.backlog.drop();
    this.stall.stop();
    this.request.discard();
    this.response.discard();
    this.deps.metrics.streamClosed();
    this.deps.metrics.duration('request', this.spentMs.request);
    if (this.response.begun) this.deps.metrics.duration('response', this.spentMs.response);
    if (this.decision.closed) return;
    try {
      this.recordEnd(end);
    } catch {
      // The exchange is over and nothing more can be refused; that its record is missing is counted.
      this.deps.metrics.failure('audit_unavailable');
    }
  }

  private recordEnd(end: StreamEnd): void {
    const { decision } = this;
    if (end === 'failed')
      decision.close('unavailable', this.stopping ? 'draining' : 'internal_error');
    else if (this.localReply) decision.close('allow', 'local_reply');
    else if (this.response.complete)
      decision.close(decision.mutated ? 'mutate' : 'allow', 'allowed');
    else decision.close('incomplete', 'client_gone');
  }

  /** The route says that it passes everything when we are gone (SEMANTICS §5). */
  get declaredOpen(): boolean {
    return this.port.initialMetadata(STANCE_METADATA) === 'open';
  }

  /** How a body comes to us. To a filter that only watches Envoy does not tell, and shows STREAMED alone. */
  shownMode(direction: Direction): BodyMode {
    return this.port.observability ? 'STREAMED' : (this.port.bodyMode(direction) ?? 'NONE');
  }

  /** Facts are complete: which rules act. Called once per exchange. */
  activateRules(bodyModel: string | undefined): ActiveRules {
    const set = this.decision.assignment!.set;
    const facts = this.factsWith(bodyModel);
    this.decision.facts = facts;
    const { route, surroundings } = this.decision;
    const context = this.headerContext;
    const conditions = new ExchangeConditions(this.deps, context, facts, this, route, surroundings);
    const active = activate(set, facts, conditions, this.deps.guard, false);
    this.active = active;
    this.deps.observer?.activated({ set, facts, conditions, active });
    this.decision.failedRules(active.errors);
    this.decision.lifted(active.lifted);
    for (const rule of active.plain)
      if (rule.action.kind === 'flag') this.tell(rule, 'WHEN', { kind: 'flag' });
    return active;
  }

  /** A finding that stands in no text. */
  private tell(rule: Rule, label: string, effect: Effect, score?: number): void {
    const enforced = rule.enforcement === 'enforce';
    const shown: Effect = enforced ? effect : { kind: 'shadow' };
    this.decision.finding({
      ...{ rule, label, text: '', start: 0, end: 0, enforced, effect: shown },
      ...(score !== undefined && { score }),
    });
  }

  /** Takes what this request costs the subjects of these rules; true when one has nothing left, and it is refused. */
  refuseThrottled(rules: readonly Rule[]): boolean {
    const { clock, subjects } = this.deps;
    for (const rule of [...rules].sort((a, b) => a.rank - b.rank)) {
      if (rule.action.kind !== 'throttle') continue;
      const waitMs = throttled(rule, this.subjectOf(rule.action.per), subjects.buckets, clock);
      if (waitMs === 0) continue;
      this.tell(rule, 'THROTTLE', { kind: 'throttle' });
      if (rule.enforcement !== 'enforce') continue;
      this.refuse('request', 'throttled', rule, Math.ceil(waitMs / 1_000));
      return true;
    }
    return false;
  }

  /**
   * Rules whose classifiers have found too much in this session before: true when one refuses the request. A verdict
   * that came too late for its own exchange acts here.
   */
  refuseSession(rules: readonly Rule[]): boolean {
    const { clock, sessionScores } = this.deps;
    const session = this.decision.session?.hex;
    if (sessionScores === undefined || session === undefined) return false;
    for (const rule of rules) {
      const carried = rule.detector?.classifier?.session;
      if (carried === undefined) continue;
      const nowMs = clock.monotonicMs();
      const evidence = sessionScores.read(rule.id, session, carried.halfLifeMs, nowMs);
      const score = 1 - Math.exp(-evidence);
      if (score < carried.threshold) continue;
      const blocks = rule.action.kind === 'block';
      this.tell(rule, 'CLASSIFIER_SESSION', { kind: blocks ? 'block' : 'flag' }, score);
      if (!blocks || rule.enforcement !== 'enforce') continue;
      this.refuse('request', 'policy', rule);
      return true;
    }
    return false;
  }

  /** What a classifier has found could not be replaced: true when the body is refused for it. */
  refuseUnreplaced(
    direction: Direction,
    left: Exclude<Respelled, { readonly kind: 'respelled' }>,
  ): boolean {
    if (left.kind === 'stopped') {
      const { code, rule } = refusalOf(left.stop);
      this.refuse(direction, code, rule);
      return true;
    }
    if (left.rule.onError === 'allow') {
      this.decision.degraded = true;
      return false;
    }
    this.refuse(direction, 'rule_error', left.rule);
    return true;
  }

  /** Whose exchange it is, for what one may do to others. */
  get source(): string | undefined {
    return sourceOf(this.decision.facts, sourceIpOf(this.headers?.attribute('source.address')));
  }

  /** Requests of nobody that is known are counted together. */
  private subjectOf(per: ThrottleSubject): string {
    const { facts, session } = this.decision;
    if (per === 'session') return session?.hex ?? '';
    const value = facts[per];
    return value === undefined ? '' : this.deps.keyedHash(value);
  }

  /** A rule has sent this request elsewhere. */
  rerouted({ rule, model }: Rerouted): void {
    const { decision } = this;
    this.routedModel = model;
    // The finding counts it as any other of the rule's; that it is not what the rule means first is counted beside it.
    if (rule.action.kind === 'route' && model !== rule.action.models[0])
      this.deps.metrics.ruleMatch(rule.id, 'fallback', true);
    decision.rerouted = {
      rule: rule.id,
      ...(decision.shownModel !== undefined && { from: decision.shownModel }),
      ...(model !== undefined && { to: model }),
    };
  }

  /** The upstream has answered: so a model that does not answer is known. */
  answered(status: number): void {
    if (this.routedModel !== undefined)
      this.deps.subjects.models.answered(this.routedModel, status);
  }

  /** Where models are listed of which some may not be used: the list without those. */
  modelList({ granting }: ActiveRules, status: number): DetectedFormat | undefined {
    if (granting.length === 0 || status !== HTTP_OK || !listsModels(this.path)) return undefined;
    const permits = (model: string): boolean =>
      granting.every(
        ({ restriction }) => restriction?.kind !== 'models' || restriction.permits(model),
      );
    return { format: modelList(permits), streamed: false };
  }

  /** Whether a text that is appended once for each session has not been yet; asked again, it says the same. */
  mayAppend(rule: Rule): boolean {
    const { session } = this.decision;
    if (rule.action.kind !== 'append' || rule.action.oncePer !== 'session' || !session) return true;
    const claimed = this.claims?.get(rule);
    if (claimed !== undefined) return claimed;
    const first = this.owesAppend(rule);
    if (first) this.deps.subjects.appended.set(subjectKey(rule, 'append', session.hex), true);
    this.claims ??= new Map();
    this.claims.set(rule, first);
    return first;
  }

  /** The same, where nothing is added yet: it stays owed. */
  owesAppend(rule: Rule): boolean {
    const { session } = this.decision;
    if (rule.action.kind !== 'append' || rule.action.oncePer !== 'session' || !session) return true;
    const key = subjectKey(rule, 'append', session.hex);
    return this.claims?.get(rule) ?? this.deps.subjects.appended.get(key) === undefined;
  }

  /** The facts, with the model that the body names; undefined: as far as the headers tell. */
  factsWith(bodyModel: string | undefined): Facts {
    if (bodyModel !== undefined) return factsOf(this.deps.facts, this.factContext(bodyModel));
    this.headerFacts ??= factsOf(this.deps.facts, this.headerContext);
    return this.headerFacts;
  }

  private get headerContext(): FactContext {
    return (this.contextOfHeaders ??= this.factContext(undefined));
  }

  /** Before a request is judged: its placeholders go on from those of the conversation, if a rule can put them back. */
  recallPlaceholders(content: readonly Rule[]): void {
    const rules = reversibleAmong(content);
    if (rules.length === 0) return;
    const { restores } = this.deps;
    if (restores) restores.recall(this.conversation, this.placeholders, rules);
    else this.placeholders.recall();
  }

  /** The request goes on: what was taken out of it can be put back for as long as the rule says. */
  keepPlaceholders(content: readonly Rule[]): void {
    if (reversibleAmong(content).length === 0) return;
    const { conversation } = this;
    if (conversation === undefined) return;
    this.deps.restores?.keep(conversation, this.placeholders);
  }

  /** What puts placeholders of the answer back, where there is something to put back. */
  restorer(content: readonly Rule[]): Rule | undefined {
    const [rule] = reversibleAmong(content);
    if (rule === undefined || !CAN_RESTORE.has(this.shownMode('response'))) return undefined;
    return this.placeholders.restorable().length > 0 ? restorerOf(rule) : undefined;
  }

  /** A session alone is a name that its client may have chosen: it needs somebody who was authenticated. */
  private get conversation(): string | undefined {
    const { session, facts } = this.decision;
    if (session === undefined || facts.principal === undefined) return undefined;
    return this.deps.keyedHash(JSON.stringify([facts.tenant, facts.principal, session.hex]));
  }

  /** What this exchange's session has come to, for rules that weigh. */
  textScores(): TextScores {
    const { clock, sessionScores: scores } = this.deps;
    const session = this.decision.session?.hex;
    if (scores === undefined || session === undefined) return new TextScores(undefined);
    return new TextScores({ scores, session, nowMs: clock.monotonicMs() });
  }

  /** Only the body names the model. */
  get modelComesFromBody(): boolean {
    return (this.bodyTellsModel ??= !this.pathTellsModel && this.modelComesFromRequest);
  }

  private get pathTellsModel(): boolean {
    return this.pathModel !== undefined && !bodyNamesModelToo(this.path);
  }

  /** No source that comes before the request itself names the model. */
  get modelComesFromRequest(): boolean {
    const sources = this.deps.facts.model ?? [];
    const body = sources.findIndex((source) => source.from === 'body');
    return body !== -1 && lookUp(sources.slice(0, body), this.headerContext) === undefined;
  }

  /** What a rule that cannot do its work here means: the class decides (SEMANTICS §5). True: refuse. */
  cannotEnforce(rules: readonly Rule[]): boolean {
    const enforcing = rules.filter((rule) => rule.enforcement === 'enforce');
    const denying = enforcing.filter((rule) => deniesByClass(rule.class));
    if (denying.length > 0) {
      this.decision.mustJudge(denying);
      return true;
    }
    if (rules.length > 0) this.decision.degraded = true;
    return false;
  }

  /** Something of a body could not be read; what follows is up to the rules that had to. */
  unreadable(direction: Direction, reason: string): void {
    this.decision.unreadable(reason);
    this.deps.observer?.unreadable(direction, reason);
  }

  /** What a body that was stopped is refused with. */
  refusalOf(stop: StopReason): { readonly code: RefusalCode; readonly rule?: Rule } {
    if (stop.kind === 'unreadable') {
      this.decision.unreadable(stop.reason);
      if (stop.rule !== undefined) this.decision.mustJudge([stop.rule]);
    }
    return refusalOf(stop);
  }

  /**
   * Rules that a route which stays open without us may not have: were we gone, what they are for would
   * pass. An activated set has none of them there; should it come to pass, the exchange is refused.
   */
  contradictsOpenRoute(rules: readonly Rule[]): boolean {
    return this.declaredOpen && !this.port.observability && rules.some(unenforceableWhenOpen);
  }

  /** Refuses with our own answer; the record is durable before the reply leaves (invariant 8). */
  refuse(direction: Direction, code: RefusalCode, rule?: Rule, retryAfterS?: number): void {
    const kind = REFUSALS[code];
    const block = code === 'policy' ? refusingWords(rule?.action) : undefined;
    const throttle = rule?.action.kind === 'throttle' ? rule.action : undefined;
    const status = block?.status ?? kind.status[direction];
    if (rule?.restriction) this.tell(rule, 'RESTRICTION', { kind: 'block' });
    // What its condition alone decided stands in no text; what it found there has been told.
    else if (code === 'policy' && rule !== undefined && rule.detector === undefined)
      this.tell(rule, 'WHEN', { kind: 'block' });
    this.refused = true;
    this.stall.stop();
    this.decision.phase = direction;
    // Also where its body cannot be read, or was not yet: a caller understands the API that it called.
    // The format that read the request knows what it asked; before that, the path says how to speak.
    const spoken = formatOfPath(this.path, this.deps.formats) ?? this.requestFormat;
    const format = spoken.name === this.requestFormat.name ? this.requestFormat : spoken;
    const answer = format.refusalResponse(
      {
        message: block?.message ?? throttle?.message ?? kind.message,
        decisionId: this.decision.id,
        code: refusalWord(code),
        ...(retryAfterS === undefined ? {} : { retryAfterS }),
      },
      status,
      block?.as ?? 'error',
      this.request.asksForStream,
    );
    this.decision.status = answer.status;
    this.decision.close(kind.verdict, code);
    this.deps.observer?.refused({ direction, code, rule, answer });
    if (this.port.observability) return;
    this.port.immediate(
      answer.status,
      answer.headers,
      answer.body,
      `switchyard_${code}`,
      this.metadata(kind.verdict, code),
    );
  }

  /** Puts the verdict where access logs and later filters can read it. */
  metadata(verdict: string, code: string): StructObject {
    const assignment = this.decision.assignment;
    return {
      [SWITCHYARD_NAMESPACE]: {
        exchange: this.decision.id,
        verdict,
        code,
        set: assignment?.set.digest ?? '',
        cohort: assignment?.cohort ?? 'control',
        epoch: assignment?.epoch ?? 0,
        ...(this.routedModel !== undefined && { routed: this.routedModel }),
      },
    };
  }

  private begin(event: HeadersEvent): void {
    if (event.direction === 'response' && !this.begun) {
      // The request never came here: another filter answered, or headers are not sent to us.
      this.takeHeaders(event);
      if (this.isLocalReply(event)) {
        this.localReply = true;
        this.response.pass();
      } else {
        if (!this.take(event)) return;
        const { refusal } = this.activateRules(undefined);
        if (refusal) {
          const rule = refusal.code === 'default_deny' ? undefined : refusal.rule;
          this.refuse('response', refusal.code, rule);
          return;
        }
      }
    }
    if (event.direction === 'response') {
      if (this.isLocalReply(event)) {
        if (this.request.pending) this.localReply = true;
      } else if (this.request.answeredTooSoon) {
        this.refuse('response', 'mode_cannot_enforce');
        return;
      }
      this.response.headers(event);
      // They keep the whole message, and more, for as long as the answer lasts.
      if (this.active && !this.request.pending) this.forgetHeaders();
      return;
    }
    this.takeHeaders(event);
    if (this.take(event)) this.request.headers(event);
  }

  private takeHeaders(event: HeadersEvent): void {
    this.begun = true;
    this.headers = event;
    this.headerFacts = undefined;
    this.contextOfHeaders = undefined;
    this.bodyTellsModel = undefined;
    this.promised = event.metadata(CHECK_NAMESPACE);
  }

  private forgetHeaders(): void {
    this.headers = undefined;
    this.contextOfHeaders = undefined;
    this.request.forgetHeaders();
  }

  /** Reads who asks, and assigns the set: once, synchronously. False when no set serves. */
  private take(event: HeadersEvent): boolean {
    const { deps, decision } = this;
    this.method = event.headers.get(':method') ?? '';
    this.path = event.headers.get(':path') ?? '';
    this.pathModel = modelOfPath(this.path);
    this.authority = event.headers.get(':authority') ?? '';
    decision.requestId = event.headers.get('x-request-id') ?? '';
    const traced = this.port.initialMetadata(TRACEPARENT);
    decision.traced(traceContextOf(traced, event.headers.get(TRACEPARENT)));
    decision.route = String(event.attribute('xds.route_name') ?? '');
    const context = this.headerContext;
    const session = lookUp(deps.facts.session, context);
    decision.session = session && deps.sessionHash(sourceName(session.source), session.value);
    if (this.declaredOpen) deps.stances.declareOpen(decision.route, this.factsWith(undefined));
    const { promised } = this;
    const snapshot = deps.serving.current;
    if (promised && typeof promised.set === 'string' && typeof promised.exchange === 'string') {
      decision.id = promised.exchange;
      decision.assignment = obey(snapshot, {
        epoch: Number(promised.epoch),
        set: promised.set,
        cohort: promised.cohort === 'canary' ? 'canary' : 'control',
      });
    }
    decision.assignment ??= assign(snapshot, decision.session, deps.xxh64);
    if (decision.assignment) return true;
    if (deps.onStoreLoss === 'allow') {
      decision.degraded = true;
      this.response.pass();
      if (event.direction === 'request') this.request.pass(event);
      else this.response.headers(event);
      return false;
    }
    this.refuse(event.direction, 'no_policy_set');
    return false;
  }

  /** Envoy's own replies are not judged: no model wrote them (`envoy-verified.md` 16c). */
  isLocalReply(event: HeadersEvent): boolean {
    const details = event.attribute('response.code_details');
    return typeof details === 'string' && details !== '' && details !== 'via_upstream';
  }

  /** With the model that the body names. */
  private factContext(bodyModel: string | undefined): FactContext {
    const handedOver = this.promised?.facts;
    const model = this.pathModel ?? bodyModel;
    return new ExchangeFacts(this.port, this.headers, this, handedOver, model);
  }

  private stalled(direction: Direction): void {
    if (this.refused) return;
    if (direction === 'request') this.request.tooLate();
    else this.response.refuseNow('verdict_deadline');
  }
}
