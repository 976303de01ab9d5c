/**
 * The server's configuration. One precedence, lowest first: embedded defaults, the file, environment
 * variables, flags. A later source replaces single values of an earlier one, never whole sections.
 */
import { type Static, type TSchema, Type } from 'typebox';
import { Value } from 'typebox/value';
import { type Document, isMap, isNode, isScalar, LineCounter, parseDocument } from 'yaml';
import { type FormatRoute, ROUTE_FORMATS } from '../formats/detect.ts';
import { TEXT_PATH } from '../formats/json-leaves.ts';
import { FEED_KINDS } from '../policy/feed.ts';
import {
  type ClassifierConfig,
  ClassifiersSchema,
  classifierFaults,
  classifiersOf,
} from './classifier-config.ts';
import { type ConfigFault, configFaults } from './config-errors.ts';
import {
  type ClaimSource,
  DEFAULT_CLAIMS,
  DEFAULT_FACTS,
  type FactConfig,
  type FactSource,
} from './facts.ts';
import type { FeedConfig } from './feeds.ts';
import { HTTP2_LIMITS_DEFAULT, type Http2Limits } from './http2-limits.ts';
import { DEFAULT_LIMITS, type EngineLimits } from './limits.ts';
import {
  endpointComplaint,
  TRACING_DEFAULT,
  type TracingConfig,
  TracingSchema,
} from './tracing-config.ts';

const Text = Type.String({ minLength: 1 });
const Count = Type.Integer({ minimum: 0 });
/** Feeds that one server reads: each is kept in memory, and looked at twice a second. */
const FEEDS_MAX = 64;
/** Keys that overrides of golden cases may be signed with. */
const OVERRIDE_KEYS_MAX = 64;
const closed = { additionalProperties: false };

/** A union's errors are those of all its members: a word from a list has one. */
const words = <const Word extends string>(list: readonly Word[]) =>
  Type.Unsafe<Word>(Type.Enum([...list]));

/** What each kind of source has beside `from`. */
export const FACT_SOURCES = Object.freeze({
  grpcMetadata: source({ name: Text }),
  contextExtension: source({ name: Text }),
  metadata: source({ namespace: Text, path: Type.Array(Text, { minItems: 1 }) }),
  attribute: source({ name: Text }),
  peer: source({}),
  body: source({}),
  map: source({
    entries: Type.Array(
      Type.Object(
        { authority: Type.Optional(Text), pathPrefix: Type.Optional(Text), value: Text },
        closed,
      ),
    ),
  }),
  header: source({ name: Text, trusted: Type.Literal(true) }),
} satisfies Record<FactSource['from'], TSchema>);

function source(properties: Record<string, TSchema>): TSchema {
  return Type.Object({ from: Text, ...properties }, closed);
}

const SourceSchema = Type.Object({
  from: words(Object.keys(FACT_SOURCES) as readonly FactSource['from'][]),
});

const Sources = Type.Optional(Type.Array(SourceSchema));

const ModeSchema = words([
  'NONE',
  'STREAMED',
  'BUFFERED',
  'BUFFERED_PARTIAL',
  'FULL_DUPLEX_STREAMED',
]);

/** grpc-js is the reference; `fast` is our own HTTP/2. */
export const TRANSPORTS = ['grpc-js', 'fast'] as const;
export type Transport = (typeof TRANSPORTS)[number];

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

