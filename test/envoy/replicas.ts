/** Two policy servers behind one Envoy, and clients that are in the middle of something. */
import { type ClientRequest, request as httpRequest } from 'node:http';
import {
  type Stack,
  type Switchyard,
  startEnvoy,
  startSwitchyard,
  startUpstream,
} from './harness.ts';

export interface Replicas extends Omit<Stack, 'switchyard'> {
  readonly switchyards: readonly [Switchyard, Switchyard];
}

/** Both serve the same policies from directories of their own. */
export async function startReplicas(policies: Readonly<Record<string, string>>): Promise<Replicas> {
  const upstream = await startUpstream();
  const started: Switchyard[] = [];
  const stopAll = async (): Promise<void> => {
    // One that is frozen could not hear that it is to stop.
    for (const server of started) server.signal('SIGCONT');
    await Promise.all(started.map((server) => server.stop()));
    await upstream.stop();
  };
  try {
    const one = await startSwitchyard({ policies });
    started.push(one);
    const two = await startSwitchyard({ policies });
    started.push(two);
    const envoy = await startEnvoy({
      switchyard: started.map(({ grpcPort }) => ({ port: grpcPort })),
      upstream: { port: upstream.port },
    });
    return {
      envoy,
      upstream,
      switchyards: [one, two],
      stop: async () => {
        await envoy.stop();
        await stopAll();
      },
    };
  } catch (error) {
    await stopAll();
    throw error;
  }
}

/** The value of a metric without labels. */
export async function metricOf(server: Switchyard, name: string): Promise<number> {
  const { text } = await server.admin('/metrics');
  const line = text.split('\n').find((candidate) => candidate.startsWith(`${name} `));
  if (line === undefined) throw new Error(`there is no metric ${name}`);
  return Number(line.slice(name.length + 1));
}

export interface HalfRequest {
  /** Sends the rest; resolves with the status of a complete answer, else 0. */
  finish(): Promise<number>;
}

/** A chat request of which the second half of the body is yet to come. */
export function beginRequest(port: number, bodyBytes: number): HalfRequest {
  const frame = JSON.stringify({ model: 'demo', messages: [{ role: 'user', content: '' }] });
  const body = frame.replace('""', `"${'x'.repeat(bodyBytes - frame.length)}"`);
  const outgoing: ClientRequest = httpRequest({
    ...{ host: '127.0.0.1', port, method: 'POST', path: '/v1/chat/completions', agent: false },
    headers: { 'content-type': 'application/json', 'content-length': String(body.length) },
  });
  const answered = new Promise<number>((resolve) => {
    outgoing.on('error', () => resolve(0));
    outgoing.on('response', (incoming) => {
      incoming.resume();
      incoming.on('error', () => resolve(0));
      incoming.on('end', () => resolve(incoming.complete ? (incoming.statusCode ?? 0) : 0));
    });
  });
  outgoing.write(body.slice(0, bodyBytes / 2));
  return {
    finish: () => {
      outgoing.end(body.slice(bodyBytes / 2));
      return answered;
    },
  };
}
