/**
 * A classifier as a process of its own, for tests: it scores texts by words, in all three contracts, and can be told
 * to be slow, to fail or to lie. What it was asked is kept for the test to read, never written anywhere.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Asked, Behaviour } from './classifier.ts';

const SCORES: readonly (readonly [word: string, score: number])[] = [
  ['venom', 0.97],
  ['nettle', 0.7],
];

let behaviour: Behaviour = {};
let asked: Asked[] = [];
let open = 0;

const scoreOf = (text: string): number =>
  Math.max(0.01, ...SCORES.filter(([word]) => text.includes(word)).map(([, score]) => score));

const answers: Readonly<Record<string, (body: Record<string, unknown>) => unknown>> = {
  '/classify': ({ texts }) => ({
    version: behaviour.version ?? 'words-1',
    results: (texts as string[]).map((text) => {
      const at = [...text].join('').indexOf('venom');
      const start = [...text.slice(0, Math.max(at, 0))].length;
      const spans = at === -1 ? [] : [{ start, end: start + 5, label: 'toxicity' }];
      return { scores: { toxicity: scoreOf(text), insult: scoreOf(text) / 2 }, spans };
    }),
  }),
  '/beta/litellm_basic_guardrail_api': ({ texts }) => ({
    action: (texts as string[]).some((text) => scoreOf(text) > 0.9) ? 'BLOCKED' : 'NONE',
  }),
  '/v1/moderations': ({ input, model }) => ({
    id: 'modr-1',
    model,
    results: (input as string[]).map((text) => ({
      flagged: scoreOf(text) > 0.9,
      categories: { harassment: scoreOf(text) > 0.9 },
      category_scores: { harassment: scoreOf(text) },
    })),
  }),
};

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

async function control(request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method === 'POST') {
    behaviour = JSON.parse(await textOf(request)) as Behaviour;
    asked = [];
  }
  response.end(JSON.stringify({ asked, open }));
}

async function classify(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = request.url ?? '';
  const body = JSON.parse(await textOf(request)) as Record<string, unknown>;
  const { authorization } = request.headers;
  asked.push({ path, body, ...(authorization !== undefined && { authorization }) });
  open++;
  if (behaviour.delayMs !== undefined) await sleep(behaviour.delayMs);
  open--;
  const { fault } = behaviour;
  if (fault === 'status') response.writeHead(500).end();
  else if (fault === 'garbage') response.end('<html>');
  else if (fault === 'short') response.end(JSON.stringify({ results: [] }));
  else if (fault === 'huge') response.end(' '.repeat(4 << 20));
  else if (fault === 'redirect') response.writeHead(307, { location: path }).end();
  else if (fault === 'hangUp') response.destroy();
  else if (fault !== 'silence') response.end(JSON.stringify(answers[path]?.(body)));
}

const server = createServer((request, response) => {
  void (request.url === '/control' ? control(request, response) : classify(request, response));
});
server.listen(Number(process.argv[2] ?? 0), '127.0.0.1', () => {
  const address = server.address();
  process.stdout.write(
    `${JSON.stringify({ port: typeof address === 'object' ? address?.port : 0 })}\n`,
  );
});
