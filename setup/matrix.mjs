/**
 * `npm run test:matrix`: the whole suite on the newer lines of Node, each from its npm package; or the
 * suites that are named: `npm run test:matrix -- test/envoy/streams.test.ts`.
 */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ensureBuild } from './build.mjs';
import { ensureDependencies } from './ensure-dependencies.mjs';
import {
  cacheDirectory,
  projectDirectory,
  run,
  runVisibly,
  SetupFailure,
  say,
} from './project.mjs';

const VERSIONS = ['22.23.3', '24.21.0'];
const chosen = process.argv.slice(2);
const platformPackage = `node-${process.platform}-${process.arch}`;

async function ensureNode(version) {
  const prefix = join(cacheDirectory, 'node', version);
  const binary = join(prefix, 'node_modules', platformPackage, 'bin', 'node');
  if (existsSync(binary)) return binary;
  say(`fetching Node ${version} (once)`);
  const npm = ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error'];
  await run('npm', [...npm, '--prefix', prefix, `${platformPackage}@${version}`]);
  return binary;
}

await ensureDependencies();
await ensureBuild();
const mocha = join(projectDirectory, 'node_modules', 'mocha', 'bin', 'mocha.js');
const reporter = join(projectDirectory, 'test', 'reporter', 'plain.mjs');
for (const version of VERSIONS) {
  try {
    const binary = await ensureNode(version);
    say(`Node ${version}`);
    const PATH = `${dirname(binary)}:${process.env.PATH ?? ''}`;
    const suites = chosen.length > 0 ? chosen : ['test/**/*.test.ts'];
    const args = [mocha, '--reporter', reporter, ...suites];
    const code = await runVisibly(binary, args, {
      env: { ...process.env, PATH, SWITCHYARD_BUILT: '1' },
    });
    if (code !== 0) process.exitCode = code;
  } catch (error) {
    if (!(error instanceof SetupFailure)) throw error;
    say(`Node ${version} could not be tried: ${error.message}`);
    process.exitCode = 1;
  }
}
