/**
 * What serves, and how that changes: joins the directory, the compiler, the activation record, the store,
 * the judges and the serving snapshot. Every change goes through the swap queue and takes effect only when
 * it is durable; whatever fails on the way leaves what serves alone (invariant 3).
 */
import type { TransitionRecord } from '../audit/record.ts';
import { formatPosition } from '../policy/errors.ts';
import type { GoldenCase } from '../policy/golden/cases.ts';
import type { GoldenOverride } from '../policy/golden/override.ts';
import type { PolicySet, Rule } from '../policy/set.ts';
import { activate, emergencyExpired, watchEnded } from '../rollout/activate.ts';
import {
  type ActivationRecord,
  EMPTY_ACTIVATION,
  type SetRef,
  type SourceFile,
} from '../rollout/activation.ts';
import { boot, recovered } from '../rollout/boot.ts';
import { advance, canary } from '../rollout/canary.ts';
import { splitOf, type Xxh64 } from '../rollout/cohort.ts';
import type { Act, Outcome } from '../rollout/outcome.ts';
import { due, judgeExpectations, keptSets, knownSet, servingPlan } from '../rollout/outlook.ts';
import { overridden } from '../rollout/overridden.ts';
import { promote } from '../rollout/promote.ts';
import { effectiveFiles, fileRefs } from '../rollout/quarantine.ts';
import { rollback } from '../rollout/rollback.ts';
import { saved } from '../rollout/saved.ts';
import type { Clock } from './clock.ts';
import type { Comparisons, Failed } from './comparisons.ts';
import type { ControlOutcome, ControlStatus, SetControl } from './control.ts';
import type { GateInput } from './golden/gate.ts';
import type { Overridden, OverrideVerdict } from './golden/overrides.ts';
import { notEnforceable } from './not-enforceable.ts';
import type { ExchangeOutcome } from './ports.ts';
import type { RouteStances } from './route-stances.ts';
import type { Serving } from './snapshot.ts';
import { statusOf } from './status.ts';
import type { SwapQueue } from './swap-queue.ts';

/** How often the judges are asked and due stages are looked for. */
export const TICK_MS = 1_000;

/** Where sets and the activation record are kept. */
export interface SetRepository {
  putSet(digest: string, files: readonly SourceFile[]): Promise<void>;
  getSet(digest: string): Promise<readonly SourceFile[] | undefined>;
  readActivation(): Promise<{ record: ActivationRecord; damage?: string } | undefined>;
  writeActivation(record: ActivationRecord): Promise<void>;
  prune(keepDigests: Iterable<string>): Promise<number>;
}

export type Compiled =
  | {
      readonly ok: true;
      readonly set: PolicySet;
      readonly cases: readonly GoldenCase[];
      readonly overrides: readonly GoldenOverride[];
    }
  /** `file:line:column: code: sentence`, all of them. */
  | { readonly ok: false; readonly errors: readonly string[] };

/** One reading of the watched directory. */
export interface Reading {
  readonly files: readonly SourceFile[];
  readonly errors: readonly string[];
}

export interface ControllerDeps {
  readonly clock: Clock;
  readonly serving: Serving;
  readonly queue: SwapQueue;
  readonly store: SetRepository;
  readonly compile: (files: readonly SourceFile[]) => Compiled;
  /** Runs the golden cases of a save. */
  readonly golden: (save: GateInput) => Promise<OverrideVerdict>;
  readonly xxh64: Xxh64;
  readonly stances: RouteStances;
  /** Names that the configuration gives to classifiers. */
  readonly classifiers: readonly string[];
  readonly comparisons: Comparisons;
  /** Durable before it returns. */
  readonly recordTransition: (record: TransitionRecord) => void;
  readonly onEvent: (event: ControllerEvent) => void;
  readonly watchMs: number;
  readonly directory: string;
  readonly version: string;
  readonly breakers: () => ControlStatus['breakers'];
}

export type ControllerEvent =
  | { readonly kind: 'transition'; readonly record: TransitionRecord }
  | { readonly kind: 'compile_failed'; readonly errors: readonly string[] }
  | { readonly kind: 'served'; readonly record: ActivationRecord }
  | { readonly kind: 'rolled_back'; readonly failed: Failed }
  | { readonly kind: 'failed'; readonly what: string; readonly code: string };

