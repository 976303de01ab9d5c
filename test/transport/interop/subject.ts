/** The server that foreign clients ask: our transports, each with the same small exchanges. */
import type { AnswerCheck } from '../../../src/protocol/check.ts';
import type { OpenProcess, StreamEnd } from '../../../src/protocol/process.ts';
import type { GrpcServer, GrpcServerOptions } from '../../../src/transport/grpc-server.ts';
import { startGrpcServer } from '../../../src/transport/grpcjs/server.ts';
import { startHttp2Server } from '../../../src/transport/http2/server.ts';

interface Transport {
  readonly name: string;
  start(options: GrpcServerOptions): Promise<GrpcServer>;
}

/** A new transport is a line here, and is asked by all. */
export const TRANSPORTS: readonly Transport[] = [
  { name: 'grpc-js', start: startGrpcServer },
  { name: 'http2', start: startHttp2Server },
];

export interface Subject {
  readonly port: number;
  /** How each exchange ended, in order, with what its headers said in `x-scene`. */
  readonly ends: readonly { readonly scene: string; readonly end: StreamEnd }[];
  stop(): Promise<void>;
}

const ENDPOINT = 'endpoint-7';

/** What every answered exchange and Check says. */
export { ENDPOINT as ANSWERED_ENDPOINT };

const answerCheck: AnswerCheck = () => ({ kind: 'allow', metadata: { endpoint: ENDPOINT } });

export async function startSubject(transport: Transport): Promise<Subject> {
  const ends: { scene: string; end: StreamEnd }[] = [];
  const openProcess: OpenProcess = (port) => {
    let scene = '';
    return {
      event(event) {
        if (event.kind === 'body') {
          // Not `unchanged`: the bytes go back.
          port.body(event.direction, event.bytes, event.endOfStream);
        } else if (event.kind === 'trailers') {
          port.trailers(event.direction);
        } else {
          scene ||= event.headers.get('x-scene') ?? '';
          if (scene === 'silent') return;
          const set = [{ name: 'x-route-endpoint', value: ENDPOINT }];
          if (event.direction === 'request') port.continueHeaders('request', { set });
          else port.continueHeaders('response');
        }
      },
      end: (end) => ends.push({ scene, end }),
    };
  };
  const server = await transport.start({
    listen: [{ kind: 'tcp', host: '127.0.0.1', port: 0 }],
    openProcess,
    answerCheck,
    health: { serving: () => true, onChange: () => () => undefined },
    limits: { streamsMax: 1_000 },
  });
  return {
    port: Number(server.addresses[0]?.split(':').at(-1)),
    ends,
    stop: () => server.close(),
  };
}
