/** envoy.service.auth.v3: CheckRequest read lazily, CheckResponse written so that it can never allow by omission. */
import type { Buffer } from 'node:buffer';
import type { CheckAnswer, CheckRequest } from './check.ts';
import { answerStatus, safeHeaderValue, settableName } from './header-guard.ts';
import { HeaderMapView, headerText, StringMapView } from './header-view.ts';
import type { HeaderView, StructObject } from './process.ts';
import { filterMetadataEntries, structInMap, writeStruct } from './struct.ts';
import { EMPTY, lengthTag, mapEntry, mergeOccurrences, WireReader, WireWriter } from './wire.ts';

/** Throws MalformedMessage; so do the lazy methods of the result. */
export function readCheckRequest(bytes: Uint8Array): CheckRequest {
  return new LazyCheckRequest(submessage(bytes, 1));
}

/** All occurrences of a message field, merged; empty when absent. */
function submessage(bytes: Uint8Array, field: number): Buffer {
  const reader = new WireReader(bytes);
  let merged = EMPTY;
  while (reader.next()) {
    if (reader.tag === lengthTag(field)) merged = mergeOccurrences(merged, reader.bytes());
    else reader.skip();
  }
  return merged;
}

class LazyCheckRequest implements CheckRequest {
  readonly method: string;
  readonly path: string;
  readonly authority: string;
  readonly headers: HeaderView;
  readonly sourcePrincipal: string;
  readonly sourceIp: string;
  readonly body: Uint8Array;
  readonly #extensions: readonly Uint8Array[];
  readonly #metadata: Uint8Array;
  #namespaces: readonly Uint8Array[] | undefined;

  /** `attributes` is an encoded AttributeContext. */
  constructor(attributes: Uint8Array) {
    const reader = new WireReader(attributes);
    const extensions: Uint8Array[] = [];
    let source = EMPTY;
    let request = EMPTY;
    let metadata = EMPTY;
    while (reader.next()) {
      switch (reader.tag) {
        case lengthTag(1):
          source = mergeOccurrences(source, reader.bytes());
          break;
        case lengthTag(4):
          request = mergeOccurrences(request, reader.bytes());
          break;
        case lengthTag(10):
          extensions.push(reader.bytes());
          break;
        case lengthTag(11):
          metadata = mergeOccurrences(metadata, reader.bytes());
          break;
        default:
          reader.skip();
      }
    }
    const http = readHttp(submessage(request, 2));
    this.method = http.method;
    this.path = http.path;
    this.authority = http.authority;
    this.headers = http.headers;
    this.body = http.body;
    this.sourcePrincipal = readText(source, 4);
    // Peer.address.socket_address.address
    const socket = submessage(submessage(source, 1), 1);
    this.sourceIp = readText(socket, 2);
    this.#extensions = extensions;
    this.#metadata = metadata;
  }

  contextExtension(name: string): string | undefined {
    for (let index = this.#extensions.length - 1; index >= 0; index--) {
      const { key, value } = mapEntry(this.#extensions[index] as Uint8Array);
      if (key === name) return value.toString('utf8');
    }
    return undefined;
  }

  metadata(namespace: string): StructObject | undefined {
    this.#namespaces ??= filterMetadataEntries(this.#metadata);
    return structInMap(this.#namespaces, namespace);
  }
}

/** '' when the field is absent. */
function readText(message: Uint8Array, field: number): string {
  const reader = new WireReader(message);
  let text = '';
  while (reader.next()) {
    if (reader.tag === lengthTag(field)) text = reader.string();
    else reader.skip();
  }
  return text;
}

interface HttpPart {
  readonly method: string;
  readonly path: string;
  readonly authority: string;
  readonly headers: HeaderView;
  readonly body: Uint8Array;
}

const HTTP_HEADERS = 3;

/** HttpRequest. With `encode_raw_headers` Envoy fills only `header_map` (13), else only `headers` (3). */
function readHttp(http: Buffer): HttpPart {
  const reader = new WireReader(http);
  let map: Buffer | undefined;
  let method = EMPTY;
  let path = EMPTY;
  let authority = EMPTY;
  let body = EMPTY;
  while (reader.next()) {
    switch (reader.tag) {
      case lengthTag(2):
        method = reader.bytes();
        break;
      case lengthTag(4):
        path = reader.bytes();
        break;
      case lengthTag(5):
        authority = reader.bytes();
        break;
      case lengthTag(11): // body
      case lengthTag(12): // raw_body, with `pack_as_bytes`
        body = reader.bytes();
        break;
      case lengthTag(13):
        map = mergeOccurrences(map, reader.bytes());
        break;
      default:
        reader.skip();
    }
  }
  return {
    method: headerText(method),
    path: headerText(path),
    authority: headerText(authority),
    headers: map === undefined ? new StringMapView(http, HTTP_HEADERS) : new HeaderMapView(map),
    body,
  };
}

/** google.rpc.Code. */
const GRPC_OK = 0;
const GRPC_PERMISSION_DENIED = 7;

/** The zero is written out although proto3 would leave it away: what we mean stands on the wire. */
const STATUS_OK = new WireWriter(8).varintField(1, GRPC_OK).finish();
const STATUS_DENIED = new WireWriter(8).varintField(1, GRPC_PERMISSION_DENIED).finish();
/** Room for what an allowance usually tells the filters behind it. */
const REPLY_BYTES = 256;

/**
 * `status` (field 1) is always written, with a non-zero code for a denial: without it Envoy allows, even
 * beside a denied_response (notes: envoy-verified.md E). Headers are in `value`, which alone ext_authz reads.
 * Throws ProtocolViolation for a status or a header name that Envoy would not send.
 */
export function checkReply(answer: CheckAnswer): Uint8Array {
  const writer = new WireWriter(REPLY_BYTES);
  if (answer.kind === 'allow') {
    writer.bytesField(1, STATUS_OK).bytesField(3, EMPTY);
  } else {
    writer.bytesField(1, STATUS_DENIED).bytesField(2, deniedResponse(answer));
  }
  if (Object.keys(answer.metadata).length > 0) writer.bytesField(4, writeStruct(answer.metadata));
  return writer.finish();
}

function deniedResponse(answer: CheckAnswer & { kind: 'deny' }): Uint8Array {
  const writer = new WireWriter().bytesField(
    1,
    new WireWriter(8).varintField(1, answerStatus(answer.status)).finish(),
  );
  for (const [name, value] of Object.entries(answer.headers)) {
    if (name.toLowerCase() === 'content-length') continue;
    const header = new WireWriter()
      .stringField(1, settableName(name))
      .stringField(2, safeHeaderValue(value));
    writer.bytesField(2, new WireWriter().bytesField(1, header.finish()).finish());
  }
  return writer.stringField(3, answer.body).finish();
}
