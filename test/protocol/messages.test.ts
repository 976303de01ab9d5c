import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { CheckAnswer } from '../../src/protocol/check.ts';
import { checkReply, readCheckRequest } from '../../src/protocol/ext-authz.ts';
import {
  readBodyEvent,
  readHeadersEvent,
  readProcessingRequest,
} from '../../src/protocol/ext-proc-request.ts';
import {
  headersReply,
  immediateReply,
  replacedBodyReply,
  streamedBodyReply,
  trailersReply,
  unchangedBodyReply,
} from '../../src/protocol/ext-proc-response.ts';
import { removableName, safeHeaderValue, settableName } from '../../src/protocol/header-guard.ts';
import { ProtocolViolation } from '../../src/protocol/violation.ts';
import { WireWriter } from '../../src/protocol/wire.ts';
import {
  decodeCheckResponse,
  decodeProcessingResponse,
  encodeCheckRequest,
  encodeProcessingRequest,
  headerMap,
  plainOf,
  structOf,
} from './peer.ts';

const violates = (code: string) => (error: unknown) =>
  error instanceof ProtocolViolation && error.code === code;

describe('ext_proc requests', () => {
  it('tells all six messages apart', () => {
    for (const direction of ['request', 'response'] as const) {
      for (const [kind, message] of [
        ['headers', { headers: headerMap({ a: 'b' }) }],
        ['body', { body: Buffer.from('x'), endOfStream: true }],
        ['trailers', { trailers: headerMap({ t: 'v' }) }],
      ] as const) {
        const field = `${direction}${kind[0]!.toUpperCase()}${kind.slice(1)}`;
        const view = readProcessingRequest(encodeProcessingRequest({ [field]: message }));
        assert.equal(`${view.direction} ${view.kind}`, `${direction} ${kind}`);
      }
    }
  });

  it('reads the modes of the first message and whether replies are ignored', () => {
    const modes = [
      'NONE',
      'STREAMED',
      'BUFFERED',
      'BUFFERED_PARTIAL',
      'FULL_DUPLEX_STREAMED',
      'GRPC',
    ];
    for (const request of modes) {
      for (const response of modes) {
        const view = readProcessingRequest(
          encodeProcessingRequest({
            requestHeaders: {},
            protocolConfig: { requestBodyMode: request, responseBodyMode: response },
          }),
        );
        assert.deepEqual(view.modes, { request, response });
      }
    }
    const plain = readProcessingRequest(
      encodeProcessingRequest({ requestHeaders: {}, observabilityMode: true }),
    );
    assert.equal(plain.modes, undefined);
    assert.ok(plain.observability);
    const future = new WireWriter()
      .bytesField(2, Buffer.alloc(0))
      .bytesField(11, Buffer.from([8, 99]))
      .finish();
    assert.deepEqual(readProcessingRequest(future).modes, { request: undefined, response: 'NONE' });
  });

  it('lets raw_value win, falls back to value, and loses no byte that is not UTF-8', () => {
    const bytes = encodeProcessingRequest({
      requestHeaders: {
        headers: {
          headers: [
            { key: 'both', value: 'plain', rawValue: Buffer.from('raw') },
            { key: 'plain', value: 'p' },
            { key: 'latin', rawValue: Buffer.from([0x63, 0x61, 0x66, 0xe9]) },
            { key: 'utf8', rawValue: Buffer.from('café') },
            { key: 'twice', rawValue: Buffer.from('1') },
            { key: 'twice', rawValue: Buffer.from('2') },
          ],
        },
      },
    });
    const { headers } = readHeadersEvent(readProcessingRequest(bytes));
    assert.equal(headers.get('both'), 'raw');
    assert.equal(headers.get('plain'), 'p');
    assert.equal(headers.get('latin'), 'café');
    assert.equal(headers.get('utf8'), 'café');
    assert.equal(headers.get('twice'), '1, 2');
    assert.equal(headers.get('absent'), undefined);
    assert.equal(headers.entries().length, 6);
  });

  it('reads body bytes without copying', () => {
    const bytes = encodeProcessingRequest({
      requestBody: { body: Buffer.from('hello'), endOfStream: true },
    });
    const body = readBodyEvent(readProcessingRequest(bytes));
    assert.equal(Buffer.from(body.bytes).toString(), 'hello');
    assert.equal(body.bytes.buffer, bytes.buffer);
    assert.ok(body.endOfStream);
  });
});

