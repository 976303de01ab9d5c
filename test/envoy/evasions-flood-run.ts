/** Lets floods loose on a stack with neighbours: what they come to, what they cost, and what the others notice. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, setPriority } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { Companion } from '../../load-tests/companion.ts';
import { type BenchServer, SERVERS } from '../../load-tests/transport/servers.ts';
import type { Flooded, FloodOrder } from './evasions-flooder.ts';
import type { Flood, FloodSize } from './evasions-floods.ts';
import type { Delays, NeighbourOrder } from './evasions-neighbours.ts';
import { BARE_APP, GUARDED_APP, POLICY } from './evasions-table.ts';
import { type Envoy, type Switchyard, startEnvoy, startSwitchyard } from './harness.ts';
import { CONNECTION_MANAGER, EXT_AUTHZ_PER_ROUTE, EXT_PROC_PER_ROUTE } from './stance-envoy.ts';

const APP_HEADER = 'x-test-app';
/** By this header Envoy finds the provider of the neighbours. */
const NEIGHBOUR_HEADER = 'x-test-neighbour';

/** By this one it asks the reference instead of Switchyard. */
const REFERENCE_HEADER = 'x-test-reference';

/** Who is asked about a flood: a server that says `continue` to everything, or Switchyard, with rules for it. */
export type FloodWay = 'reference' | 'judged';

const WAY_HEADERS: Readonly<Record<FloodWay, Readonly<Record<string, string>>>> = {
  reference: { [APP_HEADER]: BARE_APP, [REFERENCE_HEADER]: 'yes' },
  judged: { [APP_HEADER]: GUARDED_APP },
};

/** Less than the greediest of the floods wants. */
const HELD_BYTES_TOTAL_MAX = 40 << 20;

const CONFIG = `facts: { app: [{ from: header, name: ${APP_HEADER}, trusted: true }] }
limits: { heldBytesTotalMax: ${HELD_BYTES_TOTAL_MAX} }`;

/** How often memory is looked at. */
const LOOK_MS = 20;

export interface FloodStack {
  readonly envoy: Envoy;
  readonly switchyard: Switchyard;
  readonly flooder: Companion;
  readonly neighbours: Companion;
  /** The least that anybody asks of a policy server; it has neighbours of its own. */
  readonly reference: BenchServer | undefined;
  /** Resident memory of Switchyard before the first flood. */
  readonly quietBytes: number;
  stop(): Promise<void>;
}

export interface FloodOutcome {
  readonly exchanges: readonly Flooded[];
  /** The most that resident memory of Switchyard was above what it had been before the first flood. */
  readonly growthBytes: number;
  readonly elapsedMs: number;
}

/** Two workers: one flood must not hold up its neighbours inside of Envoy already. */
const ENVOY_WORKERS = 2;

/** Route of those that ask the reference: each part of a body is shown to it, and goes on as it came. */
const BY_REFERENCE = {
  'envoy.filters.http.ext_authz': { '@type': EXT_AUTHZ_PER_ROUTE, disabled: true },
  switchyard: {
    '@type': EXT_PROC_PER_ROUTE,
    overrides: {
      grpc_service: { envoy_grpc: { cluster_name: 'reference' }, timeout: '0s' },
      processing_mode: {
        request_header_mode: 'SEND',
        response_header_mode: 'SEND',
        request_body_mode: 'STREAMED',
        response_body_mode: 'STREAMED',
        request_trailer_mode: 'SKIP',
        response_trailer_mode: 'SKIP',
      },
    },
  },
};

export interface FloodStackOptions {
  /** With the reference, if it can be had. */
  readonly reference?: boolean;
  /** Further arguments of `serve`. */
  readonly args?: readonly string[];
}

