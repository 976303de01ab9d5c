/** The result as a table of ratios, ready for `docs/performance.md`. */
import {
  envoyCpuUs,
  type Figure,
  type Measured,
  median,
  ratio,
  switchyardCpuUs,
} from './measures.ts';
import type { Shape } from './shapes.ts';
import type { Way } from './ways.ts';

const HEAD = [
  ...['exchange', 'through', 'p50', 'p99', 'throughput'],
  ...['CPU of Switchyard', 'CPU of Envoy', 'both'],
];

const p50Ms: Figure = (slice) => slice.p50Ms;
const p99Ms: Figure = (slice) => slice.p99Ms;
const perSecond: Figure = (slice) => slice.perSecond;
const cpuUs: Figure = (slice) => envoyCpuUs(slice) + switchyardCpuUs(slice);

const times = (value: number): string => `${value.toFixed(2)}×`;
const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |\n`;

function aloneRow(shape: Shape, alone: readonly Measured[]): string {
  const typical = (of: Figure, digits: number): string => median(alone.map(of)).toFixed(digits);
  return row([
    ...[shape.name, 'Envoy alone', `${typical(p50Ms, 2)} ms`, `${typical(p99Ms, 2)} ms`],
    ...[`${typical(perSecond, 0)}/s`, '', `${typical(envoyCpuUs, 0)} µs`, ''],
  ]);
}

function throughRow(
  shape: Shape,
  way: Way,
  through: readonly Measured[],
  alone: readonly Measured[],
): string {
  const own = median(through.map(switchyardCpuUs)).toFixed(0);
  return row([
    ...[shape.name, way.name],
    ...[p50Ms, p99Ms, perSecond].map((of) => times(ratio(through, alone, of))),
    `${times(ratio(through, alone, switchyardCpuUs, envoyCpuUs))} (${own} µs)`,
    ...[envoyCpuUs, cpuUs].map((of) => times(ratio(through, alone, of))),
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
