/** What the engine does with classifiers: whom it asks what, who waits, and what follows from each outcome. */
import assert from 'node:assert/strict';
import type {
  ClassifierOutcome,
  ClassifierQuery,
  Classifiers,
} from '../../src/engine/classifiers.ts';
import { Exchange } from '../../src/engine/exchange.ts';
import type { EngineLimits } from '../../src/engine/limits.ts';
import { MemorySessionScores } from '../../src/engine/session-scores.ts';
import type { ClassifierFailure } from '../../src/policy/given-verdict.ts';
import type { PolicySet } from '../../src/policy/set.ts';
import type { BodyMode } from '../../src/protocol/process.ts';
import {
  CHAT_HEADERS,
  chatStream,
  compile,
  headersEvent,
  RecordingPort,
  type Rig,
  rig,
} from './rig.ts';

/** Answers when the test says so. */
class TestClassifiers implements Classifiers {
  readonly queries: ClassifierQuery[] = [];
  private readonly waiting: ((outcome: ClassifierOutcome) => void)[] = [];
  /** At once, where it is given. */
  atOnce: ((query: ClassifierQuery) => ClassifierOutcome) | undefined;

  ask(query: ClassifierQuery, told: (outcome: ClassifierOutcome) => void): void {
    this.queries.push(query);
    if (this.atOnce) told(this.atOnce(query));
    else this.waiting.push(told);
  }

  answer(outcome: (query: ClassifierQuery) => ClassifierOutcome): void {
    for (const [at, told] of this.waiting.splice(0).entries()) told(outcome(this.queries[at]!));
  }

  get texts(): readonly (readonly string[])[] {
    return this.queries.map(({ texts }) => texts);
  }
}

const scored =
  (score: (text: string) => number) =>
  ({ texts }: ClassifierQuery): ClassifierOutcome => ({
    kind: 'judged',
    verdicts: texts.map((text) => ({ scores: new Map([['toxicity', score(text)]]) })),
  });
const byWord = scored((text) => (text.includes('venom') ? 0.97 : 0.01));
const failed = (reason: ClassifierFailure) => (): ClassifierOutcome => ({ kind: 'failed', reason });

interface Stage {
  readonly from: Rig;
  readonly classifiers: TestClassifiers;
  /** Opens an exchange. */
  open(mode?: BodyMode, observability?: boolean): { port: RecordingPort; exchange: Exchange };
  /** Sends a request of these messages whole, and does what it leaves to do. */
  request(
    messages: readonly (readonly [role: string, content: string])[],
    headers?: Readonly<Record<string, string>>,
    mode?: BodyMode,
  ): { port: RecordingPort; exchange: Exchange; body: string };
  pump(): void;
}

const sets = new Map<string, PolicySet>();

function compiled(text: string): PolicySet {
  const set = sets.get(text) ?? compile(text);
  sets.set(text, set);
  return set;
}

function stage(rules: string, ruleClass = 'security', limits: Partial<EngineLimits> = {}): Stage {
  const set = compiled(
    `kind: Policy\nmetadata: { name: p, layer: platform }\nclass: ${ruleClass}\nrules:\n${rules.trim().replace(/^ */gm, '  ')}\n`,
  );
  const base = rig(set, limits);
  const classifiers = new TestClassifiers();
  const deps = { ...base.deps, classifiers, sessionScores: new MemorySessionScores(100) };
  const from: Rig = { ...base, deps };
  const pump = (): void => {
    while (base.clock.turn());
  };
  const open = (mode?: BodyMode, observability = false) => {
    const port = Object.assign(new RecordingPort(mode), { observability });
    return { port, exchange: new Exchange(deps, port) };
  };
  return {
    from,
    classifiers,
    open,
    pump,
    request(messages, headers = {}, mode = undefined) {
      const { port, exchange } = open(mode);
      const body = JSON.stringify({
        model: 'm',
        messages: messages.map(([role, content]) => ({ role, content })),
      });
      exchange.event(headersEvent('request', { ...CHAT_HEADERS, ...headers }));
      if (!port.refusal)
        exchange.event({
          kind: 'body',
          direction: 'request',
          bytes: Buffer.from(body),
          endOfStream: true,
        });
      pump();
      return { port, exchange, body };
    },
  };
}

const streamOf = (deltas: readonly string[]): Uint8Array =>
  chatStream([
    { delta: { role: 'assistant' } },
    ...deltas.map((content) => ({ delta: { content } })),
    { delta: {}, finish: 'stop' },
  ]);

