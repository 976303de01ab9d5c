/** The tables of the bench: our goals with what was measured, and what they were worked out from. */
import { median } from '../measures.ts';
import { SHAPE_TITLES } from './corpus.ts';
import { type DirectResult, loadTitle } from './direct.ts';
import type { KeptMemory, Stalls } from './resting.ts';
import { type Ratio, type Rounds, ratioOf } from './rounds.ts';
import { SERVERS, type ServerName } from './servers.ts';
import type { EnvoyResult } from './through-envoy.ts';

export interface Results {
  readonly direct: readonly DirectResult[];
  readonly envoy: readonly EnvoyResult[];
  /** By transport. */
  readonly memory: ReadonlyMap<string, KeptMemory>;
  readonly stalls: ReadonlyMap<string, Stalls>;
}

type Row = readonly string[];

function table(head: Row, rows: readonly Row[]): string {
  if (rows.length === 0) return '';
  const line = (cells: Row): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

const times = (value: number): string => `${value < 0.1 ? value.toFixed(3) : value.toFixed(2)}×`;
const spread = ({ median: middle, low, high }: Ratio): string =>
  `${times(middle)} (${times(low)}–${times(high)})`;

/** Ours on the faster transport that is in this build. */
const OURS = {
  bare: ['http2', 'grpcjs'],
  equal: ['http2Equal', 'grpcjsEqual'],
} as const;

function compared(
  figures: Rounds<ServerName> | undefined,
  ours: readonly ServerName[],
  reference: ServerName,
): Ratio | undefined {
  const mine = ours.map((name) => figures?.get(name)).find((rounds) => rounds !== undefined);
  const other = figures?.get(reference);
  return mine && other && ratioOf(mine, other);
}

/** One row: a goal of the project, what was measured, and whether it holds. */
function goal(
  what: string,
  reference: string,
  measured: Ratio | undefined,
  floor: number,
  aim: number,
): readonly Row[] {
  if (measured === undefined) return [];
  const { median: value } = measured;
  const holds = value <= aim ? 'goal met' : value <= floor ? 'floor met' : '**missed**';
  return [[what, reference, times(floor), times(aim), spread(measured), holds]];
}

export function goalsTable({ direct, envoy, memory, stalls }: Results): string {
  const load = (shape: string, streams: number): Rounds<ServerName> | undefined =>
    direct.find(({ load: of }) => of.shape === shape && of.streams === streams)?.cpuUs;
  const through = (of: string, connections: number): EnvoyResult | undefined =>
    envoy.find((result) => result.of === of && result.connections === connections);
  const c = SERVERS.c.title;
  const json = load('json', 32);
  const rows: Row[] = [
    ...goal('CPU of 4 messages, bare core', c, compared(json, OURS.bare, 'c'), 1.5, 1.25),
    ...goal(
      'the same with metrics and records on',
      c,
      compared(json, ['http2Observed'], 'c'),
      2.5,
      2,
    ),
    ...goal(
      'bare core',
      'the same on grpc-js',
      compared(json, ['http2'], 'grpcjs'),
      1 / 10,
      1 / 15,
    ),
    ...goal(
      '50 events',
      SERVERS.cpp.title,
      compared(load('sse', 32), OURS.bare, 'cpp'),
      1 / 6,
      1 / 8,
    ),
    ...(['headers', 'check', 'json'] as const).flatMap((of) =>
      goal(
        `CPU through Envoy, 32 connections: ${SHAPE_TITLES[of]}`,
        c,
        compared(through(of, 32)?.cpuUs, OURS.bare, 'c'),
        2,
        1.5,
      ),
    ),
    ...([32, 1] as const).flatMap((connections) =>
      goal(
        `Check through Envoy by an equal rule, ${connections} at a time`,
        SERVERS.opa.title,
        compared(through('check', connections)?.cpuUs, OURS.equal, 'opa'),
        connections === 32 ? 1 / 10 : 1 / 3,
        connections === 32 ? 1 / 15 : 1 / 4,
      ),
    ),
    ...(['headers', 'check', 'json'] as const).flatMap((of) => {
      const result = through(of, 1);
      return [
        ...goal(
          `p50 through Envoy, 1 at a time: ${SHAPE_TITLES[of]}`,
          `Envoy and ${c}`,
          compared(result?.p50Us, OURS.bare, 'c'),
          1.2,
          1.1,
        ),
        ...goal(
          `p99 through Envoy, 1 at a time: ${SHAPE_TITLES[of]}`,
          `Envoy and ${c}`,
          compared(result?.p99Us, OURS.bare, 'c'),
          1.5,
          1.25,
        ),
      ];
    }),
    ...growth(direct),
    ...[...memory].map(([transport, { usedBytes, streams }]): Row => {
      const kilobytes = usedBytes / 1_024;
      const holds = kilobytes <= 3 ? 'goal met' : kilobytes <= 6 ? 'floor met' : '**missed**';
      return [
        ...[`memory of an open, idle exchange, ${transport}`, `${streams} open`, '6 KB', '3 KB'],
        ...[`${kilobytes.toFixed(1)} KB`, holds],
      ];
    }),
    ...[...stalls].flatMap(([transport, { server, idle, seconds }]): Row[] => {
      const ratio = server.stallMs / idle.stallMs;
      const beside = `a process that does nothing, ${seconds} s`;
      return [
        [
          ...[`longest stall of the event loop, ${transport}`, beside, times(3), times(2)],
          ...[times(ratio), ratio <= 2 ? 'goal met' : ratio <= 3 ? 'floor met' : '**missed**'],
        ],
        [
          ...[`longest garbage collection, ${transport}`, '', '', '5 ms'],
          ...[
            `${server.collectionMs.toFixed(1)} ms`,
            server.collectionMs <= 5 ? 'goal met' : '**missed**',
          ],
        ],
      ];
    }),
  ];
  return table(['measure', 'reference', 'floor', 'goal', 'measured', ''], rows);
}

/** From one exchange at a time to 256: the work of a wake-up is shared. Own figures of one run, minutes apart. */
function growth(direct: readonly DirectResult[]): readonly Row[] {
  const cpuUs = (streams: number): number | undefined => {
    const figures = direct.find(({ load }) => load.shape === 'json' && load.streams === streams);
    const rounds = figures?.cpuUs.get('http2') ?? figures?.cpuUs.get('grpcjs');
    return rounds && median(rounds);
  };
  const [one, many] = [cpuUs(1), cpuUs(256)];
  if (one === undefined || many === undefined) return [];
  const ratio = many / one;
  const holds = ratio <= 1 / 3 ? 'goal met' : ratio <= 1 ? 'floor met' : '**missed**';
  return [
    [
      'CPU per exchange, 256 at a time',
      'own, 1 at a time',
      times(1),
      times(1 / 3),
      times(ratio),
      holds,
    ],
  ];
}

/** µs of CPU, and by C in brackets. */
function cells(figures: Rounds<ServerName>, names: readonly ServerName[]): Row {
  const reference = figures.get('c');
  return names.map((name) => {
    const rounds = figures.get(name);
    if (rounds === undefined) return '';
    const own = `${median(rounds).toFixed(1)} µs`;
    return name === 'c' || reference === undefined
      ? own
      : `${own}, ${spread(ratioOf(rounds, reference))}`;
  });
}

function namesIn(all: readonly Rounds<ServerName>[]): readonly ServerName[] {
  return (Object.keys(SERVERS) as ServerName[]).filter((name) =>
    all.some((figures) => figures.has(name)),
  );
}

/** Rows are servers: there are more of them than kinds of load. */
function byServer(heads: Row, all: readonly Rounds<ServerName>[]): string {
  const names = namesIn(all);
  const columns = all.map((figures) => cells(figures, names));
  const rows = names.map((name, index) => [
    SERVERS[name].title,
    ...columns.map((column) => column[index] ?? ''),
  ]);
  return table(['CPU per exchange, by C', ...heads], rows);
}

export function directTable(results: readonly DirectResult[]): string {
  return byServer(
    results.map(({ load }) => loadTitle(load)),
    results.map(({ cpuUs }) => cpuUs),
  );
}

export function envoyTable(results: readonly EnvoyResult[]): string {
  if (results.length === 0) return '';
  const heads = results.map(
    ({ of, connections }) =>
      `through Envoy: ${SHAPE_TITLES[of as 'json']}, ${connections} at a time`,
  );
  const latencies = results.flatMap(({ of, connections, p50Us, p99Us, alone }) =>
    namesIn([p50Us]).map((name): Row => {
      const of_ = (figures: Rounds<ServerName>): string => {
        const rounds = figures.get(name);
        return rounds === undefined ? '' : `${(median(rounds) / 1_000).toFixed(2)} ms`;
      };
      return [
        ...[`${SHAPE_TITLES[of as 'json']}, ${connections} at a time`, SERVERS[name].title],
        ...[of_(p50Us), of_(p99Us), of_(alone.p50Us), of_(alone.p99Us)],
      ];
    }),
  );
  const head = ['through Envoy', 'asked', 'p50', 'p99', 'asking nobody: p50', 'p99'];
  return [
    byServer(
      heads,
      results.map(({ cpuUs }) => cpuUs),
    ),
    table(head, latencies),
  ].join('\n\n');
}

export function restingTable({ memory, stalls }: Results): string {
  const rows = [...new Set([...memory.keys(), ...stalls.keys()])].map((transport): Row => {
    const kept = memory.get(transport);
    const away = stalls.get(transport);
    const ms = (value: number | undefined): string =>
      value === undefined ? '' : `${value.toFixed(1)} ms`;
    return [
      transport,
      kept === undefined ? '' : `${(kept.usedBytes / 1_024).toFixed(1)} KB`,
      kept === undefined ? '' : `${(kept.rssBytes / 1_024).toFixed(1)} KB`,
      ...[ms(away?.server.stallMs), ms(away?.idle.stallMs), ms(away?.server.collectionMs)],
    ];
  });
  return table(
    [
      ...['bare core on', 'kept by an idle stream', 'resident', 'longest stall'],
      ...['of an idle process', 'longest collection'],
    ],
    rows,
  );
}
