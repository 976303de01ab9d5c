/**
 * One thing that is judged as a whole while it passes: a tool's definition, a call, a result, a JSON body. Its
 * frames wait until no rule that may change or end the exchange is undecided about it: most of them need its
 * name alone, some what it is called with, which is complete when it ends.
 */
import { Buffer } from 'node:buffer';
import type { Piece, ToolPart } from '../formats/frame.ts';
import { clampedNumbers } from '../formats/json-clamp.ts';
import type { InputVerdict, NameVerdict, Subject, SubjectInput } from '../match/subject.ts';
import { exempts, isEnforcing } from '../policy/evaluate.ts';
import type { Direction, Place, Rule } from '../policy/set.ts';
import type { Blocked, Effect, Finding, TextEdit } from './findings.ts';
import type { Spending } from './match-budget.ts';

/** What the body around it asks and is told. */
export interface SubjectHost {
  readonly direction: Direction;
  /** One more match of `rule`. */
  spend(rule: Rule): Spending;
  finding(finding: Finding): void;
  /** Whether what these rules cannot judge may pass, as their class says. */
  mayPassUnread(rules: readonly Rule[]): boolean;
}

export interface SubjectKind {
  readonly kind: Subject['kind'];
  readonly key: string;
  /** A call that a request only recalls. */
  readonly past: boolean;
}

/** Places of what rules read as a whole. */
export const PLACE_OF: Readonly<Record<ToolPart['kind'], Place>> = {
  definition: 'tool_definition',
  call: 'tool_call',
  result: 'tool_result',
};

type Verdict = NameVerdict | InputVerdict;

const LABELS: Readonly<Record<Subject['kind'], string>> = {
  definition: 'TOOL',
  call: 'TOOL',
  result: 'TOOL',
  body: 'JSON',
};

const NO_EDITS: readonly TextEdit[] = Object.freeze([]);

export class SubjectTrack {
  readonly key: string;
  /** Why it goes no further. */
  blocked: Blocked | undefined;
  /** It is taken out of its list. */
  removed = false;
  ended = false;
  /** Units of what it is called with, as far as they have come. */
  length = 0;

  private readonly kind: SubjectKind;
  private readonly rules: readonly Rule[];
  private readonly host: SubjectHost;
  private name = '';
  private named = false;
  private doubt: ToolPart['doubt'];
  private input = '';
  private json = true;
  private sealed = false;
  private bytes: Uint8Array | undefined;
  /** Whether it can be taken out; asked where a rule would. */
  private removable: () => boolean = () => false;
  private verdicts: Map<Rule, Verdict> | undefined;
  private readonly acted = new Set<Rule>();
  private settledYet = false;
  private changes: { start: number; end: number; replacement: string }[] | undefined;

  /** `rules`: those that read it, in rank order; only those whose detector has a judge. */
  constructor(kind: SubjectKind, rules: readonly Rule[], host: SubjectHost) {
    this.kind = kind;
    this.key = kind.key;
    this.rules = rules;
    this.host = host;
  }

  /** Its frames must wait, or may never leave. */
  get holds(): boolean {
    return this.blocked !== undefined || !this.settledYet;
  }

  /** What a frame tells. `input`: the piece with a stretch of what it is called with. */
  take(part: ToolPart, input: Piece | undefined, removable: () => boolean): void {
    this.name = part.name;
    this.named = part.named;
    this.doubt ??= part.doubt;
    this.removable = removable;
    if (input !== undefined) {
      this.input += input.value;
      this.length += input.value.length;
      this.json = input.encoding === 'json';
      this.sealed ||= input.sealed === true;
    }
    if (part.last) this.finish();
    else this.decide();
  }

  /** A JSON body, whole. */
  takeBody(bytes: Uint8Array): void {
    this.bytes = bytes;
    this.named = true;
    this.finish();
  }

  finish(): void {
    if (this.ended) return;
    this.ended = true;
    this.decide();
  }

  /** Rules that are still to decide. */
  waiting(): readonly Rule[] {
    if (!this.holds || this.blocked !== undefined) return [];
    if (this.verdicts === undefined) return this.rules.filter(isEnforcing);
    return this.rules.filter((rule) => isEnforcing(rule) && this.verdict(rule) === 'input');
  }

  /** What changes of units `[start,end)` of what it is called with, relative to `start`. */
  edits(start: number, end: number): readonly TextEdit[] {
    if (this.changes === undefined) return NO_EDITS;
    return this.changes
      .filter((change) => change.start < end && change.end > start)
      .map((change) => ({
        start: Math.max(change.start, start) - start,
        end: Math.min(change.end, end) - start,
        replacement: change.start >= start ? change.replacement : '',
      }));
  }

  private verdict(rule: Rule): Verdict {
    return this.verdicts?.get(rule) ?? 'no';
  }

  private decide(): void {
    if (this.blocked?.kind === 'policy' && this.settledYet) return;
    if (this.doubt === 'name') this.fail(this.rules);
    else if (this.named || this.ended) this.decideByName();
    if (this.ended) {
      this.decideByInput();
      this.settledYet = true;
    }
  }

  private decideByName(): void {
    if (this.verdicts === undefined) {
      const subject: Subject = { kind: this.kind.kind, name: this.name };
      this.verdicts = new Map(
        this.rules.map((rule) => {
          const verdict = rule.detector?.judge?.byName(subject) ?? 'no';
          const needsMore = verdict === 'matches' && rule.action.kind === 'clamp';
          return [rule, needsMore ? 'input' : verdict];
        }),
      );
    }
    const open = this.rules.filter((rule) => this.verdict(rule) === 'input');
    // What an `allow` may yet lift is not acted upon before.
    if (!open.some(isAllow)) this.act();
    if (!open.some((rule) => isEnforcing(rule) || isAllow(rule))) this.settledYet = true;
  }

