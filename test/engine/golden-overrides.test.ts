/** MISSION row 26: what keeps a save out, and who may let it in all the same. */
import assert from 'node:assert/strict';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { stringify } from 'yaml';
import { type GateInput, passGate } from '../../src/engine/golden/gate.ts';
import { OVERRIDE_MS_MAX } from '../../src/engine/golden/overrides.ts';
import { DEFAULT_LIMITS } from '../../src/engine/limits.ts';
import { compilePolicies } from '../../src/policy/compile.ts';
import { formatCompileError } from '../../src/policy/errors.ts';
import type { GoldenCase } from '../../src/policy/golden/cases.ts';
import {
  caseDigest,
  type OverrideStatement,
  overrideText,
} from '../../src/policy/golden/override.ts';
import { signatureCheck, signText } from '../../src/store/signatures.ts';
import { trialMeans } from '../cli/means.ts';
import { sha256 } from '../policy/compiling.ts';

const pem = {
  public: (key: KeyObject) => key.export({ type: 'spki', format: 'pem' }).toString(),
  private: (key: KeyObject) => key.export({ type: 'pkcs8', format: 'pem' }).toString(),
};
const lead = generateKeyPairSync('ed25519');
const stranger = generateKeyPairSync('ed25519');
const verify = signatureCheck([{ name: 'lead', publicKey: pem.public(lead.publicKey) }]);

const NOW = Date.parse('2026-01-31T12:00:00Z');
const HOUR = 3_600_000;

const policy = (word: string) => `kind: Policy
metadata: { name: guard, layer: platform }
class: security
rules:
  - { id: word, inspect: [request], match: { keywords: { words: [${word}] } }, then: block }
---
`;
const golden = (cases: readonly string[], more = '') =>
  `kind: GoldenSet\npolicy: guard\n${more}cases:\n${cases.map((one) => `  - ${one}\n`).join('')}`;
const HOLIDAY =
  '{ name: holiday, request: { user: What is a bank holiday? }, expect: { then: allow } }';
const ACCOUNT = '{ name: account, request: { user: My bank }, expect: { then: allow } }';
/** Blocks both cases. */
const BLOCKS = policy('bank') + golden([HOLIDAY, ACCOUNT]);

function compiled(text: string) {
  const result = compilePolicies([{ path: 'p.yaml', text }], { sha256 });
  if (!result.ok) assert.fail(result.errors.map(formatCompileError).join('\n'));
  return result;
}

interface Signing extends Partial<OverrideStatement> {
  readonly text?: string;
  readonly signer?: KeyObject;
  readonly names?: readonly string[];
  readonly from?: readonly GoldenCase[];
}

/** The document of an override, for the cases of `text` that `names` says. */
function override({
  text = BLOCKS,
  signer = lead.privateKey,
  names = ['holiday', 'account'],
  from,
  ...over
}: Signing = {}): string {
  const { set, cases } = compiled(text);
  const statement: OverrideStatement = {
    set: set.digest,
    cases: (from ?? cases)
      .filter(({ name }) => names.includes(name))
      .map((one) => ({ policy: one.policy, name: one.name, digest: caseDigest(one, sha256) })),
    by: 'jane@acme.example',
    reason: 'the holiday line has closed',
    until: new Date(NOW + HOUR).toISOString(),
    key: 'lead',
    ...over,
  };
  const signature = signText(pem.private(signer), overrideText(statement));
  return `---\n${stringify({ kind: 'GoldenOverride', ...statement, signature })}`;
}

async function gate(text: string, more: Partial<GateInput> = {}, limits = DEFAULT_LIMITS) {
  const { set, cases, overrides } = compiled(text);
  const clock = { ...trialMeans.clock, nowMs: () => NOW };
  const means = { ...trialMeans, clock, limits: DEFAULT_LIMITS, routes: [] };
  return passGate(
    { set, cases, overrides, inForce: [], ...more },
    { means, limits, verify, sha256 },
  );
}

const codesOf = (faults: readonly string[]) =>
  faults.map((line) => /^p\.yaml:\d+:\d+: (\w+): /.exec(line)?.[1]);

