import { Type } from 'typebox';
import { closed } from '../schema-parts.ts';
import { actionKind } from './kind.ts';

export const REWRITE = actionKind({
  schema: Type.Object({ with: Type.String({ maxLength: 2_000 }) }, closed),
  example: 'then: { rewrite: { with: another text } }',
  needsMatch: true,
  text: (settings) => settings.with,
  compile: (settings) => ({ kind: 'rewrite', with: settings.with }),
});
