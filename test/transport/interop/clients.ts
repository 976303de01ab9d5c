/** Clients of other hands, each a program that is asked for one scene and tells what it saw. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { goProgram } from '../../../setup/go-programs.mjs';
import { nativeProgram } from '../../../setup/native.mjs';
import {
  decodeCheckResponse,
  decodeProcessingResponse,
  encodeCheckRequest,
  encodeProcessingRequest,
  headerMap,
  type Message,
} from '../../protocol/peer.ts';

const run = promisify(execFile);

export const SCENES = ['check', 'exchange', 'large', 'deadline', 'cancel', 'unknown'] as const;
export type Scene = (typeof SCENES)[number];

/** What a client saw. */
export interface Seen {
  /** gRPC status. */
  readonly code: number;
  readonly replies: number;
  /** What the answer to headers or Check says. */
  readonly endpoint?: string;
  /** The body that came back. */
  readonly bodyBytes?: number;
  /** It is the one that was sent. */
  readonly same?: boolean;
}

export interface ForeignClient {
  readonly name: string;
  readonly program: string;
  /** The command that makes the program. */
  readonly madeBy: string;
  play(port: number, scene: Scene): Promise<Seen>;
}

const PATIENCE_MS = 18_000;
export const LARGE_BYTES = 4 * 1024 * 1024;

async function output(program: string, ...args: readonly string[]): Promise<string> {
  const { stdout } = await run(program, args, { timeout: PATIENCE_MS, maxBuffer: 1 << 24 });
  return stdout;
}

const goClient: ForeignClient = {
  name: 'grpc-go',
  program: goProgram('interop-client'),
  madeBy: 'node setup/go-programs.mjs interop-client',
  play: async (port, scene) =>
    JSON.parse(await output(goProgram('interop-client'), `127.0.0.1:${port}`, scene)) as Seen,
};

const BUFFERED = { requestBodyMode: 'BUFFERED', responseBodyMode: 'BUFFERED' };

const requestHeaders = (scene: string, endOfStream: boolean): Message => ({
  requestHeaders: {
    headers: headerMap({ ':method': 'POST', ':path': '/v1', 'x-scene': scene }),
    endOfStream,
  },
  protocolConfig: BUFFERED,
});

function messagesOf(scene: Scene): { readonly messages: readonly Buffer[]; readonly body: Buffer } {
  const body =
    scene === 'large'
      ? Buffer.alloc(LARGE_BYTES, '0123456789abcdef')
      : Buffer.from('{"model":"m"}');
  const asked = { requestBody: { body, endOfStream: true } };
  const encoded = (...messages: readonly Message[]) => ({
    messages: messages.map(encodeProcessingRequest),
    body,
  });
  switch (scene) {
    case 'check':
    case 'unknown':
      return { messages: [encodeCheckRequest({ attributes: { request: {} } })], body };
    case 'exchange':
      return encoded(
        requestHeaders('', false),
        asked,
        { responseHeaders: { headers: headerMap({ ':status': '200' }), endOfStream: false } },
        { responseBody: { body, endOfStream: true } },
      );
    case 'large':
      return encoded(requestHeaders('', false), asked);
    case 'deadline':
      return encoded(requestHeaders('silent', true));
    case 'cancel':
      return encoded(requestHeaders('cancelled', false));
  }
}

/** What replies say, read by a codec that neither server nor client shares. */
function readReplies(scene: Scene, replies: readonly Buffer[], body: Buffer): Partial<Seen> {
  if (scene === 'check') {
    const told = replies[0] && decodeCheckResponse(replies[0]).dynamicMetadata;
    return { endpoint: told?.fields?.endpoint?.stringValue };
  }
  let seen: Partial<Seen> = {};
  for (const message of replies.map(decodeProcessingResponse)) {
    const set = message.requestHeaders?.response?.headerMutation?.setHeaders?.[0]?.header;
    if (set !== undefined) seen = { ...seen, endpoint: set.rawValue.toString() };
    const back: Buffer | undefined = message.requestBody?.response?.bodyMutation?.body;
    if (back !== undefined)
      seen = { ...seen, bodyBytes: back.length, same: Buffer.compare(back, body) === 0 };
  }
  return seen;
}

const cppClient: ForeignClient = {
  name: 'grpc++',
  program: nativeProgram('cpp-client'),
  madeBy: 'node setup/native.mjs cpp-client',
  async play(port, scene) {
    const directory = await mkdtemp(join(tmpdir(), 'switchyard-'));
    try {
      const { messages, body } = messagesOf(scene);
      const files = messages.map((_, index) => join(directory, String(index)));
      await Promise.all(files.map((file, index) => writeFile(file, messages[index] as Buffer)));
      const said = await output(nativeProgram('cpp-client'), `127.0.0.1:${port}`, scene, ...files);
      const { code, replies } = JSON.parse(said) as Seen;
      const read = files.slice(0, replies).map((file) => readFile(`${file}.reply`));
      return { code, replies, ...readReplies(scene, await Promise.all(read), body) };
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  },
};

export const FOREIGN_CLIENTS: readonly ForeignClient[] = [goClient, cppClient];

export const isMade = ({ program }: Pick<ForeignClient, 'program'>): boolean => existsSync(program);