/** The file's schema; `docs/reference/configuration.md` has a row for each of its keys. */
export const FileSchema = Type.Object(
  {
    /** Directory of policy documents that is watched. */
    policies: Type.Optional(Text),
    /** Directory of what must survive a restart: sets, the activation record, decisions, keys. */
    data: Type.Optional(Text),
    grpc: Type.Optional(
      Type.Object(
        {
          /** `host:port`; port 0 takes a free one. */
          tcp: Type.Optional(Text),
          unix: Type.Optional(Text),
          tls: Type.Optional(
            Type.Object(
              {
                certFile: Text,
                keyFile: Text,
                caFile: Type.Optional(Text),
                requireClientCert: Type.Optional(Type.Boolean()),
              },
              closed,
            ),
          ),
          streamsMax: Type.Optional(Count),
          receiveBytesMax: Type.Optional(Count),
          drainMs: Type.Optional(Count),
          drainDeadlineMs: Type.Optional(Count),
          drainRestMs: Type.Optional(Count),
          transport: Type.Optional(words(TRANSPORTS)),
          warmUpMs: Type.Optional(Count),
          /** Of the transport `fast`. */
          http2: Type.Optional(
            Type.Object(
              Object.fromEntries(
                Object.keys(HTTP2_LIMITS_DEFAULT).map((name) => [
                  name,
                  // Windows cannot be larger (RFC 9113 §6.9.1), and nothing else needs to be.
                  Type.Optional(Type.Integer({ minimum: 1, maximum: 2 ** 31 - 1 })),
                ]),
              ),
              closed,
            ),
          ),
          /** What modes to assume of a data plane that does not tell (`protocol_config` absent). */
          defaultModes: Type.Optional(
            Type.Object({ request: ModeSchema, response: ModeSchema }, closed),
          ),
        },
        closed,
      ),
    ),
    admin: Type.Optional(
      Type.Object(
        {
          socket: Type.Optional(Text),
          tcp: Type.Optional(Text),
          names: Type.Optional(Type.Array(Text)),
          tokenFile: Type.Optional(Text),
        },
        closed,
      ),
    ),
    facts: Type.Optional(
      Type.Object(
        {
          tenant: Sources,
          app: Sources,
          model: Sources,
          principal: Sources,
          region: Sources,
          session: Sources,
          risk: Sources,
          consent: Sources,
          claims: Sources,
        },
        closed,
      ),
    ),
    trustedHeaders: Type.Optional(Type.Array(Text)),
    /** Formats of paths that their APIs do not tell. */
    formats: Type.Optional(
      Type.Array(
        Type.Object(
          {
            path: Type.String({ pattern: '^/' }),
            format: words(ROUTE_FORMATS),
            textPaths: Type.Optional(Type.Array(Type.String({ pattern: TEXT_PATH.source }))),
          },
          closed,
        ),
      ),
    ),
    /** Who is asked about texts, by the names that rules use. */
    classifiers: Type.Optional(ClassifiersSchema),
    /** Lists that somebody else keeps, for conditions. */
    feeds: Type.Optional(
      Type.Array(
        Type.Object(
          {
            name: Type.String({ pattern: '^[A-Za-z0-9]([A-Za-z0-9._-]{0,62}[A-Za-z0-9])?$' }),
            kind: words(FEED_KINDS),
            file: Text,
          },
          closed,
        ),
        { maxItems: FEEDS_MAX },
      ),
    ),
    /** Who may sign that a set serves although golden cases do not hold. */
    goldenOverrideKeys: Type.Optional(
      Type.Array(
        Type.Object(
          {
            name: Type.String({ pattern: '^[A-Za-z0-9]([A-Za-z0-9._-]{0,62}[A-Za-z0-9])?$' }),
            publicKey: Text,
          },
          closed,
        ),
        { maxItems: OVERRIDE_KEYS_MAX },
      ),
    ),
    onStoreLoss: Type.Optional(words(['lastKnownGood', 'deny', 'allow'])),
    limits: Type.Optional(
      Type.Object(
        Object.fromEntries(
          Object.keys(DEFAULT_LIMITS).map((name) => [
            name,
            Type.Optional(Type.Integer({ minimum: 1 })),
          ]),
        ),
        closed,
      ),
    ),
    watchMs: Type.Optional(Count),
    /** Spans of sampled traces. */
    tracing: Type.Optional(TracingSchema),
    log: Type.Optional(Type.Object({ level: Type.Optional(words(LOG_LEVELS)) }, closed)),
  },
  closed,
);

type ConfigFile = Static<typeof FileSchema>;

export interface ServerConfig {
  readonly policies: string;
  readonly data: string;
  readonly grpc: {
    readonly tcp: string;
    readonly unix: string | undefined;
    readonly tls: NonNullable<ConfigFile['grpc']>['tls'];
    readonly streamsMax: number;
    readonly receiveBytesMax: number;
    readonly drainMs: number;
    readonly drainDeadlineMs: number;
    readonly drainRestMs: number;
    readonly transport: Transport;
    readonly warmUpMs: number;
    readonly http2: Http2Limits;
    readonly defaultModes: NonNullable<ConfigFile['grpc']>['defaultModes'];
  };
  readonly admin: {
    readonly socket: string | undefined;
    readonly tcp: string;
    readonly names: readonly string[];
    readonly tokenFile: string | undefined;
  };
  readonly facts: FactConfig;
  readonly claims: readonly ClaimSource[];
  readonly trustedHeaders: readonly string[];
  readonly formats: readonly FormatRoute[];
  readonly classifiers: readonly ClassifierConfig[];
  readonly feeds: readonly FeedConfig[];
  /** PEM of Ed25519 keys, by name. */
  readonly goldenOverrideKeys: readonly { readonly name: string; readonly publicKey: string }[];
  readonly onStoreLoss: 'lastKnownGood' | 'deny' | 'allow';
  readonly limits: EngineLimits;
  /** How long a set activated at once is compared with the one before it. */
  readonly watchMs: number;
  readonly tracing: TracingConfig;
  readonly log: { readonly level: string };
}

