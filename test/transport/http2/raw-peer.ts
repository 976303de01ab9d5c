/** A peer made of bytes: frames as RFC 9113 §4.1 lays them out, written and read without a line of the product. */
import { Buffer } from 'node:buffer';

export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
export const TYPE = {
  data: 0,
  headers: 1,
  priority: 2,
  reset: 3,
  settings: 4,
  push: 5,
  ping: 6,
  goaway: 7,
  window: 8,
  continuation: 9,
} as const;
export const END_STREAM = 1;
export const ACK = 1;
export const END_HEADERS = 4;

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly id: number;
  readonly payload: Buffer;
}

export function frame(
  type: number,
  flags: number,
  id: number,
  payload: Buffer = Buffer.alloc(0),
): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(id, 5);
  return Buffer.concat([head, payload]);
}

/** Whole frames; what is left of the bytes is no whole one. */
export function readFrames(bytes: Buffer): { readonly frames: Frame[]; readonly rest: Buffer } {
  const frames: Frame[] = [];
  let at = 0;
  while (at + 9 <= bytes.length) {
    const end = at + 9 + bytes.readUIntBE(at, 3);
    if (end > bytes.length) break;
    frames.push({
      type: bytes[at + 3] as number,
      flags: bytes[at + 4] as number,
      id: bytes.readUInt32BE(at + 5),
      payload: bytes.subarray(at + 9, end),
    });
    at = end;
  }
  return { frames, rest: bytes.subarray(at) };
}

export function uint32(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  values.forEach((value, index) => {
    bytes.writeUInt32BE(value, index * 4);
  });
  return bytes;
}

/** An integer of HPACK: RFC 7541 §5.1. */
export function integer(value: number, prefixBits: number, pattern = 0): Buffer {
  const most = 2 ** prefixBits - 1;
  if (value < most) return Buffer.of(pattern | value);
  const bytes = [pattern | most];
  let left = value - most;
  for (; left >= 128; left = Math.floor(left / 128)) bytes.push((left % 128) | 128);
  return Buffer.from([...bytes, left]);
}

const text = (value: string): Buffer =>
  Buffer.concat([integer(value.length, 7), Buffer.from(value, 'latin1')]);

/** A field that no table keeps. */
export const literal = (name: string, value: string): Buffer =>
  Buffer.concat([Buffer.of(0), text(name), text(value)]);

/** A field that the table of the peer keeps. */
export const kept = (name: string, value: string): Buffer =>
  Buffer.concat([Buffer.of(0x40), text(name), text(value)]);

export const fields = (...list: readonly (readonly [string, string])[]): Buffer =>
  Buffer.concat(list.map(([name, value]) => literal(name, value)));

/** A header block that is refused by nobody and is not gRPC: `:method POST`, `:scheme http`, `:path /`, all indexed. */
export const PLAIN_BLOCK = Buffer.of(0x83, 0x86, 0x84);

export function message(bytes: Uint8Array): Buffer {
  return Buffer.concat([Buffer.of(0), uint32(bytes.length), bytes]);
}

/** The setting and its value, as many as are given. */
export function settings(...list: readonly (readonly [number, number])[]): Buffer {
  const payload = Buffer.alloc(list.length * 6);
  list.forEach(([name, value], index) => {
    payload.writeUInt16BE(name, index * 6);
    payload.writeUInt32BE(value, index * 6 + 2);
  });
  return frame(TYPE.settings, 0, 0, payload);
}

export const SETTINGS_ACK = frame(TYPE.settings, ACK, 0);
export const GREETING = Buffer.concat([PREFACE, settings(), SETTINGS_ACK]);

export const headers = (id: number, block: Buffer, endStream = false): Buffer =>
  frame(TYPE.headers, END_HEADERS | (endStream ? END_STREAM : 0), id, block);
export const data = (id: number, payload: Buffer, endStream = false): Buffer =>
  frame(TYPE.data, endStream ? END_STREAM : 0, id, payload);
export const reset = (id: number, code = 8): Buffer => frame(TYPE.reset, 0, id, uint32(code));
export const ping = (flags = 0): Buffer => frame(TYPE.ping, flags, 0, Buffer.alloc(8));
export const windowUpdate = (id: number, more: number): Buffer =>
  frame(TYPE.window, 0, id, uint32(more));

/** The code and last stream of a GOAWAY. */
export function goawayOf(frames: readonly Frame[]): { code: number; lastId: number } | undefined {
  const last = frames.findLast(({ type }) => type === TYPE.goaway);
  return last && { lastId: last.payload.readUInt32BE(0), code: last.payload.readUInt32BE(4) };
}
