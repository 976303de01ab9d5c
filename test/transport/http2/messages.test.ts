/** Frames and messages, cut anywhere and held anywhere: the same comes out. */
import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { FrameSplitter } from '../../../src/transport/http2/frame-splitter.ts';
import { ConnectionError } from '../../../src/transport/http2/frames.ts';
import { HeldBytes, SharedBytes } from '../../../src/transport/http2/held-bytes.ts';
import { type MessageProblem, MessageReader } from '../../../src/transport/http2/message-reader.ts';
import { RememberedIds } from '../../../src/transport/http2/remembered-ids.ts';
import { data, frame, message, PREFACE, ping, settings, windowUpdate } from './raw-peer.ts';

const CONVERSATION = Buffer.concat([
  PREFACE,
  settings([4, 7]),
  ping(),
  data(2 ** 31 - 1, Buffer.from('some bytes'), true),
  windowUpdate(1, 5),
  frame(255, 255, 0),
]);

function framesOf(...chunks: readonly Buffer[]): string[] {
  const seen: string[] = [];
  const splitter = new FrameSplitter({
    frame: (type, flags, id, bytes, start, end) =>
      seen.push(`${type} ${flags} ${id} ${bytes.toString('hex', start, end)}`),
  });
  for (const chunk of chunks) splitter.push(chunk);
  return seen;
}

describe('frames', () => {
  it('are the same however their bytes are cut', () => {
    const whole = framesOf(CONVERSATION);
    assert.equal(whole.length, 5);
    assert.equal(whole[2], `0 1 ${2 ** 31 - 1} ${Buffer.from('some bytes').toString('hex')}`);
    for (let one = 0; one <= CONVERSATION.length; one++)
      for (let two = one; two <= CONVERSATION.length; two += 3)
        assert.deepEqual(
          framesOf(
            CONVERSATION.subarray(0, one),
            CONVERSATION.subarray(one, two),
            CONVERSATION.subarray(two),
          ),
          whole,
        );
    assert.deepEqual(framesOf(...[...CONVERSATION].map((byte) => Buffer.of(byte))), whole);
  });

  it('are as long as we allow, and no longer, as soon as that is said', () => {
    const longest = frame(0, 0, 1, Buffer.alloc(16_384));
    assert.equal(framesOf(PREFACE, longest).length, 1);
    const longer = frame(0, 0, 1, Buffer.alloc(16_385));
    for (const said of [[longer.subarray(0, 9)], [longer.subarray(0, 2), longer.subarray(2, 9)]])
      assert.throws(
        () => framesOf(PREFACE, ...said),
        (error) => error instanceof ConnectionError && error.code === 6,
      );
  });

  it('come behind the preface, each byte of it', () => {
    for (let at = 0; at < PREFACE.length; at++) {
      const wrong = Buffer.from(PREFACE);
      wrong[at] = (wrong[at] as number) ^ 1;
      assert.throws(() => framesOf(wrong.subarray(0, at + 1)), ConnectionError);
    }
  });
});

class Taker {
  readonly messages: string[] = [];
  readonly problems: MessageProblem[] = [];
  holding = false;
  /** Holds behind every message of an even number. */
  readonly stops: boolean;
  constructor(stops: boolean) {
    this.stops = stops;
  }
  message(bytes: Buffer, start: number, end: number): void {
    this.messages.push(bytes.toString('latin1', start, end));
    if (this.stops && this.messages.length % 2 === 0) this.holding = true;
  }
  refuse(problem: MessageProblem): void {
    this.problems.push(problem);
  }
}

function rig(bytesMax = 1e6, total = 1e9, stops = false) {
  const shared = new SharedBytes(total);
  const taker = new Taker(stops);
  return { shared, taker, reader: new MessageReader(taker, bytesMax, new HeldBytes(shared)) };
}

const TEXTS = ['first', '', 'x'.repeat(300), 'y', '', '', 'z'.repeat(40), 'last'];
const MESSAGES = Buffer.concat(TEXTS.map((words) => message(Buffer.from(words))));

