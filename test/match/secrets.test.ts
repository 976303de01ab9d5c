import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { TextScanner } from '../../src/match/scanner.ts';
import { crcDigits, entropyOf, isBech32 } from '../../src/match/secret-checks.ts';
import type { SecretKind } from '../../src/match/secret-kind.ts';
import { SECRET_GROUPS, SECRET_KINDS, secretDetector } from '../../src/match/secrets.ts';
import { pieces } from './oracle.ts';
import { candidate, type Pick, picker } from './secret-samples.ts';

const ALL: readonly SecretKind[] = Object.values(SECRET_GROUPS).flat();
const everything = secretDetector();

function spans(text: string, cuts: readonly number[] = [], detector = everything): string[] {
  const scanner = new TextScanner([{ rule: 0, detector }]);
  for (const piece of pieces(text, cuts)) scanner.push(piece);
  scanner.end();
  return scanner
    .takeMatches()
    .sort((a, b) => a.start - b.start || b.end - a.end)
    .map(({ start, end }) => text.slice(start, end));
}

/** In two parts, so that nothing in this file looks like a secret to those who scan repositories. */
const AGE_KEY = [
  'AGE-SECRET-KEY-10NXE7F9YPEJRWH',
  '3TXSDPS3V2NJH94C0T0739NQJNV6MJMU2WNSZ9TU743M',
].join('');

const TRIES = 400;

/** A sample that its kind takes whole, found by trying: validators refuse a few of them. */
function sampleOf(kind: SecretKind, pick: Pick): string | undefined {
  const detector = secretDetector({ kinds: [kind.kind] });
  for (let time = 0; time < TRIES; time++) {
    const text = candidate(kind, pick);
    if (spans(`= ${text} .`, [], detector)[0] === text) return text;
  }
  return undefined;
}

describe('secrets', () => {
  it('are of more than 150 kinds, each with a name, an expression and a source of its own', () => {
    assert.ok(SECRET_KINDS.length > 150, `${SECRET_KINDS.length}`);
    assert.equal(new Set(SECRET_KINDS).size, SECRET_KINDS.length);
    assert.equal(new Set(ALL.map(({ expression }) => expression)).size, ALL.length);
    for (const { kind, what, source } of ALL) {
      assert.match(kind, /^[a-z][a-z0-9_]{2,40}$/);
      assert.ok(what.length > 5 && source.length > 5, kind);
    }
  });

  for (const kind of ALL.filter((one) => one.kind !== 'age_secret_key'))
    it(`of kind ${kind.kind} are found whole, wherever they are cut, with and without what is not seen`, () => {
      const pick = picker(7);
      const sample = sampleOf(kind, pick);
      assert.ok(sample !== undefined, 'nothing that the expression allows is taken');
      const detector = secretDetector({ kinds: [kind.kind] });
      const text = `= ${sample} .`;
      const cuts = [pick(text.length), pick(text.length), pick(text.length)];
      assert.equal(spans(text, cuts, detector)[0], sample);
      const middle = sample.length >> 1;
      const hidden = `${sample.slice(0, middle)}\u200b${sample.slice(middle)}`;
      assert.equal(spans(`= ${hidden} .`, cuts, detector)[0], hidden);
      // Among all the others it is still covered.
      const covering = spans(text);
      assert.ok(covering.some((one) => one.includes(sample) || sample.includes(one)));
    });

  it('count by their check digits where those are public', () => {
    // Both are examples: of the base62 checksum that GitHub describes, and of BIP 173.
    assert.equal(crcDigits('zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ'), '0mLq17');
    assert.ok(
      isBech32('A12UEL5L') &&
        isBech32('split1checkupstagehandshakeupstreamerranterredcaperred2y9e3w'),
    );
    assert.ok(!isBech32('A12UEL5M') && !isBech32('1qzzfhee') && !isBech32('A1G7SGD8'));
    const plain = 'a'.repeat(30);
    assert.deepEqual(spans(`ghp_${plain}${crcDigits(plain)} `), [
      `ghp_${plain}${crcDigits(plain)}`,
    ]);
    assert.deepEqual(spans(`ghp_${plain}${'a'.repeat(6)} `), []);
    assert.deepEqual(spans(`key ${AGE_KEY}.`), [AGE_KEY]);
    // Mistyped, it has still leaked; of one letter it is nobody's.
    const mistyped = `${AGE_KEY.slice(0, -1)}Q`;
    assert.deepEqual(spans(`key ${mistyped}.`), [mistyped]);
    assert.deepEqual(spans(`key ${AGE_KEY.slice(0, 16)}${'Q'.repeat(58)}.`), []);
  });

  it('have the entropy of what a generator makes', () => {
    assert.equal(entropyOf(''), 0);
    assert.equal(entropyOf('aaaa'), 0);
    assert.equal(entropyOf('abab'), 1);
    assert.equal(entropyOf('0123456789abcdef'), 4);
  });

  it('are not what documentation, prose and code hold in their place', () => {
    for (const text of [
      `AKIA${'IOSFODNN7'}EXAMPLE`,
      `ghp_${'x'.repeat(36)}`,
      'password = getPassword(user)',
      'const token: string = readToken();',
      'api_key = os.environ["OPENAI_API_KEY"]',
      'Set SECRET_KEY=your_secret_key_goes_here_1 in .env',
      'The secret: keep at it, and the token of thanks is yours.',
      'Ask for the access token: it is in the settings/security/tokens pAGE_KEY.',
      'sk-learn, sk-or, sk_live and sk-proj are prefixes',
      'commit 3f786850e387550fdab836ed7e6dc881de23001b',
      'id 123e4567-e89b-12d3-a456-426614174000',
      'https://example.org:8080/a:b@c and mailto:bob@acme.example',
      'postgres://$DB_USER:$DB_PASS@db/app and redis://:{{password}}@cache',
      'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ',
      'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
      '-----BEGIN PRIVATE KEY----- is how the file begins; then come lines of base64.',
      'Authorization: Bearer <token>',
      'every eye saw the money; they keyed it in',
      'AccountKey=<key>;EndpointSuffix=core.windows.net',
    ])
      assert.deepEqual(spans(text), [], text);
  });

  it('are looked for by kind', () => {
    const jwt = ['eyJhbGciOiJub25lIn0', 'eyJzdWIiOiJib2IifQ', ''].join('.');
    const token = `npm_${'zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ'}0mLq17`;
    const found = (options: Parameters<typeof secretDetector>[0]) =>
      spans(`${jwt} ${token} `, [], secretDetector(options));
    assert.deepEqual(found({}), [jwt, token]);
    assert.deepEqual(found({ kinds: ['npm_token'] }), [token]);
    assert.deepEqual(found({ except: ['npm_token'] }), [jwt]);
    assert.deepEqual(found({ kinds: ['npm_token', 'jwt'], except: ['jwt'] }), [token]);
    assert.throws(() => secretDetector({ kinds: ['jwt'], except: ['jwt'] }), RangeError);
  });

  it('are covered with or without the last line of a key', () => {
    const line = 'MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7'.repeat(2).slice(0, 64);
    const begin = '-----BEGIN RSA PRIVATE KEY-----';
    const end = '-----END RSA PRIVATE KEY-----';
    const key = [begin, line, line, `${line.slice(0, 20)}==`, end].join('\n');
    assert.deepEqual(spans(`Here: ${key}\nDone.`), [key]);
    const escaped = key.replaceAll('\n', '\\n');
    assert.deepEqual(spans(`{"key":"${escaped}"}`), [escaped]);
    const cut = [begin, line, line.slice(0, 30)].join('\n');
    assert.deepEqual(spans(cut), [cut]);
  });
});

