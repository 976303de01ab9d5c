/**
 * What the signals of a text come to. Evidence is `-ln(1 - weight)`, so that adding evidence is noisy-or:
 * independent signals of .5 and .5 make .75. What says the same again counts less: a signal that is there many times
 * counts once, and inside a family the strongest counts whole, the next half, the one after it a quarter. And it fades: words that stand far apart in a long
 * text do not add up as if they stood together.
 */
import { scoreOf } from './signals.ts';

/** After so many words a signal counts half. */
export const HALF_LIFE_WORDS = 400;
/** Signals of one text that are kept: with each of them worth less the farther back it stands. */
export const SIGNALS_KEPT_MAX = 32;
/** What the second strongest of a family counts of its evidence, and so on. */
export const FAMILY_DAMPING = 0.5;

/** One signal as a finding tells it: never the text. Offsets are units of the text. */
export interface SignalSeen {
  readonly id: string;
  /** 0..1, as it counted: by who wrote the text, and less in quotes or where such texts are spoken about. */
  readonly weight: number;
  readonly start: number;
  readonly end: number;
}

interface Kept extends SignalSeen {
  readonly signal: number;
  readonly family: number;
  readonly evidence: number;
  readonly word: number;
}

export class SignalScore {
  private kept: Kept[] = [];
  private readonly halfLifeWords: number;

  constructor(halfLifeWords: number = HALF_LIFE_WORDS) {
    this.halfLifeWords = halfLifeWords;
  }

  /** Adds a signal that ends at word `word`; returns the evidence of the text up to there. */
  add(seen: Omit<Kept, 'weight'>): number {
    const { id, signal, family, evidence, start, end, word } = seen;
    const weight = rounded(scoreOf(evidence));
    this.kept.push({ id, signal, family, evidence, weight, start, end, word });
    if (this.kept.length > SIGNALS_KEPT_MAX) this.kept.shift();
    return this.at(word);
  }

  /** What counts now, in order of the text. */
  get seen(): readonly SignalSeen[] {
    return this.kept.map(({ id, weight, start, end }) => ({ id, weight, start, end }));
  }

  private at(word: number): number {
    const strongest = new Map<number, { family: number; evidence: number }>();
    for (const { signal, family, evidence, word: then } of this.kept) {
      const left = evidence * 2 ** ((then - word) / this.halfLifeWords);
      if (left > (strongest.get(signal)?.evidence ?? 0))
        strongest.set(signal, { family, evidence: left });
    }
    const now = [...strongest.values()];
    now.sort((a, b) => a.family - b.family || b.evidence - a.evidence);
    let total = 0;
    let factor = 1;
    now.forEach(({ family, evidence }, index) => {
      factor = now[index - 1]?.family === family ? factor * FAMILY_DAMPING : 1;
      total += evidence * factor;
    });
    return total;
  }
}

export const rounded = (weight: number): number => Math.round(weight * 1_000) / 1_000;
