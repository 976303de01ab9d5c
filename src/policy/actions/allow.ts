import { Type } from 'typebox';
import { closed } from '../schema-parts.ts';
import { actionKind } from './kind.ts';

export const ALLOW = actionKind({
  schema: Type.Object({}, closed),
  needsMatch: false,
  compile: () => ({ kind: 'allow' }),
});
