/** Event streams and answers that are not what they are called, or that are read in two ways. */
import { deflateSync, gzipSync, unzipSync } from 'node:zlib';
import {
  BLOCKED,
  chatBody,
  chatRequest,
  chunk,
  chunkOf,
  completion,
  DONE,
  document,
  EVENTS,
  REPLACEMENT,
  REWRITTEN,
  saidInStream,
  say,
  stream,
} from './evasions-bodies.ts';
import type { Evasion, Family, Reply, Told, VerdictName } from './evasions-row.ts';

const TEXT = `Ask ${REWRITTEN} now`;
const MASKED = `Ask ${REPLACEMENT} now`;
const HELLO = say('Hello. ');

const answered = (
  id: string,
  attack: string,
  verdict: VerdictName,
  reply: Reply,
  { why, ...more }: Told,
): Evasion => ({
  id,
  attack,
  side: 'answer',
  format: 'openai.chat',
  verdict,
  why,
  reply,
  carries: REWRITTEN,
  ...(verdict === 'masked' && { leaves: MASKED }),
  ...more,
});

const AS_CLIENTS = 'Events are read as the WHATWG grammar has them.';
const FOREIGN = 'A line that is no field: clients ignore it, or do not.';
const LATE = 'Hello. ';

const GRAMMAR: readonly Evasion[] = [
  answered(
    'line-ends',
    'ends lines by CR alone, or mixes all line ends',
    'masked',
    stream(
      `${HELLO}${say('Ask Ba')}`.replaceAll('\n', '\r'),
      say('nk A now').replace('\n\n', '\r\n\r'),
      DONE,
    ),
    { why: AS_CLIENTS, reads: saidInStream, leaves: `${LATE}${MASKED}` },
  ),
  answered(
    'no-last-line',
    'leaves the blank line behind the last event out',
    'masked',
    stream(HELLO, say(TEXT).trimEnd()),
    {
      why: 'Clients differ in whether they read such an event: it is judged.',
      reads: saidInStream,
    },
  ),
  answered(
    'event-bom',
    'puts a byte-order mark in front of the stream',
    'masked',
    stream(`\ufeff${say(TEXT)}${DONE}`),
    {
      why: AS_CLIENTS,
      reads: (bytes) => saidInStream(Buffer.from(bytes.toString('utf8').replace('\ufeff', ''))),
    },
  ),
  answered(
    'event-bom-inside',
    'puts a byte-order mark in front of a later event',
    'unreadable',
    stream(HELLO, `\ufeff${say(TEXT)}`, DONE),
    { status: 200, why: FOREIGN, leaves: LATE },
  ),
  answered(
    'data-case',
    'writes `DATA:` for `data:`',
    'unreadable',
    stream(HELLO, say(TEXT).replace('data', 'DATA'), DONE),
    { status: 200, why: FOREIGN, leaves: LATE },
  ),
  answered(
    'data-blank',
    'writes a blank before the colon',
    'unreadable',
    stream(HELLO, say(TEXT).replace('data:', 'data :'), DONE),
    { status: 200, why: FOREIGN, leaves: LATE },
  ),
  answered(
    'data-no-space',
    'writes no blank, or several, behind the colon',
    'masked',
    stream(
      `data:${chunkOf({ content: 'Ask Ba' })}\n\n`,
      `data:   ${chunkOf({ content: 'nk A now' })}\n\n`,
      DONE,
    ),
    { why: AS_CLIENTS, reads: saidInStream },
  ),
  answered(
    'event-name',
    'names an event otherwise than it is',
    'masked',
    stream(`event: error\nid: 7\nretry: 1\n${say(TEXT)}`, DONE),
    { why: 'What an event is called changes nothing in how it is read.', reads: saidInStream },
  ),
  answered(
    'event-comment',
    'writes it into a comment of the stream',
    'not seen',
    stream(`: ${REWRITTEN}\n\n`, HELLO, DONE),
    { why: 'No client shows comments; they are passed on for keep-alives.' },
  ),
  answered(
    'event-id',
    'writes it into the id or the name of an event',
    'not seen',
    stream(`id: ${REWRITTEN}\n${HELLO}`, DONE),
    { why: 'Ids and names of events are not shown to anybody.' },
  ),
  answered(
    'event-words',
    'puts plain words into an event',
    'unreadable',
    stream(HELLO, `data: ${TEXT}\n\n`, DONE),
    { status: 200, why: 'Not what the API says.', leaves: LATE },
  ),
  answered(
    'event-two',
    'puts two JSON texts into one event',
    'unreadable',
    stream(HELLO, `data: ${chunkOf({ content: 'x' })}${chunkOf({ content: TEXT })}\n\n`, DONE),
    { status: 200, why: 'One event is one JSON text.', leaves: LATE },
  ),
  answered(
    'event-array',
    'puts an array into an event',
    'unreadable',
    stream(HELLO, `data: [${chunkOf({ content: TEXT })}]\n\n`, DONE),
    { status: 200, why: 'No event of this API is one.', leaves: LATE },
  ),
  answered(
    'after-done',
    'goes on behind the end marker',
    'unreadable',
    stream(HELLO, DONE, say(TEXT)),
    { status: 200, why: 'Some clients read on.', leaves: LATE },
  ),
  answered(
    'after-finish',
    'goes on behind the finish reason',
    'unreadable',
    stream(HELLO, chunk({}, { finish_reason: 'stop' }), say(TEXT), DONE),
    { status: 200, why: 'The same.', leaves: LATE },
  ),
  answered(
    'choice-index',
    'gives a choice an index that is none',
    'unreadable',
    stream(HELLO, chunk({ content: TEXT }, { index: -1 }), DONE),
    { status: 200, why: 'Readers would differ in what text goes on.', leaves: LATE },
  ),
  answered(
    'event-duplicate',
    'gives an event two contents',
    'unreadable',
    stream(
      HELLO,
      `data: {"choices":[{"index":0,"delta":{"content":"${TEXT}","content":"hello"}}]}\n\n`,
      DONE,
    ),
    {
      status: 200,
      why: 'Readers differ in which of them they take, and what is joined from deltas can hold only one.',
      leaves: LATE,
    },
  ),
  answered(
    'event-case',
    'writes names of members in another case',
    'masked',
    stream(`data: {"choices":[{"index":0,"delta":{"Content":"${TEXT}"}}]}\n\n`, DONE),
    { why: 'Every string is read.', reads: (bytes) => bytes.toString('utf8') },
  ),
  answered(
    'event-truncated',
    'breaks an event off and closes',
    'unreadable',
    stream(HELLO, say(TEXT).slice(0, -8)),
    { status: 200, why: 'Half an event is not judged, so it does not leave.', leaves: LATE },
  ),
  answered(
    'event-utf8',
    'puts invalid UTF-8 around it',
    'masked',
    stream(Buffer.from(say(`\u00ff${TEXT}\u00fe`), 'latin1'), DONE),
    {
      why: 'Read with replacement characters, as clients do; bytes that no rule changes stay as they are.',
      reads: saidInStream,
    },
  ),
];

