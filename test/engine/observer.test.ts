/** What an observer is told: every frame, what held it, what became of each match, and nothing else changes. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Exchange } from '../../src/engine/exchange.ts';
import type { ExchangeObserver } from '../../src/engine/observer.ts';
import {
  answer,
  CHAT_HEADERS,
  chatStream,
  compile,
  headersEvent,
  RecordingPort,
  rig,
} from './rig.ts';

const SET = compile(`
kind: Policy
metadata: { name: p, layer: platform }
class: security
rules:
  - { id: zebra, inspect: [response], match: { keywords: { words: [Project Zebra] } }, then: block }
  - { id: mail, inspect: [response], match: { pii: { entities: [email] } }, then: redact }
  - { id: bank, inspect: [response], match: { keywords: { words: [Bank A, at Bank] } }, then: { rewrite: { with: a bank } } }
  - { id: seen, inspect: [response], match: { keywords: { words: [Bank] } }, then: flag }
  - { id: dry, inspect: [response], match: { keywords: { words: [dry] } }, then: block, enforcement: shadow }
  - { id: ours, priority: 9, inspect: [response], match: { keywords: { words: [us@acme.example] } }, then: allow }
  - { id: said, inspect: [request], match: { keywords: { words: [secret] } }, then: { block: { status: 451 } } }
`);

/** Everything told, as short lines. */
function telling(): { readonly observer: ExchangeObserver; readonly lines: string[] } {
  const lines: string[] = [];
  const observer: ExchangeObserver = {
    activated: ({ active }) =>
      void lines.push(`rules ${active.content.map((rule) => rule.id.slice(2)).join(' ')}`),
    unreadable: (direction, reason) => void lines.push(`unreadable ${direction} ${reason}`),
    refused: ({ code, rule, answer }) =>
      void lines.push(`refused ${code} ${rule?.id} ${answer?.status}`),
    body({ direction, format, streamed }) {
      lines.push(`body ${direction} ${format} ${streamed ? 'streamed' : 'whole'}`);
      const frames: unknown[] = [];
      const name = (frame: unknown) => (frame ? frames.indexOf(frame) : 'ours');
      return {
        frame: (frame) => {
          frames.push(frame);
          lines.push(
            `frame ${name(frame)} ${frame.unreadable ?? frame.pieces.map(({ value }) => JSON.stringify(value)).join(' ')}`,
          );
        },
        held: (frame, waits) =>
          void lines.push(
            `held ${name(frame)} ${waits.map(({ rule, start }) => `${rule.id}@${start}`).join(' ')}`,
          ),
        finding: ({ rule, start, end, effect }) =>
          void lines.push(
            `match ${rule.id} ${start}-${end} ${effect.kind}${'by' in effect ? ` ${effect.by.id}` : ''}${'replacement' in effect ? ` ${effect.replacement}` : ''}`,
          ),
        appended: (text, rules, form) =>
          void lines.push(`appended ${text} ${rules.map(({ id }) => id)} ${form}`),
        released: (frame, bytes) =>
          void lines.push(
            `released ${name(frame)} ${bytes === (frame as { bytes?: unknown })?.bytes ? 'as it came' : 'changed'}`,
          ),
        ended: (frames) => void lines.push(`ended ${frames.length}`),
      };
    },
  };
  return { observer, lines };
}

function told(deltas: readonly string[], set = SET): readonly string[] {
  const { observer, lines } = telling();
  const from = rig(set);
  const bytes = chatStream(deltas.map((content) => ({ delta: { content } })));
  const { text } = answer({ ...from, deps: { ...from.deps, observer } }, [bytes]);
  assert.equal(text, answer(rig(set), [bytes]).text);
  return lines.slice(lines.findLastIndex((line) => line.startsWith('body')) + 1);
}

describe('an observer', () => {
  it('is none of a server: content never leaves by the back door', () => {
    const main = readFileSync(new URL('../../src/main.ts', import.meta.url), 'utf8');
    const deps = /const deps: EngineDeps = \{[\s\S]*?\n {2}\};/.exec(main)?.[0];
    assert.ok(deps);
    assert.doesNotMatch(deps, /observer/);
    assert.doesNotMatch(main, /engine\/(observer|rehearsal)/);
  });

  it('is told what holds a frame, and when it leaves', () => {
    assert.deepEqual(told(['In Project', ' Z', 'oo']), [
      'frame 0 "In Project"',
      'held 0 p/mail@3 p/zebra@3',
      'frame 1 " Z"',
      'held 1 p/zebra@3 p/mail@11',
      'frame 2 "oo"',
      'released 0 as it came',
      'held 2 p/mail@11',
      'frame 3 ',
      'released 1 as it came',
      'released 2 as it came',
      'released 3 as it came',
    ]);
  });

  it('is told what became of each match', () => {
    assert.deepEqual(
      told(['to ann@acme.example, us@acme.example, go dry at Bank A ok']).filter((line) =>
        line.startsWith('match'),
      ),
      [
        'match p/mail 3-19 replace [EMAIL_1]',
        'match p/ours 21-36 allow',
        'match p/mail 21-36 exempt p/ours',
        'match p/dry 41-44 shadow',
        'match p/bank 45-52 replace a bank',
        'match p/seen 48-52 flag',
      ],
    );
  });

  it('is told which replacement stands for a match that loses', () => {
    const set = compile(`
kind: Policy
metadata: { name: p, layer: platform }
class: security
rules:
  - { id: first, inspect: [response], match: { keywords: { words: [red blue] } }, then: { rewrite: { with: one } } }
  - { id: second, inspect: [response], match: { keywords: { words: [blue green] } }, then: { rewrite: { with: two } } }
`);
    assert.deepEqual(told(['a red blue green day'], set).slice(1, 3), [
      'match p/first 2-10 replace one',
      'match p/second 6-16 cover p/first',
    ]);
  });

  it('is told how an answer ends that had begun', () => {
    assert.deepEqual(told(['So ', 'Project Zebra', ' is']).slice(-4), [
      'frame 2 " is"',
      'match p/zebra 3-16 block',
      'ended 3',
      'refused policy p/zebra undefined',
    ]);
  });

  it('is told of the request, its refusal, and what could not be read', () => {
    for (const [body, lines] of [
      [
        '{"model":"m","messages":[{"role":"user","content":"a secret"}]}',
        [
          'body request openai.chat whole',
          'frame 0 "a secret"',
          'match p/said 2-8 block',
          'refused policy p/said 451',
        ],
      ],
      [
        '{"model":',
        [
          'body request openai.chat whole',
          'frame 0 not_json',
          'refused unreadable_body undefined 400',
        ],
      ],
    ] as const) {
      const { observer, lines: seen } = telling();
      const exchange = new Exchange({ ...rig(SET).deps, observer }, new RecordingPort());
      exchange.event(headersEvent('request', CHAT_HEADERS));
      exchange.event({
        kind: 'body',
        direction: 'request',
        bytes: Buffer.from(body),
        endOfStream: true,
      });
      assert.deepEqual(seen.slice(1), lines);
    }
  });

  it('is told of a coding that nobody here knows', () => {
    const { observer, lines } = telling();
    const exchange = new Exchange({ ...rig(SET).deps, observer }, new RecordingPort());
    exchange.event(headersEvent('request', { ...CHAT_HEADERS, 'content-encoding': 'lzma' }));
    exchange.event({
      kind: 'body',
      direction: 'request',
      bytes: Buffer.from('{}'),
      endOfStream: true,
    });
    assert.ok(lines.includes('unreadable request unknown_encoding'), lines.join('\n'));
  });
});
