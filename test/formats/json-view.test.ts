import assert from 'node:assert/strict';
import fc from 'fast-check';
import { escapeInner, JsonTextView } from '../../src/formats/json-view.ts';

const sources = fc
  .array(
    fc.constantFrom(
      'a',
      'Bank',
      '"',
      '{',
      ':',
      '\\',
      '\\u0042',
      '\\u00',
      '\\u',
      '\\ud83d\\ude00',
      '\\n',
      '\\"',
      '\\\\',
      '\\x',
      'é',
      '😀',
      '\\/',
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(''));

function view(...parts: readonly string[]) {
  const reader = new JsonTextView();
  const text = parts.map((part) => reader.push(part)).join('') + reader.end();
  const starts = Array.from({ length: text.length + 1 }, (_, unit) => reader.sourceStart(unit));
  return { text, starts };
}

describe('view of JSON inside text', () => {
  it('shows what escapes hide', () => {
    assert.equal(view('{"q":"\\u0042ank A\\n\\/\\ud83d\\ude00"}').text, '{"q":"Bank A\n/😀"}');
  });

  it('leaves alone what is no escape', () => {
    assert.equal(view('\\x \\u12G4 \\u1\\n \\').text, '\\x \\u12G4 \\u1\n \\');
  });

  it('reads literals as JSON.parse does', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (value) => {
        assert.equal(view(JSON.stringify(value)).text, `"${value}"`);
        assert.equal(view(escapeInner(value)).text, value);
      }),
    );
  });

  it('is the same for every cut', () => {
    fc.assert(
      fc.property(sources, (source) => {
        const whole = view(source);
        assert.deepEqual(view(...source.split('')), whole);
        for (let cut = 0; cut <= source.length; cut += 1)
          assert.deepEqual(view(source.slice(0, cut), source.slice(cut)), whole);
      }),
      { numRuns: 1_000 },
    );
  });

  it('maps every stretch back to the source that it was read from', () => {
    fc.assert(
      fc.property(sources, (source) => {
        const { text, starts } = view(source);
        assert.equal(starts[0], 0);
        assert.equal(starts.at(-1), source.length);
        for (let unit = 0; unit < text.length; unit += 1) {
          const from = source.slice(starts[unit], starts[unit + 1]);
          assert.ok(from === text[unit] || JSON.parse(`"${from}"`) === text[unit]);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('waits for the rest of an escape', () => {
    const reader = new JsonTextView();
    assert.equal(reader.push('a\\u00'), 'a');
    assert.equal(reader.sourceStart(1), 1);
    assert.equal(reader.push('42b'), 'Bb');
    assert.equal(reader.sourceEnd(2), 7);
    assert.equal(reader.push('\\'), '');
    assert.equal(reader.end(), '\\');
  });

  it('knows strings from structure', () => {
    const reader = new JsonTextView();
    const text = reader.push('{"a\\"b":1}');
    const inside = [...text].filter((_, unit) => reader.kindAt(unit) === 'string').join('');
    assert.equal(inside, 'a"b');
  });

  it('forgets what is behind and nothing else', () => {
    const reader = new JsonTextView();
    reader.push('\\n'.repeat(1_000));
    reader.forget(600);
    assert.throws(() => reader.sourceStart(599), RangeError);
    assert.equal(reader.sourceStart(600), 1_200);
    assert.equal(reader.length, 1_000);
    reader.forget(1_000);
    assert.equal(reader.push('x'), 'x');
    assert.equal(reader.sourceStart(1_000), 2_000);
    assert.throws(() => reader.sourceStart(1_002), RangeError);
  });
});
