import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import { converse, cutAt } from './apis.ts';
import { compile, rig } from './rig.ts';
import {
  chatTools,
  geminiArrayTools,
  geminiTools,
  type MadeCall,
  responsesTools,
  TOOL_APIS,
  type ToolApi,
} from './tool-apis.ts';

const policy = (rules: string, policyClass = 'security') =>
  compile(`
kind: Policy
metadata: { name: scope, layer: platform }
class: ${policyClass}
rules:
${rules}
`);

const SCOPE = policy(
  '  - { id: scope, match: { tool: { notIn: [search, "get_*"] } }, then: block }',
);
const REMOVE = policy('  - { id: gone, match: { tool: { name: transfer } }, then: remove }');
const LARGE = policy(
  "  - { id: large, match: { tool: { name: transfer, where: 'args.amount > 10000' } }, then: { block: { message: Too much. } } }",
);
const CLAMP = policy(
  '  - { id: cap, match: { tool: { name: quote } }, then: { clamp: { path: $.discount, min: 0, max: 40 } } }',
);

const call = (name: string, ...deltas: string[]): MadeCall => ({ name, deltas });
const SEARCH = call('search', '{"q":', '"tea"}');

interface Heard {
  readonly text: string;
  readonly status: number;
}

/** What left of an answer; of a document that was refused, our own answer. */
function streamOf(
  set: ReturnType<typeof policy>,
  api: ToolApi,
  bytes: Uint8Array,
  pieces: readonly Uint8Array[] = [bytes],
): Heard {
  const { port, text } = converse(
    rig(set),
    { path: api.path, question: api.asking(['search'], true) },
    pieces,
    api.streamType,
  );
  return port.refusal
    ? { text: port.refusal.body, status: port.refusal.status }
    : { text, status: 200 };
}

function documentOf(set: ReturnType<typeof policy>, api: ToolApi, body: object): Heard {
  const path = api.name.startsWith('gemini') ? '/v1beta/models/m:generateContent' : api.path;
  const { port, text } = converse(
    rig(set),
    { path, question: api.asking(['search'], false) },
    [Buffer.from(JSON.stringify(body))],
    'application/json',
  );
  return port.refusal
    ? { text: port.refusal.body, status: port.refusal.status }
    : { text, status: 200 };
}

function requestOf(set: ReturnType<typeof policy>, api: ToolApi, question: object) {
  const { port } = converse(rig(set), { path: api.path, question }, []);
  return { refusal: port.refusal, sent: port.sent('request') };
}

