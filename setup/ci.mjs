/**
 * What `.ci/run` does: the tests, then every check of the house. Each check counts as one test in the
 * closing line.
 */
import { closingLine, runAndCount } from './closing-line.mjs';
import { runVisibly } from './project.mjs';

const CHECKS = [
  ['format and lint', ['run', '--silent', 'lint']],
  ['types', ['run', '--silent', 'typecheck']],
  ['dead code', ['run', '--silent', 'knip']],
];

const totals = await runAndCount('npm', ['test', '--silent']);
for (const [name, args] of CHECKS) {
  const code = await runVisibly('npm', args);
  process.stdout.write(`${code === 0 ? '  ok' : 'FAIL'} ${name}\n`);
  if (code === 0) totals.passed++;
  else totals.failed++;
}
process.stdout.write(closingLine(totals));
process.exitCode = totals.failed === 0 ? 0 : 1;
