/** Many exchanges at once, some of which end early or fail: what leaves of each is what would leave were it alone. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Exchange } from '../../src/engine/exchange.ts';
import { RestoreMaps } from '../../src/engine/restoring.ts';
import type { Direction } from '../../src/policy/set.ts';
import { memorySealer } from '../../src/store/sealer.ts';
import {
  CHAT_HEADERS,
  chatStream,
  compile,
  giveChunk,
  headersEvent,
  RecordingPort,
  type Rig,
  rig,
} from './rig.ts';

const SET = compile(`
kind: Policy
metadata: { name: guard, layer: platform }
class: security
rules:
  - { id: zebra, inspect: [request, response], match: { keywords: { words: [Project Zebra] } }, then: block }
  - { id: mail, inspect: [request], match: { pii: { entities: [email] } }, then: { redact: { reversible: true } } }
  - { id: cards, inspect: [request, response, tool_call], match: { pii: { entities: [credit_card] } }, then: redact }
  - { id: rivals, inspect: [response], match: { keywords: { words: [Bank A, Bank] } }, then: { rewrite: { with: another } } }
`);

/** What one client and its upstream do. */
interface Story {
  /** It says whose bytes are whose. */
  readonly name: string;
  readonly said: string;
  readonly answered: string;
  readonly streamed: boolean;
  /** So many units more of nothing much: of several blocks. */
  readonly filled: number;
  readonly chunkBytes: number;
  /** After so many of its steps the client goes away; undefined: it stays. */
  readonly goneAfter: number | undefined;
}

const words = fc.constantFrom(
  ...[
    'and so on, ',
    'Bank A ',
    'Ba',
    'nk ',
    '[EMAIL_1] ',
    '[EMAIL_',
    '4111 1111 1111 1111, ',
    '☕ ',
  ],
  ...['Project Zeb', 'ann@example.org ', '"quoted" \\n', 'Project Zebra. '],
);
const prose = fc
  .tuple(fc.array(words, { maxLength: 12 }), fc.constantFrom(1, 1, 30, 600))
  .map(([parts, times]) => parts.join('').repeat(times).slice(0, 24_000));
const story = fc.record({
  said: prose,
  answered: prose,
  streamed: fc.boolean(),
  filled: fc.constantFrom(0, 100_000, 200_000),
  chunkBytes: fc.constantFrom(90, 700, 5_000, 24_000, 24_000),
  goneAfter: fc.constantFrom(undefined, undefined, undefined, 0, 2, 5, 9),
});

interface Player {
  readonly port: RecordingPort;
  /** One more step; false when there is none. */
  step(): boolean;
}

const filler = ({ name, filled, chunkBytes }: Story): string =>
  chunkBytes < 5_000 ? '' : ` ${name}`.repeat(filled / 8);

function playing(from: Rig, one: Story): Player {
  const port = new RecordingPort();
  const faults: unknown[] = [];
  port.crashed = (error) => faults.push(error);
  const exchange = new Exchange(from.deps, port);
  const body = Buffer.from(
    JSON.stringify({
      model: 'm',
      stream: one.streamed,
      messages: [{ role: 'user', content: `${one.name}@example.org ${one.said}${filler(one)}` }],
    }),
  );
  const content = `${one.name} ${one.answered}`;
  const answer = one.streamed
    ? chatStream(
        Array.from({ length: Math.ceil(content.length / 37) }, (_, at) => ({
          delta: { content: content.slice(at * 37, at * 37 + 37) },
        })),
      )
    : Buffer.from(
        JSON.stringify({
          choices: [
            { index: 0, message: { role: 'assistant', content: `${content}${filler(one)}` } },
          ],
        }),
      );
  const headers = {
    ...CHAT_HEADERS,
    'x-user': one.name,
    'x-session': 'the same',
  };
  const type = one.streamed ? 'text/event-stream' : 'application/json';
  const steps: (() => void)[] = [];
  const give = (direction: Direction, bytes: Uint8Array): void => {
    for (let at = 0; at < bytes.length; at += one.chunkBytes)
      steps.push(() =>
        giveChunk(
          exchange,
          direction,
          bytes.subarray(at, at + one.chunkBytes),
          at + one.chunkBytes >= bytes.length,
        ),
      );
  };
  steps.push(() => exchange.event(headersEvent('request', headers)));
  give('request', body);
  const answerAt = steps.length;
  steps.push(() =>
    exchange.event(headersEvent('response', { ':status': '200', 'content-type': type })),
  );
  give('response', answer);
  let taken = 0;
  let over = false;
  return {
    port,
    step() {
      assert.deepEqual(faults, []);
      if (over) return false;
      if (port.refusal !== undefined || port.ended.has('response')) {
        over = true;
        exchange.end('half_close');
        return false;
      }
      if (taken === one.goneAfter) {
        over = true;
        exchange.end('cancelled');
        return false;
      }
      // An upstream answers when it has all of the request, and who is told to wait does.
      if (port.paused || (taken === answerAt && !port.ended.has('request'))) return true;
      steps[taken]?.();
      taken++;
      return true;
    },
  };
}

