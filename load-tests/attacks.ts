/**
 * `npm run attacks`: what somebody who behaves waits for while the fast transport is attacked in every way that
 * docs/adr/0009 names. The whole of Switchyard in a process of its own, with its default limits; an attacker in
 * another, of the lowest priority, who comes back as often as he is thrown out; a caller of grpc-js in this one, who
 * begins an exchange every few ms however long the others take.
 *
 * Quiet stretches, the attack on a second Switchyard that nobody else asks (what its bytes cost the machine in any
 * case), and the attack on the one that is asked take turns in each round, in random order.
 *
 * `-- [--only part of a name] [--rounds N] [--ms N]`.
 */
import { readFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { ensureBuild } from '../setup/build.mjs';
import { type Switchyard, startSwitchyard } from '../test/envoy/harness.ts';
import { ATTACKS, type Attack } from '../test/transport/http2/attacks.ts';
import { Neighbour } from '../test/transport/http2/neighbour.ts';
import type { Attacked, AttackOrder } from './attacks/attacker.ts';
import { Companion } from './companion.ts';
import { quantile } from './measures.ts';
import { processTimeMs } from './process-time.ts';
import { takeRounds } from './transport/rounds.ts';

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    rounds: { type: 'string', default: '4' },
    ms: { type: 'string', default: '2000' },
  },
});
const LOOK_MS = Number(values.ms);
/** Between two exchanges of the neighbour that begin. */
const EVERY_MS = 4;
/** The attack is under way by then, or what it left is gone. */
const SETTLE_MS = 400;
const WARM_EXCHANGES = 2_000;
const MIB = 1024 * 1024;

type Figure = 'tookMs' | 'workedMs';
type Way = 'quiet' | 'elsewhere' | 'attacked';

interface Look {
  readonly tookMs: readonly number[];
  /** What the thread that serves worked meanwhile, which other work on the machine does not change. */
  readonly workedMs: readonly number[];
  readonly failures: readonly string[];
  /** Processor time by time passed. */
  readonly serverShare: number;
  readonly attackerShare: number;
  readonly peakBytes: number;
  readonly attacked: Attacked | undefined;
}

function residentBytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/mu.exec(status)?.[1]) * 1024;
}

/** By the scheduler's own account of the main thread, which is at most a tick behind. */
function workedMsOf(pid: number): number {
  const account = readFileSync(`/proc/${pid}/task/${pid}/schedstat`, 'utf8');
  return Number(account.split(' ')[0]) / 1e6;
}

/** Exchanges that begin every few ms; how long each took. */
async function ask(neighbour: Neighbour, pid: number) {
  const [tookMs, workedMs, failures]: [number[], number[], string[]] = [[], [], []];
  const running: Promise<void>[] = [];
  const beganAt = performance.now();
  let peakBytes = 0;
  for (let due = beganAt; due < beganAt + LOOK_MS; due += EVERY_MS) {
    await sleep(Math.max(0, due - performance.now()));
    if (running.length % 25 === 0) peakBytes = Math.max(peakBytes, residentBytes(pid));
    const [begun, worked] = [performance.now(), workedMsOf(pid)];
    running.push(
      neighbour.exchange().then((failure) => {
        tookMs.push(performance.now() - begun);
        workedMs.push(workedMsOf(pid) - worked);
        if (failure !== undefined) failures.push(failure);
      }),
    );
  }
  await Promise.all(running);
  return { tookMs, workedMs, failures, peakBytes };
}

class Field {
  readonly #asked: Switchyard;
  readonly #other: Switchyard;
  readonly #attacker: Companion;
  readonly #neighbour: Neighbour;

  constructor(asked: Switchyard, other: Switchyard, attacker: Companion, neighbour: Neighbour) {
    this.#asked = asked;
    this.#other = other;
    this.#attacker = attacker;
    this.#neighbour = neighbour;
  }

  async look(row: Attack, way: Way): Promise<Look> {
    const target = way === 'elsewhere' ? this.#other : this.#asked;
    if (way !== 'quiet')
      this.#attacker.tell({
        ...{ kind: 'begin', attack: row.name },
        address: `127.0.0.1:${target.grpcPort}`,
      } satisfies AttackOrder);
    await sleep(SETTLE_MS);
    const pids = [this.#asked.pid, this.#attacker.pid];
    const before = pids.map(processTimeMs);
    const beganAt = performance.now();
    const asked = await ask(this.#neighbour, this.#asked.pid);
    const passedMs = performance.now() - beganAt;
    const [serverShare, attackerShare] = pids.map(
      (pid, index) => (processTimeMs(pid) - (before[index] as number)) / passedMs,
    ) as [number, number];
    const attacked =
      way === 'quiet'
        ? undefined
        : await this.#attacker.ask<Attacked>({ kind: 'end' } satisfies AttackOrder);
    if (way !== 'quiet') await sleep(SETTLE_MS);
    return { ...asked, serverShare, attackerShare, attacked };
  }

  /** By reason, since the last call. */
  async closed(before: ReadonlyMap<string, number>): Promise<ReadonlyMap<string, number>> {
    const { text } = await this.#asked.admin('/metrics');
    const rows = text.matchAll(/^switchyard_connections_closed_total\{reason="(\w+)"\} (\d+)$/gmu);
    return new Map(
      [...rows].map(([, reason, count]) => [
        reason as string,
        Number(count) - (before.get(reason as string) ?? 0),
      ]),
    );
  }
}

