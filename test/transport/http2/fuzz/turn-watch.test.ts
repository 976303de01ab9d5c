/** The watch over turns finds what it is there for, and nothing else. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { TURN_MS_MAX, withoutHang } from './turn-watch.ts';

function work(ms: number): void {
  const before = process.cpuUsage();
  for (;;) {
    const { user, system } = process.cpuUsage(before);
    if ((user + system) / 1_000 >= ms) return;
  }
}

describe('the watch over turns of the thread', () => {
  it('tells of work that takes too long, whenever it is done', async () => {
    const problem = await withoutHang(async (watch) =>
      watch.turn(() => void work(TURN_MS_MAX * 3)),
    );
    assert.match(problem ?? '', /hangs: a turn of \d+ ms/u);
    assert.match(
      (await withoutHang((watch) =>
        watch.turnWith(async () => {
          await Promise.resolve();
          work(TURN_MS_MAX * 3);
          return undefined;
        }),
      )) ?? '',
      /hangs/u,
    );
  });

  it('does not mind others who have the processor, nor what takes long once', async () => {
    assert.equal(
      await withoutHang((watch) => watch.turnWith(async () => void (await sleep(TURN_MS_MAX * 2)))),
      undefined,
    );
    let times = 0;
    assert.equal(
      await withoutHang(async (watch) =>
        watch.turn(() => void (times++ < 2 && work(TURN_MS_MAX * 3))),
      ),
      undefined,
    );
    assert.equal(times, 3);
  });

  it('hands on what is wrong otherwise', async () => {
    assert.equal(await withoutHang(async () => 'wrong'), 'wrong');
  });
});
