/** What a classifier's client is made of: windows, the queue, the memory of verdicts, and answers that lie. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { CallQueue } from '../../src/classifiers/call-queue.ts';
import { CONTRACTS } from '../../src/classifiers/table.ts';
import { VerdictCache } from '../../src/classifiers/verdict-cache.ts';
import { joined, windowsOf } from '../../src/classifiers/windows.ts';
import type { TextVerdict } from '../../src/match/classifier.ts';

const verdict = (score: number): TextVerdict => ({ scores: new Map([['toxicity', score]]) });

describe('windows of a text', () => {
  it('cover all of it, overlap by an eighth, and cut no character', () => {
    const text = fc.string({ unit: 'binary', maxLength: 4_000 });
    fc.assert(
      fc.property(text, fc.integer({ min: 256, max: 900 }), (whole, unitsMax) => {
        const windows = windowsOf(whole, unitsMax);
        let covered = 0;
        for (const [index, { start, value }] of windows.entries()) {
          assert.equal(whole.slice(start, start + value.length), value);
          assert.ok(value.length <= unitsMax && !/\p{Cs}/u.test(value));
          if (index > 0) assert.ok(covered - start >= Math.floor(unitsMax / 8) - 2);
          covered = start + value.length;
        }
        assert.equal(covered, whole.length);
      }),
    );
  });

  it('are one for what is no longer than one, and two for a unit more', () => {
    assert.equal(windowsOf('a'.repeat(256), 256).length, 1);
    assert.equal(windowsOf('a'.repeat(257), 256).length, 2);
  });

  it('have the highest score of each label, and spans where they stand in the text', () => {
    const windows = windowsOf('a'.repeat(400), 256);
    const all = joined(windows, [
      {
        scores: new Map([
          ['a', 0.2],
          ['b', 0.9],
        ]),
      },
      { scores: new Map([['a', 0.4]]), spans: [{ start: 1, end: 3, label: 'a' }] },
    ]);
    assert.deepEqual(Object.fromEntries(all.scores), { a: 0.4, b: 0.9 });
    const { start } = windows[1]!;
    assert.deepEqual(all.spans, [{ start: start + 1, end: start + 3, label: 'a' }]);
  });
});

describe('the queue of calls', () => {
  it('never runs or keeps more than it may, and runs or drops all that it took', () => {
    const source = fc.constantFrom('a', 'b', undefined);
    const call = fc.record({ urgent: fc.boolean(), end: fc.boolean(), source });
    const sizes = fc.record({ running: fc.integer({ min: 1, max: 3 }), waiting: fc.nat(3) });
    fc.assert(
      fc.property(sizes, fc.array(call, { maxLength: 40 }), (max, calls) => {
        const queue = new CallQueue(max.running, max.waiting);
        const ends: (() => void)[] = [];
        let taken = 0;
        let begun = 0;
        let dropped = 0;
        const run = (over: () => void): void => {
          begun++;
          ends.push(over);
        };
        const drop = (): void => void dropped++;
        for (const { urgent, end, source: of } of calls) {
          const was = queue.add({ source: of, run, drop }, urgent);
          if (was) taken++;
          assert.ok(queue.runningCalls <= max.running && queue.waitingCalls <= max.waiting);
          if (end) ends.shift()?.();
        }
        while (ends.length > 0) ends.shift()!();
        assert.equal(begun + dropped, taken);
        assert.equal(queue.runningCalls + queue.waitingCalls, 0);
      }),
    );
  });
});

describe('the sources of calls', () => {
  /** What becomes of calls in their order: begun at its turn, or dropped. */
  const queued = (running: number, waiting: number) => {
    const queue = new CallQueue(running, waiting);
    const begun: string[] = [];
    const dropped: string[] = [];
    const ends: (() => void)[] = [];
    const add = (name: string, urgent = true): boolean =>
      queue.add(
        {
          source: name[0],
          run: (over) => {
            begun.push(name);
            ends.push(over);
          },
          drop: () => void dropped.push(name),
        },
        urgent,
      );
    const finish = (): void => {
      while (ends.length > 0) ends.shift()!();
    };
    return { add, begun, dropped, finish };
  };

  it('go on with one of whose calls the fewest run, in the order in which they came', () => {
    const { add, begun, finish } = queued(2, 10);
    for (const name of ['a1', 'a2', 'a3', 'a4', 'b1', 'c1', 'b2']) assert.ok(add(name));
    assert.deepEqual(begun, ['a1', 'a2']);
    finish();
    assert.deepEqual(begun, ['a1', 'a2', 'b1', 'a3', 'c1', 'a4', 'b2']);
  });

  it('have room for who has less waiting, at the cost of the last of who has most', () => {
    const { add, dropped, begun, finish } = queued(1, 4);
    for (const name of ['a0', 'a1', 'a2', 'a3', 'a4']) assert.ok(add(name));
    assert.equal(add('a5'), false, 'its own places are taken');
    assert.ok(add('b1'));
    assert.ok(add('b2'));
    assert.equal(add('b3'), false, 'as many as the other');
    assert.ok(add('c1'), 'one less than those');
    assert.deepEqual(dropped, ['a4', 'a3', 'a2']);
    finish();
    assert.deepEqual(begun, ['a0', 'a1', 'b1', 'b2', 'c1']);
  });

  it('do not come before what somebody waits for', () => {
    const { add, dropped, begun, finish } = queued(1, 3);
    for (const name of ['a0', 'a1', 'a2']) add(name);
    assert.ok(add('b1', false));
    assert.equal(add('c1', false), false);
    assert.ok(add('a3'));
    assert.deepEqual(dropped, ['b1']);
    finish();
    assert.deepEqual(begun, ['a0', 'a1', 'a2', 'a3']);
  });
});