export class PolicyController implements SetControl {
  private readonly deps: ControllerDeps;
  private record: ActivationRecord = EMPTY_ACTIVATION;
  private readonly sets = new Map<string, PolicySet>();
  private readonly protectedBySet = new Map<string, readonly GoldenCase[]>();
  private errors: readonly string[] = [];
  private lastReadMs = 0;
  private reading: Reading = { files: [], errors: [] };
  private cancelTick: (() => void) | undefined;
  private rollingBack = false;

  constructor(deps: ControllerDeps) {
    this.deps = deps;
  }

  /** The persisted set first, then what the directory says; resolves when it is clear what serves. */
  async boot(reading: Reading): Promise<void> {
    await this.deps.queue.enqueue('boot', async () => {
      const stored = await this.deps.store.readActivation();
      let record = stored?.record;
      if (record && stored?.damage !== undefined) {
        const mended = recovered(record, this.act('store'));
        if (mended.ok) record = mended.record;
      }
      this.record = record ?? EMPTY_ACTIVATION;
      const candidate = await this.candidate(reading);
      const directory = candidate
        ? { kind: 'set' as const, candidate }
        : { kind: this.errors.length > 0 ? ('errors' as const) : ('none' as const) };
      // An override that was taken has been written into it meanwhile.
      const outcome = boot(record && this.record, directory, this.act('start'));
      if (outcome.ok) await this.take(outcome);
    });
    this.tick();
  }

  /** The directory was saved. */
  directoryChanged(reading: Reading): Promise<void> {
    return this.guarded('save', async () => {
      const candidate = await this.candidate(reading);
      if (!candidate) return;
      await this.take(saved(this.record, candidate, this.act('directory')));
    });
  }

  observe(outcome: ExchangeOutcome): void {
    const failed = this.deps.comparisons.observe(outcome, this.deps.clock.monotonicMs());
    if (failed) this.rollBackBy(failed);
  }

  async close(): Promise<void> {
    this.cancelTick?.();
    await this.deps.queue.close();
  }

  status(): ControlStatus {
    return statusOf({
      record: this.record,
      serving: this.deps.serving.current,
      sets: this.sets,
      comparisons: this.deps.comparisons,
      nowMs: this.deps.clock.monotonicMs(),
      version: this.deps.version,
      directory: { path: this.deps.directory, lastReadMs: this.lastReadMs, errors: this.errors },
      breakers: this.deps.breakers(),
    });
  }

  canary(request: { sharePpm: number; digest?: string; by: string }): Promise<ControlOutcome> {
    return this.asked('canary', request.digest, (candidate) =>
      canary(
        this.record,
        { sharePpm: request.sharePpm, ...(candidate && { candidate }) },
        this.act(request.by),
      ),
    );
  }

  promote(request: { force: boolean; by: string }): Promise<ControlOutcome> {
    return this.asked('promote', undefined, async () => {
      const { rollout, emergency } = this.record;
      // Forced: what the directory says now, quarantine or not, with every other edit that it holds.
      const forced = request.force && !rollout && !emergency;
      const candidate = forced ? await this.compiledCandidate(this.reading.files) : undefined;
      return promote(
        this.record,
        { force: request.force, ...(candidate && { candidate }) },
        this.act(request.by),
      );
    });
  }

  rollback(request: { to?: string; reason: string; by: string }): Promise<ControlOutcome> {
    return this.asked('rollback', request.to, (to) =>
      rollback(
        this.record,
        { cause: 'operator', ...(to && { to }) },
        { ...this.act(request.by), ...(request.reason && { reason: request.reason }) },
      ),
    );
  }

  activate(request: {
    digest?: string;
    emergency: boolean;
    forMs?: number;
    by: string;
  }): Promise<ControlOutcome> {
    return this.asked('activate', request.digest, (candidate) =>
      activate(
        this.record,
        {
          emergency: request.emergency,
          ...(candidate && { candidate }),
          ...(request.forMs !== undefined && { forMs: request.forMs }),
        },
        this.act(request.by),
      ),
    );
  }

  private act(by: string): Act {
    return { nowMs: this.deps.clock.nowMs(), by, watchMs: this.deps.watchMs };
  }