const CODED = gzipSync(completion({ content: TEXT }));

const KINDS: readonly Evasion[] = [
  answered(
    'json-for-stream',
    'answers with a document where a stream was asked for',
    'masked',
    document(completion({ content: TEXT })),
    { why: 'The answer is read as its own label says.' },
  ),
  answered(
    'stream-as-json',
    'labels a stream as JSON',
    'unreadable',
    document(`${say(TEXT)}${DONE}`),
    { status: 502, why: 'It is none.' },
  ),
  answered(
    'stream-as-text',
    'labels a stream as plain text',
    'unreadable',
    document(`${say('Ask Ba')}${say('nk A now')}${DONE}`, { 'content-type': 'text/plain' }),
    {
      status: 502,
      why: 'SDKs read events under any label; as plain text the word would hide between deltas.',
      reads: saidInStream,
    },
  ),
  answered(
    'answer-no-type',
    'leaves the content type of an answer out',
    'unreadable',
    document(completion({ content: TEXT }), { 'content-type': '' }),
    { status: 502, why: 'Nothing is guessed.' },
  ),
  answered(
    'answer-bytes',
    'labels the answer as bytes',
    'unreadable',
    document(completion({ content: TEXT }), { 'content-type': 'application/octet-stream' }),
    { status: 502, why: 'Nothing is guessed.' },
  ),
  answered(
    'answer-charset',
    'declares another charset',
    'unreadable',
    document(Buffer.from(completion({ content: TEXT }), 'utf16le'), {
      'content-type': 'application/json; charset=utf-16',
    }),
    { status: 502, why: 'Only UTF-8 is read.', reads: (bytes) => bytes.toString('utf16le') },
  ),
  answered(
    'lines-for-json',
    'answers with lines of JSON',
    'unreadable',
    document(`${completion({ content: 'x' })}\n${completion({ content: TEXT })}\n`),
    { status: 502, why: 'One answer is one document.' },
  ),
  answered(
    'error-json',
    'says it in an error',
    'masked',
    { status: 500, writes: [JSON.stringify({ error: { message: TEXT, type: 'server_error' } })] },
    { why: 'Errors of providers are read as answers are.' },
  ),
  answered(
    'error-html',
    'says it in a page of HTML',
    'unreadable',
    { status: 500, headers: { 'content-type': 'text/html' }, writes: [`<p>${TEXT}</p>`] },
    { status: 502, why: 'Not what the API says, so nothing that is read.' },
  ),
  answered(
    'gzip-answer',
    'compresses the answer although nobody asked it to',
    'masked',
    { headers: { 'content-encoding': 'gzip' }, writes: [CODED] },
    { why: 'Decoded; changed, it leaves as it is, without the encoding.', reads: readAnswer },
  ),
  answered(
    'deflate-twice-answer',
    'compresses it twice',
    'masked',
    { headers: { 'content-encoding': 'gzip, deflate' }, writes: [deflateSync(CODED)] },
    { why: 'The same.', bound: '`ENCODINGS_MAX`: 2', reads: readAnswer },
  ),
  answered(
    'gzip-stream',
    'compresses an event stream',
    'masked',
    {
      headers: { ...EVENTS, 'content-encoding': 'gzip' },
      writes: [gzipSync(`${say('Ask Ba')}${say('nk A now')}${DONE}`)],
    },
    {
      why: 'Collected and judged whole: it loses its streaming, and nothing else.',
      reads: (bytes) => saidInStream(Buffer.from(readAnswer(bytes))),
    },
  ),
  answered(
    'gzip-false-answer',
    'says gzip and sends none',
    'undecodable',
    { headers: { 'content-encoding': 'gzip' }, writes: [completion({ content: TEXT })] },
    { status: 503, why: 'Not decoded, so not judged.' },
  ),
  answered(
    'bomb-answer',
    'answers with a bomb',
    'undecodable',
    {
      headers: { 'content-encoding': 'gzip' },
      writes: [gzipSync(completion({ content: 'a'.repeat(20 << 20) + TEXT }))],
    },
    {
      status: 503,
      why: 'Unpacking stops at the limits.',
      bound: '`limits.decodedBytesMax`, `limits.decodedRatioMax`',
      reads: readAnswer,
    },
  ),
  answered(
    'trailer-answer',
    'says it in a trailer',
    'not seen',
    { ...stream(HELLO, DONE), trailers: { 'x-note': REWRITTEN } },
    { why: 'Trailers are not judged; no SDK shows them.' },
  ),
  answered(
    'header-answer',
    'says it in a header',
    'not seen',
    { headers: { 'x-note': REWRITTEN }, writes: [completion({ content: 'hello' })] },
    { why: 'Headers are not judged as content.' },
  ),
];

