/**
 * Real peers for tests: Envoy with the shipped configuration, Switchyard as a process of its own, and the
 * demo upstream. Every process dies with the tests, whatever ends them.
 */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Document } from 'yaml';
import { type Endpoint, readShippedConfig, renderEnvoyConfig } from '../../demo/envoy-config.ts';
import { type ProcessExit, type RunningProcess, startProcess } from '../../demo/processes.ts';
import { projectDirectory } from '../../demo/project.ts';
import { startUpstream, type Upstream } from '../../demo/upstream.ts';
import { ENVOY_VERSION, envoyPath } from '../../setup/envoy.mjs';
import { skipBecause } from '../reporter/skip.ts';
import { send } from './http-client.ts';

const READY_TIMEOUT_MS = 20_000;

export { startUpstream };

/** Skips the test, or from a `before` hook its suite, when there is no Envoy on this machine. */
export function requireEnvoy(context: Mocha.Context): void {
  if (!existsSync(envoyPath()))
    skipBecause(context, `no Envoy ${ENVOY_VERSION} here: \`node setup/envoy.mjs\` fetches it`);
}

/** A directory that `remove` deletes. */
export async function temporaryDirectory(): Promise<{ path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'switchyard-'));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

async function writeFiles(
  directory: string,
  files: Readonly<Record<string, string>>,
): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(directory, name)), { recursive: true });
    await writeFile(join(directory, name), text);
  }
}

export interface EnvoyOptions {
  /** Replicas of the policy server; a port on which nothing listens makes it absent. */
  readonly switchyard: readonly Endpoint[];
  readonly upstream: Endpoint;
  /** Configuration text; the shipped one unless given. */
  readonly configuration?: string;
  /** Changes the rendered document. */
  readonly adapt?: (document: Document) => void;
  /** Default 1. */
  readonly concurrency?: number;
}

export interface Envoy {
  /** Port of listener `ai`. */
  readonly port: number;
  readonly adminPort: number;
  readonly pid: number;
  /** Counters and gauges whose names match, e.g. `ext_proc`; counters never touched are absent. */
  stats(pattern: RegExp): Promise<ReadonlyMap<string, number>>;
  /** One of them, 0 when absent. */
  stat(name: string): Promise<number>;
  /** Lines of the access log so far, parsed. Envoy writes them a moment after the answer. */
  accessLog(): Promise<readonly LogEntry[]>;
  /** The first line of the access log that `matches`, waiting until there is one; rejects after 20 s. */
  logged(matches: (entry: LogEntry) => boolean): Promise<LogEntry>;
  output(): string;
  signal(name: NodeJS.Signals): void;
  stop(): Promise<void>;
}

/** One line of the access log, as the shipped configuration names its fields. */
export type LogEntry = Readonly<Record<string, unknown>>;

/** Starts Envoy on ports it picks itself. Rejects with what it wrote when it does not come up. */
export async function startEnvoy(options: EnvoyOptions): Promise<Envoy> {
  const directory = await temporaryDirectory();
  const accessLog = join(directory.path, 'access.log');
  const addressFile = join(directory.path, 'admin-address');
  const file = join(directory.path, 'envoy.yaml');
  const shipped = options.configuration ?? (await readShippedConfig());
  const addresses = { listenPort: 0, adminPort: 0, accessLog };
  await writeFile(file, renderEnvoyConfig(shipped, { ...addresses, ...options }, options.adapt));
  const running = await startProcess(envoyPath(), [
    ...['-c', file, '--admin-address-path', addressFile, '--disable-hot-restart'],
    ...['--concurrency', String(options.concurrency ?? 1), '-l', 'warning'],
    // Ten seconds is the default: too long to wait for a line of the access log.
    ...['--file-flush-interval-msec', '20'],
  ]);
  try {
    const adminPort = await adminPortFrom(addressFile, running);
    const port = await listenerPort(adminPort, running);
    return {
      port,
      adminPort,
      pid: running.pid,
      stats: (pattern) => readStats(adminPort, pattern),
      stat: async (name) =>
        (await readStats(adminPort, new RegExp(`^${escaped(name)}$`))).get(name) ?? 0,
      accessLog: () => readAccessLog(accessLog),
      logged: (matches) => untilLogged(accessLog, matches),
      output: running.output,
      signal: running.signal,
      stop: async () => {
        await running.stop();
        await directory.remove();
      },
    };
  } catch (error) {
    await running.stop();
    await directory.remove();
    throw error;
  }
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}

