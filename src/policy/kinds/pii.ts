import { Type } from 'typebox';
import { piiDetector } from '../../match/pii.ts';
import { closed, words } from '../schema-parts.ts';
import { matchKind } from './kind.ts';

export const PII = matchKind({
  schema: Type.Object(
    {
      entities: Type.Array(
        words(['email', 'credit_card'], { 'x-later': ['iban', 'us_ssn', 'phone', 'ip_address'] }),
        { minItems: 1 },
      ),
      except: Type.Optional(Type.Array(Type.String({ minLength: 1 }))),
    },
    closed,
  ),
  compile: (settings) => piiDetector(settings),
});
