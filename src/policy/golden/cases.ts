/** Golden sets of the documents → cases that can be run, or every mistake in them. */
import { quote, quoteList, type Tell } from '../errors.ts';
import { type GivenSurroundings, givenFeed, givenSurroundings } from '../given.ts';
import { givenVerdict } from '../given-verdict.ts';
import type { CompileLimits } from '../limits.ts';
import type { LoadedDocument } from '../load.ts';
import { canonicalJson, child, type Located, plain } from '../located.ts';
import { accepts, type Report } from '../read.ts';
import { FACT_NAMES } from '../schema.ts';
import type { Facts, SourcePosition } from '../set.ts';
import { didYouMean } from '../suggest.ts';
import {
  GOLDEN_FORMAT_DEFAULT,
  GOLDEN_WORDS,
  type GoldenCaseDocument,
  type GoldenExpectation,
  type GoldenFormat,
  type GoldenRequest,
  type GoldenResponse,
  type GoldenSetDocument,
  GoldenSetSchema,
  type GoldenStage,
} from './schema.ts';

export interface GoldenCase {
  readonly name: string;
  /** The policy that the golden set is of. */
  readonly policy: string;
  readonly stage: GoldenStage;
  /** A save that lacks it needs a signed override. */
  readonly protected: boolean;
  /** What it says, the same for cases that differ in spaces and comments only. */
  readonly canonical: string;
  /** Those that the policy's selector asks for, and those that the case gives. */
  readonly facts: Facts;
  readonly route: string;
  /** Wall clock, ms since the epoch; the day it is run on without it. */
  readonly atMs?: number;
  /** What conditions read beside the request. */
  readonly around: GivenSurroundings;
  readonly request: GoldenRequest;
  readonly response?: GoldenResponse;
  /** With the whole id of its rule. */
  readonly expect: GoldenExpectation;
  readonly position: SourcePosition;
}

/** What golden sets need to know of a policy. */
export interface DeclaredPolicy {
  /** As they are written, also of rules that do not compile. */
  readonly ruleIds: ReadonlySet<string>;
  readonly selector: Facts;
}

/** A golden set that was read, before the policies of the other documents are known. */
export interface GoldenDraft {
  readonly cases: readonly {
    readonly written: GoldenCaseDocument;
    readonly canonical: string;
    readonly position: SourcePosition;
    /** Of the rule that it names, or of the case without. */
    readonly ruleAt: SourcePosition;
  }[];
  readonly policy: string;
  readonly protected: boolean;
  readonly policyAt: SourcePosition;
}

/** Undefined when something was reported. */
export function readGoldenSet(
  document: LoadedDocument,
  limits: CompileLimits,
  report: Report,
): GoldenDraft | undefined {
  const { root } = document;
  let clean = true;
  const tell: Report = (at, code, message) => {
    clean = false;
    report(at, code, message);
  };
  if (!accepts(GoldenSetSchema, root, 'golden set', tell)) return undefined;
  const { policy, cases, protected: isProtected = false } = plain(root) as GoldenSetDocument;
  const nodes = child(root, 'cases');
  const items = nodes?.kind === 'list' ? nodes.items : [];
  const names = new Set<string>();
  const read = cases.map((written, index) => ({ written, node: items[index] ?? root }));
  if (read.length > limits.goldenCasesMax) {
    const first = read[limits.goldenCasesMax]!;
    tell(
      first.node.at,
      'too_many_cases',
      `the golden set has ${read.length} cases; write at most ${limits.goldenCasesMax} and split the rest off`,
    );
    return undefined;
  }
  for (const { written, node } of read) {
    if (names.has(written.name)) {
      tell(
        child(node, 'name')?.at ?? node.at,
        'duplicate_case',
        `the case ${quote(written.name)} stands twice in this golden set; rename one`,
      );
    }
    names.add(written.name);
    checkCase(written, node, tell);
  }
  if (!clean) return undefined;
  const place = (at: number): SourcePosition => ({ file: document.file, ...document.position(at) });
  return {
    cases: read.map(({ written, node }) => ({
      written,
      canonical: canonicalJson(node),
      position: place(node.at),
      ruleAt: place(child(child(node, 'expect'), 'rule')?.at ?? node.at),
    })),
    policy,
    protected: isProtected,
    policyAt: place(child(root, 'policy')?.at ?? root.at),
  };
}

