/** A new set meets part of the traffic first, and goes back by itself when it is worse than the old one. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TransitionRecord } from '../../src/audit/record.ts';
import type { ControlStatus } from '../../src/engine/control.ts';
import { requireEnvoy, type Stack, type StackOptions, startStack } from './harness.ts';
import {
  type Client,
  decisionsIn,
  exchangesOf,
  inTurn,
  keepAliveClient,
  recordsOf,
  seeded,
  statusOf,
  until,
} from './sessions.ts';

/** A policy that refuses prompts with one of these words; no prompt says `name`, which makes another set. */
const refusing = (words: readonly string[], name = 'first') => `
kind: Policy
metadata: { name: limits, layer: platform }
class: security
rules:
  - { id: banned, inspect: [request], match: { keywords: { words: [${[...words, name].join(', ')}] } }, then: block }
`;

/** A condition that fails at run time for every session key that is no number. */
const failing = () => `
kind: Policy
metadata: { name: limits, layer: platform }
class: security
rules:
  - { id: broken, when: 'int(session) > 5', then: block }
`;

const rollout = (...stages: readonly string[]) => `
---
kind: Rollout
metadata: { name: slowly }
stages: [${stages.join(', ')}]
`;

const HALF = rollout('{ share: 50%, duration: 1h }', '{ share: 100% }');

/** What the clients say: `alpha` in 5 % of the prompts, `beta` in another 30 %. */
function prompt(random: number): string {
  return random < 0.05 ? 'alpha' : random < 0.35 ? 'beta' : 'gamma';
}

/** z of a two-sided 99.9 % interval. */
const Z_999 = 3.2905;

function assertShare(hits: number, of: number, share: number): void {
  const spread = Z_999 * Math.sqrt(of * share * (1 - share));
  const text = `${hits} of ${of}, expected ${of * share} ± ${spread.toFixed(0)}`;
  console.log(`      canary sessions: ${text}`);
  assert.ok(Math.abs(hits - of * share) <= spread, text);
}

function withStack(options: StackOptions): () => { stack: Stack; client: Client } {
  let stack: Stack;
  let client: Client;
  before(async function () {
    requireEnvoy(this);
    stack = await startStack({ args: ['--log-level', 'error'], ...options });
    client = keepAliveClient(stack.envoy.port, 32);
  });
  after(async () => {
    client?.close();
    await stack?.stop();
  });
  return () => ({ stack, client });
}

/** Saves a set that its rollout tries at once, and waits until it meets traffic. Returns its digest. */
async function tryOut({ switchyard }: Stack, text: string): Promise<string> {
  const before = (await statusOf(switchyard)).green?.digest;
  await switchyard.save('limits.yaml', text);
  return until('the rollout begins', async () => {
    const green = (await statusOf(switchyard)).green?.digest;
    return green === before ? undefined : green;
  });
}

/** Saves a set that serves at once. Returns its digest. */
async function serve({ switchyard }: Stack, text: string): Promise<string> {
  const before = (await statusOf(switchyard)).blue?.digest;
  await switchyard.save('limits.yaml', text);
  return until('the set serves', async () => {
    const blue = (await statusOf(switchyard)).blue?.digest;
    return blue === before ? undefined : blue;
  });
}

const isBad = (status: ControlStatus, digest: string): boolean =>
  status.green?.digest !== digest &&
  status.blue?.digest !== digest &&
  status.quarantined.some((entry) => entry.digest === digest);

interface Verdict {
  readonly rolledBack: boolean;
  /** Exchanges that the bad set judged, until it served no more. */
  readonly exchanges: number;
  readonly transition: TransitionRecord | undefined;
}

/** One request per session until the set is rolled back or `most` were sent. */
async function sendUntilRolledBack(
  { stack, client }: { stack: Stack; client: Client },
  bad: string,
  traffic: { readonly name: string; readonly seed: number; readonly most: number },
): Promise<Verdict> {
  const random = seeded(traffic.seed);
  const state = { rolledBack: false, over: false };
  const watching = (async () => {
    while (!state.rolledBack && !state.over) {
      state.rolledBack = isBad(await statusOf(stack.switchyard), bad);
      await sleep(25);
    }
  })();
  const sending: Promise<unknown>[] = [];
  for (let i = 0; i < traffic.most && !state.rolledBack; i++) {
    sending.push(client.ask({ session: `${traffic.name}-${i}`, prompt: prompt(random()) }));
    await sleep(1_000 / REQUESTS_PER_SECOND);
  }
  await Promise.all(sending);
  // The judge also looks by the clock, once a second.
  for (let waited = 0; waited < 3_000 && !state.rolledBack; waited += 100) await sleep(100);
  state.over = true;
  await watching;
  return { rolledBack: state.rolledBack, ...(await foundOf(stack, bad)) };
}

