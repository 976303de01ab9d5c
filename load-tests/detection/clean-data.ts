/** Ids, digests, logs, prose and files that are as random as a key, and are none. */
import { ALNUM, BASE64, HEX, oneOf, run, uuid } from './secret-values.ts';
import type { Pick } from './values.ts';

const hex = (count: number, pick: Pick): string => run(HEX, count, pick);
const DIGITS = '0123456789';
const SMALL = 'abcdefghijklmnopqrstuvwxyz0123456789';
const BIG = SMALL.toUpperCase();
const number = (count: number, pick: Pick): string =>
  `${1 + pick(9)}${run(DIGITS, count - 1, pick)}`;
const PLACES = ['Lyon', 'Graz', 'Porto', 'Leeds', 'Turin', 'Ghent', 'Brno', 'Malmö'];

export const CLEAN_DATA: Readonly<Record<string, (pick: Pick) => string>> = {
  uuid: (pick) => uuid(pick),
  'uuid in capitals': (pick) => `{${uuid(pick).toUpperCase()}}`,
  'uuids of a request': (pick) =>
    `request_id=${uuid(pick)} correlation_id=${uuid(pick)} user_id=${uuid(pick)}`,
  'uuid in an address': (pick) =>
    `https://api.acme.example/v2/orders/${uuid(pick)}/items/${uuid(pick)}`,
  ulid: (pick) => `01${run('0123456789ABCDEFGHJKMNPQRSTVWXYZ', 24, pick)}`,
  ksuid: (pick) => `id: ${run(ALNUM, 27, pick)}`,
  'nano id': (pick) => `"id": "${run(`${ALNUM}_-`, 21, pick)}"`,
  cuid: (pick) => `c${run(SMALL, 24, pick)}`,
  'object id': (pick) => `ObjectId("${hex(24, pick)}")`,
  snowflake: (pick) => `message ${number(19, pick)} in channel ${number(18, pick)}`,
  commit: (pick) => `Merge ${hex(40, pick)} into ${hex(40, pick)}`,
  'commit in an address': (pick) =>
    `https://github.com/acme/app/blob/${hex(40, pick)}/src/token.ts#L${pick(99)}`,
  'short commit': (pick) => `Revert "Rotate the secret" (${hex(7, pick)})`,
  diff: (pick) =>
    `diff --git a/token.ts b/token.ts\nindex ${hex(10, pick)}..${hex(10, pick)} 100644\n@@ -${pick(99)},7 +${pick(99)},7 @@ key`,
  'tree of git': (pick) => `100644 blob ${hex(40, pick)}\tsecrets/README.md`,
  'object of lfs': (pick) =>
    `version https://git-lfs.github.com/spec/v1\noid sha256:${hex(64, pick)}\nsize ${number(7, pick)}`,
  submodule: (pick) => `Subproject commit ${hex(40, pick)}`,
  sums: (pick) =>
    `${hex(64, pick)}  app-linux-amd64.tar.gz\n${hex(64, pick)}  app-darwin-arm64.tar.gz`,
  'sum of md5': (pick) => `MD5 (backup.sql) = ${hex(32, pick)}`,
  'sum of sha1': (pick) => `sha1: ${hex(40, pick)}`,
  'sum in base64': (pick) =>
    `Content-MD5: ${run(BASE64, 22, pick)}==\nDigest: SHA-256=${run(BASE64, 43, pick)}=`,
  etag: (pick) => `etag: "${hex(32, pick)}-${pick(99)}"`,
  'package lock': (pick) =>
    `"resolved": "https://registry.acme.example/jsonwebtoken/-/jsonwebtoken-9.0.${pick(9)}.tgz",\n"integrity": "sha512-${run(BASE64, 86, pick)}=="`,
  'yarn berry': (pick) => `"csrf-token@npm:^2.0.1":\n  checksum: 10c0/${hex(128, pick)}`,
  'pnpm lock': (pick) =>
    `/token-types@6.0.${pick(9)}:\n    resolution: {integrity: sha512-${run(BASE64, 86, pick)}==}`,
  'go sum': (pick) =>
    `github.com/golang-jwt/jwt/v5 v5.2.${pick(9)} h1:${run(BASE64, 43, pick)}=\ngithub.com/golang-jwt/jwt/v5 v5.2.1/go.mod h1:${run(BASE64, 43, pick)}=`,
  'cargo lock': (pick) =>
    `name = "secrecy"\nversion = "0.8.${pick(9)}"\nchecksum = "${hex(64, pick)}"`,
  'poetry lock': (pick) =>
    `{file = "PyJWT-2.8.${pick(9)}-py3-none-any.whl", hash = "sha256:${hex(64, pick)}"},`,
  pip: (pick) =>
    `cryptography==42.0.${pick(9)} \\\n    --hash=sha256:${hex(64, pick)} \\\n    --hash=sha256:${hex(64, pick)}`,
  'gem lock': (pick) => `    jwt (2.8.${pick(9)}) sha256=${hex(64, pick)}`,
  nix: (pick) =>
    `sha256 = "${run('0123456789abcdfghijklmnpqrsvwxyz', 52, pick)}"; hash = "sha256-${run(BASE64, 43, pick)}=";`,
  bazel: (pick) =>
    `integrity = "sha256-${run(BASE64, 43, pick)}=", strip_prefix = "rules_key-${hex(40, pick)}",`,
  'terraform lock': (pick) =>
    `hashes = [\n  "h1:${run(BASE64, 43, pick)}=",\n  "zh:${hex(64, pick)}",\n]`,
  brew: (pick) => `sha256 cellar: :any, arm64_sonoma: "${hex(64, pick)}"`,
  container: (pick) =>
    `CONTAINER ID ${hex(12, pick)}   acme/secret-sync:${hex(7, pick)}   Up ${pick(9)} hours`,
  layers: (pick) => `"digest": "sha256:${hex(64, pick)}", "diffID": "sha256:${hex(64, pick)}"`,
  pod: (pick) =>
    `token-refresher-${hex(10, pick)}-${run('bcdfghjklmnpqrstvwxz2456789', 5, pick)}   1/1   Running`,
  'service account': (pick) =>
    `secrets:\n- name: default-token-${run('bcdfghjklmnpqrstvwxz2456789', 5, pick)}`,
  'resource version': (pick) =>
    `resourceVersion: "${number(9, pick)}"\nuid: ${uuid(pick)}\npod-template-hash: ${hex(10, pick)}`,
  'annotation with a digest': (pick) =>
    `checksum/secret: ${hex(64, pick)}\nhelm.sh/hook-weight: "-${pick(9)}"`,
  arn: (pick) =>
    `arn:aws:secretsmanager:eu-west-1:${number(12, pick)}:secret:prod/db-${run(ALNUM, 6, pick)}`,
  instances: (pick) =>
    `i-0${hex(16, pick)} vol-0${hex(16, pick)} subnet-0${hex(16, pick)} ami-0${hex(16, pick)}`,
  azure: (pick) =>
    `/subscriptions/${uuid(pick)}/resourceGroups/app/providers/Microsoft.KeyVault/vaults/acme-${run(SMALL, 4, pick)}`,
  tenant: (pick) =>
    `tenant_id = "${uuid(pick)}"\nclient_id = "${uuid(pick)}"\nobject_id = "${uuid(pick)}"`,
  'project of google': (pick) =>
    `projects/acme-${number(6, pick)}/locations/europe-west1/keyRings/app/cryptoKeys/db/cryptoKeyVersions/${pick(9)}`,
  'account of google': (pick) => `ci-runner@acme-${number(6, pick)}.iam.gserviceaccount.com`,
  trace: (pick) =>
    `traceparent: 00-${hex(32, pick)}-${hex(16, pick)}-01\ntracestate: acme=${hex(16, pick)}`,
  ray: (pick) => `cf-ray: ${hex(16, pick)}-FRA\nx-amz-cf-id: ${run(`${ALNUM}_-`, 54, pick)}==`,
  'id of amazon': (pick) =>
    `x-amz-request-id: ${run(BIG, 16, pick)}\nx-amz-id-2: ${run(BASE64, 75, pick)}=`,
  'id of a session in a log': (pick) => `session ${hex(32, pick)} opened for user ann by (uid=0)`,
  'log of a token': (pick) =>
    `level=info msg="token refreshed" user=${hex(24, pick)} token_type=bearer expires_in=${number(4, pick)}`,
  'log of a password': (pick) =>
    `Nov 21 10:33:12 host sshd[${number(5, pick)}]: Failed password for invalid user admin from 10.0.${pick(255)}.${pick(255)} port ${number(5, pick)} ssh2`,
  'log of a key': (pick) =>
    `Accepted publickey for ann from 10.0.${pick(255)}.${pick(255)} port ${number(5, pick)} ssh2: ED25519 SHA256:${run(BASE64, 43, pick)}`,
  fingerprint: (pick) =>
    `The authenticity of host can't be established. ED25519 key fingerprint is SHA256:${run(BASE64, 43, pick)}.`,
  'fingerprint in pairs': (pick) =>
    `SHA1 Fingerprint=${Array.from({ length: 20 }, () => hex(2, pick).toUpperCase()).join(':')}`,
  serial: (pick) => `Serial Number: ${Array.from({ length: 16 }, () => hex(2, pick)).join(':')}`,
  'key id of pgp': (pick) =>
    `pub   rsa4096 2021-0${1 + pick(8)}-12 [SC]\n      ${hex(40, pick).toUpperCase()}`,
  'error with ids': (pick) =>
    `Error: token ${number(6, pick)} unexpected at position ${number(4, pick)} (request ${hex(32, pick)})`,
  'http error': (pick) =>
    `{"error":{"message":"Incorrect API key provided: sk-${run(ALNUM, 4, pick)}********${run(ALNUM, 4, pick)}.","type":"invalid_request_error","code":"invalid_api_key"}}`,
  'grpc error': (pick) =>
    `rpc error: code = Unauthenticated desc = invalid token (trace ${hex(16, pick)})`,
  wallets: (pick) =>
    `0x${run('0123456789abcdefABCDEF', 40, pick)} sent 1.${number(6, pick)} ETH in 0x${hex(64, pick)}`,
  bitcoin: (pick) =>
    `bc1q${run('qpzry9x8gf2tvdw0s3jn54khce6mua7l', 38, pick)} txid ${hex(64, pick)}`,
  block: (pick) =>
    `blockhash=${hex(64, pick)} merkleroot=${hex(64, pick)} nonce=${number(9, pick)}`,
  ipfs: (pick) =>
    `ipfs://bafybei${run('abcdefghijklmnopqrstuvwxyz234567', 52, pick)}/token.json Qm${run('123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz', 44, pick)}`,
  magnet: (pick) => `magnet:?xt=urn:btih:${hex(40, pick)}&dn=ubuntu-24.04`,
  video: (pick) =>
    `https://www.youtube.com/watch?v=${run(`${ALNUM}_-`, 11, pick)}&list=PL${run(`${ALNUM}_-`, 32, pick)}`,
  document: (pick) =>
    `https://docs.google.com/spreadsheets/d/1${run(`${ALNUM}_-`, 43, pick)}/edit#gid=${number(9, pick)}`,
  map: (pick) =>
    `https://maps.app.goo.gl/${run(ALNUM, 17, pick)} https://bit.ly/${run(ALNUM, 7, pick)}`,
  meeting: (pick) =>
    `https://acme.zoom.us/j/${number(11, pick)} meeting id ${number(3, pick)} ${number(4, pick)} ${number(4, pick)}`,
  'notion page': (pick) => `https://www.notion.so/acme/Password-policy-${hex(32, pick)}`,
  'figma file': (pick) =>
    `https://www.figma.com/file/${run(ALNUM, 22, pick)}/Tokens?node-id=${pick(99)}-${pick(999)}`,
  ticket: (pick) =>
    `SEC-${number(4, pick)}: rotate the signing key, see https://acme.atlassian.net/browse/SEC-${number(4, pick)}`,
  tracking: (pick) =>
    `https://shop.acme.example/?utm_source=mail&gclid=${run(`${ALNUM}_-`, 91, pick)}&fbclid=${run(`${ALNUM}_-`, 61, pick)}`,
  advert: (pick) =>
    `<!-- GTM-${run(BIG, 7, pick)} --> ca-pub-${number(16, pick)} UA-${number(8, pick)}-${pick(9)}`,
  'app store': (pick) => `https://apps.apple.com/app/keychain-helper/id${number(10, pick)}`,
  parcel: (pick) => `Tracking number 1Z${run(BIG, 16, pick)}, parcel ${number(12, pick)}`,
  flight: (pick) =>
    `Booking reference ${run(BIG, 6, pick)}, ticket ${number(13, pick)}, seat ${pick(30)}C`,
  invoice: (pick) =>
    `Invoice INV-${2020 + pick(6)}-${number(6, pick)}, customer no. ${number(8, pick)}, order ${run(BIG, 10, pick)}`,
  'serial number': (pick) =>
    `S/N: ${run(BIG, 12, pick)} P/N: ${run(BIG, 4, pick)}-${run(BIG, 5, pick)} IMEI ${number(15, pick)}`,
  vehicle: (pick) =>
    `VIN ${run('ABCDEFGHJKLMNPRSTUVWXYZ0123456789', 17, pick)}, plate ${run(BIG, 7, pick)}`,
  isbn: (pick) =>
    `ISBN 978-${pick(9)}-${number(4, pick)}-${number(4, pick)}-${pick(9)}, doi:10.${number(4, pick)}/${run(SMALL, 10, pick)}.${pick(99)}`,
  gene: (pick) => `>seq${pick(99)}\n${run('ACGT', 70, pick)}\n${run('ACGT', 70, pick)}`,
  protein: (pick) => `${run('ACDEFGHIKLMNPQRSTVWY', 60, pick)}`,
  smiles: () => 'CC(C)CC1=CC=C(C=C1)C(C)C(=O)O InChIKey=HEFNNWSXXWATRW-UHFFFAOYSA-N',
  chess: (pick) =>
    `1. e4 e5 2. Nf3 Nc6 3. Bb5 a6 rnbqkbnr/pp1ppppp/8/2p5/4P3/8/PPPP1PPP/RNBQKBNR w KQkq c6 0 ${pick(9)}`,
  crossword: () => 'Key: 1A SECRET, 4D TOKEN, 7A PASSWORD, 9D CIPHER',
  rot13: () => 'Gur frperg cnffjbeq vf abg urer',
  morse: () => '-.- . -.-- / ... . -.-. .-. . -',
  'base64 of words': (pick) =>
    Buffer.from(`The quick brown fox number ${pick(999)} jumps over the lazy dog`).toString(
      'base64',
    ),
  'base64 of json': (pick) =>
    Buffer.from(`{"type":"page","offset":${pick(9999)}}`).toString('base64'),
  'gzip in base64': (pick) => `H4sIAAAAAAAA${run(BASE64, 120, pick)}=`,
  'pdf in base64': (pick) => `JVBERi0xLjQKJ${run(BASE64, 200, pick)}`,
  'zip in base64': (pick) => `UEsDBBQAAAAI${run(BASE64, 200, pick)}==`,
  'png in json': (pick) =>
    `{"type":"image","source":{"type":"base64","media_type":"image/png","data":"iVBORw0KGgoAAAANSUhEUg${run(BASE64, 300, pick)}=="}}`,
  'wave in base64': (pick) => `data:audio/wav;base64,UklGR${run(BASE64, 200, pick)}`,
  certificate: (pick) =>
    `-----BEGIN CERTIFICATE-----\nMIIF${run(BASE64, 60, pick)}\n${run(BASE64, 64, pick)}\n${run(BASE64, 40, pick)}==\n-----END CERTIFICATE-----`,
  'certificate in yaml': (pick) =>
    `certificate-authority-data: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1JS${run(ALNUM, 160, pick)}==`,
  'ca bundle': (pick) => `caBundle: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0t${run(ALNUM, 160, pick)}`,
  'thinking signature': (pick) => `"signature": "EqoB${run(BASE64, 200, pick)}=="`,
  'encrypted reasoning': (pick) => `"encrypted_content": "gAAAAAB${run(`${ALNUM}_-`, 200, pick)}"`,
  embedding: (pick) =>
    `"embedding": [${Array.from({ length: 12 }, () => `-0.0${number(9, pick)}`).join(', ')}]`,
  'tokens of a model': (pick) =>
    `tokens: [${Array.from({ length: 12 }, () => pick(50_000)).join(', ')}]`,
  usage: (pick) =>
    `"usage":{"prompt_tokens":${pick(999)},"completion_tokens":${pick(999)},"total_tokens":${pick(999)},"cached_tokens":${pick(99)}}`,
  'name of a model': (pick) =>
    `model: claude-3-5-sonnet-2024102${pick(9)}, gpt-4o-2024-08-0${pick(9)}, ft:gpt-4o-mini:acme:secret-bot:${run(ALNUM, 8, pick)}`,
  'tool call': (pick) =>
    `{"id":"call_${run(ALNUM, 24, pick)}","type":"function","function":{"name":"get_token","arguments":"{\\"id\\":\\"${uuid(pick)}\\"}"}}`,
  'event of a stream': (pick) =>
    `data: {"id":"chatcmpl-${run(ALNUM, 29, pick)}","object":"chat.completion.chunk","created":17${number(8, pick)},"system_fingerprint":"fp_${hex(10, pick)}"}`,
  'cookie of consent': (pick) =>
    `Cookie: _ga=GA1.2.${number(9, pick)}.${number(10, pick)}; theme=dark; consent=${pick(9)}`,
  'user agent': (pick) =>
    `Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/12${pick(9)}.0.0.0 Safari/537.36`,
  'header of mail': (pick) =>
    `Message-ID: <${run(ALNUM, 32, pick)}@mail.acme.example>\nDKIM-Signature: v=1; a=rsa-sha256; d=acme.example; s=k1; bh=${run(BASE64, 43, pick)}=; b=${run(BASE64, 170, pick)}==`,
  'record of dns': (pick) =>
    `acme.example. TXT "google-site-verification=${run(`${ALNUM}_-`, 43, pick)}" "v=DKIM1; k=rsa; p=MIGfMA0GCSqG${run(BASE64, 200, pick)}"`,
  dnssec: (pick) =>
    `acme.example. 3600 IN DS ${number(5, pick)} 13 2 ${hex(64, pick).toUpperCase()}`,
  'address of ipv6': (pick) =>
    `2001:db8:${hex(4, pick)}:${hex(4, pick)}::${hex(4, pick)} dev eth0 lladdr 02:${hex(2, pick)}:${hex(2, pick)}:00:11:22`,
  disk: (pick) => `UUID=${uuid(pick)} /boot ext4 defaults 0 2\nPARTUUID="${hex(8, pick)}-01"`,
  machine: (pick) => `Machine ID: ${hex(32, pick)}\n   Boot ID: ${hex(32, pick)}`,
  dump: (pick) =>
    `0000${pick(9)}0: ${Array.from({ length: 8 }, () => hex(4, pick)).join(' ')}  ................`,
  'address in memory': (pick) => `0x${hex(16, pick)}: Token@${hex(8, pick)} key=0x${hex(12, pick)}`,
  'hash of java': (pick) => `com.acme.security.TokenService@${hex(8, pick)}[secret=null]`,
  migration: (pick) =>
    `20${run('0123456789', 12, pick)}_add_api_key_to_users.rb revision = "${hex(12, pick)}"`,
  'snapshot of a build': (pick) =>
    `app-1.4.${pick(9)}-2025112${pick(9)}.103312-${pick(99)}-SNAPSHOT.jar (build ${hex(7, pick)})`,
  'prose on keys': (pick) =>
    `Keep your API key secret. Keys begin with sk- and are ${40 + pick(20)} characters long; rotate them every ${pick(90)} days.`,
  'prose on passwords': (pick) =>
    `Choose a password of at least ${8 + pick(9)} characters with upper case, lower case, a number and one of !@#$%^&*. Never reuse your e-mail password.`,
  'prose on tokens': (pick) =>
    `The refresh token is valid for ${pick(90)} days; the access token expires after ${pick(60)} minutes. See RFC 6749 section 1.5 for details.`,
  'prose on secrets': (pick) =>
    `The secret of good bread is time: ${pick(24)} hours at 4 °C. The key is patience. In ${oneOf(PLACES, pick)} they token-ring it twice.`,
  'prose on a monkey': () =>
    'The password is on the sticky note under the keyboard, as always. The token gesture was noted: it is Key-Largo-1948 all over again.',
  'steps of a manual': (pick) =>
    `${pick(9)}. Open Settings > Security > API keys. ${pick(9)}. Click "New secret key". ${pick(9)}. Copy the key: it is shown once.`,
  readme: (pick) =>
    `## Configuration\n\n| Variable | Default | Meaning |\n|---|---|---|\n| \`API_KEY\` | \`none\` | Key of the API |\n| \`TOKEN_TTL\` | \`${pick(999)}s\` | Life of a token |\n| \`SECRET_NAME\` | \`app-secret-v${pick(9)}\` | Name in the vault |`,
  question: (pick) =>
    `How do I store a password in Postgres ${10 + pick(7)}? Should token be VARCHAR(${pick(255)}) or UUID?`,
  answer: () =>
    'Use `crypto.randomBytes(32).toString("hex")` for the secret and `argon2id` for the password; never log a token.',
  policy: (pick) =>
    `Passwords expire after ${pick(180)} days. Tokens issued before 2025-11-${10 + pick(19)} are revoked. Key ceremony: room ${number(3, pick)}.`,
  minutes: (pick) =>
    `- secret santa on 12/1${pick(9)}, key points: budget ${pick(99)}k, token amount for ${oneOf(PLACES, pick)}\n- password reset flow: ${pick(9)} tickets`,
  'key of a map in prose': (pick) =>
    `Key: ● station, ○ stop, ▲ summit ${number(4, pick)} m. Scale 1:${number(5, pick)}`,
  'key of music': (pick) =>
    `Key: F# minor, tempo ${60 + pick(100)} bpm, capo ${pick(7)}; chords F#m7b5 B7alt Em9 Cmaj7#11`,
  game: (pick) =>
    `Secret level: press ↑↑↓↓←→←→BA. Token of the dragon (+${pick(99)} ATK). Level password: JUSTIN BAILEY`,
  sports: (pick) =>
    `Key stats: 3-2 (2-1), 6${pick(9)}% possession, xG 1.${number(2, pick)}-0.${number(2, pick)}; player #${pick(99)}`,
  measurement: (pick) =>
    `key,value\nvoltage,3.${number(4, pick)}\ncurrent,0.${number(6, pick)}e-0${pick(9)}\ntoken,${number(4, pick)}`,
  'table of numbers': (pick) =>
    Array.from({ length: 4 }, () =>
      Array.from({ length: 6 }, () => number(5, pick)).join('\t'),
    ).join('\n'),
  'phone and fax': (pick) =>
    `Tel. +49 30 ${number(7, pick)}, Fax -${number(2, pick)}, mobile +44 7${run(DIGITS, 9, pick)}`,
  'german compound': () =>
    'Zugangsschlüsselverwaltung: Der Schlüssel heißt Donaudampfschifffahrtsgesellschaftskapitänspatent2, das Passwort steht woanders.',
  'welsh station': () =>
    'token: Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogoch, key: Taumatawhakatangihangakoauauotamatea',
  chemistry: () =>
    'token: methionylthreonylthreonylglutaminylarginyl, key: 2,4,6-trinitrotoluene, secret: N-acetyl-p-aminophenol',
  latin: () =>
    'password: lorem ipsum dolor sit amet, token: consectetur-adipiscing-elit-sed-do, secret: eiusmod tempor incididunt',
  poem: () => 'Two roads diverged; the key I kept,\nThe secret: neither road had slept.',
  'python literals': (pick) =>
    `tokens = {"pad": ${pick(9)}, "unk": ${pick(9)}}; special_tokens = ["<s>", "</s>", "<|im_sep|>", "[CLS]"]`,
  'name of a font': (pick) =>
    `font-family: "KeyPass Sans ${pick(9)}", src: url(/fonts/token-v${pick(20)}-latin-${100 * (1 + pick(8))}.woff2)`,
  'picture by digest': (pick) =>
    `![](https://user-images.githubusercontent.com/${number(8, pick)}/${number(9, pick)}-${uuid(pick)}.png)`,
  badge: (pick) =>
    `[![codecov](https://codecov.io/gh/acme/app/graph/badge.svg)](https://codecov.io/gh/acme/app) coverage ${pick(99)}%`,
  gravatar: (pick) => `https://www.gravatar.com/avatar/${hex(32, pick)}?s=80&d=identicon`,
  cdn: (pick) =>
    `https://cdn.jsdelivr.net/npm/js-cookie@3.0.${pick(9)}/dist/js.cookie.min.js https://cdn.acme.example/assets/${hex(40, pick)}/app.js`,
  'signed address of a picture': (pick) =>
    `https://pbs.twimg.com/media/${run(`${ALNUM}_-`, 15, pick)}?format=jpg&name=large`,
  maven: (pick) =>
    `[INFO] Downloading https://repo.maven.apache.org/maven2/com/auth0/java-jwt/4.4.${pick(9)}/java-jwt-4.4.0.jar (${pick(99)} kB)`,
  'test run': (pick) =>
    `✓ rejects an expired token (${pick(99)} ms)\n✗ stores the password hashed\n  expected "${hex(8, pick)}" to equal "${hex(8, pick)}"`,
  coverage: (pick) =>
    `token-service.ts | ${pick(99)}.${pick(99)} | ${pick(99)} | 100 | ${pick(99)}-${pick(999)},${pick(999)}`,
};