const shown = (ms: number): string =>
  ms < 1 ? ms.toFixed(2) : ms < 10 ? ms.toFixed(1) : ms.toFixed(0);
const mean = (figures: readonly number[]): number =>
  figures.reduce((sum, figure) => sum + figure, 0) / figures.length;

function codesOf(looks: readonly Look[]): string {
  const codes = new Map<string, number>();
  for (const { attacked } of looks)
    for (const [code, count] of Object.entries(attacked?.codes ?? {}))
      codes.set(code, (codes.get(code) ?? 0) + count);
  return [...codes].map(([code, count]) => `${code === '-1' ? 'none' : code}: ${count}`).join(', ');
}

await ensureBuild();
process.env.SWITCHYARD_BUILT = '1';
const options = { policies: {}, args: ['--transport', 'fast'] };
const asked = await startSwitchyard(options);
const other = await startSwitchyard(options);
const attacker = new Companion('attacks/attacker.ts');
const neighbour = new Neighbour(`127.0.0.1:${asked.grpcPort}`);
try {
  // Both servers and this process are compiled by V8 before anything counts.
  for (let left = WARM_EXCHANGES; left > 0; left--) await neighbour.exchange();
  const field = new Field(asked, other, attacker, neighbour);
  process.stdout.write(
    '| attack | quiet p50, p99 | attack elsewhere | attacked p50, p99 | by quiet | served meanwhile, quiet and attacked | by quiet | us, attacker: share of a core | peak | connections, ended with code | reasons |\n' +
      '| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n',
  );
  let failed = 0;
  for (const row of ATTACKS.filter(({ name }) => name.includes(values.only))) {
    const before = await field.closed(new Map());
    const looks = await takeRounds<Way, Look>(
      ['quiet', 'elsewhere', 'attacked'],
      Number(values.rounds),
      (way) => field.look(row, way),
    );
    const of = (way: Way): readonly Look[] => looks.get(way) ?? [];
    const p = (way: Way, figure: Figure, share: number): number =>
      quantile(
        of(way).flatMap((look) => look[figure]),
        share,
      );
    const both = (way: Way, figure: Figure): string =>
      `${shown(p(way, figure, 0.5))}, ${shown(p(way, figure, 0.99))}`;
    const byQuiet = (figure: Figure): string =>
      [0.5, 0.99]
        .map((share) => (p('attacked', figure, share) / p('quiet', figure, share)).toFixed(1))
        .join(', ');
    const attacked = of('attacked');
    const failures = attacked.flatMap(({ failures }) => failures);
    failed += failures.length;
    const reasons = [...(await field.closed(before))].filter(([, count]) => count > 0);
    process.stdout.write(
      `| ${[
        row.name,
        both('quiet', 'tookMs'),
        both('elsewhere', 'tookMs'),
        both('attacked', 'tookMs'),
        byQuiet('tookMs'),
        `${both('quiet', 'workedMs')}; ${both('attacked', 'workedMs')}`,
        byQuiet('workedMs'),
        `${mean(attacked.map(({ serverShare }) => serverShare)).toFixed(2)}, ${mean(attacked.map(({ attackerShare }) => attackerShare)).toFixed(2)}`,
        `${Math.round(Math.max(...attacked.map(({ peakBytes }) => peakBytes)) / MIB)} MiB`,
        `${attacked.reduce((sum, look) => sum + (look.attacked?.connections ?? 0), 0)}; ${codesOf(attacked)}`,
        reasons.map(([reason, count]) => `\`${reason}\` ${count}`).join(', '),
      ].join(' | ')} |${failures.length > 0 ? ` ${failures.length} failed: ${failures[0]}` : ''}\n`,
    );
  }
  process.stdout.write(
    `\n${EVERY_MS} ms between exchanges, ms of each; load ${loadavg()
      .map((one) => one.toFixed(1))
      .join(' ')}; ${failed} exchanges failed beside attacks\n`,
  );
  if (failed > 0) process.exitCode = 1;
} finally {
  await neighbour.stop();
  await attacker.stop();
  await asked.stop();
  await other.stop();
}
