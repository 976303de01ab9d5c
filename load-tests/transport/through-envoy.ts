/** Server CPU and latency through a real Envoy, one for each server, by turns. */
import { type Envoy, startEnvoy } from '../../test/envoy/harness.ts';
import { ENVOY_PATHS, type EnvoyCase, envoyBenchConfig } from './envoy-bench-config.ts';
import { FROZEN_TENANT } from './equal-rule.ts';
import { document, type HttpExchange, HttpLoad } from './http-load.ts';
import { type Rounds, takeRounds } from './rounds.ts';
import type { BenchServer, ServerName, Servers } from './servers.ts';
import { threadTimeNs } from './thread-time.ts';

const SLICE_MS = 400;
/** As in `direct.ts`: a server is warm by the time that it had of the processor. */
const WARM_UP_CPU_MS = 1_000;
const WARM_UP_SLICE_MS = 500;
const WARM_UP_MS_MAX = 8_000;
export const ENVOY_CONNECTIONS = [32, 1] as const;

const NOTHING = { body: '', status: 204, answer: '', answerType: '' } as const;
const DOCUMENT = { status: 200, answerType: 'application/json' } as const;

export const ENVOY_EXCHANGES: Readonly<Record<EnvoyCase, HttpExchange>> = {
  alone: { name: 'alone', method: 'GET', path: ENVOY_PATHS.alone, ...NOTHING },
  headers: { name: 'headers', method: 'GET', path: ENVOY_PATHS.headers, ...NOTHING },
  check: {
    name: 'check',
    method: 'POST',
    path: ENVOY_PATHS.check,
    headers: { 'x-tenant': 'acme' },
    ...NOTHING,
  },
  json: {
    name: 'json',
    method: 'POST',
    path: ENVOY_PATHS.json,
    body: document(),
    answer: document(),
    ...DOCUMENT,
  },
  duplex: {
    name: 'duplex',
    method: 'POST',
    path: ENVOY_PATHS.duplex,
    body: document(),
    answer: document(),
    ...DOCUMENT,
  },
};

/** The request that the rule refuses: proof that a server which has it judges. */
const FROZEN: HttpExchange = {
  ...ENVOY_EXCHANGES.check,
  name: 'frozen',
  headers: { 'x-tenant': FROZEN_TENANT },
};

interface Slice {
  readonly cpuUs: number;
  readonly p50Us: number;
  readonly p99Us: number;
}

export interface EnvoyResult {
  readonly of: EnvoyCase;
  readonly connections: number;
  readonly cpuUs: Rounds<ServerName>;
  readonly p50Us: Rounds<ServerName>;
  readonly p99Us: Rounds<ServerName>;
  /** The same requests through the same Envoys, asking nobody. */
  readonly alone: { readonly p50Us: Rounds<ServerName>; readonly p99Us: Rounds<ServerName> };
}

/** What is asked of whom: OPA only checks, and who has its rule is compared with it there. */
function takesPart(name: ServerName, of: EnvoyCase): boolean {
  if (of !== 'check') return name !== 'opa' && !name.endsWith('Equal');
  return true;
}

export async function measureThroughEnvoy(
  servers: Servers,
  rounds: number,
): Promise<readonly EnvoyResult[]> {
  const load = await HttpLoad.start([...Object.values(ENVOY_EXCHANGES), FROZEN]);
  const envoys = new Map<ServerName, Envoy>();
  try {
    for (const [name, { port }] of servers)
      envoys.set(
        name,
        await startEnvoy({
          switchyard: [{ port }],
          upstream: { port: load.upstreamPort },
          configuration: envoyBenchConfig(true),
        }),
      );
    await prove(load, envoys);
    const results: EnvoyResult[] = [];
    for (const connections of ENVOY_CONNECTIONS)
      for (const of of ['headers', 'check', 'json'] as const)
        results.push(await measure(load, servers, envoys, of, connections, rounds));
    return results;
  } finally {
    for (const envoy of envoys.values()) await envoy.stop();
    await load.stop();
  }
}

/** Those with the rule refuse by it; all others let the same request pass. */
async function prove(load: HttpLoad, envoys: ReadonlyMap<ServerName, Envoy>): Promise<void> {
  for (const [name, { port }] of envoys) {
    const { failed, firstStatus } = await load.count(port, FROZEN, 1, 1);
    const refuses = name === 'opa' || name.endsWith('Equal');
    if (refuses ? firstStatus !== 403 : failed > 0)
      throw new Error(
        `${name} answers ${firstStatus} to what ${refuses ? 'is' : 'is not'} refused`,
      );
  }
}

async function measure(
  load: HttpLoad,
  servers: Servers,
  envoys: ReadonlyMap<ServerName, Envoy>,
  of: EnvoyCase,
  connections: number,
  rounds: number,
): Promise<EnvoyResult> {
  const names = [...servers.keys()].filter((name) => takesPart(name, of));
  const portOf = (name: ServerName): number => envoys.get(name)?.port ?? 0;
  for (const name of names) {
    await load.run(portOf(name), ENVOY_EXCHANGES.alone, connections, WARM_UP_SLICE_MS);
    const spentNs = (): number => threadTimeNs(servers.get(name)?.pid ?? 0);
    const before = spentNs();
    const beganAt = performance.now();
    do await load.run(portOf(name), ENVOY_EXCHANGES[of], connections, WARM_UP_SLICE_MS);
    while (
      (spentNs() - before) / 1e6 < WARM_UP_CPU_MS &&
      performance.now() - beganAt < WARM_UP_MS_MAX
    );
  }
  const slice = async (name: ServerName): Promise<{ asked: Slice; alone: Slice }> => ({
    alone: await one(load, portOf(name), undefined, ENVOY_EXCHANGES.alone, connections),
    asked: await one(load, portOf(name), servers.get(name), ENVOY_EXCHANGES[of], connections),
  });
  const taken = await takeRounds(names, rounds, slice);
  const figures = (get: (slice: { asked: Slice; alone: Slice }) => number): Rounds<ServerName> =>
    new Map([...taken].map(([name, slices]) => [name, slices.map(get)]));
  return {
    of,
    connections,
    cpuUs: figures(({ asked }) => asked.cpuUs),
    p50Us: figures(({ asked }) => asked.p50Us),
    p99Us: figures(({ asked }) => asked.p99Us),
    alone: {
      p50Us: figures(({ alone }) => alone.p50Us),
      p99Us: figures(({ alone }) => alone.p99Us),
    },
  };
}

async function one(
  load: HttpLoad,
  port: number,
  server: BenchServer | undefined,
  exchange: HttpExchange,
  connections: number,
): Promise<Slice> {
  const before = server === undefined ? 0 : threadTimeNs(server.pid);
  const sent = await load.run(port, exchange, connections, SLICE_MS);
  const spentNs = server === undefined ? 0 : threadTimeNs(server.pid) - before;
  if (sent.failed > 0)
    throw new Error(`${sent.failed} requests failed (${exchange.name}: ${sent.firstStatus})`);
  return {
    cpuUs: spentNs / 1_000 / sent.exchanges,
    p50Us: sent.wholeP50Ns / 1_000,
    p99Us: sent.wholeP99Ns / 1_000,
  };
}
