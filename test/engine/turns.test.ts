/** A large body is judged in slices, and nobody can tell: neither by what leaves nor by waiting behind it. */
import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { Exchange } from '../../src/engine/exchange.ts';
import type { EngineLimits } from '../../src/engine/limits.ts';
import type { BodyMode, ProcessEvent } from '../../src/protocol/process.ts';
import {
  askHarmlessly,
  CHAT_HEADERS,
  chatStream,
  compile,
  headersEvent,
  RecordingPort,
  type Rig,
  rig,
} from './rig.ts';

const SET = compile(`
kind: Policy
metadata: { name: guard, layer: platform }
class: security
rules:
  - { id: zebra, inspect: [request, response], match: { keywords: { words: [Project Zebra] } }, then: block }
  - { id: rivals, inspect: [request, response], match: { keywords: { words: [Bank A, Bank] } }, then: { rewrite: { with: another } } }
  - { id: pii, inspect: [request, response, tool_call], match: { pii: { entities: [email, credit_card] } }, then: redact }
  - { id: motto, inspect: [response], match: { keywords: { words: [motto] } }, then: { append: { text: Be kind. } } }
`);

const EMPTY = new Uint8Array(0);
const STREAMED = { 'content-type': 'text/event-stream' };

/** Chunks of an answer that goes on. */
const open = (...contents: string[]): Buffer =>
  Buffer.from(
    Buffer.from(chatStream(contents.map((content) => ({ delta: { content } }))))
      .toString()
      .replace('data: [DONE]\n\n', ''),
  );

interface Result {
  readonly sent: readonly string[];
  readonly refusal: unknown;
  readonly ended: readonly string[];
  readonly codes: readonly string[];
  readonly findings: unknown;
  readonly heldBytes: number;
  readonly turns: number;
}

/** Sends everything at once, then lets the turns come. */
function run(
  events: readonly ProcessEvent[],
  limits: Partial<EngineLimits>,
  mode: BodyMode = 'FULL_DUPLEX_STREAMED',
): Result {
  const from = rig(SET, limits);
  const port = new RecordingPort(mode);
  const exchange = new Exchange(from.deps, port);
  for (const event of events) exchange.event(event);
  let turns = 0;
  while (from.clock.turn()) turns++;
  exchange.end('half_close');
  while (from.clock.turn());
  return {
    sent: [port.sent('request'), port.sent('response')],
    refusal: port.refusal,
    ended: [...port.ended],
    // What leaves at once is one mutation on record.
    codes: [
      ...new Set(from.records.map(({ kind, verdict, code }) => `${kind} ${verdict} ${code}`)),
    ],
    findings: from.records.at(-1)?.findings,
    heldBytes: from.deps.held.bytes,
    turns,
  };
}

const body = (
  direction: 'request' | 'response',
  bytes: Uint8Array,
  endOfStream = false,
): ProcessEvent => ({ kind: 'body', direction, bytes, endOfStream });

const asking = (bytes: Uint8Array): ProcessEvent[] => [
  headersEvent('request', CHAT_HEADERS),
  body('request', bytes, true),
];

const HARMLESS = asking(
  Buffer.from('{"model":"m","stream":true,"messages":[{"role":"user","content":"hi"}]}'),
);

function answering(chunks: readonly Uint8Array[], contentType: string): ProcessEvent[] {
  return [
    ...HARMLESS,
    headersEvent('response', { ':status': '200', 'content-type': contentType }),
    ...chunks.map((chunk) => body('response', chunk)),
    body('response', EMPTY, true),
  ];
}

const WORDS = ['Project', 'Zebra', 'Bank', 'A', 'motto', 'bob@acme.example', '4111 1111 1111 1111'];
const text = fc
  .array(fc.constantFrom(...WORDS, ' ', '\n', '"', 'é', '😀', 'and so on', ' '.repeat(70)), {
    maxLength: 40,
  })
  .map((words) => words.join(' '));
const slice = fc.constantFrom(1, 2, 40, 200, 1_500);

const document = (content: string): Buffer =>
  Buffer.from(
    JSON.stringify({
      id: 'c',
      object: 'chat.completion',
      created: 1,
      model: 'm',
      choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }],
    }),
  );

function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const at = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  return [0, ...at].map((from, index) => bytes.subarray(from, at[index] ?? bytes.length));
}

