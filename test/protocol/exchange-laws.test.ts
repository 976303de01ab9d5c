/** Whatever Envoy sends and whatever the handler does: nothing leaves that Envoy misreads, no clean bypass. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { BodyMode, ProcessEvent, ProcessPort } from '../../src/protocol/process.ts';
import { complaints } from './envoy-acceptance.ts';
import { type Dir, type Input, type Modes, rig } from './rig.ts';

const CHUNK_MAX = 8;
const MODES: readonly BodyMode[] = [
  'NONE',
  'STREAMED',
  'BUFFERED',
  'BUFFERED_PARTIAL',
  'FULL_DUPLEX_STREAMED',
];
const direction = fc.constantFrom<Dir>('request', 'response');
const mode = fc.constantFrom(...MODES);
const modes: fc.Arbitrary<Modes> = fc.record({ request: mode, response: mode });

/** What Envoy would send in one direction. */
function course(dir: Dir): fc.Arbitrary<Input[]> {
  return fc
    .record({
      skip: fc.boolean(),
      bodiless: fc.boolean(),
      chunks: fc.array(fc.constantFrom('', 'a', 'bcd', 'efghijklmnopqrstuvwxyz'), { maxLength: 4 }),
      trailers: fc.boolean(),
      duplicateEnd: fc.boolean(),
    })
    .map(({ skip, bodiless, chunks, trailers, duplicateEnd }) => {
      if (bodiless)
        return skip ? [] : [{ in: 'headers', dir, eos: true, headers: { 'content-length': '0' } }];
      const course: Input[] = skip
        ? []
        : [{ in: 'headers', dir, headers: { 'content-length': '3' } }];
      for (const text of chunks) course.push({ in: 'body', dir, text });
      if (trailers) course.push({ in: 'trailers', dir });
      else {
        course.push({ in: 'body', dir, text: 'z', eos: true });
        if (duplicateEnd) course.push({ in: 'body', dir, text: '', eos: true });
      }
      return course;
    });
}

/** Mostly an ordered exchange; sometimes anything at all. */
const anything: fc.Arbitrary<Input> = fc.oneof(
  fc.record({ in: fc.constant('headers' as const), dir: direction, eos: fc.boolean() }),
  fc.record({
    in: fc.constant('body' as const),
    dir: direction,
    text: fc.constantFrom('', 'a'),
    eos: fc.boolean(),
  }),
  fc.record({ in: fc.constant('trailers' as const), dir: direction }),
  fc.constant({ in: 'empty' as const }),
);
const inputs: fc.Arbitrary<Input[]> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .tuple(course('request'), course('response'))
      .map(([one, two]) => [...one, ...two]),
  },
  { weight: 1, arbitrary: fc.array(anything, { maxLength: 8 }) },
);

type Call = (port: ProcessPort) => void;
const wildCall: fc.Arbitrary<Call> = fc.oneof(
  direction.map(
    (dir): Call =>
      (port) =>
        port.continueHeaders(dir),
  ),
  fc
    .tuple(direction, fc.constantFrom('', 'x', 'longer than a chunk'), fc.boolean(), fc.boolean())
    .map(
      ([dir, text, eos, same]): Call =>
        (port) =>
          port.body(dir, Buffer.from(text), eos, same),
    ),
  direction.map(
    (dir): Call =>
      (port) =>
        port.trailers(dir),
  ),
  fc.constant<Call>((port) => port.immediate(403, { 'x-a': 'b\r\nc' }, 'no', '')),
  fc.constant<Call>((port) => port.fail('UNAVAILABLE', 'test')),
  fc.constant<Call>(() => {
    throw new Error('handler');
  }),
);

/** The plain right answer to an event. */
function obey(port: ProcessPort, event: ProcessEvent): void {
  switch (event.kind) {
    case 'headers':
      port.continueHeaders(event.direction);
      break;
    case 'body':
      port.body(event.direction, Buffer.from(event.bytes), event.endOfStream);
      break;
    case 'trailers':
      port.trailers(event.direction);
      break;
  }
}

