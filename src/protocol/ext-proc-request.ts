/**
 * envoy.service.ext_proc.v3.ProcessingRequest, read lazily: one pass over the top level tells which
 * message it is; headers, attributes and metadata are decoded when somebody asks.
 */
import type { Buffer } from 'node:buffer';
import type { Direction } from '../policy/set.ts';
import { HeaderMapView } from './header-view.ts';
import type {
  BodyEvent,
  BodyMode,
  HeadersEvent,
  HeaderView,
  StructObject,
  StructValue,
  TrailersEvent,
} from './process.ts';
import { filterMetadataEntries, readStruct, structInMap, ValueBudget } from './struct.ts';
import {
  asBuffer,
  EMPTY,
  lengthTag,
  mapEntry,
  mergeOccurrences,
  varintTag,
  WireReader,
} from './wire.ts';

/** Numbers of processing_mode.proto, BodySendMode; the index is the number. */
const BODY_MODES: readonly BodyMode[] = [
  'NONE',
  'STREAMED',
  'BUFFERED',
  'BUFFERED_PARTIAL',
  'FULL_DUPLEX_STREAMED',
  'GRPC',
];

/** Modes of both directions; undefined is a number that this build does not know. */
export interface BodyModes {
  readonly request: BodyMode | undefined;
  readonly response: BodyMode | undefined;
}

export interface ProcessingRequestView {
  /** `none`: no member of the oneof that we know, e.g. only flow control. */
  readonly kind: 'headers' | 'body' | 'trailers' | 'none';
  readonly direction: Direction;
  readonly observability: boolean;
  /** Present on the first message of a stream only. */
  readonly modes: BodyModes | undefined;
  /** The encoded HttpHeaders, HttpBody or HttpTrailers is `bytes[from, to)`. */
  readonly bytes: Buffer;
  readonly from: number;
  readonly to: number;
  /** Encoded entries of `attributes`. */
  readonly attributes: readonly Uint8Array[];
  /** Encoded `metadata_context`. */
  readonly metadata: Uint8Array;
}

const KIND_OF_FIELD = ['headers', 'headers', 'body', 'body', 'trailers', 'trailers'] as const;
const FIRST_PAYLOAD_FIELD = 2;
const NO_ENTRIES: readonly Uint8Array[] = [];

/** Each is used within one call, which calls nobody who could use it again: a view costs as much as what it shows. */
const requestReader = new WireReader(EMPTY);
const partReader = new WireReader(EMPTY);

/** The message is `bytes[start, end)`. Throws MalformedMessage. Cost: one pass over the top-level fields, nothing copied. */
export function readProcessingRequest(
  bytes: Uint8Array,
  start = 0,
  end: number = bytes.length,
): ProcessingRequestView {
  const whole = asBuffer(bytes);
  const reader = requestReader.over(whole, start, end);
  let member = 0;
  let payload = whole;
  let [from, to] = [0, 0];
  let metadata = EMPTY;
  let config: Buffer | undefined;
  let observability = false;
  let attributes: Uint8Array[] | undefined;
  while (reader.next()) {
    switch (reader.tag) {
      case lengthTag(2):
      case lengthTag(3):
      case lengthTag(4):
      case lengthTag(5):
      case lengthTag(6):
      case lengthTag(7): {
        // The last member of a oneof wins; the same member twice is merged.
        const again = member === reader.tag && to > from;
        member = reader.tag;
        reader.span();
        if (again) {
          const later = whole.subarray(reader.from, reader.to);
          payload = mergeOccurrences(payload.subarray(from, to), later);
          from = 0;
          to = payload.length;
        } else {
          payload = whole;
          from = reader.from;
          to = reader.to;
        }
        break;
      }
      case lengthTag(8):
        metadata = mergeOccurrences(metadata, reader.bytes());
        break;
      case lengthTag(9):
        (attributes ??= []).push(reader.bytes());
        break;
      case varintTag(10):
        observability = reader.bool();
        break;
      case lengthTag(11):
        config = mergeOccurrences(config, reader.bytes());
        break;
      default:
        reader.skip();
    }
  }
  const index = (member >> 3) - FIRST_PAYLOAD_FIELD;
  return {
    kind: KIND_OF_FIELD[index] ?? 'none',
    direction: index % 2 === 0 ? 'request' : 'response',
    observability,
    modes: config === undefined ? undefined : readModes(config),
    bytes: payload,
    from,
    to,
    attributes: attributes ?? NO_ENTRIES,
    metadata,
  };
}