/** Slow enough that a second, which the judge weighs as one, holds a fraction of the 200 exchanges. */
const REQUESTS_PER_SECOND = 100;

async function foundOf({ switchyard }: Stack, bad: string) {
  await sleep(100);
  const records = await recordsOf(switchyard);
  const transition = records.find(
    (record): record is TransitionRecord =>
      record.kind === 'transition' && record.transition === 'rolled_back' && record.from === bad,
  );
  return { exchanges: exchangesOf(bad, decisionsIn(records)), transition };
}

describe('cohorts through Envoy', function () {
  this.timeout(300_000);
  const SESSIONS = 10_000;
  const REQUESTS = 5;
  const at = withStack({ policies: { 'limits.yaml': refusing(['alpha']) } });
  let green = '';
  let canaries: ReadonlySet<string> = new Set();

  /** Which cohort and sets each session has met, and which session key it was. */
  async function met() {
    const sets = new Map<string, Set<string>>();
    const cohorts = new Map<string, Set<string>>();
    const exchanges = new Set<string>();
    for (const record of decisionsIn(await recordsOf(at().stack.switchyard))) {
      if (record.session === undefined) continue;
      exchanges.add(record.exchange);
      add(sets, record.session, record.set);
      add(cohorts, record.session, record.cohort);
    }
    return { sets, cohorts, exchanges };
  }

  it('gives 20 % of 10,000 sessions to the new set, each session to one set only', async () => {
    const { stack, client } = at();
    green = await tryOut(
      stack,
      refusing(['alpha'], 'second') + rollout('{ share: 20%, duration: 1h }', '{ share: 100% }'),
    );
    const startedMs = performance.now();
    let failed = 0;
    await inTurn(SESSIONS * REQUESTS, 32, async (index) => {
      const { status } = await client.ask({ session: `session-${index % SESSIONS}` });
      if (status !== 200) failed++;
    });
    const tookS = (performance.now() - startedMs) / 1_000;
    console.log(`      ${((SESSIONS * REQUESTS) / tookS).toFixed(0)} exchanges a second`);
    assert.equal(failed, 0);
    await sleep(200);
    const { sets, cohorts, exchanges } = await met();
    assert.equal(sets.size, SESSIONS);
    assert.equal(exchanges.size, SESSIONS * REQUESTS);
    assert.equal([...sets.values()].filter((seen) => seen.size !== 1).length, 0);
    assert.equal([...cohorts.values()].filter((seen) => seen.size !== 1).length, 0);
    canaries = new Set([...sets].filter(([, seen]) => seen.has(green)).map(([session]) => session));
    assertShare(canaries.size, SESSIONS, 0.2);
  });
});

function add<K, V>(map: Map<K, Set<V>>, key: K, value: V): void {
  const known = map.get(key);
  if (known) known.add(value);
  else map.set(key, new Set([value]));
}

describe('a rollout through Envoy', function () {
  this.timeout(120_000);
  const at = withStack({ policies: { 'limits.yaml': refusing(['alpha']) } });

  it('ends within 10 exchanges of a set whose condition fails on every one', async () => {
    const { stack, client } = at();
    const bad = await tryOut(stack, failing() + HALF);
    let sent = 0;
    for (; sent < 200 && !isBad(await statusOf(stack.switchyard), bad); sent++)
      await client.ask({ session: `error-${sent}`, prompt: 'gamma' });
    const { exchanges, transition } = await foundOf(stack, bad);
    console.log(`      rolled back after ${exchanges} canary exchanges, one after another`);
    assert.ok(isBad(await statusOf(stack.switchyard), bad));
    assert.ok(exchanges <= 10, String(exchanges));
    assert.equal(transition?.evidence?.metric, 'error_rate');
  });

  it('ends within 200 exchanges of a set that refuses 35 % instead of 5 %, 9 times in 10', async () => {
    const needed: number[] = [];
    for (let run = 1; run <= 10; run++) {
      const bad = await tryOut(at().stack, refusing(['alpha', 'beta'], `run${run}`) + HALF);
      const verdict = await sendUntilRolledBack(at(), bad, {
        name: `up-${run}`,
        seed: run,
        most: 600,
      });
      assert.ok(verdict.rolledBack, `run ${run} was not rolled back`);
      assert.equal(verdict.transition?.evidence?.metric, 'deny_rate_up');
      needed.push(verdict.exchanges);
    }
    console.log(`      canary exchanges needed: ${needed.join(' ')}`);
    assert.ok(needed.filter((count) => count <= 200).length >= 9);
  });
});
