/**
 * The client under load, in a process of its own: closed loops over kept connections. It takes one order at
 * a time from its parent, answers with what it saw, and ends with its parent.
 */
import { randomUUID } from 'node:crypto';
import { Agent, request } from 'node:http';
import type { Shape } from './shapes.ts';

export interface Order {
  readonly port: number;
  readonly shape: Shape;
  /** Requests on their way at once. */
  readonly lanes: number;
  /** Nothing new is sent after this; what is on its way may finish. */
  readonly durationMs: number;
}

export interface Seen {
  /** Ms from the request to the last byte of its answer, of each that passed, in order of their ends. */
  readonly latenciesMs: readonly number[];
  readonly elapsedMs: number;
  /** Answers that were not as the shape says; the first of them in words. */
  readonly failed: number;
  readonly firstFailure: string;
}

const ANSWER_TIMEOUT_MS = 10_000;
const agents = new Map<number, Agent>();

function agentOf(port: number): Agent {
  const known = agents.get(port) ?? new Agent({ keepAlive: true, scheduling: 'lifo' });
  agents.set(port, known);
  return known;
}

/** '' when the answer was the expected one, else what was wrong with it. */
function ask(port: number, shape: Shape): Promise<string> {
  const { method, path, body } = shape;
  return new Promise((resolve) => {
    const outgoing = request({
      ...{ host: '127.0.0.1', port, method, path, agent: agentOf(port) },
      timeout: ANSWER_TIMEOUT_MS,
      headers: {
        ...{ accept: '*/*', 'user-agent': 'load', authorization: 'Bearer load-load-load' },
        'x-session-id': randomUUID(),
        ...(body !== '' && {
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
        }),
      },
    });
    outgoing.on('timeout', () => outgoing.destroy(new Error('timeout')));
    outgoing.on('error', (error) => resolve(error.message));
    outgoing.on('response', (incoming) => {
      let bytes = 0;
      incoming.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
      });
      incoming.on('error', (error) => resolve(error.message));
      incoming.on('end', () => {
        const asExpected = incoming.statusCode === shape.status && bytes === shape.answerBytes;
        resolve(asExpected ? '' : `status ${incoming.statusCode} with ${bytes} bytes`);
      });
    });
    outgoing.end(body);
  });
}

async function obey(order: Order): Promise<Seen> {
  const latenciesMs: number[] = [];
  let failed = 0;
  let firstFailure = '';
  const beganAt = performance.now();
  const lane = async (): Promise<void> => {
    do {
      const askedAt = performance.now();
      const fault = await ask(order.port, order.shape);
      if (fault === '') latenciesMs.push(performance.now() - askedAt);
      else {
        failed++;
        firstFailure ||= fault;
      }
    } while (performance.now() - beganAt < order.durationMs);
  };
  await Promise.all(Array.from({ length: order.lanes }, lane));
  return { latenciesMs, elapsedMs: performance.now() - beganAt, failed, firstFailure };
}

process.on('message', (order: Order) => {
  void obey(order).then((seen) => process.send?.(seen));
});
process.once('disconnect', () => process.exit(0));
