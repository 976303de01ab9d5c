/** Every shape of an exchange, silence and departure at every point, and modes that only watch. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { encodeScript, SCRIPT_HEADER, type Script } from '../../demo/script.ts';
import { chat, choicesOf } from './chat.ts';
import { type Envoy, requireEnvoy, type Stack, startEnvoy, startStack } from './harness.ts';
import { type Answer, send } from './http-client.ts';
import { addStanceRoutes, CONNECTION_MANAGER } from './stance-envoy.ts';
import { assertReconciled, total } from './stance-reconcile.ts';
import { exchangeRecords } from './stance-run.ts';
import { DEADLINES, type DeadlineRow } from './stance-table.ts';

/** Long against the pauses of a noisy machine, short against patience. */
const STALL_MS = 2_500;

const GUARD = `
kind: Policy
metadata: { name: guard, layer: platform }
class: security
rules:
  - { id: zebra, inspect: [request, response], match: { keywords: { words: [Zebra] } }, then: block }
  - { id: mail, inspect: [request, response], match: { pii: { entities: [email] } }, then: redact }
---
kind: Policy
metadata: { name: closed-to-acme, layer: tenant, selector: { tenant: acme } }
class: security
rules:
  - { id: nobody, when: 'method == "DELETE"', then: block }
`;

const PATH = '/v1/chat/completions';
const JSON_TYPE = { 'content-type': 'application/json' };
const bodyOf = (content: string): string =>
  JSON.stringify({ model: 'demo', messages: [{ role: 'user', content }] });
const scripted = (script: Script) => ({ ...JSON_TYPE, [SCRIPT_HEADER]: encodeScript(script) });

