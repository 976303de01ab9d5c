/** Rules for tools behind Envoy as it is shipped: definitions, calls and their arguments, in the words of each API. */
import assert from 'node:assert/strict';
import { encodeScript, SCRIPT_HEADER, type Script } from '../../demo/script.ts';
import { typedEvents } from '../engine/apis.ts';
import { chatStream } from '../engine/rig.ts';
import { chatTools, type MadeCall, responsesTools, TOOL_APIS } from '../engine/tool-apis.ts';
import { requireEnvoy, type Stack, startStack } from './harness.ts';
import { type Answer, send } from './http-client.ts';

const POLICY = `
kind: Policy
metadata: { name: scope, layer: platform }
class: security
rules:
  - { id: shell, match: { tool: { in: [shell, "rm_*"] } }, then: { block: { message: Not allowed here. } } }
  - { id: gone, match: { tool: { name: erase } }, then: remove }
  - { id: large, match: { tool: { name: transfer, where: 'args.amount > 10000' } }, then: { block: { message: Too much. } } }
  - { id: cap, match: { tool: { name: quote } }, then: { clamp: { path: $.discount, min: 0, max: 40 } } }
`;

const call = (name: string, ...deltas: string[]): MadeCall => ({ name, deltas });
const SEARCH = call('search', '{"q":', '"tea"}');
const SMALL = call('transfer', '{"amount"', ':99', '99}');
const LARGE = call('transfer', '{"amount"', ':99', '999}');

/** How the writes of the provider fall: event by event, and across events and characters. */
const CUTS: readonly Script[] = [{}, { cutBytes: 11 }];
const EVENTS = { 'content-type': 'text/event-stream' };

