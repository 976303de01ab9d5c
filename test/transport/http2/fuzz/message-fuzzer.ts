/** Messages of Envoy, mutated: our lazy readers, asked for all that they can tell, against a reader of other hands. */
import { Buffer, isUtf8 } from 'node:buffer';
import { readCheckRequest } from '../../../../src/protocol/ext-authz.ts';
import {
  readBodyEvent,
  readHeadersEvent,
  readProcessingRequest,
  readTrailersEvent,
} from '../../../../src/protocol/ext-proc-request.ts';
import type { HeaderView } from '../../../../src/protocol/process.ts';
import { MalformedMessage } from '../../../../src/protocol/wire.ts';
import type { Dice } from '../../../laws/documents.ts';
import {
  encodeCheckRequest,
  encodeProcessingRequest,
  type Message,
  structOf,
} from '../../../protocol/peer.ts';
import { type Read, referenceOf } from '../../../protocol/reference-codec.ts';
import { type Case, type Fuzzer, mutated, randomBytes } from './cases.ts';
import { type Chosen, type Part, plain } from './message-model.ts';
import { type TurnWatch, withoutHang } from './turn-watch.ts';

const MODES = ['NONE', 'STREAMED', 'BUFFERED', 'BUFFERED_PARTIAL', 'FULL_DUPLEX_STREAMED'] as const;

// ---- messages

const word = (dice: Dice): string => dice.pick(['', 'a', ':path', 'x-key', 'é', 'v'.repeat(130)]);

function headers(dice: Dice): Message {
  const list = Array.from({ length: dice.below(5) }, () => ({
    key: dice.pick([':path', 'Cookie', 'x-a', word(dice)]),
    ...(dice.once(2) && { value: word(dice) }),
    ...(dice.once(2) && { rawValue: randomBytes(dice, dice.below(9)) }),
  }));
  return { headers: list };
}

function anyValue(dice: Dice, depth = 0): unknown {
  switch (dice.below(depth > 2 ? 4 : 6)) {
    case 0:
      return null;
    case 1:
      return dice.below(1_000) / 8;
    case 2:
      return word(dice);
    case 3:
      return dice.once(2);
    case 4:
      return Array.from({ length: dice.below(3) }, () => anyValue(dice, depth + 1));
    default:
      return struct(dice, depth + 1);
  }
}

const struct = (dice: Dice, depth = 0): Record<string, unknown> =>
  Object.fromEntries(
    Array.from({ length: dice.below(3) }, (_, at) => [`${word(dice)}${at}`, anyValue(dice, depth)]),
  );

const metadata = (dice: Dice): Message => ({
  filterMetadata: { 'envoy.filters.http.ext_authz': structOf(struct(dice)) },
});

function processingRequest(dice: Dice): Buffer {
  const endOfStream = dice.once(2);
  const member = dice.pick([
    () => ({ requestHeaders: { headers: headers(dice), endOfStream } }),
    () => ({ responseHeaders: { headers: headers(dice), endOfStream } }),
    () => ({ requestBody: { body: randomBytes(dice, dice.below(200)), endOfStream } }),
    () => ({ responseBody: { body: randomBytes(dice, dice.below(200)), endOfStream } }),
    () => ({ requestTrailers: { trailers: headers(dice) } }),
    () => ({ responseTrailers: { trailers: headers(dice) } }),
    () => ({}),
  ]);
  return encodeProcessingRequest({
    ...member(),
    ...(dice.once(2) && {
      protocolConfig: { requestBodyMode: dice.pick(MODES), responseBodyMode: dice.pick(MODES) },
    }),
    ...(dice.once(3) && { attributes: { 'envoy.filters.http.ext_proc': structOf(struct(dice)) } }),
    ...(dice.once(3) && { metadataContext: metadata(dice) }),
    ...(dice.once(5) && { observabilityMode: true }),
  });
}

