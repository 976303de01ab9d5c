/**
 * Personal data by kind. E-mail addresses and cards have trackers of their own; all others are forms with
 * check digits and names in front of them, which share the automaton of all rules.
 */
import { CARD_LABEL, CARD_UNITS_MAX, CardTracker } from './card.ts';
import type { Detector, Tracker } from './detector.ts';
import { EMAIL_LABEL, EMAIL_UNITS_MAX, EmailTracker } from './email.ts';
import { CRYPTO_ADDRESS } from './pii/crypto-address.ts';
import { formAutomaton } from './pii/form-automaton.ts';
import { IBAN } from './pii/iban.ts';
import { Names } from './pii/named.ts';
import { AMERICAN_IDS } from './pii/national-ids-america.ts';
import { ASIAN_AND_PACIFIC_IDS } from './pii/national-ids-asia-pacific.ts';
import { EUROPEAN_IDS } from './pii/national-ids-europe.ts';
import { BRITISH_IDS } from './pii/national-ids-uk.ts';
import { IP_ADDRESS, MAC_ADDRESS, URL } from './pii/network.ts';
import { DATE_OF_BIRTH, DRIVING_LICENCE, PASSPORT } from './pii/person.ts';
import { DEFAULT_PHONE_REGIONS, phoneKind } from './pii/phone.ts';
import { PHONE_REGIONS } from './pii/phone-plan.ts';
import {
  checkOf,
  expressionOf,
  isCertain,
  type JudgeSettings,
  keyOf,
  membersOf,
  type PiiMember,
  writtenIn,
} from './pii/pii-judge.ts';
import { type PiiKind, plainId } from './pii/pii-kind.ts';
import { EDGE, WORD } from './regex-nodes.ts';
import { automatonOf } from './regex-reader.ts';
import { accepts, RegexSteps } from './regex-steps.ts';
import { findsIn } from './scanner.ts';
import { type CompiledToken, compileToken, judgedBy } from './token-kind.ts';
import { type Check, VALIDATED_UNITS_MAX } from './token-tracker.ts';

/** In groups, as the reference page has them. */
export const PII_TABLES: Readonly<Record<string, readonly PiiKind[]>> = Object.freeze({
  People: [phoneKind(DEFAULT_PHONE_REGIONS), DATE_OF_BIRTH, PASSPORT, DRIVING_LICENCE],
  Money: [IBAN, CRYPTO_ADDRESS],
  'Machines and pages': [IP_ADDRESS, MAC_ADDRESS, URL],
  'The Americas': AMERICAN_IDS,
  'The United Kingdom': BRITISH_IDS,
  'The European Union and its neighbours': EUROPEAN_IDS,
  'Asia, Africa and the Pacific': ASIAN_AND_PACIFIC_IDS,
});

const KINDS: readonly PiiKind[] = Object.values(PII_TABLES).flat();

/** With trackers of their own (`email.ts`, `card.ts`). */
const TRACKED = ['email', 'credit_card'];

/** What `entities` may name, one by one. */
export const PII_ENTITIES: readonly string[] = [...TRACKED, ...KINDS.map(({ entity }) => entity)];

const withPrefix = (...prefixes: readonly string[]): readonly string[] =>
  PII_ENTITIES.filter((entity) => prefixes.some((prefix) => entity.startsWith(prefix)));

/** What `entities` may name that stands for several. */
export const PII_GROUPS: Readonly<Record<string, readonly string[]>> = Object.freeze({
  all: PII_ENTITIES,
  contact: ['email', 'phone'],
  finance: ['credit_card', 'iban', 'crypto_address', 'us_bank_number', 'us_bank_routing'],
  network: ['ip_address', 'mac_address', 'url'],
  us: withPrefix('us_'),
  uk: withPrefix('uk_'),
  eu: EUROPEAN_IDS.map(({ entity }) => entity).filter((entity) => !/^(?:ch|no)_/.test(entity)),
  national_id: [...AMERICAN_IDS, ...BRITISH_IDS, ...EUROPEAN_IDS, ...ASIAN_AND_PACIFIC_IDS]
    .map(({ entity }) => entity)
    .filter((entity) => !entity.startsWith('us_bank_')),
});

export const PII_THRESHOLD = 0.5;
export { DEFAULT_PHONE_REGIONS, PHONE_REGIONS };

export interface PiiOptions {
  /** Entities and groups, one at least; doubles count once. */
  readonly entities: readonly string[];
  /** Addresses and numbers, in any case and with or without signs between, that are nobody's secret. */
  readonly except?: readonly string[];
  /** 0 to 1. */
  readonly threshold?: number;
  /** Where telephone numbers without a calling code are dialled. */
  readonly regions?: readonly string[];
}

const BYTES_PER_EXCEPTION = 64;

/** Rules ask for the same few sets of entities again and again; those asked for last come last. */
const TOKENS_MAX = 64;
const compiled = new Map<string, CompiledToken>();