function checkCase(written: GoldenCaseDocument, node: Located, report: Report): void {
  const { request, response } = written;
  if (request === undefined && response === undefined) {
    report(
      node.at,
      'golden_case',
      `the case ${quote(written.name)} has neither \`request\` nor \`response\`; write what is asked or answered`,
    );
  }
  for (const key of ['request', 'response'] as const) {
    const side = child(node, key);
    if (side?.kind !== 'map') continue;
    const ways = side.entries.filter((one) => WAYS[key].includes(one.key));
    const format = formatOf(written, key);
    const known = [...GOLDEN_WORDS[format][key], 'body'];
    for (const { key: way, keyAt } of ways) {
      if (known.includes(way)) continue;
      report(
        keyAt,
        'golden_case',
        `a ${key} in ${quote(format)} has no place for ${quote(way)}; write ${quoteList(known)}, or choose another \`format\``,
      );
    }
    const body = ways.find((one) => one.key === 'body');
    if (body !== undefined && ways.length > 1) {
      report(
        body.keyAt,
        'golden_case',
        `\`body\` is the whole body of the ${key}; remove it, or ${quoteList(ways.filter((one) => one !== body).map((one) => one.key))}`,
      );
    }
    if (key === 'response' && ways.length === 0) {
      report(
        side.at,
        'golden_case',
        'the response says nothing; write `text`, `stream`, `tool_call` or `body`',
      );
    }
    if (ways.filter((one) => one.key === 'text' || one.key === 'stream').length > 1) {
      report(
        side.at,
        'golden_case',
        'an answer comes whole or in deltas; remove `text` or `stream`',
      );
    }
  }
  for (const [fact] of Object.entries(written.facts ?? {})) {
    if ((FACT_NAMES as readonly string[]).includes(fact)) continue;
    const facts = child(node, 'facts');
    const entry = facts?.kind === 'map' ? facts.entries.find(({ key }) => key === fact) : undefined;
    const meant = didYouMean(fact, FACT_NAMES) || `; the facts are ${quoteList(FACT_NAMES)}`;
    report(entry?.keyAt ?? node.at, 'unknown_fact', `${quote(fact)} is not a fact${meant}`);
  }
  for (const [name, value] of Object.entries(written.feed ?? {})) {
    if (givenFeed(value) !== undefined) continue;
    report(
      child(child(node, 'feed'), name)?.at ?? node.at,
      'golden_case',
      `the feed ${quote(name)} is neither a list of texts nor a map of texts and numbers; write one of them`,
    );
  }
  for (const [name, value] of Object.entries(written.classifier ?? {})) {
    if (givenVerdict(name, value) !== undefined) continue;
    report(
      child(child(node, 'classifier'), name)?.at ?? node.at,
      'golden_case',
      `what ${quote(name)} says is neither a score, nor a map of words to scores, nor a reason for none; write e.g. 0.9`,
    );
  }
  if (written.at !== undefined && Number.isNaN(Date.parse(written.at))) {
    report(
      child(node, 'at')?.at ?? node.at,
      'bad_unit',
      `${quote(written.at)} is no time; write one as \`2026-01-31T03:00:00Z\``,
    );
  }
}

/** One side may name the format for both. */
function formatOf(written: GoldenCaseDocument, side: 'request' | 'response'): GoldenFormat {
  const { request, response } = written;
  const own = side === 'request' ? request?.format : response?.format;
  return own ?? request?.format ?? response?.format ?? GOLDEN_FORMAT_DEFAULT;
}

const WAYS = {
  request: ['system', 'user', 'assistant', 'tool_result', 'tools', 'tool_call', 'body'],
  response: ['text', 'stream', 'tool_call', 'body'],
};

/**
 * The cases, with their rules found among those `declared`, by policy. A rule that is named alone is one of
 * the golden set's own policy, or of a module of it. Tells what is not there.
 */
export function resolveCases(
  drafts: readonly GoldenDraft[],
  declared: ReadonlyMap<string, DeclaredPolicy>,
  tell: Tell,
): readonly GoldenCase[] {
  const ruleIds = new Set(
    [...declared].flatMap(([policy, { ruleIds: ids }]) => [...ids].map((id) => `${policy}/${id}`)),
  );
  return drafts.flatMap(({ cases, policy, policyAt, protected: isProtected }) => {
    const own = declared.get(policy);
    if (own === undefined) {
      const names = [...declared.keys()];
      const meant = didYouMean(policy, names) || '; write the `metadata.name` of a policy';
      tell(policyAt, 'unknown_policy', `there is no policy ${quote(policy)}${meant}`);
      return [];
    }
    return cases.map(({ written, canonical, position, ruleAt }): GoldenCase => {
      const { rule } = written.expect;
      const whole = rule === undefined || ruleIds.has(rule) ? rule : `${policy}/${rule}`;
      if (whole !== undefined && !ruleIds.has(whole)) {
        const meant =
          didYouMean(whole, [...ruleIds]) ||
          `; rules of this policy are ${quoteList([...own.ruleIds])}`;
        tell(ruleAt, 'unknown_rule', `there is no rule ${quote(whole)}${meant}`);
      }
      const atMs = written.at === undefined ? undefined : Date.parse(written.at);
      return Object.freeze({
        name: written.name,
        policy,
        stage: written.stage ?? 'fast',
        protected: isProtected,
        canonical,
        facts: { ...own.selector, ...written.facts } as Facts,
        route: written.route ?? '',
        ...(atMs === undefined ? {} : { atMs }),
        around: givenSurroundings(written),
        request: written.request ?? {},
        ...(written.response === undefined ? {} : { response: written.response }),
        expect: { ...written.expect, ...(whole === undefined ? {} : { rule: whole }) },
        position,
      });
    });
  });
}
