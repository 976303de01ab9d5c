import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import {
  type ConfigOverrides,
  ENVIRONMENT,
  environmentOverrides,
  FACT_SOURCES,
  FileSchema,
  LOG_LEVELS,
  resolveConfig,
  type ServerConfig,
} from '../../src/engine/server-config.ts';
import { tableUnder } from './page-table.ts';

function config(text: string, environment: ConfigOverrides = {}, flags: ConfigOverrides = {}) {
  const resolved = resolveConfig({ path: 'switchyard.yaml', text }, environment, flags);
  assert.ok(resolved.ok, JSON.stringify(resolved));
  return resolved.config;
}

function errorsOf(text: string): readonly string[] {
  const resolved = resolveConfig({ path: 'switchyard.yaml', text }, {}, {});
  assert.ok(!resolved.ok, text);
  return resolved.errors;
}

/** Each override, how the file says it, and where it ends up. */
const OVERRIDES: Readonly<
  Record<
    keyof ConfigOverrides,
    {
      readonly key: string;
      readonly values: readonly [file: string, variable: string, flag: string];
      readonly read: (config: ServerConfig) => string | undefined;
    }
  >
> = {
  policies: { key: 'policies', values: ['f', 'v', 'o'], read: (c) => c.policies },
  data: { key: 'data', values: ['f', 'v', 'o'], read: (c) => c.data },
  grpc: { key: 'grpc.tcp', values: ['f:1', 'v:1', 'off'], read: (c) => c.grpc.tcp },
  grpcUnix: { key: 'grpc.unix', values: ['f', 'v', 'o'], read: (c) => c.grpc.unix },
  transport: {
    key: 'grpc.transport',
    values: ['fast', 'grpc-js', 'fast'],
    read: (c) => c.grpc.transport,
  },
  warmUpMs: {
    key: 'grpc.warmUpMs',
    values: ['5', '6', '7'],
    read: (c) => String(c.grpc.warmUpMs),
  },
  admin: { key: 'admin.tcp', values: ['f:1', 'v:1', 'off'], read: (c) => c.admin.tcp },
  adminSocket: { key: 'admin.socket', values: ['f', 'v', 'o'], read: (c) => c.admin.socket },
  otlpEndpoint: {
    key: 'tracing.endpoint',
    values: ['http://f/v1/traces', 'http://v/v1/traces', 'https://o/v1/traces'],
    read: (c) => c.tracing.endpoint,
  },
  logLevel: {
    key: 'log.level',
    values: ['debug', 'warn', 'silent'],
    read: (c) => c.log.level,
  },
};

/** `a.b` and a value as the text of a file. */
const fileWith = (key: string, value: string): string =>
  key
    .split('.')
    .reduceRight(
      (inner, part) => JSON.stringify({ [part]: JSON.parse(inner) }),
      /^\d+$/u.test(value) ? value : JSON.stringify(value),
    );

describe('the configuration', () => {
  for (const [name, { key, values, read }] of Object.entries(OVERRIDES)) {
    const [file, variable, flag] = values;
    const environment = environmentOverrides({
      [ENVIRONMENT[name as keyof ConfigOverrides]]: variable,
    });

    it(`takes ${key} from the flag, else the variable, else the file, else the default`, () => {
      const text = fileWith(key, file);
      assert.equal(read(config(text, environment, { [name]: flag })), flag);
      assert.equal(read(config(text, environment)), variable);
      assert.equal(read(config(text)), file);
      const unset = read(config(''));
      assert.equal(unset ?? '–', documented(key).replace('DATA', '/var/lib/switchyard'));
    });
  }

  it('replaces single values of a section, and leaves the others', () => {
    const text = 'grpc: { tcp: "a:1", streamsMax: 7 }\nlimits: { findingsMax: 3 }\n';
    const { grpc, limits } = config(text, { grpc: 'b:2' });
    assert.deepEqual([grpc.tcp, grpc.streamsMax, limits.findingsMax], ['b:2', 7, 3]);
    assert.equal(grpc.drainMs, 1_000);
    assert.equal(limits.textsMax, 4_096);
  });

  it('replaces all sources of a fact that is named, and of no other', () => {
    const { facts } = config('facts: { tenant: [{ from: peer }] }');
    assert.deepEqual(facts.tenant, [{ from: 'peer' }]);
    assert.deepEqual(facts.model, [{ from: 'body' }]);
  });

  it('takes an empty variable for none', () => {
    assert.deepEqual(environmentOverrides({ SWITCHYARD_GRPC: '' }), {});
  });

  it('keeps the admin socket in the data directory, wherever that is', () => {
    assert.equal(config('', { data: '/d' }).admin.socket, '/d/admin.sock');
  });

  it('takes trusted headers in any case', () => {
    assert.deepEqual(config('trustedHeaders: [X-Team]').trustedHeaders, ['x-team']);
  });
});

