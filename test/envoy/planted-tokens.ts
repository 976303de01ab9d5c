/**
 * Random tokens to plant in traffic, and the search for them in what the outside can read. A token counts
 * as found in any spelling that careless code could give it, also when it was cut: in any case, as base64
 * at any alignment, as hex, percent-encoded, JSON-escaped, or as the plain hash that anybody could make.
 */
import { createHash, randomBytes } from 'node:crypto';

const TOKEN_CHARS = 20;
const ALPHABET = 'abcdefghijkmnpqrstuvwxyz23456789';

/** Consecutive characters of a spelling that count as found; so many that chance finds none. */
const TEXT_WINDOW = 10;
/** The same of hex and of digits, whose characters carry less. */
const HEX_WINDOW = 16;
const DIGITS_WINDOW = 13;

const HASHES = ['md5', 'sha1', 'sha256'] as const;

/** A text that somebody outside could read, and its name. */
export interface Surface {
  readonly name: string;
  readonly text: string;
}

export interface Found {
  readonly surface: string;
  readonly tokens: number;
}

export class PlantedTokens {
  private readonly windows = new Map<string, string>();
  private readonly minted = new Set<string>();

  get count(): number {
    return this.minted.size;
  }

  /** A token of lower-case letters and digits, fit for a header name, a key, an address, a URL. */
  readonly mint = (): string => {
    const token = [...randomBytes(TOKEN_CHARS)].map((byte) => ALPHABET[byte & 31]).join('');
    this.minted.add(token);
    this.plant(token, token, TEXT_WINDOW);
    this.plantEncoded(token);
    // The same again in capitals: base64 and hashes tell the cases apart, the windows do not.
    this.plantEncoded(token.toUpperCase());
    return token;
  };

  /** A card number that passes Luhn's check. */
  readonly card = (): string => {
    const digits = `4${BigInt(`0x${randomBytes(8).toString('hex')}`)}`.padEnd(15, '7').slice(0, 15);
    const card = digits + luhnDigit(digits);
    this.minted.add(card);
    this.plant(card, card, DIGITS_WINDOW);
    this.plantEncoded(card);
    return card;
  };

  /** What was found where; empty when nothing was. */
  search(surfaces: readonly Surface[]): readonly Found[] {
    return surfaces.flatMap(({ name, text }) => {
      const tokens = this.foundIn(text).size;
      return tokens === 0 ? [] : [{ surface: name, tokens }];
    });
  }

  /** The planted tokens that a text holds, in any spelling. */
  foundIn(text: string): ReadonlySet<string> {
    const found = new Set<string>();
    for (const reading of readings(text)) {
      for (const length of [TEXT_WINDOW, DIGITS_WINDOW, HEX_WINDOW])
        for (let at = 0; at + length <= reading.length; at++) {
          const token = this.windows.get(reading.slice(at, at + length));
          if (token !== undefined) found.add(token);
        }
    }
    return found;
  }

  private plantEncoded(spelled: string): void {
    const token = spelled.toLowerCase();
    for (const pad of ['', 'x', 'xx']) {
      const encoded = Buffer.from(pad + spelled).toString('base64url');
      // Its ends depend on the neighbours as well.
      this.plant(token, encoded.slice(pad === '' ? 0 : 4, -4), TEXT_WINDOW);
    }
    this.plant(token, Buffer.from(spelled).toString('hex'), HEX_WINDOW);
    for (const hash of HASHES) {
      const digest = createHash(hash).update(spelled);
      this.plant(token, digest.digest('hex').slice(0, HEX_WINDOW), HEX_WINDOW);
    }
  }

  private plant(token: string, spelling: string, length: number): void {
    const lower = spelling.toLowerCase();
    for (let at = 0; at + length <= lower.length; at++)
      this.windows.set(lower.slice(at, at + length), token);
  }
}

/** The text as it is and as it decodes, in lower case; base64 in one of its two alphabets. */
function readings(text: string): readonly string[] {
  const lower = text.toLowerCase().replaceAll('+', '-').replaceAll('/', '_');
  const decoded = lower
    .replaceAll(/%([0-9a-f]{2})/gu, (_, hex: string) => String.fromCharCode(Number(`0x${hex}`)))
    .replaceAll(/\\u([0-9a-f]{4})/gu, (_, hex: string) => String.fromCharCode(Number(`0x${hex}`)))
    .toLowerCase();
  return decoded === lower ? [lower] : [lower, decoded];
}

function luhnDigit(digits: string): string {
  const sum = [...digits].reduceRight((total, digit, index) => {
    const doubled = (digits.length - index) % 2 === 1 ? Number(digit) * 2 : Number(digit);
    return total + (doubled > 9 ? doubled - 9 : doubled);
  }, 0);
  return String((10 - (sum % 10)) % 10);
}
