import { Type } from 'typebox';
import { PHONE_REGIONS, PII_ENTITIES, PII_GROUPS, piiDetector } from '../../match/pii.ts';
import { closed, words } from '../schema-parts.ts';
import { matchKind } from './kind.ts';

const listed = { 'x-listed': 'docs/reference/pii.md' };

export const PII = matchKind({
  schema: Type.Object(
    {
      entities: Type.Array(words([...PII_ENTITIES, ...Object.keys(PII_GROUPS)], listed), {
        minItems: 1,
      }),
      except: Type.Optional(Type.Array(Type.String({ minLength: 1 }))),
      threshold: Type.Optional(Type.Number({ minimum: 0, maximum: 1, 'x-example': 0.5 })),
      regions: Type.Optional(Type.Array(words(PHONE_REGIONS, listed), { minItems: 1 })),
    },
    closed,
  ),
  compile: (settings) => piiDetector(settings),
});
