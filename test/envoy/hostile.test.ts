/** Peers that mean harm, or only misbehave: what they cost, and what they are told (issue 3, item 3). */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { encodeScript, SCRIPT_HEADER, type Script } from '../../demo/script.ts';
import { DEFAULT_LIMITS } from '../../src/engine/limits.ts';
import { CHOICES_MAX, TOOL_CALLS_MAX } from '../../src/formats/chat-answer.ts';
import { chat, choicesOf } from './chat.ts';
import { requireEnvoy, type Stack, startStack } from './harness.ts';
import { eventually } from './operator.ts';
import { metricOf } from './replicas.ts';
import { writtenRecords } from './written-records.ts';

const GUARD = `
kind: Policy
metadata: { name: guard, layer: platform, selector: { app: chat } }
class: security
rules:
  - { id: zebra, inspect: [request, response], match: { keywords: { words: [Project Zebra] } }, then: { block: { message: "No.\\r\\nset-cookie: a=b" } } }
  - { id: pii, inspect: [response], match: { pii: { entities: [email] } }, then: redact }
`;

const STALL_TIMEOUT_MS = 1_000;
const CONFIG = `limits: { responseStallTimeoutMs: ${STALL_TIMEOUT_MS}, requestStallTimeoutMs: ${STALL_TIMEOUT_MS} }`;

const SSE = { 'content-type': 'text/event-stream' };
const event = (content: string, index = 0): string =>
  `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index, delta: { content } }] })}\n\n`;

