/** Natural logarithms of positive quantities: products of many factors neither overflow nor vanish. */

/** ln(e^a + e^b), exact to rounding; -Infinity stands for zero. */
export function logAdd(a: number, b: number): number {
  const high = Math.max(a, b);
  if (high === -Infinity) return -Infinity;
  return high + Math.log1p(Math.exp(Math.min(a, b) - high));
}

/** ln of the arithmetic mean of e^value over the array. An empty array has no mean: NaN. */
export function logMeanExp(values: ArrayLike<number>): number {
  let high = -Infinity;
  for (let i = 0; i < values.length; i++) if (values[i]! > high) high = values[i]!;
  if (high === -Infinity) return values.length === 0 ? Number.NaN : -Infinity;
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += Math.exp(values[i]! - high);
  return high + Math.log(sum / values.length);
}

/** e^logValue, kept finite so that it can be written into a record. */
export function finiteExp(logValue: number): number {
  return Math.exp(Math.min(logValue, 690));
}
