import { Type } from 'typebox';
import { INVISIBLE_CLASSES, invisibleDetector } from '../../match/invisible.ts';
import { closed, words } from '../schema-parts.ts';
import { matchKind } from './kind.ts';

export const INVISIBLE = matchKind({
  schema: Type.Object(
    { classes: Type.Optional(Type.Array(words(INVISIBLE_CLASSES), { minItems: 1 })) },
    closed,
  ),
  compile: (settings) => invisibleDetector(settings),
});
