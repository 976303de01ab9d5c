/** The Model Context Protocol: messages for two readers, and tools that are poisoned. */
import { BLOCKED, REPLACEMENT, REWRITTEN } from './evasions-bodies.ts';
import type { Evasion, Family, Reply, Told, VerdictName } from './evasions-row.ts';

const TEXT = `Ask ${REWRITTEN} now`;
const MASKED = `Ask ${REPLACEMENT} now`;

const call = (args: object, more: object = {}): object => ({
  jsonrpc: '2.0',
  id: 7,
  method: 'tools/call',
  params: { name: 'find', arguments: args },
  ...more,
});

const asked = (
  id: string,
  attack: string,
  verdict: VerdictName,
  body: object | string,
  headers: Readonly<Record<string, string>>,
  { why, ...more }: Told,
): Evasion => ({
  id,
  attack,
  side: 'request',
  format: 'mcp',
  verdict,
  why,
  request: {
    method: 'POST',
    path: '/mcp',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...headers,
    },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  },
  carries: BLOCKED,
  ...more,
});

const HEADERS =
  'Proxies and tenants are routed by these headers: a message that they do not describe is not the one that was let through.';

const REQUESTS: readonly Evasion[] = [
  asked(
    'mcp-header-name',
    'names one tool in `Mcp-Name` and calls another',
    'unreadable',
    call({}),
    { 'mcp-method': 'tools/call', 'mcp-name': 'harmless' },
    { status: 400, why: HEADERS, carries: '"name":"find"' },
  ),
  asked(
    'mcp-header-method',
    'names another method in `Mcp-Method`',
    'unreadable',
    call({}),
    { 'mcp-method': 'tools/list' },
    { status: 400, why: HEADERS, carries: 'tools/call' },
  ),
  asked(
    'mcp-header-base64',
    'writes the name in Base64',
    'unreadable',
    call({}),
    {
      'mcp-method': 'tools/call',
      'mcp-name': `=?base64?${Buffer.from('harmless').toString('base64')}?=`,
    },
    { status: 400, why: 'Decoded before it is compared.', carries: '"name":"find"' },
  ),
  asked(
    'mcp-duplicate',
    'gives a message two methods',
    'unreadable',
    '{"jsonrpc":"2.0","id":7,"method":"ping","method":"tools/call","params":{"name":"find"}}',
    {},
    { status: 400, why: 'Two readers would see two messages.', carries: 'tools/call' },
  ),
  asked(
    'mcp-case',
    'writes a second method in another case',
    'unreadable',
    '{"jsonrpc":"2.0","id":7,"method":"ping","Method":"tools/call","params":{"name":"find"}}',
    {},
    { status: 400, why: 'The same.', carries: 'tools/call' },
  ),
  asked(
    'mcp-batch',
    'hides it in the second message of a batch',
    'refused',
    [{ jsonrpc: '2.0', id: 1, method: 'ping' }, call({ q: BLOCKED })],
    {},
    { why: 'All messages are read.' },
  ),
  asked(
    'mcp-arguments',
    'hides it behind escapes, as the name of an argument',
    'refused',
    JSON.stringify(call({ X: 1 })).replace('X', 'Project \\u005aebra'),
    {},
    { why: 'Arguments are read as they are written, names included.', carries: '\\u005aebra' },
  ),
  asked(
    'mcp-id',
    'makes it the id of the request',
    'refused',
    call({}, { id: BLOCKED }),
    {},
    { why: 'An id of several words is text.' },
  ),
  asked(
    'mcp-not-rpc',
    'leaves out what makes it JSON-RPC',
    'unreadable',
    { method: 'tools/call', params: { name: 'find', arguments: { q: BLOCKED } } },
    {},
    { status: 400, why: 'Not a message of the protocol.' },
  ),
  asked(
    'mcp-path',
    'speaks MCP on a path that nobody named',
    'unreadable',
    call({ q: BLOCKED }),
    {},
    {
      format: 'opaque',
      status: 400,
      why: 'Name it in `formats:`.',
      request: {
        method: 'POST',
        path: '/tools',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(call({ q: BLOCKED })),
      },
    },
  ),
];