const checkRequest = (dice: Dice): Buffer =>
  encodeCheckRequest({
    attributes: {
      source: {
        principal: word(dice),
        address: { socketAddress: { address: '10.0.0.1', portValue: 80 } },
      },
      request: {
        http: {
          method: 'POST',
          path: word(dice),
          host: word(dice),
          headers: { 'x-a': word(dice), [word(dice)]: 'b' },
          ...(dice.once(3) && { headerMap: headers(dice) }),
          ...(dice.once(2) ? { body: 'text' } : { rawBody: randomBytes(dice, 9) }),
        },
      },
      ...(dice.once(2) && { contextExtensions: { route: word(dice), other: 'x' } }),
      ...(dice.once(3) && { metadataContext: metadata(dice) }),
    },
  });

export function randomMessage(dice: Dice): { readonly what: string; readonly bytes: Buffer } {
  const what = dice.pick(['process', 'check']);
  return { what, bytes: what === 'process' ? processingRequest(dice) : checkRequest(dice) };
}

// ---- what they say, by ours

/** Both sides are compared as texts. */
type Told = string | { readonly refused: MalformedMessage };

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const namesOf = (list: readonly (readonly [string, unknown])[]): string[] =>
  [...new Set(list.map(([name]) => name))].sort();

function oursProcess(bytes: Buffer, theirs: Read): unknown {
  const view = readProcessingRequest(bytes);
  const told = {
    kind: view.kind,
    observability: view.observability,
    modes: view.modes && [view.modes.request, view.modes.response],
    ...(view.kind !== 'none' && { direction: view.direction }),
  };
  if (view.kind === 'none') return told;
  if (view.kind === 'body') {
    const { bytes: body, endOfStream } = readBodyEvent(view);
    return { ...told, body: hex(body), endOfStream };
  }
  if (view.kind === 'trailers')
    return { ...told, headers: readTrailersEvent(view).headers.entries() };
  const event = readHeadersEvent(view);
  // Asked for, so that what is malformed shows.
  event.attribute('');
  event.metadata('');
  const attributes = theirs === undefined ? [] : attributesOf(theirs);
  const namespaces = theirs === undefined ? [] : namespacesOf(theirs.metadataContext);
  return {
    ...told,
    headers: event.headers.entries(),
    endOfStream: event.endOfStream,
    attributes: namesOf(attributes).map((name) => [name, event.attribute(name)]),
    metadata: namesOf(namespaces).map((name) => [name, event.metadata(name)]),
  };
}

function oursCheck(bytes: Buffer, theirs: Read): unknown {
  const check = readCheckRequest(bytes);
  const context = theirs?.attributes;
  check.contextExtension('');
  check.metadata('');
  return {
    method: check.method,
    path: check.path,
    authority: check.authority,
    body: hex(check.body),
    sourcePrincipal: check.sourcePrincipal,
    sourceIp: check.sourceIp,
    headers: sorted(check.headers),
    extensions: namesOf(extensionsOf(context)).map((name) => [name, check.contextExtension(name)]),
    metadata: namesOf(namespacesOf(context?.metadataContext)).map((name) => [
      name,
      check.metadata(name),
    ]),
  };
}

const sorted = (view: HeaderView): unknown =>
  [...view.entries()].sort(([a], [b]) => (a < b ? -1 : 1));

// ---- what they say, by the reference

const utf8 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8');
const header = (bytes: Uint8Array): string =>
  Buffer.from(bytes).toString(isUtf8(bytes) ? 'utf8' : 'latin1');

/** Entries of a map, of which the last of a key counts. */
const lastOf = <Value>(list: readonly (readonly [string, Value])[]): Map<string, Value> =>
  new Map(list);

function plainValueOf(value: Read): unknown {
  const { kind } = value ?? {};
  switch (kind?.case) {
    case 'numberValue':
    case 'boolValue':
      return kind.value;
    case 'stringValue':
      return utf8(kind.value);
    case 'structValue':
      return plainOf(kind.value);
    case 'listValue':
      return kind.value.values.map(plainValueOf);
    default:
      return null;
  }
}

const plainOf = (read: Read): unknown =>
  Object.fromEntries(
    lastOf((read?.fields ?? []).map(({ key, value }: Read) => [utf8(key), plainValueOf(value)])),
  );

const attributesOf = (read: Read): [string, unknown][] =>
  [...lastOf(read.attributes.map(({ key, value }: Read) => [utf8(key), value]) as [string, Read][])]
    .flatMap(([, value]) => Object.entries(plainOf(value) as object))
    // Of two filters that name the same attribute the first counts.
    .reverse();

