import assert from 'node:assert/strict';
import { Exchange } from '../../src/engine/exchange.ts';
import { CHAT_HEADERS, compile, headersEvent, RecordingPort, rig } from './rig.ts';

const policyOf = (ruleClass: string) =>
  compile(`
kind: Policy
metadata: { name: p, layer: platform }
class: ${ruleClass}
rules:
  - { id: r, inspect: [request], match: { keywords: { words: [zebra] } }, then: block }
`);

function answeredEarly(ruleClass: string) {
  const from = rig(policyOf(ruleClass));
  const port = new RecordingPort('STREAMED');
  const exchange = new Exchange(from.deps, port);
  exchange.event(headersEvent('request', CHAT_HEADERS));
  const bytes = Buffer.from('{"messages":[{"role":"user","content":"zeb');
  exchange.event({ kind: 'body', direction: 'request', bytes, endOfStream: false });
  exchange.event(
    headersEvent('response', { ':status': '200', 'content-type': 'application/json' }),
  );
  return { port, from };
}

describe('a request that streams', () => {
  it('is not answered before it was judged, where a rule that must hold reads it', () => {
    const { port, from } = answeredEarly('security');
    assert.equal(port.refusal?.status, 503);
    assert.ok(!port.released.has('response'));
    assert.equal(from.records.at(-1)?.code, 'mode_cannot_enforce');
  });

  it('is answered where only operational rules read it', () => {
    const { port } = answeredEarly('operational');
    assert.equal(port.refusal, undefined);
    assert.ok(port.released.has('response'));
  });
});
