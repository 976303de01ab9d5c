/** Load at a steady rate by fortio, which tells how long each request took. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ensureGoProgram } from '../setup/go-programs.mjs';

const run = promisify(execFile);
/** What a percentile is told to, in seconds. */
const RESOLUTION_S = 0.0001;

export interface SteadyLoad {
  readonly name: string;
  readonly url: string;
  readonly perSecond: number;
  readonly connections: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Posted when it is there. */
  readonly body?: string;
  readonly status: number;
}

export interface SteadyResult {
  readonly name: string;
  readonly asked: number;
  /** That it reached. */
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p90Ms: number;
  readonly p99Ms: number;
}

interface Report {
  readonly ActualQPS: number;
  readonly RetCodes: Readonly<Record<string, number>>;
  readonly DurationHistogram: {
    readonly Percentiles: readonly { readonly Percentile: number; readonly Value: number }[];
  };
}

/** All of them at once, each for so long. Rejects when one request ends with another status than its own. */
export async function steadily(
  loads: readonly SteadyLoad[],
  seconds: number,
): Promise<readonly SteadyResult[]> {
  const program = await ensureGoProgram('fortio');
  const directory = await mkdtemp(join(tmpdir(), 'switchyard-fortio-'));
  try {
    return await Promise.all(
      loads.map((load, index) => one(program, join(directory, `${index}.json`), load, seconds)),
    );
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function one(
  program: string,
  report: string,
  load: SteadyLoad,
  seconds: number,
): Promise<SteadyResult> {
  const { name, url, perSecond, connections, headers = {}, body, status } = load;
  await run(program, [
    ...['load', '-quiet', '-allow-initial-errors', '-uniform', '-p', '50,90,99'],
    ...['-qps', String(perSecond), '-c', String(connections), '-t', `${seconds}s`],
    ...['-r', String(RESOLUTION_S), '-json', report],
    ...Object.entries(headers).flatMap(([key, value]) => ['-H', `${key}: ${value}`]),
    ...(body === undefined ? [] : ['-content-type', 'application/json', '-payload', body]),
    url,
  ]);
  const { ActualQPS, RetCodes, DurationHistogram } = JSON.parse(
    await readFile(report, 'utf8'),
  ) as Report;
  const asked = Object.values(RetCodes).reduce((sum, count) => sum + count, 0);
  if (asked === 0 || RetCodes[status] !== asked)
    throw new Error(`${name}: ${JSON.stringify(RetCodes)} in place of ${status}`);
  const msAt = (percentile: number): number =>
    1_000 *
    (DurationHistogram.Percentiles.find(({ Percentile }) => Percentile === percentile)?.Value ??
      Number.NaN);
  return { name, asked, perSecond: ActualQPS, p50Ms: msAt(50), p90Ms: msAt(90), p99Ms: msAt(99) };
}