/** The same in one go and in slices, but for how many turns it took. */
function same(events: readonly ProcessEvent[], sliceUnitsMax: number, mode?: BodyMode): number {
  const { turns: none, ...whole } = run(events, {}, mode);
  const { turns, ...sliced } = run(events, { sliceUnitsMax }, mode);
  assert.equal(none, 0);
  assert.deepEqual(sliced, whole);
  assert.equal(sliced.heldBytes, 0);
  return turns;
}

describe('a body that is judged in turns', () => {
  it('is the same answer as in one go, streamed', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(2), text), { minLength: 1, maxLength: 8 }),
        fc.array(fc.nat(), { maxLength: 4 }),
        slice,
        (deltas, places, sliceUnitsMax) => {
          const stream = chatStream([
            ...deltas.map(([index, content]) => ({ index, delta: { content } })),
            { index: 0, delta: {}, finish: 'stop' },
          ]);
          same(answering(cut(stream, places), 'text/event-stream'), sliceUnitsMax);
        },
      ),
      { numRuns: 150 },
    );
  });

  it('is the same record as in one go, where what was to be added never left', () => {
    const stream = chatStream([
      { index: 0, delta: { content: '' } },
      { index: 2, delta: { content: 'motto' } },
      { index: 1, delta: { content: 'Project Zebra' } },
      { index: 0, delta: {}, finish: 'stop' },
    ]);
    same(answering([stream], 'text/event-stream'), 1);
  });

  it('is the same answer as in one go, as a document', () => {
    fc.assert(
      fc.property(text, slice, (content, sliceUnitsMax) => {
        same(answering([document(content)], 'application/json'), sliceUnitsMax);
      }),
      { numRuns: 100 },
    );
  });

  it('is the same request as in one go', () => {
    fc.assert(
      fc.property(
        fc.array(text, { minLength: 1, maxLength: 4 }),
        slice,
        fc.constantFrom<BodyMode>('FULL_DUPLEX_STREAMED', 'BUFFERED'),
        (texts, sliceUnitsMax, mode) => {
          const messages = texts.map((content) => ({ role: 'user', content }));
          const tool = {
            role: 'assistant',
            tool_calls: [
              {
                id: 'c1',
                type: 'function',
                function: { name: 'f', arguments: JSON.stringify({ to: texts[0] }) },
              },
            ],
          };
          const bytes = Buffer.from(JSON.stringify({ model: 'm', messages: [...messages, tool] }));
          same(asking(bytes), sliceUnitsMax, mode);
        },
      ),
      { numRuns: 100 },
    );
  });

  it('takes as many turns as it has slices, and one when it is small', () => {
    const events = answering([document('and so on '.repeat(2_000))], 'application/json');
    assert.ok(same(events, 2_000) >= 10);
    assert.equal(same(events, 100_000), 0);
  });

  it('lets trailers wait for it', () => {
    const stream = chatStream([{ delta: { content: 'Bank A '.repeat(500) } }]);
    const events: ProcessEvent[] = [
      ...HARMLESS,
      headersEvent('response', { ':status': '200', 'content-type': 'text/event-stream' }),
      body('response', stream),
      {
        kind: 'trailers',
        direction: 'response',
        headers: { get: () => undefined, entries: () => [] },
      },
    ];
    assert.ok(same(events, 1_000) > 1);
  });
});

interface Busy {
  readonly from: Rig;
  readonly port: RecordingPort;
  readonly exchange: Exchange;
}

/** An exchange whose request is being judged: three slices at least are left. */
function judging(limits: Partial<EngineLimits> = {}, from = rig(SET, slices(limits))): Busy {
  const port = new RecordingPort();
  const exchange = new Exchange(from.deps, port);
  const content = 'and so on '.repeat(1_000);
  const bytes = Buffer.from(JSON.stringify({ model: 'm', messages: [{ role: 'user', content }] }));
  for (const event of asking(bytes)) exchange.event(event);
  assert.equal(port.released.size, 0);
  return { from, port, exchange };
}

const slices = (limits: Partial<EngineLimits>): Partial<EngineLimits> => ({
  sliceUnitsMax: 2_000,
  ...limits,
});

/** An exchange whose answer, of which more may arrive, is being judged. */
function streaming(limits: Partial<EngineLimits> = {}): Busy {
  const from = rig(SET, slices(limits));
  const port = new RecordingPort();
  const exchange = new Exchange(from.deps, port);
  askHarmlessly(exchange);
  exchange.event(
    headersEvent('response', { ':status': '200', 'content-type': 'text/event-stream' }),
  );
  exchange.event(body('response', open('and so on '.repeat(1_000))));
  return { from, port, exchange };
}

