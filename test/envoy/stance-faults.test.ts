/** Faults of Switchyard itself: it throws, is not there, is full, is told to stop. Never a 200 unjudged. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../demo/ports.ts';
import { projectDirectory } from '../../demo/project.ts';
import { encodeScript, SCRIPT_HEADER } from '../../demo/script.ts';
import type { Upstream } from '../../demo/upstream.ts';
import { chat, choicesOf } from './chat.ts';
import {
  type Envoy,
  requireEnvoy,
  type Stack,
  startEnvoy,
  startStack,
  startUpstream,
} from './harness.ts';
import type { RequestOptions } from './http-client.ts';
import { send } from './http-client.ts';
import { addStanceRoutes, stancePath, stancePolicies } from './stance-envoy.ts';
import { assertReconciled, total } from './stance-reconcile.ts';
import { exchangeRecords, type Witnessed, witness } from './stance-run.ts';
import { ABSENT, THROWS, type ThrowRow } from './stance-table.ts';

const BODY = JSON.stringify({ model: 'demo', messages: [{ role: 'user', content: 'Hello' }] });

describe('a throw inside Switchyard', function () {
  this.timeout(120_000);
  let stack: Stack;
  let seen: ReadonlyMap<string, Witnessed>;

  before(async function () {
    requireEnvoy(this);
    stack = await startStack({
      policies: stancePolicies(),
      adapt: addStanceRoutes,
      program: join(projectDirectory, 'test', 'envoy', 'sabotage', 'failing-phase.ts'),
      env: { SABOTAGE_CHECK: '1' },
    });
    const rows = THROWS.map((row) => [nameOf(row), throwing(row)] as const);
    seen = await witness(stack, new Map(rows), THROWS.filter(beforeItsId).length);
  });
  after(() => stack?.stop());

  for (const row of THROWS)
    it(`at ${nameOf(row)}: ${row.expect.means}`, () => {
      const { answer, records, journal } = seen.get(nameOf(row)) ?? assert.fail();
      assert.equal(answer.status, row.expect.status, answer.text);
      assert.equal(answer.complete, row.expect.complete);
      assert.doesNotMatch(answer.text, /You said/u);
      if (row.expect.complete) assert.match(answer.text, /policy_unavailable/u);
      const decided = records.map(({ verdict, code }) => `${verdict} ${code}`);
      assert.deepEqual(decided, beforeItsId(row) ? [] : ['unavailable internal_error']);
      if (row.phase.startsWith('request')) assert.notEqual(journal?.complete, true);
    });

  it('in Check refuses too', async () => {
    const started = await total(stack.envoy, 'streams_started');
    const answer = await chat(stack.envoy.port);
    assert.equal(answer.status, 503);
    assert.match(answer.text, /policy_unavailable/u);
    // The refusal itself is shown to ext_proc.
    assert.equal(await total(stack.envoy, 'streams_started'), started + 1);
  });

  it('leaves nothing uncounted', async () => {
    await assertReconciled(stack);
    const records = exchangeRecords(stack.switchyard.dataDirectory);
    const unnamed = records.filter((r) => r.kind === 'process' && r.requestId === '');
    assert.deepEqual(
      unnamed.map(({ verdict, code }) => `${verdict} ${code}`),
      THROWS.filter(beforeItsId).map(() => 'unavailable internal_error'),
    );
  });

  it('tells nobody what was said', () => {
    assert.doesNotMatch(stack.switchyard.output(), /sabotaged|Hello/u);
  });
});

function nameOf({ phase, mode }: ThrowRow): string {
  return `${phase}.${mode}`;
}

/** The record of such an exchange cannot name the request: it was not read. */
const beforeItsId = ({ phase }: ThrowRow): boolean => phase === 'request-headers';

/** Even where the only rule is operational: a server that throws has decided nothing. */
function throwing({ phase, mode }: ThrowRow): RequestOptions {
  const direction = phase.startsWith('request') ? 'request' : 'response';
  const trailers = { 'x-sum': '1' };
  // STREAMED: headers must have left before the first chunk is judged.
  const script = {
    ...(phase === 'response-trailers' && { trailers }),
    ...(mode === 'STREAMED' && { cutBytes: 40, delayMs: 150 }),
  };
  const headers = {
    'content-type': 'application/json',
    'x-test-class': 'operational',
    'x-test-action': `flag-${direction}`,
    'x-test-throw': phase,
    [SCRIPT_HEADER]: encodeScript(script),
  };
  const path = stancePath('closed', direction, mode);
  return phase === 'request-trailers'
    ? { path, method: 'POST', headers, pieces: [BODY], trailers }
    : { path, method: 'POST', headers, body: BODY };
}

describe('Switchyard absent', function () {
  this.timeout(60_000);
  let envoy: Envoy;
  let upstream: Upstream;

  before(async function () {
    requireEnvoy(this);
    upstream = await startUpstream();
    envoy = await startEnvoy({
      switchyard: [{ port: await freePort() }],
      upstream: { port: upstream.port },
      adapt: addStanceRoutes,
    });
  });
  after(async () => {
    await envoy?.stop();
    await upstream?.stop();
  });

  for (const { stance, mode, expect } of ABSENT)
    it(`on a route that is ${stance}, ${mode}: ${expect.means}`, async () => {
      upstream.clearJournal();
      const allowed = await total(envoy, 'failure_mode_allowed');
      const path = stancePath(stance, 'request', mode);
      const headers = { 'content-type': 'application/json' };
      const answer = await send(envoy.port, { path, method: 'POST', headers, body: BODY });
      assert.equal(answer.status, expect.status);
      assert.equal(answer.complete, true);
      assert.equal(upstream.journal.length, expect.status === 200 ? 1 : 0);
      if (expect.status === 200) assert.equal(upstream.journal[0]?.body, BODY);
      else assert.match(answer.text, /policy_unavailable/u);
      const more = (await total(envoy, 'failure_mode_allowed')) - allowed;
      assert.equal(more > 0, expect.status === 200);
    });
});

