/** The same conversations over both transports: what differs. */
import type { GrpcServer, GrpcServerOptions } from '../../../src/transport/grpc-server.ts';
import { startGrpcServer } from '../../../src/transport/grpcjs/server.ts';
import { startHttp2Server } from '../../../src/transport/http2/server.ts';
import { checks, exchanges } from './answers.ts';
import { conversation } from './scripts.ts';
import { speak } from './speaker.ts';

export interface Compared {
  readonly conversations: number;
  readonly calls: number;
  /** A line for each conversation that differs, with its seed. */
  readonly differences: readonly string[];
}

/** Conversations under way at once. */
const LANES = 4;
/** How long an exchange may take to hear of its end once its connection has gone. */
const ENDS_WAIT_MS = 2_000;

interface Side {
  readonly server: GrpcServer;
  readonly address: string;
}

async function side(start: (options: GrpcServerOptions) => Promise<GrpcServer>): Promise<Side> {
  const server = await start({
    listen: [{ kind: 'tcp', host: '127.0.0.1', port: 0 }],
    openProcess: exchanges([]),
    answerCheck: checks,
    health: { serving: () => true, onChange: () => () => undefined },
    limits: { streamsMax: 10_000, drainDeadlineMs: 0 },
  });
  return { server, address: server.addresses[0] as string };
}

/** From `seed` on, one seed each. Rejects when a server keeps a stream whose client has gone. */
export async function compare(seed: number, count: number): Promise<Compared> {
  const sides = [await side(startGrpcServer), await side(startHttp2Server)];
  const differences: string[] = [];
  let next = 0;
  let calls = 0;
  try {
    const lane = async (): Promise<void> => {
      while (next < count && differences.length < 5) {
        const at = seed + next++;
        const said = conversation(at);
        calls += said.length;
        const [reference, fast] = await Promise.all(
          sides.map(({ address }) => speak(address, said)),
        );
        for (const [index, answer] of (reference ?? []).entries())
          if (answer !== fast?.[index])
            differences.push(
              `seed ${at}, call ${index} of ${said[index]?.path}, ${said[index]?.ending}:\n  grpc-js ${answer}\n  fast    ${fast?.[index]}`,
            );
      }
    };
    await Promise.all(Array.from({ length: LANES }, lane));
    const ends = performance.now() + ENDS_WAIT_MS;
    while (sides.some(({ server }) => server.streams() > 0) && performance.now() < ends)
      await new Promise((resolve) => setTimeout(resolve, 10));
    for (const [at, { server }] of sides.entries())
      if (server.streams() > 0) differences.push(`side ${at} keeps ${server.streams()} streams`);
  } finally {
    for (const { server } of sides) await server.close();
  }
  return { conversations: next, calls, differences };
}
