import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import type { RequestOptions } from 'node:http';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { ADMIN_ERRORS } from '../../src/admin/answer.ts';
import { BODY_BYTES_MAX } from '../../src/admin/body.ts';
import { readTokenFile, TOKEN_CHARS_MIN } from '../../src/admin/guard.ts';
import { EMERGENCY_MS_MAX, REASON_UNITS_MAX } from '../../src/admin/mutations.ts';
import { DECISION_SEARCHES_MAX } from '../../src/admin/routes.ts';
import { type Admin, type AdminOptions, startAdmin } from '../../src/admin/server.ts';
import {
  BLUE,
  GREEN,
  type ModelControl,
  modelControl,
  NOW_MS,
  send,
  status,
  temporaryDirectory,
} from './model.ts';

const TOKEN = 'a-token-of-the-operator';
const JSON_TYPE = { 'content-type': 'application/json' };

describe('admin', () => {
  let dir: ReturnType<typeof temporaryDirectory>;
  let control: ModelControl;
  let admin: Admin | undefined;
  let notReady: string | undefined;
  let internal: string[];
  let decisions: AdminOptions['decisions'];

  beforeEach(() => {
    dir = temporaryDirectory();
    control = modelControl();
    notReady = undefined;
    internal = [];
    decisions = async () => [];
  });
  afterEach(async () => {
    await admin?.close();
    admin = undefined;
    dir.remove();
  });

  const socketPath = (): string => join(dir.path, 'admin.sock');
  const start = async (over: Partial<AdminOptions> = {}): Promise<Admin> => {
    admin = await startAdmin({
      socketPath: socketPath(),
      control,
      metrics: { render: async () => 'up 1\n', contentType: 'text/plain; version=0.0.4' },
      ready: () => notReady,
      decisions: (id) => decisions(id),
      onInternalError: (name) => internal.push(name),
      nowMs: () => NOW_MS,
      ...over,
    });
    return admin;
  };
  const overSocket = (path: string, options: RequestOptions = {}, body?: string | Buffer) =>
    send({ socketPath: socketPath(), path, ...options }, body);
  const post = (path: string, body: unknown, headers: Record<string, string> = JSON_TYPE) =>
    overSocket(path, { method: 'POST', headers }, JSON.stringify(body));
  const overTcp = (path: string, options: RequestOptions = {}, body?: string) =>
    send({ host: '127.0.0.1', port: admin!.addresses.tcp!.port, path, ...options }, body);
  const code = (reply: { text: string }): string => JSON.parse(reply.text).error.code;

  describe('reading', () => {
    it('says what composes for who is described, and knows no other word', async () => {
      await start();
      control.report = { set: BLUE } as ModelControl['report'];
      const query = '/effective?tenant=acme&region=eu&path=/v1/x&header.X-Tier=gold&cohort=canary';
      const reply = await overSocket(query);
      assert.deepEqual(JSON.parse(reply.text), { set: BLUE });
      assert.deepEqual(control.calls.at(-1)?.request, {
        cohort: 'canary',
        facts: { tenant: 'acme', region: 'eu' },
        headers: { 'x-tier': 'gold' },
        path: '/v1/x',
      });
      assert.equal(code(await overSocket('/effective?tennant=acme')), 'invalid_argument');
      assert.equal(code(await overSocket('/effective?cohort=green')), 'invalid_argument');
      control.report = undefined;
      assert.equal(code(await overSocket('/effective?cohort=canary')), 'no_green');
      assert.equal(code(await overSocket('/effective')), 'not_ready');
    });

    it('says that it is up, and whether a set serves', async () => {
      await start();
      assert.equal((await overSocket('/healthz')).status, 200);
      assert.equal((await overSocket('/readyz')).status, 200);
      notReady = 'no policy set is loaded';
      const reply = await overSocket('/readyz');
      assert.equal(reply.status, 503);
      assert.deepEqual(JSON.parse(reply.text), {
        error: { code: 'not_ready', message: 'no policy set is loaded' },
      });
      assert.equal((await overSocket('/healthz')).status, 200);
    });

    it('shows the status as JSON and as a page', async () => {
      await start();
      assert.deepEqual(JSON.parse((await overSocket('/status')).text), status());
      const page = await overSocket('/status?format=text');
      assert.match(String(page.headers['content-type']), /^text\/plain/);
      assert.match(page.text, /^Switchyard 0\.1\.0 {3}SERVING {3}epoch 12\n/);
      assert.equal(code(await overSocket('/status?format=html')), 'invalid_argument');
    });

    it('publishes metrics with their own content type', async () => {
      await start();
      const reply = await overSocket('/metrics');
      assert.equal(reply.text, 'up 1\n');
      assert.equal(reply.headers['content-type'], 'text/plain; version=0.0.4');
    });

    it('finds decisions', async () => {
      const asked: string[] = [];
      decisions = async (id) => {
        asked.push(id);
        return id === 'e1' ? [{ exchange: 'e1' }] : [];
      };
      await start();
      assert.deepEqual(JSON.parse((await overSocket('/decisions/e1')).text), {
        records: [{ exchange: 'e1' }],
      });
      assert.equal((await overSocket('/decisions/h:none')).status, 404);
      for (const bad of ['', '..%2f', 'a/b', 'x'.repeat(129)]) {
        assert.equal(code(await overSocket(`/decisions/${bad}`)), 'invalid_argument');
      }
      assert.deepEqual(asked, ['e1', 'h:none']);
    });

    it('runs DECISION_SEARCHES_MAX searches at once and refuses one more', async () => {
      let finish = (): void => {};
      const gate = new Promise<void>((resolve) => {
        finish = resolve;
      });
      let running = 0;
      let allRunning = (): void => {};
      const started = new Promise<void>((resolve) => {
        allRunning = resolve;
      });
      decisions = async () => {
        running += 1;
        if (running === DECISION_SEARCHES_MAX) allRunning();
        await gate;
        return [{}];
      };
      await start();
      const searches = Array.from({ length: DECISION_SEARCHES_MAX }, () =>
        overSocket('/decisions/a'),
      );
      await started;
      const refused = await overSocket('/decisions/a');
      assert.equal(code(refused), 'busy');
      assert.equal(refused.headers['retry-after'], '1');
      finish();
      for (const reply of await Promise.all(searches)) assert.equal(reply.status, 200);
      assert.equal((await overSocket('/decisions/a')).status, 200);
    });

    it('knows its paths and methods', async () => {
      await start();
      for (const path of ['/', '/nothing', '/v1/nothing', '/v1/constructor', '//x/status', '*']) {
        const reply = await overSocket(path);
        assert.equal(reply.status, 404, path);
        assert.equal(code(reply), 'not_found');
      }
      const wrong = await overSocket('/status', { method: 'DELETE' });
      assert.equal(wrong.status, 405);
      assert.equal(wrong.headers.allow, 'GET, HEAD');
      assert.equal((await overSocket('/v1/promote')).headers.allow, 'POST');
      const head = await overSocket('/healthz', { method: 'HEAD' });
      assert.equal(head.status, 200);
      assert.equal(head.text, '');
    });
  });

  describe('changing', () => {
    it('asks Control for exactly what was asked', async () => {
      control.now = status({ green: { digest: GREEN, rules: 0, policies: [], warnings: [] } });
      await start();
      const by = 'admin-socket';
      for (const [path, body, name, request] of [
        ['/v1/canary', { sharePpm: 200_000 }, 'canary', { sharePpm: 200_000, by }],
        [
          '/v1/canary',
          { sharePpm: 0, digest: GREEN },
          'canary',
          { sharePpm: 0, digest: GREEN, by },
        ],
        ['/v1/promote', {}, 'promote', { force: false, by }],
        ['/v1/promote', { force: true, by: 'ann' }, 'promote', { force: true, by: `${by}:ann` }],
        ['/v1/rollback', {}, 'rollback', { reason: 'asked for by an operator', by }],
        [
          '/v1/rollback',
          { to: 'abababab', reason: 'too strict' },
          'rollback',
          { to: BLUE, reason: 'too strict', by },
        ],
        ['/v1/activate', {}, 'activate', { emergency: false, by }],
        [
          '/v1/posture',
          { posture: 'attack', forMs: 7_200_000, reason: 'a flood', by: 'ann' },
          'setPosture',
          { posture: 'attack', forMs: 7_200_000, reason: 'a flood', by: `${by}:ann` },
        ],
        [
          '/v1/posture',
          { posture: 'normal' },
          'setPosture',
          { posture: 'normal', reason: 'asked for by an operator', by },
        ],
        [
          '/v1/activate',
          { digest: 'sha256:acacac', emergency: true, forMs: 7_200_000 },
          'activate',
          { digest: GREEN, emergency: true, forMs: 7_200_000, by },
        ],
      ] as const) {
        const reply = await post(path, body);
        assert.equal(reply.status, 200, reply.text);
        assert.deepEqual(JSON.parse(reply.text), control.outcome);
        assert.deepEqual(control.calls.pop(), { name, request });
      }
      assert.equal(
        (await overSocket('/v1/promote', { method: 'POST', headers: JSON_TYPE })).status,
        200,
      );
    });

    it('refuses what is not a valid request, and asks Control nothing', async () => {
      control.now = status({ green: { digest: GREEN, rules: 0, policies: [], warnings: [] } });
      await start();
      for (const [path, body] of [
        ['/v1/canary', {}],
        ['/v1/canary', { sharePpm: -1 }],
        ['/v1/canary', { sharePpm: 1_000_001 }],
        ['/v1/canary', { sharePpm: 0.5 }],
        ['/v1/canary', { sharePpm: '200000' }],
        ['/v1/canary', { sharePpm: 1, share: 2 }],
        ['/v1/canary', { sharePpm: 1, digest: 'latest' }],
        ['/v1/canary', { sharePpm: 1, digest: 7 }],
        ['/v1/promote', { force: 'yes' }],
        ['/v1/posture', {}],
        ['/v1/posture', { posture: 'calm' }],
        ['/v1/posture', { posture: 'attack', forMs: 999 }],
        ['/v1/posture', { posture: 'attack', forMs: 604_800_001 }],
        ['/v1/posture', { posture: 'normal', forMs: 1_000 }],
        ['/v1/posture', { posture: 'attack', reason: 'two\nlines' }],
        ['/v1/promote', { by: 'a b' }],
        ['/v1/promote', []],
        ['/v1/promote', 'x'],
        ['/v1/promote', null],
        ['/v1/rollback', { reason: '' }],
        ['/v1/rollback', { reason: 'r'.repeat(REASON_UNITS_MAX + 1) }],
        ['/v1/rollback', { reason: 'two\nlines' }],
        ['/v1/rollback', { to: 'abab' }],
        ['/v1/activate', { forMs: 60_000 }],
        ['/v1/activate', { emergency: true, forMs: 0 }],
        ['/v1/activate', { emergency: true, forMs: EMERGENCY_MS_MAX + 1 }],
      ] as const) {
        const reply = await post(path, body);
        assert.equal(code(reply), 'invalid_argument', JSON.stringify(body));
        assert.equal(reply.status, 400);
      }
      assert.equal(code(await post('/v1/rollback', { to: 'ffffff' })), 'unknown_digest');
      control.now = status({
        history: ['ab'.repeat(31), 'ab'.repeat(30)].map((head, index) => ({
          epoch: index,
          atMs: 0,
          kind: 'boot',
          digest: `sha256:${head.padEnd(64, '0')}`,
          by: 'x',
          reason: '',
        })),
      });
      assert.equal(code(await post('/v1/rollback', { to: 'ababab' })), 'ambiguous_digest');
      assert.deepEqual(control.calls, []);
    });

    it('takes the limits themselves', async () => {
      await start();
      for (const [path, body] of [
        ['/v1/canary', { sharePpm: 1_000_000 }],
        ['/v1/rollback', { reason: 'r'.repeat(REASON_UNITS_MAX) }],
        ['/v1/activate', { emergency: true, forMs: EMERGENCY_MS_MAX }],
      ] as const) {
        assert.equal((await post(path, body)).status, 200);
      }
    });

    it('answers each refusal of Control with its status', async () => {
      await start();
      for (const [refusal, expected] of [
        ['no_green', 409],
        ['quarantined', 409],
        ['unknown_digest', 404],
        ['rollout_running', 409],
        ['no_previous_set', 409],
        ['invalid_argument', 400],
        ['stance_conflict', 409],
        ['store_failed', 503],
      ] as const) {
        control.outcome = { ok: false, code: refusal, message: 'because' };
        const reply = await post('/v1/promote', {});
        assert.equal(reply.status, expected);
        assert.deepEqual(JSON.parse(reply.text), { error: { code: refusal, message: 'because' } });
      }
    });

    it('takes JSON only, whatever a form could send', async () => {
      await start();
      for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/json5']) {
        assert.equal((await post('/v1/promote', {}, { 'content-type': type })).status, 415);
      }
      assert.equal((await post('/v1/promote', {}, {})).status, 415);
      const charset = { 'content-type': 'Application/JSON; charset=utf-8' };
      assert.equal((await post('/v1/promote', {}, charset)).status, 200);
    });

    it('reads a body of BODY_BYTES_MAX and refuses one more byte', async () => {
      await start();
      const padded = (bytes: number): string => `{${' '.repeat(bytes - 2)}}`;
      const options = { method: 'POST', headers: JSON_TYPE };
      for (const [bytes, expected] of [
        [BODY_BYTES_MAX - 1, 200],
        [BODY_BYTES_MAX, 200],
        [BODY_BYTES_MAX + 1, 413],
        [BODY_BYTES_MAX * 20, 413],
      ] as const) {
        assert.equal((await overSocket('/v1/promote', options, padded(bytes))).status, expected);
      }
      assert.equal(control.calls.length, 2);
    });

    it('does not tell what an internal error said', async () => {
      await start();
      control.outcome = new TypeError('SECRET of the inside');
      const reply = await post('/v1/promote', {});
      assert.equal(reply.status, 500);
      assert.equal(code(reply), 'internal_error');
      assert.doesNotMatch(reply.text, /SECRET/);
      assert.deepEqual(internal, ['TypeError']);
    });
  });

  it('echoes nothing of a request', async () => {
    await start({ tcp: { host: '127.0.0.1', port: 0, token: TOKEN } });
    const planted = 'PLANTED<script>';
    const url = encodeURIComponent(planted);
    const replies = [
      await overSocket(`/${url}?${url}=${url}`),
      await overSocket(`/status?format=${url}`),
      await overSocket(`/decisions/${url}`),
      await overSocket('/status', { headers: { 'x-planted': planted } }),
      await overSocket('/v1/promote', { method: 'POST', headers: JSON_TYPE }, `{"${planted}`),
      await post('/v1/promote', { [planted]: planted }),
      await post('/v1/promote', { force: planted }),
      await post('/v1/promote', { by: planted }),
      await post('/v1/canary', { sharePpm: planted, digest: planted }),
      await post('/v1/rollback', { to: planted }),
      await post('/v1/rollback', { reason: `${planted}\n` }),
      await overTcp('/status', { headers: { host: 'planted.example' } }),
      await overTcp('/v1/promote', {
        method: 'POST',
        headers: { ...JSON_TYPE, authorization: `Bearer ${planted}` },
      }),
    ];
    for (const reply of replies) {
      assert.doesNotMatch(reply.text + JSON.stringify(reply.headers), /planted/i);
      assert.doesNotMatch(reply.text, new RegExp(TOKEN));
      assert.equal(reply.headers['x-content-type-options'], 'nosniff');
      assert.equal(reply.headers['cache-control'], 'no-store');
    }
  });

  describe('the socket', () => {
    it('is for its owner only, whatever the umask', async () => {
      const umask = process.umask(0);
      try {
        await start();
      } finally {
        process.umask(umask);
      }
      assert.equal(fs.statSync(socketPath()).mode & 0o777, 0o600);
      assert.deepEqual(fs.readdirSync(dir.path), ['admin.sock']);
    });

    it('is gone after close, which cuts idle connections', async () => {
      const { close } = await start();
      const idle = connect(socketPath());
      await new Promise((resolve) => idle.once('connect', resolve));
      idle.on('error', () => {});
      const ended = new Promise((resolve) => idle.once('close', resolve));
      await close();
      idle.end();
      await ended;
      assert.deepEqual(fs.readdirSync(dir.path), []);
      await close();
    });

    it('replaces one that a killed server left', async () => {
      const old = createServer();
      await new Promise<void>((resolve) => old.listen(join(dir.path, 'old'), resolve));
      fs.renameSync(join(dir.path, 'old'), socketPath());
      await new Promise((resolve) => old.close(resolve));
      assert.ok(fs.existsSync(socketPath()));
      await start();
      assert.equal((await overSocket('/healthz')).status, 200);
    });

    it('does not take over from a living server, nor replace a file', async () => {
      const { close } = await start();
      await assert.rejects(start(), /another server answers/);
      assert.equal((await overSocket('/healthz')).status, 200);
      await close();
      fs.writeFileSync(socketPath(), 'precious');
      await assert.rejects(start(), /is no socket/);
      assert.equal(fs.readFileSync(socketPath(), 'utf8'), 'precious');
    });

    it('refuses a path that would be cut', async () => {
      const deep = (bytes: number): string => {
        const path = join(dir.path, 'd'.repeat(bytes - dir.path.length - 1));
        return join(path, 's');
      };
      await assert.rejects(start({ socketPath: deep(96) }), /too long/);
      await start({ socketPath: deep(95) });
      assert.ok(fs.statSync(deep(95)).isSocket());
    });
  });

  describe('TCP', () => {
    const changing = (headers: Record<string, string> = {}) =>
      overTcp('/v1/promote', { method: 'POST', headers: { ...JSON_TYPE, ...headers } }, '{}');

    it('reads, and changes nothing without a configured token', async () => {
      await start({ tcp: { host: '127.0.0.1', port: 0 } });
      assert.equal((await overTcp('/status')).status, 200);
      const reply = await changing({ authorization: 'Bearer undefined' });
      assert.equal(reply.status, 403);
      assert.equal(code(reply), 'forbidden');
      assert.deepEqual(control.calls, []);
    });

    it('changes with the token and not with another', async () => {
      await start({ tcp: { host: '127.0.0.1', port: 0, token: TOKEN } });
      for (const authorization of [undefined, '', 'Bearer', TOKEN, `Basic ${TOKEN}`]) {
        const reply = await changing(authorization === undefined ? {} : { authorization });
        assert.equal(reply.status, 401);
        assert.equal(reply.headers['www-authenticate'], 'Bearer');
      }
      for (const wrong of [`${TOKEN}x`, TOKEN.slice(0, -1), TOKEN.toUpperCase()]) {
        assert.equal((await changing({ authorization: `Bearer ${wrong}` })).status, 401);
      }
      assert.deepEqual(control.calls, []);
      assert.equal((await changing({ authorization: `Bearer ${TOKEN}` })).status, 200);
      assert.deepEqual(control.calls, [
        { name: 'promote', request: { force: false, by: 'admin-tcp' } },
      ]);
    });

    it('answers only to names that cannot be rebound', async () => {
      await start({ tcp: { host: '127.0.0.1', port: 0, names: ['Admin.Internal'], token: TOKEN } });
      for (const host of [
        'localhost',
        'LOCALHOST:9901',
        'localhost.',
        '127.0.0.1:1',
        '[::1]:80',
        'admin.internal:9901',
      ]) {
        assert.equal((await overTcp('/status', { headers: { host } })).status, 200, host);
      }
      for (const host of [
        'evil.example',
        'localhost.evil.example',
        '127.0.0.1.evil.example',
        'localhost:1:2',
        'localhost@evil.example',
        '192.0.2.1',
        '::1',
        ' ',
      ]) {
        const reply = await overTcp('/status', { headers: { host } });
        assert.equal(reply.status, 421, host);
        assert.equal(code(reply), 'unknown_host');
      }
      const rebound = await changing({ authorization: `Bearer ${TOKEN}`, host: 'evil.example' });
      assert.equal(rebound.status, 421);
    });

    it('refuses a token that can be guessed, and leaves nothing behind', async () => {
      const tcp = { host: '127.0.0.1', port: 0 };
      const short = 't'.repeat(TOKEN_CHARS_MIN - 1);
      await assert.rejects(start({ tcp: { ...tcp, token: short } }), /at least 16/);
      assert.deepEqual(fs.readdirSync(dir.path), []);
      await start({ tcp: { ...tcp, token: `${short}t` } });
    });

    it('starts both listeners or none', async () => {
      const other = createServer();
      await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
      const { port } = other.address() as { port: number };
      await assert.rejects(start({ tcp: { host: '127.0.0.1', port } }), /EADDRINUSE/);
      assert.deepEqual(fs.readdirSync(dir.path), []);
      await new Promise((resolve) => other.close(resolve));
    });
  });

  it('reads a token from a file without the blanks around it', () => {
    const path = join(dir.path, 'token');
    fs.writeFileSync(path, `${TOKEN}\n`);
    assert.equal(readTokenFile(path), TOKEN);
    fs.writeFileSync(path, 'SHORT');
    assert.throws(
      () => readTokenFile(path),
      (error: Error) => !error.message.includes('SHORT'),
    );
  });

  it('documents every error with its status', () => {
    const page = fs.readFileSync(new URL('../../docs/reference/admin.md', import.meta.url), 'utf8');
    const documented = [...page.matchAll(/^\| `(\w+)` +\| (\d{3}) +\|/gm)].map(
      ([, name, value]) => [name, Number(value)],
    );
    assert.deepEqual(documented, Object.entries(ADMIN_ERRORS));
  });
});
