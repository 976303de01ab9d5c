/**
 * The functions that expressions may call: CEL's standard ones. `double` and `int` of a text are stricter than the
 * library's, and than CEL in one point: a text that says "NaN" or "Infinity" is no number, since a fact that a
 * client may write must not make every comparison false.
 */
import { type CelEnv, CelScalar, celEnv, celFunc } from '@bufbuild/cel';
import { patternOf } from './cel-patterns.ts';
import { CALENDAR } from './cel-time.ts';

const CEL_NUMBER = /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/;
const CEL_INTEGER = /^[+-]?\d+$/;

/** The library reads '' as 0, which would turn an absent fact into a number. CEL says: an error. */
function decimal(text: string, form: RegExp): string {
  if (!form.test(text)) throw new Error('text is no number');
  return text;
}

export const CEL_ENVIRONMENT: CelEnv = celEnv({
  re2: { compile: patternOf },
  funcs: [
    ...CALENDAR,
    celFunc('double', [CelScalar.STRING], CelScalar.DOUBLE, (text) =>
      Number(decimal(text, CEL_NUMBER)),
    ),
    celFunc('int', [CelScalar.STRING], CelScalar.INT, (text) => {
      const value = BigInt(decimal(text, CEL_INTEGER).replace(/^\+/, ''));
      if (BigInt.asIntN(64, value) !== value) throw new Error('number out of range');
      return value;
    }),
  ],
});