  private decideByInput(): void {
    const open = this.rules.filter((rule) => this.verdict(rule) === 'input');
    if (open.length > 0) {
      const failed: Rule[] = [];
      const subject: Subject = { kind: this.kind.kind, name: this.name };
      const input = this.doubt === undefined ? this.whole() : undefined;
      for (const rule of open) {
        const judge = rule.detector?.judge;
        // One that needs no more than the name is here for what it would change.
        const byName = judge?.byName(subject) ?? 'no';
        const verdict: Verdict =
          input === undefined || judge === undefined
            ? 'failed'
            : byName === 'input'
              ? judge.byInput(subject, input)
              : byName;
        this.verdicts?.set(rule, verdict);
        if (verdict === 'failed') failed.push(rule);
      }
      this.fail(failed);
    }
    this.act();
  }

  private whole(): SubjectInput {
    return { bytes: this.bytes ?? Buffer.from(this.input, 'utf8'), json: this.json };
  }

  /** It cannot be judged: the class of each rule decides. */
  private fail(rules: readonly Rule[]): void {
    const enforcing = rules.filter((rule) => isEnforcing(rule) && !this.acted.has(rule));
    for (const rule of enforcing) this.acted.add(rule);
    for (const rule of enforcing)
      if (!this.host.mayPassUnread([rule])) this.blocked ??= { kind: 'unjudged', rule, cut: 0 };
  }

  private act(): void {
    const matching = this.rules.filter(
      (rule) => this.verdict(rule) === 'matches' && !this.acted.has(rule),
    );
    const allows = this.rules.filter((rule) => isAllow(rule) && this.verdict(rule) === 'matches');
    for (const rule of matching) this.actBy(rule, allows);
  }

  private actBy(rule: Rule, allows: readonly Rule[]): void {
    this.acted.add(rule);
    const spending = this.host.spend(rule);
    if (spending === 'ignore') return;
    if (spending === 'exceed') {
      this.blocked ??= { kind: 'exceeded', rule, cut: 0 };
      return;
    }
    if (rule.enforcement !== 'enforce') {
      this.tell(rule, false, { kind: 'shadow' });
      return;
    }
    const by = allows.find((allow) => exempts(allow, rule));
    if (by !== undefined) {
      this.tell(rule, false, { kind: 'exempt', by });
      return;
    }
    const effect = this.enforce(rule);
    if (effect !== undefined) this.tell(rule, true, effect);
  }

  /** Undefined: there is nothing that the rule would do. */
  private enforce(rule: Rule): Effect | undefined {
    const { action } = rule;
    switch (action.kind) {
      case 'flag':
      case 'allow':
      case 'inject':
      case 'route':
      case 'throttle':
      case 'hold':
        return { kind: action.kind };
      case 'block':
        // A list says what there is: what must not be there is taken out, and the rest of it stands.
        if (this.kind.kind === 'definition' && this.host.direction === 'response')
          return this.remove(rule);
        return this.block(rule);
      case 'remove':
        if (this.kind.kind === 'definition') return this.remove(rule);
        return this.kind.kind === 'call' && !this.kind.past ? this.block(rule) : undefined;
      case 'clamp':
        return this.clamp(rule);
      default:
        // The compiler gives such a rule no judge.
        return undefined;
    }
  }

  private remove(rule: Rule): Effect {
    if (!this.removable()) return this.block(rule);
    this.removed = true;
    return { kind: 'remove' };
  }

  private block(rule: Rule): Effect {
    const { blocked } = this;
    if (blocked?.kind !== 'policy' || rule.rank < blocked.rule.rank)
      this.blocked = { kind: 'policy', rule, cut: 0 };
    return { kind: 'block' };
  }

  private clamp(rule: Rule): Effect | undefined {
    if (rule.action.kind !== 'clamp' || !this.json) return undefined;
    const { bytes } = this.whole();
    const clamped = clampedNumbers(bytes, rule.action);
    if (clamped === undefined) {
      this.acted.delete(rule);
      this.fail([rule]);
      return undefined;
    }
    const [first] = clamped;
    if (first === undefined) return undefined;
    if (this.sealed) {
      this.blocked ??= { kind: 'sealed', rule, cut: 0 };
      return { kind: 'sealed' };
    }
    for (const { start, end, replacement } of clamped) {
      const from = this.unitAt(bytes, start);
      const to = this.unitAt(bytes, end);
      this.changes ??= [];
      // The bounds of a rule that comes first stand.
      if (!this.changes.some((change) => change.start < to && from < change.end))
        this.changes.push({ start: from, end: to, replacement });
    }
    this.changes?.sort((a, b) => a.start - b.start);
    return { kind: 'replace', replacement: first.replacement };
  }

  /** Where a byte stands in units; in bytes for a body. */
  private unitAt(bytes: Uint8Array, byte: number): number {
    if (this.bytes !== undefined || bytes.length === this.input.length) return byte;
    return Buffer.from(bytes.subarray(0, byte)).toString('utf8').length;
  }

  private tell(rule: Rule, enforced: boolean, effect: Effect): void {
    this.host.finding({
      rule,
      label: LABELS[this.kind.kind],
      text: this.key,
      start: 0,
      end: this.length,
      enforced,
      effect,
    });
  }
}

const isAllow = (rule: Rule): boolean =>
  rule.action.kind === 'allow' && rule.enforcement === 'enforce';
