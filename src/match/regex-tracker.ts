/**
 * One regular expression in one text: all its threads at once, each node of the automaton with the set of
 * starts of the threads that are there. Sets and not only the earliest start, because the earliest may turn
 * out to lie inside a match, or to be too far back for the cap, and then a later one counts.
 */
import type { MatchSink, Tracker } from './detector.ts';
import { NEVER } from './regex-liveness.ts';
import { EDGE, kindOf } from './regex-program.ts';
import { accepts, type RegexSteps } from './regex-steps.ts';

const LABEL = 'REGEX';
const WORD_BITS = 32;

/** Rows of bits: row r belongs to `nodes[r]`, bit b of it to the start `base + b`. */
interface Threads {
  nodes: number[];
  rows: Int32Array;
}

/** Row + 1 of a node in the set being built, 0 elsewhere; all 0 between two steps. */
const scratches = new WeakMap<RegexSteps, Int32Array>();

function scratchOf(steps: RegexSteps): Int32Array {
  const known = scratches.get(steps) ?? new Int32Array(steps.nodeCount);
  scratches.set(steps, known);
  return known;
}

const lowestBit = (bits: number): number => 31 - Math.clz32(bits & -bits);

export class RegexTracker implements Tracker {
  liveStart = Number.POSITIVE_INFINITY;
  /** Words of starts touched so far: the cost, for tests of linearity. */
  work = 0;
  private readonly steps: RegexSteps;
  private readonly unitsCap: number;
  private readonly rowOf: Int32Array;
  private now: Threads = { nodes: [], rows: new Int32Array(0) };
  private next: Threads = { nodes: [], rows: new Int32Array(0) };
  /** Words in a row. */
  private width = 1;
  private base = 0;
  /** Longest end found for the start `base + index`, 0 for none; and the same as bits. */
  private ends = new Int32Array(WORD_BITS);
  private ended = new Int32Array(1);
  private from = 0;
  private before = EDGE;

  /** Matches longer than `unitsCap` do not exist. */
  constructor(steps: RegexSteps, unitsCap: number) {
    this.steps = steps;
    this.unitsCap = unitsCap;
    this.rowOf = scratchOf(steps);
  }

  step(unit: number, at: number, sink: MatchSink): void {
    const kind = kindOf(unit);
    const idle = this.liveStart === Number.POSITIVE_INFINITY;
    if (idle && !this.steps.mayStart(unit)) {
      this.before = kind;
      return;
    }
    if (idle) this.base = at - (at % WORD_BITS);
    else this.makeRoom(at);
    const low = idle ? 0 : (this.liveStart - this.base) >> 5;
    const high = (at - this.base) >> 5;
    this.advance(unit, kind, at, low, high);
    this.before = kind;
    this.prune(kind, at + 1, low, high);
    this.decide(at + 1, low, high, sink);
  }

  skip(units: Uint16Array, from: number, to: number): number {
    let index = from;
    while (index < to && !this.steps.mayStart(units[index] as number)) index++;
    if (index > from) this.before = kindOf(units[index - 1] as number);
    return index;
  }

  resume(before: number): void {
    this.before = before < 0 ? EDGE : kindOf(before);
  }

  end(at: number, sink: MatchSink): void {
    if (this.liveStart === Number.POSITIVE_INFINITY) return;
    const low = (this.liveStart - this.base) >> 5;
    const high = (at - 1 - this.base) >> 5;
    for (const [row, node] of this.now.nodes.entries())
      if (this.steps.closure(node, this.before, EDGE).matches) this.accept(row, at, low, high);
    this.now.nodes.length = 0;
    this.decide(at, low, high, sink);
  }