describe('a hostile peer', function () {
  this.timeout(120_000);
  let stack: Stack;

  before(async function () {
    requireEnvoy(this);
    stack = await startStack({ policies: { 'guard.yaml': GUARD }, config: CONFIG });
  });

  after(() => stack?.stop());

  const ask = (script: Script) => chat(stack.envoy.port, { stream: true, script });
  const say = (body: string | Uint8Array, headers: Readonly<Record<string, string>> = {}) =>
    chat(stack.envoy.port, { headers, http: { body } });

  /** The code that the exchange of the newest refusal was recorded with. */
  const recordedCode = (decision: string | undefined): Promise<string> =>
    eventually('the record', async () => {
      const { decisions } = writtenRecords(stack.switchyard.dataDirectory);
      return decisions.find(({ exchange, kind }) => exchange === decision && kind === 'process')
        ?.code;
    });
  const lastCode = (verdict: string, after: number): Promise<string> =>
    eventually('the record', async () => {
      const { decisions } = writtenRecords(stack.switchyard.dataDirectory);
      return decisions.slice(after).find((record) => record.verdict === verdict)?.code;
    });
  const recordsSoFar = (): number =>
    writtenRecords(stack.switchyard.dataDirectory).decisions.length;
  const decisionOf = (headers: { readonly [name: string]: unknown }) =>
    String(headers['x-switchyard-decision']);

  afterEach('nothing is held for what is over', async () => {
    await eventually('nothing open', async () => {
      const open = await metricOf(stack.switchyard, 'switchyard_open_streams');
      const held = await metricOf(stack.switchyard, 'switchyard_held_bytes');
      return (open === 0 && held === 0) || undefined;
    });
  });

  describe('that stalls', () => {
    it('inside the first event of an answer is refused', async () => {
      const chunks = ['data: {"choices":[{"index":0,"del', 'ta'];
      const answer = await ask({ chunks, headers: SSE, stallAfter: 1 });
      assert.equal(answer.status, 504);
      assert.equal(JSON.parse(answer.text).error.code, 'verdict_deadline');
      assert.equal(await recordedCode(decisionOf(answer.headers)), 'verdict_deadline');
    });

    it('inside a later event ends with what was judged and a refusal', async () => {
      const before = recordsSoFar();
      const chunks = [event('Hello. '), event('Write to joe@ac').slice(0, -9), 'never'];
      const answer = await ask({ chunks, headers: SSE, stallAfter: 2 });
      assert.equal(answer.status, 200);
      assert.ok(answer.complete);
      assert.equal(choicesOf(answer)[0]?.content, 'Hello. ');
      assert.equal(choicesOf(answer)[0]?.finishReason, 'content_filter');
      assert.doesNotMatch(answer.text, /joe/u);
      assert.equal(await lastCode('unavailable', before), 'verdict_deadline');
    });

    it('inside what may become a match ends likewise', async () => {
      const before = recordsSoFar();
      const chunks = [event('Hello. '), event('Write to joe@ac'), 'never'];
      const answer = await ask({ chunks, headers: SSE, stallAfter: 2 });
      assert.equal(choicesOf(answer)[0]?.finishReason, 'content_filter');
      assert.doesNotMatch(answer.text, /joe/u);
      assert.equal(await lastCode('unavailable', before), 'verdict_deadline');
    });

    it('between events, with nothing held, is left to Envoy and the client', async () => {
      const chunks = [event('Hello. '), 'never'];
      const answer = await chat(stack.envoy.port, {
        stream: true,
        script: { chunks, headers: SSE, stallAfter: 1 },
        http: { timeoutMs: 3 * STALL_TIMEOUT_MS },
      });
      assert.equal(answer.error, 'timeout');
      assert.equal(answer.text, event('Hello. '));
    });

    it('inside a request is refused before the provider hears of it', async () => {
      stack.upstream.clearJournal();
      const answer = await chat(stack.envoy.port, {
        http: { pieces: ['{"model":"demo","mess', 'ages":[]}'], delayMs: 6 * STALL_TIMEOUT_MS },
      });
      assert.equal(answer.status, 408);
      assert.equal(JSON.parse(answer.text).error.code, 'verdict_deadline');
      assert.equal(await recordedCode(decisionOf(answer.headers)), 'verdict_deadline');
      assert.equal(stack.upstream.journal.length, 0);
    });
  });

  describe('that sends a body', () => {
    const LIMIT = DEFAULT_LIMITS.requestBodyBytesMax;
    const TEXTS = DEFAULT_LIMITS.textsMax;
    const request = (content: string): string =>
      JSON.stringify({ model: 'demo', messages: [{ role: 'user', content }] });
    const ofBytes = (bytes: number): string =>
      request('word '.repeat(bytes / 5))
        .replace('"}]}', '')
        .slice(0, bytes - 4)
        .concat('"}]}');

    /** The refusal came from us, in time, and nobody else saw the body. */
    async function assertRefused(
      answer: Awaited<ReturnType<typeof say>>,
      status: number,
      code: string,
    ): Promise<void> {
      assert.equal(answer.status, status, answer.text.slice(0, 200));
      assert.equal(JSON.parse(answer.text).error.code, code);
      assert.equal(await recordedCode(decisionOf(answer.headers)), code);
      assert.equal(stack.upstream.journal.length, 0);
    }

    beforeEach(() => stack.upstream.clearJournal());

    it('of the limit passes, and one byte more is refused', async () => {
      assert.equal(Buffer.byteLength(ofBytes(LIMIT)), LIMIT);
      const passed = await chat(stack.envoy.port, {
        script: { text: 'ok' },
        http: { body: ofBytes(LIMIT) },
      });
      assert.equal(passed.status, 200, passed.text.slice(0, 200));
      assert.equal(stack.upstream.journal[0]?.bodyBytes, LIMIT);
      stack.upstream.clearJournal();
      await assertRefused(await say(ofBytes(LIMIT + 1)), 413, 'body_too_large');
    });

    it('that swells a thousandfold is refused', async () => {
      const bomb = gzipSync(ofBytes(20 << 20).replaceAll('word ', 'aaaaa'));
      assert.ok(bomb.length < (20 << 20) / 900, `${bomb.length} bytes`);
      const encoded = { 'content-encoding': 'gzip' };
      await assertRefused(await say(bomb, encoded), 503, 'mode_cannot_enforce');
      const honest = await say(gzipSync(request('What is Project Zebra?')), encoded);
      assert.equal(honest.status, 400);
    });

    it('that nests without end is refused', async () => {
      const deep = `{"messages":${'['.repeat(100_000)}${']'.repeat(100_000)}}`;
      await assertRefused(await say(deep), 400, 'unreadable_body');
    });

    it('of invalid UTF-8 is read as its readers read it, and hides nothing', async () => {
      const around = (text: string): Buffer =>
        Buffer.concat([
          Buffer.from('{"messages":[{"role":"user","content":"'),
          ...[Buffer.from([0xc0, 0xaf, 0xff]), Buffer.from(text), Buffer.from([0xed, 0xa0, 0x80])],
          Buffer.from('"}]}'),
        ]);
      const passed = await say(around('hello'));
      assert.equal(passed.status, 200);
      assert.equal(stack.upstream.journal[0]?.bodyBytes, around('hello').length);
      stack.upstream.clearJournal();
      assert.equal((await say(around('Project Zebra'))).status, 400);
      assert.equal(stack.upstream.journal.length, 0);
    });

    it('of as many texts as the limit passes, and one more is refused', async () => {
      const messages = Array.from({ length: TEXTS + 1 }, () => ({ role: 'user', content: 'x' }));
      const many = (count: number): string =>
        JSON.stringify({ model: 'demo', messages: messages.slice(0, count) });
      assert.equal((await say(many(TEXTS))).status, 200);
      stack.upstream.clearJournal();
      await assertRefused(await say(many(TEXTS + 1)), 400, 'unreadable_body');
    });

    it('that a policy with line breaks in its message refuses gets one clean answer', async () => {
      const answer = await say(request('What is Project Zebra?'));
      assert.equal(answer.status, 400);
      assert.equal(answer.headers['set-cookie'], undefined);
      assert.equal(JSON.parse(answer.text).error.message, 'No.\r\nset-cookie: a=b');
    });
  });

  describe('that does not read', () => {
    /** 300 MB in events of 64 KiB. */
    const TOTAL_BYTES = 300 << 20;
    const EVENT_BYTES = 1 << 16;
    const GROWTH_BYTES_MAX = 64 << 20;

    for (const [name, path] of [
      ['an answer that is judged', '/v1/chat/completions'],
      ['an answer that only passes', '/acme/v1/chat/completions'],
    ] as const)
      it(`300 MB of ${name} costs us at most 64 MB`, async () => {
        const said = {
          chunks: [event('word '.repeat(EVENT_BYTES / 5))],
          headers: SSE,
          repeat: TOTAL_BYTES / EVENT_BYTES,
        };
        // A reader comes first: what every long answer costs is none of the idler's doing.
        stack.upstream.say({ ...said, repeat: 300 });
        const read = await chat(stack.envoy.port, { stream: true, path });
        assert.ok(read.complete && read.bytes.length > 300 * EVENT_BYTES);
        const atFirst = residentBytes(stack.switchyard.pid);

        stack.upstream.say(said);
        const client = connect(stack.envoy.port, '127.0.0.1');
        client.pause();
        const body = JSON.stringify({ model: 'demo', stream: true, messages: [] });
        client.write(
          `POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
        );
        const received = 'cluster.llm.upstream_cx_rx_bytes_total';
        let before = await stack.envoy.stat(received);
        const began = before;
        let highest = atFirst;
        // The flow has stopped when nothing came for two seconds.
        for (let quiet = 0; quiet < 20; ) {
          await sleep(100);
          highest = Math.max(highest, residentBytes(stack.switchyard.pid));
          const now = await stack.envoy.stat(received);
          quiet = now === before && now > began ? quiet + 1 : 0;
          before = now;
        }
        client.destroy();
        assert.ok(before - began < TOTAL_BYTES / 2, `${before - began} bytes were taken`);
        assert.ok(highest - atFirst <= GROWTH_BYTES_MAX, `grew by ${highest - atFirst} bytes`);
      });
  });

  describe('that breaks off', () => {
    const EXCHANGES = 2_000;
    const AT_ONCE = 40;

    it('2,000 times, anywhere, leaves nothing open and nothing held', async () => {
      const before = openFiles(stack.switchyard.pid);
      const seed = Date.now() % 1_000_000;
      const random = randomFrom(seed);
      const port = stack.envoy.port;
      stack.upstream.clearJournal();
      let left = EXCHANGES;
      const client = async (): Promise<void> => {
        while (left-- > 0) await breakOff(port, random);
      };
      const clients = Promise.all(Array.from({ length: AT_ONCE }, client));
      // Without these two, all would have ended before there was anything to leave behind.
      await eventually('held bytes', async () => {
        const held = await metricOf(stack.switchyard, 'switchyard_held_bytes');
        return held > 0 || undefined;
      });
      await clients;
      const reached = stack.upstream.journal.length;
      assert.ok(reached > EXCHANGES / 100, `only ${reached} came to the provider`);
      await eventually(`nothing open after seed ${seed}`, async () => {
        const open = await metricOf(stack.switchyard, 'switchyard_open_streams');
        const held = await metricOf(stack.switchyard, 'switchyard_held_bytes');
        return (open === 0 && held === 0) || undefined;
      });
      assert.ok(openFiles(stack.switchyard.pid) <= before + 10, `seed ${seed}`);
      assert.equal((await ask({ text: 'still here' })).status, 200);
    });
  });

  describe('that answers', () => {
    const TEXTS = DEFAULT_LIMITS.textsMax;

    for (const encode of ['gzip', 'br'] as const)
      it(`with a ${encode} that swells a thousandfold is refused`, async () => {
        stack.upstream.say({ text: 'a'.repeat(20 << 20), encode, encodeAlways: true });
        const answer = await chat(stack.envoy.port);
        assert.equal(answer.status, 503);
        assert.equal(JSON.parse(answer.text).error.code, 'mode_cannot_enforce');
        assert.equal(await recordedCode(decisionOf(answer.headers)), 'mode_cannot_enforce');
      });

    it('with one endless line is refused once it is longer than an event may be', async () => {
      const before = recordsSoFar();
      stack.upstream.say({
        chunks: [event('Hello. '), 'data: ', ...Array(40).fill('x'.repeat(65_536))],
        headers: SSE,
      });
      const answer = await chat(stack.envoy.port, { stream: true });
      assert.equal(choicesOf(answer)[0]?.content, 'Hello. ');
      assert.equal(choicesOf(answer)[0]?.finishReason, 'content_filter');
      assert.ok(answer.complete);
      assert.ok(answer.bytes.length < 10_000, `${answer.bytes.length} bytes`);
      assert.match(
        await lastCode('unavailable', before),
        /^(unreadable_body|held_bytes_exceeded)$/u,
      );
    });

    it('with nesting without end is refused', async () => {
      stack.upstream.say({ chunks: [`{"choices":${'['.repeat(100_000)}`] });
      const answer = await chat(stack.envoy.port);
      assert.equal(answer.status, 502);
      assert.equal(JSON.parse(answer.text).error.code, 'unreadable_body');
    });

    const calls = (choice: number, from: number, count: number): string =>
      `data: ${JSON.stringify({
        choices: [
          {
            index: choice,
            delta: {
              tool_calls: Array.from({ length: count }, (_, at) => ({
                index: from + at,
                function: { arguments: '{} ' },
              })),
            },
          },
        ],
      })}\n\n`;
    const LIMITS = [
      [
        'choices',
        Array.from({ length: CHOICES_MAX }, (_, index) => event('x ', index)),
        event('x ', CHOICES_MAX),
      ],
      [
        'texts',
        Array.from({ length: TEXTS / TOOL_CALLS_MAX }, (_, choice) =>
          calls(choice, 0, TOOL_CALLS_MAX),
        ),
        calls(TEXTS / TOOL_CALLS_MAX, 0, 1),
      ],
    ] as const;
    for (const [name, most, more] of LIMITS)
      it(`with as many ${name} as the limit passes, and one more is refused`, async () => {
        const passing = most.join('');
        stack.upstream.say({ chunks: [passing], headers: SSE });
        const passed = await chat(stack.envoy.port, { stream: true });
        assert.equal(passed.text, passing);
        stack.upstream.say({ chunks: [passing, more], headers: SSE });
        const refused = await chat(stack.envoy.port, { stream: true });
        assert.match(refused.text, /"code":"unreadable_body"/u);
        assert.ok(!refused.text.includes(more));
      });
  });
});

/** Resident memory of a process (proc(5), VmRSS). */
function residentBytes(pid: number): number {
  const kibibytes = /^VmRSS:\s+(\d+) kB$/mu.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kibibytes) * 1_024;
}

function openFiles(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

/** Numbers in [0, 1) that a seed repeats (a linear congruential generator). */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 0x1_0000_0000;
  };
}

/** Long enough for some exchanges to end by themselves, also on a busy machine. */
const BREAK_OFF_WITHIN_MS = 300;

/** One exchange that the client ends at some byte of its request or some moment of the answer. */
function breakOff(port: number, random: () => number): Promise<void> {
  const deltas = ['Write to jo', 'e@acme', '.example ', 'or not'];
  const script = encodeScript({ deltas, delayMs: Math.floor(random() * 8) });
  const body = JSON.stringify({
    model: 'demo',
    stream: random() < 0.7,
    messages: [{ role: 'user', content: 'x'.repeat(Math.floor(random() * 5_000)) }],
  });
  const request = `POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n${SCRIPT_HEADER}: ${script}\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
  const isWhole = random() < 0.6;
  const sent = isWhole ? request : request.slice(0, Math.floor(random() * request.length));
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.write(sent);
      setTimeout(() => socket.destroy(), random() * BREAK_OFF_WITHIN_MS);
    });
    socket.resume();
    socket.on('error', () => undefined);
    socket.on('close', () => resolve());
  });
}
