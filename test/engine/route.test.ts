import assert from 'node:assert/strict';
import { MODEL_FAILURES_MAX, MODEL_PAUSE_MS, ModelHealth } from '../../src/engine/model-health.ts';
import { SubjectMemory } from '../../src/engine/subject-memory.ts';
import { ask } from './requests.ts';
import { policyOf, type Rig, rig, VirtualClock } from './rig.ts';

const policy = (rules: string, head = 'class: operational') => policyOf(rules, head);

const CHEAP = policy('  - { id: save, then: { route: { model: cheap, cluster: low } } }');
const chat = (model: string) => `{"model":"${model}", "messages":[]}`;

describe('route', () => {
  it('asks for another model, tells Envoy by headers, and has it pick the route anew', () => {
    const from = rig(CHEAP);
    const { body, headers, port } = ask(from, { body: chat('dear'), status: 200 });
    assert.equal(body, chat('cheap'));
    assert.equal(headers['x-switchyard-model'], 'cheap');
    assert.equal(headers['x-switchyard-cluster'], 'low');
    assert.equal(port.mutations.request?.clearRouteCache, true);
    const record = from.records.at(-1);
    assert.equal(record?.verdict, 'mutate');
    assert.equal(record?.rerouted?.rule, 'p/save');
    assert.equal(record?.rerouted?.to, 'cheap');
    assert.match(record?.rerouted?.from ?? '', /^h:/, 'a client may write anything there');
    assert.equal(record?.facts.model, record?.rerouted?.from);
  });

  for (const [what, path, body, wantedPath, wantedBody] of [
    [
      'no model yet',
      '/v1/chat/completions',
      '{"messages":[]}',
      undefined,
      '{"model":"cheap","messages":[]}',
    ],
    [
      'Responses',
      '/v1/responses',
      '{"input":"x","model":"m"}',
      undefined,
      '{"input":"x","model":"cheap"}',
    ],
    [
      'Messages',
      '/v1/messages',
      '{"messages":[],"model":null}',
      undefined,
      '{"messages":[],"model":"cheap"}',
    ],
    [
      'completions',
      '/v1/completions',
      '{"model":"m","prompt":"x"}',
      undefined,
      '{"model":"cheap","prompt":"x"}',
    ],
    [
      'embeddings',
      '/v1/embeddings',
      '{"model":"m","input":"x"}',
      undefined,
      '{"model":"cheap","input":"x"}',
    ],
    [
      'Gemini',
      '/v1beta/models/dear:streamGenerateContent?alt=sse',
      '{"contents":[]}',
      '/v1beta/models/cheap:streamGenerateContent?alt=sse',
      '{"contents":[]}',
    ],
    [
      'Vertex AI',
      '/v1/projects/p/locations/l/publishers/anthropic/models/dear:rawPredict',
      '{"messages":[]}',
      '/v1/projects/p/locations/l/publishers/anthropic/models/cheap:rawPredict',
      '{"messages":[]}',
    ],
    [
      'Azure',
      '/openai/deployments/dear/chat/completions?api-version=1',
      '{"model":"dear","messages":[]}',
      '/openai/deployments/cheap/chat/completions?api-version=1',
      '{"model":"cheap","messages":[]}',
    ],
  ] as const)
    it(`writes the model where the API has it: ${what}`, () => {
      const sent = ask(rig(CHEAP), { path, body });
      assert.equal(sent.body, wantedBody);
      assert.equal(sent.headers[':path'], wantedPath);
    });

  it('changes only headers for a model that is asked for anyway, or for a cluster alone', () => {
    const same = ask(rig(CHEAP), { body: chat('cheap') });
    assert.deepEqual([same.body, same.headers['x-switchyard-model']], [chat('cheap'), 'cheap']);
    const set = policy('  - { id: save, then: { route: { cluster: low } } }');
    const { body, headers } = ask(rig(set), { body: chat('dear') });
    assert.deepEqual([body, headers['x-switchyard-cluster']], [chat('dear'), 'low']);
    assert.equal(headers['x-switchyard-model'], undefined);
  });

  it('lets no client choose a route by our headers', () => {
    const set = policy(
      '  - { id: no, inspect: [request], match: { keywords: { words: [x] } }, then: block }',
    );
    const forged = { 'x-switchyard-cluster': 'dear-llm', 'x-switchyard-model': 'dear' };
    for (const body of [chat('m'), undefined]) {
      const { headers, port } = ask(rig(set), { headers: forged, ...(body && { body }) });
      assert.deepEqual([headers['x-switchyard-cluster'], headers['x-switchyard-model']], ['', '']);
      assert.equal(port.mutations.request?.clearRouteCache, true);
    }
    const routed = ask(rig(CHEAP), { headers: forged, body: chat('m') });
    assert.equal(routed.headers['x-switchyard-cluster'], 'low');
  });

  it("that cannot be done is the class's to decide", () => {
    const strict = policy('  - { id: save, then: { route: { model: cheap } } }', 'class: security');
    const double = '{"model":"a","messages":[],"Model":"b"}';
    assert.equal(ask(rig(strict), { body: double }).port.refusal?.status, 503);
    assert.equal(ask(rig(strict), { body: chat('m'), mode: 'BUFFERED' }).port.refusal?.status, 503);
    const from = rig(CHEAP);
    assert.equal(ask(from, { body: double }).body, double);
    assert.equal(from.records.at(-1)?.degraded, true);
  });

  it('takes the first rule that holds, and one that has matched like any other', () => {
    const set = policy(`  - { id: b, then: { route: { model: second } } }
  - { id: a, priority: 1, inspect: [request], match: { keywords: { words: [easy] } }, then: { route: { model: first } } }`);
    const asking = (content: string) =>
      JSON.stringify({ model: 'm', messages: [{ role: 'user', content }] });
    assert.match(ask(rig(set), { body: asking('hard') }).body, /"model":"second"/);
    assert.match(ask(rig(set), { body: asking('easy') }).body, /"model":"first"/);
  });
});

