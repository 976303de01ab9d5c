/** A large body is judged in slices, and nobody can tell: neither by what leaves nor by waiting behind it. */
import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { Exchange } from '../../src/engine/exchange.ts';
import type { EngineLimits } from '../../src/engine/limits.ts';
import type { BodyEvent, BodyMode, ProcessEvent } from '../../src/protocol/process.ts';
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

/** Nothing is changed, so that STREAMED will do. */
const SET_THAT_WATCHES = compile(`
kind: Policy
metadata: { name: guard, layer: platform }
class: security
rules:
  - { id: zebra, inspect: [request, response], match: { keywords: { words: [Project Zebra] } }, then: block }
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
    while (done.length < 2) {
      assert.ok(one.from.clock.turn());
      const small = new RecordingPort();
      askHarmlessly(new Exchange(one.from.deps, small));
      assert.ok(small.ended.has('request'));
      for (const [name, { port }] of Object.entries({ one, two }))
        if (port.ended.has('request') && !done.includes(name)) done.push(`${name}`);
    }
    assert.deepEqual(done, ['one', 'two']);
  });

  it('of what comes at once no more is judged than fits a turn, of all exchanges together: the rest waits', () => {
    const from = rig(SET, slices({}));
    const streams = Array.from({ length: 5 }, (): Busy => {
      const port = new RecordingPort();
      const exchange = new Exchange(from.deps, port);
      askHarmlessly(exchange);
      exchange.event(
        headersEvent('response', { ':status': '200', 'content-type': 'text/event-stream' }),
      );
      while (from.clock.turn());
      return { from, port, exchange };
    });
    const spoken = (): number => streams.filter(({ port }) => port.sent('response') !== '').length;
    const events = open(...Array.from({ length: 5 }, () => 'and so on, '));
    assert.ok(events.length > 500 && events.length < 900);
    for (const { exchange } of streams) exchange.event(body('response', events));
    // Half a slice, and what begins in it.
    assert.ok(spoken() >= 1 && spoken() <= 3, `${spoken()}`);
    assert.ok(from.deps.held.bytes >= events.length, 'what waits counts as held');
    assert.equal(from.clock.turn(), true);
    assert.ok(spoken() < 5);
    while (from.clock.turn());
    assert.equal(spoken(), 5);
    for (const { port } of streams) assert.equal(port.sent('response'), events.toString());
    assert.equal(from.deps.held.bytes, 0);
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

  it('what is only laid aside is not put off, however busy everybody is', () => {
    const from = rig(SET, { sliceUnitsMax: 1_000 });
    const port = new RecordingPort();
    const exchange = new Exchange(from.deps, port);
    exchange.event(headersEvent('request', CHAT_HEADERS));
    from.deps.turns.take(1_000);
    const part = Buffer.alloc(100_000, ' ');
    for (let parts = 1; parts <= 3; parts++) {
      exchange.event(body('request', part));
      assert.equal(from.deps.held.bytes, parts * part.length);
    }
    // The turn is over for those that it was full for, and for nobody else.
    assert.ok(from.clock.turn());
    assert.ok(!from.clock.turn());
    exchange.event(body('request', Buffer.from('{}'), true));
    assert.ok(from.clock.turn());
    assert.equal(port.paused, false);
    exchange.end('half_close');
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
    from.deps.turns.take(limits.sliceUnitsMax);
    exchange.event(body('request', bytes.subarray(0, 900)));
    const rest = bytes.subarray(900);
    for (const [at, piece] of pieces(rest, 1).entries())
      exchange.event(body('request', piece, at === rest.length - 1));
    while (from.clock.turn());
    assert.match(port.sent('request'), /To \[EMAIL_1\] and so on/u);
    exchange.event(headersEvent('response', { ':status': '200', ...STREAMED }));
    from.deps.turns.take(limits.sliceUnitsMax);
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

  it('keeps copies of what passes as it came, when that is judged in turns', () => {
    const { from, port } = {
      from: rig(SET_THAT_WATCHES, slices({})),
      port: new RecordingPort('STREAMED'),
    };
    const exchange = new Exchange(from.deps, port);
    const said = 'and so on '.repeat(1_000);
    const asked = Buffer.from(
      JSON.stringify({ model: 'm', messages: [{ role: 'user', content: said }] }),
    );
    const answer = chatStream([{ delta: { content: said } }, { delta: {}, finish: 'stop' }]);
    for (const event of [...asking(asked), ...answering([answer], 'text/event-stream').slice(2)]) {
      const bytes = event.kind === 'body' ? Buffer.from(event.bytes) : undefined;
      exchange.event(bytes === undefined ? event : { ...(event as BodyEvent), bytes });
      bytes?.fill(0);
      while (from.clock.turn());
    }
    assert.equal(port.sent('request'), asked.toString());
    assert.equal(port.sent('response'), answer.toString());
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
  const UNITS = 100;

  /** Slices by name, a space between any two turns of the event loop. */
  function order(count: number, cost: Readonly<Record<string, readonly number[]>>): string {
    const { clock, deps } = rig(SET, { sliceUnitsMax: UNITS });
    let done = '';
    for (const [name, [first = 0, ...others]] of Object.entries(cost)) {
      const later = [...others];
      deps.turns.add(
        () => {
          done += name;
          return later.shift() ?? 0;
        },
        { dueAt: 0 },
        first,
      );
    }
    for (let turn = 0; turn < count; turn++, done += ' ') clock.turn();
    return done.trim();
  }

  const slices = (count: number, units = UNITS): number[] => Array(count).fill(units);

  /** A slice that does something and asks for so much more. */
  const asking =
    (action: () => unknown, more: number): (() => number) =>
    () => {
      action();
      return more;
    };

  it('go round, one slice in each', () => {
    assert.equal(order(6, { a: slices(9), b: slices(9) }), 'a b a b a b');
  });

  it('of what is short go to as many as fit', () => {
    assert.equal(order(2, { a: [30], b: [30], c: [30], d: [30] }), 'abc d');
  });

  it('go to a word before any number of slices', () => {
    assert.equal(order(4, { a: slices(9), b: slices(9), c: slices(9), w: [5] }), 'wa b c a');
  });

  it('give everybody the same, in however many slices', () => {
    // Twice as many of the half, of which what comes next may begin in the same turn.
    assert.equal(order(6, { a: slices(9), b: slices(20, UNITS / 2) }), 'ba bb a bb a bb');
  });

  it('leave nobody out, however many words there are', () => {
    const { clock, deps } = rig(SET, { sliceUnitsMax: UNITS });
    let heavy = 0;
    deps.turns.add(
      asking(() => heavy++, UNITS),
      { dueAt: 0 },
      UNITS,
    );
    let words = 0;
    for (let turn = 0; turn < 200; turn++) {
      for (let word = 0; word < 3; word++)
        deps.turns.add(
          asking(() => words++, 0),
          { dueAt: 0 },
          UNITS / 2,
        );
      clock.turn();
    }
    assert.ok(heavy >= 2, `${heavy}`);
    assert.ok(words >= 200, `${words}`);
  });

  it('forget who has gone away', () => {
    const { clock, deps } = rig(SET, { sliceUnitsMax: UNITS });
    const done: string[] = [];
    const cancels = ['a', 'b', 'c'].map((name) =>
      deps.turns.add(
        asking(() => done.push(name), UNITS),
        { dueAt: 0 },
        UNITS,
      ),
    );
    cancels[1]!();
    clock.turn();
    clock.turn();
    cancels[0]!();
    cancels[2]!();
    while (clock.turn());
    assert.deepEqual(done, ['a', 'c']);
  });

  it('are given in the order of their time, whatever their number', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: UNITS }), { maxLength: 60 }), (costs) => {
        const { clock, deps } = rig(SET, { sliceUnitsMax: UNITS });
        const done: number[] = [];
        for (const cost of costs)
          deps.turns.add(
            asking(() => done.push(cost), 0),
            { dueAt: 0 },
            cost,
          );
        while (clock.turn());
        assert.deepEqual(
          done,
          [...costs].sort((a, b) => a - b),
        );
      }),
    );
  });

  it('have room for what is done at once, up to a slice of all together', () => {
    const { clock, deps } = rig(SET, { sliceUnitsMax: UNITS });
    const { turns } = deps;
    assert.equal(turns.take(UNITS / 2), true);
    assert.equal(clock.turn(), false, 'so little need not be told');
    assert.equal(turns.take(30), true, 'but it counts');
    assert.equal(turns.take(21), false);
    assert.equal(turns.take(20), true);
    assert.equal(turns.take(1), false);
    assert.equal(clock.turn(), true);
    assert.equal(turns.take(UNITS / 2), true);
    assert.equal(turns.take(9 * UNITS), true, 'in the first half it may be of any size');
    assert.equal(turns.take(1), false);
    assert.equal(clock.turn(), true);
    assert.equal(clock.turn(), false);
  });
});
