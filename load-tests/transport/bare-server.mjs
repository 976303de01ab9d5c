/**
 * Our protocol core on one of our transports, and nothing else: the decisions of `reference/lazy-policy.h`, no
 * policies, no metrics, no records. `node bare-server.mjs grpcjs|http2|none` prints `listening PORT` (0 for `none`,
 * a process that only waits) and ends when its standard input does. Asked by a line there, it answers with a line
 * of JSON: `memory` collects garbage first; `pauses` tells the longest since it was asked last.
 *
 * Plain JavaScript: what is measured is what was built, and nothing may wrap it.
 */
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

async function serve(transport) {
  const [module, factory] = TRANSPORTS[transport];
  const start = (await import(new URL(`../../dist/src/${module}`, import.meta.url).href))[factory];
  const server = await start({
    listen: [{ kind: 'tcp', host: '127.0.0.1', port: 0 }],
    openProcess: (port) => new BareExchange(port),
    answerCheck: (request) => allowances[picked(request.headers)],
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
const port = transport === 'none' ? 0 : await serve(transport);
createInterface({ input: process.stdin })
  .on('line', (question) => process.stdout.write(`${JSON.stringify(answer(question))}\n`))
  .on('close', () => process.exit());
process.stdout.write(`listening ${port}\n`);
