/**
 * Where in a text a place is after rules have changed the text before it: annotations of an answer point at
 * stretches of it by number. Offsets count characters (code points), as the OpenAI APIs do.
 */
import type { Edit, Piece } from './frame.ts';
import type { JsonNode, JsonScalar } from './json.ts';
import type { Swap } from './json-frame.ts';
import type { PieceCollector } from './piece-collector.ts';
import { NONE, withOneMore } from './small-list.ts';
import { SmallMap } from './small-map.ts';
import { editsByPiece } from './splice.ts';
import { isHighSurrogate, isLowSurrogate, splitsPair } from './utf8.ts';

/** `[start,end)` of the text as it came is `length` long as it leaves. */
interface Move {
  readonly start: number;
  readonly end: number;
  readonly length: number;
}

/** Most changes of one text that are told apart; of more, the oldest count as one. */
export const MOVES_MAX = 256;

export function charactersIn(text: string): number {
  let count = text.length;
  for (let at = 1; at < text.length; at += 1)
    if (isLowSurrogate(text.charCodeAt(at)) && isHighSurrogate(text.charCodeAt(at - 1))) count -= 1;
  return count;
}

/** The changes of one text, in its order. */
export class TextMoves {
  /** Characters of the text, as it came, that have left. */
  #left = 0;
  #moves: Move[] = NONE;
  /** Those before it are part of it. */
  #oldest = 0;

  get changed(): boolean {
    return this.#moves.length > 0;
  }

  /** The edits of its next stretch, in order. Cost: linear in the stretch, however many they are. */
  note(value: string, edits: readonly Pick<Edit, 'start' | 'end' | 'replacement'>[]): void {
    let units = 0;
    let characters = this.#left;
    const upTo = (unit: number): number => {
      // What stands before the unit counts half a pair as a whole one.
      const counted = splitsPair(value, units) ? 1 : 0;
      characters += charactersIn(value.slice(units, unit)) - counted;
      units = unit;
      return characters;
    };
    for (const { start, end, replacement } of edits) {
      const move = { start: upTo(start), end: upTo(end), length: charactersIn(replacement) };
      this.#moves = withOneMore(this.#moves, move);
    }
    while (this.#moves.length - this.#oldest > MOVES_MAX) this.#joinOldest();
  }

  /** A stretch has left. */
  leave(value: string): void {
    this.#left += charactersIn(value);
  }

  /** Where `offset` is now. One inside of what was replaced is at its start, or at its end. */
  moved(offset: number, edge: Edge): number {
    let by = 0;
    if (edge === 'behind') {
      for (let at = this.#oldest; at < this.#moves.length; at += 1) by += grownBy(this.#moves[at]!);
      return offset + by;
    }
    for (let at = this.#oldest; at < this.#moves.length; at += 1) {
      const { start, end, length } = this.#moves[at]!;
      if (offset <= start) break;
      if (offset < end) return start + by + (edge === 'start' ? 0 : length);
      by += length - (end - start);
    }
    return offset + by;
  }

  /** The oldest two become one, in constant time: a frame may change a text in thousands of pieces. */
  #joinOldest(): void {
    const older = this.#moves[this.#oldest]!;
    const newer = this.#moves[this.#oldest + 1]!;
    const { start } = older;
    const { end } = newer;
    const length = end - start + grownBy(older) + grownBy(newer);
    this.#oldest += 1;
    this.#moves[this.#oldest] = { start, end, length };
    if (this.#oldest < MOVES_MAX) return;
    this.#moves = this.#moves.slice(this.#oldest);
    this.#oldest = 0;
  }
}

const grownBy = ({ start, end, length }: Move): number => length - (end - start);

/**
 * What stands at a place: the start of a stretch or its end. `behind`: the place is one behind all that was changed,
 * wherever the text itself begins to be counted.
 */
type Edge = 'start' | 'end' | 'behind';

/** Numbers that point into a text. */
export interface Anchors {
  readonly node: JsonScalar;
  readonly edge: Edge;
}

/** Adds the offsets below `node`, at any depth, to `found`: they are there when all is collected. */
export function findAnchors(node: JsonNode, found: Anchors[], collector: PieceCollector): void {
  const look = (below: JsonNode): void => {
    if (below.kind === 'array') collector.each(below.items, look);
    else if (below.kind === 'object')
      collector.each(below.members, ({ key, value }) => {
        const edge = key === 'start_index' ? 'start' : key === 'end_index' ? 'end' : undefined;
        if (edge !== undefined && value.kind === 'number') found.push({ node: value, edge });
        else look(value);
      });
  };
  look(node);
}

/**
 * Where the tokens of a frame begin (`text_offset` of completions): some servers count the prompt, some do not. They
 * leave only with a frame whose own text was not changed, so that all changes stand before them.
 */
export function tokenAnchorsIn(logprobs: JsonNode): readonly Anchors[] {
  if (logprobs.kind !== 'object') return NONE;
  return logprobs.members.flatMap(({ key, value }) =>
    key === 'text_offset' && value.kind === 'array'
      ? value.items.flatMap((node) =>
          node.kind === 'number' ? [{ node, edge: 'behind' } as const] : [],
        )
      : [],
  );
}

/** The anchors of a frame that point into one text. */
export interface Anchored {
  /** Index of the piece that is all of the text; else the text that has come in pieces. */
  readonly into: number | string;
  readonly anchors: readonly Anchors[];
}

/** The changes of all texts of one answer. What it remembers is bounded by its texts and `MOVES_MAX`. */
export class MoveLedger {
  readonly #texts = new SmallMap<string, TextMoves>();
  readonly #follows: RegExp;

  /** `follows`: texts that anchors of later frames may point into; their keys end in `/content`. */
  constructor(follows: RegExp) {
    this.#follows = follows;
  }

  /** Some of the anchors no longer point where they did. */
  moves(anchored: readonly Anchored[]): boolean {
    return anchored.some(
      ({ into }) => typeof into === 'string' && this.#texts.get(into)?.changed === true,
    );
  }

  /** The anchors of a frame that is about to leave with `edits`, as they must leave. */
  swaps(
    pieces: readonly Piece[],
    edits: readonly Edit[],
    anchored: readonly Anchored[],
    data: Uint8Array,
  ): readonly Swap[] {
    const byPiece = editsByPiece(pieces, edits);
    for (const [piece, group] of byPiece) {
      const { text, value } = pieces[piece]!;
      if (this.#follows.test(text)) this.#of(text).note(value, group);
    }
    return anchored.flatMap(({ into, anchors }) => {
      const moves = typeof into === 'string' ? this.#texts.get(into) : new TextMoves();
      if (typeof into === 'number') moves!.note(pieces[into]!.value, byPiece.get(into) ?? NONE);
      if (moves?.changed !== true) return [];
      return anchors.map(({ node, edge }) => {
        const offset = Number(String.fromCharCode(...data.subarray(node.start, node.end)));
        const moved = Number.isSafeInteger(offset) ? moves.moved(offset, edge) : offset;
        return { node, json: JSON.stringify(moved) };
      });
    });
  }

  /** The frame has left. */
  leave(pieces: readonly Piece[]): void {
    for (const { text, value } of pieces)
      if (text.endsWith('/content') && this.#follows.test(text)) this.#of(text).leave(value);
  }

  #of(text: string): TextMoves {
    let moves = this.#texts.get(text);
    if (moves === undefined) this.#texts.set(text, (moves = new TextMoves()));
    return moves;
  }
}
