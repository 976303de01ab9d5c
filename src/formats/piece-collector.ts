import type { Buffer } from 'node:buffer';
import type { Place } from '../policy/set.ts';
import type { Piece, ToolPart } from './frame.ts';
import {
  type JsonMember,
  type JsonNode,
  type JsonObject,
  type JsonString,
  LITERAL_BYTES_MAX,
} from './json.ts';
import { isAscii, LongReading, overlay, stringValue } from './json-string.ts';
import { isEncodedBytes, mediaOf } from './media.ts';
import { isOrdinaryName } from './ordinary-names.ts';
import { BYTES_PER_UNIT, type Pace, UNPACED } from './pace.ts';
import { NONE, withOneMore } from './small-list.ts';
import { SmallMap } from './small-map.ts';
import type { ToolEntry } from './tool-list.ts';

/** A piece that is a stretch of JSON as it is written: names, numbers and structure are seen, too. */
export interface WrittenJson {
  readonly kind: 'written';
  readonly start: number;
  readonly end: number;
  readonly simple: boolean;
  /** What becomes `null` when the piece is cut short, as half of a value could not be read. */
  readonly owner: JsonNode;
}

/** A piece that is the text in a literal's base64, which stands behind `head`. */
export interface EncodedText {
  readonly kind: 'encoded';
  readonly literal: JsonString;
  readonly head: string;
}

/** Where a piece stands in its frame's data. */
export type PieceSource = JsonString | WrittenJson | EncodedText;

/** Numbers for texts that stand alone, so that no two of a body share a key. One per body. */
export class KeyCounter {
  private next = 0;

  take(): number {
    return this.next++;
  }
}

/** Something to do for each of many, which may be stopped between any two. */
interface Work {
  readonly count: number;
  readonly visit: (index: number) => void;
  readonly after: (() => void) | undefined;
  next: number;
}

/** A long text that is decoded bit by bit. */
interface LongText {
  readonly piece: number;
  readonly reading: LongReading;
}

/** What looking at one member or element costs. */
const VISIT_UNITS = 8;

/**
 * Gathers the pieces of one frame together with the literals that they came from. With a pace it may stop:
 * what `each` and `standAlone` are asked for is then done by `readOn`, in the order of the text as long as
 * whoever reads asks for nothing more behind them in the same go, but in `after`.
 */
export class PieceCollector {
  /** Another list as soon as there is a first: to be asked for when all is collected. */
  pieces: Piece[] = NONE;
  literals: PieceSource[] = NONE;
  tools: ToolPart[] = NONE;
  /** Where each of `tools` stands in a list, if it does. */
  entries: (ToolEntry | undefined)[] = NONE;
  /** Names of what was called, by the id of the call. */
  readonly calledNames = new SmallMap<string, string>();
  /** Why the body cannot be judged although it was read, if so. */
  unreadable: string | undefined;
  private readonly data: Buffer;
  private readonly keys: KeyCounter;
  private readonly pace: Pace | undefined;
  private readonly visits: 'in_turn' | 'at_once';
  /** Signed values that what is read stands in. */
  private seals = 0;
  /** What is still to be done, the last first. */
  private readonly work: (Work | LongText)[] = [];

  /**
   * `pace`: undefined where all is to be done in one go. `visits`: `at_once` for those who ask for more behind what
   * `each` and `standAlone` are asked for; then only long texts are decoded by `readOn`.
   */
  constructor(
    data: Uint8Array,
    keys: KeyCounter,
    pace?: Pace,
    visits: 'in_turn' | 'at_once' = 'in_turn',
  ) {
    this.data = overlay(data);
    this.keys = keys;
    this.pace = pace;
    this.visits = visits;
  }

  /** Calls `visit` for each of `items` in order, then `after`. */
  each<Item>(
    items: readonly Item[],
    visit: (item: Item, index: number) => void,
    after?: () => void,
  ): void {
    if (this.pace === undefined || this.visits === 'at_once') {
      for (let index = 0; index < items.length; index += 1) visit(items[index]!, index);
      after?.();
      return;
    }
    const { length: count } = items;
    this.work.push({ count, visit: (index) => visit(items[index]!, index), after, next: 0 });
  }

  /** All pieces that `read` asks for are of what its provider has signed. */
  allSealed(read: () => void): void {
    const visit = (): void => {
      this.seals += 1;
      read();
    };
    this.each([undefined], visit, () => {
      this.seals -= 1;
    });
  }

  /** Does what was put off, as far as the pace lets it; whether all of it is done. */
  readOn(): boolean {
    const { work, pace } = this;
    if (pace === undefined) return true;
    while (work.length > 0) {
      if (pace.left <= 0) return false;
      const top = work[work.length - 1]!;
      if ('reading' in top) this.decodeOn(top, pace);
      else this.workOn(top, pace);
    }
    return true;
  }

