/** One request through the engine, and what the upstream would get of it. */
import { Exchange } from '../../src/engine/exchange.ts';
import type { BodyMode } from '../../src/protocol/process.ts';
import { CHAT_HEADERS, headersEvent, RecordingPort, type Rig } from './rig.ts';

export interface Asked {
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly mode?: BodyMode;
  /** gRPC initial metadata of the route. */
  readonly initial?: Readonly<Record<string, string>>;
  /** Status of the upstream's answer; none comes without. */
  readonly status?: number;
}

export interface Sent {
  readonly port: RecordingPort;
  /** The body that left, or ''. */
  readonly body: string;
  /** What the headers became: name → value, '' where one was removed. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Sends a request whole. */
export function ask(from: Rig, asked: Asked): Sent {
  const { path = '/v1/chat/completions', method = 'POST', headers = {}, body, mode } = asked;
  const port = new RecordingPort(mode ?? 'FULL_DUPLEX_STREAMED', asked.initial ?? {});
  const exchange = new Exchange(from.deps, port);
  const endOfStream = body === undefined;
  exchange.event(
    headersEvent(
      'request',
      { ...CHAT_HEADERS, ':path': path, ':method': method, ...headers },
      { endOfStream },
    ),
  );
  if (body !== undefined && !port.refusal) {
    const bytes = Buffer.from(body);
    exchange.event({ kind: 'body', direction: 'request', bytes, endOfStream: true });
  }
  if (asked.status !== undefined && !port.refusal)
    exchange.event(
      headersEvent('response', { ':status': String(asked.status) }, { endOfStream: true }),
    );
  exchange.end('half_close');
  const mutation = port.mutations.request;
  return {
    port,
    body: port.sent('request'),
    headers: Object.fromEntries([
      ...(mutation?.remove ?? []).map((name) => [name, '']),
      ...(mutation?.set ?? []).map(({ name, value }) => [name, value]),
    ]),
  };
}
