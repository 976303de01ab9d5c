/**
 * A small model provider for demos and tests: speaks OpenAI's chat completions, echoes unless it is told
 * what to say, and keeps a bounded journal of what reached it.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  brotliCompressSync,
  brotliDecompressSync,
  constants,
  createGzip,
  gunzipSync,
} from 'node:zlib';
import { readChatRequest, streamedAnswer, wholeAnswer } from './openai-answer.ts';
import { decodeScript, SCRIPT_HEADER, type Script, scriptOfPrompt } from './script.ts';
import { zstdStored } from './zstd-frame.ts';

/** Requests kept in the journal; the oldest go first. */
const JOURNAL_ENTRIES_MAX = 1_000;
/** Bytes kept of each request body. */
const JOURNAL_BODY_BYTES_MAX = 1_048_576;

export interface JournalEntry {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Decoded, as UTF-8, cut at JOURNAL_BODY_BYTES_MAX. */
  readonly body: string;
  /** Bytes on the wire. */
  readonly bodyBytes: number;
  /** The body came whole; false when the peer broke off. */
  readonly complete: boolean;
  readonly trailers: Readonly<Record<string, string | undefined>>;
}

export interface Upstream {
  readonly port: number;
  /** What it says to the next requests, one script each; the echo when the list is used up. */
  say(...scripts: readonly Script[]): void;
  /** What it says to every request that no other script is for. */
  sayAlways(script: Script | undefined): void;
  /** Oldest first. */
  readonly journal: readonly JournalEntry[];
  clearJournal(): void;
  /** Requests of which the answer is still being written. */
  running(): number;
  stop(): Promise<void>;
}

interface Told {
  readonly next: Script[];
  always: Script | undefined;
}

async function readBody(request: IncomingMessage): Promise<{ bytes: Buffer; complete: boolean }> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of request) chunks.push(chunk as Buffer);
  } catch {
    // A peer that breaks off is worth a journal entry, not a crash.
  }
  return { bytes: Buffer.concat(chunks), complete: request.complete };
}

function decoded(bytes: Buffer, encoding: string | undefined): string {
  try {
    if (encoding === 'gzip') return gunzipSync(bytes).toString('utf8');
    if (encoding === 'br') return brotliDecompressSync(bytes).toString('utf8');
  } catch {
    return '';
  }
  return bytes.toString('utf8');
}

function scriptFor(request: IncomingMessage, prompt: string, told: Told): Script {
  const own = request.headers[SCRIPT_HEADER];
  const script = typeof own === 'string' ? decodeScript(own) : (told.next.shift() ?? told.always);
  if (script === undefined) return scriptOfPrompt(prompt);
  const saysSomething =
    script.text !== undefined ||
    script.deltas !== undefined ||
    script.toolCall !== undefined ||
    script.chunks !== undefined;
  // A script may change only the manner (delay, encoding, status) of what the prompt asks for.
  return saysSomething ? script : { ...scriptOfPrompt(prompt), ...script };
}

function recut(chunks: readonly Buffer[], bytes: number): Buffer[] {
  const whole = Buffer.concat(chunks);
  const pieces: Buffer[] = [];
  for (let at = 0; at < whole.length; at += bytes) pieces.push(whole.subarray(at, at + bytes));
  return pieces;
}

/** Encodes chunk by chunk, each flushed, so that a stream stays a stream. */
async function gzipped(chunks: readonly Buffer[]): Promise<Buffer[]> {
  const gzip = createGzip();
  const out: Buffer[] = [];
  let pending: Buffer[] = [];
  gzip.on('data', (bytes: Buffer) => pending.push(bytes));
  for (const chunk of chunks) {
    gzip.write(chunk);
    await new Promise<void>((resolve) => gzip.flush(constants.Z_SYNC_FLUSH, resolve));
    out.push(Buffer.concat(pending));
    pending = [];
  }
  gzip.end();
  await once(gzip, 'end');
  out.push(Buffer.concat(pending));
  return out;
}

