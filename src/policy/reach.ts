/** Which texts a rule reads. */
import { coveredBy, type Direction, type InspectWord, type Place, type Rule } from './set.ts';

const DIRECTIONS: readonly Direction[] = ['request', 'response'];
const PLACES: readonly Place[] = [
  'user',
  'assistant',
  'system',
  'tool_definition',
  'tool_call',
  'tool_result',
  'retrieved',
];

/** Whether the rule reads texts of this place in this direction. Cost: constant. */
export function ruleReaches(
  rule: { readonly inspect: ReadonlySet<InspectWord> },
  direction: Direction,
  place: Place,
): boolean {
  return coveredBy(direction, place).some((word) => rule.inspect.has(word));
}

/** Whether any text of this direction can be read by the rule: whether a body is needed at all. */
export function ruleReachesDirection(
  rule: { readonly inspect: ReadonlySet<InspectWord> },
  direction: Direction,
): boolean {
  return PLACES.some((place) => ruleReaches(rule, direction, place));
}

/** Whether one text can be read by both. */
export function reachOverlaps(a: ReadonlySet<InspectWord>, b: ReadonlySet<InspectWord>): boolean {
  return DIRECTIONS.some((direction) =>
    PLACES.some(
      (place) =>
        ruleReaches({ inspect: a }, direction, place) &&
        ruleReaches({ inspect: b }, direction, place),
    ),
  );
}

/** Whether every text that `inner` reads is read by `outer` too. */
export function reachContains(
  outer: ReadonlySet<InspectWord>,
  inner: ReadonlySet<InspectWord>,
): boolean {
  return DIRECTIONS.every((direction) =>
    PLACES.every(
      (place) =>
        !ruleReaches({ inspect: inner }, direction, place) ||
        ruleReaches({ inspect: outer }, direction, place),
    ),
  );
}

/** Texts that a model writes come in a stream, and are held back while a match may still grow. */
export function reachesStream(inspect: ReadonlySet<InspectWord>): boolean {
  return inspect.has('response') || inspect.has('tool_call');
}

/** Whether one exchange can have the facts that both selectors ask for. */
export function selectorsCompatible(a: Rule['selector'], b: Rule['selector']): boolean {
  return Object.entries(a).every(([fact, value]) => {
    const other = b[fact as keyof Rule['selector']];
    return other === undefined || other === value;
  });
}

/** Whether every exchange that `inner` selects is selected by `outer` too. */
export function selectorContains(outer: Rule['selector'], inner: Rule['selector']): boolean {
  return Object.entries(outer).every(
    ([fact, value]) => inner[fact as keyof Rule['selector']] === value,
  );
}
