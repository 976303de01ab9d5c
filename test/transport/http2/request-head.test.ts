/** Which lists of fields are requests: RFC 9113 §8.2 and §8.3, a row each. */
import assert from 'node:assert/strict';
import { headerField } from '../../../src/transport/http2/header-field.ts';
import {
  metadataValue,
  type RequestHead,
  readRequestHead,
  trailersStand,
} from '../../../src/transport/http2/request-head.ts';

type Pair = readonly [string, string];
const METHOD: Pair = [':method', 'POST'];
const SCHEME: Pair = [':scheme', 'http'];
const PATH: Pair = [':path', '/p'];
const LEAST: readonly Pair[] = [METHOD, SCHEME, PATH];

const read = (...list: readonly Pair[]): RequestHead | undefined =>
  readRequestHead(list.map(([name, value]) => headerField(name, value)));

describe('the head of a request', () => {
  it('has its pseudo-headers, whatever their order, and what else it says', () => {
    const head = read(
      PATH,
      SCHEME,
      [':authority', 'a'],
      METHOD,
      ['x', '1'],
      ['content-length', '5'],
    );
    assert.deepEqual(
      [head?.method, head?.path, head?.contentLength, head?.fields.length],
      ['POST', '/p', 5, 6],
    );
    assert.equal(read(...LEAST)?.contentLength, -1);
    assert.equal(read(...LEAST, ['te', 'trailers'])?.path, '/p');
  });

  const REFUSED: readonly (readonly [string, readonly Pair[]])[] = [
    ['no method', [SCHEME, PATH]],
    ['no scheme', [METHOD, PATH]],
    ['no path', [METHOD, SCHEME]],
    ['an empty path', [METHOD, SCHEME, [':path', '']]],
    ['a pseudo-header behind a field', [METHOD, SCHEME, ['x', '1'], PATH]],
    ['one of a response', [...LEAST, [':status', '200']]],
    ['one that is unknown', [...LEAST, [':protocol', 'websocket']]],
    ...LEAST.map((pair): readonly [string, readonly Pair[]] => [
      `${pair[0]} twice`,
      [...LEAST, pair],
    ]),
    [':authority twice', [...LEAST, [':authority', 'a'], [':authority', 'a']]],
    ['capitals', [...LEAST, ['X', '1']]],
    ['a name of nothing', [...LEAST, ['', '1']]],
    ['a blank in a name', [...LEAST, ['a b', '1']]],
    ['a colon within a name', [...LEAST, ['a:b', '1']]],
    ['a line end in a value', [...LEAST, ['x', 'a\r\nb']]],
    ['a NUL in a value', [...LEAST, ['x', 'a\0b']]],
    ['a blank in front', [...LEAST, ['x', ' a']]],
    ['a tab behind', [...LEAST, ['x', 'a\t']]],
    ['connection', [...LEAST, ['connection', 'close']]],
    ['transfer-encoding', [...LEAST, ['transfer-encoding', 'chunked']]],
    ['te of another kind', [...LEAST, ['te', 'gzip']]],
    ['content-length twice', [...LEAST, ['content-length', '5'], ['content-length', '5']]],
    ['a length below nothing', [...LEAST, ['content-length', '-1']]],
    ['a length of nothing', [...LEAST, ['content-length', '']]],
    ['a length of sixteen digits', [...LEAST, ['content-length', '1000000000000000']]],
  ];
  for (const [name, list] of REFUSED)
    it(`is none with ${name}`, () => assert.equal(read(...list), undefined));

  it('takes a length of fifteen digits', () => {
    assert.equal(read(...LEAST, ['content-length', '100000000000000'])?.contentLength, 1e14);
  });

  it('joins fields of one name, and keeps binary and pseudo-headers from being metadata', () => {
    const head = read(...LEAST, ['x', '1'], ['y', '2'], ['x', '3'], ['x-bin', 'AA']) as RequestHead;
    assert.equal(metadataValue(head, 'x'), '1, 3');
    assert.equal(metadataValue(head, 'z'), undefined);
    assert.equal(metadataValue(head, 'y'), '2');
    assert.equal(metadataValue(head, 'x-bin'), undefined);
    assert.equal(metadataValue(head, ':path'), undefined);
  });

  it('of trailers holds no pseudo-headers and nothing malformed', () => {
    const stand = (...list: readonly Pair[]): boolean =>
      trailersStand(list.map(([name, value]) => headerField(name, value)));
    assert.ok(stand());
    assert.ok(stand(['x', '1']));
    assert.ok(!stand(PATH));
    assert.ok(!stand(['x', '1'], ['X', '1']));
  });
});
