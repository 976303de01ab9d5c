/**
 * Breaks policy documents, from a seed: each way takes a valid document, written in flow or block style, and
 * makes one mistake in it that no reader could take for something else.
 */
import {
  isMap,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  parseDocument,
  Scalar,
  type YAMLMap,
} from 'yaml';
import { seeded } from '../envoy/sessions.ts';

export interface Broken {
  readonly how: string;
  readonly text: string;
}

type Random = () => number;

/** Undefined where the document has no place for this mistake. */
type Way = (text: string, random: Random) => string | undefined;

interface Spot {
  readonly map: YAMLMap;
  readonly pair: Pair<Scalar<string>, Node>;
  readonly path: readonly string[];
}

function spotsOf(node: unknown, path: readonly string[] = []): readonly Spot[] {
  if (isSeq(node)) return node.items.flatMap((item) => spotsOf(item, path));
  if (!isMap(node)) return [];
  return (node.items as Spot['pair'][]).flatMap((pair) => {
    const at = [...path, String(pair.key.value)];
    return [{ map: node as YAMLMap, pair, path: at }, ...spotsOf(pair.value, at)];
  });
}

/** Keys under which any key is lawful: words with their aliases, headers, facts by name. */
const OPEN = new Set(['aliases', 'headers', 'facts']);

const pick = <Item>(items: readonly Item[], random: Random): Item | undefined =>
  items[Math.floor(random() * items.length)];

/** Changes the document at one of the places that `fits`. */
function changing(
  fits: (spot: Spot) => boolean,
  change: (spot: Spot, random: Random) => void,
): Way {
  return (text, random) => {
    const document = parseDocument(text);
    const spot = pick(spotsOf(document.contents).filter(fits), random);
    if (spot === undefined) return undefined;
    change(spot, random);
    return document.toString({ lineWidth: 0 });
  };
}

const closedKey = ({ path }: Spot): boolean => !path.slice(0, -1).some((key) => OPEN.has(key));
const last = ({ path }: Spot): string => path.at(-1) ?? '';
const named =
  (...keys: readonly string[]) =>
  (spot: Spot): boolean =>
    keys.includes(last(spot)) && closedKey(spot);
const setTo =
  (...values: readonly unknown[]) =>
  ({ pair }: Spot, random: Random): void => {
    pair.value = new Scalar(pick(values, random)) as Node;
  };

