/**
 * Sentences with personal data, and sentences with numbers that are nobody's, in the words of support desks,
 * forms, letters, logs and code. Made here, so they show what was thought of and no more.
 */
import { AMERICAN_IDS } from '../../src/match/pii/national-ids-america.ts';
import { ASIAN_AND_PACIFIC_IDS } from '../../src/match/pii/national-ids-asia-pacific.ts';
import { EUROPEAN_IDS } from '../../src/match/pii/national-ids-europe.ts';
import { BRITISH_IDS } from '../../src/match/pii/national-ids-uk.ts';
import type { PiiKind } from '../../src/match/pii/pii-kind.ts';
import { candidate } from './samples.ts';
import type { LabelledText, Span } from './scoring.ts';
import * as values from './values.ts';
import { filled, oneOf, type Pick, picker } from './values.ts';

type Maker = (pick: Pick) => string;

/** `{}` is the value. */
const NAMED: readonly (readonly [type: string, make: Maker, templates: readonly string[]])[] = [
  [
    'CREDIT_CARD',
    values.card,
    [
      'I want to increase the limit of my card # {} for a while.',
      'My credit card {} has been lost, please block it.',
      'card: {}',
      'Bitte belasten Sie meine Karte {} mit 20 EUR.',
      '{}',
      'Paid with {} on Monday',
    ],
  ],
  [
    'IBAN',
    values.iban,
    [
      'Please transfer the rent to {} by Friday.',
      'My IBAN is {}.',
      'Überweisen Sie bitte an {}, danke.',
      'IBAN: {}',
      'Mon compte: {}',
      '{}',
    ],
  ],
  [
    'EMAIL',
    values.email,
    ['Write to {} please.', 'E-Mail: {}', 'cc {}, and the board', '<{}>', 'mon adresse est {} !'],
  ],
  [
    'PHONE',
    values.phone,
    [
      'Call me at {}.',
      'My phone number is {}',
      'Tel. {}',
      'You can reach our office on {} from nine to five',
      'mobile {}, any time',
      'Meine Nummer: Telefon {}',
      'Mi teléfono es {}.',
      'Mon numéro de téléphone est le {}',
      'Fax: {}',
      'Jane Doe\n12 Main Street\nSpringfield\n{}',
      'What is the number? It is {}, I think',
      'please contact {} for help',
    ],
  ],
  [
    'US_SSN',
    values.ssn,
    [
      'My social security number is {}.',
      'SSN: {}',
      'ssn={}',
      'The employee ({}) was paid',
      'Is {} your social?',
    ],
  ],
  [
    'IP_ADDRESS',
    values.ip,
    [
      'The request came from {}.',
      'ping {}',
      'host {} is down',
      'client_ip={}',
      '{} - - "GET / HTTP/1.1" 200',
    ],
  ],
  ['MAC_ADDRESS', values.mac, ['The laptop has {}.', 'MAC: {}', 'ether {} txqueuelen 1000']],
  ['URL', values.url, ['See {} for more.', 'docs ({})', 'open {} and sign in', '{}']],
  [
    'DATE_OF_BIRTH',
    values.birthday,
    [
      'I was born on {}.',
      'DOB: {}',
      'Date of birth {}',
      'Geburtsdatum: {}',
      'né le {}',
      'Her birthday is {} and she likes cake',
      'date_of_birth: "{}"',
    ],
  ],
  [
    'PASSPORT',
    values.passport,
    [
      'My passport number is {}.',
      'Passport no. {}',
      'passport: {}',
      'Reisepass Nr. {}',
      'Numéro de passeport {}',
      'He lost his passport ({}) in Rome.',
    ],
  ],
  [
    'DRIVING_LICENCE',
    values.licence,
    [
      "My driver's license is {}.",
      'DL: {}',
      'driving licence number {}',
      "What's on your driver license? {}",
      'Führerschein: {}',
    ],
  ],
  [
    'UK_NINO',
    values.nino,
    [
      'My national insurance number is {}.',
      'NI number: {}',
      'NINO {}',
      'Her number, {}, is on the payslip.',
    ],
  ],
];

const ids: readonly PiiKind[] = [
  ...AMERICAN_IDS,
  ...BRITISH_IDS,
  ...EUROPEAN_IDS,
  ...ASIAN_AND_PACIFIC_IDS,
];

