/** Lets floods loose on a stack with neighbours: what they come to, what they cost, and what the others notice. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { Companion } from '../../load-tests/companion.ts';
import type { Flooded, FloodOrder } from './evasions-flooder.ts';
import type { Flood, FloodSize } from './evasions-floods.ts';
import type { Delays, NeighbourOrder } from './evasions-neighbours.ts';
import { BARE_APP, GUARDED_APP, POLICY } from './evasions-table.ts';
import { type Envoy, type Switchyard, startEnvoy, startSwitchyard } from './harness.ts';
import { CONNECTION_MANAGER, EXT_AUTHZ_PER_ROUTE, EXT_PROC_PER_ROUTE } from './stance-envoy.ts';

const APP_HEADER = 'x-test-app';
/** By this header Envoy finds the provider of the neighbours. */
const NEIGHBOUR_HEADER = 'x-test-neighbour';

/** By this one it leaves Switchyard out. */
const PAST_HEADER = 'x-test-past';

/** Whether a flood is let past Switchyard, goes through it though no rule is for it, or is judged. */
export type FloodWay = 'past' | 'unjudged' | 'judged';

const WAY_HEADERS: Readonly<Record<FloodWay, Readonly<Record<string, string>>>> = {
  past: { [APP_HEADER]: BARE_APP, [PAST_HEADER]: 'yes' },
  unjudged: { [APP_HEADER]: BARE_APP },
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

/** Everybody in a process of his own, the neighbours' streams running. */
export async function startFloodStack(): Promise<FloodStack> {
  const flooder = companion('evasions-flooder.ts');
  const neighbours = companion('evasions-neighbours.ts');
  const [flooding, neighbouring] = await Promise.all([
    flooder.next<{ port: number }>(),
    neighbours.next<{ port: number }>(),
  ]);
  const switchyard = await startSwitchyard({ policies: { 'guard.yaml': POLICY }, config: CONFIG });
  const envoy = await startEnvoy({
    switchyard: [{ port: switchyard.grpcPort }],
    upstream: { port: flooding.port },
    concurrency: ENVOY_WORKERS,
    adapt: (document) => {
      const clusters = ['static_resources', 'clusters'];
      const list = document.toJS() as {
        static_resources: {
          clusters: { name: string; load_assignment: { cluster_name: string } }[];
        };
      };
      const own = list.static_resources.clusters.find((cluster) => cluster.name === 'llm');
      document.addIn(clusters, {
        ...own,
        name: 'neighbours',
        load_assignment: {
          cluster_name: 'neighbours',
          endpoints: [
            {
              lb_endpoints: [
                {
                  endpoint: {
                    address: {
                      socket_address: { address: '127.0.0.1', port_value: neighbouring.port },
                    },
                  },
                },
              ],
            },
          ],
        },
      });
      const routes = [...CONNECTION_MANAGER, 'route_config', 'virtual_hosts', 0, 'routes'];
      const all = (document.getIn(routes) as { items: unknown[] }).items;
      all.unshift(
        document.createNode({
          name: 'past',
          match: { prefix: '/', headers: [{ name: PAST_HEADER, present_match: true }] },
          route: { cluster: 'llm', timeout: '0s' },
          typed_per_filter_config: {
            'envoy.filters.http.ext_authz': { '@type': EXT_AUTHZ_PER_ROUTE, disabled: true },
            switchyard: { '@type': EXT_PROC_PER_ROUTE, disabled: true },
          },
        }),
        document.createNode({
          name: 'neighbours',
          match: { prefix: '/', headers: [{ name: NEIGHBOUR_HEADER, present_match: true }] },
          route: { cluster: 'neighbours', timeout: '0s' },
        }),
      );
    },
  });
  const headers = { [APP_HEADER]: GUARDED_APP, [NEIGHBOUR_HEADER]: 'yes' };
  await neighbours.ask({ port: envoy.port, headers } satisfies NeighbourOrder);
  return {
    envoy,
    switchyard,
    flooder,
    neighbours,
    quietBytes: residentBytes(switchyard.pid),
    stop: async () => {
      await envoy.stop();
      await neighbours.stop();
      await flooder.stop();
      await switchyard.stop();
    },
  };
}

const companion = (program: string): Companion =>
  new Companion(new URL(program, import.meta.url).href);

/**
 * Gives Switchyard the last processor, and everybody else the ones before it: what it makes the neighbours wait for is
 * then not that the attacker or Envoy was just running there. False where there is but one, or no `taskset`.
 */
export function setApart({ switchyard, envoy, flooder, neighbours }: FloodStack): boolean {
  const last = availableParallelism() - 1;
  if (last === 0) return false;
  const pin = (pid: number, processors: string): void => {
    execFileSync('taskset', ['-a', '-c', '-p', processors, String(pid)], { stdio: 'ignore' });
  };
  try {
    for (const { pid } of [envoy, flooder, neighbours]) pin(pid, `0-${last - 1}`);
    pin(switchyard.pid, String(last));
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

/** How long the words took that the neighbours have seen since they were asked the last time. */
export async function neighboursDelaysMs(stack: FloodStack): Promise<readonly number[]> {
  const { delaysMs } = await stack.neighbours.ask<Delays>({ read: true } satisfies NeighbourOrder);
  return delaysMs;
}

/** Resident memory of a process (proc(5), VmRSS). */
function residentBytes(pid: number): number {
  const kibibytes = /^VmRSS:\s+(\d+) kB$/mu.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kibibytes) * 1_024;
}
