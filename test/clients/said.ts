/** What an official client hands its user, in words that fit all of them. */

/** A question in no API's words; every client says it in its own. */
export interface Question {
  readonly prompt: string;
  /** The model may call TOOL. */
  readonly tools?: true;
  /** The user had asked before, the model had called TOOL, and this is what the tool said. */
  readonly toolResult?: string;
}

/** The one tool that questions offer. */
export const TOOL = Object.freeze({
  name: 'send_mail',
  description: 'Sends a mail.',
  parameters: {
    type: 'object',
    properties: { to: { type: 'string' }, text: { type: 'string' } },
    required: ['to'],
  },
});

export interface Call {
  readonly name: string;
  /** Parsed; the text itself where it is no JSON. */
  readonly arguments: unknown;
}

/** An answer as it arrived. */
export interface Answered {
  readonly text: string;
  /** The message of a refusal where the client has a place of its own for it; '' otherwise. */
  readonly refusal: string;
  /** Why the answer ended, in the client's own word. */
  readonly finish: string;
  readonly calls: readonly Call[];
  readonly usage?: { readonly input: number; readonly output: number };
}

/** An error that was thrown at the user. */
export interface Thrown {
  /** Name of the class. */
  readonly error: string;
  /** HTTP status that it carries. */
  readonly status?: number;
  readonly message: string;
  /** Id of Switchyard's decision, wherever the error shows it. */
  readonly decision?: string;
  /** Text that had come before it. */
  readonly text: string;
  /** The message of a refusal, had it come before. */
  readonly refusal?: string;
}

export type Said = Answered | Thrown;

export function isThrown(said: Said): said is Thrown {
  return 'error' in said;
}

/**
 * How a client is used: `document` waits for the whole answer, `stream` iterates over its events,
 * `collect` has the client put a stream together.
 */
export type Manner = 'document' | 'stream' | 'collect';

export interface Client {
  /** As its users call it. */
  readonly name: string;
  readonly api: 'chat' | 'responses' | 'messages' | 'gemini';
  readonly manners: readonly Manner[];
  /** Never rejects. */
  ask(manner: Manner, question: Question): Promise<Said>;
}

/** The JSON value of a text; the text itself where it has none. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

const DECISION = /[0-9a-f]{8}-[0-9a-f-]{27}/u;

/** The id of a decision in what an error shows. */
export function decisionIn(shown: string | null | undefined): { readonly decision?: string } {
  const decision = DECISION.exec(shown ?? '')?.[0];
  return decision === undefined ? {} : { decision };
}

/** The error class that the clients of OpenAI and Anthropic share by its shape: both are made by one generator. */
type ApiErrorClass = abstract new (
  ...given: never
) => Error & {
  readonly status: number | undefined;
  readonly headers: Headers | undefined;
};

/** What one of their clients threw, after `text`. Throws on what is no Error. */
export function thrownBy(apiError: ApiErrorClass, error: unknown, text: string): Thrown {
  if (!(error instanceof Error)) throw error;
  const { name } = error.constructor;
  if (!(error instanceof apiError)) return { error: name, message: error.message, text };
  return {
    error: name,
    ...(error.status === undefined ? {} : { status: error.status }),
    message: error.message,
    ...decisionIn(error.headers?.get('x-switchyard-decision')),
    text,
  };
}
