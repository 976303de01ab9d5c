/**
 * Attacks by amount: bodies and streams so large, so long or so many that they are meant to take the memory
 * or the time of everybody else. Executed by `evasions-floods.test.ts`, and part of `docs/evasions.md`.
 */
import { gzipSync } from 'node:zlib';
import { chatBody, completion, DONE, EVENTS, say } from './evasions-bodies.ts';
import type { VerdictName } from './evasions-row.ts';

/** `full` is what the page promises; `quick` is what every run of the tests has time for. */
export type FloodSize = 'quick' | 'full';

export interface Flood {
  readonly id: string;
  readonly attack: string;
  readonly side: 'request' | 'answer';
  readonly verdict: VerdictName;
  readonly why: string;
  readonly bound: string;
  /** What the client gets: a status, and the code of a refusal. */
  readonly status: number;
  readonly code?: string;
  /** The request in parts, if it is the request that floods. */
  readonly request?: (size: FloodSize) => Iterable<string | Uint8Array>;
  /** The answer in parts, if it is the answer. */
  readonly answer?: (size: FloodSize) => Iterable<string | Uint8Array>;
  /** Of the request or of the answer. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Pause before each part. */
  readonly everyMs?: number;
  /** Exchanges at once. */
  readonly atOnce: number;
  /** It never ends by itself: it is broken off after a while, and has to have got nowhere. */
  readonly endless?: true;
  /** The neighbours meet it in every run of the tests; else only in full. */
  readonly watched?: true;
}

/** Streams of those who only want to be left in peace. */
export const NEIGHBOURS = 8;

const MIB = 1 << 20;
/** Parts are of this size, as a socket gives them. */
const PART_BYTES = 65_536;

function* repeated(part: string, bytes: number): Iterable<Uint8Array> {
  const once = part.repeat(Math.max(1, Math.floor(PART_BYTES / part.length)));
  const whole = Buffer.from(once);
  for (let sent = 0; sent < bytes; sent += whole.length) yield whole;
}

function* around(
  head: string,
  middle: Iterable<string | Uint8Array>,
  tail: string,
): Iterable<string | Uint8Array> {
  yield head;
  yield* middle;
  yield tail;
}

/** A chat request whose prompt is so long, made of `part` again and again. */
const prompt = (part: string, bytes: number): Iterable<string | Uint8Array> => {
  const [head = '', tail = ''] = chatBody('|').split('|');
  return around(head, repeated(part, bytes), tail);
};

/** An answer whose text is so long. */
const text = (part: string, bytes: number): Iterable<string | Uint8Array> => {
  const [head = '', tail = ''] = completion({ content: '|' }).split('|');
  return around(head, repeated(part, bytes), tail);
};

const BOMB = gzipSync(chatBody('a'.repeat(20 * MIB)));

/** Nearly the longest request that is read. */
const LONG_BYTES = 7 * MIB;

