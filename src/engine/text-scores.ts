/**
 * What rules that weigh must know of a text besides its words, and what they leave behind in the session. A request
 * repeats what was said before: only what follows the model's last words is new, and counts.
 */
import type { TextContext } from '../match/detector.ts';
import type { Trust } from '../match/signals.ts';
import type { Place, Rule } from '../policy/set.ts';
import type { SessionScores } from './session-scores.ts';

const TRUST: Readonly<Record<Place, Trust>> = {
  user: 'user',
  assistant: 'user',
  system: 'user',
  tool_call: 'user',
  // Definitions come from whoever runs the tool.
  tool_definition: 'tool_result',
  tool_result: 'tool_result',
  retrieved: 'retrieved',
};

/** Whose words a text is made of, to a rule that weighs. */
export const trustOf = (place: Place): Trust => TRUST[place];

/** The application's own orders are no injection: they are weighed only where `inspect` names them. */
export const weighsPlace = ({ detector, inspect }: Rule, place: Place): boolean =>
  place !== 'system' || detector?.kind !== 'injection' || inspect.has('system');

export interface ScoredSession {
  readonly scores: SessionScores;
  /** Keyed hash. */
  readonly session: string;
  readonly nowMs: number;
}

export class TextScores {
  private readonly stored: ScoredSession | undefined;
  /** By rule: what the new texts of this body have come to. */
  private added: Map<Rule, number> | undefined;

  /** Without a session every text is on its own. */
  constructor(stored: ScoredSession | undefined) {
    this.stored = stored;
  }

  /** A text of this place begins or goes on. */
  pass(place: Place): void {
    if (place === 'assistant' || place === 'tool_call') this.added = undefined;
  }

  contextOf(rule: Rule, place: Place): TextContext {
    return { trust: trustOf(place), carried: this.carried(rule) };
  }

  /** The text is over, and came to so much by itself. */
  ended(rule: Rule, evidence: number): void {
    if (rule.detector?.session === undefined) return;
    this.added ??= new Map();
    this.added.set(rule, (this.added.get(rule) ?? 0) + evidence);
  }

  /** The body has been judged, whatever became of it. */
  store(): void {
    const { stored, added } = this;
    this.added = undefined;
    if (stored === undefined || added === undefined) return;
    for (const [rule, evidence] of added)
      stored.scores.add(rule.id, stored.session, evidence, stored.nowMs);
  }

  private carried(rule: Rule): number {
    const session = rule.detector?.session;
    if (session === undefined || this.stored === undefined) return 0;
    const { scores, session: key, nowMs } = this.stored;
    const before = scores.read(rule.id, key, session.halfLifeMs, nowMs);
    return before + (this.added?.get(rule) ?? 0);
  }
}