describe('overrides of golden cases', () => {
  it('let in the set that they name, with the cases that they name', async () => {
    const refused = await gate(BLOCKS);
    assert.deepEqual(codesOf(refused.faults), ['golden_failed', 'golden_failed']);
    const { faults, overridden } = await gate(BLOCKS + override());
    assert.deepEqual(faults, []);
    assert.deepEqual(
      overridden.map((one) => [one.override.by, one.cases.map(({ name }) => name)]),
      [['jane@acme.example', ['holiday', 'account']]],
    );
  });

  it('are no part of the digest, so that they can name it', () => {
    assert.equal(compiled(BLOCKS + override()).set.digest, compiled(BLOCKS).set.digest);
  });

  it('mean nothing where every case holds', async () => {
    const holds = policy('zebra') + golden([HOLIDAY]);
    const { faults, overridden } = await gate(holds + override({ signer: stranger.privateKey }));
    assert.deepEqual([faults, overridden], [[], []]);
  });

  const until = (ms: number) => ({ until: new Date(NOW + ms).toISOString() });
  const refusals: readonly (readonly [what: string, text: string, why: RegExp])[] = [
    [
      'of a key that is not configured',
      override({ key: 'other' }),
      /no key `other` is among the `goldenOverrideKeys`/,
    ],
    [
      'signed by another key than they say',
      override({ signer: stranger.privateKey }),
      /its signature is not one of the key `lead`/,
    ],
    [
      'of which a byte was changed',
      override().replace('the holiday line', 'The holiday line'),
      /its signature is not one of the key `lead`/,
    ],
    [
      'that somebody has made last longer',
      override().replace(/until: .*/, `until: ${new Date(NOW + 2 * HOUR).toISOString()}`),
      /its signature is not one/,
    ],
    [
      'of another set',
      override({ text: policy('banks') + golden([HOLIDAY, ACCOUNT]) }),
      /it was signed for the set `sha256:[0-9a-f]{64}`, and this one is `sha256:/,
    ],
    ['that are over', override(until(0)), /it was good until 2026-01-31T12:00:00\.000Z; have/],
    ['for more than 30 days', override(until(OVERRIDE_MS_MAX + 1)), /30 days from now is the most/],
    [
      'that leave a case out',
      override({ names: ['holiday'] }),
      /it does not name the case `account` of `guard` \(`sha256:[0-9a-f]{64}`\); have it signed/,
    ],
    [
      'of a case that says something else now',
      override({ text: BLOCKS.replace('My bank', 'The bank') }),
      /the case `account` of `guard` says something else than when it was signed/,
    ],
  ];
  for (const [what, text, why] of refusals) {
    it(`are refused, and say why: ${what}`, async () => {
      const { faults, overridden } = await gate(BLOCKS + text);
      assert.ok(codesOf(faults).includes('golden_failed'), faults.join('\n'));
      const [told] = faults.filter((line) => line.includes(' golden_override: '));
      assert.match(told ?? '', why);
      assert.deepEqual(overridden, []);
    });
  }

  it('are taken to the last moment, and for 30 days', async () => {
    assert.deepEqual((await gate(BLOCKS + override(until(1)))).faults, []);
    assert.deepEqual((await gate(BLOCKS + override(until(OVERRIDE_MS_MAX)))).faults, []);
  });

  it('may be several, each for some of the cases', async () => {
    const one = override({ names: ['holiday'] });
    const two = override({ names: ['account'], by: 'joe' });
    const { faults, overridden } = await gate(BLOCKS + one + two);
    assert.deepEqual(faults, []);
    assert.deepEqual(
      overridden.map((each) => each.override.by),
      ['jane@acme.example', 'joe'],
    );
  });

  it('do not stand for cases that were not run', async () => {
    const { faults, overridden } = await gate(
      BLOCKS + override(),
      {},
      { ...DEFAULT_LIMITS, goldenMsMax: -1 },
    );
    assert.deepEqual(codesOf(faults), ['golden_timeout']);
    assert.deepEqual(overridden, []);
  });

  it('have to be documents that can be read', () => {
    for (const [from, to, code] of [
      [/until: .*/, 'until: tomorrow', 'bad_unit'],
      [/signature: .*/, 'signature: abc', 'bad_name'],
      [/set: .*/, 'set: sha256:12', 'bad_name'],
      [/by: .*/, '', 'missing_key'],
    ] as const) {
      const result = compilePolicies(
        [{ path: 'p.yaml', text: BLOCKS + override().replace(from, to) }],
        { sha256 },
      );
      assert.ok(!result.ok, String(to));
      assert.deepEqual(
        result.errors.map((error) => error.code),
        [code],
      );
    }
  });
});

describe('the document of an override', () => {
  it('names 1,000 cases at most', () => {
    const [one] = compiled(BLOCKS).cases;
    const from = Array.from({ length: 1_001 }, () => ({ ...one!, name: 'holiday' }));
    const codesOfMany = (count: number) => {
      const text = BLOCKS + override({ from: from.slice(0, count) });
      const result = compilePolicies([{ path: 'p.yaml', text }], { sha256 });
      return result.ok ? [] : result.errors.map(({ code }) => code);
    };
    assert.deepEqual(codesOfMany(1_000), []);
    assert.deepEqual(codesOfMany(1_001), ['out_of_range']);
  });
});

describe('protected golden sets', () => {
  const PROTECTED = 'protected: true\n';
  const before = policy('zebra') + golden([HOLIDAY, ACCOUNT], PROTECTED);
  const inForce = compiled(before).cases;

  it('may move, get comments and other company', async () => {
    const more = `${policy('zebra')}# moved\n${golden(
      [
        ACCOUNT,
        HOLIDAY.replace('{ name', '{  name'),
        '{ name: new, request: { user: zebra }, expect: { then: block } }',
      ],
      PROTECTED,
    )}`;
    assert.deepEqual((await gate(more, { inForce })).faults, []);
  });

  for (const [what, cases, isProtected, why] of [
    ['goes', [ACCOUNT], PROTECTED, /`holiday` of `guard`, which stood at `p\.yaml:\d+`, is gone/],
    [
      'changes',
      [ACCOUNT, HOLIDAY.replace('allow', 'flag').replace('then: flag', 'then: allow, status: 200')],
      PROTECTED,
      /`holiday` of `guard`, .* has changed/,
    ],
    ['is not protected any more', [ACCOUNT, HOLIDAY], '', /`account` .* is not protected any more/],
  ] as const) {
    it(`keep a save out in which one ${what}`, async () => {
      const { faults } = await gate(policy('zebra') + golden(cases, isProtected), { inForce });
      const lost = faults.filter((line) => line.includes(' golden_lost: '));
      assert.ok(lost.length > 0, faults.join('\n'));
      assert.match(lost.join('\n'), why);
    });
  }

  it('end when somebody signs for it', async () => {
    const after = policy('bank') + golden([ACCOUNT], PROTECTED);
    const signed = override({ text: after, from: inForce, names: ['holiday', 'account'] });
    const { faults, overridden } = await gate(after + signed, { inForce });
    assert.deepEqual(faults, []);
    assert.deepEqual(
      overridden.flatMap(({ cases }) => cases.map(({ name }) => name)),
      ['account', 'holiday'],
    );
  });
});

describe('keys of overrides', () => {
  it('are public Ed25519 keys, and what is none is not shown', () => {
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
    for (const publicKey of [
      pem.public(rsa.publicKey),
      pem.private(lead.privateKey),
      '-----BEGIN PUBLIC KEY-----\nsecret\n-----END PUBLIC KEY-----',
      'secret',
    ]) {
      assert.throws(
        () => signatureCheck([{ name: 'lead', publicKey }]),
        ({ message }: Error) =>
          message.startsWith('the key `lead` is no public Ed25519 key') &&
          !message.includes('secret'),
      );
    }
    assert.throws(() => signText(pem.private(rsa.privateKey), 'x'), /no private Ed25519 key/);
    assert.throws(() => signText(pem.public(lead.publicKey), 'x'), /no private Ed25519 key/);
  });
});
