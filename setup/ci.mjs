/**
 * What `.ci/run` does: the tests, then every check of the house. Each check counts as one test in the
 * closing line.
 */
import { spawn } from 'node:child_process';
import { projectDirectory, runVisibly } from './project.mjs';

const CLOSING_LINE = /^(\d+) passed, (\d+) failed, (\d+) skipped$/;
const CHECKS = [
  ['format and lint', ['run', '--silent', 'lint']],
  ['types', ['run', '--silent', 'typecheck']],
  ['dead code', ['run', '--silent', 'knip']],
];

/** Shows what `npm test` writes, and returns the counts of its closing line. */
function runTests() {
  return new Promise((resolve) => {
    const child = spawn('npm', ['test', '--silent'], {
      cwd: projectDirectory,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let last = '';
    let rest = '';
    child.stdout.setEncoding('utf8');
    child.stdout.on('data', (chunk) => {
      process.stdout.write(chunk);
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) if (CLOSING_LINE.test(line)) last = line;
    });
    child.on('close', (code) => {
      const counts = CLOSING_LINE.exec(last)?.slice(1).map(Number) ?? [0, 0, 0];
      // A run that ends badly without a failed test (a crash, a leak) is one failure.
      if (code !== 0 && counts[1] === 0) counts[1] = 1;
      resolve(counts);
    });
  });
}

const [passed, failed, skipped] = await runTests();
const totals = { passed, failed, skipped };
for (const [name, args] of CHECKS) {
  const code = await runVisibly('npm', args);
  process.stdout.write(`${code === 0 ? '  ok' : 'FAIL'} ${name}\n`);
  if (code === 0) totals.passed++;
  else totals.failed++;
}
process.stdout.write(
  `${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped\n`,
);
process.exitCode = totals.failed === 0 ? 0 : 1;
