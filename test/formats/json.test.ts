import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import fc from 'fast-check';
import { type JsonNode, readJson } from '../../src/formats/json.ts';
import { escapeJson, stringValue } from '../../src/formats/json-string.ts';
import { DEFAULT_FORMAT_LIMITS } from '../../src/formats/limits.ts';
import { applySplices } from '../../src/formats/splice.ts';
import { unitStarts } from '../../src/formats/utf8.ts';

const LIMITS = { depthMax: DEFAULT_FORMAT_LIMITS.depthMax, nodesMax: 10_000 };
const bytesOf = (text: string): Uint8Array => Buffer.from(text, 'utf8');

/** The value a tree stands for, built without JSON.parse except for numbers. */
function valueAt(bytes: Uint8Array, node: JsonNode): unknown {
  switch (node.kind) {
    case 'string':
      return stringValue(bytes, node);
    case 'number':
      return Number(Buffer.from(bytes.slice(node.start, node.end)).toString('latin1'));
    case 'array':
      return node.items.map((item) => valueAt(bytes, item));
    case 'object': {
      const object: Record<string, unknown> = {};
      for (const { key, value } of node.members)
        Object.defineProperty(object, key, {
          value: valueAt(bytes, value),
          enumerable: true,
          writable: true,
          configurable: true,
        });
      return object;
    }
    default:
      return { true: true, false: false, null: null }[node.kind];
  }
}

/** What a client makes of the bytes: WHATWG decoding, then JSON.parse. */
function parseAsClient(bytes: Uint8Array): { ok: true; value: unknown } | { ok: false } {
  try {
    return {
      ok: true,
      value: JSON.parse(new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)),
    };
  } catch {
    return { ok: false };
  }
}

function assertAgrees(bytes: Uint8Array): void {
  const expected = parseAsClient(bytes);
  const reading = readJson(bytes, LIMITS);
  assert.equal(reading.ok, expected.ok, Buffer.from(bytes).toString('latin1'));
  if (reading.ok && expected.ok) assert.deepEqual(valueAt(bytes, reading.root), expected.value);
}

/** Fragments from which both valid and broken JSON grows. */
const fragments = fc.constantFrom(
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  '"',
  '"a"',
  '"\\u0041"',
  '\\',
  '\\u',
  'd83d',
  '"\\ud83d\\ude00"',
  '"\\ud800"',
  '-',
  '0',
  '01',
  '1.',
  '1.5',
  'e',
  'E+2',
  '.',
  'true',
  'tru',
  'false',
  'null',
  ' ',
  '\n',
  '\t',
  '\u00a0',
  '\u0000',
  '\u001f',
  '"é"',
  '"\u2028"',
  '😀',
  '"\\/"',
  '"\\x"',
  'NaN',
  '{"a":1,"a":"2"}',
  '"__proto__"',
  '\ufeff',
);

