/** Addresses of machines and pages. */
import { NOT_ALNUM } from '../heads.ts';
import type { PiiKind } from './pii-kind.ts';

const OCTET = '(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)';
const QUAD = `${OCTET}\\.${OCTET}\\.${OCTET}\\.${OCTET}`;
const H4 = '[0-9A-Fa-f]{1,4}';

const isQuad = (text: string): boolean =>
  /^\d{1,3}(?:\.\d{1,3}){3}$/.test(text) && text.split('.').every((part) => Number(part) < 256);

/** RFC 4291 §2.2. `::` between two short words is rather code (`abc::def`). */
function isIpv6(token: string): boolean {
  const [head = '', tail, more] = token.split('::');
  if (more !== undefined) return false;
  const groupsOf = (side: string): string[] => (side === '' ? [] : side.split(':'));
  const groups = [...groupsOf(head), ...groupsOf(tail ?? '')];
  const last = groups[groups.length - 1] ?? '';
  const count = groups.length + (last.includes('.') ? 1 : 0);
  for (const [index, group] of groups.entries()) {
    const four = index === groups.length - 1 && isQuad(group);
    if (!four && !/^[0-9A-Fa-f]{1,4}$/.test(group)) return false;
  }
  // Eight pairs are rather the address of a card.
  if (tail === undefined) return count === 8 && groups.some((group) => group.length !== 2);
  if (count > 7) return false;
  return (
    count >= 3 ||
    /^(?:2\d{3}|3\d{3}|f[cde][0-9a-f]{2}|64)::/i.test(token) ||
    /^::(?:1$|ffff:)/i.test(token)
  );
}

export const IP_ADDRESS: PiiKind = {
  entity: 'ip_address',
  label: 'IP_ADDRESS',
  what: 'Internet address, version 4 and 6',
  check: 'octets, groups',
  names: ['ip', 'ip address', 'ipv4', 'ipv6', 'host', 'server', 'inet', 'gateway', 'dns', 'subnet'],
  forms: [
    {
      expression: QUAD,
      score: 0.65,
      head: '[0-9A-Za-z][./-]|:[0-9A-Fa-f]{0,4}:',
      tail: '\\.[0-9A-Za-z]',
    },
    {
      expression: `\\b(?:${H4}:){2,7}(?:${H4}|${QUAD})|\\b(?:${H4}:){1,7}:(?:${H4}:){0,6}(?:${H4}|${QUAD})|::(?:${H4}:){0,6}(?:${H4}|${QUAD})`,
      score: 0.8,
      valid: isIpv6,
      open: 'start',
      head: `\\w|${NOT_ALNUM}[0-9A-Fa-f]{1,4}:`,
      tail: '::?[0-9A-Za-z]',
    },
    {
      // Of a network: what follows is a space or a slash rather than a letter.
      expression: `(?:${H4}:){1,7}:`,
      score: 0.8,
      valid: isIpv6,
      open: 'end',
      head: `${NOT_ALNUM}[0-9A-Fa-f]{1,4}:`,
      tail: '[0-9A-Za-z:_]',
    },
  ],
  source: 'RFC 791; RFC 4291 §2.2; RFC 5952',
};

const P = '[0-9A-Fa-f]{2}';
/** A pair before it makes it part of something longer, as one behind it does. */
const PAIR_BEFORE = `\\d[-./,:]|${NOT_ALNUM}${P}[:-]`;
const pairs = (sign: string): string => `${P}(?:${sign}${P}){5}(?:${sign}${P}${sign}${P})?`;

export const MAC_ADDRESS: PiiKind = {
  entity: 'mac_address',
  label: 'MAC_ADDRESS',
  what: 'Address of a network card, EUI-48 and EUI-64',
  check: 'six or eight pairs with one sign between',
  names: ['mac', 'mac address', 'ethernet', 'hardware address', 'bssid', 'physical address'],
  forms: [
    {
      expression: `${pairs(':')}|${pairs('-')}`,
      score: 0.8,
      head: PAIR_BEFORE,
      tail: '[:-][0-9A-Za-z:]',
    },
    {
      expression: '[0-9A-Fa-f]{4}(?:\\.[0-9A-Fa-f]{4}){2}(?:\\.[0-9A-Fa-f]{4})?',
      score: 0.8,
      valid: (token) => /[A-Fa-f]/.test(token) || token.startsWith('0'),
      tail: '\\.[0-9A-Za-z]',
    },
    {
      expression: pairs(' '),
      score: 0.5,
      valid: (token) => /[A-Fa-f]/.test(token) && /\d/.test(token),
      tail: '[ :.-][0-9A-Fa-f]{2}',
    },
  ],
  source: 'IEEE 802-2014 §8; "Guidelines for use of EUI"',
};

/** Domains whose last label is no ending of a file's name, nor a word behind a full stop. */
const TLDS = [
  'com|org|net|edu|gov|mil|int|info|biz|io|dev|app|co|ai|me|tv|us|uk|de|fr|nl|be|ch|at|eu|it|es|pt|se|no|fi|dk',
  'ie|cz|pl|ru|ua|gr|tr|il|in|cn|jp|kr|au|nz|br|mx|ar|cl|ca|za|sg|hk|tw|online|site|shop|store|xyz|cloud|tech',
].join('|');
/** Letters beyond ASCII up to where scripts begin that put no space behind an address. */
const IN_URL = "[!#$%&'()*+,./0-9:;=?@A-Z_a-z~\\[\\]\\x{a1}-\\x{1fff}-]";
const ENDS_URL = '[#$%&*+/0-9=@A-Z_a-z~\\x{c0}-\\x{1fff}-]';
const URL_UNITS_MAX = 2_048;
const DOMAIN_UNITS_MAX = 253;

export const URL: PiiKind = {
  entity: 'url',
  label: 'URL',
  what: 'Address of a page, with or without its scheme',
  check: 'ending of the domain, where neither scheme nor `www.` is there',
  names: [],
  forms: [
    {
      expression: `(?:(?i:https?|ftps?|sftp|wss?)://|(?i:www)\\.)${IN_URL}*${ENDS_URL}`,
      score: 0.95,
      unitsMax: URL_UNITS_MAX,
      open: 'end',
      tail: '',
    },
    {
      expression: `(?:[A-Za-z0-9][A-Za-z0-9-]*\\.)+(?i:${TLDS})(?::\\d{1,5})?(?:/(?:${IN_URL}*${ENDS_URL})?)?`,
      score: 0.55,
      // That is found with whatever follows it, however long.
      valid: (token) => !/^www\./i.test(token),
      unitsMax: DOMAIN_UNITS_MAX,
      open: 'end',
      head: '[@./\\w-]',
      tail: '@|[A-Za-z0-9_]|\\.[A-Za-z0-9]|-[A-Za-z0-9]',
    },
  ],
  source: 'RFC 3986; RFC 1123 §2.1',
};
