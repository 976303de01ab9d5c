/**
 * What nearly has the form of a provider's credential, and by the provider's documentation is none: too long, too
 * short, of other letters, or with what documentation writes in its place. Written from the documented forms, apart
 * from the tables of `src/match`.
 */
import { ALNUM, BASE64, HEX, oneOf, run } from './secret-values.ts';
import type { Pick } from './values.ts';

const UPPER = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';
const LETTERS = UPPER.toLowerCase() + UPPER;
const SMALL = `${UPPER.toLowerCase()}0123456789`;
const BIG = `${UPPER}0123456789`;
const BASE32 = `${UPPER}234567`;
const URL64 = `${ALNUM}_-`;

type Form = readonly [provider: string, prefix: string, alphabet: string, units: number];

/** Prefix, alphabet and length as documented: no more and no less. */
const FORMS: readonly Form[] = [
  ['adafruit', 'aio_', ALNUM, 28],
  ['age', 'AGE-SECRET-KEY-1', 'QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L', 58],
  ['aws', 'AKIA', BASE32, 16],
  ['aws session', 'ASIA', BASE32, 16],
  ['buildkite', 'bkua_', HEX, 40],
  ['clojars', 'CLOJARS_', SMALL, 60],
  ['crates', 'cio', ALNUM, 32],
  ['databricks', 'dapi', HEX, 32],
  ['digitalocean', 'dop_v1_', HEX, 64],
  ['docker', 'dckr_pat_', ALNUM, 27],
  ['doppler', 'dp.pt.', ALNUM, 43],
  ['easypost', 'EZAK', ALNUM, 54],
  ['elevenlabs', 'sk_', HEX, 48],
  ['firecrawl', 'fc-', HEX, 32],
  ['github', 'ghp_', ALNUM, 36],
  ['github app', 'ghs_', ALNUM, 36],
  ['github fine-grained', 'github_pat_', ALNUM, 82],
  ['gitlab', 'glpat-', ALNUM, 20],
  ['gitlab trigger', 'glptt-', HEX, 40],
  ['gitlab agent', 'glagent-', ALNUM, 50],
  ['gitlab application', 'gloas-', HEX, 64],
  ['gitlab feed', 'glft-', ALNUM, 20],
  ['gitlab mail', 'glimt-', ALNUM, 25],
  ['google', 'AIza', ALNUM, 35],
  ['google client', 'GOCSPX-', ALNUM, 28],
  ['groq', 'gsk_', ALNUM, 52],
  ['huggingface', 'hf_', LETTERS, 34],
  ['infracost', 'ico-', ALNUM, 32],
  ['linear', 'lin_api_', ALNUM, 40],
  ['mailersend', 'mlsn.', HEX, 64],
  ['mailgun', 'key-', HEX, 32],
  ['netlify', 'nfp_', ALNUM, 36],
  ['new relic', 'NRAK-', BIG, 27],
  ['npm', 'npm_', ALNUM, 36],
  ['octopus', 'API-', BIG, 26],
  ['openrouter', 'sk-or-v1-', HEX, 64],
  ['perplexity', 'pplx-', ALNUM, 48],
  ['postman collection', 'PMAT-', BIG, 26],
  ['prefect', 'pnu_', SMALL, 36],
  ['pulumi', 'pul-', HEX, 40],
  ['readme', 'rdme_', SMALL, 70],
  ['replicate', 'r8_', ALNUM, 37],
  ['rubygems', 'rubygems_', HEX, 48],
  ['sendgrid', 'SG.', URL64, 66],
  ['sentry user', 'sntryu_', HEX, 64],
  ['shippo', 'shippo_live_', HEX, 40],
  ['shopify', 'shpat_', HEX, 32],
  ['sonar', 'squ_', HEX, 40],
  ['square', 'sq0atp-', ALNUM, 22],
  ['supabase', 'sbp_', HEX, 40],
  ['twilio', 'SK', HEX, 32],
  ['xai', 'xai-', ALNUM, 80],
];

const WORDS =
  'this is where that long value goes when everything has been set up for production use and nobody looks at it again'.split(
    ' ',
  );

function words(units: number, parted: string): string {
  let text = '';
  for (let at = 0; text.length < units; at++)
    text += (text === '' ? '' : parted) + WORDS[at % WORDS.length];
  return text.slice(0, units).replace(/[^a-zA-Z0-9]$/, 's');
}

const inCamelCase = (units: number): string =>
  words(units * 2, ' ')
    .split(' ')
    .map((word, at) => (at === 0 ? word : word[0]?.toUpperCase() + word.slice(1)))
    .join('')
    .slice(0, units);

