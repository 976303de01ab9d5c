import { Type } from 'typebox';
import { regexDetector } from '../../match/regex.ts';
import { asksForHalf } from '../../match/regex-refusals.ts';
import { child } from '../located.ts';
import { reachesStream } from '../reach.ts';
import { closed } from '../schema-parts.ts';
import { matchKind } from './kind.ts';

export const REGEX = matchKind({
  schema: Type.Object(
    {
      pattern: Type.String({ minLength: 1 }),
      maxMatchBytes: Type.Optional(Type.Integer({ minimum: 1, maximum: 65_536 })),
    },
    closed,
  ),
  compile(settings, { node, inspect, limits, report }) {
    const { pattern } = settings;
    const at = (child(node, 'pattern') ?? node).at;
    if (pattern.length > limits.regexCharsMax) {
      report(
        at,
        'regex_too_large',
        `the pattern has more than ${limits.regexCharsMax} characters; split the rule`,
      );
      return undefined;
    }
    if (asksForHalf(pattern)) {
      report(
        at,
        'regex_half_character',
        'the pattern asks for half of a character, which no text has; write the whole character, e.g. `\\x{1F600}`',
      );
      return undefined;
    }
    const compiled = regexDetector({ ...settings, statesMax: limits.regexStatesMax });
    if (!compiled.ok) {
      // RE2's own complaints say what is wrong, not what to do.
      const advice = compiled.message.includes(';') ? '' : '; correct the pattern';
      report(at, compiled.code, `${compiled.message}${advice}`);
      return undefined;
    }
    if (compiled.detector.unitsMax === undefined && reachesStream(inspect)) {
      report(
        at,
        'regex_unbounded',
        'a match of this pattern can be of any length and could not be held back in a stream; bound the repeats, e.g. `{1,64}`, or set `maxMatchBytes`',
      );
      return undefined;
    }
    return compiled.detector;
  },
});