describe('the shapes of an exchange', function () {
  this.timeout(60_000);
  let stack: Stack;

  before(async function () {
    requireEnvoy(this);
    stack = await startStack({
      policies: { 'guard.yaml': GUARD },
      config: `limits: { requestStallTimeoutMs: ${STALL_MS}, responseStallTimeoutMs: ${STALL_MS} }\n`,
      adapt: (document) => {
        addStanceRoutes(document);
        const routes = [...CONNECTION_MANAGER, 'route_config', 'virtual_hosts', 0, 'routes'];
        (document.getIn(routes) as { items: unknown[] }).items.unshift(
          document.createNode({
            name: 'direct',
            match: { path: '/direct' },
            direct_response: { status: 418, body: { inline_string: 'Zebra, says Envoy' } },
          }),
        );
        document.setIn([...CONNECTION_MANAGER, 'upgrade_configs'], [{ upgrade_type: 'websocket' }]);
      },
    });
  });
  after(() => stack?.stop());
  beforeEach(() => stack.upstream.clearJournal());

  const records = () => exchangeRecords(stack.switchyard.dataDirectory);

  /** The records that `act` adds, once there are `count`. */
  async function recordsOf(count: number, act: () => Promise<unknown>) {
    const before = records().length;
    await act();
    for (let polls = 0; polls < 400 && records().length < before + count; polls++) await sleep(25);
    return records().slice(before);
  }

  describe('silence', () => {
    const ask: Readonly<Record<(typeof DEADLINES)[number]['name'], () => Promise<Answer>>> = {
      'the client, inside the body of its request': () =>
        send(stack.envoy.port, {
          ...{ path: PATH, method: 'POST', headers: JSON_TYPE, delayMs: STALL_MS * 3 },
          pieces: ['{"model":', '"demo"}'],
        }),
      'the provider, inside a document': () =>
        chat(stack.envoy.port, {
          script: { chunks: ['{"choices":[{"index":0,', '"x":1}]}'], stallAfter: 1 },
        }),
      'the provider, inside the first event of a stream': () =>
        chat(stack.envoy.port, {
          stream: true,
          script: { chunks: ['data: {"choices":[{"index":0,', '"x":1}]}'], stallAfter: 1 },
        }),
      'the provider, inside a later event: a last event of ours ends the answer': () =>
        chat(stack.envoy.port, {
          stream: true,
          script: { deltas: ['All about Ze', 'bra'], stallAfter: 2 },
        }),
    };
    for (const row of DEADLINES as readonly (DeadlineRow & { name: keyof typeof ask })[])
      it(`of ${row.name}: ${row.status}`, async () => {
        let answer: Answer | undefined;
        const [record, ...more] = await recordsOf(1, async () => {
          answer = await ask[row.name]();
        });
        assert.equal(answer?.status, row.status);
        assert.equal(answer?.complete, row.complete);
        assert.equal(`${record?.verdict} ${record?.code}`, row.decided);
        assert.equal(more.length, 0);
        assert.doesNotMatch(answer?.text ?? '', /Ze/u);
        if (row.status === 200) assert.match(answer?.text ?? '', /content_filter.*\[DONE\]/su);
      });
  });

  it('trailers go through in both directions, around what was changed', async () => {
    const answer = await send(stack.envoy.port, {
      ...{ path: PATH, method: 'POST' },
      headers: scripted({ text: 'Mail joe@acme.example', trailers: { 'x-sum': 'r1' } }),
      pieces: [bodyOf('I am ann@acme.example'), ''],
      trailers: { 'x-sum': 'q1' },
    });
    assert.equal(answer.status, 200);
    assert.match(choicesOf(answer)[0]?.content ?? '', /^Mail \[EMAIL_\d\]$/u);
    assert.equal(answer.trailers['x-sum'], 'r1');
    const [entry] = stack.upstream.journal;
    assert.match(entry?.body ?? '', /I am \[EMAIL_1\]/u);
    assert.equal(entry?.trailers['x-sum'], 'q1');
  });

  it('trailers of a stream go through behind its last event', async () => {
    const answer = await chat(stack.envoy.port, {
      stream: true,
      script: { deltas: ['Mail joe@ac', 'me.example'], trailers: { 'x-sum': 'r2' } },
    });
    assert.match(choicesOf(answer)[0]?.content ?? '', /^Mail \[EMAIL_1\]$/u);
    assert.equal(answer.trailers['x-sum'], 'r2');
    assert.equal(answer.complete, true);
  });

  it('a block strikes in a body that ends with trailers', async () => {
    const asked = await send(stack.envoy.port, {
      ...{ path: PATH, method: 'POST', headers: JSON_TYPE, trailers: { 'x-sum': 'q2' } },
      pieces: [bodyOf('All about Ze').slice(0, -4), 'bra"}]}'],
    });
    assert.equal(asked.status, 400);
    assert.equal(stack.upstream.journal.length, 0);
    const script = { text: 'About Zebra', trailers: { 'x-sum': 'r3' } };
    assert.equal((await chat(stack.envoy.port, { script })).status, 400);
  });

  const EMPTY: readonly (readonly [string, Parameters<typeof send>[1], number])[] = [
    ['GET without a body', { path: PATH, headers: scripted({ text: 'fine' }) }, 200],
    ['HEAD', { path: PATH, method: 'HEAD', headers: scripted({ text: 'x' }) }, 200],
    ['204', { path: PATH, headers: scripted({ status: 204, chunks: [] }) }, 204],
    ['an empty chunked answer', { path: PATH, headers: scripted({ chunks: [] }) }, 200],
    [
      'an empty chunked request',
      { path: PATH, method: 'POST', headers: JSON_TYPE, pieces: [] },
      200,
    ],
    [
      'an empty request of length 0',
      { path: PATH, method: 'POST', headers: JSON_TYPE, body: '' },
      200,
    ],
    ['304', { path: PATH, headers: scripted({ status: 304, chunks: [] }) }, 304],
  ];
  for (const [name, options, status] of EMPTY)
    it(`${name} passes and is recorded as complete`, async () => {
      let answer: Answer | undefined;
      const added = await recordsOf(1, async () => {
        answer = await send(stack.envoy.port, options);
      });
      assert.equal(answer?.status, status, answer?.text);
      assert.equal(answer?.complete, true);
      assert.deepEqual(
        added.map(({ verdict, code }) => `${verdict} ${code}`),
        ['allow allowed'],
      );
    });

  it("Envoy's own answers pass unjudged and are recorded", async () => {
    const [direct] = await recordsOf(1, async () => {
      const answer = await send(stack.envoy.port, { path: '/direct' });
      assert.equal(answer.status, 418);
      assert.equal(answer.text, 'Zebra, says Envoy');
    });
    assert.equal(direct?.verdict, 'allow');
    const [denied] = await recordsOf(1, async () => {
      const answer = await send(stack.envoy.port, { path: `/acme${PATH}`, method: 'DELETE' });
      assert.equal(answer.status, 400);
    });
    // Check refused; ext_proc is shown nothing but that refusal, response headers first.
    assert.deepEqual([denied?.kind, denied?.code], ['local_reply', 'local_reply']);
  });

  it('an upgrade is refused where rules must read what is said', async () => {
    const headers = {
      ...{ connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13' },
      'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
    };
    const [record] = await recordsOf(1, async () => {
      const answer = await send(stack.envoy.port, { path: PATH, headers });
      assert.equal(answer.status, 503);
    });
    assert.equal(record?.code, 'mode_cannot_enforce');
    assert.equal(stack.upstream.journal.length, 0);
  });

  const DEPARTURES: readonly (readonly [string, () => Promise<Answer>])[] = [
    [
      'inside its request',
      () =>
        send(stack.envoy.port, {
          ...{ path: PATH, method: 'POST', headers: JSON_TYPE, timeoutMs: 300, delayMs: 1_500 },
          pieces: ['{"model":', '"demo"}'],
        }),
    ],
    [
      'while it waits for the answer',
      () =>
        chat(stack.envoy.port, {
          script: { text: 'never', stallAfter: 0 },
          http: { timeoutMs: 300 },
        }),
    ],
    [
      'inside an answer that runs',
      () =>
        chat(stack.envoy.port, {
          stream: true,
          script: { deltas: ['one ', 'two ', 'three '], repeat: 50, delayMs: 50 },
          http: { abortAfterBytes: 400 },
        }),
    ],
    [
      'inside an answer that is held',
      () =>
        chat(stack.envoy.port, {
          stream: true,
          script: { deltas: ['All about Ze'], stallAfter: 2 },
          http: { timeoutMs: 500 },
        }),
    ],
  ];
  for (const [when, leave] of DEPARTURES)
    it(`a client that leaves ${when} is recorded as such`, async () => {
      const added = await recordsOf(1, async () => {
        assert.equal((await leave()).complete, false);
      });
      assert.deepEqual(
        added.map(({ verdict, code }) => `${verdict} ${code}`),
        ['incomplete client_gone'],
      );
    });

  it('leaves no exchange open, none unrecorded, and nothing held', async () => {
    await assertReconciled(stack);
    const metrics = (await stack.switchyard.admin('/metrics')).text;
    assert.match(metrics, /^switchyard_held_bytes 0$/mu);
  });
});

describe('a filter that only watches', function () {
  this.timeout(60_000);
  let stack: Stack;

  before(async function () {
    requireEnvoy(this);
    stack = await startStack({ policies: { 'guard.yaml': GUARD }, adapt: watching('STREAMED') });
  });
  after(() => stack?.stop());

  function watching(
    mode: 'STREAMED' | 'FULL_DUPLEX_STREAMED' | 'BUFFERED',
  ): NonNullable<Parameters<typeof startEnvoy>[0]['adapt']> {
    return (document) => {
      const filter = [...CONNECTION_MANAGER, 'http_filters', 1, 'typed_config'];
      document.setIn([...filter, 'observability_mode'], true);
      document.setIn([...filter, 'deferred_close_timeout'], '1s');
      document.setIn([...filter, 'failure_mode_allow'], true);
      for (const direction of ['request', 'response'])
        document.setIn([...filter, 'processing_mode', `${direction}_body_mode`], mode);
    };
  }

  it('changes nothing, says nothing, and records what it would have done', async () => {
    const { envoy, upstream, switchyard } = stack;
    const said = 'Zebra, joe@acme.example';
    const answers = [
      await chat(envoy.port, { prompt: said }),
      await chat(envoy.port, { script: { text: said } }),
      await chat(envoy.port, { stream: true, script: { text: said } }),
      await chat(envoy.port, { prompt: 'Hello' }),
    ];
    assert.deepEqual(
      answers.map((answer) => [answer.status, choicesOf(answer)[0]?.content]),
      [
        [200, `You said: ${said}`],
        [200, said],
        [200, said],
        [200, 'You said: Hello'],
      ],
    );
    assert.match(upstream.journal[0]?.body ?? '', /Zebra, joe@acme\.example/u);
    await assertReconciled(stack);
    assert.deepEqual(
      exchangeRecords(switchyard.dataDirectory).map(({ verdict, code }) => `${verdict} ${code}`),
      ['deny policy', 'deny policy', 'deny policy', 'allow allowed'],
    );
    assert.equal(await total(envoy, 'stream_msgs_received'), 0);
    assert.equal(await total(envoy, 'streams_failed'), 0);
  });

  for (const mode of ['FULL_DUPLEX_STREAMED', 'BUFFERED'] as const)
    it(`passes everything when set to ${mode}, of which Envoy shows it no bodies`, async () => {
      const { switchyard, upstream } = stack;
      const before = exchangeRecords(switchyard.dataDirectory).length;
      let envoy: Envoy | undefined;
      try {
        envoy = await startEnvoy({
          switchyard: [{ port: switchyard.grpcPort }],
          upstream: { port: upstream.port },
          adapt: watching(mode),
        });
        const answer = await chat(envoy.port, { prompt: 'Zebra' });
        assert.equal(choicesOf(answer)[0]?.content, 'You said: Zebra');
        for (let polls = 0; polls < 200; polls++) {
          if (exchangeRecords(switchyard.dataDirectory).length > before) break;
          await sleep(25);
        }
        const added = exchangeRecords(switchyard.dataDirectory).slice(before);
        assert.deepEqual(
          added.map(({ verdict, code }) => `${verdict} ${code}`),
          ['incomplete client_gone'],
          'what was not seen is not called allowed',
        );
        assert.equal(await total(envoy, 'stream_msgs_received'), 0);
        assert.equal(await total(envoy, 'streams_failed'), 0);
      } finally {
        await envoy?.stop();
      }
    });
});
