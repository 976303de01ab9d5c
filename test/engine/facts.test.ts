import assert from 'node:assert/strict';
import {
  claimsOf,
  DEFAULT_CLAIMS,
  DEFAULT_FACTS,
  type FactContext,
  type FactSource,
  handedOver,
  isChosenByClient,
  sourceIpOf,
  takenOver,
} from '../../src/engine/facts.ts';
import { CONDITION_VARIABLES } from '../../src/policy/condition-variables.ts';
import { tableUnder } from './page-table.ts';

const context = (known: Partial<FactContext>): FactContext => ({
  grpcMetadata: () => undefined,
  contextExtension: () => undefined,
  metadata: () => undefined,
  attribute: () => undefined,
  peer: () => undefined,
  header: () => undefined,
  bodyModel: undefined,
  authority: '',
  path: '/',
  ...known,
});

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

  it('that only Check is told goes to Process as it is', () => {
    const told = handedOver(
      { ...DEFAULT_FACTS, consent: [{ from: 'contextExtension', name: '__proto__' }] },
      context({
        contextExtension: (name) => ({ tenant: 'acme', secret: 's' })[name],
        peer: () => 'spiffe://a',
      }),
    );
    assert.deepEqual(told, { extensions: { tenant: 'acme' }, peer: 'spiffe://a' });
    const { contextExtension, peer } = takenOver(told);
    assert.deepEqual(
      [contextExtension('tenant'), contextExtension('app'), contextExtension('toString'), peer()],
      ['acme', undefined, undefined, 'spiffe://a'],
    );
    assert.equal(handedOver(DEFAULT_FACTS, context({})), undefined);
  });

  for (const told of [undefined, null, 'x', 7, [], { extensions: 'tenant', peer: { a: 'b' } }])
    it(`is not taken over from ${JSON.stringify(told)}`, () => {
      const { contextExtension, peer } = takenOver(told);
      assert.deepEqual([contextExtension('tenant'), peer()], [undefined, undefined]);
    });
});

describe('claims', () => {
  it('are the first object that is where they are looked for', () => {
    const metadata = (value: unknown) => (namespace: string) =>
      namespace === 'envoy.filters.http.jwt_authn' ? (value as never) : undefined;
    const found = (value: unknown) =>
      claimsOf(DEFAULT_CLAIMS, context({ metadata: metadata(value) }));
    assert.deepEqual(found({ jwt_payload: { sub: 'a' }, payload: { sub: 'b' } }), { sub: 'a' });
    assert.deepEqual(found({ jwt_payload: 'a', payload: { sub: 'b' } }), { sub: 'b' });
    for (const none of [undefined, {}, { payload: [1] }, { payload: null }])
      assert.deepEqual(found(none), {});
  });
});

describe('the address that a request comes from', () => {
  const addresses: readonly (readonly [unknown, string | undefined])[] = [
    ['192.0.2.1:4711', '192.0.2.1'],
    ['[2001:db8::1]:4711', '2001:db8::1'],
    ['[fe80::1%2]:4711', 'fe80::1'],
    ['[::ffff:192.0.2.1]:1', '::ffff:192.0.2.1'],
    ['192.0.2.1', '192.0.2.1'],
    ['/run/envoy.sock', undefined],
    ['2001:db8::1', undefined],
    ['', undefined],
    [4711, undefined],
    [undefined, undefined],
  ];
  for (const [address, ip] of addresses)
    it(`${String(address)} → ${ip}`, () => {
      assert.equal(sourceIpOf(address as string).sourceIp, ip);
    });
});

describe('the page of the facts', () => {
  it('has a row for each variable that a condition can read', () => {
    const rows = tableUnder('facts.md', 'Variables').map(([name]) => name);
    assert.deepEqual([...rows].sort(), [...CONDITION_VARIABLES].sort());
  });
});