  /** Threads that are at a match ending at `at` note it; all others take the unit, and one begins with it. */
  private advance(unit: number, kind: number, at: number, low: number, high: number): void {
    const { now, next, steps, before, rowOf } = this;
    if (next.nodes.length > 0) next.nodes.length = 0;
    for (let row = 0; row < now.nodes.length; row++) {
      const closure = steps.closure(now.nodes[row] as number, before, kind);
      if (closure.matches) this.accept(row, at, low, high);
      for (const node of closure.units) {
        if (!accepts(node, unit)) continue;
        const target = this.rowFor(node.out, low, high);
        const offset = row * this.width - target;
        const source = now.rows;
        const rows = next.rows;
        for (let place = target + low; place <= target + high; place++)
          rows[place] = (rows[place] as number) | (source[place + offset] as number);
        this.work += high - low + 1;
      }
    }
    for (const node of steps.closure(steps.start, before, kind).units) {
      if (!accepts(node, unit)) continue;
      const place = this.rowFor(node.out, low, high) + high;
      next.rows[place] = (next.rows[place] as number) | (1 << ((at - this.base) & 31));
      this.work++;
    }
    for (const node of next.nodes) rowOf[node] = 0;
    this.now = next;
    this.next = now;
  }

  /** Offset of a node's row in `next`, an empty one if it had none. */
  private rowFor(node: number, low: number, high: number): number {
    const { next, width } = this;
    const known = this.rowOf[node] as number;
    if (known > 0) return (known - 1) * width;
    const offset = next.nodes.length * width;
    next.nodes.push(node);
    this.rowOf[node] = next.nodes.length;
    if (offset + width > next.rows.length) {
      const larger = new Int32Array(2 * next.rows.length + width);
      larger.set(next.rows);
      next.rows = larger;
    }
    // The word after `high` may be read in the next step, when `high` is one more.
    next.rows.fill(0, offset + low, offset + Math.min(high + 2, width));
    return offset;
  }

  /** Drops threads that can reach no match, or none within the cap; notes the matches that are certain. */
  private prune(kind: number, end: number, low: number, high: number): void {
    const { now, steps, width } = this;
    let kept = 0;
    for (let row = 0; row < now.nodes.length; row++) {
      const node = now.nodes[row] as number;
      const units = steps.fewest(node, kind);
      if (units === NEVER) continue;
      const firstStart = Math.max(this.from, end + units - this.unitsCap);
      if (!this.keepFrom(row * width, firstStart, low, high)) continue;
      if (kept !== row) now.rows.copyWithin(kept * width, row * width, (row + 1) * width);
      now.nodes[kept] = node;
      if (steps.matchesSurely(node, kind)) this.accept(kept, end, low, high);
      kept++;
    }
    if (kept < now.nodes.length) now.nodes.length = kept;
  }

  /** Clears the bits of starts below `start`; whether any is left. */
  private keepFrom(offset: number, start: number, low: number, high: number): boolean {
    const { rows } = this.now;
    const edge = Math.max(0, start - this.base);
    const edgeWord = edge >> 5;
    const cleared = Math.min(edgeWord, high + 1);
    for (let word = low; word < cleared; word++) rows[offset + word] = 0;
    if (edgeWord >= low && edgeWord <= high)
      rows[offset + edgeWord] = (rows[offset + edgeWord] as number) & (-1 << (edge & 31));
    let word = Math.max(low, edgeWord);
    while (word <= high && rows[offset + word] === 0) word++;
    this.work += Math.min(word, high) - low + 1;
    return word <= high;
  }

  private accept(row: number, end: number, low: number, high: number): void {
    const { rows } = this.now;
    const offset = row * this.width;
    for (let word = low; word <= high; word++) {
      let bits = rows[offset + word] as number;
      this.ended[word] = (this.ended[word] as number) | bits;
      for (; bits !== 0; bits &= bits - 1) this.ends[(word << 5) + lowestBit(bits)] = end;
    }
    this.work += high - low + 1;
  }

  /** Reports from the front what no thread can change any more. */
  private decide(end: number, low: number, high: number, sink: MatchSink): void {
    const { now, base, ends, ended, width } = this;
    for (let word = low; word <= high; ) {
      let alive = 0;
      for (let row = 0; row < now.nodes.length; row++)
        alive |= now.rows[row * width + word] as number;
      this.work += now.nodes.length + 1;
      const bits = alive | (ended[word] as number);
      if (bits === 0) {
        word++;
        continue;
      }
      const index = (word << 5) + lowestBit(bits);
      const found = ends[index] as number;
      const live = (alive & bits & -bits) !== 0;
      if (live && (found !== end || this.canGrow(index, end))) {
        this.liveStart = base + index;
        // It will be a match, whatever its end: what started inside of it cannot be one.
        if (found === end) this.keepOnly(index, low, high);
        return;
      }
      this.from = found;
      this.forgetBelow(found, low, high);
      sink({ start: base + index, end: found, label: LABEL });
    }
    this.liveStart = Number.POSITIVE_INFINITY;
    if (now.nodes.length > 0) now.nodes.length = 0;
  }

