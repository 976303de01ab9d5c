/** Mode × sequence × reply: what leaves, and what is refused. Guard names as in docs/reference/envoy-guards.md. */
import assert from 'node:assert/strict';
import type { BodyMode, ProcessPort } from '../../src/protocol/process.ts';
import { ProtocolViolation } from '../../src/protocol/violation.ts';
import { type Input, type Rig, type RigOptions, rig } from './rig.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text);
const reqHeaders: Input = { in: 'headers', dir: 'request', headers: { 'content-length': '5' } };
const reqOnly: Input = { in: 'headers', dir: 'request', eos: true };
const resHeaders: Input = { in: 'headers', dir: 'response' };
const resOnly: Input = { in: 'headers', dir: 'response', eos: true };
const chunk = (dir: 'request' | 'response', text: string, eos = false): Input => ({
  in: 'body',
  dir,
  text,
  eos,
});
const trailers = (dir: 'request' | 'response'): Input => ({ in: 'trailers', dir });

const both = (mode: BodyMode) => ({ request: mode, response: mode });
const FD = both('FULL_DUPLEX_STREAMED');

type Step = Input | 'half_close' | 'cancel' | ((port: ProcessPort) => void);

interface Row {
  readonly name: string;
  readonly options: RigOptions;
  readonly steps: readonly Step[];
  readonly sent: readonly string[];
  /** The code of a violation that one of the steps must throw. */
  readonly violation?: string;
}

const go = (dir: 'request' | 'response') => (port: ProcessPort) => port.continueHeaders(dir);
const pass =
  (dir: 'request' | 'response', text: string, eos = false, unchanged = false) =>
  (port: ProcessPort) =>
    port.body(dir, bytes(text), eos, unchanged);
const endTrailers = (dir: 'request' | 'response') => (port: ProcessPort) => port.trailers(dir);
const refuse = (port: ProcessPort) => port.immediate(403, {}, 'no', 'denied');

const failed = (reason: string) => `FAIL INTERNAL ${reason}`;
const VIOLATION = failed('protocol_violation');