/** Gives an answer in pieces; the last ends it. */
function answerWith(
  { open, pump }: Stage,
  pieces: readonly Uint8Array[],
  contentType = 'text/event-stream',
  mode?: BodyMode,
  observability = false,
): { port: RecordingPort; exchange: Exchange } {
  const { port, exchange } = open(mode, observability);
  exchange.event(headersEvent('request', CHAT_HEADERS, { endOfStream: true }));
  exchange.event(headersEvent('response', { ':status': '200', 'content-type': contentType }));
  for (const [at, bytes] of pieces.entries()) {
    if (port.refusal) break;
    const endOfStream = at === pieces.length - 1;
    exchange.event({ kind: 'body', direction: 'response', bytes: Buffer.from(bytes), endOfStream });
  }
  pump();
  return { port, exchange };
}

const INLINE = `- { id: tone, inspect: [request, response], match: { classifier: { name: toxicity, threshold: 0.8 } }, then: { block: { message: No. } } }`;
const DEFERRED = `- { id: tone, inspect: [request, response], match: { classifier: { name: toxicity, threshold: 0.8, mode: deferred } }, then: flag }`;

describe('a request that a classifier must judge', () => {
  it('is held, headers included, until the verdict, and then leaves as it was', () => {
    const held = stage(INLINE);
    const { port, body } = held.request([['user', 'Hello']]);
    assert.ok(!port.released.has('request'));
    assert.deepEqual(held.classifiers.texts, [['Hello']]);
    assert.equal(held.classifiers.queries[0]!.urgent, true);
    held.classifiers.answer(byWord);
    assert.ok(!port.released.has('request'), 'nothing happens inside of the call that tells');
    held.pump();
    assert.equal(port.sent('request'), body);
    assert.ok(port.ended.has('request'));
  });

  it('is refused from the threshold on', () => {
    for (const [score, refused] of [
      [0.8, true],
      [0.799_999, false],
    ] as const) {
      const one = stage(INLINE);
      one.classifiers.atOnce = scored(() => score);
      const { port } = one.request([['user', 'Hello']]);
      assert.equal(port.refusal?.status, refused ? 400 : undefined);
      assert.equal(port.released.has('request'), !refused);
      if (!refused) continue;
      const record = one.from.records.at(-1)!;
      assert.equal(record.verdict, 'deny');
      assert.deepEqual(record.findings, [
        {
          ...{ rule: 'p/tone', action: 'block', enforced: true, label: 'CLASSIFIER' },
          ...{ text: 'message/0/content', start: 0, end: 5, score },
        },
      ]);
    }
  });

  it('is asked about as it leaves, once for all rules, and about orders only where a rule says so', () => {
    const more = (inspect: string) => `
      ${INLINE}
      - { id: mail, inspect: [request], match: { pii: { entities: [email] } }, then: redact }
      - { id: other, inspect: [${inspect}], match: { classifier: { name: toxicity, threshold: 0.9 } }, then: block }`;
    const messages = [
      ['system', 'Be kind.'],
      ['user', 'Mail ann@acme.example'],
    ] as const;
    for (const [inspect, texts] of [
      ['request', ['Mail [EMAIL_1]']],
      ['system', ['Be kind.', 'Mail [EMAIL_1]']],
    ] as const) {
      const one = stage(more(inspect));
      one.request(messages);
      assert.deepEqual(one.classifiers.texts, [texts]);
    }
  });

  it('is not asked about where a rule in process refuses it', () => {
    const one = stage(`
      ${INLINE}
      - { id: zebra, inspect: [request], match: { keywords: { words: [zebra] } }, then: block }`);
    assert.equal(one.request([['user', 'zebra']]).port.refusal?.status, 400);
    assert.deepEqual(one.classifiers.queries, []);
  });

  it('is refused by the rule that comes first, and a match goes before a failure', () => {
    const rules = (low: string) => `
      - { id: a, priority: 1, inspect: [request], match: { classifier: { name: ${low}, threshold: 0.8 } }, then: { block: { message: Low. } } }
      - { id: b, priority: 2, inspect: [request], match: { classifier: { name: high, threshold: 0.8 } }, then: { block: { message: High. } } }`;
    const both = stage(rules('low'));
    both.classifiers.atOnce = scored(() => 0.9);
    assert.match(both.request([['user', 'x']]).port.refusal!.body, /High\./);
    const one = stage(rules('low'));
    one.classifiers.atOnce = (query) =>
      query.classifier === 'high' ? failed('deadline')() : scored(() => 0.9)(query);
    assert.match(one.request([['user', 'x']]).port.refusal!.body, /Low\./);
    assert.equal(one.from.records.at(-1)?.verdict, 'deny');
  });

  const failures: readonly ClassifierFailure[] = [
    ...(['deadline', 'unreachable', 'bad_status', 'bad_answer'] as const),
    ...(['overloaded', 'too_long', 'breaker_open', 'not_configured'] as const),
  ];
  for (const reason of failures)
    it(`is refused by security and passed by operational rules without a verdict: ${reason}`, () => {
      const open = reason === 'breaker_open';
      const error = open ? reason : `classifier_${reason}`;
      for (const [ruleClass, onError, denies] of [
        ['security', '', true],
        ['security', ', onError: allow', false],
        ['operational', '', false],
        ['operational', ', onError: deny', true],
      ] as const) {
        const one = stage(INLINE.replace('id: tone', `id: tone${onError}`), ruleClass);
        one.classifiers.atOnce = failed(reason);
        const { port, exchange, body } = one.request([['user', 'Hello']]);
        assert.equal(port.refusal?.status, denies ? 503 : undefined);
        assert.equal(port.sent('request'), denies ? '' : body);
        exchange.end('half_close');
        const record = one.from.records.at(-1)!;
        assert.equal(record.degraded, true);
        assert.equal(record.verdict, denies ? 'unavailable' : 'incomplete');
        if (denies) assert.equal(record.code, open ? 'breaker_open' : 'rule_error');
        assert.deepEqual(record.errors, [{ rule: 'p/tone', error, classifier: 'toxicity' }]);
        assert.deepEqual(record.breakers, open ? ['classifier/toxicity'] : []);
      }
    });

  it('is asked about up to the limit, and not beyond it', () => {
    for (const [units, asked] of [
      [99, true],
      [100, true],
      [101, false],
    ] as const) {
      const one = stage(INLINE, 'security', { classifiedUnitsMax: 100 });
      const { port } = one.request([
        ['user', 'a'.repeat(60)],
        ['user', 'b'.repeat(units - 60)],
      ]);
      assert.equal(one.classifiers.queries.length, asked ? 1 : 0);
      assert.equal(port.refusal?.status, asked ? undefined : 503);
      if (!asked) assert.equal(one.from.records.at(-1)?.errors[0]?.error, 'classifier_too_long');
    }
  });

  it('holds nobody where the rule flags, or is in shadow', () => {
    for (const rule of [
      INLINE.replace('{ block: { message: No. } }', 'flag'),
      INLINE.replace('id: tone', 'id: tone, enforcement: shadow'),
    ]) {
      const one = stage(rule);
      const { port, body } = one.request([['user', 'venom']]);
      assert.equal(port.sent('request'), body);
      assert.equal(one.classifiers.queries[0]?.urgent, false);
      one.classifiers.answer(byWord);
      assert.equal(port.refusal, undefined);
    }
  });

  it('leaves nothing behind when the client goes away meanwhile', () => {
    const one = stage(INLINE);
    const { port, exchange } = one.request([['user', 'venom']]);
    assert.ok(one.from.deps.held.bytes > 0);
    exchange.end('cancelled');
    assert.equal(one.from.deps.held.bytes, 0);
    one.classifiers.answer(byWord);
    one.pump();
    assert.ok(!port.released.has('request'));
    assert.equal(port.refusal, undefined);
    assert.equal(one.from.records.at(-1)?.verdict, 'incomplete');
  });

  it('keeps what arrives meanwhile for later', () => {
    const one = stage(INLINE);
    const { port, exchange } = one.request([['user', 'Hello']]);
    exchange.event(
      headersEvent('response', { ':status': '200', 'content-type': 'application/json' }),
    );
    assert.ok(!port.released.has('response'));
    one.classifiers.answer(byWord);
    one.pump();
    assert.ok(port.released.has('request'));
  });
});

