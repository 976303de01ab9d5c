import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import fc from 'fast-check';
import { anthropicMessages } from '../../src/formats/anthropic.ts';
import type { JsonString } from '../../src/formats/json.ts';
import { encodedText, isEncodedBytes, MediaReading, mediaOf } from '../../src/formats/media.ts';
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

/** What a long value holds, found out with so much pace at a time, and how often it stopped. */
function readSlowly(json: string, unitsAtOnce: number): { reading: MediaReading; stops: number } {
  const bytes = Buffer.from(`[${json}]`);
  const literal: JsonString = {
    kind: 'string',
    start: 1,
    end: bytes.length - 1,
    simple: !json.includes('\\') && Buffer.from(json).length === json.length,
  };
  const reading = new MediaReading(bytes, literal);
  const pace = { left: unitsAtOnce };
  let stops = 0;
  for (; !reading.readOn(pace); stops++) pace.left = unitsAtOnce;
  return { reading, stops };
}

describe('long bytes in base64', () => {
  const long = fc
    .tuple(
      fc.constantFrom('text', 'bytes', 'mixed', 'broken'),
      fc.integer({ min: 1, max: 40_000 }),
      fc.nat(3),
    )
    .map(([kind, length, shift]) => {
      const text = `${'x'.repeat(shift)}${'aé😀\n'.repeat(length / 8)}`;
      if (kind === 'text') return base64(text);
      if (kind === 'bytes') return base64(Buffer.alloc(length, 'PNG\u0000'));
      if (kind === 'mixed') return base64(Buffer.concat([Buffer.from(text), Buffer.of(0xc3)]));
      return Buffer.from(text).subarray(1).toString('base64url');
    });
  const planted = fc.constantFrom(
    '',
    '',
    '',
    '',
    '',
    '',
    '',
    '',
    '=',
    '==',
    '===',
    '=a',
    ' ',
    '%',
    '"',
    'é',
    '\u{1f600}',
  );
  const heads = fc.constantFrom(
    '',
    '',
    'data:image/png;base64,',
    'data:;base64,',
    'data:text/csv,',
  );

  it('are found out bit by bit as in one go', () => {
    fc.assert(
      fc.property(
        heads,
        long,
        planted,
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.boolean(),
        fc.constantFrom('', 'image/png', 'text/plain', 'application/x-unknown'),
        fc.integer({ min: 1, max: 3_000 }),
        (head, body, plant, share, escaped, mediaType, units) => {
          const at = share > 0.7 ? body.length : Math.floor(share * body.length);
          const value = head + body.slice(0, at) + plant + body.slice(at);
          const json = JSON.stringify(value);
          const { reading } = readSlowly(escaped ? json.replaceAll('/', '\\/') : json, units);
          assert.deepEqual(
            reading.media(mediaType, () => value),
            mediaOf(value, mediaType),
          );
          assert.equal(reading.isEncoded, isEncodedBytes(value));
        },
      ),
      { numRuns: 300 },
    );
  });

  it('have their padding at the end, wherever they are cut', () => {
    for (const padding of ['=', '=='])
      for (const rest of ['', '=', 'A', 'A=', 'A'.repeat(9_000)])
        for (const length of [8_190, 8_191, 8_192, 20_000]) {
          const value = 'A'.repeat(length) + padding + rest;
          const { reading } = readSlowly(JSON.stringify(value), 1_000);
          assert.equal(reading.isEncoded, isEncodedBytes(value), `${length} ${padding} ${rest}`);
        }
  });

  it('stop where their pace ends', () => {
    const text = base64('word '.repeat(200_000));
    // Looked at, and decoded.
    assert.ok(readSlowly(`"${text}"`, 1_000).stops > (2 * text.length) / 16 / 1_512);
    // What is no base64 shows soon.
    assert.ok(readSlowly(`"${'word '.repeat(200_000)}"`, 1_000).stops <= 1);
    const request = JSON.stringify({
      model: 'm',
      messages: [
        {
          role: 'user',
          content: [
            { type: 'document', source: { type: 'base64', media_type: 'text/x', data: text } },
          ],
        },
      ],
    });
    const slices = (body: string): number => {
      const reader = anthropicMessages.reader('request', false);
      const pace = { left: 2_000 };
      reader.readAt?.(pace);
      reader.push(Buffer.from(body));
      let found = reader.end();
      let stops = 0;
      for (; reader.unread; stops++) {
        pace.left = 2_000;
        found = reader.readOn!();
      }
      const read = found.flatMap(({ pieces }) => pieces.map(({ value }) => value));
      assert.equal(read.includes('word '.repeat(200_000)), body === request);
      return stops;
    };
    // As many as the same JSON without base64, and those of looking and decoding.
    assert.ok(slices(request) > slices(request.replace(text, ' '.repeat(text.length))) + 60);
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
