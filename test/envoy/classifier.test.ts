/** Classifiers over HTTP through a real Envoy, with a classifier that is a process of its own. */
import assert from 'node:assert/strict';
import type { DecisionRecord } from '../../src/audit/record.ts';
import { startClassifier, type TestClassifier } from '../classifiers/classifier.ts';
import { type ChatOptions, chat, choicesOf } from './chat.ts';
import { requireEnvoy, type Stack, startStack } from './harness.ts';
import type { Answer } from './http-client.ts';
import { decisionsIn, inTurn, keepAliveClient, recordsOf, statusOf, until } from './sessions.ts';

const SLOW_MS = 300;
const ADDED_MS_MAX = 50;
/** The least of a few counts: a busy machine adds to one of two now and then. */
const ROUNDS = 6;

const configuration = (port: number): string => `
facts:
  consent: [{ from: header, name: x-consent, trusted: true }]
  app: [{ from: header, name: x-app, trusted: true }]
classifiers:
  - name: toxicity
    url: http://127.0.0.1:${port}/classify
    deadlineMs: 2000
    concurrencyMax: 64
    headers: [{ name: authorization, env: TOXICITY_TOKEN, prefix: 'Bearer ' }]
`;

/** Row 109: light rules decide at once, the heavy one when it can. */
const STRICT = `
kind: Policy
metadata: { name: strict, layer: platform }
class: security
rules:
  - id: consent
    class: regulatory
    onError: deny
    signedOffBy: privacy@example.com
    when: '!("profiling" in consent)'
    then: { block: { message: Please accept the terms first., status: 403 } }
  - { id: project, inspect: [request, response], match: { keywords: { words: [Project Zebra] } }, then: block }
  - { id: mail, inspect: [response], match: { pii: { entities: [email] } }, then: redact }
`;
const DEFERRED = `${STRICT}
  - id: toxic
    class: operational
    when: 'app != "plain"'
    inspect: [request, response]
    match: { classifier: { name: toxicity, threshold: 0.8, mode: deferred } }
    then: flag
`;

const AGREED = { 'x-consent': 'profiling' };

