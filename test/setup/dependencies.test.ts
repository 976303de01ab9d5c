import assert from 'node:assert/strict';
import { difference } from '../../setup/ensure-dependencies.mjs';

const LOCK = {
  packages: {
    '': {},
    'node_modules/a': { version: '1.0.0' },
    'node_modules/b': { version: '2.0.0', optional: true },
  },
};

describe('installed dependencies', () => {
  it('are right when they are what the lock file names', () => {
    assert.equal(difference(LOCK, { packages: { 'node_modules/a': { version: '1.0.0' } } }), '');
  });

  it('are stale when absent, missing one, or of another version', () => {
    assert.notEqual(difference(LOCK, undefined), '');
    assert.match(difference(LOCK, { packages: {} }), /node_modules\/a is missing/);
    const other = { 'node_modules/a': { version: '1.0.1' } };
    assert.match(difference(LOCK, { packages: other }), /another version/);
  });

  it('are stale when an optional one is of another version', () => {
    const installed = {
      'node_modules/a': { version: '1.0.0' },
      'node_modules/b': { version: '1.9.0' },
    };
    assert.match(difference(LOCK, { packages: installed }), /another version/);
  });
});
