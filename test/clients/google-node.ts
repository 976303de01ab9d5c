/** `@google/genai`: Gemini. */
import { ApiError, type Content, type GenerateContentResponse, GoogleGenAI } from '@google/genai';
import {
  type Answered,
  type Client,
  decisionIn,
  type Manner,
  type Question,
  type Thrown,
  TOOL,
} from './said.ts';

export function googleClient(origin: string): Client {
  const client = new GoogleGenAI({ apiKey: 'none', httpOptions: { baseUrl: origin } });
  return {
    name: '@google/genai',
    api: 'gemini',
    manners: ['document', 'stream'],
    ask: async (manner, question) => {
      const seen: GenerateContentResponse[] = [];
      try {
        return await ask(client, manner, question, seen);
      } catch (error) {
        return thrown(error, textOf(seen));
      }
    },
  };
}

function thrown(error: unknown, text: string): Thrown {
  if (!(error instanceof Error)) throw error;
  return {
    error: error.constructor.name,
    ...(error instanceof ApiError && { status: error.status }),
    message: error.message,
    ...decisionIn(error.message),
    text,
  };
}

async function ask(
  client: GoogleGenAI,
  manner: Manner,
  question: Question,
  seen: GenerateContentResponse[],
): Promise<Answered> {
  const contents: Content[] = [{ role: 'user', parts: [{ text: question.prompt }] }];
  if (question.toolResult !== undefined)
    contents.push(
      { role: 'model', parts: [{ functionCall: { name: TOOL.name, args: {} } }] },
      {
        role: 'user',
        parts: [
          { functionResponse: { name: TOOL.name, response: { result: question.toolResult } } },
        ],
      },
    );
  const { name, description, parameters } = TOOL;
  const declaration = { name, description, parametersJsonSchema: parameters };
  const request = {
    model: 'gemini-test',
    contents,
    config: {
      ...(question.tools && { tools: [{ functionDeclarations: [declaration] }] }),
    },
  };
  if (manner === 'document') seen.push(await client.models.generateContent(request));
  else
    for await (const chunk of await client.models.generateContentStream(request)) seen.push(chunk);
  return readChunks(seen);
}

function textOf(chunks: readonly GenerateContentResponse[]): string {
  // `text` warns on the console where there are calls beside it.
  return chunks.map((chunk) => (hasCalls(chunk) ? '' : (chunk.text ?? ''))).join('');
}

function hasCalls({ candidates }: GenerateContentResponse): boolean {
  return candidates?.[0]?.content?.parts?.some((part) => 'functionCall' in part) ?? false;
}

function readChunks(chunks: readonly GenerateContentResponse[]): Answered {
  const last = chunks.at(-1);
  const candidate = last?.candidates?.[0];
  const { promptFeedback, usageMetadata } = last ?? {};
  return {
    text: textOf(chunks),
    refusal: candidate?.finishMessage ?? promptFeedback?.blockReasonMessage ?? '',
    finish: candidate?.finishReason ?? promptFeedback?.blockReason ?? '',
    calls: chunks.flatMap((chunk) =>
      (chunk.functionCalls ?? []).map((call) => ({ name: call.name ?? '', arguments: call.args })),
    ),
    ...(usageMetadata && {
      usage: {
        input: usageMetadata.promptTokenCount ?? 0,
        output: usageMetadata.candidatesTokenCount ?? 0,
      },
    }),
  };
}
