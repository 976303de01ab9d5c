/** Million UTF-16 units a second that the matcher takes of prose: `npx tsx load-tests/match.ts [million units]`. */
import type { Detector } from '../src/match/detector.ts';
import { keywordDetector } from '../src/match/keywords.ts';
import { piiDetector } from '../src/match/pii.ts';
import { regexDetector } from '../src/match/regex.ts';
import { TextScanner } from '../src/match/scanner.ts';

const SYLLABLES = 'an ber con de est for ing la men no per qua ri sol tor un ver wi zen al'.split(
  ' ',
);
const MILLION = 1_000_000;

/** A small linear congruential generator (Numerical Recipes' constants): the same prose every time. */
function* numbers(seed: number): Generator<number, never> {
  for (let state = seed; ; ) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    yield state >>> 8;
  }
}

const source = numbers(7);
const pick = (count: number): number => source.next().value % count;
const word = (): string =>
  Array.from({ length: 1 + pick(3) }, () => SYLLABLES[pick(SYLLABLES.length)]).join('');

function prose(units: number): string {
  const words: string[] = [];
  for (let length = 0; length < units; ) {
    const dice = pick(2_000);
    const next = dice === 0 ? 'bob@acme.example' : dice === 1 ? '4111 1111 1111 1111' : word();
    words.push(pick(12) === 0 ? `${next}.` : next);
    length += next.length + 1;
  }
  return words.join(' ');
}

function regex(pattern: string): Detector {
  const made = regexDetector({ pattern });
  if (!made.ok) throw new Error(made.message);
  return made.detector;
}

const keywords = keywordDetector({
  words: Array.from({ length: 100 }, () => `${word()} ${word()}`),
});
const pii = piiDetector({ entities: ['email', 'credit_card'] });
const secret = regex('sk-[A-Za-z0-9]{20,48}');
const sets: Readonly<Record<string, readonly Detector[]>> = {
  '100 keywords': [keywords],
  'e-mail and card': [pii],
  'one expression': [secret],
  '100 keywords, e-mail, card': [keywords, pii],
  '100 keywords, e-mail, card, one expression': [keywords, pii, secret],
};

const text = prose(Number(process.argv[2] ?? 2) * MILLION);
for (const [name, detectors] of Object.entries(sets))
  for (const piece of [4_096, 8]) {
    const scanner = new TextScanner(detectors.map((detector, rule) => ({ rule, detector })));
    // CPU and not the clock: others may work on this machine.
    const began = process.cpuUsage();
    let matches = 0;
    for (let at = 0; at < text.length; at += piece) {
      scanner.push(text.slice(at, at + piece));
      matches += scanner.takeMatches().length;
    }
    const seconds = process.cpuUsage(began).user / MILLION;
    const speed = (text.length / MILLION / seconds).toFixed(1);
    process.stdout.write(`${name}, pieces of ${piece}: ${speed} MB/s, ${matches} matches\n`);
  }