/** What is wrong with it. */
const WRONG: Readonly<Record<string, (form: Form, pick: Pick) => string>> = {
  'too long': ([, prefix, alphabet, units], pick) =>
    prefix + run(alphabet, units + 7 + pick(9), pick),
  'too short': ([, prefix, alphabet, units], pick) =>
    prefix + run(alphabet, Math.min(12, Math.floor(units / 2)), pick),
  'nothing behind it': ([, prefix]) => prefix,
  'of one letter': ([, prefix, , units], pick) =>
    prefix + oneOf(['x', 'X', '0', 'a', 'Z', '1', '*', '.', '_'], pick).repeat(units),
  'of two letters in turn': ([, prefix, , units], pick) =>
    prefix + oneOf(['ab', 'Xx', '01', 'x-'], pick).repeat(units).slice(0, units),
  'of words': ([, prefix, , units]) => prefix + words(units, '_'),
  'of words with hyphens': ([, prefix, , units]) => prefix + words(units, '-'),
  'of words without a gap': ([, prefix, , units]) => prefix + inCamelCase(units),
  'what to put there': ([provider, prefix], pick) =>
    prefix +
    oneOf(
      [
        `your-${provider}-token`,
        'YOUR_TOKEN_HERE',
        '<token>',
        '{{ token }}',
        `$` + `{TOKEN}`,
        '[REDACTED]',
        'REPLACE_ME_WITH_YOUR_OWN_TOKEN_PLEASE',
      ],
      pick,
    ).replaceAll(' ', '-'),
  'cut short': ([, prefix, alphabet], pick) => `${prefix}${run(alphabet, 4 + pick(4), pick)}...`,
  masked: ([, prefix, alphabet], pick) =>
    `${prefix}${run(alphabet, 3, pick)}${oneOf(['*', '•', 'x', 'X'], pick).repeat(16)}${run(alphabet, 4, pick)}`,
  'a pattern of it': ([, prefix, , units]) => `${prefix}[A-Za-z0-9]{${units}}`,
  'its length in words': ([, prefix, , units]) =>
    `begins with ${prefix} and has ${units} more characters`,
};

