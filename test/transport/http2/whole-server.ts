/** Our own server on a free port, with an exchange that echoes, and a record of what it tells. */
import type { OpenProcess } from '../../../src/protocol/process.ts';
import type {
  GrpcServer,
  GrpcServerOptions,
  TransportEvent,
} from '../../../src/transport/grpc-server.ts';
import { type Http2ServerOptions, startHttp2Server } from '../../../src/transport/http2/server.ts';
import { plainAnswer } from './plain-answer.ts';

export const echo: OpenProcess = (port) => ({
  event(event) {
    if (event.kind === 'headers') port.continueHeaders(event.direction);
    else if (event.kind === 'body')
      port.body(event.direction, event.bytes, event.endOfStream, true);
    else port.trailers(event.direction);
  },
  end() {},
});

export interface RunningServer {
  readonly server: GrpcServer;
  readonly address: string;
  readonly faults: string[];
  readonly closed: string[];
  readonly events: TransportEvent[];
}

export const LOCAL: GrpcServerOptions['listen'] = [{ kind: 'tcp', host: '127.0.0.1', port: 0 }];

export async function startEchoServer(
  options: Partial<Http2ServerOptions> = {},
  start: (options: Http2ServerOptions) => Promise<GrpcServer> = startHttp2Server,
): Promise<RunningServer> {
  const [faults, closed, events]: [string[], string[], TransportEvent[]] = [[], [], []];
  const server = await start({
    listen: LOCAL,
    openProcess: echo,
    answerCheck: () => ({ kind: 'allow', metadata: {} }),
    health: { serving: () => true, onChange: () => () => {} },
    limits: { streamsMax: 20_000 },
    onTransportEvent: (event) => {
      if (event.kind === 'connection_closed') closed.push(event.reason);
      else if (event.kind === 'fault') faults.push(`${event.code} ${event.frames}`);
      else events.push(event);
    },
    ...options,
  });
  return { server, address: server.addresses[0] as string, faults, closed, events };
}

export const startPlainServer = (
  options: Partial<Http2ServerOptions> = {},
): Promise<RunningServer> => startEchoServer({ plain: plainAnswer, ...options });
