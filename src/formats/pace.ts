/**
 * How much more may be done before the others have their turn, in UTF-16 units of text that are judged or what
 * costs about as much. All that works on one body takes from the same pace, and stops where nothing is left;
 * what has stopped is asked to go on with a pace that has been filled again.
 */
export interface Pace {
  left: number;
}

/** Nobody waits: all is done in one go. */
export const UNPACED: Pace = { left: Number.POSITIVE_INFINITY };

/** Reading and copying bytes is quicker than judging text: so many count as one unit. */
export const BYTES_PER_UNIT = 2;
