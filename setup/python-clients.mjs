/**
 * The Python clients that tests use, from wheels named in `python-clients.txt`, put into a directory of
 * their own under `.cache/python`: no system directory is written, and none but this one is read before it.
 */
import { execFileSync } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { cacheDirectory, projectDirectory, run, SetupFailure, say } from './project.mjs';

const requirements = join(projectDirectory, 'setup', 'python-clients.txt');

/**
 * Where the packages are once `ensurePythonClients` has resolved; another place for another list or another
 * Python, as some of them are compiled. Throws a SetupFailure when there is no Python.
 */
export function pythonPackages() {
  const digest = createHash('sha256').update(readFileSync(requirements)).digest('hex');
  return join(cacheDirectory, 'python', `${cacheTag()}-${digest.slice(0, 12)}`);
}

/** What this Python calls its own compiled files, such as `cpython-311`. */
function cacheTag() {
  try {
    const program = 'import sys; print(sys.implementation.cache_tag)';
    return execFileSync('python3', ['-c', program], { encoding: 'utf8' }).trim();
  } catch (error) {
    throw new SetupFailure(`there is no Python 3 (${reason(error)})`);
  }
}

/**
 * Fetches the packages once. Rejects with a SetupFailure that says why it could not: no Python, no pip, a
 * Python that is too old for them, or nowhere to fetch from.
 */
export async function ensurePythonClients() {
  const packages = pythonPackages();
  if (existsSync(packages)) return packages;
  say('fetching the Python clients (150 MB unpacked, once)');
  const work = join(dirname(packages), `unpacking-${randomUUID()}`);
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-input'];
  try {
    await mkdir(work, { recursive: true });
    await run('python3', [
      ...pip,
      ...['--no-deps', '--only-binary', ':all:', '--no-compile'],
      ...['--target', work, '--requirement', requirements],
    ]);
    await rename(work, packages);
  } catch (error) {
    // Of two set-ups at once the second finds the place taken, by the same packages.
    if (!existsSync(packages))
      throw new SetupFailure(`the Python clients could not be had (${reason(error)})`);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return packages;
}

function reason(error) {
  return error instanceof Error ? error.message : String(error);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  try {
    process.stdout.write(`${await ensurePythonClients()}\n`);
  } catch (error) {
    say(reason(error));
    process.exitCode = 1;
  }
}
