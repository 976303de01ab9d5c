import assert from 'node:assert/strict';
import { type FactSource, isChosenByClient } from '../../src/engine/facts.ts';

describe('a fact', () => {
  const chosen: readonly FactSource[] = [
    { from: 'header', name: 'x-tenant', trusted: true },
    { from: 'body' },
    { from: 'attribute', name: 'request.path' },
    { from: 'attribute', name: 'connection.requested_server_name' },
  ];
  for (const source of chosen)
    it(`is content in a record where the client chooses it: ${JSON.stringify(source)}`, () => {
      assert.equal(isChosenByClient(source), true);
    });

  const given: readonly FactSource[] = [
    { from: 'grpcMetadata', name: 'x-switchyard-tenant' },
    { from: 'contextExtension', name: 'tenant' },
    { from: 'metadata', namespace: 'envoy.filters.http.jwt_authn', path: ['sub'] },
    { from: 'attribute', name: 'connection.uri_san_peer_certificate' },
    { from: 'peer' },
    { from: 'map', entries: [] },
  ];
  for (const source of given)
    it(`may be shown where the operator chooses it: ${JSON.stringify(source)}`, () => {
      assert.equal(isChosenByClient(source), false);
    });
});
