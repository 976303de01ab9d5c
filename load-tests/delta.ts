/**
 * What one delta of a streamed chat costs on its way through Switchyard, without gRPC: bytes of Envoy in, bytes to
 * Envoy out. `node --import tsx load-tests/delta.ts [deltas]`. The shipped policies and a set of which no rule
 * is for this traffic, by turns on the same stream; CPU time, median and lowest of the rounds: the lowest is the one
 * that other work on the machine has the least part in.
 */
import { Exchange } from '../src/engine/exchange.ts';
import type { EngineDeps } from '../src/engine/ports.ts';
import { messagesOf } from '../src/protocol/envoy-messages.ts';
import { ExchangeMachine } from '../src/protocol/exchange-machine.ts';
import {
  ASKED,
  CHAT_REQUEST,
  engineDeps,
  event,
  policiesForNobody,
  shippedPolicies,
} from './in-process.ts';

const DELTAS = Number(process.argv[2] ?? 500);
const ROUNDS = 200;

const WORDS =
  'The balance of your account is updated every night, so a payment that you make today is shown tomorrow; ' +
  'write to bob@acme.example or call 555 0100 if it is not. Your card ends in 1111 and Bank A sent it in 2024. ';

/** About four units each, as tokens are. */
function tokens(count: number): string[] {
  const parts = WORDS.match(/\s?\S{1,5}/gu) ?? [];
  return Array.from({ length: count }, (_, index) => parts[index % parts.length] as string);
}

const chunks = tokens(DELTAS).map((token) => Buffer.from(event(token)));
const messages = messagesOf(
  CHAT_REQUEST,
  ASKED,
  { ':status': '200', 'content-type': 'text/event-stream' },
  [...chunks, Buffer.from('data: [DONE]\n\n')],
);

let sentBytes = 0;
let failure = '';

function run(deps: EngineDeps): number {
  const machine = new ExchangeMachine(
    { open: (port) => new Exchange(deps, port) },
    {
      initialMetadata: () => undefined,
      send: (bytes) => {
        sentBytes += bytes.length;
      },
      end() {},
      fail: (_status, reason) => {
        failure = reason;
      },
      pause() {},
      resume() {},
    },
  );
  const began = process.cpuUsage();
  for (const message of messages) machine.receive(message);
  machine.halfClosed();
  const { user, system } = process.cpuUsage(began);
  if (failure !== '') throw new Error(failure);
  return (user + system) / DELTAS;
}

const median = (values: number[]): number =>
  values.sort((a, b) => a - b)[Math.floor(values.length / 2)] as number;

const through = {
  'pass-through': engineDeps(policiesForNobody()),
  shipped: engineDeps(shippedPolicies()),
};
const costs: Record<keyof typeof through, number[]> = { 'pass-through': [], shipped: [] };
for (let round = -ROUNDS; round < ROUNDS; round++)
  for (const name of ['pass-through', 'shipped'] as const) {
    const cost = run(through[name]);
    if (round >= 0) costs[name].push(cost);
  }
process.stdout.write(`${DELTAS} deltas of ${chunks[0]?.length} bytes, ${sentBytes} bytes sent\n`);
for (const [name, values] of Object.entries(costs))
  process.stdout.write(
    `${name.padEnd(12)} ${median(values).toFixed(2)} µs a delta, lowest ${(values[0] as number).toFixed(2)}\n`,
  );
