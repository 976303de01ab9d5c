/**
 * Which numbers can be dialled: Google's numbering plans, as libphonenumber-js carries them. Only its tables
 * are used here; its parser takes 6 to 60 µs a number, this one or two.
 */
import metadata from 'libphonenumber-js/min/metadata';

/** Places in the entry of a country, as libphonenumber-js 1.13.16 lays them out; a test holds it to them. */
const CODE = 0;
const PATTERN = 2;
const LENGTHS = 3;
const NATIONAL_PREFIX = 5;

interface Plan {
  readonly pattern: RegExp;
  readonly lengths: ReadonlySet<number>;
  readonly nationalPrefix: string;
}

type Entry = readonly unknown[];
const tables = metadata as unknown as {
  readonly country_calling_codes: Readonly<Record<string, readonly string[]>>;
  readonly countries: Readonly<Record<string, Entry>>;
  readonly nonGeographic: Readonly<Record<string, Entry>>;
};

const planOf = (entry: Entry): Plan => ({
  pattern: new RegExp(`^(?:${String(entry[PATTERN])})$`),
  lengths: new Set(entry[LENGTHS] as number[]),
  nationalPrefix: typeof entry[NATIONAL_PREFIX] === 'string' ? entry[NATIONAL_PREFIX] : '',
});

/** By calling code: of all countries that share it. */
const plans = new Map<string, readonly Plan[]>();
const known = new Map<string, Plan>();

function planFor(region: string): Plan {
  const plan = known.get(region) ?? planOf(tables.countries[region] as Entry);
  known.set(region, plan);
  return plan;
}

function plansFor(code: string): readonly Plan[] {
  const made = plans.get(code);
  if (made !== undefined) return made;
  const regions = tables.country_calling_codes[code] ?? [];
  const other = tables.nonGeographic[code];
  const list = other === undefined ? regions.map(planFor) : [planOf(other)];
  plans.set(code, list);
  return list;
}

export type PhoneRegion = string;

/** Regions with a numbering plan, two capitals each (ISO 3166-1). */
export const PHONE_REGIONS: readonly PhoneRegion[] = Object.freeze(
  Object.keys(tables.countries).sort(),
);

const CODE_DIGITS_MAX = 3;

/** What a number with its calling code is: in its plan, at least as long as one, or nothing. */
export function internationalNumber(digits: string): 'valid' | 'possible' | 'none' {
  for (let units = 1; units <= CODE_DIGITS_MAX; units++) {
    const list = plansFor(digits.slice(0, units));
    if (list.length === 0) continue;
    // People write the 0 that is dialled inside of the country: `+44 (0)20 …`.
    const rest = digits.slice(units);
    const trunk = list[0]?.nationalPrefix ?? '';
    const inside = trunk !== '' && rest.startsWith(trunk) ? rest.slice(trunk.length) : rest;
    if (list.some(({ pattern }) => pattern.test(rest) || pattern.test(inside))) return 'valid';
    return list.some(({ lengths }) => lengths.has(rest.length)) ? 'possible' : 'none';
  }
  return 'none';
}

/** Whether it is a number as it is dialled inside of the region. */
export function isNationalNumber(digits: string, region: PhoneRegion): boolean {
  const { pattern, nationalPrefix } = planFor(region);
  // Where there is a 0 to dial first, nobody leaves it out; a 1 many do.
  if (nationalPrefix !== '' && digits.startsWith(nationalPrefix)) {
    if (pattern.test(digits.slice(nationalPrefix.length))) return true;
  } else if (nationalPrefix === '0') return false;
  return pattern.test(digits);
}

/** The calling code of a region. */
export const callingCodeOf = (region: PhoneRegion): string =>
  String((tables.countries[region] as Entry)[CODE]);
