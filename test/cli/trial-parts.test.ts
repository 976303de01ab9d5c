/** What `try` and `explain` are made of: looks of a body, places in it, conditions taken apart, colour. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { visible } from '../../src/cli/printable.ts';
import { paintFor } from '../../src/cli/trial/paint.ts';
import { byteOffset, LineCount } from '../../src/cli/trial/place.ts';
import { LOOKED_AT_BYTES_MAX, shapeOf } from '../../src/cli/trial/shape.ts';
import { FORMAT_NAMES, needsShape, type Said, speak } from '../../src/cli/trial/spoken.ts';
import { CONTEXT_UNITS, REMEMBERED_UNITS, Texts } from '../../src/cli/trial/texts.ts';
import { whereJsonBreaks } from '../../src/cli/trial/unreadable.ts';
import { detectFormat } from '../../src/formats/detect.ts';
import type { Frame } from '../../src/formats/frame.ts';
import { openaiChat } from '../../src/formats/openai-chat.ts';
import { plainText } from '../../src/formats/text.ts';
import { compileCondition } from '../../src/policy/condition.ts';
import { conditionInputs, conditionParts } from '../../src/policy/condition-parts.ts';
import { DEFAULT_LIMITS } from '../../src/policy/limits.ts';
import type { Conditions } from '../../src/policy/set.ts';

const looks = (text: string, ended = true) => shapeOf(Buffer.from(text), ended);
const api = (text: string) => {
  const found = looks(text)?.api;
  return found && `${found.format} ${found.direction}`;
};

describe('the looks of a body', () => {
  const known: readonly (readonly [text: string, framing: string, api: string | undefined])[] = [
    ['{"messages":[]}', 'document', 'openai.chat request'],
    ['{"model":"claude-x","messages":[]}', 'document', 'anthropic.messages request'],
    ['{"system":"s","messages":[]}', 'document', 'anthropic.messages request'],
    ['{"choices":[]}', 'document', 'openai.chat response'],
    ['{"input":"hi","model":"m"}', 'document', 'openai.responses request'],
    ['{"object":"response","output":[]}', 'document', 'openai.responses response'],
    ['{"type":"message","content":[]}', 'document', 'anthropic.messages response'],
    ['{"contents":[]}', 'document', 'gemini request'],
    ['{"candidates":[]}', 'document', 'gemini response'],
    ['[{"candidates":[]}]', 'array', 'gemini response'],
    ['{"jsonrpc":"2.0","id":1,"method":"tools/list"}', 'document', 'mcp request'],
    ['{"jsonrpc":"2.0","id":1,"result":{}}', 'document', 'mcp response'],
    ['[{"jsonrpc":"2.0","id":1,"method":"x"}]', 'document', 'mcp request'],
    ['{"model":"m","prompt":"p"}', 'document', 'openai.completions request'],
    ['{"object":"text_completion","choices":[]}', 'document', 'openai.completions response'],
    ['{"a":1}', 'document', undefined],
    ['[]', 'document', undefined],
    ['{"messages":[{"role":"us', 'document', 'openai.chat request'],
    ['{"a":1}\n{"a":2}\n', 'lines', undefined],
    ['data: {"choices":[]}\n\n', 'events', 'openai.chat response'],
    [
      'event: message_start\ndata: {"type":"message_start"}\n\n',
      'events',
      'anthropic.messages response',
    ],
    [
      'event: response.created\r\ndata: {"type":"response.created"}\r\n\r\n',
      'events',
      'openai.responses response',
    ],
    ['data: {"candidates":[]}\n\n', 'events', 'gemini response'],
    ['data: {"jsonrpc":"2.0","method":"x"}\n\n', 'events', 'mcp response'],
    [': hello\n\ndata: so\n\n', 'events', undefined],
    ['\ufeffdata: so\n\n', 'events', undefined],
    ['Once upon a time', 'text', undefined],
    ['database', 'text', undefined],
    ['', 'text', undefined],
  ];
  for (const [text, framing, named] of known)
    it(`tells ${JSON.stringify(text)}`, () => {
      assert.equal(looks(text)?.framing, framing);
      assert.equal(api(text), named);
    });

  it('waits for no more than it needs', () => {
    for (const text of [
      '',
      ' ',
      'da',
      'data',
      'event: x\n',
      'data: {"cho',
      '{"messages":[]',
      '[',
      '{"a":1}\n',
    ])
      assert.equal(looks(text, false), undefined, text);
    for (const text of [
      'data: {"choices":[]}\n',
      'data: x\n',
      'Hello',
      '{"a":1}\n{',
      '[{"candidates"',
    ])
      assert.notEqual(looks(text, false), undefined, text);
  });

  it('makes do with what there is, at the limit', () => {
    const comment = (bytes: number) => `:${'x'.repeat(bytes - 1)}`;
    assert.equal(looks(comment(LOOKED_AT_BYTES_MAX - 1), false), undefined);
    assert.equal(looks(comment(LOOKED_AT_BYTES_MAX), false)?.framing, 'events');
  });
});

const NOTHING_SAID: Said = {
  format: undefined,
  direction: undefined,
  path: undefined,
  contentType: undefined,
  textPaths: undefined,
  routes: [],
};

describe('how a body is handed in', () => {
  for (const format of FORMAT_NAMES)
    for (const direction of ['request', 'response'] as const)
      for (const framing of ['document', 'events'] as const)
        it(`as a ${direction} in ${format} that looks like ${framing}, the server would agree`, () => {
          if (format === 'sse' && direction === 'request') return;
          const said = { ...NOTHING_SAID, format, direction };
          const { path, contentType, lines } = speak(said, { framing, api: undefined });
          const detected = detectFormat({ path, contentType, direction }, lines);
          assert.equal(detected.format.name, format);
          if (framing === 'events' && direction === 'response')
            assert.equal(detected.streamed, true);
        });

  it('by an array under the path that streams one', () => {
    const shape = looks('[{"candidates":[]}]')!;
    const { path, contentType, direction } = speak(NOTHING_SAID, shape);
    assert.equal(contentType, 'application/json');
    assert.equal(detectFormat({ path, contentType, direction }).streamed, true);
  });

  it('on a path of its own, as the configuration of a server would say', () => {
    const said = { ...NOTHING_SAID, format: 'openai.chat' as const, path: '/llm?x=1' };
    const { lines, path } = speak(said, looks('{"messages":[]}')!);
    assert.equal(path, '/llm?x=1');
    const body = { path, contentType: 'application/json', direction: 'request' as const };
    assert.equal(detectFormat(body, lines).format.name, 'openai.chat');
    assert.equal(detectFormat(body).format.name, 'opaque');
  });

  it('by its path, before its looks', () => {
    const spoken = speak({ ...NOTHING_SAID, path: '/v1/messages' }, looks('{"messages":[]}')!);
    assert.equal(spoken.format, 'anthropic.messages');
    assert.deepEqual(spoken.guessed, ['direction request']);
  });

  it('not against what its path means', () => {
    const said = { ...NOTHING_SAID, format: 'sse' as const, path: '/v1/messages' };
    assert.throws(
      () => speak(said, looks('data: x\n\n')!),
      /read as `anthropic\.messages`, not as `sse`/,
    );
    const paths = { ...NOTHING_SAID, format: 'json' as const, textPaths: ['a..b'] };
    assert.throws(() => speak(paths, looks('{}')!), /text-path cannot be read/);
  });

  it('at once where everything is known', () => {
    assert.equal(needsShape(NOTHING_SAID), true);
    assert.equal(needsShape({ ...NOTHING_SAID, format: 'ndjson' }), false);
    assert.equal(needsShape({ ...NOTHING_SAID, format: 'gemini' }), true);
    assert.equal(needsShape({ ...NOTHING_SAID, format: 'gemini', direction: 'request' }), false);
    const response = { ...NOTHING_SAID, format: 'gemini' as const, direction: 'response' as const };
    assert.equal(needsShape(response), true);
    assert.equal(needsShape({ ...response, contentType: 'application/json' }), false);
  });
});

function frameOf(body: string): Frame {
  const reader = openaiChat.reader('request', false);
  return [...reader.push(Buffer.from(body)), ...reader.end()][0]!;
}

describe('a place', () => {
  it('law: is where the unit is written, whatever is written', () => {
    const texts = fc.string({
      unit: fc.constantFrom('a', '0', '1', '"', '\\', '\n', '\u00fc', '\u{1f600}', '\u2028'),
    });
    fc.assert(
      fc.property(texts, fc.nat(), fc.constantFrom(0, 2), (content, at, indent) => {
        const body = JSON.stringify(
          { model: 'm', messages: [{ role: 'user', content }] },
          null,
          indent,
        );
        const frame = frameOf(body);
        const piece = frame.pieces.findIndex(({ value }) => value === content);
        const characters = [...content];
        const index = at % (characters.length + 1);
        const unit = characters.slice(0, index).join('').length;
        const start = body.indexOf('"content"') + (indent ? '"content": "' : '"content":"').length;
        const written = JSON.stringify(characters.slice(0, index).join('')).slice(1, -1);
        const expected = Buffer.byteLength(body.slice(0, start) + written);
        assert.equal(byteOffset(frame, piece, unit), expected);
      }),
      { numRuns: 300 },
    );
  });

  it('is not told where a change would change what is in front of it', () => {
    const frame = Object.assign(frameOf('{"messages":[{"role":"user","content":"abc"}]}'), {
      render: (edits: readonly { replacement: string }[]) =>
        Buffer.from(`{null ab${edits[0]!.replacement}c`),
    });
    assert.equal(byteOffset(frame, 0, 2), undefined);
  });

  it('counts lines as editors do, however the bytes are cut', () => {
    const body = Buffer.from('a\nb\r\nc\rd');
    for (let cut = 0; cut <= body.length; cut += 1) {
      const lines = new LineCount();
      lines.take(body.subarray(0, cut));
      lines.take(body.subarray(cut));
      assert.deepEqual([lines.line, lines.column], [4, 1], `cut at ${cut}`);
    }
  });

  it('says where JSON breaks', () => {
    const where = (text: string) => whereJsonBreaks(Buffer.from(text));
    assert.equal(where('{"a":1}'), undefined);
    assert.equal(where('{"a":'), 'the JSON ends unfinished after 5 bytes');
    assert.equal(where('{"a":"x'), 'the JSON ends unfinished after 7 bytes');
    assert.equal(where('{"a":1,\n "b" 2}'), 'the JSON breaks at 2:6');
  });
});

describe('texts of a body', () => {
  const textFrame = (value: string): Frame => {
    const reader = plainText.reader('response', true);
    return reader.push(Buffer.from(value))[0]!;
  };

  it('remember as much as a match may need, and in which frames it stands', () => {
    const texts = new Texts();
    const chunk = 'x'.repeat(65_536);
    const chunks = (4 * REMEMBERED_UNITS) / chunk.length;
    for (let index = 0; index < chunks; index += 1) texts.add(textFrame(chunk), index);
    assert.deepEqual(texts.add(textFrame('ab'), chunks), [4 * REMEMBERED_UNITS]);
    texts.add(textFrame('cd'), chunks + 1);
    const end = 4 * REMEMBERED_UNITS;
    const stretch = texts.stretch('text', end + 1, end + 3)!;
    assert.equal(stretch.matched, 'bc');
    assert.equal(stretch.before, `${'x'.repeat(CONTEXT_UNITS - 1)}a`);
    assert.equal(stretch.after, 'd');
    assert.deepEqual([stretch.first?.index, stretch.last?.index], [chunks, chunks + 1]);
    const oldest = texts.stretch('text', end - REMEMBERED_UNITS + 4, end)!;
    assert.equal(oldest.matched.length, REMEMBERED_UNITS - 4);
  });

  it('begin anew after their end', () => {
    const texts = new Texts();
    const frame = frameOf('{"messages":[{"role":"user","content":"abc"}]}');
    const piece = frame.pieces.findIndex(({ value }) => value === 'abc');
    assert.equal(texts.add(frame, 0)[piece], 0);
    assert.equal(texts.add(frame, 1)[piece], 0);
    assert.equal(texts.stretch(frame.pieces[piece]!.text, 0, 3)?.first?.index, 1);
    assert.equal(texts.stretch('unknown', 0, 1), undefined);
  });
});

const WHO: Conditions = {
  facts: { tenant: 'acme', consent: 'profiling' },
  method: 'POST',
  path: '/v1',
  authority: 'llm',
  route: 'chat',
  headers: { 'x-a': 'b' },
  nowMs: 0,
};

describe('a condition', () => {
  const condition = (source: string) => {
    const compiled = compileCondition(source, DEFAULT_LIMITS);
    assert.ok(compiled.ok, source);
    return compiled.condition;
  };
  const parts = (source: string) =>
    conditionParts(condition(source), WHO).map((part) => `${part.source}: ${part.result}`);

  it('is taken apart at its outermost operator', () => {
    assert.deepEqual(parts('tenant == "acme" && region == "eu"'), [
      'tenant == "acme": true',
      'region == "eu": false',
    ]);
    assert.deepEqual(parts('tenant == "a" && true || !("x" in consent)'), [
      'tenant == "a" && true: false',
      '!("x" in consent): true',
    ]);
    assert.deepEqual(parts('(tenant == "a" || true) && int(risk) > 1'), [
      '(tenant == "a" || true): true',
      'int(risk) > 1: error',
    ]);
  });

  it('is left whole where nothing parts it', () => {
    for (const source of [
      'tenant == "a && b"',
      "tenant == 'a || b'",
      'tenant == r"\\" || false ? true : false',
      'tenant == """a " && b"""',
      'consent.exists(c, c == "a" && true)',
      'tenant == "a" ? true && false : true',
    ])
      assert.deepEqual(parts(source), [], source);
    assert.equal(parts('tenant == "\\"" && tenant == "&&"').length, 2);
  });

  it('law: what its parts say together is what it says', () => {
    const part = fc.constantFrom(
      'tenant == "acme"',
      '("x" in consent)',
      'path.startsWith("/v")',
      '!(tenant == "a")',
    );
    fc.assert(
      fc.property(
        fc.array(part, { minLength: 2, maxLength: 4 }),
        fc.constantFrom('&&', '||'),
        (all, operator) => {
          const whole = condition(all.join(` ${operator} `));
          const results = conditionParts(whole, WHO).map(({ result }) => result === 'true');
          assert.equal(results.length, all.length);
          assert.equal(
            whole.holds(WHO),
            operator === '&&' ? results.every(Boolean) : results.some(Boolean),
          );
        },
      ),
    );
  });

  it('shows what it read', () => {
    const all = condition(
      'tenant == "a" && region == "" && method == "" && path == "" && authority == "" && route == "" && "x-a" in headers && request.method == "" && time < timestamp("2026-01-01T00:00:00Z")',
    );
    assert.deepEqual(conditionInputs(all, WHO), {
      tenant: 'acme',
      region: '',
      method: 'POST',
      path: '/v1',
      authority: 'llm',
      route: 'chat',
      headers: '{"x-a":"b"}',
      request: '{"method":"POST","path":"/v1","host":"llm"}',
      time: '1970-01-01T00:00:00.000Z',
    });
  });
});

describe('colour', () => {
  it('is for terminals, unless something says otherwise', () => {
    for (const [asked, terminal, env, coloured] of [
      [undefined, true, {}, true],
      [undefined, false, {}, false],
      [undefined, true, { NO_COLOR: '1' }, false],
      [undefined, true, { NO_COLOR: '' }, true],
      [undefined, true, { TERM: 'dumb' }, false],
      [true, false, { NO_COLOR: '1' }, true],
      [false, true, {}, false],
    ] as const) {
      const painted = paintFor(asked, terminal, env)('bad', 'x');
      assert.equal(painted !== 'x', coloured, JSON.stringify([asked, terminal, env]));
    }
  });
});

describe('visible', () => {
  it('law: nothing is left that steers a terminal or ends a line', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        assert.doesNotMatch(visible(text), /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
      }),
    );
    assert.equal(
      visible('a\u001b[2J\n\t\u202e\u200b\ud800b'),
      'a\\u{1b}[2J\\n\\t\\u{202e}\\u{200b}\\u{d800}b',
    );
  });
});
