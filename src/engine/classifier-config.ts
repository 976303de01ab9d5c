/** `classifiers` of the server's configuration: who may be asked about texts. No policy can name an address. */
import { type Static, Type } from 'typebox';
import type { ConfigFault } from './config-errors.ts';

const Text = Type.String({ minLength: 1 });
const Size = Type.Integer({ minimum: 1 });
const closed = { additionalProperties: false };

/** How a classifier is spoken to. */
export const CLASSIFIER_CONTRACTS = ['switchyard', 'litellm', 'openai'] as const;
export type ContractName = (typeof CLASSIFIER_CONTRACTS)[number];

const HeaderSchema = Type.Object(
  {
    name: Type.String({ pattern: "^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}$" }),
    /** Of an environment variable. */
    env: Type.Optional(Text),
    file: Type.Optional(Text),
    prefix: Type.Optional(Text),
  },
  closed,
);

export const ClassifierSchema = Type.Object(
  {
    name: Type.String({ pattern: '^[A-Za-z][A-Za-z0-9_-]{0,62}$' }),
    url: Text,
    contract: Type.Optional(Type.Unsafe<ContractName>(Type.Enum([...CLASSIFIER_CONTRACTS]))),
    /** Of the OpenAI shape. */
    model: Type.Optional(Text),
    deadlineMs: Type.Optional(Size),
    deferredDeadlineMs: Type.Optional(Size),
    concurrencyMax: Type.Optional(Size),
    waitingMax: Type.Optional(Type.Integer({ minimum: 0 })),
    windowUnits: Type.Optional(Type.Integer({ minimum: 256 })),
    answerBytesMax: Type.Optional(Size),
    cacheEntriesMax: Type.Optional(Type.Integer({ minimum: 0 })),
    cacheMs: Type.Optional(Size),
    headers: Type.Optional(Type.Array(HeaderSchema)),
    tls: Type.Optional(
      Type.Object(
        {
          caFile: Type.Optional(Text),
          certFile: Type.Optional(Text),
          keyFile: Type.Optional(Text),
          serverName: Type.Optional(Text),
        },
        closed,
      ),
    ),
  },
  closed,
);

export const ClassifiersSchema = Type.Array(ClassifierSchema);

type ClassifierFile = Static<typeof ClassifierSchema>;

export interface ClassifierConfig {
  readonly name: string;
  readonly url: string;
  readonly contract: ContractName;
  readonly model: string | undefined;
  /** From the question to the verdict where something is held for it, waiting for a turn included. */
  readonly deadlineMs: number;
  /** The same where nobody waits. */
  readonly deferredDeadlineMs: number;
  /** Calls at once. */
  readonly concurrencyMax: number;
  /** Calls that wait for a turn; beyond it there is no verdict. */
  readonly waitingMax: number;
  /** Longer texts are asked about in overlapping windows of so many UTF-16 units; the highest score counts. */
  readonly windowUnits: number;
  readonly answerBytesMax: number;
  /** Verdicts kept, one for each text of each set; 0 keeps none. */
  readonly cacheEntriesMax: number;
  readonly cacheMs: number;
  readonly headers: NonNullable<ClassifierFile['headers']>;
  readonly tls: ClassifierFile['tls'];
}

export const CLASSIFIER_DEFAULTS = Object.freeze({
  contract: 'switchyard' as ContractName,
  deadlineMs: 500,
  deferredDeadlineMs: 10_000,
  concurrencyMax: 16,
  waitingMax: 256,
  windowUnits: 16_384,
  answerBytesMax: 1 << 20,
  cacheEntriesMax: 10_000,
  cacheMs: 600_000,
});

export function classifiersOf(
  classifiers: readonly ClassifierFile[] = [],
): readonly ClassifierConfig[] {
  return classifiers.map((one) =>
    Object.freeze({
      ...CLASSIFIER_DEFAULTS,
      model: undefined,
      tls: undefined,
      headers: [],
      ...one,
    }),
  );
}

/** What the schema cannot say. Never quotes a value: it may be a secret. */
export function classifierFaults(classifiers: readonly ClassifierFile[]): readonly ConfigFault[] {
  const names = new Set<string>();
  return classifiers.flatMap((one, index) => {
    const faults: ConfigFault[] = [];
    const fault = (key: readonly string[], complaint: string): void => {
      const path = ['classifiers', String(index), ...key];
      faults.push({ path, unknownKey: false, sentence: `\`${path.join('.')}\` ${complaint}` });
    };
    if (names.has(one.name)) fault(['name'], 'is the name of another one, too; rename one');
    names.add(one.name);
    const complaint = urlComplaint(one.url);
    if (complaint !== undefined) fault(['url'], complaint);
    for (const [at, { env, file }] of (one.headers ?? []).entries())
      if ((env === undefined) === (file === undefined))
        fault(['headers', String(at)], 'must say where its value is: in `env` or in `file`');
    if (one.model !== undefined && one.contract !== 'openai')
      fault(['model'], 'belongs to the contract `openai`; remove it');
    if ((one.tls?.certFile === undefined) !== (one.tls?.keyFile === undefined))
      fault(['tls'], 'needs both of `certFile` and `keyFile`, or neither');
    return faults;
  });
}

function urlComplaint(text: string): string | undefined {
  if (!URL.canParse(text)) return 'must be a URL, as `http://127.0.0.1:8080/classify`';
  const { protocol, username, password, hash } = new URL(text);
  if (protocol !== 'http:' && protocol !== 'https:')
    return 'must begin with `http://` or `https://`';
  if (username !== '' || password !== '')
    return 'must not hold a password; send it as one of `headers`';
  return hash === '' ? undefined : 'must not have a fragment';
}
