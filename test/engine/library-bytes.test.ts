/** What the library hands out is its own: whoever gives chunks may write to their memory again. */
import assert from 'node:assert/strict';
import { openPolicies } from '../../src/library.ts';

const ELSEWHERE = `
kind: Policy
metadata: { name: elsewhere, layer: tenant, selector: { tenant: nobody } }
class: security
rules:
  - { id: zebra, inspect: [response], match: { keywords: { words: [Zebra] } }, then: block }
`;

describe('bytes that the library hands out', () => {
  it('stay as they are when the memory of a chunk is used again', async () => {
    const policies = await openPolicies([{ path: 'elsewhere.yaml', text: ELSEWHERE }]);
    const exchange = policies.begin({ path: '/v1/chat/completions' });
    const request = Buffer.from('{"model":"m","messages":[{"role":"user","content":"hi"}]}');
    assert.equal((await exchange.request(request)).refused, false);
    const chunk = Buffer.alloc(40);
    const texts = ['one', 'two', 'three'].map((text) => text.padEnd(40, '.'));
    async function* chunks(): AsyncGenerator<Uint8Array> {
      for (const text of texts) {
        chunk.write(text, 'latin1');
        yield chunk;
      }
      chunk.fill(0);
    }
    const head = { status: 200, headers: { 'content-type': 'text/plain' } };
    const answer = await exchange.stream(head, chunks());
    assert.ok(!answer.refused);
    const out: Uint8Array[] = [];
    for await (const bytes of answer.body) out.push(bytes);
    assert.equal(Buffer.concat(out).toString('latin1'), texts.join(''));
  });
});
