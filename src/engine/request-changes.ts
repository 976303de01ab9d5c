/**
 * What rules write into one request: words for the system, another model. Decided when all of the request is
 * judged, so that a rule with `match` counts like one without, and before anything of it leaves.
 */
import type { Frame } from '../formats/frame.ts';
import { modelOfPath, pathWithModel } from '../formats/model-path.ts';
import type { ChangeOutcome, RequestChange, SystemWords } from '../formats/request-change.ts';
import { changesRequest } from '../policy/evaluate.ts';
import type { Action, Rule } from '../policy/set.ts';
import type { HeaderMutation } from '../protocol/process.ts';
import type { Effect, Finding } from './findings.ts';
import type { ModelHealth } from './model-health.ts';
import { type SubjectMemory, subjectKey } from './subject-memory.ts';

/** Headers by which Envoy's routes may pick a cluster. A client's own never count. */
export const ROUTE_HEADERS = Object.freeze({
  model: 'x-switchyard-model',
  cluster: 'x-switchyard-cluster',
});

export const NO_MUTATION: HeaderMutation = Object.freeze({});

export interface RequestChangesOptions {
  /** Rules that hold, in force or in shadow. */
  readonly plain: readonly Rule[];
  /** Rules in force that keep a session where it is, whether they hold or not. */
  readonly sticky: readonly Rule[];
  readonly path: string;
  /** Keyed hash. */
  readonly session: string | undefined;
  /** They have not left, so that they can be changed, too. */
  readonly headersHeld: boolean;
  readonly routes: SubjectMemory<string>;
  readonly health: ModelHealth;
  readonly onFinding: (finding: Finding) => void;
}

/** The rule that sent a request elsewhere, and the model that it asks for now. */
export interface Rerouted {
  readonly rule: Rule;
  readonly model: string | undefined;
}

type RouteAction = Extract<Action, { kind: 'route' }>;

/** A rule that sends a request elsewhere, and where. */
interface Rerouting extends Rerouted {
  readonly action: RouteAction;
}

export class RequestChanges {
  /** Rules in force whose change this request has no place for. */
  readonly unable: Rule[] = [];
  rerouted: Rerouted | undefined;
  private readonly options: RequestChangesOptions;
  private readonly acting: Set<Rule>;
  private headers: { readonly name: string; readonly value: string }[] = [];

  constructor(options: RequestChangesOptions) {
    this.options = options;
    this.acting = new Set(options.plain.filter(changesRequest));
  }

  /** A rule that reads the request has matched, and is in force. */
  matched(rule: Rule): void {
    if (changesRequest(rule)) this.acting.add(rule);
  }

  /** Rules without `match` that the request may be too strange for. */
  get wanted(): readonly Rule[] {
    return [...this.acting].filter((rule) => rule.enforcement === 'enforce');
  }

  /** Changes of headers that go with those of the body. */
  get mutation(): HeaderMutation {
    return this.headers.length === 0 ? NO_MUTATION : { set: this.headers, clearRouteCache: true };
  }

  /** The request is judged and about to leave. */
  apply(frame: Frame): void {
    const rules = [...this.acting].sort((a, b) => a.rank - b.rank);
    const injecting = rules.filter((rule) => rule.action.kind === 'inject');
    const words = wordsOf(injecting.filter((rule) => rule.enforcement === 'enforce'));
    const rerouting = this.rerouting(rules);
    const asks = rerouting && this.asks(rerouting, frame);
    const says = words && this.possible(frame, { words }, injecting);
    if (asks || says) frame.change?.({ ...asks, ...says });
    if (!words || says)
      for (const rule of injecting) this.tell(rule, 'INJECT', 'system', { kind: 'inject' });
    for (const rule of rules)
      if (rule.action.kind === 'route' && (rule === this.rerouted?.rule || inShadow(rule)))
        this.tell(rule, 'ROUTE', '', { kind: 'route' });
  }

