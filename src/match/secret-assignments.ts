/**
 * Assignments: a name that says what it is, what stands between a name and its value in settings, code and
 * commands, and whether the value is one that a generator made.
 */
import { entropyOf, type NamedCheck } from './secret-checks.ts';

/** Also inside of a string in JSON, where quotes are escaped. */
const QUOTE = '\\\\{0,2}["\'`]';

const CLOSED = `(?:${QUOTE})?[\\])]?`;
/** An equals sign of any language, a colon, a cell of a table. */
const SIGN = '\\s{0,3}(?:[: ]?(?i:string|str)\\s)?(?:=>|[:?+]{0,2}=|={2,3}|:|\\|)\\s{0,3}';
/** An argument behind a comma, or behind a space: then there are quotes. */
const NEXT = '(?:\\s{0,2},\\s{0,3}|\\s{1,3})';
/** `name:` and `value:` in YAML, attributes in XML, a default, and "is". */
const IS = '\\s{1,12}(?:\\{\\s{1,8})?(?i:value|default|is)\\s{0,2}(?:[=:]\\s{0,3})?';

/** What stands between a name and its value. */
export const GIVES = `${CLOSED}(?:${SIGN}(?:${QUOTE})?|${NEXT}${QUOTE}|${IS}(?:${QUOTE})?|>)`;
/** The same, before a value in quotes. */
export const GIVES_QUOTED = `${CLOSED}(?:${SIGN}|${NEXT}|${IS})\\\\{0,2}`;

/** Names that say so by themselves. */
export const NAMED = [
  '(?:api|app|application|access|auth|authentication|authorization|oauth|client|consumer|secret|shared|private',
  '|encryption|encrypt|signing|signature|session|service|account|admin|master|root|web|webhook|bearer|refresh|id',
  '|jwt|license|storage|deploy|bot|user|db|database)[ _.-]?(?:key|token|secret|password|passwd|pass|pwd|credentials?)',
  '|apikey|secret|token|password|passwd|credentials?',
].join('');

/** Whose name in front of any key says enough: those without a form of their own, or with older ones beside it. */
const PROVIDERS = [
  'adafruit|adobe|ai21|aiven|algolia|alibaba|aliyun|amplitude|appcenter|artifactory|asana|assemblyai|atlassian|auth0',
  '|aws|azure|backblaze|beamer|bitbucket|bitly|bittrex|braintree|branchio|brevo|bugsnag|buildkite|chargebee|circleci',
  '|clearbit|clerk|clickhouse|cloudflare|cloudinary|codacy|codecov|codeclimate|cohere|coinbase|confluent|contentful',
  '|coveralls|datadog|deepgram|deepseek|digitalocean|discord|disqus|docusign|droneci|dropbox|dynatrace|elastic',
  '|etsy|eventbrite|facebook|fastly|figma|finicity|finnhub|firebase|flickr|foursquare|freshbooks|freshdesk|gemini',
  '|geocodio|github|gitlab|gitter|giphy|gocardless|google|grafana|heroku|honeycomb|hubspot|instagram|intercom|ipinfo',
  '|ipstack|jenkins|jfrog|jira|jumpcloud|kraken|kucoin|launchdarkly|linear|linkedin|linode|lokalise|looker',
  '|mailchimp|mailgun|mailjet|mandrill|mapbox|mattermost|maxmind|meraki|messagebird|mistral|mixpanel|mongodb|mux',
  '|netlify|newrelic|new_relic|nexmo|notion|npm|nytimes|okta|onelogin|openai|openweather|openweathermap|opsgenie',
  '|pagerduty|paypal|pinterest|plaid|plivo|postmark|pubnub|pusher|rapidapi|razorpay|recaptcha_secret|reddit|rollbar',
  '|salesforce|segment|sendbird|sendgrid|sendinblue|sentry|shodan|shopify|slack|snowflake|snyk|sonar|sonarcloud',
  '|sonarqube|spotify|square|squarespace|statuspage|strava|stripe|sumologic|tailscale|telegram|terraform|tiktok',
  '|todoist|travis|travisci|trello|twilio|twitch|twitter|typeform|uber|unsplash|vercel|virustotal|vonage|wakatime',
  '|webex|weatherstack|yandex|yelp|youtube|zendesk|zoho|zoom',
].join('');

/** A provider's setting that is a key, token or secret, whatever stands between. */
export const PROVIDER_NAMED = `(?i:(?:${PROVIDERS})[\\w. -]{0,20}(?:key|token|secret|password|passwd|pwd|auth|credentials?))`;

/** Units of a value, at most, that a verdict looks at. */
const VALUE_UNITS = 48;
/** Of these, those whose entropy counts: longer ones have more of it, whatever they are. */
const ENTROPY_UNITS = 24;

