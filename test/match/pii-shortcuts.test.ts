/** What looks at units and does sums where it can gives the answers that expressions and large numbers give. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { CRYPTO_ADDRESS } from '../../src/match/pii/crypto-address.ts';
import { DEFAULT_PHONE_REGIONS, phoneKind } from '../../src/match/pii/phone.ts';
import { internationalNumber, isNationalNumber } from '../../src/match/pii/phone-plan.ts';
import type { PiiForm } from '../../src/match/pii/pii-kind.ts';

const RUNS = (usual: number) => ({ numRuns: Number(process.env.RUNS ?? usual) });

const digitsOf = (token: string): string => token.replace(/\D/g, '');
const withoutExtension = (token: string): string => token.replace(/,? ?(?:x|ext).*$/i, '');
const isPaired = (token: string): boolean => /^[^()]*(?:\([^()]*\)[^()]*)?$/.test(token);

const isDay = (month: number, day: number): boolean =>
  month >= 1 &&
  month <= 12 &&
  day >= 1 &&
  day <= [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1]!;

function isDate(token: string): boolean {
  const [, first = '', , second, third = ''] =
    /^(\d{1,4})([-./ ])(\d{1,2})\2(\d{1,4})$/.exec(token) ?? [];
  const middle = Number(second);
  if (/^\d{4}$/.test(first)) return /^\d{1,2}$/.test(third) && isDay(middle, Number(third));
  return (
    /^\d{1,2}$/.test(first) &&
    /^(?:\d{2}|\d{4})$/.test(third) &&
    (isDay(middle, Number(first)) || isDay(Number(first), middle))
  );
}

/** The rules of `scoreNational`, each asked of every token, in expressions. */
function scoreSlowly(token: string): number {
  const number = withoutExtension(token);
  const digits = digitsOf(number);
  if (!/^\d{7,13}$/.test(digits) || !isPaired(number) || isDate(number)) return 0;
  if (/^\d{1,3}(?:\.\d{1,3}){3}$/.test(number)) return 0;
  if (
    /^\d{3}([-. ])\d{2}\1\d{4}$|^\d{2}-\d{7}$|^\d{1,3}(?:\.\d{3})+$|^\d{4}[-/ ]\d{4}$/.test(number)
  )
    return 0.15;
  const shape = shapeOf(number, digits);
  const extended = token === number ? 0 : 0.15;
  const inPlan =
    digits.length >= 9 && DEFAULT_PHONE_REGIONS.some((region) => isNationalNumber(digits, region));
  if (!inPlan || shape < 0.3) return shape + extended;
  return Math.max(shape, /^\d+ \d+$/.test(number) ? 0.3 : 0.65) + extended;
}

function shapeOf(number: string, digits: string): number {
  if (/^1?[ .-]?\(?[2-9]\d{2}\)?[ .-]{0,3}\d{3}[ .-]{1,3}\d{4}$/.test(number)) return 0.5;
  if (/^\(\d{2,5}\)/.test(number) && /^\d{8,12}$/.test(digits)) return 0.5;
  if (/^0[^0]/.test(number) && /^\d{9,12}$/.test(digits))
    return number.split(/\D+/).some((group) => group.length < 2) ? 0.3 : 0.5;
  if (
    /^\d{11,}$/.test(digits) &&
    /^\d{1,3}\D/.test(number) &&
    internationalNumber(digits) === 'valid'
  )
    return 0.5;
  if (/^[2-9]\d{2}-\d{4}$/.test(number)) return 0.3;
  return digits.length >= 8 ? 0.3 : 0.15;
}

const formOf = (forms: readonly PiiForm[], part: string): PiiForm =>
  forms.find(({ expression }) => expression.includes(part)) as PiiForm;

