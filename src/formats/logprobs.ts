/**
 * Logarithmic probabilities: they spell an answer once more, token by token, and name what else the model thought
 * of. Where a text is changed they go with it; until then nothing in them may pass that was not read.
 */
import { type JsonArray, type JsonNode, memberOf } from './json.ts';
import type { PieceCollector } from './piece-collector.ts';

/** The text that tokens ought to spell. */
export interface Spelled {
  /** What the frame says of it. */
  readonly said: string;
  /** A text for the tokens, where they say something else. */
  readonly text: string;
  /** It is complete with this frame. */
  readonly last: boolean;
}

/** Members of an entry that are no words: `bytes` spells the token, and is not compared with it. */
const SILENT: ReadonlySet<string> = new Set([
  'token',
  'bytes',
  'logprob',
  'top_logprobs',
  'tokenId',
  'logProbability',
]);

/** Collects tokens that say something else than the text, and all that were only considered. */
export function readTokens(
  entries: JsonArray,
  { said, text, last }: Spelled,
  collector: PieceCollector,
): void {
  const tokens = entries.items.map(tokenOf);
  const spelling = tokens.map((token) => spelledBy(token, collector)).join('');
  if (spelling !== said)
    tokens.forEach((token, at) => {
      if (token?.kind === 'string')
        collector.add(token, text, 'assistant', last && at === tokens.length - 1);
    });
  for (const entry of entries.items) {
    if (entry.kind === 'string') continue;
    if (entry.kind !== 'object') {
      collector.standAlone(entry, 'other', 'assistant');
      continue;
    }
    for (const member of entry.members)
      if (!SILENT.has(member.key)) {
        collector.name(member, 'other', 'assistant');
        collector.standAlone(member.value, 'other', 'assistant');
      }
    readConsidered(memberOf(entry, 'top_logprobs'), tokenOf(entry), collector);
  }
}

/** Tokens that the model did not take: texts of their own. */
export function readConsidered(
  others: JsonNode | undefined,
  taken: JsonNode | undefined,
  collector: PieceCollector,
): void {
  if (others === undefined) return;
  if (others.kind !== 'array') {
    collector.standAlone(others, 'other', 'assistant');
    return;
  }
  const value = spelledBy(taken, collector);
  for (const other of others.items)
    if (value === '' || spelledBy(tokenOf(other), collector) !== value)
      collector.standAlone(other, 'other', 'assistant');
}

/** The token of an entry, which may be one itself. */
export function tokenOf(entry: JsonNode | undefined): JsonNode | undefined {
  return entry?.kind === 'object' ? memberOf(entry, 'token') : entry;
}

function spelledBy(token: JsonNode | undefined, collector: PieceCollector): string {
  return token?.kind === 'string' ? collector.valueOf(token) : '';
}
