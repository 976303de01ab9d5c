/** The `traceparent` of a request, as W3C has it and as somebody forges it. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Exchange } from '../../src/engine/exchange.ts';
import { readTraceparent, TRACEPARENT_UNITS_MAX } from '../../src/engine/trace-context.ts';
import { CHAT_HEADERS, compile, headersEvent, RecordingPort, rig } from './rig.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT = '00f067aa0ba902b7';
const plain = `00-${TRACE}-${PARENT}-01`;

describe('traceparent', () => {
  it('is read, and says whether it is sampled', () => {
    assert.deepEqual(readTraceparent(plain), { trace: TRACE, parent: PARENT, sampled: true });
    for (const [flags, sampled] of [
      ['00', false],
      ['02', false],
      ['03', true],
      ['ff', true],
    ] as const)
      assert.equal(readTraceparent(`00-${TRACE}-${PARENT}-${flags}`)?.sampled, sampled, flags);
  });

  it('of a later version is read as far as this one goes', () => {
    assert.equal(readTraceparent(`cc-${TRACE}-${PARENT}-01`)?.trace, TRACE);
    assert.equal(readTraceparent(`cc-${TRACE}-${PARENT}-01-what-else`)?.trace, TRACE);
    assert.equal(readTraceparent(`cc-${TRACE}-${PARENT}-01what-else`), undefined);
  });

  it('is read up to its longest and no further', () => {
    const long = (units: number) => `cc-${TRACE}-${PARENT}-01-`.padEnd(units, 'x');
    assert.equal(readTraceparent(long(TRACEPARENT_UNITS_MAX))?.trace, TRACE);
    assert.equal(readTraceparent(long(TRACEPARENT_UNITS_MAX + 1)), undefined);
  });

  for (const [what, value] of [
    ['nothing', undefined],
    ['an empty one', ''],
    ['version ff', `ff-${TRACE}-${PARENT}-01`],
    ['more behind version 00', `${plain}-x`],
    ['a dash behind version 00', `${plain}-`],
    ['a trace of zeros', `00-${'0'.repeat(32)}-${PARENT}-01`],
    ['a parent of zeros', `00-${TRACE}-${'0'.repeat(16)}-01`],
    ['upper case', plain.toUpperCase()],
    ['two headers', `${plain}, ${plain}`],
    ['blanks', ` ${plain}`],
    ['a line behind it', `${plain}\n`],
    ['other digits', `00-${TRACE.slice(1)}g-${PARENT}-01`],
    ['one digit less', `00-${TRACE.slice(1)}-${PARENT}-01`],
  ] as const)
    it(`is none: ${what}`, () => {
      assert.equal(readTraceparent(value), undefined);
    });

  it('never gives anything but hexadecimal digits of the right number', () => {
    const parts = fc.constantFrom('0', 'f', 'a', '-', TRACE, PARENT, '00', 'G', ' ');
    fc.assert(
      fc.property(fc.array(parts, { maxLength: 12 }), (pieces) => {
        const read = readTraceparent(pieces.join(''));
        if (read === undefined) return;
        assert.match(read.trace, /^[0-9a-f]{32}$/u);
        assert.match(read.parent, /^[0-9a-f]{16}$/u);
      }),
    );
  });

  it('stands in the record of its exchange, and one that is none does not', () => {
    const recordOf = (traceparent: string) => {
      const own = rig(compile(SET));
      const exchange = new Exchange(own.deps, new RecordingPort());
      exchange.event(
        headersEvent('request', { ...CHAT_HEADERS, traceparent }, { endOfStream: true }),
      );
      exchange.end('half_close');
      return own.records.at(-1);
    };
    assert.deepEqual(recordOf(plain)?.traceContext, {
      trace: TRACE,
      parent: PARENT,
      sampled: true,
    });
    const forged = recordOf(`${plain}-secret`);
    assert.ok(forged !== undefined);
    assert.equal(forged.traceContext, undefined);
    assert.ok(!JSON.stringify(forged).includes('secret'));
  });
});

const SET = `
kind: Policy
metadata: { name: guard, layer: platform }
class: security
rules:
  - { id: zebra, inspect: [request], match: { keywords: { words: [Project Zebra] } }, then: block }
`;