describe('an answer that a classifier must judge', () => {
  const bytes = streamOf(['A drop ', 'of ven', 'om, mail ann@acme.example']);
  const MAIL = `- { id: mail, inspect: [response], match: { pii: { entities: [email] } }, then: redact }`;

  it('is held whole though it streams, and leaves as it would without the rule', () => {
    const free = stage(MAIL);
    const { port: alone } = answerWith(free, [bytes]);
    const held = stage(`${INLINE}\n${MAIL}`);
    const { port } = answerWith(held, [bytes]);
    assert.ok(!port.released.has('response'));
    assert.deepEqual(held.classifiers.texts, [['A drop of venom, mail [EMAIL_1]']]);
    assert.equal(held.classifiers.queries[0]!.direction, 'response');
    held.classifiers.answer(scored(() => 0));
    held.pump();
    assert.equal(port.sent('response'), alone.sent('response'));
    assert.ok(port.ended.has('response'));
  });

  it('is refused with a clean answer, of which nothing has left', () => {
    const held = stage(INLINE);
    const { port } = answerWith(held, [bytes.subarray(0, 200), bytes.subarray(200)]);
    held.classifiers.answer(byWord);
    held.pump();
    assert.equal(port.refusal?.status, 400);
    assert.equal(port.sent('response'), '');
    const document = JSON.stringify({
      choices: [{ index: 0, message: { role: 'assistant', content: 'venom' } }],
    });
    const whole = stage(INLINE);
    whole.classifiers.atOnce = byWord;
    const refused = answerWith(whole, [Buffer.from(document)], 'application/json');
    assert.equal(refused.port.refusal?.status, 400);
  });

  it('neither shows how it was cut nor when the verdict came', () => {
    const outcomes = new Set<string>();
    for (const harmless of [true, false])
      for (let cut = 1; cut < bytes.length; cut += harmless ? 1 : 7)
        for (const late of [true, false]) {
          const one = stage(`${INLINE}\n${MAIL}`);
          const verdict = harmless ? scored(() => 0) : byWord;
          if (!late) one.classifiers.atOnce = verdict;
          const { port } = answerWith(one, [bytes.subarray(0, cut), bytes.subarray(cut)]);
          if (late) one.classifiers.answer(verdict);
          one.pump();
          const { status } = port.refusal ?? {};
          outcomes.add(
            JSON.stringify([harmless, port.sent('response'), status, one.classifiers.texts]),
          );
        }
    assert.equal(outcomes.size, 2);
  });

  it('is asked about with placeholders, where the client alone is told what they stand for', () => {
    const reversible = `- { id: mail, inspect: [request], match: { pii: { entities: [email] } }, then: { redact: { reversible: true } } }`;
    const asking = INLINE.replace('[request, response]', '[response, tool_call]');
    for (const [said, type] of [
      [streamOf(['To [EMA', 'IL_1], then [EMAIL_9]']), 'text/event-stream'],
      [
        Buffer.from(
          JSON.stringify({
            choices: [
              {
                index: 0,
                message: {
                  role: 'assistant',
                  content: 'To [EMAIL_1], then [EMAIL_9]',
                  tool_calls: [
                    {
                      id: 'a',
                      type: 'function',
                      function: { name: 'f', arguments: '{"to":"[EMAIL_1]"}' },
                    },
                  ],
                },
              },
            ],
          }),
        ),
        'application/json',
      ],
    ] as const) {
      const one = stage(`${reversible}\n${asking}`);
      one.classifiers.atOnce = byWord;
      const { port, exchange } = one.request([['user', 'Write to ann@example.org']]);
      exchange.event(headersEvent('response', { ':status': '200', 'content-type': type }));
      exchange.event({
        kind: 'body',
        direction: 'response',
        bytes: Buffer.from(said),
        endOfStream: true,
      });
      one.pump();
      assert.ok(port.sent('response').includes('ann@example.org'), type);
      const asked = JSON.stringify(one.classifiers.texts);
      assert.ok(asked.includes('To [EMAIL_1], then [EMAIL_9]'), asked);
      assert.ok(!asked.includes('ann@'), asked);
    }
  });

  it('is never held by a deferred rule: it leaves frame by frame as without one', () => {
    const pieces = Array.from({ length: Math.ceil(bytes.length / 40) }, (_, at) =>
      bytes.subarray(at * 40, at * 40 + 40),
    );
    const chunks = (rules: string) => {
      const one = stage(rules);
      return { one, sent: answerWith(one, pieces).port.body_.response.map(String) };
    };
    const without = chunks(MAIL);
    const having = chunks(`${DEFERRED}\n${MAIL}`);
    assert.deepEqual(having.sent, without.sent);
    assert.deepEqual(having.one.classifiers.texts, [['A drop of venom, mail [EMAIL_1]']]);
  });

  it('cannot be judged on a route that holds nothing: the class decides', () => {
    for (const [rule, ruleClass, status, degraded] of [
      [INLINE, 'security', 503, true],
      [INLINE, 'operational', undefined, true],
      [DEFERRED, 'security', undefined, false],
    ] as const) {
      const one = stage(rule, ruleClass);
      const { port, exchange } = answerWith(one, [bytes], 'text/event-stream', 'STREAMED');
      exchange.end('half_close');
      assert.equal(port.refusal?.status, status);
      if (status === undefined) assert.equal(port.sent('response'), Buffer.from(bytes).toString());
      assert.equal(one.from.records.at(-1)?.degraded, degraded && status === undefined);
    }
  });

  it('is passed where a verdict is meant for the next request, whatever holds', () => {
    const next = INLINE.replace(
      'threshold: 0.8',
      'threshold: 0.8, mode: deferred, session: { threshold: 0.8, halfLife: 10m }',
    );
    const document = JSON.stringify({ choices: [{ index: 0, message: { content: 'venom' } }] });
    const one = stage(next);
    const { port } = answerWith(one, [Buffer.from(document)], 'application/json', 'STREAMED');
    assert.equal(port.sent('response'), document);
  });

  it('is not held where we only watch', () => {
    const one = stage(INLINE);
    answerWith(one, [bytes], 'text/event-stream', 'STREAMED', true);
    assert.equal(one.classifiers.queries[0]?.urgent, false);
  });
});

