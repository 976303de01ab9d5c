/**
 * Reads one text for the signals of a table, unit by unit: what it finds depends on the text alone, never on how
 * it was cut. Words come from the trie; of every element of every pattern only the latest place where it was
 * reached is kept, so the work for a word is bounded by the patterns it is part of, and nothing grows with the text.
 */
import {
  isAsciiLetter,
  isHigh,
  isInvisible,
  isLow,
  isSpaceUnit,
  isWordPair,
} from './characters.ts';
import { foldedLookOf, foldPair, foldsAsPair, isMark, SKIPPED } from './look-alikes.ts';
import {
  childOf,
  isJoiner,
  isLetterUnit,
  isUnspaced,
  JOINERS_MAX,
  PREFIX_UNITS_MAX,
  SKIPPED_MAX,
  SPACE,
} from './signal-lexicon.ts';
import { GAP_UNITS_MAX, type SignalTable } from './signals.ts';

/** A signal in the text. Words count from 1; the end of a sentence counts as some, see `SENTENCE_WORDS`. */
export interface Sighting {
  readonly signal: number;
  readonly start: number;
  readonly end: number;
  readonly startWord: number;
  readonly endWord: number;
  /** It stands in quotes or in code. */
  readonly quoted: boolean;
  /** Not long before it, the text speaks about such texts. */
  readonly mentioned: boolean;
}

/** What the end of a sentence, and an empty line, are worth in words: patterns seldom reach over them. */
const SENTENCE_WORDS = 2;
const PARAGRAPH_WORDS = 6;
/** How far before a signal a mention counts, in words. */
const MENTION_WORDS = 24;
/** A quote that has not ended by then was none. */
const QUOTE_UNITS_MAX = 400;

const NOTHING_LIVE = Number.POSITIVE_INFINITY;
const NEWLINE = 0x0a;
const SENTENCE_ENDS = new Set([...'.!?…;。！？；'].map((one) => one.charCodeAt(0)));
const QUOTES_OPEN = new Set([...'“„«‹「『‘'].map((one) => one.charCodeAt(0)));
const QUOTES_CLOSE = new Set([...'”»›」』’'].map((one) => one.charCodeAt(0)));
const QUOTES_BOTH = new Set([0x22, 0x60, 0xff02]);
const APOSTROPHE = 0x27;
/** Opens a quote in English and closes one in German. */
const GERMAN_CLOSE = 0x201c;

/** Words of the lexicon that begin at one place. */
interface Thread {
  readonly start: number;
  readonly word: number;
  node: number;
  joiners: number;
  skipped: number;
  /** Classes that count if the word ends here. */
  ending: readonly number[] | undefined;
  /** Classes that count wherever the word ends. */
  open: readonly number[] | undefined;
  openUnits: number;
  end: number;
  endWord: number;
}

/** How far a pattern has been met. */
interface Reached {
  /** The last word so far, and the first. */
  readonly word: number;
  readonly firstWord: number;
  readonly start: number;
  readonly end: number;
}

export class SignalReader {
  private readonly table: SignalTable;
  private readonly see: (sighting: Sighting) => void;
  private threads: Thread[] = [];
  /** By state: its latest hit. Most texts have few: what none is reached of takes no room. */
  private readonly reached = new Map<number, Reached>();
  /** States that may still be gone on from. */
  private readonly open = new Set<number>();

  private high = -1;
  private afterWord = false;
  private words = 0;
  private newlines = 0;
  private mentionedAt = Number.NEGATIVE_INFINITY;
  private quoteFrom = -1;
  private closedFrom = -1;
  private closedTo = -1;

  constructor(table: SignalTable, see: (sighting: Sighting) => void) {
    this.table = table;
    this.see = see;
  }

  /** Words so far. */
  get wordCount(): number {
    return this.words;
  }