const turnsOf = ({ from }: Busy): number => {
  let turns = 0;
  while (from.clock.turn()) turns++;
  return turns;
};

describe('while a body is judged in turns', () => {
  it('others are served between any two slices, and slices of two bodies take turns', () => {
    const one = judging();
    const two = judging({}, one.from);
    const done: string[] = [];
    while (one.from.clock.turn()) {
      const small = new RecordingPort();
      askHarmlessly(new Exchange(one.from.deps, small));
      assert.ok(small.ended.has('request'));
      for (const [name, { port }] of Object.entries({ one, two }))
        if (port.ended.has('request') && !done.includes(name)) done.push(`${name}`);
    }
    assert.deepEqual(done, ['one', 'two']);
  });

  it('of what comes at once only the first is more than a word: the others wait for their turns', () => {
    const from = rig(SET, slices({}));
    const stream = (): Busy => {
      const port = new RecordingPort();
      const exchange = new Exchange(from.deps, port);
      askHarmlessly(exchange);
      exchange.event(
        headersEvent('response', { ':status': '200', 'content-type': 'text/event-stream' }),
      );
      return { from, port, exchange };
    };
    const events = open(...Array.from({ length: 5 }, () => 'and so on, '));
    // A word is a quarter of a slice at most.
    const [word, heavy] = [events.subarray(0, 500), events.subarray(0, 501)];
    const [first, second, third] = [stream(), stream(), stream()];
    first.exchange.event(body('response', heavy));
    assert.notEqual(first.port.sent('response'), '');
    second.exchange.event(body('response', heavy));
    assert.equal(second.port.sent('response'), '');
    assert.ok(from.deps.held.bytes >= heavy.length, 'what waits counts as held');
    third.exchange.event(body('response', word));
    assert.notEqual(third.port.sent('response'), '');
    while (from.clock.turn());
    assert.equal(second.port.sent('response'), first.port.sent('response'));
    second.exchange.event(body('response', heavy));
    assert.notEqual(
      second.port.sent('response'),
      first.port.sent('response'),
      'nobody waits any more',
    );
  });

  it('what has waited is judged in as many turns as it came in large parts', () => {
    const busy = streaming();
    while (busy.from.clock.turn());
    const before = busy.port.body_.response.length;
    const part = open(...Array.from({ length: 5 }, () => 'and so on, '));
    assert.ok(part.length > 500 && part.length < 2_000);
    busy.exchange.event(body('response', open('and so on '.repeat(1_000))));
    for (let count = 0; count < 4; count++) busy.exchange.event(body('response', part));
    let most = 0;
    let sent = before;
    while (busy.from.clock.turn()) {
      most = Math.max(most, busy.port.body_.response.length - sent);
      sent = busy.port.body_.response.length;
    }
    assert.ok(sent - before >= 5);
    // The end of what was judged, and the first that has waited for it.
    assert.equal(most, 2);
  });

  it('leaves in parts, with a turn of the others between any two', () => {
    const bytes = document('and so on '.repeat(2_000));
    const whole = run(answering([bytes], 'application/json'), {});
    const from = rig(SET, { sliceUnitsMax: 64 });
    const port = new RecordingPort();
    const exchange = new Exchange(from.deps, port);
    for (const event of answering([bytes], 'application/json')) exchange.event(event);
    const parts: number[] = [];
    for (let sent = 0; from.clock.turn(); sent = port.body_.response.length)
      parts.push(port.body_.response.length - sent);
    assert.ok(parts.reduce((sum, count) => sum + count) >= 10);
    assert.equal(Math.max(...parts), 1);
    assert.equal(port.sent('response'), whole.sent[1]);
    assert.ok(port.ended.has('response'));
  });

  it('the end of the stream gives it up', () => {
    const busy = judging();
    busy.from.clock.turn();
    busy.exchange.end('cancelled');
    assert.ok(turnsOf(busy) <= 1);
    assert.equal(busy.port.released.size, 0);
    assert.deepEqual(
      busy.from.records.map(({ code }) => code),
      ['client_gone'],
    );
    assert.equal(busy.from.deps.held.bytes, 0);
  });

  it('an answer of Envoy itself gives it up', () => {
    const busy = judging();
    busy.from.clock.turn();
    busy.exchange.event(
      headersEvent(
        'response',
        { ':status': '408' },
        { endOfStream: true, attributes: { 'response.code_details': 'request_overall_timeout' } },
      ),
    );
    assert.ok(busy.port.released.has('response'));
    assert.ok(turnsOf(busy) <= 1);
    busy.exchange.end('half_close');
    assert.deepEqual(
      busy.from.records.map(({ code }) => code),
      ['local_reply'],
    );
  });

  it('no time passes for the deadline of silence', () => {
    const busy = streaming({ responseStallTimeoutMs: 100 });
    while (busy.from.clock.turn()) busy.from.clock.advance(60);
    assert.equal(busy.port.refusal, undefined);
    assert.ok(!busy.port.sent('response').includes('verdict_deadline'));
  });

  it('what arrives waits in order, is counted as held, and stops the reading when it is too much', () => {
    const busy = streaming({ waitingBytesMax: 1_000 });
    const before = busy.from.deps.held.bytes;
    const chunk = open('one more').subarray(0, 150);
    for (let bytes = 0; bytes + chunk.length <= 1_000; bytes += chunk.length) {
      busy.exchange.event(body('response', chunk));
      assert.equal(busy.port.paused, false);
    }
    busy.exchange.event(body('response', chunk));
    assert.equal(busy.port.paused, true);
    assert.equal(busy.from.deps.held.bytes - before, 7 * chunk.length);
    assert.ok(turnsOf(busy) > 1);
    assert.equal(busy.port.paused, false);
  });

  it('what arrives in many pieces stops the reading, too, however small they are', () => {
    const busy = streaming({ waitingEventsMax: 5 });
    for (let at = 0; at < 5; at++) {
      busy.exchange.event(body('response', Buffer.from(':')));
      assert.equal(busy.port.paused, false);
    }
    busy.exchange.event(body('response', Buffer.from('\n')));
    assert.equal(busy.port.paused, true);
    turnsOf(busy);
    assert.equal(busy.port.paused, false);
  });

  it('what has waited is judged in turns, too, and costs each byte once', () => {
    const limits = { sliceUnitsMax: 1_000, waitingEventsMax: 100_000 };
    const content = `To ann@example.org ${'and so on '.repeat(3_000)} motto`;
    const bytes = Buffer.from(
      JSON.stringify({ model: 'm', messages: [{ role: 'user', content }] }),
    );
    const answer = chatStream(
      Array.from({ length: 200 }, () => ({ delta: { content: 'and ann@example.org, ' } })),
    );
    const pieces = (whole: Uint8Array, size: number): Uint8Array[] =>
      Array.from({ length: Math.ceil(whole.length / size) }, (_, at) =>
        whole.subarray(at * size, (at + 1) * size),
      );
    const from = rig(SET, limits);
    const port = new RecordingPort();
    const exchange = new Exchange(from.deps, port);
    exchange.event(headersEvent('request', CHAT_HEADERS));
    from.deps.turns.take();
    exchange.event(body('request', bytes.subarray(0, 900)));
    const rest = bytes.subarray(900);
    for (const [at, piece] of pieces(rest, 1).entries())
      exchange.event(body('request', piece, at === rest.length - 1));
    while (from.clock.turn());
    assert.match(port.sent('request'), /To \[EMAIL_1\] and so on/u);
    exchange.event(headersEvent('response', { ':status': '200', ...STREAMED }));
    from.deps.turns.take();
    exchange.event(body('response', answer.subarray(0, 900)));
    for (const piece of pieces(answer.subarray(900), 100)) exchange.event(body('response', piece));
    exchange.event(body('response', EMPTY, true));
    const sent: number[] = [];
    for (let before = 0; from.clock.turn(); before = port.sent('response').length)
      sent.push(port.sent('response').length - before);
    assert.ok(Math.max(...sent) < 2_000, `${sent}`);
    assert.ok(port.ended.has('response'));
    assert.equal(from.deps.held.bytes, 0);
    assert.ok(!port.sent('response').includes('ann@'));
  });

  it('keeps copies of what waits, as messages are reused', () => {
    const busy = streaming();
    const bytes = open('later, ');
    busy.exchange.event(body('response', bytes));
    bytes.fill(0);
    turnsOf(busy);
    assert.match(busy.port.sent('response'), /"content":"later, "/u);
  });

  it('a large encoded body is decoded elsewhere, and what follows waits in order', async () => {
    const words = Array.from({ length: 20_000 }, (_, index) => (index * 7919).toString(36)).join(
      ' ',
    );
    const message = { role: 'user', content: `${words} Bank A ${words}` };
    const bytes = Buffer.from(JSON.stringify({ model: 'm', messages: [message] }));
    const limits = { sliceUnitsMax: 2_000 };
    for (const gone of [false, true]) {
      const from = rig(SET, limits);
      const port = new RecordingPort();
      const exchange = new Exchange(from.deps, port);
      exchange.event(headersEvent('request', { ...CHAT_HEADERS, 'content-encoding': 'gzip' }));
      exchange.event(body('request', gzipSync(bytes), true));
      while (from.clock.turn());
      assert.equal(port.ended.has('request'), false, 'it waits');
      if (gone) exchange.end('cancelled');
      for (let look = 0; look < 500 && !port.ended.has('request'); look++) {
        await new Promise((resolve) => setTimeout(resolve, gone ? 1 : 5));
        while (from.clock.turn());
      }
      assert.equal(port.ended.has('request'), !gone);
      if (!gone) assert.match(port.sent('request'), / another /u);
      assert.equal(from.deps.held.bytes, 0);
    }
  });

  it('a fault ends the stream, and no other', () => {
    const busy = judging();
    const faults: unknown[] = [];
    busy.port.crashed = (error) => faults.push(error);
    busy.port.continueHeaders = () => {
      throw new Error('planted');
    };
    const other = judging({}, busy.from);
    turnsOf(busy);
    assert.equal(faults.length, 1);
    assert.ok(other.port.ended.has('request'));
  });

  it('nothing is looked at any more once the exchange was refused', () => {
    const content = `Project Zebra ${'and so on '.repeat(1_000)}`;
    const stream = open('ok.', content);
    const result = run(answering([stream, stream, stream], 'text/event-stream'), slices({}));
    assert.deepEqual(result.codes, ['process deny policy']);
    // Reading the first of three large events takes some, judging it one.
    assert.ok(result.turns < 6, `${result.turns}`);
    assert.equal(result.heldBytes, 0);
  });

  it('one who only watches gets the record of the whole', () => {
    const from = rig(SET, slices({}));
    const port = Object.assign(new RecordingPort('STREAMED'), { observability: true });
    const exchange = new Exchange(from.deps, port);
    const content = `${'and so on '.repeat(1_000)} Project Zebra`;
    const events = answering([chatStream([{ delta: { content } }])], 'text/event-stream');
    for (const event of events) exchange.event(event);
    exchange.end('half_close');
    assert.equal(from.records.length, 0);
    while (from.clock.turn());
    assert.deepEqual(
      from.records.map(({ code }) => code),
      ['policy'],
    );
  });
});

