/**
 * The messages of ext_proc and ext_authz as @bufbuild/protobuf reads them: unlike protobufjs it merges what comes twice. The
 * descriptors come from the same files.
 */
import { create, createFileRegistry, type DescMessage, fromBinary } from '@bufbuild/protobuf';
import {
  type DescriptorProto,
  FieldDescriptorProto_Type,
  type FileDescriptorProto,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
} from '@bufbuild/protobuf/wkt';
import type { MessageTypeDefinition } from '@grpc/proto-loader';
import { definition } from './peer.ts';

type Named = DescriptorProto | FileDescriptorProto;

const nestedIn = (holder: Named): readonly DescriptorProto[] =>
  'messageType' in holder ? holder.messageType : holder.nestedType;

/** The library reads messages of this package in ways of its own; under another name they are like any other. */
const WELL_KNOWN = 'google.protobuf';
const OURS = 'google.plain';

/** Every message and enum below `scope`, by its full name. */
function namesIn(holder: Named, scope: string): string[] {
  return [
    ...holder.enumType.map(({ name }) => `${scope}.${name}`),
    ...nestedIn(holder).flatMap((message) => [
      `${scope}.${message.name}`,
      ...namesIn(message, `${scope}.${message.name}`),
    ]),
  ];
}

/** The descriptors name types as the files do, relative to where they stand; a registry wants them whole. */
function qualify(holder: Named, scope: string, known: ReadonlySet<string>): void {
  for (const message of nestedIn(holder)) {
    const inside = `${scope}.${message.name}`;
    for (const field of message.field) {
      if (field.typeName === '' || field.typeName.startsWith('.')) continue;
      field.typeName = field.typeName.replace(WELL_KNOWN, OURS);
      let from = inside;
      while (from !== '' && !known.has(`${from}.${field.typeName}`))
        from = from.slice(0, from.lastIndexOf('.'));
      field.typeName = `${from}.${field.typeName}`;
    }
    qualify(message, inside, known);
  }
}

/** What we read; everything else is unknown to both, and so skipped alike. */
const READ: Readonly<Record<string, readonly number[]>> = {
  Status: [],
  ProcessingRequest: [2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
  ProtocolConfiguration: [1, 2],
  HttpHeaders: [1, 3],
  HttpBody: [1, 2],
  HttpTrailers: [1],
  HeaderMap: [1],
  HeaderValue: [1, 2, 3],
  Metadata: [1],
  CheckRequest: [1],
  AttributeContext: [1, 4, 10, 11],
  Peer: [1, 4],
  Address: [1],
  SocketAddress: [2],
  Request: [2],
  HttpRequest: [2, 3, 4, 5, 11, 12, 13],
};

/** Texts are bytes, whose reading is each caller's own affair, and maps the lists that they are on the wire. */
function bare(messages: readonly DescriptorProto[]): void {
  for (const message of messages) {
    const numbers = READ[message.name];
    if (numbers !== undefined)
      message.field = message.field.filter(({ number }) => numbers.includes(number));
    for (const field of message.field)
      if (field.type === FieldDescriptorProto_Type.STRING)
        field.type = FieldDescriptorProto_Type.BYTES;
    if (message.options !== undefined) message.options.mapEntry = false;
    bare(message.nestedType);
  }
}

function registry(): ReturnType<typeof createFileRegistry> {
  const { fileDescriptorProtos } = definition[
    'envoy.service.ext_proc.v3.ProcessingRequest'
  ] as MessageTypeDefinition<object, object>;
  const files = fileDescriptorProtos.map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes));
  for (const file of files) file.package = file.package.replace(WELL_KNOWN, OURS);
  const known = new Set(files.flatMap((file) => namesIn(file, `.${file.package}`)));
  for (const file of files) qualify(file, `.${file.package}`, known);
  for (const file of files) bare(file.messageType);
  // What others use comes first; they are read by that order.
  const weight = ({ package: name }: FileDescriptorProto): number =>
    ['google', 'envoy.type', 'envoy.config', 'envoy.extensions'].findIndex((start) =>
      name.startsWith(start),
    );
  files.sort((a, b) => ((weight(a) + 9) % 9) - ((weight(b) + 9) % 9));
  for (const [at, file] of files.entries())
    file.dependency = files.slice(0, at).map(({ name }) => name);
  return createFileRegistry(create(FileDescriptorSetSchema, { file: files }));
}

const types = registry();

// biome-ignore lint/suspicious/noExplicitAny: a dynamic codec has dynamic messages
export type Read = any;

export interface Reference {
  readonly schema: DescMessage;
  /** Throws where the bytes are no message. */
  readonly read: (bytes: Uint8Array) => Read;
}

/** Of a message by its full name. */
export function referenceOf(name: string): Reference {
  const schema = types.getMessage(name) as DescMessage;
  return { schema, read: (bytes) => fromBinary(schema, bytes) };
}