describe('the memory of verdicts', () => {
  const cache = (entriesMax: number) => {
    const time = { ms: 0 };
    const made = new VerdictCache({
      entriesMax,
      keepMs: 100,
      hash: (text) => `#${text.length}${text}`,
      monotonicMs: () => time.ms,
    });
    return { made, time };
  };

  it('keeps so many, and forgets what was asked for the longest ago', () => {
    const { made } = cache(2);
    made.put('s', 'a', verdict(0.1));
    made.put('s', 'b', verdict(0.2));
    assert.deepEqual(made.get('s', 'a'), verdict(0.1));
    made.put('s', 'c', verdict(0.3));
    assert.equal(made.size, 2);
    assert.equal(made.get('s', 'b'), undefined);
    assert.deepEqual(made.get('s', 'a'), verdict(0.1));
    const none = cache(0).made;
    none.put('s', 'a', verdict(0.1));
    assert.equal(none.get('s', 'a'), undefined);
  });

  it('keeps them for so long, for their own set, and in one version', () => {
    const { made, time } = cache(9);
    made.put('s', 'a', verdict(0.1));
    assert.equal(made.get('t', 'a'), undefined);
    time.ms = 99;
    assert.ok(made.get('s', 'a'));
    time.ms = 100;
    assert.equal(made.get('s', 'a'), undefined);
    made.toldVersion('1');
    made.put('s', 'a', verdict(0.1));
    made.toldVersion('1');
    made.toldVersion(undefined);
    assert.ok(made.get('s', 'a'));
    made.toldVersion('2');
    assert.equal(made.get('s', 'a'), undefined);
  });
});

describe('the contracts', () => {
  const question = { texts: ['one', 'two'], direction: 'request', model: undefined } as const;
  const good = { scores: { toxicity: 0.5 } };
  const lies: Readonly<Record<keyof typeof CONTRACTS, readonly unknown[]>> = {
    switchyard: [
      { results: [good] },
      { results: [good, good, good] },
      { results: [good, { scores: { toxicity: 1.01 } }] },
      { results: [good, { scores: { toxicity: -0.01 } }] },
      { results: [good, { scores: { toxicity: '0.5' } }] },
      { results: [good, { scores: { toxicity: Number.NaN } }] },
      { results: [good, { scores: [0.5] }] },
      { results: [good, {}] },
      { results: [good, { ...good, spans: [{ start: 0, end: 4, label: 'a' }] }] },
      { results: [good, { ...good, spans: [{ start: 2, end: 2, label: 'a' }] }] },
      { results: [good, { ...good, spans: [{ start: 0.5, end: 2, label: 'a' }] }] },
      { results: [good, good], version: 7 },
      { results: [good, good], version: 'x'.repeat(129) },
    ],
    litellm: [{}, { action: 'blocked' }, { action: 'ALLOW' }, { action: ['BLOCKED'] }],
    openai: [
      { results: [{ category_scores: { a: 0.5 } }] },
      { results: [{ category_scores: { a: 2 } }, { category_scores: {} }] },
      { results: [{ flagged: true }, { flagged: true }] },
    ],
  };
  for (const [name, contract] of Object.entries(CONTRACTS)) {
    it(`${name}: what is not as agreed is no answer`, () => {
      const own = lies[name as keyof typeof CONTRACTS];
      for (const answer of [null, [], 'NONE', 1, { results: {} }, ...own])
        assert.equal(contract.read(answer, question), undefined, JSON.stringify(answer));
    });

    it(`${name}: whatever comes, it is read or refused`, () => {
      fc.assert(
        fc.property(fc.jsonValue(), (answer) => {
          const read = contract.read(answer, question);
          assert.ok(read === undefined || read.verdicts.length === question.texts.length);
        }),
      );
    });
  }

  it('take what is as agreed', () => {
    const long = {
      results: [good, { ...good, spans: [{ start: 0, end: 3, label: 'a' }] }],
      version: 'v',
    };
    assert.equal(CONTRACTS.switchyard.read(long, question)?.version, 'v');
    const labels = Object.fromEntries(Array.from({ length: 256 }, (_, at) => [`l${at}`, 0.5]));
    const many = (more: object) => ({ results: [good, { scores: { ...labels, ...more } }] });
    assert.ok(CONTRACTS.switchyard.read(many({}), question));
    assert.equal(CONTRACTS.switchyard.read(many({ more: 0.5 }), question), undefined);
  });
});
