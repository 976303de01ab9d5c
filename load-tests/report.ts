/** The result as a table of ratios, ready for `docs/performance.md`. */
import { cpuPerExchangeUs, type Measured, median, ratio } from './measures.ts';
import type { Shape } from './shapes.ts';
import type { Way } from './ways.ts';

const HEAD = [
  ...['exchange', 'through', 'p50', 'p99', 'throughput'],
  ...['CPU of Switchyard, of Envoy', 'both'],
];

const times = (value: number): string => `${value.toFixed(2)}×`;
const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |\n`;

function aloneRow(shape: Shape, alone: readonly Measured[]): string {
  const typical = (kind: 'p50Ms' | 'p99Ms' | 'perSecond'): number =>
    median(alone.map((slice) => slice[kind]));
  const cpu = cpuPerExchangeUs(alone, 'envoyCpuMs').toFixed(0);
  return row([
    ...[shape.name, 'Envoy alone', `${typical('p50Ms').toFixed(2)} ms`],
    ...[`${typical('p99Ms').toFixed(2)} ms`, `${typical('perSecond').toFixed(0)}/s`],
    ...[`0, ${cpu} µs`, '1'],
  ]);
}

function throughRow(
  shape: Shape,
  way: Way,
  through: readonly Measured[],
  alone: readonly Measured[],
): string {
  const own = cpuPerExchangeUs(through, 'switchyardCpuMs');
  const envoy = cpuPerExchangeUs(through, 'envoyCpuMs');
  const base = cpuPerExchangeUs(alone, 'envoyCpuMs');
  return row([
    ...[shape.name, way.name],
    ...[times(ratio(through, alone, 'p50Ms')), times(ratio(through, alone, 'p99Ms'))],
    times(ratio(through, alone, 'perSecond')),
    `${own.toFixed(0)}, ${envoy.toFixed(0)} µs (${times(own / base)}, ${times(envoy / base)})`,
    times((own + envoy) / base),
  ]);
}

/** `slices`: of each shape and way, one per round. Ratios are to `alone`; CPU is per exchange. */
export function report(
  slices: ReadonlyMap<Shape, ReadonlyMap<Way, readonly Measured[]>>,
  alone: Way,
): string {
  let text = row(HEAD) + row(HEAD.map(() => '---'));
  for (const [shape, ways] of slices) {
    const base = ways.get(alone) ?? [];
    for (const [way, through] of ways)
      text += way === alone ? aloneRow(shape, base) : throughRow(shape, way, through, base);
  }
  return text;
}
