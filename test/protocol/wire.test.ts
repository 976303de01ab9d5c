import assert from 'node:assert/strict';
import fc from 'fast-check';
import { readHeadersEvent, readProcessingRequest } from '../../src/protocol/ext-proc-request.ts';
import { readStruct } from '../../src/protocol/struct.ts';
import {
  lengthTag,
  MalformedMessage,
  mapEntry,
  mergeOccurrences,
  varintLength,
  WireReader,
  WireWriter,
} from '../../src/protocol/wire.ts';
import { encodeProcessingRequest, headerMap, structOf } from './peer.ts';

function problemOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    assert.ok(error instanceof MalformedMessage, String(error));
    return error.problem;
  }
  return 'none';
}

function readAll(bytes: Uint8Array): number {
  const reader = new WireReader(bytes);
  let fields = 0;
  while (reader.next()) {
    reader.skip();
    fields++;
  }
  return fields;
}

describe('wire reader', () => {
  it('reads a varint of ten bytes and refuses one of eleven', () => {
    const ten = [0x08, ...Array(9).fill(0xff), 0x01];
    assert.equal(readAll(Uint8Array.from(ten)), 1);
    const eleven = [0x08, ...Array(10).fill(0xff), 0x01];
    assert.equal(
      problemOf(() => readAll(Uint8Array.from(eleven))),
      'varint_too_long',
    );
    const tenTooLarge = [0x08, ...Array(9).fill(0xff), 0x02];
    assert.equal(
      problemOf(() => readAll(Uint8Array.from(tenTooLarge))),
      'varint_too_long',
    );
  });

  it('names what is wrong with other bytes', () => {
    const cases: readonly (readonly [string, readonly number[]])[] = [
      ['bad_tag', [0x00]],
      ['bad_tag', [0x07]],
      ['bad_tag', [0xf8, 0xff, 0xff, 0xff, 0x7f, 0x00]],
      ['group', [0x0b]],
      ['group', [0x0c]],
      ['unknown_wire_type', [0x0e]],
      ['unknown_wire_type', [0x0f]],
      ['truncated', [0x08]],
      ['truncated', [0x08, 0x80]],
      ['truncated', [0x0a, 0x02, 0x00]],
      ['truncated', [0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]],
      ['truncated', [0x09, 0, 0, 0, 0, 0, 0, 0]],
      ['truncated', [0x0d, 0, 0, 0]],
    ];
    for (const [problem, bytes] of cases) {
      assert.equal(
        problemOf(() => readAll(Uint8Array.from(bytes))),
        problem,
        bytes.join(),
      );
    }
  });

  it('tells an offset and no bytes', () => {
    assert.throws(
      () => readAll(Buffer.from([0x0a, 0x01, 0x41, 0x0a, 0x7f, 0x53, 0x45, 0x43])),
      (error: MalformedMessage) => error.offset === 4 && !/SEC|5345|83/.test(error.message),
    );
  });

  it('skips every wire type that it does not know the field of', () => {
    const known = encodeProcessingRequest({ requestBody: { body: Buffer.from('x') } });
    const unknown = Buffer.from([
      0xa0, 0x06, 0x01, 0xa1, 0x06, 1, 2, 3, 4, 5, 6, 7, 8, 0xa2, 0x06, 0x01, 0x41, 0xa5, 0x06, 1,
      2, 3, 4,
    ]);
    const view = readProcessingRequest(Buffer.concat([unknown, known, unknown]));
    assert.equal(view.kind, 'body');
  });

  it('takes a known field of another wire type for an unknown one', () => {
    assert.equal(readProcessingRequest(Buffer.from([0x10, 0x01])).kind, 'none');
  });

  it('never throws anything but MalformedMessage, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        problemOf(() => {
          const view = readProcessingRequest(bytes);
          const event = readHeadersEvent(view);
          event.headers.entries();
          event.headers.get('a');
          event.attribute('a');
          event.metadata('a');
        });
      }),
      { numRuns: 2000 },
    );
  });

  it('takes every truncation of a real message for malformed or for a shorter message', () => {
    const whole = encodeProcessingRequest({
      requestHeaders: { headers: headerMap({ ':path': '/v1', a: 'b' }), endOfStream: true },
      metadataContext: { filterMetadata: { ns: structOf({ a: 1 }) } },
    });
    for (let length = 0; length < whole.length; length++) {
      problemOf(() =>
        readHeadersEvent(readProcessingRequest(whole.subarray(0, length))).headers.entries(),
      );
    }
  });
});

