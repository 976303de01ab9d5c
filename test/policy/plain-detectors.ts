/** Detectors without automata: whole texts only, enough for what the compiler asks of them. */
import type { Detector } from '../../src/match/detector.ts';
import type { Detectors } from '../../src/policy/detectors.ts';

function detector(
  kind: Detector['kind'],
  matches: (text: string) => boolean,
  bytes: number,
  unitsMax?: number,
): Detector {
  return {
    kind,
    bytes,
    ...(unitsMax === undefined ? {} : { unitsMax }),
    matches,
    start: () => [],
  };
}

const PII = {
  email: /[\w.+-]+@[\w-]+(\.[\w-]+)+/,
  credit_card: /\b(?:\d[ -]?){13,19}\b/,
} as const;

export const PLAIN_DETECTORS: Detectors = {
  keywords({ words, aliases = {} }) {
    const all = [...words, ...Object.values(aliases).flat()].map((word) => word.toLowerCase());
    return detector(
      'keywords',
      (text) => all.some((word) => text.toLowerCase().includes(word)),
      all.join('').length,
      Math.max(...all.map((word) => word.length)),
    );
  },
  regex({ pattern, maxMatchBytes }) {
    try {
      const compiled = new RegExp(pattern);
      const unbounded = /[*+]|,\}/.test(pattern);
      return {
        ok: true,
        detector: detector(
          'regex',
          (text) => compiled.test(text),
          100,
          unbounded ? maxMatchBytes : pattern.length,
        ),
      };
    } catch {
      return { ok: false, code: 'regex_syntax', message: 'the pattern is not RE2; correct it' };
    }
  },
  pii({ entities }) {
    return detector('pii', (text) => entities.some((entity) => PII[entity].test(text)), 100, 320);
  },
  secrets({ kinds, except = [] }) {
    if (kinds?.every((kind) => except.includes(kind))) throw new RangeError('none is left');
    return detector('secrets', (text) => /ghp_\w{36}/.test(text), 100, 320);
  },
  invisible() {
    return detector('invisible', (text) => /\u200b/.test(text), 0, 64);
  },
};
