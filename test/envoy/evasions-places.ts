/** Places of a message where nobody looks for words. */
import {
  BLOCKED,
  chatBody,
  chatRequest,
  chunk,
  completion,
  DONE,
  document,
  event,
  REPLACEMENT,
  REWRITTEN,
  stream,
} from './evasions-bodies.ts';
import type { Evasion, Family, Told, VerdictName } from './evasions-row.ts';
import type { RequestOptions } from './http-client.ts';

const TEXT = `Ask ${REWRITTEN} now`;
const MASKED = `Ask ${REPLACEMENT} now`;

const asked = (
  id: string,
  attack: string,
  verdict: VerdictName,
  more: object,
  { why, ...rest }: Told,
): Evasion => ({
  id,
  attack,
  side: 'request',
  format: 'openai.chat',
  verdict,
  why,
  request: chatRequest(chatBody('hello', more)),
  carries: BLOCKED,
  ...rest,
});

const answered = (
  id: string,
  attack: string,
  verdict: VerdictName,
  reply: Evasion['reply'],
  { why, ...rest }: Told,
): Evasion => ({
  id,
  attack,
  side: 'answer',
  format: 'openai.chat',
  verdict,
  why,
  reply: reply!,
  carries: REWRITTEN,
  ...(verdict === 'masked' && { leaves: MASKED }),
  ...rest,
});

const ALL = 'Every string is read, wherever it stands.';

const tool = (definition: object): object => ({
  tools: [{ type: 'function', function: { name: 'f', ...definition } }],
});

const REQUESTS: readonly Evasion[] = [
  asked(
    'tool-description',
    'writes it into the description of a tool',
    'refused',
    tool({ description: BLOCKED }),
    { why: 'Models read descriptions: `inspect: [tool_definition]`, or all of the request.' },
  ),
  asked(
    'schema-description',
    'writes it into the schema of a tool',
    'refused',
    tool({ parameters: { type: 'object', properties: { x: { description: BLOCKED } } } }),
    { why: ALL },
  ),
  asked(
    'schema-name',
    'makes it the name of a parameter',
    'refused',
    tool({ parameters: { type: 'object', properties: { [BLOCKED]: {} } } }),
    { why: ALL },
  ),
  asked(
    'schema-enum',
    'makes it a value that is allowed',
    'refused',
    tool({ parameters: { enum: [BLOCKED] } }),
    { why: ALL },
  ),
  asked(
    'system',
    'writes it as the system prompt',
    'refused',
    { messages: [{ role: 'developer', content: BLOCKED }] },
    { why: ALL },
  ),
  asked(
    'tool-result',
    'lets a tool say it',
    'refused',
    { messages: [{ role: 'tool', tool_call_id: 'a', content: BLOCKED }] },
    { why: '`inspect: [tool_result]`, or all of the request.' },
  ),
  asked(
    'history',
    'writes it as something that the model said before',
    'refused',
    { messages: [{ role: 'assistant', content: BLOCKED }] },
    { why: ALL },
  ),
  asked(
    'message-name',
    'makes it the name of who speaks',
    'refused',
    { messages: [{ role: 'user', name: BLOCKED, content: 'hello' }] },
    { why: ALL },
  ),
  asked(
    'stop-words',
    'makes it a stop word, a user or a prediction',
    'refused',
    { stop: ['x'], user: 'u', prediction: { type: 'content', content: BLOCKED } },
    { why: ALL },
  ),
  asked(
    'id-word',
    'makes a single forbidden word an id',
    'harmless',
    { messages: [{ role: 'tool', tool_call_id: 'aurora', content: 'hello' }] },
    {
      why: 'Ids, types and models of one word are no text (the rule is for `aurora`); several words, an address or a card number there are.',
      carries: 'aurora',
    },
  ),
  asked(
    'model-word',
    'makes it the model',
    'refused',
    { model: BLOCKED },
    { why: 'No name of a model has blanks: read as text.' },
  ),
  asked(
    'picture-url',
    'puts it into the address of a picture',
    'refused',
    {
      messages: [
        {
          role: 'user',
          content: [{ type: 'image_url', image_url: { url: `https://x.example/${BLOCKED}.png` } }],
        },
      ],
    },
    { why: ALL },
  ),
  asked(
    'text-url',
    'puts it into a data URL, percent-encoded',
    'unreadable',
    {
      messages: [
        {
          role: 'user',
          content: [{ type: 'image_url', image_url: { url: 'data:text/plain,Project%20Zebra' } }],
        },
      ],
    },
    { status: 400, why: 'Text that is hidden in a data URL.', carries: 'Project%20Zebra' },
  ),
];

const logprobs = (tokens: readonly string[]): object => ({
  logprobs: {
    content: tokens.map((token) => ({
      token,
      logprob: -1,
      bytes: [...Buffer.from(token)],
      top_logprobs: [],
    })),
  },
});

