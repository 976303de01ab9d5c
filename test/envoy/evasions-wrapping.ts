/** Bodies in encodings, under labels and on paths that hide what they are. */
import {
  brotliCompressSync,
  brotliDecompressSync,
  deflateRawSync,
  deflateSync,
  gunzipSync,
  gzipSync,
  inflateRawSync,
  inflateSync,
} from 'node:zlib';
import { BLOCKED, CHAT_PATH, chatBody, chatRequest, JSON_TYPE } from './evasions-bodies.ts';
import type { Evasion, Family, Told, VerdictName } from './evasions-row.ts';

const asked = (
  id: string,
  attack: string,
  verdict: VerdictName,
  { why, ...more }: Told,
): Evasion => ({
  id,
  attack,
  side: 'request',
  format: 'openai.chat',
  verdict,
  why,
  carries: BLOCKED,
  ...more,
});

const PLAIN = chatBody(BLOCKED);
/** The word behind an escape: only who reads the body as JSON finds it. */
const HIDDEN = chatBody('X').replace('X', 'Project \\u005aebra');

/** A request in an encoding, and how its reader undoes it. */
const encoded = (
  body: Uint8Array,
  coding: string,
  reads: (bytes: Buffer) => Uint8Array,
): Pick<Evasion, 'request' | 'reads'> => ({
  request: chatRequest(body, { 'content-encoding': coding }),
  reads: (bytes) => Buffer.from(reads(bytes)).toString('utf8'),
});

/** A frame of Zstandard with one stored block (RFC 8878 §3.1.1): nothing here compresses it. */
function storedZstd(text: string): Uint8Array {
  const size = Buffer.byteLength(text);
  const block = (size << 3) | 1;
  const head = [0x28, 0xb5, 0x2f, 0xfd, 0x20, size, block & 0xff, block >> 8, 0];
  return Buffer.concat([Uint8Array.from(head), Buffer.from(text)]);
}
const ZSTD_HEAD_BYTES = 9;

const ONCE =
  'Encodings are undone before the body is read (gzip, deflate, br, zstd, two at most on top of each other).';
const BOMB_BOUND = '`limits.decodedBytesMax`, `limits.decodedRatioMax`';

