/**
 * Texts that hold no secret and look as if they might: hashes, ids, lock files, images, minified code, names of
 * settings, references to values kept elsewhere, stand-ins, prose about passwords. Made here.
 */
import { ALNUM, BASE64, HEX, oneOf, run, uuid } from './secret-values.ts';
import type { Pick } from './values.ts';

export interface CleanText {
  readonly id: string;
  readonly text: string;
}

const WORDS =
  'user order invoice cart session report billing search profile export region tenant queue widget'.split(
    ' ',
  );
const word = (pick: Pick): string => oneOf(WORDS, pick);
const SECRET_WORDS = [
  'token',
  'api_key',
  'apiKey',
  'secret',
  'password',
  'client_secret',
  'access_token',
];
const named = (pick: Pick): string => oneOf(SECRET_WORDS, pick);
const version = (pick: Pick): string => `${pick(20)}.${pick(30)}.${pick(90)}`;
const hex = (count: number, pick: Pick): string => run(HEX, count, pick);

/** Each made anew with every turn. */
const MADE: Readonly<Record<string, (pick: Pick) => string>> = {
  commit: (pick) =>
    `commit ${hex(40, pick)}\nAuthor: Ann <ann@acme.example>\n\n    Fix the ${word(pick)}`,
  'short commits': (pick) => `index ${hex(7, pick)}..${hex(7, pick)} 100644`,
  digest: (pick) => `sha256:${hex(64, pick)}`,
  'image of a container': (pick) =>
    `image: registry.acme.example/${word(pick)}@sha256:${hex(64, pick)}`,
  md5: (pick) => `${hex(32, pick)}  ${word(pick)}.tar.gz`,
  uuid: (pick) => `{"id": "${uuid(pick)}", "${word(pick)}Id": "${uuid(pick)}"}`,
  'request id': (pick) =>
    `X-Request-Id: ${uuid(pick)}\ntraceparent: 00-${hex(32, pick)}-${hex(16, pick)}-01`,
  etag: (pick) => `ETag: W/"${hex(32, pick)}"\nIf-None-Match: "${run(ALNUM, 27, pick)}"`,
  'package lock': (pick) =>
    `"node_modules/${word(pick)}": {\n  "version": "${version(pick)}",\n  "resolved": "https://registry.acme.example/${word(pick)}/-/${word(pick)}-${version(pick)}.tgz",\n  "integrity": "sha512-${run(BASE64, 86, pick)}=="\n}`,
  'yarn lock': (pick) =>
    `${word(pick)}@^${version(pick)}:\n  version "${version(pick)}"\n  integrity sha1-${run(BASE64, 27, pick)}=`,
  'cargo lock': (pick) =>
    `[[package]]\nname = "${word(pick)}-token"\nversion = "${version(pick)}"\nchecksum = "${hex(64, pick)}"`,
  'go sum': (pick) =>
    `github.com/acme/${word(pick)} v${version(pick)} h1:${run(BASE64, 43, pick)}=`,
  'pip hash': (pick) => `${word(pick)}==${version(pick)} \\\n    --hash=sha256:${hex(64, pick)}`,
  subresource: (pick) =>
    `<script src="/${word(pick)}.js" integrity="sha384-${run(BASE64, 64, pick)}"></script>`,
  image: (pick) => `<img src="data:image/png;base64,iVBORw0KGgo${run(BASE64, 180, pick)}=">`,
  'base64 body': (pick) => `{"content": "${run(BASE64, 200, pick)}=="}`,
  certificate: (pick) =>
    `-----BEGIN CERTIFICATE-----\nMIID${run(BASE64, 60, pick)}\n${run(BASE64, 64, pick)}\n-----END CERTIFICATE-----`,
  'public key': (pick) =>
    `-----BEGIN PUBLIC KEY-----\nMIIB${run(BASE64, 60, pick)}\n-----END PUBLIC KEY-----`,
  'ssh public key': (pick) =>
    `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${run(BASE64, 43, pick)} ann@acme`,
  'authorized keys': (pick) =>
    `public_key: "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQ${run(BASE64, 120, pick)}"`,
  'public key token': (pick) => `Culture=neutral, PublicKeyToken=${hex(16, pick)}`,
  'public key setting': (pick) =>
    `publicKey = "${run(ALNUM, 43, pick)}"\npublishable_key: pk_live_${run(ALNUM, 24, pick)}`,
  fingerprint: (pick) => `256 SHA256:${run(BASE64, 43, pick)} host (ED25519)`,
  'hashed file name': (pick) =>
    `<link href="/static/${word(pick)}.${hex(8, pick)}.chunk.css"> main-${hex(20, pick)}.js`,
  minified: (pick) =>
    `!function(e,t){"use strict";var n=e.token,r=t.key;n&&(r=n.${word(pick)}(t)),e.${word(pick)}Token=function(i){return i.secret||r}}(a${pick(9)},b);`,
  'source map': (pick) =>
    `//# sourceMappingURL=data:application/json;base64,eyJ2ZXJzaW9uIjozLCJ${run(ALNUM, 90, pick)}`,
  url: (pick) =>
    `https://www.acme.example/${word(pick)}/${uuid(pick)}?utm_source=${word(pick)}&v=${version(pick)}#${word(pick)}`,
  'url with ids': (pick) =>
    `https://docs.acme.example/d/${run(ALNUM, 44, pick)}/edit?gid=${pick(1_000_000)}`,
  video: (pick) => `https://youtu.be/${run(ALNUM, 11, pick)}?t=${pick(100)}`,
  'public part of a pair': (pick) =>
    `"kid": "${run(ALNUM, 22, pick)}", "kty": "EC", "x": "${run(ALNUM, 43, pick)}"`,
  'cache key': (pick) =>
    `cache-key: ${word(pick)}-${hex(40, pick)}\nkey: "${word(pick)}:${uuid(pick)}"`,
  'primary key': (pick) =>
    `primaryKey: "${word(pick)}_${hex(24, pick)}", partitionKey: "${uuid(pick)}"`,
  'idempotency key': (pick) => `Idempotency-Key: ${uuid(pick)}`,
  'csrf field name': (pick) => `csrfTokenName: "${word(pick)}_csrf_token_${pick(9)}"`,
  'object id': (pick) => `{"_id": {"$oid": "${hex(24, pick)}"}, "owner": "${hex(24, pick)}"}`,
  'build number': (pick) => `API_VERSION=rc${version(pick)}_20${10 + pick(15)}0412_0712-SNAPSHOT`,
  'version by commit': (pick) => `${word(pick).toUpperCase()}_API_VERSION=${hex(40, pick)}`,
  'cloud id': (pick) =>
    `arn:aws:secretsmanager:eu-west-1:123456789012:secret:${word(pick)}/db-${run(ALNUM, 6, pick)}`,
  'key id': (pick) => `kms_key_id = "${uuid(pick)}"\nsecret_version_id: ${uuid(pick)}`,
  'client id': (pick) => `client_id: ${uuid(pick)}\ntenant_id: ${uuid(pick)}`,
  'token id': (pick) => `"token_id": "${hex(24, pick)}", "access_key_id_ref": "${word(pick)}"`,
  'hash of a token': (pick) => `token_hash = "${hex(64, pick)}"\npassword_hash: ${hex(40, pick)}`,
  'environment in javascript': (pick) =>
    `const ${word(pick)} = { ${named(pick)}: process.env.${word(pick).toUpperCase()}_API_KEY_V${pick(9)} };`,
  'environment in python': (pick) =>
    `${named(pick)} = os.environ.get("${word(pick).toUpperCase()}_SECRET_${pick(9)}")`,
  'environment in a shell': (pick) =>
    `export ${named(pick).toUpperCase()}=$` + `{${word(pick).toUpperCase()}_TOKEN_${pick(9)}}`,
  'environment in a workflow': (pick) =>
    `${named(pick)}: $` + `{{ secrets.${word(pick).toUpperCase()}_DEPLOY_${pick(9)} }}`,
  'reference in terraform': (pick) =>
    `${named(pick)} = aws_secretsmanager_secret_version.${word(pick)}_v${pick(9)}.secret_string`,
  'data in terraform': (pick) =>
    `${named(pick)} = data.vault_generic_secret.${word(pick)}${pick(9)}.data["password"]`,
  'template of helm': (pick) =>
    `${named(pick)}: {{ .Values.${word(pick)}.auth.token${pick(9)} | b64enc | quote }}`,
  'template of ansible': (pick) =>
    `${named(pick)}: "{{ vault_${word(pick)}_password_${pick(99)} }}"`,
  'vault path': (pick) => `${named(pick)}: vault:secret/data/${word(pick)}/prod${pick(9)}#token`,
  'path of a secret': (pick) => `${named(pick)}_file: /run/secrets/${word(pick)}_v${pick(9)}_token`,
  'path as value': (pick) =>
    `${named(pick)}=/etc/${word(pick)}/keys/2024/${word(pick)}-signing.pem`,
  'name of a secret': (pick) =>
    `secretName: ${word(pick)}-api-token-v${pick(9)}\nsecretKeyRef: {name: ${word(pick)}-db1, key: password}`,
  'ssm path': (pick) => `${named(pick)} = ssm:/prod/${word(pick)}/db${pick(9)}/password`,
  call: (pick) =>
    `${named(pick)} = await this.${word(pick)}Service.get${pick(9)}TokenFor(${word(pick)});`,
  member: (pick) => `this.${named(pick)} = options.${word(pick)}2Config.accessToken${pick(9)};`,
  'typed parameter': (pick) =>
    `function sign(${named(pick)}: Record<string, ${word(pick)}V${pick(9)}Token>): Uint8Array`,
  'event name': (pick) => `secret: "${word(pick)}.token.rotated.v${pick(9)}"`,
  'key of a translation': (pick) =>
    `"${word(pick)}.password.reset.title": "Reset your password",\n"${word(pick)}.token.expired": "Your session has ended, sign in again"`,
  'translated label': (pick) =>
    `password: "Passwort eingeben", token: "Zugriffstoken", secret: t("${word(pick)}.secret_label")`,
  'css class': (pick) =>
    `<input class="password-field__input--v${pick(9)}" name="password" type="password" id="password${pick(99)}">`,
  'form of a login': (pick) =>
    `<label for="api_key">API key</label><input id="api_key" placeholder="${word(pick)}-key-…">`,
  'test id': (pick) => `screen.getByTestId("${word(pick)}-password-input-${pick(9)}")`,
  regex: (pick) => `token = re.compile(r"[A-Za-z0-9_-]{${20 + pick(9)},${40 + pick(20)}}")`,
  lexer: (pick) =>
    `token: IDENTIFIER_${pick(9)}, nextToken = lexer.peek(${pick(9)})\ntokens: [T_OPEN_TAG, T_STRING]`,
  'tokens of a model': (pick) =>
    `max_tokens: ${pick(9000)}, total_tokens=${pick(9000)}, "prompt_tokens_details": {"cached_tokens": ${pick(99)}}`,
  tokenizer: (pick) =>
    `tokenizer: "${word(pick)}/bert-base-uncased-v${pick(9)}", pad_token: "[PAD]", eos_token="<|endoftext|>"`,
  'endpoint of tokens': (pick) =>
    `token_endpoint: https://login.acme.example/${word(pick)}/oauth2/v2.0/token\ntoken_url = "/api/v${pick(9)}/oauth/token"`,
  'kind of a token': () =>
    'token_type: "Bearer", "token_use": "access", grant_type=client_credentials',
  'expiry of a token': (pick) =>
    `access_token_expires_at: 2025-0${1 + pick(9)}-11T10:33:12.123Z, refresh_token_expires_in: ${pick(99999)}`,
  'message of an error': (pick) => `Error: invalid api key: request_id=${uuid(pick)}, status 401`,
  stars: (pick) => `${named(pick)}=${'*'.repeat(12 + pick(9))}`,
  xs: (pick) => `${named(pick)} = "${'x'.repeat(20 + pick(20))}"`,
  'stars with an end': (pick) =>
    `${named(pick)}: sk-****************************${run(ALNUM, 4, pick)}`,
  ellipsis: (pick) => `${named(pick)}: "sk-${run(ALNUM, 4, pick)}...${run(ALNUM, 4, pick)}"`,
  brackets: (pick) => `${named(pick)}=<your-${word(pick)}-${named(pick)}-here-${pick(9)}>`,
  'your key': (pick) => `${named(pick)}: YOUR_${word(pick).toUpperCase()}_API_KEY_${pick(9)}`,
  'put here': (pick) => `${named(pick)} = "insert-${word(pick)}-${named(pick)}-here-${pick(99)}"`,
  'change it': (pick) => `${named(pick)}=changeme-${word(pick)}-${pick(999)}`,
  dummy: (pick) => `${named(pick)} = "dummy-${word(pick)}-token-${pick(999)}"`,
  'for tests': (pick) => `${named(pick)}: "test-${word(pick)}-secret-${pick(99)}"`,
  'digits in order': (pick) =>
    `${named(pick)} = "${oneOf(['1234567890abcdef1234567890abcdef', '0123456789abcdef0123456789abcdef', 'abcdef0123456789abcdef0123456789', 'abcdefghijklmnopqrstuvwxyz123456', '00000000000000000000000000000000', 'deadbeefdeadbeefdeadbeefdeadbeef'], pick)}"`,
  'example of aws': (pick) =>
    `aws_access_key_id = AKIA${'IOSFODNN7'}EXAMPLE\n# ${word(pick)}\naws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCY${'EXAMPLEKEY'}`,
  'example of a model': (pick) =>
    `${oneOf(['OPENAI_API_KEY', 'openai.api_key'], pick)} = "sk-${oneOf(['xxxx', 'proj-...', 'your-key', '<key>', 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'], pick)}"`,
  'example of a forge': (pick) =>
    `GITHUB_TOKEN=ghp_${oneOf(['x', 'X', '0'], pick).repeat(36)}\nGITLAB=glpat-${'x'.repeat(20)}`,
  'example of chat': () =>
    `SLACK=xoxb-${'0'.repeat(12)}-${'0'.repeat(12)}-${'x'.repeat(24)} STRIPE=sk_test_${'x'.repeat(24)}`,
  'address with variables': (pick) =>
    `postgres://$` +
    `{DB_USER}:$` +
    `{DB_PASSWORD}@db/${word(pick)}\nmysql://{{ user }}:{{ password }}@db/app`,
  'address without a password': (pick) =>
    `ssh://git@github.com:22/acme/${word(pick)}.git mongodb://localhost:${27000 + pick(99)}/app`,
  'time and place': (pick) =>
    `2025-11-${10 + pick(19)}T10:${10 + pick(49)}:12.${pick(999)}Z ${word(pick)}-${run('bcdfghjklmnpqrstvwxz2456789', 10, pick)}-${run('bcdfghjklmnpqrstvwxz2456789', 5, pick)} Started container`,
  'prose on keys': (pick) =>
    `Each ${word(pick)} has its own key: ask ${word(pick)}-team${pick(9)}@acme.example for access, and rotate the secret every ${pick(90)} days.`,
  'prose on passwords': (pick) =>
    `Your password must be ${8 + pick(9)}-64 characters long, with digits, capitals and one of !@#$%.`,
  'prose on tokens': (pick) =>
    `The token: a ${word(pick)} of ${pick(99)} units, which the bearer shows. Bearer tokens are described in RFC 6750.`,
  'keyboard and monkey': (pick) =>
    `keyboardLayout=qwerty${pick(9)}, monkey = "chimpanzee-v${pick(9)}", keystone: "${word(pick)}-2024"`,
  'foreign key': (pick) =>
    `FOREIGN KEY (${word(pick)}_id) REFERENCES ${word(pick)}s(id); -- key: fk_${word(pick)}_${hex(8, pick)}`,
  solidity: (pick) => `address constant TOKEN = 0x${run('0123456789abcdefABCDEF', 40, pick)};`,
  transaction: (pick) => `tx 0x${hex(64, pick)} transferred ${pick(99)} tokens: 0x${hex(40, pick)}`,
  'contract of a token': (pick) =>
    `"token": "0x${hex(40, pick)}", "tokenAddress": "0x${hex(40, pick)}"`,
  'ip and mac': (pick) =>
    `host ${pick(255)}.${pick(255)}.0.1 mac 52:54:00:${hex(2, pick)}:${hex(2, pick)}:${hex(2, pick)}`,
  numbers: (pick) =>
    `token ${pick(999999)} of ${pick(999999)}; secret: ${pick(9999)}; key=${pick(9)}`,
  colours: (pick) =>
    `--accent: #${hex(6, pick)}; --key-color: #${hex(8, pick)}; secretColor = "#${hex(6, pick)}"`,
  glob: (pick) => `api-keys/**/*.${word(pick)}.json token*.ts secret?.yaml password-[0-9].txt`,
  'test of a password': (pick) =>
    `expect(wrapper.find('input[name="password"]').exists()).toBe(true); // ${word(pick)}`,
  comparison: (pick) =>
    `if (password == null || token === undefined || secret != other.secret${pick(9)}) return;`,
  'log with ids': (pick) =>
    `level=info msg="token refreshed" user_id=${hex(24, pick)} duration=${pick(99)}ms`,
  'json of a schema': () =>
    '{"password": {"type": "string", "minLength": 12}, "apiKey": {"$ref": "#/components/schemas/ApiKey"}}',
  'openapi security': () =>
    'securitySchemes:\n  apiKey:\n    type: apiKey\n    name: X-Api-Key\n    in: header\n  bearerAuth: {type: http, scheme: bearer, bearerFormat: JWT}',
  'kubernetes secret without data': (pick) =>
    `kind: Secret\nmetadata:\n  name: ${word(pick)}-credentials\ntype: Opaque\nstringData:\n  password: $(DB_PASSWORD)`,
  'curl with a stand-in': (pick) =>
    `curl -u ${oneOf(['user:password', 'user:pass', '<user>:<password>', '"[user]:[token]"', '%USER%:%PASS%', 'admin:admin', '1000:1000', "'{{ user }}:{{ pass }}'", '$(whoami):$(token)'], pick)} https://api.acme.example/${word(pick)}`,
  'page of a list': (pick) =>
    `{"next_page_token": "${run(ALNUM, 40, pick)}", "nextToken": "${run(ALNUM, 32, pick)}", "continuationToken": "${run(ALNUM, 32, pick)}"}`,
  'token of a form': (pick) =>
    `<input name="csrf_token" value="${run(ALNUM, 40, pick)}"> csrfToken: "${run(ALNUM, 32, pick)}"`,
  author: (pick) => `author: ${word(pick)}${pick(9)}-team, authorId = "${hex(24, pick)}"`,
  'settings in a row': (pick) =>
    `invalid token: session_id=${uuid(pick)}; bad secret: request_id=${hex(32, pick)}`,
  'working directory': (pick) => `PWD="/srv/ann/project${pick(99)}/${word(pick)}" npm run build`,
  'secret of kubernetes without values': (pick) =>
    `kind: Secret\nmetadata:\n  name: ${word(pick)}-${pick(99)}\ndata:\n  password: {{ .Values.${word(pick)}Password | b64enc }}\n---\nkind: ConfigMap\ndata:\n  ${word(pick)}: ${word(pick)}${word(pick)}`,
  'curl with a variable': (pick) =>
    `curl -u "$USER:$PASSWORD" -H "Authorization: Bearer $TOKEN" https://api.acme.example/${word(pick)}`,
  'header without a value': () =>
    'Authorization: Bearer <access_token>\nX-Api-Key: {{api_key}}\nAuthorization: Basic {base64(user:password)}',
  'sealed value': (pick) =>
    `password: ENC[AES256_GCM,data:${run(BASE64, 24, pick)},iv:${run(BASE64, 43, pick)}=,type:str]`,
};

/** `rounds` texts of each way of writing. */
export function secretFreeTexts(pick: Pick, rounds: number): CleanText[] {
  return Object.entries(MADE).flatMap(([name, text]) =>
    Array.from({ length: rounds }, (_, round) => ({ id: `${name}/${round}`, text: text(pick) })),
  );
}
