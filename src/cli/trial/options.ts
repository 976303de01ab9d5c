/** The options that `try` and `explain` share, and what they mean. */
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { FACT_UNITS_MAX, type FactConfig } from '../../engine/facts.ts';
import type { Format } from '../../formats/frame.ts';
import { quoteList } from '../../policy/errors.ts';
import { type GivenSurroundings, givenFeed, givenSurroundings } from '../../policy/given.ts';
import { givenVerdict } from '../../policy/given-verdict.ts';
import { FACT_NAMES } from '../../policy/schema.ts';
import type { Direction, FactName, PolicySet } from '../../policy/set.ts';
import { POSTURES, type Posture } from '../../policy/surroundings.ts';
import { compiledSet, type PolicyReading, readPolicyPath } from '../compile.ts';
import { bytesOf, readConfig, unreadableFile } from '../config.ts';
import { CliError, EXIT } from '../exit.ts';
import { printable } from '../printable.ts';
import type { Trial } from './run.ts';
import { FORMAT_NAMES } from './spoken.ts';

export interface TrialFlags {
  readonly policy: string;
  readonly input?: string;
  readonly request?: string;
  readonly format: Format['name'] | 'auto';
  readonly direction?: Direction;
  readonly path?: string;
  readonly contentType?: string;
  readonly contentEncoding?: string;
  readonly textPath?: readonly string[];
  readonly facts?: Readonly<Partial<Record<FactName, string>>>;
  readonly header?: Readonly<Record<string, string>>;
  readonly method: string;
  readonly route: string;
  readonly status: number;
  readonly at?: number;
  readonly posture?: Posture;
  readonly load?: number;
  readonly feed?: Readonly<Record<string, string>>;
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly topic?: string;
  readonly ip?: string;
  readonly classifier?: Readonly<Record<string, unknown>>;
  readonly config?: string;
  readonly json?: boolean;
  readonly color?: boolean;
}

/** Adds them, in the order in which help shows them. */
export function addTrialOptions(command: Command): Command {
  return command
    .requiredOption('--policy <path>', 'policy file, or directory of them')
    .option('--input <file>', 'the body to try; `-` or nothing: standard input, as it arrives')
    .option('--request <file>', 'body of the request that came before the answer')
    .addOption(
      new Option('--format <name>', 'format of the body; `auto` goes by --path, then by its looks')
        .choices(['auto', ...FORMAT_NAMES])
        .default('auto'),
    )
    .addOption(
      new Option('--direction <direction>', 'whose body it is (default: by its looks)').choices([
        'request',
        'response',
      ]),
    )
    .option(
      '--path <path>',
      'path of the request, query included (default: one of the format)',
      parsePath,
    )
    .option('--content-type <type>', 'content type of the body (default: one of the format)')
    .option('--content-encoding <codings>', 'content encoding of the body: gzip, br, ...')
    .option('--text-path <path>', 'where text stands in `json`; repeatable', gather)
    .option('--facts <name=value,...>', 'who asks: tenant=acme,app=chat; repeatable', gatherFacts)
    .option('--header <name:value>', 'header of the request, trusted; repeatable', gatherHeaders)
    .option('--method <method>', 'method of the request', 'POST')
    .option('--route <name>', 'name of the route, for conditions', '')
    .option('--status <status>', 'status of the answer', parseStatus, 200)
    .option(
      '--at <time>',
      'the time for conditions: 2026-01-31T03:00:00Z (default: now)',
      parseTime,
    )
    .addOption(new Option('--posture <posture>', 'posture for conditions').choices(POSTURES))
    .option('--load <load>', 'load of the server for conditions, 0 to 1', parseLoad)
    .option('--feed <name=file>', 'a feed for conditions, as JSON; repeatable', gatherFeeds)
    .option('--claims <json>', 'verified claims about the principal', parseClaims)
    .option('--topic <name>', 'topic of an earlier turn of the session')
    .option('--ip <address>', 'address that the request comes from')
    .option(
      '--classifier <name=verdict>',
      'what a classifier says: a score, a JSON map of words to scores, or a reason for none; repeatable',
      gatherVerdicts,
    )
    .option(
      '--config <file>',
      "the server's configuration: facts, formats, limits, trusted headers",
    )
    .option('--json', 'one JSON object a line, for scripts')
    .option('--color', 'colour, also when this is no terminal')
    .option('--no-color', 'no colour; so does the environment variable NO_COLOR');
}