function outcome({ port }: Player): unknown {
  return {
    request: port.sent('request'),
    response: port.sent('response'),
    refusal: port.refusal?.body,
    ended: [...port.ended],
  };
}

function stage(): Rig {
  const made = rig(SET, { sliceUnitsMax: 500, waitingEventsMax: 8 });
  return {
    ...made,
    deps: {
      ...made.deps,
      newId: () => 'the same',
      facts: {
        ...made.deps.facts,
        principal: [{ from: 'header', name: 'x-user', trusted: true }],
        session: [{ from: 'header', name: 'x-session', trusted: true }],
      },
      restores: new RestoreMaps(made.clock, memorySealer(), made.deps.limits),
    },
  };
}

/** Lets all of them act in an order that `random` says, with turns of the engine between. */
function play(from: Rig, players: readonly Player[], random: () => number): void {
  const acting = [...players];
  for (let rounds = 0; acting.length > 0; rounds++) {
    assert.ok(rounds < 100_000, 'somebody waits for ever');
    const at = Math.floor(random() * (acting.length + 1));
    const player = acting[at];
    if (player === undefined || player.port.paused) from.clock.turn();
    else if (!player.step()) acting.splice(at, 1);
    if (random() < 0.3) from.clock.turn();
  }
  while (from.clock.turn());
}

function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

describe('exchanges at the same time', function () {
  this.timeout(60_000);

  it('leave as each would alone, whoever goes away or is refused meanwhile', () => {
    let refused = 0;
    let gone = 0;
    let whole = 0;
    fc.assert(
      fc.property(fc.array(story, { minLength: 2, maxLength: 12 }), fc.nat(), (stories, seed) => {
        const named = stories.map((one, at) => ({ ...one, name: `client${at}` }));
        const from = stage();
        const players = named.map((one) => playing(from, one));
        play(from, players, randomOf(seed));
        for (const [at, one] of named.entries()) {
          const alone = stage();
          const other = playing(alone, { ...one, goneAfter: undefined });
          play(alone, [other], randomOf(seed + 1));
          const together = players[at]!.port;
          const expected = other.port;
          if (one.goneAfter === undefined) {
            assert.deepEqual(outcome(players[at]!), outcome(other));
            if (together.refusal || together.sent('response').includes('refused')) refused++;
            else whole++;
          } else {
            gone++;
            for (const direction of ['request', 'response'] as const)
              assert.ok(expected.sent(direction).startsWith(together.sent(direction)));
          }
          const said = together.sent('request') + together.sent('response');
          assert.deepEqual(
            [...said.matchAll(/client\d+/gu)].filter(([name]) => name !== one.name),
            [],
          );
        }
        assert.equal(from.deps.held.bytes >= 0, true);
      }),
      { numRuns: 15 },
    );
    assert.ok(refused > 3 && gone > 3 && whole > 3, `${refused} ${gone} ${whole}`);
  });
});