const namespacesOf = (read: Read): [string, unknown][] => [
  ...lastOf<unknown>(
    (read?.filterMetadata ?? []).map(({ key, value }: Read) => [utf8(key), plainOf(value)]),
  ),
];

const extensionsOf = (read: Read): [string, string][] => [
  ...lastOf<string>(
    (read?.contextExtensions ?? []).map(({ key, value }: Read) => [utf8(key), utf8(value)]),
  ),
];

const headerList = (map: Read): [string, string][] =>
  (map?.headers ?? []).map(({ key, value, rawValue }: Read) => [
    header(key).toLowerCase(),
    header(rawValue.length > 0 ? rawValue : value),
  ]);

const byName = (list: readonly (readonly [string, unknown])[]): unknown => {
  const map = lastOf(list);
  return namesOf(list).map((name) => [name, map.get(name)]);
};

function theirProcess(read: Read): unknown {
  const member: string | undefined = read.request.case;
  const value = read.request.value;
  const kind = member?.replace(/^(request|response)/u, '').toLowerCase() ?? 'none';
  const told = {
    kind,
    observability: read.observabilityMode,
    modes: read.protocolConfig && [
      MODES[read.protocolConfig.requestBodyMode] ?? modeOf(read.protocolConfig.requestBodyMode),
      MODES[read.protocolConfig.responseBodyMode] ?? modeOf(read.protocolConfig.responseBodyMode),
    ],
    ...(member !== undefined && {
      direction: member.startsWith('request') ? 'request' : 'response',
    }),
  };
  switch (kind) {
    case 'none':
      return told;
    case 'body':
      return { ...told, body: hex(value.body), endOfStream: value.endOfStream };
    case 'trailers':
      return { ...told, headers: headerList(value.trailers) };
    default:
      return {
        ...told,
        headers: headerList(value.headers),
        endOfStream: value.endOfStream,
        attributes: byName(attributesOf(read)),
        metadata: byName(namespacesOf(read.metadataContext)),
      };
  }
}

/** The number of GRPC; others are unknown to us. */
const modeOf = (number: number): string | undefined => (number === 5 ? 'GRPC' : undefined);

function theirCheck(read: Read): unknown {
  const context = read.attributes;
  const http = context?.request?.http;
  const { address } = context?.source?.address ?? {};
  const socket = address?.case === 'socketAddress' ? address.value : undefined;
  const empty = Buffer.alloc(0);
  const list = http?.headerMap
    ? headerList(http.headerMap)
    : [
        ...lastOf<string>(
          (http?.headers ?? []).map(({ key, value }: Read) => [
            header(key).toLowerCase(),
            header(value),
          ]),
        ),
      ];
  return {
    method: header(http?.method ?? empty),
    path: header(http?.path ?? empty),
    authority: header(http?.host ?? empty),
    body: hex(http?.rawBody?.length > 0 ? http.rawBody : (http?.body ?? empty)),
    sourcePrincipal: utf8(context?.source?.principal ?? empty),
    sourceIp: utf8(socket?.address ?? empty),
    headers: list.sort(([a], [b]) => (a < b ? -1 : 1)),
    extensions: byName(extensionsOf(context)),
    metadata: byName(namespacesOf(context?.metadataContext)),
  };
}

// ---- the comparison

const READERS = {
  process: {
    ours: oursProcess,
    reference: referenceOf('envoy.service.ext_proc.v3.ProcessingRequest'),
    theirs: theirProcess,
  },
  check: {
    ours: oursCheck,
    reference: referenceOf('envoy.service.auth.v3.CheckRequest'),
    theirs: theirCheck,
  },
} as const;

const isMember = ({ field, wireType }: Part): boolean => field >= 2 && field <= 7 && wireType === 2;
/** Of google.protobuf.Value, by their types on the wire. */
const VALUE_WIRE_TYPES = [0, 0, 1, 2, 0, 2, 2];
const isValue = ({ field, wireType }: Part): boolean =>
  field > 0 && VALUE_WIRE_TYPES[field] === wireType;