function pageOf(): string {
  const groups = Object.entries(SECRET_GROUPS).map(([group, kinds]) => {
    const rows = kinds.map(({ kind, what, check, source }) => [
      `\`${kind}\``,
      what,
      check?.name ?? 'form',
      source,
    ]);
    const head = ['kind', 'what', 'check', 'documented in'];
    const widths = head.map((cell, column) =>
      Math.max(cell.length, ...rows.map((row) => (row[column] as string).length)),
    );
    const line = (cells: readonly string[]) =>
      `| ${cells.map((cell, column) => cell.padEnd(widths[column] as number)).join(' | ')} |`;
    const rule = widths.map((width) => '-'.repeat(width));
    return [`## ${group}`, '', ...[head, rule, ...rows].map(line), ''].join('\n');
  });
  return `${HEAD}\n${groups.join('\n')}`;
}

const HEAD = `# Kinds of secrets

What \`match: { secrets: {} }\` looks for: all of these, or those under \`kinds\`, without those under \`except\`.

\`\`\`yaml
match: { secrets: { except: [twilio_account_sid, assigned_password] } }
\`\`\`

- A secret is matched as it is written: its own alphabet, its own case. Characters that are not seen (64 at
  most) neither hide nor end one.
- It is covered with what names it, where the name is what gives it away: \`password = "…"\` becomes \`[SECRET_1]\`.
  An address keeps its host.
- *Check*: a candidate that fails it is none, and then shorter and later candidates are tried. Entropy is
  Shannon's, in bits per character over the candidate itself. \`form\`: what it looks like is proof enough.
- A candidate with a check is 256 characters long at most, keys in files and signed tokens 8,192.
- \`npm run detection:secrets -- FILE…\` prints what is found in labelled texts, and in texts made for it.

This page is rendered from the tables in \`src/match/secrets-*.ts\` by \`WRITE_REFERENCE=1 npx mocha test/match/secrets.test.ts\`.
`;

describe('docs/reference/secrets.md', () => {
  it('lists what is looked for', () => {
    const page = new URL('../../docs/reference/secrets.md', import.meta.url);
    const wanted = pageOf();
    if (process.env.WRITE_REFERENCE === '1') writeFileSync(page, wanted);
    assert.equal(readFileSync(page, 'utf8'), wanted);
  });
});
