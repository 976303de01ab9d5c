/** The official clients of the Model Context Protocol, in words that fit both. */
import {
  Client,
  type ClientOptions,
  SdkHttpError,
  StreamableHTTPClientTransport,
} from '@modelcontextprotocol/client';
import { Client as EarlyClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as EarlyTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';

export interface Progress {
  readonly progress: number;
  readonly message?: string | undefined;
}

/** A tool's result as it arrived. */
export interface ToolResult {
  readonly content?: unknown;
  readonly isError?: unknown;
  readonly _meta?: unknown;
}

export interface Session {
  /** The revision that client and server agreed on. */
  readonly version: string | undefined;
  readonly sessionId: string | undefined;
  tools(): Promise<readonly string[]>;
  call(
    name: string,
    args: Readonly<Record<string, unknown>>,
    onProgress?: (progress: Progress) => void,
  ): Promise<ToolResult>;
  prompt(name: string, args: Readonly<Record<string, string>>): Promise<unknown>;
  /** Deletes the session at the server, where there are sessions. */
  terminate(): Promise<void>;
  close(): Promise<void>;
}

/** What a user sees of a failure. */
export interface Failure {
  readonly error: string;
  /** JSON-RPC code, or HTTP status where the client reports that. */
  readonly code: unknown;
  readonly message: string;
  readonly data: unknown;
}

const INFO = { name: 'switchyard-tests', version: '1.0.0' };
const endpoint = (port: number) => new URL(`http://127.0.0.1:${port}/mcp`);

/** `@modelcontextprotocol/sdk`: revisions up to 2025-11-25. */
export async function connectEarly(port: number): Promise<Session> {
  const client = new EarlyClient(INFO);
  const transport = new EarlyTransport(endpoint(port));
  // Its declarations are not made for `exactOptionalPropertyTypes`.
  await client.connect(transport as never);
  return {
    version: transport.protocolVersion,
    sessionId: transport.sessionId,
    tools: async () => (await client.listTools()).tools.map(({ name }) => name),
    call: (name, args, onProgress) =>
      client.callTool(
        { name, arguments: { ...args } },
        undefined,
        onProgress && { onprogress: onProgress },
      ),
    prompt: (name, args) => client.getPrompt({ name, arguments: { ...args } }),
    terminate: () => transport.terminateSession(),
    close: () => client.close(),
  };
}

/** `@modelcontextprotocol/client`: revision 2026-07-28, or those before it unless told. */
export async function connectLate(port: number, options: ClientOptions = {}): Promise<Session> {
  const client = new Client(INFO, options);
  const transport = new StreamableHTTPClientTransport(endpoint(port));
  await client.connect(transport);
  return {
    version: client.getNegotiatedProtocolVersion(),
    sessionId: transport.sessionId,
    tools: async () => (await client.listTools()).tools.map(({ name }) => name),
    call: (name, args, onProgress) =>
      client.callTool({ name, arguments: { ...args } }, onProgress && { onprogress: onProgress }),
    prompt: (name, args) => client.getPrompt({ name, arguments: { ...args } }),
    terminate: () => transport.terminateSession(),
    close: () => client.close(),
  };
}

/** Fails when `action` does not. */
export async function failureOf(action: Promise<unknown>): Promise<Failure> {
  let answer: unknown;
  try {
    answer = await action;
  } catch (error) {
    const { code, data } = error as { readonly code?: unknown; readonly data?: unknown };
    return {
      error: (error as Error).constructor.name,
      code: error instanceof SdkHttpError ? error.status : code,
      message: (error as Error).message,
      data,
    };
  }
  throw new Error(`no failure: ${JSON.stringify(answer)}`);
}

/** A client and a server, and how the client words what goes wrong. */
export interface McpPair {
  readonly name: string;
  readonly server: 'everything' | 'modern';
  readonly version: string;
  connect(port: number): Promise<Session>;
  /** Class of the error that a JSON-RPC error becomes. */
  readonly rpcError: string;
  /** Class of the error for an HTTP status that is not read as JSON-RPC. */
  readonly httpError: string;
}

export const MCP_PAIRS: readonly McpPair[] = [
  {
    name: '@modelcontextprotocol/sdk and server-everything',
    server: 'everything',
    version: '2025-11-25',
    connect: connectEarly,
    rpcError: 'McpError',
    httpError: 'StreamableHTTPError',
  },
  {
    name: '@modelcontextprotocol/client and server-everything',
    server: 'everything',
    version: '2025-11-25',
    connect: (port) => connectLate(port),
    rpcError: 'ProtocolError',
    httpError: 'SdkHttpError',
  },
  {
    name: '@modelcontextprotocol/client and server, 2026-07-28',
    server: 'modern',
    version: '2026-07-28',
    connect: (port) => connectLate(port, { versionNegotiation: { mode: { pin: '2026-07-28' } } }),
    rpcError: 'ProtocolError',
    httpError: 'SdkHttpError',
  },
];