const isValueUnit = (unit: number): boolean =>
  (unit >= 0x30 && unit <= 0x39) ||
  (unit >= 0x41 && unit <= 0x5a) ||
  (unit >= 0x61 && unit <= 0x7a) ||
  unit === 0x2b ||
  (unit >= 0x2d && unit <= 0x2f) ||
  unit === 0x5f ||
  unit === 0x7e;

const EQUALS = 0x3d;

/** Where the value begins: the longest end of the assignment that has none but units of values, and padding. */
function valueStart(assignment: string): number {
  let at = assignment.length;
  while (at > 0 && assignment.charCodeAt(at - 1) === EQUALS) at--;
  while (at > 0 && isValueUnit(assignment.charCodeAt(at - 1))) at--;
  return at;
}

/** What people write where a secret would stand, and where it is kept instead. */
const STAND_IN =
  /example|placeholder|change_?me|your[_-]|redacted|dummy|sample|insert|replace|fake|x{6}|\*{4}|\.{3}|\btest[_-]|[_-]test\b|process\.env|environ|getenv|secrets?[./]|vault|config\.|snapshot|localhost/i;

const STEPS_IN_ORDER = 6;

/** `1234567`, `abcdefg`: nobody's. */
function isInOrder(value: string): boolean {
  let steps = 0;
  for (let at = 1; at < value.length; at++) {
    steps = value.charCodeAt(at) === value.charCodeAt(at - 1) + 1 ? steps + 1 : 0;
    if (steps >= STEPS_IN_ORDER) return true;
  }
  return false;
}

const WORD_UNITS = 3;
const CONSONANTS_MAX = 4;
const NUMBERS_MAX = 2;
const WORDY = 0.7;

const NEITHER = 0;
const DIGIT = 1;
const VOWEL = 2;
const CONSONANT = 3;
/** By unit of ASCII. */
const sorts = Uint8Array.from({ length: 128 }, (_, unit) => {
  const one = String.fromCharCode(unit);
  if (/\d/.test(one)) return DIGIT;
  if (/[aeiouy]/i.test(one)) return VOWEL;
  return /[a-z]/i.test(one) ? CONSONANT : NEITHER;
});
const sortAt = (value: string, at: number): number => sorts[value.charCodeAt(at)] ?? NEITHER;
const isSmall = (unit: number): boolean => unit >= 0x61;

/** Whether a digit goes on with a number: a date or a version is one. */
const isFurtherDigit = (value: string, at: number): boolean =>
  sortAt(value, at - 1) === DIGIT ||
  ('-._:'.includes(value.charAt(at - 1)) && sortAt(value, at - 2) === DIGIT);

/** Whether a letter goes on with a word: `getUserOAuth` has four, `get`, `User`, `OA` and `uth`. */
function isFurtherLetter(value: string, at: number, units: number): boolean {
  if (units === 0) return false;
  const small = isSmall(value.charCodeAt(at));
  return small === isSmall(value.charCodeAt(at - 1)) || (small && units === 1);
}

/**
 * Names, paths and sentences: most of the letters stand in words, which have vowels, and there are two numbers
 * at most. Reads unit by unit and makes nothing: it is asked of every value that stands behind a name.
 */
function isWordy(value: string): boolean {
  let numbers = 0;
  let letters = 0;
  let inWords = 0;
  let units = 0;
  let vowels = 0;
  let consonants = 0;
  let consonantsMost = 0;
  for (let at = 0; at <= value.length; at++) {
    const sort = at < value.length ? sortAt(value, at) : NEITHER;
    if (sort <= DIGIT || !isFurtherLetter(value, at, units)) {
      if (units >= WORD_UNITS && vowels > 0 && consonantsMost <= CONSONANTS_MAX) inWords += units;
      letters += units;
      units = vowels = consonants = consonantsMost = 0;
    }
    if (sort === DIGIT && !isFurtherDigit(value, at) && ++numbers > NUMBERS_MAX) return false;
    if (sort <= DIGIT) continue;
    units++;
    consonants = sort === CONSONANT ? consonants + 1 : 0;
    consonantsMost = Math.max(consonantsMost, consonants);
    if (sort === VOWEL) vowels++;
  }
  return inWords >= WORDY * letters;
}

/** A date, a version, a path or an address of a contract. */
const OTHERWISE = /^(?:[a-z_-]{3,}\/|\d{4}-\d\d-\d\d|v?\d+\.\d+\.|rc\d|0x)/;

const HEXADECIMAL = /^[0-9a-f-]+$/i;
const HEX_BITS_MIN = 2.9;
/** Shorter ones are mostly names of things: of keys, assemblies and commits. */
const HEX_UNITS_MIN = 20;
const BITS_MIN = 3.2;

