/** Compiles `src` and `demo` into `dist`, but only when a source changed since the last build. */
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { projectDirectory, run, say } from './project.mjs';

const SOURCES = ['src', 'demo', 'tsconfig.json', 'tsconfig.build.json', 'package-lock.json'];
const stampPath = join(projectDirectory, 'dist', '.sources');

async function walk(path, lines) {
  const entry = await stat(path);
  if (!entry.isDirectory()) {
    lines.push(`${path} ${entry.size} ${entry.mtimeMs}`);
    return;
  }
  for (const name of (await readdir(path)).sort()) await walk(join(path, name), lines);
}

async function fingerprint() {
  const lines = [process.version];
  for (const source of SOURCES) await walk(join(projectDirectory, source), lines);
  return createHash('sha256').update(lines.join('\n')).digest('hex');
}

/** Builds when stale; rejects with the compiler's words when the sources do not compile. */
export async function ensureBuild() {
  const wanted = await fingerprint();
  const built = await readFile(stampPath, 'utf8').catch(() => '');
  if (built === wanted) return;
  say('building');
  await rm(stampPath, { force: true });
  const tsc = join(projectDirectory, 'node_modules', 'typescript', 'bin', 'tsc');
  await run(process.execPath, [tsc, '-p', 'tsconfig.build.json']);
  await mkdir(join(projectDirectory, 'dist'), { recursive: true });
  await writeFile(stampPath, wanted);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  try {
    await ensureBuild();
  } catch (error) {
    say(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
}