export const FLOODS: readonly Flood[] = [
  {
    id: 'flood-event',
    attack: 'answers with one event of 100 MB',
    side: 'answer',
    verdict: 'unreadable',
    status: 200,
    code: 'unreadable_body',
    why: 'Cut off at the limit of an event; what came before it has left.',
    bound: '`frameBytesMax`, 1 MiB',
    headers: EVENTS,
    answer: () =>
      around(
        say('Hello. '),
        around(
          'data: {"choices":[{"index":0,"delta":{"content":"',
          repeated('word ', 100 * MIB),
          '"}}]}\n\n',
        ),
        DONE,
      ),
    atOnce: 4,
    watched: true,
  },
  {
    id: 'flood-document',
    attack: 'answers with one document of 100 MB',
    side: 'answer',
    verdict: 'too large',
    status: 502,
    code: 'body_too_large',
    why: 'A document is judged whole, so it is held whole, and not longer than that.',
    bound: '`limits.responseBodyBytesMax`, 16 MiB',
    answer: () => text('word ', 100 * MIB),
    atOnce: 2,
  },
  {
    id: 'flood-body',
    attack: 'sends a request of 100 MB',
    side: 'request',
    verdict: 'too large',
    status: 413,
    code: 'body_too_large',
    why: 'The same for requests.',
    bound: '`limits.requestBodyBytesMax`, 8 MiB',
    request: () => prompt('word ', 100 * MIB),
    atOnce: 2,
  },
  {
    id: 'flood-deltas',
    attack: 'answers in a million deltas',
    side: 'answer',
    verdict: 'harmless',
    status: 200,
    why: 'Each leaves as it is judged, and is forgotten.',
    bound: 'none needed: nothing is kept of what has left',
    headers: EVENTS,
    answer: (size) =>
      around(
        '',
        repeated(say('word '), (size === 'full' ? 1_000_000 : 30_000) * say('word ').length),
        DONE,
      ),
    atOnce: 1,
    watched: true,
  },
  {
    id: 'flood-keep-alives',
    attack: 'sends a million comments, and nothing else',
    side: 'answer',
    verdict: 'harmless',
    status: 200,
    why: 'They keep their place and leave at once.',
    bound: 'none needed',
    headers: EVENTS,
    answer: (size) =>
      around('', repeated(': ping\n\n', (size === 'full' ? 1_000_000 : 150_000) * 8), DONE),
    atOnce: 1,
    watched: true,
  },
  {
    id: 'flood-texts',
    attack: 'sends 10,000 messages of one word',
    side: 'request',
    verdict: 'unreadable',
    status: 400,
    code: 'unreadable_body',
    why: 'Every text has a matcher of its own.',
    bound: '`limits.textsMax`, 4,096',
    request: () => [
      JSON.stringify({
        model: 'm',
        messages: Array.from({ length: 10_000 }, () => ({ role: 'user', content: 'x' })),
      }),
    ],
    atOnce: 4,
    watched: true,
  },
  {
    id: 'flood-depth',
    attack: 'sends 7 MB of opening brackets',
    side: 'request',
    verdict: 'unreadable',
    status: 400,
    code: 'unreadable_body',
    why: 'Reading stops at the limit, without recursion.',
    bound: '`depthMax`, 64',
    request: () => around('{"messages":', repeated('[', LONG_BYTES), ''),
    atOnce: 2,
  },
  {
    id: 'flood-mails',
    attack: 'sends 7 MB of addresses, all of which have to be masked',
    side: 'request',
    verdict: 'too many matches',
    status: 413,
    code: 'matches_exceeded',
    why: 'No honest text has so many of them.',
    bound: '`limits.matchesMax`, 10,000',
    request: () => prompt('a1@b.example ', LONG_BYTES),
    atOnce: 2,
    watched: true,
  },
  {
    id: 'flood-digits',
    attack: 'sends 7 MB of digits, each of which may begin a card number',
    side: 'request',
    verdict: 'too many matches',
    status: 413,
    code: 'matches_exceeded',
    why: 'The same.',
    bound: '`limits.matchesMax`, 10,000',
    request: () => prompt('4 1 1 1 2 3 5 ', LONG_BYTES),
    atOnce: 2,
    watched: true,
  },
  {
    id: 'flood-near-words',
    attack: 'sends 7 MB of words that are nearly forbidden',
    side: 'request',
    verdict: 'harmless',
    status: 200,
    why: 'One automaton reads every unit once, in slices between which the others have their turn.',
    bound: '`limits.requestBodyBytesMax`, `limits.sliceUnitsMax`',
    request: () => prompt('Project Zebr Efficient Mos PRJ-204 ', LONG_BYTES),
    atOnce: 2,
  },
  {
    id: 'flood-escapes',
    attack: 'sends 7 MB of escapes',
    side: 'request',
    verdict: 'harmless',
    status: 200,
    why: 'Decoded once.',
    bound: '`limits.requestBodyBytesMax`',
    request: () => prompt('\\u0041\\ud83d\\ude00', LONG_BYTES),
    atOnce: 2,
  },
  {
    id: 'flood-bombs',
    attack: 'sends bombs of gzip without a pause',
    side: 'request',
    verdict: 'undecodable',
    status: 503,
    code: 'mode_cannot_enforce',
    why: 'Each is unpacked up to the limits, and no further.',
    bound: '`limits.decodedBytesMax`, `limits.decodedRatioMax`',
    headers: { 'content-encoding': 'gzip' },
    request: () => [BOMB],
    atOnce: 4,
    watched: true,
  },
  {
    id: 'flood-held',
    attack: 'begins 60 answers with an event of 1 MB that never ends',
    side: 'answer',
    verdict: 'held too much',
    status: 502,
    code: 'held_bytes_exceeded',
    why: 'All exchanges together hold no more than the limit (40 MiB here): those beyond it are refused, the others end by the limit of silence.',
    bound: '`limits.heldBytesTotalMax`, 256 MiB',
    headers: EVENTS,
    answer: () =>
      around(
        'data: {"choices":[{"index":0,"delta":{"content":"',
        repeated('word ', 1_000_000 - 2 * PART_BYTES),
        '',
      ),
    endless: true,
    atOnce: 60,
  },
  {
    id: 'flood-drip',
    attack: 'sends 50 events byte by byte, one every 20 ms, and never ends them',
    side: 'answer',
    verdict: 'harmless',
    status: 0,
    why: 'It costs its own few bytes and a stream of `grpc.streamsMax`; not one byte of an event leaves before it is complete.',
    bound: '`limits.heldBytesMax`, `grpc.streamsMax`',
    headers: EVENTS,
    answer: () => `data: {"choices":[{"index":0,"delta":{"content":"Bank A`.repeat(100),
    everyMs: 20,
    endless: true,
    atOnce: 50,
  },
];