describe('wire writer', () => {
  it('writes what the reader reads', () => {
    fc.assert(
      fc.property(
        fc.maxSafeNat(),
        fc.uint8Array({ maxLength: 300 }),
        fc.string({ unit: 'grapheme', maxLength: 100 }),
        fc.double({ noNaN: true }),
        (integer, bytes, text, double) => {
          const message = new WireWriter(1)
            .varintField(1, integer)
            .bytesField(2, bytes)
            .stringField(3, text)
            .doubleField(4, double)
            .finish();
          const reader = new WireReader(message);
          assert.ok(reader.next());
          assert.equal(reader.varint(), integer);
          assert.ok(reader.next());
          assert.deepEqual(Uint8Array.from(reader.bytes()), bytes);
          assert.ok(reader.next());
          assert.equal(reader.string(), text);
          assert.ok(reader.next());
          assert.equal(reader.double(), double);
          assert.ok(!reader.next());
        },
      ),
    );
  });

  it('knows the length of a varint at its edges', () => {
    for (const [value, length] of [
      [0, 1],
      [127, 1],
      [128, 2],
      [16383, 2],
      [16384, 3],
      [2 ** 32, 5],
    ] as const) {
      assert.equal(varintLength(value), length);
      assert.equal(new WireWriter().varintField(1, value).finish().length, length + 1);
    }
  });
});

describe('merging', () => {
  it('merges a message that occurs twice and lets the last member of a oneof win', () => {
    const one = encodeProcessingRequest({ requestHeaders: { headers: headerMap({ a: '1' }) } });
    const two = encodeProcessingRequest({
      requestHeaders: { headers: headerMap({ b: '2' }), endOfStream: true },
    });
    const event = readHeadersEvent(readProcessingRequest(Buffer.concat([one, two])));
    assert.deepEqual(event.headers.entries(), [
      ['a', '1'],
      ['b', '2'],
    ]);
    assert.ok(event.endOfStream);
    const body = encodeProcessingRequest({ responseBody: { body: Buffer.from('x') } });
    const last = readProcessingRequest(Buffer.concat([one, body]));
    assert.equal(`${last.direction} ${last.kind}`, 'response body');
    // Coming back to the first member starts anew.
    const again = readHeadersEvent(readProcessingRequest(Buffer.concat([one, body, two])));
    assert.deepEqual(again.headers.entries(), [['b', '2']]);
  });

  it('merges what is whole, and no more of it than costs nothing', () => {
    const whole = (bytes: number): Buffer =>
      new WireWriter().bytesField(9, Buffer.alloc(bytes - 3)).finish();
    const later = Buffer.from([0x08, 0x01]);
    assert.equal(mergeOccurrences(whole(1_024), later).length, 1_026);
    assert.throws(() => mergeOccurrences(whole(1_025), later), MalformedMessage);
    // Each is none by itself: field 1 of four bytes, of which two come with the later.
    assert.throws(
      () => mergeOccurrences(Buffer.from([0x0a, 4, 0, 0]), Buffer.from([0, 0])),
      MalformedMessage,
    );
  });

  it('merges structs and lists that occur twice, where nothing has stood between', () => {
    const list = (value: number): Buffer => Buffer.from([0x32, 4, 0x0a, 2, 0x20, value]);
    const read = (...parts: readonly Buffer[]): unknown => {
      const value = Buffer.concat(parts);
      const entry = Buffer.from([0x0a, 1, 0x61, 0x12, value.length, ...value]);
      return readStruct(Buffer.from([0x0a, entry.length, ...entry])).a;
    };
    assert.deepEqual(read(list(0), list(1)), [false, true]);
    assert.deepEqual(read(list(0), Buffer.from([0x20, 1]), list(1)), [true]);
    assert.equal(read(list(0), Buffer.from([0x20, 1])), true);
  });

  it('reads a map entry whose parts are missing as empty', () => {
    assert.deepEqual({ ...mapEntry(Buffer.alloc(0), false), value: '' }, { key: '', value: '' });
    assert.equal(mergeOccurrences(undefined, Buffer.from('a')).toString(), 'a');
    assert.equal(lengthTag(2), 18);
  });
});
