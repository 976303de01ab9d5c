/**
 * Assignments: a name that says what it is, what stands between a name and its value in settings, code and
 * commands, and whether the value is one that a generator made.
 */
import { entropyOf, type NamedCheck } from './secret-checks.ts';
import { SECRET_LABEL } from './secret-kind.ts';
import { isInOrder, isWordy } from './secret-made-up.ts';

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
  '|apikey|secret|token|password|passwd|credentials?|creds|authorization|auth',
].join('');

/** Whose name in front of any key says enough: those without a form of their own, or with older ones beside it. */
const PROVIDERS = [
  'adafruit|adobe|ai21|airbrake|airtable|aiven|akamai|alchemy|algolia|alibaba|aliyun|alphavantage|amadeus|amplitude',
  '|appcenter|appveyor|artifactory|asana|assemblyai|atlassian|auth0|aws|azure|backblaze|beamer|binance|bintray',
  '|bitbucket|bitfinex|bitly|bittrex|blockfrost|braintree|branchio|braze|brevo|browserstack|bugsnag|buildkite|bybit',
  '|calendly|censys|chargebee|checkly|checkout|circleci|clearbit|clerk|clickhouse|clicksend|clickup|cloudflare',
  '|cloudinary|cloudsmith|codacy|codecov|codeclimate|cohere|coinapi|coinbase|coinmarketcap|confluence|confluent',
  '|contentful|contentstack|convertkit|coveralls|crowdin|crowdstrike|customerio|dashscope|datadog|deepai|deepgram',
  '|deepl|deepseek|delighted|digitalocean|discord|disqus|dnkey|docker|dockerhub|docusign|droneci|dropbox|dwolla',
  '|dynatrace|ecobee|elastic|elasticemail|esri|etherscan|etsy|eventbrite|facebook|fastly|faunadb|fauna|figma',
  '|filestack|finicity|finnhub|firebase|fivetran|flickr|foursquare|freshbooks|freshdesk|fullstory|gemini|geoapify',
  '|geocodio|getresponse|github|gitlab|gitter|giphy|gocardless|godaddy|google|grafana|gumroad|harness',
  '|hcaptcha_secret|helpscout|heroku|hetzner|honeycomb|hotjar|hubspot|huggingface|ibm|imgur|infura|instagram',
  '|intercom|ipapi|ipgeolocation|ipinfo|ipstack|jenkins|jfrog|jira|jotform|jumpcloud|kaggle|klaviyo|kraken|kucoin',
  '|lastfm|launchdarkly|linear|line_channel|linkedin|linked[_-]in|linode|lob|lokalise|looker|mailchimp',
  '|mailchimpsdk\\.initialize|mailerlite|mailgun|mailjet|mandrill|mapbox|mapquest|mattermost|maxmind|meilisearch',
  '|meraki|message[_-]?bird|minimax|mistral|mixpanel|moengage|moonshot|mongodb|monday|mux|netlify|new[_|-]?relic',
  '|newsapi|nexmo|ngrok|notion|npm|nuget|nytimes|new-?york-?times|okta|onelogin|onesignal|openai|opencage',
  '|openrouter|openweather|openweathermap|opsgenie|optimizely|pagerduty|pandadoc|paypal|pendo|percy|pexels|pinata',
  '|pinterest|pipedrive|pivotal|pixabay|plaid|planetscale|plivo|postmark|prismic|privateai|private[_-]ai|pubnub',
  '|pushbullet|pusher|pushover|qualtrics|rapidapi|raygun|razorpay|recaptcha_secret|reddit|ringcentral|rollbar',
  '|salesforce|saucelabs|scaleway|scraperapi|scrapingbee|securitytrails|segment|sendbird|sendgrid|sendinblue|sentry',
  '|serpapi|shodan|shopify|shutterstock|signalwire|sinch|slack|smartsheet|smartystreets|snowflake|snyk|sonar',
  '|sonarcloud|sonarqube|sourcegraph|sparkpost|splunk|spoonacular|spotify|square|squarespace|squareup|stackblitz',
  '|statuscake|statuspage|storyblok|strava|stripe|sumo|sumologic|supabase|surveymonkey|tailscale|teamcity|telegr',
  '|telegram|telesign|telnyx|tencent|terraform|ticketmaster|tiingo|tiktok|todoist|toggl|tomtom|transloadit|travis',
  '|travisci|trello|twilio|twitch|twitter|typeform|uber|unsplash|uploadcare|uptimerobot|vercel|virustotal|vonage',
  '|vultr|wakatime|weatherapi|weatherbit|weatherstack|webex|webflow|woocommerce|wistia|wrike|xray|yandex|yelp',
  '|youtube|zapier|zendesk|zenrows|zeplin|zerobounce|zhipu|zoho|zoom',
].join('');