describe('a deferred classifier through Envoy', function () {
  this.timeout(120_000);
  let stack: Stack;
  let classifier: TestClassifier;

  before(async function () {
    requireEnvoy(this);
    classifier = await startClassifier();
    stack = await startStack({
      policies: { 'strict.yaml': DEFERRED },
      config: configuration(classifier.port),
      env: { TOXICITY_TOKEN: 'a-secret' },
    });
  });

  after(async () => {
    await stack?.stop();
    await classifier?.stop();
  });

  beforeEach(() => untilIdle());

  const say = (prompt: string, options = {}): Promise<Answer> =>
    chat(stack.envoy.port, { prompt, headers: AGREED, ...options });

  const backlog = async (): Promise<number> => {
    const { text } = await stack.switchyard.admin('/metrics');
    return Number(/^switchyard_classifier_backlog\{classifier="toxicity"\} (\d+)/m.exec(text)?.[1]);
  };

  const untilIdle = (): Promise<true> =>
    until('an empty backlog', async () => ((await backlog()) === 0 ? true : undefined));

  it('adds less than 50 ms to the p99 while it takes 300 ms', async () => {
    await classifier.behave({ delayMs: SLOW_MS });
    const client = keepAliveClient(stack.envoy.port, 4);
    const p99 = (tookMs: readonly number[]): number =>
      tookMs.toSorted((a, b) => a - b)[Math.floor(tookMs.length * 0.99)]!;
    const round = async (): Promise<number> => {
      // In turn, so that whatever else the machine does meets both alike.
      const tookMs = { asked: [] as number[], notAsked: [] as number[] };
      await inTurn(200, 4, async (index) => {
        const kind = index % 2 === 0 ? 'asked' : 'notAsked';
        const headers = { ...AGREED, 'x-app': kind === 'asked' ? 'chat' : 'plain' };
        const startedMs = performance.now();
        const prompt = `Question ${Math.random()} ${index}`;
        assert.equal((await client.ask({ prompt, headers })).status, 200);
        tookMs[kind].push(performance.now() - startedMs);
      });
      const [asked, notAsked] = [p99(tookMs.asked), p99(tookMs.notAsked)];
      console.log(
        `      p99 ${asked.toFixed(1)} ms in all, ${notAsked.toFixed(1)} where it is not asked`,
      );
      return asked - notAsked;
    };
    const added: number[] = [];
    for (let index = 0; index < ROUNDS && !(Math.min(...added) < ADDED_MS_MAX); index++)
      added.push(await round());
    client.close();
    assert.ok(Math.min(...added) < ADDED_MS_MAX, `${added}`);
    // A fast machine is through with its exchanges while most of them still wait to be asked.
    await untilIdle();
    const texts = (await classifier.seen()).asked.flatMap(({ body }) => body.texts as string[]);
    assert.ok(texts.filter((text) => text.startsWith('Question')).length >= 100);
  });

  it('is asked all the same, and its backlog is seen', async () => {
    await classifier.behave({ delayMs: SLOW_MS });
    const answer = await say('A drop of venom, please', { script: { text: 'Of course' } });
    assert.equal(answer.status, 200);
    // The answer is here, and nobody has said what of the request is toxic.
    assert.ok((await classifier.seen()).open > 0);
    assert.ok((await backlog()) > 0);
    const late = await until('a deferred record', async () =>
      decisionsIn(await recordsOf(stack.switchyard)).find(({ kind }) => kind === 'deferred'),
    );
    assert.deepEqual(
      late.findings.map(({ rule, label, score, start, end }) => [rule, label, score, start, end]),
      [['strict/toxic', 'CLASSIFIER', 0.97, 10, 15]],
    );
    const own = decisionsIn(await recordsOf(stack.switchyard)).find(
      ({ exchange, kind }) => exchange === late.exchange && kind === 'process',
    );
    assert.equal(own?.verdict, 'allow');
    await untilIdle();
    const { asked } = await classifier.seen();
    assert.ok(asked.every(({ authorization }) => authorization === 'Bearer a-secret'));
  });

  it('lets light rules decide at once', async () => {
    await classifier.behave({ delayMs: SLOW_MS });
    assert.equal((await say('Tell me of Project Zebra')).status, 400);
    const redacted = await say('Whom do I ask?', {
      script: { text: 'Ask ann@example.com of venom.' },
    });
    assert.equal(choicesOf(redacted)[0]?.content, 'Ask [EMAIL_1] of venom.');
    // Nobody outside is told what was taken out, or of what was refused.
    const { asked } = await until('both texts', async () => {
      const seen = await classifier.seen();
      return seen.asked.length >= 2 && seen.open === 0 ? seen : undefined;
    });
    assert.deepEqual(
      asked.flatMap(({ body }) => body.texts),
      ['Whom do I ask?', 'Ask [EMAIL_1] of venom.'],
    );
  });

  it('is not asked without consent: the consent message is the answer', async () => {
    await classifier.behave({ delayMs: SLOW_MS });
    const refused = await chat(stack.envoy.port, { prompt: 'Hello, venom' });
    assert.equal(refused.status, 403);
    assert.match(refused.text, /Please accept the terms first\./);
    assert.deepEqual((await classifier.seen()).asked, []);
  });

  it('leaves no word of a text, and no secret, in what is kept', async () => {
    const records = JSON.stringify(await recordsOf(stack.switchyard));
    const { text } = await stack.switchyard.admin('/metrics');
    assert.doesNotMatch(records + text + stack.switchyard.output(), /venom|a-secret|Zebra/);
  });
});

/** Whose words are refused, and what a broken classifier means to each class. */
const INLINE = `
kind: Policy
metadata: { name: inline, layer: platform }
rules:
  - id: tone
    class: security
    when: 'app == "strict"'
    inspect: [request, response]
    match: { classifier: { name: toxicity, threshold: 0.8 } }
    then: { block: { message: Not in this tone. } }
  - id: mild
    class: operational
    when: 'app == "mild"'
    inspect: [request]
    match: { classifier: { name: toxicity, threshold: 0.8 } }
    then: block
  - id: patience
    class: security
    when: 'app == "patient"'
    inspect: [request, response]
    match: { classifier: { name: toxicity, threshold: 0.8, mode: deferred, session: { threshold: 0.8, halfLife: 1h } } }
    then: { block: { message: Let us continue another day. } }
`;

