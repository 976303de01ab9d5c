/** Large bodies wait for large bodies, at most so many bytes of them are judged at once, and nobody else waits. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { Exchange } from '../../src/engine/exchange.ts';
import { LargeBodies } from '../../src/engine/large-bodies.ts';
import {
  CHAT_HEADERS,
  compile,
  headersEvent,
  RecordingPort,
  type Rig,
  rig,
  sha256,
} from './rig.ts';

const MIN = 1_000;
const LIMITS = { largeBodyBytesMin: MIN, largeBodiesBytesMax: 10_000 };

/** A body that asks for its place; what became of it is told in `log`. */
function asked(bodies: LargeBodies, name: string, bytes: number, log: string[]) {
  const place = bodies.place(bytes)!;
  if (place.entered) log.push(name);
  else place.wait(() => log.push(name));
  return place;
}

describe('places of large bodies', () => {
  it('are for bodies from the limit on', () => {
    const bodies = new LargeBodies(LIMITS);
    assert.equal(bodies.place(0), undefined);
    assert.equal(bodies.place(MIN - 1), undefined);
    assert.ok(bodies.place(MIN)?.entered);
  });

  it('are there up to the limit, at its edge, and one alone may be larger', () => {
    for (const [second, entered] of [
      [4_999, true],
      [5_000, true],
      [5_001, false],
    ] as const) {
      const bodies = new LargeBodies(LIMITS);
      bodies.place(5_000);
      assert.equal(bodies.place(second)?.entered, entered, `${second}`);
    }
    const bodies = new LargeBodies(LIMITS);
    const log: string[] = [];
    const huge = asked(bodies, 'huge', 50_000, log);
    asked(bodies, 'next', MIN, log);
    assert.deepEqual(log, ['huge']);
    huge.leave();
    assert.deepEqual(log, ['huge', 'next']);
  });

  it('are given back once, also of who gave up waiting', () => {
    const bodies = new LargeBodies(LIMITS);
    const log: string[] = [];
    const first = asked(bodies, 'first', 9_000, log);
    const gone = asked(bodies, 'gone', 9_000, log);
    asked(bodies, 'third', 9_000, log);
    gone.leave();
    gone.leave();
    assert.deepEqual(log, ['first']);
    first.leave();
    first.leave();
    assert.deepEqual(log, ['first', 'third']);
    assert.equal(bodies.place(2_000)?.entered, false);
  });

  it('are free for others where a body turns out to be smaller', () => {
    const bodies = new LargeBodies(LIMITS);
    const log: string[] = [];
    const bomb = asked(bodies, 'bomb', 90_000, log);
    asked(bodies, 'other', 9_000, log);
    bomb.resize(2_000);
    assert.deepEqual(log, ['bomb']);
    bomb.resize(1_000);
    assert.deepEqual(log, ['bomb', 'other']);
    bomb.leave();
    bomb.resize(5_000);
    assert.equal(bodies.place(1_000)?.entered, true);
  });

  it('go to a small one before much larger ones, which are not overtaken for ever', () => {
    const bodies = new LargeBodies(LIMITS);
    const log: string[] = [];
    const first = asked(bodies, 'first', 10_000, log);
    asked(bodies, 'large', 8_000, log);
    const small = [2_000, 2_000, 2_000].map((bytes, at) => asked(bodies, `s${at}`, bytes, log));
    first.leave();
    assert.deepEqual(log, ['first', 's0', 's1', 's2']);
    // Those that come now are due behind it.
    const late = asked(bodies, 'late', 7_000, log);
    for (const place of small) place.leave();
    assert.deepEqual(log, ['first', 's0', 's1', 's2', 'large']);
    late.leave();
  });

  it('never hold more than the limit, and serve everybody in the end', () => {
    const sizes = fc.array(fc.integer({ min: MIN, max: 15_000 }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(sizes, fc.infiniteStream(fc.nat()), (all, draws) => {
        const bodies = new LargeBodies(LIMITS);
        const inside = new Map<number, number>();
        const places = all.map((bytes, at) => {
          const place = bodies.place(bytes)!;
          if (place.entered) inside.set(at, bytes);
          else place.wait(() => inside.set(at, bytes));
          return place;
        });
        for (let served = 0; served < all.length; served++) {
          const total = [...inside.values()].reduce((sum, bytes) => sum + bytes, 0);
          assert.ok(inside.size > 0 && (total <= 10_000 || inside.size === 1), `${total}`);
          const draw = draws.next().value as number;
          const at = [...inside.keys()][draw % inside.size]!;
          inside.delete(at);
          places[at]!.leave();
        }
        assert.equal(inside.size, 0);
      }),
    );
  });
});

const SET = compile(`
kind: Policy
metadata: { name: guard, layer: platform }
class: security
rules:
  - { id: pii, inspect: [request], match: { pii: { entities: [email] } }, then: redact }
`);

interface Asked {
  readonly exchange: Exchange;
  readonly port: RecordingPort;
}

const chat = (units: number): Buffer => {
  const around = JSON.stringify({ model: 'm', messages: [{ role: 'user', content: '' }] });
  const content = 'to ann@example.org and so on '.repeat(units).slice(0, units - around.length);
  return Buffer.from(JSON.stringify({ model: 'm', messages: [{ role: 'user', content }] }));
};

function request(from: Rig, bytes: Uint8Array, headers = {}): Asked {
  const port = new RecordingPort();
  const exchange = new Exchange(from.deps, port);
  exchange.event(headersEvent('request', { ...CHAT_HEADERS, ...headers }));
  exchange.event({ kind: 'body', direction: 'request', bytes, endOfStream: true });
  return { exchange, port };
}

const isOver = ({ port }: Asked): boolean =>
  port.ended.has('request') || port.refusal !== undefined;

describe('exchanges with large bodies', () => {
  const limits = { sliceUnitsMax: 1_000, largeBodyBytesMin: 20_000, largeBodiesBytesMax: 50_000 };

  it('wait for others such, and all others for none', () => {
    const from = rig(SET, limits);
    const large = [1, 2, 3].map(() => request(from, chat(25_000)));
    const small = Array.from({ length: 5 }, () => request(from, chat(19_000)));
    let turns = 0;
    let smallOver = 0;
    while (from.clock.turn()) {
      turns++;
      if (small.every(isOver) && smallOver === 0) smallOver = turns;
      if (!large.slice(0, 2).some(isOver)) assert.ok(!isOver(large[2]!));
    }
    for (const { port } of [...large, ...small])
      assert.ok(port.sent('request').includes('[EMAIL_1]'));
    assert.ok(smallOver > 0 && smallOver < turns);
    assert.equal(from.deps.held.bytes, 0);
  });

  it('begin at once up to the limit, at its edge', () => {
    const large = chat(25_000).length;
    for (const [bytesMax, together] of [
      [2 * large, true],
      [2 * large - 1, false],
    ] as const) {
      const from = rig(SET, { ...limits, largeBodiesBytesMax: bytesMax });
      const first = request(from, chat(25_000));
      const second = request(from, chat(25_000));
      // Who shares the turns is over one turn later.
      let between = 0;
      while (!isOver(first) && from.clock.turn());
      for (; !isOver(second) && from.clock.turn(); between++);
      assert.equal(between <= 5, together, `${between} turns`);
    }
  });

  it('make room when they are refused, broken off or fail', () => {
    const ends: readonly ((asked: Asked) => void)[] = [
      ({ exchange }) => exchange.end('half_close'),
      ({ exchange }) => exchange.end('failed'),
    ];
    for (const end of ends) {
      const from = rig(SET, limits);
      const first = request(from, chat(45_000));
      const waiting = request(from, chat(45_000));
      const last = request(from, chat(45_000));
      from.clock.turn();
      end(waiting);
      end(first);
      while (from.clock.turn());
      assert.ok(last.port.sent('request').includes('[EMAIL_1]'));
      assert.equal(from.deps.held.bytes, 0);
      assert.equal(from.deps.largeBodies.place(50_000)?.entered, true);
    }
    const from = rig(SET, limits);
    const broken = request(from, Buffer.from(`{${' '.repeat(45_000)}`));
    const last = request(from, chat(45_000));
    while (from.clock.turn());
    assert.equal(broken.port.refusal?.status, 400);
    assert.ok(isOver(last));
  });

  it('are late for no deadline of silence while they wait', () => {
    const from = rig(SET, { ...limits, requestStallTimeoutMs: 1_000 });
    const all = [1, 2, 3].map(() => request(from, chat(45_000)));
    // All of them have asked for their place.
    for (let turns = 0; turns < 6; turns++) from.clock.turn();
    assert.ok(all.every((one) => !isOver(one)));
    while (from.clock.turn()) from.clock.advance(700);
    for (const { port } of all) assert.ok(port.sent('request').includes('[EMAIL_1]'));
  });

  it('count as what they may be unpacked to, until that is known', async () => {
    const from = rig(SET, { ...limits, decodedBytesMax: 100_000 });
    // So that it does not get short enough to be unpacked in one go.
    const noise = Array.from({ length: 200 }, (_, at) => sha256(`${at}`)).join(' ');
    const packed = gzipSync(Buffer.from(chat(1_000).toString().replace('so on', noise)));
    assert.ok(packed.length > limits.sliceUnitsMax);
    const first = request(from, packed, { 'content-encoding': 'gzip' });
    const second = request(from, packed, { 'content-encoding': 'gzip' });
    const third = from.deps.largeBodies.place(20_000)!;
    assert.equal(third.entered, false);
    third.leave();
    while (![first, second].every(isOver)) {
      from.clock.turn();
      await sleep(1);
    }
    for (const { port } of [first, second]) assert.ok(port.sent('request').includes('[EMAIL_1]'));
    assert.equal(from.deps.largeBodies.place(50_000)?.entered, true);
  });
});
