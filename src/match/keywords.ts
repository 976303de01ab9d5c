/**
 * Keywords: one partition for all words and aliases of a rule, leftmost, then longest. Whole words unless
 * `substring`: at an edge of a keyword that is itself a word character, no word character may be its
 * neighbour; an edge that is not (`B.A.`) needs nothing. What looks alike is the same (`look-alikes.ts`), as
 * is case unless `caseSensitive`; marks and invisible units inside of a match are skipped, 64 of them at
 * most. A unit that stands for several letters (`ﬃ`) is part of a match with all of them or not at all. A space in a keyword stands
 * for 1 to 8 units of any white space, of which the first may be a hyphen instead.
 */
import {
  isHigh,
  isLow,
  isSpaceUnit,
  isWordPair,
  isWordUnit,
  mayBeginWordPair,
} from './characters.ts';
import type { Consumption, Detector, MatchSink, Tracker } from './detector.ts';
import { keywordPart } from './keyword-part.ts';
import {
  BEGINS_ANYWHERE,
  BEGINS_AT_EDGE,
  buildTrie,
  childLike,
  childOf,
  ENDS,
  IS_WORD,
  isSkipped,
  type KeywordTrie,
  NEEDS_BOUNDARY,
  NO_NODE,
  nodeBehind,
  SKIPPED_MAX,
  SPACE,
  SPACE_RUN_MAX,
} from './keyword-trie.ts';
import {
  foldPair,
  foldsAsPair,
  isMark,
  lettersOf,
  lookOf,
  mayPairBeSkipped,
  mayPairLookLike,
  SKIPPED,
} from './look-alikes.ts';
import { matchesIn } from './whole-text.ts';

export interface KeywordOptions {
  readonly words: readonly string[];
  /** Other spellings of a word; its key need not be among `words`. */
  readonly aliases?: Readonly<Record<string, readonly string[]>>;
  readonly substring?: boolean;
  readonly caseSensitive?: boolean;
}

const LABEL = 'KEYWORD';
const BYTES_PER_NODE = 16;
const ROOT = 0;

const isSeenWordPair = (high: number, low: number): boolean =>
  isWordPair(high, low) && foldPair(lookOf, high, low) !== SKIPPED;

/** Everything known about the keywords that begin at one place. */
interface Thread {
  readonly start: number;
  /** Marks and invisible units consumed. */
  skipped: number;
  /** A high unit was consumed that means something only with its low one. */
  half: boolean;
  /** The unit after `unsureEnd` was a high one. */
  waits: boolean;
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
    const word = paired ? isSeenWordPair(previous, unit) : isWordUnit(unit);
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

  readLive(
    units: Uint16Array,
    from: number,
    least: number,
    to: number,
    at: number,
    sink: MatchSink,
    told: Consumption,
  ): number {
    let index = from;
    while (index < least || (index < to && this.liveStart !== Number.POSITIVE_INFINITY)) {
      told.consume(at + index - from + 1);
      this.step(units[index] as number, at + index - from, sink);
      index++;
    }
    return index;
  }

  resume(before: number, earlier: number): void {
    this.previous = before;
    this.afterWord =
      before >= 0 &&
      (isLow(before) && isHigh(earlier) ? isSeenWordPair(earlier, before) : isWordUnit(before));
  }

  end(_at: number, sink: MatchSink): void {
    for (const thread of this.threads) {
      if (thread.unsureEnd > 0) thread.end = thread.unsureEnd;
      thread.unsureEnd = 0;
      thread.node = NO_NODE;
    }
    this.decide(sink);
  }

  /** A high surrogate may say nothing yet: the end waits for the unit that completes the character. */
  private settleEnd(thread: Thread, unit: number, at: number, word: boolean): void {
    if (!thread.waits) {
      // What is skipped is no part of a word either.
      if (isHigh(unit) && !mayPairBeSkipped(unit) && mayBeginWordPair(unit)) {
        thread.waits = true;
        return;
      }
      if (isMark(unit) && thread.skipped < SKIPPED_MAX) {
        // A mark belongs to the letter before it.
        thread.unsureEnd = at + 1;
        if (thread.node === NO_NODE) thread.skipped++;
        return;
      }
    }
    const followed = thread.waits ? isLow(unit) && word : word && !isMark(unit);
    if (!followed) thread.end = thread.unsureEnd;
    thread.unsureEnd = 0;
    thread.waits = false;
  }

