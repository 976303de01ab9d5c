/**
 * Reads the part of RE2's syntax in which the tables of secrets and personal data are written, straight to an
 * automaton: they are thousands of instructions, and re2js takes ten times as long. What it does not know it leaves
 * to re2js. A test holds every expression of the tables to what re2js makes of it.
 */
import { isAsciiLetter } from './characters.ts';
import {
  type Automaton,
  BOUNDARY,
  FAIL,
  NO_BOUNDARY,
  NODES_MAX,
  type Node,
  TEXT_END,
  TEXT_START,
} from './regex-nodes.ts';
import { buildAutomaton, orbitOf } from './regex-program.ts';
import { LAST_RUNE, type Ranges, type RuneSet, runeSet, taking } from './rune-sets.ts';

type Tree =
  | { readonly is: 'set'; readonly set: RuneSet }
  | { readonly is: 'assertion'; readonly mask: number }
  | { readonly is: 'sequence'; readonly items: readonly Tree[] }
  | { readonly is: 'choice'; readonly ways: readonly (readonly Tree[])[] }
  | { readonly is: 'repeat'; readonly item: Tree; readonly least: number; readonly most: number };

const NO_END = Number.POSITIVE_INFINITY;
/** Counts that re2js takes. */
const COUNT_MAX = 1_000;
/** Longest range whose runes are asked for their other cases one by one. */
const FOLDED_MAX = 128;
const ASCII_RUNES = 0x80;
const CASE_BIT = 0x20;
/** Letters that are a case of one of ASCII: the Kelvin sign and the long s (Unicode, CaseFolding.txt). */
const BEYOND_ASCII: Readonly<Record<number, number>> = { 107: 0x212a, 115: 0x17f };
const NOTHING: Ranges = [];

const DIGIT: Ranges = [0x30, 0x39];
const SPACE: Ranges = [0x09, 0x0a, 0x0c, 0x0d, 0x20, 0x20];
const WORD: Ranges = [0x30, 0x39, 0x41, 0x5a, 0x5f, 0x5f, 0x61, 0x7a];
const NOT_NEWLINE: Ranges = [0x00, 0x09, 0x0b, LAST_RUNE];

