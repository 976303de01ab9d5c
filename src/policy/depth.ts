/**
 * How deep a text nests, before any recursive parser sees it. V8 ends the whole process when a regular
 * expression is compiled with little stack left, and both parsers recurse and use such expressions: a
 * caught RangeError would come too late.
 */
import { Lexer } from 'yaml';

/** Far above what a document needs, far below where the parser's stack ends (about 780). */
export const PARSER_DEPTH_MAX = 256;

const BLOCK_INDICATORS: ReadonlySet<string> = new Set(['-', '?', ':']);

/** Whether YAML nests deeper than `depthMax`; counts up to two for a level in block style. Linear. */
export function nestsTooDeep(text: string, depthMax: number): boolean {
  const columns: number[] = [];
  let flow = 0;
  let offset = 0;
  let lineAt = 0;
  for (const token of new Lexer().lex(text)) {
    // Markers that the lexer puts before a document, a scalar or an error: no text of the file.
    if (token === '\u{2}' || token === '\u{1f}' || token === '\u{18}') continue;
    if (token === '[' || token === '{') flow += 1;
    else if (token === ']' || token === '}') flow = Math.max(0, flow - 1);
    else if (flow === 0 && (BLOCK_INDICATORS.has(token) || offset === lineAt)) {
      const indent = token.trim() === '' ? token.length : 0;
      const column = offset - lineAt + indent;
      while ((columns.at(-1) ?? -1) >= column) columns.pop();
      columns.push(column);
    }
    if (flow + columns.length > depthMax) return true;
    offset += token.length;
    const newline = token.lastIndexOf('\n');
    if (newline >= 0) lineAt = offset - token.length + newline + 1;
  }
  return false;
}

/** Whether a CEL text nests brackets, prefixes or choices deeper than `depthMax`. Linear. */
export function conditionTooDeep(source: string, depthMax: number): boolean {
  let depth = 0;
  let prefixes = 0;
  let choices = 0;
  for (const char of source) {
    if ('([{'.includes(char)) depth += 1;
    else if (')]}'.includes(char)) depth -= 1;
    if (char === '?') choices += 1;
    prefixes = char === '!' || char === '-' ? prefixes + 1 : char.trim() === '' ? prefixes : 0;
    if (depth > depthMax || prefixes > depthMax || choices > depthMax) return true;
  }
  return false;
}
