/**
 * Facts about who asks come from the places that the operator lists, and from nowhere else (SEMANTICS §3): each
 * kind of source through Envoy, with a client beside it that claims the same for itself (MISSION row 123).
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createSign, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { type Document, isSeq, type YAMLMap } from 'yaml';
import { chat } from './chat.ts';
import { requireEnvoy, type Stack, startStack, temporaryDirectory } from './harness.ts';
import { eventually } from './operator.ts';
import { writtenRecords } from './written-records.ts';

const HTTP = ['static_resources', 'listeners', 0, 'filter_chains', 0, 'filters', 0, 'typed_config'];
const EXTENSIONS = 'type.googleapis.com/envoy.extensions';

/** What each source says, as conditions read it. */
const RULES: Readonly<Record<string, string>> = {
  grpcMetadata: 'tenant == "acme"',
  contextExtension: 'app == "assistant"',
  metadata: 'has(principal.sub) && principal.sub == "ann" && "treasury" in principal.groups',
  body: 'model == "strict"',
  map: 'risk > 0.8',
  header: 'region == "eu"',
};

const policyOf = (rules: Readonly<Record<string, string>>): string => `kind: Policy
metadata: { name: asks, layer: platform }
class: operational
rules:
${Object.entries(rules)
  .map(
    ([id, when]) =>
      `  - { id: ${id}, when: '${when}', inspect: [request], match: { keywords: { words: [word-${id}] } }, then: block }`,
  )
  .join('\n')}
`;

const CONFIG = `facts:
  tenant: [{ from: grpcMetadata, name: x-switchyard-tenant }]
  app: [{ from: contextExtension, name: app }]
  region: [{ from: header, name: x-region, trusted: true }]
  risk: [{ from: map, entries: [{ authority: risky.example, value: "0.9" }, { value: "0.1" }] }]
`;

const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const strangers = generateKeyPairSync('ec', { namedCurve: 'P-256' });

function token(key: KeyObject, claims: object): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const exp = Math.floor(Date.now() / 1_000) + 600;
  const signed = `${part({ alg: 'ES256', kid: 'k' })}.${part({ iss: 'issuer', exp, ...claims })}`;
  const signature = createSign('sha256').update(signed).sign({ key, dsaEncoding: 'ieee-p1363' });
  return `${signed}.${signature.toString('base64url')}`;
}

/** A filter that verifies tokens, and a hop that says where the request comes from, in front of ours. */
function verifyingEnvoy(document: Document): void {
  const jwk = { ...keys.publicKey.export({ format: 'jwk' }), kid: 'k', alg: 'ES256' };
  const filters = document.getIn([...HTTP, 'http_filters']);
  assert.ok(isSeq(filters));
  const mutation = `${EXTENSIONS}.filters.http.header_mutation.v3`;
  filters.items.unshift(
    document.createNode({
      name: 'region',
      typed_config: {
        '@type': `${mutation}.HeaderMutation`,
        mutations: { request_mutations: [{ remove: 'x-region' }] },
      },
    }),
    document.createNode({
      name: 'envoy.filters.http.jwt_authn',
      typed_config: {
        '@type': `${EXTENSIONS}.filters.http.jwt_authn.v3.JwtAuthentication`,
        providers: {
          issuer: {
            issuer: 'issuer',
            local_jwks: { inline_string: JSON.stringify({ keys: [jwk] }) },
            payload_in_metadata: 'jwt_payload',
          },
        },
        rules: [
          {
            match: { prefix: '/' },
            requires: {
              requires_any: {
                requirements: [{ provider_name: 'issuer' }, { allow_missing_or_failed: {} }],
              },
            },
          },
        ],
      },
    }),
  );
  const routes = document.getIn([...HTTP, 'route_config', 'virtual_hosts', 0, 'routes']);
  assert.ok(isSeq(routes));
  const acme = (routes.items as YAMLMap[]).find((route) => route.get('name') === 'acme');
  acme?.setIn(
    ['typed_per_filter_config', 'region'],
    document.createNode({
      '@type': `${mutation}.HeaderMutationPerRoute`,
      mutations: {
        request_mutations: [
          {
            append: {
              header: { key: 'x-region', value: 'eu' },
              append_action: 'OVERWRITE_IF_EXISTS_OR_ADD',
            },
          },
        ],
      },
    }),
  );
}

