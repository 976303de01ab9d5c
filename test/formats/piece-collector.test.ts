import assert from 'node:assert/strict';
import { KeyCounter } from '../../src/formats/piece-collector.ts';

describe('texts that stand alone', () => {
  it('get a number each, so that no two are read as one text', () => {
    const keys = new KeyCounter();
    assert.deepEqual([keys.take(), keys.take(), keys.take()], [0, 1, 2]);
  });
});