/** Polls until `look` finds something; rejects with the process's output when it ends or takes too long. */
async function until<T>(running: RunningProcess, look: () => Promise<T | undefined>): Promise<T> {
  const state: { exit?: ProcessExit } = {};
  void running.exited.then((exit) => {
    state.exit = exit;
  });
  for (let waitedMs = 0; waitedMs < READY_TIMEOUT_MS; waitedMs += 20) {
    const found = await look();
    if (found !== undefined) return found;
    if (state.exit !== undefined)
      throw new Error(`Envoy ended:\n${running.output().slice(-4_000)}`);
    await sleep(20);
  }
  throw new Error(`Envoy is not ready in time:\n${running.output().slice(-4_000)}`);
}

function adminPortFrom(file: string, running: RunningProcess): Promise<number> {
  return until(running, async () => {
    const text = await readFile(file, 'utf8').catch(() => '');
    const port = Number(text.split(':').at(-1));
    return text !== '' && port > 0 ? port : undefined;
  });
}

interface ListenerStatuses {
  readonly listener_statuses?: readonly {
    readonly name: string;
    readonly local_address: { readonly socket_address: { readonly port_value: number } };
  }[];
}

function listenerPort(adminPort: number, running: RunningProcess): Promise<number> {
  return until(running, async () => {
    if ((await send(adminPort, { path: '/ready' })).status !== 200) return undefined;
    const answer = await send(adminPort, { path: '/listeners?format=json' });
    const statuses = (JSON.parse(answer.text) as ListenerStatuses).listener_statuses ?? [];
    return statuses.find((status) => status.name === 'ai')?.local_address.socket_address.port_value;
  });
}

async function readStats(adminPort: number, pattern: RegExp): Promise<ReadonlyMap<string, number>> {
  const answer = await send(adminPort, { path: '/stats?format=json' });
  const { stats } = JSON.parse(answer.text) as {
    readonly stats: readonly { readonly name?: string; readonly value?: unknown }[];
  };
  const found = new Map<string, number>();
  for (const { name, value } of stats)
    if (name !== undefined && typeof value === 'number' && pattern.test(name))
      found.set(name, value);
  return found;
}

async function readAccessLog(file: string): Promise<readonly LogEntry[]> {
  const text = await readFile(file, 'utf8').catch(() => '');
  // What follows the last line break is a line still being written.
  const lines = text.split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as LogEntry);
}

async function untilLogged(file: string, matches: (entry: LogEntry) => boolean): Promise<LogEntry> {
  for (let waitedMs = 0; waitedMs < READY_TIMEOUT_MS; waitedMs += 20) {
    const found = (await readAccessLog(file)).find(matches);
    if (found !== undefined) return found;
    await sleep(20);
  }
  throw new Error('no such line in the access log');
}

export interface SwitchyardOptions {
  /** File name → text, written into the watched directory before the start. */
  readonly policies: Readonly<Record<string, string>>;
  /** Server configuration (YAML text); none unless given. */
  readonly config?: string;
  /** Further arguments of `serve`. */
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Where policies and data live; given, it is kept on `stop`, so that a restart finds them. */
  readonly directory?: string;
  /** Fixed port, for a restart behind a running Envoy; default: one it picks. */
  readonly grpcPort?: number;
  /** Program to run instead of `src/main.ts`, given the same arguments; for a sabotaged build. */
  readonly program?: string;
}

export interface Switchyard {
  readonly pid: number;
  /** Port of ext_proc, ext_authz and health. */
  readonly grpcPort: number;
  readonly grpcSocket: string;
  /** Port of metrics, health and status. */
  readonly adminPort: number;
  readonly adminSocket: string;
  readonly directory: string;
  readonly policyDirectory: string;
  readonly dataDirectory: string;
  readonly exited: Promise<ProcessExit>;
  /** Writes one file of the watched directory. */
  save(name: string, text: string): Promise<void>;
  remove(name: string): Promise<void>;
  /** GET on the admin port. */
  admin(path: string): Promise<{ readonly status: number; readonly text: string }>;
  /** Runs `switchyard ARGS --socket ...` and resolves with its exit code and output. */
  cli(...args: readonly string[]): Promise<{ readonly code: number; readonly output: string }>;
  /** Everything it wrote to stdout and stderr (the end of it). */
  output(): string;
  signal(name: NodeJS.Signals): void;
  /** SIGTERM and wait. */
  stop(): Promise<void>;
}

