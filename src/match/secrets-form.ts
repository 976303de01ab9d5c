/** Forms that belong to no provider: keys in files, signed tokens, addresses with passwords, assignments. */
import {
  ASSIGNED_PASSWORD_CHECK,
  ASSIGNED_SECRET_CHECK,
  AUTHORIZATION_CHECK,
  BEARER_CHECK,
  GIVES,
  GIVES_QUOTED,
  NAMED,
  PROVIDER_NAMED,
} from './secret-assignments.ts';
import { CONNECTION_PASSWORD_CHECK, URL_PASSWORD_CHECK } from './secret-checks.ts';
import { H, type SecretKind, U } from './secret-kind.ts';

/** What may stand between two lines of a key: line ends, also escaped ones, quotes, and what joins strings. */
const BREAK = '(?:\\s|\\\\{1,2}[nrt]|["\'+,>|\\\\])';
const BASE64 = '[A-Za-z0-9+/=]';
/** First lines have the width of their encoder, last ones not; armoured keys have a checksum behind. */
const KEY_LINES = `${BASE64}{40,}(?:${BREAK}{1,16}${BASE64}{40,})*(?:${BREAK}{1,16}${BASE64}{1,76}){0,2}`;
const PEM_HEADERS = `(?:Proc-Type: ?4,ENCRYPTED${BREAK}{1,16}DEK-Info: ?[A-Z0-9-]{3,24},[0-9A-Fa-f]{8,64}${BREAK}{1,16})?`;
const ARMOUR_HEADERS = `(?:(?:Version|Comment|Charset|Hash): [\\x20-\\x5b\\x5d-\\x7e]+${BREAK}{1,16})*`;
const KEY_END = `(?:${BREAK}{0,16}-----END (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----)?`;

/** `"alg"` in base64, as it falls. */
const SAYS_ALG = '(?:ImFsZyI|JhbGci|iYWxnI)';

/** A closing brace in base64, as it falls, at the end of a header. */
const BRACE = '(?:9|fQ|[HXn3]0)';

const SCHEMES = [
  ...[
    'https?',
    'ftps?',
    'sftp',
    'ssh',
    'git',
    'svn',
    'wss?',
    'socks5h?',
    'ldaps?',
    'smtps?',
    'imaps?',
  ],
  ...[
    'postgres(?:ql)?(?:\\+[a-z0-9]{1,12})?',
    'mysqlx?(?:\\+[a-z0-9]{1,12})?',
    'mariadb(?:\\+[a-z0-9]{1,12})?',
  ],
  ...[
    'mongodb(?:\\+srv)?',
    'rediss?',
    'amqps?',
    'mssql(?:\\+[a-z0-9]{1,12})?',
    'sqlserver',
    'oracle',
  ],
  ...[
    'clickhouse',
    'cockroachdb',
    'couchdb',
    'influxdb',
    'neo4j(?:\\+s)?',
    'bolt',
    'nats',
    'kafka',
    'mqtts?',
    's3',
    'cassandra',
  ],
].join('|');
// Everything in ASCII: what is not must be escaped in an address, and classes of all of Unicode are large.
const USER_IN_URL = '[!$%&(-.0-9;=A-Z\\[-~]{0,64}';
/** It does not begin as what a template would put there. */
const PASSWORD_IN_URL = '[!&()+-.0-;=A-Z\\]^_a-z|}~][!#-&(-.0-;=?A-\\[\\]-_a-z|~]{0,126}';
const PAIR_KEY = '[ !#-&(-:<>-~]+';
const PAIR_VALUE = '[ !#-&(-:<-~]';

const AUTHORIZATION = `(?i:\\bauthorization)(?:\\\\{0,2}["'\`])?[\\])]?\\s{0,3}(?:=>|[:=,])\\s{0,3}(?:\\\\{0,2}["'\`])?(?i:basic|bearer|token|apikey|digest)\\s{1,3}`;

/** Also with the padding of base64 in its middle: some alphabets have an equals sign. */
const VALUE = '[A-Za-z0-9_.~+/=-]';