describe('formats in the configuration', () => {
  it('are lines in their order, and none by default', () => {
    const text =
      'formats: [{ path: /a*, format: json, textPaths: ["m[].c"] }, { path: /b, format: mcp }]';
    assert.deepEqual(config(text).formats, [
      { path: '/a*', format: 'json', textPaths: ['m[].c'] },
      { path: '/b', format: 'mcp' },
    ]);
    assert.deepEqual(config('').formats, []);
  });

  it('are refused when a path or a format cannot be one', () => {
    for (const line of [
      '{ path: a, format: json }',
      '{ path: /a, format: opaque }',
      '{ path: /a, format: json, textPaths: ["a["] }',
      '{ path: /a }',
    ])
      assert.equal(errorsOf(`formats: [${line}]`).length, 1, line);
  });
});

describe('a configuration that is wrong', () => {
  const end = '; see docs/reference/configuration.md';
  const cases: readonly (readonly [name: string, text: string, errors: readonly string[]])[] = [
    [
      'a key that does not exist, at the key',
      'watchMs: 1\ngrpc:\n  tpc: a\n',
      ['3:3: config_invalid: `grpc.tpc` is not a key here; remove it, or check its spelling'],
    ],
    [
      'a value out of its range, at the value',
      'limits:\n  findingsMax: 0\n',
      ['2:16: config_invalid: `limits.findingsMax` must be >= 1'],
    ],
    ['a value of another type', 'grpc: 3', ['1:7: config_invalid: `grpc` must be object']],
    ['a file that is no map', '- a', ['1:1: config_invalid: the file must be object']],
    [
      'a word that is none of the list',
      'onStoreLoss: maybe',
      ['1:14: config_invalid: `onStoreLoss` must be one of `lastKnownGood`, `deny`, `allow`'],
    ],
    [
      'a header that is not said to be trusted',
      'facts:\n  tenant:\n    - { from: header, name: x-tenant }\n',
      ['3:7: config_invalid: `facts.tenant.0` must have required properties trusted'],
    ],
    [
      'a header that is said not to be trusted',
      'facts:\n  tenant:\n    - { from: header, name: x-tenant, trusted: false }\n',
      ['3:48: config_invalid: `facts.tenant.0.trusted` must be `true`'],
    ],
    [
      'claims that nobody has verified',
      'facts:\n  claims:\n    - { from: header, name: x-jwt, trusted: true }\n',
      [
        '3:15: config_invalid: `facts.claims.0.from` must be `metadata`: claims count only where a filter has verified them',
      ],
    ],
    [
      'two feeds of one name',
      'feeds:\n  - { name: a, kind: networks, file: a.txt }\n  - { name: a, kind: words, file: b.txt }\n',
      ['3:13: config_invalid: `feeds.1.name` names a feed that stands before it; rename one'],
    ],
    [
      'two keys of one name',
      'goldenOverrideKeys:\n  - { name: a, publicKey: x }\n  - { name: a, publicKey: y }\n',
      [
        '3:13: config_invalid: `goldenOverrideKeys.1.name` names a key that stands before it; rename one',
      ],
    ],
    [
      'several, all at once',
      'watchMs: -1\nlog: { level: loud }\n',
      [
        '1:10: config_invalid: `watchMs` must be >= 0',
        `2:15: config_invalid: \`log.level\` must be one of ${LOG_LEVELS.map((l) => `\`${l}\``).join(', ')}`,
      ],
    ],
  ];
  for (const [name, text, errors] of cases)
    it(`names the place of ${name}`, () => {
      assert.deepEqual(
        errorsOf(text),
        errors.map((error) => `switchyard.yaml:${error}${end}`),
      );
    });

  it('names the place of what is no YAML, and of a key written twice', () => {
    assert.deepEqual(errorsOf('watchMs: 1\nwatchMs: 2\n'), [
      'switchyard.yaml:2:1: duplicate_key: this is not valid yaml',
    ]);
    assert.match(
      errorsOf('a: [')[0] ?? '',
      /^switchyard\.yaml:1:5: [a-z_]+: this is not valid yaml$/u,
    );
  });

  it('never quotes a value: the file may hold what nobody should read in a log', () => {
    for (const text of [
      'onStoreLoss: hunter2',
      'watchMs: hunter2',
      'grpc: { tcp: { hunter2: 1 } }',
    ])
      for (const error of errorsOf(text)) assert.doesNotMatch(error, /hunter2(?!`)/u);
  });

  it('names the variable or the flag of a level that is none', () => {
    const wrong = (environment: ConfigOverrides, flags: ConfigOverrides) =>
      resolveConfig(undefined, environment, flags);
    const words = 'must be one of debug, info, warn, error, fatal, silent';
    assert.deepEqual(wrong({ logLevel: 'loud' }, {}), {
      ok: false,
      errors: [`SWITCHYARD_LOG_LEVEL: ${words}`],
    });
    assert.deepEqual(wrong({ logLevel: 'info' }, { logLevel: 'loud' }), {
      ok: false,
      errors: [`--log-level: ${words}`],
    });
    assert.deepEqual(wrong({}, { transport: 'quick', logLevel: 'loud' }), {
      ok: false,
      errors: ['--transport: must be one of grpc-js, fast', `--log-level: ${words}`],
    });
  });
});

