import assert from 'node:assert/strict';
import { SWAP_QUEUE_LENGTH_MAX, SwapQueue } from '../../src/engine/swap-queue.ts';

function gate(): { readonly opened: Promise<void>; open(): void } {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open: () => open() };
}

describe('the swap queue', () => {
  it('runs one at a time, in order', async () => {
    const queue = new SwapQueue();
    const seen: string[] = [];
    const first = gate();
    const one = queue.enqueue('one', async () => {
      seen.push('one begins');
      await first.opened;
      seen.push('one ends');
      return 1;
    });
    const two = queue.enqueue('two', () => {
      seen.push('two');
      return 2;
    });
    await new Promise(setImmediate);
    assert.deepEqual(seen, ['one begins']);
    assert.equal(queue.running, 'one');
    assert.equal(queue.waiting, 1);
    first.open();
    assert.deepEqual(await Promise.all([one, two]), [1, 2]);
    assert.deepEqual(seen, ['one begins', 'one ends', 'two']);
    assert.equal(queue.running, undefined);
    assert.equal(queue.waiting, 0);
  });

  it('goes on after a failure, which its caller gets', async () => {
    const queue = new SwapQueue();
    const failing = queue.enqueue('fails', async () => {
      throw new Error('no disk');
    });
    const throwing = queue.enqueue('throws', () => {
      throw new Error('at once');
    });
    const fine = queue.enqueue('fine', () => 'fine');
    await assert.rejects(failing, /no disk/);
    await assert.rejects(throwing, /at once/);
    assert.equal(await fine, 'fine');
  });

  it('has a length: limit - 1 and limit wait, limit + 1 is refused and never runs', async () => {
    for (const [lengthMax, queue] of [
      [SWAP_QUEUE_LENGTH_MAX, new SwapQueue()],
      [1, new SwapQueue(1)],
    ] as const) {
      const held = gate();
      const running = queue.enqueue('held', () => held.opened);
      let ran = 0;
      const taken = Array.from({ length: lengthMax }, () => queue.enqueue('next', () => ran++));
      assert.equal(queue.waiting, lengthMax);
      await assert.rejects(
        queue.enqueue('too much', () => ran++),
        { code: 'swap_queue_full' },
      );
      held.open();
      await Promise.all([running, ...taken]);
      assert.equal(ran, lengthMax);
      assert.equal(await queue.enqueue('room again', () => 'yes'), 'yes');
    }
  });

  it('closes after what it took', async () => {
    const queue = new SwapQueue();
    const held = gate();
    const last = queue.enqueue('last', async () => {
      await held.opened;
      return 'done';
    });
    const closed = queue.close();
    await assert.rejects(
      queue.enqueue('late', () => 0),
      { code: 'swap_queue_closed' },
    );
    held.open();
    await closed;
    assert.equal(await last, 'done');
    await queue.drained();
  });
});
