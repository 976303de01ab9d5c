import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import fc from 'fast-check';
import parsePhoneNumber from 'libphonenumber-js/min';
import { candidate } from '../../load-tests/detection/samples.ts';
import { sentences } from '../../load-tests/detection/sentences.ts';
import { picker } from '../../load-tests/detection/values.ts';
import { keccak256 } from '../../src/match/pii/keccak256.ts';
import {
  callingCodeOf,
  internationalNumber,
  isNationalNumber,
} from '../../src/match/pii/phone-plan.ts';
import { NAMED_SCORE, OTHERWISE_NAMED_SCORE } from '../../src/match/pii/pii-judge.ts';
import { sha256 } from '../../src/match/pii/sha256.ts';
import {
  PHONE_REGIONS,
  PII_ENTITIES,
  PII_GROUPS,
  PII_TABLES,
  PII_THRESHOLD,
  type PiiOptions,
  piiDetector,
} from '../../src/match/pii.ts';
import { TextScanner } from '../../src/match/scanner.ts';
import { pieces } from './oracle.ts';
import { VECTORS } from './pii-vectors.ts';

const everything = piiDetector({ entities: ['all'] });

function found(text: string, detector = everything, cuts: readonly number[] = []): string[] {
  const scanner = new TextScanner([{ rule: 0, detector }]);
  for (const piece of pieces(text, cuts)) scanner.push(piece);
  scanner.end();
  return scanner
    .takeMatches()
    .sort((a, b) => a.start - b.start || b.end - a.end)
    .map(({ start, end, label }) => `${label} ${text.slice(start, end)}`);
}

const only = (options: PiiOptions, text: string): string[] => found(text, piiDetector(options));

/** A digit or letter that the same form allows, in place of the last one that is none of its own. */
const wrong = (value: string): string =>
  value.replace(/\d(?=\D*$)/, (digit) => String((Number(digit) + 1) % 10));

const RARE = ['iban', 'crypto_address', 'cn_resident_id', 'passport'];

const RUNS = (usual: number) => ({ numRuns: Number(process.env.RUNS ?? usual) });

