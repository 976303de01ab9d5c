/**
 * Recorded answers of real providers, replayed behind Envoy: official clients make the same of them as
 * without us, and where a rule changes one of their words, the same but for that word.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { requireEnvoy, type Stack, startStack } from '../envoy/harness.ts';
import { send } from '../envoy/http-client.ts';
import { skipBecause } from '../reporter/skip.ts';
import { anthropicClient } from './anthropic-node.ts';
import { googleClient } from './google-node.ts';
import { openaiClients } from './openai-node.ts';
import { type PythonClients, pythonClientsAreHere, startPythonClients } from './python.ts';
import { type Client, isThrown, type Manner, type Said } from './said.ts';
import { vercelClients } from './vercel-ai.ts';

/** Kept beside the project, not in it. */
const RECORDINGS = join(import.meta.dirname, '../../../shared/corpora/streams');

const FOLDERS: Readonly<Record<string, { readonly api: Client['api']; readonly path: string }>> = {
  'openai-chat': { api: 'chat', path: '/v1/chat/completions' },
  'openai-responses': { api: 'responses', path: '/v1/responses' },
  anthropic: { api: 'messages', path: '/v1/messages' },
  gemini: { api: 'gemini', path: '/v1beta/models/gemini-test:streamGenerateContent?alt=sse' },
};

interface Recording {
  readonly name: string;
  readonly api: Client['api'];
  readonly path: string;
  readonly body: string;
  /** One of its words, in no text that its provider has signed. */
  readonly word: string;
  /** The place of its rule and its route. */
  readonly prefix: string;
}

interface Meta {
  readonly text: string;
  readonly tool_args: string;
  readonly thinking: string;
}

function recordings(): readonly Recording[] {
  const found = Object.entries(FOLDERS).flatMap(([folder, { api, path }]) => {
    const directory = join(RECORDINGS, folder);
    if (!existsSync(directory)) return [];
    return readdirSync(directory)
      .filter((name) => name.endsWith('.sse'))
      .map((file) => {
        const meta = readFileSync(join(directory, file.replace('.sse', '.meta.json')), 'utf8');
        const body = readFileSync(join(directory, file), 'utf8');
        return {
          name: `${folder}/${file}`,
          api,
          path,
          body,
          word: wordOf(JSON.parse(meta) as Meta),
        };
      });
  });
  return found.map((recording, index) => ({ ...recording, prefix: `/r${index}` }));
}

function wordOf({ text, tool_args: args, thinking }: Meta): string {
  const words =
    `${text} ${args}`.match(/(?<![\p{L}\p{N}_"])[A-Za-z]{5,}(?![\p{L}\p{N}_"])/gu) ?? [];
  const free = words.find((word) => !thinking.toLowerCase().includes(word.toLowerCase()));
  return free ?? 'unsaid';
}

const MASK = '#';
const ALL = recordings();

/** Every recording has a rule of its own on a route of its own; one rule reads all, and finds nothing. */
const POLICY = `
kind: Policy
metadata: { name: recordings, layer: platform }
class: security
rules:
  - { id: none, inspect: [response], match: { keywords: { words: [xyzzyplugh] } }, then: { block: { message: No. } } }
${ALL.map(
  ({ prefix, word }) =>
    `  - { id: ${prefix.slice(1)}, when: 'path.startsWith("${prefix}/")', inspect: [response], match: { keywords: { words: [${word}] } }, then: { rewrite: { with: "${MASK}" } } }`,
).join('\n')}
`;

function masked(text: string, word: string): string {
  return text.replace(new RegExp(`(?<![\\p{L}\\p{N}_])${word}(?![\\p{L}\\p{N}_])`, 'giu'), MASK);
}

/** What was said, with the word masked wherever a user can read it. */
function withMask(said: Said, word: string): unknown {
  if (isThrown(said)) return said;
  const { text, calls } = said;
  return {
    ...said,
    text: masked(text, word),
    calls: calls.map((call) => ({
      ...call,
      arguments: JSON.parse(masked(JSON.stringify(call.arguments), word)) as unknown,
    })),
  };
}

/** Of Python there are some only where their packages are. */
let python: PythonClients | undefined;
const clientsAt = (origin: string, api: Client['api']): readonly Client[] =>
  [
    ...openaiClients(origin),
    anthropicClient(origin),
    googleClient(origin),
    ...vercelClients(origin),
    ...(python?.at(origin) ?? []),
  ].filter((client) => client.api === api);

/** Python reads the same events either way. */
function streamedManners({ name, manners }: Client): readonly Manner[] {
  const streamed = manners.filter((manner) => manner !== 'document');
  return name.includes('(Python)') ? streamed.slice(-1) : streamed;
}

describe('recorded answers', function () {
  this.timeout(60_000);
  let stack: Stack;

  before(async function () {
    requireEnvoy(this);
    if (ALL.length === 0) skipBecause(this, 'no recordings in ../shared/corpora/streams');
    if (pythonClientsAreHere()) python = await startPythonClients();
    stack = await startStack({ policies: { 'recordings.yaml': POLICY } });
  });

  after(async () => {
    python?.stop();
    await stack?.stop();
  });

  if (ALL.length === 0) it('are read by official clients as without us', () => undefined);

  for (const { name, api, path, body, word, prefix } of ALL)
    describe(name, () => {
      const replay = () => {
        const headers = { 'content-type': 'text/event-stream' };
        const cutBytes = Math.max(7, Math.ceil(body.length / 500));
        stack.upstream.sayAlways({ chunks: [body], headers, cutBytes });
      };

      it('leaves byte for byte', async () => {
        replay();
        const asked = { method: 'POST', path, headers: { 'content-type': 'application/json' } };
        const answer = await send(stack.envoy.port, { ...asked, body: '{}' });
        assert.equal(answer.status, 200);
        assert.equal(answer.text, body);
      });

      it('is read by official clients as without us, but for a word that a rule changes', async () => {
        replay();
        const home = 'http://127.0.0.1';
        const direct = clientsAt(`${home}:${stack.upstream.port}`, api);
        const quiet = clientsAt(`${home}:${stack.envoy.port}`, api);
        const ruled = clientsAt(`${home}:${stack.envoy.port}${prefix}`, api);
        for (const [index, client] of direct.entries())
          for (const manner of streamedManners(client)) {
            const question = { prompt: 'hi', tools: true } as const;
            const [plain, passed, changed] = await Promise.all(
              [client, quiet[index]!, ruled[index]!].map((one) => one.ask(manner, question)),
            );
            const who = `${client.name}, ${manner}`;
            assert.ok(!isThrown(plain!), `${who}: ${JSON.stringify(plain)}`);
            assert.deepEqual(passed, plain, who);
            assert.deepEqual(changed, withMask(plain!, word), who);
            if (word !== 'unsaid') assert.notDeepEqual(changed, plain, `${who}: ${word}`);
          }
      });
    });
});
