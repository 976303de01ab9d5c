/** What the schemas of the policy language are made of. */
import { Type } from 'typebox';

/** No other keys. */
export const closed = { additionalProperties: false };

/** One of these words. `x-…` options are for `read.ts`. */
export const words = <const Word extends string>(
  list: readonly Word[],
  options: Record<string, unknown> = {},
) => Type.Unsafe<Word>(Type.Enum([...list], options));