describe('personal data', () => {
  it('has published examples of every kind', () => {
    assert.deepEqual(Object.keys(VECTORS).sort(), [...PII_ENTITIES].sort());
  });

  for (const [entity, vectors] of Object.entries(VECTORS))
    it(`of kind ${entity} is found alone, among all others, in any cut and spelling`, () => {
      const detector = piiDetector({ entities: [entity] });
      for (const [text, value] of vectors) {
        const label = detector.labels[0] as string;
        assert.deepEqual(found(text, detector), [`${label} ${value}`], text);
        assert.ok(
          found(text).some((one) => one.endsWith(` ${value}`)),
          `${text}: ${found(text)}`,
        );
        const single = text.split('').map((_, at) => at);
        assert.deepEqual(found(text, detector, single), [`${label} ${value}`], text);
        // In a card number what is not seen counts as a sign between digits (`card.test.ts`).
        if (entity === 'url' || entity === 'credit_card') continue;
        // The middle of it is never seen to be anything else.
        const middle = text.indexOf(value) + (value.length >> 1);
        const hidden = `${text.slice(0, middle)}\u200b${text.slice(middle)}`;
        assert.equal(found(hidden, detector).length, 1, 'with what is not seen inside');
        if (entity === 'email') continue;
        const wide = text.replace(/[0-9A-Za-z]/g, (one) =>
          String.fromCharCode(one.charCodeAt(0) + 0xfee0),
        );
        assert.equal(found(wide, detector).length, 1, 'full width');
      }
    });

  for (const entity of [
    ...[
      'iban',
      'credit_card',
      'us_npi',
      'us_bank_routing',
      'ca_sin',
      'br_cpf',
      'br_cnpj',
      'mx_curp',
    ],
    ...[
      'uk_nhs',
      'uk_utr',
      'it_vat_code',
      'fr_nir',
      'de_tax_id',
      'de_id_card',
      'nl_bsn',
      'pl_pesel',
    ],
    ...['pl_nip', 'se_personnummer', 'be_nrn', 'pt_nif', 'no_fodselsnummer', 'ro_cnp', 'bg_egn'],
    ...[
      'cz_rodne_cislo',
      'ee_isikukood',
      'hr_oib',
      'ch_ahv',
      'in_aadhaar',
      'au_tfn',
      'au_abn',
      'au_acn',
    ],
    ...[
      'nz_ird',
      'za_id',
      'jp_my_number',
      'th_tnin',
      'tr_tckn',
      'il_id',
      'cl_rut',
      'ar_cuit',
      'es_nif',
    ],
    ...['es_nie', 'it_fiscal_code', 'ie_pps', 'sg_nric', 'fi_hetu', 'at_svnr'],
  ])
    it(`of kind ${entity} must have the right check digit`, () => {
      for (const [text, value] of VECTORS[entity] ?? []) {
        const bad = text.replace(value, wrong(value));
        assert.deepEqual(only({ entities: [entity] }, bad), [], bad);
      }
    });

  it('of any form is found as its kind where its name stands before it', () => {
    const pick = picker(11);
    for (const kind of Object.values(PII_TABLES).flat()) {
      const detector = piiDetector({ entities: [kind.entity] });
      for (const form of kind.forms) {
        const alone = form.expression.startsWith('\\A');
        // Without a name it has to be enough by itself.
        const scoreOf = (text: string): number => form.scoreOf?.(text) ?? form.score;
        const valid = (text: string): boolean => scoreOf(text) >= PII_THRESHOLD;
        const sample = candidate(alone ? { ...form, valid } : form, pick);
        // One in thousands of what these allow has the right checksum.
        if (sample === undefined) {
          assert.ok(RARE.includes(kind.entity), `${kind.entity}: ${form.expression}`);
          continue;
        }
        const text = alone ? sample : `${kind.names[0] ?? 'it is'} ${sample} `;
        const spans = found(text, detector);
        assert.ok(
          spans.some(
            (one) => one.includes(sample) || sample.includes(one.slice(one.indexOf(' ') + 1)),
          ),
          `${kind.entity}: ${text} gives ${spans}`,
        );
      }
    }
  });

  it('is the same whole and in pieces', () => {
    const texts = sentences(400).map(({ text }) => text);
    const text = fc
      .array(fc.constantFrom(...texts, ' 12', '34-', '\u200b', '+', '\uff11\uff12', '.'), {
        minLength: 1,
        maxLength: 4,
      })
      .map((parts) => parts.join(' '));
    fc.assert(
      fc.property(text, fc.array(fc.nat(), { maxLength: 8 }), (whole, cuts) => {
        assert.deepEqual(found(whole, everything, cuts), found(whole));
      }),
      RUNS(150),
    );
  });

  it('says the same through the automaton of all rules as tracker by tracker', () => {
    for (const { text } of sentences(120)) {
      const alone: string[] = [];
      for (const tracker of everything.start()) {
        const sink = ({ start, end, label }: { start: number; end: number; label: string }) =>
          alone.push(`${label} ${text.slice(start, end)}`);
        for (let at = 0; at < text.length; at++) tracker.step(text.charCodeAt(at), at, sink);
        tracker.end(text.length, sink);
      }
      assert.deepEqual(found(text).sort(), alone.sort(), text);
    }
  });

  it('holds back no farther than a candidate is long', () => {
    const scanner = new TextScanner([{ rule: 0, detector: everything }]);
    const text = sentences(600)
      .map((one) => one.text)
      .join(' ');
    let held = 0;
    for (let at = 0; at < text.length; at++) {
      scanner.push(text[at] as string);
      held = Math.max(held, at + 1 - scanner.safe);
    }
    assert.ok(held <= everything.unitsMax!, `${held}`);
    // What is said before a candidate is not held for it.
    const passport = new TextScanner([
      { rule: 0, detector: piiDetector({ entities: ['passport'] }) },
    ]);
    passport.push('His passport is ');
    assert.equal(passport.safe, 16);
  });
});

