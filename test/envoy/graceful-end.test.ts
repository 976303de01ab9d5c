/** SIGTERM under open streams, through a real Envoy, over both transports: docs/reference/stances.md. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Script } from '../../demo/script.ts';
import { type ChatOptions, chat, choicesOf } from './chat.ts';
import { requireEnvoy, type Stack, startStack } from './harness.ts';
import { writtenRecords } from './written-records.ts';

const SECURITY = `
kind: Policy
metadata: { name: guard, layer: platform, selector: { app: chat } }
class: security
rules:
  - { id: zebra, inspect: [response], match: { keywords: { words: [Project Zebra] } }, then: block }
`;
const OPERATIONAL = `${SECURITY.replace('class: security', 'class: operational')}
  - { id: mail, inspect: [response], match: { pii: { entities: [email] } }, then: redact }
`;

const DRAIN_MS = 500;
const DEADLINE_MS = 1_500;
const SSE = { 'content-type': 'text/event-stream' };
const event = (content: string): string =>
  `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta: { content } }] })}\n\n`;

/** An answer of 30 s: a word now, the beginning of what is forbidden, and then nothing for long. */
const LONG: Script = {
  chunks: [event('Hello. '), event('Project '), event('Zeb'), event('ra is secret')],
  headers: SSE,
  stallAfter: 3,
};
const SHORT: Script = {
  chunks: [...Array.from({ length: 10 }, (_, at) => event(`word${at} `)), 'data: [DONE]\n\n'],
  headers: SSE,
  delayMs: 100,
};
/** It lasts longer than the deadline, and has something to mask behind it. */
const LASTING: Script = {
  chunks: [
    ...Array.from({ length: 9 }, (_, at) => event(`word${at} `)),
    event('write to a@b.exa'),
    event('mple now'),
    'data: [DONE]\n\n',
  ],
  headers: SSE,
  delayMs: 200,
};
/** The provider thinks about it for long. */
const SILENT: Script = { chunks: [event('never')], headers: SSE, stallAfter: 0 };

for (const transport of ['grpc-js', 'fast'])
  describe(`a graceful end, ${transport}`, function () {
    this.timeout(60_000);
    let stack: Stack | undefined;

    before(function () {
      requireEnvoy(this);
    });
    afterEach(() => stack?.stop());

    const start = async (
      policy: string,
      { deadlineMs = DEADLINE_MS, restMs = 0 } = {},
    ): Promise<Stack> => {
      stack = await startStack({
        policies: { 'guard.yaml': policy },
        config: [
          `grpc: { transport: ${transport}, drainMs: ${DRAIN_MS}, drainDeadlineMs: ${deadlineMs}, drainRestMs: ${restMs} }`,
          // What is held may wait for longer than the server lives on.
          'limits: { responseStallTimeoutMs: 30000 }',
        ].join('\n'),
      });
      return stack;
    };
    const ask = ({ envoy }: Stack, script: Script, more: ChatOptions = {}) =>
      chat(envoy.port, { stream: true, script, http: { timeoutMs: 20_000 }, ...more });

    it('lets what ends in time end whole, refuses in the words of the format what a security rule still reads', async () => {
      const running = await start(SECURITY);
      const { switchyard } = running;
      const asked = [LONG, SHORT, SILENT].map((script) => ask(running, script));
      await sleep(500);
      assert.equal((await switchyard.admin('/readyz')).status, 200);
      const stoppedAt = performance.now();
      switchyard.signal('SIGTERM');
      await sleep(100);
      assert.equal((await switchyard.admin('/readyz')).status, 503);
      // Until the listener closes somebody may still come: who has not yet heard.
      const late = await ask(running, { ...SHORT, delayMs: 0 });
      assert.equal(late.status, 200);
      const [long, short, silent] = await Promise.all(asked);
      assert.deepEqual(await switchyard.exited, { code: 0, signal: null });
      assert.ok(performance.now() - stoppedAt >= DEADLINE_MS);

      assert.ok(short?.complete);
      assert.match(short?.text ?? '', /word9[\s\S]*\[DONE\]/u);

      assert.equal(long?.status, 200);
      assert.ok(long?.complete, `ended cleanly: ${long?.error}`);
      assert.equal(choicesOf(long as never)[0]?.content, 'Hello. ');
      assert.equal(choicesOf(long as never)[0]?.finishReason, 'content_filter');
      assert.match(long?.text ?? '', /"code":"draining"/u);
      assert.doesNotMatch(long?.text ?? '', /Project|Zeb/u);

      assert.equal(silent?.status, 503);
      assert.equal(JSON.parse(silent?.text ?? '').error.code, 'draining');

      const { decisions } = writtenRecords(switchyard.dataDirectory);
      const codes = decisions.filter(({ kind }) => kind === 'process').map(({ code }) => code);
      assert.deepEqual(codes.sort(), ['allowed', 'allowed', 'draining', 'draining']);
    });

    it('lets go on, judged as before, what nobody is to be kept from, and breaks off at the very end what still lasts', async () => {
      const running = await start(OPERATIONAL, { deadlineMs: 300, restMs: 4_000 });
      const { switchyard } = running;
      const asked = [LASTING, LONG].map((script) => ask(running, script));
      await sleep(500);
      const stoppedAt = performance.now();
      switchyard.signal('SIGTERM');
      const [lasting, long] = await Promise.all(asked);
      assert.deepEqual(await switchyard.exited, { code: 0, signal: null });
      assert.ok(performance.now() - stoppedAt >= DRAIN_MS + 300 + 4_000);

      assert.ok(lasting?.complete, `ended cleanly: ${lasting?.error}`);
      const { content, finishReason } = choicesOf(lasting as never)[0] ?? {};
      assert.match(content ?? '', /^word0 .*word8 write to \S+ now$/u);
      assert.doesNotMatch(lasting?.text ?? '', /a@b\.example/u);
      assert.notEqual(finishReason, 'content_filter');
      assert.match(lasting?.text ?? '', /\[DONE\]/u);

      // Never as if it were whole.
      assert.equal(long?.complete, false);
      assert.match(long?.text ?? '', /Hello/u);
      assert.doesNotMatch(long?.text ?? '', /content_filter|Zeb/u);
      const { decisions } = writtenRecords(switchyard.dataDirectory);
      const ends = decisions
        .filter(({ kind }) => kind === 'process')
        .map(({ verdict, code, degraded }) => `${verdict} ${code} ${degraded}`);
      assert.deepEqual(ends.sort(), ['mutate allowed false', 'unavailable draining false']);
    });

    it('waits no longer than anybody needs', async () => {
      const running = await start(OPERATIONAL, { deadlineMs: 300, restMs: 60_000 });
      const asked = ask(running, SHORT);
      await sleep(200);
      running.switchyard.signal('SIGTERM');
      assert.ok((await asked).complete);
      assert.deepEqual(await running.switchyard.exited, { code: 0, signal: null });
    });
  });
