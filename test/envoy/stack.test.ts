import assert from 'node:assert/strict';
import { chat, choicesOf } from './chat.ts';
import { requireEnvoy, type Stack, startStack } from './harness.ts';
import { send } from './http-client.ts';

const POLICY = `kind: Policy
metadata: { name: stop-the-leak, layer: platform }
class: security
rules:
  - { id: project-name, inspect: [request, response], match: { keywords: { words: [Project Zebra] } }, then: block }
  - { id: no-pii-out, inspect: [response], match: { pii: { entities: [email] } }, then: redact }
`;

describe('Switchyard behind the shipped Envoy configuration', () => {
  let stack: Stack;
  before(async function () {
    requireEnvoy(this);
    stack = await startStack({ policies: { 'policy.yaml': POLICY } });
  });
  after(() => stack?.stop());

  it('lets a harmless exchange pass', async () => {
    const answer = await chat(stack.envoy.port, { prompt: 'Hello' });
    assert.equal(answer.status, 200);
    assert.equal(choicesOf(answer)[0]?.content, 'You said: Hello');
  });

  it('refuses a prompt before the provider sees it', async () => {
    stack.upstream.clearJournal();
    const answer = await chat(stack.envoy.port, { prompt: 'What is Project Zebra?' });
    assert.equal(answer.status, 400);
    assert.equal(stack.upstream.journal.length, 0);
  });

  it('masks a stream', async () => {
    const script = { deltas: ['Write to jane', '@exam', 'ple.com now'] };
    const answer = await chat(stack.envoy.port, { stream: true, script });
    assert.equal(answer.complete, true);
    assert.doesNotMatch(answer.text, /jane|ple\.com/);
    assert.match(choicesOf(answer)[0]?.content ?? '', /^Write to \[EMAIL_1\] now$/);
  });

  it('gives the same identity and set to both filters, and Envoy logs it', async () => {
    await chat(stack.envoy.port, { path: '/acme/v1/chat/completions' });
    const { digest } = (JSON.parse((await stack.switchyard.admin('/status')).text) as Status).blue;
    const entry = await stack.envoy.logged(({ route }) => route === 'acme');
    assert.equal(entry.set, digest);
    assert.equal(entry.switchyard_failed_open, '0');
    assert.equal(entry.switchyard_request_status, '0');
  });

  it('says nothing that Envoy did not wait for', async () => {
    assert.equal(await stack.envoy.stat('http.ai.ext_proc.switchyard.spurious_msgs_received'), 0);
    assert.equal(await stack.envoy.stat('http.ai.ext_proc.switchyard.streams_failed'), 0);
    assert.ok((await stack.envoy.stat('http.ai.ext_proc.switchyard.streams_started')) > 0);
  });

  it('is asked nothing about the exempt path', async () => {
    const started = 'http.ai.ext_proc.switchyard.streams_started';
    const before = await stack.envoy.stat(started);
    assert.equal((await send(stack.envoy.port, { path: '/healthz' })).status, 200);
    assert.equal(await stack.envoy.stat(started), before);
  });

  it('answers its command line', async () => {
    const { code, output } = await stack.switchyard.cli('status', '--json');
    assert.equal(code, 0, output);
    assert.match(output, /"SERVING"/);
  });
});

interface Status {
  readonly blue: { readonly digest: string };
}