/** Random enough, and no stand-in: digits and letters, of 24 units 3.2 bits a unit, of hexadecimal digits 2.9. */
export function isGenerated(value: string): boolean {
  const head = value.slice(0, ENTROPY_UNITS);
  const inHex = HEXADECIMAL.test(head);
  return (
    (!inHex || head.length >= HEX_UNITS_MIN) &&
    /\d/.test(head) &&
    /[A-Za-z]/.test(head) &&
    entropyOf(head) >= (inHex ? HEX_BITS_MIN : BITS_MIN) &&
    !OTHERWISE.test(value) &&
    !STAND_IN.test(value) &&
    !isInOrder(value) &&
    !isWordy(value)
  );
}

/** As last word of a name: what is assigned says something about a secret, and is none. */
const ABOUT = new Set(
  [
    'id ids uid uuid guid name names version ver url uri urls href path file filename dir folder type types kind hash',
    'digest sha sha1 sha256 md5 checksum fingerprint len length count size limit max min expiry expires expiration',
    'exp ttl at on in endpoint issuer audience scope scopes field label header prefix suffix pattern regex format alg',
    'algorithm address contract arn ref reference policy rule selector link page class style status state location',
    'index column table host hostname region bucket project env variable placeholder hint title message error test',
  ].flatMap((line) => line.split(' ')),
);
/** Anywhere in it: no secret at all. */
const NEVER_SECRET =
  /tokeni[sz]|secretar|passwordless|public|publishable|version|checksum|fingerprint|keyboard|resource|manifest/i;

const NAME = /^[-\w]*(?:[ .]?[-\w]+)?/;

/** Of `access_token_URL` and `accessTokenUrl` the same. */
const LAST_WORD = /(?:[A-Z]?[a-z0-9]+|[A-Z0-9]+)$/;

function isAboutSecrets(assignment: string, to: number): boolean {
  const name = NAME.exec(assignment.slice(0, to))?.[0] ?? '';
  if (NEVER_SECRET.test(name)) return true;
  const last = LAST_WORD.exec(name)?.[0] ?? '';
  return ABOUT.has(last.toLowerCase());
}

/** A value counts as a whole: what the longest of a name is decides for all that begin with it. */
const judged = (validator: (value: string) => boolean) => ({
  validator: (assignment: string): boolean => {
    const start = valueStart(assignment);
    return (
      validator(assignment.slice(start, start + VALUE_UNITS)) && !isAboutSecrets(assignment, start)
    );
  },
  looksAt: valueStart,
});

export const ASSIGNED_SECRET_CHECK: NamedCheck = {
  name: 'letters and digits, no words, entropy ≥ 3.2',
  ...judged(isGenerated),
};

const BEARER = /^bearer\s+/i;

const CREDENTIALS = /^.*\s["'`]?/;

/** What follows the scheme in a header: no word, no variable and no stand-in. */
export const AUTHORIZATION_CHECK: NamedCheck = {
  name: 'no words, no stand-in',
  validator: (header) => {
    const value = header.replace(CREDENTIALS, '').slice(0, VALUE_UNITS);
    return !STAND_IN.test(value) && !isInOrder(value) && !isWordy(value);
  },
  looksAt: (header) => CREDENTIALS.exec(header)?.[0].length ?? 0,
};

/** In an .npmrc: a UUID, or anything in base64. */
export const NPMRC_CHECK: NamedCheck = {
  name: 'no words, entropy ≥ 2.8',
  validator: (assignment) => {
    const value = assignment.slice(valueStart(assignment)).slice(0, VALUE_UNITS);
    return entropyOf(value) >= 2.8 && !STAND_IN.test(value) && !isWordy(value);
  },
  looksAt: valueStart,
};

export const BEARER_CHECK: NamedCheck = {
  name: 'letters and digits, no words, entropy ≥ 3.2',
  validator: (text) => isGenerated(text.replace(BEARER, '').slice(0, VALUE_UNITS)),
  looksAt: (text) => BEARER.exec(text)?.[0].length ?? 0,
};

const IN_QUOTES = /(["'])([^"']*)\\{0,2}\1$/;
/** A variable, a template, a call. */
const REFERENCE = /^[$%<{[(@]|[>})\]]$/;
const PASSWORD_BITS_MIN = 2.2;

/** `password = "…"`: quoted, so a word will not do; a digit or a sign beside letters, 2.2 bits a unit. */
export const ASSIGNED_PASSWORD_CHECK: NamedCheck = {
  name: 'not only letters, no words, entropy ≥ 2.2',
  validator: (assignment) => {
    const [quoted, , value = ''] = IN_QUOTES.exec(assignment) ?? [''];
    return (
      /[A-Za-z]/.test(value) &&
      /[^A-Za-z]/.test(value) &&
      !STAND_IN.test(value) &&
      !REFERENCE.test(value) &&
      !isWordy(value) &&
      entropyOf(value) >= PASSWORD_BITS_MIN &&
      !isAboutSecrets(assignment, assignment.length - quoted.length)
    );
  },
};
