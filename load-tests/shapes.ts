/** What is asked and answered under load: the three shapes that an exchange of ours can have. */

export interface Shape {
  readonly name: string;
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body: string;
  /** Status of an answer that passed. */
  readonly status: number;
  /** Bytes of an answer that was not changed. */
  readonly answerBytes: number;
}

/** Writes of the upstream, each a chunk of its own. */
export interface CannedAnswer {
  readonly status: number;
  readonly contentType: string | undefined;
  readonly chunks: readonly string[];
}

/** Path as the upstream sees it, without Envoy's prefix. */
const EMPTY_PATH = '/v1/ping';
const CHAT_PATH = '/v1/chat/completions';
/** Its own route in Envoy: bodies come whole, in BUFFERED mode. */
export const BUFFERED_PREFIX = '/buffered/';

const EVENTS = 50;
const DOCUMENT_BYTES = 1_536;

/** Prose that no policy matches, with what makes matchers look twice: capitals, digits, an @. */
const SENTENCES =
  'The quarterly review of branch 14 begins at 9 in room B, and Anna will bring the printed tables. ' +
  'Please check that 38 of the 40 invoices were paid before Bank holidays; the rest follow in May. ' +
  'Project Zeal has a budget of 1,250,000 and a team of twelve; write to them @ the usual place. ';

export const prose = (units: number): string =>
  SENTENCES.repeat(Math.ceil(units / SENTENCES.length)).slice(0, units);

/** A JSON text of DOCUMENT_BYTES in which `text` fills what the rest leaves. */
function documentOf(made: (text: string) => object): string {
  const around = JSON.stringify(made('')).length;
  return JSON.stringify(made(prose(DOCUMENT_BYTES - around)));
}

const completion = documentOf((content) => ({
  id: 'chatcmpl-load',
  object: 'chat.completion',
  created: 1_700_000_000,
  model: 'load',
  choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 300, completion_tokens: 300, total_tokens: 600 },
}));

function eventOf(delta: object, finish: string | null): string {
  const choices = [{ index: 0, delta, finish_reason: finish }];
  const chunk = {
    id: 'chatcmpl-load',
    object: 'chat.completion.chunk',
    created: 1_700_000_000,
    model: 'load',
    choices,
  };
  return `data: ${JSON.stringify(chunk)}\n\n`;
}

/** A role, words of about a token and a half each, the finish reason and the end mark: EVENTS in all. */
function streamEvents(): readonly string[] {
  const words = prose(2_000).match(/\s?\S+/g) ?? [];
  return [
    eventOf({ role: 'assistant', content: '' }, null),
    ...words.slice(0, EVENTS - 3).map((content) => eventOf({ content }, null)),
    eventOf({}, 'stop'),
    'data: [DONE]\n\n',
  ];
}

const ANSWERS = {
  empty: { status: 204, contentType: undefined, chunks: [] },
  document: { status: 200, contentType: 'application/json', chunks: [completion] },
  stream: { status: 200, contentType: 'text/event-stream', chunks: streamEvents() },
} as const satisfies Record<string, CannedAnswer>;

/** What the upstream answers; a request says by its path and body which it wants. */
export function answerTo(path: string, body: string): CannedAnswer {
  if (path === EMPTY_PATH) return ANSWERS.empty;
  return body.includes('"stream":true') ? ANSWERS.stream : ANSWERS.document;
}

const bytesOf = (answer: CannedAnswer): number => Buffer.byteLength(answer.chunks.join(''));

const question = (stream: boolean, said?: string): string => {
  const made = (content: string): object => ({
    model: 'load',
    ...(stream && { stream }),
    messages: [{ role: 'user', content: said ?? content }],
  });
  return said === undefined ? documentOf(made) : JSON.stringify(made(''));
};

export const SHAPES: readonly Shape[] = [
  {
    name: 'headers only',
    method: 'GET',
    path: EMPTY_PATH,
    body: '',
    status: ANSWERS.empty.status,
    answerBytes: 0,
  },
  {
    name: '1.5 KB each way, buffered',
    method: 'POST',
    path: `${BUFFERED_PREFIX}${CHAT_PATH.slice(1)}`,
    body: question(false),
    status: 200,
    answerBytes: bytesOf(ANSWERS.document),
  },
  {
    name: `${EVENTS} events`,
    method: 'POST',
    path: CHAT_PATH,
    body: question(true, 'Tell me about branch 14.'),
    status: 200,
    answerBytes: bytesOf(ANSWERS.stream),
  },
];

/** Asked before anything is measured: the default policies refuse it, other sets pass it. */
export const FORBIDDEN: Shape = {
  name: 'forbidden',
  method: 'POST',
  path: CHAT_PATH,
  body: question(false, 'What is Project Zebra?'),
  status: 200,
  answerBytes: bytesOf(ANSWERS.document),
};