for (const api of TOOL_APIS)
  describe(`a tool rule and ${api.name}`, () => {
    it('refuses a request that defines, recalls or has results of a tool that is not in scope', () => {
      assert.equal(requestOf(SCOPE, api, api.asking(['search', 'get_x'], true)).refusal, undefined);
      assert.equal(
        requestOf(SCOPE, api, api.asking(['search', 'shell'], true)).refusal?.status,
        400,
      );
      assert.equal(requestOf(SCOPE, api, api.recalling(SEARCH, 'ok')).refusal, undefined);
      const recalled = requestOf(SCOPE, api, api.recalling(call('shell', '{}'), 'ok'));
      assert.equal(recalled.refusal?.status, 400);
    });

    it('reads results by the call that they answer', () => {
      const results = policy(
        '  - { id: results, inspect: [tool_result], match: { tool: { name: shell } }, then: block }',
      );
      assert.equal(
        requestOf(results, api, api.recalling(call('shell', '{}'), 'ok')).refusal?.status,
        400,
      );
      assert.equal(requestOf(results, api, api.recalling(SEARCH, 'ok')).refusal, undefined);
      assert.equal(requestOf(results, api, api.asking(['shell'], false)).refusal, undefined);
    });

    it('takes definitions out of a request, and leaves every other byte', () => {
      const question = api.asking(['search', 'transfer', 'get_x'], true);
      const { sent } = requestOf(REMOVE, api, question);
      assert.deepEqual(api.defined(sent), ['search', 'get_x']);
      assert.equal(sent, JSON.stringify(api.asking(['search', 'get_x'], true)));
      const none = requestOf(REMOVE, api, api.asking(['transfer'], true)).sent;
      assert.ok(!/tool/i.test(none.replace(/"text"/g, '')), none);
      for (const tools of [
        ['transfer', 'a'],
        ['a', 'transfer'],
        ['transfer', 'a', 'transfer'],
      ])
        assert.deepEqual(api.defined(requestOf(REMOVE, api, api.asking(tools, true)).sent), ['a']);
      // What was called before it was taken away is no new call.
      assert.equal(
        requestOf(REMOVE, api, api.recalling(call('transfer', '{}'), 'x')).refusal,
        undefined,
      );
    });

    it('blocks a streamed call by its name, and shows nothing of it', () => {
      const bytes = api.stream([SEARCH, call('shell', '{"cmd":', '"rm -rf"}'), SEARCH]);
      const { text } = streamOf(SCOPE, api, bytes);
      assert.ok(api.refused(text), text);
      assert.ok(!text.includes('shell') && !text.includes('rm -rf'), text);
      assert.ok(api.heard(text, true).every(({ name }) => name === 'search'));
      const passes = api.stream([SEARCH, call('get_x', '{}')]);
      assert.equal(streamOf(SCOPE, api, passes).text, Buffer.from(passes).toString());
      const blocked = streamOf(REMOVE, api, api.stream([call('transfer', '{}')])).text;
      assert.ok(api.refused(blocked) || blocked.includes('not available'), blocked);
      assert.ok(!blocked.includes('transfer'));
    });

    it('blocks a call in a document', () => {
      const { status, text } = documentOf(SCOPE, api, api.document([SEARCH, call('shell', '{}')]));
      assert.equal(status, 400);
      assert.ok(!text.includes('shell'));
      const passes = api.document([SEARCH]);
      assert.equal(documentOf(SCOPE, api, passes).text, JSON.stringify(passes));
    });

    it('holds a call until its arguments are judged, each call by itself', () => {
      const small = call('transfer', '{"amount"', ':99', '99}');
      const large = call('transfer', '{"amount"', ':99', '999}');
      const passes = api.stream([small, SEARCH, small]);
      assert.equal(streamOf(LARGE, api, passes).text, Buffer.from(passes).toString());
      const { text } = streamOf(LARGE, api, api.stream([small, large]));
      assert.ok(api.refused(text), text);
      assert.ok(text.includes('Too much.'));
      assert.ok(!text.includes('99999'), text);
      // In a stream of chat completions the arguments of all calls are over with the answer alone.
      const told = api.heard(text, true).some(({ name }) => name === 'transfer');
      assert.equal(told, api.name !== 'openai.chat');
      assert.equal(documentOf(LARGE, api, api.document([small, large])).status, 400);
      assert.equal(documentOf(LARGE, api, api.document([small])).status, 200);
    });

    it('refuses what it cannot judge where its class is strict, and passes it where that is operational', () => {
      const lenient = policy(
        "  - { id: large, match: { tool: { where: 'args.amount > 10000' } }, then: block }",
        'operational',
      );
      for (const input of ['{"amount":"a lot"}', '{}', '{"amount":1,"Amount":99999}']) {
        const bytes = api.stream([call('transfer', input)]);
        const strict = streamOf(LARGE, api, bytes).text;
        assert.ok(api.heard(strict, true).length === 0, `${input}: ${strict}`);
        assert.equal(streamOf(lenient, api, bytes).text, Buffer.from(bytes).toString());
      }
      // A name that a tool may read as the same counts as the same.
      const spelled = streamOf(LARGE, api, api.stream([call('transfer', '{"AMOUNT":99999}')]));
      assert.ok(spelled.text.includes('Too much.'), spelled.text);
    });

    it('clamps a number in place, wherever an answer repeats it', () => {
      const made = call('quote', '{"item":"é","disc', 'ount":4', '5.5,"n":7}');
      const expected = '{"item":"é","discount":40,"n":7}';
      for (const { name, input } of api.heard(streamOf(CLAMP, api, api.stream([made])).text, true))
        assert.deepEqual([name, input], ['quote', expected]);
      const heard = api.heard(documentOf(CLAMP, api, api.document([made])).text, false);
      assert.deepEqual(heard, [{ name: 'quote', input: expected }]);
      const within = api.stream([call('quote', '{"discount":"40"}'), SEARCH]);
      assert.equal(streamOf(CLAMP, api, within).text, Buffer.from(within).toString());
      const written = streamOf(CLAMP, api, api.stream([call('quote', '{"discount":"-1e3"}')]));
      assert.ok(api.heard(written.text, true).every(({ input }) => input === '{"discount":"0"}'));
      const odd = streamOf(CLAMP, api, api.stream([call('quote', '{"discount":"40%"}')])).text;
      assert.equal(api.heard(odd, true).length, 0, odd);
    });

    it('sends the same bytes however the answer is cut (law a)', () => {
      const made = [SEARCH, call('quote', '{"discount":', '90}'), call('transfer', '{"amount":5}')];
      for (const set of [SCOPE, LARGE, CLAMP]) {
        const bytes = api.stream(made);
        const whole = streamOf(set, api, bytes).text;
        for (let cut = 1; cut < bytes.length; cut += 31)
          assert.equal(
            streamOf(set, api, bytes, cutAt(bytes, [cut, cut + 3])).text,
            whole,
            `cut at byte ${cut}`,
          );
      }
    });

    it('judges calls in an answer that is compressed, which leaves as it is', () => {
      const made = [SEARCH, call('quote', '{"discount":90}'), call('transfer', '{"amount":5}')];
      const left = (set: ReturnType<typeof policy>, bytes: Uint8Array) => {
        const { port, text } = converse(
          rig(set),
          { path: api.path, question: api.asking(['search'], true) },
          [gzipSync(bytes)],
          api.streamType,
          { 'content-encoding': 'gzip' },
        );
        return { refusal: port.refusal?.body, text };
      };
      const clamped = left(CLAMP, api.stream(made)).text;
      assert.equal(clamped, streamOf(CLAMP, api, api.stream(made)).text);
      assert.notEqual(clamped, Buffer.from(api.stream(made)).toString());
      const large = left(LARGE, api.stream([SEARCH, call('transfer', '{"amount":99999}')]));
      assert.match(large.refusal ?? '', /Too much\./);
      assert.equal(large.text, '');
      const scope = left(SCOPE, api.stream([SEARCH, call('shell', '{}')]));
      assert.ok(scope.refusal !== undefined && !scope.refusal.includes('shell'));
    });

    it('judges the same calls however their arguments are cut (law b)', () => {
      const input = '{"discount":45.5,"amount":99999,"note":"x"}';
      for (let cut = 0; cut <= input.length; cut += 1) {
        const deltas = [input.slice(0, cut), input.slice(cut)];
        const clamped = streamOf(CLAMP, api, api.stream([call('quote', ...deltas)])).text;
        for (const heard of api.heard(clamped, true))
          assert.equal(heard.input, input.replace('45.5', '40'), `cut at unit ${cut}`);
        const refused = streamOf(
          LARGE,
          api,
          api.stream([SEARCH, call('transfer', ...deltas)]),
        ).text;
        assert.ok(api.refused(refused) && !refused.includes('99999'), `cut at unit ${cut}`);
        assert.ok(api.heard(refused, true).every(({ name }) => name === 'search'));
      }
    });
  });

