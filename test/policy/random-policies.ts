/** Random documents and random askers, small enough that they often meet. */
import fc from 'fast-check';
import type { Asked, PlainPolicy, PlainRule } from './reference.ts';

const HEADERS = ['h0', 'h1', 'h2'] as const;
const words = fc.constantFrom('a', 'b', 'c');

const selector = fc.record(
  {
    tenant: fc.constantFrom('t0', 't1'),
    app: fc.constantFrom('x', 'y'),
    model: fc.constantFrom('m', 'n'),
    consent: words,
  },
  { requiredKeys: [] },
);

const rule = (index: number): fc.Arbitrary<PlainRule> =>
  fc.record(
    {
      id: fc.constant(`r${index}`),
      priority: fc.integer({ min: -1, max: 1 }),
      overridable: fc.boolean(),
      enforcement: fc.constantFrom('enforce', 'enforce', 'enforce', 'shadow', 'off'),
      class: fc.constantFrom('security', 'operational'),
      action: fc.constantFrom('allow', 'flag', 'block', 'redact'),
      header: fc.constantFrom(...HEADERS),
    },
    { requiredKeys: ['id', 'priority', 'overridable', 'enforcement', 'class', 'action'] },
  );

const policy = (index: number): fc.Arbitrary<PlainPolicy> =>
  fc.record(
    {
      name: fc.constant(`p${index}`),
      layer: fc.constantFrom('platform', 'tenant', 'app', 'model'),
      selector,
      default: fc.constant('deny' as const),
      rules: fc
        .integer({ min: 1, max: 4 })
        .chain((count) => fc.tuple(...Array.from({ length: count }, (_, at) => rule(at)))),
    },
    { requiredKeys: ['name', 'layer', 'selector', 'rules'] },
  );

export const policies: fc.Arbitrary<readonly PlainPolicy[]> = fc
  .integer({ min: 1, max: 6 })
  .chain((count) => fc.tuple(...Array.from({ length: count }, (_, at) => policy(at))));

const held = fc.constantFrom('true', 'true', 'false', 'broken');

export const asked: fc.Arbitrary<Asked> = fc.record({
  facts: fc.record(
    {
      tenant: fc.constantFrom('t0', 't1', 't2'),
      app: fc.constantFrom('x', 'y', 'z'),
      model: fc.constantFrom('m', 'n', 'o'),
      consent: fc.uniqueArray(words, { minLength: 1 }).map((some) => some.join(' ')),
    },
    { requiredKeys: [] },
  ),
  headers: fc.record({ h0: held, h1: held, h2: held }),
});

/** As an author writes it. A condition that is broken compares a number that is none. */
export function documentOf({
  name,
  layer,
  selector: wanted,
  default: verdict,
  rules,
}: PlainPolicy): string {
  const chosen = Object.entries(wanted).map(([fact, value]) => `${fact}: ${value}`);
  const metadata = [`name: ${name}`, `layer: ${layer}`];
  if (chosen.length > 0) metadata.push(`selector: { ${chosen.join(', ')} }`);
  return [
    'kind: Policy',
    `metadata: { ${metadata.join(', ')} }`,
    ...(verdict === undefined ? [] : [`default: ${verdict}`]),
    'rules:',
    ...rules.map(
      (one) =>
        `  - { id: ${one.id}, class: ${one.class}, priority: ${one.priority}, overridable: ${one.overridable}, enforcement: ${one.enforcement}${one.header === undefined ? '' : `, when: 'double(headers.${one.header}) > 0.0'`}, ${ACTIONS[one.action]} }`,
    ),
    '',
  ].join('\n');
}

const ACTIONS: Readonly<Record<PlainRule['action'], string>> = {
  allow: 'then: allow',
  flag: 'then: flag',
  block: 'then: block',
  redact: 'inspect: [response], match: { pii: { entities: [email] } }, then: redact',
};

export const HEADER_VALUES: Readonly<Record<Asked['headers'][string], string>> = {
  true: '1',
  false: '0',
  broken: 'x',
};