describe('names before a candidate', () => {
  const passport = (text: string, threshold?: number) =>
    only({ entities: ['passport'], ...(threshold === undefined ? {} : { threshold }) }, text);

  it('make what has no check digit count, and the nearest one does', () => {
    assert.deepEqual(passport('123456789'), []);
    assert.deepEqual(passport('passport 123456789'), ['PASSPORT 123456789']);
    assert.deepEqual(passport('passport lost, order 123456789'), []);
    assert.deepEqual(passport('order of a passport: 123456789'), ['PASSPORT 123456789']);
    assert.deepEqual(passport('{"passportNumber":"123456789"}'), ['PASSPORT 123456789']);
    assert.deepEqual(passport('PASSPORT_NO=123456789'), ['PASSPORT 123456789']);
    assert.deepEqual(passport('pass\u200bport 123456789'), ['PASSPORT 123456789']);
    assert.deepEqual(passport('\uff50\uff41\uff53\uff53port 123456789'), ['PASSPORT 123456789']);
    assert.deepEqual(passport('\u62a4\u7167\u53f7\u7801123456789'), ['PASSPORT 123456789']);
  });

  it('are looked for 96 units back, and not one more', () => {
    // `passport` begins so far before the number.
    const behind = (units: number) => `passport${'.'.repeat(units - 8)}123456789`;
    assert.equal(passport(behind(96)).length, 1);
    assert.equal(passport(behind(97)).length, 0);
  });

  it('are not needed of networks whose address ends in colons', () => {
    const ip = (text: string) => only({ entities: ['ip_address'] }, text);
    assert.deepEqual(ip('route 2001:db8:1::/48 via fe80::, b:c:18::.'), [
      'IP_ADDRESS 2001:db8:1::',
      'IP_ADDRESS fe80::',
      'IP_ADDRESS b:c:18::',
    ]);
    assert.deepEqual(ip('a std::string, face::bed:: x, 1:2:3::: x'), []);
  });

  it('are not needed under a lower threshold, and do not help over a higher one', () => {
    assert.deepEqual(passport('123456789', 0.15), ['PASSPORT 123456789']);
    assert.deepEqual(passport('123456789', 0.16), []);
    assert.equal(passport('passport 123456789', 0.15 + NAMED_SCORE).length, 1);
    assert.equal(passport('passport 123456789', 0.151 + NAMED_SCORE).length, 0);
  });

  it('of something else lower what would count without', () => {
    const ip = (text: string) => only({ entities: ['ip_address'] }, text);
    assert.deepEqual(ip('see 10.1.2.3'), ['IP_ADDRESS 10.1.2.3']);
    assert.deepEqual(ip('version 10.1.2.3'), []);
    assert.ok(OTHERWISE_NAMED_SCORE > 0.15);
  });
});

describe('numbers that are nobody\u2019s', () => {
  it('are not found in what people and machines write', () => {
    for (const text of [
      'Order 4823177261 has shipped with tracking number 1Z999AA10123456784.',
      'v1.2.3.4 of 2024-05-01 replaces 1.2.3.4.5',
      'ISBN 978-3-16-148410-0 costs 1.234.567,89 EUR or $1,234,567.89',
      'commit 3f786850e387550fdab836ed7e6dc881de23001b at 1720942655436 ms',
      'id 123e4567-e89b-12d3-a456-426614174000',
      'std::vector<abc::def> x; see main.rs, README.md and index.js',
      '12:30:45 on 12/04/2024, 16:9, 1920x1080, 3.14159265358979',
      'the years 1990-2024 and rows 12 34 56 78',
      'GB82 WEST 1234 5698 7654 33 has one digit that is wrong',
      '178-05-11200 and 1078-05-1120 and 178-05-1120-3',
      'The meeting is on 2024-06-17, born of necessity.',
      '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD00',
      'bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5',
    ])
      assert.deepEqual(found(text), [], text);
  });
});