const ANSWERS: readonly Evasion[] = [
  answered(
    'reasoning-field',
    'says it in its reasoning',
    'masked',
    document(completion({ content: 'hello', reasoning_content: TEXT })),
    { why: ALL },
  ),
  answered(
    'refusal-field',
    'says it in its refusal',
    'masked',
    document(completion({ content: null, refusal: TEXT })),
    { why: ALL },
  ),
  answered(
    'annotation',
    'says it in the title of a citation',
    'masked',
    document(
      completion({
        content: 'hello',
        annotations: [
          { type: 'url_citation', url_citation: { title: TEXT, url: 'https://x.example' } },
        ],
      }),
    ),
    { why: ALL },
  ),
  answered(
    'transcript',
    'says it in the transcript of speech',
    'masked',
    document(completion({ content: null, audio: { id: 'a', data: 'AAAA', transcript: TEXT } })),
    { why: 'Read; the sound itself is not.' },
  ),
  answered(
    'call-name',
    'calls a tool by that name',
    'masked',
    document(
      completion({
        content: null,
        tool_calls: [{ id: 'a', type: 'function', function: { name: TEXT, arguments: '{}' } }],
      }),
    ),
    { why: ALL },
  ),
  answered(
    'call-arguments',
    'says it in the arguments of a tool, behind escapes',
    'masked',
    document(
      completion({
        content: null,
        tool_calls: [
          {
            id: 'a',
            type: 'function',
            function: { name: 'f', arguments: '{"q":"Ask B\\u0061nk A now"}' },
          },
        ],
      }),
    ),
    { why: 'Arguments are read as JSON.', carries: 'B\\\\u0061nk A' },
  ),
  answered(
    'call-legacy',
    'says it in a `function_call` of old',
    'masked',
    document(
      completion({ content: null, function_call: { name: 'f', arguments: `{"q":"${TEXT}"}` } }),
    ),
    { why: ALL },
  ),
  answered(
    'logprobs',
    'says it in the tokens beside the text',
    'masked',
    document(completion({ content: 'Bank A' }, logprobs(['Bank', ' A']))),
    {
      why: 'Where the text of a choice is changed, its tokens become `null`.',
      carries: '"token":"Bank"',
      leaves: '"logprobs":null',
    },
  ),
  answered(
    'logprobs-stream',
    'the same, in a stream',
    'masked',
    stream(
      chunk({ content: 'Bank' }, logprobs(['Bank'])),
      chunk({ content: ' A' }, logprobs([' A'])),
      DONE,
    ),
    { why: 'The same.', carries: '"token":" A"', leaves: REPLACEMENT },
  ),
  answered(
    'alternatives',
    'says it in a token that was only considered',
    'masked',
    document(
      completion(
        { content: 'hello' },
        {
          logprobs: {
            content: [
              { token: 'hello', logprob: -1, top_logprobs: [{ token: TEXT, logprob: -2 }] },
            ],
          },
        },
      ),
    ),
    { why: ALL, leaves: '"logprobs":null' },
  ),
  answered(
    'usage',
    'says it where numbers stand',
    'masked',
    document(
      JSON.stringify({
        id: 'c',
        object: 'chat.completion',
        created: 1,
        model: 'm',
        choices: [],
        usage: { note: TEXT },
      }),
    ),
    { why: ALL },
  ),
  answered(
    'answer-id',
    'says it in an id',
    'masked',
    document(
      JSON.stringify({ id: TEXT, object: 'chat.completion', created: 1, model: 'm', choices: [] }),
    ),
    { why: 'An id of several words is text.' },
  ),
  answered(
    'echo',
    'says a placeholder that nobody gave it',
    'harmless',
    document(completion({ content: 'Write to [EMAIL_1]' })),
    { why: 'Words like any other: nothing is looked up for it.', carries: '[EMAIL_1]' },
  ),
];

const path = (to: string, body: object): RequestOptions => ({
  method: 'POST',
  path: to,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
});

const ANTHROPIC = {
  format: 'anthropic.messages',
  request: path('/v1/messages', {
    model: 'm',
    max_tokens: 9,
    messages: [{ role: 'user', content: 'hello' }],
  }),
};
const GEMINI = {
  format: 'gemini',
  request: path('/v1beta/models/m:generateContent', {
    contents: [{ role: 'user', parts: [{ text: 'hello' }] }],
  }),
};
const RESPONSES = {
  format: 'openai.responses',
  request: path('/v1/responses', { model: 'm', input: 'hello', stream: true }),
};

