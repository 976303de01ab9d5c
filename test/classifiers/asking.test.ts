/** Classifiers as the server asks them, each a process that is asked over HTTP. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, isIP } from 'node:net';
import { join } from 'node:path';
import { CALLS_MAX } from '../../src/classifiers/classifier.ts';
import { guarded, isForbidden } from '../../src/classifiers/http-call.ts';
import { temporaryDirectory } from '../envoy/harness.ts';
import { type Asking, asking, said } from './asking.ts';
import { type Behaviour, startClassifier, type TestClassifier } from './classifier.ts';

describe('a classifier over HTTP', function () {
  this.timeout(30_000);
  let server: TestClassifier;
  const open: Asking[] = [];

  before(async () => {
    server = await startClassifier();
  });

  beforeEach(() => server.behave({}));

  after(async () => {
    for (const one of open) one.close();
    await server.stop();
  });

  const classifier = (
    settings: Omit<Parameters<typeof asking>[0], 'url'> & { path?: string } = {},
    ...more: readonly [Record<string, string>?, object?]
  ): Asking => {
    const { path = '/classify', ...rest } = settings;
    const made = asking({ url: `http://127.0.0.1:${server.port}${path}`, ...rest }, ...more);
    open.push(made);
    return made;
  };
  const askedTexts = async (): Promise<readonly (readonly string[])[]> =>
    (await server.seen()).asked.map(({ body }) => (body.texts ?? body.input) as string[]);

  it('is asked in our own contract, many texts at once, and says scores and spans', async () => {
    const outcome = await classifier().ask({ texts: ['A \u{1f40d} drop of venom', 'Hello'] });
    assert.deepEqual(said(outcome), [
      { toxicity: 0.97, insult: 0.485 },
      { toxicity: 0.01, insult: 0.005 },
    ]);
    assert.ok(outcome.kind === 'judged');
    // It counts characters, of which the snake is one; we count units, of which it is two.
    assert.deepEqual(outcome.verdicts[0]!.spans, [{ start: 13, end: 18, label: 'toxicity' }]);
    assert.deepEqual((await server.seen()).asked[0]!.body, {
      texts: ['A \u{1f40d} drop of venom', 'Hello'],
      direction: 'request',
    });
  });

  it('is asked as LiteLLM asks guardrails, a call for each text, and nobody is named', async () => {
    const path = '/beta/litellm_basic_guardrail_api';
    const guardrail = classifier({ path, contract: 'litellm' });
    const outcome = await guardrail.ask({ texts: ['Hello', 'venom'], direction: 'response' });
    assert.deepEqual(said(outcome), [{}, { blocked: 1 }]);
    const { asked } = await server.seen();
    assert.deepEqual(
      asked.map(({ body }) => body),
      [['Hello'], ['venom']].map((texts) => ({
        texts,
        input_type: 'response',
        request_data: {},
        additional_provider_specific_params: {},
      })),
    );
  });

  it('is asked in the shape of OpenAI moderation', async () => {
    const moderation = classifier({ path: '/v1/moderations', contract: 'openai', model: 'mod-1' });
    assert.deepEqual(said(await moderation.ask({ texts: ['Hello', 'venom'] })), [
      { harassment: 0.01 },
      { harassment: 0.97 },
    ]);
    const { asked } = await server.seen();
    assert.deepEqual(asked[0]!.body, { input: ['Hello', 'venom'], model: 'mod-1' });
  });

  const faults: readonly (readonly [NonNullable<Behaviour['fault']>, string])[] = [
    ['status', 'bad_status'],
    ['redirect', 'bad_status'],
    ['garbage', 'bad_answer'],
    ['short', 'bad_answer'],
    ['huge', 'bad_answer'],
    ['hangUp', 'unreachable'],
    ['silence', 'deadline'],
  ];
  for (const [fault, reason] of faults)
    it(`says ${reason}, and no verdict, of ${fault}`, async () => {
      await server.behave({ fault });
      const one = classifier({ deadlineMs: 800 });
      assert.equal(said(await one.ask()), reason);
      assert.deepEqual(one.outcomes, [reason]);
      assert.equal(one.backlog(), 0);
      // A redirect was not followed.
      assert.equal((await server.seen()).asked.length, 1);
      await server.behave({});
      assert.deepEqual(said(await one.ask({ texts: ['Hello'] })), [
        { toxicity: 0.01, insult: 0.005 },
      ]);
    });

  it('says unreachable where nothing listens, and deadline where a turn never comes', async () => {
    const nowhere = asking({ url: 'http://127.0.0.1:1/' });
    assert.equal(said(await nowhere.ask()), 'unreachable');
    nowhere.close();
    await server.behave({ fault: 'silence' });
    const narrow = classifier({ concurrencyMax: 1, deadlineMs: 250 });
    const outcomes = await Promise.all([narrow.ask(), narrow.ask({ texts: ['Hello'] })]);
    assert.deepEqual(outcomes.map(said), ['deadline', 'deadline']);
    assert.equal((await server.seen()).asked.length, 1);
    assert.equal(narrow.backlog(), 0);
  });

  it('takes an answer of exactly as many bytes as agreed, and none of more', async () => {
    const bytes = JSON.stringify({
      version: 'words-1',
      results: [{ scores: { toxicity: 0.01, insult: 0.005 }, spans: [] }],
    }).length;
    const answer = async (answerBytesMax: number): Promise<unknown> =>
      said(await classifier({ answerBytesMax }).ask({ texts: ['Hello'] }));
    assert.equal(await answer(bytes - 1), 'bad_answer');
    assert.deepEqual(await answer(bytes), [{ toxicity: 0.01, insult: 0.005 }]);
  });

  it('goes in as few calls as the contract allows, and in no more than agreed', async () => {
    const one = classifier();
    const texts = Array.from({ length: 130 }, (_, index) => `text ${index}`);
    assert.equal((await one.ask({ texts })).kind, 'judged');
    assert.deepEqual((await askedTexts()).map(({ length }) => length).sort(), [2, 64, 64]);
    const path = '/beta/litellm_basic_guardrail_api';
    const many = classifier({ path, contract: 'litellm', deadlineMs: 5_000 });
    const ask = async (count: number): Promise<unknown> =>
      (await many.ask({ texts: texts.slice(0, count) })).kind === 'judged' || many.outcomes.at(-1);
    assert.equal(await ask(CALLS_MAX + 1), 'too_long');
    assert.equal(await ask(CALLS_MAX), true);
  });

  it('waits for a turn, and what somebody waits for takes the place of what nobody does', async () => {
    await server.behave({ delayMs: 150 });
    const one = classifier({ concurrencyMax: 1, waitingMax: 2, deadlineMs: 5_000 });
    const later = { urgent: false };
    const results = await Promise.all([
      one.ask({ texts: ['first'] }),
      one.ask({ texts: ['second'], ...later }),
      one.ask({ texts: ['third'], ...later }),
      one.ask({ texts: ['fourth'], ...later }),
      one.ask({ texts: ['fifth'] }),
    ]);
    assert.deepEqual(
      results.map(({ kind }) => kind),
      ['judged', 'judged', 'failed', 'failed', 'judged'],
    );
    assert.deepEqual(one.outcomes.slice(0, 2), ['overloaded', 'overloaded']);
    assert.deepEqual(await askedTexts(), [['first'], ['fifth'], ['second']]);
  });

  it('is not asked again what it has said, but by another set, for another tenant, of another direction, in another version, or later', async () => {
    const one = classifier({ cacheMs: 60_000 });
    const ask = (set = 'sha256:one'): Promise<unknown> =>
      one.ask({ set, texts: ['venom', 'Hello'] });
    await ask();
    await ask();
    assert.deepEqual(await askedTexts(), [['venom', 'Hello']]);
    await one.ask({ texts: ['Hello', 'new'] });
    assert.deepEqual((await askedTexts()).at(-1), ['new']);
    await ask('sha256:two');
    assert.equal((await askedTexts()).length, 3);
    // Whether they were asked or answered is part of the question.
    await one.ask({ direction: 'response', texts: ['venom', 'Hello'] });
    assert.equal((await askedTexts()).length, 4);
    // How fast a verdict comes would tell what another tenant has sent.
    await one.ask({ tenant: 'acme', texts: ['venom', 'Hello'] });
    assert.equal((await askedTexts()).length, 5);
    await one.ask({ tenant: 'acme', texts: ['venom', 'Hello'] });
    assert.equal((await askedTexts()).length, 5);
    await server.behave({ version: 'words-2' });
    await one.ask({ texts: ['tells'] });
    await ask();
    assert.deepEqual(await askedTexts(), [['tells'], ['venom', 'Hello']]);
    one.advance(60_000);
    await ask();
    assert.equal((await askedTexts()).length, 3);
    assert.deepEqual(new Set(one.outcomes), new Set(['judged', 'cached']));
  });

  it('is never told to remember what failed', async () => {
    await server.behave({ fault: 'garbage' });
    const one = classifier();
    await one.ask();
    await server.behave({});
    assert.deepEqual(said(await one.ask()), [{ toxicity: 0.97, insult: 0.485 }]);
  });

  it('is left alone once it has failed often, and tried again', async () => {
    await server.behave({ fault: 'status' });
    const one = classifier({}, {}, { probes: 1 });
    for (let times = 0; times < 5; times++) assert.equal(said(await one.ask()), 'bad_status');
    assert.equal(said(await one.ask()), 'breaker_open');
    assert.deepEqual(
      one.breakers.notClosed().map(({ digest, rule, state }) => [digest, rule, state.kind]),
      [['detectors', 'classifier/toxicity', 'open']],
    );
    assert.equal((await server.seen()).asked.length, 5);
    await server.behave({});
    one.advance(60_000);
    assert.equal((await one.ask()).kind, 'judged');
    assert.deepEqual(one.breakers.notClosed(), []);
  });

  it('cannot be taken from all others by texts of one source', async () => {
    await server.behave({ fault: 'garbage' });
    const one = classifier();
    for (let times = 0; times < 20; times++) await one.ask({ source: 'mallory' });
    assert.deepEqual(one.breakers.notClosed(), []);
    await server.behave({});
    assert.equal((await one.ask({ source: 'ann' })).kind, 'judged');
  });

  it('gets its secret from the environment or a file, and none is in an error', async () => {
    const directory = await temporaryDirectory();
    const file = join(directory.path, 'secret');
    writeFileSync(file, 'from-file\n');
    const header = { name: 'Authorization', prefix: 'Bearer ' };
    await classifier({ headers: [{ ...header, file }] }).ask();
    await classifier({ headers: [{ ...header, env: 'TOKEN' }] }, { TOKEN: 'from-env' }).ask();
    assert.deepEqual(
      (await server.seen()).asked.map(({ authorization }) => authorization),
      ['Bearer from-file', 'Bearer from-env'],
    );
    const headers = [{ ...header, env: 'TOKEN' }];
    const opening = (token: string | undefined) => () =>
      classifier({ headers }, token === undefined ? {} : { TOKEN: token });
    assert.throws(
      opening(undefined),
      /^Error: classifier `toxicity`: header `Authorization` has no value$/,
    );
    assert.throws(opening('se\ncret'), (error: Error) => {
      assert.match(error.message, /cannot be sent$/);
      return !error.message.includes('cret');
    });
    await directory.remove();
  });

  it('is asked again where a kept connection turns out to be closed', async () => {
    let connections = 0;
    // It says that it keeps connections, and closes each behind its first answer.
    const forgetful = createServer((request, response) => {
      request.resume().on('end', () => {
        response.end(JSON.stringify({ results: [{ scores: {} }] }), () => {
          setTimeout(() => request.socket.destroy(), 20);
        });
      });
    });
    forgetful.on('connection', () => connections++);
    await new Promise<void>((resolve) => forgetful.listen(0, '127.0.0.1', resolve));
    const { port } = forgetful.address() as AddressInfo;
    const one = asking({ url: `http://127.0.0.1:${port}/` });
    for (const text of ['a', 'b', 'c', 'd']) {
      assert.equal((await one.ask({ texts: [text] })).kind, 'judged', text);
      await new Promise((resolve) => setTimeout(resolve, text === 'b' ? 20 : 40));
    }
    assert.ok(connections >= 2);
    one.close();
    forgetful.close();
  });

  it('is never at a link-local address, and no proxy of the environment is asked', async () => {
    for (const address of [
      '169.254.169.254',
      'fe80::1',
      'fd00:ec2::254',
      '::ffff:169.254.169.254',
      '64:ff9b::169.254.169.254',
    ])
      assert.ok(isForbidden(address), address);
    for (const address of ['127.0.0.1', '10.0.0.1', '::1', 'classifier.example'])
      assert.ok(!isForbidden(address), address);
    for (const host of ['169.254.169.254', '[fe80::1]', '2852039166', '0xa9fea9fe'])
      assert.throws(() => asking({ url: `http://${host}/` }), /link-local/, host);
    const answers = [
      ['169.254.169.254', '127.0.0.1'],
      ['169.254.169.254', 'fe80::1'],
    ].map((addresses) => {
      const found = addresses.map((address) => ({ address, family: isIP(address) }));
      const lookup = guarded((_host, _options, told) => told(null, found));
      return [false, true].map((all) => {
        let seen: unknown;
        lookup('classifier.example', { all }, (error, address) => {
          seen = error ? 'nowhere' : address;
        });
        return seen;
      });
    });
    assert.deepEqual(answers, [
      ['127.0.0.1', [{ address: '127.0.0.1', family: 4 }]],
      ['nowhere', 'nowhere'],
    ]);
    const { http_proxy } = process.env;
    process.env.http_proxy = 'http://127.0.0.1:1';
    try {
      assert.equal((await classifier().ask()).kind, 'judged');
    } finally {
      if (http_proxy === undefined) delete process.env.http_proxy;
      else process.env.http_proxy = http_proxy;
    }
  });
});
