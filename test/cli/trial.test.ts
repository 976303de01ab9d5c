/** `switchyard try` and `switchyard explain`, as people and scripts meet them. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { Value } from 'typebox/value';
import { TRIAL_EVENTS, type TrialEvent } from '../../src/cli/trial/events.ts';
import { FORMAT_NAMES } from '../../src/cli/trial/spoken.ts';
import {
  chatAnswer,
  chatQuestion,
  eventsOf,
  pickEvents,
  runTrialCommand as run,
} from './trial-rig.ts';

const ACTS = `kind: Policy
metadata: { name: acts, layer: platform }
class: security
rules:
  - { id: block, inspect: [request, response], match: { keywords: { words: [Zebra] } }, then: { block: { message: Not that., status: 451 } } }
  - { id: mail, inspect: [request, response], match: { pii: { entities: [email] } }, then: redact }
  - { id: bank, inspect: [request, response], match: { keywords: { words: [Bank A] } }, then: { rewrite: { with: a bank } } }
  - { id: money, inspect: [response], match: { keywords: { words: [money] } }, then: { append: { text: No advice., oncePer: message } } }
  - { id: seen, inspect: [request, response], match: { keywords: { words: [Bank] } }, then: flag }
  - { id: dry, inspect: [response], match: { keywords: { words: [money] } }, then: block, enforcement: shadow }
  - { id: ours, priority: 9, inspect: [response], match: { keywords: { words: [us@acme.example] } }, then: allow }
`;

const WHO = `kind: Policy
metadata: { name: who, layer: tenant, selector: { tenant: acme } }
class: security
rules:
  - { id: consent, when: '!("profiling" in consent) && path.startsWith("/v1")', then: { block: { message: Please accept the terms first., status: 403 } } }
  - { id: eu, class: operational, when: 'region == "eu" || risk > 0.5', then: flag }
  - { id: exempted, inspect: [request], match: { keywords: { words: [Zebra] } }, then: block }
  - { id: friend, priority: 5, when: 'headers["x-friend"] == "yes"', then: allow, onError: allow }
---
kind: Policy
metadata: { name: other, layer: tenant, selector: { tenant: bolt } }
class: security
rules:
  - { id: x, inspect: [request], match: { keywords: { words: [x] } }, then: block }
`;

// biome-ignore lint/suspicious/noControlCharactersInRegex: it is what colours are made of
const OUR_COLOURS = /\u001b\[[\d;]*m/g;

describe('trials', () => {
  let dir: string;
  let acts: string;
  let who: string;
  const file = (name: string, content: string | Uint8Array): string => {
    const path = join(dir, name);
    fs.writeFileSync(path, content);
    return path;
  };

  before(() => {
    dir = fs.mkdtempSync(join(tmpdir(), 'sy-'));
    acts = file('acts.yaml', ACTS);
    who = file('who.yaml', WHO);
  });
  after(() => fs.rmSync(dir, { recursive: true, force: true }));

  /** What was written, as the file of that name says; with `GOLDEN=write` the file is written anew. */
  function golden(name: string, text: string): void {
    const shown = text.replaceAll(dir, '/policies').replace(/sha256:[0-9a-f]{64}/g, 'sha256:…');
    const path = new URL(`golden/${name}.txt`, import.meta.url);
    if (process.env.GOLDEN === 'write') fs.writeFileSync(path, shown);
    assert.equal(shown, fs.readFileSync(path, 'utf8'));
  }

  const MAIL = chatAnswer(['Write to ', 'ann', '@exam', 'ple.com', ' or call.']);
  const ALL = chatAnswer([
    'Bank A has',
    ' money. Ask ann@acme.example',
    ', us@acme.example or bo@acme.example.',
  ]);
  const ZEBRA = chatAnswer(['So ', 'Ze', 'bra is', ' it']);

  describe('try', () => {
    it('gives the body to standard output and tells the rest on standard error', async () => {
      const done = await run(['try', '--policy', acts], [MAIL]);
      golden('changed', done.err);
      assert.equal(done.code, 0);
      const words = [...done.out.matchAll(/"content":"([^"]*)"/g)].map(([, text]) => text);
      assert.equal(words.join(''), 'Write to [EMAIL_1] or call.');
    });

    it('says of the first policy what the README shows', async () => {
      const readme = fs.readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
      const policy = /```yaml\n(kind: Policy[\s\S]*?)```/.exec(readme)?.[1];
      const [, body, shown] =
        /\$ echo '(.*)' \| switchyard try .*\n([\s\S]*?)```/.exec(readme) ?? [];
      assert.ok(policy && body && shown);
      const done = await run(['try', '--policy', file('leak.yaml', policy)], [`${body}\n`]);
      assert.equal(done.err, shown);
      assert.equal(done.code, 1);
    });

    it('passes what nothing matches, byte for byte', async () => {
      const body = chatAnswer(['Nothing', ' here']);
      const done = await run(['try', '--policy', acts], [body.slice(0, 50), body.slice(50)]);
      assert.equal(done.code, 0);
      assert.equal(done.out, body);
      assert.match(done.err, /^verdict {3}passed; matches 0, frames 3/m);
    });

    it('reports every action', async () => {
      const done = await run(['try', '--policy', acts, '--report'], [ALL]);
      golden('every-action', done.out);
      assert.equal(done.err, '');
      assert.equal(done.code, 0);
    });

    it('reports a refusal inside of an answer, and ends with 1', async () => {
      const done = await run(['try', '--policy', acts, '--report'], [ZEBRA]);
      golden('refused-inside', done.out);
      assert.equal(done.code, 1);
    });

    it('answers a refused request as its client is answered', async () => {
      const done = await run(['try', '--policy', acts], [chatQuestion('A Zebra?')]);
      golden('refused-request', done.err);
      assert.equal(done.code, 1);
      assert.equal(JSON.parse(done.out).error.message, 'Not that.');
      const [refused] = pickEvents(
        await run(['try', '--policy', acts, '--json'], [chatQuestion('A Zebra?')]),
        'refused',
      );
      assert.equal(refused?.status, 451);
      assert.equal(refused.headers['x-should-retry'], 'false');
      assert.equal(refused.body, done.out);
    });

    it('is the same for every cut of a stream', async () => {
      const whole = await run(['try', '--policy', acts, '--report'], [ALL]);
      for (const size of [1, 7, 100]) {
        const bytes = Buffer.from(ALL);
        const parts: Uint8Array[] = [];
        for (let at = 0; at < bytes.length; at += size) parts.push(bytes.subarray(at, at + size));
        assert.deepEqual(await run(['try', '--policy', acts, '--report'], parts), whole);
      }
    });

    it('shows what a rule that loses gives way to', async () => {
      const path = file(
        'overlap.yaml',
        `kind: Policy
metadata: { name: p, layer: platform }
class: security
rules:
  - { id: first, inspect: [response], match: { keywords: { words: [red blue] } }, then: { rewrite: { with: one } } }
  - { id: second, inspect: [response], match: { keywords: { words: [blue green] } }, then: { rewrite: { with: two } } }
`,
      );
      const done = await run(
        ['try', '--policy', path, '--json'],
        [chatAnswer(['a red blue green'])],
      );
      assert.deepEqual(
        pickEvents(done, 'match').map(({ rule, effect, by }) => [rule, effect, by]),
        [
          ['p/first', 'replace', null],
          ['p/second', 'cover', 'p/first'],
        ],
      );
    });

    it('marks by colour on a terminal, and when asked to', async () => {
      const terminal = { out: false, error: true };
      const coloured = (text: string) => text.includes('\u001b[1;4;33mann@example.com\u001b[0m');
      const words = ['try', '--policy', acts];
      assert.ok(coloured((await run(words, [MAIL], { terminal })).err));
      assert.ok(coloured((await run([...words, '--color'], [MAIL])).err));
      assert.ok(coloured((await run([...words, '--color', '--report'], [MAIL])).out));
      for (const plain of [
        await run(words, [MAIL]),
        await run(words, [MAIL], { terminal, env: { NO_COLOR: '1' } }),
        await run([...words, '--no-color'], [MAIL], { terminal }),
      ])
        assert.ok(!plain.err.includes('\u001b'));
    });

    it('lets nothing of an input steer the terminal', async () => {
      const evil = 'a\u001b[2J\u202e Bank A \u0007\u009b31m';
      for (const words of [['--report'], ['--json'], []]) {
        const done = await run(['try', '--policy', acts, ...words], [chatAnswer([evil])], {
          terminal: { out: true, error: true },
        });
        const shown = `${done.out}${done.err}`.replace(OUR_COLOURS, '');
        assert.doesNotMatch(shown.replace(/[\n\t]/g, ''), /[\p{Cc}\p{Cf}]/u);
      }
      const done = await run(['try', '--policy', acts, '--json'], [chatAnswer([evil])]);
      assert.equal(pickEvents(done, 'match')[0]?.before, 'a\u001b[2J\u202e ');
      const plain = await run(['try', '--policy', acts, '--format', 'text'], ['\u001b[2Jb\tc\n'], {
        terminal: { out: true, error: false },
      });
      assert.equal(plain.out, '?[2Jb\tc\n');
    });

    it('ends as was expected, or with 1', async () => {
      const words = ['try', '--policy', acts, '--expect'];
      for (const [body, outcome] of [
        [chatAnswer(['so']), 'passed'],
        [MAIL, 'changed'],
        [ZEBRA, 'refused'],
        ['{"choices":', 'unreadable'],
      ] as const)
        for (const expected of ['passed', 'changed', 'refused', 'unreadable']) {
          const done = await run([...words, expected], [body]);
          assert.equal(done.code, expected === outcome ? 0 : 1, `${outcome}, ${expected}`);
          if (expected !== outcome)
            assert.match(
              done.err,
              new RegExp(`expected \`${expected}\`, but it was \`${outcome}\``),
            );
        }
    });

    it('says what is wrong with bad input, and ends with 2', async () => {
      const broken = file('broken.yaml', ACTS.replace('inspect: [request', 'inspct: [request'));
      const directory = join(dir, 'broken');
      fs.mkdirSync(directory);
      fs.writeFileSync(join(directory, 'a.yaml'), 'kind: Nothing');
      const latin1 = file('latin1.yaml', Buffer.from('# \xe9', 'latin1'));
      const config = file('switchyard.yaml', 'nothing: 1');
      for (const [words, body, says] of [
        [['--policy', broken], MAIL, /broken\.yaml:5:18: unknown_key: `inspct`/],
        [['--policy', directory], MAIL, /broken\/a\.yaml:1:7: unknown_kind: /],
        [['--policy', join(dir, 'none')], MAIL, /none:1:1: directory_unreadable: /],
        [['--policy', latin1], MAIL, /latin1\.yaml:1:1: file_not_utf8: /],
        [[], MAIL, /--policy/],
        [['--policy', acts], '', /there is no input; name a file with --input/],
        [['--policy', acts, '--input', join(dir, 'none')], '', /none`: there is no such file/],
        [['--policy', acts, '--input', dir], '', /it is a directory; name one file/],
        [['--policy', acts, '--request', join(dir, 'none')], MAIL, /there is no such file/],
        [['--policy', acts, '--format', 'openai'], MAIL, /Allowed choices are auto, openai\.chat/],
        [['--policy', acts, '--path', 'v1'], MAIL, /a path begins with/],
        [
          ['--policy', acts, '--facts', 'tenent=a'],
          MAIL,
          /`tenent` is no fact; facts are `tenant`/,
        ],
        [['--policy', acts, '--facts', 'acme'], MAIL, /write facts as tenant=acme/],
        [
          ['--policy', acts, '--facts', `tenant=${'x'.repeat(257)}`],
          MAIL,
          /at most 256 characters/,
        ],
        [['--policy', acts, '--header', 'no colon'], MAIL, /write a header as/],
        [['--policy', acts, '--status', '20'], MAIL, /write a status as 200/],
        [['--policy', acts, '--at', 'noon'], MAIL, /write a time as/],
        [['--policy', acts, '--json', '--report'], MAIL, /choose one/],
        [['--policy', acts, '--text-path', 'a'], MAIL, /--text-path is for --format json only/],
        [
          ['--policy', acts, '--format', 'json', '--text-path', 'a..b'],
          '{}',
          /a --text-path cannot be read/,
        ],
        [
          ['--policy', acts, '--direction', 'request', '--request', acts],
          MAIL,
          /--request comes before an answer/,
        ],
        [['--policy', acts, '--config', config], MAIL, /switchyard\.yaml:1:1: config_invalid: /],
        [
          ['--policy', acts, '--format', 'sse', '--path', '/v1/messages'],
          MAIL,
          /read as `anthropic\.messages`, not as `sse`/,
        ],
        [['--policy', acts, '--color', 'never'], MAIL, /too many arguments/],
        [
          ['--policy', acts],
          '{"messages":[{"role":"us\n',
          /the JSON ends unfinished after 25 bytes; the body is not JSON; is it cut short/,
        ],
        [['--policy', acts], '{"messages":[{"role" 1}]}', /the JSON breaks at 1:22; /],
        [
          ['--policy', acts],
          `${MAIL.slice(0, 400)}\n\n`,
          /cannot be read \(not_json\): frame 2, line 5; /,
        ],
        [
          ['--policy', acts, '--format', 'anthropic.messages'],
          '{"a":1}',
          /no message of this API; is --format another one\?/,
        ],
        [
          ['--policy', acts, '--format', 'opaque'],
          'abc',
          /nobody here reads this format; say --format/,
        ],
        [
          [
            '--policy',
            acts,
            '--content-encoding',
            'gzip',
            '--format',
            'openai.chat',
            '--direction',
            'request',
          ],
          '{}',
          /does not decode; is --content-encoding right/,
        ],
        [
          [
            '--policy',
            acts,
            '--content-encoding',
            'rot13',
            '--format',
            'openai.chat',
            '--direction',
            'request',
          ],
          '{}',
          /this content-encoding is not decoded/,
        ],
      ] as const) {
        const done = await run(['try', ...words], body === '' ? [] : [body]);
        assert.match(done.err, says, words.join(' '));
        assert.equal(done.code, 2, words.join(' '));
      }
    });

    it('reads what is encoded', async () => {
      const question = gzipSync(chatQuestion('Ask Bank A'));
      const words = ['--content-encoding', 'gzip', '--format', 'openai.chat'];
      for (const [direction, body] of [
        ['request', question],
        ['response', gzipSync(MAIL)],
      ] as const) {
        const type = direction === 'response' ? ['--content-type', 'text/event-stream'] : [];
        const done = await run(
          ['try', '--policy', acts, ...words, ...type, '--direction', direction],
          [body.subarray(0, 9), body.subarray(9)],
        );
        assert.equal(done.code, 0, done.err);
        assert.match(done.err, /^verdict {3}passed, changed/m);
        assert.match(done.out, /a bank|EMAIL_1/);
      }
    });

    it('takes a body from a file, and a request before an answer', async () => {
      const input = file('zebra.sse', chatAnswer(['Zebra', ' it is']));
      const request = file(
        'request.json',
        JSON.stringify({
          model: 'm',
          stream: true,
          messages: [{ role: 'user', content: 'ann@a.co' }],
        }),
      );
      const refusing = file('refusing.yaml', ACTS.replace('status: 451', 'as: refusal'));
      const words = ['try', '--policy', refusing, '--input', input];
      const alone = await run(words);
      assert.equal(JSON.parse(alone.out).choices[0].message.refusal, 'Not that.');
      const asked = await run([...words, '--request', request]);
      assert.match(asked.out, /^data: .*"refusal":"Not that\."/);
      const answer = file('mail.sse', chatAnswer(['bo@a.co or ann@a.co?']));
      const numbered = await run([
        'try',
        '--policy',
        refusing,
        '--input',
        answer,
        '--request',
        request,
      ]);
      assert.match(numbered.out, /\[EMAIL_2\] or \[EMAIL_1\]\?/);
      const refused = file('refused.json', chatQuestion('Zebra'));
      const never = await run([
        'try',
        '--policy',
        acts,
        '--json',
        '--input',
        answer,
        '--request',
        refused,
      ]);
      assert.equal(never.code, 1);
      assert.equal(pickEvents(never, 'refused')[0]?.direction, 'request');
    });

    it('reads formats of paths, facts, limits and trusted headers from a configuration', async () => {
      const config = file(
        'config.yaml',
        `formats: [{ path: /bank/ask, format: json, textPaths: [question] }]
limits: { requestBodyBytesMax: 100 }
trustedHeaders: [x-known]
facts: { tenant: [{ from: header, name: x-tenant, trusted: true }] }
`,
      );
      const words = ['--config', config, '--path', '/bank/ask', '--direction', 'request'];
      const body = '{"question":"Bank A","note":"Bank A"}';
      const done = await run(['try', '--policy', acts, ...words], [body]);
      assert.equal(done.out, '{"question":"a bank","note":"Bank A"}');
      const long = await run(
        ['try', '--policy', acts, ...words, '--json'],
        [`"${'x'.repeat(99)}"`],
      );
      assert.equal(pickEvents(long, 'verdict')[0]?.code, 'body_too_large');
      assert.equal(long.code, 1);
      const asking = [
        ...words,
        '--header',
        'X-Tenant: acme',
        '--header',
        'x-friend: yes',
        '--json',
      ];
      const rules = pickEvents(await run(['try', '--policy', who, ...asking], ['{}']), 'rule');
      const friend = rules.find(({ rule }) => rule === 'who/friend');
      assert.equal(friend?.selected, true);
      assert.deepEqual(friend.when?.inputs, { headers: '{}' });
    });

    it('says so where no rule reads the body', async () => {
      const body = chatAnswer(['Zebra']);
      const done = await run(['try', '--policy', who], [body]);
      assert.match(done.err, /^verdict {3}passed; no rule read it$/m);
      assert.equal(done.out, body);
    });
  });

  describe('try with what a classifier says', () => {
    const ASKS = `kind: Policy
metadata: { name: asks, layer: platform }
class: security
rules:
  - { id: tone, inspect: [request, response], match: { classifier: { name: toxicity, threshold: 0.8 } }, then: { block: { message: Not so. } } }
`;
    const said = async (verdict: string, body: string) =>
      run(
        ['try', '--policy', file('asks.yaml', ASKS), '--classifier', `toxicity=${verdict}`],
        [body],
      );

    it('refuses by its score, by its words, and where it says nothing', async () => {
      const question = chatQuestion('You are venom');
      for (const verdict of ['0.9', '{"venom":0.9}', '{"venom":{"insult":0.8}}', 'deadline']) {
        const { code, out } = await said(verdict, question);
        assert.equal(code, 1, verdict);
        if (verdict !== 'deadline') assert.match(out, /Not so\./);
      }
      for (const verdict of ['0.7', '{"honey":0.9}']) {
        const { code, out } = await said(verdict, question);
        assert.deepEqual([code, out], [0, question], verdict);
      }
      const wrong = await said('often', question);
      assert.equal(wrong.code, 2);
      assert.match(wrong.err, /write a verdict as toxicity=0\.9/);
    });

    it('holds an answer until then, and tells where it found what', async () => {
      const asks = file('asks.yaml', ASKS);
      const words = ['try', '--policy', asks, '--classifier', 'toxicity={"venom":0.9}', '--json'];
      const events = await run(words, [chatAnswer(['You are ve', 'nom'])]);
      const [match] = pickEvents(events, 'match');
      assert.deepEqual(
        [match?.rule, match?.matched, match?.effect],
        ['asks/tone', 'venom', 'block'],
      );
      assert.equal(pickEvents(events, 'verdict')[0]?.outcome, 'refused');
    });
  });

  describe('try in every format', () => {
    const documents: Readonly<Record<string, readonly [request: string, response: string]>> = {
      'openai.chat': [
        chatQuestion('Ask Bank A'),
        '{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"Ask Bank A"},"finish_reason":"stop"}]}',
      ],
      'openai.completions': [
        '{"model":"m","prompt":"Ask Bank A"}',
        '{"id":"c","object":"text_completion","created":1,"model":"m","choices":[{"index":0,"text":"Ask Bank A","finish_reason":"stop"}]}',
      ],
      'openai.inputs': ['{"model":"m","input":["Ask Bank A"]}', ''],
      'openai.responses': [
        '{"model":"m","input":"Ask Bank A"}',
        '{"id":"r","object":"response","status":"completed","output":[{"type":"message","id":"m","role":"assistant","content":[{"type":"output_text","text":"Ask Bank A","annotations":[]}]}]}',
      ],
      'anthropic.messages': [
        '{"model":"claude-x","max_tokens":9,"messages":[{"role":"user","content":"Ask Bank A"}]}',
        '{"id":"m","type":"message","role":"assistant","model":"c","content":[{"type":"text","text":"Ask Bank A"}],"stop_reason":"end_turn"}',
      ],
      gemini: [
        '{"contents":[{"role":"user","parts":[{"text":"Ask Bank A"}]}]}',
        '{"candidates":[{"content":{"role":"model","parts":[{"text":"Ask Bank A"}]},"finishReason":"STOP","index":0}]}',
      ],
      mcp: [
        '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"look","arguments":{"q":"Ask Bank A"}}}',
        '{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"Ask Bank A"}],"isError":false}}',
      ],
      json: ['{"q":"Ask Bank A"}', '{"a":"Ask Bank A"}'],
      ndjson: ['{"q":"Ask Bank A"}\n{"q":"so"}\n', '{"a":"Ask Bank A"}\n{"a":" so"}\n'],
      text: ['Ask Bank A now', 'Ask Bank A now'],
      sse: ['', 'data: Ask Bank A now\n\n'],
      opaque: ['Ask Bank A', 'Ask Bank A'],
    };

    it('has its examples in formats that there are', () => {
      const names: readonly string[] = FORMAT_NAMES;
      assert.deepEqual(
        Object.keys(documents).filter((name) => !names.includes(name)),
        [],
      );
    });

    for (const [format, bodies] of Object.entries(documents))
      for (const [index, direction] of (['request', 'response'] as const).entries()) {
        const body = bodies[index]!;
        if (body === '') continue;
        const named = ['--format', format, '--direction', direction];
        const unlike = ['json', 'ndjson', 'text', 'opaque', 'sse', 'openai.inputs'];
        const told = unlike.includes(format) ? named : [];
        it(`changes a ${direction} in ${format}${told.length > 0 ? '' : ' that it knows by its looks'}`, async () => {
          const done = await run(['try', '--policy', acts, ...told, '--json'], [body]);
          assert.equal(pickEvents(done, 'exchange')[0]?.direction, direction);
          if (format === 'opaque') {
            assert.equal(pickEvents(done, 'verdict')[0]?.outcome, 'unreadable');
            return;
          }
          assert.equal(pickEvents(done, 'body')[0]?.format, format);
          assert.deepEqual(
            pickEvents(done, 'match').map(({ rule, matched }) => [rule, matched]),
            [
              ['acts/bank', 'Bank A'],
              ['acts/seen', 'Bank'],
            ],
          );
          const [match] = pickEvents(done, 'match');
          const at = Buffer.byteLength(body.slice(0, body.indexOf('Bank A'))) + 1;
          assert.deepEqual([match?.line, match?.column], [1, at]);
          const changed = await run(['try', '--policy', acts, ...told], [body]);
          assert.equal(changed.out, body.replace('Bank A', 'a bank'));
          assert.equal(changed.code, 0);
        });
      }

    for (const [format, stream] of [
      ['openai.chat', chatAnswer(['Ask Ba', 'nk A', ' now'])],
      [
        'anthropic.messages',
        `event: message_start\ndata: {"type":"message_start","message":{"id":"m","type":"message","role":"assistant","model":"c","content":[],"usage":{"input_tokens":1,"output_tokens":1}}}\n\nevent: content_block_start\ndata: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}\n\n${[
          'Ask Ba',
          'nk A',
          ' now',
        ]
          .map(
            (text) =>
              `event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"${text}"}}\n\n`,
          )
          .join(
            '',
          )}event: content_block_stop\ndata: {"type":"content_block_stop","index":0}\n\nevent: message_stop\ndata: {"type":"message_stop"}\n\n`,
      ],
      [
        'gemini',
        ['Ask Ba', 'nk A', ' now']
          .map(
            (text) =>
              `data: {"candidates":[{"content":{"role":"model","parts":[{"text":"${text}"}]},"index":0}]}\n\n`,
          )
          .join(''),
      ],
      [
        'gemini',
        `[${['Ask Ba', 'nk A', ' now']
          .map(
            (text) =>
              `{"candidates":[{"content":{"role":"model","parts":[{"text":"${text}"}]},"index":0}]}`,
          )
          .join(',\n')}]`,
      ],
      [
        'openai.responses',
        ['Ask Ba', 'nk A', ' now']
          .map(
            (delta, index) =>
              `event: response.output_text.delta\ndata: {"type":"response.output_text.delta","sequence_number":${index},"item_id":"i","output_index":0,"content_index":0,"delta":"${delta}"}\n\n`,
          )
          .join(''),
      ],
    ] as const)
      it(`holds a stream in ${format}${stream.startsWith('[') ? ' that is an array' : ''}, and knows it by its looks`, async () => {
        const done = await run(['try', '--policy', acts, '--json'], [stream]);
        assert.equal(pickEvents(done, 'body')[0]?.format, format);
        assert.equal(pickEvents(done, 'body')[0]?.streamed, true);
        const [match] = pickEvents(done, 'match');
        assert.equal(match?.matched, 'Bank A');
        const [from, to] = match.frames;
        assert.equal(to, from + 1);
        const held = pickEvents(done, 'held').find(({ frame }) => frame === from);
        assert.ok(
          held?.waits.some(({ rule, start }) => rule === 'acts/bank' && start === match.start),
        );
        const released = pickEvents(done, 'released').find(({ frame }) => frame === from);
        // The unit behind it says that the word has ended.
        assert.equal(released?.after, to + 1);
        assert.match(released.written ?? '', /a bank/);
      });
  });

  describe('try --json', () => {
    it('keeps to its schema, whatever happens', async () => {
      const seen = new Set<string>();
      const runs = [
        await run(['try', '--policy', acts, '--json'], [ALL]),
        await run(['try', '--policy', acts, '--json'], [ZEBRA]),
        await run(['try', '--policy', acts, '--json'], [chatQuestion('Zebra')]),
        await run(['try', '--policy', acts, '--json'], ['{"choices":']),
        await run(['explain', '--policy', who, '--json', '--facts', 'tenant=acme']),
        await run(['explain', '--policy', acts, '--json', '--rule', 'mail'], [MAIL]),
      ];
      for (const one of runs)
        for (const event of eventsOf(one)) {
          seen.add(event.event);
          const schema = TRIAL_EVENTS[event.event];
          assert.ok(
            Value.Check(schema, event),
            `${JSON.stringify(event)}\n${JSON.stringify([...Value.Errors(schema, event)])}`,
          );
        }
      assert.deepEqual([...seen].sort(), Object.keys(TRIAL_EVENTS).sort());
      const first = (events: readonly TrialEvent[]) => [events[0]?.event, events.at(-1)?.event];
      for (const one of runs) assert.deepEqual(first(eventsOf(one)), ['exchange', 'verdict']);
    });

    it('numbers frames and lines as they stand in the input', async () => {
      const done = await run(['try', '--policy', acts, '--json'], [MAIL]);
      const frames = pickEvents(done, 'frame');
      assert.deepEqual(
        frames.map(({ line }) => line),
        [1, 3, 5, 7, 9, 11],
      );
      for (const { offset, bytes, frame } of frames) {
        assert.equal(
          offset,
          frames.slice(0, frame).reduce((sum, one) => sum + one.bytes, 0),
        );
        assert.equal(MAIL.slice(offset, offset + bytes), `${MAIL.split('\n\n')[frame]}\n\n`);
      }
      const released = pickEvents(done, 'released');
      assert.deepEqual(
        released.map(({ frame }) => frame),
        [0, 1, 2, 3, 4, 5],
      );
      const text = released.map(
        ({ frame, written }) =>
          written ??
          MAIL.slice(frames[frame!]!.offset, frames[frame!]!.offset + frames[frame!]!.bytes),
      );
      assert.equal(text.join(''), (await run(['try', '--policy', acts], [MAIL])).out);
    });

    it('counts places in lines of a document', async () => {
      const body = JSON.stringify(JSON.parse(chatQuestion('f\u00fcr "Bank A"')), null, 2);
      const [match] = pickEvents(await run(['try', '--policy', acts, '--json'], [body]), 'match');
      const lines = body.split('\n');
      assert.equal(match?.line, lines.findIndex((line) => line.includes('Bank A')) + 1);
      const line = lines[match.line - 1]!;
      assert.equal(match.column, Buffer.byteLength(line.slice(0, line.indexOf('Bank A'))) + 1);
      assert.deepEqual([match.before, match.after], ['f\u00fcr "', '"']);
    });
  });

  describe('explain', () => {
    it('tells why each rule acted or did not', async () => {
      const done = await run(['explain', '--policy', acts], [ALL]);
      golden('explained', done.out);
      assert.equal(done.code, 0);
    });

    it('tells selectors, conditions and their parts, without an input', async () => {
      const done = await run(['explain', '--policy', who, '--facts', 'tenant=acme,region=us']);
      golden('explained-conditions', done.out);
      assert.equal(done.code, 0);
    });

    it('tells which rule lifts another', async () => {
      const words = [
        '--facts',
        'tenant=acme,consent=profiling,risk=0.9',
        '--header',
        'x-friend: yes',
      ];
      const done = await run(['explain', '--policy', who, ...words], [chatQuestion('Zebra')]);
      golden('explained-exemption', done.out);
      const two = ['--rule', 'exempted', '--rule', 'who/eu'];
      const some = await run(
        ['explain', '--policy', who, ...words, ...two],
        [chatQuestion('Zebra')],
      );
      assert.deepEqual(
        [...some.out.matchAll(/^(who|other)\/\w+/gm)].map(([id]) => id),
        ['who/eu', 'who/exempted'],
      );
    });

    it('tells the time that was asked for', async () => {
      const path = file(
        'time.yaml',
        `kind: Policy
metadata: { name: t, layer: platform }
class: security
rules:
  - { id: night, when: 'time.getHours() < 6', then: flag }
`,
      );
      for (const [at, result] of [
        ['2026-01-31T03:00:00Z', 'true'],
        ['2026-01-31T13:00:00Z', 'false'],
      ] as const) {
        const done = await run(['explain', '--policy', path, '--at', at, '--json']);
        assert.equal(pickEvents(done, 'rule')[0]?.when?.result, result);
      }
    });

    it('asks which rule is meant', async () => {
      for (const [rule, says] of [
        ['acts/blok', /did you mean `acts\/block`/],
        ['nothing-of-the-kind', /rules that are `off` are not in the set/],
      ] as const) {
        const done = await run(['explain', '--policy', acts, '--rule', rule]);
        assert.match(done.err, says);
        assert.equal(done.code, 2);
      }
      const twice = file('twice.yaml', `${ACTS}---\n${ACTS.replace('name: acts', 'name: again')}`);
      const done = await run(['explain', '--policy', twice, '--rule', 'mail']);
      assert.match(
        done.err,
        /say which: acts\/mail, again\/mail|say which: again\/mail, acts\/mail/,
      );
    });
  });

  describe('as a process', function () {
    this.timeout(60_000);
    /** `npm test` builds first and tries what is shipped; a suite run by hand uses the sources. */
    const built = process.env.SWITCHYARD_BUILT === '1';
    const main = new URL(built ? '../../dist/src/main.js' : '../../src/main.ts', import.meta.url);
    const program = [...(built ? [] : ['--import', 'tsx']), fileURLToPath(main)];
    const start = (words: readonly string[]) => {
      const child = spawn(process.execPath, [...program, ...words], {
        stdio: ['pipe', 'pipe', 'pipe'],
      });
      let out = '';
      let err = '';
      let heard = (): void => {};
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        out += text;
        heard();
      });
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        err += text;
      });
      const closed = new Promise<number | null>((resolve) => child.once('close', resolve));
      return {
        child,
        closed,
        err: () => err,
        /** Resolves with all output so far as soon as that satisfies `enough`; or when the process ends. */
        async until(enough: (text: string) => boolean): Promise<string> {
          while (!enough(out) && child.exitCode === null)
            await Promise.race([
              new Promise<void>((resolve) => {
                heard = resolve;
              }),
              closed,
            ]);
          return out;
        },
      };
    };

    it('gives a stream out frame by frame, as each is released', async () => {
      const [first, second, third, fourth, done] = chatAnswer(['One ', 'Ze', 'bu', 'la. ']).split(
        /(?<=\n\n)/,
      ) as [string, string, string, string, string];
      const process = start(['try', '--policy', acts]);
      process.child.stdin.write(first);
      assert.equal(await process.until((text) => text.length >= first.length), first);
      // Held: it may become `Zebra` until the next one says that it does not.
      process.child.stdin.write(second);
      process.child.stdin.write(third);
      process.child.stdin.write(fourth);
      const three = first + second + third;
      assert.ok((await process.until((text) => text.length >= three.length)).startsWith(three));
      process.child.stdin.end(done);
      assert.equal(await process.closed, 0);
      assert.equal(await process.until(() => true), three + fourth + done);
      assert.match(process.err(), /^verdict {3}passed; matches 0, frames 5, \d held/m);
    });

    it('says at once that a frame is held, and for what', async () => {
      const [first, second, done] = chatAnswer(['Zeb', 'ra!']).split(/(?<=\n\n)/) as [
        string,
        string,
        string,
      ];
      const process = start(['try', '--policy', acts, '--json']);
      process.child.stdin.write(first);
      const events = (text: string) =>
        text
          .trimEnd()
          .split('\n')
          .map((line) => JSON.parse(line) as TrialEvent);
      const held = events(
        await process.until((text) => text.includes('"held"') && text.endsWith('\n')),
      );
      assert.equal(held.at(-1)?.event, 'held');
      assert.ok(!held.some(({ event }) => event === 'released'));
      process.child.stdin.write(second);
      process.child.stdin.end(done);
      assert.equal(await process.closed, 1);
      const all = events(await process.until(() => true));
      assert.ok(!all.some(({ event }) => event === 'released'));
      assert.equal(all.at(-1)?.event, 'verdict');
    });

    it('stops reading when it has refused, and ends', async () => {
      const process = start(['try', '--policy', acts]);
      process.child.stdin.on('error', () => {});
      process.child.stdin.write(chatAnswer(['So. ', 'Zebra ', 'runs ']));
      assert.equal(await process.closed, 1);
      assert.match(await process.until(() => true), /Not that\./);
    });

    it('ends quietly when nobody reads on', async () => {
      const process = start(['try', '--policy', acts]);
      process.child.stdin.on('error', () => {});
      const frame = chatAnswer(['One ']).split(/(?<=\n\n)/)[0]!;
      process.child.stdin.write(frame);
      await process.until((text) => text.length > 0);
      process.child.stdout.destroy();
      const write = (error?: Error | null): void => {
        if (!error && process.child.exitCode === null && !process.child.stdin.destroyed)
          process.child.stdin.write(frame, write);
      };
      write();
      assert.equal(await process.closed, 141);
      assert.doesNotMatch(process.err(), /EPIPE|\n +at /);
    });
  });
});
