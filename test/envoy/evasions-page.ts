/** Renders the rows as `docs/evasions.md`. */

import { CURES } from './evasions-cures.ts';
import { FLOODS } from './evasions-floods.ts';
import { type Evasion, type Family, VERDICTS, type VerdictName } from './evasions-row.ts';
import { FAMILIES, POLICY } from './evasions-table.ts';

const HEAD = `# Evasions

Ways to get a forbidden word past the policy, and what becomes of each. This page is rendered from the rows
of \`test/envoy/evasions-*.ts\`, and every row is executed through a real Envoy by
\`npx mocha test/envoy/evasions.test.ts\` (\`WRITE_REFERENCE=1\` writes the page anew): once for an application
that the rules below are for, and once for one that no rule is for, where the attack must arrive whole. So a
row that says that something is stopped cannot be true by accident, and a row that says that something is
**not seen** is as much a promise as the others: it is what you have to think of yourself. Where a \`match\` would
find it after all, the row names one, and a rule with it was tried, too. Where none is named, only what reads
meanings can help: a [classifier](reference/classifiers.md) of yours, asked over HTTP.

Rules of class \`security\` are meant throughout. Where a body cannot be read, rules of class \`operational\` let
it pass and say so in the record ([stances](reference/stances.md)).
`;

const FLOODS_HEAD = `## By amount

The same rules, and eight neighbours with a stream each, through the same Envoy and the same Switchyard.
\`npx mocha test/envoy/evasions-floods.test.ts\` executes these rows with smaller numbers of deltas and
comments; \`npm run floods\` takes the whole of them and says what it measures.
`;

const NEIGHBOURS_NOTE = `While all of this goes on, Switchyard takes at most 256 MiB more memory than before, no stream of a neighbour
breaks, and nothing is held of what is over. How much later the words of the neighbours come is in
[performance.md](performance.md): bodies are collected, read, judged and sent in turns, who has had few of
them before who has had many.
`;

/** The whole page. */
export function evasionsPage(): string {
  const rows = [...FAMILIES.flatMap((family) => family.rows), ...FLOODS];
  return [
    HEAD,
    '## The rules\n',
    `\`\`\`yaml\n${POLICY}\`\`\`\n`,
    '## What can become of it\n',
    table(
      ['verdict', 'rows', 'meaning'],
      (Object.keys(VERDICTS) as readonly VerdictName[]).map((name) => [
        shown(name),
        String(rows.filter((row) => row.verdict === name).length),
        VERDICTS[name].means,
      ]),
    ),
    ...FAMILIES.map(section),
    FLOODS_HEAD,
    table(
      ['The attacker …', 'in', 'verdict', 'why', 'limit'],
      FLOODS.map((flood) => [flood.attack, flood.side, verdictOf(flood), flood.why, flood.bound]),
    ),
    NEIGHBOURS_NOTE,
  ].join('\n');
}

function section({ title, about, rows }: Family): string {
  return [
    `## ${title}\n`,
    `${about}\n`,
    table(
      ['The attacker …', 'in', 'verdict', 'why', 'limit'],
      rows.map((row) => [row.attack, where(row), verdictOf(row), whyOf(row), row.bound ?? '']),
    ),
  ].join('\n');
}

const where = ({ side, format }: Evasion): string => `${side}, \`${format}\``;

function whyOf({ id, why }: Evasion): string {
  const cure = CURES[id];
  return cure === undefined ? why : `${why} Found by \`${cure}\`.`;
}

function verdictOf({ verdict, status }: Pick<Evasion, 'verdict' | 'status'>): string {
  if (status === undefined || VERDICTS[verdict].passes === 'all') return shown(verdict);
  return status === 200 ? `${shown(verdict)}, inside the answer` : `${shown(verdict)}, ${status}`;
}

const shown = (verdict: VerdictName): string => (verdict === 'not seen' ? '**not seen**' : verdict);

function table(head: readonly string[], lines: readonly (readonly string[])[]): string {
  const row = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return `${[row(head), row(head.map(() => '---')), ...lines.map(row)].join('\n')}\n`;
}
