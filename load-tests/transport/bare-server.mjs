/**
 * Our protocol core on one of our transports, and nothing else: the decisions of `reference/lazy-policy.h`, no
 * policies, no metrics, no records. `node bare-server.mjs grpcjs|http2|none [observed]` prints `listening PORT` (0 for
 * `none`, a process that only waits) and ends when its standard input does; `observed` counts, times and records each
 * exchange as the whole server does. Asked by a line there, it answers with a line
 * of JSON: `memory` collects garbage first; `pauses` tells the longest since it was asked last.
 *
 * Plain JavaScript: what is measured is what was built, and nothing may wrap it.
 */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay, PerformanceObserver } from 'node:perf_hooks';
import { createInterface } from 'node:readline';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Our transports: a module of `dist/src` and its factory. A new one is a line here. */
const TRANSPORTS = {
  grpcjs: ['transport/grpcjs/server.js', 'startGrpcServer'],
  http2: ['transport/http2/server.js', 'startHttp2Server'],
};

const ENDPOINTS = 8;
const STREAMS_MAX = 20_000;

/** FNV-1a, 32 bit. */
function hash(text) {
  let value = 2_166_136_261;
  for (let index = 0; index < text.length; index++)
    value = Math.imul(value ^ text.charCodeAt(index), 16_777_619);
  return value >>> 0;
}

const picked = (headers) => hash(headers.get('x-session-id') ?? '') % ENDPOINTS;

const mutations = Array.from({ length: ENDPOINTS }, (_, pick) => ({
  set: [
    { name: 'x-route-endpoint', value: `endpoint-${pick}` },
    { name: 'x-policy-epoch', value: '1' },
  ],
}));
const allowances = Array.from({ length: ENDPOINTS }, (_, pick) => ({
  kind: 'allow',
  metadata: { endpoint: `endpoint-${pick}`, epoch: '1' },
}));

class BareExchange {
  constructor(port) {
    this.port = port;
  }
  event(event) {
    if (event.kind === 'headers') {
      if (event.direction === 'request')
        this.port.continueHeaders('request', mutations[picked(event.headers)]);
      else this.port.continueHeaders('response');
    } else if (event.kind === 'body') {
      this.port.body(event.direction, event.bytes, event.endOfStream, true);
    } else {
      this.port.trailers(event.direction);
    }
  }
  end() {}
}

const built = (module) => import(new URL(`../../dist/src/${module}`, import.meta.url).href);

/** What the whole server has beside deciding: metrics, a record of each exchange in a file, the request's trace. */
async function observing() {
  const { createMetrics } = await built('telemetry/metrics.js');
  const { openAuditWriter } = await built('audit/writer.js');
  const { DecisionDraft } = await built('engine/decision.js');
  const { DECISION_CODES } = await built('engine/codes.js');
  const { DEFAULT_LIMITS } = await built('engine/limits.js');
  const { TRACEPARENT, traceContextOf } = await built('engine/trace-context.js');
  const { systemClock: clock } = await built('transport/system-clock.js');
  const { keyedHash } = await built('store/keyed-hash.js');
  const directory = mkdtempSync(join(tmpdir(), 'switchyard-bench-'));
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
  const metrics = createMetrics({ version: 'bench', codes: DECISION_CODES, classifiers: [] });
  const deps = {
    clock,
    metrics,
    decisions: openAuditWriter({
      dir: directory,
      observer: {
        written: (kind, count) => metrics.auditWritten(kind, count),
        lost: metrics.auditLost,
      },
    }),
    limits: DEFAULT_LIMITS,
    facts: {},
    serving: { current: { epoch: 1 } },
    keyedHash: keyedHash(new Uint8Array(16)),
    outcome() {},
  };
  const draft = (kind, headers) => {
    const decision = new DecisionDraft(deps, kind, randomUUID());
    if (headers !== undefined) about(decision, headers);
    return decision;
  };
  const about = (decision, headers) => {
    decision.requestId = headers.get('x-request-id') ?? '';
    decision.traced(traceContextOf(undefined, headers.get(TRACEPARENT)));
  };

  class ObservedExchange {
    constructor(port) {
      this.exchange = new BareExchange(port);
      this.decision = draft('process');
      this.spentMs = { request: 0, response: 0 };
      metrics.streamOpened();
    }
    event(event) {
      const startedMs = clock.monotonicMs();
      if (event.kind === 'headers' && event.direction === 'request')
        about(this.decision, event.headers);
      this.decision.phase = event.direction;
      this.exchange.event(event);
      this.spentMs[event.direction] += clock.monotonicMs() - startedMs;
    }
    end() {
      metrics.streamClosed();
      metrics.duration('request', this.spentMs.request);
      metrics.duration('response', this.spentMs.response);
      this.decision.close('allow', 'allowed');
    }
  }
  return {
    openProcess: (port) => new ObservedExchange(port),
    answerCheck: (request) => {
      const startedMs = clock.monotonicMs();
      const decision = draft('check', request.headers);
      decision.phase = 'request';
      const answer = allowances[picked(request.headers)];
      decision.close('allow', 'allowed');
      metrics.duration('request', clock.monotonicMs() - startedMs);
      return answer;
    },
  };
}

const bare = {
  openProcess: (port) => new BareExchange(port),
  answerCheck: (request) => allowances[picked(request.headers)],
};

async function serve(transport, observed) {
  const [module, factory] = TRANSPORTS[transport];
  const start = (await built(module))[factory];
  const server = await start({
    listen: [{ kind: 'tcp', host: '127.0.0.1', port: 0 }],
    ...(observed ? await observing() : bare),
    health: { serving: () => true, onChange: () => () => undefined },
    limits: { streamsMax: STREAMS_MAX },
  });
  return server.addresses[0].split(':').at(-1);
}

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');
const delays = monitorEventLoopDelay({ resolution: 5 });
delays.enable();
let collectionMs = 0;
new PerformanceObserver((list) => {
  for (const { duration } of list.getEntries()) collectionMs = Math.max(collectionMs, duration);
}).observe({ entryTypes: ['gc'] });

function answer(question) {
  if (question === 'memory') {
    collect();
    collect();
    const { heapUsed, external, rss } = process.memoryUsage();
    return { usedBytes: heapUsed + external, rssBytes: rss };
  }
  const pauses = { stallMs: delays.max / 1e6, collectionMs };
  delays.reset();
  collectionMs = 0;
  return pauses;
}

const transport = process.argv[2];
const port = transport === 'none' ? 0 : await serve(transport, process.argv[3] === 'observed');
createInterface({ input: process.stdin })
  .on('line', (question) => process.stdout.write(`${JSON.stringify(answer(question))}\n`))
  .on('close', () => process.exit());
process.stdout.write(`listening ${port}\n`);
