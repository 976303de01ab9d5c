/** What beside a flood is done before somebody else has his answer, in units of work and not in time. */
import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import type { Clock } from '../../../src/engine/clock.ts';
import { HTTP2_LIMITS_DEFAULT } from '../../../src/engine/http2-limits.ts';
import { Turns } from '../../../src/engine/turns.ts';
import { PacedReader } from '../../../src/transport/http2/paced-reader.ts';

/** A socket by its events. */
class Line extends EventEmitter {
  paused = false;
  pause(): void {
    this.paused = true;
  }
  resume(): void {
    this.paused = false;
  }
  isPaused(): boolean {
    return this.paused;
  }
}

/** Bytes that cost a unit each. */
class Taker {
  readonly #log: string[];
  readonly #name: string;
  taken = 0;
  lostAt: number | undefined;
  constructor(name: string, log: string[]) {
    this.#name = name;
    this.#log = log;
  }
  receive(chunk: Buffer, units: number): number {
    const bytes = Math.min(chunk.length, units);
    for (let left = bytes; left > 0; left--) this.#log.push(this.#name);
    this.taken += bytes;
    return bytes;
  }
  lost(): void {
    this.lostAt = this.taken;
  }
}

class Loop {
  readonly log: string[] = [];
  readonly #soon: (() => void)[] = [];
  readonly turns = new Turns(
    { soon: (action: () => void) => this.#soon.push(action) } as unknown as Clock,
    { sliceUnitsMax: HTTP2_LIMITS_DEFAULT.turnUnitsMax },
  );
  /** Somebody's socket, and whoever takes what comes of it. */
  open(name: string): { line: Line; taker: Taker } {
    const [line, taker] = [new Line(), new Taker(name, this.log)];
    new PacedReader(line as unknown as Socket, taker, this.turns);
    return { line, taker };
  }
  /** The end of a turn of the event loop. Whether there was something to do. */
  turn(): boolean {
    const actions = this.#soon.splice(0);
    for (const action of actions) action();
    return actions.length > 0;
  }
}

const { turnUnitsMax } = HTTP2_LIMITS_DEFAULT;
const CHUNK = Buffer.alloc(65_536);

describe('a paced reader', () => {
  it('does what comes at once while there is time for it', () => {
    const loop = new Loop();
    const { line, taker } = loop.open('one');
    line.emit('data', Buffer.alloc(40));
    assert.equal(taker.taken, 40);
    assert.equal(line.paused, false);
  });

  for (const floods of [1, 4, 100])
    it(`lets ${floods} that send without end do no more than two turns before somebody else who keeps to his share`, () => {
      const loop = new Loop();
      const flooding = Array.from({ length: floods }, (_, at) => loop.open(`flood ${at}`));
      const somebody = loop.open('somebody');
      for (let round = 0; round < 20; round++) {
        // As the kernel has it: whoever is read brings all that fits a read.
        for (const { line } of flooding) if (!line.paused) line.emit('data', CHUNK);
        const before = loop.log.length;
        somebody.line.emit('data', Buffer.alloc(40));
        const taken = somebody.taker.taken;
        if (taken < (round + 1) * 40) loop.turn();
        const at = loop.log.indexOf('somebody', before);
        assert.ok(at >= 0, `round ${round}: not done at the end of the turn`);
        assert.ok(at - before <= turnUnitsMax, `${at - before} units before it`);
        for (let turns = 0; turns < 10; turns++) {
          for (const { line } of flooding) if (!line.paused) line.emit('data', CHUNK);
          loop.turn();
        }
      }
      assert.equal(somebody.taker.taken, 20 * 40);
    });

  it('does no more in one turn than turnUnitsMax twice, as it comes and as it waited', () => {
    const loop = new Loop();
    const flooding = Array.from({ length: 50 }, (_, at) => loop.open(`flood ${at}`));
    for (let round = 0; round < 10; round++) {
      const before = loop.log.length;
      for (const { line } of flooding) if (!line.paused) line.emit('data', CHUNK);
      loop.turn();
      assert.ok(loop.log.length - before <= 2 * turnUnitsMax);
      assert.ok(loop.log.length - before >= turnUnitsMax / 2);
    }
  });

  it('reads on who has little waiting, and not who has more', () => {
    const loop = new Loop();
    const busy = loop.open('busy');
    busy.line.emit('data', CHUNK);
    assert.ok(busy.line.paused);
    const modest = loop.open('modest');
    modest.line.emit('data', Buffer.alloc(16 * 1024));
    assert.equal(modest.line.paused, false);
    modest.line.emit('data', Buffer.alloc(1));
    assert.ok(modest.line.paused);
    while (loop.turn());
    assert.equal(busy.taker.taken, CHUNK.length);
    assert.equal(modest.taker.taken, 16 * 1024 + 1);
    assert.ok(!busy.line.paused && !modest.line.paused);
  });

  it('hears what a peer had said before it left, and nothing of one that was cut off', () => {
    const loop = new Loop();
    const [left, cut] = [loop.open('left'), loop.open('cut')];
    for (const { line } of [left, cut]) line.emit('data', Buffer.alloc(4_000));
    left.line.emit('end');
    cut.line.emit('close');
    const { taken } = cut.taker;
    while (loop.turn());
    assert.equal(left.taker.lostAt, 4_000);
    assert.equal(cut.taker.taken, taken);
    assert.equal(cut.taker.lostAt, taken);
  });
});
