/** The quick form of `npm run detection:secrets`: what was reached on texts of our own stays reached. */
import assert from 'node:assert/strict';
import { CLEAN_SORTS, cleanTexts } from '../../load-tests/detection/clean-texts.ts';
import { secretFreeTexts } from '../../load-tests/detection/secret-free.ts';
import { type SecretText, secretTexts } from '../../load-tests/detection/secret-texts.ts';
import { picker } from '../../load-tests/detection/values.ts';
import { TextScanner } from '../../src/match/scanner.ts';
import { isGenerated } from '../../src/match/secret-assignments.ts';
import { secretDetector } from '../../src/match/secrets.ts';

const detector = secretDetector();

const CLEAN_EVERY = 31;
const BINARY_BYTES = 60_000;

function spansIn(text: string, pieceUnits = text.length) {
  const scanner = new TextScanner([{ rule: 0, detector }]);
  for (let at = 0; at < text.length; at += pieceUnits)
    scanner.push(text.slice(at, at + pieceUnits));
  scanner.end();
  return scanner.takeMatches().sort((a, b) => a.start - b.start || a.end - b.end);
}

const isFound = ({ text, secret }: SecretText): boolean => {
  const from = text.indexOf(secret);
  return spansIn(text).some(({ start, end }) => start < from + secret.length && end > from);
};

