/** Labelled texts from files of JSON lines, one `{ id, text, spans, negative_for, args }` a line, offsets in code points. */
import { readFileSync } from 'node:fs';
import type { LabelledText, Span } from './scoring.ts';

interface Row {
  readonly id: string;
  readonly text: string;
  readonly spans: readonly Span[];
  readonly negative_for: string | null;
  readonly args?: readonly string[] | null;
}

/** What the files call our labels. */
const LABELS: Readonly<Record<string, string>> = {
  MAC: 'MAC_ADDRESS',
  CRYPTO: 'CRYPTO_ADDRESS',
  US_PASSPORT: 'PASSPORT',
  UK_PASSPORT: 'PASSPORT',
  UK_DRIVERS_LICENCE: 'DRIVING_LICENCE',
};
const TAX_IDS: Readonly<Record<string, string>> = { 'en-GB': 'UK_NINO', 'en-US': 'US_EIN' };

function labelOf(type: string, row: Row): string {
  if (type === 'TAX_ID') return TAX_IDS[row.args?.[0] ?? ''] ?? type;
  return LABELS[type] ?? type;
}

/** Where each code point begins, in units. */
function unitsOf(text: string): number[] {
  const places: number[] = [];
  let at = 0;
  for (const character of text) {
    places.push(at);
    at += character.length;
  }
  places.push(at);
  return places;
}

export function labelledTexts(file: string): LabelledText[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const row = JSON.parse(line) as Row;
      const places = unitsOf(row.text);
      const spans = row.spans.map(({ start, end, type }) => ({
        start: places[start] as number,
        end: places[end] as number,
        type: labelOf(type, row),
      }));
      const only = row.negative_for === null ? {} : { only: labelOf(row.negative_for, row) };
      return { id: row.id, text: row.text, spans, ...only };
    });
}
