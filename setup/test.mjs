/**
 * `npm test`: set up what is missing, build, run every suite. The last line is
 * `N passed, N failed, N skipped`. Arguments go to mocha: `npm test -- test/house/rings.test.ts`.
 */
import { join } from 'node:path';
import { ensureBuild } from './build.mjs';
import { closingLine, runAndCount } from './closing-line.mjs';
import { ensureDebian } from './debian.mjs';
import { ensureDependencies } from './ensure-dependencies.mjs';
import { ensureEnvoy } from './envoy.mjs';
import { ensureGoProgram } from './go-programs.mjs';
import { ensureNative } from './native.mjs';
import { projectDirectory, SetupFailure, say } from './project.mjs';
import { ensurePythonClients } from './python-clients.mjs';

async function required(step) {
  try {
    await step();
  } catch (error) {
    if (!(error instanceof SetupFailure)) throw error;
    say(error.message);
    process.stdout.write(closingLine({ passed: 0, failed: 1, skipped: 0 }));
    process.exit(1);
  }
}

/** Suites that talk to tools and clients of others, built from their sources. */
const WITH_BUILT_PROGRAMS = 'test/transport/**/*.test.ts';
const ALL_SUITES = ['test/**/*.test.ts'];
const WITHOUT_BUILT_PROGRAMS = [...ALL_SUITES, '--ignore', WITH_BUILT_PROGRAMS];

/** Of the suites behind Envoy, those that a second transport could spoil: run over each. */
const BOTH_TRANSPORTS = ['streams', 'message-actions', 'apis', 'tools', 'swap'].map(
  (name) => `test/envoy/${name}.test.ts`,
);

/** What only some suites need: without it they are skipped, and say so. */
async function wanted(step) {
  try {
    await step();
  } catch (error) {
    if (!(error instanceof SetupFailure)) throw error;
    say(error.message);
  }
}

await required(ensureDependencies);
await wanted(ensureEnvoy);
await wanted(() => ensureDebian('prometheus'));
await wanted(ensurePythonClients);
await required(ensureBuild);
const chosen = process.argv.slice(2);
const mocha = join(projectDirectory, 'node_modules', 'mocha', 'bin', 'mocha.js');
const reporter = join(projectDirectory, 'test', 'reporter', 'plain.mjs');
const totals = { passed: 0, failed: 0, skipped: 0 };

async function suites(chosen, env = {}) {
  const args = [mocha, '--forbid-only', '--reporter', reporter, ...chosen];
  const settings = { ...process.env, SWITCHYARD_BUILT: '1', ...env };
  const counts = await runAndCount(process.execPath, args, settings);
  for (const kind of Object.keys(totals)) totals[kind] += counts[kind];
}

async function builtPrograms() {
  for (const tool of ['h2spec', 'interop-client', 'grpcurl', 'ghz'])
    await wanted(() => ensureGoProgram(tool));
  for (const program of ['cpp-client', 'hpack-peer']) await wanted(() => ensureNative(program));
}

if (chosen.length > 0) {
  if (chosen.some((suite) => suite.includes('test/transport'))) await builtPrograms();
  await suites(chosen);
} else {
  // They take minutes to build the first time, which nothing needs to wait for until their own suites.
  const built = builtPrograms();
  await suites(WITHOUT_BUILT_PROGRAMS);
  await built;
  await suites([WITH_BUILT_PROGRAMS]);
  say('the same through Envoy over the transport fast');
  await suites(BOTH_TRANSPORTS, { SWITCHYARD_TRANSPORT: 'fast' });
}
process.stdout.write(closingLine(totals));
process.exitCode = totals.failed === 0 ? 0 : 1;
