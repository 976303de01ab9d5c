/**
 * Made-up credentials by provider: their documented prefix, alphabet and length, the rest random. Written apart
 * from the tables of `src/match`, so that a slip there shows. `name` is how a setting of that provider is called,
 * where the value alone says nothing.
 */
import { oneOf, type Pick } from './values.ts';

const LOWER = 'abcdefghijklmnopqrstuvwxyz';
const UPPER = LOWER.toUpperCase();
const DIGITS = '0123456789';
const HEX = '0123456789abcdef';
const ALNUM = LOWER + UPPER + DIGITS;
const SMALL = LOWER + DIGITS;
const BIG = UPPER + DIGITS;
const URL64 = `${ALNUM}_-`;
const BASE64 = `${ALNUM}+/`;
/** Some providers pad in the middle. */
const PADDED = `${SMALL}=_-`;
const BASE32 = `${UPPER}234567`;

const run = (alphabet: string, count: number, pick: Pick): string =>
  Array.from({ length: count }, () => alphabet[pick(alphabet.length)]).join('');

const uuid = (pick: Pick): string =>
  [8, 4, 4, 4, 12].map((count) => run(HEX, count, pick)).join('-');

const base64url = (value: unknown): string =>
  Buffer.from(JSON.stringify(value)).toString('base64url');

const token =
  (prefix: string, alphabet: string, count: number, suffix = ''): ((pick: Pick) => string) =>
  (pick) =>
    prefix + run(alphabet, count, pick) + suffix;

export interface Issued {
  readonly provider: string;
  /** Its settings are called `<name>_…`. Without it the value is known by itself. */
  readonly name?: string;
  readonly value: (pick: Pick) => string;
}

