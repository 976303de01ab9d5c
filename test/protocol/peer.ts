/** An independent peer: the messages as protobufjs (inside proto-loader) reads and writes them. */
import { fileURLToPath } from 'node:url';
import type { ServiceClientConstructor } from '@grpc/grpc-js';
import { loadPackageDefinition } from '@grpc/grpc-js';
import { loadSync, type MethodDefinition } from '@grpc/proto-loader';

const PROTOS = fileURLToPath(new URL('../../protos', import.meta.url));

export const definition = loadSync(
  [
    'envoy/service/ext_proc/v3/external_processor.proto',
    'envoy/service/auth/v3/external_auth.proto',
    'grpc/health/v1/health.proto',
  ],
  {
    includeDirs: [PROTOS],
    keepCase: false,
    longs: Number,
    enums: String,
    oneofs: true,
    defaults: false,
  },
);

// biome-ignore lint/suspicious/noExplicitAny: a dynamic codec has dynamic messages
export type Message = any;

function methodOf(service: string, name: string): MethodDefinition<Message, Message> {
  return (definition[service] as unknown as Record<string, MethodDefinition<Message, Message>>)[
    name
  ]!;
}

const process = methodOf('envoy.service.ext_proc.v3.ExternalProcessor', 'Process');
const check = methodOf('envoy.service.auth.v3.Authorization', 'Check');

export const encodeProcessingRequest = (message: Message): Buffer =>
  process.requestSerialize(message);
export const decodeProcessingResponse = (bytes: Uint8Array): Message =>
  process.responseDeserialize(Buffer.from(bytes));
export const encodeCheckRequest = (message: Message): Buffer => check.requestSerialize(message);
export const decodeCheckResponse = (bytes: Uint8Array): Message =>
  check.responseDeserialize(Buffer.from(bytes));

export const clients = loadPackageDefinition(definition) as unknown as {
  envoy: {
    service: {
      ext_proc: { v3: { ExternalProcessor: ServiceClientConstructor } };
      auth: { v3: { Authorization: ServiceClientConstructor } };
    };
  };
  grpc: { health: { v1: { Health: ServiceClientConstructor } } };
};

/** A google.protobuf.Value in the codec's own words. */
export function structOf(value: Record<string, unknown>): Message {
  return {
    fields: Object.fromEntries(
      Object.entries(value).map(([key, inner]) => [key, peerValue(inner)]),
    ),
  };
}

function peerValue(value: unknown): Message {
  if (value === null) return { nullValue: 'NULL_VALUE' };
  if (typeof value === 'number') return { numberValue: value };
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  if (Array.isArray(value)) return { listValue: { values: value.map(peerValue) } };
  return { structValue: structOf(value as Record<string, unknown>) };
}

/** The plain object that such a Struct means. */
export function plainOf(struct: Message): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(struct?.fields ?? {}).map(([key, inner]) => [key, plainValue(inner)]),
  );
}

function plainValue(value: Message): unknown {
  switch (value.kind) {
    case 'numberValue':
    case 'stringValue':
    case 'boolValue':
      return value[value.kind];
    case 'listValue':
      return (value.listValue.values ?? []).map(plainValue);
    case 'structValue':
      return plainOf(value.structValue);
    default:
      return null;
  }
}

/** A HeaderMap with `raw_value`, as Envoy sends it. */
export function headerMap(headers: Record<string, string>): Message {
  return {
    headers: Object.entries(headers).map(([key, value]) => ({ key, rawValue: Buffer.from(value) })),
  };
}