export const FORM_SECRETS: readonly SecretKind[] = [
  {
    kind: 'private_key',
    what: 'Private key in PEM or OpenPGP armour, also without its last line',
    expression: `-----BEGIN (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----${BREAK}{0,16}${PEM_HEADERS}${ARMOUR_HEADERS}${BREAK}{0,16}${KEY_LINES}${KEY_END}`,
    unitsMax: 8_192,
    source: 'RFC 7468, RFC 1421 and RFC 9580 §6.2',
  },
  {
    kind: 'putty_private_key',
    what: 'Private key of PuTTY',
    expression:
      'PuTTY-User-Key-File-[23]: (?:ssh|ecdsa)-[\\x21-\\x7e\\s]+Private-MAC: ?[0-9a-f]{40,64}',
    unitsMax: 8_192,
    source: 'PuTTY user manual, appendix C, "PPK file format"',
  },
  {
    kind: 'jwt',
    what: 'JSON web token, signed or not',
    expression: `\\b(?:eyJhbGci|(?:ey[AJ]|ewo)\\w*${SAYS_ALG})\\w*${BRACE}\\.e[yw]${U}+(?:\\.${U}*)?`,
    unitsMax: 8_192,
    source: 'RFC 7519 and RFC 7515 §7.1: the header says `alg`, whatever else',
  },
  {
    kind: 'jwt_in_base64',
    what: 'JSON web token in base64 once more',
    expression: '\\bZXlKaGJHY2lPaU[A-Za-z0-9+/_-]{60,}={0,2}',
    unitsMax: 8_192,
    source: 'RFC 7519 and RFC 4648 \u00a74: how a token that begins with `alg` comes out',
  },
  {
    kind: 'jwk_private_key',
    what: 'Private part of a JSON web key',
    expression: `"d"\\s{0,3}:\\s{0,3}"${U}{42,}"`,
    unitsMax: 720,
    source: 'RFC 7518 §6.2.2 and §6.3.2',
  },
  {
    kind: 'url_password',
    what: 'User and password in an address, up to its @',
    expression: `(?i:\\b(?:${SCHEMES}))://${USER_IN_URL}:${PASSWORD_IN_URL}@`,
    check: URL_PASSWORD_CHECK,
    source: 'RFC 3986 §3.2.1',
  },
  {
    kind: 'authorization_header',
    what: 'Credentials in an Authorization header',
    expression: `${AUTHORIZATION}[A-Za-z0-9._~+/=-]{8,200}`,
    check: AUTHORIZATION_CHECK,
    unitsMax: 256,
    source: 'RFC 9110 §11.6.2, RFC 7617 and RFC 6750',
  },
  {
    kind: 'long_authorization_header',
    what: 'Credentials in an Authorization header, of 150 characters and more',
    expression: `${AUTHORIZATION}[A-Za-z0-9._~+/=-]{150,}`,
    unitsMax: 4_096,
    source: 'RFC 9110 §11.6.2, RFC 7617 and RFC 6750',
  },
  {
    kind: 'bearer_token',
    what: 'Bearer token outside of a header',
    expression: '\\b[Bb]earer\\s{1,3}[A-Za-z0-9._~+/-]{20,240}={0,2}',
    check: BEARER_CHECK,
    source: 'RFC 6750 §2.1',
  },
  {
    kind: 'connection_string_password',
    what: 'Password in a connection string of pairs',
    expression: `(?i:\\b(?:server|data source|host|user id|uid|username)\\s?=${PAIR_VALUE}+;(?:${PAIR_KEY}=${PAIR_VALUE}*;)*\\s?(?:password|pwd)\\s?=\\s?)[!#%&()+-:=?-z|~]{3,80}`,
    check: CONNECTION_PASSWORD_CHECK,
    unitsMax: 256,
    source: 'Microsoft Learn, "Connection string syntax"',
  },
  {
    kind: 'crypto_private_key',
    what: 'Extended private key of a wallet (BIP 32)',
    expression: '\\b[xyzt]prv[1-9A-HJ-NP-Za-km-z]{107}\\b',
    source: 'BIP 32, "Serialization format"',
  },
  {
    kind: 'hex_private_key',
    what: 'Private key of 32 bytes, named as such',
    expression: `(?i:private[_ -]?key|priv_key|secret_key)${GIVES}(?:0x)?(?i:${H}){64}\\b`,
    check: ASSIGNED_SECRET_CHECK,
    source: 'SEC 1 §3.2.1 (secp256k1), Ethereum documentation, "Accounts"',
  },
  {
    kind: 'assigned_secret',
    what: 'Value that is assigned to a key, token, secret or password, or to a setting of one of 326 providers',
    expression: `(?:(?i:${NAMED})[A-Za-z0-9_-]{0,24}|${PROVIDER_NAMED}[A-Za-z0-9_-]{0,12})${GIVES}${VALUE}{14,130}`,
    check: ASSIGNED_SECRET_CHECK,
    unitsMax: 256,
    source: 'none: a name that says so, and a value that is random',
  },
  {
    kind: 'argument_secret',
    what: 'Value that is given to a flag of a command, or to a variable of a container',
    expression: `(?:--(?:[a-z]{1,12}-){0,3}|\\b(?:ENV|ARG|setx)\\s{1,3}[A-Z0-9_]{0,40})(?i:token|key|secret|password|passwd|pwd)[ =]{1,2}["']?[A-Za-z0-9_.~+/-]{16,128}={0,2}`,
    check: ASSIGNED_SECRET_CHECK,
    source: 'Docker documentation, "Dockerfile reference"; POSIX, "Utility argument syntax"',
  },
  {
    kind: 'assigned_password',
    what: 'Quoted value that is assigned to a password',
    expression: `(?i:(?:password|passwd|passphrase|passcode)[A-Za-z0-9_-]{0,16}|\\bpwd?)${GIVES_QUOTED}(?:"[!#-\\[\\]-~]{6,64}\\\\{0,2}"|'[!-&(-\\[\\]-~]{6,64}\\\\{0,2}')`,
    check: ASSIGNED_PASSWORD_CHECK,
    source: 'none: a name that says so, and a value that is no word',
  },
];