const ENCODINGS: readonly Evasion[] = [
  asked('gzip', 'sends the body in gzip', 'refused', {
    why: ONCE,
    ...encoded(gzipSync(PLAIN), 'gzip', gunzipSync),
  }),
  asked('gzip-names', 'writes the name of the encoding in other ways', 'refused', {
    why: 'Case, blanks and the old name `x-gzip` make no difference.',
    ...encoded(gzipSync(PLAIN), ' X-GZip ', gunzipSync),
  }),
  asked('brotli', 'sends the body in brotli', 'refused', {
    why: ONCE,
    ...encoded(brotliCompressSync(PLAIN), 'br', brotliDecompressSync),
  }),
  asked('deflate', 'sends the body in deflate', 'refused', {
    why: ONCE,
    ...encoded(deflateSync(PLAIN), 'deflate', inflateSync),
  }),
  asked(
    'deflate-raw',
    'sends deflate without the zlib header, as some servers take it',
    'refused',
    {
      why: 'Both forms are decoded.',
      ...encoded(deflateRawSync(PLAIN), 'deflate', inflateRawSync),
    },
  ),
  asked('zstd', 'sends the body in Zstandard', 'refused', {
    why: ONCE,
    ...encoded(storedZstd(PLAIN), 'zstd', (bytes) => bytes.subarray(ZSTD_HEAD_BYTES)),
  }),
  asked('gzip-twice', 'compresses twice', 'refused', {
    why: ONCE,
    bound: '`ENCODINGS_MAX`: 2',
    ...encoded(gzipSync(gzipSync(PLAIN)), 'gzip, gzip', (bytes) => gunzipSync(gunzipSync(bytes))),
  }),
  asked('gzip-thrice', 'compresses three times', 'undecodable', {
    status: 503,
    why: 'No honest body is encoded so often.',
    bound: '`ENCODINGS_MAX`: 2',
    ...encoded(gzipSync(gzipSync(gzipSync(PLAIN))), 'gzip, gzip, gzip', (bytes) =>
      gunzipSync(gunzipSync(gunzipSync(bytes))),
    ),
  }),
  asked('gzip-identity', 'says `identity, gzip`', 'refused', {
    why: '`identity` counts for nothing.',
    ...encoded(gzipSync(PLAIN), 'identity, gzip', gunzipSync),
  }),
  asked(
    'gzip-members',
    'puts the word into a second gzip member behind a harmless one',
    'refused',
    {
      why: 'All members are one body.',
      ...encoded(
        Buffer.concat([
          gzipSync('{"model":"m","messages":'),
          gzipSync(`[{"role":"user","content":"${BLOCKED}"}]}`),
        ]),
        'gzip',
        gunzipSync,
      ),
    },
  ),
  asked('gzip-garbage', 'puts bytes behind the end of the gzip stream', 'undecodable', {
    status: 503,
    why: 'Readers differ in whether they look at them.',
    ...encoded(Buffer.concat([gzipSync(PLAIN), Buffer.from('garbage')]), 'gzip', () =>
      Buffer.from(BLOCKED),
    ),
  }),
  asked('gzip-truncated', 'leaves the end of the gzip stream out', 'undecodable', {
    status: 503,
    why: 'What is missing was not judged.',
    ...encoded(gzipSync(PLAIN).subarray(0, -9), 'gzip', () => Buffer.from(BLOCKED)),
  }),
  asked(
    'gzip-unsaid',
    'sends gzip and does not say so, to a server that looks for its magic number',
    'unreadable',
    {
      status: 400,
      why: 'Bytes of gzip are no JSON.',
      request: chatRequest(gzipSync(PLAIN)),
      reads: (bytes) => gunzipSync(bytes).toString('utf8'),
    },
  ),
  asked('gzip-false', 'says gzip and sends plain JSON', 'undecodable', {
    status: 503,
    why: 'Not decoded, so not judged.',
    request: chatRequest(PLAIN, { 'content-encoding': 'gzip' }),
  }),
  asked('unknown-encoding', 'names an encoding that nobody has', 'undecodable', {
    status: 503,
    why: 'The same.',
    request: chatRequest(PLAIN, { 'content-encoding': 'x-rot13' }),
  }),
  asked('gzip-bomb', 'sends 20 MB of one letter in 20 KB', 'undecodable', {
    status: 503,
    why: 'Unpacking stops at the limits.',
    bound: BOMB_BOUND,
    ...encoded(gzipSync(chatBody(`${'a'.repeat(20 << 20)} ${BLOCKED}`)), 'gzip', gunzipSync),
  }),
  asked('gzip-bomb-nested', 'compresses a bomb twice', 'undecodable', {
    status: 503,
    why: 'Every layer has the same limits.',
    bound: BOMB_BOUND,
    ...encoded(
      gzipSync(gzipSync(chatBody(`${'a'.repeat(20 << 20)} ${BLOCKED}`))),
      'gzip, gzip',
      (bytes) => gunzipSync(gunzipSync(bytes)),
    ),
  }),
  asked('text-file-false', 'attaches a text file and says that it is a PDF', 'not seen', {
    why: 'Pictures, sounds and files that are no text are not read.',
    request: chatRequest(
      chatBody([
        {
          type: 'file',
          file: {
            file_data: `data:application/pdf;base64,${Buffer.from(`%PDF ${BLOCKED}`).toString('base64')}`,
          },
        },
      ]),
    ),
    carries: Buffer.from(`%PDF ${BLOCKED}`).toString('base64'),
  }),
  asked('image', 'writes it into a picture', 'not seen', {
    why: 'Pictures, sounds and files that are no text are not read.',
    request: chatRequest(
      chatBody([
        {
          type: 'image_url',
          image_url: {
            url: `data:image/png;base64,${Buffer.from(`\u0089PNG ${BLOCKED}`).toString('base64')}`,
          },
        },
      ]),
    ),
    reads: (bytes) =>
      Buffer.from(/base64,([^"]*)/u.exec(bytes.toString('latin1'))?.[1] ?? '', 'base64').toString(
        'utf8',
      ),
  }),
  asked('text-file', 'attaches a text file in Base64', 'refused', {
    why: 'What reads as text is read as text, unless it says that it is a picture, a sound or a PDF.',
    request: chatRequest(
      chatBody([
        {
          type: 'file',
          file: { file_data: `data:text/plain;base64,${Buffer.from(BLOCKED).toString('base64')}` },
        },
      ]),
    ),
    carries: Buffer.from(BLOCKED).toString('base64'),
  }),
];

const labelled = (
  contentType: string,
  body: string | Uint8Array = HIDDEN,
  path = CHAT_PATH,
): Pick<Evasion, 'request' | 'carries'> => ({
  request: { method: 'POST', path, headers: { 'content-type': contentType }, body },
  carries: '\\u005aebra',
});

const ON_API = 'On the path of an API a request is read as that API, whatever its label says.';

const MULTIPART = `--x\r\ncontent-disposition: form-data; name="file"; filename="batch.jsonl"\r\n\r\n{"body":{"messages":[{"content":"${BLOCKED}"}]}}\r\n--x--\r\n`;

const LABELS: readonly Evasion[] = [
  asked('no-content-type', 'leaves the content type out', 'refused', {
    why: ON_API,
    request: { method: 'POST', path: CHAT_PATH, body: HIDDEN },
    carries: '\\u005aebra',
  }),
  asked('plain-label', 'labels JSON as plain text', 'refused', {
    why: ON_API,
    ...labelled('text/plain'),
  }),
  asked('stream-label', 'labels JSON as bytes', 'refused', {
    why: ON_API,
    ...labelled('application/octet-stream'),
  }),
  asked('form-label', 'labels JSON as a form', 'refused', {
    why: ON_API,
    ...labelled('application/x-www-form-urlencoded'),
  }),
  asked('charset-false', 'adds a second, false charset', 'unreadable', {
    status: 400,
    why: 'Readers differ in which of them they take.',
    ...labelled('application/json; charset=utf-8; charset=utf-16'),
  }),
  asked('multipart', 'sends a form with a file to the chat API', 'unreadable', {
    status: 400,
    why: 'That is no JSON.',
    request: {
      method: 'POST',
      path: CHAT_PATH,
      headers: { 'content-type': 'multipart/form-data; boundary=x' },
      body: MULTIPART,
    },
  }),
  asked('multipart-upload', 'uploads a batch of requests as a file', 'unreadable', {
    format: 'opaque',
    status: 400,
    why: 'Files are not read, so what must read them refuses. Name the path in `formats:` or exempt it by `when`, if uploads are wanted.',
    request: {
      method: 'POST',
      path: '/v1/files',
      headers: { 'content-type': 'multipart/form-data; boundary=x' },
      body: MULTIPART,
    },
  }),
  asked('unknown-path', 'posts JSON to a path that nobody knows', 'unreadable', {
    format: 'opaque',
    status: 400,
    why: 'A guess could be wrong. Name the path in `formats:`.',
    ...labelled('application/json', HIDDEN, '/v1/something'),
  }),
  asked('unknown-path-text', 'posts it there as plain text, with escapes', 'unreadable', {
    format: 'text',
    status: 400,
    why: 'What begins as JSON and has escapes is no plain text.',
    ...labelled('text/plain', HIDDEN, '/v1/something'),
  }),
  asked('lines-as-json', 'labels lines of JSON as JSON', 'unreadable', {
    format: 'opaque',
    status: 400,
    why: 'As for every JSON on such a path.',
    ...labelled('application/json', `{"a":1}\n${HIDDEN}\n`, '/v1/something'),
  }),
  asked('lines', 'sends lines of JSON', 'refused', {
    format: 'ndjson',
    why: 'Every line is read.',
    ...labelled('application/x-ndjson', `{"a":1}\n${HIDDEN}\n`, '/v1/something'),
  }),
];

const at = (
  path: string,
  headers: Readonly<Record<string, string>> = { 'content-type': 'text/plain' },
  method = 'POST',
): Pick<Evasion, 'request' | 'carries'> => ({
  request: { method, path, headers, body: HIDDEN },
  carries: '\\u005aebra',
});

const SAME_PATH = 'A path counts as any server may read it.';
const ESCAPED_SLASH =
  'Servers differ in whether that is a slash: `path_with_escaped_slashes_action: REJECT_REQUEST`.';

const PATHS: readonly Evasion[] = [
  asked('path-slashes', 'doubles slashes', 'refused', {
    why: SAME_PATH,
    ...at('//v1///chat/completions'),
  }),
  asked('path-dots', 'adds segments of dots', 'refused', {
    why: SAME_PATH,
    ...at('/v1/x/.././chat/completions'),
  }),
  asked('path-exempt', 'begins with a path that is exempt', 'refused', {
    why: 'Envoy takes the dots out before it chooses a route (`normalize_path`).',
    ...at('/healthz/../v1/chat/completions'),
  }),
  asked('path-escaped', 'escapes letters', 'refused', {
    why: SAME_PATH,
    ...at('/v1/%63hat/completion%73'),
  }),
  asked('path-escaped-twice', 'escapes letters twice', 'refused', {
    why: 'Two levels are undone.',
    ...at('/v1/%2563hat/completions'),
  }),
  asked('path-escaped-slash', 'escapes a slash', 'stopped by Envoy', {
    status: 400,
    why: ESCAPED_SLASH,
    ...at('/v1/chat%2Fcompletions'),
  }),
  asked('path-backslash', 'escapes a backslash', 'stopped by Envoy', {
    status: 400,
    why: ESCAPED_SLASH,
    ...at('/v1/chat%5Ccompletions'),
  }),
  asked('path-parameter', 'adds parameters to segments', 'refused', {
    why: SAME_PATH,
    ...at('/v1;a=b/chat;x/completions;y=z'),
  }),
  asked('path-case', 'takes another case', 'refused', {
    why: SAME_PATH,
    ...at('/V1/Chat/COMPLETIONS'),
  }),
  asked('path-tail', 'adds dots, a slash or a query', 'refused', {
    why: SAME_PATH,
    ...at('/v1/chat/completions./?x=/v1/other'),
  }),
  asked('path-prefix', 'puts a prefix in front that the provider ignores', 'refused', {
    why: 'What counts is how the path ends.',
    ...at('/proxy/v1/chat/completions'),
  }),
  asked('method-get', 'sends the body with GET', 'refused', {
    why: 'A body is judged with every method.',
    ...at(CHAT_PATH, JSON_TYPE, 'GET'),
  }),
  asked('method-override', 'names another method in a header', 'refused', {
    why: 'The same.',
    ...at(CHAT_PATH, { ...JSON_TYPE, 'x-http-method-override': 'GET' }),
  }),
  asked('in-query', 'writes it into the query', 'not seen', {
    why: 'Queries are not judged; no API takes prompts there.',
    request: { ...chatRequest(chatBody('hello')), path: `${CHAT_PATH}?q=aurora` },
    carries: 'q=aurora',
  }),
  asked('in-header', 'writes it into a header', 'not seen', {
    why: 'Headers are not judged as content. A condition can: `when` over `headers`, for those listed in `trustedHeaders`.',
    request: chatRequest(chatBody('hello'), { 'x-note': BLOCKED }),
  }),
  asked('in-trailer', 'writes it into a trailer behind the body', 'not seen', {
    why: 'Trailers are not judged; no API reads them.',
    request: {
      ...chatRequest(chatBody('hello')),
      pieces: [chatBody('hello')],
      trailers: { 'x-note': BLOCKED },
    },
  }),
  asked('chunks', 'sends the body in chunks of one byte', 'refused', {
    why: 'A request is judged whole, however it arrives.',
    request: { ...chatRequest(HIDDEN), pieces: HIDDEN.split('') },
    carries: '\\u005aebra',
  }),
];

export const WRAPPINGS: readonly Family[] = [
  {
    title: 'Encodings and files',
    about: 'Request bodies of the chat completions API.',
    rows: ENCODINGS,
  },
  {
    title: 'Labels',
    about: `What the request says it is. The word stands behind an escape of JSON, so that it is found only by who reads the body as JSON.`,
    rows: LABELS,
  },
  {
    title: 'Paths, methods and headers',
    about: 'The same body, labelled as plain text where nothing else is said.',
    rows: PATHS,
  },
];