/** Per event: obey now, obey later, or something wild now or later. */
type Turn =
  | { readonly kind: 'obey' }
  | { readonly kind: 'later' }
  | { readonly kind: 'wild'; readonly call: Call }
  | { readonly kind: 'wild_later'; readonly call: Call };
const turn: fc.Arbitrary<Turn> = fc.oneof(
  { weight: 8, arbitrary: fc.constant<Turn>({ kind: 'obey' }) },
  { weight: 3, arbitrary: fc.constant<Turn>({ kind: 'later' }) },
  { weight: 1, arbitrary: wildCall.map((call): Turn => ({ kind: 'wild', call })) },
  { weight: 1, arbitrary: wildCall.map((call): Turn => ({ kind: 'wild_later', call })) },
);

function quietly(act: () => void): void {
  try {
    act();
  } catch {
    // A violation, or the handler's own error, outside an event: nobody is there to catch it.
  }
}

describe('exchange machine: laws', () => {
  it('everything that leaves is accepted, and no clean end leaves anything owed', () => {
    let clean = 0;
    let failed = 0;
    fc.assert(
      fc.property(
        modes,
        fc.boolean().chain((watch) => (watch ? fc.boolean() : fc.constant(false))),
        inputs,
        fc.infiniteStream(turn),
        fc.constantFrom('half_close', 'cancel', 'half_close_late', 'fail'),
        (chosen, observability, messages, turns, ending) => {
          const later: (() => void)[] = [];
          const bench = rig({
            modes: chosen,
            observability,
            options: { streamedChunkBytesMax: CHUNK_MAX },
            handler: (port) => ({
              event(event) {
                const next = turns.next().value as Turn;
                if (next.kind === 'obey') obey(port, event);
                else if (next.kind === 'wild') next.call(port);
                else if (next.kind === 'later') later.push(() => obey(port, event));
                else later.push(() => next.call(port));
              },
            }),
          });
          for (const [index, message] of messages.entries()) {
            bench.feed(message);
            if (index % 2 === 1) for (const act of later.splice(0)) quietly(act);
          }
          if (ending === 'half_close') bench.halfClose();
          for (const act of later.splice(0)) quietly(act);
          if (ending === 'half_close_late') bench.halfClose();
          else if (ending === 'cancel') bench.cancel();
          else if (ending === 'fail') bench.machine.fail('UNAVAILABLE', 'draining');
          // A second end, and late calls, change nothing.
          bench.machine.halfClosed();
          bench.cancel();
          quietly(() => bench.machine.continueHeaders('request'));

          const told = bench.log.filter((entry) => 'told' in entry);
          assert.ok(told.length <= 1, 'the handler is told its end once');
          if (bench.events.length > 0) assert.equal(told.length, 1);
          // The half-close after the fact is not in the log, so that only real ones are judged.
          assert.deepEqual(complaints(bench.log, chosen, observability, CHUNK_MAX), []);
          if (bench.sent().includes('END')) clean++;
          if (bench.sent().some((line) => line.startsWith('FAIL'))) failed++;
        },
      ),
      { numRuns: 3000 },
    );
    assert.ok(clean > 200 && failed > 200, `both ends were seen often enough: ${clean}, ${failed}`);
  });

  it('a handler that obeys gets every ordered exchange to a clean end', () => {
    fc.assert(
      fc.property(
        fc.constantFrom<BodyMode>('STREAMED', 'FULL_DUPLEX_STREAMED'),
        fc.constantFrom<BodyMode>('STREAMED', 'FULL_DUPLEX_STREAMED'),
        course('request'),
        course('response'),
        (request, response, one, two) => {
          const bench = rig({
            modes: { request, response },
            options: { streamedChunkBytesMax: CHUNK_MAX },
            handler: (port) => ({ event: (event) => obey(port, event) }),
          });
          bench.feed(...one, ...two);
          bench.halfClose();
          assert.equal(bench.sent().at(-1), 'END');
          assert.deepEqual(complaints(bench.log, { request, response }, false, CHUNK_MAX), []);
        },
      ),
      { numRuns: 500 },
    );
  });
});
