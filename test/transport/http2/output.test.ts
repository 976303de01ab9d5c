/** What is laid out for a socket: the same bytes whatever their sizes, few writes, and nothing overwritten on its way. */
import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { Output } from '../../../src/transport/http2/output.ts';
import { frame, message, readFrames } from './raw-peer.ts';

class Sink {
  readonly writes: (readonly Buffer[])[] = [];
  readonly #dones: (() => void)[] = [];
  write(bytes: readonly Buffer[], done: () => void): void {
    this.writes.push(bytes);
    this.#dones.push(done);
  }
  /** The bytes of the first write are out. */
  take(): Buffer {
    const bytes = Buffer.concat(this.writes.shift() ?? []);
    this.#dones.shift()?.();
    return bytes;
  }
}

describe('output', () => {
  it('is what was appended, around every size at which it is laid out otherwise', () => {
    const sizes = [0, 1, 63, 64, 65, 8_191, 8_192, 8_193, 32_767, 32_768, 100_000];
    const sink = new Sink();
    const output = new Output(sink);
    const wanted: Buffer[] = [];
    for (const [at, size] of [...sizes, ...sizes.toReversed()].entries()) {
      const bytes = Buffer.alloc(size + 4, 65 + at);
      output.append(bytes, 2, 2 + size);
      wanted.push(bytes.subarray(2, 2 + size));
    }
    const whole = Buffer.concat(wanted);
    assert.equal(output.waiting, whole.length);
    output.flush();
    assert.equal(output.unflushed, false);
    assert.equal(output.waiting, whole.length);
    assert.equal(sink.writes.length, 1);
    assert.ok(sink.take().equals(whole));
    assert.equal(output.waiting, 0);
  });

  it('lays out frames, numbers and prefixes as RFC 9113 and gRPC have them', () => {
    const sink = new Sink();
    const output = new Output(sink);
    output.frame(0x01_02_03, 9, 0xff, 0x7fff_ffff);
    output.frame(4, 8, 0, 1);
    output.uint32(0xffff_fffe);
    output.messagePrefix(70_000);
    output.flush();
    const bytes = sink.take();
    assert.equal(bytes.toString('hex', 0, 9), '01020309ff7fffffff');
    const window = Buffer.alloc(4);
    window.writeUInt32BE(0xffff_fffe);
    assert.deepEqual(bytes.subarray(9, 22), frame(8, 0, 1, window));
    assert.deepEqual(bytes.subarray(22), message(Buffer.alloc(70_000)).subarray(0, 5));
  });

  it('says nothing where there is nothing to say', () => {
    const sink = new Sink();
    const output = new Output(sink);
    output.flush();
    output.append(Buffer.alloc(0), 0, 0);
    output.flush();
    assert.equal(sink.writes.length, 0);
  });

  it('writes to no block that is still on its way', () => {
    const sink = new Sink();
    const outputs = Array.from({ length: 5 }, () => new Output(sink));
    const wanted: Buffer[] = [];
    for (let round = 0; round < 60; round++) {
      const output = outputs[round % 5] as Output;
      for (let at = 0; at < 9; at++) output.frame(5_000, 0, 0, round * 10 + at + 1);
      output.append(Buffer.alloc(5_000, round), 0, 5_000);
      output.flush();
      wanted.push(Buffer.alloc(5_000, round));
      // Blocks of some come back while others are on their way.
      if (round % 3 === 0) check(sink.take(), wanted.shift() as Buffer);
    }
    while (sink.writes.length > 0) check(sink.take(), wanted.shift() as Buffer);
  });
});

function check(bytes: Buffer, payload: Buffer): void {
  assert.ok(bytes.subarray(81).equals(payload));
  assert.equal(readFrames(bytes.subarray(72)).frames[0]?.payload.length, 5_000);
}
