/** Both transports against a real grpc-js client and an independent codec, over TCP, TLS and a socket: one behaviour. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type ChannelCredentials,
  type ClientDuplexStream,
  credentials,
  Metadata,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import type { AnswerCheck } from '../../src/protocol/check.ts';
import type { OpenProcess, ProcessPort } from '../../src/protocol/process.ts';
import type {
  GrpcServer,
  GrpcServerOptions,
  TransportEvent,
} from '../../src/transport/grpc-server.ts';
import { startGrpcServer } from '../../src/transport/grpcjs/server.ts';
import type { HealthState } from '../../src/transport/health.ts';
import { startHttp2Server } from '../../src/transport/http2/server.ts';
import { clients, headerMap, type Message } from '../protocol/peer.ts';

type ProcessClientCall = ClientDuplexStream<Message, Message>;

class SwitchedHealth implements HealthState {
  on = true;
  readonly #listeners = new Set<() => void>();
  serving(): boolean {
    return this.on;
  }
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
  set(on: boolean): void {
    this.on = on;
    for (const listener of this.#listeners) listener();
  }
}

const echo: OpenProcess = (port) => ({
  event(event) {
    if (event.kind === 'headers') port.continueHeaders(event.direction);
    else if (event.kind === 'body')
      port.body(event.direction, event.bytes, event.endOfStream, true);
    else port.trailers(event.direction);
  },
  end() {},
});

const silent: OpenProcess = () => ({ event() {}, end() {} });

const allow: AnswerCheck = () => ({ kind: 'allow', metadata: {} });

const FULL_DUPLEX = {
  requestBodyMode: 'FULL_DUPLEX_STREAMED',
  responseBodyMode: 'FULL_DUPLEX_STREAMED',
};
const headers = (eos: boolean): Message => ({
  requestHeaders: { headers: headerMap({ ':path': '/v1' }), endOfStream: eos },
  protocolConfig: FULL_DUPLEX,
});

const TRANSPORTS = { 'grpc-js': startGrpcServer, fast: startHttp2Server };

for (const [transport, startServer] of Object.entries(TRANSPORTS))
  describe(`the transport ${transport}`, () => {
    const started: GrpcServer[] = [];
    const opened: { close(): void }[] = [];
    let directory: string;

    before(() => {
      directory = mkdtempSync(join(tmpdir(), 'switchyard-'));
    });
    after(() => rmSync(directory, { recursive: true, force: true }));
    afterEach(async () => {
      for (const client of opened.splice(0)) client.close();
      for (const server of started.splice(0)) await server.close();
    });

    async function start(
      options: Partial<GrpcServerOptions> = {},
    ): Promise<{ server: GrpcServer; address: string }> {
      const server = await startServer({
        listen: [{ kind: 'tcp', host: '127.0.0.1', port: 0 }],
        openProcess: echo,
        answerCheck: allow,
        health: new SwitchedHealth(),
        limits: { streamsMax: 100 },
        ...options,
      });
      started.push(server);
      return { server, address: server.addresses[0] ?? '' };
    }

    function processor(
      address: string,
      how: ChannelCredentials = credentials.createInsecure(),
      channel = {},
    ) {
      const client = new clients.envoy.service.ext_proc.v3.ExternalProcessor(address, how, {
        'grpc.max_receive_message_length': -1,
        'grpc.max_send_message_length': -1,
        ...channel,
      });
      opened.push(client);
      return (metadata = new Metadata()): ProcessClientCall =>
        (client as Message).process(metadata);
    }

    /** All replies and the final status. */
    function outcome(
      call: ProcessClientCall,
    ): Promise<{ code: number; details: string; replies: Message[] }> {
      const replies: Message[] = [];
      return new Promise((resolve) => {
        call.on('data', (reply) => replies.push(reply));
        call.on('error', () => {});
        call.on('status', ({ code, details }) => resolve({ code, details, replies }));
      });
    }

    it('carries a whole exchange and ends it cleanly after the half-close', async () => {
      const { address } = await start();
      const call = processor(address)();
      const over = outcome(call);
      call.write(headers(false));
      call.write({ requestBody: { body: Buffer.from('hello'), endOfStream: true } });
      call.write({ responseHeaders: { headers: headerMap({ ':status': '200' }) } });
      call.write({ responseBody: { body: Buffer.alloc(200_000, 'x') } });
      call.write({ responseTrailers: {} });
      call.end();
      const { code, replies } = await over;
      assert.equal(code, status.OK);
      const bodies = replies.flatMap(
        (reply) => reply.responseBody?.response.bodyMutation.streamedResponse.body ?? [],
      );
      assert.ok(bodies.every((body: Buffer) => body.length <= 65_536));
      assert.equal(Buffer.concat(bodies).length, 200_000);
      assert.deepEqual(
        replies.map((reply) => reply.response),
        [
          'requestHeaders',
          'requestBody',
          'responseHeaders',
          'responseBody',
          'responseBody',
          'responseBody',
          'responseBody',
          'responseTrailers',
        ],
      );
    });

    it('answers what came before the half-close, however late', async () => {
      const { address } = await start({
        openProcess: (port) => {
          const { event, end } = echo(port);
          return {
            event(given) {
              const kept = given.kind === 'body' ? { ...given, bytes: given.bytes.slice() } : given;
              port.pause();
              setTimeout(() => {
                event(kept);
                port.resume();
              }, 30);
            },
            end,
          };
        },
      });
      const call = processor(address)();
      const over = outcome(call);
      call.write(headers(false));
      call.write({ requestBody: { body: Buffer.from('hello'), endOfStream: true } });
      call.end();
      const { code, replies } = await over;
      assert.deepEqual(
        [code, ...replies.map((reply) => reply.response)],
        [status.OK, 'requestHeaders', 'requestBody'],
      );
    });

    it('ends with an error on every way out but a settled half-close', async () => {
      const boom: OpenProcess = () => ({
        event() {
          throw new Error('secret prompt');
        },
        end() {},
      });
      const rows: readonly (readonly [string, OpenProcess, number, string])[] = [
        ['unsettled half-close', silent, status.INTERNAL, 'half_closed_unsettled'],
        ['handler throws', boom, status.INTERNAL, 'handler_failed'],
        [
          'open throws',
          () => {
            throw new Error('secret prompt');
          },
          status.INTERNAL,
          'handler_failed',
        ],
        [
          'violation',
          (port) => ({ event: () => port.trailers('request'), end() {} }),
          status.INTERNAL,
          'protocol_violation',
        ],
        [
          'handler fails',
          (port) => ({ event: () => port.fail('DEADLINE_EXCEEDED', 'verdict'), end() {} }),
          status.DEADLINE_EXCEEDED,
          'verdict',
        ],
      ];
      for (const [name, openProcess, code, details] of rows) {
        const events: TransportEvent[] = [];
        const { address } = await start({
          openProcess,
          onTransportEvent: (event) => events.push(event),
        });
        const call = processor(address)();
        const over = outcome(call);
        call.write(headers(true));
        call.end();
        const seen = await over;
        assert.deepEqual([seen.code, seen.details], [code, details], name);
        assert.ok(!JSON.stringify(events).includes('secret prompt'), name);
      }
    });

    it('ends with an error on bytes that are no message', async () => {
      const { address } = await start();
      const client = new clients.envoy.service.ext_proc.v3.ExternalProcessor(
        address,
        credentials.createInsecure(),
      );
      opened.push(client);
      const raw = client.makeBidiStreamRequest(
        '/envoy.service.ext_proc.v3.ExternalProcessor/Process',
        (bytes: Buffer) => bytes,
        (bytes: Buffer) => bytes,
        new Metadata(),
      );
      const over = outcome(raw);
      raw.write(Buffer.from([0x0b, 0x0c]));
      const { code, details } = await over;
      assert.deepEqual([code, details], [status.INTERNAL, 'malformed_message']);
    });

    it('passes initial metadata to the exchange', async () => {
      const seen: (string | undefined)[] = [];
      const { address } = await start({
        openProcess: (port) => {
          seen.push(
            port.initialMetadata('x-switchyard-stance'),
            port.initialMetadata('absent'),
            port.initialMetadata('x-bin'),
          );
          return echo(port);
        },
      });
      const metadata = new Metadata();
      metadata.set('x-switchyard-stance', 'open');
      metadata.set('x-bin', Buffer.from('b'));
      const call = processor(address)(metadata);
      const over = outcome(call);
      call.write(headers(true));
      call.end();
      assert.equal((await over).code, status.OK);
      assert.deepEqual(seen, ['open', undefined, undefined]);
    });

    it('streamsMax: the limit is served, one more is refused at once, a free place is used again', async () => {
      const { server, address } = await start({ limits: { streamsMax: 2 } });
      const open = processor(address);
      const first = open();
      const second = open();
      const ends = [outcome(first), outcome(second)];
      first.write(headers(true));
      second.write(headers(true));
      await Promise.all(
        [first, second].map((call) => new Promise((resolve) => call.once('data', resolve))),
      );
      assert.equal(server.streams(), 2);
      const third = await outcome(open());
      assert.deepEqual([third.code, third.details], [status.RESOURCE_EXHAUSTED, 'streams_max']);
      first.end();
      await ends[0];
      while (server.streams() > 1) await new Promise((resolve) => setImmediate(resolve));
      const fourth = open();
      const over = outcome(fourth);
      fourth.write(headers(true));
      fourth.end();
      second.end();
      assert.equal((await over).code, status.OK);
      await ends[1];
    });

    it('receiveBytesMax: a message at the limit passes, one byte more ends the stream', async () => {
      const limit = 100_000;
      const { address } = await start({ limits: { streamsMax: 5, receiveBytesMax: limit } });
      const overhead = 15;
      for (const [size, code] of [
        [limit, status.OK],
        [limit + 1, status.RESOURCE_EXHAUSTED],
      ] as const) {
        const call = processor(address)();
        const over = outcome(call);
        // protocol_config 6, request_body tag and length 4, body tag and length 4, less what an EoS takes.
        const message = {
          requestBody: { body: Buffer.alloc(size - overhead - 1), endOfStream: true },
          protocolConfig: FULL_DUPLEX,
        };
        const actual = sizeOf(message);
        message.requestBody.body = Buffer.alloc(size - overhead - 1 + (size - actual));
        assert.equal(sizeOf(message), size);
        call.write(message);
        call.end();
        assert.equal((await over).code, code);
      }
    });

    it('does not read faster than its replies are read, and lets go when the reader has gone', async () => {
      let bytesSeen = 0;
      const { server, address } = await start({
        openProcess: (port) => ({
          event(event) {
            if (event.kind === 'body') bytesSeen += event.bytes.length;
            if (event.kind === 'headers') port.continueHeaders(event.direction);
            else if (event.kind === 'body')
              port.body(event.direction, event.bytes, event.endOfStream);
          },
          end() {},
        }),
      });
      const call = processor(address)();
      call.write(headers(false));
      // From here on nobody reads the replies; the client's writes stall once the server has stopped reading.
      await new Promise((resolve) => call.once('data', resolve));
      call.pause();
      const chunk = Buffer.alloc(64 * 1024);
      const total = 64 * 1024 * 1024;
      for (let sent = 0; sent < total; sent += chunk.length)
        call.write({ requestBody: { body: chunk } });
      let before = -1;
      while (bytesSeen !== before) {
        before = bytesSeen;
        for (let turn = 0; turn < 200; turn++)
          await new Promise((resolve) => setImmediate(resolve));
      }
      assert.ok(bytesSeen > 0 && bytesSeen < total / 4, `${bytesSeen} bytes taken`);
      call.on('error', () => {});
      call.cancel();
      while (server.streams() > 0) await new Promise((resolve) => setImmediate(resolve));
    });

    it('tells resets from graceful ends, for each connection', async () => {
      const events: TransportEvent[] = [];
      let closed: () => void = () => {};
      const { address } = await start({
        onTransportEvent: (event) => {
          events.push(event);
          if (event.kind === 'stream_closed') closed();
        },
      });
      const open = processor(address);
      for (const reset of [false, true, true]) {
        const gone = new Promise<void>((resolve) => (closed = resolve));
        const call = open();
        const over = outcome(call);
        call.write(headers(true));
        await new Promise((resolve) => call.once('data', resolve));
        if (reset) call.cancel();
        else call.end();
        await over;
        await gone;
      }
      const counts = events.filter((event) => event.kind === 'stream_closed');
      assert.deepEqual(
        counts.map(({ reset, resets, graceful }) => [reset, resets, graceful]),
        [
          [false, 0, 1],
          [true, 1, 1],
          [true, 2, 1],
        ],
      );
    });

    it('answers Check, and turns every failure into an error status', async () => {
      const rows: readonly (readonly [AnswerCheck, number | undefined, number | undefined])[] = [
        [allow, undefined, 0],
        [
          () => ({
            kind: 'deny',
            status: 429,
            headers: { 'retry-after': '1' },
            body: 'no',
            metadata: { epoch: 3 },
          }),
          undefined,
          7,
        ],
        // Longer than a frame, and it all leaves at once: one answer all the same.
        [
          () => ({
            kind: 'deny',
            status: 403,
            headers: {},
            body: 'no'.repeat(15_000),
            metadata: {},
          }),
          undefined,
          7,
        ],
        [
          () => {
            throw new Error('x');
          },
          status.INTERNAL,
          undefined,
        ],
        [
          () => ({ kind: 'deny', status: 0, headers: {}, body: '', metadata: {} }),
          status.INTERNAL,
          undefined,
        ],
        [
          (request, metadata) => ({
            kind:
              request.headers.get('x-a') === 'b' && metadata('route') === 'r' ? 'allow' : 'deny',
            status: 403,
            headers: {},
            body: '',
            metadata: {},
          }),
          undefined,
          0,
        ],
      ];
      for (const [answerCheck, error, code] of rows) {
        const { address } = await start({ answerCheck });
        const client = new clients.envoy.service.auth.v3.Authorization(
          address,
          credentials.createInsecure(),
        );
        opened.push(client);
        const metadata = new Metadata();
        metadata.set('route', 'r');
        const answer = await new Promise<{ error?: ServiceError; reply?: Message }>((resolve) => {
          (client as Message).check(
            { attributes: { request: { http: { headers: { 'x-a': 'b' } } } } },
            metadata,
            (failure: ServiceError | null, reply: Message) =>
              resolve(failure ? { error: failure } : { reply }),
          );
        });
        assert.equal(answer.error?.code, error);
        if (code !== undefined) assert.equal(answer.reply.status.code ?? 0, code);
      }
    });

    it('tells health by Check and by Watch, also for unknown services', async () => {
      const health = new SwitchedHealth();
      const { server, address } = await start({ health });
      const client = new clients.grpc.health.v1.Health(
        address,
        credentials.createInsecure(),
      ) as Message;
      opened.push(client);
      const ask = (service: string) =>
        new Promise((resolve) => {
          client.check({ service }, (error: ServiceError | null, reply: Message) =>
            resolve(error?.code ?? reply.status),
          );
        });
      assert.equal(await ask(''), 'SERVING');
      assert.equal(await ask('envoy.service.ext_proc.v3.ExternalProcessor'), 'SERVING');
      assert.equal(await ask('other'), status.NOT_FOUND);
      const next = follow(client.watch({ service: '' }));
      const unknown = follow(client.watch({ service: 'other' }));
      assert.equal(await next(), 'SERVING');
      assert.equal(await unknown(), 'SERVICE_UNKNOWN');
      health.set(false);
      health.set(false);
      assert.equal(await next(), 'NOT_SERVING');
      assert.equal(await ask(''), 'NOT_SERVING');
      health.set(true);
      assert.equal(await next(), 'SERVING');
      const drained = server.drain(50);
      assert.equal(await next(), 'NOT_SERVING');
      assert.equal(await ask(''), 'NOT_SERVING');
      assert.equal(await next(), `error ${status.UNAVAILABLE}`);
      await drained;
    });

    it('drain lets running exchanges finish', async () => {
      const { server, address } = await start();
      const call = processor(address)();
      const over = outcome(call);
      call.write(headers(false));
      await new Promise((resolve) => call.once('data', resolve));
      const drained = server.drain(0);
      call.write({ requestBody: { body: Buffer.from('x'), endOfStream: true } });
      call.end();
      const { code, replies } = await over;
      assert.equal(code, status.OK);
      assert.equal(replies.length, 2);
      await drained;
    });

    it('drain fails what is left at the deadline with UNAVAILABLE, never cleanly', async () => {
      const ends: string[] = [];
      const { server, address } = await start({
        limits: { streamsMax: 5, drainDeadlineMs: 20 },
        openProcess: (port) => ({ ...echo(port), end: (end) => ends.push(end) }),
      });
      const call = processor(address)();
      const over = outcome(call);
      call.write(headers(false));
      await new Promise((resolve) => call.once('data', resolve));
      await server.drain(0);
      const { code, details } = await over;
      assert.deepEqual([code, details], [status.UNAVAILABLE, 'draining']);
      assert.deepEqual(ends, ['failed']);
      assert.equal(server.streams(), 0);
    });

    it('close cuts a long drain short', async () => {
      let port: ProcessPort | undefined;
      const { server, address } = await start({
        openProcess: (given) => {
          port = given;
          return echo(given);
        },
      });
      const call = processor(address)();
      const over = outcome(call);
      call.write(headers(false));
      await new Promise((resolve) => call.once('data', resolve));
      const drained = server.drain(3_600_000);
      await server.close();
      await drained;
      assert.equal((await over).code, status.UNAVAILABLE);
      assert.ok(port !== undefined);
      port.continueHeaders('request');
    });

    it('listens on a Unix socket with its mode, replaces a dead one, refuses a live one and other files', async () => {
      const path = join(directory, 's.sock');
      const listen = [{ kind: 'unix', path, mode: 0o640 }] as const;
      const { server, address } = await start({ listen });
      assert.equal(address, `unix:${path}`);
      assert.equal(statSync(path).mode & 0o777, 0o640);
      const call = processor(address)();
      const over = outcome(call);
      call.write(headers(true));
      call.end();
      assert.equal((await over).code, status.OK);
      await assert.rejects(start({ listen }), { code: 'address_in_use' });
      assert.ok(existsSync(path), 'the live socket is untouched');
      await server.close();
      assert.ok(!existsSync(path));
      await leaveDeadSocket(path);
      await (await start({ listen })).server.close();
      writeFileSync(path, 'data');
      await assert.rejects(start({ listen }), { code: 'not_a_socket' });
      assert.equal(readFileSync(path, 'utf8'), 'data');
    });

    it('refuses a port in use', async () => {
      const { address } = await start();
      const port = Number(address.split(':')[1]);
      await assert.rejects(start({ listen: [{ kind: 'tcp', host: '127.0.0.1', port }] }), {
        code: 'address_in_use',
      });
    });

    describe('TLS', () => {
      before(function () {
        try {
          makeCertificates(directory);
        } catch {
          this.skip();
        }
      });

      const file = (name: string): Buffer => readFileSync(join(directory, name));

      async function attempt(address: string, how: ChannelCredentials): Promise<number> {
        const call = processor(address, how, {
          'grpc.ssl_target_name_override': 'localhost',
          'grpc.enable_retries': 0,
        })();
        const over = outcome(call);
        call.write(headers(true));
        call.end();
        return (await over).code;
      }

      it('serves over TLS, and not in clear text', async () => {
        const { address } = await start({
          listen: [
            {
              kind: 'tcp',
              host: '127.0.0.1',
              port: 0,
              tls: { cert: file('server.crt'), key: file('server.key') },
            },
          ],
        });
        assert.equal(await attempt(address, credentials.createSsl(file('ca.crt'))), status.OK);
        assert.equal(await attempt(address, credentials.createInsecure()), status.UNAVAILABLE);
      });

      it('requires a client certificate of its own CA where it is asked to', async () => {
        const tls = {
          cert: file('server.crt'),
          key: file('server.key'),
          ca: file('ca.crt'),
          requireClientCert: true,
        };
        const { address } = await start({
          listen: [{ kind: 'tcp', host: '127.0.0.1', port: 0, tls }],
        });
        const known = credentials.createSsl(file('ca.crt'), file('client.key'), file('client.crt'));
        assert.equal(await attempt(address, known), status.OK);
        assert.equal(
          await attempt(address, credentials.createSsl(file('ca.crt'))),
          status.UNAVAILABLE,
        );
        const stranger = credentials.createSsl(
          file('ca.crt'),
          file('stranger.key'),
          file('stranger.crt'),
        );
        assert.equal(await attempt(address, stranger), status.UNAVAILABLE);
      });

      it('refuses to ask for client certificates without a CA', async () => {
        const tls = { cert: file('server.crt'), key: file('server.key'), requireClientCert: true };
        await assert.rejects(
          start({ listen: [{ kind: 'tcp', host: '127.0.0.1', port: 0, tls }] }),
          {
            code: 'ca_missing',
          },
        );
      });
    });
  });

