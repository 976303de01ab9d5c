/** 0..1 in plain decimals; nothing is rounded, scaled or cut to fit. */
const RISK = /^(?:0(?:\.\d{1,17})?|\.\d{1,17}|1(?:\.0{1,17})?)$/;

/** The number that a risk score is, 0 to 1; undefined for a text that is none, as `85`, `0,5` or `high`. */
export function riskOf(text: string): number | undefined {
  return RISK.test(text) ? Number(text) : undefined;
}