async function encodedChunks(
  chunks: readonly Buffer[],
  encode: NonNullable<Script['encode']>,
): Promise<Buffer[]> {
  if (encode === 'zstd') return zstdStored(chunks);
  return encode === 'gzip' ? gzipped(chunks) : [brotliCompressSync(Buffer.concat(chunks))];
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  told: Told,
  body: string,
) {
  const chat = readChatRequest(body);
  const script = scriptFor(request, chat.prompt, told);
  const texts =
    script.chunks ?? (chat.stream ? streamedAnswer(chat, script) : [wholeAnswer(chat, script)]);
  let chunks: Buffer[] = texts.map((text) => Buffer.from(text));
  const headers: Record<string, string> = {
    'content-type': chat.stream ? 'text/event-stream' : 'application/json',
    ...script.headers,
  };
  const accepted = String(request.headers['accept-encoding'] ?? '');
  const encode = script.encode;
  if (encode !== undefined && (script.encodeAlways === true || accepted.includes(encode))) {
    chunks = await encodedChunks(chunks, encode);
    headers['content-encoding'] = encode;
  }
  if (script.cutBytes !== undefined) chunks = recut(chunks, script.cutBytes);
  const trailers = Object.entries(script.trailers ?? {});
  const isWhole =
    chunks.length === 1 && script.repeat === undefined && script.stallAfter === undefined;
  if (trailers.length > 0) headers.trailer = trailers.map(([name]) => name).join(', ');
  else if (isWhole && !chat.stream) headers['content-length'] = String(chunks[0]?.length ?? 0);
  response.writeHead(script.status ?? 200, headers);
  await writeAll(response, chunks, script);
  if (response.destroyed) return;
  if (trailers.length > 0) response.addTrailers(trailers);
  response.end();
}

function closed(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    if (response.destroyed) resolve();
    else response.once('close', resolve);
  });
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const settle = (): void => {
      response.off('drain', settle).off('close', settle);
      resolve();
    };
    if (response.destroyed) resolve();
    else response.on('drain', settle).on('close', settle);
  });
}

async function writeAll(response: ServerResponse, chunks: readonly Buffer[], script: Script) {
  let written = 0;
  let flushed = Promise.resolve();
  response.flushHeaders();
  for (let round = 0; round < (script.repeat ?? 1); round++)
    for (const chunk of chunks) {
      if (written === script.abortAfter) {
        await flushed;
        response.destroy();
        return;
      }
      if (written === script.stallAfter) await closed(response);
      if (written > 0 && script.delayMs !== undefined) await sleep(script.delayMs);
      if (response.destroyed) return;
      // Waiting for drain keeps an endless answer out of our own memory.
      let mayGoOn = true;
      flushed = new Promise((resolve) => {
        mayGoOn = response.write(chunk, () => resolve());
      });
      if (!mayGoOn) await drained(response);
      if (response.destroyed) return;
      written++;
    }
}

function sendJson(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

/** Starts it on the loopback address; port 0 picks a free one. Rejects when the port is taken. */
export async function startUpstream({
  port = 0,
}: {
  readonly port?: number;
} = {}): Promise<Upstream> {
  const told: Told = { next: [], always: undefined };
  const journal: JournalEntry[] = [];
  let running = 0;

  async function control(path: string, request: IncomingMessage, response: ServerResponse) {
    if (path === '/__journal' && request.method === 'DELETE') journal.length = 0;
    if (path === '/__journal') return sendJson(response, 200, journal);
    const { bytes } = await readBody(request);
    const script = JSON.parse(bytes.toString('utf8')) as Script & { readonly always?: boolean };
    if (script.always === true) told.always = script;
    else told.next.push(script);
    return sendJson(response, 200, { waiting: told.next.length });
  }

  async function provide(path: string, request: IncomingMessage, response: ServerResponse) {
    const { bytes, complete } = await readBody(request);
    const body = decoded(bytes, request.headers['content-encoding']);
    journal.push({
      method: request.method ?? '',
      path,
      headers: request.headers,
      body: body.slice(0, JOURNAL_BODY_BYTES_MAX),
      bodyBytes: bytes.length,
      complete,
      trailers: request.trailers,
    });
    if (journal.length > JOURNAL_ENTRIES_MAX) journal.shift();
    if (!complete) {
      response.destroy();
      return;
    }
    await answer(request, response, told, body);
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? '/';
    if (path === '/healthz') return void response.writeHead(200).end('ok\n');
    if (path === '/__say' || path === '/__journal')
      return void (await control(path, request, response));
    running++;
    try {
      await provide(path, request, response);
    } finally {
      running--;
    }
  }

  const server = createServer((request, response) => {
    serve(request, response).catch(() => response.destroy());
  });
  // Envoy keeps its connections for long; a demo upstream must not race it to the close.
  server.keepAliveTimeout = 0;
  server.requestTimeout = 0;
  server.listen({ host: '127.0.0.1', port });
  await once(server, 'listening');
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : port,
    say: (...scripts) => void told.next.push(...scripts),
    sayAlways: (script) => {
      told.always = script;
    },
    journal,
    clearJournal: () => {
      journal.length = 0;
    },
    running: () => running,
    stop: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