describe('the page of the configuration', () => {
  it('has a row for each key of the file, and for no other', () => {
    const rows = tableUnder('configuration.md', 'Keys of the file').map(([key]) => key);
    assert.deepEqual(rows, keysOf(FileSchema));
  });

  it('gives the default of each', () => {
    const defaults = config('');
    for (const [key = '', said] of tableUnder('configuration.md', 'Keys of the file')) {
      if (key.startsWith('facts.')) {
        const { facts, claims } = defaults;
        const fact = { ...facts, claims }[key.slice('facts.'.length) as keyof typeof facts];
        assert.equal(said, fact === undefined ? 'none' : 'see below', key);
        continue;
      }
      const value = at(defaults, key);
      const shown = Array.isArray(value) ? JSON.stringify(value) : String(value ?? '–');
      assert.equal(shown, said?.replace('DATA', '/var/lib/switchyard'), key);
    }
  });

  it('names each variable and flag, as the command has them', () => {
    const rows = Object.entries(OVERRIDES).map(([name, { key }]) => [
      key,
      ENVIRONMENT[name as keyof ConfigOverrides],
      `--${name.replaceAll(/[A-Z]/gu, (letter) => `-${letter.toLowerCase()}`)}`,
    ]);
    assert.deepEqual(tableUnder('configuration.md', 'Variables and flags'), rows);
    const sources = ['../../src/main.ts', '../../src/cli/program.ts'].map((path) =>
      readFileSync(new URL(path, import.meta.url), 'utf8'),
    );
    for (const [, , flag] of rows)
      assert.ok(
        sources.some((text) => text.includes(`'${flag} <`)),
        `no command has ${flag}`,
      );
  });

  it('has a row for each kind of source', () => {
    const rows = tableUnder('configuration.md', 'Sources of facts').map(([kind]) => kind);
    assert.deepEqual(rows, Object.keys(FACT_SOURCES));
  });
});

/** Dotted names of all leaves. */
function keysOf(schema: object, prefix = ''): readonly string[] {
  const { properties } = schema as { properties?: Readonly<Record<string, object>> };
  if (properties === undefined) return [prefix];
  return Object.entries(properties).flatMap(([key, inner]) =>
    keysOf(inner, prefix === '' ? key : `${prefix}.${key}`),
  );
}

function at(value: unknown, key: string): unknown {
  return key
    .split('.')
    .reduce<unknown>(
      (inner, part) => (inner as Record<string, unknown> | undefined)?.[part],
      value,
    );
}

function documented(key: string): string {
  return (
    tableUnder('configuration.md', 'Keys of the file').find(([name]) => name === key)?.[1] ?? ''
  );
}
