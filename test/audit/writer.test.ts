import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import type { AppendCalls } from '../../src/audit/append-file.ts';
import { auditFiles } from '../../src/audit/files.ts';
import { FIELD_UNITS_MAX, LIST_ITEMS_MAX, recordLine } from '../../src/audit/line.ts';
import { countRecords } from '../../src/audit/reader.ts';
import type { DecisionRecord } from '../../src/audit/record.ts';
import { AuditUnavailable } from '../../src/audit/unavailable.ts';
import { type AuditWriterOptions, openAuditWriter } from '../../src/audit/writer.ts';
import { decision, TRANSITION, temporaryDirectory } from './records.ts';

const FINDING = {
  rule: 'p/r',
  action: 'redact',
  enforced: true,
  label: 'EMAIL',
  text: '0/content',
  start: 0,
  end: 1,
};

/** What goes wrong at the next write: an errno, after `bytes` of it were written. */
interface Fault {
  code: string;
  afterBytes: number;
  truncateFails?: boolean;
}

function failing(): { calls: AppendCalls; fault: Fault | undefined; writes: number } {
  const error = (code: string): Error => Object.assign(new Error(code), { code });
  const disk: { calls: AppendCalls; fault: Fault | undefined; writes: number } = {
    fault: undefined,
    writes: 0,
    calls: {
      ...fs,
      writeSync: ((fd: number, data: Buffer, offset: number, length: number) => {
        disk.writes += 1;
        if (disk.fault === undefined) return fs.writeSync(fd, data, offset, length);
        if (disk.fault.afterBytes === 0) throw error(disk.fault.code);
        const part = Math.min(disk.fault.afterBytes, length);
        disk.fault.afterBytes = 0;
        return fs.writeSync(fd, data, offset, part);
      }) as AppendCalls['writeSync'],
      ftruncateSync: (fd, length) => {
        if (disk.fault?.truncateFails) throw error('EIO');
        fs.ftruncateSync(fd, length);
      },
    },
  };
  return disk;
}

