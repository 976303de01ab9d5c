/** Large bodies on a thread of their own: what comes of them, in order, and nothing that is left behind. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { zstdStored } from '../../demo/zstd-frame.ts';
import { DecodedTooLarge } from '../../src/formats/encodings.ts';
import { decodeOnThread } from '../../src/transport/decoding-thread.ts';

const stored = (bytes: Uint8Array): Buffer => Buffer.concat(zstdStored([Buffer.from(bytes)]));

const decoded = (body: Uint8Array, outputBytesMax = 1e7): Promise<Uint8Array | Error> =>
  new Promise((resolve) => decodeOnThread('zstd', body, outputBytesMax, resolve));

/** The thread, as soon as it is given something. */
function theThread(): Promise<Worker> {
  const { postMessage } = Worker.prototype;
  return new Promise((resolve) => {
    Worker.prototype.postMessage = function (...given: Parameters<typeof postMessage>) {
      Worker.prototype.postMessage = postMessage;
      postMessage.apply(this, given);
      resolve(this);
    };
  });
}

describe('a thread that decodes', function () {
  this.timeout(60_000);

  it('gives back each body in the order in which they were asked for, and leaves what it was given', async () => {
    const texts = Array.from({ length: 20 }, (_, index) =>
      Buffer.alloc(50_000 - index, `${index} `),
    );
    const within = Buffer.alloc(20 * 60_000, 'x');
    const outcomes: string[] = [];
    await Promise.all(
      texts.map(async (text, index) => {
        // A view into larger memory, which others still read.
        const body = stored(text);
        const view = within.subarray(index * 60_000, index * 60_000 + body.length);
        view.set(body);
        const outcome = decoded(view);
        assert.equal(Buffer.compare(view, body), 0, 'it is still here');
        const bytes = await outcome;
        assert.ok(bytes instanceof Uint8Array, String(bytes));
        assert.equal(Buffer.compare(bytes, text), 0);
        outcomes.push(`${index}`);
      }),
    );
    assert.deepEqual(
      outcomes,
      texts.map((_, index) => `${index}`),
    );
  });

  it('tells what is broken from what is too large, as one go does', async () => {
    const body = stored(Buffer.alloc(1_000));
    assert.ok((await decoded(body, 1_000)) instanceof Uint8Array);
    assert.ok((await decoded(body, 999)) instanceof DecodedTooLarge);
    const broken = await decoded(body.subarray(0, -1));
    assert.ok(broken instanceof Error && !(broken instanceof DecodedTooLarge));
  });

  it('looks at blocks without end in more than one turn of the event loop', async () => {
    const head = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x38];
    const body = Buffer.concat([Buffer.from(head), Buffer.alloc(3 * 100_000), Buffer.of(1, 0, 0)]);
    let turns = 0;
    let over = false;
    const count = (): void => {
      turns++;
      if (!over) setImmediate(count);
    };
    const outcome = new Promise((resolve) =>
      decodeOnThread('zstd', body.subarray(0, -1), 10, resolve),
    );
    count();
    assert.ok((await outcome) instanceof Error);
    over = true;
    assert.ok(turns >= 100_000 / 4_096, `${turns}`);
  });

  it('fails whom it was asked by where the thread ends, and begins another', async () => {
    const found = theThread();
    const outcomes = [decoded(stored(Buffer.alloc(5e6))), decoded(stored(Buffer.alloc(10)))];
    const thread = await found;
    assert.equal(thread.listenerCount('message'), 1);
    void thread.terminate();
    for (const outcome of await Promise.all(outcomes)) assert.ok(outcome instanceof Error);
    const again = await decoded(stored(Buffer.from('again')));
    assert.equal(Buffer.from(again as Uint8Array).toString(), 'again');
  });

  it('keeps a process for as long as somebody waits, and no longer', () => {
    const source = `
      const { decodeOnThread } = await import(${JSON.stringify(join(import.meta.dirname, '../../src/transport/decoding-thread.ts'))});
      decodeOnThread('zstd', Buffer.from('28b52ffd2001090000 2a'.replace(' ', ''), 'hex'), 10, (bytes) => console.log(bytes instanceof Error ? bytes : bytes[0]));`;
    const child = spawnSync(
      process.execPath,
      ['--import', 'tsx', '--input-type=module', '-e', source],
      { encoding: 'utf8', timeout: 30_000 },
    );
    assert.equal(child.stdout, '42\n', child.stderr);
    assert.equal(child.status, 0);
  });
});