  /** Compiles what the directory means under quarantine; undefined, and errors, when it is not a set. */
  private async candidate(reading: Reading): Promise<SetRef | undefined> {
    this.reading = reading;
    this.lastReadMs = this.deps.clock.nowMs();
    if (reading.errors.length > 0) {
      this.refuseSave(reading.errors);
      return undefined;
    }
    const { blue, quarantined } = this.record;
    const servingFiles = blue ? ((await this.deps.store.getSet(blue.digest)) ?? []) : [];
    return this.compiledCandidate(effectiveFiles(reading.files, quarantined, servingFiles));
  }

  /** Compiles and stores the files of a set that may serve; undefined, and errors, when they are none. */
  private async compiledCandidate(files: readonly SourceFile[]): Promise<SetRef | undefined> {
    const compiled = this.deps.compile(files);
    if (!compiled.ok) {
      this.refuseSave(compiled.errors);
      return undefined;
    }
    const { set, cases, overrides } = compiled;
    const conflict = this.deps.stances.conflict(set);
    if (conflict) {
      const place = formatPosition(conflict.rule.position);
      this.refuseSave([`${place}: stance_conflict: ${stanceConflictWords(conflict)}`]);
      return undefined;
    }
    const undone = notEnforceable(set);
    if (undone.length > 0) {
      this.refuseSave(undone);
      return undefined;
    }
    const unknown = set.rules.filter(
      ({ detector }) =>
        detector?.classifier !== undefined &&
        !this.deps.classifiers.includes(detector.classifier.name),
    );
    if (unknown.length > 0) {
      this.refuseSave(unknown.map((rule) => unknownWords(rule, this.deps.classifiers)));
      return undefined;
    }
    const inForce = await this.protectedCases();
    const { faults, overridden: signed } = await this.deps.golden({
      set,
      cases,
      overrides,
      inForce,
    });
    if (faults.length > 0) {
      this.refuseSave(faults);
      return undefined;
    }
    // Before what it justifies, as every record.
    for (const one of signed) await this.take(this.signedFor(set.digest, one));
    this.errors = [];
    this.sets.set(set.digest, set);
    this.protectedBySet.set(set.digest, onlyProtected(cases));
    await this.deps.store.putSet(set.digest, files);
    return {
      digest: set.digest,
      files: fileRefs(files),
      ...(set.rollout && { plan: set.rollout }),
    };
  }

  /** What no save may lose unless somebody signs for it: of every set that serves, is tried or waits. */
  private async protectedCases(): Promise<readonly GoldenCase[]> {
    const { blue, rollout, waiting } = this.record;
    const cases: GoldenCase[] = [];
    for (const digest of new Set([blue?.digest, rollout?.green.digest, waiting?.digest])) {
      if (digest === undefined) continue;
      let known = this.protectedBySet.get(digest);
      if (known === undefined) {
        const files = await this.deps.store.getSet(digest);
        const compiled = files && this.deps.compile(files);
        known = compiled?.ok ? onlyProtected(compiled.cases) : [];
        this.protectedBySet.set(digest, known);
        if (compiled?.ok) this.sets.set(digest, compiled.set);
      }
      cases.push(...known);
    }
    return cases;
  }

  private signedFor(digest: string, { override, cases }: Overridden): Outcome {
    const { by, reason, key, until } = override;
    const named = cases.map((golden) => `${golden.policy}/${golden.name}`).join(', ');
    const evidence = {
      key,
      until,
      cases: cases.length,
      named: named.length > NAMED_CHARS_MAX ? `${named.slice(0, NAMED_CHARS_MAX)}…` : named,
    };
    return overridden(this.record, { digest, evidence }, { ...this.act(by), reason });
  }

  private refuseSave(errors: readonly string[]): void {
    this.errors = errors;
    this.deps.onEvent({ kind: 'compile_failed', errors });
  }

