import assert from 'node:assert/strict';
import { bytesOf, chunkOf, sse } from './chat-bodies.ts';
import { GUARD, run } from './exchange-run.ts';

const token = (word: string, others: readonly string[] = []) => ({
  token: word,
  logprob: -0.1,
  bytes: [...bytesOf(word)],
  top_logprobs: [word, ...others].map((other) => ({ token: other, logprob: -0.1 })),
});

const geminiTokens = (words: readonly string[], others: readonly string[] = []) => ({
  logprobsResult: {
    chosenCandidates: words.map((word) => ({ token: word, tokenId: 7, logProbability: -0.1 })),
    topCandidates: words.map((word) => ({
      candidates: [word, ...others].map((other) => ({ token: other, logProbability: -0.1 })),
    })),
  },
});

interface Api {
  readonly path: string;
  readonly request: string;
  /** A stream of deltas, each with its tokens and with what else was considered for them. */
  readonly events: (
    deltas: readonly (readonly [text: string, words: readonly string[], others?: string[]])[],
  ) => readonly object[];
}

const at = { item_id: 'm', output_index: 0, content_index: 0 };
const APIS: readonly Api[] = [
  {
    path: '/v1/chat/completions',
    request: '{"messages":[]}',
    events: (deltas) =>
      deltas.map(([content, words, others]) =>
        chunkOf({ content }, null, {
          logprobs: { content: words.map((word) => token(word, others)) },
        }),
      ),
  },
  {
    path: '/v1/responses',
    request: '{"input":"x"}',
    events: (deltas) =>
      deltas.map(([delta, words, others]) => ({
        type: 'response.output_text.delta',
        ...at,
        delta,
        logprobs: words.map((word) => token(word, others)),
      })),
  },
  {
    path: '/v1beta/models/m:streamGenerateContent?alt=sse',
    request: '{"contents":[]}',
    events: (deltas) =>
      deltas.map(([text, words, others]) => ({
        candidates: [{ content: { parts: [{ text }] }, ...geminiTokens(words, others) }],
      })),
  },
];

describe('log probabilities', () => {
  for (const { path, request, events } of APIS) {
    const answer = (...deltas: Parameters<Api['events']>[0]) =>
      run(GUARD, { path, request }, [bytesOf(sse(...events(deltas)))]);

    it(`stay byte for byte where nothing matches: ${path}`, () => {
      const deltas = [
        ['Good', ['Go', 'od'], ['Bad']],
        [' day.', [' day', '.']],
      ] as const;
      const body = sse(...events(deltas as never));
      assert.equal(run(GUARD, { path, request }, [bytesOf(body)]).response, body);
    });

    it(`go where the text is changed, and do not spell it: ${path}`, () => {
      const { response } = answer(
        ['Ask ', ['Ask', ' ']],
        ['Ban', ['Ban']],
        ['k A', ['k', ' A']],
        [' now', [' now']],
      );
      assert.ok(response.includes('another bank'));
      assert.ok(!/"Ban"|"k"/.test(response), response);
      assert.ok(response.includes('" now"'), response);
    });

    it(`say nothing that the text does not: ${path}`, () => {
      const { response } = answer(['fine', ['Project', ' Ze']], [' too', ['bra']]);
      assert.ok(!response.includes('bra"'), response);
      assert.ok(response.includes('No.'), response);
    });

    it(`say nothing across deltas of which one spells the beginning of its text only: ${path}`, () => {
      const { response } = answer(['Project of ours', ['Project']], ['fine', [' Zebra']]);
      assert.ok(!response.includes(' Zebra"'), response);
      assert.ok(response.includes('No.'), response);
    });

    it(`name nothing forbidden among what was considered: ${path}`, () => {
      const { response } = answer(['fine', ['fine'], ['joe@acme.example']]);
      assert.ok(!response.includes('joe@'), response);
    });
  }
});
