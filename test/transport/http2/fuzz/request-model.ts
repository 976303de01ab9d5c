/** Whether a list of fields is a request, by RFC 9113 §8.2 and §8.3 and RFC 9110 §5.6.2, read slowly. */
import type { Field } from './hpack-model.ts';

const TOKEN = new Set("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz");
const BLANKS = new Set([' ', '\t']);
const ENDS_OF_LINES = ['\0', '\r', '\n'];
const FORBIDDEN = new Set([
  'connection',
  'proxy-connection',
  'keep-alive',
  'transfer-encoding',
  'upgrade',
]);
const PSEUDO = [':method', ':scheme', ':path', ':authority'];
const DIGITS_MAX = 15;

function fieldStands([name, value]: Field): boolean {
  const letters = [...(name.startsWith(':') ? name.slice(1) : name)];
  if (letters.length === 0 || letters.some((letter) => !TOKEN.has(letter))) return false;
  if (ENDS_OF_LINES.some((end) => value.includes(end))) return false;
  const [first, last] = [value[0], value.at(-1)];
  if ([first, last].some((letter) => letter !== undefined && BLANKS.has(letter))) return false;
  return !FORBIDDEN.has(name) && (name !== 'te' || value === 'trailers');
}

export interface Request {
  readonly method: string;
  readonly path: string;
  readonly contentType: string;
  /** -1: not said. */
  readonly contentLength: number;
}

export function requestOf(fields: readonly Field[]): Request | undefined {
  if (!fields.every(fieldStands)) return undefined;
  const pseudo = fields.filter(([name]) => name.startsWith(':'));
  const firstRegular = fields.findIndex(([name]) => !name.startsWith(':'));
  if (firstRegular >= 0 && firstRegular < pseudo.length) return undefined;
  if (pseudo.some(([name]) => !PSEUDO.includes(name))) return undefined;
  if (new Set(pseudo.map(([name]) => name)).size < pseudo.length) return undefined;
  const said = new Map(pseudo);
  const [method, scheme, path] = PSEUDO.map((name) => said.get(name) ?? '');
  if (!method || !scheme || !path) return undefined;
  const lengths = fields.filter(([name]) => name === 'content-length').map(([, value]) => value);
  if (lengths.length > 1) return undefined;
  const [length] = lengths;
  const digits = [...(length ?? '0')];
  if (digits.length === 0 || digits.length > DIGITS_MAX) return undefined;
  if (digits.some((digit) => digit < '0' || digit > '9')) return undefined;
  return {
    method,
    path,
    contentType: fields
      .filter(([name]) => name === 'content-type')
      .map(([, value]) => value)
      .join(', '),
    contentLength: length === undefined ? -1 : Number(length),
  };
}

export const areTrailers = (fields: readonly Field[]): boolean =>
  fields.every((field) => fieldStands(field) && !field[0].startsWith(':'));
