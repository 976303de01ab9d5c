/** The last line of every run of tests: `N passed, N failed, N skipped`. */
import { spawn } from 'node:child_process';
import { projectDirectory } from './project.mjs';

const CLOSING_LINE = /^(\d+) passed, (\d+) failed, (\d+) skipped$/;

export function closingLine({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed, ${skipped} skipped\n`;
}

/**
 * Runs tests on this terminal, but keeps their closing line back and resolves with its counts. A run that
 * ends badly without a failed test (it crashed, or wrote no closing line) counts as one failure.
 */
export function runAndCount(command, args, env = process.env) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: projectDirectory,
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let counts;
    let rest = '';
    const take = (line, ending) => {
      const found = CLOSING_LINE.exec(line)?.slice(1).map(Number);
      if (found === undefined) process.stdout.write(line + ending);
      else counts = { passed: found[0], failed: found[1], skipped: found[2] };
    };
    child.stdout.setEncoding('utf8');
    child.stdout.on('data', (chunk) => {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) take(line, '\n');
    });
    child.on('error', () => resolve({ passed: 0, failed: 1, skipped: 0 }));
    child.on('close', (code) => {
      take(rest, '');
      const totals = counts ?? { passed: 0, failed: 0, skipped: 0 };
      const isBad = code !== 0 || counts === undefined;
      resolve(isBad && totals.failed === 0 ? { ...totals, failed: 1 } : totals);
    });
  });
}
