/** What Envoy sends for each kind of exchange, encoded by protobufjs: no server here reads it with the same code. */
import { writeFileSync } from 'node:fs';
import {
  encodeCheckRequest,
  encodeProcessingRequest,
  headerMap,
  type Message,
} from '../../test/protocol/peer.ts';
import { answerTo, prose } from '../shapes.ts';

/** Replaced in every exchange by an id of the same length. */
const SESSION_ID = 'session-0000000000000000-00000000000';
const DOCUMENT_BYTES = 1_536;
const LARGE_BYTES = 64 * 1_024;
const QUESTION_BYTES = 300;

/** Kinds of exchange, by the name under which tables show them. */
export const SHAPE_TITLES = {
  headers: 'headers only',
  check: 'Check',
  json: '1.5 KB each way',
  large: '64 KB each way',
  sse: '50 events',
} as const;
export type ShapeName = keyof typeof SHAPE_TITLES;

interface ExchangeShape {
  readonly isCheck: boolean;
  readonly messages: readonly Buffer[];
}

/** 25 headers of a chat request, about 900 bytes. */
const requestHeaders = (bodyBytes: number): Record<string, string> => ({
  ':method': 'POST',
  ':path': '/v1/chat/completions',
  ':authority': 'gateway.example.test',
  ':scheme': 'https',
  accept: 'application/json',
  'accept-encoding': 'gzip, deflate',
  'user-agent': 'OpenAI/Python 1.99.0',
  'content-type': 'application/json',
  'content-length': String(bodyBytes),
  authorization: `Bearer ${'k'.repeat(96)}`,
  'x-session-id': SESSION_ID,
  'x-request-id': '5b1f6c0e-3c5b-4f0e-9a57-3f0b6f6d2c11',
  'x-forwarded-for': '203.0.113.77',
  'x-forwarded-proto': 'https',
  'x-envoy-expected-rq-timeout-ms': '300000',
  'x-stainless-lang': 'python',
  'x-stainless-os': 'Linux',
  'x-stainless-arch': 'x64',
  'x-stainless-runtime': 'CPython',
  'x-stainless-runtime-version': '3.12.4',
  'x-stainless-package-version': '1.99.0',
  'x-stainless-retry-count': '0',
  'x-tenant': 'acme',
  traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
  'openai-organization': 'org-2f6f0c6a6a5b4f0e9a573f0b',
});

const responseHeaders = (contentType: string): Record<string, string> => ({
  ':status': '200',
  'content-type': contentType,
  date: 'Sat, 21 Nov 2026 12:00:00 GMT',
  server: 'envoy',
  'openai-model': 'gpt-4o-2024-08-06',
  'openai-processing-ms': '512',
  'openai-version': '2020-10-01',
  'x-ratelimit-limit-requests': '10000',
  'x-ratelimit-remaining-requests': '9999',
  'x-request-id': 'req_7f6c0e3c5b4f0e9a573f0b6f6d2c11aa',
  'strict-transport-security': 'max-age=31536000; includeSubDomains',
  'x-envoy-upstream-service-time': '514',
});

/** JSON of so many bytes in which prose fills what the rest leaves. */
function filled(bytes: number, made: (text: string) => object): Buffer {
  const around = JSON.stringify(made('')).length;
  return Buffer.from(JSON.stringify(made(prose(bytes - around))));
}

const question = (bytes: number, stream: boolean): Buffer =>
  filled(bytes, (content) => ({
    model: 'load',
    ...(stream && { stream }),
    messages: [{ role: 'user', content }],
  }));

const completion = (bytes: number): Buffer =>
  filled(bytes, (content) => ({
    id: 'chatcmpl-load',
    object: 'chat.completion',
    created: 1_700_000_000,
    model: 'load',
    choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }],
  }));

function processMessages(
  mode: 'NONE' | 'BUFFERED' | 'STREAMED',
  asked: Buffer | undefined,
  contentType: string,
  answered: readonly Buffer[],
): readonly Buffer[] {
  const bodiless = answered.length === 0;
  const messages: Message[] = [
    {
      requestHeaders: {
        headers: headerMap(requestHeaders(asked?.length ?? 0)),
        endOfStream: asked === undefined,
      },
      protocolConfig: { requestBodyMode: mode, responseBodyMode: mode },
    },
    ...(asked === undefined ? [] : [{ requestBody: { body: asked, endOfStream: true } }]),
    {
      responseHeaders: { headers: headerMap(responseHeaders(contentType)), endOfStream: bodiless },
    },
    ...answered.map((body, index) => ({
      responseBody: { body, endOfStream: index === answered.length - 1 },
    })),
  ];
  return messages.map(encodeProcessingRequest);
}

function checkMessage(): Buffer {
  const headers = requestHeaders(0);
  const http = { method: 'POST', path: headers[':path'], host: headers[':authority'], headers };
  const peer = { address: { socketAddress: { address: '203.0.113.77', portValue: 40_000 } } };
  return encodeCheckRequest({ attributes: { source: peer, destination: peer, request: { http } } });
}

const json = 'application/json';
const events = answerTo('/v1/chat/completions', '"stream":true').chunks.map((event) =>
  Buffer.from(event),
);

export const EXCHANGE_SHAPES: Readonly<Record<ShapeName, ExchangeShape>> = {
  headers: { isCheck: false, messages: processMessages('NONE', undefined, json, []) },
  check: { isCheck: true, messages: [checkMessage()] },
  json: {
    isCheck: false,
    messages: processMessages('BUFFERED', question(DOCUMENT_BYTES, false), json, [
      completion(DOCUMENT_BYTES),
    ]),
  },
  large: {
    isCheck: false,
    messages: processMessages('BUFFERED', question(LARGE_BYTES, false), json, [
      completion(LARGE_BYTES),
    ]),
  },
  sse: {
    isCheck: false,
    messages: processMessages(
      'STREAMED',
      question(QUESTION_BYTES, true),
      'text/event-stream',
      events,
    ),
  },
};

/** The file that `exchange-client.c` reads: its comment has the format. */
export function writeShape(name: ShapeName, file: string): void {
  const { isCheck, messages } = EXCHANGE_SHAPES[name];
  const numbers = (...values: readonly number[]): Buffer => {
    const bytes = Buffer.alloc(4 * values.length);
    for (const [index, value] of values.entries()) bytes.writeUInt32BE(value, 4 * index);
    return bytes;
  };
  const sessionAt = messages[0]?.indexOf(SESSION_ID) ?? -1;
  if (sessionAt < 0) throw new Error('the first message has no session id');
  const parts = messages.flatMap((message) => [numbers(message.length), message]);
  writeFileSync(
    file,
    Buffer.concat([numbers(isCheck ? 1 : 0, sessionAt, messages.length), ...parts]),
  );
}