describe('a sticky route', () => {
  const set = policy(
    `  - { id: save, when: 'tenant == "poor"', then: { route: { model: cheap, sticky: session } } }`,
  );
  const model = (from: Rig, session: string, tenant: string) =>
    JSON.parse(
      ask(from, {
        body: chat('dear'),
        headers: { 'x-session-id': session },
        initial: { 'x-switchyard-tenant': tenant },
      }).body,
    ).model as string;

  it('leaves a session where it began, whatever the condition says since', () => {
    const from = rig(set);
    assert.equal(model(from, 'a', 'rich'), 'dear');
    assert.equal(model(from, 'a', 'poor'), 'dear', 'no switch in the middle');
    assert.equal(model(from, 'b', 'poor'), 'cheap');
    assert.equal(model(from, 'b', 'rich'), 'cheap', 'and none back');
    from.clock.advance(from.deps.limits.subjectIdleMsMax);
    assert.equal(model(from, 'a', 'poor'), 'cheap', 'a session that was forgotten begins anew');
  });

  it('goes by each request where there is no session', () => {
    const from = rig(set);
    const asking = (tenant: string) =>
      ask(from, { body: chat('dear'), initial: { 'x-switchyard-tenant': tenant } }).body;
    assert.equal(asking('rich'), chat('dear'));
    assert.equal(asking('poor'), chat('cheap'));
  });
});

describe('a fallback', () => {
  it('is taken while the models before it do not answer', () => {
    const from = rig(policy('  - { id: save, then: { route: { model: a, fallback: [b, c] } } }'));
    const asks = (status: number) =>
      JSON.parse(ask(from, { body: chat('m'), status }).body).model as string;
    for (let failures = 0; failures < MODEL_FAILURES_MAX; failures++) assert.equal(asks(503), 'a');
    assert.equal(asks(200), 'b');
    from.clock.advance(MODEL_PAUSE_MS);
    assert.equal(asks(200), 'a');
  });

  it("is not taken for failures that answers stand between, or that are the caller's", () => {
    const health = new ModelHealth(new VirtualClock());
    for (const status of [500, 429, 200, 502, 504, 400, 500, 500]) health.answered('a', status);
    assert.equal(health.choose(['a', 'b']), 'a');
    health.answered('a', 529);
    assert.equal(health.choose(['a', 'b']), 'b');
    for (let n = 0; n < 3; n++) health.answered('b', 500);
    assert.equal(health.choose(['a', 'b']), 'a', 'when none answers, the one that is meant');
    assert.equal(health.choose([]), undefined);
  });
});

describe('what is remembered of subjects', () => {
  it('has a limit, at which the one that was used longest ago gives way', () => {
    const memory = new SubjectMemory<number>(new VirtualClock(), 2, 1_000);
    memory.set('a', 1);
    memory.set('b', 2);
    assert.equal(memory.get('a'), 1);
    memory.set('c', 3);
    assert.equal(memory.size, 2);
    assert.deepEqual([memory.get('a'), memory.get('b'), memory.get('c')], [1, undefined, 3]);
  });

  it('ends when nobody asks for it in time', () => {
    const clock = new VirtualClock();
    const memory = new SubjectMemory<number>(clock, 2, 1_000);
    memory.set('a', 1);
    clock.advance(999);
    assert.equal(memory.get('a'), 1);
    clock.advance(999);
    assert.equal(memory.get('a'), 1);
    clock.advance(1_000);
    assert.equal(memory.get('a'), undefined);
    assert.equal(memory.size, 0);
  });
});
