import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Frame } from '../../src/formats/frame.ts';
import { genericJson } from '../../src/formats/generic-json.ts';
import { genericSse, genericSseWith } from '../../src/formats/generic-sse.ts';
import { PLACE_UNITS_MAX, textPath } from '../../src/formats/json-leaves.ts';
import { DEFAULT_FORMAT_LIMITS } from '../../src/formats/limits.ts';
import { splitsPair } from '../../src/formats/utf8.ts';
import { bytesOf, framesOf, sse, textOf, textsOf } from './chat-bodies.ts';
import { type Call, cutAt, GUARD, run, textCutAt } from './exchange-run.ts';

const CALL: Call = { path: '/v1/other' };
/** The request of such a call is opaque: only its answer is looked at here. */
const answered = (pieces: readonly Uint8Array[]) =>
  run(GUARD, { ...CALL, requestHeaders: { 'content-type': 'text/plain' } }, pieces);

const stream = (body: string, format = genericSse): Frame[] =>
  framesOf(format.reader('response', true), bytesOf(body));
const path = (written: string) => textPath(written)!;

/** Data of all events, as clients take them. */
const dataIn = (text: string): string[] =>
  text
    .split(/\r?\n\r?\n/)
    .filter((one) => one.includes('data:'))
    .map((one) =>
      one
        .split(/\r?\n/)
        .filter((line) => line.startsWith('data:'))
        .map((line) => line.slice(5).replace(/^ /, ''))
        .join('\n'),
    );

const TEXT = 'Ask Bank A or mail joe.doe@acme.example now. Banks Abroad.';
const MASKED = 'Ask another bank or mail [EMAIL_1] now. Banks Abroad.';

const WAYS = [
  {
    name: 'plain data',
    write: (parts: readonly string[]) => parts.map((part) => `data: ${part}\n\n`).join(''),
    read: (text: string) => dataIn(text).join(''),
  },
  {
    name: 'JSON data',
    write: (parts: readonly string[]) => sse(...parts.map((text) => ({ delta: { text } }))),
    read: (text: string) =>
      dataIn(text)
        .map((data) => JSON.parse(data).delta.text)
        .join(''),
  },
] as const;

describe('generic event stream', () => {
  for (const { name, write, read } of WAYS) {
    describe(`of ${name}`, () => {
      it('leaves as the same bytes for every cut of the wire (law a)', () => {
        const bytes = bytesOf(write(['Ask Ba', 'nk A or mail joe.doe@ac', 'me.example now.']));
        const whole = answered([bytes]).response;
        assert.equal(read(whole), 'Ask another bank or mail [EMAIL_1] now.');
        for (let cut = 1; cut < bytes.length; cut += 1)
          assert.equal(answered(cutAt(bytes, [cut])).response, whole, `cut at ${cut}`);
      });

      it('has the same text for every cut into events (law b)', () => {
        for (let cut = 1; cut < TEXT.length; cut += 1) {
          const parts = [TEXT.slice(0, cut), TEXT.slice(cut)];
          assert.equal(read(answered([bytesOf(write(parts))]).response), MASKED, `cut at ${cut}`);
        }
      });

      it('obeys both laws for random texts and cuts', () => {
        const words = fc.constantFrom(
          'Bank',
          ' ',
          'A',
          'Ban',
          'k A',
          'joe',
          '@',
          'acme.co',
          'é',
          '😀',
          '7',
          '.',
        );
        fc.assert(
          fc.property(
            fc.array(words, { maxLength: 14 }),
            fc.array(fc.nat(1000), { maxLength: 6 }),
            fc.array(fc.nat(5000), { maxLength: 5 }),
            (parts, eventCuts, byteCuts) => {
              const text = `. ${parts.join('')}`;
              const one = answered([bytesOf(write([text]))]).response;
              // No event ends inside a character: UTF-8 has no form for half of one.
              const cuts = eventCuts.filter((cut) => !splitsPair(text, cut % (text.length + 1)));
              const bytes = bytesOf(write(textCutAt(text, cuts)));
              const once = answered([bytes]).response;
              assert.equal(answered(cutAt(bytes, byteCuts)).response, once);
              assert.equal(read(once), read(one));
            },
          ),
          { numRuns: 100 },
        );
      });
    });
  }

  it('is refused with an error event behind what came before', () => {
    const { response, port } = answered([bytesOf('data: fine, \n\ndata: Project Zebra\n\n')]);
    const [first, last] = dataIn(response);
    assert.equal(first, 'fine, ');
    assert.equal(JSON.parse(last!).error.message, 'No.');
    assert.ok(response.includes('event: error\n'));
    assert.ok(port.ended.has('response'));
  });

  it('keeps apart what an API numbers and names', () => {
    const frames = stream(
      sse(
        { type: 'delta', index: 0, text: 'a' },
        { type: 'delta', index: 1, text: 'b' },
        { type: 'delta', index: 0, text: 'c' },
        { type: 'done', index: 0, text: 'ac' },
        { choices: [{ output_index: 4, text: 'd' }] },
        { choices: [{ output_index: 5, text: 'e' }] },
      ),
    );
    const texts = Object.entries(textsOf(frames))
      .map(([, value]) => value)
      .filter((value) => !value.startsWith('delta') && !value.startsWith('done'));
    assert.deepEqual(texts, ['ac', 'b', 'ac', 'd', 'e']);
  });

  it('reads each element of an array as a text of its own, over all events', () => {
    const words = (...list: readonly string[]): Uint8Array => bytesOf(sse({ words: list }));
    const apart = [words('Project', ' Zebra'), words('x', 'y')];
    assert.equal(answered(apart).response, Buffer.concat(apart).toString());
    const joined = answered([words('x', 'Project'), words('y', ' Zebra')]).response;
    assert.ok(joined.includes('No.') && !joined.includes('Zebra'), joined);
  });

  it('joins no kinds of events to a text, which would be held for an address that never comes', () => {
    const events = sse({ type: 'delta', text: 'a' }, { type: 'delta', text: 'b' });
    const kinds = stream(events).flatMap(({ pieces }) =>
      pieces.filter(({ value }) => value === 'delta'),
    );
    assert.deepEqual(
      kinds.map(({ last }) => last),
      [true, true],
    );
    assert.notEqual(kinds[0]!.text, kinds[1]!.text);
  });

  it('counts an index as clients do, however it is written', () => {
    const frames = framesOf(
      genericSse.reader('response', true),
      bytesOf('data: {"index":1,"t":"Ban"}\n\ndata: {"index":1.0,"t":"k A"}\n\n'),
    );
    const [one, other] = frames.map(({ pieces }) => pieces[0]!.text);
    assert.equal(one, other);
  });

  it('shows no name of a field in a key', () => {
    const keys = stream(sse({ secret_name: 'x' })).flatMap((one) => one.pieces.map((p) => p.text));
    assert.deepEqual(keys, ['place/0']);
  });

  it('takes data that is JSON by accident for text, several lines for one', () => {
    const frames = stream(
      'data: 4111\n\ndata: "x\\u0041"\n\ndata: a\r\ndata: b\r\n\r\ndata\n\ndata: {"\n\n',
    );
    assert.deepEqual(textsOf(frames), { data: '4111xAa\nb{"' });
  });

  it('writes a replacement of several lines as several lines, and keeps the lines there are', () => {
    const [frame] = stream('data: one\r\ndata: two\r\n\r');
    const edit = (start: number, end: number, replacement: string) =>
      textOf(frame!.render([{ piece: 0, start, end, replacement }]));
    assert.equal(edit(0, 3, 'x\ny'), 'data: x\ndata: y\r\ndata: two\r\n\r');
    assert.equal(edit(2, 5, '-'), 'data: on-\r\ndata: wo\r\n\r');
  });

  it('remembers places up to its limits', () => {
    const limits = { ...DEFAULT_FORMAT_LIMITS, textsMax: 2 };
    const [two] = stream(sse({ a: '', b: '' }), genericSseWith(limits));
    const [three] = stream(sse({ a: '', b: '', c: '' }), genericSseWith(limits));
    assert.equal(two!.unreadable, undefined);
    assert.equal(three!.unreadable, 'too_many_texts');
    const named = (units: number) => stream(sse({ ['n'.repeat(units - 1)]: '' }))[0]!.unreadable;
    assert.equal(named(PLACE_UNITS_MAX), undefined);
    assert.equal(named(PLACE_UNITS_MAX + 1), 'too_many_texts');
  });
});

