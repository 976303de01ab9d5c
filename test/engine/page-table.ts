/** Tables of a reference page, for tests that hold the page to the code. */
import { readFileSync } from 'node:fs';

/** Cells of the body rows of the table under a `## ` heading, trimmed, without backticks. */
export function tableUnder(page: string, heading: string): readonly (readonly string[])[] {
  const text = readFileSync(new URL(`../../docs/reference/${page}`, import.meta.url), 'utf8');
  const section = text.split(/^## /mu).find((part) => part.startsWith(`${heading}\n`)) ?? '';
  return section
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .slice(2)
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim().replaceAll('`', '')),
    );
}
