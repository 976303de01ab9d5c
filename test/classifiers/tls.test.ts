/** Classifiers over HTTPS, with an authority of one's own, and secrets that are rotated while the server runs. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { temporaryDirectory } from '../envoy/harness.ts';
import { eventually } from '../envoy/operator.ts';
import { type Asking, asking } from './asking.ts';

/** An authority, a server's certificate for `localhost`, and a client's. */
function makeCertificates(directory: string, prefix: string): void {
  const openssl = (words: string): void => {
    execFileSync('openssl', words.split(' '), { cwd: directory, stdio: 'ignore' });
  };
  const key = '-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes';
  const ca = `${prefix}-ca`;
  openssl(`req -x509 ${key} -days 2 -keyout ${ca}.key -out ${ca}.crt -subj /CN=${ca}`);
  writeFileSync(join(directory, 'san'), 'subjectAltName=DNS:localhost\n');
  for (const name of ['server', 'client']) {
    const own = `${prefix}-${name}`;
    openssl(`req -new ${key} -keyout ${own}.key -out ${own}.csr -subj /CN=${own}`);
    openssl(
      `x509 -req -in ${own}.csr -CA ${ca}.crt -CAkey ${ca}.key -CAcreateserial -days 2 -out ${own}.crt -extfile san`,
    );
  }
}

describe('a classifier over HTTPS', function () {
  this.timeout(30_000);
  let directory: string;
  let remove: () => Promise<void>;
  let server: Server;
  let url: string;
  const seen: { readonly client: string | undefined; readonly token: string | undefined }[] = [];
  const open: Asking[] = [];
  const at = (name: string): string => join(directory, name);
  const asks = (tls: object, headers: { name: string; file: string }[] = []): Asking => {
    const one = asking({ url, cacheEntriesMax: 0, tls, headers });
    open.push(one);
    return one;
  };
  const serverOf = (prefix: string) => ({
    key: readFileSync(at(`${prefix}-server.key`)),
    cert: readFileSync(at(`${prefix}-server.crt`)),
    ca: [readFileSync(at(`${prefix}-ca.crt`))],
  });
  const outcomeOf = async (one: Asking): Promise<string> => {
    const outcome = await one.ask();
    return outcome.kind === 'failed' ? outcome.reason : outcome.kind;
  };

  before(async () => {
    const temporary = await temporaryDirectory();
    directory = temporary.path;
    remove = async () => rmSync(directory, { recursive: true, force: true });
    for (const prefix of ['one', 'two']) makeCertificates(directory, prefix);
    server = createServer({ ...serverOf('one'), requestCert: true, rejectUnauthorized: false });
    server.on('request', (request, response) => {
      const { subject } = (request.socket as TLSSocket).getPeerCertificate();
      const known = (request.socket as TLSSocket).authorized;
      const token = request.headers['x-token'];
      seen.push({ client: known ? String(subject.CN) : undefined, token: token?.toString() });
      response.end(JSON.stringify({ results: [{ scores: { toxicity: 0.5 } }] }));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `https://localhost:${(server.address() as AddressInfo).port}/`;
  });

  after(async () => {
    for (const one of open) one.close();
    server.closeAllConnections();
    server.close();
    await remove();
  });

  beforeEach(() => {
    server.setSecureContext(serverOf('one'));
    seen.length = 0;
    for (const end of ['ca.crt', 'client.crt', 'client.key'])
      copyFileSync(at(`one-${end}`), at(end));
  });

  it('is asked where its authority vouches for its name, and nowhere else', async () => {
    assert.equal(await outcomeOf(asks({ caFile: at('ca.crt') })), 'judged');
    assert.equal(await outcomeOf(asks({ caFile: at('two-ca.crt') })), 'unreachable');
    // The world's authorities know nothing of it.
    assert.equal(await outcomeOf(asks({})), 'unreachable');
    const named = { caFile: at('ca.crt'), serverName: 'other.example' };
    assert.equal(await outcomeOf(asks(named)), 'unreachable');
    assert.deepEqual(seen, [{ client: undefined, token: undefined }]);
  });

  it('is shown our certificate', async () => {
    const own = { caFile: at('ca.crt'), certFile: at('client.crt'), keyFile: at('client.key') };
    assert.equal(await outcomeOf(asks(own)), 'judged');
    assert.deepEqual(seen, [{ client: 'one-client', token: undefined }]);
  });

  it('is asked with other certificates and secrets as soon as their files have them', async () => {
    writeFileSync(at('token'), 'first\n');
    const files = { caFile: at('ca.crt'), certFile: at('client.crt'), keyFile: at('client.key') };
    const one = asks(files, [{ name: 'x-token', file: at('token') }]);
    assert.equal(await outcomeOf(one), 'judged');
    // Behind a new authority: until its certificate is here, nobody is asked.
    server.setSecureContext(serverOf('two'));
    server.closeAllConnections();
    assert.equal(await outcomeOf(one), 'unreachable');
    for (const end of ['ca.crt', 'client.crt', 'client.key'])
      renameSync(copied(`two-${end}`), at(end));
    writeFileSync(at('token'), 'second\n');
    await eventually(
      'the new credentials',
      async () => one.credentials.at(-1) === 'taken' || undefined,
    );
    await eventually('a verdict', async () => (await outcomeOf(one)) === 'judged' || undefined);
    assert.deepEqual(seen, [
      { client: 'one-client', token: 'first' },
      { client: 'two-client', token: 'second' },
    ]);
  });

  it('keeps what it has while what is there cannot be used, and says so once', async () => {
    writeFileSync(at('token'), 'first\n');
    const files = { caFile: at('ca.crt'), certFile: at('client.crt'), keyFile: at('client.key') };
    const one = asks(files, [{ name: 'x-token', file: at('token') }]);
    const refused = async (times: number): Promise<void> => {
      await eventually('a refusal', async () => one.credentials.length === times || undefined);
      await new Promise((resolve) => setTimeout(resolve, 100));
      assert.deepEqual(one.credentials, Array(times).fill('refused'));
      assert.equal(await outcomeOf(one), 'judged');
      assert.deepEqual(seen.at(-1), { client: 'one-client', token: 'first' });
    };
    writeFileSync(at('token'), '\n');
    await refused(1);
    rmSync(at('token'));
    await refused(2);
    execFileSync('mkfifo', [at('token')]);
    await new Promise((resolve) => setTimeout(resolve, 100));
    rmSync(at('token'));
    writeFileSync(at('token'), 'first\n');
    renameSync(copied('two-client.key'), at('client.key'));
    await refused(3);
    // What was in use all along is no change.
    copyFileSync(at('one-client.key'), at('client.key'));
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.equal(one.credentials.length, 3);
  });

  it('has none of a pipe or of what is too large, and the server does not start', () => {
    execFileSync('mkfifo', [at('pipe')]);
    assert.throws(() => asks({ caFile: at('pipe') }), /is no regular file/);
    writeFileSync(at('large'), 'x'.repeat((1 << 20) + 1));
    const headers = [{ name: 'x-token', file: at('large') }];
    assert.throws(() => asks({}, headers), /is too large for a secret/);
    const mixed = { certFile: at('one-client.crt'), keyFile: at('two-client.key') };
    assert.throws(() => asks(mixed), /its key and certificates cannot be used$/);
  });

  function copied(name: string): string {
    copyFileSync(at(name), at('next'));
    return at('next');
  }
});
