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
  - { id: broken, when: 'int(session.id) > 5', then: block }
`;

const rollout = (...stages: readonly string[]) => `
---
kind: Rollout
metadata: { name: slowly }
stages: [${stages.join(', ')}]
`;

const HALF = rollout('{ share: 50%, duration: 1h }', '{ share: 100% }');
/** Four of the control for each of the canary: a comparison that needs fewer of the canary. */
const FIFTH = rollout('{ share: 20%, duration: 1h }', '{ share: 100% }');

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

/** Metric, counts and evidence of a rollback, as numbers and in words. */
function assertEvidence(
  transition: TransitionRecord | undefined,
  metric: string,
  words: RegExp,
): void {
  assert.ok(transition, 'no transition was recorded');
  const { evidence, reason, by } = transition;
  assert.equal(by, 'judge');
  assert.match(reason, words);
  assert.equal(evidence?.metric, metric);
  for (const name of ['observed', 'limit', 'canaryCount', 'controlCount', 'evidence', 'threshold'])
    assert.equal(typeof evidence?.[name], 'number', name);
  assert.ok(Number(evidence?.evidence) >= Number(evidence?.threshold));
}

describe('cohorts through Envoy', function () {
  this.timeout(300_000);
  const SESSIONS = 10_000;
  /** Of each session: a second one shows that it stays where it was. */
  const REQUESTS = 2;
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
    // Envoy's own log of the same exchanges says the same.
    const log = await stack.envoy.accessLog();
    const inLog = log.filter((line) => line.cohort === 'canary' && line.set === green).length;
    assert.equal(inLog, canaries.size * REQUESTS);
  });

  it('keeps every canary session when the share grows to 50 %', async () => {
    const { stack, client } = at();
    assert.equal((await stack.switchyard.cli('canary', '--share', '50%')).code, 0);
    await inTurn(SESSIONS, 32, async (index) => {
      await client.ask({ session: `session-${index}` });
    });
    await sleep(200);
    const after = new Map<string, string>();
    const { epoch } = await statusOf(stack.switchyard);
    for (const record of decisionsIn(await recordsOf(stack.switchyard)))
      if (record.session !== undefined && record.epoch === epoch)
        after.set(record.session, record.cohort);
    assert.equal(after.size, SESSIONS);
    assert.equal([...canaries].filter((session) => after.get(session) !== 'canary').length, 0);
    const grown = [...after.values()].filter((cohort) => cohort === 'canary').length;
    assertShare(grown, SESSIONS, 0.5);
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
    const status = await statusOf(stack.switchyard);
    assert.ok(isBad(status, bad));
    assert.ok(exchanges <= 10, String(exchanges));
    assertEvidence(transition, 'error_rate', /^errors: observed 100 % > limit 1 %; evidence /);
    assert.equal(status.history[0]?.kind, 'rolled_back');
    assert.equal(status.history[0]?.reason, transition?.reason);
    const page = (await stack.switchyard.cli('status')).output;
    assert.ok(page.includes('observed 100 % > limit 1 %'), page);
    // Green's faults opened no breaker of blue's, and its own are no longer anybody's business.
    assert.deepEqual(status.breakers, []);
    assert.equal((await client.ask({ session: 'error-0', prompt: 'gamma' })).status, 200);
  });

  it('ends within 200 exchanges of a set that refuses 35 % instead of 5 %, 9 times in 10', async () => {
    const needed: number[] = [];
    for (let run = 1; run <= 10; run++) {
      const bad = await tryOut(at().stack, refusing(['alpha', 'beta'], `run${run}`) + FIFTH);
      const verdict = await sendUntilRolledBack(at(), bad, {
        name: `up-${run}`,
        seed: run,
        most: 1_500,
      });
      assert.ok(verdict.rolledBack, `run ${run} was not rolled back`);
      assertEvidence(
        verdict.transition,
        'deny_rate_up',
        /^deny rate, rise: observed \d+(\.\d+)? % > limit .* \(baseline .* %\); evidence .* of the 2,000 needed$/,
      );
      needed.push(verdict.exchanges);
    }
    console.log(`      canary exchanges needed: ${needed.join(' ')}`);
    assert.ok(needed.filter((count) => count <= 200).length >= 9);
  });

  it('stays where it is while nothing is proven, and says so', async () => {
    const { stack, client } = at();
    const stages = rollout(
      '{ share: 50%, duration: 1s }',
      '{ share: 90%, duration: 1s }',
      '{ share: 100% }',
    );
    const green = await tryOut(stack, refusing(['alpha'], 'quiet') + stages);
    const firstEpoch = (await statusOf(stack.switchyard)).epoch;
    await inTurn(20, 4, async (index) => {
      await client.ask({ session: `quiet-${index}`, prompt: 'gamma' });
    });
    // Three looks of the clock at a stage whose time is over.
    await sleep(4_500);
    const status = await statusOf(stack.switchyard);
    assert.equal(status.epoch, firstEpoch);
    assert.equal(status.green?.digest, green);
    assert.equal(status.rollout?.sharePpm, 500_000);
    assert.equal(status.rollout?.stage, 0);
    const [errors] = status.rollout?.judgement ?? [];
    assert.match(
      errors ?? '',
      /^errors: observed 0 % <= limit 1 %; .*; proof of safety .* of the 100 needed$/,
    );
    assert.ok((await stack.switchyard.cli('status')).output.includes('proof of safety'));
  });

  it('is not undone by a rise of denials once it is an emergency', async () => {
    const { stack, client } = at();
    await stack.switchyard.cli('rollback');
    const block = await tryOut(stack, refusing(['alpha', 'beta', 'gamma'], 'attack') + HALF);
    const declared = await stack.switchyard.cli('activate', '--emergency', '--for', '2h');
    assert.equal(declared.code, 0, declared.output);
    let refused = 0;
    await inTurn(1_000, 8, async (index) => {
      const { status } = await client.ask({ session: `attack-${index}`, prompt: 'gamma' });
      if (status === 400) refused++;
    });
    assert.equal(refused, 1_000);
    // Two looks of the clock.
    await sleep(2_500);
    const status = await statusOf(stack.switchyard);
    assert.equal(status.blue?.digest, block);
    assert.equal(status.emergency?.digest, block);
  });
});

describe('a set that stops refusing, through Envoy', function () {
  this.timeout(120_000);
  const at = withStack({ policies: { 'limits.yaml': refusing(['alpha', 'beta']) } });

  it('is rolled back within 200 exchanges', async () => {
    const needed: number[] = [];
    for (let run = 1; run <= 3; run++) {
      const bad = await tryOut(at().stack, refusing([], `run${run}`) + FIFTH);
      const traffic = { name: `down-${run}`, seed: run, most: 1_500 };
      const verdict = await sendUntilRolledBack(at(), bad, traffic);
      assert.ok(verdict.rolledBack, `run ${run} was not rolled back`);
      assertEvidence(
        verdict.transition,
        'deny_rate_down',
        /^deny rate, fall: observed 0 % < limit .* \(baseline .* %\); evidence .* of the 2,000 needed$/,
      );
      needed.push(verdict.exchanges);
    }
    console.log(`      canary exchanges needed from 35 % to 0 %: ${needed.join(' ')}`);
    assert.ok(needed.every((count) => count <= 200));
  });
});

describe('a set that was activated at once, through Envoy', function () {
  this.timeout(60_000);

  /** Exchanges that the set judged until it was rolled back; 0 when it was not. */
  async function failsAfter({ stack, client }: { stack: Stack; client: Client }, bad: string) {
    for (let sent = 0; sent < 200 && !isBad(await statusOf(stack.switchyard), bad); sent++)
      await client.ask({ session: `at-once-${sent}`, prompt: 'gamma' });
    const status = await statusOf(stack.switchyard);
    return { status, ...(await foundOf(stack, bad)) };
  }

  describe('watched', () => {
    const at = withStack({ policies: { 'limits.yaml': refusing(['alpha']) } });

    it('goes back to the set before when it errors on everything', async () => {
      const { stack, client } = at();
      const good = (await statusOf(stack.switchyard)).blue?.digest;
      const bad = await serve(stack, failing());
      const { status, exchanges, transition } = await failsAfter(at(), bad);
      console.log(`      rolled back after ${exchanges} exchanges`);
      assert.equal(status.blue?.digest, good);
      assert.ok(isBad(status, bad));
      assert.ok(exchanges <= 10, String(exchanges));
      assertEvidence(transition, 'error_rate', /^errors: observed 100 % > limit /);
      assert.equal((await client.ask({ session: 'after', prompt: 'gamma' })).status, 200);
    });
  });

  describe('that nobody watches any more', () => {
    const at = withStack({
      policies: { 'limits.yaml': refusing(['alpha']) },
      config: 'watchMs: 0\n',
    });

    it('goes back all the same when more than 5 % of its exchanges fail', async () => {
      const good = (await statusOf(at().stack.switchyard)).blue?.digest;
      const bad = await serve(at().stack, failing());
      const { status, exchanges, transition } = await failsAfter(at(), bad);
      console.log(`      rolled back after ${exchanges} exchanges`);
      assert.equal(status.watch, undefined);
      assert.equal(status.blue?.digest, good);
      // Ten are enough; those that follow come while the rollback is being made durable.
      assert.ok(exchanges <= 50, String(exchanges));
      assertEvidence(
        transition,
        'error_rate',
        /^errors after the rollout: observed 100 % > limit 5 %; evidence /,
      );
    });
  });
});
