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
  const { items } = entries;
  /** What is not spelled is still to come, as far as the tokens agree. */
  let spelled = 0;
  let agrees = true;
  const compare = (entry: JsonNode): void => {
    const token = agrees ? spelledBy(tokenOf(entry), collector) : '';
    agrees &&= said.startsWith(token, spelled);
    spelled += token.length;
  };
  const add = (entry: JsonNode, at: number): void => {
    const token = tokenOf(entry);
    if (token?.kind === 'string')
      collector.add(token, text, 'assistant', last && at === items.length - 1);
  };
  collector.each(items, compare, () => {
    const others = (): void => collector.each(items, (entry) => readEntry(entry, collector));
    if (agrees && spelled === said.length) others();
    else collector.each(items, add, others);
  });
}

/** What an entry says besides its token. */
function readEntry(entry: JsonNode, collector: PieceCollector): void {
  if (entry.kind === 'string') return;
  if (entry.kind !== 'object') {
    collector.standAlone(entry, 'other', 'assistant');
    return;
  }
  collector.each(
    entry.members,
    (member) => {
      if (SILENT.has(member.key)) return;
      collector.name(member, 'other', 'assistant');
      collector.standAlone(member.value, 'other', 'assistant');
    },
    () => readConsidered(memberOf(entry, 'top_logprobs'), tokenOf(entry), collector),
  );
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
  collector.each(others.items, (other) => {
    if (value === '' || spelledBy(tokenOf(other), collector) !== value)
      collector.standAlone(other, 'other', 'assistant');
  });
}

/** The token of an entry, which may be one itself. */
export function tokenOf(entry: JsonNode | undefined): JsonNode | undefined {
  return entry?.kind === 'object' ? memberOf(entry, 'token') : entry;
}

function spelledBy(token: JsonNode | undefined, collector: PieceCollector): string {
  return token?.kind === 'string' ? collector.valueOf(token) : '';
}