describe('ext_proc replies', () => {
  it('streams any bytes as a streamed response', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), fc.boolean(), (bytes, endOfStream) => {
        const reply = decodeProcessingResponse(streamedBodyReply('request', bytes, endOfStream));
        const streamed = reply.requestBody.response.bodyMutation.streamedResponse;
        assert.deepEqual(Uint8Array.from(streamed.body ?? []), bytes);
        assert.equal(streamed.endOfStream ?? false, endOfStream);
        assert.equal(reply.response, 'requestBody');
      }),
    );
  });

  it('writes lengths of every width', () => {
    for (const size of [0, 1, 127, 128, 16_383, 16_384, 65_536]) {
      const reply = decodeProcessingResponse(
        streamedBodyReply('response', Buffer.alloc(size, 7), true),
      );
      assert.equal(
        reply.responseBody.response.bodyMutation.streamedResponse.body?.length ?? 0,
        size,
      );
    }
  });

  it('onlyRawValue: sets headers by raw_value, appends by `append` and by nothing else', () => {
    const reply = decodeProcessingResponse(
      headersReply('request', {
        set: [
          { name: 'X-A', value: 'é' },
          { name: 'x-b', value: '2', append: true },
        ],
        remove: ['X-C', 'content-length'],
      }),
    );
    const mutation = reply.requestHeaders.response.headerMutation;
    assert.deepEqual(
      mutation.setHeaders.map(
        (option: {
          header: { key: string; value?: string; rawValue: Buffer };
          append?: unknown;
          appendAction?: unknown;
        }) => [
          option.header.key,
          option.header.value,
          option.header.rawValue.toString(),
          option.append,
          option.appendAction,
        ],
      ),
      [
        ['x-a', undefined, 'é', undefined, undefined],
        ['x-b', undefined, '2', { value: true }, undefined],
      ],
    );
    assert.deepEqual(mutation.removeHeaders, ['x-c', 'content-length']);
  });

  it('clears, replaces and keeps bodies; puts content-length beside the new bytes', () => {
    const replaced = decodeProcessingResponse(replacedBodyReply('request', Buffer.from('new'), 3));
    const common = replaced.requestBody.response;
    assert.equal(common.bodyMutation.body.toString(), 'new');
    assert.equal(common.headerMutation.setHeaders[0].header.key, 'content-length');
    assert.equal(common.headerMutation.setHeaders[0].header.rawValue.toString(), '3');
    const cleared = decodeProcessingResponse(
      replacedBodyReply('response', Buffer.alloc(0), undefined),
    );
    assert.deepEqual(cleared.responseBody.response, {
      bodyMutation: { clearBody: true, mutation: 'clearBody' },
    });
    assert.deepEqual(decodeProcessingResponse(unchangedBodyReply('response')).responseBody, {
      response: {},
    });
    assert.deepEqual(decodeProcessingResponse(trailersReply('request')), {
      requestTrailers: {},
      response: 'requestTrailers',
    });
  });

  it('alwaysNamed: an immediate answer has a status, details, and no content-length', () => {
    const reply = decodeProcessingResponse(
      immediateReply(429, { 'Retry-After': '1', 'Content-Length': '9' }, 'body', '', {
        switchyard: { verdict: 'deny' },
      }),
    );
    const immediate = reply.immediateResponse;
    assert.equal(immediate.status.code, 429);
    assert.equal(immediate.body.toString(), 'body');
    assert.equal(immediate.details, 'switchyard');
    assert.deepEqual(
      immediate.headers.setHeaders.map((option: { header: { key: string } }) => option.header.key),
      ['retry-after'],
    );
    assert.deepEqual(plainOf(reply.dynamicMetadata), { switchyard: { verdict: 'deny' } });
    assert.equal(
      decodeProcessingResponse(immediateReply(403, {}, '', 'two words\n')).immediateResponse
        .details,
      'two_words_',
    );
  });

  it('refuses statuses that are none, at the edges', () => {
    for (const status of [0, 199, 600, 403.5, Number.NaN]) {
      assert.throws(() => immediateReply(status, {}, '', 'd'), violates('invalid_status'));
    }
    for (const status of [200, 599]) assert.doesNotThrow(() => immediateReply(status, {}, '', 'd'));
  });
});

