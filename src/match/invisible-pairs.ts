/** Characters outside the basic plane that are not seen: tags, and the further selectors of variants. */
import { isInvisible, isLow } from './characters.ts';

/** The high unit of all of them, U+E0000 to U+E01EF. */
const TAG_LEAD = 0xdb40;
const LAST_LOW = 0xddef;

export const isTagLead = (unit: number): boolean => unit === TAG_LEAD;

/** Whether the unit, behind TAG_LEAD, completes a character that is not seen. */
export const endsTag = (unit: number): boolean => isLow(unit) && unit <= LAST_LOW;

/** How many units that are not seen stand at `at`, as one character; 0 if it is seen. */
export function unseenUnits(units: Uint16Array, at: number, to: number): number {
  const unit = units[at] as number;
  if (isTagLead(unit)) return at + 1 < to && endsTag(units[at + 1] as number) ? 2 : 0;
  return isInvisible(unit) ? 1 : 0;
}
