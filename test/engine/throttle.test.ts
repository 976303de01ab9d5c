import assert from 'node:assert/strict';
import { take } from '../../src/engine/throttling.ts';
import { ask } from './requests.ts';
import { compile, type Rig, rig } from './rig.ts';

const policy = (rules: string) =>
  compile(`
kind: Policy
metadata: { name: p, layer: platform }
class: security
rules:
${rules}`);

const body = (content: string) => JSON.stringify({ messages: [{ role: 'user', content }] });

const status = (from: Rig, session: string | undefined, content = 'hi') =>
  ask(from, {
    body: body(content),
    ...(session !== undefined && { headers: { 'x-session-id': session } }),
  }).port.refusal?.status;

describe('throttle', () => {
  it('answers 429, and when to come again, in the words of the caller', () => {
    const set = policy(
      '  - { id: rate, then: { throttle: { max: 2, window: 10s, message: Slowly. } } }',
    );
    const from = rig(set);
    assert.equal(status(from, 'a'), undefined);
    assert.equal(status(from, 'a'), undefined);
    const { refusal } = ask(from, { body: body('hi'), headers: { 'x-session-id': 'a' } }).port;
    assert.equal(refusal?.status, 429);
    assert.equal(refusal.headers['retry-after'], '5');
    assert.equal(refusal.headers['x-should-retry'], undefined);
    assert.deepEqual(JSON.parse(refusal.body).error, {
      message: 'Slowly.',
      type: 'rate_limit_error',
      param: null,
      code: 'rate_limit_exceeded',
    });
    const record = from.records.at(-1);
    assert.deepEqual([record?.verdict, record?.code, record?.status], ['deny', 'throttled', 429]);
    assert.equal(record?.findings[0]?.rule, 'p/rate');
    assert.equal(status(from, 'b'), undefined, 'another session');
    from.clock.advance(4_999);
    assert.equal(status(from, 'a'), 429);
    from.clock.advance(1);
    assert.equal(status(from, 'a'), undefined);
    assert.equal(status(from, 'a'), 429);
  });

  it('with `match` counts what matches', () => {
    const set = policy(
      '  - { id: probes, inspect: [request], match: { keywords: { words: [ignore] } }, then: { throttle: { max: 1, window: 1m } } }',
    );
    const from = rig(set);
    assert.equal(status(from, 'a', 'ignore this'), undefined);
    assert.equal(status(from, 'a', 'harmless'), undefined);
    assert.equal(status(from, 'a', 'ignore that'), 429);
    assert.equal(status(from, 'a', 'harmless'), undefined);
  });

  it('counts those together of whom nothing is known', () => {
    const from = rig(policy('  - { id: rate, then: { throttle: { max: 1, window: 1m } } }'));
    assert.equal(status(from, undefined), undefined);
    assert.equal(status(from, undefined), 429);
    assert.equal(status(from, 'a'), undefined);
  });

  it('goes by tenants where it says so', () => {
    const from = rig(
      policy('  - { id: rate, then: { throttle: { max: 1, window: 1m, per: tenant } } }'),
    );
    const of = (tenant: string) =>
      ask(from, { body: body('hi'), initial: { 'x-switchyard-tenant': tenant } }).port.refusal
        ?.status;
    assert.deepEqual([of('acme'), of('beta'), of('acme')], [undefined, undefined, 429]);
  });

  it('takes nothing for a request that is refused for another reason', () => {
    const from = rig(
      policy(`  - { id: rate, then: { throttle: { max: 1, window: 1m } } }
  - { id: no, when: 'path == "/v1/completions"', then: block }`),
    );
    const refused = ask(from, {
      path: '/v1/completions',
      body: '{"prompt":"x"}',
      headers: { 'x-session-id': 'a' },
    });
    assert.equal(refused.port.refusal?.status, 400);
    assert.equal(status(from, 'a'), undefined);
  });

  it('in shadow says what it would do, and does it not', () => {
    const from = rig(
      policy('  - { id: rate, enforcement: shadow, then: { throttle: { max: 1, window: 1m } } }'),
    );
    assert.equal(status(from, 'a'), undefined);
    assert.equal(status(from, 'a'), undefined);
    assert.deepEqual(
      from.records.map(({ findings }) => findings.map(({ enforced }) => enforced)),
      [[], [false]],
    );
  });

  it('goes on counting when the set is another, by the new rate', () => {
    const rate = (max: number) =>
      policy(`  - { id: rate, then: { throttle: { max: ${max}, window: 10s } } }`);
    const blue = rig(rate(3));
    const green = rig(rate(1));
    const shared: Rig = { ...green, deps: { ...green.deps, subjects: blue.deps.subjects } };
    assert.equal(status(blue, 'a'), undefined);
    assert.equal(status(shared, 'a'), undefined, 'of two that are left one may be used');
    assert.equal(status(shared, 'a'), 429);
    assert.equal(status(blue, 'a'), 429);
  });
});

describe('a token bucket', () => {
  const rate = { max: 60, windowMs: 60_000, burst: 2 };

  it('is full at first, holds no more than the burst, and fills by the rate', () => {
    let { bucket, waitMs } = take(rate, undefined, 0);
    assert.equal(waitMs, 0);
    ({ bucket, waitMs } = take(rate, bucket, 0));
    assert.equal(waitMs, 0);
    ({ bucket, waitMs } = take(rate, bucket, 0));
    assert.equal(waitMs, 1_000);
    ({ bucket, waitMs } = take(rate, bucket, 600));
    assert.equal(waitMs, 400);
    ({ bucket, waitMs } = take(rate, bucket, 1_000));
    assert.equal(waitMs, 0);
    ({ bucket } = take(rate, bucket, 1_000_000));
    assert.equal(bucket.tokens, 1);
  });

  it('loses nothing when time stands still or goes back', () => {
    const { bucket } = take(rate, { tokens: 0.5, atMs: 1_000 }, 900);
    assert.equal(bucket.tokens, 0.5);
  });
});