describe('generic JSON', () => {
  const values = (body: unknown, paths?: readonly string[]) =>
    framesOf(
      genericJson(paths?.map(path)).reader('request', false),
      bytesOf(JSON.stringify(body)),
    )[0]!.pieces.map((piece) => piece.value);
  const BODY = { a: 'x', m: [{ c: 'y', d: { c: 'z' } }, 'w'], l: [['v']] };

  it('reads all strings, or those at configured places', () => {
    assert.deepEqual(values(BODY), ['a', 'x', 'm', 'c', 'y', 'd', 'c', 'z', 'w', 'l', 'v']);
    assert.deepEqual(values(BODY, ['m[].c']), ['y']);
    assert.deepEqual(values(BODY, ['m[].*.c', 'a']), ['x', 'z']);
    assert.deepEqual(values(BODY, ['m']), ['c', 'y', 'd', 'c', 'z', 'w']);
    assert.deepEqual(values(BODY, ['l[][]']), ['v']);
    assert.deepEqual(values(BODY, ['l[]', 'nothing']), ['v']);
    assert.deepEqual(values([BODY], ['a']), []);
  });

  it('reads numbers that may be cards, and what is hidden in a name', () => {
    const card = 4111111111111111;
    assert.deepEqual(values({ id: card, k: 7 }), [String(card), 'k']);
    assert.deepEqual(values({ id: card, k: card }, ['k']), [String(card)]);
    const events = framesOf(
      genericSse.reader('response', true),
      bytesOf(sse({ 'two words': 1, name: card })),
    );
    assert.deepEqual(
      events[0]!.pieces.map(({ value }) => value),
      ['two words', String(card)],
    );
  });

  it('tells paths that cannot be read', () => {
    for (const bad of ['', '.a', 'a.', 'a[', 'a[0]', 'a b', '[]', 'a..b', 'a*'])
      assert.equal(textPath(bad), undefined, bad);
    assert.deepEqual(path('a[].B_c[][].*'), ['a', '[]', 'bc', '[]', '[]', '*']);
  });

  it('is rendered in place', () => {
    const body = '{ "q" : "Gr\\u00fc\\u00dfe" , "n": 1.50 }';
    const [frame] = framesOf(genericJson(undefined).reader('request', false), bytesOf(body));
    assert.equal(
      textOf(frame!.render([{ piece: 1, start: 2, end: 5, replacement: 'ü"' }])),
      '{ "q" : "Gr\\u00fc\\"" , "n": 1.50 }',
    );
  });
});
