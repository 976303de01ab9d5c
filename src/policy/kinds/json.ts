import { Buffer } from 'node:buffer';
import { type Static, Type } from 'typebox';
import type { JsonNode } from '../../formats/json.ts';
import { readSound } from '../../formats/json-clamp.ts';
import { type JsonPath, jsonPath, pathNames, valuesAt } from '../../formats/json-path.ts';
import type { Detector } from '../../match/detector.ts';
import { type FoundValue, jsonTextDetector } from '../../match/json-text.ts';
import type { InputVerdict, SubjectInput, SubjectJudge } from '../../match/subject.ts';
import { quote } from '../errors.ts';
import { compileSchema } from '../json-schema.ts';
import { type JsonTest, testNode } from '../json-test.ts';
import { linearPattern } from '../linear-pattern.ts';
import { child } from '../located.ts';
import { ruleReaches } from '../reach.ts';
import { closed, words } from '../schema-parts.ts';
import type { InspectWord } from '../set.ts';
import { type MatchContext, matchKind } from './kind.ts';

const Scalar = Type.Unsafe<string | number | boolean | null>(Type.Unknown());

const JsonSchema = Type.Object(
  {
    of: Type.Optional(words(['arguments', 'body', 'text'])),
    path: Type.Optional(Type.String({ minLength: 1, maxLength: 256 })),
    above: Type.Optional(Type.Number()),
    below: Type.Optional(Type.Number()),
    in: Type.Optional(Type.Array(Scalar, { minItems: 1, maxItems: 1_000 })),
    notIn: Type.Optional(Type.Array(Scalar, { minItems: 1, maxItems: 1_000 })),
    matches: Type.Optional(Type.String({ minLength: 1 })),
    violates: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
  },
  { ...closed, minProperties: 1 },
);

type JsonSettings = Static<typeof JsonSchema>;

const IMPLIED: Readonly<Record<'arguments' | 'body', readonly InspectWord[]>> = {
  arguments: ['tool_call'],
  body: ['request'],
};

export const JSON_VALUES = matchKind({
  schema: JsonSchema,
  inspect: ({ of = 'arguments' }) => (of === 'text' ? undefined : IMPLIED[of]),
  compile(settings, context): Detector | undefined {
    const { node, report } = context;
    const { of = 'arguments' } = settings;
    const path = jsonPath(settings.path ?? '$');
    if (path === undefined) {
      report(
        (child(node, 'path') ?? node).at,
        'json_path',
        `${quote(settings.path)} is no path; write one like \`$.items[*].discount\``,
      );
    }
    if (settings.path === undefined && settings.violates === undefined) {
      report(
        node.at,
        'missing_key',
        '`json` does not say where to look; write `path`, or `violates` with a schema',
      );
      return undefined;
    }
    if (!fitsReach(of, context)) return undefined;
    const test = testOf(settings, context);
    if (path === undefined || test === undefined) return undefined;
    return of === 'text' ? textDetector(path, test) : subjectDetector(of, path, test);
  },
});

function fitsReach(
  of: 'arguments' | 'body' | 'text',
  { node, inspect, report }: MatchContext,
): boolean {
  const at = (child(node, 'of') ?? node).at;
  if (of === 'body' && [...inspect].some((word) => word !== 'request')) {
    report(
      at,
      'json_reach',
      'an answer may come as a stream, which has no JSON body; write `of: text` for what a model writes, or `inspect: [request]`',
    );
    return false;
  }
  const calls = (['request', 'response'] as const).some((direction) =>
    ruleReaches({ inspect }, direction, 'tool_call'),
  );
  if (of !== 'arguments' || calls) return true;
  report(
    at,
    'json_reach',
    'only calls of tools have arguments; write `inspect: [tool_call]`, or `of: text`',
  );
  return false;
}

/** Words of which a rule has at most one; `above` and `below` go together. */
const TESTS = ['in', 'notIn', 'matches', 'violates'] as const;

