/** Exchanges of our own before anybody's: over both transports, through the whole of Switchyard, and counted by nobody. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { startGrpcServer } from '../../src/transport/grpcjs/server.ts';
import { startHttp2Server } from '../../src/transport/http2/server.ts';
import { warmUp } from '../../src/transport/warm-up.ts';
import { startSwitchyard } from '../envoy/harness.ts';

const POLICIES = {
  'p.yaml': `apiVersion: switchyard/v1
kind: Policy
metadata: { name: p, layer: platform }
class: security
rules:
  - id: trains
    inspect: [request, response]
    match: { keywords: { words: [timetables] } }
    then: block
`,
};

describe('a warm-up', () => {
  for (const [name, startServer] of Object.entries({ startGrpcServer, startHttp2Server }))
    it(`makes whole exchanges through a socket (${name})`, async () => {
      const ends: string[] = [];
      let events = 0;
      const made = await warmUp({
        startServer,
        durationMs: 200,
        nowMs: () => performance.now(),
        server: {
          answerCheck: () => ({ kind: 'allow', metadata: {} }),
          openProcess: (port) => ({
            event(event) {
              events++;
              if (event.kind === 'headers') port.continueHeaders(event.direction);
              else if (event.kind === 'body')
                port.body(event.direction, event.bytes, event.endOfStream, true);
            },
            end: (end) => ends.push(end),
          }),
        },
      });
      assert.ok(made > 0);
      assert.equal(ends.length, made);
      assert.ok(ends.every((end) => end === 'half_close'));
      assert.ok(events >= made * 4);
    });

  for (const transport of ['grpc-js', 'fast'])
    it(`keeps ${transport} from being ready until it is warm, and leaves no trace`, async function () {
      this.timeout(60_000);
      const switchyard = await startSwitchyard({
        policies: POLICIES,
        args: ['--transport', transport, '--warm-up-ms', '700'],
      });
      try {
        const before = await switchyard.admin('/readyz');
        assert.deepEqual([before.status, /warming up/u.test(before.text)], [503, true]);
        for (let status = 503; status !== 200; await sleep(20))
          status = (await switchyard.admin('/readyz')).status;
        const { text } = await switchyard.admin('/metrics');
        assert.ok(!/^switchyard_(decisions|rule_matches)_total\{.*\} [1-9]/mu.test(text), text);
        assert.match(switchyard.output(), /"count":[1-9]\d+.*ready/u);
      } finally {
        await switchyard.stop();
      }
    });
});
