import assert from 'node:assert/strict';
import fc from 'fast-check';
import { readHeadersEvent, readProcessingRequest } from '../../src/protocol/ext-proc-request.ts';
import { headersReply } from '../../src/protocol/ext-proc-response.ts';
import type { StructObject, StructValue } from '../../src/protocol/process.ts';
import {
  readStruct,
  STRUCT_DEPTH_MAX,
  structBytes,
  writeStruct,
} from '../../src/protocol/struct.ts';
import { WireWriter } from '../../src/protocol/wire.ts';
import { decodeProcessingResponse, encodeProcessingRequest, plainOf, structOf } from './peer.ts';

function written(fields: StructObject): Uint8Array {
  const bytes = structBytes(fields);
  const writer = new WireWriter(0);
  writeStruct(writer, fields);
  const message = writer.finish();
  assert.equal(message.length, bytes);
  return message;
}

const { object } = fc.letrec<{ object: StructObject; value: StructValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constant(null),
    fc.boolean(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.string({ unit: 'grapheme' }),
    fc.array(tie('value'), { maxLength: 4 }),
    tie('object'),
  ),
  object: fc.dictionary(
    fc.string({ maxLength: 8 }).filter((key) => key !== '__proto__'),
    tie('value'),
    { maxKeys: 4, noNullPrototype: true },
  ),
}));

function nested(depth: number): StructObject {
  let value: StructObject = {};
  for (let level = 1; level < depth; level++) value = { a: value };
  return value;
}

describe('Struct', () => {
  it('is read by an independent peer as it was meant', () => {
    fc.assert(
      fc.property(object, (metadata) => {
        const reply = decodeProcessingResponse(
          headersReply('request', undefined, { ns: metadata }),
        );
        assert.deepEqual(plainOf(reply.dynamicMetadata), { ns: metadata });
      }),
    );
  });

  it('is read as an independent peer meant it', () => {
    fc.assert(
      fc.property(object, (metadata) => {
        const bytes = encodeProcessingRequest({
          requestHeaders: {},
          metadataContext: { filterMetadata: { ns: structOf(metadata) } },
          attributes: { 'envoy.filters.http.ext_proc': structOf({ 'xds.route_name': metadata }) },
        });
        const event = readHeadersEvent(readProcessingRequest(bytes));
        assert.deepEqual(event.metadata('ns'), metadata);
        assert.equal(event.metadata('other'), undefined);
        assert.deepEqual(event.attribute('xds.route_name'), metadata);
        assert.equal(event.attribute('toString'), undefined);
      }),
    );
  });

  it('stops at its depth', () => {
    assert.doesNotThrow(() => readStruct(written(nested(STRUCT_DEPTH_MAX))));
    assert.throws(() => readStruct(written(nested(STRUCT_DEPTH_MAX + 1))), /too_deep/);
    let list: StructValue = null;
    for (let level = 0; level < STRUCT_DEPTH_MAX + 1; level++) list = [list];
    assert.throws(() => readStruct(written({ a: list })), /too_deep/);
  });

  it('keeps `__proto__` a key and makes numbers that JSON lacks null', () => {
    const hostile = written(Object.fromEntries([['__proto__', { polluted: true }]]));
    const read = readStruct(hostile);
    assert.deepEqual(Object.keys(read), ['__proto__']);
    assert.equal((read as { polluted?: boolean }).polluted, undefined);
    assert.deepEqual(readStruct(written({ a: Number.NaN, b: Infinity })), { a: null, b: null });
  });
});