export const WAYS: Readonly<Record<string, Way>> = {
  'a misspelt key': changing(closedKey, ({ pair }, random) => {
    const key = pair.key.value;
    const at = Math.floor(random() * (key.length + 1));
    pair.key.value = `${key.slice(0, at)}${pick(['x', 'q', 'Z', '_'], random)}${key.slice(at)}`;
  }),
  'a key of another language': changing(closedKey, ({ map }, random) => {
    const key = pick(['selectors', 'effect', 'spec', 'annotations', 'matches', 'actions'], random);
    map.add({ key: new Scalar(key), value: new Scalar('x') } as never);
  }),
  'no name': changing(named('metadata'), ({ pair }) =>
    (pair.value as unknown as YAMLMap).delete('name'),
  ),
  'no layer': changing(named('metadata'), ({ pair }) =>
    (pair.value as unknown as YAMLMap).delete('layer'),
  ),
  'no rule id': changing(named('id'), ({ map }) => map.delete('id')),
  'no action': changing(named('then'), ({ map }) => map.delete('then')),
  'an unknown kind': changing(named('kind'), setTo('Polcy', 'policy', 'ConfigMap', 7, true, null)),
  'an unknown layer': changing(named('layer'), setTo('cluster', 'Tenant', '', 3, null)),
  'an unknown class': changing(named('class'), setTo('secure', 'SECURITY', 1, false)),
  'an unknown action': changing(
    (spot) => last(spot) === 'then' && isScalar(spot.pair.value),
    setTo('deny', 'mask', 'Block', 5, null, true),
  ),
  'a list for a map': changing(named('match', 'metadata'), ({ pair }) => {
    pair.value = parseDocument('[a, b]').contents as unknown as Node;
  }),
  'a text for a list': changing(named('rules', 'inspect', 'words'), setTo('request', 4, '')),
  'an unknown place': changing(named('inspect'), ({ pair }, random) => {
    const word = pick(['requests', 'prompt', 'body', 'Response', '""', '7'], random);
    pair.value = parseDocument(`[${word}]`).contents as unknown as Node;
  }),
  'nothing to look for': changing(named('words'), ({ pair }, random) => {
    pair.value = parseDocument(pick(['[]', '[""]', '["  "]', '[3]', '[[a]]'], random)!)
      .contents as unknown as Node;
  }),
  'an expression that is none': changing(
    named('pattern'),
    setTo('a(', '[z-a]', 'a**', '(?=a)b', '(a)\\1', '\\p{Nope}', 'a{2,1}', '', '(?P<a', '\\'),
  ),
  'an expression without a bound': changing(named('pattern'), setTo('secret.*', 'a+b', '(ab){3,}')),
  'a condition that is none': changing(
    named('when'),
    setTo(
      '',
      'tenant =',
      'tenent == "a"',
      'tenant && ',
      '"a"',
      'foo(tenant)',
      '(((',
      'tenant = "a"',
    ),
  ),
  'a name that is none': changing(
    named('name'),
    setTo('', '-a', 'a b', 'ä', 5, null, 'x'.repeat(65)),
  ),
  'a version that is none': changing(named('version'), setTo('1', 'v1.0.0', '1.0', 2, '')),
  'a selector of no fact': changing(named('selector'), ({ pair }, random) => {
    const fact = pick(['tenent: a', 'user: a', '{}', '7: a', 'tenant: [a]', 'tenant: ""'], random)!;
    pair.value = parseDocument(fact.startsWith('{') ? fact : `{ ${fact} }`)
      .contents as unknown as Node;
  }),
  'two rules of one id': changing(named('rules'), ({ pair }) => {
    const rules = pair.value as unknown as { items: unknown[] };
    rules.items.push(rules.items[0]);
  }),
  'no class': changing(
    (spot) => last(spot) === 'class' && spot.path.length === 1,
    ({ map }) => map.delete('class'),
  ),
  'a status out of range': changing(named('status'), setTo(200, 399, 500, 4000, '400', 4.5, -1)),
  'a number that is none': changing(named('priority'), setTo('high', 1.5, 1e9, null)),
  'an empty replacement': changing(named('with'), setTo('', ' ', 7, null, '\t')),
  'a whole document nested too deep': (text) =>
    `${text}\nextra: ${'['.repeat(80)}${']'.repeat(80)}\n`,
  'a tab for spaces': (text) => text.replace(/^ {2}(?=\S)/m, '\t'),
  'a quote that never ends': (text, random) => insertAt(text, random, ': "'),
  'a bracket that never ends': (text, random) => insertAt(text, random, ': [{'),
  'a line of nonsense': (text, random) => {
    const lines = text.split('\n');
    lines.splice(Math.floor(random() * lines.length), 0, '%%% @@ : : {{');
    return lines.join('\n');
  },
  'the same key twice': (text) => text.replace(/^metadata:/m, 'kind: Policy\nmetadata:'),
  'an alias of nothing': (text) => text.replace(/^class: .*$/m, 'class: *nobody'),
  'a tag': (text) => text.replace(/^class: .*$/m, 'class: !!js/function "x"'),
  'an old directive': (text) => `%YAML 1.1\n---\n${text}`,
  'a list for a document': (text) => `- ${text.trimEnd().split('\n').join('\n  ')}\n`,
  'a control character': (text) => text.replace(/^class: /m, 'class: \u0007'),
  'nothing but a comment': () => '# soon\n',
  'a document cut short': (text, random) => {
    const rules = text.indexOf('rules:');
    return rules < 0 ? undefined : text.slice(0, rules + Math.floor(random() * 6)).trimEnd();
  },
};

function insertAt(text: string, random: Random, what: string): string {
  const ends = [...text.matchAll(/\n/g)].map(({ index }) => index);
  const at = pick(ends.slice(0, -1), random) ?? text.length;
  return `${text.slice(0, at)}${what}${text.slice(at)}`;
}

/** `count` broken documents, every way about as often as the others. */
export function brokenDocuments(
  valid: readonly string[],
  count: number,
  seed: number,
): readonly Broken[] {
  const random = seeded(seed);
  const ways = Object.entries(WAYS);
  const made: Broken[] = [];
  const seen = new Set<string>(valid);
  for (let turn = 0; made.length < count && turn < count * 50; turn += 1) {
    const [how, way] = ways[turn % ways.length]!;
    const text = way(pick(valid, random)!, random);
    if (text === undefined || seen.has(text)) continue;
    seen.add(text);
    made.push({ how, text });
  }
  return made;
}
