/**
 * Keywords: one partition for all words and aliases of a rule, leftmost, then longest. Whole words unless
 * `substring`: at an edge of a keyword that is itself a word character, no word character may be its
 * neighbour; an edge that is not (`B.A.`) needs nothing. Case is folded as `foldUnit` says unless
 * `caseSensitive`. A space in a keyword stands for 1 to 8 units of any white space.
 */
import { isHigh, isLow, isSpaceUnit, isWordPair, isWordUnit } from './characters.ts';
import type { Detector, MatchSink, Tracker } from './detector.ts';
import {
  BEGINS_ANYWHERE,
  BEGINS_AT_EDGE,
  buildTrie,
  ENDS,
  IS_WORD,
  type KeywordTrie,
  NEEDS_BOUNDARY,
  NO_NODE,
  SPACE,
  SPACE_RUN_MAX,
} from './keyword-trie.ts';
import { matchesIn } from './whole-text.ts';

export interface KeywordOptions {
  readonly words: readonly string[];
  /** Other spellings of a word; its key need not be among `words`. */
  readonly aliases?: Readonly<Record<string, readonly string[]>>;
  readonly substring?: boolean;
  readonly caseSensitive?: boolean;
}

const LABEL = 'KEYWORD';
const BYTES_PER_NODE = 40;

/** Everything known about the keywords that begin at one place. */
interface Thread {
  readonly start: number;
  /** A word character stands before the start, so only keywords that do not mind remain. */
  readonly afterWord: boolean;
  /** Where in the trie, or NO_NODE when no keyword can go on. */
  node: number;
  /** White-space units consumed by the space that `node` is. */
  spaces: number;
  /** An end that counts if what follows is no word character; 0 for none. */
  unsureEnd: number;
  /** The longest end that counts; 0 for none. */
  end: number;
}

class KeywordTracker implements Tracker {
  liveStart = Number.POSITIVE_INFINITY;
  /** Threads advanced so far: the cost, for tests of linearity. */
  work = 0;
  private readonly trie: KeywordTrie;
  private threads: Thread[] = [];
  private from = 0;
  private previous = -1;
  /** Whether the character that ends before the next unit is part of a word. */
  private afterWord = false;

  constructor(trie: KeywordTrie) {
    this.trie = trie;
  }

  step(unit: number, at: number, sink: MatchSink): void {
    const { previous, threads } = this;
    const paired = isLow(unit) && previous >= 0 && isHigh(previous);
    const word = paired ? isWordPair(previous, unit) : isWordUnit(unit);
    if (threads.length > 0) {
      this.work += threads.length;
      for (const thread of threads) {
        if (thread.unsureEnd > 0) this.settleEnd(thread, unit, at, word);
        if (thread.node !== NO_NODE) this.advance(thread, unit, at + 1);
      }
    }
    // Between the two halves of a character nothing begins.
    if (!paired) this.begin(unit, at);
    this.previous = unit;
    this.afterWord = word;
    if (this.threads.length > 0) this.decide(sink);
  }

  /** Over ASCII with which no keyword begins, or none inside of a word. */
  skip(units: Uint16Array, from: number, to: number): number {
    const { ascii } = this.trie;
    let word = this.afterWord;
    let index = from;
    for (; index < to; index++) {
      const roles = ascii[units[index] as number];
      if (roles === undefined || (roles & BEGINS_ANYWHERE) !== 0) break;
      if ((roles & BEGINS_AT_EDGE) !== 0 && !word) break;
      word = (roles & IS_WORD) !== 0;
    }
    if (index > from) {
      this.previous = units[index - 1] as number;
      this.afterWord = word;
    }
    return index;
  }

  end(_at: number, sink: MatchSink): void {
    for (const thread of this.threads) {
      if (thread.unsureEnd > 0) thread.end = thread.unsureEnd;
      thread.unsureEnd = 0;
      thread.node = NO_NODE;
    }
    this.decide(sink);
  }

  /** A high surrogate says nothing yet: the end waits for the unit that completes the character. */
  private settleEnd(thread: Thread, unit: number, at: number, word: boolean): void {
    const waited = thread.unsureEnd < at;
    if (!waited && isHigh(unit)) return;
    const followed = waited ? isLow(unit) && word : word;
    if (!followed) thread.end = thread.unsureEnd;
    thread.unsureEnd = 0;
  }

  private advance(thread: Thread, unit: number, next: number): void {
    const { trie } = this;
    const space = isSpaceUnit(unit);
    if (space && trie.unit[thread.node] === SPACE) {
      thread.spaces++;
      if (thread.spaces > SPACE_RUN_MAX) thread.node = NO_NODE;
      return;
    }
    const folded = space ? SPACE : trie.fold(unit);
    let node = trie.child[thread.node] as number;
    while (node !== NO_NODE && trie.unit[node] !== folded) node = trie.sibling[node] as number;
    this.enter(thread, node, next);
  }

  private enter(thread: Thread, node: number, next: number): void {
    const { trie } = this;
    if (node === NO_NODE || (thread.afterWord && !trie.free[node])) {
      thread.node = NO_NODE;
      return;
    }
    const terminal = trie.terminal[node] as number;
    if ((terminal & NEEDS_BOUNDARY) !== 0) thread.unsureEnd = next;
    else if ((terminal & ENDS) !== 0) thread.end = next;
    thread.node = trie.child[node] === NO_NODE ? NO_NODE : node;
    thread.spaces = 1;
  }

  private begin(unit: number, at: number): void {
    const node = this.trie.roots.get(this.trie.fold(unit));
    if (node === undefined || (this.afterWord && !this.trie.free[node])) return;
    const thread: Thread = {
      start: at,
      afterWord: this.afterWord,
      node: NO_NODE,
      spaces: 0,
      unsureEnd: 0,
      end: 0,
    };
    this.enter(thread, node, at + 1);
    this.threads.push(thread);
  }

  private decide(sink: MatchSink): void {
    let kept = 0;
    for (const thread of this.threads) {
      if (thread.start < this.from) continue;
      const live = thread.node !== NO_NODE || thread.unsureEnd > 0;
      if (live || (kept > 0 && thread.end > 0)) {
        this.threads[kept++] = thread;
      } else if (thread.end > 0) {
        this.from = thread.end;
        sink({ start: thread.start, end: thread.end, label: LABEL });
      }
    }
    // V8 takes its slow way to set a length, also to what it is.
    if (kept < this.threads.length) this.threads.length = kept;
    this.liveStart = this.threads[0]?.start ?? Number.POSITIVE_INFINITY;
  }
}

/**
 * Compiles keywords. Throws RangeError for a keyword that is empty, or white space only, or holds half of a
 * surrogate pair; the message never quotes it. Per unit it costs one step for each keyword prefix that is
 * live, never more than `unitsMax`.
 */
export function keywordDetector(options: KeywordOptions): Detector {
  const keywords = [...options.words, ...Object.values(options.aliases ?? {}).flat()];
  const trie = buildTrie(keywords, {
    substring: options.substring ?? false,
    caseSensitive: options.caseSensitive ?? false,
  });
  const start = (): readonly Tracker[] => [new KeywordTracker(trie)];
  return Object.freeze({
    kind: 'keywords' as const,
    unitsMax: trie.unitsMax,
    bytes: trie.unit.length * BYTES_PER_NODE,
    start,
    matches: (text: string) => matchesIn(start(), text).length > 0,
  });
}
