/**
 * CEL's calendar of a timestamp, in UTC or in a zone (a name such as `Europe/Berlin`, or an offset such as `-08:00`).
 * Our own, as the library's takes midnight of a named zone for the day after, asks the zone of the process, and makes
 * a formatter for each call. https://github.com/google/cel-spec/blob/v0.25.1/doc/langdef.md#timezones
 */
import { type CelFunc, CelScalar, celMethod, objectType } from '@bufbuild/cel';

const TIMESTAMP = objectType('google.protobuf.Timestamp');
const DAY_MS = 86_400_000;
const OFFSET = /^([+-]?)(\d\d):(\d\d)$/;

/** Zones whose formatters are kept: a condition may take the name from a header, so that they are bounded. */
const ZONES_MAX = 64;
const formatters = new Map<string, Intl.DateTimeFormat>();

/** Throws RangeError for what is no zone. */
function formatterOf(zone: string): Intl.DateTimeFormat {
  const known = formatters.get(zone);
  if (known !== undefined) return known;
  const made = new Intl.DateTimeFormat('en-US', {
    calendar: 'gregory',
    numberingSystem: 'latn',
    hourCycle: 'h23',
    timeZone: zone,
    era: 'short',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  if (formatters.size >= ZONES_MAX) formatters.delete(formatters.keys().next().value ?? '');
  formatters.set(zone, made);
  return made;
}

export function isZone(zone: string): boolean {
  if (OFFSET.test(zone)) return true;
  try {
    formatterOf(zone);
    return true;
  } catch {
    return false;
  }
}

/** What clocks there show, as the UTC fields of a date. Throws RangeError for what is no zone. */
function shownIn(zone: string, ms: number): Date {
  const [, sign, hours, minutes] = OFFSET.exec(zone) ?? [];
  if (hours !== undefined) {
    const offsetMs = (Number(hours) * 60 + Number(minutes)) * 60_000;
    return new Date(sign === '-' ? ms - offsetMs : ms + offsetMs);
  }
  const parts: Partial<Record<Intl.DateTimeFormatPartTypes, string>> = {};
  for (const { type, value } of formatterOf(zone).formatToParts(ms)) parts[type] = value;
  const year = parts.era === 'BC' ? 1 - Number(parts.year) : Number(parts.year);
  const shown = new Date(0);
  shown.setUTCFullYear(year, Number(parts.month) - 1, Number(parts.day));
  const { hour, minute, second } = parts;
  shown.setUTCHours(Number(hour), Number(minute), Number(second), ((ms % 1_000) + 1_000) % 1_000);
  return shown;
}

const FIELDS: Readonly<Record<string, (shown: Date) => number>> = {
  getFullYear: (shown) => shown.getUTCFullYear(),
  getMonth: (shown) => shown.getUTCMonth(),
  getDate: (shown) => shown.getUTCDate(),
  getDayOfMonth: (shown) => shown.getUTCDate() - 1,
  getDayOfWeek: (shown) => shown.getUTCDay(),
  getDayOfYear(shown) {
    const first = new Date(shown);
    first.setUTCMonth(0, 1);
    return Math.round((shown.getTime() - first.getTime()) / DAY_MS);
  },
  getHours: (shown) => shown.getUTCHours(),
  getMinutes: (shown) => shown.getUTCMinutes(),
  getSeconds: (shown) => shown.getUTCSeconds(),
  getMilliseconds: (shown) => shown.getUTCMilliseconds(),
};

export const isCalendarField = (name: string): boolean => Object.hasOwn(FIELDS, name);

interface Timestamp {
  readonly message: { readonly seconds: bigint; readonly nanos: number };
}

const msOf = ({ message }: Timestamp): number =>
  Number(message.seconds) * 1_000 + Math.floor(message.nanos / 1_000_000);

export const CALENDAR: readonly CelFunc[] = Object.entries(FIELDS).flatMap(([name, field]) => [
  celMethod(name, TIMESTAMP, [], CelScalar.INT, function (this: unknown) {
    return BigInt(field(new Date(msOf(this as Timestamp))));
  }),
  celMethod(name, TIMESTAMP, [CelScalar.STRING], CelScalar.INT, function (this: unknown, zone) {
    return BigInt(field(shownIn(zone, msOf(this as Timestamp))));
  }),
]);
