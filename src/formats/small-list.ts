/**
 * Lists that are nearly always empty or of one entry, and that open streams keep: an array to which something is
 * pushed makes room for seventeen.
 */

/** Empty, and the same everywhere. */
export const NONE: never[] = Object.freeze([]) as never[];

/** The list with one more: `list` itself, unless that is empty. */
export function withOneMore<T>(list: T[], one: T): T[] {
  if (list.length === 0) return [one];
  list.push(one);
  return list;
}
