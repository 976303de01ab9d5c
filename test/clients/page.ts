/** Writes `docs/clients.md` from the table that the tests hold the clients to. */
import { MCP_PAIRS } from './mcp-clients.ts';
import { type HalfCall, WORDS, type Words } from './words.ts';

const HEAD = `# What official clients see

Unmodified clients behind Envoy and Switchyard. This page is written from \`test/clients/words.ts\`, and
\`npm test -- test/clients/sdk.test.ts\` holds every client to every line of it, waiting for the whole answer,
iterating over a stream, and having the client put the stream together (\`WRITE_REFERENCE=1\` writes the page
anew).

What is allowed arrives as the provider sent it; what is masked arrives masked, also where a word came in pieces,
with usage, finish reason and tool calls as they were. What is refused is never a network error:
`;

const NOTES = `
- **Before the answer** a refusal is an error of the client's own with the rule's \`status\` (400 unless it says
  otherwise) and message, and nobody tries again. \`as: refusal\` makes it an answer that ends as a refusal.
- **Inside a stream** it is always the end of the answer, whatever \`as\` says: an error event would be thrown
  as a fault. Text that came before the match stays; the match and what follows never came. A tool call
  that is cut is no JSON any more; clients that mend half of a JSON text (\`parsed\`) do so here, too, so look
  at the reason of the end before you call a tool.
- **The id of the decision** is in the header \`x-switchyard-decision\` of an error, for Gemini also in
  \`error.details\`.
- **A 5xx is no verdict**: Switchyard could not judge, or is gone. \`x-should-retry: false\` keeps OpenAI's and
  Anthropic's clients from trying again. The AI SDK does not read it and tries 408, 409, 429 and 5xx twice
  more: give refusing rules no such \`status\`.
- **\`openai\` for Python**: the helper \`chat.completions.stream\` throws at any \`content_filter\`, and
  \`responses.stream\` at any answer that is not \`completed\`, whoever ended it. Their events carry the text and
  the refusal all the same; \`create(stream=True)\` throws nothing.
- **OpenAI responses**: the last event has the refusal alone as its output, so \`finalResponse()\` and
  \`get_final_response()\` forget what was said before it; the events do not.
- **Gemini** says nothing before its first word, so a refusal of the first word is still an error.
`;

const MCP_HEAD = `
## Model Context Protocol

Held to \`npm test -- test/clients/mcp.test.ts\`: initialize or discover, list, call, progress, end of session.
`;

const MCP_NOTES = `
- A refused request is a JSON-RPC error with its own id, code -31403, the rule's message, and \`data.decision\`.
  For the revisions before 2026-07-28 it comes with status 200, as their clients read no error from another
  one; with the \`status\` of the rule where that is not 400.
- \`as: refusal\` makes a refused tool call a result with \`isError\`, which clients hand to the model; so does
  every refusal inside an event stream.
- What is refused by its headers alone has no id yet. Clients report HTTP 400 with the message; one that is
  pinned to 2026-07-28 and is connecting reports that the version was not agreed on.
`;

/** The whole page. Versions as they are pinned, by package. */
export function clientsPage(versions: Readonly<Record<string, string>>): string {
  const lines = Object.entries(WORDS).map(([name, words]) => [
    `${name}`,
    versionOf(name, versions),
    errorsOf(words),
    refusalOf(words),
    collectOf(words),
    halfOf(words.half),
    String(words.triesUnavailable),
  ]);
  return [
    HEAD,
    table(
      [
        'client',
        'version',
        'error: 400, 403, 502, 503',
        'refusal: end, and where the message is',
        'where the client collects the stream',
        'a cut tool call',
        'tries of a 5xx',
      ],
      lines,
    ),
    NOTES.trimStart(),
    MCP_HEAD.trimStart(),
    table(
      ['client and server', 'revision', 'refused', 'refused with another status; 5xx'],
      MCP_PAIRS.map(({ name, version, rpcError, httpError }) => [
        name,
        version,
        `\`${rpcError}\``,
        `\`${httpError}\``,
      ]),
    ),
    MCP_NOTES.trimStart(),
  ].join('\n');
}

/** A client's name begins with that of its package, or names the one below it. */
function versionOf(name: string, versions: Readonly<Record<string, string>>): string {
  const language = name.includes('(Python)') ? 'python:' : '';
  const found = Object.keys(versions)
    .filter((key) => `${language}${name}`.startsWith(key))
    .sort((a, b) => b.length - a.length)[0];
  if (found === undefined) throw new RangeError(`no version of ${name}`);
  return versions[found]!;
}

function errorsOf({ errors }: Words): string {
  const names = [errors[400], errors[403], errors[502], errors[503]];
  return [...new Set(names)].map((name) => `\`${name}\``).join(', ');
}

function refusalOf({ refusal }: Words): string {
  const { finish, place, instead } = refusal;
  const differs = instead === undefined ? '' : `; instead of an answer: ${instead.place}`;
  return `\`${finish}\`, ${place}${differs}`;
}

function collectOf({ collect }: Words): string {
  if (collect === undefined) return 'the same';
  if (collect.throws !== undefined) return `throws \`${collect.throws}\` instead`;
  if (collect.refusalAlone) return 'the refusal alone';
  return `the same; a cut tool call ${halfOf(collect.half ?? 'dropped')}`;
}

function halfOf(half: HalfCall): string {
  return { text: 'as text', parsed: 'parsed as far as it goes', dropped: 'is not there' }[half];
}

function table(head: readonly string[], lines: readonly (readonly string[])[]): string {
  const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return `${[row(head), row(head.map(() => '---')), ...lines.map(row)].join('\n')}\n`;
}
