/**
 * Every shape of exchange in which content could slip out of the path it belongs to: each is sent with
 * fresh planted tokens wherever a client or a model can put bytes.
 */
import { gzipSync } from 'node:zlib';
import { encodeScript, SCRIPT_HEADER, type Script } from '../../demo/script.ts';
import { type Answer, type RequestOptions, send } from './http-client.ts';
import type { PlantedTokens } from './planted-tokens.ts';

/** Facts that clients choose, held bytes that are soon too many, deadlines that are soon over. */
export const PLANTED_CONFIG = `
facts:
  tenant: [{ from: header, name: x-tenant, trusted: true }]
  app: [{ from: header, name: x-app, trusted: true }]
  principal: [{ from: header, name: x-user, trusted: true }]
  model: [{ from: body }]
  session: [{ from: header, name: x-session-id, trusted: true }]
trustedHeaders: [x-team]
limits:
  requestBodyBytesMax: 65536
  responseBodyBytesMax: 65536
  heldBytesMax: 16384
  decodedBytesMax: 131072
  requestStallTimeoutMs: 700
  responseStallTimeoutMs: 700
`;

export const PLANTED_POLICIES = {
  'platform.yaml': `
kind: Policy
metadata: { name: planted, layer: platform }
class: security
rules:
  - { id: blocked, inspect: [request, system, tool_result, tool_call, tool_definition], match: { regex: { pattern: 'blockme-[a-z0-9]{20}' } }, then: { block: { message: No. } } }
  - { id: stopped, inspect: [response], match: { regex: { pattern: 'stopme-[a-z0-9]{20}' } }, then: block }
  - { id: rewritten, inspect: [request, response, tool_result], match: { regex: { pattern: 'secret-[a-z0-9]{20}' } }, then: { rewrite: { with: a secret } } }
  - { id: masked, inspect: [request, response, tool_result], match: { pii: { entities: [email, credit_card] } }, then: redact }
  - { id: flagged, inspect: [request, response], match: { regex: { pattern: 'flagme-[a-z0-9]{20}' } }, then: flag }
  - { id: shadowed, enforcement: shadow, inspect: [request, response], match: { regex: { pattern: 'shadow-[a-z0-9]{20}' } }, then: block }
  - { id: team, when: '"x-team" in headers && headers["x-team"].startsWith("blocked")', then: block }
  - { id: appended, inspect: [response], match: { regex: { pattern: 'append-[a-z0-9]{20}' } }, then: { append: { text: Noted. } } }
`,
  'failing.yaml': `
kind: Policy
metadata: { name: failing, layer: tenant, selector: { tenant: failing } }
class: security
rules:
  - { id: reads-what-is-absent, when: 'headers["x-absent"] == "a"', then: block }
`,
  'degraded.yaml': `
kind: Policy
metadata: { name: degraded, layer: tenant, selector: { tenant: degraded } }
class: operational
rules:
  - { id: reads-what-is-absent, when: 'headers["x-absent"] == "a"', then: flag }
`,
};

interface Drawn {
  readonly request?: RequestOptions;
  readonly headers?: Readonly<Record<string, string>>;
  /** Members of the JSON body; wins over those of a plain chat request. */
  readonly body?: Readonly<Record<string, unknown>>;
  readonly script?: Script;
  readonly stream?: boolean;
}

export interface Shape {
  readonly name: string;
  /** Status that the client sees; 0 when the connection breaks. */
  readonly status: number;
  readonly draw: (planted: PlantedTokens) => Drawn;
}

const EVENTS = { 'content-type': 'text/event-stream' };
const user = (content: unknown) => ({ messages: [{ role: 'user', content }] });
const event = (delta: unknown) =>
  `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', choices: [{ index: 0, delta }] })}\n\n`;
const DONE = 'data: [DONE]\n\n';

