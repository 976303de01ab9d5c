import assert from 'node:assert/strict';
import fc from 'fast-check';
import { DEFAULT_FORMAT_LIMITS } from '../../src/formats/limits.ts';
import { ndjson, ndjsonWith } from '../../src/formats/ndjson.ts';
import { bytesOf, framesOf, textOf } from './chat-bodies.ts';
import { type Call, cutAt, GUARD, IDLE, run, textCutAt } from './exchange-run.ts';

const CALL: Call = {
  path: '/api/chat',
  request: '{"q":"hi"}\n',
  requestHeaders: { 'content-type': 'application/x-ndjson' },
  responseType: 'application/x-ndjson; charset=utf-8',
};

const line = (content: string, done = false) =>
  `${JSON.stringify({ message: { content }, done })}\n`;
const linesIn = (text: string) =>
  text
    .split('\n')
    .filter((one) => one.trim() !== '')
    .map((one) => JSON.parse(one));
const textIn = (text: string) =>
  linesIn(text)
    .map((one) => one.message?.content ?? '')
    .join('');

const TEXT = 'Ask Bank A or mail joe.doe@acme.example now. Banks Abroad.';
const MASKED = 'Ask another bank or mail [EMAIL_1] now. Banks Abroad.';

describe('ndjson', () => {
  it('leaves as the same bytes for every cut of the wire (law a)', () => {
    const bytes = bytesOf(
      `${line('Ask Ba')}\r\n${line('nk A or mail joe.doe@ac')}${line('me.example now.', true)}`,
    );
    const whole = run(GUARD, CALL, [bytes]).response;
    assert.equal(textIn(whole), 'Ask another bank or mail [EMAIL_1] now.');
    for (let cut = 1; cut < bytes.length; cut += 1)
      assert.equal(run(GUARD, CALL, cutAt(bytes, [cut])).response, whole, `cut at ${cut}`);
  });

  it('has the same text for every cut into lines (law b)', () => {
    for (let cut = 1; cut < TEXT.length; cut += 1) {
      const bytes = bytesOf(line(TEXT.slice(0, cut)) + line(TEXT.slice(cut), true));
      assert.equal(textIn(run(GUARD, CALL, [bytes]).response), MASKED, `cut at unit ${cut}`);
    }
  });

  it('obeys both laws for random texts and cuts, and keeps what matches nothing', () => {
    const words = fc.constantFrom(
      'Bank',
      ' ',
      'A',
      'Ban',
      'joe',
      '@',
      'acme.co',
      'é',
      '😀',
      '\n',
      '"',
    );
    fc.assert(
      fc.property(
        fc.array(words, { maxLength: 14 }),
        fc.array(fc.nat(1000), { maxLength: 6 }),
        fc.array(fc.nat(5000), { maxLength: 5 }),
        (parts, lineCuts, byteCuts) => {
          const text = parts.join('');
          const one = run(GUARD, CALL, [bytesOf(line(text))]).response;
          const bytes = bytesOf(
            `${textCutAt(text, lineCuts)
              .map((part) => line(part))
              .join('')}{}`,
          );
          const once = run(GUARD, CALL, [bytes]).response;
          assert.equal(run(GUARD, CALL, cutAt(bytes, byteCuts)).response, once);
          assert.equal(textIn(once), textIn(one));
          assert.equal(run(IDLE, CALL, cutAt(bytes, byteCuts)).response, textOf(bytes));
        },
      ),
      { numRuns: 100 },
    );
  });

  it('is refused with a line of its own, behind what came before', () => {
    const { response, port } = run(GUARD, CALL, [bytesOf(line('fine, ') + line('Project Zebra'))]);
    const [first, last] = linesIn(response);
    assert.equal(first.message.content, 'fine, ');
    assert.equal(last.error.message, 'No.');
    assert.ok(port.ended.has('response'));
  });

  it('masks a request line by line', () => {
    const request = '{"q": "joe@acme.example"}\n{"q": "Bank A", "n": 1.0}';
    assert.equal(
      run(GUARD, { ...CALL, request }).request,
      '{"q": "[EMAIL_1]"}\n{"q": "another bank", "n": 1.0}',
    );
    const refused = run(GUARD, { ...CALL, request: '{"q":"Project Zebra"}' }).port.refusal;
    assert.equal(JSON.parse(refused!.body).error.message, 'No.');
  });

  it('keeps no more lines and texts of a whole body than its limit, and leaves the rest unread', () => {
    const frames = (body: string) =>
      framesOf(
        ndjsonWith({ ...DEFAULT_FORMAT_LIMITS, nodesMax: 6 }).reader('request', false),
        bytesOf(body),
      ).map(({ bytes, unreadable }) => [bytes.length, unreadable]);
    // A line counts, and each text in it.
    assert.deepEqual(
      frames('["a","b"]\n\n1\n2\n3\n'),
      [10, 1, 2, 2, 2].map((bytes) => [bytes, undefined]),
    );
    assert.deepEqual(frames('["a","b"]\n\n1\n2\n3\n\n\n4\n').at(-1), [4, 'json_too_many_nodes']);
    assert.equal(frames(`["a","b"]\n\n1\n2\n3\n${'\n'.repeat(100)}`).length, 6);
    const streamed = ndjsonWith({ ...DEFAULT_FORMAT_LIMITS, nodesMax: 6 }).reader('response', true);
    assert.equal(framesOf(streamed, bytesOf('\n'.repeat(100))).length, 100);
  });

  it('tells lines that cannot be read, and reads the longest that it may', () => {
    const frames = (body: string, frameBytesMax = 64) =>
      framesOf(
        ndjsonWith({ ...DEFAULT_FORMAT_LIMITS, frameBytesMax }).reader('response', true),
        bytesOf(body),
      ).map(({ bytes, unreadable }) => [bytes.length, unreadable]);
    assert.deepEqual(frames('{}\n{\n"x"\n'), [
      [3, undefined],
      [2, 'not_json'],
      [4, undefined],
    ]);
    assert.deepEqual(frames('"123456"\n', 9), [[9, undefined]]);
    assert.deepEqual(frames('"1234567"\n{}', 9), [
      [9, 'frame_too_large'],
      [1, 'frame_too_large'],
      [2, undefined],
    ]);
    assert.equal(ndjson.name, 'ndjson');
  });
});
