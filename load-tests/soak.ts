/**
 * `npm run soak`: exchanges by the hundred thousand through a real Envoy and the whole of Switchyard, in BUFFERED and
 * in FULL_DUPLEX_STREAMED, with streams that Envoy half-closes and such that it resets. None may fail, and Envoy may
 * call no reply spurious; it exits with 1 otherwise. Envoy has none of the shipped cures here (retries, few requests
 * per connection).
 *
 * `-- --exchanges N` in all (1,000,000), `--connections N` (32), `--transport fast|grpc-js`, `--only` parts of a
 * row's name. It ends by itself; a million take some ten minutes on two cores that are shared with nobody.
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { ensureBuild } from '../setup/build.mjs';
import { type Envoy, startEnvoy, startSwitchyard } from '../test/envoy/harness.ts';
import { type EnvoyCase, envoyBenchConfig } from './transport/envoy-bench-config.ts';
import { HttpLoad } from './transport/http-load.ts';
import { ENVOY_EXCHANGES } from './transport/through-envoy.ts';
import { NOTHING_APPLIES } from './ways.ts';

const { values } = parseArgs({
  options: {
    exchanges: { type: 'string', default: '1000000' },
    connections: { type: 'string', default: '32' },
    transport: { type: 'string', default: 'fast' },
    only: { type: 'string', default: '' },
  },
});

interface Row {
  readonly title: string;
  readonly exchange: EnvoyCase;
  readonly graceful: boolean;
}

const ROWS = (['json', 'duplex'] as const)
  .flatMap((exchange): Row[] =>
    [true, false].map((graceful) => ({
      title: `${exchange === 'json' ? 'BUFFERED' : 'FULL_DUPLEX_STREAMED'}, ${graceful ? 'half-closed' : 'reset'}`,
      exchange,
      graceful,
    })),
  )
  .filter(({ title }) => title.includes(values.only));

/** One question to the client: after each the memory is looked at. */
const PART = 10_000;
/** What Envoy counts of ext_proc that must stay at nothing. */
const BAD =
  /ext_proc\..*(spurious_msgs_received|streams_failed|failure_mode_allowed|message_timeouts|rejected_header_mutations)$/;
const SPURIOUS = /spurious_msgs_received$/;
const RESETS =
  /^cluster\.switchyard\.http2\.(rx_reset|tx_reset)$|^cluster\.switchyard\.upstream_cx_close_notify$/;

function residentMb(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? Number.NaN) / 1_024;
}

const sum = (stats: ReadonlyMap<string, number>): number =>
  [...stats.values()].reduce((all, value) => all + value, 0);

async function started(envoy: Envoy): Promise<number> {
  return (await envoy.stats(/ext_proc\..*streams_started$/)).values().next().value ?? 0;
}

/** Whether nothing went wrong. */
async function soak(row: Row, exchanges: number, connections: number): Promise<boolean> {
  const switchyard = await startSwitchyard({
    policies: NOTHING_APPLIES,
    args: ['--transport', values.transport],
  });
  const load = await HttpLoad.start(Object.values(ENVOY_EXCHANGES));
  const envoy = await startEnvoy({
    switchyard: [{ port: switchyard.grpcPort }],
    upstream: { port: load.upstreamPort },
    configuration: envoyBenchConfig(row.graceful),
  });
  try {
    let [finished, failed, firstStatus, elapsedNs] = [0, 0, 0, 0];
    const residents: number[] = [];
    while (finished + failed < exchanges) {
      const part = Math.min(PART, exchanges - finished - failed);
      const sent = await load.count(envoy.port, ENVOY_EXCHANGES[row.exchange], connections, part);
      if (failed === 0) firstStatus = sent.firstStatus;
      finished += sent.exchanges;
      failed += sent.failed;
      elapsedNs += sent.elapsedNs;
      residents.push(residentMb(switchyard.pid));
    }
    const bad = await envoy.stats(BAD);
    const spurious = sum(new Map([...bad].filter(([name]) => SPURIOUS.test(name))));
    const streams = await started(envoy);
    const resets = [...(await envoy.stats(RESETS))].map(
      ([name, value]) => `${name.split('.').at(-1)} ${value}`,
    );
    const quarter = residents[Math.floor(residents.length / 4)] ?? Number.NaN;
    const line = [
      `${finished} finished, ${failed} failed${failed > 0 ? ` (first: ${firstStatus})` : ''}`,
      `${streams} streams of ext_proc, ${sum(bad) - spurious} failed, ${spurious} spurious messages`,
      resets.join(', '),
      `${Math.round((finished * 1e9) / elapsedNs)}/s`,
      `resident ${quarter.toFixed(0)} MB after a quarter, ${(residents.at(-1) ?? Number.NaN).toFixed(0)} MB at the end`,
    ];
    process.stdout.write(`${row.title}: ${line.join('; ')}\n`);
    // Each exchange was a stream of its own: else nobody was asked.
    return failed === 0 && sum(bad) === 0 && streams === finished;
  } finally {
    await envoy.stop();
    await switchyard.stop();
    await load.stop();
  }
}

await ensureBuild();
process.env.SWITCHYARD_BUILT = '1';
const each = Math.ceil(Number(values.exchanges) / ROWS.length);
let good = ROWS.length > 0;
for (const row of ROWS) good = (await soak(row, each, Number(values.connections))) && good;
process.exitCode = good ? 0 : 1;