const ASSERTIONS: Readonly<Record<string, number>> = {
  b: BOUNDARY,
  B: NO_BOUNDARY,
  A: TEXT_START,
  z: TEXT_END,
};
const BACKSLASH = 0x5c;
const HEXADECIMAL = /^(?:\{([0-9A-Fa-f]{1,6})\}|([0-9A-Fa-f]{2}))/;
/** What cannot begin an item. */
const MISPLACED = '*+?{';
const PUNCTUATION = /^[!-/:-@[-`{-~]$/;
const CONTROLS: Readonly<Record<string, number>> = { t: 0x09, n: 0x0a, f: 0x0c, r: 0x0d };

const CLASSES: Readonly<Record<string, Ranges>> = {
  d: DIGIT,
  D: opposite(DIGIT),
  s: SPACE,
  S: opposite(SPACE),
  w: WORD,
  W: opposite(WORD),
};

/** Something that only re2js knows. */
class Unknown extends Error {}

function joined(ranges: Ranges): number[] {
  const pairs: [number, number][] = [];
  for (let at = 0; at < ranges.length; at += 2)
    pairs.push([ranges[at] as number, ranges[at + 1] as number]);
  pairs.sort(([one], [other]) => one - other);
  const flat: number[] = [];
  for (const [first, last] of pairs) {
    const end = flat.length - 1;
    if (end > 0 && first <= (flat[end] as number) + 1)
      flat[end] = Math.max(flat[end] as number, last);
    else flat.push(first, last);
  }
  return flat;
}

function opposite(ranges: Ranges): number[] {
  const flat: number[] = [];
  let next = 0;
  for (let at = 0; at < ranges.length; at += 2) {
    if ((ranges[at] as number) > next) flat.push(next, (ranges[at] as number) - 1);
    next = (ranges[at + 1] as number) + 1;
  }
  if (next <= LAST_RUNE) flat.push(next, LAST_RUNE);
  return flat;
}

/** With the other cases of all of them. */
function folded(ranges: Ranges): number[] {
  const all = [...ranges];
  for (let at = 0; at < ranges.length; at += 2) {
    const last = ranges[at + 1] as number;
    if (last - (ranges[at] as number) > FOLDED_MAX) throw new Unknown();
    for (let rune = ranges[at] as number; rune <= last; rune++) all.push(...casesOf(rune));
  }
  return joined(all);
}

function casesOf(rune: number): Ranges {
  if (rune >= ASCII_RUNES) return orbitOf(rune);
  if (!isAsciiLetter(rune)) return NOTHING;
  const lower = rune | CASE_BIT;
  const upper = lower & ~CASE_BIT;
  const beyond = BEYOND_ASCII[lower];
  return [upper, upper, lower, lower, ...(beyond === undefined ? NOTHING : [beyond, beyond])];
}

const setOf = (ranges: Ranges): Tree => ({ is: 'set', set: runeSet(ranges) });

const SIMPLE: Readonly<Record<string, Tree>> = {
  '.': setOf(NOT_NEWLINE),
  '^': { is: 'assertion', mask: TEXT_START },
  $: { is: 'assertion', mask: TEXT_END },
};

/** Letters are most of what is written, and few. */
const literals = new Map<number, Tree>();

function literal(rune: number, folds: boolean): Tree {
  const key = folds ? -rune : rune;
  const known = literals.get(key);
  if (known !== undefined) return known;
  const one = [rune, rune];
  const made = setOf(folds ? folded(one) : one);
  literals.set(key, made);
  return made;
}

class Reader {
  private readonly text: string;
  private at = 0;
  private folds = false;

  constructor(text: string) {
    this.text = text;
  }

  whole(): Tree {
    const tree = this.choice();
    if (this.at < this.text.length) throw new Unknown();
    return tree;
  }

  private choice(): Tree {
    const ways = [this.sequence()];
    while (this.takes('|')) ways.push(this.sequence());
    return ways.length === 1 ? { is: 'sequence', items: ways[0] as Tree[] } : factored(ways);
  }

  private sequence(): Tree[] {
    const items: Tree[] = [];
    while (this.at < this.text.length && this.text[this.at] !== '|' && this.text[this.at] !== ')')
      items.push(this.repeated(this.item()));
    return items;
  }

  private item(): Tree {
    const character = this.text[this.at] as string;
    const simple = SIMPLE[character];
    if (simple !== undefined) {
      this.at++;
      return simple;
    }
    if (this.takes('(')) return this.group();
    if (this.takes('[')) return setOf(this.bracketed());
    if (MISPLACED.includes(character)) throw new Unknown();
    if (character !== '\\') return literal(this.rune(), this.folds);
    const mask = ASSERTIONS[this.text[this.at + 1] ?? ''];
    if (mask === undefined) return setOf(this.foldedIf(this.member()));
    this.at += 2;
    return { is: 'assertion', mask };
  }

  private group(): Tree {
    const { folds } = this;
    if (this.takes('?i:')) this.folds = true;
    else if (!this.takes('?:') && this.text[this.at] === '?') throw new Unknown();
    const tree = this.choice();
    if (!this.takes(')')) throw new Unknown();
    this.folds = folds;
    return tree;
  }

  private repeated(item: Tree): Tree {
    const counts = this.counts();
    if (counts === undefined) return item;
    const [least, most] = counts;
    if (least > Math.min(most, COUNT_MAX) || (most > COUNT_MAX && most !== NO_END))
      throw new Unknown();
    // Lazy or not: the longest match counts.
    this.takes('?');
    if (this.counts() !== undefined) throw new Unknown();
    return { is: 'repeat', item, least, most };
  }

  private counts(): readonly [least: number, most: number] | undefined {
    if (this.takes('*')) return [0, NO_END];
    if (this.takes('+')) return [1, NO_END];
    if (this.takes('?')) return [0, 1];
    if (this.text[this.at] !== '{') return undefined;
    const found = /^\{(\d+)(,?)(\d*)\}/.exec(this.text.slice(this.at, this.at + 16));
    if (found === null) return undefined;
    const [all, least, comma, most] = found;
    if (comma === '' && most !== '') throw new Unknown();
    this.at += all.length;
    if (comma === '') return [Number(least), Number(least)];
    return [Number(least), most === '' ? NO_END : Number(most)];
  }

  /** What the class holds that has just been opened. */
  private bracketed(): Ranges {
    const negated = this.takes('^');
    const all: number[] = [];
    do {
      if (this.text.startsWith('[:', this.at)) throw new Unknown();
      const first = this.member();
      all.push(...first);
      const mayLead = first.length === 2 && first[0] === first[1];
      if (!mayLead || this.text[this.at] !== '-' || this.text[this.at + 1] === ']') continue;
      this.at++;
      const last = this.member();
      if (last.length !== 2 || (last[1] as number) < (first[0] as number)) throw new Unknown();
      all.push(first[0] as number, last[1] as number);
    } while (!this.takes(']'));
    const ranges = this.foldedIf(joined(all));
    return negated ? opposite(ranges) : ranges;
  }

  /** A rune as it is written, in a class or outside of one, or a class of one letter. */
  private member(): Ranges {
    const rune = this.rune();
    return rune === BACKSLASH ? this.escaped() : [rune, rune];
  }

  private rune(): number {
    const rune = this.text.codePointAt(this.at);
    if (rune === undefined) throw new Unknown();
    this.at += rune > 0xffff ? 2 : 1;
    return rune;
  }

  private escaped(): Ranges {
    const letter = this.text[this.at++] ?? '';
    const known = CLASSES[letter];
    if (known !== undefined) return known;
    const hexadecimal =
      letter === 'x' ? HEXADECIMAL.exec(this.text.slice(this.at, this.at + 8)) : null;
    if (hexadecimal !== null) this.at += hexadecimal[0].length;
    const rune =
      hexadecimal === null
        ? (CONTROLS[letter] ?? (PUNCTUATION.test(letter) ? letter.charCodeAt(0) : undefined))
        : Number.parseInt(hexadecimal[1] ?? hexadecimal[2] ?? '', 16);
    if (rune === undefined) throw new Unknown();
    return [rune, rune];
  }

  private foldedIf(ranges: Ranges): Ranges {
    return this.folds ? folded(ranges) : ranges;
  }

  private takes(text: string): boolean {
    const found = this.text.startsWith(text, this.at);
    if (found) this.at += text.length;
    return found;
  }
}

/** Ways that begin with the same set share it: each of them would be a thread of its own. */
function factored(ways: readonly (readonly Tree[])[]): Tree {
  const bySet = new Map<RuneSet, (readonly Tree[])[]>();
  const others: (readonly Tree[])[] = [];
  for (const way of ways) {
    const [first] = way;
    if (first?.is !== 'set') others.push(way);
    else if (bySet.has(first.set)) bySet.get(first.set)?.push(way.slice(1));
    else bySet.set(first.set, [way.slice(1)]);
  }
  for (const [set, rests] of bySet)
    others.push([
      { is: 'set', set },
      ...(rests.length === 1 ? (rests[0] as Tree[]) : [factored(rests)]),
    ]);
  return { is: 'choice', ways: others };
}

/** Lays a tree out from its end to its beginning, so that what follows is known. */
class Layout {
  readonly nodes: Node[] = [];
  private readonly add = (node: Node): number => {
    if (this.nodes.length >= NODES_MAX) throw new Unknown();
    return this.nodes.push(node) - 1;
  };

  /** Where the tree begins that goes on at `out`. */
  lay(tree: Tree, out: number): number {
    switch (tree.is) {
      case 'set':
        return this.add(taking(tree.set, out, this.add));
      case 'assertion':
        return this.add({ op: 'assert', mask: tree.mask, out });
      case 'sequence':
        return this.laySequence(tree.items, out);
      case 'choice':
        return this.add({ op: 'split', outs: tree.ways.map((way) => this.laySequence(way, out)) });
      case 'repeat':
        return this.layRepeat(tree, out);
    }
  }

  match(): number {
    return this.add({ op: 'match' });
  }

  private laySequence(items: readonly Tree[], out: number): number {
    return items.reduceRight((next, item) => this.lay(item, next), out);
  }

  private layRepeat({ item, least, most }: Extract<Tree, { is: 'repeat' }>, out: number): number {
    let next = out;
    if (most === NO_END) {
      next = this.add(FAIL);
      this.nodes[next] = { op: 'split', outs: [this.lay(item, next), out] };
    }
    for (let count = least; count < most && most !== NO_END; count++)
      next = this.add({ op: 'split', outs: [this.lay(item, next), out] });
    for (let count = 0; count < least; count++) next = this.lay(item, next);
    return next;
  }
}

/** Undefined where the expression holds something that only re2js knows. Cost: linear in the nodes. */
export function readExpression(expression: string): Automaton | undefined {
  try {
    const layout = new Layout();
    const start = layout.lay(new Reader(expression).whole(), layout.match());
    return { nodes: layout.nodes, start };
  } catch (error) {
    if (error instanceof Unknown) return undefined;
    throw error;
  }
}

/** Of an expression of our own. Throws Error if it is none, or too large. */
export function automatonOf(expression: string): Automaton {
  const made = readExpression(expression) ?? buildAutomaton(expression);
  if (typeof made === 'string') throw new Error(`${made}: ${expression}`);
  return made;
}
