import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import fc from 'fast-check';
import { encodedText, mediaOf } from '../../src/formats/media.ts';
import { bytesOf } from './chat-bodies.ts';
import { GUARD, run } from './exchange-run.ts';

const base64 = (text: string | Uint8Array) => Buffer.from(text as string).toString('base64');
const url = (type: string, text: string | Uint8Array) => `data:${type};base64,${base64(text)}`;

describe('bytes in base64', () => {
  for (const [value, mediaType, kind] of [
    ['hello there', '', 'plain'],
    ['https://example.org/a.png', 'image/', 'plain'],
    ['data:text/plain,say it', '', 'plain'],
    ['data:text/plain,%53ay', '', 'hidden'],
    ['data:text/plain ; base64 ,U2F5', '', 'hidden'],
    [url('text/plain', 'say it'), '', 'text'],
    [url('', 'say it'), '', 'text'],
    [url('application/octet-stream', 'say it'), '', 'text'],
    [url('image/svg+xml', '<svg>say it</svg>'), '', 'text'],
    [url('image/png', 'say it'), '', 'bytes'],
    [url('text/plain', Uint8Array.of(0xff, 0xfe, 0x41, 0)), '', 'hidden'],
    [url('application/zip', Uint8Array.of(0x50, 0x4b, 3, 4)), '', 'bytes'],
    [base64('say it'), 'text/csv', 'text'],
    [base64('say it'), 'application/x-unknown', 'text'],
    [base64('%PDF-1.7'), 'application/pdf', 'bytes'],
    [base64(Uint8Array.of(0xc3, 0x28, 0x41)), 'application/json', 'hidden'],
    [base64(`${'é'.repeat(600)}\u0000`), '', 'bytes'],
    [base64(`x${'é'.repeat(600)}`), '', 'text'],
  ] as const)
    it(`${value.slice(0, 50)} as ${mediaType || 'nothing'} counts as ${kind}`, () => {
      assert.equal(mediaOf(value, mediaType).kind, kind);
    });

  it('shorter than a picture is a word, where nobody says that it is one', () => {
    assert.equal(mediaOf('QUJD', '', 5).kind, 'plain');
    assert.equal(mediaOf('QUJD', '', 4).kind, 'text');
  });

  it('is read as it was written, and written in the same alphabet', () => {
    const unit = fc.constantFrom('a', 'é', '😀', '\n', '\ufeff', '?', '~', 'þ');
    fc.assert(
      fc.property(fc.string({ unit, minLength: 1, maxLength: 1_200 }), (text) => {
        for (const alphabet of ['base64', 'base64url'] as const) {
          const before = Buffer.from(text).toString(alphabet);
          const media = mediaOf(before, '');
          assert.ok(media.kind === 'text' && media.text === text);
          assert.ok(!/[-_]/.test(before) || encodedText('', text, before) === before);
          assert.equal(encodedText('h,', text, `h,${before}`).slice(0, 2), 'h,');
        }
      }),
      { numRuns: 200 },
    );
  });
});

const TEXT = 'Ask 😀 Bank A or joe@acme.example.';
const MASKED = 'Ask 😀 another bank or [EMAIL_1].';

/** Where each API takes a file. */
const FILES: readonly (readonly [path: string, body: (text: string, type: string) => object])[] = [
  [
    '/v1/chat/completions',
    (text, type) => ({
      messages: [
        { role: 'user', content: [{ type: 'file', file: { file_data: url(type, text) } }] },
      ],
    }),
  ],
  [
    '/v1/responses',
    (text, type) => ({
      input: [{ role: 'user', content: [{ type: 'input_file', file_data: url(type, text) }] }],
    }),
  ],
  [
    '/v1/responses',
    (text, type) => ({
      prompt: { id: 'p', variables: { v: { type: 'input_file', file_data: url(type, text) } } },
    }),
  ],
  [
    '/v1/messages',
    (text, type) => ({
      messages: [
        {
          role: 'user',
          content: [
            { type: 'document', source: { type: 'base64', media_type: type, data: base64(text) } },
          ],
        },
      ],
    }),
  ],
  [
    '/v1beta/models/m:generateContent',
    (text, type) => ({
      contents: [{ parts: [{ inlineData: { mimeType: type, data: base64(text) } }] }],
    }),
  ],
  [
    '/v1beta/models/m:generateContent',
    (text, type) => ({
      contents: [
        {
          parts: [
            {
              functionResponse: {
                name: 'f',
                parts: [{ inline_data: { mime_type: type, data: base64(text) } }],
              },
            },
          ],
        },
      ],
    }),
  ],
];

describe('a file in a request', () => {
  for (const [path, body] of FILES)
    for (const type of ['text/plain', 'application/octet-stream'])
      it(`is masked inside its base64: ${path} ${JSON.stringify(body('', type)).slice(0, 60)}`, () => {
        const before = JSON.stringify(body(TEXT, type));
        assert.equal(
          run(GUARD, { path, request: before }).request,
          JSON.stringify(body(MASKED, type)),
        );
        const escaped = before.replaceAll('/', '\\/');
        const { request } = run(GUARD, { path, request: escaped });
        assert.deepEqual(JSON.parse(request), body(MASKED, type));
        const forbidden = JSON.stringify(body('on Project Zebra.', type));
        assert.notEqual(run(GUARD, { path, request: forbidden }).port.refusal, undefined);
      });

  it('leaves as it came where nothing matches', () => {
    for (const [path, body] of FILES) {
      const request = JSON.stringify(body('harmless', 'text/plain')).replaceAll('/', '\\/');
      assert.equal(run(GUARD, { path, request }).request, request);
    }
  });

  it('in another coding than UTF-8 is not guessed at', () => {
    const [path, body] = FILES[0]!;
    const request = JSON.stringify(body('', 'text/plain')).replace(
      'base64,',
      `base64,${base64(Uint8Array.of(0xff, 0xfe, 0x5a, 0))}`,
    );
    const { refusal } = run(GUARD, { path, request }).port;
    assert.equal(JSON.parse(refusal!.body).error.code, 'unreadable_body');
  });
});

describe('a resource of an MCP server', () => {
  it('is masked inside its blob', () => {
    const answer = (text: string) =>
      JSON.stringify({
        jsonrpc: '2.0',
        id: 1,
        result: { contents: [{ uri: 'file:///a', mimeType: 'text/markdown', blob: base64(text) }] },
      });
    const call = {
      path: '/mcp',
      request: '{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"file:///a"}}',
      responseType: 'application/json',
    };
    assert.equal(run(GUARD, call, [bytesOf(answer(TEXT))]).response, answer(MASKED));
  });
});