describe('a deferred verdict', () => {
  it('stands in the record of the exchange where it comes in time, else in one of its own', () => {
    const early = stage(DEFERRED);
    const first = early.request([['user', 'venom']]);
    early.classifiers.answer(byWord);
    first.exchange.end('half_close');
    assert.deepEqual(
      early.from.records.map(({ kind, findings }) => [kind, findings[0]?.rule]),
      [['process', 'p/tone']],
    );
    const late = stage(DEFERRED);
    const second = late.request([['user', 'venom']]);
    second.exchange.end('half_close');
    late.classifiers.answer(byWord);
    const [own, deferred] = late.from.records;
    assert.deepEqual([own?.kind, own?.findings], ['process', []]);
    assert.equal(deferred?.kind, 'deferred');
    assert.equal(deferred?.exchange, own?.exchange);
    assert.deepEqual(deferred?.findings[0]?.score, 0.97);
    assert.equal(late.from.deps.held.bytes, 0);
  });

  it('leaves no record of its own where it found nothing, and a degraded one where it failed', () => {
    for (const [outcome, kinds] of [
      [byWord, ['process']],
      [failed('deadline'), ['process', 'deferred']],
    ] as const) {
      const one = stage(DEFERRED);
      one.request([['user', 'Hello']]).exchange.end('half_close');
      one.classifiers.answer(outcome);
      assert.deepEqual(
        one.from.records.map(({ kind }) => kind),
        kinds,
      );
      assert.equal(one.from.records.at(-1)?.degraded, kinds.length === 2);
      // The judge has heard of the exchange once.
      assert.equal(one.from.outcomes.length, 1);
    }
  });

  it('counts for the next request of its session, and fades', () => {
    const one = stage(
      `- { id: tone, inspect: [request, response], match: { classifier: { name: toxicity, threshold: 0.8, mode: deferred, session: { threshold: 0.9, halfLife: 10m } } }, then: { block: { message: Later. } } }`,
    );
    one.classifiers.atOnce = byWord;
    const say = (session: string, ...messages: (readonly [string, string])[]) => {
      const { port, exchange } = one.request(messages, { 'x-session-id': session });
      exchange.end('half_close');
      return port.refusal?.body;
    };
    assert.equal(say('s', ['user', 'venom']), undefined);
    assert.equal(one.from.records.at(-1)?.findings[0]?.enforced, false);
    assert.match(say('s', ['user', 'Hello'])!, /Later\./);
    const { findings } = one.from.records.at(-1)!;
    assert.deepEqual([findings[0]?.label, findings[0]?.score], ['CLASSIFIER_SESSION', 0.97]);
    assert.equal(say('t', ['user', 'Hello']), undefined);
    one.from.clock.advance(10 * 60_000);
    assert.equal(say('s', ['user', 'Hello']), undefined);
    // What was said before counted when it was said.
    for (let times = 0; times < 5; times++)
      assert.equal(say('u', ['user', 'venom'], ['assistant', 'No.'], ['user', 'Hello']), undefined);
    assert.equal(say('u', ['user', 'venom'], ['assistant', 'No.'], ['user', 'venom']), undefined);
    assert.match(say('u', ['user', 'Hello'])!, /Later\./);
  });
});
