/**
 * Million UTF-16 units a second that the matcher takes: `npx tsx load-tests/match.ts [million units] [part of a
 * set's name]`. Matches and the safe point after every piece included; CPU time, median of three warm runs.
 */
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

/** `told` now and then, so that there is about one match in a thousand units. */
function prose(units: number, told: readonly string[]): string {
  const words: string[] = [];
  for (let length = 0; length < units; ) {
    const dice = pick(400);
    const other = ['bob@acme.example', '4111 1111 1111 1111', told[pick(told.length)] as string];
    const next = dice < 3 ? (other[dice] as string) : word();
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

/** Names of two or three words: about as long as products and people are. */
function names(count: number): string[] {
  const made = new Set<string>();
  while (made.size < count)
    made.add(
      Array.from({ length: 2 + pick(2) }, () => `${word()}${word()}`.slice(0, 12)).join(' '),
    );
  return [...made];
}

const PREFIXES = ['sk-', 'ghp_', 'AKIA', 'xoxb-', 'AIza', 'glpat-', 'npm_', 'hf_', 'key-', 'rk_'];
const patterns = [
  ...PREFIXES.map((prefix) => `\\b${prefix}[A-Za-z0-9]{20,48}`),
  ...PREFIXES.map((prefix) => `(?i)${prefix}[a-z]{3}[0-9a-f]{16}\\b`),
  ...Array.from({ length: 10 }, (_, index) => `\\b[A-Z]{2}${index}\\d{2}[ -]?\\d{4}[ -]?\\d{4}\\b`),
  ...Array.from({ length: 10 }, () => `(?i)\\b${word()}${word()}(?:ing|ed|s)?\\b`),
  ...Array.from({ length: 5 }, () => `(?i)${word()}\\s+(?:of|for|the)\\s+${word()}x`),
  '\\b\\d{1,3}\\.\\d{1,3}\\.\\d{1,3}\\.\\d{1,3}\\b',
  '\\b\\d{3}-\\d{2}-\\d{4}\\b',
  '-----BEGIN [A-Z ]{1,30}KEY-----',
  '\\beyJ[A-Za-z0-9_-]{10,60}\\.[A-Za-z0-9_-]{10,60}',
  '(?i)password\\s{0,3}[:=]\\s{0,3}\\S{6,40}',
];

const began = process.cpuUsage();
const thousand = names(1_000);
const keywords = keywordDetector({ words: thousand });
const compiledKeywords = process.cpuUsage(began).user / 1_000;
const many = keywordDetector({ words: names(10_000) });
const pii = piiDetector({ entities: ['email', 'credit_card'] });
const expressions = patterns.map(regex);
const compiled = process.cpuUsage(began).user / 1_000;
const sets: Readonly<Record<string, readonly Detector[]>> = {
  '1,000 keywords': [keywords],
  '10,000 keywords': [many],
  'e-mail and card': [pii],
  '45 expressions': expressions,
  everything: [keywords, pii, ...expressions],
};

function run(detectors: readonly Detector[], text: string, piece: number): [number, number] {
  const scanner = new TextScanner(detectors.map((detector, rule) => ({ rule, detector })));
  const parts: string[] = [];
  for (let at = 0; at < text.length; at += piece) parts.push(text.slice(at, at + piece));
  // CPU and not the clock: others may work on this machine.
  const before = process.cpuUsage();
  let matches = 0;
  for (const part of parts) {
    scanner.push(part);
    matches += scanner.takeMatches().length;
  }
  return [text.length / process.cpuUsage(before).user, matches];
}

const print = (line: string): void => void process.stdout.write(`${line}\n`);

function measure(name: string, detectors: readonly Detector[], text: string, piece: number): void {
  run(detectors, text, piece);
  const runs = [1, 2, 3].map(() => run(detectors, text, piece)).sort((a, b) => a[0] - b[0]);
  const [speed, matches] = runs[1] as [number, number];
  print(`${name}, pieces of ${piece}: ${speed.toFixed(1)} MB/s, ${matches} matches`);
}

const text = prose(Number(process.argv[2] ?? 2) * MILLION, thousand);
const wanted = process.argv[3] ?? '';
print(
  `compiled 1,000 keywords in ${compiledKeywords.toFixed(0)} ms, all in ${compiled.toFixed(0)} ms`,
);
for (const [name, detectors] of Object.entries(sets))
  for (const piece of [65_536, 1_024, 8])
    if (name.includes(wanted)) measure(name, detectors, text, piece);

const FLOOD_UNITS = 300_000;
const flood = (unit: string): string => unit.repeat(FLOOD_UNITS / unit.length);
const random = (letters: string): string =>
  Array.from({ length: FLOOD_UNITS }, () => letters[(pick(65_536) >> 8) % letters.length]).join('');
const capped = (pattern: string, maxMatchBytes: number): Detector => {
  const made = regexDetector({ pattern, maxMatchBytes });
  if (!made.ok) throw new Error(made.message);
  return made.detector;
};
const { everything } = sets as { readonly everything: readonly Detector[] };
const floods: Readonly<Record<string, readonly [string, readonly Detector[]]>> = {
  'one letter': [flood('a'), everything],
  digits: [flood('4'), everything],
  'hexadecimal digits': [flood('0123456789abcdef'), everything],
  'prefixes of secrets': [flood('sk-proj-'), everything],
  'addresses without an end': [flood('a@a@'), everything],
  addresses: [flood('bob@acme.example '), everything],
  'parts of keywords': [flood(`${thousand[0]} ${thousand[1]} `.slice(0, -3)), everything],
  'keywords without an end': [flood(`${thousand[0]} ${thousand[1]} `), everything],
  'letters with marks': [flood('a\u0301\u200b'), everything],
  'passwords without an end': [flood('password:'), everything],
  'a start that lives for 8,192 units': [flood('a'), [capped('[a-z]+!', 8_192)]],
  'matches that might be longer': [flood('a'), [capped('a|a[a-z]*!', 256)]],
  'more states than can be kept': [random('ab'), [regex('a[ab]{20}c')]],
};
for (const [name, [units, detectors]] of Object.entries(floods))
  for (const piece of [65_536, 64])
    if (`floods: ${name}`.includes(wanted)) measure(`flood of ${name}`, detectors, units, piece);
