/** envoy.service.auth.v3: CheckRequest read lazily, CheckResponse written so that it can never allow by omission. */
import type { Buffer } from 'node:buffer';
import type { CheckAnswer, CheckRequest } from './check.ts';
import { answerStatus, safeHeaderValue, settableName } from './header-guard.ts';
import { HeaderMapView, headerTextAt, StringMapView } from './header-view.ts';
import type { HeaderView, StructObject } from './process.ts';
import { filterMetadataEntries, structBytes, structInMap, writeStruct } from './struct.ts';
import {
  asBuffer,
  EMPTY,
  lengthTag,
  mapEntry,
  NO_PART,
  Part,
  WireReader,
  WireWriter,
} from './wire.ts';

/** The message is `bytes[start, end)`. Throws MalformedMessage; so do the lazy methods of the result. */
export function readCheckRequest(
  bytes: Uint8Array,
  start = 0,
  end: number = bytes.length,
): CheckRequest {
  const whole = new Part();
  whole.bytes = asBuffer(bytes);
  whole.from = start;
  whole.to = end;
  return new LazyCheckRequest(whole.part(1));
}

/** Used within one call, which calls nobody who could use it again. */
const partReader = new WireReader(EMPTY);

/** AttributeContext. */
class LazyCheckRequest implements CheckRequest {
  readonly method: string;
  readonly path: string;
  readonly authority: string;
  readonly headers: HeaderView;
  readonly #source = new Part();
  readonly #body: Part;
  readonly #metadata = new Part();
  /** Where entries of `context_extensions` lie in the attributes, begin and end. */
  readonly #extensions: number[] = [];
  readonly #attributes: Buffer;
  #namespaces: readonly Uint8Array[] | undefined = undefined;

  constructor(attributes: Part) {
    const bytes = (this.#attributes = attributes.bytes);
    const reader = partReader.over(bytes, attributes.from, attributes.to);
    const request = new Part();
    while (reader.next()) {
      switch (reader.tag) {
        case lengthTag(1):
          this.#source.add(reader, bytes);
          break;
        case lengthTag(4):
          request.add(reader, bytes);
          break;
        case lengthTag(10):
          reader.span();
          this.#extensions.push(reader.from, reader.to);
          break;
        case lengthTag(11):
          this.#metadata.add(reader, bytes);
          break;
        default:
          reader.skip();
      }
    }
    const http = readHttp(request.part(2));
    this.method = http.method;
    this.path = http.path;
    this.authority = http.authority;
    this.headers = http.headers;
    this.#body = http.body;
  }

  get body(): Uint8Array {
    return this.#body.view();
  }

  get sourcePrincipal(): string {
    return readText(this.#source, 4);
  }

  /** Peer.address.socket_address.address */
  get sourceIp(): string {
    return readText(this.#source.part(1).part(1), 2);
  }

  contextExtension(name: string): string | undefined {
    for (let index = this.#extensions.length - 2; index >= 0; index -= 2) {
      const from = this.#extensions[index] as number;
      const entry = this.#attributes.subarray(from, this.#extensions[index + 1]);
      const { key, value } = mapEntry(entry, false);
      if (key === name) return value.toString('utf8');
    }
    return undefined;
  }

  metadata(namespace: string): StructObject | undefined {
    this.#namespaces ??= filterMetadataEntries(this.#metadata.view());
    return structInMap(this.#namespaces, namespace);
  }
}

/** '' when the field is absent. */
function readText(message: Part, field: number): string {
  const reader = partReader.over(message.bytes, message.from, message.to);
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
  readonly body: Part;
}

const HTTP_HEADERS = 3;

/** HttpRequest. With `encode_raw_headers` Envoy fills only `header_map` (13), else only `headers` (3). */
function readHttp({ bytes, from, to }: Part): HttpPart {
  const reader = partReader.over(bytes, from, to);
  const map = new Part();
  let mapSeen = false;
  let method = '';
  let path = '';
  let authority = '';
  let body = NO_PART;
  while (reader.next()) {
    switch (reader.tag) {
      case lengthTag(2):
        method = textOf(reader, bytes);
        break;
      case lengthTag(4):
        path = textOf(reader, bytes);
        break;
      case lengthTag(5):
        authority = textOf(reader, bytes);
        break;
      case lengthTag(11): // body
      case lengthTag(12): // raw_body, with `pack_as_bytes`
        body = new Part();
        body.add(reader, bytes);
        break;
      case lengthTag(13):
        mapSeen = true;
        map.add(reader, bytes);
        break;
      default:
        reader.skip();
    }
  }
  const headers = mapSeen
    ? new HeaderMapView(map.bytes, map.from, map.to)
    : new StringMapView(bytes, HTTP_HEADERS, from, to);
  return { method, path, authority, headers, body };
}

function textOf(reader: WireReader, bytes: Buffer): string {
  reader.span();
  return headerTextAt(bytes, reader.from, reader.to);
}

/** google.rpc.Code. */
const GRPC_OK = 0;
const GRPC_PERMISSION_DENIED = 7;

/** The zero is written out although proto3 would leave it away: what we mean stands on the wire. */
const STATUS_OK = new WireWriter(8).varintField(1, GRPC_OK).finish();
const STATUS_DENIED = new WireWriter(8).varintField(1, GRPC_PERMISSION_DENIED).finish();
/** Room for an allowance, beside what it tells the filters behind it. */
const REPLY_BYTES = 16;

/**
 * `status` (field 1) is always written, with a non-zero code for a denial: without it Envoy allows, even
 * beside a denied_response (notes: envoy-verified.md E). Headers are in `value`, which alone ext_authz reads.
 * Throws ProtocolViolation for a status or a header name that Envoy would not send.
 */
export function checkReply(answer: CheckAnswer): Uint8Array {
  const told = structBytes(answer.metadata);
  const writer = new WireWriter(REPLY_BYTES + told);
  if (answer.kind === 'allow') {
    writer.bytesField(1, STATUS_OK).bytesField(3, EMPTY);
  } else {
    writer.bytesField(1, STATUS_DENIED).bytesField(2, deniedResponse(answer));
  }
  if (told > 0) writeStruct(writer.lengthPrefix(4, told), answer.metadata);
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
