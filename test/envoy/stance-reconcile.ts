/** What must hold of every stack, whatever happened in it. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { countRecords } from '../../src/audit/reader.ts';
import type { Stack } from './harness.ts';

const POLLS_MAX = 200;
const POLL_MS = 50;

/**
 * Every exchange that Envoy opened has one record, none was closed before its verdict, and no reply was
 * unexpected. `running`: exchanges that are not over, and so have none yet.
 */
export async function assertReconciled(
  { envoy, switchyard }: Pick<Stack, 'envoy' | 'switchyard'>,
  running = 0,
): Promise<void> {
  const counted = async (): Promise<readonly [streams: number, records: number]> => {
    const { byKind } = await countRecords(`${switchyard.dataDirectory}/decisions`);
    const streams = await total(envoy, 'streams_started');
    return [streams, running + (byKind.process ?? 0) + (byKind.local_reply ?? 0)];
  };
  let [streams, records] = await counted();
  for (let polls = 0; polls < POLLS_MAX && streams !== records; polls++) {
    await sleep(POLL_MS);
    [streams, records] = await counted();
  }
  assert.ok(streams > 0);
  assert.equal(records, streams, 'records and streams');
  const { gaps, unreadable } = await countRecords(`${switchyard.dataDirectory}/decisions`);
  assert.deepEqual({ gaps, unreadable }, { gaps: 0, unreadable: 0 });
  assert.equal(await total(envoy, 'spurious_msgs_received'), 0, 'spurious messages');
  assert.equal(await total(envoy, 'message_timeouts'), 0, 'message timeouts');
  const bypassed =
    (await total(envoy, 'server_half_closed')) - (await total(envoy, 'streams_failed'));
  assert.ok(bypassed <= 0, `${bypassed} streams were closed before their verdict`);
}

/** One counter of ext_proc over all its filters. */
export async function total(envoy: Stack['envoy'], counter: string): Promise<number> {
  const found = await envoy.stats(new RegExp(`^http\\.ai\\.ext_proc\\..*${counter}$`, 'u'));
  return [...found.values()].reduce((sum, value) => sum + value, 0);
}
