/** Legal conversations of gRPC, made at random, get the same replies over both transports; `npm run conversations` holds more. */
import assert from 'node:assert/strict';
import { compare } from './conversations/both.ts';

describe('random conversations', function () {
  this.timeout(120_000);

  it('get the same replies over both transports', async () => {
    const { conversations, differences } = await compare(1, 250);
    assert.deepEqual(differences, []);
    assert.equal(conversations, 250);
  });
});
