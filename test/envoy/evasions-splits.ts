/** Words that are cut in two, and put where somebody puts them together again. */
import {
  addedInStream,
  BLOCKED,
  calledInStream,
  chatBody,
  chatRequest,
  chunk,
  DONE,
  event,
  REPLACEMENT,
  REWRITTEN,
  saidInStream,
  say,
  stream,
} from './evasions-bodies.ts';
import type { Evasion, Family, Told, VerdictName } from './evasions-row.ts';

const TEXT = `Ask ${REWRITTEN} now`;
const MASKED = `Ask ${REPLACEMENT} now`;

/** An answer that streams. */
const streamed = (
  id: string,
  attack: string,
  verdict: VerdictName,
  writes: readonly (string | Uint8Array)[],
  { why, ...more }: Told,
): Evasion => ({
  id,
  attack,
  side: 'answer',
  format: 'openai.chat',
  verdict,
  why,
  reply: stream(...writes),
  carries: REWRITTEN,
  reads: saidInStream,
  ...(verdict === 'masked' && { leaves: MASKED }),
  ...more,
});

const asked = (
  id: string,
  attack: string,
  verdict: VerdictName,
  body: string,
  { why, ...more }: Told,
): Evasion => ({
  id,
  attack,
  side: 'request',
  format: 'openai.chat',
  verdict,
  why,
  request: chatRequest(body),
  carries: BLOCKED,
  ...more,
});

const HELD = 'A frame leaves when no match can start in it any more, however the text is cut.';
const TWO_TEXTS =
  'A rule reads one text at a time (`SEMANTICS.md` §1), as texts of a body may have nothing to do with each other.';

const call = (index: number, args: string): string =>
  chunk({
    tool_calls: [
      {
        index,
        ...(args === '{"q":"Ask ' && { id: `call${index}`, type: 'function' }),
        function: { arguments: args },
      },
    ],
  });

const messageStart = event('message_start', {
  message: {
    id: 'm1',
    type: 'message',
    role: 'assistant',
    model: 'm',
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage: { input_tokens: 1, output_tokens: 1 },
  },
});
const blockStart = (index: number, content_block: object): string =>
  event('content_block_start', { index, content_block });
const blockDelta = (index: number, delta: object): string =>
  event('content_block_delta', { index, delta });
const blockStop = (index: number): string => event('content_block_stop', { index });
const messageEnd =
  event('message_delta', {
    delta: { stop_reason: 'end_turn', stop_sequence: null },
    usage: { output_tokens: 4 },
  }) + event('message_stop', {});

const onAnthropic = {
  format: 'anthropic.messages',
  request: {
    method: 'POST',
    path: '/v1/messages',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      model: 'm',
      max_tokens: 9,
      stream: true,
      messages: [{ role: 'user', content: 'hello' }],
    }),
  },
  reads: addedInStream,
} as const;

const bytesOf = (text: string): Uint8Array[] =>
  [...Buffer.from(text)].map((byte) => Uint8Array.of(byte));

const JOINED: readonly Evasion[] = [
  streamed(
    'deltas',
    'cuts the word into deltas of one character',
    'masked',
    [...[...TEXT].map((unit) => say(unit)), DONE],
    { why: HELD },
  ),
  streamed(
    'wire',
    'cuts the stream into bytes, through lines, escapes and characters',
    'masked',
    bytesOf(`${say('Ask Ba')}${say('nk A now').replace('A', '\\u0041')}${DONE}`),
    { why: HELD },
  ),
  streamed(
    'keep-alives',
    'puts comments, blank events and other choices between the halves',
    'masked',
    [say('Ask Ba'), ': ping\n\n', '\n\n', say('…', 1), chunk({}), say('nk A now'), DONE],
    { why: 'What is not of the text neither ends it nor frees it.', leaves: MASKED },
  ),
  streamed(
    'data-lines',
    'cuts the JSON of one event over several `data` lines',
    'masked',
    [`data: {"choices":[{"index":0,\ndata: "delta":{"content":\ndata: "${TEXT}"}}]}\n\n`, DONE],
    {
      why: 'Lines of one event are joined before they are read.',
      reads: (bytes) => bytes.toString('utf8'),
    },
  ),
  streamed(
    'arguments',
    'cuts the word, and an escape in it, over deltas of the arguments of a tool',
    'masked',
    [call(0, '{"q":"Ask '), call(0, 'B\\u00'), call(0, '61nk A now"}'), DONE],
    {
      why: 'Arguments are read as the JSON that they add up to, and replaced in its own escapes.',
      reads: (bytes) => (JSON.parse(calledInStream(bytes)) as { q: string }).q,
    },
  ),
  streamed(
    'anthropic-deltas',
    'cuts the word over the deltas of a block',
    'masked',
    [
      messageStart,
      blockStart(0, { type: 'text', text: '' }),
      ...['Ask Ba', 'nk A now'].map((text) => blockDelta(0, { type: 'text_delta', text })),
      blockStop(0),
      messageEnd,
    ],
    { why: HELD, ...onAnthropic },
  ),
  streamed(
    'anthropic-arguments',
    'cuts the word over pieces of the input of a tool',
    'masked',
    [
      messageStart,
      blockStart(0, { type: 'tool_use', id: 't', name: 'f', input: {} }),
      ...['{"q":"Ask Ba', 'nk \\u0041 now"}'].map((partial_json) =>
        blockDelta(0, { type: 'input_json_delta', partial_json }),
      ),
      blockStop(0),
      messageEnd,
    ],
    {
      why: 'As for arguments.',
      ...onAnthropic,
      reads: (bytes) => (JSON.parse(addedInStream(bytes)) as { q: string }).q,
    },
  ),
  streamed(
    'refused-inside',
    'says the refused word after a long harmless beginning',
    'ended',
    [say('All is '), say('well with Project Ze'), say('bra, they say'), DONE],
    {
      why: 'What was sent cannot be called back, so the answer ends before the word.',
      carries: BLOCKED,
      leaves: 'All is well with ',
    },
  ),
];