/** Known by what they look like. */
const BY_FORM: readonly (readonly [provider: string, value: (pick: Pick) => string])[] = [
  ['1password', token('ops_eyJ', URL64, 280)],
  ['airtable', (pick) => `pat${run(ALNUM, 14, pick)}.${run(HEX, 64, pick)}`],
  ['alibaba', token('LTAI', ALNUM, 20)],
  ['anthropic', token('sk-ant-api03-', URL64, 93, 'AA')],
  ['anthropic', token('sk-ant-admin01-', URL64, 93, 'AA')],
  ['artifactory', token('AKCp', ALNUM, 69)],
  ['artifactory', token('cmVmdGtu', ALNUM, 56)],
  ['asana', (pick) => `1/${run(DIGITS, 16, pick)}:${run(HEX, 32, pick)}`],
  ['atlassian', token('ATATT3', URL64, 186)],
  ['aws', token('AKIA', BASE32, 16)],
  ['aws', token('ASIA', BASE32, 16)],
  ['aws', token('A3T0', BASE32, 16)],
  ['azure', (pick) => `${run(ALNUM, 3, pick)}8Q~${run(ALNUM, 34, pick)}`],
  ['beamer', token('b_', SMALL, 44)],
  ['adafruit', token('aio_', ALNUM, 28)],
  ['age', token('AGE-SECRET-KEY-1', 'QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L', 58)],
  ['chargebee', token('test_', ALNUM, 34)],
  ['cockroach', (pick) => `CCDB1_${run(ALNUM, 22, pick)}_${run(ALNUM, 40, pick)}`],
  ['astra', (pick) => `AstraCS:${run(ALNUM, 24, pick)}:${run(HEX, 64, pick)}`],
  ['bitbucket', token('ATBB', ALNUM, 24, 'A1B2C3D4')],
  ['clojars', token('CLOJARS_', SMALL, 60)],
  ['cloudflare', (pick) => `v1.0-${run(HEX, 24, pick)}-${run(HEX, 146, pick)}`],
  ['databricks', token('dapi', HEX, 32)],
  ['digitalocean', token('dop_v1_', HEX, 64)],
  ['discord', (pick) => `M${run(ALNUM, 23, pick)}.${run(URL64, 6, pick)}.${run(ALNUM, 38, pick)}`],
  ['docker', token('dckr_pat_', ALNUM, 27)],
  ['doppler', token('dp.pt.', ALNUM, 43)],
  ['duffel', token('duffel_test_', PADDED, 43)],
  ['dynatrace', (pick) => `dt0c01.${run(BIG, 24, pick)}.${run(BIG, 64, pick)}`],
  ['easypost', token('EZAK', ALNUM, 54)],
  ['facebook', token('EAAM', ALNUM, 120)],
  ['facebook', (pick) => `${run(DIGITS.slice(1), 16, pick)}|${run(ALNUM, 27, pick)}`],
  ['figma', token('figd_', ALNUM, 40)],
  ['flutterwave', token('FLWSECK_TEST-', HEX, 32, '-X')],
  ['fly', token('fo1_', ALNUM, 43)],
  ['frameio', token('fio-u-', PADDED, 64)],
  ['github', token('ghp_', ALNUM, 36)],
  ['github', token('gho_', ALNUM, 36)],
  ['github', token('ghs_', ALNUM, 36)],
  ['github', (pick) => `github_pat_${run(ALNUM, 22, pick)}_${run(ALNUM, 59, pick)}`],
  ['github', token('github_pat_', ALNUM, 82)],
  ['gitlab', token('glpat-', ALNUM, 20)],
  ['gitlab', token('glptt-', HEX, 40)],
  ['gitlab', token('gldt-', ALNUM, 20)],
  ['gitlab', token('glrt-', ALNUM, 20)],
  ['gitlab', token('GR1348941', ALNUM, 20)],
  ['gitlab', (pick) => `glpat-${run(ALNUM, 27, pick)}.01.${run(SMALL, 9, pick)}`],
  ['gocardless', token('live_', URL64.replace('_', ''), 40)],
  ['google', token('AIza', ALNUM, 35)],
  ['google', token('GOCSPX-', ALNUM, 28)],
  ['grafana', (pick) => `glsa_${run(ALNUM, 32, pick)}_${run(HEX, 8, pick)}`],
  ['grafana', token('glc_eyJ', ALNUM, 100)],
  ['groq', token('gsk_', ALNUM, 52)],
  [
    'harness',
    (pick) => `pat.${run(ALNUM, 22, pick)}.${run(HEX, 24, pick)}.${run(ALNUM, 20, pick)}`,
  ],
  ['hashicorp', (pick) => `${run(ALNUM, 14, pick)}.atlasv1.${run(ALNUM, 67, pick)}`],
  ['hashicorp', token('hvs.', URL64, 95)],
  ['hashicorp', token('hvb.', URL64, 180)],
  ['heroku', token('HRKU-AA', ALNUM, 58)],
  ['hubspot', (pick) => `pat-na1-${uuid(pick)}`],
  ['huggingface', token('hf_', LOWER + UPPER, 34)],
  ['infracost', token('ico-', ALNUM, 32)],
  [
    'jwt',
    (pick) =>
      [
        base64url({ alg: 'HS256', typ: 'JWT' }),
        base64url({ sub: run(DIGITS, 10, pick), name: 'B', iat: 1_516_239_022 }),
        run(URL64, 43, pick),
      ].join('.'),
  ],
  ['langfuse', (pick) => `sk-lf-${uuid(pick)}`],
  ['linear', token('lin_api_', ALNUM, 40)],
  ['lob', token('live_', HEX, 35)],
  ['mailchimp', (pick) => `${run(HEX, 32, pick)}-us${1 + pick(20)}`],
  ['mailgun', token('key-', HEX, 32)],
  ['mailgun', (pick) => `${run(HEX, 32, pick)}-${run(HEX, 8, pick)}-${run(HEX, 8, pick)}`],
  ['mapbox', (pick) => `sk.eyJ${run(ALNUM, 70, pick)}.${run(ALNUM, 22, pick)}`],
  ['maxmind', (pick) => `${run(ALNUM, 6, pick)}_${run(ALNUM, 29, pick)}_mmk`],
  ['newrelic', token('NRAK-', BIG, 27)],
  ['ngrok', (pick) => `2${run(ALNUM, 26, pick)}_${1 + pick(9)}${run(ALNUM, 20, pick)}`],
  ['pubnub', token('sec-c-', ALNUM, 48)],
  ['runpod', token('rpa_', BIG, 42)],
  ['slack', token('xoxa-2-', ALNUM, 36)],
  ['newrelic', token('NRJS-', HEX, 19)],
  ['newrelic', token('NRII-', ALNUM, 32)],
  ['notion', (pick) => `ntn_${run(DIGITS, 11, pick)}${run(ALNUM, 35, pick)}`],
  ['npm', token('npm_', ALNUM, 36)],
  ['octopus', token('API-', BIG, 26)],
  ['openai', (pick) => `sk-${run(ALNUM, 20, pick)}T3BlbkFJ${run(ALNUM, 20, pick)}`],
  ['openai', (pick) => `sk-proj-${run(URL64, 74, pick)}T3BlbkFJ${run(URL64, 73, pick)}A`],
  ['openai', (pick) => `sk-svcacct-${run(URL64, 58, pick)}T3BlbkFJ${run(URL64, 57, pick)}A`],
  ['openrouter', token('sk-or-v1-', HEX, 64)],
  ['openshift', token('sha256~', ALNUM, 43)],
  ['perplexity', token('pplx-', ALNUM, 48)],
  ['planetscale', token('pscale_tkn_', ALNUM, 43)],
  ['planetscale', token('pscale_pw_', ALNUM, 43)],
  ['postman', (pick) => `PMAK-${run(HEX, 24, pick)}-${run(HEX, 34, pick)}`],
  ['prefect', token('pnu_', SMALL, 36)],
  ['pulumi', token('pul-', HEX, 40)],
  ['pypi', token('pypi-AgEIcHlwaS5vcmc', ALNUM, 150)],
  ['readme', token('rdme_', SMALL, 70)],
  ['replicate', token('r8_', ALNUM, 37)],
  ['rubygems', token('rubygems_', HEX, 48)],
  ['scalingo', token('tk-us-', ALNUM, 48)],
  ['sendgrid', (pick) => `SG.${run(URL64, 22, pick)}.${run(ALNUM, 43, pick)}`],
  ['sendinblue', (pick) => `xkeysib-${run(HEX, 64, pick)}-${run(SMALL, 16, pick)}`],
  ['sentry', token('sntryu_', HEX, 64)],
  ['shippo', token('shippo_live_', HEX, 40)],
  ['shopify', token('shpat_', HEX, 32)],
  ['shopify', token('shpss_', HEX, 32)],
  [
    'slack',
    (pick) => `xoxb-${run(DIGITS, 12, pick)}-${run(DIGITS, 12, pick)}-${run(ALNUM, 24, pick)}`,
  ],
  [
    'slack',
    (pick) =>
      `xoxp-${run(DIGITS, 12, pick)}-${run(DIGITS, 12, pick)}-${run(DIGITS, 12, pick)}-${run(HEX, 32, pick)}`,
  ],
  [
    'slack',
    (pick) =>
      `xoxs-${run(DIGITS, 6, pick)}-${run(DIGITS, 6, pick)}-${run(DIGITS, 6, pick)}-${run(HEX, 10, pick)}`,
  ],
  [
    'slack',
    (pick) => `xapp-1-A${run(BIG, 10, pick)}-${run(DIGITS, 13, pick)}-${run(HEX, 64, pick)}`,
  ],
  [
    'slack',
    (pick) =>
      `https://hooks.slack.com/services/T${run(BIG, 8, pick)}/B${run(BIG, 8, pick)}/${run(ALNUM, 24, pick)}`,
  ],
  ['sourcegraph', (pick) => `sgp_${run(HEX, 16, pick)}_${run(HEX, 40, pick)}`],
  ['square', token('EAAA', ALNUM, 60)],
  ['square', token('sq0atp-', URL64.replace('-', ''), 22)],
  ['stripe', token('sk_live_', ALNUM, 24)],
  ['stripe', token('rk_test_', ALNUM, 99)],
  ['tailscale', (pick) => `tskey-auth-${run(ALNUM, 12, pick)}-${run(ALNUM, 32, pick)}`],
  [
    'teams',
    (pick) =>
      `https://acme.webhook.office.com/webhookb2/${uuid(pick)}@${uuid(pick)}/IncomingWebhook/${run(HEX, 32, pick)}/${uuid(pick)}`,
  ],
  ['telegram', (pick) => `${run(DIGITS.slice(1), 10, pick)}:A${run(ALNUM, 34, pick)}`],
  ['twilio', token('SK', HEX, 32)],
  ['typeform', (pick) => `tfp_${run(ALNUM, 44, pick)}_${run(ALNUM, 14, pick)}`],
  ['xai', token('xai-', ALNUM, 80)],
  ['yandex', token('AQVN', ALNUM, 36)],
  ['database', (pick) => `postgres://app:${run(ALNUM, 14, pick)}@db.acme.example:5432/app`],
  ['database', (pick) => `mongodb+srv://app:${run(ALNUM, 14, pick)}@c0.acme.example/app`],
];

