import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { auditFiles } from '../../src/audit/files.ts';
import { countRecords, findRecords } from '../../src/audit/reader.ts';
import { openAuditWriter } from '../../src/audit/writer.ts';
import { decision, TRANSITION, temporaryDirectory } from './records.ts';

describe('audit reader', () => {
  let dir: ReturnType<typeof temporaryDirectory>;
  beforeEach(() => {
    dir = temporaryDirectory();
  });
  afterEach(() => dir.remove());

  it('finds by exchange and by request id, across files', async () => {
    const writer = openAuditWriter({ dir: dir.path, rotateBytes: 1000, retainFiles: 100 });
    for (let index = 0; index < 50; index += 1) writer.denied(decision(`e${index}`));
    writer.denied(decision('other', { kind: 'check', requestId: 'h:e7' }));
    writer.close();
    assert.ok(auditFiles(dir.path).length > 3);
    const byExchange = await findRecords(dir.path, { exchange: 'e7', limit: 10 });
    assert.deepEqual(
      byExchange.map(({ seq }) => seq),
      [8],
    );
    const byRequest = await findRecords(dir.path, { requestId: 'h:e7', limit: 10 });
    assert.deepEqual(
      byRequest.map(({ seq }) => seq),
      [8, 51],
    );
    const either = await findRecords(dir.path, { exchange: 'e7', requestId: 'e7', limit: 10 });
    assert.equal(either.length, 1);
    assert.deepEqual(await findRecords(dir.path, { exchange: 'e', limit: 10 }), []);
    assert.deepEqual(await findRecords(dir.path, { limit: 10 }), []);
  });

  it('keeps the newest `limit`, in the order they were written', async () => {
    const writer = openAuditWriter({ dir: dir.path, rotateBytes: 3000 });
    for (let index = 0; index < 20; index += 1) writer.denied(decision('same'));
    writer.close();
    for (const limit of [0, 1, 19, 20, 21]) {
      const found = await findRecords(dir.path, { exchange: 'same', limit });
      const expected = Math.min(limit, 20);
      assert.deepEqual(
        found.map(({ seq }) => seq),
        Array.from({ length: expected }, (_, index) => 20 - expected + index + 1),
      );
    }
  });

  it('is not fooled by an id that stands in another field', async () => {
    const writer = openAuditWriter({ dir: dir.path });
    writer.denied(decision('a', { facts: { tenant: 'wanted' } }));
    writer.transition({ ...TRANSITION, reason: 'wanted' });
    writer.close();
    assert.deepEqual(await findRecords(dir.path, { exchange: 'wanted', limit: 5 }), []);
  });

  it('reads lines that cross its chunks, and passes over a torn end', async () => {
    const writer = openAuditWriter({ dir: dir.path });
    const model = 'm'.repeat(500);
    writer.batch(
      Array.from({ length: 900 }, (_, index) => decision(`x${index}`, { facts: { model } })),
    );
    writer.close();
    const [path] = auditFiles(dir.path);
    fs.appendFileSync(path!, '{"run":"half","exchange":"x1",');
    assert.ok(fs.statSync(path!).size > 3 * 256 * 1024);
    for (const index of [0, 1, 220, 221, 222, 223, 224, 225, 450, 899]) {
      const found = await findRecords(dir.path, { exchange: `x${index}`, limit: 5 });
      assert.equal(found.length, 1, `x${index}`);
    }
    assert.deepEqual(await countRecords(dir.path), {
      records: 900,
      byKind: { process: 900 },
      gaps: 0,
      unreadable: 0,
    });
  });

  it('stops at scanBytesMax, newest file first', async () => {
    const writer = openAuditWriter({ dir: dir.path, rotateBytes: 1 });
    writer.denied(decision('old'));
    writer.denied(decision('new'));
    writer.close();
    const size = fs.statSync(auditFiles(dir.path)[1]!).size;
    const search = (exchange: string, scanBytesMax: number) =>
      findRecords(dir.path, { exchange, limit: 5, scanBytesMax });
    assert.equal((await search('new', size)).length, 1);
    assert.equal((await search('new', size - 1)).length, 0);
    assert.equal((await search('old', size)).length, 0);
    assert.equal((await search('old', size * 2)).length, 1);
  });

  it('finds nothing in a directory that is not there', async () => {
    const missing = `${dir.path}/missing`;
    assert.deepEqual(await findRecords(missing, { exchange: 'a', limit: 1 }), []);
    assert.equal((await countRecords(missing)).records, 0);
  });
});