const HEADERS_MEMBERS = [2, 3];
const METADATA = 8;
const ATTRIBUTES = 9;
const HTTP_HEADERS = 3;
const HTTP_BODIES = [11, 12];
const HTTP_HEADER_MAP = 13;

/** What is read of a message: of a oneof the last member, attributes and metadata beside headers alone. */
const readParts: Chosen = (message, parts) => {
  if (message === 'HttpRequest') return readOfHttp(parts);
  if (message === 'Value') return lastMember(parts, isValue);
  if (message !== 'ProcessingRequest') return parts;
  const withHeaders = HEADERS_MEMBERS.includes(parts.findLast(isMember)?.field ?? 0);
  return lastMember(parts, isMember).filter(
    ({ field }) => withHeaders || (field !== METADATA && field !== ATTRIBUTES),
  );
};

/** Without those members of a oneof that another one has taken the place of. The same one again is merged. */
function lastMember(parts: readonly Part[], isOne: (part: Part) => boolean): readonly Part[] {
  const last = parts.findLast(isOne)?.field;
  const from = parts.findLastIndex((part) => isOne(part) && part.field !== last);
  return parts.filter((part, at) => !isOne(part) || at > from);
}

/** The header map instead of the headers; of the two kinds of body the one that comes last. */
function readOfHttp(parts: readonly Part[]): readonly Part[] {
  const hasMap = parts.some(({ field, bytes }) => field === HTTP_HEADER_MAP && bytes);
  const body = parts.findLast(({ field, bytes }) => HTTP_BODIES.includes(field) && bytes);
  return parts.filter(
    (part) =>
      !(hasMap && part.field === HTTP_HEADERS) &&
      (!HTTP_BODIES.includes(part.field) || part === body),
  );
}

const everything: Chosen = (_message, parts) => parts;
const CONTEXT_EXTENSIONS = 10;
/** Without entries of maps that only who asks for their key reads. */
const unasked: Chosen = (message, parts) => {
  if (message === 'Metadata') return [];
  const read = readParts(message, parts);
  return message === 'AttributeContext'
    ? read.filter(({ field }) => field !== CONTEXT_EXTENSIONS)
    : read;
};

/** What is refused although it stands: nesting deeper, and more of it, than anybody means. */
const BEYOND_LIMITS: readonly string[] = ['too_deep', 'too_many_fields'];

function problemOf({ steps }: Case, watch: TurnWatch): string | undefined {
  for (const { what, bytes } of steps as readonly { what: keyof typeof READERS; bytes: Buffer }[]) {
    const { ours, reference, theirs } = READERS[what];
    const right = plain(reference.schema, bytes, readParts);
    const message = right && reference.read(right);
    const seen = attempt(() => watch.turn(() => ours(bytes, message)));
    if (typeof seen !== 'string') {
      // Whoever looks at more than he needs may refuse more.
      const stands = plain(reference.schema, bytes, everything) !== undefined;
      if (stands && !BEYOND_LIMITS.includes(seen.refused.problem))
        return `refused: ${seen.refused.message}`;
      continue;
    }
    if (message === undefined) {
      if (plain(reference.schema, bytes, unasked) === undefined) return `taken: ${seen}`;
      continue;
    }
    const meant = JSON.stringify(theirs(message));
    if (seen !== meant) return `ours ${seen}\n  theirs ${meant}`;
  }
  return undefined;
}

function attempt(tell: () => unknown): Told {
  try {
    return JSON.stringify(tell());
  } catch (error) {
    if (error instanceof MalformedMessage) return { refused: error };
    throw error;
  }
}

export const messageFuzzer: Fuzzer = {
  name: 'messages',
  batch: 200,
  make(dice) {
    const { what, bytes: made } = randomMessage(dice);
    let bytes = made;
    for (let times = dice.pick([0, 1, 1, 2, 4]); times > 0; times--) bytes = mutated(dice, bytes);
    return { options: {}, steps: [{ what, bytes }] };
  },
  async check(cases) {
    const problems: (string | undefined)[] = [];
    for (const one of cases)
      problems.push(await withoutHang((watch) => Promise.resolve(problemOf(one, watch))));
    return problems;
  },
};
