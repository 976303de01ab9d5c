import assert from 'node:assert/strict';
import fc from 'fast-check';
import { charactersIn, MOVES_MAX, TextMoves } from '../../src/formats/text-moves.ts';
import { bytesOf, chunkOf, sse } from './chat-bodies.ts';
import { cutAt, GUARD, run, textCutAt } from './exchange-run.ts';

const characters = (text: string) => [...text];

/** Edits of a text, in order. */
const EDITED = fc
  .tuple(
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 }),
    fc.array(fc.tuple(fc.nat(59), fc.nat(59), fc.string({ unit: 'grapheme', maxLength: 5 })), {
      maxLength: 4,
    }),
  )
  .map(([text, wanted]) => {
    const starts = boundariesOf(text);
    const edits: { start: number; end: number; replacement: string }[] = [];
    for (const [a, b, replacement] of wanted.toSorted((x, y) => x[0] - y[0])) {
      const start = starts[Math.min(a, starts.length - 1)]!;
      const end = starts[Math.min(Math.max(a, b), starts.length - 1)]!;
      if (end > start && start >= (edits.at(-1)?.end ?? 0)) edits.push({ start, end, replacement });
    }
    return { text, edits };
  });

function boundariesOf(text: string): number[] {
  const starts = [0];
  for (const character of text) starts.push(starts.at(-1)! + character.length);
  return starts;
}

describe('places in a text that was changed', () => {
  it('outside of what was changed have the same words behind and before them', () => {
    fc.assert(
      fc.property(EDITED, fc.array(fc.nat(100), { maxLength: 3 }), ({ text, edits }, cuts) => {
        const moves = new TextMoves();
        let at = 0;
        for (const part of textCutAt(
          text,
          cuts.filter((cut) => boundariesOf(text).includes(cut)),
        )) {
          const inside = edits.filter(({ start, end }) => start >= at && end <= at + part.length);
          moves.note(
            part,
            inside.map((edit) => ({ ...edit, start: edit.start - at, end: edit.end - at })),
          );
          moves.leave(part);
          at += part.length;
          for (const edit of edits) if (edit.start < at && edit.end > at) return;
        }
        let changed = '';
        let kept = 0;
        for (const { start, end, replacement } of edits) {
          changed += text.slice(kept, start) + replacement;
          kept = end;
        }
        changed += text.slice(kept);
        boundariesOf(text).forEach((unit, offset) => {
          const now = moves.moved(offset, 'start');
          if (edits.some(({ start, end }) => unit > start && unit < end)) {
            assert.ok(now <= moves.moved(offset, 'end'));
            return;
          }
          const isStart = edits.some(({ start }) => start === unit);
          const behind = text.slice(unit, edits.find(({ start }) => start >= unit)?.start);
          const found = characters(changed).slice(now).join('');
          assert.ok(isStart || found.startsWith(behind), `${offset} of ${text}`);
        });
      }),
    );
  });

  it('end where a change begins, and begin where one ends', () => {
    const moves = new TextMoves();
    moves.note('see Bob now', [{ start: 4, end: 7, replacement: '[NAME_1]' }]);
    for (const [offset, start, end] of [
      [3, 3, 3],
      [4, 4, 4],
      [5, 4, 12],
      [7, 12, 12],
      [8, 13, 13],
    ] as const)
      assert.deepEqual([moves.moved(offset, 'start'), moves.moved(offset, 'end')], [start, end]);
  });

  it('count characters, not units', () => {
    for (const text of ['', 'a', 'é', '😀', 'a😀b', '\ud83d', '\ude00\ud83d'])
      assert.equal(charactersIn(text), characters(text).length, JSON.stringify(text));
  });

  it('move by all changes when those are more than are told apart', () => {
    const moves = new TextMoves();
    for (let change = 0; change < MOVES_MAX * 3; change += 1) {
      moves.note('ab', [{ start: 0, end: 1, replacement: 'xyz' }]);
      moves.leave('ab');
    }
    const total = MOVES_MAX * 3;
    assert.equal(moves.moved(total * 2, 'end'), total * 4);
    assert.equal(moves.moved(total * 2 - 2, 'start'), total * 4 - 4);
    assert.equal(moves.moved(1, 'start'), 0);
  });
});

const TEXT = '😀 joe@acme.example said: see here.';
const MASKED = '😀 [EMAIL_1] said: see here.';
const START = 'see';
/** In characters, as the APIs count. */
const placeIn = (text: string) => {
  const start = characters(text.slice(0, text.indexOf(START))).length;
  return { start_index: start, end_index: start + 3 };
};

