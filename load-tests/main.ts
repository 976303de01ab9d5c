/**
 * `npm run bench`: what Switchyard costs behind a real Envoy, as ratios to that Envoy alone, measured in
 * turns within one run. Loopback only; ends by itself within 90 s.
 *
 * `-- --profile FILE` also writes a CPU profile of the server with the shipped policies (with it the ratios
 * are worse). `-- --against MAIN` runs another build beside this one, with the same policies: a copy of `dist`
 * inside the project, given as its `src/main.js`.
 */
import { parseArgs } from 'node:util';
import { ensureBuild } from '../setup/build.mjs';
import type { Order, Seen } from './client.ts';
import { Companion } from './companion.ts';
import { type Measured, quantile } from './measures.ts';
import { processTimeMs } from './process-time.ts';
import { report } from './report.ts';
import { FORBIDDEN, SHAPES, type Shape } from './shapes.ts';
import {
  envoyAlone,
  NOTHING_APPLIES,
  shippedPolicies,
  throughSwitchyard,
  type Way,
} from './ways.ts';

/** Latency is taken with few requests at once: with many it is the queue that is measured. */
const LATENCY: Pick<Order, 'lanes' | 'durationMs'> = { lanes: 1, durationMs: 400 };
const THROUGHPUT: Pick<Order, 'lanes' | 'durationMs'> = { lanes: 16, durationMs: 600 };
/** V8 compiles what it has seen often: without this the first rounds measure its interpreter. */
const WARM_UP: Pick<Order, 'lanes' | 'durationMs'> = { lanes: 16, durationMs: 2_500 };
const WARM_UP_ENVOY: Pick<Order, 'lanes' | 'durationMs'> = { lanes: 16, durationMs: 500 };
const ROUNDS_MAX = 6;
/** No round begins later than this after the start. */
const LAST_ROUND_AT_MS = 65_000;

function shuffled<T>(values: readonly T[]): T[] {
  return values
    .map((value) => ({ value, place: Math.random() }))
    .sort((a, b) => a.place - b.place)
    .map(({ value }) => value);
}

async function pass(client: Companion, order: Order): Promise<Seen> {
  const seen = await client.ask<Seen>(order);
  if (seen.failed > 0)
    throw new Error(`${seen.failed} exchanges failed (${order.shape.name}): ${seen.firstFailure}`);
  return seen;
}

async function slice(client: Companion, way: Way, shape: Shape): Promise<Measured> {
  const { port, envoyPid, switchyardPid } = way;
  const { latenciesMs } = await pass(client, { port, shape, ...LATENCY });
  const spent = (): readonly [number, number] => [
    processTimeMs(envoyPid),
    switchyardPid === undefined ? 0 : processTimeMs(switchyardPid),
  ];
  const [envoyBefore, switchyardBefore] = spent();
  const loaded = await pass(client, { port, shape, ...THROUGHPUT });
  const [envoyAfter, switchyardAfter] = spent();
  const exchanges = loaded.latenciesMs.length;
  return {
    p50Ms: quantile(latenciesMs, 0.5),
    p99Ms: quantile(latenciesMs, 0.99),
    perSecond: (exchanges * 1_000) / loaded.elapsedMs,
    envoyCpuMs: envoyAfter - envoyBefore,
    switchyardCpuMs: switchyardAfter - switchyardBefore,
    exchanges,
  };
}

/** That each way does what its name says: only the shipped policies refuse. */
async function prove(client: Companion, ways: readonly Way[]): Promise<void> {
  for (const way of ways) {
    const order = { port: way.port, shape: FORBIDDEN, lanes: 1, durationMs: 0 };
    const { failed } = await client.ask<Seen>(order);
    if (failed > 0 !== way.refuses)
      throw new Error(`${way.name} ${failed > 0 ? 'refuses' : 'passes'} what it should not`);
  }
}

interface Choices {
  readonly profile?: string | undefined;
  readonly against?: string | undefined;
}

async function measure({ profile, against }: Choices): Promise<void> {
  const beganAt = performance.now();
  const endings: (() => Promise<void>)[] = [];
  const owned = <T extends { stop(): Promise<void> }>(value: T): T => {
    endings.push(() => value.stop());
    return value;
  };
  try {
    const upstream = owned(new Companion('upstream.ts'));
    const { port } = await upstream.next<{ port: number }>();
    const client = owned(new Companion('client.ts'));
    const alone = owned(await envoyAlone(port));
    const asking = owned(
      await throughSwitchyard(port, { name: 'no rule applies', policies: NOTHING_APPLIES }),
    );
    const shipped = owned(
      await throughSwitchyard(port, {
        name: 'shipped policies',
        policies: await shippedPolicies(),
        ...(profile !== undefined && {
          program: new URL('profiled.ts', import.meta.url).pathname,
          env: { LOAD_TEST_PROFILE: profile },
        }),
      }),
    );
    const ways = [alone, asking, shipped];
    if (against !== undefined) {
      const policies = await shippedPolicies();
      ways.push(
        owned(await throughSwitchyard(port, { name: 'other build', policies, program: against })),
      );
    }
    await prove(client, ways);
    for (const shape of SHAPES)
      for (const way of ways) {
        const order = way === alone ? WARM_UP_ENVOY : WARM_UP;
        await pass(client, { port: way.port, shape, ...order });
      }
    const slices = new Map<Shape, Map<Way, Measured[]>>(
      SHAPES.map((shape) => [shape, new Map(ways.map((way) => [way, []]))]),
    );
    for (let round = 0; round < ROUNDS_MAX; round++) {
      if (performance.now() - beganAt > LAST_ROUND_AT_MS) break;
      for (const shape of shuffled(SHAPES))
        for (const way of shuffled(ways))
          slices
            .get(shape)
            ?.get(way)
            ?.push(await slice(client, way, shape));
    }
    process.stdout.write(report(slices, alone));
  } finally {
    for (const end of endings.reverse()) await end();
  }
}

// What is measured is what is shipped; the harness asks this variable.
await ensureBuild();
process.env.SWITCHYARD_BUILT = '1';
const { values } = parseArgs({
  options: { profile: { type: 'string' }, against: { type: 'string' } },
});
await measure(values);