  private workOn(work: Work, pace: Pace): void {
    pace.left -= VISIT_UNITS;
    const { length } = this.work;
    if (work.next < work.count) {
      work.next += 1;
      work.visit(work.next - 1);
      this.inOrder(length);
    } else {
      this.work.pop();
      work.after?.();
      this.inOrder(length - 1);
    }
  }

  /** What one go has put off is done in the order in which it was asked for. */
  private inOrder(from: number): void {
    const { work } = this;
    if (work.length - from > 1) work.push(...work.splice(from).reverse());
  }

  private decodeOn(text: LongText, pace: Pace): void {
    if (!text.reading.readOn(pace)) return;
    this.work.pop();
    this.settle(text);
  }

  private settle({ piece, reading }: LongText): void {
    this.pieces[piece] = { ...this.pieces[piece]!, value: reading.value };
  }

  /** The value of a piece that is about to be added. A long one is there when `readOn` has been asked. */
  private valueFor(literal: JsonString): string {
    const { pace } = this;
    if (pace === undefined) return this.valueOf(literal);
    const bytes = literal.end - literal.start;
    pace.left -= bytes / BYTES_PER_UNIT;
    if (bytes <= LITERAL_BYTES_MAX || literal.simple) return this.valueOf(literal);
    this.later(new LongReading(this.data, literal.start + 1, literal.end - 1, true));
    return '';
  }

  /** The value of a piece that was added, decoded now if it has not been. */
  valueAt(piece: number): string {
    const pending = this.work.findIndex((one) => 'reading' in one && one.piece === piece);
    const long = this.work[pending];
    if (long !== undefined && 'reading' in long) {
      long.reading.readOn(UNPACED);
      this.work.splice(pending, 1);
      this.settle(long);
    }
    return this.pieces[piece]?.value ?? '';
  }

  /** The value of the piece that is about to be added. */
  private later(reading: LongReading): void {
    this.work.push({ piece: this.pieces.length, reading });
  }

  /** The first piece of a text from piece `from` on, or -1. */
  firstOf(text: string, from: number): number {
    for (let piece = from; piece < this.pieces.length; piece += 1)
      if (this.pieces[piece]!.text === text) return piece;
    return -1;
  }

  valueOf(literal: JsonString): string {
    return stringValue(this.data, literal);
  }

  /**
   * The member of this name. Where an object has it twice, readers differ in which they take: what depends on
   * it cannot be judged.
   */
  sole(object: JsonObject, name: string): JsonNode | undefined {
    let found: JsonNode | undefined;
    for (const { key, value, shadowed } of object.members) {
      if (key !== name) continue;
      if (shadowed) this.unreadable ??= 'ambiguous_names';
      else found = value;
    }
    return found;
  }

  /** The value of the member of this name where that is a string, or ''. */
  word(object: JsonObject, name: string): string {
    const node = this.sole(object, name);
    return node?.kind === 'string' ? this.valueOf(node) : '';
  }

  /** Adds what is told of a tool. `entry`: where it can be taken out. */
  tool(part: ToolPart, entry?: ToolEntry): void {
    this.tools = withOneMore(this.tools, part);
    this.entries = withOneMore(this.entries, entry);
  }

  /** Adds what is told of a tool in this frame alone. */
  wholeTool(part: Omit<ToolPart, 'key' | 'named' | 'last'>, entry?: ToolEntry): void {
    this.tool({ ...part, key: `tool/${this.tools.length}`, named: true, last: true }, entry);
  }