const GUARD = `
kind: Policy
metadata: { name: guard, layer: platform }
class: security
rules:
  - { id: zebra, inspect: [request, response], match: { keywords: { words: [Project Zebra] } }, then: block }
  - { id: mail, inspect: [response], match: { pii: { entities: [email] } }, then: redact }
`;

describe('Switchyard full', function () {
  this.timeout(60_000);
  const STREAMS_MAX = 3;
  let stack: Stack;

  before(async function () {
    requireEnvoy(this);
    stack = await startStack({
      policies: { 'guard.yaml': GUARD },
      config: `grpc: { streamsMax: ${STREAMS_MAX} }\n`,
    });
  });
  after(() => stack?.stop());

  it('refuses what is too much, passes none of it, and recovers', async () => {
    const { envoy, upstream } = stack;
    const slow = { deltas: Array.from({ length: 40 }, (_, at) => `w${at} `), delayMs: 100 };
    const running = Array.from({ length: STREAMS_MAX }, () =>
      chat(envoy.port, { stream: true, script: slow }),
    );
    await until(() => upstream.running() === STREAMS_MAX);
    upstream.clearJournal();
    const refused = await Promise.all(
      Array.from({ length: 5 }, () => chat(envoy.port, { prompt: 'too much' })),
    );
    for (const answer of refused) {
      assert.equal(answer.status, 503);
      assert.match(answer.text, /policy_unavailable/u);
    }
    assert.equal(upstream.journal.length, 0);
    for (const answer of await Promise.all(running)) {
      assert.equal(answer.status, 200);
      assert.equal(choicesOf(answer)[0]?.content, slow.deltas.join(''));
    }
    assert.equal((await chat(envoy.port)).status, 200);
    await assertReconciled(stack);
    const metrics = (await stack.switchyard.admin('/metrics')).text;
    assert.match(metrics, new RegExp(`streams_max"\\} ${refused.length}\\n`, 'u'));
  });
});

describe('Switchyard told to stop', function () {
  this.timeout(60_000);
  let stack: Stack;

  before(async function () {
    requireEnvoy(this);
    stack = await startStack({ policies: { 'guard.yaml': GUARD } });
  });
  after(() => stack?.stop());

  it('fails none of what it has begun, judges it to its end, and lets nothing past afterwards', async () => {
    const { envoy, upstream, switchyard } = stack;
    const deltas = [
      ...Array.from({ length: 25 }, (_, at) => `w${at} `),
      'joe@acme',
      '.example now',
    ];
    const streams = Array.from({ length: 6 }, () =>
      chat(envoy.port, { stream: true, script: { deltas, delayMs: 100 } }),
    );
    const prompt = (content: string) =>
      JSON.stringify({ model: 'demo', messages: [{ role: 'user', content }] });
    const held = ['harmless', 'Project Zebra'].map((content) => {
      const text = prompt(content);
      const pieces = [text.slice(0, 30), text.slice(30)];
      const headers = { 'content-type': 'application/json' };
      const path = '/v1/chat/completions';
      return send(envoy.port, { path, method: 'POST', headers, pieces, delayMs: 2_000 });
    });
    await until(() => upstream.running() === streams.length);
    await untilAsync(async () => (await total(envoy, 'streams_started')) === 8);
    switchyard.signal('SIGTERM');
    for (const answer of await Promise.all(streams)) {
      assert.equal(answer.status, 200);
      assert.equal(answer.complete, true);
      assert.match(choicesOf(answer)[0]?.content ?? '', /^w0 .*w24 \[EMAIL_1\] now$/u);
    }
    const [harmless, refused] = await Promise.all(held);
    assert.equal(harmless?.status, 200);
    assert.equal(refused?.status, 400);
    assert.deepEqual(await switchyard.exited, { code: 0, signal: null });
    upstream.clearJournal();
    assert.equal((await chat(envoy.port)).status, 503);
    assert.equal(upstream.journal.length, 0);
    const failed = await total(envoy, 'streams_failed');
    assert.equal(exchangeRecords(switchyard.dataDirectory).length, 8);
    // Only the one that came too late.
    assert.ok(failed <= 1, `${failed} streams failed`);
    assert.equal(await total(envoy, 'spurious_msgs_received'), 0);
    assert.ok((await total(envoy, 'server_half_closed')) - failed <= 0);
  });
});

const POLLS_MAX = 400;

async function untilAsync(holds: () => Promise<boolean>): Promise<void> {
  for (let polls = 0; polls < POLLS_MAX; polls++) {
    if (await holds()) return;
    await sleep(25);
  }
  assert.fail('it did not come to pass');
}

const until = (holds: () => boolean): Promise<void> => untilAsync(async () => holds());
