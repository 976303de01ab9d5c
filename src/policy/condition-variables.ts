/**
 * Everything a condition may name: what it is, and how it is taken from the exchange. A variable is read only
 * where a condition names it. `docs/reference/facts.md` has a row for each.
 */
import {
  CelScalar,
  type CelType,
  celList,
  celMap,
  isCelError,
  listType,
  mapType,
  parse,
  plan,
} from '@bufbuild/cel';
import { CEL_ENVIRONMENT } from './cel-environment.ts';
import { JSON_VALUE, TIMESTAMP } from './cel-types.ts';
import { riskOf } from './risk.ts';
import { type Conditions, wordsOf } from './set.ts';
import {
  type Claims,
  type ClaimValue,
  type FeedEntries,
  NO_SESSION,
  type Surroundings,
} from './surroundings.ts';

type Input = Parameters<ReturnType<typeof plan>>[0];
export type Inputs = Record<string, NonNullable<Input>[string]>;

export interface Variable {
  readonly type: CelType;
  /** Of a map that has always the same keys. */
  readonly members?: readonly string[];
  /** Undefined: nobody knows it. Reading it is then an error of the condition, where its outcome depends on it. */
  read(conditions: Conditions): Inputs[string] | undefined;
}

const { DOUBLE, DYN, STRING } = CelScalar;
const TEXTS = mapType(STRING, STRING);
const TIME = plan(CEL_ENVIRONMENT, parse('timestamp(text)'));

const asIs = (name: 'tenant' | 'app' | 'model' | 'region'): Variable => ({
  type: STRING,
  read: ({ facts }) => facts[name] ?? '',
});

const textMap = (entries: Readonly<Record<string, string>>): Inputs[string] =>
  celMap(new Map(Object.entries(entries)));

export const VARIABLES: Readonly<Record<string, Variable>> = Object.freeze({
  tenant: asIs('tenant'),
  app: asIs('app'),
  model: asIs('model'),
  region: asIs('region'),
  /** Who the caller was proven to be (`id`), and the claims that a filter before us has verified. */
  principal: {
    type: mapType(STRING, JSON_VALUE),
    read: ({ facts, claims }) =>
      celMap(new Map([...claimEntries(claims ?? {}), ['id', facts.principal ?? '']])),
  },
  /** What earlier turns of the conversation have left behind. */
  session: {
    type: mapType(STRING, DYN),
    members: ['id', 'topic', 'topics', 'flags', 'injection'],
    read: ({ facts, surroundings }) => {
      const { topic, topics, flags, injection } = surroundings?.session() ?? NO_SESSION;
      return celMap(
        new Map<string, CelInput>([
          ['id', facts.session ?? ''],
          ['topic', topic],
          ['topics', celList([...topics])],
          ['flags', celList([...flags])],
          ['injection', injection],
        ]),
      );
    },
  },
  /** 0..1; a value that is no such number is none. */
  risk: {
    type: DOUBLE,
    read: ({ facts }) => (facts.risk === undefined ? undefined : riskOf(facts.risk)),
  },
  consent: { type: listType(STRING), read: ({ facts }) => wordsOf(facts.consent ?? '') },
  /** How busy this server is, 0..1. */
  load: { type: DOUBLE, read: ({ surroundings }) => surroundings?.load() ?? 0 },
  posture: {
    type: STRING,
    read: ({ surroundings }) => (surroundings === undefined ? 'normal' : surroundings.posture()),
  },
  /** By name; one that is not configured, or was never read whole, is not there. */
  feed: {
    type: mapType(STRING, mapType(STRING, JSON_VALUE)),
    read: ({ surroundings }) => celMap(new Feeds(surroundings)),
  },
  /** Where the request comes from. */
  source: {
    type: TEXTS,
    members: ['ip'],
    read: ({ sourceIp }) => textMap(sourceIp === undefined ? {} : { ip: sourceIp }),
  },
  route: { type: STRING, read: ({ route }) => route },
  method: { type: STRING, read: ({ method }) => method },
  path: { type: STRING, read: ({ path }) => path },
  authority: { type: STRING, read: ({ authority }) => authority },
  headers: { type: TEXTS, read: ({ headers }) => textMap(headers) },
  request: {
    type: TEXTS,
    members: ['method', 'path', 'host'],
    read: ({ method, path, authority }) => textMap({ method, path, host: authority }),
  },
  time: {
    type: TIMESTAMP,
    read: ({ nowMs }) => {
      const value = TIME({ text: new Date(nowMs).toISOString() });
      return isCelError(value) ? undefined : (value as Inputs[string]);
    },
  },
} satisfies Record<string, Variable>);

export const CONDITION_VARIABLES: readonly string[] = Object.freeze(Object.keys(VARIABLES));

/** Words of the language that this version does not have. */
export const LATER_VARIABLES: readonly string[] = ['phase'];

/** Asks for a feed only when a condition does. */
class Feeds extends Map<string, FeedEntries> {
  private readonly surroundings: Surroundings | undefined;

  constructor(surroundings: Surroundings | undefined) {
    super();
    this.surroundings = surroundings;
  }

  override get(name: string): FeedEntries | undefined {
    return this.surroundings?.feed(name);
  }

  override has(name: string): boolean {
    return this.get(name) !== undefined;
  }
}

type CelInput = Inputs[string];

const claimEntries = (claims: Claims): readonly (readonly [string, CelInput])[] =>
  Object.entries(claims).map(([name, value]) => [name, claimInput(value)]);

function claimInput(value: ClaimValue): CelInput {
  if (value === null || typeof value !== 'object') return value as CelInput;
  if (isList(value)) return celList(value.map(claimInput));
  return celMap(new Map(claimEntries(value)));
}

const isList = (value: readonly ClaimValue[] | Claims): value is readonly ClaimValue[] =>
  Array.isArray(value);