describe('settings of personal data', () => {
  it('name entities and groups', () => {
    const text = 'SSN 219-09-9998, NHS 943 476 5919, BSN 111222333';
    assert.deepEqual(only({ entities: ['us'] }, text), ['US_SSN 219-09-9998']);
    assert.deepEqual(only({ entities: ['uk', 'eu'] }, text), [
      'UK_NHS 943 476 5919',
      'NL_BSN 111222333',
    ]);
    for (const members of Object.values(PII_GROUPS))
      for (const entity of members) assert.ok(PII_ENTITIES.includes(entity), entity);
    assert.throws(() => piiDetector({ entities: ['us_snn'] }), RangeError);
    assert.throws(() => piiDetector({ entities: ['phone'], regions: ['XX'] }), RangeError);
  });

  it('take 8 to 13 letters and digits for a licence, of which four or more are digits and one a letter', () => {
    const licence = (token: string): boolean =>
      only({ entities: ['driving_licence'] }, `driving licence: ${token}.`).length > 0;
    const right = [
      'Q1bc2d3e4',
      '1234567Q8Q',
      'abcdefghi1234',
      '1a2b3c4d',
      'zzzz9999z',
      '9z8z7z6zzzzzz',
    ];
    const wrong = [
      'abcdefghij1234',
      'abcdefgh123',
      '1a2b3c4',
      '1a2b3c4d5e6f7g',
      'a1b2c3d4e5f6g7',
      'zzzzzzzzz',
      'a1b2cdefghijk',
    ];
    for (const token of right) assert.ok(licence(token), token);
    for (const token of wrong) assert.ok(!licence(token), token);
  });

  it('except what is nobody\u2019s secret, however it is written', () => {
    const text = 'call +1 (212) 736-5000 or +1 212 736 5001';
    const found = only({ entities: ['phone'], except: ['+1 212 736 5000'] }, text);
    assert.deepEqual(found, ['PHONE +1 212 736 5001']);
    assert.deepEqual(only({ entities: ['email'], except: ['A@b.org'] }, 'a@B.org c@b.org'), [
      'EMAIL c@b.org',
    ]);
  });

  it('say where numbers without a calling code are dialled', () => {
    const phones = (regions: readonly string[] | undefined, text: string) =>
      only({ entities: ['phone'], ...(regions === undefined ? {} : { regions }) }, text);
    assert.deepEqual(phones(['FR'], 'le 0612457898'), ['PHONE 0612457898']);
    assert.deepEqual(phones(['US'], 'le 0612457898'), []);
    assert.deepEqual(phones(undefined, 'on 07911 123456'), ['PHONE 07911 123456']);
    assert.deepEqual(phones(['DE'], '+33 6 12 45 78 98'), ['PHONE +33 6 12 45 78 98']);
  });
});

describe('numbering plans', () => {
  it('are those of libphonenumber', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...PHONE_REGIONS),
        fc.stringMatching(/^[1-9]\d{5,11}$/),
        (region, digits) => {
          const number = `${callingCodeOf(region)}${digits}`;
          const theirs = parsePhoneNumber(`+${number}`);
          // Its own patterns are finer for countries that share a code; what it takes, ours must.
          if (theirs?.isValid() && theirs.nationalNumber === digits)
            assert.equal(internationalNumber(number), 'valid', number);
          const inside = parsePhoneNumber(digits, region as 'US');
          if (inside?.country === region && inside.isValid() && inside.nationalNumber === digits)
            assert.ok(
              isNationalNumber(digits, region) || isNationalNumber(`0${digits}`, region),
              `${region} ${digits}`,
            );
        },
      ),
      RUNS(3_000),
    );
    assert.equal(internationalNumber('999123456789'), 'none');
    assert.equal(internationalNumber('11234567890'), 'possible');
  });
});

describe('hashes that addresses of coins carry', () => {
  it('are SHA-256 and Keccak-256', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        assert.deepEqual(Buffer.from(sha256(bytes)), createHash('sha256').update(bytes).digest());
      }),
      RUNS(50),
    );
    const hex = (text: string) => Buffer.from(keccak256(Buffer.from(text))).toString('hex');
    // The Keccak team's own, and Solidity's of a selector.
    assert.equal(hex(''), 'c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470');
    assert.equal(hex('abc'), '4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45');
    assert.match(hex('transfer(address,uint256)'), /^a9059cbb/);
    assert.throws(() => keccak256(new Uint8Array(136)), RangeError);
  });
});

