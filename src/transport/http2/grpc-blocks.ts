/**
 * Header blocks of gRPC answers, laid out once: they refer to the static table only and add nothing to the dynamic one,
 * so that they mean the same to every peer at any time (RFC 7541 §6.2.2).
 */
import { Buffer } from 'node:buffer';

/** gRPC status codes that we send: https://github.com/grpc/grpc/blob/master/doc/statuscodes.md. */
export const GRPC_STATUS = {
  OK: 0,
  CANCELLED: 1,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  RESOURCE_EXHAUSTED: 8,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
} as const;
export type GrpcStatus = keyof typeof GRPC_STATUS;

/** `:status: 200` in the static table. */
const STATUS_200 = Buffer.of(0x88);
/** Index of `content-type` in the static table. */
const CONTENT_TYPE = 31;

/** A string of HPACK, not Huffman-coded, of at most 126 bytes. */
function string(text: string): Buffer {
  const bytes = Buffer.from(text, 'latin1');
  if (bytes.length > 126) throw new RangeError('a constant of ours is too long');
  return Buffer.concat([Buffer.of(bytes.length), bytes]);
}

/** Literal field without indexing, its name in the static table. */
function indexedName(index: number, value: string): Buffer {
  const prefix = index < 15 ? Buffer.of(index) : Buffer.of(0x0f, index - 15);
  return Buffer.concat([prefix, string(value)]);
}

function literal(name: string, value: string): Buffer {
  return Buffer.concat([Buffer.of(0), string(name), string(value)]);
}

/** The head of every answer that has messages. */
export const RESPONSE_HEAD: Buffer = Buffer.concat([
  STATUS_200,
  indexedName(CONTENT_TYPE, 'application/grpc'),
]);

export const TRAILERS_OK: Buffer = literal('grpc-status', '0');

/** `reason`: a word of ours, never text of a peer. */
export function trailers(status: GrpcStatus, reason: string): Buffer {
  const code = literal('grpc-status', String(GRPC_STATUS[status]));
  return Buffer.concat([code, literal('grpc-message', encodeURIComponent(reason).slice(0, 120))]);
}

/** An answer without messages: head and trailers in one. */
export function trailersOnly(trailing: Buffer): Buffer {
  return Buffer.concat([RESPONSE_HEAD, trailing]);
}

/** `:status` alone, for who does not speak gRPC. */
export function plainStatus(status: number): Buffer {
  return indexedName(8, String(status));
}