const rows: readonly Row[] = [
  // ---- FULL_DUPLEX_STREAMED
  {
    name: 'duplex: a whole exchange, both directions',
    options: { modes: FD },
    steps: [
      reqHeaders,
      go('request'),
      chunk('request', 'ab'),
      pass('request', 'ab'),
      chunk('request', '', true),
      pass('request', '', true),
      resHeaders,
      go('response'),
      chunk('response', 'x', true),
      pass('response', 'x', true),
      'half_close',
    ],
    sent: [
      'requestHeaders',
      'requestBody ~ab',
      'requestBody ~|',
      'responseHeaders',
      'responseBody ~x|',
      'END',
    ],
  },
  {
    name: 'duplex: headers held until the body was judged',
    options: { modes: FD },
    steps: [
      reqHeaders,
      chunk('request', 'ab'),
      chunk('request', '', true),
      go('request'),
      pass('request', 'AB', true),
      'half_close',
    ],
    sent: ['requestHeaders', 'requestBody ~AB|', 'END'],
  },
  {
    name: 'duplex: headersBeforeBody',
    options: { modes: FD },
    steps: [reqHeaders, chunk('request', 'ab'), pass('request', 'ab')],
    sent: [VIOLATION],
    violation: 'headers_reply_first',
  },
  {
    name: 'duplex: oneEndOfStream, never a chunk behind it',
    options: { modes: FD },
    steps: [
      reqHeaders,
      go('request'),
      chunk('request', 'ab', true),
      pass('request', 'ab', true),
      pass('request', 'c'),
    ],
    sent: ['requestHeaders', 'requestBody ~ab|', VIOLATION],
    violation: 'body_after_end',
  },
  {
    name: 'duplex: an early end (mid-stream refusal) swallows what still arrives',
    options: { modes: FD },
    steps: [
      reqOnly,
      go('request'),
      resHeaders,
      go('response'),
      chunk('response', 'a'),
      pass('response', 'refused', true),
      chunk('response', 'b'),
      chunk('response', ''),
      trailers('response'),
      'half_close',
    ],
    sent: ['requestHeaders', 'responseHeaders', 'responseBody ~refused|', 'END'],
  },
  {
    name: 'duplex: trailers end the body by their reply',
    options: { modes: FD },
    steps: [
      reqOnly,
      go('request'),
      resHeaders,
      go('response'),
      chunk('response', 'a'),
      trailers('response'),
      pass('response', 'a'),
      endTrailers('response'),
      'half_close',
    ],
    sent: ['requestHeaders', 'responseHeaders', 'responseBody ~a', 'responseTrailers', 'END'],
  },
  {
    name: 'duplex: trailersAfterEndDropped',
    options: { modes: FD },
    steps: [
      reqOnly,
      go('request'),
      resHeaders,
      go('response'),
      chunk('response', 'a'),
      trailers('response'),
      pass('response', 'a', true),
      endTrailers('response'),
      'half_close',
    ],
    sent: ['requestHeaders', 'responseHeaders', 'responseBody ~a|', 'END'],
  },
  {
    name: 'duplex: no trailers reply without trailers',
    options: { modes: FD },
    steps: [reqHeaders, go('request'), chunk('request', 'a', true), endTrailers('request')],
    sent: ['requestHeaders', VIOLATION],
    violation: 'trailers_not_owed',
  },
  {
    name: 'duplex: trailers straight behind the headers',
    options: { modes: FD },
    steps: [reqHeaders, trailers('request'), go('request'), endTrailers('request'), 'half_close'],
    sent: ['requestHeaders', 'requestTrailers', 'END'],
  },
  {
    name: 'duplex: noBodyWhereNoneCame, only trailers',
    options: { modes: FD },
    steps: [
      reqHeaders,
      go('request'),
      trailers('request'),
      pass('request', ''),
      pass('request', 'a', true),
    ],
    sent: ['requestHeaders', VIOLATION],
    violation: 'body_not_owed',
  },
  {
    name: 'duplex: no body reply before a body',
    options: { modes: FD },
    steps: [reqHeaders, go('request'), pass('request', 'a')],
    sent: ['requestHeaders', VIOLATION],
    violation: 'body_not_owed',
  },
  {
    name: 'duplex: no body reply where headers were the end',
    options: { modes: FD },
    steps: [reqOnly, go('request'), pass('request', '', true)],
    sent: ['requestHeaders', VIOLATION],
    violation: 'body_after_end',
  },
  {
    name: 'duplex: an empty chunk that ends nothing is not sent',
    options: { modes: FD },
    steps: [
      reqHeaders,
      go('request'),
      chunk('request', 'a'),
      pass('request', ''),
      pass('request', 'a', true),
    ],
    sent: ['requestHeaders', 'requestBody ~a|'],
  },
  {
    name: 'duplex: body without headers (headers SKIP)',
    options: { modes: FD },
    steps: [chunk('request', 'a', true), pass('request', 'a', true), 'half_close'],
    sent: ['requestBody ~a|', 'END'],
  },
  {
    name: 'duplex: unchanged bytes are sent all the same',
    options: { modes: FD },
    steps: [chunk('request', 'a', true), pass('request', 'a', true, true)],
    sent: ['requestBody ~a|'],
  },
  // ---- BUFFERED
  {
    name: 'buffered: unchanged',
    options: { modes: both('BUFFERED') },
    steps: [
      reqHeaders,
      go('request'),
      chunk('request', 'hello', true),
      pass('request', 'hello', true, true),
      'half_close',
    ],
    sent: ['requestHeaders', 'requestBody', 'END'],
  },
  {
    name: 'buffered: contentLengthFits',
    options: { modes: both('BUFFERED') },
    steps: [
      reqHeaders,
      go('request'),
      chunk('request', 'hello', true),
      pass('request', 'hello!', true),
    ],
    sent: ['requestHeaders', 'requestBody =hello! content-length=6'],
  },
  {
    name: 'buffered: a cleared body has length 0',
    options: { modes: both('BUFFERED') },
    steps: [reqHeaders, go('request'), chunk('request', 'hello', true), pass('request', '', true)],
    sent: ['requestHeaders', 'requestBody clear content-length=0'],
  },
  {
    name: 'buffered: without headers Envoy removes content-length itself',
    options: { modes: both('BUFFERED') },
    steps: [chunk('request', 'hello', true), pass('request', 'hello!', true)],
    sent: ['requestBody =hello!'],
  },
  {
    name: 'buffered: body, then trailers',
    options: { modes: both('BUFFERED') },
    steps: [
      reqHeaders,
      go('request'),
      chunk('request', 'hello'),
      pass('request', 'HELLO', true),
      trailers('request'),
      endTrailers('request'),
      'half_close',
    ],
    sent: ['requestHeaders', 'requestBody =HELLO content-length=5', 'requestTrailers', 'END'],
  },
  {
    name: 'buffered: no content-length is invented in front of trailers',
    options: { modes: both('BUFFERED') },
    steps: [
      resHeaders,
      go('response'),
      chunk('response', 'hello'),
      pass('response', 'HELLO', false),
    ],
    sent: ['responseHeaders', 'responseBody =HELLO'],
  },
  {
    name: 'buffered: one reply for one body',
    options: { modes: both('BUFFERED') },
    steps: [
      reqHeaders,
      go('request'),
      chunk('request', 'a', true),
      pass('request', 'a', true),
      pass('request', 'b', true),
    ],
    sent: ['requestHeaders', 'requestBody =a content-length=1', VIOLATION],
    violation: 'body_not_owed',
  },
  {
    name: 'buffered: a second body is no message of Envoy',
    options: { modes: both('BUFFERED') },
    steps: [chunk('request', 'a'), pass('request', 'a', false, true), chunk('request', 'b', true)],
    sent: ['requestBody', failed('unexpected_message')],
  },
  {
    name: 'buffered partial: cut body, no content-length',
    options: { modes: both('BUFFERED_PARTIAL') },
    steps: [
      reqHeaders,
      go('request'),
      chunk('request', 'cut'),
      pass('request', 'CUT', false),
      'half_close',
    ],
    sent: ['requestHeaders', 'requestBody =CUT', 'END'],
  },
  // ---- STREAMED
  {
    name: 'streamed: one reply for each chunk, in order',
    options: { modes: both('STREAMED') },
    steps: [
      reqHeaders,
      go('request'),
      chunk('request', 'a'),
      chunk('request', 'b', true),
      pass('request', 'a', false, true),
      pass('request', '', true),
      'half_close',
    ],
    sent: ['requestHeaders', 'requestBody', 'requestBody clear', 'END'],
  },
  {
    name: 'streamed: a chunk may be replaced',
    options: { modes: both('STREAMED') },
    steps: [chunk('response', 'a'), pass('response', 'A')],
    sent: ['responseBody =A'],
  },
  {
    name: 'streamed: noEarlyEnd',
    options: { modes: both('STREAMED') },
    steps: [chunk('response', 'a'), pass('response', 'A', true)],
    sent: [VIOLATION],
    violation: 'end_of_stream_differs',
  },
  {
    name: 'streamed: noHoldingBehindTheEnd',
    options: { modes: both('STREAMED') },
    steps: [chunk('response', 'a', true), pass('response', '', false)],
    sent: [VIOLATION],
    violation: 'end_of_stream_differs',
  },
  {
    name: 'streamed: trailers only behind the chunks',
    options: { modes: both('STREAMED') },
    steps: [chunk('response', 'a'), trailers('response'), endTrailers('response')],
    sent: [VIOLATION],
    violation: 'body_reply_first',
  },
  {
    name: 'streamed: body sent before the headers reply (send_body_without_waiting)',
    options: { modes: both('STREAMED') },
    steps: [reqHeaders, chunk('request', 'a', true), pass('request', 'a', true)],
    sent: [VIOLATION],
    violation: 'headers_reply_first',
  },
  {
    name: 'streamed: a duplicate end is answered, not told',
    options: { modes: both('STREAMED') },
    steps: [
      chunk('response', 'a', true),
      pass('response', 'a', true, true),
      chunk('response', '', true),
      'half_close',
    ],
    sent: ['responseBody', 'responseBody', 'END'],
  },
  {
    name: 'streamed: a duplicate end waits for its turn',
    options: { modes: both('STREAMED') },
    steps: [
      chunk('response', 'a', true),
      chunk('response', '', true),
      pass('response', 'A', true),
      'half_close',
    ],
    sent: ['responseBody =A', 'responseBody', 'END'],
  },
  {
    name: 'streamed: an empty chunk in the middle is a chunk',
    options: { modes: both('STREAMED') },
    steps: [
      chunk('response', ''),
      pass('response', '', false, true),
      chunk('response', 'a', true),
      pass('response', 'a', true, true),
    ],
    sent: ['responseBody', 'responseBody'],
  },
  // ---- NONE
  {
    name: 'none: headers only',
    options: { modes: both('NONE') },
    steps: [reqHeaders, go('request'), resHeaders, go('response'), 'half_close'],
    sent: ['requestHeaders', 'responseHeaders', 'END'],
  },
  {
    name: 'none: a body is not what was agreed',
    options: { modes: both('NONE') },
    steps: [reqHeaders, go('request'), chunk('request', 'a', true)],
    sent: ['requestHeaders', failed('mode_has_no_body')],
  },
  {
    name: 'none: trailers are answered',
    options: { modes: both('NONE') },
    steps: [
      resHeaders,
      go('response'),
      trailers('response'),
      endTrailers('response'),
      'half_close',
    ],
    sent: ['responseHeaders', 'responseTrailers', 'END'],
  },
  // ---- refusals
  {
    name: 'refusal: before the headers are answered',
    options: { modes: FD },
    steps: [reqHeaders, refuse, 'half_close'],
    sent: ['immediate 403', 'END'],
  },
  {
    name: 'refusal: while the response headers are held; late calls and messages change nothing',
    options: { modes: FD },
    steps: [
      reqOnly,
      go('request'),
      resHeaders,
      chunk('response', 'a'),
      refuse,
      go('response'),
      pass('response', 'a', true),
      refuse,
      chunk('response', 'b', true),
      'half_close',
    ],
    sent: ['requestHeaders', 'immediate 403', 'END'],
  },
  {
    name: 'refusal: noRefusalOnceReleased',
    options: { modes: FD },
    steps: [reqOnly, go('request'), resHeaders, go('response'), chunk('response', 'a'), refuse],
    sent: ['requestHeaders', 'responseHeaders', VIOLATION],
    violation: 'refusal_too_late',
  },
  {
    name: 'refusal: not where response headers are skipped',
    options: { modes: FD },
    steps: [chunk('response', 'a'), refuse],
    sent: [VIOLATION],
    violation: 'refusal_too_late',
  },
  {
    name: 'refusal: a status that is none fails the stream',
    options: { modes: FD },
    steps: [reqHeaders, (port) => port.immediate(0, {}, '', 'd')],
    sent: [VIOLATION],
    violation: 'invalid_status',
  },
  {
    name: 'mutation: a forbidden name fails the stream',
    options: { modes: FD },
    steps: [
      reqHeaders,
      (port) => port.continueHeaders('request', { set: [{ name: 'host', value: 'evil' }] }),
    ],
    sent: [VIOLATION],
    violation: 'forbidden_header',
  },
  // ---- first messages and modes
  {
    name: 'first message is response_headers (a local reply)',
    options: { modes: FD },
    steps: [
      resHeaders,
      go('response'),
      chunk('response', 'err', true),
      pass('response', 'err', true),
      'half_close',
    ],
    sent: ['responseHeaders', 'responseBody ~err|', 'END'],
  },
  {
    name: 'modesNeverGuessed: no protocol_config',
    options: {},
    steps: [reqHeaders],
    sent: [failed('modes_unknown')],
  },
  {
    name: 'modes by configuration where Envoy tells none',
    options: { options: { defaultModes: both('STREAMED') } },
    steps: [chunk('request', 'a', true), pass('request', 'A', true)],
    sent: ['requestBody =A'],
  },
  {
    name: 'GRPC body mode is not supported',
    options: { modes: { request: 'NONE', response: 'GRPC' } },
    steps: [reqHeaders],
    sent: [failed('mode_not_supported')],
  },
  {
    name: 'headers twice',
    options: { modes: FD },
    steps: [reqHeaders, go('request'), reqHeaders],
    sent: ['requestHeaders', failed('unexpected_message')],
  },
  {
    name: 'headers answered twice',
    options: { modes: FD },
    steps: [reqHeaders, go('request'), go('request')],
    sent: ['requestHeaders', VIOLATION],
    violation: 'headers_not_owed',
  },
  {
    name: 'a body behind its end',
    options: { modes: FD },
    steps: [chunk('request', 'a', true), chunk('request', 'b')],
    sent: [failed('unexpected_message')],
  },
  // ---- ends
  {
    name: 'neverCloseUnsettled: headers owed',
    options: { modes: FD },
    steps: [reqHeaders, 'half_close'],
    sent: [failed('half_closed_unsettled')],
  },
  {
    name: 'neverCloseUnsettled: a duplex body begun and not ended',
    options: { modes: FD },
    steps: [reqHeaders, go('request'), chunk('request', 'a'), pass('request', 'a'), 'half_close'],
    sent: ['requestHeaders', 'requestBody ~a', failed('half_closed_unsettled')],
  },
  {
    name: 'neverCloseUnsettled: a streamed chunk unanswered',
    options: { modes: both('STREAMED') },
    steps: [
      chunk('request', 'a', true),
      chunk('response', 'a', true),
      pass('response', 'a', true),
      'half_close',
    ],
    // The answer has ended, so nothing of the request is waited for.
    sent: ['responseBody =a', 'END'],
  },
  {
    name: 'neverCloseUnsettled: a request chunk unanswered while the answer runs',
    options: { modes: both('STREAMED') },
    steps: [
      chunk('request', 'a', true),
      chunk('response', 'a'),
      pass('response', 'a'),
      'half_close',
    ],
    sent: ['responseBody =a', failed('half_closed_unsettled')],
  },
  {
    name: 'a stream without a message ends cleanly',
    options: {},
    steps: ['half_close'],
    sent: ['END'],
  },
  {
    name: 'cancelled: nothing is sent, late calls neither',
    options: { modes: FD },
    steps: [
      reqHeaders,
      'cancel',
      go('request'),
      refuse,
      'half_close',
      (port) => port.fail('INTERNAL', 'x'),
    ],
    sent: [],
  },
  {
    name: 'fail is idempotent and final',
    options: { modes: FD },
    steps: [
      reqHeaders,
      (port) => port.fail('RESOURCE_EXHAUSTED', 'held_bytes'),
      (port) => port.fail('INTERNAL', 'x'),
      go('request'),
      'half_close',
      'cancel',
    ],
    sent: ['FAIL RESOURCE_EXHAUSTED held_bytes'],
  },
  {
    name: 'observability: nothing is ever sent, the end is clean',
    options: { observability: true },
    steps: [
      reqHeaders,
      go('request'),
      chunk('request', 'a', true),
      pass('request', 'a', true),
      refuse,
      resOnly,
      'half_close',
    ],
    sent: ['END'],
  },
  {
    name: 'messages that say nothing are tolerated',
    options: { modes: FD },
    steps: [
      { in: 'empty' },
      reqHeaders,
      { in: 'empty' },
      go('request'),
      chunk('request', ''),
      chunk('request', 'a', true),
      chunk('request', '', true),
      pass('request', 'a', true),
      'half_close',
    ],
    sent: ['requestHeaders', 'requestBody ~a|', 'END'],
  },
];