describe('audit writer', () => {
  let dir: ReturnType<typeof temporaryDirectory>;
  beforeEach(() => {
    dir = temporaryDirectory();
  });
  afterEach(() => dir.remove());

  const noTimer = (): (() => void) => () => {};
  const open = (over: Partial<AuditWriterOptions> = {}) =>
    openAuditWriter({ dir: dir.path, after: noTimer, ...over });
  const content = (): string =>
    auditFiles(dir.path)
      .map((path) => fs.readFileSync(path, 'utf8'))
      .join('');
  const records = (): { seq: number; exchange?: string; kind: string; run: string }[] =>
    content()
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line));

  it('has a denial in the file when the call returns', () => {
    const writer = open();
    writer.denied(decision('a'));
    assert.deepEqual(
      records().map(({ seq, exchange, run }) => ({ seq, exchange, run })),
      [{ seq: 1, exchange: 'a', run: writer.run }],
    );
    writer.close();
  });

  it('lets nobody but the owner read the file, whatever the umask', () => {
    const umask = process.umask(0);
    try {
      const writer = open({ dir: join(dir.path, 'deep/er') });
      writer.close();
      const [path] = auditFiles(join(dir.path, 'deep/er'));
      assert.equal(fs.statSync(path!).mode & 0o777, 0o600);
      assert.equal(fs.statSync(join(dir.path, 'deep/er')).mode & 0o777, 0o700);
    } finally {
      process.umask(umask);
    }
  });

  it('writes a batch with one write', () => {
    const disk = failing();
    const writer = open({ calls: disk.calls });
    writer.batch([decision('a'), TRANSITION, decision('b')]);
    assert.equal(disk.writes, 1);
    assert.deepEqual(
      records().map((record) => record.kind),
      ['process', 'transition', 'process'],
    );
    writer.batch([]);
    assert.equal(disk.writes, 1);
    writer.close();
  });

  it('keeps allows waiting, and writes them before a later denial, in order', () => {
    const writer = open();
    writer.allowed(decision('a'));
    writer.allowed(decision('b'));
    assert.equal(content(), '');
    writer.denied(decision('c'));
    assert.deepEqual(
      records().map(({ seq, exchange }) => [seq, exchange]),
      [
        [1, 'a'],
        [2, 'b'],
        [3, 'c'],
      ],
    );
    writer.close();
  });

  it('writes allows behind when the timer fires', () => {
    const timers: { delayMs: number; action: () => void }[] = [];
    const writer = open({
      flushMs: 20,
      after: (delayMs, action) => {
        timers.push({ delayMs, action });
        return () => {};
      },
    });
    writer.allowed(decision('a'));
    writer.allowed(decision('b'));
    assert.deepEqual(
      timers.map(({ delayMs }) => delayMs),
      [20],
    );
    timers[0]!.action();
    assert.equal(records().length, 2);
    writer.close();
  });

  it('writes allows behind at flushBytes, and not a byte earlier', () => {
    const probe = recordLine('0'.repeat(25), 1, decision('a')).length;
    for (const [flushBytes, written] of [
      [2 * probe + 1, 0],
      [2 * probe, 2],
    ] as const) {
      const before = records().length;
      const writer = open({ flushBytes });
      writer.allowed(decision('a'));
      assert.equal(records().length, before);
      writer.allowed(decision('b'));
      assert.equal(records().length - before, written);
      writer.close();
    }
  });

  it('writes at once, rather than loses, what does not fit the queue', () => {
    const lost: number[] = [];
    const writer = open({
      allowQueueMax: 2,
      observer: { written: () => {}, lost: (count) => lost.push(count) },
    });
    writer.allowed(decision('a'));
    writer.allowed(decision('b'));
    assert.equal(content(), '');
    writer.allowed(decision('c'));
    assert.deepEqual(
      records().map(({ exchange }) => exchange),
      ['a', 'b', 'c'],
    );
    assert.deepEqual(lost, []);
    writer.close();
  });

  it('loses only lossy records, counts them, and their numbers are missing', async () => {
    let lost = 0;
    const writer = open({
      allowQueueMax: 1,
      observer: {
        written: () => {},
        lost: (count) => {
          lost += count;
        },
      },
    });
    writer.allowed(decision('a'));
    writer.allowed(decision('b'), true);
    writer.denied(decision('c'));
    writer.close();
    assert.equal(lost, 1);
    assert.deepEqual(
      records().map(({ seq }) => seq),
      [1, 3],
    );
    assert.equal((await countRecords(dir.path)).gaps, 1);
  });

  it('bounds the bytes that wait', () => {
    const line = recordLine('0'.repeat(25), 1, decision('a')).length;
    const writer = open({ allowQueueBytesMax: line });
    writer.allowed(decision('a'));
    assert.equal(records().length, 0);
    writer.allowed(decision('b'));
    assert.equal(records().length, 2);
    writer.close();
  });

  for (const code of ['ENOSPC', 'EIO']) {
    it(`refuses a denial that ${code} keeps out of the file, and works again afterwards`, async () => {
      const disk = failing();
      const seen: (string | undefined)[] = [];
      let lost = 0;
      const writer = open({
        calls: disk.calls,
        observer: {
          written: () => {},
          lost: (count) => {
            lost += count;
          },
          disk: (state) => seen.push(state),
        },
      });
      writer.denied(decision('a'));
      writer.allowed(decision('b'));
      disk.fault = { code, afterBytes: 0 };
      for (const exchange of ['c', 'd']) {
        assert.throws(
          () => writer.denied(decision(exchange)),
          (error) => error instanceof AuditUnavailable && error.reason === code,
        );
      }
      disk.fault = undefined;
      writer.denied(decision('e'));
      writer.close();
      assert.deepEqual(
        records().map(({ exchange }) => exchange),
        ['a', 'b', 'e'],
      );
      assert.deepEqual(seen, [code, undefined]);
      assert.equal(lost, 2);
      assert.equal((await countRecords(dir.path)).gaps, 2);
    });
  }

  for (const truncateFails of [false, true]) {
    it(`leaves no half line for later ones to run into (truncate fails: ${truncateFails})`, async () => {
      const disk = failing();
      const writer = open({ calls: disk.calls });
      writer.denied(decision('a'));
      disk.fault = { code: 'ENOSPC', afterBytes: 40, truncateFails };
      assert.throws(() => writer.denied(decision('b')), AuditUnavailable);
      disk.fault = undefined;
      writer.denied(decision('c'));
      writer.close();
      const count = await countRecords(dir.path);
      assert.equal(count.records, 2);
      assert.equal(count.unreadable, truncateFails ? 1 : 0);
      assert.match(content(), /"exchange":"c"/);
    });
  }

  it('finishes short writes', () => {
    const calls: AppendCalls = {
      ...fs,
      writeSync: ((fd: number, data: Buffer, offset: number, length: number) =>
        fs.writeSync(fd, data, offset, Math.min(7, length))) as AppendCalls['writeSync'],
    };
    const writer = open({ calls });
    writer.denied(decision('a'));
    assert.equal(records().length, 1);
    writer.close();
  });

  it('refuses everything after close, and close writes what waits', () => {
    const writer = open();
    writer.allowed(decision('a'));
    writer.close();
    writer.close();
    assert.equal(records().length, 1);
    assert.throws(() => writer.denied(decision('b')), AuditUnavailable);
    assert.throws(() => writer.transition(TRANSITION), AuditUnavailable);
    assert.throws(() => writer.allowed(decision('c')), AuditUnavailable);
    assert.equal(records().length, 1);
  });

  it('syncs transitions, and denials when asked to', () => {
    let syncs = 0;
    const calls: AppendCalls = {
      ...fs,
      fdatasyncSync: (fd) => {
        syncs += 1;
        fs.fdatasyncSync(fd);
      },
    };
    const plain = open({ calls });
    plain.denied(decision('a'));
    assert.equal(syncs, 0);
    plain.transition(TRANSITION);
    assert.equal(syncs, 1);
    plain.batch([decision('b'), TRANSITION]);
    assert.equal(syncs, 2);
    const durable = open({ calls, denialsToDisk: true });
    durable.denied(decision('a'));
    assert.equal(syncs, 3);
    plain.close();
    durable.close();
  });

  it('rotates before a file grows over rotateBytes, and not at it', () => {
    const line = recordLine('0'.repeat(25), 1, decision('a')).length;
    const writer = open({ rotateBytes: 2 * line });
    writer.denied(decision('a'));
    writer.denied(decision('b'));
    assert.equal(auditFiles(dir.path).length, 1);
    writer.denied(decision('c'));
    assert.equal(auditFiles(dir.path).length, 2);
    assert.deepEqual(
      records().map(({ seq }) => seq),
      [1, 2, 3],
    );
    writer.close();
  });

  it('keeps retainFiles files, the newest, across runs', () => {
    fs.writeFileSync(join(dir.path, 'something-else.ndjson'), '');
    open().close();
    // Runs sort by the ms of their start: the next one begins in a later one.
    const openedMs = Date.now();
    while (Date.now() === openedMs);
    const writer = open({ rotateBytes: 1, retainFiles: 3 });
    for (const exchange of 'abcde') writer.denied(decision(exchange));
    writer.close();
    assert.deepEqual(
      records().map(({ exchange }) => exchange),
      ['c', 'd', 'e'],
    );
    assert.ok(fs.existsSync(join(dir.path, 'something-else.ndjson')));
  });

  it('counts what it wrote by kind', () => {
    const written: [string, number][] = [];
    const writer = open({
      observer: { written: (kind, count) => written.push([kind, count]), lost: () => {} },
    });
    writer.allowed(decision('a'));
    writer.allowed(decision('b', { kind: 'check' }));
    assert.deepEqual(written, []);
    writer.batch([decision('c'), TRANSITION]);
    assert.deepEqual(written, [
      ['process', 2],
      ['check', 1],
      ['transition', 1],
    ]);
    writer.close();
  });

  it('law: whatever is called in whatever order, the file is in seq order and complete', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('denied', 'allowed', 'flush', 'batch'), { maxLength: 30 }),
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 3000 }),
        (steps, allowQueueMax, flushBytes) => {
          const own = temporaryDirectory();
          try {
            const writer = openAuditWriter({
              dir: own.path,
              allowQueueMax,
              flushBytes,
              rotateBytes: 2000,
              retainFiles: 1000,
              after: noTimer,
            });
            let count = 0;
            for (const step of steps) {
              if (step === 'flush') writer.flush();
              else if (step === 'batch') {
                writer.batch([decision('x'), decision('y')]);
                count += 2;
              } else {
                writer[step as 'denied' | 'allowed'](decision('x'));
                count += 1;
              }
            }
            writer.close();
            const seqs = auditFiles(own.path)
              .flatMap((path) => fs.readFileSync(path, 'utf8').split('\n'))
              .filter((line) => line !== '')
              .map((line) => JSON.parse(line).seq);
            assert.deepEqual(
              seqs,
              Array.from({ length: count }, (_, index) => index + 1),
            );
          } finally {
            own.remove();
          }
        },
      ),
      { numRuns: 40 },
    );
  });
});