const result = (value: object): string => JSON.stringify({ jsonrpc: '2.0', id: 7, result: value });

const answered = (
  id: string,
  attack: string,
  verdict: VerdictName,
  reply: Reply,
  { why, ...more }: Told,
): Evasion => ({
  id,
  attack,
  side: 'answer',
  format: 'mcp',
  verdict,
  why,
  request: {
    method: 'POST',
    path: '/mcp',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(call({})),
  },
  reply,
  carries: REWRITTEN,
  ...(verdict === 'masked' && { leaves: MASKED }),
  ...more,
});

const ANSWERS: readonly Evasion[] = [
  answered(
    'mcp-poisoned',
    'writes it into the description of a tool that it lists',
    'masked',
    {
      writes: [
        result({
          tools: [
            {
              name: 'f',
              description: TEXT,
              inputSchema: { type: 'object', properties: { x: { description: TEXT } } },
            },
          ],
        }),
      ],
    },
    {
      why: 'Descriptions and schemas are text: `inspect: [tool_definition]`, or all of the answer.',
    },
  ),
  answered(
    'mcp-structured',
    'says it in the structured half of a result',
    'masked',
    {
      writes: [
        result({ content: [{ type: 'text', text: 'x' }], structuredContent: { [TEXT]: 1 } }),
      ],
    },
    { why: 'Read as it is written, names included.' },
  ),
  answered(
    'mcp-events',
    'says it in an event before the result',
    'masked',
    {
      headers: { 'content-type': 'text/event-stream' },
      writes: [
        `data: ${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/message', params: { level: 'info', data: TEXT } })}\n\n`,
        `data: ${result({ content: [] })}\n\n`,
      ],
    },
    { why: 'Every message of the stream is read.' },
  ),
  answered(
    'mcp-sampling',
    'asks the client to let its model say it',
    'masked',
    {
      headers: { 'content-type': 'text/event-stream' },
      writes: [
        `data: ${JSON.stringify({ jsonrpc: '2.0', id: 's', method: 'sampling/createMessage', params: { systemPrompt: TEXT, messages: [], maxTokens: 9 } })}\n\n`,
      ],
    },
    { why: 'Requests of servers are read, too.' },
  ),
  answered(
    'mcp-blob',
    'sends it as the bytes of a text',
    'masked',
    {
      writes: [
        result({
          contents: [
            {
              uri: 'file:///x',
              mimeType: 'text/plain',
              blob: Buffer.from(TEXT).toString('base64'),
            },
          ],
        }),
      ],
    },
    {
      why: 'What reads as text is read as text, and written back in Base64.',
      carries: Buffer.from(TEXT).toString('base64'),
      leaves: Buffer.from(MASKED).toString('base64'),
    },
  ),
  answered(
    'mcp-blob-false',
    'sends it as the bytes of a picture',
    'not seen',
    {
      writes: [
        result({
          contents: [
            { uri: 'file:///x', mimeType: 'image/png', blob: Buffer.from(TEXT).toString('base64') },
          ],
        }),
      ],
    },
    {
      why: 'Pictures, sounds and files that are no text are not read.',
      carries: Buffer.from(TEXT).toString('base64'),
    },
  ),
  answered(
    'mcp-parts',
    'says one half in each of two parts of a result',
    'not seen',
    {
      writes: [
        result({
          content: [
            { type: 'text', text: 'Ask Ba' },
            { type: 'text', text: 'nk A now' },
          ],
        }),
      ],
    },
    { why: 'Two texts: see there.', carries: '"Ask Ba"},{"type":"text","text":"nk A now"' },
  ),
];

export const MCP: readonly Family[] = [
  {
    title: 'MCP: requests',
    about: 'The rule blocks `Project Zebra` in all of the request.',
    rows: REQUESTS,
  },
  {
    title: 'MCP: answers',
    about: 'The rule rewrites `Bank A` to `another bank` in all of the answer.',
    rows: ANSWERS,
  },
];