  /** Reads the unit at position `at`. */
  step(unit: number, at: number): void {
    // The rest of a word that is none of ours.
    if (this.afterWord && this.threads.length === 0 && this.high === -1 && isAsciiLetter(unit))
      return;
    if (this.high !== -1) {
      const high = this.high;
      this.high = -1;
      if (isLow(unit)) {
        this.pair(high, unit, at - 1);
        return;
      }
      this.character(high, false, false, at - 1, at);
    }
    if (isHigh(unit)) {
      this.high = unit;
      return;
    }
    if (isMark(unit) || (isInvisible(unit) && !isSpaceUnit(unit))) {
      this.skip(1);
      return;
    }
    this.character(foldedLookOf(unit), isLetterUnit(unit), isUnspaced(unit), at, at + 1);
  }

  /** The text ends before `at`. */
  end(at: number): void {
    if (this.high !== -1) this.character(this.high, false, false, at - 1, at);
    this.high = -1;
    for (const thread of this.threads) this.endWordOf(thread);
    this.threads = [];
    this.open.clear();
  }

  /** Smallest start of a signal that is not yet complete; `next` is the position of the next unit. */
  liveStart(next: number): number {
    let live = this.high !== -1 && foldsAsPair(this.high) ? next - 1 : NOTHING_LIVE;
    let firstWord = this.words + 1;
    let firstStart = next;
    for (const thread of this.threads) {
      live = Math.min(live, thread.start);
      firstWord = Math.min(firstWord, thread.word);
      firstStart = Math.min(firstStart, thread.start);
    }
    for (const state of this.open) {
      const { gapWords } = this.table.states[state + 1]!;
      const { word, start, end } = this.reached.get(state)!;
      if (firstWord - word - 1 <= gapWords && firstStart - end <= GAP_UNITS_MAX)
        live = Math.min(live, start);
      else this.open.delete(state);
    }
    return live;
  }

  private pair(high: number, low: number, at: number): void {
    const folded = foldPair(foldedLookOf, high, low);
    if (folded === SKIPPED) {
      this.skip(2);
      return;
    }
    const word = folded >= 0 ? isLetterUnit(folded) : isWordPair(high, low);
    this.character(folded >= 0 ? folded : high, word, false, at, at + 2);
  }

  private skip(units: number): void {
    const { threads } = this;
    if (threads.length === 0) return;
    this.threads = threads.filter((thread) => {
      thread.skipped += units;
      return thread.skipped <= SKIPPED_MAX;
    });
  }

  private character(
    folded: number,
    word: boolean,
    unspaced: boolean,
    at: number,
    next: number,
  ): void {
    const begins = word && (unspaced || !this.afterWord);
    if (begins) this.words++;
    if (this.threads.length > 0) this.goOn(folded, word && !unspaced, next);
    if (word) {
      if (begins) this.begin(folded, unspaced, at, next);
      this.newlines = 0;
    } else {
      this.punctuation(folded, at);
      this.begin(folded, false, at, next);
    }
    this.afterWord = word && !unspaced;
  }

  private punctuation(unit: number, at: number): void {
    if (unit === NEWLINE) {
      this.newlines++;
      if (this.newlines === 2) {
        this.words += PARAGRAPH_WORDS;
        this.quoteFrom = -1;
      }
      return;
    }
    if (isSpaceUnit(unit)) return;
    this.newlines = 0;
    if (SENTENCE_ENDS.has(unit)) this.words += SENTENCE_WORDS;
    if (this.quoteFrom !== -1 && at - this.quoteFrom > QUOTE_UNITS_MAX) this.quoteFrom = -1;
    if (QUOTES_OPEN.has(unit) && (unit !== GERMAN_CLOSE || this.quoteFrom === -1))
      this.quoteFrom = at;
    else if (unit === GERMAN_CLOSE) this.closeQuote(at);
    else if (QUOTES_CLOSE.has(unit)) this.closeQuote(at);
    else if (QUOTES_BOTH.has(unit) || (unit === APOSTROPHE && !this.afterWord)) {
      if (this.quoteFrom === -1) this.quoteFrom = at;
      else this.closeQuote(at);
    } else if (unit === APOSTROPHE && this.quoteFrom !== -1) this.closeQuote(at);
  }

  private closeQuote(at: number): void {
    if (this.quoteFrom === -1) return;
    this.closedFrom = this.quoteFrom;
    this.closedTo = at;
    this.quoteFrom = -1;
  }

