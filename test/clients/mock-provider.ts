/** `@copilotkit/aimock` as the provider: what it is told to say, and what reached it. */
import { LLMock } from '@copilotkit/aimock';

/** What the provider says to every prompt that contains `prompt`. */
export interface Line {
  readonly prompt: string;
  readonly says: Speech;
}

export type Speech =
  | { readonly text: string }
  | { readonly calls: readonly { readonly name: string; readonly arguments: object }[] }
  | { readonly status: number; readonly message: string }
  /** A body that is no JSON, under a media type that says it is. */
  | { readonly garbage: true };

/** Characters in each delta of a streamed answer: words are split over several. */
const DELTA_CHARACTERS = 3;

/** What the provider says that its answers cost. Members in the words of each API. */
export const USAGE = Object.freeze({ input: 11, output: 7 });
const USAGE_MEMBERS = Object.freeze({
  prompt_tokens: USAGE.input,
  completion_tokens: USAGE.output,
  input_tokens: USAGE.input,
  output_tokens: USAGE.output,
  promptTokenCount: USAGE.input,
  candidatesTokenCount: USAGE.output,
});

export interface MockProvider {
  readonly port: number;
  /** Bodies of the requests since it was asked last, as JSON. */
  takeRequests(): readonly string[];
  stop(): Promise<void>;
}

export async function startMockProvider(lines: readonly Line[]): Promise<MockProvider> {
  const mock = new LLMock({ port: 0, host: '127.0.0.1', logLevel: 'silent' });
  for (const { prompt, says } of lines) {
    const options = { chunkSize: DELTA_CHARACTERS };
    if ('text' in says)
      mock.onMessage(prompt, { content: says.text, usage: USAGE_MEMBERS }, options);
    else if ('calls' in says)
      mock.onMessage(
        prompt,
        { toolCalls: [...says.calls], usage: USAGE_MEMBERS } as never,
        options,
      );
    else if ('status' in says)
      mock.onMessage(prompt, { error: { message: says.message }, status: says.status });
    else mock.onMessage(prompt, { content: '' }, { chaos: { malformedRate: 1 } });
  }
  await mock.start();
  return {
    port: mock.port,
    takeRequests() {
      const bodies = mock.getRequests().map(({ body }) => JSON.stringify(body));
      mock.clearRequests();
      return bodies;
    },
    stop: () => mock.stop(),
  };
}