function parsePath(path: string): string {
  if (!path.startsWith('/')) throw new InvalidArgumentError('a path begins with `/`.');
  return path;
}

function parseStatus(text: string): number {
  const status = Number(text);
  if (!/^[1-5]\d\d$/.test(text)) throw new InvalidArgumentError('write a status as 200.');
  return status;
}

function parseTime(text: string): number {
  const ms = Date.parse(text);
  if (Number.isNaN(ms)) throw new InvalidArgumentError('write a time as 2026-01-31T03:00:00Z.');
  return ms;
}

function parseLoad(text: string): number {
  const load = Number(text);
  if (!/^[\d.]+$/.test(text) || !(load >= 0 && load <= 1))
    throw new InvalidArgumentError('write a load as 0.7, from 0 to 1.');
  return load;
}

function parseClaims(text: string): Readonly<Record<string, unknown>> {
  try {
    const claims: unknown = JSON.parse(text);
    if (typeof claims === 'object' && claims !== null && !Array.isArray(claims))
      return claims as Readonly<Record<string, unknown>>;
  } catch {
    // Said below.
  }
  throw new InvalidArgumentError('write claims as \'{"sub":"ann"}\'.');
}

function gatherFeeds(text: string, before: TrialFlags['feed'] = {}): TrialFlags['feed'] {
  const [, name, file] = /^([A-Za-z0-9._-]+)=(.+)$/.exec(text) ?? [];
  if (name === undefined || file === undefined)
    throw new InvalidArgumentError('write a feed as bad-ips=drop.json.');
  return { ...before, [name]: file };
}

function gatherVerdicts(
  text: string,
  before: TrialFlags['classifier'] = {},
): TrialFlags['classifier'] {
  const [, name, said] = /^([A-Za-z][A-Za-z0-9_-]*)=(.+)$/s.exec(text) ?? [];
  const value = said === undefined ? undefined : (jsonOf(said) ?? said);
  if (name === undefined || givenVerdict(name, value) === undefined)
    throw new InvalidArgumentError(
      'write a verdict as toxicity=0.9, toxicity=\'{"so bad":0.9}\' or toxicity=deadline.',
    );
  return { ...before, [name]: value };
}

