import { Type } from 'typebox';
import { SECRET_KINDS, secretDetector } from '../../match/secrets.ts';
import { closed, words } from '../schema-parts.ts';
import { matchKind } from './kind.ts';

const SecretKinds = Type.Array(words(SECRET_KINDS, { 'x-listed': 'docs/reference/secrets.md' }), {
  minItems: 1,
});

export const SECRETS = matchKind({
  schema: Type.Object(
    { kinds: Type.Optional(SecretKinds), except: Type.Optional(SecretKinds) },
    closed,
  ),
  compile(settings, { node, report }) {
    try {
      return secretDetector(settings);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      report(node.at, 'secrets_none', '`except` takes out all kinds of secrets; leave one');
      return undefined;
    }
  },
});
