/** Feeds: lists that somebody else keeps, as conditions look things up in them. A document is taken whole or not. */
import { Networks } from './networks.ts';
import type { FeedEntries } from './surroundings.ts';

export const FEED_KINDS = ['words', 'networks', 'map'] as const;
export type FeedKind = (typeof FEED_KINDS)[number];

export type ParsedFeed =
  | { readonly ok: true; readonly entries: FeedEntries }
  /** What is wrong and where, without a word of the document. */
  | { readonly ok: false; readonly fault: string };

const broken = (fault: string): ParsedFeed => ({ ok: false, fault });

/**
 * `words` and `networks`: one entry a line, `#` (and `;` behind a network) begins a comment, or a JSON list of texts;
 * `map`: a JSON object of texts, numbers and booleans. Cost: linear in the text.
 */
export function parseFeed(kind: FeedKind, text: string, entriesMax: number): ParsedFeed {
  // What a write that failed leaves behind; a list of nothing is written with a comment, `[]` or `{}`.
  if (text.trim() === '') return broken('it is empty; write `# nothing` where that is meant');
  if (kind === 'map') return parseMap(text, entriesMax);
  const listed = text.trimStart().startsWith('[') ? listOf(text) : linesOf(kind, text);
  if (listed === undefined) return broken('it is no JSON list of texts');
  const networks = new Networks();
  const words = new Map<string, true>();
  for (const { entry, line } of listed) {
    if (kind === 'words') words.set(entry, true);
    else if (!networks.include(entry))
      return broken(`entry ${line} is no address and no network such as 192.0.2.0/24`);
    if (words.size + networks.size > entriesMax) return tooMany(entriesMax);
  }
  return { ok: true, entries: kind === 'words' ? words : networks };
}

const tooMany = (entriesMax: number): ParsedFeed =>
  broken(`it has more than ${entriesMax} entries; raise \`limits.feedEntriesMax\``);

interface Listed {
  readonly entry: string;
  /** From 1; in a JSON list, the place in it. */
  readonly line: number;
}

function linesOf(kind: FeedKind, text: string): readonly Listed[] {
  const comment = kind === 'networks' ? /[#;].*$/u : /^\s*#.*$/u;
  return text
    .split(/\r?\n/u)
    .map((line, index) => ({ entry: line.replace(comment, '').trim(), line: index + 1 }))
    .filter(({ entry }) => entry !== '');
}

function listOf(text: string): readonly Listed[] | undefined {
  const list = jsonOf(text);
  if (!Array.isArray(list) || !list.every((one) => typeof one === 'string')) return undefined;
  return list.map((entry, index) => ({ entry, line: index + 1 }));
}

function parseMap(text: string, entriesMax: number): ParsedFeed {
  const object = jsonOf(text);
  if (typeof object !== 'object' || object === null || Array.isArray(object))
    return broken('it is no JSON object');
  const entries = Object.entries(object);
  if (entries.length > entriesMax) return tooMany(entriesMax);
  for (const [index, [, value]] of entries.entries())
    if (!['string', 'number', 'boolean'].includes(typeof value))
      return broken(`entry ${index + 1} is no text, number, true or false`);
  return { ok: true, entries: new Map(entries as [string, string | number | boolean][]) };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