const DRIPPING = chatBody(BLOCKED);

const QUIET: readonly Evasion[] = [
  {
    id: 'drip',
    attack: 'sends its request in drips that never fall silent for long',
    side: 'request',
    format: 'openai.chat',
    verdict: 'too late',
    status: 408,
    why: 'A request must come to its end in time, however steadily it drips.',
    bound: '`limits.requestBodyMsMax`',
    request: { ...chatRequest(DRIPPING), pieces: DRIPPING.match(/.{1,2}/gu) ?? [], delayMs: 100 },
    carries: BLOCKED,
  },
  answered(
    'endless-event',
    'begins an event and never ends it',
    'too late',
    { ...stream(HELLO, 'data: {"choices":[{"index":0,"delta":{"content":"Bank A'), stalls: true },
    {
      status: 200,
      why: 'Only while something is held does time run; then the answer ends with what was judged.',
      bound: '`limits.responseStallTimeoutMs`',
      leaves: LATE,
    },
  ),
  answered(
    'endless-match',
    'begins the word and never ends it',
    'too late',
    { ...stream(HELLO, say('Ask Ba')), stalls: true },
    {
      status: 200,
      why: 'The same. What could become the word is not sent.',
      carries: 'Ask Ba',
      leaves: LATE,
      bound: '`limits.responseStallTimeoutMs`',
    },
  ),
  answered(
    'endless-first',
    'never ends its first event',
    'too late',
    { ...stream('data: {"choices":[{"index":0,"delta":{"content":"Bank A'), stalls: true },
    {
      status: 504,
      why: 'Nothing has left, so it is an HTTP error.',
      bound: '`limits.responseStallTimeoutMs`',
    },
  ),
  answered(
    'long-event',
    'sends an event longer than an event may be',
    'unreadable',
    stream(HELLO, say(`${'x '.repeat(700_000)}${TEXT}`), DONE),
    {
      status: 200,
      why: 'No API has such events. What is too long to be held is not judged, and does not leave.',
      bound: '`frameBytesMax`: 1 MiB',
      leaves: LATE,
    },
  ),
  answered(
    'many-choices',
    'speaks in 129 choices',
    'unreadable',
    stream(
      ...Array.from({ length: 129 }, (_, index) => say(index === 128 ? TEXT : 'x ', index)),
      DONE,
    ),
    { status: 200, why: 'More than the API has.', bound: '`CHOICES_MAX`: 128', leaves: 'x ' },
  ),
];

/** As a client reads it that undoes what the header names, however often. */
function readAnswer(bytes: Buffer): string {
  const packed = bytes[0] === 0x1f || bytes[0] === 0x78;
  return packed ? readAnswer(unzipSync(bytes)) : bytes.toString('utf8');
}

export const STREAMS: readonly Family[] = [
  {
    title: 'The grammar of event streams',
    about: 'Answers; the rule rewrites `Bank A` to `another bank`.',
    rows: GRAMMAR,
  },
  { title: 'Answers that are not what they are called', about: 'The same.', rows: KINDS },
  {
    title: 'Without end',
    about: 'The same; the limits of time are set to seconds here.',
    rows: QUIET,
  },
];
