/**
 * `npm run bench:latency`: what deciding adds at steady rates, by fortio through a real Envoy, beside the same
 * requests through the same Envoy that asks nobody. Loopback only; ends by itself within five minutes.
 *
 * `-- --seconds N` (10) of each slice, `--rounds N` (3), `--transport fast|grpc-js` (fast).
 */
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { ensureBuild } from '../setup/build.mjs';
import { type Envoy, type Switchyard, startEnvoy, startSwitchyard } from '../test/envoy/harness.ts';
import { Companion } from './companion.ts';
import { boundMs, decisionTimes } from './decision-times.ts';
import { type SteadyLoad, type SteadyResult, steadily } from './fortio.ts';
import { median } from './measures.ts';
import { SHAPES, type Shape } from './shapes.ts';
import { TENANTS, tenantDocuments } from './tenant-documents.ts';
import { envoyBenchConfig } from './transport/envoy-bench-config.ts';
import { HttpLoad } from './transport/http-load.ts';
import { ENVOY_EXCHANGES } from './transport/through-envoy.ts';
import { envoyAlone, shippedPolicies, throughSwitchyard } from './ways.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '10' },
    rounds: { type: 'string', default: '3' },
    transport: { type: 'string', default: 'fast' },
  },
});
const seconds = Number(values.seconds);
const rounds = Number(values.rounds);
const args = ['--transport', values.transport];
/** V8 compiles what it has seen often. */
const WARM_UP_SECONDS = 5;

/** Four tenants at once are four loads; their names are spread over all of them. */
const ASKING_TENANTS = 4;
const CHECKS_PER_SECOND = 5_000;
/** One connection at a time, slowly: nothing waits for anything else. */
const QUIET_CHECKS_PER_SECOND = 200;
/** A thousand a second of what gateways carry. */
const MIXED: readonly Pick<SteadyLoad, 'perSecond' | 'connections'>[] = [
  { perSecond: 600, connections: 8 },
  { perSecond: 300, connections: 8 },
  { perSecond: 100, connections: 8 },
];

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const ms = (value: number): string => `${value.toFixed(value < 1 ? 2 : 1)} ms`;
const row = (...cells: readonly string[]): void => say(`| ${cells.join(' | ')} |`);

const checks = (port: number, perSecond: number, tenants: number): SteadyLoad[] =>
  Array.from({ length: tenants }, (_, index) => ({
    name: 'check',
    url: `http://127.0.0.1:${port}${ENVOY_EXCHANGES.check.path}`,
    perSecond: perSecond / tenants,
    connections: tenants === 1 ? 1 : 8,
    headers: { 'x-tenant': `tenant-${(index * TENANTS) / tenants}` },
    body: '',
    status: ENVOY_EXCHANGES.check.status,
  }));

/** The middle of what the rounds said of one load. */
function middle(results: readonly SteadyResult[]): SteadyResult {
  const of = (get: (result: SteadyResult) => number): number => median(results.map(get));
  return {
    name: results[0]?.name ?? '',
    asked: results.reduce((sum, { asked }) => sum + asked, 0),
    perSecond: of(({ perSecond }) => perSecond),
    p50Ms: of(({ p50Ms }) => p50Ms),
    p90Ms: of(({ p90Ms }) => p90Ms),
    p99Ms: of(({ p99Ms }) => p99Ms),
  };
}

/** `cluster.switchyard.upstream_rq_time` since Envoy started: what it waited for each answer, at this share. */
async function envoyWaitedMs(envoy: Envoy, share: 50 | 99): Promise<number> {
  const url = `http://127.0.0.1:${envoy.adminPort}/stats?filter=cluster.switchyard.upstream_rq_time&format=json`;
  const { stats } = (await (await fetch(url)).json()) as {
    readonly stats: readonly {
      readonly histograms?: {
        readonly supported_quantiles: readonly number[];
        readonly computed_quantiles: readonly {
          readonly values: readonly { readonly cumulative: number | null }[];
        }[];
      };
    }[];
  };
  const told = stats.find(({ histograms }) => histograms !== undefined)?.histograms;
  const at = told?.supported_quantiles.indexOf(share) ?? -1;
  return told?.computed_quantiles[0]?.values[at]?.cumulative ?? Number.NaN;
}

