/** How much one message may hold: the last that is allowed, and what the next is told. */
import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { readCheckRequest } from '../../src/protocol/ext-authz.ts';
import { readHeadersEvent, readProcessingRequest } from '../../src/protocol/ext-proc-request.ts';
import { ENTRY_FIELDS_MAX, FIELDS_MAX, fieldBytes, WireWriter } from '../../src/protocol/wire.ts';

const field = (number: number, ...inner: readonly Uint8Array[]): Buffer => {
  const bytes = Buffer.concat(inner);
  return new WireWriter(fieldBytes(bytes.length)).bytesField(number, bytes).finish();
};
const times = (count: number, bytes: Buffer): Buffer => Buffer.alloc(count * bytes.length, bytes);
const NOTHING = field(1);
const text = (number: number, value: string): Buffer => field(number, Buffer.from(value));
/** Of a HeaderMap, as Envoy writes it and otherwise. */
const HEADER = field(1, text(1, 'a'), text(3, 'b'));
/** An entry of a Struct: `a: null`. */
const MEMBER = field(1, text(1, 'a'), field(2, Buffer.of(0x08, 0)));

const headersOf = (message: Buffer) => readHeadersEvent(readProcessingRequest(message));
const FIELD_LAST = FIELDS_MAX - 1;

/** `make(FIELDS_MAX)` is as much as is read. */
const ROWS: readonly (readonly [
  name: string,
  max: number,
  make: (count: number) => Buffer,
  read: (message: Buffer) => unknown,
])[] = [
  ['fields of a message', FIELDS_MAX, (count) => times(count, Buffer.of(0x60, 0)), headersOf],
  [
    'headers',
    FIELDS_MAX,
    (count) => field(2, field(1, times(count, HEADER))),
    (message) => headersOf(message).headers.get('b'),
  ],
  [
    'empty headers',
    FIELDS_MAX,
    (count) => field(2, field(1, times(count, NOTHING))),
    (message) => headersOf(message).headers.get('b'),
  ],
  [
    'parts of a header',
    ENTRY_FIELDS_MAX,
    (count) => field(2, field(1, field(1, times(count, text(1, 'a'))))),
    (message) => headersOf(message).headers.get('b'),
  ],
  [
    'namespaces',
    FIELDS_MAX,
    (count) => Buffer.concat([field(2), field(8, times(count, NOTHING))]),
    (message) => headersOf(message).metadata('b'),
  ],
  [
    'values of attributes',
    FIELDS_MAX,
    (count) => Buffer.concat([field(2), field(9, field(2, times(count, MEMBER)))]),
    (message) => headersOf(message).attribute('b'),
  ],
  [
    'values of attributes that are filed in two places',
    FIELDS_MAX,
    (count) =>
      Buffer.concat([
        field(2),
        field(9, field(2, times(count - 5_000, MEMBER))),
        field(9, field(2, times(5_000, MEMBER))),
      ]),
    (message) => headersOf(message).attribute('b'),
  ],
  [
    'values of a list',
    FIELD_LAST,
    (count) =>
      Buffer.concat([
        field(2),
        field(9, field(2, field(1, text(1, 'a'), field(2, field(6, times(count, NOTHING)))))),
      ]),
    (message) => headersOf(message).attribute('b'),
  ],
  [
    'headers of a check',
    FIELDS_MAX,
    (count) => field(1, field(4, field(2, times(count, field(3, text(1, 'a'), text(2, 'b')))))),
    (message) => readCheckRequest(message).headers.get('b'),
  ],
];

describe('limits of a message', () => {
  for (const [name, max, make, read] of ROWS)
    it(name, () => {
      assert.doesNotThrow(() => read(make(max)));
      assert.throws(() => read(make(max + 1)), /too_many_fields/u);
    });
});
