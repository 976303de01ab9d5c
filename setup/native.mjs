/**
 * Programs in C and C++ that tests and benches run beside Switchyard, compiled from this project into
 * `.cache/native/`. The libraries they need come from Debian's packages, unpacked into `.cache/debian/` and
 * linked from there: nothing is installed.
 */
import { createHash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { cacheDirectory, projectDirectory, run, SetupFailure, say } from './project.mjs';

const REFERENCE = 'load-tests/reference';
const CLIENTS = 'load-tests/transport/native';
const C = ['cc', '-std=gnu11'];
const CPP = ['c++', '-std=c++17', '-pthread'];
/** Its inlined code calls libraries that it alone knows of. */
const GRPC_CPP = ['-Wl,--copy-dt-needed-entries', '-lgrpc++', '-lgrpc', '-lgpr'];

/** `sources`: what is compiled first, then what it includes. `libraries`: in the order of the linker. */
const PROGRAMS = Object.freeze({
  'c-server': {
    compiler: C,
    sources: [`${REFERENCE}/c-nghttp2/server.c`, `${REFERENCE}/lazy-policy.h`],
    packages: 'nghttp2',
    libraries: ['-lnghttp2'],
  },
  'cpp-server': {
    compiler: CPP,
    sources: [`${REFERENCE}/cpp-grpc/server.cpp`, `${REFERENCE}/lazy-policy.h`],
    packages: 'grpc++',
    libraries: GRPC_CPP,
  },
  'cpp-client': {
    compiler: CPP,
    sources: ['test/transport/interop/cpp-client.cpp'],
    packages: 'grpc++',
    libraries: GRPC_CPP,
  },
  'hpack-peer': {
    compiler: C,
    sources: ['test/transport/http2/fuzz/hpack-peer.c'],
    packages: 'nghttp2',
    libraries: ['-lnghttp2'],
  },
  'exchange-client': {
    compiler: C,
    sources: [`${CLIENTS}/exchange-client.c`, `${CLIENTS}/latency.h`],
    packages: 'nghttp2',
    libraries: ['-lnghttp2'],
  },
  'http-client': {
    compiler: C,
    sources: [`${CLIENTS}/http-client.c`, `${CLIENTS}/http1.h`, `${CLIENTS}/latency.h`],
    libraries: [],
  },
  'http-upstream': {
    compiler: C,
    sources: [`${CLIENTS}/http-upstream.c`, `${CLIENTS}/http1.h`],
    libraries: [],
  },
});

/** Debian's packages, by the directory that they are unpacked into. */
const PACKAGES = Object.freeze({ nghttp2: 'libnghttp2-dev', 'grpc++': 'libgrpc++-dev' });

/** Where a program is once `ensureNative` has resolved. */
export function nativeProgram(name) {
  return join(cacheDirectory, 'native', name);
}

/** Compiles when a source has changed; rejects with a SetupFailure that says what is missing. */
export async function ensureNative(name) {
  const { compiler, sources, packages, libraries } = PROGRAMS[name];
  const program = nativeProgram(name);
  const wanted = await fingerprint(sources, compiler);
  const built = await readFile(`${program}.sources`, 'utf8').catch(() => '');
  if (built === wanted && existsSync(program)) return program;
  say(`compiling ${name}`);
  try {
    const root = packages === undefined ? undefined : await ensurePackages(packages);
    await mkdir(dirname(program), { recursive: true });
    const output = `${program}.${randomUUID()}`;
    await run(compiler[0], [
      ...compiler.slice(1),
      ...['-O2', '-Wall', '-Wextra', join(projectDirectory, sources[0]), '-o', output],
      ...(root === undefined ? [] : await linkedFrom(root)),
      ...libraries,
    ]);
    await rename(output, program);
    await writeFile(`${program}.sources`, wanted);
  } catch (error) {
    throw new SetupFailure(`${name} could not be compiled (${reason(error)})`);
  }
  return program;
}

/** With where it lies, as it is told where its libraries do: a checkout that was moved has its programs made anew. */
async function fingerprint(sources, compiler) {
  const hash = createHash('sha256').update(compiler.join(' ')).update(cacheDirectory);
  for (const source of sources) hash.update(await readFile(join(projectDirectory, source)));
  return hash.digest('hex');
}

/** The path is told by the program itself and not by what it loads, so it holds for their libraries, too. */
async function linkedFrom(root) {
  const libraries = join(root, 'usr', 'lib', await architecture());
  return [
    `-I${join(root, 'usr', 'include')}`,
    `-L${libraries}`,
    `-Wl,--disable-new-dtags,-rpath,${libraries}`,
  ];
}

async function architecture() {
  return (await run('cc', ['-print-multiarch'])).trim();
}

/** A development package and what it needs beyond what this machine has, unpacked side by side. */
async function ensurePackages(name) {
  const root = join(cacheDirectory, 'debian', name);
  if (existsSync(root)) return root;
  say(`fetching Debian's ${PACKAGES[name]} (once)`);
  const work = join(cacheDirectory, 'debian', `unpacking-${randomUUID()}`);
  try {
    await mkdir(join(work, 'tree'), { recursive: true });
    const missing = await missingPackages(PACKAGES[name]);
    if (missing.length > 0) await run('apt-get', ['download', '-qq', ...missing], { cwd: work });
    for (const file of await readdir(work))
      if (file.endsWith('.deb'))
        await run('dpkg-deb', ['-x', join(work, file), join(work, 'tree')]);
    await rename(join(work, 'tree'), root);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return root;
}

async function missingPackages(name) {
  const ask = () => run('apt-get', ['install', '-qq', '-s', '--no-install-recommends', name]);
  let plan;
  try {
    plan = await ask();
  } catch (error) {
    // A bare machine has no package lists; only root may fetch them.
    if (process.getuid?.() !== 0) throw error;
    await run('apt-get', ['update', '-qq']);
    plan = await ask();
  }
  return [...plan.matchAll(/^Inst (\S+)/gm)].map((match) => match[1]);
}

function reason(error) {
  return error instanceof Error ? error.message : String(error);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(PROGRAMS);
  for (const name of names) {
    try {
      process.stdout.write(`${await ensureNative(name)}\n`);
    } catch (error) {
      say(reason(error));
      process.exitCode = 1;
    }
  }
}