describe('telephone numbers in the ways of countries', () => {
  const { expression, scoreOf } = formOf(
    phoneKind(DEFAULT_PHONE_REGIONS).forms,
    '{1,5}(?:(?:[ .-]',
  );
  const form = new RegExp(`^(?:${expression})$`);

  it('score what all of their rules say, of which most are not asked', () => {
    const group = fc.oneof(
      fc.stringMatching(/^\d{2,5}$/),
      fc.constantFrom(
        '20',
        '1234',
        '202',
        '555',
        '0123',
        '7946',
        '0958',
        '12',
        '1999',
        '05',
        '31',
        '1000000',
      ),
    );
    const gap = fc.constantFrom(' ', '-', '.', '/', ' (', ') ', ')', '(', ' - ', ') ', '.');
    const extension = fc.constantFrom('', '', '', ' ext. 12', 'x1', ', extension 123456', ' X 9');
    const first = fc.constantFrom('(', '', '', '');
    const head = fc.stringMatching(/^\d{1,5}$/);
    const rest = fc.array(fc.tuple(gap, group), { minLength: 1, maxLength: 5 });
    // One sign throughout is what dates, thousands and social security numbers have.
    const even = fc.tuple(
      fc.constantFrom('-', '.', ' ', '/'),
      fc.array(group, { minLength: 1, maxLength: 4 }),
    );
    const token = fc.oneof(
      fc
        .tuple(first, head, rest, extension)
        .map(([open, one, others, end]) => `${open}${one}${others.flat().join('')}${end}`),
      fc.tuple(head, even).map(([one, [sign, others]]) => [one, ...others].join(sign)),
    );
    let scored = 0;
    fc.assert(
      fc.property(
        token.filter((one) => form.test(one)),
        (one) => {
          const wanted = scoreSlowly(one);
          if (wanted > 0) scored++;
          assert.equal(scoreOf?.(one), wanted, one);
        },
      ),
      RUNS(4_000),
    );
    assert.ok(scored > 0);
  });
});

const BITCOIN = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';
const RIPPLE = 'rpshnaf39wBUDNEGHJKLM4PQRST7VWXYZ2bcdeCg65jkm8oFqi1tuvAxyz';

const hashOf = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();
const checksumOf = (payload: Uint8Array): Buffer => hashOf(hashOf(payload)).subarray(0, 4);

/** Base58 by its definition: one large number, and a zero for each zero byte in front. */
function encode(bytes: Uint8Array, alphabet: string): string {
  let number = BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
  let text = '';
  for (; number > 0n; number /= 58n) text = (alphabet[Number(number % 58n)] as string) + text;
  const zeros = bytes.findIndex((byte) => byte !== 0);
  return (alphabet[0] as string).repeat(zeros < 0 ? bytes.length : zeros) + text;
}

function decode(text: string, alphabet: string): Buffer {
  let number = 0n;
  for (const one of text) number = number * 58n + BigInt(alphabet.indexOf(one));
  const hex = number === 0n ? '' : number.toString(16);
  const zeros = [...text].findIndex((one) => one !== alphabet[0]);
  const bytes = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
  return Buffer.concat([Buffer.alloc(zeros < 0 ? text.length : zeros), bytes]);
}

function isAddress(text: string): boolean {
  const bytes = decode(text, text.startsWith('r') ? RIPPLE : BITCOIN);
  const payload = bytes.subarray(0, -4);
  return [25, 26].includes(bytes.length) && checksumOf(payload).equals(bytes.subarray(-4));
}

describe('addresses of coins in Base58', () => {
  const { expression, valid } = formOf(CRYPTO_ADDRESS.forms, '[123LMDX9ATtmnr]');
  const form = new RegExp(`^(?:${expression})$`);

  it('are those of which large numbers say so, whole or with one digit changed', () => {
    const payload = fc.tuple(
      fc.constantFrom(0, 0, 5, 0x1e, 0x30, 0x41, 0x6f),
      fc.constantFrom(0, 0, 1, 2, 20),
      fc.uint8Array({ minLength: 20, maxLength: 21 }),
    );
    let addresses = 0;
    fc.assert(
      fc.property(
        payload,
        fc.boolean(),
        fc.nat(40),
        fc.nat(57),
        ([version, zeros, hash], ripple, at, digit) => {
          const bytes = Uint8Array.of(version, ...hash.fill(0, 0, zeros));
          const alphabet = ripple ? RIPPLE : BITCOIN;
          const text = encode(Buffer.concat([bytes, checksumOf(bytes)]), alphabet);
          const place = at % text.length;
          const changed = text.slice(0, place) + BITCOIN[digit] + text.slice(place + 1);
          for (const one of [text, changed]) {
            if (!form.test(one)) continue;
            if (isAddress(one)) addresses++;
            assert.equal(valid?.(one), isAddress(one), one);
          }
        },
      ),
      RUNS(300),
    );
    assert.ok(addresses > 0);
  });
});
