import assert from 'node:assert/strict';
import { join } from 'node:path';
import { parse } from 'yaml';
import { readShippedConfig } from '../../demo/envoy-config.ts';
import { freePort } from '../../demo/ports.ts';
import { startProcess } from '../../demo/processes.ts';
import { projectDirectory } from '../../demo/project.ts';
import type { Upstream } from '../../demo/upstream.ts';
import { envoyPath } from '../../setup/envoy.mjs';
import { chat, choicesOf } from './chat.ts';
import { type Envoy, requireEnvoy, startEnvoy, startUpstream } from './harness.ts';
import { send } from './http-client.ts';

describe('shipped Envoy configuration', () => {
  before(function () {
    requireEnvoy(this);
  });

  it('is valid as it stands', async () => {
    const file = join(projectDirectory, 'envoy', 'switchyard.yaml');
    const running = await startProcess(envoyPath(), ['--mode', 'validate', '-c', file]);
    const { code } = await running.exited;
    assert.equal(code, 0, running.output());
  });

  // Tried by hand, as it takes a minute: an answer of 66 s that ends is the end of an Envoy without this.
  it('keeps its gRPC clients for longer than any answer lasts', async () => {
    const config = parse(await readShippedConfig()) as {
      grpc_async_client_manager_config?: { max_cached_entry_idle_duration?: string };
    };
    const kept = config.grpc_async_client_manager_config?.max_cached_entry_idle_duration ?? '50s';
    const DAY_S = 86_400;
    assert.ok(Number.parseInt(kept, 10) >= 30 * DAY_S, kept);
  });
});

describe('shipped Envoy configuration, Switchyard absent', () => {
  let envoy: Envoy;
  let upstream: Upstream;

  before(async function () {
    requireEnvoy(this);
    upstream = await startUpstream();
    envoy = await startEnvoy({
      switchyard: [{ port: await freePort() }],
      upstream: { port: upstream.port },
    });
  });
  after(async () => {
    await envoy?.stop();
    await upstream?.stop();
  });
  beforeEach(() => upstream.clearJournal());

  for (const path of ['/v1/chat/completions', '/acme/v1/chat/completions'])
    it(`refuses on ${path}, in the provider's shape`, async () => {
      const answer = await chat(envoy.port, { path });
      assert.equal(answer.status, 503);
      assert.equal(answer.headers['x-should-retry'], 'false');
      assert.equal(answer.headers['content-type'], 'application/json');
      const { error } = JSON.parse(answer.text) as { error: Record<string, unknown> };
      assert.equal(error.code, 'policy_unavailable');
      assert.equal(error.type, 'policy_unavailable');
      assert.equal(typeof error.message, 'string');
      assert.equal(upstream.journal.length, 0);
    });

  it('refuses in the shape of the API that is called', async () => {
    const refused = async (path: string) =>
      JSON.parse((await chat(envoy.port, { path })).text) as Record<string, object>;
    assert.equal((await refused('/v1/messages')).type, 'error');
    for (const call of ['generateContent', 'streamGenerateContent?alt=sse']) {
      const { error } = await refused(`/v1beta/models/m:${call}`);
      const { code, status } = error as { code: unknown; status: unknown };
      assert.deepEqual({ code, status }, { code: 503, status: 'UNAVAILABLE' });
    }
    assert.equal(upstream.journal.length, 0);
  });

  it('refuses in the same shape when only the body would be asked about', async () => {
    // ext_authz answers first in the shipped chain; without it the refusal is ext_proc's.
    const withoutCheck = await startEnvoy({
      switchyard: [{ port: await freePort() }],
      upstream: { port: upstream.port },
      adapt: (document) => {
        const filters = [...CONNECTION_MANAGER, 'http_filters'];
        document.deleteIn([...filters, 0]);
      },
    });
    try {
      const answer = await chat(withoutCheck.port);
      assert.equal(answer.status, 503);
      assert.equal(answer.headers['x-should-retry'], 'false');
      assert.match(answer.text, /policy_unavailable/);
      assert.equal((await withoutCheck.accessLog()).length <= 1, true);
    } finally {
      await withoutCheck.stop();
    }
  });

  it('lets the declared-open route pass, and says so in the counters', async () => {
    const answer = await chat(envoy.port, { path: '/open/v1/chat/completions', prompt: 'Hello' });
    assert.equal(answer.status, 200);
    assert.equal(choicesOf(answer)[0]?.content, 'You said: Hello');
    assert.equal(upstream.journal[0]?.path, '/v1/chat/completions');
    const allowed = await envoy.stats(/ext_proc\.switchyard\.failure_mode_allowed$/);
    assert.ok([...allowed.values()].some((count) => count >= 1));
  });

  it('serves the exempt path, and only that path', async () => {
    assert.equal((await send(envoy.port, { path: '/healthz' })).text, 'ok\n');
    for (const path of ['/healthz/', '/healthzz', '/healthz/../v1/models', '/healthz%2f..%2fv1'])
      assert.notEqual((await send(envoy.port, { path })).status, 200, path);
    assert.equal(upstream.journal.length, 0);
  });

  it('keeps its own words for a provider that is down', async () => {
    const alone = await startEnvoy({
      switchyard: [{ port: await freePort() }],
      upstream: { port: await freePort() },
    });
    try {
      const answer = await send(alone.port, { path: '/healthz' });
      assert.equal(answer.status, 503);
      assert.equal(answer.headers['x-should-retry'], undefined);
      assert.doesNotMatch(answer.text, /policy/);
    } finally {
      await alone.stop();
    }
  });

  it('does not let the client choose its request id', async () => {
    const chosen = '11111111-1111-4111-8111-111111111111';
    const answer = await chat(envoy.port, {
      path: '/open/v1/chat/completions',
      headers: { 'x-request-id': chosen },
    });
    assert.equal(answer.status, 200);
    const seen = upstream.journal[0]?.headers['x-request-id'];
    assert.match(String(seen), /^[0-9a-f-]{36}$/);
    assert.notEqual(seen, chosen);
  });
});

const CONNECTION_MANAGER = [
  ...['static_resources', 'listeners', 0, 'filter_chains', 0, 'filters', 0, 'typed_config'],
] as const;
