import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import fc from 'fast-check';
import { EventSplitter, type RawEvent, readEvent } from '../../src/formats/sse.ts';

const FRAME_BYTES_MAX = 1_000;

function split(chunks: readonly Uint8Array[], frameBytesMax = FRAME_BYTES_MAX): RawEvent[] {
  const splitter = new EventSplitter(frameBytesMax);
  return [...chunks.flatMap((chunk) => [...splitter.push(chunk)]), ...splitter.end()];
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('utf8');
}

function dataOf(event: RawEvent): string | undefined {
  const { lines } = readEvent(event.bytes, event.first);
  if (lines.length === 0) return undefined;
  return lines
    .map((line) => text(event.bytes.slice(line.rawStart, line.rawStart + line.length)))
    .join('\n');
}

/** The data of every event, after the parsing rules of the HTML standard, as far as data goes. */
function oracle(stream: string): string[] {
  const withoutMark = stream.startsWith('\ufeff') ? stream.slice(1) : stream;
  const events: string[] = [];
  let buffer: string | undefined;
  for (const line of `${withoutMark}\n\n`.split(/\r\n|\r|\n/)) {
    if (line === '') {
      if (buffer !== undefined) events.push(buffer.slice(0, -1));
      buffer = undefined;
      continue;
    }
    const colon = line.indexOf(':');
    const field = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'data') buffer = `${buffer ?? ''}${value}\n`;
  }
  return events;
}

const streams = fc
  .tuple(
    fc.constantFrom('', '\ufeff'),
    fc.array(
      fc.constantFrom(
        'data: a',
        'data:b',
        'data:  c',
        'data',
        'data:',
        ':',
        ': keep-alive',
        'event: x',
        'id: 1',
        'retry: 5',
        'dat',
        'data: é😀',
        'datax: 1',
        '\n',
        '\r',
        '\r\n',
        '\n\n',
        '\r\n\r\n',
        '\r\r',
      ),
      { maxLength: 14 },
    ),
  )
  .map(([mark, parts]) => mark + parts.join(''));

describe('event splitter', () => {
  it('gives back every byte and reads what the standard reads', () => {
    fc.assert(
      fc.property(streams, (stream) => {
        const events = split([Buffer.from(stream)]);
        assert.equal(events.map((event) => text(event.bytes)).join(''), stream);
        assert.deepEqual(
          events.map(dataOf).filter((data) => data !== undefined),
          oracle(stream),
        );
      }),
      { numRuns: 5_000 },
    );
  });

  it('splits alike for every cut', () => {
    fc.assert(
      fc.property(streams, fc.constantFrom(4, 10, FRAME_BYTES_MAX), (stream, limit) => {
        const bytes = Buffer.from(stream);
        const whole = split([bytes], limit);
        assert.deepEqual(
          split(
            [...bytes].map((byte) => Uint8Array.of(byte)),
            limit,
          ),
          whole,
        );
        for (let cut = 0; cut <= bytes.length; cut += 1)
          assert.deepEqual(split([bytes.subarray(0, cut), bytes.subarray(cut)], limit), whole);
      }),
      { numRuns: 300 },
    );
  });

  it('ends an event at the line end that completes its blank line, whatever may follow', () => {
    const splitter = new EventSplitter(FRAME_BYTES_MAX);
    const first = splitter.push(Buffer.from('data: a\r\n\r'));
    assert.deepEqual(
      first.map((event) => text(event.bytes)),
      ['data: a\r\n\r'],
    );
    const second = splitter.push(Buffer.from('\ndata: b\n\n'));
    assert.deepEqual(
      second.map((event) => text(event.bytes)),
      ['\ndata: b\n\n'],
    );
    assert.equal(splitter.pendingBytes, 0);
  });

  it('keeps what it has not given out in memory of its own', () => {
    const splitter = new EventSplitter(FRAME_BYTES_MAX);
    const chunk = Buffer.from('data: a\n\ndata: b');
    splitter.push(chunk);
    chunk.fill(0);
    assert.deepEqual(
      splitter.push(Buffer.from('\n\n')).map((event) => text(event.bytes)),
      ['data: b\n\n'],
    );
  });

  it('holds frameBytesMax at its edge, in parts of that size', () => {
    const event = (length: number): Buffer => Buffer.from(`data: ${'x'.repeat(length - 8)}\n\n`);
    const sizes = (length: number) =>
      split([event(length), event(9)], 20).map(({ bytes, oversized }) => [bytes.length, oversized]);
    assert.deepEqual(sizes(19), [
      [19, false],
      [9, false],
    ]);
    assert.deepEqual(sizes(20), [
      [20, false],
      [9, false],
    ]);
    assert.deepEqual(sizes(21), [
      [20, true],
      [1, true],
      [9, false],
    ]);
    assert.deepEqual(sizes(45), [
      [20, true],
      [20, true],
      [5, true],
      [9, false],
    ]);
  });

  it('knows lines that are no field of an event stream', () => {
    const foreign = (line: string) => readEvent(Buffer.from(`${line}\n\n`), false).foreign;
    for (const line of ['data: x', 'data', ': x', 'event: x', 'id', 'retry: 3'])
      assert.ok(!foreign(line));
    for (const line of ['{"error":1}', 'datax: 1', 'eventful: x', ' data: x'])
      assert.ok(foreign(line), line);
  });
});