describe('header guards', () => {
  it('safeHeaderValue: no control character but tab is left', () => {
    assert.equal(safeHeaderValue('a\r\nb\u0000c\td\u007f'), 'a  b c\td ');
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (value) => {
        for (const char of safeHeaderValue(value)) {
          const code = char.codePointAt(0)!;
          assert.ok(code === 9 || (code >= 32 && code !== 127));
        }
        assert.equal(safeHeaderValue(value).length, value.length);
      }),
    );
  });

  it('forbiddenHeader: refuses what Envoy ignores and what frames the message', () => {
    for (const name of [
      'host',
      'Host',
      ':authority',
      ':method',
      ':scheme',
      'x-envoy-original-path',
      'content-length',
      'transfer-encoding',
      'connection',
    ]) {
      assert.throws(() => settableName(name), violates('forbidden_header'), name);
    }
    for (const name of ['', 'a b', 'a\n', 'é', 'a:b']) {
      assert.throws(() => settableName(name), violates('invalid_header_name'), name);
    }
    assert.equal(settableName(':path'), ':path');
    assert.equal(settableName('X-Ok'), 'x-ok');
    assert.equal(removableName('Content-Length'), 'content-length');
    for (const name of ['host', ':path', 'x-envoy-a']) {
      assert.throws(() => removableName(name), violates('forbidden_header'), name);
    }
  });

  it('sanitises in every reply', () => {
    const bad = { 'x-a': 'a\r\nb' };
    const raw = (reply: { setHeaders: { header: { rawValue: Buffer } }[] }) =>
      reply.setHeaders[0]!.header.rawValue.toString();
    const mutation = { set: [{ name: 'x-a', value: bad['x-a'] }] };
    assert.equal(
      raw(
        decodeProcessingResponse(headersReply('request', mutation)).requestHeaders.response
          .headerMutation,
      ),
      'a  b',
    );
    assert.equal(
      raw(
        decodeProcessingResponse(trailersReply('response', mutation)).responseTrailers
          .headerMutation,
      ),
      'a  b',
    );
    assert.equal(
      raw(decodeProcessingResponse(immediateReply(403, bad, '', 'd')).immediateResponse.headers),
      'a  b',
    );
    const denied = decodeCheckResponse(
      checkReply({ kind: 'deny', status: 403, headers: bad, body: '', metadata: {} }),
    );
    assert.equal(denied.deniedResponse.headers[0].header.value, 'a  b');
  });
});

describe('ext_authz', () => {
  it('reads what the engine may ask', () => {
    const request = readCheckRequest(
      encodeCheckRequest({
        attributes: {
          source: { principal: 'spiffe://a', service: 's', labels: { a: 'b' } },
          request: {
            http: {
              id: '1',
              method: 'POST',
              path: '/v1?x=1',
              host: 'api',
              headers: { ':path': '/v1?x=1', 'x-a': 'ü' },
              size: 12,
              body: 'a body',
            },
          },
          contextExtensions: { tenant: 'acme', other: '' },
          metadataContext: { filterMetadata: { jwt: structOf({ sub: 'me' }) } },
        },
      }),
    );
    assert.equal(request.method, 'POST');
    assert.equal(request.path, '/v1?x=1');
    assert.equal(request.authority, 'api');
    assert.equal(request.headers.get('x-a'), 'ü');
    assert.equal(request.headers.entries().length, 2);
    assert.equal(request.sourcePrincipal, 'spiffe://a');
    assert.equal(Buffer.from(request.body).toString(), 'a body');
    assert.equal(request.contextExtension('tenant'), 'acme');
    assert.equal(request.contextExtension('other'), '');
    assert.equal(request.contextExtension('absent'), undefined);
    assert.deepEqual(request.metadata('jwt'), { sub: 'me' });
    assert.equal(request.metadata('absent'), undefined);
  });

  it('reads raw headers where Envoy sends those, and an empty request as empty', () => {
    const raw = readCheckRequest(
      encodeCheckRequest({
        attributes: {
          request: {
            http: { headerMap: headerMap({ 'x-a': 'b' }), rawBody: Buffer.from([0xff, 0]) },
          },
        },
      }),
    );
    assert.equal(raw.headers.get('x-a'), 'b');
    assert.deepEqual([...raw.body], [0xff, 0]);
    const empty = readCheckRequest(Buffer.alloc(0));
    assert.equal(`${empty.method}${empty.path}${empty.authority}${empty.sourcePrincipal}`, '');
    assert.deepEqual(empty.headers.entries(), []);
    assert.equal(empty.body.length, 0);
  });

  it('statusAlwaysSet: every answer has a status, a denial never 0', () => {
    fc.assert(
      fc.property(
        fc.boolean(),
        fc.integer({ min: 200, max: 599 }),
        fc.dictionary(fc.constantFrom('x-a', 'retry-after'), fc.string()),
        fc.string({ unit: 'grapheme' }),
        (allow, status, headers, body) => {
          const answer: CheckAnswer = allow
            ? { kind: 'allow', metadata: { epoch: 1 } }
            : { kind: 'deny', status, headers, body, metadata: { epoch: 1 } };
          const bytes = checkReply(answer);
          assert.equal(bytes[0], 0x0a, 'field 1 is written first');
          const reply = decodeCheckResponse(bytes);
          assert.ok(reply.status);
          assert.equal(reply.status.code ?? 0, allow ? 0 : 7);
          assert.equal(reply.httpResponse, allow ? 'okResponse' : 'deniedResponse');
          assert.deepEqual(plainOf(reply.dynamicMetadata), { epoch: 1 });
          if (!allow) {
            assert.equal(reply.deniedResponse.status.code, status);
            assert.equal(reply.deniedResponse.body ?? '', body);
            for (const { header } of reply.deniedResponse.headers ?? [])
              assert.equal(header.rawValue, undefined);
          }
        },
      ),
    );
    assert.throws(
      () => checkReply({ kind: 'deny', status: 0, headers: {}, body: '', metadata: {} }),
      violates('invalid_status'),
    );
  });
});
