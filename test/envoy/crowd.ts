/** Many clients at once, each on a connection that it keeps, as SDKs do. */
import { Agent, request as httpRequest } from 'node:http';

export interface CrowdAnswer {
  /** 0 when none came. */
  readonly status: number;
  readonly text: string;
  /** The answer ended as HTTP says that it should. */
  readonly complete: boolean;
}

export interface CrowdOptions {
  readonly port: number;
  readonly requests: number;
  /** Requests on their way at the same time. */
  readonly atOnce: number;
  /** Body of request `number`; default: a short chat, every second one streamed. */
  readonly body?: (number: number) => string;
  readonly path?: string;
}

const TIMEOUT_MS = 60_000;

export const shortChat = (number: number): string =>
  JSON.stringify({
    model: 'demo',
    stream: number % 2 === 0,
    messages: [{ role: 'user', content: `harmless question ${number}` }],
  });

/** Sends all of them; resolves with the answers in the order of the requests. Never rejects. */
export async function askAll(options: CrowdOptions): Promise<readonly CrowdAnswer[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: options.atOnce });
  const answers: CrowdAnswer[] = [];
  let next = 0;
  const client = async (): Promise<void> => {
    while (next < options.requests) {
      const number = next++;
      answers[number] = await ask(agent, options, number);
    }
  };
  await Promise.all(Array.from({ length: options.atOnce }, client));
  agent.destroy();
  return answers;
}

function ask(agent: Agent, options: CrowdOptions, number: number): Promise<CrowdAnswer> {
  const body = (options.body ?? shortChat)(number);
  return new Promise((resolve) => {
    let status = 0;
    let text = '';
    const outgoing = httpRequest({
      host: '127.0.0.1',
      port: options.port,
      method: 'POST',
      path: options.path ?? '/v1/chat/completions',
      agent,
      timeout: TIMEOUT_MS,
      headers: {
        'content-type': 'application/json',
        'content-length': String(Buffer.byteLength(body)),
      },
    });
    outgoing.on('error', () => resolve({ status, text, complete: false }));
    outgoing.on('timeout', () => outgoing.destroy(new Error('timeout')));
    outgoing.on('response', (incoming) => {
      status = incoming.statusCode ?? 0;
      incoming.setEncoding('utf8');
      incoming.on('data', (piece: string) => (text += piece));
      incoming.on('error', () => resolve({ status, text, complete: false }));
      incoming.on('end', () => resolve({ status, text, complete: incoming.complete }));
    });
    outgoing.end(body);
  });
}

/** What was no complete 200, as `status`, `status incomplete` or `none`, with how often. */
export function failuresOf(answers: readonly CrowdAnswer[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { status, complete } of answers) {
    if (status === 200 && complete) continue;
    const name = status === 0 ? 'none' : `${status}${complete ? '' : ' incomplete'}`;
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}
