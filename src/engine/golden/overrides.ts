/** Which golden cases that do not hold somebody has signed for. */
import { formatCompileError, placeOf, quote } from '../../policy/errors.ts';
import type { GoldenCase } from '../../policy/golden/cases.ts';
import { caseDigest, type GoldenOverride, overrideText } from '../../policy/golden/override.ts';

/** An override that lasts longer is a change of the golden set: make it there. */
export const OVERRIDE_MS_MAX = 30 * 24 * 3_600_000;

/** Checks a signature by the key of that name. */
export type VerifySignature = (
  key: string,
  text: string,
  signature: string,
) => 'valid' | 'invalid' | 'unknown_key';

/** A case that keeps a save out. */
export interface GoldenFault {
  readonly case: GoldenCase;
  /** As compile errors are told. */
  readonly line: string;
}

/** What overrides are held against. */
export interface OverrideTerms {
  /** Of the set that is to be let in. */
  readonly digest: string;
  readonly overrides: readonly GoldenOverride[];
  readonly verify: VerifySignature;
  /** Hex, over UTF-8. */
  readonly sha256: (text: string) => string;
  readonly nowMs: number;
}

export interface Overridden {
  readonly override: GoldenOverride;
  /** Those that it was needed for. */
  readonly cases: readonly GoldenCase[];
}

export interface OverrideVerdict {
  /** What nobody has signed for, and why not what was handed in. */
  readonly faults: readonly string[];
  readonly overridden: readonly Overridden[];
}

/** Cost: a signature check for each override, about 0.1 ms, and only where a case does not hold. */
export function overrideFaults(
  faults: readonly GoldenFault[],
  terms: OverrideTerms,
): OverrideVerdict {
  if (faults.length === 0 || terms.overrides.length === 0)
    return { faults: faults.map(({ line }) => line), overridden: [] };
  const unusable = terms.overrides.flatMap((override) => {
    const why = unusableWords(override, terms);
    return why === undefined ? [] : [{ override, why }];
  });
  const usable = terms.overrides.filter(
    (one) => !unusable.some(({ override }) => override === one),
  );
  const used = new Map<GoldenOverride, GoldenCase[]>();
  const left: string[] = [];
  for (const { case: golden, line } of faults) {
    const digest = caseDigest(golden, terms.sha256);
    const signed = usable.find((override) => names(override, golden, digest));
    if (signed === undefined) {
      left.push(line, ...usable.map((override) => unnamedLine(override, golden, digest)));
    } else used.set(signed, [...(used.get(signed) ?? []), golden]);
  }
  return {
    faults:
      left.length === 0
        ? []
        : [...left, ...unusable.map(({ override, why }) => lineOf(override, why))],
    overridden: [...used].map(([override, cases]) => ({ override, cases })),
  };
}

function names(override: GoldenOverride, golden: GoldenCase, digest: string): boolean {
  return override.cases.some(
    (one) => one.policy === golden.policy && one.name === golden.name && one.digest === digest,
  );
}

function unusableWords(
  override: GoldenOverride,
  { digest, verify, nowMs }: OverrideTerms,
): string | undefined {
  const { key, set, untilMs, until, signature } = override;
  // What is not signed says nothing about itself, hence first.
  switch (verify(key, overrideText(override), signature)) {
    case 'unknown_key':
      return `no key ${quote(key)} is among the \`goldenOverrideKeys\` of the configuration; have it signed by one that is`;
    case 'invalid':
      return `its signature is not one of the key ${quote(key)} over these words; have it signed again`;
    case 'valid':
  }
  if (set !== digest)
    return `it was signed for the set ${quote(set)}, and this one is ${quote(digest)}; have it signed for this one`;
  if (untilMs <= nowMs) return `it was good until ${until}; have it signed again`;
  if (untilMs - nowMs > OVERRIDE_MS_MAX)
    return `it is good until ${until}, and 30 days from now is the most; have it signed for less`;
  return undefined;
}

function unnamedLine(override: GoldenOverride, golden: GoldenCase, digest: string): string {
  const sameName = override.cases.some(
    ({ policy, name }) => policy === golden.policy && name === golden.name,
  );
  const why = sameName
    ? `the case ${quote(golden.name)} of ${quote(golden.policy)} says something else than when it was signed`
    : `it does not name the case ${quote(golden.name)} of ${quote(golden.policy)} (\`${digest}\`)`;
  return lineOf(override, `${why}; have it signed for this case too`);
}

const lineOf = (override: GoldenOverride, message: string): string =>
  formatCompileError({ ...override.position, code: 'golden_override', message });

/** Protected cases of what serves that a save does not have any more. */
export function lostCases(
  inForce: readonly GoldenCase[],
  saved: readonly GoldenCase[],
): readonly GoldenFault[] {
  const kept = new Set(
    saved
      .filter((golden) => golden.protected)
      .map(({ policy, canonical }) => `${policy}\0${canonical}`),
  );
  const told = new Set<string>();
  return inForce.flatMap((golden): readonly GoldenFault[] => {
    const id = `${golden.policy}\0${golden.canonical}`;
    if (!golden.protected || kept.has(id) || told.has(id)) return [];
    told.add(id);
    const namesake = saved.find(
      ({ policy, name }) => policy === golden.policy && name === golden.name,
    );
    const what =
      namesake === undefined
        ? 'is gone'
        : namesake.protected
          ? 'has changed'
          : 'is not protected any more';
    const message = `the protected case ${quote(golden.name)} of ${quote(golden.policy)}, which stood at ${placeOf(golden.position)}, ${what}; put it back, or have an override signed`;
    return [
      {
        case: golden,
        line: formatCompileError({
          ...(namesake?.position ?? { file: golden.position.file, line: 1, column: 1 }),
          code: 'golden_lost',
          message,
        }),
      },
    ];
  });
}
