import { Type } from 'typebox';
import { closed } from '../schema-parts.ts';
import { actionKind } from './kind.ts';

export const REDACT = actionKind({
  schema: Type.Object({}, { ...closed, 'x-later': ['reversible', 'ttl'] }),
  needsMatch: true,
  compile: () => ({ kind: 'redact' }),
});
