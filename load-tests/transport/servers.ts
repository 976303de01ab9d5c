/**
 * What the bench drives: references, our core on each of our transports, and the whole of Switchyard. Each is a
 * process of its own; one more is one more entry in `SERVERS`.
 */
import { fileURLToPath } from 'node:url';
import { ensureGoProgram } from '../../setup/go-programs.mjs';
import { ensureNative } from '../../setup/native.mjs';
import { startSwitchyard } from '../../test/envoy/harness.ts';
import { NOTHING_APPLIES, shippedPolicies } from '../ways.ts';
import { EQUAL_RULE, EQUAL_RULE_CONFIG } from './equal-rule.ts';
import { LineProcess } from './line-process.ts';

export interface BenchServer {
  readonly pid: number;
  readonly port: number;
  /** Of those that answer questions about themselves (`bare-server.mjs`). */
  ask?<Answer>(question: string): Promise<Answer>;
  stop(): Promise<void>;
}

export interface ServerKind {
  readonly title: string;
  /** Undefined where it cannot be had, after saying why. */
  start(): Promise<BenchServer | undefined>;
}

async function lineServer(
  program: string,
  ...args: readonly string[]
): Promise<BenchServer & { ask: LineProcess['ask'] }> {
  const running = new LineProcess(program, ...args);
  const port = await running.port();
  return {
    pid: running.pid,
    port,
    ask: (question) => running.ask(question),
    stop: () => running.stop(),
  };
}

/** Built when it is missing; without it the bench goes on and says so. */
async function ifHad(get: () => Promise<string>): Promise<BenchServer | undefined> {
  try {
    return await lineServer(await get());
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return undefined;
  }
}

const BARE = fileURLToPath(new URL('bare-server.mjs', import.meta.url));
export type TransportName = 'grpcjs' | 'http2';

export const OUR_TRANSPORTS: readonly TransportName[] = ['grpcjs', 'http2'];

export const bareServer = (transport: TransportName | 'none'): ReturnType<typeof lineServer> =>
  lineServer(process.execPath, BARE, transport);
/** The same, with all that the whole server has beside deciding. */
const observedServer = (transport: TransportName): ReturnType<typeof lineServer> =>
  lineServer(process.execPath, BARE, transport, 'observed');

interface Whole {
  readonly policies: Readonly<Record<string, string>>;
  readonly config?: string;
  readonly fast?: boolean;
}

async function whole({ fast, ...options }: Whole): Promise<BenchServer> {
  const args = fast === true ? ['--transport', 'fast'] : [];
  const { pid, grpcPort, stop } = await startSwitchyard({ ...options, args });
  return { pid, port: grpcPort, stop };
}

export const SERVERS = {
  c: { title: 'C, libnghttp2', start: () => ifHad(() => ensureNative('c-server')) },
  cpp: { title: 'C++, grpc++', start: () => ifHad(() => ensureNative('cpp-server')) },
  opa: { title: 'Go, OPA', start: () => ifHad(() => ensureGoProgram('opa-server')) },
  grpcjs: { title: 'our core on grpc-js', start: () => bareServer('grpcjs') },
  http2: {
    title: 'our core on our transport',
    start: () => bareServer('http2'),
  },
  http2Observed: {
    title: 'our core on our transport, metrics and records on',
    start: () => observedServer('http2'),
  },
  grpcjsNothing: {
    title: 'Switchyard on grpc-js, no rule applies',
    start: () => whole({ policies: NOTHING_APPLIES }),
  },
  http2Nothing: {
    title: 'Switchyard on our transport, no rule applies',
    start: () => whole({ policies: NOTHING_APPLIES, fast: true }),
  },
  grpcjsShipped: {
    title: 'Switchyard on grpc-js, shipped policies',
    start: async () => whole({ policies: await shippedPolicies() }),
  },
  http2Shipped: {
    title: 'Switchyard on our transport, shipped policies',
    start: async () => whole({ policies: await shippedPolicies(), fast: true }),
  },
  grpcjsEqual: {
    title: 'Switchyard on grpc-js, the rule that OPA has',
    start: () => whole({ policies: EQUAL_RULE, config: EQUAL_RULE_CONFIG }),
  },
  http2Equal: {
    title: 'Switchyard on our transport, the rule that OPA has',
    start: () => whole({ policies: EQUAL_RULE, config: EQUAL_RULE_CONFIG, fast: true }),
  },
} as const satisfies Record<string, ServerKind>;

export type ServerName = keyof typeof SERVERS;

export type Servers = ReadonlyMap<ServerName, BenchServer>;

/** Starts these, leaving out what cannot be had. */
export async function startServers(names: readonly ServerName[]): Promise<Servers> {
  const started = new Map<ServerName, BenchServer>();
  for (const name of names) {
    const server = await SERVERS[name].start();
    if (server !== undefined) started.set(name, server);
  }
  return started;
}

export async function stopServers(servers: Servers): Promise<void> {
  for (const server of servers.values()) await server.stop();
}