  /** The change, where the frame has a place for it; else the rules are unable. */
  private possible(
    frame: Frame,
    change: RequestChange,
    rules: readonly Rule[],
  ): RequestChange | undefined {
    const outcome: ChangeOutcome = frame.change?.(change) ?? 'impossible';
    if (outcome !== 'impossible') return change;
    this.unable.push(...rules.filter((rule) => !inShadow(rule)));
    return undefined;
  }

  /** The first rule that sends this request elsewhere. A sticky one asks what its session began with. */
  private rerouting(rules: readonly Rule[]): Rerouting | undefined {
    const asked = new Set([...rules, ...this.options.sticky]);
    for (const rule of [...asked].sort((a, b) => a.rank - b.rank)) {
      const { action } = rule;
      if (action.kind !== 'route' || inShadow(rule)) continue;
      const model = this.options.health.choose(action.models);
      const there = this.acting.has(rule) ? { rule, action, model } : undefined;
      const kept = action.sticky ? this.kept(rule, there) : there;
      if (kept) return kept;
    }
    return undefined;
  }

  /** Whatever a session has begun with it goes on with: a switch between two turns shows. */
  private kept(rule: Rule, now: Rerouting | undefined): Rerouting | undefined {
    const { session, routes } = this.options;
    if (session === undefined) return now;
    const key = subjectKey(rule, 'route', session);
    const began = routes.get(key);
    if (began === undefined) {
      routes.set(key, now === undefined ? STAYED : WENT + (now.model ?? ''));
      return now;
    }
    const { action } = rule;
    if (began === STAYED || action.kind !== 'route') return undefined;
    const before = began.slice(WENT.length);
    const [model] = [before, ...action.models].filter((name) => action.models.includes(name));
    const models = model === undefined ? action.models : [model, ...action.models];
    return { rule, action, model: this.options.health.choose(models) };
  }

  /** What the frame must say for it; undefined where nothing, or nothing can be done. */
  private asks(rerouting: Rerouting, frame: Frame): RequestChange | undefined {
    const { rule, action, model } = rerouting;
    const { path, headersHeld } = this.options;
    if (!headersHeld) {
      this.unable.push(rule);
      return undefined;
    }
    const inPath = modelOfPath(path) !== undefined;
    const newPath = model === undefined ? undefined : pathWithModel(path, model);
    const change: RequestChange = model === undefined ? {} : { model, modelInPath: inPath };
    if (inPath && model !== undefined && newPath === undefined) {
      this.unable.push(rule);
      return undefined;
    }
    if (model !== undefined && !this.possible(frame, change, [rule])) return undefined;
    this.rerouted = { rule, model };
    this.headers = [
      ...(model === undefined ? [] : [{ name: ROUTE_HEADERS.model, value: model }]),
      ...(action.cluster === undefined
        ? []
        : [{ name: ROUTE_HEADERS.cluster, value: action.cluster }]),
      ...(newPath === undefined ? [] : [{ name: ':path', value: newPath }]),
    ];
    return change;
  }

  private tell(rule: Rule, label: string, text: string, effect: Effect): void {
    // A rule with `match` is told by what it found.
    if (rule.detector !== undefined) return;
    const enforced = !inShadow(rule);
    const shown: Effect = enforced ? effect : { kind: 'shadow' };
    this.options.onFinding({ rule, label, text, start: 0, end: 0, enforced, effect: shown });
  }
}

const STAYED = '-';
const WENT = '>';

const inShadow = (rule: Rule): boolean => rule.enforcement !== 'enforce';

/** In rank order, those for one place in one text. */
function wordsOf(rules: readonly Rule[]): SystemWords | undefined {
  if (rules.length === 0) return undefined;
  const at = (place: 'start' | 'end') =>
    rules
      .flatMap(({ action }) => (action.kind === 'inject' && action.at === place ? action.text : []))
      .join('\n\n');
  return { start: at('start'), end: at('end') };
}