describe('an inline classifier through Envoy', function () {
  this.timeout(120_000);
  let stack: Stack;
  let classifier: TestClassifier;

  before(async function () {
    requireEnvoy(this);
    classifier = await startClassifier();
    stack = await startStack({
      policies: { 'inline.yaml': INLINE },
      config: configuration(classifier.port),
      env: { TOXICITY_TOKEN: 'a-secret' },
    });
  });

  after(async () => {
    await stack?.stop();
    await classifier?.stop();
  });

  const as = (app: string, prompt: string, options: ChatOptions = {}): Promise<Answer> =>
    chat(stack.envoy.port, {
      prompt,
      ...options,
      headers: { 'x-app': app, ...options.headers },
    });
  const lastRecord = (wanted: (record: DecisionRecord) => boolean): Promise<DecisionRecord> =>
    until('a record', async () => decisionsIn(await recordsOf(stack.switchyard)).findLast(wanted));

  it('holds requests and answers for its verdict, and a refusal is a clean one', async () => {
    await classifier.behave({ delayMs: 100 });
    assert.equal((await as('strict', 'Some venom, please')).status, 400);
    const deltas = ['Take ', 'this ven', 'om.'];
    const refused = await as('strict', 'What do I take?', { stream: true, script: { deltas } });
    assert.equal(refused.status, 400);
    assert.match(refused.text, /Not in this tone\./);
    assert.doesNotMatch(refused.text, /Take/);
    const passes = await as('strict', 'And now?', {
      stream: true,
      script: { deltas: ['Te', 'a.'] },
    });
    assert.equal(choicesOf(passes)[0]?.content, 'Tea.');
    assert.match(String(passes.headers['content-type']), /event-stream/);
  });

  it('blocks the next request of a session where the verdict came too late for its own', async () => {
    await classifier.behave({ delayMs: 100 });
    const session = { headers: { 'x-session-id': 'prober' } };
    const first = await as('patient', 'Hello', { ...session, script: { text: 'Have some venom' } });
    assert.equal(choicesOf(first)[0]?.content, 'Have some venom');
    await lastRecord(({ findings }) => findings.some(({ rule }) => rule === 'inline/patience'));
    const next = await as('patient', 'Hello', session);
    assert.equal(next.status, 400);
    assert.match(next.text, /another day/);
    assert.equal((await as('patient', 'Hello')).status, 200);
  });

  it('serves no verdict of the set before, once another one serves', async () => {
    await classifier.behave({});
    const texts = async (): Promise<readonly unknown[]> =>
      (await classifier.seen()).asked.flatMap(({ body }) => body.texts as string[]);
    const ask = () => as('strict', 'Is this known?', { script: { text: 'It is.' } });
    await ask();
    await ask();
    assert.deepEqual(await texts(), ['Is this known?', 'It is.']);
    const before = (await statusOf(stack.switchyard)).epoch;
    await stack.switchyard.save(
      'inline.yaml',
      INLINE.replace('Not in this tone.', 'No such tone.'),
    );
    await until('the swap', async () =>
      (await statusOf(stack.switchyard)).epoch > before ? true : undefined,
    );
    await ask();
    assert.deepEqual(await texts(), ['Is this known?', 'It is.', 'Is this known?', 'It is.']);
    assert.match((await as('strict', 'venom')).text, /No such tone\./);
  });

  it('refuses a save that asks somebody unknown, and says so', async () => {
    const before = (await statusOf(stack.switchyard)).epoch;
    const text = INLINE.replaceAll('name: inline', 'name: other').replaceAll('toxicity', 'toxcity');
    await stack.switchyard.save('other.yaml', text);
    const { directory } = await until('an error', async () => {
      const status = await statusOf(stack.switchyard);
      return (status.directory?.errors.length ?? 0) > 0 ? status : undefined;
    });
    assert.match(directory!.errors[0]!, /classifier_unknown.*`toxcity`.*it has `toxicity`/);
    assert.equal((await statusOf(stack.switchyard)).epoch, before);
    await stack.switchyard.remove('other.yaml');
  });

  it('that fails refuses for security and passes for operational rules, until it is mended', async () => {
    await classifier.behave({ fault: 'status' });
    // Of each address two errors count.
    for (let index = 0; index < 8; index++) {
      const from = { http: { from: `127.0.0.${index + 2}` } };
      assert.equal((await as('strict', `Question ${index}`, from)).status, 503);
      assert.equal((await as('mild', `Question ${index}`, from)).status, 200);
    }
    const refused = await lastRecord(({ code }) => code === 'breaker_open');
    assert.deepEqual(refused.breakers, ['classifier/toxicity']);
    const passed = await lastRecord(
      ({ errors, breakers }) => breakers.length > 0 && errors[0]?.rule === 'inline/mild',
    );
    assert.deepEqual([passed.verdict, passed.degraded], ['allow', true]);
    assert.equal(passed.errors[0]?.classifier, 'toxicity');
    assert.deepEqual(passed.breakers, ['classifier/toxicity']);
    // It is left alone: five errors opened the breaker.
    assert.equal((await classifier.seen()).asked.length, 5);
    const { text } = await stack.switchyard.admin('/metrics');
    assert.match(text, /switchyard_breaker_state\{rule="classifier\/toxicity"\} 2/);
    assert.match(text, /duration_seconds_count\{classifier="toxicity"\} [1-9]/);
    assert.match(text, /outcomes_total\{classifier="toxicity",outcome="breaker_open"\} \d+/);
    await classifier.behave({});
    await until('the breaker to close', async () =>
      (await as('strict', `Hello ${Math.random()}`)).status === 200 ? true : undefined,
    );
  });
});
