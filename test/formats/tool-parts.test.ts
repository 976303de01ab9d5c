import assert from 'node:assert/strict';
import { readJson } from '../../src/formats/json.ts';
import { DEFAULT_FORMAT_LIMITS } from '../../src/formats/limits.ts';
import { KeyCounter, PieceCollector } from '../../src/formats/piece-collector.ts';
import { nameIn, nameOrKind } from '../../src/formats/tool-parts.ts';

function named(json: string) {
  const bytes = Buffer.from(json);
  const reading = readJson(bytes, DEFAULT_FORMAT_LIMITS);
  assert.ok(reading.ok && reading.root.kind === 'object');
  const { root } = reading;
  const collector = new PieceCollector(bytes, new KeyCounter(), undefined, 'at_once');
  return [nameIn(root, collector), nameOrKind(root, collector, 'function')];
}

describe('the name of a tool', () => {
  it('is in doubt where there are two, whichever of them a reader takes, and where it is no string', () => {
    const doubt = { name: '', doubt: 'name' };
    for (const json of [
      '{"name":"search","name":"transfer"}',
      '{"name":"search","id":1,"name":"search"}',
      '{"name":"a","name":"b","name":"c"}',
      '{"name":7}',
    ])
      assert.deepEqual(named(json), [doubt, doubt], json);
    assert.deepEqual(named('{"name":"search"}'), [{ name: 'search' }, { name: 'search' }]);
    assert.deepEqual(named('{"Name":"search"}'), [{ name: '' }, { name: 'function' }]);
  });
});
