/** `GET /effective`: who is asked about, from the query. */
import type { EffectiveAsked } from '../engine/control.ts';
import { FACT_NAMES } from '../policy/schema.ts';
import type { FactName } from '../policy/set.ts';
import { AdminError } from './answer.ts';

const REQUEST = ['method', 'path', 'authority', 'route'] as const;
const HEADER = 'header.';

/** Facts by their names, the request line, `header.NAME`, and `cohort`. */
export function effectiveAsked(query: URLSearchParams): EffectiveAsked {
  const facts: Partial<Record<FactName, string>> = {};
  const headers: Record<string, string> = {};
  const request: Partial<Record<(typeof REQUEST)[number], string>> = {};
  let cohort: EffectiveAsked['cohort'] = 'control';
  for (const [name, value] of query) {
    const fact = FACT_NAMES.find((one) => one === name);
    const part = REQUEST.find((one) => one === name);
    if (fact !== undefined) facts[fact] = value;
    else if (part !== undefined) request[part] = value;
    else if (name.startsWith(HEADER)) headers[name.slice(HEADER.length).toLowerCase()] = value;
    else if (name === 'cohort' && (value === 'control' || value === 'canary')) cohort = value;
    else if (name === 'cohort')
      throw new AdminError('invalid_argument', '`cohort` is control or canary');
    else {
      const known = [...FACT_NAMES, ...REQUEST, 'header.NAME', 'cohort'];
      throw new AdminError('invalid_argument', `the query knows ${known.join(', ')}`);
    }
  }
  return { cohort, facts, headers, ...request };
}
