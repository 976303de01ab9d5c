/** The classifiers of a configuration as the server opens them, and what a test asks them. */
import { createHmac } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import type { Static } from 'typebox';
import { openClassifiers } from '../../src/classifiers/open-classifiers.ts';
import {
  type ClassifierConfig,
  type ClassifierSchema,
  classifiersOf,
} from '../../src/engine/classifier-config.ts';
import type { ClassifierOutcome, ClassifierQuery } from '../../src/engine/classifiers.ts';
import type { Clock } from '../../src/engine/clock.ts';
import { detectorGuard } from '../../src/engine/rule-guard.ts';
import { BREAKER_DEFAULTS, type BreakerOptions } from '../../src/judge/breaker.ts';
import { Breakers } from '../../src/judge/breakers.ts';

const realTimers: Omit<Clock, 'monotonicMs'> = {
  nowMs: () => Date.now(),
  after(delayMs, action) {
    const timer = setTimeout(action, delayMs);
    return () => clearTimeout(timer);
  },
  soon: (action) => void setImmediate(action),
};

export interface Asking {
  ask(query?: Partial<ClassifierQuery>): Promise<ClassifierOutcome>;
  readonly breakers: Breakers;
  /** `outcome` of each question, in order. */
  readonly outcomes: string[];
  backlog(): number;
  /** What became of credentials that changed. */
  readonly credentials: string[];
  /** Lets time pass for what is kept and for breakers; deadlines run as they do. */
  advance(byMs: number): void;
  close(): void;
}

type Settings = Partial<Static<typeof ClassifierSchema>> & { readonly url: string };

export function configOf(settings: Settings): ClassifierConfig {
  return classifiersOf([{ name: 'toxicity', ...settings }])[0]!;
}

/** Opens one classifier, `toxicity`. */
export function asking(
  settings: Settings,
  environment: Readonly<Record<string, string>> = {},
  breaking: Partial<BreakerOptions> = {},
): Asking {
  const breakers = new Breakers({ ...BREAKER_DEFAULTS, ...breaking }, () => 0.5);
  const outcomes: string[] = [];
  const credentials: string[] = [];
  let skippedMs = 0;
  const monotonicMs = (): number => performance.now() + skippedMs;
  const opened = openClassifiers({
    classifiers: [configOf(settings)],
    environment,
    credentialsPollMs: 10,
    onCredentials: (_classifier, state) => void credentials.push(state),
    clock: { ...realTimers, monotonicMs },
    guard: detectorGuard(breakers, monotonicMs),
    metrics: {
      classifierOutcome: (_classifier, outcome) => void outcomes.push(outcome),
      classifierDuration() {},
    },
    hash: (text) => createHmac('sha256', 'key').update(text).digest('base64'),
  });
  return {
    breakers,
    outcomes,
    credentials,
    advance(byMs) {
      skippedMs += byMs;
    },
    ask: (query = {}) =>
      new Promise((resolve) => {
        opened.ask(
          {
            classifier: 'toxicity',
            set: 'sha256:one',
            tenant: undefined,
            direction: 'request',
            texts: ['A drop of venom'],
            urgent: true,
            source: undefined,
            ...query,
          },
          resolve,
        );
      }),
    backlog: () => opened.backlogs()[0]!.calls,
    close: () => opened.close(),
  };
}

/** What came of it in a line: the scores of each text, or why there are none. */
export function said(outcome: ClassifierOutcome): unknown {
  if (outcome.kind === 'failed') return outcome.reason;
  return outcome.verdicts.map(({ scores }) => Object.fromEntries(scores));
}
