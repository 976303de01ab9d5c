/**
 * Versions (semver.org 2.0.0, §9 and §11) and the ranges that `requires` names: comparators that must all hold,
 * as in `>=2.1 <3`. A version that leaves parts out means all that begin so: `2.1` is every 2.1.x.
 */
import { compareText } from './errors.ts';

interface Version {
  readonly parts: readonly number[];
  readonly pre: readonly string[];
}

type Bound = readonly [operator: '>=' | '>' | '<' | '<=', version: Version];

const PART = '(?:0|[1-9]\\d{0,8})';
const WRITTEN = new RegExp(
  `^(>=|>|<=|<|=|\\^|~)?v?(${PART}(?:\\.${PART}){0,2})(?:-([0-9A-Za-z.-]+))?(?:\\+[0-9A-Za-z.-]+)?$`,
);

/** Forms that a range may have, for messages. */
export const RANGE_EXAMPLE = '">=2.1", "^2.1", "~2.1.0", "2.1" or ">=2.1 <3"';

/** Whether the version is in the range; undefined where the range has no such form. */
export function inRange(version: string, range: string): boolean | undefined {
  const comparators = range.trim().split(/\s+/);
  const bounds: Bound[] = [];
  for (const comparator of comparators) {
    const read = boundsOf(comparator);
    if (read === undefined) return undefined;
    bounds.push(...read);
  }
  const [, , digits = '', pre] = WRITTEN.exec(version) ?? [];
  const own = full(digits.split('.').map(Number), pre);
  return bounds.every(([operator, bound]) => {
    const order = compare(own, bound);
    if (operator === '>=') return order >= 0;
    if (operator === '>') return order > 0;
    return operator === '<' ? order < 0 : order <= 0;
  });
}

function boundsOf(comparator: string): readonly Bound[] | undefined {
  const [all, operator = '', digits = '', pre] = WRITTEN.exec(comparator) ?? [];
  if (all === undefined) return undefined;
  const parts = digits.split('.').map(Number);
  const low = full(parts, pre);
  // The first that is beyond all versions that begin with these parts; its own pre-releases are, too.
  const beyond = (kept: number): Version => full(raised(parts, kept), '0');
  const whole = parts.length === 3;
  switch (operator) {
    case '>=':
      return [['>=', low]];
    case '<':
      // What comes before 3.0.0 in earnest is not what is meant by `<3`: its release candidates are left out.
      return [['<', whole ? low : full(parts, '0')]];
    case '>':
      return [whole ? ['>', low] : ['>=', beyond(parts.length)]];
    case '<=':
      return [whole ? ['<=', low] : ['<', beyond(parts.length)]];
    case '^': {
      const first = parts.findIndex((part) => part !== 0);
      return [
        ['>=', low],
        ['<', beyond(first === -1 ? parts.length : first + 1)],
      ];
    }
    case '~':
      return [
        ['>=', low],
        ['<', beyond(Math.min(parts.length, 2))],
      ];
    default:
      return whole
        ? [
            ['>=', low],
            ['<=', low],
          ]
        : [
            ['>=', low],
            ['<', beyond(parts.length)],
          ];
  }
}

/** The parts up to `kept`, the last of them one higher. */
function raised(parts: readonly number[], kept: number): number[] {
  const cut = parts.slice(0, kept);
  cut[kept - 1] = (cut[kept - 1] ?? 0) + 1;
  return cut;
}

function full(parts: readonly number[], pre?: string): Version {
  return {
    parts: [parts[0] ?? 0, parts[1] ?? 0, parts[2] ?? 0],
    pre: pre === undefined ? [] : pre.split('.'),
  };
}

function compare(a: Version, b: Version): number {
  for (const [at, part] of a.parts.entries()) {
    const other = b.parts[at] ?? 0;
    if (part !== other) return part - other;
  }
  if (a.pre.length === 0 || b.pre.length === 0) return b.pre.length - a.pre.length;
  for (let at = 0; at < Math.max(a.pre.length, b.pre.length); at += 1) {
    const [one, other] = [a.pre[at], b.pre[at]];
    if (one === undefined) return -1;
    if (other === undefined) return 1;
    const order = comparePre(one, other);
    if (order !== 0) return order;
  }
  return 0;
}

/** Numbers by value and below words; words by their units. */
function comparePre(a: string, b: string): number {
  const [aNumber, bNumber] = [/^\d+$/.test(a), /^\d+$/.test(b)];
  if (aNumber && bNumber) return Number(a) - Number(b);
  if (aNumber !== bNumber) return aNumber ? -1 : 1;
  return compareText(a, b);
}
