/**
 * h2spec against the fast transport, all of it and strictly, over cleartext and TLS. It asks for bodies in answers,
 * which gRPC would not give it: requests that are not gRPC are answered with DATA here.
 */
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { goProgram } from '../../setup/go-programs.mjs';
import { plainStatus } from '../../src/transport/http2/grpc-blocks.ts';
import { startHttp2Server } from '../../src/transport/http2/server.ts';
import type { OpenStream } from '../../src/transport/http2/stream.ts';
import { skipBecause } from '../reporter/skip.ts';

const h2spec = goProgram('h2spec');
/** Of h2spec 2.2.1, with `--strict`. */
const CASES = 146;
/** How long it waits for what a server may answer with silence. */
const TIMEOUT_SECONDS = 2;

/** As many streams as one case opens, and one more: each as long under way as it takes to send them all. */
const CONCURRENT_STREAMS_MAX = 100;
const ANSWERED_AFTER_MS = 25;

/** Some DATA, once the request has ended: the cases of flow control take it in parts. */
const answered: OpenStream = (_head, stream) => ({
  data() {},
  ended() {
    setTimeout(() => {
      stream.headers(plainStatus(200), false);
      stream.bytes(Buffer.from('some bytes of an answer'), true);
    }, ANSWERED_AFTER_MS);
  },
  drained() {},
  closed() {},
});

interface Verdicts {
  readonly tests: number;
  readonly failed: readonly string[];
  readonly skipped: readonly string[];
}

/** Its report is JUnit's: a suite for each section, a case for each line. */
function verdictsIn(report: string): Verdicts {
  const failed: string[] = [];
  const skipped: string[] = [];
  let tests = 0;
  for (const [, attributes, body] of report.matchAll(
    /<testcase ([^>]*?)(?:\/>|>([\s\S]*?)<\/testcase>)/g,
  )) {
    tests++;
    const attribute = (name: string): string =>
      new RegExp(`${name}="([^"]*)"`).exec(attributes ?? '')?.[1] ?? '';
    const title = `${attribute('package')} ${attribute('classname')}`;
    if (/<(failure|error)\b/.test(body ?? '')) failed.push(title);
    if (/<skipped\b/.test(body ?? '')) skipped.push(title);
  }
  return { tests, failed, skipped };
}

describe('h2spec asks the fast transport', function () {
  this.timeout(60_000);
  let directory: string;

  before(async function () {
    if (!existsSync(h2spec))
      skipBecause(this, 'no h2spec: `node setup/go-programs.mjs h2spec` builds it');
    directory = await mkdtemp(join(tmpdir(), 'switchyard-'));
  });
  after(async () => {
    if (directory !== undefined) await rm(directory, { recursive: true, force: true });
  });

  async function certificate(): Promise<{ cert: Buffer; key: Buffer }> {
    const [cert, key] = [join(directory, 'cert.pem'), join(directory, 'key.pem')];
    execFileSync('openssl', [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
      ...['-subj', '/CN=localhost', '-days', '1', '-keyout', key, '-out', cert],
    ]);
    return { cert: await readFile(cert), key: await readFile(key) };
  }

  async function ask(tls: boolean): Promise<Verdicts> {
    const server = await startHttp2Server({
      listen: [
        { kind: 'tcp', host: '127.0.0.1', port: 0, ...(tls && { tls: await certificate() }) },
      ],
      openProcess: () => ({ event() {}, end() {} }),
      answerCheck: () => ({ kind: 'allow', metadata: {} }),
      health: { serving: () => true, onChange: () => () => undefined },
      limits: { streamsMax: 100 },
      http2: { concurrentStreamsMax: CONCURRENT_STREAMS_MAX },
      plain: answered,
    });
    const report = join(directory, tls ? 'tls.xml' : 'cleartext.xml');
    try {
      const port = server.addresses[0]?.split(':').at(-1) ?? '';
      const how = tls ? ['--tls', '--insecure'] : [];
      // Its exit code says no more than the report.
      await new Promise<void>((resolve) => {
        execFile(
          h2spec,
          [
            ...['--strict', '--host', '127.0.0.1', '--port', port, ...how],
            ...['--timeout', String(TIMEOUT_SECONDS), '--junit-report', report],
          ],
          () => resolve(),
        );
      });
      return verdictsIn(await readFile(report, 'utf8'));
    } finally {
      await server.close();
    }
  }

  for (const tls of [false, true])
    it(`${tls ? 'over TLS' : 'in cleartext'}: nothing failed, nothing skipped`, async () => {
      assert.deepEqual(await ask(tls), { tests: CASES, failed: [], skipped: [] });
    });
});