describe('annotations of an answer that was changed', () => {
  const annotation = (text: string) => ({
    type: 'url_citation',
    url_citation: { ...placeIn(text), url: 'https://example.org', title: 'by joe@acme.example' },
  });
  const masked = (value: unknown) =>
    JSON.parse(JSON.stringify(value).replaceAll('joe@acme.example', '[EMAIL_1]'));

  it('point at the same words: chat completion', () => {
    const answer = (text: string, annotations: object[]) => ({
      choices: [{ index: 0, message: { content: text, annotations }, finish_reason: 'stop' }],
    });
    const { response } = run(
      GUARD,
      {
        path: '/v1/chat/completions',
        request: '{"messages":[]}',
        responseType: 'application/json',
      },
      [bytesOf(JSON.stringify(answer(TEXT, [annotation(TEXT)])))],
    );
    assert.deepEqual(JSON.parse(response), answer(MASKED, [masked(annotation(MASKED))]));
  });

  for (const cuts of [[], [1], [4, 9], [20], [2, 3, 4, 5, 6, 30]])
    it(`point at the same words: chat stream, cut at ${cuts.join()}`, () => {
      const bytes = bytesOf(
        sse(
          ...textCutAt(TEXT, cuts).map((content) => chunkOf({ content })),
          chunkOf({ annotations: [annotation(TEXT)] }),
          chunkOf({}, 'stop'),
          '[DONE]',
        ),
      );
      const call = { path: '/v1/chat/completions', request: '{"messages":[]}' };
      for (const pieces of [[bytes], cutAt(bytes, [100, 333])]) {
        const { response } = run(GUARD, call, pieces);
        const found = response
          .split('\n\n')
          .filter((event) => event.includes('annotations'))
          .map((event) => JSON.parse(event.slice('data: '.length)).choices[0].delta.annotations);
        assert.deepEqual(found, [[masked(annotation(MASKED))]]);
      }
    });

  it('point at the same words: Responses, in their own event and in every repetition', () => {
    const cited = (text: string) => ({
      type: 'url_citation',
      ...placeIn(text),
      url: 'https://example.org',
      title: 'title',
    });
    const part = (text: string, annotations: object[]) => ({
      type: 'output_text',
      text,
      annotations,
      logprobs: [],
    });
    const item = (content: object[]) => ({ id: 'm', type: 'message', role: 'assistant', content });
    const at = { item_id: 'm', output_index: 0, content_index: 0 };
    const events = (text: string, parts: readonly string[]): object[] => [
      { type: 'response.output_item.added', output_index: 0, item: item([]) },
      { type: 'response.content_part.added', ...at, part: part('', []) },
      ...parts.map((delta) => ({ type: 'response.output_text.delta', ...at, delta, logprobs: [] })),
      {
        type: 'response.output_text.annotation.added',
        ...at,
        annotation_index: 0,
        annotation: cited(text),
      },
      { type: 'response.output_text.done', ...at, text, logprobs: [] },
      { type: 'response.content_part.done', ...at, part: part(text, [cited(text)]) },
      {
        type: 'response.output_item.done',
        output_index: 0,
        item: item([part(text, [cited(text)])]),
      },
      {
        type: 'response.completed',
        response: {
          id: 'r',
          object: 'response',
          output: [item([part(text, [cited(text)]), part(text, [cited(text)])])],
        },
      },
    ];
    const call = { path: '/v1/responses', request: '{"input":"x"}' };
    const bytes = bytesOf(sse(...events(TEXT, textCutAt(TEXT, [5, 12]))));
    const { response } = run(GUARD, call, [bytes]);
    const expected = events(MASKED, []);
    const found = response
      .split('\n\n')
      .filter((event) => event !== '' && !event.includes('output_text.delta'))
      .map((event) => JSON.parse(event.slice('data: '.length)));
    assert.deepEqual(found, expected);
  });

  it('are gone from a Gemini answer, where they count bytes; what was found stays', () => {
    const rest = (text: string) => ({
      groundingMetadata: {
        webSearchQueries: ['who'],
        groundingChunks: [{ web: { uri: 'https://example.org', title: 'title' } }],
        groundingSupports: [
          { segment: { startIndex: 5, endIndex: 9, text }, groundingChunkIndices: [0] },
        ],
      },
      citationMetadata: { citationSources: [{ startIndex: 1, endIndex: 9, uri: 'u' }] },
    });
    const chunk = (text: string, more: object = {}) => ({
      candidates: [{ index: 0, content: { role: 'model', parts: [{ text }] }, ...more }],
    });
    const call = {
      path: '/v1beta/models/m:streamGenerateContent?alt=sse',
      request: '{"contents":[]}',
    };
    const answer = (...chunks: object[]) =>
      run(GUARD, call, [bytesOf(sse(...chunks))])
        .response.split('\n\n')
        .filter((event) => event !== '')
        .map((event) => JSON.parse(event.slice('data: '.length)).candidates[0]);
    const changed = answer(chunk('to joe@acme.example, '), chunk('see.', rest('joe@acme')));
    assert.deepEqual(changed[1].groundingMetadata, {
      ...rest('').groundingMetadata,
      groundingSupports: [],
    });
    assert.deepEqual(changed[1].citationMetadata, { citationSources: [] });
    const same = answer(chunk('to nobody, '), chunk('see.', rest('nobody')));
    assert.deepEqual(same[1].groundingMetadata, rest('nobody').groundingMetadata);
    const told = answer(chunk('to nobody, '), chunk('see.', rest('joe@acme.example')));
    assert.ok(!JSON.stringify(told).includes('joe@'));
  });
});