  private advance(thread: Thread, unit: number, next: number): void {
    const { trie } = this;
    if (thread.half) {
      thread.half = false;
      const folded = foldPair(trie.fold, this.previous, unit);
      if (folded === SKIPPED && thread.node !== ROOT) this.skipUnits(thread, 2);
      else this.enter(thread, childOf(trie, thread.node, folded), next);
      return;
    }
    if (isSkipped(unit)) {
      // Behind half of a character only its other half goes on.
      if (isHigh(trie.unit[thread.node] as number)) thread.node = NO_NODE;
      else this.skipUnits(thread, 1);
      return;
    }
    const letters = lettersOf(trie.fold, unit);
    if (letters !== undefined) {
      this.enter(thread, nodeBehind(trie, thread.node, letters), next);
      return;
    }
    const space = isSpaceUnit(unit);
    if (space && trie.unit[thread.node] === SPACE) {
      thread.spaces++;
      if (thread.spaces > SPACE_RUN_MAX) thread.node = NO_NODE;
      return;
    }
    const node = childLike(trie, thread.node, unit);
    if (node === NO_NODE && this.mayGoOnAsPair(thread, unit)) thread.half = true;
    else this.enter(thread, node, next);
  }

  /** Whether the low unit that this high one waits for may bring the thread on. */
  private mayGoOnAsPair(thread: Thread, high: number): boolean {
    const { trie } = this;
    if (!foldsAsPair(high) || isHigh(trie.unit[thread.node] as number)) return false;
    if (mayPairBeSkipped(high)) return thread.skipped + 2 <= SKIPPED_MAX;
    let child = trie.child[thread.node] as number;
    while (child !== NO_NODE && !mayPairLookLike(trie.fold, trie.unit[child] as number))
      child = trie.sibling[child] as number;
    return child !== NO_NODE;
  }

  /** Whether a keyword may begin with a character whose high unit this is. */
  private mayBeginAsPair(high: number): boolean {
    if (!foldsAsPair(high) || mayPairBeSkipped(high)) return false;
    const { asPair } = this.trie;
    return (asPair & BEGINS_ANYWHERE) !== 0 || (asPair !== 0 && !this.afterWord);
  }

  private skipUnits(thread: Thread, units: number): void {
    thread.skipped += units;
    if (thread.skipped > SKIPPED_MAX) thread.node = NO_NODE;
  }

  private enter(thread: Thread, node: number, next: number): void {
    const { trie } = this;
    if (node === NO_NODE || (thread.afterWord && trie.free[node] === 0)) {
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
    if (this.afterWord && this.trie.free[ROOT] === 0 && !foldsAsPair(unit)) return;
    const { trie } = this;
    const letters = lettersOf(trie.fold, unit);
    const node =
      letters === undefined
        ? childOf(trie, ROOT, trie.fold(unit))
        : nodeBehind(trie, ROOT, letters);
    const half = node === NO_NODE && this.mayBeginAsPair(unit);
    if (!half && (node === NO_NODE || (this.afterWord && trie.free[node] === 0))) return;
    const thread: Thread = {
      start: at,
      skipped: 0,
      half,
      waits: false,
      afterWord: this.afterWord,
      node: ROOT,
      spaces: 0,
      unsureEnd: 0,
      end: 0,
    };
    if (node !== NO_NODE) this.enter(thread, node, at + 1);
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
    labels: [LABEL],
    unitsMax: trie.unitsMax,
    part: keywordPart(trie),
    bytes: trie.unit.length * BYTES_PER_NODE,
    start,
    matches: (text: string) => matchesIn(start(), text).length > 0,
  });
}