const REQUESTS: readonly Shape[] = [
  {
    name: 'every role, tool, key and unknown member',
    status: 200,
    draw: ({ mint }) => ({
      body: {
        model: mint(),
        user: mint(),
        metadata: { [mint()]: mint() },
        [mint()]: { [mint()]: [mint(), { [mint()]: mint() }] },
        messages: [
          { role: 'system', content: mint(), name: mint() },
          { role: 'developer', content: mint() },
          { role: 'user', content: [{ type: 'text', text: mint(), [mint()]: mint() }] },
          {
            role: 'assistant',
            content: mint(),
            tool_calls: [
              {
                id: mint(),
                type: 'function',
                function: { name: mint(), arguments: JSON.stringify({ [mint()]: mint() }) },
              },
            ],
          },
          { role: 'tool', tool_call_id: mint(), content: mint() },
          { role: mint(), content: mint() },
        ],
        tools: [
          {
            type: 'function',
            function: {
              name: mint(),
              description: mint(),
              parameters: { type: 'object', properties: { [mint()]: { description: mint() } } },
            },
          },
        ],
      },
    }),
  },
  {
    name: 'refused prompt',
    status: 400,
    draw: ({ mint }) => ({ body: { model: mint(), ...user(`${mint()} blockme-${mint()}`) } }),
  },
  {
    name: 'refused system message',
    status: 400,
    draw: ({ mint }) => ({
      body: { messages: [{ role: 'system', content: `blockme-${mint()}` }] },
    }),
  },
  {
    name: 'refused tool result',
    status: 400,
    draw: ({ mint }) => ({
      body: {
        messages: [
          { role: 'user', content: mint() },
          { role: 'tool', tool_call_id: mint(), content: `blockme-${mint()}` },
        ],
      },
    }),
  },
  {
    name: 'refused tool arguments under a planted key',
    status: 400,
    draw: ({ mint }) => ({
      body: {
        messages: [
          {
            role: 'assistant',
            tool_calls: [
              {
                id: mint(),
                type: 'function',
                function: {
                  name: mint(),
                  arguments: JSON.stringify({ [mint()]: `blockme-${mint()}` }),
                },
              },
            ],
          },
        ],
      },
    }),
  },
  {
    name: 'masked, rewritten, flagged and shadowed prompt',
    status: 200,
    draw: ({ mint, card }) => ({
      body: user(
        `${mint()}@${mint()}.example ${card()} secret-${mint()} flagme-${mint()} shadow-${mint()}`,
      ),
    }),
  },
  {
    name: 'refused by a header',
    status: 400,
    draw: ({ mint }) => ({ headers: { 'x-team': `blocked ${mint()}` }, body: user(mint()) }),
  },
  {
    name: 'a condition that fails, security',
    status: 503,
    draw: ({ mint }) => ({ headers: { 'x-tenant': 'failing' }, body: user(mint()) }),
  },
  {
    name: 'a condition that fails, operational',
    status: 200,
    draw: ({ mint }) => ({ headers: { 'x-tenant': 'degraded' }, body: user(mint()) }),
  },
  {
    name: 'broken JSON',
    status: 400,
    draw: ({ mint }) => ({ request: { body: `{"model":"${mint()}","${mint()}": ${mint()}` } }),
  },
  {
    name: 'duplicate keys',
    status: 200,
    draw: ({ mint }) => ({
      request: {
        body: `{"model":"${mint()}","model":"${mint()}","messages":[{"role":"user","content":"${mint()}","content":"${mint()}"}]}`,
      },
    }),
  },
  {
    name: 'not UTF-8',
    status: 200,
    draw: ({ mint }) => ({
      request: {
        body: Buffer.concat([
          Buffer.from(`{"messages":[{"role":"user","content":"${mint()}`),
          Buffer.from([0xff, 0xc3, 0x28]),
          Buffer.from(`${mint()}"}]}`),
        ]),
      },
    }),
  },
  {
    name: 'gzip',
    status: 200,
    draw: ({ mint }) => ({
      headers: { 'content-encoding': 'gzip' },
      request: { body: gzipSync(JSON.stringify(user(`${mint()} secret-${mint()}`))) },
    }),
  },
  {
    name: 'said to be gzip',
    status: 503,
    draw: ({ mint }) => ({
      headers: { 'content-encoding': 'gzip' },
      request: { body: JSON.stringify(user(mint())) },
    }),
  },
  {
    name: 'an encoding nobody knows',
    status: 503,
    draw: ({ mint }) => ({ headers: { 'content-encoding': mint() }, body: user(mint()) }),
  },
  {
    name: 'oversize',
    status: 413,
    draw: ({ mint }) => ({ body: user(`${mint()} ${'long '.repeat(16_000)} ${mint()}`) }),
  },
  {
    name: 'a client that stops inside the body',
    status: 408,
    draw: ({ mint }) => ({
      request: { pieces: [`{"model":"${mint()}",`, `"${mint()}":1}`], delayMs: 1_500 },
    }),
  },
  {
    name: 'plain text',
    status: 400,
    draw: ({ mint }) => ({
      headers: { 'content-type': `text/plain; charset=${mint()}` },
      request: { body: `${mint()} blockme-${mint()}` },
    }),
  },
  {
    name: 'a content type nobody knows',
    status: 400,
    draw: ({ mint }) => ({
      headers: { 'content-type': `application/${mint()}` },
      request: { body: mint(), path: `/${mint()}/${mint()}` },
    }),
  },
];