/** Everybody in a process of his own, the neighbours' streams running. */
export async function startFloodStack(options: FloodStackOptions = {}): Promise<FloodStack> {
  const flooder = companion('evasions-flooder.ts', true);
  const neighbours = companion('evasions-neighbours.ts', false);
  const reference = options.reference === true ? await SERVERS.c.start() : undefined;
  const [flooding, neighbouring] = await Promise.all([
    flooder.next<{ port: number }>(),
    neighbours.next<{ port: number }>(),
  ]);
  const switchyard = await startSwitchyard({
    policies: { 'guard.yaml': POLICY },
    config: CONFIG,
    args: options.args ?? [],
  });
  const envoy = await startEnvoy({
    switchyard: [{ port: switchyard.grpcPort }],
    upstream: { port: flooding.port },
    concurrency: ENVOY_WORKERS,
    adapt: (document) => {
      const clusters = ['static_resources', 'clusters'];
      const list = document.toJS() as { static_resources: { clusters: { name: string }[] } };
      const another = (like: string, name: string, port: number): void => {
        const { static_resources: all } = list;
        const own = all.clusters.find((cluster) => cluster.name === like);
        document.addIn(clusters, { ...own, name, load_assignment: atPort(name, port) });
      };
      another('llm', 'neighbours', neighbouring.port);
      // Nobody asks the reference how it is.
      if (reference !== undefined)
        document.addIn(clusters, {
          ...list.static_resources.clusters.find(({ name }) => name === 'switchyard'),
          name: 'reference',
          health_checks: [],
          load_assignment: atPort('reference', reference.port),
        });
      const routes = [...CONNECTION_MANAGER, 'route_config', 'virtual_hosts', 0, 'routes'];
      const all = (document.getIn(routes) as { items: unknown[] }).items;
      const has = (...names: readonly string[]): object => ({
        prefix: '/',
        headers: names.map((name) => ({ name, present_match: true })),
      });
      const toNeighbours = { cluster: 'neighbours', timeout: '0s' };
      const first: object[] = [
        { name: 'neighbours', match: has(NEIGHBOUR_HEADER), route: toNeighbours },
      ];
      if (reference !== undefined)
        first.unshift(
          {
            name: 'neighbours-by-reference',
            match: has(NEIGHBOUR_HEADER, REFERENCE_HEADER),
            route: toNeighbours,
            typed_per_filter_config: BY_REFERENCE,
          },
          {
            name: 'by-reference',
            match: has(REFERENCE_HEADER),
            route: { cluster: 'llm', timeout: '0s' },
            typed_per_filter_config: BY_REFERENCE,
          },
        );
      all.unshift(...first.map((route) => document.createNode(route)));
    },
  });
  const groups: readonly FloodWay[] =
    reference === undefined ? ['judged'] : ['judged', 'reference'];
  for (const group of groups) {
    const headers = { ...WAY_HEADERS[group], [NEIGHBOUR_HEADER]: 'yes' };
    await neighbours.ask({ group, port: envoy.port, headers } satisfies NeighbourOrder);
  }
  return {
    envoy,
    switchyard,
    flooder,
    neighbours,
    reference,
    quietBytes: residentBytes(switchyard.pid),
    stop: async () => {
      await envoy.stop();
      await neighbours.stop();
      await flooder.stop();
      await switchyard.stop();
      await reference?.stop();
    },
  };
}

const companion = (program: string, apart: boolean): Companion =>
  new Companion(new URL(program, import.meta.url).href, { apart });

const atPort = (name: string, port: number): object => ({
  cluster_name: name,
  endpoints: [
    {
      lb_endpoints: [
        { endpoint: { address: { socket_address: { address: '127.0.0.1', port_value: port } } } },
      ],
    },
  ],
});

/** Gets the processor before all that is not this test, and after nobody. */
const FIRST_PRIORITY = -20;

/**
 * Gives the policy servers the last processor, and everybody else the ones before it: what they make the neighbours
 * wait for is then not that the attacker or Envoy was just running there. False where there is but one, or no `taskset`.
 */
export function setApart(stack: FloodStack): boolean {
  const { switchyard, envoy, flooder, neighbours, reference } = stack;
  const last = availableParallelism() - 1;
  if (last === 0) return false;
  const pin = (processors: string, pid: number, ...how: readonly string[]): void => {
    execFileSync('taskset', [...how, '-c', '-p', processors, String(pid)], { stdio: 'ignore' });
  };
  try {
    for (const { pid } of [envoy, flooder, neighbours]) pin(`0-${last - 1}`, pid, '-a');
    // Their serving threads: those that collect garbage go where there is room.
    for (const one of [switchyard, reference]) if (one !== undefined) pin(String(last), one.pid);
    return true;
  } catch {
    return false;
  }
}

/**
 * Has everybody but the attacker go before whatever else the machine does, so that it counts for little. False where
 * that is not allowed. Linux shares out the processor among sessions first where it groups them (sched(7)).
 */
export function setFirst({ switchyard, envoy, neighbours, reference }: FloodStack): boolean {
  try {
    for (const { pid } of [switchyard, envoy, neighbours, ...(reference ? [reference] : [])]) {
      setPriority(pid, FIRST_PRIORITY);
      const group = `/proc/${pid}/autogroup`;
      if (existsSync(group)) writeFileSync(group, String(FIRST_PRIORITY));
    }
    return true;
  } catch {
    return false;
  }
}

/** Lets one flood loose; `durationMs` 0: every lane once. */
export async function flood(
  stack: FloodStack,
  { id }: Flood,
  size: FloodSize,
  durationMs: number,
  way: FloodWay = 'judged',
): Promise<FloodOutcome> {
  const beganAt = performance.now();
  let highest = 0;
  let isOver = false;
  const order: FloodOrder = {
    flood: id,
    size,
    port: stack.envoy.port,
    headers: WAY_HEADERS[way],
    durationMs,
  };
  const exchanges = stack.flooder.ask<readonly Flooded[]>(order).finally(() => {
    isOver = true;
  });
  const watched = (async () => {
    while (!isOver) {
      highest = Math.max(highest, residentBytes(stack.switchyard.pid));
      await sleep(LOOK_MS);
    }
  })();
  const seen = await exchanges;
  await watched;
  return {
    exchanges: seen,
    growthBytes: highest - stack.quietBytes,
    elapsedMs: performance.now() - beganAt,
  };
}

/** How long the words of each way took that the neighbours have seen since they were asked the last time. */
export async function neighboursDelaysMs(
  stack: FloodStack,
): Promise<Partial<Readonly<Record<FloodWay, readonly number[]>>>> {
  const { delaysMs } = await stack.neighbours.ask<Delays>({ read: true } satisfies NeighbourOrder);
  return delaysMs;
}

/** Resident memory of a process (proc(5), VmRSS). */
function residentBytes(pid: number): number {
  const kibibytes = /^VmRSS:\s+(\d+) kB$/mu.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kibibytes) * 1_024;
}
