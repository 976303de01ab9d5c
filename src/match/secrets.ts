/**
 * Secrets by kind: each has its own partition, and all of them share the automaton of all rules. A secret is
 * matched as it is written, in its own alphabet and case; units that are not seen do not break it.
 */
import type { Detector, Tracker } from './detector.ts';
import { findsIn } from './scanner.ts';
import { SECRET_LABEL, type SecretKind } from './secret-kind.ts';
import { AI_SECRETS } from './secrets-ai.ts';
import { CLOUD_SECRETS } from './secrets-cloud.ts';
import { CODE_SECRETS } from './secrets-code.ts';
import { FORM_SECRETS } from './secrets-form.ts';
import { MESSAGE_SECRETS } from './secrets-message.ts';
import { PAYMENT_SECRETS } from './secrets-payment.ts';
import { type CompiledToken, compileToken } from './token-kind.ts';

/** In groups, as the reference page has them. */
export const SECRET_GROUPS: Readonly<Record<string, readonly SecretKind[]>> = Object.freeze({
  'Forms that belong to no provider': FORM_SECRETS,
  'Models and what is built around them': AI_SECRETS,
  'Clouds, hosting and infrastructure': CLOUD_SECRETS,
  'Code hosts, package registries, builds and observability': CODE_SECRETS,
  'Chat, mail, telephony and social networks': MESSAGE_SECRETS,
  'Payment, commerce and office software': PAYMENT_SECRETS,
});

const ALL: readonly SecretKind[] = Object.values(SECRET_GROUPS).flat();

/** The names of all kinds. */
export const SECRET_KINDS: readonly string[] = ALL.map(({ kind }) => kind);

export interface SecretOptions {
  /** Only these; all without it. */
  readonly kinds?: readonly string[];
  /** Not these. */
  readonly except?: readonly string[];
}

/** Compiled when first asked for, and then for good: they are the same in every rule and every set. */
const compiled = new Map<SecretKind, CompiledToken>();

function tokenOf(kind: SecretKind): CompiledToken {
  const known = compiled.get(kind);
  if (known !== undefined) return known;
  const { expression, check, unitsMax } = kind;
  const made = compileToken({
    expression,
    label: SECRET_LABEL,
    ...(check === undefined ? {} : { check }),
    ...(unitsMax === undefined ? {} : { unitsMax }),
  });
  compiled.set(kind, made);
  return made;
}

/**
 * Throws RangeError when nothing is left to look for. Cost: about half a millisecond a kind the first time, nothing
 * after.
 */
export function secretDetector({ kinds, except = [] }: SecretOptions = {}): Detector {
  const wanted = ALL.filter(
    ({ kind }) => (kinds === undefined || kinds.includes(kind)) && !except.includes(kind),
  );
  if (wanted.length === 0) throw new RangeError('no kind of secret is left');
  const partitions = wanted.map(tokenOf);
  const start = (): readonly Tracker[] => partitions.map((one) => one.start());
  const detector: Detector = {
    kind: 'secrets',
    labels: [SECRET_LABEL],
    unitsMax: Math.max(...partitions.map(({ unitsMax }) => unitsMax)),
    partitions,
    bytes: 0,
    start,
    matches: (text) => findsIn(detector, text),
  };
  return Object.freeze(detector);
}
