/** The Vercel AI SDK (`ai`) over its own providers. */
import { createAnthropic } from '@ai-sdk/anthropic';
import { createGoogleGenerativeAI } from '@ai-sdk/google';
import { createOpenAI } from '@ai-sdk/openai';
import {
  APICallError,
  generateText,
  jsonSchema,
  type LanguageModel,
  type ModelMessage,
  type ProviderMetadata,
  RetryError,
  streamText,
} from 'ai';
import {
  type Answered,
  type Client,
  decisionIn,
  type Manner,
  type Question,
  type Thrown,
  TOOL,
} from './said.ts';

export function vercelClients(origin: string): readonly Client[] {
  const openai = createOpenAI({ baseURL: `${origin}/v1`, apiKey: 'none' });
  const anthropic = createAnthropic({ baseURL: `${origin}/v1`, apiKey: 'none' });
  const google = createGoogleGenerativeAI({ baseURL: `${origin}/v1beta`, apiKey: 'none' });
  const of = (name: string, api: Client['api'], model: LanguageModel): Client => ({
    name: `ai with ${name}`,
    api,
    manners: ['document', 'stream'],
    ask: (manner, question) => ask(model, manner, question),
  });
  return [
    of('@ai-sdk/openai, chat', 'chat', openai.chat('gpt-test')),
    of('@ai-sdk/openai, responses', 'responses', openai.responses('gpt-test')),
    of('@ai-sdk/anthropic', 'messages', anthropic('claude-test')),
    of('@ai-sdk/google', 'gemini', google('gemini-2.5-flash')),
  ];
}

function thrown(error: unknown, text: string): Thrown {
  if (!(error instanceof Error)) throw error;
  // What was tried in vain several times comes wrapped.
  const call = RetryError.isInstance(error) ? error.lastError : error;
  if (!APICallError.isInstance(call)) return { error: error.name, message: error.message, text };
  return {
    error: error.name,
    ...(call.statusCode === undefined ? {} : { status: call.statusCode }),
    message: call.message,
    ...decisionIn(call.responseHeaders?.['x-switchyard-decision']),
    text,
  };
}

function body(model: LanguageModel, question: Question) {
  const messages: ModelMessage[] = [{ role: 'user', content: question.prompt }];
  if (question.toolResult !== undefined) {
    const call = { toolCallId: 'call_1', toolName: TOOL.name };
    messages.push(
      { role: 'assistant', content: [{ type: 'tool-call', ...call, input: {} }] },
      {
        role: 'tool',
        content: [
          { type: 'tool-result', ...call, output: { type: 'text', value: question.toolResult } },
        ],
      },
    );
  }
  const { description, parameters } = TOOL;
  const inputSchema = jsonSchema<Record<string, unknown>>({ ...parameters, type: 'object' });
  return {
    model,
    messages,
    maxOutputTokens: 500,
    ...(question.tools && { tools: { [TOOL.name]: { description, inputSchema } } }),
  };
}

async function ask(
  model: LanguageModel,
  manner: Manner,
  question: Question,
): Promise<Answered | Thrown> {
  let text = '';
  try {
    if (manner === 'document') return read(await generateText(body(model, question)));
    let failure: unknown;
    const result = streamText({ ...body(model, question), onError: () => undefined });
    for await (const part of result.fullStream) {
      if (part.type === 'text-delta') text += part.text;
      if (part.type === 'error') failure = part.error;
    }
    if (failure !== undefined) return thrown(failure, text);
    return read({
      text: await result.text,
      finishReason: await result.finishReason,
      toolCalls: await result.toolCalls,
      usage: await result.usage,
      providerMetadata: await result.providerMetadata,
    });
  } catch (error) {
    return thrown(error, text);
  }
}

/** What a provider's own place for it says; the SDK itself has none. */
function refusalIn(metadata: ProviderMetadata | undefined): string {
  const details = metadata?.anthropic?.stopDetails as { readonly explanation?: string } | undefined;
  const message = metadata?.google?.finishMessage as string | null | undefined;
  return details?.explanation ?? message ?? '';
}

function read(result: {
  readonly text: string;
  readonly finishReason: string;
  readonly toolCalls: readonly { readonly toolName: string; readonly input: unknown }[];
  readonly providerMetadata: ProviderMetadata | undefined;
  readonly usage: {
    readonly inputTokens: number | undefined;
    readonly outputTokens: number | undefined;
  };
}): Answered {
  return {
    text: result.text,
    refusal: refusalIn(result.providerMetadata),
    finish: result.finishReason,
    calls: result.toolCalls.map((call) => ({ name: call.toolName, arguments: call.input })),
    usage: { input: result.usage.inputTokens ?? 0, output: result.usage.outputTokens ?? 0 },
  };
}
