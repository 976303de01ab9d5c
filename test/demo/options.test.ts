import assert from 'node:assert/strict';
import { DEFAULT_PORT, readOptions } from '../../demo/options.ts';

describe('arguments of npm start', () => {
  it('have defaults', () => {
    const { envoy, port, policies, help, serveArguments } = readOptions([]);
    assert.deepEqual(
      { envoy, port, policies, help, serveArguments },
      { envoy: true, port: DEFAULT_PORT, policies: 'policies', help: false, serveArguments: [] },
    );
  });

  it('are read in both spellings', () => {
    for (const args of [
      ['--no-envoy', '--port', '8080', '--policies', 'mine'],
      ['--port=8080', '--policies=mine', '--no-envoy'],
    ]) {
      const options = readOptions(args);
      assert.equal(options.envoy, false);
      assert.equal(options.port, 8080);
      assert.equal(options.policies, 'mine');
    }
  });

  it('hand on what follows --', () => {
    assert.deepEqual(readOptions(['--', '--log', 'debug']).serveArguments, ['--log', 'debug']);
  });

  for (const args of [
    ['--port', '0'],
    ['--port', '65536'],
    ['--port'],
    ['--port', 'x'],
    ['--policies'],
    ['-x'],
  ])
    it(`refuse ${args.join(' ')}`, () => assert.throws(() => readOptions(args), /`|wants/));

  it('take a port at either edge', () => {
    assert.equal(readOptions(['--port', '1']).port, 1);
    assert.equal(readOptions(['--port', '65535']).port, 65_535);
  });
});
