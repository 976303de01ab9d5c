/** Server CPU per exchange without Envoy: one client in C, servers by turns, slices of a quarter of a second. */
import { execFileSync } from 'node:child_process';
import { SHAPE_TITLES, type ShapeName } from './corpus.ts';
import type { ExchangeClient, Load } from './exchange-client.ts';
import { type Rounds, takeRounds } from './rounds.ts';
import type { BenchServer, ServerName, Servers } from './servers.ts';
import { threadTimeNs } from './thread-time.ts';

const SLICE_MS = 250;
/**
 * V8 compiles what it has seen often: a server is warm when it has had so much of the processor, which on a busy
 * machine takes its time. No longer than WARM_UP_MS_MAX, for those that compile nothing or are slow.
 */
const WARM_UP_CPU_MS = 1_500;
const WARM_UP_MS_MAX = 6_000;
/** The whole of Switchyard is more to compile: V8 sees thousands of chats before it is done. */
const WHOLE_WARM_UP = { cpuMs: 6_000, msMax: 15_000 };
/** Servers and client each on a core of their own: how much one read brings would else be the scheduler's choice. */
const SERVER_CORE = '0';
const CLIENT_CORE = '1';

/** Two connections, as a proxy of two workers has; one stream alone is the other end of batching. */
const load = (shape: ShapeName, streams: number): Load => ({
  shape,
  streams,
  connections: Math.min(2, streams),
});

export const DIRECT_LOADS: readonly Load[] = [
  load('json', 32),
  load('json', 1),
  load('json', 256),
  load('headers', 32),
  load('check', 32),
  load('sse', 32),
  load('large', 32),
];

export const loadTitle = ({ shape, streams }: Load): string =>
  `${SHAPE_TITLES[shape]}, ${streams} at a time`;

export interface DirectResult {
  readonly load: Load;
  /** µs of CPU per exchange. */
  readonly cpuUs: Rounds<ServerName>;
}

export function pin(pid: number, core: string): void {
  execFileSync('taskset', ['-a', '-p', '-c', core, String(pid)], { stdio: 'ignore' });
}

async function cpuUsOf(client: ExchangeClient, server: BenchServer, of: Load): Promise<number> {
  const before = threadTimeNs(server.pid);
  const { exchanges } = await client.run(server.port, of, SLICE_MS);
  return (threadTimeNs(server.pid) - before) / 1_000 / exchanges;
}

async function warmUp(
  client: ExchangeClient,
  name: ServerName,
  server: BenchServer,
  of: Load,
): Promise<void> {
  const { cpuMs, msMax } = isWhole(name)
    ? WHOLE_WARM_UP
    : { cpuMs: WARM_UP_CPU_MS, msMax: WARM_UP_MS_MAX };
  const before = threadTimeNs(server.pid);
  const beganAt = performance.now();
  do await client.run(server.port, of, SLICE_MS);
  while ((threadTimeNs(server.pid) - before) / 1e6 < cpuMs && performance.now() - beganAt < msMax);
}

/**
 * The shipped policies refuse events in STREAMED, where nothing can be held back, and in the mode that they want a
 * reply may wait for the next event; `npm run bench` has them. What the whole server costs, three loads say.
 */
const WHOLE_SERVER_SHAPES: ReadonlySet<ShapeName> = new Set(['headers', 'check', 'json']);
const isWhole = (name: ServerName): boolean => /(Nothing|Shipped)$/.test(name);
const takesPart = (name: ServerName, { shape, streams }: Load): boolean =>
  !isWhole(name) || (streams === 32 && WHOLE_SERVER_SHAPES.has(shape));

/** Every kind of load on every server. */
export async function measureDirect(
  client: ExchangeClient,
  servers: Servers,
  loads: readonly Load[],
  rounds: number,
): Promise<readonly DirectResult[]> {
  pin(client.pid, CLIENT_CORE);
  for (const { pid } of servers.values()) pin(pid, SERVER_CORE);
  const results: DirectResult[] = [];
  for (const of of loads) {
    const asked = [...servers].filter(([name]) => takesPart(name, of));
    for (const [name, server] of asked) await warmUp(client, name, server, of);
    const names = asked.map(([name]) => name);
    const cpuUs = await takeRounds(names, rounds, (name) =>
      cpuUsOf(client, servers.get(name) as BenchServer, of),
    );
    results.push({ load: of, cpuUs });
  }
  return results;
}