/** Values of one source that win over the file: environment, then flags. */
export interface ConfigOverrides {
  readonly policies?: string;
  readonly data?: string;
  readonly grpc?: string;
  readonly grpcUnix?: string;
  readonly transport?: string;
  readonly warmUpMs?: string;
  readonly admin?: string;
  readonly adminSocket?: string;
  readonly otlpEndpoint?: string;
  readonly logLevel?: string;
}

export const ENVIRONMENT: Readonly<Record<keyof ConfigOverrides, string>> = Object.freeze({
  policies: 'SWITCHYARD_POLICIES',
  data: 'SWITCHYARD_DATA_DIR',
  grpc: 'SWITCHYARD_GRPC',
  grpcUnix: 'SWITCHYARD_GRPC_UNIX',
  transport: 'SWITCHYARD_TRANSPORT',
  warmUpMs: 'SWITCHYARD_WARM_UP_MS',
  admin: 'SWITCHYARD_ADMIN',
  adminSocket: 'SWITCHYARD_ADMIN_SOCKET',
  otlpEndpoint: 'SWITCHYARD_OTLP_ENDPOINT',
  logLevel: 'SWITCHYARD_LOG_LEVEL',
});

/** Overrides that are one of a few words. */
const WORDS = { transport: TRANSPORTS, logLevel: LOG_LEVELS } as const;
const FLAGS: Readonly<Record<keyof typeof WORDS, string>> = {
  transport: '--transport',
  logLevel: '--log-level',
};

/** The same that the CLI assumes. */
const DATA_DIR_DEFAULT = '/var/lib/switchyard';

export type ConfigResult =
  | { readonly ok: true; readonly config: ServerConfig }
  | { readonly ok: false; readonly errors: readonly string[] };

/** Reads and merges; every error at once, as `file:line:column: sentence`. */
export function resolveConfig(
  file: { readonly path: string; readonly text: string } | undefined,
  environment: ConfigOverrides,
  flags: ConfigOverrides,
): ConfigResult {
  const errors: string[] = [];
  const read = file ? readFile(file, errors) : {};
  if (errors.length > 0) return { ok: false, errors };
  const over: ConfigOverrides = { ...environment, ...flags };
  for (const [name, allowed] of Object.entries(WORDS) as [
    keyof typeof WORDS,
    readonly string[],
  ][]) {
    const value = over[name];
    if (value === undefined || allowed.includes(value)) continue;
    const from = flags[name] === undefined ? ENVIRONMENT[name] : FLAGS[name];
    errors.push(`${from}: must be one of ${allowed.join(', ')}`);
  }
  if (over.warmUpMs !== undefined && !/^\d{1,6}$/u.test(over.warmUpMs)) {
    const from = flags.warmUpMs === undefined ? ENVIRONMENT.warmUpMs : '--warm-up-ms';
    errors.push(`${from}: must be a number of milliseconds, at most 999999`);
  }
  const complaint = over.otlpEndpoint && endpointComplaint(over.otlpEndpoint);
  if (complaint) {
    const from = flags.otlpEndpoint === undefined ? ENVIRONMENT.otlpEndpoint : '--otlp-endpoint';
    errors.push(`${from}: ${complaint}`);
  }
  if (errors.length > 0) return { ok: false, errors };
  return { ok: true, config: Object.freeze(merged(read, over)) };
}

/** The overrides that the environment holds. */
export function environmentOverrides(
  environment: Readonly<Record<string, string | undefined>>,
): ConfigOverrides {
  const found: Partial<Record<keyof ConfigOverrides, string>> = {};
  for (const [key, name] of Object.entries(ENVIRONMENT)) {
    const value = environment[name];
    if (value) found[key as keyof ConfigOverrides] = value;
  }
  return found;
}

