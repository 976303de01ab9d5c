import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import fc from 'fast-check';
import { DEFAULT_FORMAT_LIMITS } from '../../src/formats/limits.ts';
import { opaque } from '../../src/formats/opaque.ts';
import { plainText, plainTextWith } from '../../src/formats/text.ts';
import { bytesOf, framesOf, shapeOf, textOf } from './chat-bodies.ts';

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
const joined = (frames: readonly { pieces: readonly { value: string }[] }[]) =>
  frames.flatMap((frame) => frame.pieces.map((piece) => piece.value)).join('');

const anyBytes = fc.oneof(
  fc.uint8Array({ maxLength: 20 }),
  fc.string({ unit: 'grapheme' }).map(bytesOf),
);

const REFUSAL = { message: 'no', decisionId: 'd', code: 'c' };

describe('plain text', () => {
  it('gives the same bytes and the same text for every cut', () => {
    fc.assert(
      fc.property(anyBytes, (bytes) => {
        for (let cut = 0; cut <= bytes.length; cut += 1) {
          const reader = plainText.reader('response', true);
          const frames = framesOf(reader, bytes.subarray(0, cut), bytes.subarray(cut));
          assert.deepEqual(Buffer.concat(frames.map((f) => f.render([]))), Buffer.from(bytes));
          assert.equal(joined(frames), decoder.decode(bytes));
          assert.equal(reader.pendingBytes, 0);
        }
        const single = framesOf(
          plainText.reader('response', true),
          ...[...bytes].map((b) => Uint8Array.of(b)),
        );
        assert.equal(joined(single), decoder.decode(bytes));
      }),
      { numRuns: 1_000 },
    );
  });

  it('never cuts a character', () => {
    const reader = plainText.reader('response', true);
    assert.deepEqual(reader.push(Uint8Array.of(0xf0, 0x9f, 0x98)), []);
    assert.equal(reader.pendingBytes, 3);
    assert.equal(reader.push(Uint8Array.of(0x80, 0x61))[0]!.pieces[0]!.value, '😀a');
  });

  it('is one complete piece where it is whole', () => {
    const frames = framesOf(plainText.reader('request', false), bytesOf('né'), bytesOf('e'));
    assert.deepEqual(frames.map(shapeOf), [
      {
        bytes: 'née',
        pieces: [{ text: 'text', place: 'user', encoding: 'plain', value: 'née', last: true }],
        ends: [],
        unreadable: undefined,
        terminal: false,
      },
    ]);
    assert.deepEqual(framesOf(plainText.reader('response', false)), []);
  });

  it('changes the bytes of an edit and keeps ill-formed ones', () => {
    const bytes = Buffer.concat([Buffer.of(0xff), bytesOf('é 😀 z'), Buffer.of(0xc3)]);
    const [frame] = framesOf(plainText.reader('response', false), bytes);
    const at = frame!.pieces[0]!.value.indexOf('\ude00');
    const edited = frame!.render([{ piece: 0, start: at, end: at + 1, replacement: 'ß' }]);
    assert.deepEqual(edited, Buffer.concat([Buffer.of(0xff), bytesOf('é ß z'), Buffer.of(0xc3)]));
    assert.throws(
      () => frame!.render([{ piece: 1, start: 0, end: 0, replacement: '' }]),
      RangeError,
    );
  });

  it('adds to the end and refuses in a last line', () => {
    const reader = plainText.reader('response', true);
    const [frame] = reader.push(bytesOf('abc'));
    assert.deepEqual(reader.append('text', '!', frame), {
      kind: 'edit',
      edit: { piece: 0, start: 3, end: 3, replacement: '!' },
    });
    const form = reader.append('text', '!', undefined);
    assert.ok(form.kind === 'frame' && textOf(form.bytes) === '!');
    assert.equal(reader.append('other', '!', undefined).kind, 'impossible');
    assert.deepEqual(reader.refuse(REFUSAL).map(textOf), ['\n[no]\n']);
    assert.deepEqual(plainText.reader('request', true).refuse(REFUSAL), []);
  });

  it('does not guess at a request in another coding', () => {
    const read = (bytes: Uint8Array) =>
      framesOf(plainText.reader('request', false), bytes)[0]!.unreadable;
    assert.equal(read(Buffer.from('a word', 'utf16le')), 'binary_text');
    assert.equal(read(Buffer.from('a word')), undefined);
  });

  it('holds bodyBytesMax at its edge', () => {
    const format = plainTextWith({ ...DEFAULT_FORMAT_LIMITS, bodyBytesMax: 4 });
    const reasons = (body: string) =>
      framesOf(format.reader('request', false), bytesOf(body)).map((frame) => frame.unreadable);
    assert.deepEqual(reasons('abc'), [undefined]);
    assert.deepEqual(reasons('abcd'), [undefined]);
    assert.deepEqual(reasons('abcde'), ['body_too_large', 'body_too_large']);
  });

  it('answers in plain words', () => {
    assert.deepEqual(plainText.refusalResponse(REFUSAL, 403, 'error', false), {
      status: 403,
      headers: {
        'content-type': 'text/plain; charset=utf-8',
        'x-should-retry': 'false',
        'x-switchyard-decision': 'd',
      },
      body: 'no\n',
    });
    assert.equal(plainText.refusalResponse(REFUSAL, 403, 'refusal', false).status, 200);
  });
});

describe('opaque body', () => {
  it('passes each part on as unreadable, in an own copy', () => {
    const part = bytesOf('abc');
    const reader = opaque.reader('response', true);
    const frames = framesOf(reader, part, new Uint8Array(0));
    part.fill(0);
    assert.deepEqual(frames.map(shapeOf), [
      { bytes: 'abc', pieces: [], ends: [], unreadable: 'opaque_body', terminal: false },
    ]);
    assert.deepEqual(reader.refuse(REFUSAL), []);
    assert.equal(reader.append('text', 'x', frames[0]).kind, 'impossible');
    assert.equal(opaque.refusalResponse(REFUSAL, 400, 'refusal', true).status, 400);
  });
});
