/** Addresses of coins, by the checksums that they carry. */
import { keccak256 } from './keccak256.ts';
import type { PiiKind } from './pii-kind.ts';
import { sha256 } from './sha256.ts';

const BASE58 = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';
/** Ripple has an alphabet of its own. */
const BASE58_RIPPLE = 'rpshnaf39wBUDNEGHJKLM4PQRST7VWXYZ2bcdeCg65jkm8oFqi1tuvAxyz';
const CHECKSUM_BYTES = 4;
/** One or two bytes for the network, a hash of 20, the checksum. */
const PAYLOAD_BYTES = [25, 26];

/** By unit: the digit that it is in an alphabet. */
const digitsOf = (alphabet: string): Uint8Array => {
  const digits = new Uint8Array(0x80);
  for (let digit = 0; digit < alphabet.length; digit++) digits[alphabet.charCodeAt(digit)] = digit;
  return digits;
};
const DIGITS = digitsOf(BASE58);
const DIGITS_RIPPLE = digitsOf(BASE58_RIPPLE);

/** Of the number so far, 16 bits each, the lowest first: more than any text that is asked about has. */
const limbs = new Int32Array(16);

/** A text of digits, 40 at most, as bytes; each zero in front is one, too. */
function decode58(text: string, digits: Uint8Array): Uint8Array {
  let used = 0;
  for (let at = 0; at < text.length; at++) {
    let carry = digits[text.charCodeAt(at)] as number;
    for (let limb = 0; limb < used; limb++) {
      carry += (limbs[limb] as number) * 58;
      limbs[limb] = carry & 0xffff;
      carry >>>= 16;
    }
    if (carry > 0) limbs[used++] = carry;
  }
  let zeros = 0;
  while (zeros < text.length && digits[text.charCodeAt(zeros)] === 0) zeros++;
  const last = used === 0 ? 0 : (limbs[used - 1] as number);
  const count = 2 * used - (used > 0 && last < 0x100 ? 1 : 0);
  const bytes = new Uint8Array(zeros + count);
  for (let byte = 0; byte < count; byte++)
    bytes[zeros + count - 1 - byte] = (limbs[byte >> 1] as number) >> (8 * (byte & 1));
  return bytes;
}

function isBase58Check(token: string, digits: Uint8Array): boolean {
  const bytes = decode58(token, digits);
  if (!PAYLOAD_BYTES.includes(bytes.length)) return false;
  const payload = bytes.subarray(0, -CHECKSUM_BYTES);
  const check = sha256(sha256(payload));
  return bytes.subarray(-CHECKSUM_BYTES).every((byte, index) => byte === check[index]);
}

const BECH32 = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l';
const BECH32_GENERATORS = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3];
/** BIP 173, and BIP 350 for versions of the script from 1 on. */
const BECH32_CHECKS = [1, 0x2bc830a3];

function isBech32Address(token: string): boolean {
  if (token !== token.toLowerCase() && token !== token.toUpperCase()) return false;
  const text = token.toLowerCase();
  const separator = text.lastIndexOf('1');
  let check = 1;
  const add = (value: number): void => {
    const top = check >>> 25;
    check = ((check & 0x1ffffff) << 5) ^ value;
    for (let bit = 0; bit < 5; bit++)
      if ((top >> bit) & 1) check ^= BECH32_GENERATORS[bit] as number;
  };
  for (let index = 0; index < separator; index++) add(text.charCodeAt(index) >> 5);
  add(0);
  for (let index = 0; index < separator; index++) add(text.charCodeAt(index) & 31);
  for (let index = separator + 1; index < text.length; index++) {
    const value = BECH32.indexOf(text[index] as string);
    if (value < 0) return false;
    add(value);
  }
  return BECH32_CHECKS.includes(check);
}

/** EIP-55 hides a checksum in which letters are capitals: without any capital, or small letter, it has none. */
function scoreOfEthereum(token: string): number {
  const digits = token.slice(2);
  const small = digits.toLowerCase();
  if (digits === small || digits === digits.toUpperCase()) return /^0+$/.test(digits) ? 0 : 0.7;
  const hash = keccak256(Uint8Array.from(small, (one) => one.charCodeAt(0)));
  for (let index = 0; index < digits.length; index++) {
    const nibble = ((hash[index >> 1] as number) >> (index % 2 === 0 ? 4 : 0)) & 15;
    const wanted = nibble >= 8 ? small[index]?.toUpperCase() : small[index];
    if (digits[index] !== wanted) return 0.3;
  }
  return 0.95;
}

/** Both kinds of digits, and both kinds of letters. */
const isMixed = (token: string): boolean =>
  /\d/.test(token) && /[a-z]/.test(token) && /[A-Z]/.test(token);

const B58 = '[1-9A-HJ-NP-Za-km-z]';
const B32 = '[02-9ac-hj-np-zAC-HJ-NP-Z]';

export const CRYPTO_ADDRESS: PiiKind = {
  entity: 'crypto_address',
  label: 'CRYPTO_ADDRESS',
  what: 'Address of a coin: Bitcoin and what descends from it, Tron, Ripple, Ethereum, Monero, Solana, Cardano',
  check: 'Base58Check, Bech32, Bech32m, EIP-55',
  names: [
    ...['wallet', 'bitcoin', 'btc', 'ethereum', 'eth', 'solana', 'monero', 'xmr', 'crypto', 'sol'],
    ...['tron', 'litecoin', 'ltc', 'dogecoin', 'doge', 'usdt', 'usdc', 'xrp', 'ripple', 'cardano'],
  ],
  forms: [
    {
      expression: `[123LMDX9ATtmnr]${B58}{25,34}`,
      score: 0.9,
      // Of version 0, which a zero stands for: all that Ripple has in so few digits.
      valid: (token) => isBase58Check(token, token.startsWith('r') ? DIGITS_RIPPLE : DIGITS),
      tail: '',
    },
    {
      expression: `(?:[bB][cC]|[tT][bB]|[lL][tT][cC]|[bB][cC][rR][tT])1${B32}{6,87}`,
      score: 0.9,
      valid: isBech32Address,
      tail: '',
    },
    { expression: `addr1${B32}{50,110}`, score: 0.9, valid: isBech32Address, tail: '' },
    { expression: '0x[0-9a-fA-F]{40}', score: 0.95, scoreOf: scoreOfEthereum, tail: '' },
    { expression: `[48]${B58}{94}`, score: 0.6, valid: isMixed, tail: '' },
    { expression: `${B58}{43,44}`, score: 0.2, valid: isMixed, tail: '' },
  ],
  source: 'BIP 13, 173 and 350; EIP-55; XRPL "Base58 encodings"; CIP 19; Monero "Standard address"',
};
