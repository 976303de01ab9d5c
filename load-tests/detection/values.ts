/** Made-up values of personal data, and of what only looks like it. No one's: digits are random, checks are right. */

/** Deterministic, uniform in [0, count). */
export type Pick = (count: number) => number;

export function picker(seed: number): Pick {
  let state = seed >>> 0;
  return (count) => {
    // Numerical Recipes' constants; the high bits are the good ones.
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor(((state >>> 8) / 0x1000000) * count);
  };
}

export const oneOf = <T>(list: readonly T[], pick: Pick): T => list[pick(list.length)] as T;

/** `#` a digit, `%` a digit from 1 on, `@` a capital, `~` a hexadecimal digit; all else as it is. */
export function filled(shape: string, pick: Pick): string {
  return shape.replace(/[#%@~]/g, (sign) => {
    if (sign === '#') return String(pick(10));
    if (sign === '%') return String(1 + pick(9));
    if (sign === '~') return '0123456789abcdef'[pick(16)] as string;
    return String.fromCharCode(65 + pick(26));
  });
}

function luhnDigit(digits: string): string {
  let sum = 0;
  for (const [index, one] of [...digits].reverse().entries()) {
    const value = Number(one) * (index % 2 === 0 ? 2 : 1);
    sum += value > 9 ? value - 9 : value;
  }
  return String((10 - (sum % 10)) % 10);
}

export function card(pick: Pick): string {
  const lead = oneOf(['4', '51', '52', '55', '2221', '34', '37', '6011', '65', '3530', '36'], pick);
  const length = lead.startsWith('3') ? (lead === '3530' ? 16 : lead === '36' ? 14 : 15) : 16;
  const body = lead + filled('#'.repeat(length - 1 - lead.length), pick);
  const digits = body + luhnDigit(body);
  if (length !== 16 || pick(3) > 0) return digits;
  return (digits.match(/.{4}/g) as string[]).join(oneOf([' ', '-'], pick));
}

const IBAN_SHAPES = {
  DE: '##################',
  GB: '@@@@##############',
  FR: '##########@@#########%%',
  NL: '@@@@##########',
  ES: '####################',
  IT: '@######################',
  BE: '############',
  PL: '########################',
  SE: '####################',
  CH: '#################',
  AT: '################',
  IL: '###################',
  SA: '####################',
} as const;

export function iban(pick: Pick): string {
  const country = oneOf(Object.keys(IBAN_SHAPES) as (keyof typeof IBAN_SHAPES)[], pick);
  const account = filled(IBAN_SHAPES[country], pick);
  const numeric = [...`${account}${country}00`].map((one) => parseInt(one, 36)).join('');
  const check = String(98n - (BigInt(numeric) % 97n)).padStart(2, '0');
  const whole = `${country}${check}${account}`;
  return pick(2) === 0 ? whole : (whole.match(/.{1,4}/g) as string[]).join(' ');
}

/** As people of twenty countries write their numbers, with and without calling codes. */
const PHONES = [
  ...[
    '(%##) %##-####',
    '%##-%##-####',
    '+1 %## %##-####',
    '%##.%##.####',
    '1-%##-%##-####',
    '+1-%##-%##-####',
  ],
  ...['001-%##-%##-####x####', '(%##)%##-####', '+1(%##)%##-####', '%##-%##-#### ext. ###'],
  ...[
    '020 7### ####',
    '07### ######',
    '+44 7### ######',
    '0%#% ### ####',
    '+44(0)20 7### ####',
    '079 #### ####',
  ],
  ...[
    '030 #######',
    '0%#% / ######',
    '+49 30 #######',
    '0%%## ## ## ##',
    '+49 (0) 89 #######',
    '0151 ########',
  ],
  ...['0% ## ## ## ##', '+33 % ## ## ## ##', '0%.##.##.##.##', '+33 (0)% ## ## ## ##'],
  ...[
    '+39 0% #### ####',
    '03## #######',
    '+39 3## ### ####',
    '+34 6## ## ## ##',
    '+34 9## ### ###',
  ],
  ...[
    '(0%) #### ####',
    '+61 4## ### ###',
    '04## ### ###',
    '+61 2 #### ####',
    '+91 98### #####',
    '+91-9#########',
  ],
  ...[
    '+55 (11) 9####-####',
    '(11) 9####-####',
    '+81 90-####-####',
    '090-####-####',
    '+86 138 #### ####',
    '+31 6 ########',
  ],
  ...[
    '06-########',
    '+46 70 ### ## ##',
    '07# ### ## ##',
    '+47 4## ## ###',
    '+358 40 #######',
    '+48 5## ### ###',
    '+972-5#-###-####',
  ],
  ...[
    '+52 55 #### ####',
    '+27 82 ### ####',
    '082 ### ####',
    '+65 9### ####',
    '+41 79 ### ## ##',
    '079 ### ## ##',
    '+353 86 ### ####',
  ],
];
export const phone = (pick: Pick): string => filled(oneOf(PHONES, pick), pick);