function merged(file: ConfigFile, over: ConfigOverrides): ServerConfig {
  const { claims, ...facts } = file.facts ?? {};
  const data = over.data ?? file.data ?? DATA_DIR_DEFAULT;
  return {
    policies: over.policies ?? file.policies ?? 'policies',
    data,
    grpc: {
      tcp: over.grpc ?? file.grpc?.tcp ?? '127.0.0.1:50051',
      unix: over.grpcUnix ?? file.grpc?.unix,
      tls: file.grpc?.tls,
      streamsMax: file.grpc?.streamsMax ?? 20_000,
      receiveBytesMax: file.grpc?.receiveBytesMax ?? 64 << 20,
      drainMs: file.grpc?.drainMs ?? 1_000,
      drainDeadlineMs: file.grpc?.drainDeadlineMs ?? 30_000,
      drainRestMs: file.grpc?.drainRestMs ?? 60_000,
      transport: (over.transport as Transport | undefined) ?? file.grpc?.transport ?? 'grpc-js',
      warmUpMs:
        over.warmUpMs === undefined ? (file.grpc?.warmUpMs ?? 1_500) : Number(over.warmUpMs),
      http2: { ...HTTP2_LIMITS_DEFAULT, ...(file.grpc?.http2 as Partial<Http2Limits> | undefined) },
      defaultModes: file.grpc?.defaultModes,
    },
    admin: {
      socket: over.adminSocket ?? file.admin?.socket ?? `${data}/admin.sock`,
      tcp: over.admin ?? file.admin?.tcp ?? '127.0.0.1:9902',
      names: file.admin?.names ?? [],
      tokenFile: file.admin?.tokenFile,
    },
    facts: { ...DEFAULT_FACTS, ...(facts as FactConfig) },
    claims: (claims as readonly ClaimSource[] | undefined) ?? DEFAULT_CLAIMS,
    trustedHeaders: (file.trustedHeaders ?? []).map((name) => name.toLowerCase()),
    formats: file.formats ?? [],
    feeds: file.feeds ?? [],
    classifiers: classifiersOf(file.classifiers),
    goldenOverrideKeys: file.goldenOverrideKeys ?? [],
    onStoreLoss: file.onStoreLoss ?? 'lastKnownGood',
    limits: { ...DEFAULT_LIMITS, ...(file.limits as Partial<EngineLimits> | undefined) },
    watchMs: file.watchMs ?? 30 * 60_000,
    tracing: {
      ...TRACING_DEFAULT,
      ...file.tracing,
      endpoint: over.otlpEndpoint ?? file.tracing?.endpoint,
    },
    log: { level: over.logLevel ?? file.log?.level ?? 'info' },
  };
}

function readFile(
  file: { readonly path: string; readonly text: string },
  errors: string[],
): ConfigFile {
  const lines = new LineCounter();
  const document = parseDocument(file.text, { lineCounter: lines, version: '1.2' });
  const place = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `${file.path}:${line}:${col}`;
  };
  for (const error of document.errors) {
    errors.push(`${place(error.pos[0])}: ${error.code.toLowerCase()}: this is not valid yaml`);
  }
  if (errors.length > 0) return {};
  const value: unknown = document.toJS({ maxAliasCount: 100 }) ?? {};
  const faults = Value.Check(FileSchema, value)
    ? [
        ...sourceFaults(value.facts ?? {}),
        ...namesakeFaults('feeds', 'a feed', value.feeds ?? []),
        ...namesakeFaults('goldenOverrideKeys', 'a key', value.goldenOverrideKeys ?? []),
        ...classifierFaults(value.classifiers ?? []),
        ...endpointFaults(value.tracing?.endpoint),
      ]
    : configFaults(Value.Errors(FileSchema, value));
  for (const fault of faults) {
    errors.push(
      `${place(offsetOf(document, fault))}: config_invalid: ${fault.sentence}; see docs/reference/configuration.md`,
    );
  }
  return value as ConfigFile;
}

/** What each source must have depends on its kind. */
function sourceFaults(facts: NonNullable<ConfigFile['facts']>): readonly ConfigFault[] {
  return Object.entries(facts).flatMap(([fact, sources]) =>
    sources.flatMap((one, index) => {
      const path = ['facts', fact, String(index)];
      if (fact === 'claims' && one.from !== 'metadata') {
        const sentence = `\`${[...path, 'from'].join('.')}\` must be \`metadata\`: claims count only where a filter has verified them`;
        return [{ path: [...path, 'from'], unknownKey: false, sentence }];
      }
      return configFaults(Value.Errors(FACT_SOURCES[one.from], one), path);
    }),
  );
}

function endpointFaults(endpoint: string | undefined): readonly ConfigFault[] {
  const complaint = endpoint && endpointComplaint(endpoint);
  if (!complaint) return [];
  const path = ['tracing', 'endpoint'];
  return [{ path, unknownKey: false, sentence: `\`${path.join('.')}\` ${complaint}` }];
}

/** Two files, or two keys, of one name would take turns. */
function namesakeFaults(
  section: string,
  what: string,
  named: readonly { readonly name: string }[],
): readonly ConfigFault[] {
  return named.flatMap(({ name }, index) => {
    const path = [section, String(index), 'name'];
    const sentence = `\`${path.join('.')}\` names ${what} that stands before it; rename one`;
    return named.findIndex((one) => one.name === name) < index
      ? [{ path, unknownKey: false, sentence }]
      : [];
  });
}

/** Where the author must look: at the value, or at a key that does not belong. */
function offsetOf(document: Document.Parsed, { path, unknownKey }: ConfigFault): number {
  if (unknownKey) {
    const parent = document.getIn(path.slice(0, -1), true);
    const pairs = isMap(parent) ? parent.items : [];
    const keys = pairs.map(({ key }) => key).filter(isScalar);
    const key = keys.find(({ value }) => String(value) === path.at(-1));
    if (key?.range) return key.range[0];
  }
  const node = path.length === 0 ? document.contents : document.getIn(path, true);
  return (isNode(node) ? node.range?.[0] : undefined) ?? 0;
}
