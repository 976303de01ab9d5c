/** Patterns that are asked whether a whole value has a match anywhere: RE2, in linear time. */
import { RE2JS } from 're2js';
import { refusedConstruct } from '../match/regex-refusals.ts';

export type LinearPattern =
  | { readonly ok: true; test(text: string): boolean }
  | { readonly ok: false; readonly message: string };

export function linearPattern(pattern: string): LinearPattern {
  if (refusedConstruct(pattern) !== undefined)
    return {
      ok: false,
      message:
        'it is not RE2: look-around, back-references and repeats beyond 1,000 are not taken; write it without',
    };
  try {
    const compiled = RE2JS.compile(pattern);
    return { ok: true, test: (text) => compiled.matcher(text).find() };
  } catch {
    return { ok: false, message: 'it is not RE2 syntax; correct the pattern' };
  }
}
