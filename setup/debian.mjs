/**
 * Servers that tests talk to, from Debian packages unpacked into `.cache/debian/PACKAGE/`. Nothing is
 * installed: no service is started, no system directory is written but apt's own lists.
 */
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { cacheDirectory, run, SetupFailure, say } from './project.mjs';

/** Package → the program in it that tests start. */
export const DEBIAN_PROGRAMS = Object.freeze({ prometheus: 'usr/bin/prometheus' });

/** Where the program of a package is once `ensureDebian` has resolved. */
export function debianProgram(name) {
  return join(cacheDirectory, 'debian', name, DEBIAN_PROGRAMS[name]);
}

/** Fetches and unpacks one package once; rejects with a SetupFailure that says why it could not. */
export async function ensureDebian(name) {
  const program = debianProgram(name);
  if (existsSync(program)) return program;
  say(`fetching Debian's ${name} (once)`);
  const work = join(cacheDirectory, 'debian', `unpacking-${randomUUID()}`);
  try {
    await mkdir(work, { recursive: true });
    await download(name, work);
    const archive = (await readdir(work)).find((file) => file.endsWith('.deb'));
    if (archive === undefined) throw new SetupFailure('apt-get fetched no package');
    const tree = join(work, 'tree');
    await run('dpkg-deb', ['-x', join(work, archive), tree]);
    await rm(join(cacheDirectory, 'debian', name), { recursive: true, force: true });
    await rename(tree, join(cacheDirectory, 'debian', name));
  } catch (error) {
    throw new SetupFailure(`Debian's ${name} could not be had (${reason(error)})`);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return program;
}

async function download(name, directory) {
  const fetch = () => run('apt-get', ['download', '-qq', name], { cwd: directory });
  try {
    await fetch();
  } catch (error) {
    // A bare machine has no package lists; only root may fetch them.
    if (process.getuid?.() !== 0) throw error;
    await run('apt-get', ['update', '-qq']);
    await fetch();
  }
}

function reason(error) {
  return error instanceof Error ? error.message : String(error);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  for (const name of process.argv.slice(2)) {
    try {
      process.stdout.write(`${await ensureDebian(name)}\n`);
    } catch (error) {
      say(reason(error));
      process.exitCode = 1;
    }
  }
}