  private async asked(
    name: string,
    digest: string | undefined,
    transition: (candidate: SetRef | undefined) => Outcome | Promise<Outcome>,
  ): Promise<ControlOutcome> {
    try {
      return await this.deps.queue.enqueue(name, async () => {
        const candidate = digest === undefined ? undefined : this.findSet(digest);
        if (digest !== undefined && !candidate) {
          const message = `no set \`${digest}\` is kept here; \`switchyard status\` lists those that are`;
          return { ok: false, code: 'unknown_digest', message } as const;
        }
        const outcome = await transition(candidate);
        if (!outcome.ok) {
          const code = outcome.code === 'stale' ? 'invalid_argument' : outcome.code;
          return { ok: false, code, message: outcome.message } as const;
        }
        // The way back stays open to every set: on an open route its exchanges are denied at run time.
        const conflict =
          name === 'rollback' ? undefined : await this.stanceConflict(outcome.record);
        if (conflict !== undefined) {
          return { ok: false, code: 'stance_conflict', message: conflict } as const;
        }
        await this.take(outcome);
        const { epoch, blue } = this.record;
        return { ok: true, epoch, digest: blue?.digest ?? '', message: outcome.message } as const;
      });
    } catch {
      this.deps.onEvent({ kind: 'failed', what: name, code: 'store_failed' });
      const message = 'the change could not be stored, and nothing has changed; see the log';
      return { ok: false, code: 'store_failed', message };
    }
  }

  /** Why a set that does not serve yet may not: a route declared open could not enforce it (SEMANTICS §5). */
  private async stanceConflict(record: ActivationRecord): Promise<string | undefined> {
    const { blue, green } = this.deps.serving.current;
    for (const [digest, set] of await this.compiledSets(record)) {
      if (digest === blue?.digest || digest === green?.set.digest) continue;
      const conflict = this.deps.stances.conflict(set);
      if (conflict) return stanceConflictWords(conflict);
    }
    return undefined;
  }

  /** A full digest, or enough of its beginning to mean one set. */
  private findSet(digest: string): SetRef | undefined {
    const exact = knownSet(this.record, digest);
    if (exact) return exact;
    const wanted = digest.startsWith('sha256:') ? digest : `sha256:${digest}`;
    const found = keptSets(this.record).filter((set) => set.digest.startsWith(wanted));
    return found.length === 1 && wanted.length >= 'sha256:'.length + 6 ? found[0] : undefined;
  }

  /** Persists, then serves, then tells: in this order (invariants 2, 3 and 8). */
  private async take(outcome: Outcome): Promise<void> {
    if (!outcome.ok) return;
    const changed = outcome.record !== this.record;
    if (changed || this.deps.serving.current.epoch !== outcome.record.epoch) {
      const sets = await this.compiledSets(outcome.record);
      if (changed) await this.deps.store.writeActivation(outcome.record);
      try {
        for (const record of outcome.transitions) this.deps.recordTransition(record);
      } catch (error) {
        // What is not on record does not happen: a restart must not find it either.
        if (changed) await this.deps.store.writeActivation(this.record);
        throw error;
      }
      this.record = outcome.record;
      this.publish(sets);
      for (const record of outcome.transitions) this.deps.onEvent({ kind: 'transition', record });
      this.deps.onEvent({ kind: 'served', record: this.record });
      await this.deps.store.prune(keptSets(this.record).map((set) => set.digest));
    }
    if (outcome.rereadDirectory) {
      const candidate = await this.candidate(this.reading);
      if (candidate) await this.take(saved(this.record, candidate, this.act('directory')));
    }
  }

  /** The compiled sets that a record serves; those that are not in memory are made from the store. */
  private async compiledSets(record: ActivationRecord): Promise<ReadonlyMap<string, PolicySet>> {
    const sets = new Map<string, PolicySet>();
    const plan = servingPlan(record);
    for (const digest of [plan?.blue, plan?.green?.digest]) {
      if (digest === undefined) continue;
      sets.set(digest, await this.compiledSet(digest));
    }
    return sets;
  }

  private async compiledSet(digest: string): Promise<PolicySet> {
    const known = this.sets.get(digest);
    if (known) return known;
    const files = await this.deps.store.getSet(digest);
    if (!files) throw new Error(`set ${digest} is not in the store`);
    const compiled = this.deps.compile(files);
    if (!compiled.ok) throw new Error(`set ${digest} does not compile any more`);
    this.sets.set(digest, compiled.set);
    return compiled.set;
  }

