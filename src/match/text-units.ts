/** The units of a string, as numbers. */
import { Buffer } from 'node:buffer';

/** Up to here a loop is quicker than the call that copies them. */
const FEW_UNITS = 32;

const isLittleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/**
 * A target of so many units, and what copies `text[from,to)` to its front. Strings that are part of others or
 * put together of them are slow to read unit by unit; the copy costs about 0.1 µs a thousand.
 */
export function unitsTarget(unitsMax: number): {
  readonly units: Uint16Array;
  fill(text: string, from: number, to: number): void;
} {
  const units = new Uint16Array(unitsMax);
  const bytes = Buffer.from(units.buffer);
  const fill = (text: string, from: number, to: number): void => {
    if (isLittleEndian && to - from > FEW_UNITS)
      bytes.write(from === 0 && to === text.length ? text : text.slice(from, to), 0, 'utf16le');
    else for (let at = from; at < to; at++) units[at - from] = text.charCodeAt(at);
  };
  return { units, fill };
}

/** A view costs more than a few units. */
const FEW_TO_COPY = 48;

/** `source[from,to)` to `target`, from `at` on. */
export function copyUnits(
  source: Uint16Array,
  from: number,
  to: number,
  at: number,
  target: Uint16Array,
): void {
  if (to - from > FEW_TO_COPY) target.set(source.subarray(from, to), at);
  else
    for (let index = from; index < to; index++) target[at + index - from] = source[index] as number;
}

/** Up to here strings that grow unit by unit are copied, and not put together of parts. */
const SHORT_UNITS = 12;

/** The text of `units[from,to)`. */
export function textOf(units: Uint16Array, from: number, to: number): string {
  let text = '';
  if (to - from > SHORT_UNITS && isLittleEndian)
    return Buffer.from(units.buffer, units.byteOffset + 2 * from, 2 * (to - from)).toString(
      'utf16le',
    );
  for (let at = from; at < to; at++) text += String.fromCharCode(units[at] as number);
  return text;
}
