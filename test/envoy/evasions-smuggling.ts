/** Requests that two readers of HTTP take for two different ones. They are written byte by byte. */
import { BLOCKED, CHAT_PATH, chatBody } from './evasions-bodies.ts';
import type { Evasion, Family } from './evasions-row.ts';

const PLAIN = chatBody(BLOCKED);
const HELLO = chatBody('hello');

/** `lines`: the header lines behind those that every request has. */
const written = (
  id: string,
  attack: string,
  why: string,
  lines: readonly string[],
  body: string,
  more: Partial<Evasion> = {},
): Evasion => ({
  id,
  attack,
  why,
  side: 'request',
  format: 'openai.chat',
  verdict: 'stopped by Envoy',
  status: 400,
  wire: (tags) =>
    [
      `POST ${CHAT_PATH} HTTP/1.1`,
      'host: x',
      'connection: close',
      'content-type: application/json',
      ...tags,
      ...lines,
      '',
      body,
    ].join('\r\n'),
  carries: BLOCKED,
  ...more,
});

const length = (body: string): string => `content-length: ${Buffer.byteLength(body)}`;
const chunked = (...chunks: readonly string[]): string =>
  [...chunks, '']
    .map((chunk) => `${Buffer.byteLength(chunk).toString(16)}\r\n${chunk}\r\n`)
    .join('');

const ROWS: readonly Evasion[] = [
  written(
    'length-and-chunks',
    'gives a length and sends chunks',
    'Two lengths are none (RFC 9112 §6.3).',
    [length(HELLO), 'transfer-encoding: chunked'],
    chunked(PLAIN),
    { details: 'http1.content_length_and_chunked_not_allowed' },
  ),
  written('two-lengths', 'gives two lengths', 'The same.', [length(HELLO), length(PLAIN)], PLAIN, {
    details: 'http1.codec_error',
  }),
  written(
    'chunked-twice',
    'says `chunked` twice, or in odd ways',
    'An unknown transfer coding.',
    ['transfer-encoding: xchunked'],
    chunked(PLAIN),
    { status: 501, details: 'http1.invalid_transfer_encoding' },
  ),
  written(
    'folded-header',
    'folds a header over two lines',
    'Obsolete, and read in two ways: Envoy makes one line of it.',
    [length(PLAIN), 'x-note: a', ' transfer-encoding: chunked'],
    PLAIN,
    { verdict: 'refused' },
  ),
  written(
    'underscore-header',
    'writes underscores for the hyphens of a header, which some servers take for the same',
    'Envoy: `headers_with_underscores_action: REJECT_REQUEST`.',
    [length(PLAIN), 'content_encoding: gzip'],
    PLAIN,
    { details: 'http1.unexpected_underscore' },
  ),
  written(
    'two-encodings',
    'gives the encoding in two headers',
    'Both are read.',
    [length(PLAIN), 'content-encoding: identity', 'content-encoding: gzip'],
    PLAIN,
    { verdict: 'undecodable', status: 503 },
  ),
  written(
    'two-types',
    'gives two content types',
    'Both are read, and together they are none that is known.',
    [length(PLAIN), 'content-type: text/plain; charset=utf-16'],
    PLAIN,
    { verdict: 'unreadable' },
  ),
  written(
    'chunk-extension',
    'hides it in an extension of a chunk',
    'Envoy takes extensions out.',
    ['transfer-encoding: chunked'],
    `${Buffer.byteLength(HELLO).toString(16)};note="${BLOCKED}"\r\n${HELLO}\r\n0\r\n\r\n`,
    { verdict: 'harmless', status: 200, carries: 'hello' },
  ),
  written(
    'upgrade',
    'asks for a WebSocket, in which bodies have no form that is read',
    'Envoy upgrades nothing unless it is told to; where it is, rules that must read content refuse.',
    [
      'connection: upgrade',
      'upgrade: websocket',
      'sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==',
      'sec-websocket-version: 13',
    ],
    '',
    { status: 403 },
  ),
  written(
    'header-flood',
    'sends 200 headers',
    'Envoy takes 100.',
    [length(PLAIN), ...Array.from({ length: 200 }, (_, at) => `x-flood-${at}: y`)],
    PLAIN,
    { status: 431, details: 'http1.too_many_headers', bound: 'Envoy: `max_headers_count`, 100' },
  ),
  written(
    'header-size',
    'sends a header of 100 KB',
    'Envoy takes 60 KiB.',
    [length(PLAIN), `x-flood: ${'y'.repeat(100_000)}`],
    PLAIN,
    {
      status: 431,
      details: 'http1.headers_too_large',
      bound: 'Envoy: `max_request_headers_kb`, 60',
    },
  ),
];

export const SMUGGLING: readonly Family[] = [
  {
    title: 'HTTP itself',
    about: 'Requests that two servers take for two different ones, written byte by byte.',
    rows: ROWS,
  },
];
