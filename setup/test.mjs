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

const ALL_SUITES = ['test/**/*.test.ts'];

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
// A minute or two of building the first time, hence only where they are asked for.
if (chosen.length === 0 || chosen.some((suite) => suite.includes('test/transport'))) {
  for (const tool of ['h2spec', 'interop-client', 'grpcurl', 'ghz'])
    await wanted(() => ensureGoProgram(tool));
  for (const program of ['cpp-client', 'hpack-peer']) await wanted(() => ensureNative(program));
}
const mocha = join(projectDirectory, 'node_modules', 'mocha', 'bin', 'mocha.js');
const reporter = join(projectDirectory, 'test', 'reporter', 'plain.mjs');
const args = [
  mocha,
  '--forbid-only',
  '--reporter',
  reporter,
  ...(chosen.length > 0 ? chosen : ALL_SUITES),
];
const totals = await runAndCount(process.execPath, args, { ...process.env, SWITCHYARD_BUILT: '1' });
if (chosen.length === 0) {
  say('the same through Envoy over the transport fast');
  const again = [mocha, '--forbid-only', '--reporter', reporter, ...BOTH_TRANSPORTS];
  const env = { ...process.env, SWITCHYARD_BUILT: '1', SWITCHYARD_TRANSPORT: 'fast' };
  const over = await runAndCount(process.execPath, again, env);
  for (const kind of ['passed', 'failed', 'skipped']) totals[kind] += over[kind];
}
process.stdout.write(closingLine(totals));
process.exitCode = totals.failed === 0 ? 0 : 1;
