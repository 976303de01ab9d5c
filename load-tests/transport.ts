/**
 * `npm run bench:transport`: what an exchange costs us beside servers of other makes, by turns in one run. Builds
 * what is missing, uses the loopback only, and writes the table and the picture of `docs/performance.md`.
 *
 * `-- --rounds N` (12), `--streams N` (10,000 that rest), `--seconds N` (60 of load beside a process that does
 * nothing), `--only direct,envoy,memory,stalls`, `--no-write` to print only.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { arch, cpus, loadavg, release } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { projectDirectory } from '../demo/project.ts';
import { ensureBuild } from '../setup/build.mjs';
import { ENVOY_VERSION } from '../setup/envoy.mjs';
import { DIRECT_LOADS, type DirectResult, measureDirect } from './transport/direct.ts';
import { ExchangeClient } from './transport/exchange-client.ts';
import { picture } from './transport/picture.ts';
import {
  directTable,
  envoyTable,
  goalsTable,
  type Results,
  restingTable,
} from './transport/report.ts';
import { type KeptMemory, keptMemory, longestStalls, type Stalls } from './transport/resting.ts';
import { OUR_TRANSPORTS, type ServerName, startServers, stopServers } from './transport/servers.ts';
import { type EnvoyResult, measureThroughEnvoy } from './transport/through-envoy.ts';

const PAGE = join(projectDirectory, 'docs', 'performance.md');
const PICTURE = join(projectDirectory, 'docs', 'performance-transport.svg');
const BEGIN = '<!-- bench:transport begin -->';
const END = '<!-- bench:transport end -->';

const DIRECT: readonly ServerName[] = [
  ...(['c', 'cpp', 'grpcjs', 'http2', 'http2Observed'] as const),
  ...(['grpcjsNothing', 'http2Nothing', 'grpcjsShipped', 'http2Shipped'] as const),
];
const ENVOY: readonly ServerName[] = [
  ...(['c', 'grpcjs', 'http2', 'grpcjsEqual', 'http2Equal', 'opa'] as const),
];

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '12' },
    streams: { type: 'string', default: '10000' },
    seconds: { type: 'string', default: '60' },
    only: { type: 'string', default: 'direct,envoy,memory,stalls' },
    'no-write': { type: 'boolean', default: false },
  },
});
const parts = new Set(values.only.split(','));
const rounds = Number(values.rounds);

/** What ran, under which load; no name of a machine. */
function circumstances(loads: readonly number[]): string {
  const processor = cpus()[0]?.model ?? 'unknown processor';
  const load = loads.map((value) => value.toFixed(0)).join(' to ');
  return (
    `\`npm run bench:transport\`, ${new Date().toISOString().slice(0, 10)}, ${cpus().length} × ${processor} (${arch()}), ` +
    `Linux ${release().split('-')[0]}, Node ${process.versions.node}, Envoy ${ENVOY_VERSION}, ` +
    `${rounds} rounds, load ${load}.`
  );
}

function writePage(text: string): void {
  const page = readFileSync(PAGE, 'utf8');
  const [before, rest] = page.split(BEGIN);
  const after = rest?.split(END)[1];
  if (before === undefined || after === undefined)
    throw new Error('docs/performance.md has lost the marks of this bench');
  writeFileSync(PAGE, `${before}${BEGIN}\n\n${text}\n${END}${after}`);
}

async function directly(): Promise<readonly DirectResult[]> {
  if (!parts.has('direct')) return [];
  const client = await ExchangeClient.start();
  const servers = await startServers(DIRECT);
  try {
    return await measureDirect(client, servers, DIRECT_LOADS, rounds);
  } finally {
    await stopServers(servers);
    await client.stop();
  }
}

async function throughEnvoy(): Promise<readonly EnvoyResult[]> {
  if (!parts.has('envoy')) return [];
  const servers = await startServers(ENVOY);
  try {
    return await measureThroughEnvoy(servers, rounds);
  } finally {
    await stopServers(servers);
  }
}

async function resting(): Promise<Pick<Results, 'memory' | 'stalls'>> {
  const memory = new Map<string, KeptMemory>();
  const stalls = new Map<string, Stalls>();
  const client = await ExchangeClient.start();
  try {
    for (const transport of OUR_TRANSPORTS) {
      if (parts.has('memory'))
        memory.set(transport, await keptMemory(client, transport, Number(values.streams)));
      if (parts.has('stalls'))
        stalls.set(transport, await longestStalls(client, transport, Number(values.seconds)));
    }
  } finally {
    await client.stop();
  }
  return { memory, stalls };
}

// What is measured is what is shipped; the harness asks this variable.
await ensureBuild();
process.env.SWITCHYARD_BUILT = '1';
const loadBefore = loadavg()[0] ?? 0;
const said = <Part>(part: Part, shown: string): Part => {
  process.stderr.write(`${shown}\n\n`);
  return part;
};
const direct = await directly().then((part) => said(part, directTable(part)));
const envoy = await throughEnvoy().then((part) => said(part, envoyTable(part)));
const results: Results = { direct, envoy, ...(await resting()) };
const text = [
  circumstances([loadBefore, loadavg()[0] ?? 0]),
  goalsTable(results),
  directTable(results.direct),
  envoyTable(results.envoy),
  restingTable(results),
]
  .filter((part) => part !== '')
  .join('\n\n');
process.stdout.write(`${text}\n`);
if (!values['no-write']) {
  writePage(`${text}\n`);
  if (results.direct.length > 0) writeFileSync(PICTURE, picture(results.direct));
}