describe('json reader', () => {
  it('accepts, refuses and reads as JSON.parse does: values', () => {
    fc.assert(
      fc.property(
        fc.jsonValue({ stringUnit: 'binary', maxDepth: 3 }),
        fc.nat(3),
        (value, indent) => {
          assertAgrees(bytesOf(JSON.stringify(value, null, indent)));
        },
      ),
      { numRuns: 200 },
    );
  });

  it('accepts, refuses and reads as JSON.parse does: fragments', () => {
    fc.assert(
      fc.property(fc.array(fragments, { maxLength: 8 }), (parts) =>
        assertAgrees(bytesOf(parts.join(''))),
      ),
      { numRuns: 20_000 },
    );
  });

  it('accepts, refuses and reads as JSON.parse does: a valid text with bytes changed', () => {
    const text = bytesOf(
      '{"a":["é\\n\\u00e9😀",-1.5e+3,true,null],"b":{"c":"\\ud83d\\ude00"},"a":"z"}',
    );
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.nat(255), fc.nat(text.length), (at, byte, cut) => {
        const changed = text.slice();
        changed[at] = byte;
        assertAgrees(changed);
        assertAgrees(changed.slice(0, cut));
      }),
      { numRuns: 5_000 },
    );
  });

  it('reads any bytes inside a literal as a decoder does', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 24 }), (inside) => {
        assertAgrees(Buffer.concat([bytesOf('"'), inside, bytesOf('"')]));
      }),
      { numRuns: 5_000 },
    );
  });

  it('keeps duplicates in order and marks those that a later one hides', () => {
    for (const padding of ['', ',"p1":1,"p2":1,"p3":1,"p4":1,"p5":1,"p6":1,"p7":1,"p8":1,"p9":1']) {
      const reading = readJson(bytesOf(`{"a":1,"b":2,"\\u0061":3${padding}}`), LIMITS);
      assert.ok(reading.ok && reading.root.kind === 'object');
      assert.deepEqual(
        reading.root.members.slice(0, 3).map((member) => [member.key, member.shadowed]),
        [
          ['a', true],
          ['b', false],
          ['a', false],
        ],
      );
    }
  });

  it('holds depthMax and nodesMax at their edges', () => {
    const nested = (depth: number): Uint8Array => bytesOf('['.repeat(depth) + ']'.repeat(depth));
    for (const depth of [63, 64]) assert.ok(readJson(nested(depth), LIMITS).ok);
    const deep = readJson(nested(65), LIMITS);
    assert.ok(!deep.ok && deep.reason === 'json_too_deep');
    assert.ok(!readJson(nested(500_000), LIMITS).ok);
    const limits = { depthMax: 4, nodesMax: 5 };
    assert.ok(readJson(bytesOf('[1,1,1]'), limits).ok);
    assert.ok(readJson(bytesOf('[1,1,1,1]'), limits).ok);
    const many = readJson(bytesOf('[1,1,1,1,1]'), limits);
    assert.ok(!many.ok && many.reason === 'json_too_many_nodes');
  });
});

describe('json strings', () => {
  const literals = fc.array(
    fc.constantFrom(
      'a',
      'Z',
      '\\u0041',
      '\\/',
      '\\n',
      '\\"',
      '\\\\',
      'é',
      '€',
      '😀',
      '\\ud83d\\ude00',
      '\\ud83d',
      '\\ude00',
      '\\u20AC',
    ),
    { maxLength: 12 },
  );

  it('maps every unit to bytes that decode to it', () => {
    fc.assert(
      fc.property(literals, (parts) => {
        const bytes = bytesOf(`"${parts.join('')}"`);
        const reading = readJson(bytes, LIMITS);
        assert.ok(reading.ok && reading.root.kind === 'string');
        const value = stringValue(bytes, reading.root);
        const starts = unitStarts(bytes, 1, bytes.length - 1, true);
        assert.equal(starts.length, value.length + 1);
        for (let from = 0; from < value.length; from += 1) {
          const source = Buffer.from(bytes.slice(1, starts[from])).toString();
          if (starts[from] === starts[from + 1]) continue;
          assert.equal(
            JSON.parse(`"${source}"`),
            value.slice(0, starts[from - 1] === starts[from] ? from - 1 : from),
          );
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('has as many units as a decoder gives for ill-formed bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 16 }), (bytes) => {
        const value = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
        assert.equal(unitStarts(bytes, 0, bytes.length, false).length, value.length + 1);
      }),
      { numRuns: 10_000 },
    );
  });

  it('escapes to what JSON.parse reads back, ASCII where asked', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.array(fc.nat(0xffff)), (text, units) => {
        for (const value of [text, String.fromCharCode(...units)]) {
          assert.equal(JSON.parse(`"${escapeJson(value, false)}"`), value);
          assert.match(escapeJson(value, true), /^[\x20-\x7e]*$/);
          assert.equal(JSON.parse(`"${escapeJson(value, true)}"`), value);
          const utf8 = Buffer.from(`"${escapeJson(value, false)}"`, 'utf8').toString('utf8');
          assert.equal(JSON.parse(utf8), value);
        }
      }),
    );
  });
});

describe('splices', () => {
  it('drop one that begins inside another and keep all other bytes', () => {
    const bytes = bytesOf('0123456789');
    const splice = (start: number, end: number, text: string) => ({
      start,
      end,
      bytes: bytesOf(text),
    });
    const result = applySplices(bytes, [
      splice(4, 5, 'x'),
      splice(2, 7, 'null'),
      splice(9, 9, '+'),
    ]);
    assert.equal(Buffer.from(result).toString(), '01null78+9');
  });
});
