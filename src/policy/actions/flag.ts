import { Type } from 'typebox';
import { closed } from '../schema-parts.ts';
import { actionKind } from './kind.ts';

export const FLAG = actionKind({
  schema: Type.Object({}, closed),
  needsMatch: false,
  compile: () => ({ kind: 'flag' }),
});
