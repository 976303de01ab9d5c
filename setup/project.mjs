/**
 * Where things are, and how set-up runs a program. Plain JavaScript without dependencies: it runs before
 * `node_modules` exists.
 */
import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const projectDirectory = dirname(dirname(fileURLToPath(import.meta.url)));
export const cacheDirectory = join(projectDirectory, '.cache');

/** A step that could not be done, with a sentence for the person at the terminal. */
export class SetupFailure extends Error {}

export function say(line) {
  process.stderr.write(`switchyard: ${line}\n`);
}

/**
 * Runs a program quietly.
 * Resolves with what it wrote when it exits 0; otherwise rejects with a SetupFailure whose message ends
 * with the last lines it wrote.
 */
export function run(command, args, { cwd = projectDirectory, env = process.env } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const collect = (chunk) => {
      output = (output + chunk).slice(-65_536);
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    child.on('error', (error) => reject(new SetupFailure(`${command}: ${error.message}`)));
    child.on('close', (code) => {
      if (code === 0) resolve(output);
      else reject(new SetupFailure(`${command} exited with ${code}: ${lastLines(output)}`));
    });
  });
}

/** Runs a program on this terminal; resolves with its exit code (128 + n for a signal). */
export function runVisibly(command, args, { cwd = projectDirectory, env = process.env } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env, stdio: 'inherit' });
    child.on('error', (error) => reject(new SetupFailure(`${command}: ${error.message}`)));
    child.on('close', (code, signal) => resolve(signal === null ? (code ?? 1) : 130));
  });
}

function lastLines(output) {
  return output.trim().split('\n').slice(-3).join(' / ');
}
