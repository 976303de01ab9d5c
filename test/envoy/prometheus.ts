/** A real Prometheus that scrapes one target, for tests that ask it what a board would ask. */
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startProcess } from '../../demo/processes.ts';
import { debianProgram } from '../../setup/debian.mjs';
import { skipBecause } from '../reporter/skip.ts';
import { temporaryDirectory } from './harness.ts';
import { send } from './http-client.ts';

/** Two samples make a rate: the shorter the interval, the shorter the test. */
const SCRAPE_INTERVAL_S = 1;
const READY_TIMEOUT_MS = 30_000;

/** Skips the test, or from a `before` hook its suite, when there is no Prometheus on this machine. */
export function requirePrometheus(context: Mocha.Context): void {
  if (!existsSync(debianProgram('prometheus')))
    skipBecause(context, 'no Prometheus here: `node setup/debian.mjs prometheus` fetches it');
}

export interface Prometheus {
  /** Values of all series of a range query, at 1 s steps; those that are no number are left out. */
  values(expr: string, fromMs: number, toMs: number): Promise<readonly number[]>;
  stop(): Promise<void>;
}

interface RangeAnswer {
  readonly status: string;
  readonly error?: string;
  readonly data?: {
    readonly result: readonly { readonly values: readonly (readonly [number, string])[] }[];
  };
}

/** Starts it on a free loopback port; rejects with what it wrote when it does not come up. */
export async function startPrometheus(scrapedPort: number): Promise<Prometheus> {
  const directory = await temporaryDirectory();
  const file = join(directory.path, 'prometheus.yml');
  const target = `127.0.0.1:${scrapedPort}`;
  await writeFile(
    file,
    `global: { scrape_interval: ${SCRAPE_INTERVAL_S}s }
scrape_configs: [{ job_name: switchyard, static_configs: [{ targets: ['${target}'] }] }]
`,
  );
  const running = await startProcess(debianProgram('prometheus'), [
    `--config.file=${file}`,
    `--storage.tsdb.path=${join(directory.path, 'tsdb')}`,
    '--web.listen-address=127.0.0.1:0',
  ]);
  const stop = async (): Promise<void> => {
    await running.stop();
    await directory.remove();
  };
  try {
    const listening = /address="?127\.0\.0\.1:(\d+)/u;
    const line = await running.line((text) => portOf(listening, text) > 0, READY_TIMEOUT_MS);
    const port = portOf(listening, line);
    await running.line((text) => text.includes('ready to receive'), READY_TIMEOUT_MS);
    return { values: (expr, fromMs, toMs) => range(port, expr, fromMs, toMs), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

const portOf = (pattern: RegExp, line: string): number => Number(pattern.exec(line)?.[1] ?? 0);

async function range(
  port: number,
  expr: string,
  fromMs: number,
  toMs: number,
): Promise<readonly number[]> {
  const query = new URLSearchParams({
    query: expr,
    start: String(fromMs / 1_000),
    end: String(toMs / 1_000),
    step: '1',
  });
  const answer = await send(port, { path: `/api/v1/query_range?${query}` });
  const { status, error, data } = JSON.parse(answer.text) as RangeAnswer;
  if (status !== 'success') throw new Error(`Prometheus refuses \`${expr}\`: ${error}`);
  return (data?.result ?? [])
    .flatMap(({ values }) => values.map(([, value]) => Number(value)))
    .filter((value) => !Number.isNaN(value));
}
