/**
 * A JSON array that arrives in pieces, cut into its elements with every byte kept: the unit of a stream
 * whose answers are one array (Google's REST streams without `alt=sse`). Elements are objects; what
 * stands before one (the bracket, a comma, space) belongs to its frame. A body that is a single object
 * (an error) is one element.
 */
import { ByteStore } from './byte-store.ts';

export interface RawElement {
  /** An own copy, never a view into the input. */
  readonly bytes: Uint8Array;
  /** Where the object stands in `bytes`; an empty range when there is none. */
  readonly from: number;
  readonly to: number;
  /**
   * `element`: an object, complete. `close`: the array's end. `space`: nothing to read.
   * `oversized`: a part of an element that is too long. `broken`: no array of objects.
   */
  readonly kind: 'element' | 'close' | 'space' | 'oversized' | 'broken';
}

type State = 'start' | 'first' | 'inside' | 'behind' | 'comma' | 'over' | 'broken';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const COMMA = 0x2c;

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

/** Which elements come out depends on the bytes only, never on how they arrive. Cost: linear. */
export class ElementSplitter {
  readonly #frameBytesMax: number;
  readonly #pending = new ByteStore();
  #state: State = 'start';
  /** The body has turned out to be an array, not one object. */
  array = false;
  #depth = 0;
  #inString = false;
  #escaped = false;
  #oversized = false;
  /** Offset in `#pending` where the object begins. */
  #from = 0;

  /** `frameBytesMax`: longest element given out whole; a longer one comes in parts of that size. */
  constructor(frameBytesMax: number) {
    this.#frameBytesMax = frameBytesMax;
  }

  get pendingBytes(): number {
    return this.#pending.length;
  }

  push(bytes: Uint8Array): readonly RawElement[] {
    const elements: RawElement[] = [];
    /** Where these bytes begin. */
    const base = this.#pending.length;
    this.#pending.append(bytes);
    const { length } = this.#pending;
    let start = 0;
    for (let at = base; at < length; at += 1) {
      if (at - start === this.#frameBytesMax) {
        this.#oversized = true;
        elements.push(this.#cut(start, at, 'oversized'));
        start = at;
      }
      const kind = this.#take(bytes[at - base]!, at);
      if (kind === undefined) continue;
      elements.push(this.#cut(start, at + 1, this.#oversized ? 'oversized' : kind));
      start = at + 1;
      this.#oversized = false;
    }
    if (this.#state === 'broken' && start < length) {
      elements.push(this.#cut(start, length, 'broken'));
      start = length;
    }
    this.#pending.keepFrom(start);
    this.#from -= start;
    return elements;
  }

  /** The body is over: what is left, if anything. */
  end(): readonly RawElement[] {
    const length = this.#pending.length;
    if (length === 0) return [];
    const kind = this.#state === 'inside' ? (this.#oversized ? 'oversized' : 'broken') : 'space';
    const rest = this.#cut(0, length, kind);
    this.#pending.keepFrom(length);
    return [rest];
  }

  #cut(start: number, end: number, kind: RawElement['kind']): RawElement {
    const whole = kind === 'element';
    return {
      bytes: this.#pending.copy(start, end),
      from: whole ? this.#from - start : 0,
      to: whole ? end - start : 0,
      kind,
    };
  }

  /** Takes one byte; says what is complete with it. */
  #take(byte: number, at: number): 'element' | 'close' | undefined {
    if (this.#state === 'inside') return this.#inside(byte);
    if (this.#state === 'broken' || isSpace(byte)) return undefined;
    return this.#outside(byte, at);
  }

  #outside(byte: number, at: number): 'close' | undefined {
    const state = this.#state;
    const mayBegin = state === 'start' || state === 'first' || state === 'comma';
    if (byte === OPEN_OBJECT && mayBegin) {
      this.#state = 'inside';
      this.#from = at;
      this.#depth = 1;
    } else if (byte === OPEN_ARRAY && state === 'start') {
      this.#state = 'first';
      this.array = true;
    } else if (byte === COMMA && state === 'behind') {
      this.#state = 'comma';
    } else if (byte === CLOSE_ARRAY && (state === 'behind' || state === 'first')) {
      this.#state = 'over';
      return 'close';
    } else {
      this.#state = 'broken';
    }
    return undefined;
  }

  #inside(byte: number): 'element' | undefined {
    if (this.#inString) {
      if (this.#escaped) this.#escaped = false;
      else if (byte === BACKSLASH) this.#escaped = true;
      else if (byte === QUOTE) this.#inString = false;
      return undefined;
    }
    if (byte === QUOTE) this.#inString = true;
    else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) this.#depth += 1;
    else if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) this.#depth -= 1;
    if (this.#depth > 0) return undefined;
    this.#state = this.array ? 'behind' : 'over';
    return 'element';
  }
}
