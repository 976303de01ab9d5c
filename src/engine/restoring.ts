/**
 * Reversible redaction: an answer says again what the request said, where the model repeats its placeholder. Of one
 * exchange nothing is kept. For the next ones of a conversation the values are kept sealed, for those alone who had
 * the same principal, tenant and session, and no longer than the rule says.
 */
import type { Detector } from '../match/detector.ts';
import { regexDetector } from '../match/regex.ts';
import type { Rule } from '../policy/set.ts';
import type { Clock } from './clock.ts';
import type { Placeholders, Restorable } from './placeholders.ts';
import { narrowed } from './rule-lists.ts';
import { SubjectMemory } from './subject-memory.ts';

/** Encrypts for one owner, so that what was sealed for one does not open for another. */
export interface Sealer {
  seal(text: string, owner: string): Uint8Array;
  /** Undefined for what was not sealed for this owner, or not by us. */
  open(sealed: Uint8Array, owner: string): string | undefined;
}

/** Values that one conversation keeps; the newest are left out, as their placeholders would be guesses. */
export const KEPT_VALUES_MAX = 256;
/** UTF-16 units of a value that is kept. */
export const KEPT_UNITS_MAX = 1_024;

interface Kept {
  readonly rule: string;
  readonly ttlMs: number;
  readonly label: string;
  readonly number: number;
  readonly sealed: Uint8Array;
  /** Monotonic. */
  readonly untilMs: number;
}

interface Conversation {
  readonly kept: readonly Kept[];
  readonly lastNumbers: ReadonlyMap<string, number>;
}

export class RestoreMaps {
  private readonly conversations: SubjectMemory<Conversation>;
  private readonly clock: Clock;
  private readonly sealer: Sealer;

  constructor(
    clock: Clock,
    sealer: Sealer,
    limits: { readonly subjectsMax: number; readonly subjectIdleMsMax: number },
  ) {
    this.clock = clock;
    this.sealer = sealer;
    this.conversations = new SubjectMemory(clock, limits.subjectsMax, limits.subjectIdleMsMax);
  }

  /**
   * Makes the placeholders of a request go on from those of the conversation. `rules`: those in force that put values
   * back; what others have taken out is not. Cost: opens each value that is kept.
   */
  recall(owner: string | undefined, placeholders: Placeholders, rules: readonly Rule[]): void {
    const conversation = owner === undefined ? undefined : this.conversations.get(owner);
    const known: Restorable[] = [];
    const inForce = new Set(rules.map(({ id }) => id));
    const nowMs = this.clock.monotonicMs();
    for (const { rule, ttlMs, label, number, sealed, untilMs } of conversation?.kept ?? []) {
      if (untilMs <= nowMs || !inForce.has(rule)) continue;
      const value = this.sealer.open(sealed, owner ?? '');
      if (value !== undefined) known.push({ rule, ttlMs, label, number, value });
    }
    placeholders.recall(known, conversation?.lastNumbers);
  }

  /** Keeps what the request added. What another one of the conversation has numbered meanwhile stays as that did. */
  keep(owner: string, placeholders: Placeholders): void {
    const restorable = placeholders.restorable();
    const before = this.conversations.get(owner);
    if (restorable.length === 0 && before === undefined) return;
    const nowMs = this.clock.monotonicMs();
    const kept = (before?.kept ?? []).filter(({ untilMs }) => untilMs > nowMs);
    const taken = new Set(kept.map(({ label, number }) => `${label}_${number}`));
    const lastNumbers = new Map(before?.lastNumbers);
    for (const [label, number] of placeholders.lastNumbers())
      lastNumbers.set(label, Math.max(number, lastNumbers.get(label) ?? 0));
    for (const { rule, ttlMs, label, number, value } of restorable) {
      if (kept.length >= KEPT_VALUES_MAX) break;
      if (taken.has(`${label}_${number}`) || value.length > KEPT_UNITS_MAX) continue;
      const sealed = this.sealer.seal(value, owner);
      kept.push({ rule, ttlMs, label, number, sealed, untilMs: nowMs + ttlMs });
    }
    this.conversations.set(owner, { kept, lastNumbers });
  }
}

/** A placeholder as `Placeholders` writes it. Shorter than any match that holds a frame for long. */
const PLACEHOLDER = '\\[[A-Z][A-Z0-9_]{0,62}_[0-9]{1,7}\\]';

let detector: Detector | undefined;

function placeholderDetector(): Detector {
  if (detector !== undefined) return detector;
  const compiled = regexDetector({ pattern: PLACEHOLDER });
  if (!compiled.ok) throw new TypeError('the expression of placeholders does not compile');
  detector = compiled.detector;
  return detector;
}

const restorers = new WeakMap<Rule, Rule>();

const isReversible = ({ action, enforcement }: Rule): boolean =>
  enforcement === 'enforce' && action.kind === 'redact' && action.reversible !== undefined;

/** The enforced rules whose redactions are put back. The same list has the same answer. */
export function reversibleAmong(rules: readonly Rule[]): readonly Rule[] {
  return narrowed(rules, 'reversible', isReversible);
}

/**
 * What a reversible rule does to answers, as a rule: it speaks under the name of that rule, and where it cannot do
 * its work nothing is refused, since a placeholder harms nobody.
 */
export function restorerOf(rule: Rule): Rule {
  let restorer = restorers.get(rule);
  if (restorer === undefined) {
    restorer = Object.freeze({
      ...rule,
      class: 'operational',
      onError: 'allow',
      inspect: new Set(['response' as const]),
      detector: placeholderDetector(),
      action: Object.freeze({ kind: 'restore' as const }),
    });
    restorers.set(rule, restorer);
  }
  return restorer;
}
