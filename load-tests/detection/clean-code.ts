/** Lines of programs, settings and commands that name keys, tokens and passwords and hold none. */

import { ALNUM, BASE64, HEX, oneOf, run, uuid } from './secret-values.ts';
import type { Pick } from './values.ts';

const NOUNS =
  'account address batch bucket cache channel client cluster column consumer contract cookie device document driver event feature field folder gateway group handler header image index input item job label layer ledger list locale message method metric model module node object option packet page parser payload plugin policy pool process product provider query record region render request response resource result route row scope screen section segment server service setting shape signal source stage state stream string subject table target task template tenant theme thread timer topic tracker trigger user value vector version view widget window worker'.split(
    ' ',
  );
const VERBS =
  'add apply attach build cancel check clear close compute create decode delete detect draw emit enable encode fetch filter find flush format get handle hide index init insert invoke join list load lock log make map mark merge move notify open parse pause print publish push read refresh register reject remove rename render replace reset resize resolve restore resume retry revoke rotate run save scan search select send set show sign skip sort split start stop store submit sync test track trim unlock update upload validate verify visit wait watch wrap write'.split(
    ' ',
  );

const noun = (pick: Pick): string => oneOf(NOUNS, pick);
const verb = (pick: Pick): string => oneOf(VERBS, pick);
const Noun = (pick: Pick): string => {
  const one = noun(pick);
  return one[0]?.toUpperCase() + one.slice(1);
};
const NOUN = (pick: Pick): string => noun(pick).toUpperCase();
const digit = (pick: Pick): number => pick(10);
const hex = (count: number, pick: Pick): string => run(HEX, count, pick);
const SETTINGS = [
  'api_key',
  'apiKey',
  'API_KEY',
  'api-key',
  'access_token',
  'accessToken',
  'auth_token',
  'client_secret',
  'clientSecret',
  'secret_key',
  'SECRET_KEY',
  'password',
  'PASSWORD',
  'db_password',
  'token',
  'TOKEN',
  'secret',
  'credentials',
  'private_key',
  'github_token',
  'AWS_SECRET_ACCESS_KEY',
  'slack_token',
  'stripe_key',
  'OPENAI_API_KEY',
];
const setting = (pick: Pick): string => oneOf(SETTINGS, pick);