  /** Drops the threads of all other starts. */
  private keepOnly(index: number, low: number, high: number): void {
    const { now, width } = this;
    const word = index >> 5;
    const bit = 1 << (index & 31);
    let kept = 0;
    for (let row = 0; row < now.nodes.length; row++) {
      const offset = row * width;
      if (((now.rows[offset + word] as number) & bit) === 0) continue;
      now.rows.fill(0, kept * width + low, kept * width + high + 1);
      now.rows[kept * width + word] = bit;
      now.nodes[kept++] = now.nodes[row] as number;
    }
    this.work += now.nodes.length + kept * (high - low + 1);
    if (kept < now.nodes.length) now.nodes.length = kept;
  }

  /** Whether the match that starts at `base + index` and ends at `end` may still turn out longer. */
  private canGrow(index: number, end: number): boolean {
    const { now, width } = this;
    for (let row = 0; row < now.nodes.length; row++) {
      if (((now.rows[row * width + (index >> 5)] as number) & (1 << (index & 31))) === 0) continue;
      const more = this.steps.fewestMore(now.nodes[row] as number, this.before);
      if (more !== NEVER && end - (this.base + index) + more <= this.unitsCap) return true;
    }
    return false;
  }

  /** A match was decided: nothing starts inside it. */
  private forgetBelow(start: number, low: number, high: number): void {
    const { now, ended, ends, base, width } = this;
    let kept = 0;
    for (let row = 0; row < now.nodes.length; row++) {
      if (!this.keepFrom(row * width, start, low, high)) continue;
      if (kept !== row) now.rows.copyWithin(kept * width, row * width, (row + 1) * width);
      now.nodes[kept++] = now.nodes[row] as number;
    }
    now.nodes.length = kept;
    const edge = Math.min(start - base, ends.length);
    for (let word = low; word <= high && word << 5 < edge; word++) {
      for (let bits = ended[word] as number; bits !== 0; bits &= bits - 1) {
        const index = (word << 5) + lowestBit(bits);
        if (index >= edge) break;
        ends[index] = 0;
        ended[word] = (ended[word] as number) & ~(1 << (index & 31));
      }
    }
  }

  /** Lets `at` have a bit: moves the window up to the first start that lives, or doubles it. */
  private makeRoom(at: number): void {
    if (at - this.base < this.width * WORD_BITS) return;
    const words = (this.liveStart - this.base) >> 5;
    if (words * 2 >= this.width) this.moveWindow(words);
    else this.widenWindow();
  }

  private moveWindow(words: number): void {
    const { now, width } = this;
    for (let row = 0; row < now.nodes.length; row++) {
      const offset = row * width;
      now.rows.copyWithin(offset, offset + words, offset + width);
      now.rows.fill(0, offset + width - words, offset + width);
    }
    this.ended.copyWithin(0, words).fill(0, width - words);
    this.ends.copyWithin(0, words * WORD_BITS).fill(0, (width - words) * WORD_BITS);
    this.base += words * WORD_BITS;
  }

  private widenWindow(): void {
    const { now, width } = this;
    const rows = new Int32Array(now.nodes.length * width * 2);
    for (let row = 0; row < now.nodes.length; row++)
      rows.set(now.rows.subarray(row * width, (row + 1) * width), row * width * 2);
    now.rows = rows;
    const ended = new Int32Array(width * 2);
    ended.set(this.ended);
    const ends = new Int32Array(width * 2 * WORD_BITS);
    ends.set(this.ends);
    this.ended = ended;
    this.ends = ends;
    this.width = width * 2;
  }
}