/** A provider's setting that is a key, token or secret, whatever stands between. */
export const PROVIDER_NAMED = `(?i:(?:${PROVIDERS})[\\w. -]{0,20}(?:key|token|secret|password|passwd|pwd|auth|credentials?|creds|login|pat|initialize))`;

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

/** Behind these, an equals sign belongs to the value. */
const GIVEN = /(?:[=:>|,"'`\\]|\b(?:is|value|default))\s{0,8}$/i;
const LONGEST_GIVEN = 20;

/** The first equals sign from `from` on that something else follows: padding has nothing behind. -1 for none. */
function signIn(assignment: string, from: number): number {
  const at = assignment.indexOf('=', from);
  if (at < 0) return -1;
  let behind = at;
  while (assignment.charCodeAt(behind) === EQUALS) behind++;
  return behind < assignment.length ? at : -1;
}

/**
 * Where the value begins: the longest end of the assignment that has none but units of values, padding, and equals
 * signs. The first of these is the sign itself where no other stands in front, or a quote.
 */
function valueStart(assignment: string): number {
  let at = assignment.length;
  for (; at > 0; at--) {
    const unit = assignment.charCodeAt(at - 1);
    if (!isValueUnit(unit) && unit !== EQUALS) break;
  }
  const sign = signIn(assignment, at);
  if (sign < 0) return at;
  if (sign > at && at > 0 && GIVEN.test(assignment.slice(Math.max(0, at - LONGEST_GIVEN), at)))
    return at;
  at = sign;
  while (assignment.charCodeAt(at) === EQUALS) at++;
  return at;
}

/** What people write where a secret would stand, and where it is kept instead. */
const STAND_IN =
  /example|placeholder|change_?me|your[_-]|redacted|dummy|sample|insert|replace|fake|x{6}|\*{4}|\.{3}|\btest[_-]|[_-]test\b|process\.env|environ|getenv|secrets?[./]|vault|config\.|snapshot|localhost/i;

/** A date, a version, a path or an address of a contract. */
const OTHERWISE = /^(?:[a-z_-]{3,}\/|\d{4}-\d\d-\d\d|v?\d+\.\d+\.|rc\d|0x)/;

const HEXADECIMAL = /^[0-9a-f-]+$/i;
const HEX_BITS_MIN = 2.9;
/** Shorter ones are mostly names of things: of keys, assemblies and commits. */
const HEX_UNITS_MIN = 20;
const BITS_MIN = 3.2;

const KEYED = /^[a-z_]{4,}(?==)/i;

/** `request_id=…`: another setting, of which the name in front says nothing. */
const isAnotherSetting = (value: string): boolean => {
  const [name] = KEYED.exec(value) ?? [];
  return name !== undefined && isWordy(name);
};

/** A key of digits, behind a name that says whose it is: some providers have such. */
const DIGITS_ONLY = /^\d{15,24}$/;
const DIGITS_BITS_MIN = 2.2;
const MIXED = /[a-z].*[A-Z].*[a-z]|[A-Z].*[a-z].*[A-Z]/;
const MIXED_BITS_MIN = 3.4;

/** What only counts behind the name of a provider: digits, and letters of both cases, without the other. */
function isIssued(value: string): boolean {
  if (DIGITS_ONLY.test(value)) return entropyOf(value) >= DIGITS_BITS_MIN && !isInOrder(value);
  return (
    /^[A-Za-z]+$/.test(value) &&
    MIXED.test(value) &&
    entropyOf(value) >= MIXED_BITS_MIN &&
    !STAND_IN.test(value) &&
    !isWordy(value)
  );
}

/** Random enough, and no stand-in: digits and letters, of 24 units 3.2 bits a unit, of hexadecimal digits 2.9. */
export function isGenerated(value: string): boolean {
  const head = value.slice(0, ENTROPY_UNITS);
  const inHex = HEXADECIMAL.test(head);
  return (
    (!inHex || head.length >= HEX_UNITS_MIN) &&
    /\d/.test(value) &&
    /[A-Za-z]/.test(value) &&
    entropyOf(head) >= (inHex ? HEX_BITS_MIN : BITS_MIN) &&
    // What most of those that come so far are refused for stands first.
    !isWordy(value) &&
    !isInOrder(value) &&
    !OTHERWISE.test(value) &&
    !STAND_IN.test(value) &&
    !isAnotherSetting(value)
  );
}

/** As last word of a name: what is assigned says something about a secret, and is none. */
const ABOUT = new Set(
  [
    'id ids uid uuid guid name names version ver url uri urls href path file filename dir folder type types kind hash',
    'digest sha sha1 sha256 md5 checksum fingerprint len length count size limit max min expiry expires expiration',
    'exp ttl at on in endpoint issuer audience scope scopes field label header prefix suffix pattern regex format alg',
    'algorithm address contract arn ref reference policy rule selector link page class style status state location',
    'nonce timestamp index column table host hostname region bucket project env variable placeholder hint title message error test',
  ].flatMap((line) => line.split(' ')),
);
/** Anywhere in it: no secret at all. */
const NEVER_SECRET =
  /tokeni[sz]|author(?!i[sz])|secretar|passwordless|public|publishable|version|checksum|fingerprint|keyboard|resource|manifest/i;

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
const judged = (validator: (value: string, assignment: string, start: number) => boolean) => ({
  validator: (assignment: string): boolean => {
    const start = valueStart(assignment);
    return (
      validator(assignment.slice(start, start + VALUE_UNITS), assignment, start) &&
      !isAboutSecrets(assignment, start)
    );
  },
  looksAt: valueStart,
});

const OF_A_PROVIDER = new RegExp(PROVIDERS, 'i');
/** In front of the name: what the value is made from. */
const DIGEST_OF =
  /(?:checksum|digest|hash|sha-?\d{0,3}|md5|etag|fingerprint|integrity)[-_ ./:]{0,2}$/i;
/** In front of *token*: it leads through a list, or back to a form, for those who may see that anyway. */
const LEADS_ON =
  /(?:next|prev|previous|page|continue|continuation|csrf|xsrf|cursor|resume|forgery|verification)[-_ ]?$/i;
/** Shorter values, and those of digits only, need the name of a provider in front. */
const VALUE_UNITS_MIN = 15;

const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}/i;
const SAYS_SECRET = /^--|api|key|secret|pass|pwd|cred|access|refresh|bearer/i;

/** A UUID is mostly an id, also of a token: it counts behind a key, a secret, a password or a provider. */
const isId = (value: string, name: string): boolean =>
  UUID.test(value) && !SAYS_SECRET.test(name) && !OF_A_PROVIDER.test(name);

export const ASSIGNED_SECRET_CHECK: NamedCheck = {
  name: 'letters and digits, no words, entropy ≥ 3.2; behind a provider also only digits, or letters of both cases',
  ...judged((value, assignment, start) => {
    const generated = isGenerated(value);
    if (!generated && !isIssued(value)) return false;
    const name = assignment.slice(0, start);
    return (
      (generated && value.length >= VALUE_UNITS_MIN && !isId(value, name)) ||
      OF_A_PROVIDER.test(name)
    );
  }),
  judge: (_, { before }) =>
    LEADS_ON.test(before) || DIGEST_OF.test(before) ? undefined : SECRET_LABEL,
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

const REGISTRY = /\/\/[^\s/]+\/(?:\S*\/)?:$/;

/** In an .npmrc: a UUID, or anything in base64. */
export const NPMRC_CHECK: NamedCheck = {
  name: 'no words, entropy ≥ 2.8',
  validator: (assignment) => {
    const value = assignment.slice(valueStart(assignment)).slice(0, VALUE_UNITS);
    return entropyOf(value) >= 2.8 && !STAND_IN.test(value) && !isWordy(value);
  },
  // npm reads a token only behind the address of its registry: an id elsewhere is one.
  judge: (assignment, { before }) =>
    UUID.test(assignment.slice(valueStart(assignment))) && !REGISTRY.test(before)
      ? undefined
      : SECRET_LABEL,
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
/** `PWD` is where a shell stands. */
const PATH = /^(?:\.{0,2}\/|~\/|[A-Z]:\\)/;
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
      !PATH.test(value) &&
      !isInOrder(value) &&
      !isWordy(value) &&
      entropyOf(value) >= PASSWORD_BITS_MIN &&
      !isAboutSecrets(assignment, assignment.length - quoted.length)
    );
  },
};

const BEFORE_CURL_PASSWORD = /^.*\s(?:-u|--user)[ =]{0,2}["']?([^:]*):/;
/** What documentation has in the place of a password. */
const USUAL =
  /^(?:pass(?:word|wd|phrase)?|pwd|secret|user(?:name)?|token|api[-_]?(?:key|token)|key|\*+|x+|\.+)$/i;

export const CURL_USER_CHECK: NamedCheck = {
  name: 'a password that stands for no other',
  validator: (command) => {
    const [before = '', user = ''] = BEFORE_CURL_PASSWORD.exec(command) ?? [];
    const password = command.slice(before.length).replace(/["']$/, '');
    return (
      ![user, password].some((one) => REFERENCE.test(one)) &&
      !USUAL.test(password) &&
      !STAND_IN.test(password) &&
      user !== password &&
      /[A-Za-z]/.test(password)
    );
  },
  looksAt: (command) => BEFORE_CURL_PASSWORD.exec(command)?.[0].length ?? 0,
};