function sizeOf(message: Message): number {
  return clients.envoy.service.ext_proc.v3.ExternalProcessor.service.Process!.requestSerialize(
    message,
  ).length;
}

/** The messages of a server stream, one by one; its error as `error <code>`. */
function follow(stream: Message): () => Promise<string> {
  const ready: string[] = [];
  const waiting: ((value: string) => void)[] = [];
  const push = (value: string): void => {
    const next = waiting.shift();
    if (next === undefined) ready.push(value);
    else next(value);
  };
  stream.on('data', (reply: Message) => push(reply.status));
  stream.on('error', (error: ServiceError) => push(`error ${error.code}`));
  return () =>
    new Promise((resolve) => {
      const value = ready.shift();
      if (value === undefined) waiting.push(resolve);
      else resolve(value);
    });
}

/** A socket file whose process is gone. */
async function leaveDeadSocket(path: string): Promise<void> {
  const script = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
  try {
    execFileSync(process.execPath, ['-e', script], { stdio: 'ignore' });
  } catch {
    // Killed, as intended.
  }
  assert.ok(existsSync(path));
  chmodSync(path, 0o600);
  const probe = createServer();
  probe.close();
}

function makeCertificates(directory: string): void {
  const openssl = (...args: string[]): void => {
    execFileSync('openssl', args, { cwd: directory, stdio: 'ignore' });
  };
  const EC = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  openssl('req', '-x509', ...EC, '-keyout', 'ca.key', '-out', 'ca.crt', '-subj', '/CN=ca');
  openssl(
    'req',
    '-x509',
    ...EC,
    '-keyout',
    'stranger.key',
    '-out',
    'stranger.crt',
    '-subj',
    '/CN=stranger',
  );
  writeFileSync(join(directory, 'san'), 'subjectAltName=DNS:localhost\n');
  for (const name of ['server', 'client']) {
    openssl(
      'req',
      '-new',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:prime256v1',
      '-nodes',
      '-keyout',
      `${name}.key`,
      '-out',
      `${name}.csr`,
      '-subj',
      `/CN=${name}`,
    );
    openssl(
      'x509',
      '-req',
      '-in',
      `${name}.csr`,
      '-CA',
      'ca.crt',
      '-CAkey',
      'ca.key',
      '-CAcreateserial',
      '-days',
      '2',
      '-out',
      `${name}.crt`,
      '-extfile',
      'san',
    );
  }
}
