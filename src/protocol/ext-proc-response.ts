/**
 * envoy.service.ext_proc.v3.ProcessingResponse, written. ext_proc reads only `raw_value` of a header and
 * only the deprecated `append` (notes: envoy-verified.md 3, 3c); `append_action` is never sent.
 * `mode_override` cannot be written at all: it leaves content-length in place and so lets a request be
 * smuggled (9d), and the engine has no use for it.
 */
import { Buffer } from 'node:buffer';
import type { Direction } from '../policy/set.ts';
import { answerStatus, removableName, safeHeaderValue, settableName } from './header-guard.ts';
import type { HeaderMutation, StructObject } from './process.ts';
import { writeStruct } from './struct.ts';
import { EMPTY, varintLength, WireWriter } from './wire.ts';

const FIELD = {
  headers: { request: 1, response: 2 },
  body: { request: 3, response: 4 },
  trailers: { request: 5, response: 6 },
  immediate: 7,
  dynamicMetadata: 8,
} as const;

/** One `BodyResponse` or `HeadersResponse` around a CommonResponse. */
function common(field: number, response: Uint8Array): Uint8Array {
  const wrapped = new WireWriter(response.length + 8).bytesField(1, response).finish();
  return new WireWriter(wrapped.length + 8).bytesField(field, wrapped).finish();
}

const CONTINUE_HEADERS = {
  request: common(FIELD.headers.request, EMPTY),
  response: common(FIELD.headers.response, EMPTY),
} as const;
const CONTINUE_BODY = {
  request: common(FIELD.body.request, EMPTY),
  response: common(FIELD.body.response, EMPTY),
} as const;
const CONTINUE_TRAILERS = {
  request: new WireWriter(8).bytesField(FIELD.trailers.request, EMPTY).finish(),
  response: new WireWriter(8).bytesField(FIELD.trailers.response, EMPTY).finish(),
} as const;

/** One `HeaderValueOption` for ext_proc. Throws ProtocolViolation for a name that may not be set. */
function headerOption(name: string, value: string, append: boolean): Uint8Array {
  const header = new WireWriter()
    .stringField(1, settableName(name))
    .bytesField(3, Buffer.from(safeHeaderValue(value), 'utf8'));
  const option = new WireWriter().bytesField(1, header.finish());
  // google.protobuf.BoolValue{value: true}; absent means overwrite.
  if (append) option.bytesField(2, new WireWriter(4).boolField(1, true).finish());
  return option.finish();
}

/** HeaderMutation. Throws ProtocolViolation. */
function headerMutation(mutation: HeaderMutation): Uint8Array {
  const writer = new WireWriter();
  for (const { name, value, append } of mutation.set ?? []) {
    writer.bytesField(1, headerOption(name, value, append === true));
  }
  for (const name of mutation.remove ?? []) writer.stringField(2, removableName(name));
  return writer.finish();
}

function withMetadata(writer: WireWriter, metadata: StructObject | undefined): Uint8Array {
  if (metadata !== undefined && Object.keys(metadata).length > 0) {
    writer.bytesField(FIELD.dynamicMetadata, writeStruct(metadata));
  }
  return writer.finish();
}

/** The answer to request or response headers. `metadata` is keyed by namespace. Throws ProtocolViolation. */
export function headersReply(
  direction: Direction,
  mutation?: HeaderMutation,
  metadata?: StructObject,
): Uint8Array {
  if (mutation === undefined && metadata === undefined) return CONTINUE_HEADERS[direction];
  const response = new WireWriter();
  if (mutation !== undefined) response.bytesField(2, headerMutation(mutation));
  if (mutation?.clearRouteCache) response.boolField(5, true);
  const wrapped = new WireWriter().bytesField(1, response.finish()).finish();
  return withMetadata(new WireWriter().bytesField(FIELD.headers[direction], wrapped), metadata);
}

/**
 * A chunk in FULL_DUPLEX_STREAMED, the only reply that mode accepts. One copy of the bytes. `metadata` is
 * keyed by namespace; Envoy merges it over what earlier replies said.
 */
