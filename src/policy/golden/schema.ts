/** `kind: GoldenSet`: what policies must do with exchanges that an author wrote down. */
import { type Static, Type } from 'typebox';
import { ACTION_KINDS } from '../actions/table.ts';
import { GivenSchemas } from '../given.ts';
import { closed, words } from '../schema-parts.ts';

/** Formats that a case can be written in; `docs/reference/golden-sets.md` says what each makes of it. */
export const GOLDEN_FORMATS = [
  'openai.chat',
  'openai.responses',
  'openai.completions',
  'anthropic.messages',
  'gemini',
  'mcp',
  'json',
  'sse',
  'ndjson',
  'text',
] as const;

/** When `switchyard test` runs a case. A server runs all of them at every save. */
export const GOLDEN_STAGES = ['fast', 'slow'] as const;

export type GoldenStage = (typeof GOLDEN_STAGES)[number];

export type GoldenFormat = (typeof GOLDEN_FORMATS)[number];

/** What a case is written in that names no format. */
export const GOLDEN_FORMAT_DEFAULT: GoldenFormat = 'openai.chat';

interface Words {
  readonly request: readonly string[];
  readonly response: readonly string[];
}

const CONVERSATION: Words = {
  request: ['system', 'user', 'assistant', 'tool_result', 'tools'],
  response: ['text', 'stream', 'tool_call'],
};
const PROMPT: Words = { request: ['user'], response: ['text', 'stream'] };

/** Whose words each format has a place for; every one of them may be written as a `body` instead. */
export const GOLDEN_WORDS: Readonly<Record<GoldenFormat, Words>> = Object.freeze({
  'openai.chat': CONVERSATION,
  'openai.responses': CONVERSATION,
  'openai.completions': PROMPT,
  'anthropic.messages': CONVERSATION,
  gemini: CONVERSATION,
  mcp: { request: ['tool_call'], response: ['text', 'stream'] },
  json: { request: ['user'], response: ['text'] },
  sse: { request: [], response: ['text', 'stream'] },
  ndjson: PROMPT,
  text: PROMPT,
});

const Text = Type.String();
const Format = Type.Optional(words(GOLDEN_FORMATS));
const Name = Type.String({ minLength: 1, maxLength: 200 });

const ToolCall = Type.Object({ name: Name, arguments: Type.Optional(Type.Unknown()) }, closed);

const Request = Type.Object(
  {
    format: Format,
    method: Type.Optional(Name),
    path: Type.Optional(Type.String({ minLength: 1, maxLength: 2_000 })),
    headers: Type.Optional(Type.Record(Text, Text)),
    model: Type.Optional(Name),
    system: Type.Optional(Text),
    user: Type.Optional(Text),
    assistant: Type.Optional(Text),
    tool_result: Type.Optional(Text),
    tools: Type.Optional(
      Type.Array(Type.Object({ name: Name, description: Type.Optional(Text) }, closed)),
    ),
    tool_call: Type.Optional(ToolCall),
    body: Type.Optional(Type.Unknown()),
  },
  closed,
);

const Response = Type.Object(
  {
    format: Format,
    text: Type.Optional(Text),
    stream: Type.Optional(Type.Array(Text, { minItems: 1 })),
    tool_call: Type.Optional(ToolCall),
    body: Type.Optional(Type.Unknown()),
  },
  closed,
);

const Expect = Type.Object(
  {
    // biome-ignore lint/suspicious/noThenProperty: `then` is a word of the language, not a thenable
    then: words(Object.keys(ACTION_KINDS)),
    rule: Type.Optional(Name),
    text: Type.Optional(Text),
    status: Type.Optional(Type.Integer({ minimum: 100, maximum: 599 })),
    enforcement: Type.Optional(words(['enforce', 'shadow'])),
  },
  closed,
);

const Case = Type.Object(
  {
    name: Name,
    stage: Type.Optional(words(GOLDEN_STAGES)),
    facts: Type.Optional(Type.Record(Text, Text)),
    route: Type.Optional(Text),
    at: Type.Optional(Type.String({ 'x-example': '2026-01-31T03:00:00Z' })),
    ...GivenSchemas,
    request: Type.Optional(Request),
    response: Type.Optional(Response),
    expect: Expect,
  },
  closed,
);

export const GoldenSetSchema = Type.Object(
  {
    apiVersion: Type.Optional(words(['switchyard/v1'])),
    kind: words(['GoldenSet']),
    policy: Name,
    protected: Type.Optional(Type.Boolean()),
    cases: Type.Array(Case, { minItems: 1 }),
  },
  closed,
);

export type GoldenRequest = Static<typeof Request>;
export type GoldenResponse = Static<typeof Response>;
export type GoldenExpectation = Static<typeof Expect>;
export type GoldenCaseDocument = Static<typeof Case>;
export type GoldenSetDocument = Static<typeof GoldenSetSchema>;
