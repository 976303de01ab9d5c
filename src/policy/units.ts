/** Shares, durations and ratios as authors write them. Undefined: no such form. */

const PPM_PER_PERCENT = 10_000;
export const PPM = 1_000_000;

const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** `5%`, `0.5%` or `50000ppm` → ppm, 1..1,000,000. */
export function shareToPpm(text: string): number | undefined {
  const [, digits, unit] = /^(\d+(?:\.\d+)?)\s*(%|ppm)$/.exec(text.trim()) ?? [];
  if (digits === undefined) return undefined;
  const ppm = Math.round(Number(digits) * (unit === '%' ? PPM_PER_PERCENT : 1));
  return ppm >= 1 && ppm <= PPM ? ppm : undefined;
}

/** A year: what is longer is a mistake, and no timer may overflow. */
const DURATION_MS_MAX = 366 * UNIT_MS.d!;

/** `500ms`, `30s`, `10m`, `4h`, `1d` → ms, whole. */
export function durationToMs(text: string): number | undefined {
  const [, digits, unit] = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)$/.exec(text.trim()) ?? [];
  if (digits === undefined || unit === undefined) return undefined;
  const durationMs = Math.round(Number(digits) * UNIT_MS[unit]!);
  return durationMs <= DURATION_MS_MAX ? durationMs : undefined;
}

/** `0.05` or `5%` → 0.05. No upper bound: denials can more than double. */
export function toRatio(value: string | number): number | undefined {
  if (typeof value === 'number') return value;
  const digits = /^(\d+(?:\.\d+)?)\s*%$/.exec(value.trim())?.[1];
  return digits === undefined ? undefined : Number(digits) / 100;
}