/** Not a prefix and a length, and none for another reason. */
const OTHERS: Readonly<Record<string, (pick: Pick) => string>> = {
  'the id in the documentation of AWS': () => `AKIA${'IOSFODNN7'}EXAMPLE`,
  'another ending of that id': (pick) =>
    `AKIA${'IOSFODNN7'}${oneOf(['DUMMYID', 'SECRETS', 'TESTING', 'SAMPLES'], pick)}`,
  'an id of AWS that is no key': (pick) =>
    oneOf(['AIDA', 'AROA', 'AGPA', 'ANPA', 'AIPA', 'ASCA'], pick) + run(BASE32, 17, pick),
  'capitals that begin like a key of AWS': (pick) =>
    `AKIA_${run(BIG, 8, pick)}_${run(BIG, 8, pick)}`,
  'letters of AWS inside of others': (pick) => `${run(BIG, 9, pick)}AKIA${run(BIG, 26, pick)}`,
  'a signed token without an end of its header': (pick) =>
    `eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ.eyJzdWIiOiI${run(ALNUM, 20, pick)}`,
  'a header of a signed token': () => 'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9',
  'json in base64': (pick) =>
    Buffer.from(JSON.stringify({ page: pick(99), cursor: run(HEX, 12, pick) })).toString('base64'),
  'a token of Discord with a short end': (pick) =>
    `M${run(ALNUM, 23, pick)}.${run(ALNUM, 6, pick)}.${run(ALNUM, 12, pick)}`,
  'a token of Discord with a short middle': (pick) =>
    `M${run(ALNUM, 23, pick)}.${run(ALNUM, 4, pick)}.${run(ALNUM, 27, pick)}`,
  'a publishable key of Stripe': (pick) => `pk_live_${run(ALNUM, 24, pick)}`,
  'an id of Stripe': (pick) =>
    oneOf(['cus_', 'pi_', 'ch_', 'prod_', 'price_', 'evt_', 'sub_', 'in_'], pick) +
    run(ALNUM, 24, pick),
  'a name with the prefix of Stripe': (pick) =>
    oneOf(['sk_test_mode_enabled', 'sk_live_configuration', 'rk_test_restrictedKeyName'], pick),
  'ids of Slack': (pick) =>
    `team T${run(BIG, 10, pick)} channel C${run(BIG, 10, pick)} user U${run(BIG, 10, pick)} app A${run(BIG, 10, pick)}`,
  'an address of Slack': (pick) =>
    `https://acme.slack.com/archives/C${run(BIG, 10, pick)}/p${run('0123456789', 16, pick)}`,
  'a webhook of Slack to fill in': () =>
    'https://hooks.slack.com/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX',
  'an e-mail id of Mailchimp': (pick) => `${run(HEX, 10, pick)}-us${pick(20)}`,
  'a digest and a region': (pick) => `${run(HEX, 40, pick)}-us1`,
  'a client id of Google': (pick) =>
    `${run('123456789', 12, pick)}-${run(SMALL, 32, pick)}.apps.googleusercontent.com`,
  'an id of Google Analytics': (pick) =>
    `UA-${run('123456789', 8, pick)}-1 G-${run(BIG, 10, pick)} GTM-${run(BIG, 7, pick)}`,
  'a file of Google Drive': (pick) =>
    `https://drive.google.com/file/d/1${run(URL64, 32, pick)}/view`,
  'an id of a project of Supabase': (pick) =>
    `https://${run('abcdefghijklmnopqrst', 20, pick)}.supabase.co`,
  'a data source of Sentry': (pick) =>
    `https://${run(HEX, 32, pick)}@o${pick(99999)}.ingest.sentry.io/${pick(9999999)}`,
  'ids of OpenAI': (pick) =>
    `chatcmpl-${run(ALNUM, 29, pick)} call_${run(ALNUM, 24, pick)} resp_${run(HEX, 48, pick)} file-${run(ALNUM, 24, pick)} org-${run(ALNUM, 24, pick)}`,
  'a fingerprint of OpenAI': (pick) => `system_fingerprint: fp_${run(HEX, 10, pick)}`,
  'ids of Anthropic': (pick) =>
    `msg_01${run(ALNUM, 22, pick)} toolu_01${run(ALNUM, 22, pick)} req_01${run(ALNUM, 22, pick)}`,
  'packages that begin with sk': () =>
    'sk-learn, sk-or-v1, sk-proj-manager-of-all-the-things-that-we-build-together, sk-toolbelt',
  'a language in an address': (pick) =>
    `https://www.acme.example/sk-SK/pomoc/${pick(9999)}?ref=sk-${run('abcdefghijkl', 9, pick)}`,
  'names of tests': () =>
    'test_returnsNotFoundWhenUserIsMissing live_updatesAreShownToEveryReader test_usersCanBeInvitedByTheOwner',
  'names of tests with figures': () =>
    'test_theThirdOf12ItemsIsShownWhen4AreHidden live_theListHas20RowsAnd3Columns',
  'classes of style sheets': () =>
    'md-elevation-z8-transition-all b_navigation-bar-item-of-the-second-level-ab pa-container-with-a-very-long-name-of-the-theme-1',
  'members of s': () =>
    's.getElementByClassNameIn2nd s.initializeTheWholeState b.removeChildAt3rdPosition',
  'methods of an object': () => 's.writeBigUInt64LEAndAdvance b.readDoubleBE8UnitsAtOffs',
  'a digest behind cache-key': (pick) =>
    `cache-key-${run(HEX, 32, pick)} etag-key-${run(HEX, 32, pick)}`,
  'an id behind api': (pick) =>
    `request api_${run(HEX, 24, pick)} answered by api-${pick(9)}-${run(HEX, 9, pick)}`,
  'a pod': (pick) =>
    `api-${run(HEX, 10, pick)}-${run('bcdfghjklmnpqrstvwxz2456789', 5, pick)} 1/1 Running`,
  'a name of vault': () =>
    'hvs.someVariableNameWithManyParts hvb.another_name_of_a_setting_that_goes_on',
  'a library of vault': () => 'hvs.client.authenticate(hvs.config.address).then(hvs.onReady)',
  'two words and a tilde': (pick) => `sha256~${pick(99)} or abc8Q~short`,
  'versions of APIs': (pick) => `API-${2000 + pick(25)}-VERSION-OF-THE-DAY-${pick(9)}`,
  'a part number': (pick) => `SK${run('0123456789', 8, pick)} AC-${run(BIG, 6, pick)}`,
  'account and order numbers': (pick) =>
    `AC${run('0123456789', 14, pick)} SKU-${run(BIG, 10, pick)}`,
  'a letter grade': () => 'B_plus, b_minus, s.a., p.a., re_send, re_open, fw_update_available',
  'a message of git': (pick) =>
    `re_${run(HEX, 7, pick)}: merge branch fw_${oneOf(['rollback', 'upgrade'], pick)}`,
  firmware: (pick) => `fw_${pick(9)}_${pick(30)}_${pick(9)}_release_${20 + pick(5)}0${1 + pick(8)}`,
  'an id of Heroku': (pick) => `https://dashboard.heroku.com/apps/acme-${run(SMALL, 6, pick)}`,
  'base64 that begins like another': (pick) => `cmVmZXJlbmNl${run(BASE64, 20, pick)}==`,
  'base64 with AKIA in it': (pick) => `${run(BASE64, 33, pick)}AKIA${run(BASE64, 90, pick)}==`,
  'a font': (pick) =>
    `src:url(data:font/woff2;base64,d09GMgABAAAAA${run(BASE64, 300, pick)}) format("woff2")`,
  'a picture': (pick) => `data:image/jpeg;base64,/9j/4AAQSkZJRgABAQ${run(BASE64, 400, pick)}/2Q==`,
  'a picture with runs of A': (pick) =>
    `data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP${'A'.repeat(24)}${run(BASE64, 60, pick)}${'A'.repeat(22)}${run(BASE64, 80, pick)}`,
  'a module of WebAssembly': (pick) => `AGFzbQEAAAAB${run(BASE64, 200, pick)}`,
};

export interface CleanValue {
  readonly sort: string;
  readonly value: (pick: Pick) => string;
}

export const NEAR_MISSES: readonly CleanValue[] = [
  ...FORMS.flatMap((form) =>
    Object.entries(WRONG).map(([sort, value]) => ({
      sort: `${form[0]}, ${sort}`,
      value: (pick: Pick) => value(form, pick),
    })),
  ),
  ...Object.entries(OTHERS).map(([sort, value]) => ({ sort, value })),
];
