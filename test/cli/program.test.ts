import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startAdmin } from '../../src/admin/server.ts';
import { ANSWER_BYTES_MAX } from '../../src/cli/admin-client.ts';
import type { PolicyReading } from '../../src/cli/compile.ts';
import { DATA_DIR_DEFAULT } from '../../src/cli/program.ts';
import { ENVIRONMENT, resolveConfig } from '../../src/engine/server-config.ts';
import { GREEN, type ModelControl, modelControl, NOW_MS, status } from '../admin/model.ts';
import { decision } from '../audit/records.ts';
import { type Run, runCommand } from './in-process.ts';

const POLICY = `kind: Policy
metadata: { name: stop, layer: platform }
class: security
rules:
  - { id: zebra, inspect: [request], match: { keywords: { words: [zebra] } }, then: block }
`;

describe('switchyard', () => {
  let dir: string;
  let control: ModelControl;
  let closing: (() => Promise<unknown>)[];
  let reading: PolicyReading;

  beforeEach(() => {
    dir = fs.mkdtempSync(join(tmpdir(), 'sy-'));
    control = modelControl();
    closing = [];
    reading = { files: [], errors: [] };
  });
  afterEach(async () => {
    for (const close of closing) await close();
    fs.rmSync(dir, { recursive: true, force: true });
  });

  async function run(
    words: readonly string[],
    over: { env?: Record<string, string>; user?: string } = {},
  ): Promise<Run> {
    return runCommand(words, {
      env: { SWITCHYARD_DATA_DIR: dir },
      user: 'ann',
      readPolicies: async () => reading,
      ...over,
    });
  }

  async function serve(decisions: (id: string) => unknown[] = () => []): Promise<void> {
    const admin = await startAdmin({
      socketPath: join(dir, 'admin.sock'),
      control,
      metrics: { render: async () => '', contentType: 'text/plain' },
      ready: () => undefined,
      decisions: async (id) => decisions(id),
      nowMs: () => NOW_MS,
    });
    closing.push(() => admin.close());
  }

  async function answering(handler: Parameters<typeof createServer>[1]): Promise<void> {
    const server: Server = createServer(handler as never);
    await new Promise<void>((resolve) => server.listen(join(dir, 'admin.sock'), resolve));
    closing.push(() => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    });
  }

  it('shows the status as a page, and as JSON', async () => {
    await serve();
    const page = await run(['status']);
    assert.equal(page.code, 0);
    assert.match(page.out, /^Switchyard 0\.1\.0 {3}SERVING/);
    const json = await run(['status', '--json']);
    assert.deepEqual(JSON.parse(json.out), status());
  });

  it('asks for what it was told to', async () => {
    control.now = status({ green: { digest: GREEN, rules: 0, policies: [], warnings: [] } });
    await serve();
    const by = 'admin-socket:ann';
    for (const [words, name, request] of [
      ['canary --share 20%', 'canary', { sharePpm: 200_000, by }],
      ['canary --share 5% --digest acacac', 'canary', { sharePpm: 50_000, digest: GREEN, by }],
      ['promote', 'promote', { force: false, by }],
      ['promote --force', 'promote', { force: true, by }],
      ['rollback', 'rollback', { reason: 'asked for by an operator', by }],
      ['rollback --to acacac --reason strict', 'rollback', { to: GREEN, reason: 'strict', by }],
      ['activate', 'activate', { emergency: false, by }],
      [
        'activate --emergency --for 1h30m --digest acacac',
        'activate',
        { emergency: true, forMs: 5_400_000, digest: GREEN, by },
      ],
    ] as const) {
      const done = await run(words.split(' '));
      assert.equal(done.err, '', words);
      assert.equal(done.code, 0);
      assert.equal(done.out, `green became blue\nepoch 13, ${GREEN}\n`);
      assert.deepEqual(control.calls.pop(), { name, request }, words);
    }
  });

  it('sends a name that the admin API takes, or none', async () => {
    await serve();
    for (const [user, by] of [
      ['DOMAIN\\ann smith', 'admin-socket:DOMAINannsmith'],
      ['日本', 'admin-socket'],
      ['u'.repeat(80), `admin-socket:${'u'.repeat(64)}`],
    ] as const) {
      assert.equal((await run(['promote'], { user })).code, 0);
      assert.deepEqual(control.calls.pop()?.request, { force: false, by });
    }
  });

  it('ends with 1 and the reason when the server refuses', async () => {
    await serve();
    control.outcome = { ok: false, code: 'no_green', message: 'there is no candidate' };
    assert.deepEqual(await run(['promote']), {
      code: 1,
      out: '',
      err: 'no_green: there is no candidate\n',
    });
    control.outcome = { ok: false, code: 'store_failed', message: 'disk \u001b[31mfull' };
    const failed = await run(['rollback']);
    assert.equal(failed.code, 1);
    assert.equal(failed.err, 'store_failed: disk ?[31mfull\n');
  });

  it('ends with 2 on bad input, and asks the server nothing', async () => {
    await serve();
    for (const words of [
      [],
      ['nothing'],
      ['status', '--nothing'],
      ['status', 'extra'],
      ['canary'],
      ['canary', '--share', '20'],
      ['canary', '--share', '101%'],
      ['activate', '--for', '2h'],
      ['activate', '--emergency', '--for', '2 fortnights'],
      ['why'],
      ['rollback', '--reason', 'two\nlines'],
      ['rollback', '--to', 'latest'],
      ['why', 'a/b'],
    ]) {
      const done = await run(words);
      assert.equal(done.code, 2, words.join(' '));
      assert.notEqual(done.err, '');
      assert.equal(done.out, '');
    }
    assert.deepEqual(control.calls, []);
  });

  it('ends with 3 when the server cannot be reached, and says what to do', async () => {
    const missing = await run(['status']);
    assert.equal(missing.code, 3);
    assert.match(missing.err, /admin\.sock`: nothing is there; is the server running/);
    const elsewhere = await run(['status', '--socket', join(dir, 'no.sock')]);
    assert.equal(elsewhere.code, 3);
    await answering((request) => request.socket.destroy());
    const broken = await run(['status']);
    assert.equal(broken.code, 3);
    assert.match(broken.err, /the connection failed \(ECONNRESET\)/);
  });

  it('finds the socket by option, environment and data directory, in this order', async () => {
    await serve();
    const real = join(dir, 'admin.sock');
    const env = { SWITCHYARD_ADMIN_SOCKET: '/nowhere/a', SWITCHYARD_DATA_DIR: '/nowhere' };
    assert.equal((await run(['status', '--socket', real], { env })).code, 0);
    assert.equal((await run(['--socket', real, 'status'], { env })).code, 0);
    assert.match((await run(['status'], { env })).err, /`\/nowhere\/a`/);
    assert.match(
      (await run(['status'], { env: { SWITCHYARD_DATA_DIR: '/nowhere' } })).err,
      /`\/nowhere\/admin\.sock`/,
    );
    assert.match((await run(['status', '--data', '/no'], { env: {} })).err, /`\/no\/admin\.sock`/);
    assert.match((await run(['status'], { env: {} })).err, /`\/var\/lib\/switchyard\/admin\.sock`/);
  });

  it('looks where the server listens by default', () => {
    const resolved = resolveConfig(undefined, {}, {});
    assert.ok(resolved.ok);
    assert.equal(resolved.config.admin.socket, join(DATA_DIR_DEFAULT, 'admin.sock'));
    assert.equal(ENVIRONMENT.data, 'SWITCHYARD_DATA_DIR');
    assert.equal(ENVIRONMENT.adminSocket, 'SWITCHYARD_ADMIN_SOCKET');
  });

  it('does not take an endless answer for a status', async () => {
    await answering((_, response) => {
      const part = Buffer.alloc(1024 * 1024, 0x20);
      let sent = 0;
      const more = (): void => {
        while (sent <= ANSWER_BYTES_MAX && !response.destroyed) {
          sent += part.length;
          if (!response.write(part)) return void response.once('drain', more);
        }
      };
      more();
    });
    const done = await run(['status']);
    assert.equal(done.code, 3);
    assert.match(done.err, /too large/);
  });

  it('survives an answer that is not from Switchyard', async () => {
    await answering((_, response) => {
      response.statusCode = 502;
      response.end('<html>\u001b[2J');
    });
    assert.deepEqual(await run(['promote']), {
      code: 1,
      out: '',
      err: 'http_502: the server refused\n',
    });
  });

  it('explains a decision', async () => {
    const asked: string[] = [];
    await serve((id) => {
      asked.push(id);
      if (id !== 'h:abc') return [];
      return [
        decision('e1', {
          requestId: 'h:abc',
          facts: { tenant: 'acme', model: 'gpt\u001b[2J' },
          findings: [
            {
              rule: 'retail/pii',
              action: 'redact',
              enforced: false,
              label: 'EMAIL',
              text: '0/content',
              start: 3,
              end: 9,
            },
          ],
          findingsDropped: 2,
          errors: [{ rule: 'retail/when', error: 'type_mismatch' }],
          unjudged: { reason: 'not_json', rules: ['retail/pii', 'retail/keys'] },
          breakers: ['retail/slow'],
          degraded: true,
        }),
      ];
    });
    const done = await run(['why', 'h:abc']);
    assert.equal(done.code, 0);
    assert.equal(
      done.out,
      `denied: policy, HTTP 403
  exchange e1, request h:abc
  2023-11-14T22:13:20.000Z, 1.5 ms, phase request, bodies (ext_proc)
  set sha256:00, epoch 3, cohort control
  route chat, tenant acme, model gpt?[2J
  openai.chat, 10 bytes in, 0 bytes out
  could not be read: not_json (docs/reference/errors.md)
  rules that had to judge it: retail/pii, retail/keys
  retail/pii: redact (shadow: not enforced), EMAIL at 3–9 of 0/content
  and 2 more
  retail/when: could not be evaluated (type_mismatch)
  retail/slow: its breaker was open
  degraded: not everything could be judged
`,
    );
    const json = await run(['why', 'h:abc', '--json']);
    assert.equal(JSON.parse(json.out).records[0].exchange, 'e1');
    const none = await run(['why', 'e2']);
    assert.equal(none.code, 1);
    assert.match(none.err, /^not_found: /);
    assert.deepEqual(asked, ['h:abc', 'h:abc', 'e2']);
  });

  it('shows records of another version as they are', async () => {
    await serve(() => [{ exchange: 'e1', verdict: 'new' }]);
    const done = await run(['why', 'e1']);
    assert.equal(done.code, 0);
    assert.deepEqual(JSON.parse(done.out), { records: [{ exchange: 'e1', verdict: 'new' }] });
  });

  it('compiles a directory', async () => {
    reading = { files: [{ path: 'a.yaml', text: POLICY }], errors: [] };
    const done = await run(['compile', 'policies']);
    assert.equal(done.err, '');
    assert.equal(done.code, 0);
    assert.match(done.out, /^ok: 1 policy, 1 rule, 0 golden cases\nsha256:[0-9a-f]{64}\n$/);
  });

  it('says every error of a directory with its place', async () => {
    reading = {
      files: [
        { path: 'a.yaml', text: POLICY.replace('class: security\n', '') },
        { path: 'b/c.yaml', text: 'kind: [' },
      ],
      errors: [],
    };
    const done = await run(['compile', 'policies']);
    assert.equal(done.code, 2);
    assert.equal(done.out, '');
    const lines = done.err.trimEnd().split('\n');
    for (const line of lines) assert.match(line, /^policies\/\S+:\d+:\d+: [a-z_]+: ./);
    assert.ok(lines.some((line) => /^policies\/a\.yaml:\d+:\d+: rule_without_class: /.test(line)));
    assert.ok(lines.some((line) => /^policies\/b\/c\.yaml:1:/.test(line)));
  });

  it('compiles nothing of a directory that it could not read whole', async () => {
    reading = {
      files: [{ path: 'a.yaml', text: POLICY }],
      errors: [{ path: 'b.yaml', code: 'file_unreadable', message: 'cannot be read: EACCES' }],
    };
    assert.deepEqual(await run(['compile', 'policies']), {
      code: 2,
      out: '',
      err: 'policies/b.yaml:1:1: file_unreadable: cannot be read: EACCES\n',
    });
  });

  it('helps, and tells its version', async () => {
    const help = await run(['--help']);
    assert.equal(help.code, 0);
    for (const word of [
      ...['status', 'canary', 'promote', 'rollback', 'activate', 'why', 'compile'],
      ...['try', 'explain'],
    ]) {
      assert.match(help.out, new RegExp(`^ {2}${word} `, 'm'));
    }
    assert.match(help.out, /Exit codes: 0 done/);
    assert.deepEqual(await run(['--version']), { code: 0, out: '1.2.3\n', err: '' });
  });

  describe('as a process', function () {
    this.timeout(60_000);

    async function child(words: readonly string[]): Promise<Run> {
      const entry = fileURLToPath(new URL('entry.ts', import.meta.url));
      const spawned = spawn(process.execPath, ['--import', 'tsx', entry, ...words], {
        env: { ...process.env, SWITCHYARD_DATA_DIR: dir },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      let out = '';
      let err = '';
      spawned.stdout.setEncoding('utf8').on('data', (text) => {
        out += text;
      });
      spawned.stderr.setEncoding('utf8').on('data', (text) => {
        err += text;
      });
      const code = await new Promise<number>((resolve) => spawned.once('close', resolve));
      return { code, out, err };
    }

    it('exits with its codes, and runs the commands that were added', async () => {
      await serve();
      const promoted = await child(['promote']);
      assert.equal(promoted.err, '');
      assert.equal(promoted.code, 0);
      fs.mkdirSync(join(dir, 'p'));
      fs.writeFileSync(join(dir, 'p/a.yaml'), 'kind: Nothing');
      const compiled = await child(['compile', join(dir, 'p')]);
      assert.equal(compiled.code, 2);
      assert.match(compiled.err, /a\.yaml:1:\d+: unknown_kind: /);
      assert.deepEqual(await child(['serve']), { code: 0, out: 'served\n', err: '' });
    });
  });
});
