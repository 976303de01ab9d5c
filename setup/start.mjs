/** `npm start`: set up what is missing, then hand over to the launcher in `demo/start.ts`. */
import { ensureBuild } from './build.mjs';
import { ensureDependencies } from './ensure-dependencies.mjs';
import { ensureEnvoy } from './envoy.mjs';
import { SetupFailure, say } from './project.mjs';

const args = process.argv.slice(2);
const asksForHelp = args.includes('--help');
let envoyBinary;
try {
  await ensureDependencies();
  if (!args.includes('--no-envoy') && !asksForHelp) {
    try {
      envoyBinary = await ensureEnvoy();
    } catch (error) {
      // Switchyard itself starts without Envoy.
      if (!(error instanceof SetupFailure)) throw error;
      say(error.message);
    }
  }
  await ensureBuild();
} catch (error) {
  if (!(error instanceof SetupFailure)) throw error;
  say(error.message);
  process.exit(1);
}
const { main } = await import('../dist/demo/start.js');
await main(args, envoyBinary);