function tokenFor(key: string, make: () => CompiledToken): CompiledToken {
  const made = compiled.get(key) ?? make();
  compiled.delete(key);
  compiled.set(key, made);
  if (compiled.size > TOKENS_MAX) compiled.delete(compiled.keys().next().value as string);
  return made;
}

/** Knows all names, whatever a rule asks for: behind "passport" a number is no order's. */
const names = new Names(KINDS);

const LETTERS = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'].map((one) =>
  one.charCodeAt(0),
);
/** Numbers are rare and of many forms: behind so many units their tracker is the cheaper one. */
const NUMBER_AGE_MAX = 1;

const beginnings = new Map<string, boolean>();

/** Whether words may begin like what the expression matches. */
function beginsLikeWord(expression: string): boolean {
  const known = beginnings.get(expression);
  if (known !== undefined) return known;
  const steps = new RegexSteps(automatonOf(expression));
  const made = steps
    .closure(steps.start, EDGE, WORD)
    .units.some((node) => LETTERS.some((letter) => accepts(node, letter)));
  beginnings.set(expression, made);
  return made;
}

const PLACEHOLDER: Check = { validator: () => true, judgeForms: () => undefined };

function tokenOf(members: readonly PiiMember[], asWord: boolean): CompiledToken {
  const certain = isCertain(members[0] as PiiMember);
  const ways = writtenIn(members);
  const key = certain ? expressionOf((members[0] as PiiMember).form) : ways.map(keyOf).join();
  return tokenFor(key, () =>
    compileToken({
      expression: certain ? key : formAutomaton(ways),
      label: (members[0] as PiiMember).kind.label,
      plain: true,
      ...(asWord ? {} : { agedUnitsMax: NUMBER_AGE_MAX }),
      unitsMax: certain
        ? Math.max(...members.map(({ form }) => form.unitsMax ?? 0))
        : VALIDATED_UNITS_MAX,
      ...(certain ? {} : { check: PLACEHOLDER }),
    }),
  );
}

/** One token for forms that begin with digits, one for those that begin like words, one for each certain one. */
function tokensFor(members: readonly PiiMember[], settings: JudgeSettings): CompiledToken[] {
  const certain = members.filter(isCertain);
  const others = members.filter((one) => !isCertain(one));
  const words = others.filter(({ form }) => beginsLikeWord(expressionOf(form)));
  const numbers = others.filter((one) => !words.includes(one));
  return [
    ...certain.map((one) => tokenOf([one], true)),
    ...[words, numbers]
      .filter((list) => list.length > 0)
      .map((list) => judgedBy(tokenOf(list, list === words), checkOf(list, settings))),
  ];
}

function entitiesOf(asked: readonly string[]): ReadonlySet<string> {
  return new Set(
    asked.flatMap((entity) => {
      const members = PII_GROUPS[entity] ?? [entity];
      if (!members.every((one) => PII_ENTITIES.includes(one)))
        throw new RangeError(`no entity ${entity}`);
      return members;
    }),
  );
}

/**
 * Throws RangeError for an entity or a region that does not exist. Cost: up to half a second for a new set of
 * entities, nothing for one that is known.
 */
export function piiDetector(options: PiiOptions): Detector {
  const { threshold = PII_THRESHOLD, regions = DEFAULT_PHONE_REGIONS } = options;
  for (const region of regions)
    if (!PHONE_REGIONS.includes(region)) throw new RangeError(`no region ${region}`);
  const wanted = entitiesOf(options.entities);
  const addresses = new Set((options.except ?? []).map((address) => address.toLowerCase()));
  const except = new Set(
    [...addresses, ...[...addresses].map(plainId)].filter((one) => one !== ''),
  );
  const kinds = KINDS.filter(({ entity }) => wanted.has(entity)).map((kind) =>
    kind.entity === 'phone' ? phoneKind(regions) : kind,
  );
  const partitions = tokensFor(membersOf(kinds, threshold), { threshold, names, except });
  const email = wanted.has('email');
  const card = wanted.has('credit_card');
  const lanes = (): readonly Tracker[] => [
    ...(email ? [new EmailTracker(addresses)] : []),
    ...(card ? [new CardTracker()] : []),
  ];
  const detector: Detector = {
    kind: 'pii',
    labels: [
      ...(email ? [EMAIL_LABEL] : []),
      ...(card ? [CARD_LABEL] : []),
      ...kinds.map(({ label }) => label),
    ],
    unitsMax: Math.max(
      email ? EMAIL_UNITS_MAX : 0,
      card ? CARD_UNITS_MAX : 0,
      ...partitions.map((one) => one.unitsMax),
    ),
    ...(partitions.length === 0 ? {} : { partitions, lanes }),
    bytes: except.size * BYTES_PER_EXCEPTION,
    start: () => [...lanes(), ...partitions.map((one) => one.start())],
    matches: (text) => findsIn(detector, text),
  };
  return Object.freeze(detector);
}
