import assert from 'node:assert/strict';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { type Listed, OpenList } from '../../../src/transport/http2/open-list.ts';
import { Http2Stream, type StreamConnection } from '../../../src/transport/http2/stream.ts';
import { StreamTable } from '../../../src/transport/http2/stream-table.ts';

const NO_CONNECTION = {} as StreamConnection;
const streamOf = (id: number): Http2Stream => new Http2Stream(id, NO_CONNECTION, 0, 0, -1, 0);
const byId = (a: Http2Stream, b: Http2Stream): number => a.id - b.id;

/** Ids as a peer may choose them: in order, far apart, or a power of two from each other. */
const ids = fc.array(
  fc.oneof(
    fc.nat(200).map((n) => 2 * n + 1),
    fc.nat(2 ** 30 - 1).map((n) => 2 * n + 1),
    fc.nat(40).map((n) => 4_096 * n + 1),
  ),
  { maxLength: 300 },
);

describe('the table of open streams', () => {
  it('law: knows whoever came and has not gone, as a Map does', () => {
    fc.assert(
      fc.property(ids, fc.infiniteStream(fc.nat()), (asked, choices) => {
        const table = new StreamTable();
        const model = new Map<number, Http2Stream>();
        for (const id of asked) {
          const known = model.get(id);
          assert.equal(table.get(id), known);
          if (known === undefined) {
            const stream = streamOf(id);
            table.add(stream);
            model.set(id, stream);
          } else {
            table.delete(known);
            model.delete(id);
          }
          const all = [...model.values()];
          const leaving = all[choices.next().value % (all.length + 1)];
          if (leaving !== undefined && choices.next().value % 3 === 0) {
            table.delete(leaving);
            table.delete(leaving);
            model.delete(leaving.id);
          }
          assert.equal(table.size, model.size);
        }
        assert.deepEqual(table.all().sort(byId), [...model.values()].sort(byId));
        for (const stream of model.values()) assert.equal(table.get(stream.id), stream);
        table.clear();
        assert.equal(table.size, 0);
        for (const id of model.keys()) assert.equal(table.get(id), undefined);
      }),
      { numRuns: 300 },
    );
  });
});

/** What is left of this many in heap bytes, when they came and went and nothing but short collections was done. */
function keptBytes(add: (stream: Http2Stream) => void, drop: (stream: Http2Stream) => void) {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as (options?: { readonly type: 'minor' }) => void;
  collect();
  const before = process.memoryUsage().heapUsed;
  const open: Http2Stream[] = [];
  for (let id = 1; id < 2 * CAME_AND_WENT; id += 2) {
    const stream = streamOf(id);
    stream.queue = Array.from({ length: 100 }, () => EMPTY);
    add(stream);
    open.push(stream);
    if (open.length > OPEN) drop(open.shift() as Http2Stream);
    if (id % 1_001 === 0) collect({ type: 'minor' });
  }
  collect({ type: 'minor' });
  collect({ type: 'minor' });
  return process.memoryUsage().heapUsed - before;
}
const EMPTY = new Uint8Array();
const OPEN = 32;
const CAME_AND_WENT = 20_000;
/** Each takes about a KB: all of them some 20 MB, of which a Map keeps 4 to 22. */
const KEPT_BYTES_MAX = 2_000_000;

describe('what has come and gone', () => {
  it('leaves nothing behind in the table and the list that only a full collection would find', () => {
    const table = new StreamTable();
    const inTable = keptBytes(
      (stream) => table.add(stream),
      (stream) => table.delete(stream),
    );
    assert.ok(inTable < KEPT_BYTES_MAX, `${inTable} bytes are kept`);
    const list = new OpenList<Listed>();
    const inList = keptBytes(
      (stream) => list.add(Object.assign(stream, { listedAt: -1 })),
      (stream) => list.delete(stream as Http2Stream & Listed),
    );
    assert.ok(inList < KEPT_BYTES_MAX, `${inList} bytes are kept`);
  });
});

describe('the list of what is open', () => {
  it('law: holds whoever came and has not gone, as a Set does', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(30), { maxLength: 200 }), (asked) => {
        const all = Array.from({ length: 31 }, (): Listed => ({ listedAt: -1 }));
        const list = new OpenList<Listed>();
        const model = new Set<Listed>();
        for (const index of asked) {
          const item = all[index] as Listed;
          if (model.delete(item)) list.delete(item);
          else {
            list.delete(item);
            list.add(item);
            model.add(item);
          }
          assert.equal(list.size, model.size);
          assert.deepEqual(new Set(list.all()), model);
        }
      }),
    );
  });
});