interface Asked {
  readonly path?: string;
  readonly model?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const bearer = (key: KeyObject, sub: string, groups: readonly string[]) => ({
  authorization: `Bearer ${token(key, { sub, groups })}`,
});

/** Who has it, who has not, and what the one who has not might send to seem so, or the one who has to seem not. */
const SOURCES: Readonly<
  Record<
    string,
    { readonly has: Asked; readonly lacks: Asked; readonly forgeries: readonly Asked['headers'][] }
  >
> = {
  grpcMetadata: {
    has: { path: '/acme/' },
    lacks: {},
    forgeries: [
      { 'x-switchyard-tenant': 'acme', 'x-tenant': 'acme', tenant: 'acme' },
      { 'x-switchyard-tenant': 'other', 'x-tenant': 'other' },
    ],
  },
  contextExtension: {
    has: { path: '/acme/' },
    lacks: { path: '/other/' },
    forgeries: [{ app: 'assistant', 'x-switchyard-app': 'assistant' }, { app: 'other' }],
  },
  metadata: {
    has: { headers: bearer(keys.privateKey, 'ann', ['staff', 'treasury']) },
    lacks: { headers: bearer(keys.privateKey, 'ann', ['staff']) },
    forgeries: [
      {
        'x-jwt-payload': Buffer.from('{"sub":"ann","groups":["treasury"]}').toString('base64'),
        'x-switchyard-principal': 'ann',
      },
    ],
  },
  body: {
    has: { model: 'strict' },
    lacks: { model: 'other' },
    forgeries: [{ model: 'strict', 'x-model': 'strict' }, { 'x-model': 'other' }],
  },
  map: {
    has: { headers: { host: 'risky.example' } },
    lacks: {},
    forgeries: [{ 'x-forwarded-host': 'risky.example', 'x-risk': '0.9', risk: '0.9' }],
  },
  header: {
    has: { path: '/acme/' },
    lacks: {},
    forgeries: [{ 'x-region': 'eu', region: 'eu' }, { 'x-region': 'us' }],
  },
};

describe('a fact behind Envoy', function () {
  this.timeout(60_000);
  let stack: Stack;

  before(async function () {
    requireEnvoy(this);
    const policies = { 'asks.yaml': policyOf(RULES) };
    stack = await startStack({ policies, config: CONFIG, adapt: verifyingEnvoy });
  });

  after(() => stack?.stop());

  const ask = async (word: string, asked: Asked, forged: Asked['headers'] = {}): Promise<number> =>
    (
      await chat(stack.envoy.port, {
        path: `${asked.path ?? '/'}v1/chat/completions`,
        prompt: `say word-${word}`,
        headers: { ...asked.headers, ...forged },
        ...(asked.model !== undefined && { body: { model: asked.model } }),
      })
    ).status;

  for (const [source, { has, lacks, forgeries }] of Object.entries(SOURCES)) {
    it(`comes from \`${source}\``, async () => {
      assert.equal(await ask(source, has), 400);
      assert.equal(await ask(source, lacks), 200);
    });
    it(`from \`${source}\` is not changed by what a client sends`, async () => {
      for (const forged of forgeries) {
        assert.equal(await ask(source, has, forged), 400, JSON.stringify(forged));
        assert.equal(await ask(source, lacks, forged), 200, JSON.stringify(forged));
      }
    });
  }

  it('is no claim that a stranger has signed', async () => {
    const forged = bearer(strangers.privateKey, 'ann', ['treasury']);
    assert.equal(await ask('metadata', { headers: forged }), 200);
    const [head = '', , signature = ''] = token(keys.privateKey, { sub: 'bob' }).split('.');
    const body = token(keys.privateKey, { sub: 'ann', groups: ['treasury'] }).split('.')[1];
    const swapped = { authorization: `Bearer ${head}.${body}.${signature}` };
    assert.equal(await ask('metadata', { headers: swapped }), 200);
  });

  it('that only Check is told is in the records of both filters', async () => {
    await ask('nothing', { path: '/acme/' });
    await eventually('its records', async () => {
      const { decisions } = writtenRecords(stack.switchyard.dataDirectory);
      const last = decisions.at(-1);
      const both = decisions.filter(({ exchange }) => exchange === last?.exchange);
      return (
        (both.length === 2 && both.every(({ facts }) => facts.app === 'assistant')) || undefined
      );
    });
  });
});

const SPIFFE = 'spiffe://cluster.local/ns/bank/sa/treasury';

interface Certificates {
  readonly directory: string;
  /** PEM of `ca`, and of the two callers with their keys. */
  readonly pem: (name: string) => string;
}

function makeCertificates(directory: string): Certificates {
  const openssl = (...args: string[]): void => {
    execFileSync('openssl', args, { cwd: directory, stdio: 'ignore' });
  };
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  openssl('req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.crt', '-subj', '/CN=ca');
  const names: Readonly<Record<string, string>> = {
    server: 'DNS:localhost',
    treasury: `URI:${SPIFFE}`,
    other: 'URI:spiffe://cluster.local/ns/bank/sa/other',
  };
  for (const [name, san] of Object.entries(names)) {
    writeFileSync(join(directory, 'san'), `subjectAltName=${san}\n`);
    openssl('req', '-new', ...key, '-keyout', `${name}.key`, '-out', 'csr', '-subj', `/CN=${name}`);
    const sign = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-extfile', 'san'];
    openssl('x509', '-req', '-in', 'csr', ...sign, '-out', `${name}.crt`);
  }
  return { directory, pem: (name) => readFileSync(join(directory, name), 'utf8') };
}

/** The listener asks its clients for a certificate, and takes those without one. */
function overTls({ pem }: Certificates): (document: Document) => void {
  return (document) => {
    const chain = ['static_resources', 'listeners', 0, 'filter_chains', 0];
    document.setIn(
      [...chain, 'transport_socket'],
      document.createNode({
        name: 'envoy.transport_sockets.tls',
        typed_config: {
          '@type': `${EXTENSIONS}.transport_sockets.tls.v3.DownstreamTlsContext`,
          common_tls_context: {
            tls_certificates: [
              {
                certificate_chain: { inline_string: pem('server.crt') },
                private_key: { inline_string: pem('server.key') },
              },
            ],
            validation_context: { trusted_ca: { inline_string: pem('ca.crt') } },
          },
        },
      }),
    );
  };
}

for (const from of ['attribute', 'peer'] as const)
  describe(`the name in a client's certificate, from \`${from}\``, function () {
    this.timeout(60_000);
    let stack: Stack;
    let certificates: Certificates;
    let directory: Awaited<ReturnType<typeof temporaryDirectory>>;

    before(async function () {
      requireEnvoy(this);
      directory = await temporaryDirectory();
      certificates = makeCertificates(directory.path);
      const source =
        from === 'peer'
          ? '{ from: peer }'
          : '{ from: attribute, name: connection.uri_san_peer_certificate }';
      stack = await startStack({
        policies: { 'asks.yaml': policyOf({ san: `principal.id == "${SPIFFE}"` }) },
        config: `facts:\n  principal: [${source}]\n`,
        adapt: overTls(certificates),
      });
    });

    after(async () => {
      await stack?.stop();
      await directory?.remove();
    });

    const ask = (name: string | undefined, headers: Readonly<Record<string, string>> = {}) =>
      new Promise<number>((resolve, reject) => {
        const { pem } = certificates;
        const outgoing = request(
          {
            host: 'localhost',
            port: stack.envoy.port,
            family: 4,
            method: 'POST',
            path: '/v1/chat/completions',
            headers: { 'content-type': 'application/json', ...headers },
            agent: false,
            ca: pem('ca.crt'),
            ...(name !== undefined && { cert: pem(`${name}.crt`), key: pem(`${name}.key`) }),
          },
          (incoming) => {
            incoming.resume();
            incoming.on('end', () => resolve(incoming.statusCode ?? 0));
          },
        );
        outgoing.on('error', reject);
        const messages = [{ role: 'user', content: 'say word-san' }];
        outgoing.end(JSON.stringify({ model: 'demo', messages }));
      });

    it('is who asks', async () => {
      assert.equal(await ask('treasury'), 400);
      assert.equal(await ask('other'), 200);
      assert.equal(await ask(undefined), 200);
    });

    it('is nobody else, whatever the client writes', async () => {
      const forged = {
        'x-forwarded-client-cert': `By=spiffe://a;URI=${SPIFFE}`,
        'x-switchyard-principal': SPIFFE,
        principal: SPIFFE,
      };
      assert.equal(await ask('other', forged), 200);
      assert.equal(await ask(undefined, forged), 200);
    });
  });
