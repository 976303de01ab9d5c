/** Personal data through Envoy: masked in answers, streamed and whole, and in requests, or refused. */
import assert from 'node:assert/strict';
import { chat, choicesOf } from './chat.ts';
import { requireEnvoy, type Stack, startStack } from './harness.ts';

const POLICY = `
kind: Policy
metadata: { name: guard, layer: platform }
class: security
rules:
  - id: no-pii-out
    inspect: [response]
    match: { pii: { entities: [phone, iban, us, passport, ip_address, in_aadhaar], except: [+1 212 736 5000] } }
    then: redact
  - { id: no-ids-in, inspect: [request], match: { pii: { entities: [national_id] } }, then: { block: { message: Keep your numbers. } } }
  - { id: no-accounts-in, inspect: [request], match: { pii: { entities: [iban, phone] } }, then: redact }
`;

const TEXT =
  'Her passport 123456789, IBAN GB82 WEST 1234 5698 7654 32, SSN 219-09-9998, host 192.0.2.17; ' +
  'ring +44 20 7946 0958 or +1 212 736 5000. Order 123456789 of 2024-05-01 is no one.';
const MASKED =
  'Her passport [PASSPORT_1], IBAN [IBAN_1], SSN [US_SSN_1], host [IP_ADDRESS_1]; ' +
  'ring [PHONE_1] or +1 212 736 5000. Order 123456789 of 2024-05-01 is no one.';

describe('personal data through Envoy', function () {
  this.timeout(120_000);
  let stack: Stack;

  before(async function () {
    requireEnvoy(this);
    stack = await startStack({ policies: { 'guard.yaml': POLICY } });
  });

  after(async () => {
    await stack?.stop();
  });

  const answered = async (deltas: readonly string[], stream: boolean) => {
    const answer = await chat(stack.envoy.port, { stream, script: { deltas } });
    assert.equal(answer.status, 200);
    return choicesOf(answer)[0]?.content;
  };

  it('is masked in an answer, streamed in any deltas and whole', async () => {
    for (const deltas of [[TEXT], [...TEXT], TEXT.match(/.{1,7}/gu) as string[]])
      assert.equal(await answered(deltas, true), MASKED);
    assert.equal(await answered([TEXT], false), MASKED);
  });

  it('is masked in full-width digits and with something unseen between', async () => {
    const wide = 'passport \uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18\uff19!';
    assert.equal(await answered([...wide], true), 'passport [PASSPORT_1]!');
    const split = ['219-0', '\u200b', '9-9998', ' is hers'];
    assert.equal(await answered(split, true), '[US_SSN_1] is hers');
  });

  it('needs its name as far back as was said, not in what comes later', async () => {
    assert.equal(await answered(['12345', '6789 is a passport'], true), '123456789 is a passport');
    assert.equal(
      await answered(['passport', ': ', '12345', '6789'], true),
      'passport: [PASSPORT_1]',
    );
  });

  it('is masked in a request before the upstream sees it', async () => {
    const prompt = 'Pay GB82 WEST 1234 5698 7654 32 and ring +44 20 7946 0958';
    const answer = await chat(stack.envoy.port, { prompt });
    assert.equal(answer.status, 200);
    const seen = JSON.stringify(stack.upstream.journal.at(-1));
    assert.match(seen, /Pay \[IBAN_1\] and ring \[PHONE_1\]/);
    assert.ok(!seen.includes('WEST'));
  });

  it('is refused in a request, and its number is not repeated', async () => {
    const seen = stack.upstream.journal.length;
    const answer = await chat(stack.envoy.port, { prompt: 'My SSN is 219-09-9998' });
    assert.equal(answer.status, 400);
    assert.equal(JSON.parse(answer.text).error.message, 'Keep your numbers.');
    assert.ok(!answer.text.includes('219-09'));
    assert.equal(stack.upstream.journal.length, seen);
  });
});