/** What is nobody's. */
const CLEAN: readonly (readonly [template: string, make: Maker])[] = [
  ['Order {} has shipped.', (pick) => filled('%########', pick)],
  ['Your order number is {}, thank you.', (pick) => filled('1##-#######-#######', pick)],
  ['Invoice no. {} is due on 2024-05-01.', (pick) => filled('2024-######', pick)],
  ['tracking number {}', (pick) => filled('1Z999AA101########', pick)],
  ['Upgrade to version {} today.', (pick) => filled('%.#.##', pick)],
  ['v{} fixes the crash', (pick) => filled('%.##.#.%', pick)],
  ['ISBN {}', (pick) => filled('978-#-##-######-#', pick)],
  ['The price is {} EUR, and falling.', (pick) => filled('%#.###,##', pick)],
  ['It cost $ {} last year.', (pick) => filled('%##,###.##', pick)],
  ['commit {}', (pick) => filled('~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~', pick)],
  ['id {} was not found', (pick) => filled('~~~~~~~~-~~~~-4~~~-a~~~-~~~~~~~~~~~~', pick)],
  ['We met on {} in Berlin.', (pick) => filled('1%/0%/202#', pick)],
  ['The meeting is on {} at 10:30.', (pick) => filled('202#-0%-1#', pick)],
  ['timestamp {}', (pick) => filled('17########', pick)],
  ['at {} ms since the start', (pick) => filled('17###########', pick)],
  ['line {}: error', (pick) => filled('%##:##', pick)],
  ['The population is {} people.', (pick) => filled('%##,###,###', pick)],
  ['SKU {} is out of stock', (pick) => filled('@@-####-##', pick)],
  ['flight {} leaves at 14:05', (pick) => filled('@@####', pick)],
  ['coordinates {}', (pick) => filled('5#.######, 1#.######', pick)],
  ['ratio 16:9, size {} px', (pick) => filled('19#0x1080', pick)],
  ['The years 1990-{} were good', (pick) => filled('20##', pick)],
  ['Model {} is faster than the last', (pick) => filled('@@##-####@', pick)],
  [
    'sha256 {}',
    (pick) => filled('~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~', pick),
  ],
  ['Ticket #{} is closed', (pick) => filled('%######', pick)],
  ['const x = {};', (pick) => filled('0x~~~~~~~~', pick)],
  ['std::vector<int> v{ {} };', (pick) => filled('%#, %#, %##', pick)],
  ['See main.rs, README.md and index.js, {} lines in all.', (pick) => filled('%###', pick)],
  ['chapter {}', (pick) => filled('%.#.#', pick)],
  ['pi is {}', (pick) => `3.14159265358979${pick(10)}`],
  [
    'The score was {} to 3, after 12 minutes and 45 seconds of extra time.',
    (pick) => filled('#', pick),
  ],
  ['zip code {}', (pick) => filled('#####-####', pick)],
  ['batch {} expires 12/2027', (pick) => filled('LOT#######', pick)],
  ['row 12 34 56 78 and column {}', (pick) => filled('## ##', pick)],
  ['git@{}:2 and a@b', (pick) => filled('host-##', pick)],
];

function put(template: string, value: string, type: string | undefined, id: string): LabelledText {
  const at = template.indexOf('{}');
  const text = template.slice(0, at) + value + template.slice(at + 2);
  const spans: Span[] = type === undefined ? [] : [{ start: at, end: at + value.length, type }];
  return { id, text, spans };
}

function ofId(kind: PiiKind, pick: Pick, id: string): LabelledText | undefined {
  const form = oneOf(kind.forms, pick);
  const value = candidate(form, pick);
  const name = kind.names[pick(Math.min(3, kind.names.length))] as string;
  return value === undefined ? undefined : put(`The ${name} is {}.`, value, kind.label, id);
}

/** `count` of them, the same every time: half with data of common kinds, a sixth with national ids, a third clean. */
export function sentences(count: number): LabelledText[] {
  const pick = picker(20_261_121);
  const made: LabelledText[] = [];
  for (let index = 0; made.length < count; index++) {
    if (index % 3 === 2) {
      const [template, make] = oneOf(CLEAN, pick);
      made.push(put(template, make(pick), undefined, `clean/${index}`));
    } else if (index % 6 === 4) {
      const one = ofId(oneOf(ids, pick), pick, `id/${index}`);
      if (one !== undefined) made.push(one);
    } else {
      const [type, make, templates] = oneOf(NAMED, pick);
      made.push(put(oneOf(templates, pick), make(pick), type, `${type}/${index}`));
    }
  }
  return made;
}
