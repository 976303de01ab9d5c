/**
 * What the words of other streams wait for beside a flood, in processor time of the thread that serves:
 * `node --import tsx load-tests/fairness.ts [part of a flood's name] [ms] [rounds]`. The attacks by amount go through protocol and engine of
 * this process (`flooding.ts`); eight neighbours say a word every 16 ms of processor time, and a word's delay is
 * the processor time from when it was due until it has left. So what else the machine does counts for little, and the
 * attacker's own work, Envoy and gRPC for nothing: what is left is what Switchyard makes its streams wait for. Looks at a
 * quiet process and at one with a flood take turns; the ratio is of the 99th of 100 words of all rounds.
 */
import { openSync, readSync } from 'node:fs';
import { PerformanceObserver, performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { DEFAULT_LIMITS } from '../src/engine/limits.ts';
import { FLOODS, type Flood, NEIGHBOURS } from '../test/envoy/evasions-floods.ts';
import { Lane, Neighbour, PAUSE_MS, poll } from './flooding.ts';
import { engineDeps, realClock, shippedPolicies } from './in-process.ts';
import { quantile } from './measures.ts';

const [wanted = '', lookMs = 1_500, rounds = 3] = process.argv
  .slice(2)
  .map((value, index) => (index === 0 ? value : Number(value))) as [string?, number?, number?];
const WARM_MS = 800;
/** What the attacker has already begun when the neighbours are looked at. */
const TURNS_BEFORE = 200;
/** Turns that are longer are told of. */
const LONG_MS = 1;

const ownTime = openSync(`/proc/self/task/${process.pid}/schedstat`, 'r');
const ownTimeText = Buffer.alloc(64);

/** Processor time of this thread, to the microsecond: asking for the process' own brings the kernel's counter up to date. */
function processorMs(): number {
  process.cpuUsage();
  readSync(ownTime, ownTimeText, 0, ownTimeText.length, 0);
  return Number(ownTimeText.toString('latin1', 0, ownTimeText.indexOf(' '))) / 1e6;
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

interface Turn {
  readonly beganMs: number;
  readonly endedMs: number;
  readonly processorMs: number;
}

interface Look {
  readonly delaysMs: readonly number[];
  readonly turns: readonly Turn[];
  readonly bytes: number;
}

/** When garbage was collected, in the time of `performance.now()`. */
const collections: number[] = [];
new PerformanceObserver((list) => {
  for (const { startTime } of list.getEntries()) collections.push(startTime);
}).observe({ entryTypes: ['gc'] });

async function look(flood: Flood | undefined, forMs: number): Promise<Look> {
  const deps = engineDeps(set, realClock, { heldBytesTotalMax: DEFAULT_LIMITS.heldBytesTotalMax });
  // They were there before.
  const neighbours = Array.from({ length: NEIGHBOURS }, () => new Neighbour(deps, processorMs));
  for (let turns = 0; turns < NEIGHBOURS; turns++) await turn();
  const lanes = Array.from(
    { length: flood?.atOnce ?? 0 },
    () => new Lane(flood!, deps, processorMs),
  );
  for (let turns = 0; turns < TURNS_BEFORE; turns++) {
    poll(lanes, turns);
    await turn();
  }
  const turns: Turn[] = [];
  let bytes = 0;
  let lastMs = processorMs();
  let beganMs = performance.now();
  const untilMs = lastMs + forMs;
  for (const [index, neighbour] of neighbours.entries())
    neighbour.begin(lastMs + (index * PAUSE_MS) / NEIGHBOURS);
  for (let count = 0; lastMs < untilMs; count++) {
    bytes += poll(lanes, count);
    for (const neighbour of neighbours) neighbour.speak();
    await turn();
    const nowMs = processorMs();
    const endedMs = performance.now();
    turns.push({ beganMs, endedMs, processorMs: nowMs - lastMs });
    lastMs = nowMs;
    beganMs = endedMs;
  }
  for (const stream of [...lanes, ...neighbours]) stream.close();
  // What was collected is told of later.
  await sleep(20);
  return { delaysMs: neighbours.flatMap(({ delaysMs }) => delaysMs), turns, bytes };
}

const collects = ({ beganMs, endedMs }: Turn): boolean =>
  collections.some((atMs) => atMs >= beganMs && atMs < endedMs);

async function beside(flood: Flood): Promise<void> {
  const quiet: number[] = [];
  const delays: number[] = [];
  const long: { readonly ms: number; readonly collecting: boolean }[] = [];
  let bytes = 0;
  await look(flood, WARM_MS);
  for (let round = 0; round < rounds; round++) {
    quiet.push(...(await look(undefined, lookMs / rounds)).delaysMs);
    collections.length = 0;
    const seen = await look(flood, lookMs / rounds);
    delays.push(...seen.delaysMs);
    bytes += seen.bytes;
    for (const one of seen.turns)
      if (one.processorMs > LONG_MS) long.push({ ms: one.processorMs, collecting: collects(one) });
  }
  const longest = (collecting: boolean): string => {
    const all = long.filter((one) => one.collecting === collecting).map(({ ms }) => ms);
    const at = (share: number): string =>
      all.length === 0 ? '–' : quantile(all, share).toFixed(1);
    return `${all.length}, half ${at(0.5)}, longest ${at(1)}`;
  };
  const at = (all: readonly number[], share: number): string =>
    quantile(all, share).toFixed(2).padStart(6);
  const ratio = (quantile(delays, 0.99) / quantile(quiet, 0.99)).toFixed(1);
  process.stdout.write(
    `${flood.id.padEnd(18)} quiet p50 ${at(quiet, 0.5)} p99 ${at(quiet, 0.99)}  beside it p50 ${at(delays, 0.5)} p90 ${at(delays, 0.9)} p99 ${at(delays, 0.99)} ms, ${ratio.padStart(4)} times; turns above ${LONG_MS} ms: ${longest(false)} ms; collecting garbage: ${longest(true)} ms; ${((bytes / 1e6 / lookMs) * 1e3).toFixed(0)} MB/s\n`,
  );
}

const set = shippedPolicies();
await look(undefined, WARM_MS);
for (const flood of FLOODS) if (flood.id.includes(wanted)) await beside(flood);
process.exit(0);