describe('detection of secrets', () => {
  const pick = picker(42);
  const texts = secretTexts(pick, 7);
  const clean = secretFreeTexts(pick, 2);

  it('finds keys of 150 forms in settings, code, commands and chats', () => {
    assert.ok(texts.length > 1_000);
    const missed = texts.filter((one) => !isFound(one));
    assert.ok(missed.length <= 0.02 * texts.length, missed.map(({ id }) => id).join());
  });

  it('finds nothing in hashes, ids, lock files, references, stand-ins and prose', () => {
    assert.ok(clean.length > 200);
    const flagged = clean.filter(({ text }) => spansIn(text).length > 0);
    assert.deepEqual(
      flagged.map(({ id }) => id),
      [],
    );
  });

  it('flags less than one in two hundred of more than a thousand sorts of clean texts', () => {
    assert.ok(CLEAN_SORTS.length > 1_000);
    const texts = cleanTexts(picker(7), CLEAN_EVERY);
    assert.ok(texts.length > 1_000);
    const flagged = texts.filter(({ text }) => spansIn(text).length > 0);
    assert.ok(flagged.length < texts.length / 200, flagged.map(({ id }) => id).join());
  });

  it('finds nothing in pictures and programs in base64, which have long runs of zeros', () => {
    for (let turn = 0; turn < 8; turn++) {
      const bytes = Buffer.from(
        Array.from({ length: BINARY_BYTES }, (_, at) =>
          at % 64 < pick(40) ? 0 : at % 7 === 0 ? 0x10 : pick(256),
        ),
      );
      assert.deepEqual(spansIn(`data:image/png;base64,${bytes.toString('base64')}`), []);
    }
    // As they are issued they are found, also behind the sign of an assignment.
    const bearer = `${'A'.repeat(21)}${'q7Jd02kXbPz51LmT'.repeat(5)}`;
    const token = `EAAC${'q7Jd02kXbPz51LmT'.repeat(6)}`;
    for (const text of [`${bearer}`, `x=${bearer}`, `"${token}"`, `is ${token}.`])
      assert.equal(spansIn(text).length, 1, text);
  });

  it('tells a UUID that names a token from one that is a key', () => {
    const id = '743b294a-cd03-11ec-9d64-0242ac120002';
    for (const text of [
      `//registry.acme.example/:_authToken=${id}`,
      `//npm.acme.example/private/:_authToken=${id}`,
      `api_key = "${id}"`,
      `heroku_token: ${id}`,
      `deploy --token ${id}`,
    ])
      assert.ok(spansIn(text).length > 0, text);
    for (const text of [
      `_authToken=${id}`,
      `//registry.acme.example:_authToken=${id}`,
      `token: ${id}`,
    ])
      assert.deepEqual(spansIn(text), [], text);
  });

  it('takes a password in an address or a connection unless everybody knows it', () => {
    for (const password of ['q7Jd02kX', 'secret123', 'passW0rd!', 'hunter22'])
      for (const text of [`redis://app:${password}@db`, `Server=db;Uid=app;Pwd=${password};`])
        assert.equal(spansIn(text).length, 1, text);
    for (const password of ['password', 'pass', 'secret', 'your_password', 'mypassword', 'xxxxxx'])
      for (const text of [`redis://app:${password}@db`, `Server=db;Uid=app;Pwd=${password};`])
        assert.deepEqual(spansIn(text), [], text);
    assert.deepEqual(spansIn('postgres://postgres:postgres@localhost'), []);
  });

  it('finds the same in pieces of any size', () => {
    for (const { text } of [...texts.filter((_, index) => index % 5 === 0), ...clean])
      for (const units of [1, 7, 64]) assert.deepEqual(spansIn(text, units), spansIn(text), text);
  });

  it('tells values that were generated from words, paths, dates, versions and what is in order', () => {
    for (const value of [
      'q7Jd02kXbPz51LmT',
      '9f86d081884c7d659a2feaa0c55ad015',
      'aB3-xY9_kQ2.zW8~',
    ])
      assert.ok(isGenerated(value), value);
    for (const value of [
      'the_name_of_a_thing2',
      'options.cart2Config.accessToken5',
      '/etc/keys/2024/signing.pem',
      'orders/db-x8Fk2Lq9',
      '2025-11-21T10:33:12Z',
      'v1.22.3-linux-arm64x',
      '0x52908400098527886e0f7030069857d2e4169ee7',
      'k2bcdefgh7q3456789z5w8',
      'b77a5c561934e089',
      'my-sample-q7Jd02kXbPz51',
    ])
      assert.ok(!isGenerated(value), value);
  });

  it('finds values with equals signs in them, however they are assigned', () => {
    const value = 'q7=Jd02_kX-bP=z51LmT8w';
    for (const text of [
      `fastly_token=${value}`,
      `fastly_token = "${value}"`,
      `{"apiKey": "${value}"}`,
      `the token is ${value}`,
      `MY_SECRET:=${value}`,
    ])
      assert.ok(
        spansIn(text).some(({ end }) => end >= text.indexOf(value) + value.length),
        text,
      );
    assert.deepEqual(spansIn('invalid token: session_id=q7Jd02kXbPz51LmT8w'), []);
  });

  it('takes digits and short values for keys only behind the name of a provider', () => {
    for (const value of ['4471820365918273', 'q7x2kd91mz4wpb', 'QbTzLmXwRkPdVnHsGfJc'])
      for (const [name, count] of [
        ['asana_token', 1],
        ['some_token', 0],
      ] as const)
        assert.equal(spansIn(`${name} = "${value}"`).length, count, `${name} ${value}`);
  });

  it('finds a password given to curl, and no stand-in for one', () => {
    for (const user of ['ann:q7Jd02kX', '"ann:q7#Jd02kX"', "'ann:q7;Jd02kX'"])
      assert.ok(spansIn(`curl --user ${user} https://acme.example`).length > 0, user);
    for (const user of ['ann:password', '<ann>:<key>', '"[ann]:[key]"', 'ann:$KEY', 'ann:ann'])
      assert.deepEqual(spansIn(`curl --user ${user} https://acme.example`), [], user);
  });

  it('takes what is said about a secret for none', () => {
    const value = 'q7Jd02kXbPz51LmTq7Jd02kX';
    for (const name of ['apiKey', 'AWS_SECRET', 'db-password', 'stripe.key', 'twilio_auth'])
      assert.ok(spansIn(`${name} = "${value}"`).length > 0, name);
    for (const name of ['apiKeyId', 'token_hash', 'secret-name', 'passwordResetUrl', 'tokenizer'])
      assert.deepEqual(spansIn(`${name} = "${value}"`), [], name);
  });
});
