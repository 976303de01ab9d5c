/** Injection: whether a text gives a model orders that are not its writer's to give. No model is asked. */
import type { Detector, TextContext } from '../detector.ts';
import { SignalTracker, sessionLabel } from '../signal-tracker.ts';
import { buildSignals, type SignalTable } from '../signals.ts';
import { matchesIn } from '../whole-text.ts';
import { CIPHERED, CIPHERED_WORDS } from './ciphered.ts';
import { EXTRACTION } from './extraction.ts';
import { OVERRIDES } from './overrides.ts';
import { PERSONAS } from './personas.ts';
import { SPOOFING } from './spoofing.ts';
import { THIRD_PARTY } from './third-party.ts';
import { INJECTION_WORDS } from './words.ts';

export const INJECTION_SIGNALS = Object.freeze([
  ...OVERRIDES,
  ...PERSONAS,
  ...EXTRACTION,
  ...SPOOFING,
  ...CIPHERED,
  ...THIRD_PARTY,
]);

/** Words of all languages and ciphers. */
export const INJECTION_CLASSES = Object.freeze({ ...INJECTION_WORDS, ...CIPHERED_WORDS });

export const INJECTION_LABEL = 'INJECTION';

export interface InjectionOptions {
  /** More than 0, less than 1. */
  readonly threshold: number;
  readonly session?: { readonly threshold: number; readonly halfLifeMs: number };
}

let table: SignalTable | undefined;

/** Built when the first rule asks for it (some 20 ms), and the same for all. */
export function injectionTable(): SignalTable {
  table ??= buildSignals(INJECTION_SIGNALS, INJECTION_CLASSES);
  return table;
}

export function injectionDetector(options: InjectionOptions): Detector {
  const signals = injectionTable();
  const tracked = { label: INJECTION_LABEL, ...options };
  const start = (context?: TextContext) => [new SignalTracker(signals, tracked, context)];
  return Object.freeze({
    kind: 'injection' as const,
    labels: [INJECTION_LABEL, sessionLabel(INJECTION_LABEL)],
    ...(options.session && { session: { halfLifeMs: options.session.halfLifeMs } }),
    unitsMax: signals.unitsMax,
    bytes: signals.bytes,
    start,
    matches: (text: string) => matchesIn(start(), text).length > 0,
  });
}