export function streamedBodyReply(
  direction: Direction,
  bytes: Uint8Array,
  endOfStream: boolean,
  metadata?: StructObject,
): Uint8Array {
  const streamed =
    (bytes.length > 0 ? 1 + varintLength(bytes.length) + bytes.length : 0) + (endOfStream ? 2 : 0);
  const mutation = 1 + varintLength(streamed) + streamed;
  const response = 1 + varintLength(mutation) + mutation;
  const body = 1 + varintLength(response) + response;
  const writer = new WireWriter(body + 32)
    .lengthPrefix(FIELD.body[direction], body)
    .lengthPrefix(1, response)
    .lengthPrefix(3, mutation)
    .lengthPrefix(3, streamed);
  if (bytes.length > 0) writer.bytesField(1, bytes);
  if (endOfStream) writer.boolField(2, true);
  return withMetadata(writer, metadata);
}

/** "As it came", in every mode but FULL_DUPLEX_STREAMED. */
export function unchangedBodyReply(direction: Direction): Uint8Array {
  return CONTINUE_BODY[direction];
}

/**
 * Another body for the chunk (STREAMED) or the whole (BUFFERED, BUFFERED_PARTIAL); empty bytes clear it.
 * `contentLength` is set in the same reply: in BUFFERED, Envoy answers 500 when it does not fit (4a).
 */
export function replacedBodyReply(
  direction: Direction,
  bytes: Uint8Array,
  contentLength: number | undefined,
): Uint8Array {
  const response = new WireWriter(bytes.length + 96);
  if (contentLength !== undefined) response.bytesField(2, contentLengthMutation(contentLength));
  const mutation = new WireWriter(bytes.length + 16);
  if (bytes.length > 0) mutation.bytesField(1, bytes);
  else mutation.boolField(2, true);
  response.bytesField(3, mutation.finish());
  return common(FIELD.body[direction], response.finish());
}

/** Written past `settableName`, which keeps this header from everybody else. */
function contentLengthMutation(length: number): Uint8Array {
  const header = new WireWriter()
    .stringField(1, 'content-length')
    .bytesField(3, Buffer.from(String(length), 'latin1'));
  const option = new WireWriter().bytesField(1, header.finish());
  return new WireWriter().bytesField(1, option.finish()).finish();
}

/** Throws ProtocolViolation. */
export function trailersReply(direction: Direction, mutation?: HeaderMutation): Uint8Array {
  if (mutation === undefined) return CONTINUE_TRAILERS[direction];
  const response = new WireWriter().bytesField(1, headerMutation(mutation));
  return new WireWriter().bytesField(FIELD.trailers[direction], response.finish()).finish();
}

/** Details stand in Envoy's access log; empty ones would leave a refusal without a name. */
const DETAILS_DEFAULT = 'switchyard';

/**
 * An answer of our own. `status` and `details` are always set (absent: 200 and an empty log field).
 * A `content-length` among the headers is left out: Envoy computes it. Throws ProtocolViolation.
 */
export function immediateReply(
  status: number,
  headers: Readonly<Record<string, string>>,
  body: string,
  details: string,
  metadata?: StructObject,
): Uint8Array {
  const mutation = new WireWriter();
  for (const [name, value] of Object.entries(headers)) {
    if (name.toLowerCase() === 'content-length') continue;
    mutation.bytesField(1, headerOption(name, value, false));
  }
  const immediate = new WireWriter()
    .bytesField(1, new WireWriter(8).varintField(1, answerStatus(status)).finish())
    .bytesField(2, mutation.finish())
    .stringField(3, body)
    .stringField(5, details === '' ? DETAILS_DEFAULT : safeDetails(details));
  return withMetadata(new WireWriter().bytesField(FIELD.immediate, immediate.finish()), metadata);
}

/** Details become one word of a log line. */
function safeDetails(details: string): string {
  return safeHeaderValue(details).replaceAll(' ', '_');
}