/** ProtocolConfiguration: 1 and 2 are the body modes, 0 (NONE) when absent. */
function readModes(config: Uint8Array): BodyModes {
  const reader = new WireReader(config);
  let request = 0;
  let response = 0;
  while (reader.next()) {
    if (reader.tag === varintTag(1)) request = reader.varint();
    else if (reader.tag === varintTag(2)) response = reader.varint();
    else reader.skip();
  }
  return { request: BODY_MODES[request], response: BODY_MODES[response] };
}

/** Throws MalformedMessage; the event's own methods do so too. */
export function readHeadersEvent(view: ProcessingRequestView): HeadersEvent {
  const reader = partReader.over(view.bytes, view.from, view.to);
  let map = view.bytes;
  let [from, to] = [0, 0];
  let endOfStream = false;
  while (reader.next()) {
    if (reader.tag === lengthTag(1)) {
      if (from === to) {
        reader.span();
        from = reader.from;
        to = reader.to;
      } else {
        map = mergeOccurrences(map.subarray(from, to), reader.bytes());
        from = 0;
        to = map.length;
      }
    } else if (reader.tag === varintTag(3)) endOfStream = reader.bool();
    else reader.skip();
  }
  return new LazyHeadersEvent(view, new HeaderMapView(map, from, to), endOfStream);
}

class LazyHeadersEvent implements HeadersEvent {
  readonly kind = 'headers';
  readonly direction: Direction;
  readonly headers: HeaderView;
  readonly endOfStream: boolean;
  readonly #view: ProcessingRequestView;
  #attributes: readonly StructObject[] | undefined = undefined;
  #metadata: readonly Uint8Array[] | undefined = undefined;

  constructor(view: ProcessingRequestView, headers: HeaderView, endOfStream: boolean) {
    this.direction = view.direction;
    this.headers = headers;
    this.endOfStream = endOfStream;
    this.#view = view;
  }

  /** Envoy files them under its filter's name; whichever that is, the attribute's name is unique. */
  attribute(name: string): StructValue | undefined {
    this.#attributes ??= this.#readAttributes();
    for (const attributes of this.#attributes) {
      if (Object.hasOwn(attributes, name)) return attributes[name];
    }
    return undefined;
  }

  #readAttributes(): readonly StructObject[] {
    const budget = new ValueBudget();
    return this.#view.attributes.map((entry) => readStruct(mapEntry(entry, true).value, budget));
  }

  metadata(namespace: string): StructObject | undefined {
    this.#metadata ??= filterMetadataEntries(this.#view.metadata);
    return structInMap(this.#metadata, namespace);
  }
}

/** HttpBody. Throws MalformedMessage. The bytes are a view into the message. */
export function readBodyEvent(view: ProcessingRequestView): BodyEvent {
  const reader = partReader.over(view.bytes, view.from, view.to);
  let [from, to] = [0, 0];
  let endOfStream = false;
  while (reader.next()) {
    if (reader.tag === lengthTag(1)) {
      reader.span();
      from = reader.from;
      to = reader.to;
    } else if (reader.tag === varintTag(2)) endOfStream = reader.bool();
    else reader.skip();
  }
  const bytes = from === to ? EMPTY : view.bytes.subarray(from, to);
  return { kind: 'body', direction: view.direction, bytes, endOfStream };
}

/** HttpTrailers. Throws MalformedMessage. */
export function readTrailersEvent(view: ProcessingRequestView): TrailersEvent {
  const reader = partReader.over(view.bytes, view.from, view.to);
  let map = EMPTY;
  while (reader.next()) {
    if (reader.tag === lengthTag(1)) map = mergeOccurrences(map, reader.bytes());
    else reader.skip();
  }
  return { kind: 'trailers', direction: view.direction, headers: new HeaderMapView(map) };
}