/** A thousand rules of two hundred tenants, asked over a Unix socket of the same pod. */
async function samePod(): Promise<void> {
  const load = await HttpLoad.start(Object.values(ENVOY_EXCHANGES));
  const files = tenantDocuments(TENANTS);
  const switchyard = await startSwitchyard({
    policies: Object.fromEntries(files.map(({ path, text }) => [path, text])),
    config: 'facts:\n  tenant: [{ from: header, name: x-tenant, trusted: true }]\n',
    args,
  });
  const envoyOf = (): Promise<Envoy> =>
    startEnvoy({
      switchyard: [{ socketPath: switchyard.grpcSocket }],
      upstream: { port: load.upstreamPort },
      configuration: envoyBenchConfig(true),
    });
  try {
    const busy = await envoyOf();
    try {
      await steadily(checks(busy.port, CHECKS_PER_SECOND, ASKING_TENANTS), WARM_UP_SECONDS);
      await atRate(switchyard, busy);
    } finally {
      await busy.stop();
    }
    const quiet = await envoyOf();
    try {
      await atRest(quiet);
    } finally {
      await quiet.stop();
    }
  } finally {
    await switchyard.stop();
    await load.stop();
  }
}

async function atRate(switchyard: Switchyard, envoy: Envoy): Promise<void> {
  const before = await decisionTimes(switchyard);
  const results = await steadily(
    checks(envoy.port, CHECKS_PER_SECOND, ASKING_TENANTS),
    seconds * rounds,
  );
  const after = await decisionTimes(switchyard);
  const perSecond = results.reduce((sum, result) => sum + result.perSecond, 0);
  const p99Ms = Math.max(...results.map((result) => result.p99Ms));
  say(
    `Check over a Unix socket, ${perSecond.toFixed(0)} a second of ${CHECKS_PER_SECOND} asked for:`,
  );
  say(
    `p50, p99, p99.9 of deciding below ${[0.5, 0.99, 0.999].map((share) => ms(boundMs(before, after, share))).join(', ')} (the histogram's bounds); whole requests p99 ${ms(p99Ms)}\n`,
  );
}

async function atRest(envoy: Envoy): Promise<void> {
  const [result] = await steadily(checks(envoy.port, QUIET_CHECKS_PER_SECOND, 1), seconds);
  // Envoy merges its histograms every five seconds.
  await new Promise((resolve) => setTimeout(resolve, 6_000));
  say(
    `Check over a Unix socket, ${result?.perSecond.toFixed(0)} a second, one at a time: Envoy waited p50 ${ms(await envoyWaitedMs(envoy, 50))}, p99 ${ms(await envoyWaitedMs(envoy, 99))} (\`upstream_rq_time\`); whole requests p50 ${ms(result?.p50Ms ?? Number.NaN)}, p99 ${ms(result?.p99Ms ?? Number.NaN)}\n`,
  );
}

const mixed = (port: number): SteadyLoad[] =>
  MIXED.map((rate, index) => {
    const { name, path, body, status } = SHAPES[index] as Shape;
    return {
      ...rate,
      ...{ name, url: `http://127.0.0.1:${port}${path}`, status },
      ...(body !== '' && { body }),
    };
  });

/** The shipped policies on a thousand requests a second of all shapes, and the same Envoy asking nobody. */
async function mixedTraffic(): Promise<void> {
  const upstream = new Companion('upstream.ts');
  const { port } = await upstream.next<{ port: number }>();
  const alone = await envoyAlone(port);
  const through = await throughSwitchyard(port, {
    name: 'shipped policies',
    policies: await shippedPolicies(),
    args,
  });
  try {
    for (const way of [alone, through]) await steadily(mixed(way.port), WARM_UP_SECONDS);
    const seen = new Map([alone, through].map((way) => [way, [] as (readonly SteadyResult[])[]]));
    for (let round = 0; round < rounds; round++)
      for (const way of [alone, through])
        seen.get(way)?.push(await steadily(mixed(way.port), seconds));
    row('exchange', 'through', 'a second', 'p50', 'p90', 'p99');
    row(...Array.from({ length: 6 }, () => '---'));
    for (const index of MIXED.keys())
      for (const [{ name: wayName }, results] of seen) {
        const { name, perSecond, p50Ms, p90Ms, p99Ms } = middle(
          results.map((round) => round[index] as SteadyResult),
        );
        row(name, wayName, perSecond.toFixed(0), ms(p50Ms), ms(p90Ms), ms(p99Ms));
      }
  } finally {
    await through.stop();
    await alone.stop();
    await upstream.stop();
  }
}

await ensureBuild();
process.env.SWITCHYARD_BUILT = '1';
say(`load ${loadavg()[0]?.toFixed(1)}, transport ${values.transport}\n`);
await samePod();
await mixedTraffic();
say(`\nload ${loadavg()[0]?.toFixed(1)}`);