  #put(piece: Piece, literal: PieceSource): void {
    const own: Piece = this.seals > 0 ? { ...piece, sealed: true } : piece;
    this.pieces = withOneMore(this.pieces, own);
    this.literals = withOneMore(this.literals, literal);
  }

  /** Adds a piece and returns its index. */
  add(
    literal: JsonString,
    text: string,
    place: Place,
    last: boolean,
    encoding: Piece['encoding'] = 'plain',
  ): number {
    this.#put({ text, place, encoding, value: this.valueFor(literal), last }, literal);
    return this.pieces.length - 1;
  }

  /** Adds a piece of a text that its provider has signed. */
  sealed(literal: JsonString, text: string, place: Place, last: boolean): void {
    const value = this.valueFor(literal);
    this.#put({ text, place, encoding: 'plain', value, last, sealed: true }, literal);
  }

  /** Adds an empty text that begins and ends here: something may be put off until then. */
  end(node: JsonNode, text: string, place: Place): void {
    const { start, end } = node;
    this.#put(
      { text, place, encoding: 'plain', value: '', last: true },
      { kind: 'written', start, end, simple: true, owner: node },
    );
  }

  /** Adds `node` as one text of its own, as it is written, and returns its index. `owner`: see `WrittenJson`. */
  written(node: JsonNode, family: string, place: Place, owner: JsonNode = node): number {
    const { start, end } = node;
    const bytes = this.data.subarray(start, end);
    const text = `${family}/${this.keys.take()}`;
    const long = this.pace !== undefined && end - start > LITERAL_BYTES_MAX;
    if (long) this.later(new LongReading(this.data, start, end, false));
    const value = long ? '' : bytes.toString('utf8');
    this.#put(
      { text, place, encoding: 'json', value, last: true },
      { kind: 'written', start, end, simple: isAscii(bytes), owner },
    );
    return this.pieces.length - 1;
  }

  /**
   * A value that may be a picture, a sound or a file in base64: text that stands in it is a text of its own, as
   * is a value that is none of them. See `mediaOf`.
   */
  media(
    literal: JsonString,
    family: string,
    place: Place,
    mediaType: string,
    bareUnitsMin = 0,
  ): void {
    const value = (): string => this.valueOf(literal);
    const media =
      literal.media?.media(mediaType, value) ?? mediaOf(value(), mediaType, bareUnitsMin);
    if (media.kind === 'hidden') this.unreadable ??= 'encoded_text';
    else if (media.kind === 'plain') this.standAlone(literal, family, place);
    else if (media.kind === 'text') {
      const text = `${family}/${this.keys.take()}`;
      this.#put(
        { text, place, encoding: 'plain', value: media.text, last: true },
        { kind: 'encoded', literal, head: media.head },
      );
    }
  }

  /** See `isEncodedBytes`. */
  isBytes(literal: JsonString): boolean {
    return literal.media?.isEncoded ?? isEncodedBytes(this.valueOf(literal));
  }

  /** Every string below `node`, duplicates included, as texts of their own: `<family>/<n>`. */
  standAlone(node: JsonNode, family: string, place: Place): void {
    if (node.kind === 'string') this.add(node, `${family}/${this.keys.take()}`, place, true);
    else if (node.kind === 'array')
      this.each(node.items, (item) => this.standAlone(item, family, place));
    else if (node.kind === 'object')
      this.each(node.members, (member) => {
        this.name(member, family, place);
        this.standAlone(member.value, member.shadowed ? 'shadowed' : family, place);
      });
    else if (node.kind === 'number' && node.end - node.start >= TELLING_NUMBER_UNITS_MIN)
      this.standAlone(
        { kind: 'string', start: node.start - 1, end: node.end + 1, simple: true, bare: true },
        family,
        place,
      );
  }

  /** The name of a member, where whoever wrote the body chose it: a model reads the names of a tool's fields. */
  name(member: JsonMember, family: string, place: Place): void {
    if (!isOrdinaryName(member.key)) this.standAlone(member.name, family, place);
  }

  /**
   * A value that names something (an id, a type, a model): no text as long as it is one short word, a
   * text of its own otherwise, so that no field is a hiding place.
   */
  metadata(node: JsonNode, family: string, place: Place): void {
    if (node.kind === 'string' && this.isToken(node)) return;
    this.standAlone(node, family, place);
  }

  /** The bytes of a simple literal are its value: such names repeat on every chunk, and are not decoded. */
  private isToken(literal: JsonString): boolean {
    if (!literal.simple) return false;
    if (literal.end - literal.start - 2 > TOKEN_UNITS_MAX) return false;
    for (let at = literal.start + 1; at < literal.end - 1; at += 1)
      if (TOKEN_BYTES[this.data[at]!] === 0) return false;
    return !this.mayBeCard(literal);
  }

  /** Digits and hyphens alone, and enough of them: an identifier that is one has bad luck. */
  private mayBeCard(literal: JsonString): boolean {
    if (literal.end - literal.start - 2 < TELLING_NUMBER_UNITS_MIN) return false;
    for (let at = literal.start + 1; at < literal.end - 1; at += 1) {
      const byte = this.data[at]!;
      if (byte !== 0x2d && (byte < 0x30 || byte > 0x39)) return false;
    }
    return true;
  }
}

/** The shortest card number has 13 digits; shorter numbers are parameters and times. */
const TELLING_NUMBER_UNITS_MIN = 13;

const TOKEN_UNITS_MAX = 128;
/** Without the at sign, so that no address is one; a name that has one is a text of its own. */
const TOKEN = /^[\w.:/+=-]*$/;
/** 1 for each ASCII character that a token may hold. */
const TOKEN_BYTES = Uint8Array.from({ length: 128 }, (_, unit) =>
  TOKEN.test(String.fromCharCode(unit)) ? 1 : 0,
);

/** Whether a value reads as an identifier: one word of at most 128 ASCII characters. */
export function isToken(value: string): boolean {
  return value.length <= TOKEN_UNITS_MAX && TOKEN.test(value);
}
