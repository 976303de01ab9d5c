/** All evasions, and the policy that they are tried on. */
import { CURES } from './evasions-cures.ts';
import { DATA } from './evasions-data.ts';
import { JSON_FAMILIES } from './evasions-json.ts';
import { MCP } from './evasions-mcp.ts';
import { PLACES } from './evasions-places.ts';
import type { Family } from './evasions-row.ts';
import { SMUGGLING } from './evasions-smuggling.ts';
import { SPELLING } from './evasions-spelling.ts';
import { SPLITS } from './evasions-splits.ts';
import { STREAMS } from './evasions-streams.ts';
import { WRAPPINGS } from './evasions-wrapping.ts';

export const FAMILIES: readonly Family[] = [
  ...SPELLING,
  ...DATA,
  ...SPLITS,
  ...JSON_FAMILIES,
  ...WRAPPINGS,
  ...SMUGGLING,
  ...STREAMS,
  ...PLACES,
  ...MCP,
];

/**
 * Who asks: an application that the rules are for, one that none is for (so is seen what would arrive), and one
 * that only the cures are for.
 */
export const GUARDED_APP = 'guarded';
export const BARE_APP = 'bare';
export const CURED_APP = 'cured';

export const POLICY = `kind: Policy
metadata: { name: guard, layer: platform, selector: { app: ${GUARDED_APP} } }
class: security
rules:
  - id: words
    inspect: [request, response]
    match: { keywords: { words: [Project Zebra, Efficient Moss, aurora] } }
    then: block
  - id: tickets
    inspect: [request, response]
    match: { regex: { pattern: "PRJ-[0-9]{4}" } }
    then: block
  - id: rival
    inspect: [response]
    match: { keywords: { words: [Bank A] } }
    then: { rewrite: { with: another bank } }
  - id: personal
    inspect: [request, response]
    match: { pii: { entities: [email, credit_card] } }
    then: redact
`;

export const cureRule = (id: string): string => `cure-${id}`;

/** Every cure, as a rule of its own. */
export const CURE_POLICY = `kind: Policy
metadata: { name: cures, layer: platform, selector: { app: ${CURED_APP} } }
class: security
rules:
${Object.entries(CURES)
  .map(
    ([id, match]) => `  - id: ${cureRule(id)}
    inspect: [request, response]
    match: { ${match} }
    then: block
`,
  )
  .join('')}`;
