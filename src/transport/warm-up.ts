/**
 * Exchanges of our own before anybody's: V8 compiles what it has seen often, and the first thousand exchanges of a
 * cold process take ten times as long, which can outlast Envoy's 200 ms. They go the whole way, through a socket.
 */
import { Buffer } from 'node:buffer';
import { mkdtemp, rm } from 'node:fs/promises';
import { type ClientHttp2Session, connect } from 'node:http2';
import { connect as connectSocket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { messagesOf } from '../protocol/envoy-messages.ts';
import type { GrpcServer, GrpcServerOptions } from './grpc-server.ts';
import { EXT_PROC_SERVICE } from './services.ts';

export interface WarmUpOptions {
  readonly startServer: (options: GrpcServerOptions) => Promise<GrpcServer>;
  /** With an engine that counts and records nothing. */
  readonly server: Pick<GrpcServerOptions, 'openProcess' | 'answerCheck'>;
  /** No exchange begins later. */
  readonly durationMs: number;
  readonly nowMs: () => number;
}

/** At once; as many as share a connection of Envoy's in ordinary load. */
const LANES = 8;
/** By then all that is hot has been compiled, on whatever machine. */
const EXCHANGES_MAX = 3_000;

/** How many exchanges were made. Rejects with ListenError, or when the server does not answer. */
export async function warmUp(options: WarmUpOptions): Promise<number> {
  const directory = await mkdtemp(join(tmpdir(), 'switchyard-'));
  const path = join(directory, 'warm');
  try {
    const server = await options.startServer({
      ...options.server,
      listen: [{ kind: 'unix', path, mode: 0o600 }],
      health: { serving: () => true, onChange: () => () => {} },
      // Twice, as one that has ended may still be counted when the next begins.
      limits: { streamsMax: LANES * 2 },
    });
    try {
      return await drive(path, options);
    } finally {
      await server.close();
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function drive(path: string, { durationMs, nowMs }: WarmUpOptions): Promise<number> {
  const session = connect('http://warm-up', { createConnection: () => connectSocket(path) });
  const failed = new Promise<never>((_, reject) => session.once('error', reject));
  // Whoever races with it is told.
  failed.catch(() => {});
  const dueMs = nowMs() + durationMs;
  let made = 0;
  const lane = async (): Promise<void> => {
    while (nowMs() < dueMs && made < EXCHANGES_MAX) {
      made++;
      await exchange(session, EXCHANGES[made % EXCHANGES.length] as Buffer);
    }
  };
  try {
    await Promise.race([Promise.all(Array.from({ length: LANES }, lane)), failed]);
  } finally {
    session.destroy();
  }
  return made;
}

function exchange(session: ClientHttp2Session, messages: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const stream = session.request({
      ':method': 'POST',
      ':path': `/${EXT_PROC_SERVICE}/Process`,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    stream.on('error', reject);
    stream.on('close', resolve);
    stream.resume();
    stream.end(messages);
  });
}

const framed = (message: Uint8Array): Buffer => {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
};

const WORDS = 'The quick answer to a long question about trains, tracks and timetables. ';
const delta = (content: string): string =>
  `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', choices: [{ index: 0, delta: { content } }] })}\n\n`;

const REQUEST = { ':method': 'POST', ':path': '/v1/chat/completions', ':authority': 'warm-up' };
const JSON_TYPE = { 'content-type': 'application/json' };
const QUESTION = Buffer.from(
  JSON.stringify({
    model: 'm',
    stream: true,
    messages: [{ role: 'user', content: WORDS.repeat(15) }],
  }),
);
const DOCUMENT = Buffer.from(
  JSON.stringify({
    id: 'c',
    object: 'chat.completion',
    choices: [{ index: 0, message: { role: 'assistant', content: WORDS.repeat(15) } }],
  }),
);

/** What Envoy sends of a streamed answer, and of one that is a document: each as one piece, prefixes included. */
const EXCHANGES: readonly Buffer[] = [
  messagesOf(
    { ...REQUEST, ...JSON_TYPE },
    QUESTION,
    { ':status': '200', 'content-type': 'text/event-stream' },
    [
      ...WORDS.split(' ').map((word) => Buffer.from(delta(`${word} `))),
      Buffer.from('data: [DONE]\n\n'),
    ],
  ),
  messagesOf({ ...REQUEST, ...JSON_TYPE }, QUESTION, { ':status': '200', ...JSON_TYPE }, [
    DOCUMENT,
  ]),
].map((messages) => Buffer.concat(messages.map(framed)));
