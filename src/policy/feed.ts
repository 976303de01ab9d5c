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

/** So many lines or entries are read between two looks at who else waits. */
const ENTRIES_PER_STEP = 64;

/**
 * `words` and `networks`: one entry a line, `#` (and `;` behind a network) begins a comment, or a JSON list of texts;
 * `map`: a JSON object of texts, numbers and booleans. Goes on in steps of a fraction of a millisecond, but for the
 * parsing of JSON, which is one. Cost: linear in the text.
 */
export function* readFeed(
  kind: FeedKind,
  text: string,
  entriesMax: number,
): Generator<undefined, ParsedFeed> {
  // What a write that failed leaves behind; a list of nothing is written with a comment, `[]` or `{}`.
  if (!/\S/u.test(text)) return broken('it is empty; write `# nothing` where that is meant');
  if (kind === 'map') return yield* readMap(text, entriesMax);
  const listed = /^\s*\[/u.test(text) ? listOf(text) : linesOf(kind, text);
  if (listed === undefined) return broken('it is no JSON list of texts');
  const networks = new Networks();
  const words = new Map<string, true>();
  let read = 0;
  for (const entry of listed) {
    read++;
    if (read % ENTRIES_PER_STEP === 0) yield;
    if (entry === undefined) continue;
    if (typeof entry !== 'string') return broken('it is no JSON list of texts');
    if (kind === 'words') words.set(entry, true);
    else if (!networks.include(entry))
      return broken(`entry ${read} is no address and no network such as 192.0.2.0/24`);
    if (words.size + networks.size > entriesMax) return tooMany(entriesMax);
  }
  return { ok: true, entries: kind === 'words' ? words : networks };
}

const tooMany = (entriesMax: number): ParsedFeed =>
  broken(`it has more than ${entriesMax} entries; raise \`limits.feedEntriesMax\``);

/** One for each line, undefined where it says nothing. */
function* linesOf(kind: FeedKind, text: string): Generator<string | undefined> {
  const comment = kind === 'networks' ? /[#;].*$/u : /^\s*#.*$/u;
  for (let from = 0; from <= text.length; ) {
    const end = text.indexOf('\n', from);
    const line = text.slice(from, end === -1 ? text.length : end);
    yield line.replace(/\r$/u, '').replace(comment, '').trim() || undefined;
    from = end === -1 ? text.length + 1 : end + 1;
  }
}

function listOf(text: string): readonly unknown[] | undefined {
  const list = jsonOf(text);
  return Array.isArray(list) ? list : undefined;
}

function* readMap(text: string, entriesMax: number): Generator<undefined, ParsedFeed> {
  const object = jsonOf(text);
  if (typeof object !== 'object' || object === null || Array.isArray(object))
    return broken('it is no JSON object');
  const names = Object.keys(object);
  if (names.length > entriesMax) return tooMany(entriesMax);
  const entries = new Map<string, string | number | boolean>();
  for (const [index, name] of names.entries()) {
    if ((index + 1) % ENTRIES_PER_STEP === 0) yield;
    const value: unknown = (object as Record<string, unknown>)[name];
    if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean')
      return broken(`entry ${index + 1} is no text, number, true or false`);
    entries.set(name, value);
  }
  return { ok: true, entries };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