/** Known by the name of the setting alone. */
const BY_NAME: readonly (readonly [name: string, alphabet: string, count: number])[] = [
  ['adafruit', URL64, 32],
  ['adobe', HEX, 32],
  ['algolia', HEX, 32],
  ['asana', SMALL, 32],
  ['asana', DIGITS, 16],
  ['atlassian', SMALL, 24],
  ['auth0', URL64, 64],
  ['azure', BASE64, 86],
  ['beamer', SMALL, 44],
  ['bitbucket', ALNUM, 32],
  ['bitbucket', PADDED, 64],
  ['bittrex', SMALL, 32],
  ['cloudflare', URL64, 40],
  ['codecov', SMALL, 32],
  ['cohere', ALNUM, 40],
  ['coinbase', URL64, 64],
  ['confluent', SMALL, 64],
  ['confluent', SMALL, 16],
  ['contentful', URL64, 43],
  ['datadog', HEX, 40],
  ['deepseek', HEX, 32],
  ['discord', HEX, 64],
  ['discord', DIGITS, 18],
  ['discord', PADDED, 32],
  ['droneci', SMALL, 32],
  ['dropbox', SMALL, 15],
  ['etsy', SMALL, 24],
  ['facebook', HEX, 32],
  ['fastly', URL64, 32],
  ['finnhub', SMALL, 20],
  ['flickr', SMALL, 32],
  ['freshbooks', SMALL, 64],
  ['gitter', URL64, 40],
  ['heroku', 'uuid', 0],
  ['hubspot', 'uuid', 0],
  ['intercom', SMALL, 60],
  ['intercom', PADDED, 60],
  ['jira', SMALL, 24],
  ['jfrog', SMALL, 73],
  ['kraken', BASE64, 86],
  ['kucoin', HEX, 24],
  ['launchdarkly', PADDED, 40],
  ['linear', HEX, 32],
  ['linkedin', SMALL, 16],
  ['linkedin', SMALL, 14],
  ['mattermost', SMALL, 26],
  ['meraki', HEX, 40],
  ['message_bird', SMALL, 25],
  ['new_relic', SMALL, 64],
  ['messagebird', SMALL, 25],
  ['mistral', ALNUM, 32],
  ['netlify', URL64, 43],
  ['nytimes', URL64, 32],
  ['okta', URL64, 42],
  ['openweather', HEX, 32],
  ['pagerduty', URL64, 20],
  ['private_ai', SMALL, 32],
  ['plaid', SMALL, 30],
  ['postmark', 'uuid', 0],
  ['rapidapi', URL64, 50],
  ['rollbar', HEX, 32],
  ['segment', ALNUM, 32],
  ['sendbird', HEX, 40],
  ['sentry', HEX, 64],
  ['snyk', 'uuid', 0],
  ['sonar', HEX, 40],
  ['squarespace', 'uuid', 0],
  ['sumologic', SMALL, 64],
  ['sumo', ALNUM, 14],
  ['travisci', ALNUM, 22],
  ['trello', ALNUM, 32],
  ['twilio', HEX, 32],
  ['twitch', SMALL, 30],
  ['twitter', ALNUM, 50],
  ['yandex', ALNUM, 40],
  ['zendesk', SMALL, 40],
];

export const ISSUED: readonly Issued[] = [
  ...BY_FORM.map(([provider, value]) => ({
    provider,
    value,
  })),
  ...BY_NAME.map(([name, alphabet, count]) => ({
    provider: name,
    name,
    value: (pick: Pick) => (alphabet === 'uuid' ? uuid(pick) : run(alphabet, count, pick)),
  })),
];

export { ALNUM, BASE64, HEX, oneOf, run, uuid };