/** `npm test` builds first and tests what is shipped; a suite run by hand uses the sources. */
function programArguments(program: string | undefined): readonly string[] {
  if (program !== undefined)
    return program.endsWith('.ts') ? ['--import', 'tsx', program] : [program];
  return process.env.SWITCHYARD_BUILT === '1'
    ? [join(projectDirectory, 'dist', 'src', 'main.js')]
    : ['--import', 'tsx', join(projectDirectory, 'src', 'main.ts')];
}

interface ReadyLine {
  readonly ready: boolean;
  readonly grpc: readonly string[];
  readonly admin: readonly string[];
}

function portIn(addresses: readonly string[]): number {
  for (const address of addresses) {
    const found = /:(\d+)$/.exec(address)?.[1];
    if (found !== undefined) return Number(found);
  }
  return 0;
}

/** Starts Switchyard and waits until it says that it serves; rejects with what it wrote when it does not. */
export async function startSwitchyard(options: SwitchyardOptions): Promise<Switchyard> {
  const own = options.directory === undefined ? await temporaryDirectory() : undefined;
  const directory = own?.path ?? options.directory ?? '';
  const policyDirectory = join(directory, 'policies');
  const dataDirectory = join(directory, 'data');
  await mkdir(policyDirectory, { recursive: true });
  await mkdir(dataDirectory, { recursive: true });
  await writeFiles(policyDirectory, options.policies);
  const adminSocket = join(directory, 'admin.sock');
  const grpcSocket = join(directory, 'grpc.sock');
  const configFile = join(directory, 'switchyard.yaml');
  if (options.config !== undefined) await writeFile(configFile, options.config);
  const program = programArguments(options.program);
  const running = await startProcess(
    process.execPath,
    [
      ...program,
      'serve',
      ...(options.config === undefined ? [] : ['--config', configFile]),
      ...['--policies', policyDirectory, '--data', dataDirectory],
      ...['--grpc', `127.0.0.1:${options.grpcPort ?? 0}`, '--grpc-unix', grpcSocket],
      ...['--admin', '127.0.0.1:0', '--admin-socket', adminSocket],
      ...(options.args ?? []),
    ],
    // Warm or not does not matter to most tests; each would wait for it.
    { env: { ...process.env, SWITCHYARD_WARM_UP_MS: '0', ...options.env } },
  );
  const stop = async (): Promise<void> => {
    await running.stop();
    await own?.remove();
  };
  try {
    const line = await running.line(saysReady, READY_TIMEOUT_MS);
    const { grpc, admin } = JSON.parse(line) as ReadyLine;
    const adminPort = portIn(admin);
    return {
      pid: running.pid,
      grpcPort: portIn(grpc),
      grpcSocket,
      adminPort,
      adminSocket,
      directory,
      policyDirectory,
      dataDirectory,
      exited: running.exited,
      save: (name, text) => writeFile(join(policyDirectory, name), text),
      remove: (name) => rm(join(policyDirectory, name)),
      admin: (path) => send(adminPort, { path }),
      cli: (...args) => runCli([...program, ...args, '--socket', adminSocket]),
      output: running.output,
      signal: running.signal,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function saysReady(line: string): boolean {
  return line.startsWith('{') && line.includes('"ready":true');
}

async function runCli(args: readonly string[]): Promise<{ code: number; output: string }> {
  const running = await startProcess(process.execPath, args);
  const { code } = await running.exited;
  // `exit` comes before the last line has been read.
  await sleep(20);
  return { code: code ?? 1, output: running.output() };
}

export interface Stack {
  readonly envoy: Envoy;
  readonly switchyard: Switchyard;
  readonly upstream: Upstream;
  stop(): Promise<void>;
}

export type StackOptions = SwitchyardOptions &
  Pick<EnvoyOptions, 'adapt' | 'concurrency' | 'configuration'>;

/** All three, wired by the shipped configuration; Envoy is ended first, as it asks the others. */
export async function startStack(options: StackOptions): Promise<Stack> {
  const upstream = await startUpstream();
  let switchyard: Switchyard | undefined;
  try {
    switchyard = await startSwitchyard(options);
    const { adapt, concurrency, configuration } = options;
    const envoy = await startEnvoy({
      switchyard: [{ port: switchyard.grpcPort }],
      upstream: { port: upstream.port },
      ...(adapt === undefined ? {} : { adapt }),
      ...(concurrency === undefined ? {} : { concurrency }),
      ...(configuration === undefined ? {} : { configuration }),
    });
    const server = switchyard;
    return {
      envoy,
      switchyard: server,
      upstream,
      stop: async () => {
        await envoy.stop();
        await server.stop();
        await upstream.stop();
      },
    };
  } catch (error) {
    await switchyard?.stop();
    await upstream.stop();
    throw error;
  }
}
