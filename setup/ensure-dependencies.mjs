/**
 * Installs what the lock file names, when something else or nothing is installed. Not `npm ci`: it refuses
 * a lock file without the optional binaries of platforms whose packages could not be seen when it was made.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { projectDirectory, run, SetupFailure, say } from './project.mjs';

const installedPath = join(projectDirectory, 'node_modules', '.package-lock.json');

/**
 * What is installed differs from what the lock file names, in a sentence; '' when it does not.
 * Optional packages may be absent: they are for other platforms.
 */
export function difference(lock, installed) {
  if (installed === undefined) return 'nothing is installed yet';
  for (const [path, wanted] of Object.entries(lock.packages)) {
    if (path === '' || wanted.link === true) continue;
    const present = installed.packages?.[path];
    if (present === undefined) {
      if (wanted.optional === true || wanted.devOptional === true) continue;
      return `${path} is missing`;
    }
    if (present.version !== wanted.version) return `${path} is another version`;
  }
  return '';
}

async function readJson(path) {
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch {
    return undefined;
  }
}

/** Installs the dependencies when they are missing or stale. Takes about 50 ms when there is nothing to do. */
export async function ensureDependencies() {
  const lock = await readJson(join(projectDirectory, 'package-lock.json'));
  const why = difference(lock, await readJson(installedPath));
  if (why === '') return;
  say(`installing dependencies (${why})`);
  const npm = ['install', '--no-save', '--prefer-offline', '--no-audit', '--no-fund'];
  await run('npm', [...npm, '--loglevel=error']);
  const still = difference(lock, await readJson(installedPath));
  if (still !== '')
    throw new SetupFailure(`npm installed something else than the lock file names (${still})`);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await ensureDependencies();
