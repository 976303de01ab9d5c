/**
 * The attacker, in a process of its own: it keeps up as many connections as the attack has, and begins anew wherever
 * it was thrown out. It takes one order at a time from its parent, and ends with it.
 */
import { constants, setPriority } from 'node:os';
import { ATTACKS, type Attack } from '../../test/transport/http2/attacks.ts';
import { RawClient } from '../../test/transport/http2/raw-client.ts';
import { goawayOf } from '../../test/transport/http2/raw-peer.ts';

export type AttackOrder =
  | { readonly kind: 'begin'; readonly attack: string; readonly address: string }
  | { readonly kind: 'end' };

/** What came of the connections of one attack. */
export interface Attacked {
  readonly connections: number;
  /** Those that the server ended, by the code of its GOAWAY; -1: without one. */
  readonly codes: Readonly<Record<number, number>>;
}

interface Siege {
  over: boolean;
  readonly clients: Set<RawClient>;
  readonly codes: Map<number, number>;
  connections: number;
  lanes: Promise<unknown>;
}

async function lane(row: Attack, address: string, siege: Siege): Promise<void> {
  while (!siege.over) {
    const client = new RawClient(address);
    siege.clients.add(client);
    siege.connections++;
    await row.run(client);
    if (!client.over) client.destroy();
    siege.clients.delete(client);
    if (siege.over) return;
    const code = goawayOf(client.frames)?.code ?? -1;
    siege.codes.set(code, (siege.codes.get(code) ?? 0) + 1);
  }
}

function begin(name: string, address: string): Siege {
  const row = ATTACKS.find((one) => one.name === name);
  if (row === undefined) throw new Error(`no attack is called ${name}`);
  const siege: Siege = {
    ...{ over: false, clients: new Set(), codes: new Map(), connections: 0 },
    lanes: Promise.resolve(),
  };
  const lanes = row.connectionsAtDefaults ?? row.connections;
  siege.lanes = Promise.all(Array.from({ length: lanes }, () => lane(row, address, siege)));
  return siege;
}

async function end(siege: Siege): Promise<Attacked> {
  siege.over = true;
  for (const client of siege.clients) client.destroy();
  await siege.lanes;
  return { connections: siege.connections, codes: Object.fromEntries(siege.codes) };
}

// Attackers have machines of their own. Here they get what the others leave.
setPriority(constants.priority.PRIORITY_LOW);
let siege: Siege | undefined;
process.on('message', (order: AttackOrder) => {
  if (order.kind === 'begin') siege = begin(order.attack, order.address);
  else if (siege !== undefined) void end(siege).then((attacked) => process.send?.(attacked));
});
process.once('disconnect', () => process.exit(0));