export const CLEAN_CODE: Readonly<Record<string, (pick: Pick) => string>> = {
  'call of a function': (pick) =>
    `${setting(pick)} = ${verb(pick)}${Noun(pick)}${digit(pick)}(${noun(pick)}, ${pick(99)})`,
  'call of a long name': (pick) =>
    `${setting(pick)} = ${verb(pick)}${Noun(pick)}${Noun(pick)}${digit(pick)}From${Noun(pick)}${Noun(pick)}()`,
  'chain of members': (pick) =>
    `${setting(pick)}: this.${noun(pick)}${digit(pick)}.${noun(pick)}Config.${noun(pick)}Token${digit(pick)}`,
  'optional chain': (pick) =>
    `${setting(pick)}: ${noun(pick)}?.${noun(pick)}V${digit(pick)}?.${noun(pick)}Token ?? null`,
  'underscored name': (pick) =>
    `${setting(pick)} = ${noun(pick)}_${noun(pick)}_${noun(pick)}_v${digit(pick)}`,
  'constant of capitals': (pick) =>
    `${setting(pick)} = ${NOUN(pick)}_${NOUN(pick)}_${NOUN(pick)}_${pick(99)}`,
  'name in dots': (pick) =>
    `${setting(pick)}=${noun(pick)}.${noun(pick)}${digit(pick)}.${noun(pick)}.${noun(pick)}`,
  'name in hyphens': (pick) =>
    `${setting(pick)}: ${noun(pick)}-${noun(pick)}-${noun(pick)}-${pick(99)}`,
  'quoted name in hyphens': (pick) =>
    `${setting(pick)}: "${noun(pick)}-${noun(pick)}-prod-eu${digit(pick)}"`,
  'quoted name of a table': (pick) =>
    `${setting(pick)}: "${noun(pick)}_${noun(pick)}_${2015 + pick(10)}"`,
  'quoted path': (pick) =>
    `${setting(pick)} = "${noun(pick)}/${noun(pick)}${digit(pick)}/${noun(pick)}/${noun(pick)}.json"`,
  'quoted address': (pick) =>
    `${setting(pick)}: "https://${noun(pick)}.acme.example/v${digit(pick)}/${noun(pick)}/${hex(8, pick)}"`,
  'address without quotes': (pick) =>
    `${setting(pick)}=https://${noun(pick)}.acme.example/${noun(pick)}?id=${pick(9999)}`,
  'host and port': (pick) =>
    `${setting(pick)}: ${noun(pick)}-${digit(pick)}.${noun(pick)}.svc.cluster.local:${8000 + pick(999)}`,
  'e-mail': (pick) => `${setting(pick)} = "${noun(pick)}.${noun(pick)}${pick(99)}@acme.example"`,
  'name of a type': (pick) =>
    `${setting(pick)}: ${Noun(pick)}${Noun(pick)}<${Noun(pick)}V${digit(pick)}> | undefined;`,
  'generic type': (pick) => `${setting(pick)}: Map<string, ${Noun(pick)}${digit(pick)}Entry>`,
  'default of null': (pick) =>
    `${setting(pick)}: Optional[str] = None  # set in ${noun(pick)}${digit(pick)}`,
  'class name': (pick) =>
    `class ${Noun(pick)}Token${digit(pick)}Provider(${Noun(pick)}BaseProvider): pass`,
  exception: (pick) => `raise InvalidTokenError("${verb(pick)}_${noun(pick)}_${digit(pick)}")`,
  'error code': (pick) =>
    `"error": "invalid_token", "code": "ERR_${NOUN(pick)}_TOKEN_${pick(999)}"`,
  enumeration: (pick) =>
    `enum Token { ${Noun(pick)} = "${NOUN(pick)}_${digit(pick)}", Secret = "${NOUN(pick)}_${NOUN(pick)}_SECRET_${digit(pick)}" }`,
  'action of a store': (pick) =>
    `const SET_PASSWORD = "${noun(pick)}/${verb(pick)}Password${Noun(pick)}${digit(pick)}";`,
  selector: (pick) =>
    `await page.fill("#${noun(pick)}-password-${pick(99)}", ${noun(pick)}.password);`,
  xpath: (pick) => `password = "//div[@id='${noun(pick)}${digit(pick)}']/input[@type='password']"`,
  'css module': (pick) =>
    `password: styles.${noun(pick)}__${noun(pick)}--x${digit(pick)}aB${digit(pick)}c`,
  'class of a style': (pick) =>
    `.token-${noun(pick)}--${noun(pick)}_${run(ALNUM, 5, pick)} { color: #${hex(6, pick)}; }`,
  'style with a token': (pick) =>
    `color: var(--token-${noun(pick)}-${noun(pick)}-${100 + pick(800)}); --key-${noun(pick)}: #${hex(6, pick)};`,
  'design tokens': (pick) =>
    `"token": "${noun(pick)}.${noun(pick)}.background.${100 + pick(800)}.default"`,
  grammar: (pick) =>
    `token: /[a-z]+${digit(pick)}/, nextToken: "${NOUN(pick)}_${NOUN(pick)}", key: "${noun(pick)}"`,
  'regular expression': (pick) =>
    `token = re.compile("^[a-f0-9]{${8 + pick(60)}}$"); secret: /^sk_(live|test)_[0-9a-zA-Z]{24}$/`,
  'environment of node': (pick) =>
    `${setting(pick)}: process.env.${NOUN(pick)}_${NOUN(pick)}_KEY${digit(pick)}!,`,
  'environment of vite': (pick) =>
    `${setting(pick)} = import.meta.env.VITE_${NOUN(pick)}_${NOUN(pick)}_${digit(pick)}`,
  'environment of python': (pick) =>
    `${setting(pick)} = os.getenv("${NOUN(pick)}_${NOUN(pick)}_TOKEN_${digit(pick)}", "")`,
  'environment of go': (pick) =>
    `${setting(pick)} := os.Getenv("${NOUN(pick)}_SECRET_${NOUN(pick)}${digit(pick)}")`,
  'environment of rust': (pick) =>
    `let ${setting(pick)} = std::env::var("${NOUN(pick)}_TOKEN_${digit(pick)}")?;`,
  'environment of java': (pick) =>
    `@Value("\${${noun(pick)}.${noun(pick)}${digit(pick)}.secret}") String ${setting(pick)};`,
  'environment of php': (pick) =>
    `'${setting(pick)}' => env('${NOUN(pick)}_${NOUN(pick)}_SECRET${digit(pick)}', null),`,
  'environment of ruby': (pick) =>
    `${setting(pick)}: ENV.fetch("${NOUN(pick)}_${NOUN(pick)}_KEY_${digit(pick)}")`,
  'environment of a shell': (pick) =>
    `${setting(pick)}="\${${NOUN(pick)}_${NOUN(pick)}_${digit(pick)}:-}"`,
  'command in a shell': (pick) =>
    `${setting(pick)}=$(aws ssm get-parameter --name /${noun(pick)}/${noun(pick)}${digit(pick)} --query Parameter.Value)`,
  'backquotes in a shell': (pick) =>
    `${setting(pick)}=\`cat /run/secrets/${noun(pick)}_${noun(pick)}_${digit(pick)}\``,
  'variable of windows': (pick) =>
    `set ${setting(pick)}=%${NOUN(pick)}_${NOUN(pick)}_${digit(pick)}%`,
  'variable of powershell': (pick) =>
    `$${setting(pick)} = $env:${NOUN(pick)}_${NOUN(pick)}_TOKEN${digit(pick)}`,
  'variable of make': (pick) => `${setting(pick)} ?= $(${NOUN(pick)}_${NOUN(pick)}_${digit(pick)})`,
  'secret of a workflow': (pick) =>
    `${setting(pick)}: \${{ secrets.${NOUN(pick)}_${NOUN(pick)}_${digit(pick)} }}`,
  'variable of a pipeline': (pick) =>
    `${setting(pick)}: $(${noun(pick)}-${noun(pick)}-${digit(pick)})`,
  'parameter of a stack': (pick) =>
    `${setting(pick)}: !Ref ${Noun(pick)}${Noun(pick)}Secret${digit(pick)}`,
  'secret of a stack': (pick) =>
    `${setting(pick)}: '{{resolve:secretsmanager:${noun(pick)}/${noun(pick)}${digit(pick)}:SecretString:password}}'`,
  'variable of terraform': (pick) =>
    `${setting(pick)} = var.${noun(pick)}_${noun(pick)}_${digit(pick)}`,
  'output of terraform': (pick) =>
    `${setting(pick)} = module.${noun(pick)}.outputs["${noun(pick)}_${digit(pick)}"]`,
  'random of terraform': (pick) =>
    `${setting(pick)} = random_password.${noun(pick)}_${noun(pick)}${digit(pick)}.result`,
  'key vault': (pick) =>
    `${setting(pick)}: "@Microsoft.KeyVault(SecretUri=https://acme.vault.azure.net/secrets/${noun(pick)}${digit(pick)}/)"`,
  'secret manager of google': (pick) =>
    `${setting(pick)}: projects/${pick(999999)}/secrets/${noun(pick)}-${noun(pick)}/versions/${digit(pick)}`,
  'one password': (pick) =>
    `${setting(pick)}=op://${noun(pick)}/${noun(pick)}-${digit(pick)}/credential`,
  'sealed by sops': (pick) =>
    `${setting(pick)}: ENC[AES256_GCM,data:${run(BASE64, 20, pick)},iv:${run(BASE64, 43, pick)}=,tag:${run(BASE64, 22, pick)}==,type:str]`,
  'sealed by ansible': (pick) =>
    `${setting(pick)}: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  ${hex(80, pick)}`,
  'key of a secret': (pick) =>
    `valueFrom:\n  secretKeyRef:\n    name: ${noun(pick)}-${noun(pick)}-secret${digit(pick)}\n    key: ${noun(pick)}-password`,
  'template of helm': (pick) =>
    `${setting(pick)}: {{ .Values.${noun(pick)}.${noun(pick)}${digit(pick)} | default (randAlphaNum 32) | b64enc | quote }}`,
  'template of jinja': (pick) =>
    `${setting(pick)}: "{{ lookup('env', '${NOUN(pick)}_${digit(pick)}') }}"`,
  'template of mustache': (pick) =>
    `${setting(pick)}={{${noun(pick)}_${noun(pick)}_${digit(pick)}}}`,
  'template of erb': (pick) =>
    `${setting(pick)}: <%= Rails.application.credentials.${noun(pick)}[:${noun(pick)}${digit(pick)}] %>`,
  'formatted string': (pick) =>
    `${setting(pick)} = f"{${noun(pick)}.${noun(pick)}}-{${noun(pick)}${digit(pick)}}-${noun(pick)}"`,
  'template literal': (pick) =>
    `${setting(pick)}: \`\${${noun(pick)}}-\${${noun(pick)}${digit(pick)}.${noun(pick)}}\`,`,
  printf: (pick) =>
    `printf("token=%s secret=%-${10 + pick(20)}s key=%08x\\n", ${noun(pick)}, ${noun(pick)}${digit(pick)}, k)`,
  'log with a name': (pick) =>
    `logger.info("token for %s_%s_%d refreshed", ${noun(pick)}, ${noun(pick)}, ${digit(pick)})`,
  'test of equality': (pick) =>
    `assert ${setting(pick)} == ${noun(pick)}.expected_${noun(pick)}_${digit(pick)}`,
  'comparison in c': (pick) =>
    `if (token == NULL || token->kind != TOK_${NOUN(pick)}_${NOUN(pick)}${digit(pick)}) return -1;`,
  'struct in go': (pick) =>
    `${Noun(pick)}Token${digit(pick)} string \`json:"${noun(pick)}_token_${digit(pick)},omitempty"\``,
  import: (pick) =>
    `import { ${verb(pick)}Token } from "@acme/${noun(pick)}-token-${noun(pick)}/dist/${noun(pick)}${digit(pick)}.js";`,
  'package with token': (pick) =>
    `"@acme/${noun(pick)}-token": "^${digit(pick)}.${pick(30)}.${pick(9)}-beta.${pick(20)}+sha.${hex(7, pick)}"`,
  'pinned action': (pick) =>
    `uses: acme/${noun(pick)}-token-action@${hex(40, pick)} # v${digit(pick)}.${digit(pick)}`,
  'container by digest': (pick) =>
    `image: ghcr.io/acme/${noun(pick)}-secret-store@sha256:${hex(64, pick)}`,
  'digest behind key': (pick) =>
    `cache_key: ${hex(40, pick)}\nsecret_sha256: ${hex(64, pick)}\ntoken_md5=${hex(32, pick)}`,
  'digest named key': (pick) =>
    `lock_key="${noun(pick)}:${hex(32, pick)}" sort_key=${noun(pick)}#${uuid(pick)}`,
  integrity: (pick) => `integrity: "sha512-${run(BASE64, 86, pick)}=="`,
  'nonce of a policy': (pick) =>
    `<script nonce="${run(BASE64, 22, pick)}==" src="/${noun(pick)}.js"></script>`,
  'content security policy': (pick) =>
    `script-src 'sha256-${run(BASE64, 43, pick)}=' 'nonce-${run(ALNUM, 16, pick)}'`,
  'salt and hash': (pick) => `password_hash = "$2b$12$${run(ALNUM, 53, pick)}"`,
  argon: (pick) =>
    `hash: $argon2id$v=19$m=65536,t=3,p=4$${run(BASE64, 22, pick)}$${run(BASE64, 43, pick)}`,
  'django hash': (pick) => `pbkdf2_sha256$600000$${run(ALNUM, 22, pick)}$${run(BASE64, 43, pick)}=`,
  'foreign key': (pick) =>
    `add_foreign_key "${noun(pick)}_tokens", "${noun(pick)}s", name: "fk_rails_${hex(10, pick)}"`,
  'index of a table': (pick) =>
    `CREATE UNIQUE INDEX idx_${noun(pick)}_api_key_${hex(8, pick)} ON ${noun(pick)} (api_key, ${noun(pick)}_id);`,
  column: (pick) =>
    `api_key VARCHAR(${pick(255)}) NOT NULL DEFAULT uuid_generate_v4(), password CHAR(60) COLLATE utf8mb4_bin`,
  'placeholder of sql': (pick) =>
    `UPDATE users SET password = $${digit(pick)}, token = :${noun(pick)}_token_${digit(pick)} WHERE id = ?`,
  'select of a token': (pick) =>
    `SELECT token, secret FROM ${noun(pick)}_${noun(pick)}_${digit(pick)} WHERE api_key = @${noun(pick)}Key${digit(pick)}`,
  'policy of iam': (pick) =>
    `"Resource": "arn:aws:kms:eu-central-1:${run('0123456789', 12, pick)}:key/${uuid(pick)}"`,
  'id of a key': (pick) =>
    `KMS_KEY_ID=${uuid(pick)}\nSIGNING_KEY_ID: ${hex(40, pick)}\nkey_fingerprint=${hex(40, pick)}`,
  'set of keys': (pick) =>
    `{"keys":[{"kty":"RSA","kid":"${run(ALNUM, 27, pick)}","n":"${run(`${ALNUM}-_`, 342, pick)}","e":"AQAB"}]}`,
  thumbprint: (pick) =>
    `x5t: "${run(`${ALNUM}-_`, 27, pick)}", "x5t#S256": "${run(`${ALNUM}-_`, 43, pick)}"`,
  'key server': (pick) =>
    `gpg --keyserver keys.acme.example --recv-keys ${hex(40, pick).toUpperCase()}`,
  'signed by': (pick) =>
    `deb [signed-by=/etc/apt/keyrings/${noun(pick)}.gpg] https://apt.acme.example ${noun(pick)} main # key ${hex(16, pick).toUpperCase()}`,
  'public key of ssh': (pick) =>
    `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${run(BASE64, 43, pick)} ${noun(pick)}@acme`,
  'public key in armour': (pick) =>
    `-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmQINBF${run(BASE64, 57, pick)}\n${run(BASE64, 64, pick)}\n-----END PGP PUBLIC KEY BLOCK-----`,
  'request for a certificate': (pick) =>
    `-----BEGIN CERTIFICATE REQUEST-----\nMIIC${run(BASE64, 60, pick)}\n-----END CERTIFICATE REQUEST-----`,
  'public key of wireguard': (pick) =>
    `PublicKey = ${run(BASE64, 43, pick)}=\nAllowedIPs = 10.0.${pick(255)}.0/24`,
  'key of nix': (pick) => `trusted-public-keys = cache.acme.example-1:${run(BASE64, 43, pick)}=`,
  'site key': (pick) => `<div class="g-recaptcha" data-sitekey="6L${run(ALNUM, 38, pick)}"></div>`,
  'public client': (pick) =>
    `NEXT_PUBLIC_${NOUN(pick)}_CLIENT_ID=${uuid(pick)}\nREACT_APP_PUBLIC_KEY=${run(ALNUM, 24, pick)}`,
  'key of a list in react': (pick) =>
    `<${Noun(pick)} key={\`${noun(pick)}-\${${noun(pick)}.id}-${digit(pick)}\`} token={${noun(pick)}Token} />`,
  'key of a map': (pick) =>
    `map.put("key", "${noun(pick)}:${noun(pick)}:${pick(99999)}:${noun(pick)}");`,
  'key of redis': (pick) =>
    `GET session:${noun(pick)}:${pick(99999999)}:token\nTTL ${noun(pick)}:secret:${hex(8, pick)}`,
  'key on a keyboard': (pick) =>
    `key: "ArrowDown", keyCode: ${pick(99)}, hotkey="ctrl+shift+${oneOf(['a', 'k', 'p'], pick)}", keyBinding: "cmd+k cmd+${digit(pick)}"`,
  'key of a translation': (pick) =>
    `key: "${noun(pick)}.${noun(pick)}.password.hint_${digit(pick)}", token: "${noun(pick)}.${noun(pick)}.token_label"`,
  'translated password': (pick) =>
    `"password": "${oneOf(['Mot de passe oublié ?', 'Neues Passwort (min. 8 Zeichen)', 'Contraseña actual: 8-20 caracteres', 'パスワードを忘れた場合'], pick)}"`,
  'label in english': (pick) =>
    `password: "Enter at least ${8 + pick(9)} characters", secret: "Shared with ${pick(9)} people"`,
  'message of a validator': (pick) =>
    `password: "must_have_${8 + pick(9)}_characters_and_1_digit", token: "is_required_for_${noun(pick)}"`,
  'placeholder of a field': (pick) =>
    `<input type="password" name="password" placeholder="At least ${8 + pick(9)} characters" autocomplete="new-password${digit(pick)}">`,
  autocomplete: () =>
    '<input type="password" autocomplete="current-password" id="login-password-field-2" aria-label="Password">',
  icon: (pick) =>
    `<svg class="icon-key"><path d="M${pick(99)}.${pick(99)}L${pick(99)} ${pick(99)}c${pick(9)}-${pick(9)} ${pick(9)}.${pick(99)}z"/></svg>`,
  minified: (pick) =>
    `function(e,t,n){var r=n(${pick(999)}),o=r.token||e.secret;t.key=function(a){return o.get(a,{k:"${run(ALNUM, 2, pick)}"})}}`,
  'bundle with names': (pick) =>
    `__webpack_require__("./node_modules/@acme/${noun(pick)}-token/lib/${noun(pick)}${digit(pick)}.js?${hex(4, pick)}")`,
  'hash of a chunk': (pick) =>
    `${pick(999)}:"${hex(20, pick)}",${pick(999)}:"${hex(20, pick)}",token:"${hex(8, pick)}"`,
  snapshot: (pick) =>
    `exports[\`password ${noun(pick)} ${digit(pick)}\`] = \`<div class="sc-${run(ALNUM, 6, pick)} ${run(ALNUM, 6, pick)}"/>\`;`,
  'type of content': () =>
    'Content-Type: multipart/form-data; boundary=----WebKitFormBoundary7MA4YWxkTrZu0gW',
  soap: (pick) =>
    `<wsse:BinarySecurityToken ValueType="#X509v3" wsu:Id="X509-${hex(32, pick).toUpperCase()}"/>`,
  assembly: (pick) =>
    `System.Web, Version=4.0.0.0, Culture=neutral, PublicKeyToken=${hex(16, pick)}`,
  'registry of windows': (pick) =>
    `[HKEY_LOCAL_MACHINE\\SOFTWARE\\Acme\\Keys\\{${uuid(pick).toUpperCase()}}] "KeyName"="${Noun(pick)}${Noun(pick)}${digit(pick)}"`,
  plist: (pick) =>
    `<key>CFBundleIdentifier</key><string>com.acme.${noun(pick)}${digit(pick)}.${noun(pick)}</string>`,
  'signing id of apple': (pick) =>
    `DEVELOPMENT_TEAM = ${run('ABCDEFGHJKLMNPQRSTUVWXYZ23456789', 10, pick)}; PROVISIONING_PROFILE = "${uuid(pick)}";`,
  'object of xcode': (pick) =>
    `${hex(24, pick).toUpperCase()} /* ${Noun(pick)}Token.swift in Sources */ = {isa = PBXBuildFile; fileRef = ${hex(24, pick).toUpperCase()};`,
  'android resource': (pick) =>
    `<string name="password_${noun(pick)}_${digit(pick)}">@string/${noun(pick)}_password_${noun(pick)}</string>`,
  annotation: (pick) =>
    `@ConfigurationProperties(prefix = "${noun(pick)}.${noun(pick)}.token${digit(pick)}")`,
  bean: (pick) =>
    `<bean id="passwordEncoder" class="org.springframework.security.crypto.bcrypt.BCryptPasswordEncoder${digit(pick)}"/>`,
  'class for tokens': () =>
    'token_class="rest_framework_simplejwt.tokens.AccessToken", password_validators="django.contrib.auth.password_validation.MinimumLengthValidator"',
  middleware: (pick) =>
    `"token": "app.${noun(pick)}.middleware${digit(pick)}.Verify${Noun(pick)}Token",`,
  'entry point': (pick) =>
    `secret-tool = acme_${noun(pick)}.cli${digit(pick)}.secret_${noun(pick)}:main`,
  'option of a command': (pick) =>
    `--token-file /etc/${noun(pick)}/token${digit(pick)} --password-stdin --secret-name=${noun(pick)}-${noun(pick)}-${digit(pick)} --key-type ed25519`,
  'option with a name': (pick) =>
    `kubectl create secret generic ${noun(pick)}-${noun(pick)}-${digit(pick)} --from-file=token=./${noun(pick)}.txt`,
  'option with a variable': (pick) =>
    `docker login --username ${noun(pick)} --password "$REGISTRY_${NOUN(pick)}_${digit(pick)}" && helm install --set auth.password=$PW`,
  'argument of a build': (pick) =>
    `ARG ${NOUN(pick)}_TOKEN\nENV ${NOUN(pick)}_TOKEN_PATH /run/secrets/${noun(pick)}${digit(pick)}\nENV API_KEY $API_KEY`,
  'mounted secret': (pick) =>
    `RUN --mount=type=secret,id=${noun(pick)}_token_${digit(pick)},target=/app/.${noun(pick)}rc npm ci`,
  'npmrc by variable': () =>
    '//registry.acme.example/:_authToken=$' +
    '{NPM_TOKEN}\n//npm.acme.example/:_password=$' +
    '{NPM_PW}',
  netrc: (pick) =>
    `machine ${noun(pick)}.acme.example login ${noun(pick)} password $PASSWORD${digit(pick)}`,
  'postgres by variable': (pick) =>
    `DATABASE_URL=postgres://${noun(pick)}:\${DB_PASSWORD}@db:5432/${noun(pick)}`,
  'address with a stand-in': (pick) =>
    oneOf(
      [
        'postgres://user:password@localhost:5432/app',
        'mysql://username:password@host/db',
        'mongodb://<user>:<password>@cluster0.acme.example',
        'redis://:password@localhost:6379',
        'https://user:pass@example.com',
        'amqp://guest:guest@localhost:5672/',
        'postgresql://postgres:postgres@localhost/test',
        'https://username:your_password@github.com/acme/app.git',
        'mysql://root:root@127.0.0.1/app',
        'mongodb://user:xxxxxx@db/app',
        'https://USER:PASSWORD@proxy.acme.example:3128',
        'ftp://user:********@files.acme.example',
        'https://x-access-token:$GITHUB_TOKEN@github.com/acme/app',
        'postgres://dbuser:mypassword@db/app',
        'https://x:YOUR_TOKEN@acme.example',
        'postgresql+asyncpg://user:changeme@db/app',
        'smtp://user:secret@mail.acme.example:587',
        'socks5://user:pwd@proxy:1080',
      ],
      pick,
    ),
  'connection with a stand-in': (pick) =>
    oneOf(
      [
        'Server=tcp:db.acme.example;Database=app;User ID=app;Password={your_password};Encrypt=True;',
        'Data Source=db;User Id=sa;Password=<password>;',
        'Server=localhost;Uid=root;Pwd=password;',
        'host=localhost;username=app;password=yourpassword',
        'Server=db;User Id=sa;Password=********;',
        'Server=db;User Id=sa;Password=$(DB_PASSWORD);',
      ],
      pick,
    ),
  'header with a variable': (pick) =>
    oneOf(
      [
        'Authorization: Bearer $TOKEN',
        'Authorization: Bearer YOUR_ACCESS_TOKEN',
        'Authorization: Bearer {access_token}',
        `Authorization: token $` + `{GITHUB_TOKEN}`,
        '"Authorization": "Bearer " + accessTokenProvider.current2()',
        "'Authorization': f'Bearer {self.token}'",
        'Authorization: Basic <base64 of user:password>',
        'Authorization: Basic {credentials}',
        'authorization: bearer some-access-token-value',
        'Authorization: Bearer eyJ...',
        'Authorization: Bearer xxxxxxxxxxxxxxxxxxxxxxxx',
      ],
      pick,
    ),
  'bearer in prose': (pick) =>
    `Bearer authentication-with-${noun(pick)}${digit(pick)} or bearer ${noun(pick)}-of-bad-news-for-${noun(pick)}`,
  'scheme of security': (pick) =>
    `security: [{ bearerAuth: [] }, { ${noun(pick)}ApiKey${digit(pick)}: ["read:${noun(pick)}", "write:${noun(pick)}"] }]`,
  scope: (pick) =>
    `scope=openid profile offline_access api://${uuid(pick)}/.default&client_id=${uuid(pick)}`,
  redirect: (pick) =>
    `https://login.acme.example/authorize?response_type=code&client_id=${run(ALNUM, 20, pick)}&state=${run(ALNUM, 16, pick)}&code_challenge=${run(ALNUM, 43, pick)}`,
  'query that leads on': (pick) =>
    `?page_token=${run(ALNUM, 30, pick)}&after=${run(BASE64, 24, pick)}==&nextToken=${run(ALNUM, 40, pick)}`,
  csrf: (pick) =>
    `<meta name="csrf-token" content="${run(ALNUM, 36, pick)}"> X-CSRF-Token: ${run(ALNUM, 36, pick)}`,
  mask: (pick) =>
    `${setting(pick)}=${run(ALNUM, 4, pick)}${oneOf(['****************', '................', '••••••••••••', '…'], pick)}`,
  'stars alone': (pick) => `${setting(pick)}: "${'*'.repeat(8 + pick(20))}"`,
  redacted: (pick) =>
    `${setting(pick)}: ${oneOf(['[REDACTED]', '<redacted>', '***REDACTED***', 'REDACTED_BY_POLICY_12', '(hidden)', '[FILTERED]', '<hidden-for-security-2>'], pick)}`,
  'x alone': (pick) => `${setting(pick)} = '${'x'.repeat(6 + pick(40))}'`,
  'x in groups': (pick) => `${setting(pick)}: xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxx${pick(90) + 10}`,
  zeros: (pick) =>
    `${setting(pick)}: "${'0'.repeat(16 + pick(24))}" ${setting(pick)}=00000000-0000-0000-0000-00000000000${digit(pick)}`,
  alphabet: (pick) =>
    `${setting(pick)} = "${oneOf(['abcdefghijklmnopqrstuvwxyz0123456789', 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567', '0123456789abcdef0123456789abcdef', 'abc123def456ghi789jkl012mno345pq', 'aaaabbbbccccddddeeeeffff00001111', '1234567890123456789012345678901234567890', 'deadbeefcafebabe0123456789abcdef', 'qwertyuiop1234567890', 'a1b2c3d4e5f6a1b2c3d4e5f6a1b2c3d4', 'A1B2C3D4E5F6G7H8I9J0K1L2M3N4O5P6'], pick)}"`,
  'your key': (pick) =>
    `${setting(pick)}="${oneOf(['your-api-key-here', 'YOUR_SECRET_KEY_123', 'your_token_goes_here', '<your-api-key>', 'my-api-key-1234', 'my_secret_password1', 'INSERT_KEY_HERE_2024', 'put-your-key-here', 'enter_your_token', 'some-secret-value-1', 'super-secret-key-123', 'supersecret123', 'changeme123', 'change-me-in-prod1', 'replace-with-real-key-1', 'TODO_ADD_KEY_2', 'not-a-real-key-123', 'fake_key_for_tests_99', 'dummy-token-0001', 'sample_secret_42', 'example-api-key-3', 'test-token-12345', 'foo-bar-baz-123', 'xxx-your-key-xxx', 'paste_token_here2', 'secret_key_base_123', 'my-super-secret-token-1', 'api_key_1', 'top-secret-123'], pick)}"`,
  'word of a novice': (pick) =>
    `password = "${oneOf(['password123', 'letmein1', 'hunter2', 'admin123', 'secret123!', 'test1234', 'changeit1', 'welcome1'], pick)}"`,
  'number of tokens': (pick) =>
    `max_tokens=${pick(99999)}, tokens: ${pick(999)}/${pick(9999)}, secret_count: ${digit(pick)}, token_budget=${pick(9)}_000_000`,
  'time of a token': (pick) =>
    `token_expires_at="2025-11-${10 + pick(19)}T0${digit(pick)}:33:12.${pick(999)}Z" secret_rotated: 17${run('0123456789', 11, pick)}`,
  duration: (pick) =>
    `token_ttl: ${pick(99)}h${pick(59)}m, access_token_lifetime=PT${pick(99)}H${pick(59)}M, key_rotation: "0 ${pick(24)} * * ${pick(7)}"`,
  'version of a key': (pick) =>
    `secret_version: ${2020 + pick(6)}.${pick(12)}.${pick(28)}-${hex(7, pick)}, key_version = "v${digit(pick)}.${pick(99)}.${pick(99)}-rc.${digit(pick)}"`,
  'address of a token': (pick) => `token: 0x${run('0123456789abcdefABCDEF', 40, pick)} // ERC-20`,
  'constant of a program': (pick) =>
    `const uint64_t KEY = 0x${hex(16, pick).toUpperCase()}ULL; secret[${digit(pick)}] = 0x${hex(8, pick)};`,
  bytes: (pick) =>
    `token = b"\\x${hex(2, pick)}\\x${hex(2, pick)}\\x${hex(2, pick)}\\x${hex(2, pick)}\\x${hex(2, pick)}\\x${hex(2, pick)}"`,
  colours: (pick) =>
    `keyColor: "#${hex(8, pick)}", tokenBackground: rgba(${pick(255)},${pick(255)},${pick(255)},0.${digit(pick)})`,
  coordinates: (pick) =>
    `key=${pick(90)}.${run('0123456789', 12, pick)},${pick(180)}.${run('0123456789', 12, pick)}`,
  'mime and token': (pick) =>
    `token: application/vnd.acme.${noun(pick)}.v${digit(pick)}+json; secret: text/${noun(pick)}-${digit(pick)}`,
  license: (pick) =>
    `license_key: MIT-0 OR Apache-2.0, license: "SPDX-License-Identifier: BSD-${digit(pick)}-Clause"`,
  'folder of a project': (pick) =>
    `/opt/src/${noun(pick)}-token-${noun(pick)}/node_modules/.pnpm/${noun(pick)}-secret@${digit(pick)}.${digit(pick)}.${digit(pick)}_${run('abcdefghijklmnopqrstuvwxyz234567', 26, pick)}/dist`,
  'store path': (pick) =>
    `/nix/store/${run('0123456789abcdfghijklmnpqrsvwxyz', 32, pick)}-${noun(pick)}-token-${digit(pick)}.${digit(pick)}.${digit(pick)}`,
  'stack trace': (pick) =>
    `at ${Noun(pick)}Service.${verb(pick)}Token (/app/dist/${noun(pick)}.${hex(8, pick)}.js:${pick(999)}:${pick(99)})`,
  'frame of java': (pick) =>
    `at com.acme.${noun(pick)}.token.${Noun(pick)}TokenProvider$$FastClassBySpringCGLIB$$${hex(8, pick)}.invoke(<generated>)`,
};