describe('a tool rule', () => {
  it('lets text before a call leave, and text in the same delta without the call', () => {
    const set = SCOPE;
    const apart = streamOf(set, chatTools, chatTools.stream([call('shell', '{}')], 'Hello')).text;
    assert.ok(apart.includes('Hello'));
    const together = Buffer.from(
      `data: {"id":"c","choices":[{"index":0,"delta":{"content":"Hello","tool_calls":[{"index":0,"id":"x","function":{"name":"shell","arguments":"{}"}}]}}]}\n\ndata: [DONE]\n\n`,
    );
    const { text } = streamOf(set, chatTools, together);
    assert.ok(!text.includes('shell'), text);
  });

  it('forbids a name in any case and form, and allows it only as it is written', () => {
    const names = policy(
      '  - { id: no, match: { tool: { in: [transfer, "rm_*"] } }, then: block }',
    );
    for (const name of ['Transfer', 'tran\u200bsfer', ' transfer', 'ＴＲＡＮＳＦＥＲ', 'RM_rf'])
      assert.ok(
        chatTools.refused(streamOf(names, chatTools, chatTools.stream([call(name, '{}')])).text),
        name,
      );
    for (const name of ['transfers', 'rm'])
      assert.ok(
        !chatTools.refused(streamOf(names, chatTools, chatTools.stream([call(name, '{}')])).text),
        name,
      );
    const wrong = streamOf(SCOPE, chatTools, chatTools.stream([call('Search', '{}')])).text;
    assert.ok(chatTools.refused(wrong));
  });

  it('is lifted by an `allow` of higher priority that matches the same call', () => {
    const set = policy(`
  - { id: ok, priority: 5, match: { tool: { name: transfer, where: 'args.to == "me"' } }, then: allow }
  - { id: no, match: { tool: { name: transfer } }, then: block }`);
    const mine = chatTools.stream([call('transfer', '{"to":', '"me"}')]);
    assert.equal(streamOf(set, chatTools, mine).text, Buffer.from(mine).toString());
    const other = streamOf(set, chatTools, chatTools.stream([call('transfer', '{"to":"you"}')]));
    assert.ok(chatTools.refused(other.text));
  });

  it('in shadow or as a flag holds nothing and changes nothing', () => {
    const set = policy(`
  - { id: seen, match: { tool: { name: search, where: 'args.q == "tea"' } }, then: flag }
  - { id: tried, enforcement: shadow, match: { tool: { name: search } }, then: block }`);
    const from = rig(set);
    const bytes = chatTools.stream([SEARCH]);
    const { text } = converse(
      from,
      { path: chatTools.path, question: chatTools.asking([], true) },
      [bytes],
    );
    assert.equal(text, Buffer.from(bytes).toString());
    assert.deepEqual(
      from.records.at(-1)?.findings.map(({ rule, enforced }) => [rule, enforced]),
      [
        ['scope/tried', false],
        ['scope/seen', true],
      ],
    );
  });

  it('judges a call whose arguments come path by path by its name, and its arguments not at all', () => {
    const part = (functionCall: object, finishReason?: string) => ({
      candidates: [
        {
          content: { role: 'model', parts: [{ functionCall }] },
          ...(finishReason === undefined ? {} : { finishReason }),
        },
      ],
    });
    const chunks = (name: string): readonly object[] => [
      part({ name, willContinue: true }),
      part({ partialArgs: [{ jsonPath: '$.amount', numberValue: 99999 }], willContinue: true }),
      part({ partialArgs: [{ jsonPath: '$.to', stringValue: 'me' }], willContinue: true }),
      part({}, 'STOP'),
    ];
    const written: readonly (readonly [ToolApi, (all: readonly object[]) => string])[] = [
      [geminiTools, (all) => all.map((one) => `data: ${JSON.stringify(one)}\n\n`).join('')],
      [geminiArrayTools, (all) => JSON.stringify(all)],
    ];
    const lenient = policy(
      "  - { id: large, match: { tool: { name: transfer, where: 'args.amount > 10000' } }, then: block }",
      'operational',
    );
    for (const [api, write] of written) {
      const shell = Buffer.from(write(chunks('shell')));
      const refused = streamOf(SCOPE, api, shell).text;
      assert.ok(api.refused(refused) && !refused.includes('shell'), refused);
      const transfer = Buffer.from(write(chunks('transfer')));
      for (const [set, passes] of [
        [LARGE, false],
        [lenient, true],
        [CLAMP, true],
      ] as const)
        assert.equal(streamOf(set, api, transfer).text === transfer.toString(), passes);
      const quote = streamOf(CLAMP, api, Buffer.from(write(chunks('quote')))).text;
      assert.ok(api.refused(quote) && !quote.includes('99999'), quote);
      const search = Buffer.from(write(chunks('search')));
      assert.equal(streamOf(SCOPE, api, search).text, search.toString());
    }
  });

  it('leaves a list that readers must find in an answer, be it empty', () => {
    const listed = (names: readonly string[]) => ({
      id: 'resp_1',
      object: 'response',
      status: 'completed',
      output: [
        {
          type: 'mcp_list_tools',
          id: 'mcpl_1',
          server_label: 's',
          tools: names.map((name) => ({ name, input_schema: {} })),
        },
      ],
    });
    for (const [told, left] of [
      [['transfer'], []],
      [['transfer', 'search'], ['search']],
    ] as const)
      assert.equal(
        documentOf(REMOVE, responsesTools, listed(told)).text,
        JSON.stringify(listed(left)),
      );
  });
});
