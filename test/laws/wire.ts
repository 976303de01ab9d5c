/**
 * Bytes as the oracle reads them. Bodies are Latin-1 strings here, one character a byte, so that every
 * position is that of a byte; what a JSON string says is asked of JSON.parse.
 */

export const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
export const utf8Of = (written: string): string => Buffer.from(written, 'latin1').toString('utf8');
export const latin1Of = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');

export type Node =
  | { readonly kind: 'string'; readonly from: number; readonly to: number; readonly value: string }
  | { readonly kind: 'scalar'; readonly from: number; readonly to: number; readonly value: unknown }
  | {
      readonly kind: 'array';
      readonly from: number;
      readonly to: number;
      readonly items: readonly Node[];
    }
  | ObjectNode;

export interface ObjectNode {
  readonly kind: 'object';
  readonly from: number;
  readonly to: number;
  /** All of them, in the order in which they are written. */
  readonly members: readonly {
    readonly name: string;
    readonly value: Node;
    readonly shadowed: boolean;
  }[];
}

const BLANK = /[ \t\r\n]*/y;
const STRING = /"(?:[^"\\]|\\.)*"/y;
const SCALAR = /-?[0-9][0-9.eE+-]*|true|false|null/y;

/** Reads one JSON value of `source[at,end)`; throws where JSON.parse would. */
export function jsonNodes(source: string, at = 0, end = source.length): Node {
  const text = source.slice(0, end);
  JSON.parse(utf8Of(text.slice(at)));
  const match = (pattern: RegExp, from: number): number => {
    pattern.lastIndex = from;
    return pattern.test(text) ? pattern.lastIndex : -1;
  };
  const skip = (from: number): number => match(BLANK, from);
  const read = (start: number): Node => {
    const from = skip(start);
    const first = text[from];
    if (first === '"') {
      const to = match(STRING, from);
      return {
        kind: 'string',
        from,
        to,
        value: JSON.parse(utf8Of(text.slice(from, to))) as string,
      };
    }
    if (first === '[') {
      const items: Node[] = [];
      let next = skip(from + 1);
      while (text[next] !== ']') {
        const item = read(text[next] === ',' ? next + 1 : next);
        items.push(item);
        next = skip(item.to);
      }
      return { kind: 'array', from, to: next + 1, items };
    }
    if (first === '{') {
      const members: { name: string; value: Node }[] = [];
      let next = skip(from + 1);
      while (text[next] !== '}') {
        const name = read(text[next] === ',' ? next + 1 : next);
        const value = read(skip(name.to) + 1);
        members.push({ name: (name as { value: string }).value, value });
        next = skip(value.to);
      }
      const shadowed = (place: number): boolean =>
        members.slice(place + 1).some((later) => later.name === members[place]!.name);
      return {
        kind: 'object',
        from,
        to: next + 1,
        members: members.map((member, place) => ({ ...member, shadowed: shadowed(place) })),
      };
    }
    const to = match(SCALAR, from);
    return { kind: 'scalar', from, to, value: JSON.parse(text.slice(from, to)) };
  };
  return read(at);
}

/** The member that counts. */
export function member(node: Node | undefined, name: string): Node | undefined {
  if (node?.kind !== 'object') return undefined;
  return node.members.findLast((one) => one.name === name)?.value;
}

export const stringOf = (node: Node | undefined): string | undefined =>
  node?.kind === 'string' ? node.value : undefined;

export const numberOf = (node: Node | undefined): number | undefined =>
  node?.kind === 'scalar' && typeof node.value === 'number' ? node.value : undefined;

/** Well-formed UTF-8 (Unicode, table 3-7), longest first. */
const WELL_FORMED = [
  '\\xf0[\\x90-\\xbf][\\x80-\\xbf]{2}|[\\xf1-\\xf3][\\x80-\\xbf]{3}|\\xf4[\\x80-\\x8f][\\x80-\\xbf]{2}',
  '\\xe0[\\xa0-\\xbf][\\x80-\\xbf]|[\\xe1-\\xec\\xee\\xef][\\x80-\\xbf]{2}|\\xed[\\x80-\\x9f][\\x80-\\xbf]',
  '[\\xc2-\\xdf][\\x80-\\xbf]',
].join('|');
/** What could have become a character of three bytes or four, or of two: read as one replacement character. */
const BEGUN = [
  '\\xf0(?:[\\x90-\\xbf][\\x80-\\xbf]?)?|[\\xf1-\\xf3][\\x80-\\xbf]{0,2}|\\xf4(?:[\\x80-\\x8f][\\x80-\\xbf]?)?',
  '\\xe0[\\xa0-\\xbf]?|[\\xe1-\\xec\\xee\\xef][\\x80-\\xbf]?|\\xed[\\x80-\\x9f]?',
  '[\\xc2-\\xdf]',
].join('|');
const ESCAPE = '\\\\u[0-9a-fA-F]{4}|\\\\[\\s\\S]';
const UNIT = new RegExp(`${ESCAPE}|${WELL_FORMED}|${BEGUN}|[\\s\\S]`, 'y');
const BARE_UNIT = new RegExp(`${WELL_FORMED}|${BEGUN}|[\\s\\S]`, 'y');
const BEGUN_ALONE = new RegExp(`^(?:${BEGUN})$`);
const FOUR_BYTES = /^[\xf0-\xf4]...$/s;