  private begin(folded: number, unspaced: boolean, at: number, next: number): void {
    const { lexicon } = this.table;
    if (folded < 128 && lexicon.begins[folded] === 0) return;
    const node = childOf(lexicon, 0, folded);
    if (node === -1) return;
    const thread: Thread = {
      start: at,
      word: this.words,
      node,
      joiners: 0,
      skipped: 0,
      ending: undefined,
      open: undefined,
      openUnits: 0,
      end: next,
      endWord: this.words,
    };
    this.enter(thread, unspaced || !isLetterUnit(folded), next);
    this.threads.push(thread);
  }

  private goOn(folded: number, letter: boolean, next: number): void {
    const { threads, table } = this;
    let kept = 0;
    // Those that began first tell first.
    for (let index = 0; index < threads.length; index++) {
      const thread = threads[index] as Thread;
      if (!letter) this.endWordOf(thread);
      else {
        thread.ending = undefined;
        if (thread.open !== undefined && ++thread.openUnits > PREFIX_UNITS_MAX)
          thread.open = undefined;
      }
      if (thread.node !== -1) {
        const joiner = isJoiner(folded);
        if (joiner && thread.joiners > 0) {
          if (++thread.joiners > JOINERS_MAX) thread.node = -1;
        } else {
          thread.node = childOf(table.lexicon, thread.node, joiner ? SPACE : folded);
          thread.joiners = joiner && thread.node !== -1 ? 1 : 0;
          if (thread.node !== -1 && !joiner) this.enter(thread, !letter, next);
        }
      }
      if (thread.open !== undefined && letter) thread.end = next;
      if (thread.node !== -1 || thread.open !== undefined || thread.ending !== undefined)
        threads[kept++] = thread;
    }
    threads.length = kept;
  }

  /** The thread has come to its node; `whole`: a word may end here whatever follows. */
  private enter(thread: Thread, whole: boolean, next: number): void {
    const { ends, prefixes } = this.table.lexicon;
    const { node } = thread;
    thread.endWord = this.words;
    const classes = ends[node];
    if (classes !== undefined) {
      thread.end = next;
      if (whole) this.hit(classes, thread);
      else thread.ending = classes;
    }
    const begun = prefixes[node];
    if (begun !== undefined) {
      thread.open = thread.open === undefined ? begun : [...thread.open, ...begun];
      thread.openUnits = 0;
      thread.end = next;
      if (whole) this.endWordOf(thread);
    }
  }

  private endWordOf(thread: Thread): void {
    if (thread.ending !== undefined) this.hit(thread.ending, thread);
    if (thread.open !== undefined) this.hit(thread.open, thread);
    thread.ending = undefined;
    thread.open = undefined;
  }

  private hit(classes: readonly number[], thread: Thread): void {
    const { table } = this;
    for (const id of classes) {
      if (id === table.mention) this.mentionedAt = thread.endWord;
      const states = table.statesOf[id] as readonly number[];
      // Later elements first: one word is not two elements of a pattern.
      for (let index = states.length - 1; index >= 0; index--)
        this.reach(states[index] as number, thread);
    }
  }

  private reach(state: number, thread: Thread): void {
    const { gapWords, first, last, signal } = this.table.states[state]!;
    let { start, word } = thread;
    if (!first) {
      const before = this.reached.get(state - 1);
      if (before === undefined || word - before.word - 1 > gapWords) return;
      const units = start - before.end;
      if (units < 0 || units > GAP_UNITS_MAX) return;
      start = before.start;
      word = before.firstWord;
    }
    if (last) {
      this.see({
        signal,
        start,
        end: thread.end,
        startWord: word,
        endWord: thread.endWord,
        quoted: this.isQuoted(start),
        mentioned: word - this.mentionedAt <= MENTION_WORDS,
      });
      return;
    }
    this.reached.set(state, { word: thread.endWord, start, end: thread.end, firstWord: word });
    this.open.add(state);
  }

  private isQuoted(start: number): boolean {
    if (this.quoteFrom !== -1 && this.quoteFrom <= start)
      return start - this.quoteFrom <= QUOTE_UNITS_MAX;
    return this.closedFrom !== -1 && this.closedFrom <= start && start < this.closedTo;
  }
}