const ANSWERS: readonly Shape[] = [
  {
    name: 'a streamed answer',
    status: 200,
    draw: ({ mint, card }) => ({
      stream: true,
      body: user(mint()),
      script: {
        deltas: [
          `${mint()} `,
          `${mint()}@${mint()}.example ${card()} secret-${mint()} `,
          `flagme-${mint()} shadow-${mint()} append-${mint()}`,
        ],
      },
    }),
  },
  {
    name: 'a streamed answer that is stopped',
    status: 200,
    draw: ({ mint }) => ({
      stream: true,
      script: { deltas: [`${mint()} `, `stopme-${mint()}`, ` ${mint()}`] },
    }),
  },
  {
    name: 'planted keys in deltas',
    status: 200,
    draw: ({ mint }) => ({
      stream: true,
      script: {
        headers: EVENTS,
        chunks: [
          event({ [mint()]: mint(), content: mint() }),
          event({ [mint()]: { [mint()]: `secret-${mint()}` } }),
          event({ reasoning_content: `secret-${mint()}`, refusal: `secret-${mint()}` }),
          `: ${mint()}\n\n`,
          `event: ${mint()}\nid: ${mint()}\ndata: {"${mint()}": "${mint()}"}\n\n`,
          DONE,
        ],
      },
    }),
  },
  {
    name: 'streamed tool arguments',
    status: 200,
    draw: ({ mint }) => ({
      stream: true,
      script: {
        toolCall: {
          name: mint(),
          argumentDeltas: [`{"${mint()}":"`, `secret-${mint()}`, `","${mint()}":"${mint()}"}`],
        },
      },
    }),
  },
  {
    name: 'a document',
    status: 200,
    draw: ({ mint, card }) => ({
      script: {
        text: `${mint()} ${mint()}@corp.example ${card()} secret-${mint()} flagme-${mint()}`,
      },
    }),
  },
  {
    name: 'a document that is refused',
    status: 400,
    draw: ({ mint }) => ({ script: { text: `${mint()} stopme-${mint()}` } }),
  },
  {
    name: 'an error document of the provider',
    status: 500,
    draw: ({ mint }) => ({
      script: {
        status: 500,
        headers: { 'x-provider-note': mint(), 'content-type': 'application/json' },
        chunks: [
          JSON.stringify({ error: { message: `${mint()} secret-${mint()}`, code: mint() } }),
        ],
      },
    }),
  },
  {
    name: 'broken JSON in an answer',
    status: 502,
    draw: ({ mint }) => ({
      script: {
        headers: { 'content-type': 'application/json' },
        chunks: [`{"choices":[{"message":{"content":"${mint()}"}},{"${mint()}`],
      },
    }),
  },
  {
    name: 'broken JSON in an event',
    status: 502,
    draw: ({ mint }) => ({
      stream: true,
      script: { headers: EVENTS, chunks: [`data: {"choices": ${mint()}\n\n`, DONE] },
    }),
  },
  {
    name: 'an answer in gzip',
    status: 200,
    draw: ({ mint }) => ({
      script: { text: `${mint()} secret-${mint()}`, encode: 'gzip', encodeAlways: true },
    }),
  },
  {
    name: 'an answer said to be br',
    status: 503,
    draw: ({ mint }) => ({ script: { text: mint(), headers: { 'content-encoding': 'br' } } }),
  },
  {
    name: 'an answer that is too large',
    status: 502,
    draw: ({ mint }) => ({
      script: {
        headers: { 'content-type': 'application/json' },
        chunks: [`${mint()} ${'long '.repeat(200)} ${mint()}`],
        repeat: 100,
      },
    }),
  },
  {
    name: 'an event that is too large to hold',
    status: 502,
    draw: ({ mint }) => ({
      stream: true,
      script: {
        headers: EVENTS,
        chunks: [`data: {"${mint()}":"${'long '.repeat(200)}`],
        repeat: 50,
      },
    }),
  },
  {
    name: 'an upstream that stalls inside an event',
    status: 504,
    draw: ({ mint }) => ({
      stream: true,
      script: { headers: EVENTS, chunks: [`data: {"${mint()}":"${mint()}`, 'x'], stallAfter: 1 },
    }),
  },
  {
    name: 'an upstream that breaks off',
    status: 502,
    draw: ({ mint }) => ({
      script: { text: mint(), headers: { 'x-note': mint() }, abortAfter: 0 },
    }),
  },
  {
    name: 'planted trailers',
    status: 200,
    draw: ({ mint }) => ({
      stream: true,
      script: { text: mint(), trailers: { 'x-note': mint() } },
    }),
  },
];

export const SHAPES: readonly Shape[] = [...REQUESTS, ...ANSWERS];

/** Headers in which a client can put bytes; facts, cookies, credentials, and a name of its own. */
function plantedHeaders({ mint }: PlantedTokens): Record<string, string> {
  return {
    'content-type': 'application/json',
    'x-session-id': mint(),
    'x-request-id': mint(),
    'x-tenant': mint(),
    'x-app': mint(),
    'x-user': mint(),
    'x-team': mint(),
    authorization: `Bearer ${mint()}`,
    cookie: `sid=${mint()}; ${mint()}=1`,
    'user-agent': mint(),
    [`x-${mint()}`]: mint(),
  };
}

/** Sends one exchange of a shape through Envoy's port. */
export function sendShape(
  port: number,
  shape: Shape,
  planted: PlantedTokens,
  traceparent = planted.mint(),
): Promise<Answer> {
  const { request, headers, body, script, stream } = shape.draw(planted);
  const { mint } = planted;
  return send(port, {
    method: 'POST',
    path: `/v1/chat/completions?${mint()}=${mint()}`,
    body: JSON.stringify({ model: 'demo', stream: stream ?? false, ...user(mint()), ...body }),
    ...request,
    headers: {
      ...plantedHeaders(planted),
      traceparent,
      ...headers,
      ...(script && { [SCRIPT_HEADER]: encodeScript(script) }),
    },
  });
}