describe('messages', () => {
  it('are the same however their bytes are cut, and wherever they are held', () => {
    for (const stops of [false, true])
      for (let one = 0; one <= MESSAGES.length; one++)
        for (let two = one; two <= MESSAGES.length; two += 7) {
          const { shared, taker, reader } = rig(1e6, 1e9, stops);
          reader.push(MESSAGES, 0, one);
          reader.push(MESSAGES, one, two);
          if (stops && two % 2 === 0) {
            taker.holding = false;
            reader.resume();
          }
          reader.push(MESSAGES, two, MESSAGES.length);
          for (let turn = 0; turn < TEXTS.length; turn++) {
            taker.holding = false;
            reader.resume();
          }
          assert.deepEqual(taker.messages, TEXTS, `${one} ${two}`);
          assert.equal(reader.unfinished, false);
          assert.deepEqual([shared.held, shared.holders], [0, 0]);
        }
  });

  it('that are given keep their bytes, whatever comes behind them', () => {
    const { reader, taker } = rig();
    const kept: Buffer[] = [];
    taker.message = (bytes: Buffer, start: number, end: number) => {
      kept.push(bytes.subarray(start, end));
      taker.holding = true;
    };
    const expected: string[] = [];
    taker.holding = true;
    for (let at = 0; at < 200; at++) {
      const words = `${at}`.repeat(1 + (at % 40));
      expected.push(words);
      const bytes = message(Buffer.from(words));
      // The chunk of a socket is its own; only what is held is ours.
      for (const byte of bytes) reader.push(Buffer.of(byte), 0, 1);
      if (at % 3 === 2)
        for (let turn = 0; turn < 2; turn++) {
          taker.holding = false;
          reader.resume();
        }
    }
    while (reader.unfinished) {
      taker.holding = false;
      reader.resume();
    }
    assert.deepEqual(
      kept.map((bytes) => bytes.toString()),
      expected,
    );
  });

  it('may be asked on for while they are given', () => {
    const { reader, taker } = rig();
    const seen: string[] = [];
    taker.message = (bytes: Buffer, start: number, end: number) => {
      seen.push(bytes.toString('utf8', start, end));
      taker.holding = true;
      taker.holding = false;
      reader.resume();
    };
    taker.holding = true;
    reader.push(MESSAGES, 0, MESSAGES.length);
    taker.holding = false;
    reader.resume();
    assert.deepEqual(seen, TEXTS);
  });

  it('have a largest size, told by their prefix alone', () => {
    const longest = message(Buffer.alloc(100));
    const fits = rig(100);
    fits.reader.push(longest, 0, longest.length);
    assert.equal(fits.taker.messages.length, 1);
    const longer = rig(100);
    const prefix = message(Buffer.alloc(101)).subarray(0, 5);
    longer.reader.push(prefix, 0, 5);
    assert.deepEqual(longer.taker.problems, ['too_large']);
    const compressed = rig(100);
    compressed.reader.push(Buffer.of(1), 0, 1);
    assert.deepEqual(compressed.taker.problems, ['compressed']);
  });

  it('cost what has come of them, not what is announced, nor what small frames would cost each', () => {
    const announced = message(Buffer.alloc(500_000)).subarray(0, 6);
    const begun = rig();
    begun.reader.push(announced, 0, announced.length);
    assert.ok(begun.shared.held <= 256, `${begun.shared.held}`);
    const dribbled = rig();
    dribbled.taker.holding = true;
    for (let at = 0; at < 100_000; at++) dribbled.reader.push(Buffer.of(0), 0, 1);
    assert.ok(dribbled.shared.held >= 100_000 && dribbled.shared.held < 270_000);
    dribbled.reader.close();
    begun.reader.close();
    assert.deepEqual([begun.shared.held, dribbled.shared.held], [0, 0]);
  });

  it('of all connections are bounded together, but for those that hold less than their share', () => {
    const shared = new SharedBytes(10_000);
    const readers = Array.from({ length: 4 }, () => {
      const taker = new Taker(false);
      return { taker, reader: new MessageReader(taker, 1e6, new HeldBytes(shared)) };
    });
    const half = (bytes: number): Buffer => message(Buffer.alloc(50_000)).subarray(0, 5 + bytes);
    readers[0]?.reader.push(half(10_000), 0, 10_005);
    assert.deepEqual(readers[0]?.taker.problems, []);
    readers[1]?.reader.push(half(5_001), 0, 5_006);
    assert.deepEqual(readers[1]?.taker.problems, ['inbound_total']);
    readers[2]?.reader.push(half(5_000), 0, 5_005);
    assert.deepEqual(readers[2]?.taker.problems, []);
    for (const { reader } of readers) reader.close();
    assert.deepEqual([shared.held, shared.holders], [0, 0]);
  });
});

describe('ids that are remembered', () => {
  it('are the last so many, and at most twice as many', () => {
    const ids = new RememberedIds(10);
    assert.equal(ids.has(1), false);
    for (let id = 1; id <= 100; id++) {
      ids.add(id);
      for (let last = Math.max(1, id - 9); last <= id; last++) assert.ok(ids.has(last));
      if (id > 20) assert.equal(ids.has(id - 20), false);
    }
  });
});
