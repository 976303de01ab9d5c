/** Personal data by kind: every entity has its own tracker, and its own partition. */
import { CARD_LABEL, CARD_UNITS_MAX, CardTracker } from './card.ts';
import type { Detector, Tracker } from './detector.ts';
import { EMAIL_LABEL, EMAIL_UNITS_MAX, EmailTracker } from './email.ts';
import { matchesIn } from './whole-text.ts';

export type PiiEntity = 'email' | 'credit_card';

export interface PiiOptions {
  /** One at least; doubles count once. */
  readonly entities: readonly PiiEntity[];
  /** E-mail addresses, in any case, that are nobody's secret. */
  readonly except?: readonly string[];
}

interface Entity {
  readonly label: string;
  readonly unitsMax: number;
  readonly start: (except: ReadonlySet<string>) => Tracker;
}

const ENTITIES: Readonly<Record<PiiEntity, Entity>> = {
  email: {
    label: EMAIL_LABEL,
    unitsMax: EMAIL_UNITS_MAX,
    start: (except) => new EmailTracker(except),
  },
  credit_card: { label: CARD_LABEL, unitsMax: CARD_UNITS_MAX, start: () => new CardTracker() },
};

const BYTES_PER_EXCEPTION = 64;

export function piiDetector(options: PiiOptions): Detector {
  const entities = [...new Set(options.entities)].map((entity) => ENTITIES[entity]);
  const except = new Set((options.except ?? []).map((address) => address.toLowerCase()));
  const start = (): readonly Tracker[] => entities.map((entity) => entity.start(except));
  return Object.freeze({
    kind: 'pii' as const,
    labels: entities.map(({ label }) => label),
    unitsMax: Math.max(0, ...entities.map((entity) => entity.unitsMax)),
    bytes: except.size * BYTES_PER_EXCEPTION,
    start,
    matches: (text: string) => matchesIn(start(), text).length > 0,
  });
}
