/**
 * Signals: what a text says that speaks for something, each with a weight. A signal is one or more patterns:
 * classes of words in this order, with a bounded number of other words between them. All signals of a detector
 * become one frozen table, which `signal-reader.ts` runs over a text.
 *
 * A pattern is written as words and gaps: `@override ~3 @prior ~2 @orders`. `@name` is a class, `~3` lets up to
 * three words stand in between (none without it), anything else stands for itself; words that follow each other
 * are one phrase. A word that ends in `*` stands for all that begin like it.
 */
import { buildLexicon, type Lexicon } from './signal-lexicon.ts';

/** How much the one who wrote a text is trusted to give orders: `user` most. */
export type Trust = 'user' | 'tool_result' | 'retrieved';

export interface SignalSpec {
  /** `family.name`: what a finding says. */
  readonly id: string;
  /** 0..1: how sure this alone makes one that a user's text is what the detector looks for. */
  readonly weight: number;
  /** The same in a text of a third party; without it, `OTHERS_TRUST` says by how much more it counts there. */
  readonly fromOthers?: number;
  readonly patterns?: readonly string[];
  /** Or words each of which is one, just as they are. */
  readonly words?: readonly string[];
}

/** Names of classes and their words: `a|b c|d*`, or a list where `|` is part of a word. */
export type WordClasses = Readonly<Record<string, string | readonly string[]>>;

export interface Signal {
  readonly id: string;
  readonly family: number;
  /** `-ln(1 - weight)` by who wrote the text: evidence adds up where probabilities would not. */
  readonly evidence: Readonly<Record<Trust, number>>;
}

/** One element of one pattern. */
export interface SignalState {
  readonly signal: number;
  /** Words that may stand between the element before and this one. */
  readonly gapWords: number;
  readonly first: boolean;
  readonly last: boolean;
}

export interface SignalTable {
  readonly signals: readonly Signal[];
  readonly lexicon: Lexicon;
  /** Elements of all patterns; those of one pattern follow each other. */
  readonly states: readonly SignalState[];
  /** Class → the states that it brings on. */
  readonly statesOf: readonly (readonly number[])[];
  /** Class whose words say that something is spoken about, not said; -1 for none. */
  readonly mention: number;
  /** Most units from the start of a signal to its end. */
  readonly unitsMax: number;
  /** Estimated. */
  readonly bytes: number;
}

/** How much more than a user's a third party's words count, as evidence (SEMANTICS: user < tool_result < retrieved). */
export const OTHERS_TRUST = 1.5;
export const RETRIEVED_TRUST = 1.2;

/** Most words between two elements of a pattern, and most units: what a live prefix can hold back. */
export const GAP_WORDS_MAX = 20;
export const GAP_UNITS_MAX = 96;

/** Words that the built-in signals use for "spoken about, not said". */
export const MENTION = 'mention';

export const evidenceOf = (weight: number): number => -Math.log1p(-weight);
export const scoreOf = (evidence: number): number => -Math.expm1(-evidence);

interface Element {
  readonly words: readonly string[];
  readonly gapWords: number;
}

const wordsOf = (words: string | readonly string[]): readonly string[] =>
  typeof words === 'string' ? words.split('|') : words;

const NAMES_CLASS = /^@\w+$/;
const NO_LETTER = /^[^\p{L}\p{N}*]+$/u;
/** `<|name|>` and the like are one word. */
const IS_MARKER = /^[<[{]/;

function classWords(name: string, classes: WordClasses): readonly string[] {
  const words = classes[name.slice(1)];
  if (words === undefined) throw new Error(`no class ${name}`);
  return wordsOf(words);
}

const choices = (phrase: string, classes: WordClasses): readonly string[] =>
  IS_MARKER.test(phrase)
    ? [phrase]
    : phrase
        .split('|')
        .flatMap((one) => (NAMES_CLASS.test(one) ? classWords(one, classes) : [one]));

/** Throws Error for a pattern that names no class: patterns are ours, not an author's. */
function elementsOf(pattern: string, classes: WordClasses): readonly Element[] {
  const elements: Element[] = [];
  let phrase: string[] = [];
  let gapWords = 0;
  const add = (words: readonly string[]): void => {
    elements.push({ words, gapWords });
    gapWords = 0;
  };
  const close = (): void => {
    if (phrase.length > 0) add(choices(phrase.join(' '), classes));
    phrase = [];
  };
  for (const word of pattern.split(' ')) {
    const gap = /^~(\d+)$/.exec(word);
    const alone = NAMES_CLASS.test(word) || NO_LETTER.test(word);
    if (gap !== null || alone) close();
    if (gap !== null) gapWords = Number(gap[1]);
    else if (NAMES_CLASS.test(word)) add(classWords(word, classes));
    else if (alone) add([word]);
    else phrase.push(word);
  }
  close();
  return elements;
}

const BYTES_PER_STATE = 96;

/** Cost: once for each table, linear in its words. */
export function buildSignals(specs: readonly SignalSpec[], classes: WordClasses): SignalTable {
  const families: string[] = [];
  const states: SignalState[] = [];
  const statesOf: number[][] = [];
  const entries: { word: string; class: number }[] = [];
  const known = new Map<string, number>();
  const classOf = (words: readonly string[]): number => {
    const key = words.join('\n');
    const old = known.get(key);
    if (old !== undefined) return old;
    const id = statesOf.length;
    known.set(key, id);
    statesOf.push([]);
    for (const word of words) entries.push({ word, class: id });
    return id;
  };
  let elementsMax = 1;
  const signals = specs.map((spec, signal): Signal => {
    const patterns = (spec.patterns ?? []).map((pattern) => elementsOf(pattern, classes));
    if (spec.words !== undefined) patterns.push([{ words: spec.words, gapWords: 0 }]);
    for (const elements of patterns) {
      elementsMax = Math.max(elementsMax, elements.length);
      elements.forEach(({ words, gapWords }, index) => {
        if (gapWords > GAP_WORDS_MAX) throw new Error(`too wide a gap in ${spec.id}`);
        statesOf[classOf(words)]?.push(states.length);
        const last = index === elements.length - 1;
        states.push({ signal, gapWords, first: index === 0, last });
      });
    }
    // Patterns say one thing in many ways; words are as many things.
    const family = spec.words === undefined ? spec.id.slice(0, spec.id.indexOf('.')) : `${signal}`;
    if (!families.includes(family)) families.push(family);
    const user = evidenceOf(spec.weight);
    const others =
      spec.fromOthers === undefined ? user * OTHERS_TRUST : evidenceOf(spec.fromOthers);
    return {
      id: spec.id,
      family: families.indexOf(family),
      evidence: { user, tool_result: others, retrieved: others * RETRIEVED_TRUST },
    };
  });
  const mention = classes[MENTION] === undefined ? -1 : classOf(wordsOf(classes[MENTION]));
  const lexicon = buildLexicon(entries);
  return Object.freeze({
    signals,
    lexicon,
    states,
    statesOf,
    mention,
    unitsMax: elementsMax * lexicon.unitsMax + (elementsMax - 1) * GAP_UNITS_MAX,
    bytes: lexicon.bytes + states.length * BYTES_PER_STATE,
  });
}