describe('turns', () => {
  /** Slices by name, in the order in which they came. */
  function order(
    count: number,
    askers: Readonly<Record<string, (had: number) => boolean>>,
  ): string {
    const { clock, deps } = rig(SET);
    const done: string[] = [];
    for (const [name, light] of Object.entries(askers))
      deps.turns.add(() => done.push(name) > 0, {
        get light() {
          return light(done.filter((one) => one === name).length);
        },
      });
    for (let turn = 0; turn < count; turn++) clock.turn();
    return done.join('');
  }

  it('go to who had few before who had many, and to all', () => {
    const few = (): boolean => true;
    const many = (): boolean => false;
    assert.equal(order(6, { a: many, b: many }), 'ababab');
    assert.equal(order(6, { a: few, b: few }), 'ababab');
    assert.equal(order(11, { a: many, b: few, c: few }), 'bcbcabcbcab');
  });

  it('are given by what each has had when it asks again', () => {
    // It takes its next place before its slice.
    assert.equal(order(8, { a: (had) => had < 2, b: () => false }), 'aaababab');
  });

  it('are taken by what is done at once', () => {
    const { clock, deps } = rig(SET);
    assert.equal(deps.turns.taken, false);
    deps.turns.take();
    deps.turns.take();
    assert.equal(deps.turns.taken, true);
    assert.equal(clock.turn(), true);
    assert.equal(deps.turns.taken, false);
    assert.equal(clock.turn(), false);
  });
});
