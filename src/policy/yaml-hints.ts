/** What an author meant whose YAML does not read: the few slips behind most complaints of the parser, with the way out. */
import { quote } from './errors.ts';

/** Characters with which a text cannot begin unless it is in quotes, where a value begins. */
const BEGINS_RESERVED = /(?:^|[:[,-])\s+([!&*%@`])|\[([!&*%@`])/u;
/** `'in ['eu']'`: a quote that ends a text in the middle. */
const QUOTES_IN_QUOTES = /:\s+'[^']*'[^\s,}\]#']/u;
/** A value without quotes that says `: ` or ends with a colon. */
const COLON_IN_TEXT = /:\s+[^\s'"[{][^'"]*:(?:\s|$)/u;

/**
 * The way out of the parser's complaint `code` at `offset` of `text`, for behind a semicolon. Cost: linear in the line
 * there, of which 1,000 characters on either side are looked at.
 */
export function yamlWayOut(code: string, text: string, offset: number): string {
  const line = lineAround(text, offset);
  if (code === 'TAB_AS_INDENT') return 'write spaces';
  const reserved = BEGINS_RESERVED.exec(line);
  const sign = reserved?.[1] ?? reserved?.[2];
  if (sign !== undefined)
    return `put a text that begins with ${sign === '`' ? 'a backtick' : quote(sign)} in quotes`;
  if (QUOTES_IN_QUOTES.test(line))
    return 'a text in single quotes ends at the next one; inside of it write `"`, or two of them for an apostrophe';
  if (COLON_IN_TEXT.test(line)) return 'put a text with `: ` in it in quotes';
  return 'correct the text here';
}

const SIDE_CHARS_MAX = 1_000;

function lineAround(text: string, offset: number): string {
  const before = text.slice(Math.max(0, offset - SIDE_CHARS_MAX), offset);
  const after = text.slice(offset, offset + SIDE_CHARS_MAX);
  return before.slice(before.lastIndexOf('\n') + 1) + (after.split('\n', 1)[0] ?? '');
}