const NAMES = [
  'john.smith',
  'maria',
  'li_wei',
  'a.kowalska',
  'sven+news',
  'info',
  'kim.j',
  'o.brien99',
  'j',
  'anna-lena',
];
const DOMAINS = [
  'example.com',
  'mail.example.org',
  'firma.example.de',
  'acme.co.uk',
  'uni.edu',
  'x.io',
  'dayrep.com',
  'gmail.com',
];
export const email = (pick: Pick): string => `${oneOf(NAMES, pick)}@${oneOf(DOMAINS, pick)}`;

export const ssn = (pick: Pick): string => {
  const area = String(1 + pick(665)).padStart(3, '0');
  const group = String(1 + pick(99)).padStart(2, '0');
  return [area, group, String(1 + pick(9_999)).padStart(4, '0')].join(
    oneOf(['-', '-', '-', ' '], pick),
  );
};

export const ip = (pick: Pick): string =>
  pick(3) === 0
    ? oneOf(
        [
          filled('2001:db8:~~~~:~~~~::~~~', pick),
          filled('fe80::~~~~:~~~~:~~~~:~~~~', pick),
          filled('2001:~~~~:~~~~:~~~~:~~~~:~~~~:~~~~:~~~~', pick),
        ],
        pick,
      )
    : [1 + pick(254), pick(256), pick(256), 1 + pick(254)].join('.');

export const mac = (pick: Pick): string =>
  filled(oneOf(['~~:~~:~~:~~:~~:~~', '~~-~~-~~-~~-~~-~~', '~~~~.~~~~.~~~~'], pick), pick);

const PATHS = ['', '/', '/orders', '/a/b?c=d', '/users/profile#top', '/search?q=shoes&page=2'];
export const url = (pick: Pick): string =>
  `${oneOf(['https://', 'http://', 'https://www.', 'www.'], pick)}${oneOf(DOMAINS, pick)}${oneOf(PATHS, pick)}`;

const MONTHS = [
  'January',
  'Feb',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'Sept',
  'October',
  'Nov',
  'December',
];
export function birthday(pick: Pick): string {
  const year = 1930 + pick(80);
  const month = 1 + pick(12);
  const day = 1 + pick(28);
  const two = (value: number): string => String(value).padStart(2, '0');
  return oneOf(
    [
      `${two(day)}/${two(month)}/${year}`,
      `${year}-${two(month)}-${two(day)}`,
      `${two(day)}.${two(month)}.${year}`,
      `${day} ${MONTHS[month - 1]} ${year}`,
      `${MONTHS[month - 1]} ${day}, ${year}`,
      `${month}/${day}/${String(year).slice(2)}`,
      `${day}th of ${MONTHS[month - 1]} ${year}`,
    ],
    pick,
  );
}

export const passport = (pick: Pick): string =>
  filled(
    oneOf(['#########', '@########', '@@#######', '@#######', '##@@#####', 'C01X00T##'], pick),
    pick,
  );

export const licence = (pick: Pick): string =>
  filled(
    oneOf(
      ['@#######', '@##-###-###-####', '@#############', '########', '@@#######@', '###-##-####'],
      pick,
    ),
    pick,
  );

export const nino = (pick: Pick): string =>
  filled(oneOf(['AB ## ## ## C', 'JG######A', 'SK ## ## ## D', 'PW ###### B'], pick), pick);