/** Where every UTF-16 unit of `source[from,to)` is written, and the end. Both halves of four bytes are at their first. */
export function unitPlaces(source: string, from: number, to: number, escapes: boolean): number[] {
  const pattern = escapes ? UNIT : BARE_UNIT;
  const places: number[] = [];
  const text = source.slice(0, to);
  for (let at = from; at < to; ) {
    pattern.lastIndex = at;
    const written = pattern.exec(text)![0];
    places.push(at);
    if (FOUR_BYTES.test(written)) places.push(at);
    at += written.length;
  }
  return [...places, to];
}

/** How many last bytes of `source` a character may have begun with. */
export function begunBytes(source: string): number {
  return [1, 2, 3].find((back) => BEGUN_ALONE.test(source.slice(-back))) ?? 0;
}

const LINE = /([^\r\n]*)(\r\n|\r|\n)/y;

/** Where the frames of a body end. */
export interface Frames {
  readonly ends: readonly number[];
  /** How many of them are over as soon as their last byte is there; the rest of a body ends with it. */
  readonly closed: number;
  /** How many bytes have to come for each of them, where those are more than it has. */
  readonly closedAt?: readonly number[];
}

function framesOf(source: string, ends: readonly number[]): Frames {
  const rest = (ends.at(-1) ?? 0) < source.length ? [source.length] : [];
  return { ends: [...ends, ...rest], closed: ends.length };
}

/**
 * The events of a stream: each ends at the first byte of the line end of its blank line, so that an LF behind
 * a CR, which says nothing more, belongs to what comes next.
 */
export function eventFrames(source: string): Frames {
  const ends: number[] = [];
  for (let at = 0; at < source.length; ) {
    LINE.lastIndex = at;
    const line = LINE.exec(source);
    if (line === null) break;
    if (line[1] === '') ends.push(at + 1);
    at += line[0].length;
  }
  return framesOf(source, ends);
}

export function lineFrames(source: string): Frames {
  const ends: number[] = [];
  for (let at = 0; at < source.length; at++) if (source[at] === '\n') ends.push(at + 1);
  return framesOf(source, ends);
}

/** The elements of an array in pieces: up to the `}` of each, then up to the `]`, then the rest. */
export function elementFrames(source: string): Frames {
  const root = jsonNodes(source);
  return framesOf(
    source,
    root.kind === 'array' ? [...root.items.map((item) => item.to), root.to] : [root.to],
  );
}

/** A body that is one frame, which is over when the body is. */
export const oneFrame = (source: string): Frames => framesOf(source, []);

/** The data of one event: its lines joined, and where each byte of that stands. */
export interface EventData {
  readonly text: string;
  readonly places: readonly number[];
}

/** `first`: the event may begin with a byte-order mark. Undefined for an event without data. */
export function eventData(raw: string, first: boolean): EventData | undefined {
  let text = '';
  const places: number[] = [];
  let lines = 0;
  for (let at = first && raw.startsWith('\xef\xbb\xbf') ? 3 : 0; at < raw.length; ) {
    LINE.lastIndex = at;
    const line = LINE.exec(raw)?.[1] ?? raw.slice(at);
    const field = /^data(?:: ?|$)/.exec(line)?.[0];
    if (field !== undefined) {
      if (lines > 0) {
        places.push(Number.NaN);
        text += '\n';
      }
      for (let place = field.length; place < line.length; place++) places.push(at + place);
      text += line.slice(field.length);
      lines++;
    }
    at += line.length + (raw.startsWith('\r\n', at + line.length) ? 2 : 1);
  }
  return lines === 0 ? undefined : { text, places };
}