function testOf(settings: JsonSettings, context: MatchContext): JsonTest | undefined {
  const { node, limits, report } = context;
  const { above, below } = settings;
  const asked = TESTS.filter((word) => settings[word] !== undefined);
  const bounds = above !== undefined || below !== undefined;
  if (asked.length + (bounds ? 1 : 0) > 1) {
    report(
      node.at,
      'not_exactly_one',
      '`above` and `below`, `in`, `notIn`, `matches` and `violates` are different questions; keep one, or write a rule for each',
    );
    return undefined;
  }
  if (bounds) {
    return {
      kind: 'outside',
      ...(above === undefined ? {} : { above }),
      ...(below === undefined ? {} : { below }),
    };
  }
  const values = settings.in ?? settings.notIn;
  if (values !== undefined) {
    const odd = values.findIndex((value) => typeof value === 'object' && value !== null);
    if (odd === -1) return { kind: settings.in === undefined ? 'notIn' : 'in', values };
    const list = child(node, settings.in === undefined ? 'notIn' : 'in');
    const at = list?.kind === 'list' ? list.items[odd]?.at : undefined;
    report(
      at ?? node.at,
      'wrong_type',
      'only texts, numbers, `true`, `false` and `null` can be listed; ask for parts of it with a longer `path`',
    );
    return undefined;
  }
  if (settings.matches !== undefined) {
    const compiled = linearPattern(settings.matches);
    if (compiled.ok) return { kind: 'matches', pattern: compiled.test };
    const at = (child(node, 'matches') ?? node).at;
    report(at, 'regex_syntax', `the pattern cannot be used: ${compiled.message}`);
    return undefined;
  }
  if (settings.violates === undefined) return { kind: 'present' };
  const compiled = compileSchema(settings.violates, limits);
  if (compiled.ok) return { kind: 'violates', accepts: compiled.accepts };
  report((child(node, 'violates') ?? node).at, 'json_schema', compiled.message);
  return undefined;
}

/** A value that matches outweighs one that cannot be told. */
function judged(root: JsonNode, bytes: Uint8Array, path: JsonPath, test: JsonTest): InputVerdict {
  let verdict: InputVerdict = 'no';
  for (const node of valuesAt(root, path)) {
    const one = testNode(test, node, bytes);
    if (one === 'matches') return one;
    if (one === 'failed') verdict = one;
  }
  return verdict;
}

function subjectDetector(of: 'arguments' | 'body', path: JsonPath, test: JsonTest): Detector {
  const kind = of === 'body' ? 'body' : 'call';
  const names = pathNames(path);
  const judge: SubjectJudge = {
    about: (subject) => subject === kind,
    byName: (subject) => (subject.kind === kind ? 'input' : 'no'),
    byInput(_subject, { bytes, json }: SubjectInput) {
      const root = json ? readSound(bytes, names) : undefined;
      return root === undefined ? 'failed' : judged(root, bytes, path, test);
    },
  };
  return Object.freeze({
    kind: 'json' as const,
    labels: Object.freeze([]),
    bytes: 0,
    start: () => [],
    matches: () => false,
    judge: Object.freeze(judge),
  });
}

/** In a text, what cannot be told counts as found: there is no call that its class could refuse by itself. */
function textDetector(path: JsonPath, test: JsonTest): Detector {
  const names = pathNames(path);
  const wantsJson = test.kind === 'violates';
  return jsonTextDetector({
    wantsJson,
    find(text) {
      const bytes = Buffer.from(text, 'utf8');
      const root = readSound(bytes, names);
      const whole: FoundValue = { start: 0, end: text.length };
      if (root === undefined) return wantsJson || readsAsJson(text) ? [whole] : [];
      const unit = (byte: number): number =>
        bytes.length === text.length ? byte : bytes.toString('utf8', 0, byte).length;
      return valuesAt(root, path)
        .filter((node) => testNode(test, node, bytes) !== 'no')
        .map((node) => {
          const quotes = node.kind === 'string' && node.end - node.start > 2 ? 1 : 0;
          return { start: unit(node.start + quotes), end: unit(node.end - quotes) };
        })
        .sort((a, b) => a.start - b.start);
    },
  });
}

/** JSON that was in doubt; what merely begins with a bracket is prose. */
function readsAsJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