const message = (content: readonly object[]): string =>
  JSON.stringify({
    id: 'm1',
    type: 'message',
    role: 'assistant',
    model: 'm',
    content,
    stop_reason: 'end_turn',
    stop_sequence: null,
    usage: { input_tokens: 1, output_tokens: 1 },
  });
const candidate = (...parts: readonly object[]): string =>
  JSON.stringify({
    candidates: [{ index: 0, content: { role: 'model', parts }, finishReason: 'STOP' }],
  });

const APIS: readonly Evasion[] = [
  answered(
    'anthropic-thinking',
    'says it in thinking that its provider has signed',
    'unreadable',
    document(message([{ type: 'thinking', thinking: TEXT, signature: 'c2ln' }])),
    {
      why: 'Changed, it would be rejected when it is sent back: the answer is refused.',
      status: 502,
      ...ANTHROPIC,
    },
  ),
  answered(
    'anthropic-citation',
    'says it in the text of a citation',
    'masked',
    document(
      message([
        {
          type: 'text',
          text: 'x',
          citations: [
            {
              type: 'char_location',
              cited_text: TEXT,
              document_index: 0,
              document_title: 't',
              start_char_index: 0,
              end_char_index: 1,
            },
          ],
        },
      ]),
    ),
    { why: ALL, ...ANTHROPIC },
  ),
  answered(
    'anthropic-input',
    'says it in the input of a tool, as a name',
    'masked',
    document(message([{ type: 'tool_use', id: 't', name: 'f', input: { [TEXT]: 1 } }])),
    {
      why: 'The input of a tool is read as it is written, names and numbers included.',
      ...ANTHROPIC,
    },
  ),
  answered(
    'gemini-arguments',
    'says it in the arguments of a function',
    'masked',
    document(candidate({ functionCall: { name: 'f', args: { q: { r: [TEXT] } } } })),
    { why: 'The same.', ...GEMINI },
  ),
  answered(
    'gemini-code',
    'says it in code that it has run',
    'masked',
    document(candidate({ executableCode: { language: 'PYTHON', code: `print("${TEXT}")` } })),
    { why: ALL, ...GEMINI },
  ),
  answered(
    'gemini-thought',
    'says it in a thought',
    'masked',
    document(candidate({ text: TEXT, thought: true })),
    { why: ALL, ...GEMINI },
  ),
  answered(
    'responses-repeats',
    'says it in deltas, then again in the events that repeat them',
    'masked',
    stream(
      event('response.created', {
        sequence_number: 0,
        response: { id: 'r', object: 'response', status: 'in_progress', output: [] },
      }),
      event('response.output_item.added', {
        sequence_number: 1,
        output_index: 0,
        item: { id: 'i', type: 'message', role: 'assistant', content: [] },
      }),
      event('response.content_part.added', {
        sequence_number: 2,
        item_id: 'i',
        output_index: 0,
        content_index: 0,
        part: { type: 'output_text', text: '', annotations: [] },
      }),
      event('response.output_text.delta', {
        sequence_number: 3,
        item_id: 'i',
        output_index: 0,
        content_index: 0,
        delta: 'Ask Ba',
      }),
      event('response.output_text.delta', {
        sequence_number: 4,
        item_id: 'i',
        output_index: 0,
        content_index: 0,
        delta: 'nk A now',
      }),
      event('response.output_text.done', {
        sequence_number: 5,
        item_id: 'i',
        output_index: 0,
        content_index: 0,
        text: TEXT,
      }),
      event('response.content_part.done', {
        sequence_number: 6,
        item_id: 'i',
        output_index: 0,
        content_index: 0,
        part: { type: 'output_text', text: TEXT, annotations: [] },
      }),
      event('response.output_item.done', {
        sequence_number: 7,
        output_index: 0,
        item: {
          id: 'i',
          type: 'message',
          role: 'assistant',
          content: [{ type: 'output_text', text: TEXT, annotations: [] }],
        },
      }),
      event('response.completed', {
        sequence_number: 8,
        response: {
          id: 'r',
          object: 'response',
          status: 'completed',
          output: [
            {
              id: 'i',
              type: 'message',
              role: 'assistant',
              content: [{ type: 'output_text', text: TEXT, annotations: [] }],
            },
          ],
        },
      }),
    ),
    {
      why: 'Every repetition is changed in the same way.',
      ...RESPONSES,
      carries: REWRITTEN,
      leaves: `"text":"${MASKED}"`,
    },
  ),
];

export const PLACES: readonly Family[] = [
  {
    title: 'Places in a request',
    about: 'The rule blocks `Project Zebra` in all of the request.',
    rows: REQUESTS,
  },
  {
    title: 'Places in an answer',
    about: 'The rule rewrites `Bank A` to `another bank` in all of the answer.',
    rows: ANSWERS,
  },
  { title: 'Places in other APIs', about: 'The same.', rows: APIS },
];
