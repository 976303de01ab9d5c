/**
 * envoy.service.ext_proc.v3.ProcessingResponse, written. ext_proc reads only `raw_value` of a header and
 * only the deprecated `append` (notes: envoy-verified.md 3, 3c); `append_action` is never sent.
 * `mode_override` cannot be written at all: it leaves content-length in place and so lets a request be
 * smuggled (9d), and the engine has no use for it.
 */
import type { Direction } from '../policy/set.ts';
import { answerStatus, removableName, safeHeaderValue, settableName } from './header-guard.ts';
import type { HeaderMutation, StructObject } from './process.ts';
import { structBytes, writeStruct } from './struct.ts';
import { EMPTY, fieldBytes, utf8Bytes, WireWriter } from './wire.ts';

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

/** One header that is to be set, checked: `name` is ASCII. */
interface SetHeader {
  readonly name: string;
  readonly value: string;
  readonly valueBytes: number;
  readonly append: boolean;
}

/** Throws ProtocolViolation for a name that may not be set. */
function setHeader(name: string, value: string, append: boolean): SetHeader {
  const safe = safeHeaderValue(value);
  const valueBytes = utf8Bytes(safe);
  return { name: settableName(name), value: safe, valueBytes, append };
}

const headerValueBytes = ({ name, valueBytes }: SetHeader): number =>
  fieldBytes(name.length) + fieldBytes(valueBytes);
/** google.protobuf.BoolValue{value: true} in a field of its own; absent means overwrite. */
const APPEND_BYTES = 4;
const optionBytes = (header: SetHeader): number =>
  fieldBytes(headerValueBytes(header)) + (header.append ? APPEND_BYTES : 0);

/** One `HeaderValueOption`, as a field of its HeaderMutation. */
function writeOption(writer: WireWriter, header: SetHeader): void {
  writer
    .lengthPrefix(1, optionBytes(header))
    .lengthPrefix(1, headerValueBytes(header))
    .stringField(1, header.name)
    .lengthPrefix(3, header.valueBytes)
    .text(header.value);
  if (header.append) writer.lengthPrefix(2, 2).boolField(1, true);
}

/** A HeaderMutation, checked and measured before a byte of it is written. */
interface Mutation {
  readonly bytes: number;
  readonly set: readonly SetHeader[];
  readonly remove: readonly string[];
}

const NO_NAMES: readonly string[] = [];

/** Throws ProtocolViolation. */
function measured(mutation: HeaderMutation): Mutation {
  const set: SetHeader[] = [];
  let bytes = 0;
  if (mutation.set !== undefined)
    for (const { name, value, append } of mutation.set) {
      const header = setHeader(name, value, append === true);
      bytes += fieldBytes(optionBytes(header));
      set.push(header);
    }
  const remove = mutation.remove?.map(removableName) ?? NO_NAMES;
  for (const name of remove) bytes += fieldBytes(name.length);
  return { bytes, set, remove };
}

function writeMutation(writer: WireWriter, { set, remove }: Mutation): void {
  for (const header of set) writeOption(writer, header);
  for (const name of remove) writer.stringField(2, name);
}

/** A reply of `bytes`, with room for what the access log is told, which is of `told` bytes. */
const replyWriter = (bytes: number, told: number): WireWriter =>
  new WireWriter(bytes + (told === 0 ? 0 : fieldBytes(told)));

function withMetadata(
  writer: WireWriter,
  metadata: StructObject | undefined,
  told: number,
): Uint8Array {
  if (metadata !== undefined && told > 0)
    writeStruct(writer.lengthPrefix(FIELD.dynamicMetadata, told), metadata);
  return writer.finish();
}

/** The answer to request or response headers. `metadata` is keyed by namespace. Throws ProtocolViolation. */
export function headersReply(
  direction: Direction,
  mutation?: HeaderMutation,
  metadata?: StructObject,
): Uint8Array {
  if (mutation === undefined && metadata === undefined) return CONTINUE_HEADERS[direction];
  const headers = mutation && measured(mutation);
  const clears = mutation?.clearRouteCache === true;
  const response = (headers === undefined ? 0 : fieldBytes(headers.bytes)) + (clears ? 2 : 0);
  const wrapped = fieldBytes(response);
  const told = metadata === undefined ? 0 : structBytes(metadata);
  const writer = replyWriter(fieldBytes(wrapped), told)
    .lengthPrefix(FIELD.headers[direction], wrapped)
    .lengthPrefix(1, response);
  if (headers !== undefined) writeMutation(writer.lengthPrefix(2, headers.bytes), headers);
  if (clears) writer.boolField(5, true);
  return withMetadata(writer, metadata, told);
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
  const streamed = (bytes.length > 0 ? fieldBytes(bytes.length) : 0) + (endOfStream ? 2 : 0);
  const mutation = fieldBytes(streamed);
  const response = fieldBytes(mutation);
  const body = fieldBytes(response);
  const told = metadata === undefined ? 0 : structBytes(metadata);
  const writer = replyWriter(fieldBytes(body), told)
    .lengthPrefix(FIELD.body[direction], body)
    .lengthPrefix(1, response)
    .lengthPrefix(3, mutation)
    .lengthPrefix(3, streamed);
  if (bytes.length > 0) writer.bytesField(1, bytes);
  if (endOfStream) writer.boolField(2, true);
  return withMetadata(writer, metadata, told);
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
  const value = String(length);
  const writer = new WireWriter();
  writeOption(writer, { name: 'content-length', value, valueBytes: value.length, append: false });
  return writer.finish();
}

/** Throws ProtocolViolation. */
export function trailersReply(direction: Direction, mutation?: HeaderMutation): Uint8Array {
  if (mutation === undefined) return CONTINUE_TRAILERS[direction];
  const headers = measured(mutation);
  const response = fieldBytes(headers.bytes);
  const writer = new WireWriter(fieldBytes(response))
    .lengthPrefix(FIELD.trailers[direction], response)
    .lengthPrefix(1, headers.bytes);
  writeMutation(writer, headers);
  return writer.finish();
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
    writeOption(mutation, setHeader(name, value, false));
  }
  const immediate = new WireWriter()
    .bytesField(1, new WireWriter(8).varintField(1, answerStatus(status)).finish())
    .bytesField(2, mutation.finish())
    .stringField(3, body)
    .stringField(5, details === '' ? DETAILS_DEFAULT : safeDetails(details));
  const told = metadata === undefined ? 0 : structBytes(metadata);
  return withMetadata(
    new WireWriter().bytesField(FIELD.immediate, immediate.finish()),
    metadata,
    told,
  );
}

/** Details become one word of a log line. */
function safeDetails(details: string): string {
  return safeHeaderValue(details).replaceAll(' ', '_');
}
