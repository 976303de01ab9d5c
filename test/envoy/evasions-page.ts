/** Renders the rows as `docs/evasions.md`. */

import { CURES } from './evasions-cures.ts';
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
meanings can help, and that is not here yet: put a classifier beside Switchyard.

Rules of class \`security\` are meant throughout. Where a body cannot be read, rules of class \`operational\` let
it pass and say so in the record ([stances](reference/stances.md)).
`;

/** The whole page. */
export function evasionsPage(): string {
  const rows = FAMILIES.flatMap((family) => family.rows);
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

function verdictOf({ verdict, status }: Evasion): string {
  if (status === undefined) return shown(verdict);
  return status === 200 ? `${shown(verdict)}, inside the answer` : `${shown(verdict)}, ${status}`;
}

const shown = (verdict: VerdictName): string => (verdict === 'not seen' ? '**not seen**' : verdict);

function table(head: readonly string[], lines: readonly (readonly string[])[]): string {
  const row = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return `${[row(head), row(head.map(() => '---')), ...lines.map(row)].join('\n')}\n`;
}
