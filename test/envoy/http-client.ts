/** A plain HTTP/1.1 client: bytes as they were, one connection per request, broken answers are values. */
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

export interface RequestOptions {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** One write; content-length is set. */
  readonly body?: string | Uint8Array;
  /** Several writes, chunked; wins over `body`. */
  readonly pieces?: readonly (string | Uint8Array)[];
  /** Sent behind `pieces`. */
  readonly trailers?: Readonly<Record<string, string>>;
  /** Pause before each piece but the first. */
  readonly delayMs?: number;
  /** After this long the answer is what had come by then, with `complete: false`. Default 15,000. */
  readonly timeoutMs?: number;
  /** Sees each chunk as it arrives, with ms since the request began. */
  readonly onChunk?: (chunk: Buffer, atMs: number) => void;
  /** Breaks the connection after this many response bytes. */
  readonly abortAfterBytes?: number;
  /** Loopback address that the client has. */
  readonly from?: string;
}

export interface Answer {
  /** 0 when none came. */
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Buffer;
  readonly text: string;
  readonly trailers: Readonly<Record<string, string | undefined>>;
  /** The answer ended as HTTP says that it should. */
  readonly complete: boolean;
  /** Code of the socket error, `timeout`, `aborted`, or ''. */
  readonly error: string;
}

/** Sends one request to the loopback port; never rejects. */
export function send(port: number, options: RequestOptions = {}): Promise<Answer> {
  const startedAt = performance.now();
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let received = 0;
    let answer: Pick<Answer, 'status' | 'headers'> = { status: 0, headers: {} };
    let settled = false;
    const outgoing = httpRequest({
      host: '127.0.0.1',
      port,
      method: options.method ?? ((options.body ?? options.pieces) ? 'POST' : 'GET'),
      path: options.path ?? '/',
      headers: withLength(options),
      agent: false,
      ...(options.from !== undefined && { localAddress: options.from }),
    });
    const settle = (complete: boolean, error: string, trailers: Answer['trailers'] = {}): void => {
      if (settled) return;
      settled = true;
      clearTimeout(timer);
      outgoing.destroy();
      const bytes = Buffer.concat(chunks);
      resolve({ ...answer, bytes, text: bytes.toString('utf8'), trailers, complete, error });
    };
    const timer = setTimeout(() => settle(false, 'timeout'), options.timeoutMs ?? 15_000);
    outgoing.on('error', (error: NodeJS.ErrnoException) => settle(false, error.code ?? 'error'));
    outgoing.on('response', (incoming) => {
      answer = { status: incoming.statusCode ?? 0, headers: incoming.headers };
      incoming.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        received += chunk.length;
        options.onChunk?.(chunk, performance.now() - startedAt);
        if (received >= (options.abortAfterBytes ?? Number.POSITIVE_INFINITY))
          settle(false, 'aborted');
      });
      incoming.on('error', (error: NodeJS.ErrnoException) =>
        settle(false, error.code ?? 'aborted'),
      );
      incoming.on('end', () => settle(incoming.complete, '', incoming.trailers));
    });
    void write(outgoing, options);
  });
}

function withLength(options: RequestOptions): Record<string, string> {
  const headers: Record<string, string> = { ...options.headers };
  if (options.pieces === undefined && options.body !== undefined)
    headers['content-length'] = String(Buffer.byteLength(options.body));
  return headers;
}

async function write(
  outgoing: ReturnType<typeof httpRequest>,
  options: RequestOptions,
): Promise<void> {
  const pieces = options.pieces ?? (options.body === undefined ? [] : [options.body]);
  for (const [index, piece] of pieces.entries()) {
    if (index > 0 && options.delayMs !== undefined) await sleep(options.delayMs);
    if (outgoing.destroyed) return;
    outgoing.write(piece);
  }
  if (options.trailers !== undefined) outgoing.addTrailers(options.trailers);
  outgoing.end();
}