/** What the flags say of what conditions read beside the request. Throws CliError for a file that is no feed. */
export async function aroundOf(flags: TrialFlags): Promise<GivenSurroundings> {
  const feed: Record<string, unknown> = {};
  for (const [name, file] of Object.entries(flags.feed ?? {})) {
    const value = jsonOf((await bytesOf(file)).toString('utf8'));
    if (givenFeed(value) === undefined)
      throw new CliError(EXIT.badInput, printable(`\`${file}\` is no JSON list or map of a feed`));
    feed[name] = value;
  }
  const { posture, load, claims, topic, ip, classifier } = flags;
  return givenSurroundings({
    feed,
    ...(posture !== undefined && { posture }),
    ...(load !== undefined && { load }),
    ...(claims !== undefined && { claims }),
    ...(topic !== undefined && { session: { topic } }),
    ...(ip !== undefined && { ip }),
    ...(classifier !== undefined && { classifier }),
  });
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function gather(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

function gatherFacts(text: string, before: TrialFlags['facts'] = {}): TrialFlags['facts'] {
  const facts: Partial<Record<FactName, string>> = { ...before };
  let last: FactName | undefined;
  for (const part of text.split(',')) {
    const [, name, value] = /^\s*([a-z]+)=(.*)$/.exec(part) ?? [];
    if (name === undefined) {
      // The words of a list, as in consent=profiling,marketing.
      if (last === undefined)
        throw new InvalidArgumentError('write facts as tenant=acme,app=chat.');
      facts[last] += `,${part}`;
      continue;
    }
    if (!(FACT_NAMES as readonly string[]).includes(name))
      throw new InvalidArgumentError(`\`${name}\` is no fact; facts are ${quoteList(FACT_NAMES)}.`);
    last = name as FactName;
    facts[last] = value!;
  }
  for (const value of Object.values(facts))
    if (value.length > FACT_UNITS_MAX)
      throw new InvalidArgumentError(`a fact has at most ${FACT_UNITS_MAX} characters.`);
  return facts;
}

function gatherHeaders(text: string, before: TrialFlags['header'] = {}): TrialFlags['header'] {
  const [, name, value] = /^([A-Za-z0-9!#$%&'*+.^_`|~-]+):\s*(.*)$/.exec(text) ?? [];
  if (name === undefined) throw new InvalidArgumentError("write a header as 'x-name: value'.");
  return { ...before, [name.toLowerCase()]: value!.trim() };
}

/** A trial but for where its events and bytes go. */
export type PreparedTrial = Omit<Trial, 'tell' | 'send'>;

export interface TrialSources {
  readonly readPolicies: (directory: string) => Promise<PolicyReading>;
  /** Standard input as it arrives; nothing where it is a terminal. */
  readonly standardInput: () => AsyncIterable<Uint8Array>;
}

/** Throws CliError for all that is wrong with the policies, the configuration and the files. */
export async function prepareTrial(
  flags: TrialFlags,
  sources: TrialSources,
  needsInput: boolean,
): Promise<PreparedTrial> {
  const set: PolicySet = compiledSet(await readPolicyPath(flags.policy, sources.readPolicies));
  const config = await readConfig(flags.config);
  const headers = { ...flags.header };
  if (flags.request !== undefined && flags.direction === 'request')
    throw new CliError(
      EXIT.badInput,
      '--request comes before an answer; name the request itself with --input',
    );
  if (flags.textPath !== undefined && flags.format !== 'json')
    throw new CliError(EXIT.badInput, '--text-path is for --format json only');
  const request = flags.request === undefined ? undefined : await bytesOf(flags.request);
  const input = await inputOf(flags, sources);
  return {
    set,
    said: {
      format: flags.format === 'auto' ? undefined : flags.format,
      direction: flags.direction ?? (request === undefined ? undefined : 'response'),
      path: flags.path,
      contentType: flags.contentType,
      textPaths: flags.textPath,
      routes: config.formats,
    },
    method: flags.method,
    route: flags.route,
    headers,
    contentEncoding: flags.contentEncoding,
    status: flags.status,
    facts: withGiven(config.facts, flags.facts),
    around: await aroundOf(flags),
    // Who tries a policy vouches for what he writes, unless the configuration says what counts.
    trustedHeaders: flags.config === undefined ? Object.keys(headers) : config.trustedHeaders,
    limits: config.limits,
    request,
    input,
    mayBeEmpty: !needsInput && (flags.input ?? '-') === '-',
  };
}

/** A given fact comes before every source that the server would ask. */
function withGiven(config: FactConfig, given: TrialFlags['facts'] = {}): FactConfig {
  const facts: { -readonly [Name in keyof FactConfig]: FactConfig[Name] } = { ...config };
  for (const [name, value] of Object.entries(given) as [FactName, string][])
    facts[name] = [{ from: 'map', entries: [{ value }] }, ...(facts[name] ?? [])];
  return facts;
}

async function inputOf(
  { input }: TrialFlags,
  sources: TrialSources,
): Promise<AsyncIterable<Uint8Array>> {
  if (input === undefined || input === '-') return sources.standardInput();
  const stream = createReadStream(input);
  try {
    await once(stream, 'readable');
    return stream;
  } catch (error) {
    throw unreadableFile(input, error);
  }
}