describe('tools behind Envoy', function () {
  this.timeout(60_000);
  let stack: Stack;

  before(async function () {
    requireEnvoy(this);
    stack = await startStack({ policies: { 'scope.yaml': POLICY } });
  });

  after(() => stack?.stop());

  const post = (path: string, body: object, script: Script = { chunks: ['{}'] }): Promise<Answer> =>
    send(stack.envoy.port, {
      method: 'POST',
      path,
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        [SCRIPT_HEADER]: encodeScript(script),
      },
      body: JSON.stringify(body),
    });
  const asked = () => stack.upstream.journal.length;
  const lastSent = () => String(stack.upstream.journal.at(-1)?.body);

  for (const api of TOOL_APIS)
    describe(api.name, () => {
      const documentPath = api.path.replace(/streamGenerateContent.*/u, 'generateContent');
      /** What left of an answer, the same for every way in which it was written. */
      const streamed = async (bytes: Uint8Array): Promise<string> => {
        const said = new Set<string>();
        for (const cut of CUTS) {
          const events = Buffer.from(bytes)
            .toString()
            .split(/(?<=\n\n)/);
          const headers = { 'content-type': api.streamType ?? 'text/event-stream' };
          const script = { chunks: events, headers, ...cut };
          const answer = await post(api.path, api.asking(['search'], true), script);
          assert.equal(answer.error, '');
          // Ids of decisions and of what is said instead are new each time.
          said.add(answer.text.replace(/[\da-f]{8}-[\da-f-]{27}/gu, 'id'));
        }
        assert.equal(said.size, 1, [...said].join('\n\n---\n\n'));
        return [...said][0] ?? '';
      };
      const whole = (calls: readonly MadeCall[]): Promise<Answer> =>
        post(documentPath, api.asking(['search'], false), {
          chunks: [JSON.stringify(api.document(calls))],
          headers: { 'content-type': 'application/json' },
        });

      it('refuses a request that defines a tool which is blocked', async () => {
        for (const stream of [false, true]) {
          const before = asked();
          const path = stream ? api.path : documentPath;
          const answer = await post(path, api.asking(['search', 'Shell'], stream));
          assert.equal(answer.status, 400);
          assert.equal(JSON.parse(answer.text).error.message, 'Not allowed here.');
          assert.equal(asked(), before, 'a refused request went on');
        }
      });

      it('takes a tool out of a request, and leaves every other byte', async () => {
        for (const stream of [false, true]) {
          const path = stream ? api.path : documentPath;
          await post(path, api.asking(['search', 'erase', 'get'], stream));
          assert.equal(lastSent(), JSON.stringify(api.asking(['search', 'get'], stream)));
        }
        await post(api.path, api.asking(['erase'], true));
        assert.deepEqual(api.defined(lastSent()), []);
        assert.doesNotMatch(lastSent(), /tool/iu);
      });

      it('blocks a call by its name, streamed and whole', async () => {
        for (const [name, said] of [
          ['shell', /Not allowed here\./u],
          ['rm_all', /Not allowed here\./u],
          ['erase', /./u],
        ] as const) {
          const input = '{"cmd":"secret"}';
          const left = await streamed(api.stream([SEARCH, call(name, '{"cmd":', '"secret"}')]));
          assert.ok(api.refused(left), left);
          assert.match(left, said);
          assert.ok(!left.includes('secret') && !left.includes(name), left);
          assert.ok(api.heard(left, true).every((heard) => heard.name === 'search'));
          const answer = await whole([SEARCH, call(name, input)]);
          assert.equal(answer.status, 400);
          assert.match(answer.text, said);
          assert.ok(!answer.text.includes('secret'), answer.text);
        }
      });

      it('blocks a call by its arguments, each call by itself', async () => {
        const passes = api.stream([SMALL, SEARCH, SMALL]);
        assert.equal(await streamed(passes), Buffer.from(passes).toString());
        // A bound for one tool is none for another.
        const other = api.stream([SMALL, call('search', '{"amount":', '99999}')]);
        assert.equal(await streamed(other), Buffer.from(other).toString());
        const left = await streamed(api.stream([SMALL, LARGE]));
        assert.ok(api.refused(left), left);
        assert.match(left, /Too much\./u);
        assert.ok(!left.includes('99999'), left);
        assert.equal((await whole([SMALL, SEARCH])).status, 200);
        assert.equal((await whole([SMALL, LARGE])).status, 400);
      });

      it('clamps a number wherever an answer tells it', async () => {
        const made = call('quote', '{"item":"é","disc', 'ount":4', '5.5,"n":7}');
        const clamped = '{"item":"é","discount":40,"n":7}';
        const heard = api.heard(await streamed(api.stream([SEARCH, made])), true);
        assert.ok(heard.some(({ name }) => name === 'quote'));
        for (const { name, input } of heard)
          assert.equal(input, name === 'quote' ? clamped : '{"q":"tea"}');
        const { text } = await whole([SEARCH, made]);
        assert.deepEqual(
          api.heard(text, false).map(({ input }) => input),
          ['{"q":"tea"}', clamped],
        );
      });
    });

  /** Calls of which the arguments come in turns. */
  describe('calls that are told at the same time', () => {
    const inTurns = (calls: readonly MadeCall[]) =>
      Array.from({ length: Math.max(...calls.map(({ deltas }) => deltas.length)) }, (_, at) =>
        calls.flatMap(({ deltas }, index) => {
          const part = deltas[at];
          return part === undefined ? [] : [{ index, part }];
        }),
      ).flat();

    const chatTurns = (calls: readonly MadeCall[]): Uint8Array =>
      chatStream([
        ...calls.map(({ name }, index) => ({
          delta: {
            tool_calls: [
              { index, id: `c${index}`, type: 'function', function: { name, arguments: '' } },
            ],
          },
        })),
        ...inTurns(calls).map(({ index, part }) => ({
          delta: { tool_calls: [{ index, function: { arguments: part } }] },
        })),
        { delta: {}, finish: 'tool_calls' },
      ]);

    const responsesTurns = (calls: readonly MadeCall[]): Uint8Array => {
      const { output, ...head } = responsesTools.document(calls) as { output: readonly object[] };
      const at = (output_index: number) => ({ item_id: `fc_${output_index}`, output_index });
      return typedEvents(
        [
          { type: 'response.created', response: { ...head, status: 'in_progress', output: [] } },
          ...output.map((item, output_index) => ({
            type: 'response.output_item.added',
            output_index,
            item: { ...item, arguments: '', status: 'in_progress' },
          })),
          ...inTurns(calls).map(({ index, part }) => ({
            type: 'response.function_call_arguments.delta',
            ...at(index),
            delta: part,
          })),
          ...calls.flatMap(({ deltas }, index) => [
            {
              type: 'response.function_call_arguments.done',
              ...at(index),
              arguments: deltas.join(''),
            },
            { type: 'response.output_item.done', output_index: index, item: output[index] },
          ]),
          { type: 'response.completed', response: { ...head, output } },
        ].map((event, index) => ({ ...event, sequence_number: index })),
      );
    };

    for (const [api, inTurn] of [
      [chatTools, chatTurns],
      [responsesTools, responsesTurns],
    ] as const) {
      const streamed = async (bytes: Uint8Array): Promise<string> => {
        const chunks = Buffer.from(bytes)
          .toString()
          .split(/(?<=\n\n)/);
        const script = { chunks, headers: EVENTS };
        return (await post(api.path, api.asking(['search'], true), script)).text;
      };

      it(`are judged each by itself, in ${api.name}`, async () => {
        const other = call('search', '{"amount"', ':99', '999}');
        const passes = inTurn([SMALL, other]);
        assert.equal(await streamed(passes), Buffer.from(passes).toString());
        const left = await streamed(inTurn([other, LARGE, SMALL]));
        assert.ok(api.refused(left), left);
        assert.match(left, /Too much\./u);
        assert.ok(!api.heard(left, true).some(({ name, input }) => name === 'transfer' && input));
      });

      it(`are clamped each by itself, in ${api.name}`, async () => {
        const within = call('quote', '{"discount":', '3', '9}');
        const beyond = call('quote', '{"discount":', '4', '1}');
        const free = call('search', '{"discount":', '9', '9}');
        const heard = api.heard(await streamed(inTurn([within, beyond, free])), true);
        assert.deepEqual([...new Set(heard.map(({ name, input }) => `${name} ${input}`))].sort(), [
          'quote {"discount":39}',
          'quote {"discount":40}',
          'search {"discount":99}',
        ]);
      });
    }
  });

  describe('the Model Context Protocol', () => {
    const rpc = (rest: object) => ({ jsonrpc: '2.0', id: 7, ...rest });
    const toolCall = (name: string, args: object) =>
      rpc({ method: 'tools/call', params: { name, arguments: args } });
    const list = (...names: string[]) =>
      rpc({
        result: {
          tools: names.map((name) => ({ name, description: 'd', inputSchema: { type: 'object' } })),
          nextCursor: 'n',
        },
      });
    const DONE = rpc({ result: { content: [{ type: 'text', text: 'done' }] } });
    const TAKES: readonly (readonly [string, (message: object) => Script])[] = [
      [
        'JSON',
        (message) => ({
          chunks: [JSON.stringify(message)],
          headers: { 'content-type': 'application/json' },
        }),
      ],
      [
        'server-sent events',
        (message) => ({
          chunks: [`event: message\nid: 1\ndata: ${JSON.stringify(message)}\n\n`],
          headers: EVENTS,
        }),
      ],
    ];

    for (const [name, told] of TAKES) {
      it(`takes tools out of a list that comes as ${name}`, async () => {
        const listing = rpc({ method: 'tools/list', params: {} });
        for (const cut of CUTS) {
          const full = list('shell', 'search', 'erase', 'rm_all', 'transfer');
          const answer = await post('/mcp', listing, { ...told(full), ...cut });
          assert.equal(answer.status, 200);
          const expected = told(list('search', 'transfer')).chunks?.join('');
          assert.equal(answer.text, expected);
          const none = await post('/mcp', listing, { ...told(list('shell', 'erase')), ...cut });
          assert.equal(none.text, told(list()).chunks?.join(''));
        }
      });

      it(`leaves an answer as it was that comes as ${name}`, async () => {
        for (const message of [list('search', 'transfer'), DONE]) {
          const { chunks = [], ...rest } = told(message);
          const answer = await post('/mcp', toolCall('search', { q: 'tea' }), { chunks, ...rest });
          assert.equal(answer.text, chunks.join(''));
        }
      });
    }

    it('refuses a call by its name and by its arguments, with the id of the request', async () => {
      for (const [name, args, message] of [
        ['shell', {}, 'Not allowed here.'],
        ['SHELL', {}, 'Not allowed here.'],
        ['erase', {}, undefined],
        ['transfer', { amount: 10001 }, 'Too much.'],
        ['transfer', { amount: '1e9' }, undefined],
      ] as const) {
        const before = asked();
        const answer = await post('/mcp', toolCall(name, args));
        const body = JSON.parse(answer.text);
        assert.equal(asked(), before, `${name} reached the server`);
        assert.equal(body.id, 7);
        assert.ok(body.error.data.decision);
        if (message === undefined) continue;
        assert.equal(answer.status, 200);
        assert.equal(body.error.message, message);
      }
    });

    it('passes a call within its bounds, and clamps one that is not', async () => {
      const passes = toolCall('transfer', { amount: 10000 });
      assert.equal((await post('/mcp', passes, TAKES[1]![1](DONE))).status, 200);
      assert.equal(lastSent(), JSON.stringify(passes));
      await post('/mcp', toolCall('quote', { item: 'é', discount: 250 }), TAKES[0]![1](DONE));
      assert.equal(lastSent(), JSON.stringify(toolCall('quote', { item: 'é', discount: 40 })));
    });

    it('judges each call of a batch', async () => {
      const before = asked();
      const batch = [toolCall('search', {}), { ...toolCall('transfer', { amount: 2e4 }), id: 8 }];
      const answer = await post('/mcp', batch);
      assert.equal(asked(), before);
      assert.deepEqual(
        JSON.parse(answer.text).map((one: { id: number; error: { message: string } }) => [
          one.id,
          one.error.message,
        ]),
        [
          [7, 'Too much.'],
          [8, 'Too much.'],
        ],
      );
    });
  });
});