describe('audit line', () => {
  it('writes only the fields of the contract', () => {
    const planted = {
      ...decision('a', { findings: [{ ...FINDING, ...{ matched: 'TOKEN-1' } }] }),
      prompt: 'TOKEN-2',
      facts: { tenant: 't', apiKey: 'TOKEN-3' },
    };
    assert.doesNotMatch(recordLine('run', 1, planted), /TOKEN/);
    assert.doesNotMatch(
      recordLine('run', 1, { ...TRANSITION, ...{ document: 'TOKEN-4' } }),
      /TOKEN/,
    );
  });

  it('cuts a field at FIELD_UNITS_MAX, and not at it', () => {
    for (const [units, kept] of [
      [FIELD_UNITS_MAX - 1, FIELD_UNITS_MAX - 1],
      [FIELD_UNITS_MAX, FIELD_UNITS_MAX],
      [FIELD_UNITS_MAX + 1, FIELD_UNITS_MAX],
    ] as const) {
      const line = recordLine('run', 1, decision('a', { facts: { model: 'm'.repeat(units) } }));
      assert.equal(/m+/.exec(JSON.parse(line).facts.model)![0].length, kept);
    }
  });

  it('cuts lists at LIST_ITEMS_MAX and says how many are missing', () => {
    for (const [items, dropped] of [
      [LIST_ITEMS_MAX, 2],
      [LIST_ITEMS_MAX + 1, 3],
    ] as const) {
      const line = recordLine(
        'run',
        1,
        decision('a', { findings: Array(items).fill(FINDING), findingsDropped: 2 }),
      );
      const parsed = JSON.parse(line);
      assert.equal(parsed.findings.length, LIST_ITEMS_MAX);
      assert.equal(parsed.findingsDropped, dropped);
    }
  });

  it('law: any record is one line, and reads back as JSON would have it', () => {
    const text = fc.string({ unit: 'binary', maxLength: 12 });
    const maybe = fc.option(text, { nil: undefined });
    const number = fc.oneof(fc.double(), fc.integer());
    const whole = fc.record({
      exchange: text,
      requestId: text,
      traceContext: fc.option(fc.record({ trace: text, parent: text, sampled: fc.boolean() }), {
        nil: undefined,
      }),
      durationMs: number,
      session: maybe,
      facts: fc.record({ tenant: maybe, app: maybe, model: maybe }),
      factFaults: fc.option(fc.array(text), { nil: undefined }),
      surroundings: fc.option(fc.record({ load: number }), { nil: undefined }),
      route: text,
      format: text,
      findings: fc.array(
        fc.record({ rule: text, action: text, label: text, text }).map((over) => ({
          ...FINDING,
          ...over,
        })),
        { maxLength: 3 },
      ),
      lifted: fc.option(fc.array(fc.record({ rule: text, by: text })), { nil: undefined }),
      errors: fc.array(fc.record({ rule: text, error: text, classifier: maybe })),
      breakers: fc.array(text),
      rerouted: fc.option(fc.record({ rule: text, from: maybe, to: maybe }), { nil: undefined }),
      responseBytes: number,
    });
    fc.assert(
      fc.property(text, fc.nat(), whole, (run, seq, over) => {
        const record = decision('a', over as Partial<DecisionRecord>);
        const line = recordLine(run, seq, record);
        assert.equal(line.indexOf('\n'), line.length - 1);
        const read = JSON.parse(line);
        assert.deepEqual(read, JSON.parse(JSON.stringify({ run, seq, ...record })));
      }),
      { numRuns: 500 },
    );
  });
});