function run(row: Row): { readonly bench: Rig; readonly violation: string | undefined } {
  const bench = rig(row.options);
  let violation: string | undefined;
  for (const step of row.steps) {
    if (typeof step === 'function') {
      try {
        step(bench.machine);
      } catch (error) {
        assert.ok(error instanceof ProtocolViolation, String(error));
        violation = error.code;
      }
    } else if (step === 'half_close') bench.halfClose();
    else if (step === 'cancel') bench.cancel();
    else bench.feed(step);
  }
  return { bench, violation };
}

describe('exchange machine: table', () => {
  for (const row of rows) {
    it(row.name, () => {
      const { bench, violation } = run(row);
      assert.deepEqual(bench.sent(), row.sent);
      assert.equal(violation, row.violation);
    });
  }
});

const told = (bench: Rig): string[] =>
  bench.log.flatMap((entry) => ('told' in entry ? [entry.told] : []));

describe('exchange machine: handler', () => {
  it('splits at the chunk limit: limit, limit + 1', () => {
    for (const [length, sizes] of [
      [8, [8]],
      [9, [8, 1]],
      [16, [8, 8]],
      [0, [0]],
    ] as const) {
      const bench = rig({ modes: FD, options: { streamedChunkBytesMax: 8 } });
      bench.feed(chunk('request', 'x', true));
      bench.machine.body('request', Buffer.alloc(length, 'y'), true);
      assert.deepEqual(
        bench.sent(),
        sizes.map(
          (size, index) =>
            `requestBody ~${'y'.repeat(size)}${index === sizes.length - 1 ? '|' : ''}`,
        ),
      );
    }
  });

  it('a handler that throws fails the stream and is told so, after it has returned', () => {
    let inEvent = false;
    const bench = rig({
      modes: FD,
      handler: () => ({
        event() {
          inEvent = true;
          try {
            throw new Error('secret prompt');
          } finally {
            inEvent = false;
          }
        },
        end() {
          assert.ok(!inEvent);
        },
      }),
    });
    bench.feed(reqHeaders);
    assert.deepEqual(bench.sent(), [failed('handler_failed')]);
    assert.deepEqual(told(bench), ['failed']);
    assert.equal(bench.faults[0]?.code, 'handler_failed');
  });

  it('a handler that swallows the violation cannot keep the stream', () => {
    const bench = rig({
      modes: FD,
      handler: (port) => ({
        event() {
          try {
            port.body('request', bytes('x'), true);
          } catch {
            port.continueHeaders('request');
          }
        },
      }),
    });
    bench.feed(reqHeaders);
    assert.deepEqual(bench.sent(), [VIOLATION]);
    assert.deepEqual(told(bench), ['failed']);
  });

  it('failing inside an event, or while being made, is told once and afterwards', () => {
    const order: string[] = [];
    const inside = rig({
      modes: FD,
      handler: (port) => ({
        event() {
          port.fail('UNAVAILABLE', 'store');
          order.push('event over');
        },
        end: (end) => order.push(end),
      }),
    });
    inside.feed(reqHeaders, chunk('request', 'late'));
    assert.deepEqual(order, ['event over', 'failed']);
    for (const observability of [true, false]) {
      const made = rig({
        modes: FD,
        observability,
        handler: (port) => {
          port.fail('UNAVAILABLE', 'no set');
          return {};
        },
      });
      made.feed(reqHeaders, chunk('request', 'late'));
      made.halfClose();
      assert.deepEqual(made.sent(), ['FAIL UNAVAILABLE no set']);
      assert.deepEqual(told(made), ['failed']);
      assert.equal(made.events.length, 0);
    }
  });

  it('a handler that cannot be made fails the stream', () => {
    const bench = rig({
      modes: FD,
      handler: () => {
        throw new Error('x');
      },
    });
    bench.feed(reqHeaders);
    assert.deepEqual(bench.sent(), [failed('handler_failed')]);
  });

  it('a handler whose end throws changes nothing', () => {
    const bench = rig({
      modes: FD,
      handler: () => ({
        end() {
          throw new Error('x');
        },
      }),
    });
    bench.feed(reqOnly);
    bench.machine.continueHeaders('request');
    bench.halfClose();
    assert.deepEqual(bench.sent(), ['requestHeaders', 'END']);
    assert.equal(bench.faults.length, 1);
  });

  it('tells every end by its name', () => {
    const thenClosed = (act: (port: ProcessPort) => void) => (bench: Rig) => {
      act(bench.machine);
      bench.halfClose();
    };
    const ends: readonly (readonly [string, (bench: Rig) => void])[] = [
      ['half_close', thenClosed(go('request'))],
      ['cancelled', (bench) => bench.halfClose()],
      ['cancelled', (bench) => bench.cancel()],
      ['failed', (bench) => bench.machine.fail('DEADLINE_EXCEEDED', 'verdict')],
      ['half_close', thenClosed(refuse)],
    ];
    for (const [end, act] of ends) {
      const bench = rig({ modes: FD });
      bench.feed(reqOnly);
      act(bench);
      bench.cancel();
      bench.halfClose();
      assert.deepEqual(told(bench), [end]);
    }
  });

  it('malformed bytes fail the stream, at the top and where they are read late', () => {
    const top = rig({ modes: FD });
    top.machine.receive(Buffer.from([0x0b]));
    assert.deepEqual(top.sent(), [failed('malformed_message')]);
    const late = rig({
      modes: FD,
      handler: () => ({ event: (event) => void ('headers' in event && event.headers.entries()) }),
    });
    // request_headers { headers: { headers: <one byte short> } }, protocol_config {}
    late.machine.receive(Buffer.from([0x12, 0x04, 0x0a, 0x02, 0x0a, 0x05, 0x5a, 0x00]));
    assert.deepEqual(late.sent(), [failed('malformed_message')]);
  });

  it('tells modes, metadata and what may still be done', () => {
    const bench = rig({ modes: { request: 'BUFFERED', response: 'FULL_DUPLEX_STREAMED' } });
    assert.equal(bench.machine.bodyMode('request'), undefined);
    assert.ok(!bench.machine.canRefuse);
    bench.feed(reqHeaders);
    assert.equal(bench.machine.bodyMode('request'), 'BUFFERED');
    assert.equal(bench.machine.bodyMode('response'), 'FULL_DUPLEX_STREAMED');
    assert.equal(bench.machine.initialMetadata('x-route'), 'r1');
    assert.equal(bench.machine.initialMetadata('x-other'), undefined);
    assert.ok(bench.machine.canRefuse && !bench.machine.settled && !bench.machine.observability);
    bench.machine.continueHeaders('request');
    assert.ok(bench.machine.canRefuse && bench.machine.settled);
    bench.feed(resHeaders);
    bench.machine.continueHeaders('response');
    assert.ok(!bench.machine.canRefuse && bench.machine.settled);
  });

  for (const mode of ['BUFFERED', 'BUFFERED_PARTIAL'] as const)
    it(`can still refuse while Envoy keeps the headers of a ${mode} body`, () => {
      const bench = rig({ modes: { request: 'NONE', response: mode } });
      bench.feed(resHeaders);
      bench.machine.continueHeaders('response');
      bench.feed(chunk('response', 'a', true));
      assert.ok(bench.machine.canRefuse);
      bench.machine.body('response', Buffer.from('a'), true, true);
      assert.ok(!bench.machine.canRefuse);
    });

  it('counts messages that say nothing, and does not tell them', () => {
    const bench = rig({ modes: FD });
    bench.feed(
      { in: 'empty' },
      chunk('request', ''),
      chunk('request', 'a', true),
      chunk('request', '', true),
    );
    assert.equal(bench.unknown(), 3);
    assert.deepEqual(
      bench.events.map((event) => event.kind),
      ['body'],
    );
  });
});
