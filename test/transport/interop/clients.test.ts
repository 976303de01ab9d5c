/** Clients of other hands against our transports: what each must see of a call that goes well, or not. */
import assert from 'node:assert/strict';
import { status } from '@grpc/grpc-js';
import { skipBecause } from '../../reporter/skip.ts';
import { FOREIGN_CLIENTS, isMade, LARGE_BYTES, SCENES, type Scene, type Seen } from './clients.ts';
import { startDribbler } from './dribbler.ts';
import { ANSWERED_ENDPOINT, type Subject, startSubject, TRANSPORTS } from './subject.ts';

const endpoint = ANSWERED_ENDPOINT;
const BODY_BYTES = Buffer.byteLength('{"model":"m"}');

const EXPECTED: Readonly<Record<Scene, Partial<Seen>>> = {
  check: { code: status.OK, replies: 1, endpoint },
  exchange: { code: status.OK, replies: 4, endpoint, bodyBytes: BODY_BYTES, same: true },
  large: { code: status.OK, replies: 2, endpoint, bodyBytes: LARGE_BYTES, same: true },
  deadline: { code: status.DEADLINE_EXCEEDED, replies: 0 },
  cancel: { code: status.CANCELLED, replies: 1, endpoint },
  unknown: { code: status.UNIMPLEMENTED, replies: 0 },
};

/** Scenes after which the server must have been told that nobody waits any more. */
const ABANDONED: Partial<Record<Scene, string>> = { deadline: 'silent', cancel: 'cancelled' };

async function until(what: () => boolean): Promise<void> {
  for (let waitedMs = 0; waitedMs < 5_000 && !what(); waitedMs += 5)
    await new Promise((resolve) => setTimeout(resolve, 5));
}

for (const transport of TRANSPORTS)
  for (const client of FOREIGN_CLIENTS)
    describe(`${transport.name} asked by ${client.name}`, () => {
      let subject: Subject;

      before(async function () {
        if (!isMade(client))
          skipBecause(this, `no client: \`${client.madeBy}\` makes it, and says why it cannot`);
        subject = await startSubject(transport);
      });
      after(() => subject?.stop());

      for (const scene of SCENES)
        it(scene, async () => {
          const seen = await client.play(subject.port, scene);
          assert.deepEqual(pick(seen, EXPECTED[scene]), EXPECTED[scene]);
          const abandoned = ABANDONED[scene];
          if (abandoned === undefined) return;
          const told = () => subject.ends.filter((ended) => ended.scene === abandoned);
          await until(() => told().length > 0);
          const [ended, ...more] = told();
          assert.ok(ended && more.length === 0, `told ${told().length} times`);
          // grpc-js tells a reset as an end of the stream; where nothing was owed that is a half-close.
          if (scene === 'deadline') assert.equal(ended.end, 'cancelled');
        });

      for (const scene of ['check', 'exchange'] as const)
        it(`${scene}, one byte at a time`, async () => {
          const wire = await startDribbler(subject.port);
          try {
            const seen = await client.play(wire.port, scene);
            assert.deepEqual(pick(seen, EXPECTED[scene]), EXPECTED[scene]);
            // Preface, settings, headers, messages: all of it went this way.
            assert.ok(wire.carried() > 150, `${wire.carried()} bytes`);
          } finally {
            await wire.stop();
          }
        });
    });

/** Of what was seen, the parts that are expected of it. */
function pick(seen: Seen, expected: Partial<Seen>): Partial<Seen> {
  return Object.fromEntries(
    Object.keys(expected).map((key) => [key, seen[key as keyof Seen]]),
  ) as Partial<Seen>;
}
