/** CPU per exchange by C's, as bars on a logarithmic scale. */
import { type DirectResult, loadTitle } from './direct.ts';
import { ratioOf } from './rounds.ts';
import { SERVERS, type ServerName } from './servers.ts';

const SHOWN: readonly ServerName[] = [
  'c',
  'http2',
  'cpp',
  'grpcjs',
  'http2Shipped',
  'grpcjsShipped',
];
const COLOURS: Partial<Record<ServerName, string>> = {
  c: '#8c8c8c',
  http2: '#0b6e4f',
  cpp: '#b08900',
  grpcjs: '#7a9cc6',
  http2Shipped: '#3fa77f',
  grpcjsShipped: '#c3d3e8',
};

const WIDTH = 900;
const LEFT = 225;
const RIGHT = 110;
const BAR = 13;
const GAP = 16;
const TOP = 58;
/** Of one entry of the legend. */
const ENTRY_WIDTH = 300;
/** The left edge of the scale: a fifth of C's cost. */
const SCALE_FROM = 0.2;

const escaped = (text: string): string => text.replace(/&/g, '&amp;').replace(/</g, '&lt;');

export function picture(results: readonly DirectResult[]): string {
  const bars = results.map(({ load, cpuUs }) => {
    const reference = cpuUs.get('c') ?? [];
    const of = SHOWN.flatMap((name) => {
      const figures = cpuUs.get(name);
      return figures === undefined ? [] : [{ name, ratio: ratioOf(figures, reference) }];
    });
    return { title: loadTitle(load), of };
  });
  const largest = Math.max(2, ...bars.flatMap(({ of }) => of.map(({ ratio }) => ratio.high)));
  const decades = Math.log10(largest / SCALE_FROM);
  const x = (ratio: number): number =>
    LEFT + (Math.max(0, Math.log10(ratio / SCALE_FROM)) / decades) * (WIDTH - LEFT - RIGHT);
  const parts: string[] = [];
  let y = TOP;
  for (const { title, of } of bars) {
    const middle = y + (of.length * BAR) / 2 + 4;
    parts.push(`<text x="${LEFT - 10}" y="${middle}" text-anchor="end">${escaped(title)}</text>`);
    for (const { name, ratio } of of) {
      const end = x(ratio.median).toFixed(1);
      const [low, high] = [x(ratio.low).toFixed(1), x(ratio.high).toFixed(1)];
      const line = y + BAR / 2 - 1;
      parts.push(
        `<rect x="${LEFT}" y="${y}" width="${(Number(end) - LEFT).toFixed(1)}" height="${BAR - 2}" fill="${COLOURS[name]}"/>`,
        `<path d="M${low} ${line}H${high}" stroke="#222"/>`,
        `<text x="${Number(high) + 6}" y="${y + BAR - 3}" class="small">${ratio.median.toFixed(ratio.median < 10 ? 2 : 0)}</text>`,
      );
      y += BAR;
    }
    y += GAP;
  }
  const lines = [1, 2, 5, 10, 20, 50, 100, 200, 500]
    .filter((value) => value <= largest)
    .map((value) => {
      const at = x(value).toFixed(1);
      return `<path d="M${at} ${TOP - 8}V${y - GAP + 4}" stroke="#ddd"/><text x="${at}" y="${TOP - 12}" text-anchor="middle" class="small">${value}×</text>`;
    });
  const here = SHOWN.filter((name) => results.some(({ cpuUs }) => cpuUs.has(name)));
  const legend = here.map(
    (name, index) =>
      `<rect x="${12 + (index % 3) * ENTRY_WIDTH}" y="${y + Math.floor(index / 3) * 20}" width="11" height="11" fill="${COLOURS[name]}"/><text x="${28 + (index % 3) * ENTRY_WIDTH}" y="${y + 10 + Math.floor(index / 3) * 20}">${escaped(SERVERS[name].title)}</text>`,
  );
  const height = y + 50;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" font-family="sans-serif" font-size="12">
<title>CPU of the server per exchange, by that of the C server</title>
<style>.small{font-size:10px;fill:#444}</style>
<rect width="100%" height="100%" fill="#fff"/>
<text x="12" y="22" font-size="15">CPU of the server per exchange, by that of the C server (median, quartiles)</text>
${[...lines, ...parts, ...legend].join('\n')}
</svg>
`;
}
