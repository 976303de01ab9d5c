/** The HTTP side of the bench: a client and an upstream in C, and the bytes that both send. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensureNative } from '../../setup/native.mjs';
import { prose } from '../shapes.ts';
import { FILES } from './exchange-client.ts';
import { LineProcess } from './line-process.ts';

export interface Sent {
  readonly exchanges: number;
  readonly failed: number;
  /** Of the first that failed. */
  readonly firstStatus: number;
  readonly firstBytes: number;
  readonly elapsedNs: number;
  readonly wholeP50Ns: number;
  readonly wholeP99Ns: number;
}

/** A request and the answer that the upstream has for its path. */
export interface HttpExchange {
  readonly name: string;
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
  readonly status: number;
  readonly answerType: string;
  readonly answer: string;
}

const DOCUMENT_BYTES = 1_536;

/** A chat document of 1.5 KB. */
export const document = (): string => {
  const made = (content: string): string =>
    JSON.stringify({ model: 'm', messages: [{ role: 'user', content }] });
  return made(prose(DOCUMENT_BYTES - made('').length));
};

const lines = (first: string, headers: Readonly<Record<string, string>>, body: string): string =>
  `${[first, ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`)].join('\r\n')}\r\n\r\n${body}`;

const fileOf = (name: string, part: string): string =>
  join(FILES, `${name.replaceAll(/\W+/g, '-')}.${part}`);

function writeFiles(exchange: HttpExchange): void {
  const { name, method, path, headers, body, status, answerType, answer } = exchange;
  mkdirSync(FILES, { recursive: true });
  const sent = {
    host: 'gateway.example.test',
    'user-agent': 'OpenAI/Python 1.99.0',
    accept: 'application/json',
    authorization: `Bearer ${'k'.repeat(96)}`,
    'x-session-id': 'session-0000000000000000-00000000000',
    ...(body !== '' && { 'content-type': 'application/json', 'content-length': body.length }),
    ...headers,
  };
  writeFileSync(fileOf(name, 'request'), lines(`${method} ${path} HTTP/1.1`, sent as never, body));
  const answered =
    status === 204
      ? {}
      : { 'content-type': answerType, 'content-length': Buffer.byteLength(answer) };
  writeFileSync(
    fileOf(name, 'answer'),
    lines(
      `HTTP/1.1 ${status} OK`,
      { date: 'Sat, 21 Nov 2026 12:00:00 GMT', ...answered } as never,
      answer,
    ),
  );
}

export class HttpLoad {
  readonly upstreamPort: number;
  private readonly client: LineProcess;
  private readonly upstream: LineProcess;

  private constructor(client: LineProcess, upstream: LineProcess, upstreamPort: number) {
    this.client = client;
    this.upstream = upstream;
    this.upstreamPort = upstreamPort;
  }

  static async start(exchanges: readonly HttpExchange[]): Promise<HttpLoad> {
    for (const exchange of exchanges) writeFiles(exchange);
    const answers = exchanges.map(({ name, path }) => `${path}=${fileOf(name, 'answer')}`);
    const upstream = new LineProcess(await ensureNative('http-upstream'), ...answers);
    const client = new LineProcess(await ensureNative('http-client'));
    return new HttpLoad(client, upstream, await upstream.port());
  }

  /** For so long, on so many connections. */
  run(port: number, exchange: HttpExchange, connections: number, durationMs: number) {
    return this.ask('run', port, exchange, connections, durationMs);
  }

  /** So many exchanges in all. */
  count(port: number, exchange: HttpExchange, connections: number, exchanges: number) {
    return this.ask('count', port, exchange, connections, exchanges);
  }

  async stop(): Promise<void> {
    await this.client.stop();
    await this.upstream.stop();
  }

  private ask(
    verb: 'run' | 'count',
    port: number,
    { name, status, answer }: HttpExchange,
    connections: number,
    amount: number,
  ): Promise<Sent> {
    const expected = `${status} ${Buffer.byteLength(answer)}`;
    return this.client.ask(
      `${verb} ${port} ${fileOf(name, 'request')} ${connections} ${amount} ${expected}`,
    );
  }
}
