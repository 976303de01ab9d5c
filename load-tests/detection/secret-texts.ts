/** Credentials as they are leaked: in settings of all kinds, code, commands, logs and chats. Made here. */
import { ISSUED, oneOf } from './secret-values.ts';
import type { Pick } from './values.ts';

export interface SecretText {
  readonly id: string;
  readonly text: string;
  /** What must be covered. */
  readonly secret: string;
  /** Whose it is. */
  readonly rule: string;
}

const capitalized = (name: string): string => name[0]?.toUpperCase() + name.slice(1);

/** `{v}` is the value, `{n}` the provider in small letters, `{N}` in capitals, `{C}` capitalized, `{w}` token, key or secret. */
const ASSIGNMENTS: readonly string[] = [
  '{n}_{w}={v}',
  '{n}_{w} = {v}',
  '{n}_{w} = "{v}"',
  "{n}_api_{w}: '{v}'",
  '{n}_api_{w}: {v}',
  '{n}:\n  api_{w}: {v}\n  region: eu',
  '- name: {N}_API_{W}\n  value: {v}\n',
  '{"{n}_{w}": "{v}"}',
  '{"{n}": {"apiToken": "{v}", "retries": 3}}',
  '{\\"{n}_{w}\\": \\"{v}\\"}',
  '<{n}Token>{v}</{n}Token>',
  '<add key="{C}ApiKey" value="{v}" />',
  '<property name="{n}.api.{w}">{v}</property>',
  '{n}.api.{w}={v}\n{n}.retries=3',
  'export {N}_API_{W}={v}',
  'set {N}_{W}={v}\r\n',
  'ENV {N}_API_{W} {v}\n',
  '{N}_{W} := {v}',
  '{N}_{W} ?= "{v}"',
  '{N}_API_{W} ::= "{v}"',
  'const {n}ApiKey = "{v}";',
  "let {n}Token = '{v}'",
  'const {n}Secret = `{v}`;',
  'var {n}Token string = "{v}"',
  '{n}Token := "{v}"',
  'String {n}ApiKey = "{v}";',
  'private static final String {N}_SECRET_KEY = "{v}";',
  'string {C}Token = "{v}";',
  '#define {N}_TOKEN "{v}"',
  '$app_{n}_{w} = "{v}";',
  "define('{N}_API_KEY', '{v}');",
  ":{n}_{w} => '{v}',",
  "'{n}_token' => '{v}'",
  'os.environ["{N}_API_KEY"] = "{v}"',
  "client = Client({n}_token='{v}')",
  'curl -H "X-{C}-Token: {v}" https://api.acme.example',
  '{n} login --token {v}',
  '{n} --api-key={v} deploy',
  'https://api.acme.example/v1?{n}_{w}={v}&page=2',
  'variable "{n}_{w}" {\n  default = "{v}"\n}',
  '| {n} api {w} | {v} |',
  'The {n} token is: {v}',
  'my {n} api key: `{v}`',
];

const WORDS = ['token', 'key', 'secret'];

/** What needs no name stands anywhere. */
const ANYWHERE: readonly string[] = [
  '{v}',
  'Please use {v} for now.',
  'It failed with ({v}), can you see why?',
  'Authorization: Bearer {v}',
  '["{v}"]',
  'line 12: <{v}>\n',
  '\u00e9t\u00e9: {v}\u3002',
  'x={v};',
];

/** One text of each way of writing for everything issued: many; `every` keeps each nth of them. */
export function secretTexts(pick: Pick, every = 1): SecretText[] {
  const texts: SecretText[] = [];
  let count = 0;
  for (const [index, { provider, name, value }] of ISSUED.entries()) {
    const forms = name === undefined ? [...ANYWHERE, ...ASSIGNMENTS] : ASSIGNMENTS;
    for (const [number, form] of forms.entries()) {
      if (count++ % every !== 0) continue;
      const secret = value(pick);
      const word = oneOf(WORDS, pick);
      const text = form
        .replaceAll('{n}', provider)
        .replaceAll('{N}', provider.toUpperCase())
        .replaceAll('{C}', capitalized(provider))
        .replaceAll('{w}', word)
        .replaceAll('{W}', word.toUpperCase())
        .replaceAll('{v}', () => secret);
      texts.push({
        id: `${provider}/${index}/${number}`,
        text,
        secret,
        rule: name === undefined ? provider : `${provider} (named)`,
      });
    }
  }
  return texts;
}