const APART: readonly Evasion[] = [
  streamed(
    'choices',
    'says one half in each choice',
    'not seen',
    [say('Ask Ba'), say('nk A now', 1), DONE],
    { why: TWO_TEXTS, reads: (bytes) => saidInStream(bytes).replace('\n', '') },
  ),
  streamed(
    'reasoning',
    'says one half as reasoning and the other as answer',
    'not seen',
    [chunk({ reasoning_content: 'Ask Ba' }), chunk({ content: 'nk A now' }), DONE],
    { why: TWO_TEXTS, reads: (bytes) => bytes.toString('utf8'), carries: '"nk A now"' },
  ),
  streamed(
    'calls',
    'says one half in the arguments of each of two tools',
    'not seen',
    [call(0, '{"q":"Ba"}'), call(1, '{"q":"nk A"}'), DONE],
    { why: TWO_TEXTS, reads: calledInStream, carries: '{"q":"Ba"}{"q":"nk A"}' },
  ),
  streamed(
    'anthropic-blocks',
    'says one half in each of two blocks',
    'not seen',
    [
      messageStart,
      blockStart(0, { type: 'text', text: '' }),
      blockDelta(0, { type: 'text_delta', text: 'Ask Ba' }),
      blockStop(0),
      blockStart(1, { type: 'text', text: '' }),
      blockDelta(1, { type: 'text_delta', text: 'nk A now' }),
      blockStop(1),
      messageEnd,
    ],
    { why: TWO_TEXTS, ...onAnthropic },
  ),
  asked(
    'parts',
    'writes one half in each of two parts of a message',
    'not seen',
    chatBody([
      { type: 'text', text: 'Project ' },
      { type: 'text', text: 'Zebra' },
    ]),
    { why: TWO_TEXTS, carries: '"Project "},{"type":"text","text":"Zebra"' },
  ),
  asked(
    'messages',
    'writes one half in each of two messages',
    'not seen',
    JSON.stringify({
      model: 'm',
      messages: [
        { role: 'user', content: 'Project' },
        { role: 'user', content: 'Zebra' },
      ],
    }),
    { why: TWO_TEXTS, carries: '"Project"},{"role":"user","content":"Zebra"' },
  ),
  asked(
    'turns',
    'writes one half in each of two requests of a conversation',
    'not seen',
    chatBody('Zebra is the other half'),
    {
      why: `${TWO_TEXTS} A client that sends the conversation again sends both halves in one request.`,
      carries: 'Zebra',
    },
  ),
  asked(
    'concatenation',
    'asks the model to put variables together',
    'not seen',
    chatBody('a = "Project Ze", b = "bra": print a + b'),
    {
      why: 'A program in words. The answer is judged.',
      carries: '"Project Ze'.replace('"', '\\"'),
    },
  ),
];

export const SPLITS: readonly Family[] = [
  {
    title: 'Cut into pieces of one text',
    about: 'Answers; the rule rewrites `Bank A` to `another bank`, and blocks `Project Zebra`.',
    rows: JOINED,
  },
  { title: 'Cut into several texts', about: 'The same rules, and that for requests.', rows: APART },
];
