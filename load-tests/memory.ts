/**
 * Memory that an open stream keeps in the middle of its answer, without gRPC: `node --import tsx
 * load-tests/memory.ts [streams]`. Heap, external memory and buffers after a full collection, by stream; with the
 * shipped policies, and with a set of which no rule is for this traffic.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
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

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

const STREAMS = Number(process.argv[2] ?? 5_000);
const SAID = ['The ', 'balance ', 'of ', 'your ', 'account ', 'is ', 'updated ', 'every ', 'nigh'];

function opened(deps: EngineDeps, index: number): ExchangeMachine {
  const machine = new ExchangeMachine(
    { open: (port) => new Exchange(deps, port) },
    { initialMetadata: () => undefined, send() {}, end() {}, fail() {}, pause() {}, resume() {} },
  );
  // Bytes of its own, as from a socket.
  const messages = messagesOf(
    { ...CHAT_REQUEST, 'x-request-id': `request-${index}` },
    ASKED,
    { ':status': '200', 'content-type': 'text/event-stream' },
    [...SAID.map((said) => Buffer.from(event(said))), Buffer.from('data: [DONE]\n\n')],
  );
  for (const message of messages.slice(0, -1)) machine.receive(message);
  return machine;
}

function usedBytes(): number {
  collect();
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

function measure(name: string, deps: EngineDeps): void {
  const warm = Array.from({ length: 200 }, (_, index) => opened(deps, index));
  for (const machine of warm) machine.cancelled();
  const before = usedBytes();
  const open = Array.from({ length: STREAMS }, (_, index) => opened(deps, index));
  const each = (usedBytes() - before) / STREAMS;
  process.stdout.write(
    `${name.padEnd(12)} ${each.toFixed(0)} bytes a stream, ${open.length} open\n`,
  );
  for (const machine of open) machine.cancelled();
}

measure('pass-through', engineDeps(policiesForNobody()));
measure('shipped', engineDeps(shippedPolicies()));
process.exit();
