/** Event streams on paths of no API that is known here. */
import type { Format } from './frame.ts';
import { genericJson } from './generic-json.ts';
import { DEFAULT_FORMAT_LIMITS, type FormatLimits } from './limits.ts';

/** The format with limits of its own. */
export function genericSseWith(limits: FormatLimits): Format {
  return Object.freeze({ ...genericJson(undefined, limits), name: 'sse' as const });
}

export const genericSse: Format = genericSseWith(DEFAULT_FORMAT_LIMITS);