  private publish(sets: ReadonlyMap<string, PolicySet>): void {
    const { serving, xxh64, comparisons, clock } = this.deps;
    const plan = servingPlan(this.record);
    // What served until now may still have been promised to exchanges that are on their way.
    const retained = new Map([...serving.current.retained].slice(-RETAINED_SETS_MAX));
    for (const [digest, set] of sets) {
      retained.delete(digest);
      retained.set(digest, set);
    }
    const blue = plan && sets.get(plan.blue);
    const green = plan?.green && {
      set: sets.get(plan.green.digest)!,
      split: splitOf(xxh64, plan.green.rolloutId, plan.green.sharePpm),
    };
    serving.current = Object.freeze({
      epoch: this.record.epoch,
      ...(blue && { blue }),
      ...(green && { green }),
      retained,
    });
    comparisons.follow(judgeExpectations(this.record), this.record.epoch, clock.monotonicMs());
    for (const digest of this.sets.keys()) {
      if (retained.has(digest) || this.record.waiting?.digest === digest) continue;
      this.sets.delete(digest);
      this.protectedBySet.delete(digest);
    }
  }

  private rollBackBy(failed: Failed): void {
    if (this.rollingBack) return;
    this.rollingBack = true;
    const { expectation, trigger } = failed;
    const { nowMs, by } = this.act('judge');
    void this.guarded('rollback', async () => {
      const evidence = {
        metric: trigger.metric,
        observed: trigger.observed,
        limit: trigger.limit,
        canaryCount: trigger.canaryCount,
        controlCount: trigger.controlCount,
        evidence: trigger.evidence,
        threshold: trigger.threshold,
        ...(trigger.baseline !== undefined && { baseline: trigger.baseline }),
      };
      const outcome = rollback(
        this.record,
        { cause: 'judge', bad: expectation.candidate, evidence },
        { nowMs, by, watchMs: this.deps.watchMs, reason: trigger.words },
      );
      if (!outcome.ok) return;
      await this.take(outcome);
      this.deps.onEvent({ kind: 'rolled_back', failed });
    }).finally(() => {
      this.rollingBack = false;
    });
  }

  private tick(): void {
    const { clock, comparisons } = this.deps;
    for (const failed of comparisons.failed(clock.monotonicMs())) this.rollBackBy(failed);
    const [next] = due(this.record);
    if (next && next.atMs <= clock.nowMs()) void this.guarded('due', () => this.takeDue());
    this.cancelTick = clock.after(TICK_MS, () => this.tick());
  }

  private async takeDue(): Promise<void> {
    const { clock, comparisons } = this.deps;
    for (const item of due(this.record)) {
      if (item.atMs > clock.nowMs()) break;
      const act = this.act('clock');
      if (item.kind === 'emergency') await this.take(emergencyExpired(this.record, act));
      else if (item.kind === 'watch') await this.take(watchEnded(this.record, act));
      else {
        const judgement = comparisons.judgement(item.rolloutId, clock.monotonicMs());
        // A stage that its traffic could not decide goes on: no evidence is not a pass.
        if (judgement?.state === 'pass') await this.take(advance(this.record, item, act));
      }
    }
  }

  private async guarded(what: string, action: () => Promise<void>): Promise<void> {
    try {
      await this.deps.queue.enqueue(what, action);
    } catch (error) {
      const code = error instanceof Error ? error.name : 'unknown';
      this.deps.onEvent({ kind: 'failed', what, code });
    }
  }
}

/** Names of overridden cases in one audit record. */
const NAMED_CHARS_MAX = 4_096;

const onlyProtected = (cases: readonly GoldenCase[]): readonly GoldenCase[] =>
  cases.filter((golden) => golden.protected);

/** Sets kept for exchanges that Check has promised them to. */
const RETAINED_SETS_MAX = 8;

function unknownWords(rule: Rule, classifiers: readonly string[]): string {
  const place = formatPosition(rule.position);
  const name = rule.detector?.classifier?.name ?? '';
  const known =
    classifiers.length === 0
      ? 'it has none'
      : `it has ${classifiers.map((one) => `\`${one}\``).join(', ')}`;
  return `${place}: classifier_unknown: rule \`${rule.id}\` asks the classifier \`${name}\`, which this server's configuration does not name (${known}); add it under \`classifiers\`, or correct the name`;
}

function stanceConflictWords(conflict: {
  readonly route: string;
  readonly rule: { readonly id: string };
}): string {
  const { route, rule } = conflict;
  return `rule \`${rule.id}\` reaches route \`${route}\`, which is declared open; give the policy a selector that leaves it out, or close the route`;
}