function pageOf(): string {
  const table = (head: readonly string[], rows: readonly (readonly string[])[]): string => {
    const widths = head.map((cell, column) =>
      Math.max(cell.length, ...rows.map((row) => (row[column] as string).length)),
    );
    const line = (cells: readonly string[]) =>
      `| ${cells.map((cell, column) => cell.padEnd(widths[column] as number)).join(' | ')} |`;
    return [head, widths.map((width) => '-'.repeat(width)), ...rows].map(line).join('\n');
  };
  const groups = table(
    ['group', 'entities'],
    Object.entries(PII_GROUPS).map(([group, members]) => [
      `\`${group}\``,
      group === 'all' ? 'every one on this page' : members.map((one) => `\`${one}\``).join(', '),
    ]),
  );
  const kinds = Object.entries(PII_TABLES).map(([title, rows]) =>
    [
      `## ${title}`,
      '',
      table(
        ['entity', 'leaves', 'what', 'check', 'score', 'laid down in'],
        rows.map(({ entity, label, what, check, forms, source, names }) => {
          const scores = [...new Set(forms.map(({ score }) => score))].sort((a, b) => a - b);
          const range = scores.length === 1 ? `${scores[0]}` : `${scores[0]} to ${scores.at(-1)}`;
          return [
            `\`${entity}\``,
            `\`[${label}_1]\``,
            what,
            check,
            names.length === 0 ? `${range}, fixed` : range,
            source,
          ];
        }),
      ),
      '',
    ].join('\n'),
  );
  return `${HEAD}\n${groups}\n\n${kinds.join('\n')}`;
}

const HEAD = `# Kinds of personal data

What \`match: { pii: { entities: [...] } }\` looks for.

\`\`\`yaml
match: { pii: { entities: [email, phone, iban, us], except: [support@acme.example], threshold: 0.6, regions: [US, DE] } }
\`\`\`

- **entities**: any of those below, and groups of them. \`email\` is an address with a domain of two labels, in any
  script, and leaves \`[EMAIL_1]\`; \`credit_card\` is a number of 12 to 19 digits of a length that its issuer uses,
  with a right check digit (Luhn), and leaves \`[CREDIT_CARD_1]\`.
- **except**: what is nobody's secret. Letters and digits are compared, in any case; e-mail addresses whole.
  Addresses of pages with a scheme, or with \`www.\`, are not compared: they may be longer than what is kept of a text.
- **threshold**, 0 to 1, ${'`0.5`'} without it. Every form of an entity has a score; its name in the 96 characters before it
  adds ${NAMED_SCORE}, the name of something else (another entity, an order, a version) takes ${OTHERWISE_NAMED_SCORE}. The nearest name counts. So
  a form with a score of 0.1 counts only where it is named, and one with 0.7 nearly everywhere. Where a score is
  *fixed*, names do not matter.
- **regions**: where telephone numbers without a calling code are dialled, two capitals each (ISO 3166-1); \`[US, GB]\`
  without it. Numbers with a calling code are found of all countries, and by their shape some without.
- Digits of all scripts and full-width letters count as those of ASCII, spaces and hyphens of all widths too.
  Characters that are not seen (64 at most) neither hide nor end a number, nor hide its name.
- A candidate is 256 characters long at most, the address of a page with a scheme 2,048.
- What is part of something longer is none: \`1.2.3.4.5\` is no address, \`078-05-1120-3\` no number of anybody.
- How well this works: [detection](../detection.md).

This page is rendered from the tables in \`src/match/pii/\` by \`WRITE_REFERENCE=1 npx mocha test/match/pii.test.ts\`.
`;

describe('docs/reference/pii.md', () => {
  it('lists what is looked for', () => {
    const page = new URL('../../docs/reference/pii.md', import.meta.url);
    const wanted = pageOf();
    if (process.env.WRITE_REFERENCE === '1') writeFileSync(page, wanted);
    assert.equal(readFileSync(page, 'utf8'), wanted);
  });
});
