/** Reversible redaction: what a request said comes back to the one who said it, and to nobody else. */
import assert from 'node:assert/strict';
import { Exchange } from '../../src/engine/exchange.ts';
import { KEPT_VALUES_MAX, RestoreMaps } from '../../src/engine/restoring.ts';
import { memorySealer } from '../../src/store/sealer.ts';
import {
  CHAT_HEADERS,
  chatStream,
  compile,
  giveChunk,
  headersEvent,
  RecordingPort,
  type Rig,
  readTexts,
  rig,
} from './rig.ts';

const policy = (...rules: readonly string[]) => `
kind: Policy
metadata: { name: p, layer: platform }
class: security
rules:
${rules.map((rule) => `  - ${rule}`).join('\n')}`;

const REVERSIBLE =
  '{ id: mail, inspect: [request], match: { pii: { entities: [email] } }, then: { redact: { reversible: true, ttl: 10m } } }';

interface Turn {
  readonly said: string;
  readonly answer: readonly Uint8Array[];
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** One request and its answer: what the upstream read, and what the client got. */
function turn(from: Rig, { said, answer, contentType = 'text/event-stream', headers }: Turn) {
  const port = new RecordingPort();
  const exchange = new Exchange(from.deps, port);
  exchange.event(headersEvent('request', { ...CHAT_HEADERS, ...headers }));
  const body = JSON.stringify({ model: 'm', messages: [{ role: 'user', content: said }] });
  exchange.event({
    kind: 'body',
    direction: 'request',
    bytes: Buffer.from(body),
    endOfStream: true,
  });
  exchange.event(headersEvent('response', { ':status': '200', 'content-type': contentType }));
  for (const bytes of answer) giveChunk(exchange, 'response', bytes, false);
  giveChunk(exchange, 'response', new Uint8Array(0), true);
  exchange.end('half_close');
  return { asked: port.sent('request'), got: port.sent('response'), port };
}

const streamOf = (...deltas: string[]): Uint8Array =>
  chatStream([...deltas.map((content) => ({ delta: { content } })), { delta: {}, finish: 'stop' }]);

const textOf = (stream: string): string => readTexts(stream)['0/content'] ?? '';

function conversing(...rules: readonly string[]): Rig {
  const made = rig(compile(policy(...rules)));
  const { clock, limits } = made.deps;
  return {
    ...made,
    deps: {
      ...made.deps,
      facts: {
        ...made.deps.facts,
        principal: [{ from: 'header', name: 'x-user', trusted: true }],
        session: [{ from: 'header', name: 'x-session', trusted: true }],
      },
      restores: new RestoreMaps(clock, memorySealer(), limits),
    },
  };
}

describe('reversible redaction', () => {
  it('takes a value out of the request, and puts it back into the answer', () => {
    const { asked, got } = turn(rig(compile(policy(REVERSIBLE))), {
      said: 'Write to ann@example.org and bob@example.org, ann@example.org first',
      answer: [streamOf('I wrote to [EMA', 'IL_2', '], then to [EMAIL_1] and [EMAIL_3] [EMAIL')],
    });
    assert.match(asked, /Write to \[EMAIL_1\] and \[EMAIL_2\], \[EMAIL_1\] first/);
    assert.equal(
      textOf(got),
      'I wrote to bob@example.org, then to ann@example.org and [EMAIL_3] [EMAIL',
    );
  });

  it('says the same however the answer is cut', () => {
    const from = rig(compile(policy(REVERSIBLE)));
    const said = 'Write to ann@example.org';
    const bytes = streamOf('So [EMA', 'IL_1] [EMAIL_9]');
    const whole = turn(from, { said, answer: [bytes] }).got;
    assert.equal(textOf(whole), 'So ann@example.org [EMAIL_9]');
    for (let at = 1; at < bytes.length; at += 1) {
      const cut = [bytes.subarray(0, at), bytes.subarray(at)];
      assert.equal(turn(from, { said, answer: cut }).got, whole, `cut at ${at}`);
    }
  });

  it('writes into a document, and into what a tool is called with, as JSON', () => {
    const from = rig(
      compile(
        policy(
          "{ id: names, inspect: [request], match: { regex: { pattern: 'O\"[A-Z][a-z]{1,20}' } }, then: { redact: { reversible: true } } }",
        ),
      ),
    );
    const said = 'Write to O"Hara';
    const document = JSON.stringify({
      choices: [{ index: 0, message: { role: 'assistant', content: 'Hi [REGEX_1]!' } }],
    });
    const { got } = turn(from, {
      said,
      answer: [Buffer.from(document)],
      contentType: 'application/json',
    });
    assert.equal(JSON.parse(got).choices[0].message.content, 'Hi O"Hara!');
    const call = (part: string) => ({
      delta: {
        tool_calls: [
          { index: 0, id: 'a', type: 'function', function: { name: 'send', arguments: part } },
        ],
      },
    });
    const calls = chatStream([
      call('{"to":"[REG'),
      call('EX_1]","n":1}'),
      { delta: {}, finish: 'stop' },
    ]);
    const stream = turn(from, { said, answer: [calls] }).got;
    assert.deepEqual(JSON.parse(readTexts(stream)['0/tool/0'] ?? ''), { to: 'O"Hara', n: 1 });
  });

  it('leaves every byte of an answer that repeats no placeholder', () => {
    const bytes = streamOf('nothing [1] [EMAIL_7] [X]', ' to \\u005bput back');
    const { got } = turn(rig(compile(policy(REVERSIBLE))), {
      said: 'Write to ann@example.org',
      answer: [bytes],
    });
    assert.equal(got, Buffer.from(bytes).toString());
  });

  it('does not put back what another rule takes out for good, in whatever order they stand', () => {
    const forGood =
      "{ id: ann, inspect: [request], match: { regex: { pattern: 'to ann@example\\.org' } }, then: redact }";
    for (const rules of [
      [REVERSIBLE, forGood],
      [forGood, REVERSIBLE],
    ]) {
      const { asked, got } = turn(rig(compile(policy(...rules))), {
        said: 'Write ann@example.org, to ann@example.org and bob@example.org',
        answer: [streamOf('To [EMAIL_1], [REGEX_1], [EMAIL_2]')],
      });
      assert.match(asked, /Write \[EMAIL_1\], \[REGEX_1\] and \[EMAIL_2\]/);
      assert.equal(textOf(got), 'To ann@example.org, [REGEX_1], bob@example.org');
    }
    const longer =
      "{ id: ann, inspect: [request], match: { regex: { pattern: 'example\\.org[.!]' } }, then: redact }";
    const { got } = turn(rig(compile(policy(REVERSIBLE, longer))), {
      said: 'Write ann@example.org.',
      answer: [streamOf('To [EMAIL_1]')],
    });
    assert.equal(textOf(got), 'To [EMAIL_1]');
  });

  it('keeps no value in the record, and says which rule put it back', () => {
    const from = rig(compile(policy(REVERSIBLE)));
    turn(from, { said: 'Write to ann@example.org', answer: [streamOf('To [EMAIL_1]')] });
    assert.ok(!JSON.stringify(from.records).includes('ann@'));
    const found = (from.records.at(-1)?.findings ?? []).map(({ rule, label }) => [rule, label]);
    assert.deepEqual(found, [
      ['p/mail', 'EMAIL'],
      ['p/mail', 'PLACEHOLDER'],
    ]);
  });

  const ANN = { 'x-user': 'ann', 'x-session': 's1' };
  const asksAgain = (headers: Readonly<Record<string, string>>, said = 'Which address?') => ({
    said,
    answer: [streamOf('It is [EMAIL_1], not [EMAIL_2]')],
    headers,
  });

  it('goes on in the next exchange of the same person in the same session, and in no other', () => {
    const from = conversing(REVERSIBLE);
    turn(from, { said: 'Write to ann@example.org', answer: [], headers: ANN });
    assert.equal(textOf(turn(from, asksAgain(ANN)).got), 'It is ann@example.org, not [EMAIL_2]');
    const { asked, got } = turn(from, asksAgain(ANN, 'No, bob@example.org'));
    assert.match(asked, /No, \[EMAIL_2\]/);
    assert.equal(textOf(got), 'It is ann@example.org, not bob@example.org');
    for (const other of [
      { 'x-user': 'eve', 'x-session': 's1' },
      { 'x-user': 'ann', 'x-session': 's2' },
      { 'x-session': 's1' },
      { 'x-user': 'ann' },
    ]) {
      assert.equal(textOf(turn(from, asksAgain(other)).got), 'It is [EMAIL_1], not [EMAIL_2]');
    }
  });

  it('forgets a value when its time is over, and gives its number to no other', () => {
    const from = conversing(REVERSIBLE);
    turn(from, { said: 'Write to ann@example.org', answer: [], headers: ANN });
    from.clock.advance(10 * 60_000 - 1);
    assert.equal(textOf(turn(from, asksAgain(ANN)).got), 'It is ann@example.org, not [EMAIL_2]');
    from.clock.advance(1);
    assert.equal(textOf(turn(from, asksAgain(ANN)).got), 'It is [EMAIL_1], not [EMAIL_2]');
    const { asked, got } = turn(from, asksAgain(ANN, 'bob@example.org'));
    assert.match(asked, /\[EMAIL_2\]/);
    assert.equal(textOf(got), 'It is [EMAIL_1], not bob@example.org');
  });

  it('forgets each value when the rule that took it out says so, whatever other rules say', () => {
    const from = conversing(
      REVERSIBLE.replace('10m', '1h'),
      '{ id: words, inspect: [request], match: { regex: { pattern: "K-[0-9]{4}" } }, then: { redact: { reversible: true, ttl: 1m } } }',
    );
    const headers = { 'x-user': 'ann', 'x-session': 's1' };
    const answer = [streamOf('[EMAIL_1] [REGEX_1]')];
    turn(from, { said: 'ann@example.org K-1234', answer: [], headers });
    assert.equal(textOf(turn(from, { said: 'hi', answer, headers }).got), 'ann@example.org K-1234');
    from.clock.advance(60_000);
    assert.equal(
      textOf(turn(from, { said: 'hi', answer, headers }).got),
      'ann@example.org [REGEX_1]',
    );
  });

  it('puts back of earlier exchanges only what a rule in force now would put back', () => {
    const from = conversing(
      REVERSIBLE,
      '{ id: words, inspect: [request], match: { regex: { pattern: "K-[0-9]{4}" } }, then: { redact: { reversible: true } } }',
    );
    const headers = { 'x-user': 'ann', 'x-session': 's1' };
    const answer = [streamOf('[EMAIL_1] [REGEX_1]')];
    turn(from, { said: 'ann@example.org K-1234', answer: [], headers });
    const set = compile(
      policy(
        REVERSIBLE.replace('{ reversible: true, ttl: 10m }', '{}'),
        '{ id: words, inspect: [request], match: { regex: { pattern: "K-[0-9]{4}" } }, then: { redact: { reversible: true } } }',
      ),
    );
    from.serving.current = Object.freeze({
      epoch: 2,
      blue: set,
      retained: new Map([[set.digest, set]]),
    });
    assert.equal(textOf(turn(from, { said: 'hi', answer, headers }).got), '[EMAIL_1] K-1234');
  });

  it('keeps so many values of a conversation, and no more', () => {
    for (const [count, kept] of [
      [KEPT_VALUES_MAX, `n${KEPT_VALUES_MAX}@example.org`],
      [KEPT_VALUES_MAX + 1, `[EMAIL_${KEPT_VALUES_MAX + 1}]`],
    ] as const) {
      const from = conversing(REVERSIBLE);
      const mails = Array.from({ length: count }, (_, n) => `n${n + 1}@example.org`);
      turn(from, { said: mails.join(' '), answer: [], headers: ANN });
      const last = turn(from, {
        said: 'Which?',
        answer: [streamOf(`[EMAIL_${count}]`)],
        headers: ANN,
      });
      assert.equal(textOf(last.got), kept);
    }
  });
});

describe('what is sealed', () => {
  it('opens for its owner, and not when a bit of it differs', () => {
    const sealer = memorySealer();
    const sealed = sealer.seal('a\ud800b', 'ann');
    assert.equal(sealer.open(sealed, 'ann'), 'a\ud800b');
    assert.equal(sealer.open(sealed, 'eve'), undefined);
    assert.equal(memorySealer().open(sealed, 'ann'), undefined);
    for (let at = 0; at < sealed.length; at += 1) {
      const other = Uint8Array.from(sealed);
      other[at] = (other[at] ?? 0) ^ 1;
      assert.equal(sealer.open(other, 'ann'), undefined);
    }
    assert.equal(sealer.open(sealed.subarray(0, 20), 'ann'), undefined);
  });
});
