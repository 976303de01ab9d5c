/** Switchyard with V8's CPU profiler on; the profile is written to LOAD_TEST_PROFILE when it has ended. */
import { writeFileSync } from 'node:fs';
import { Session } from 'node:inspector';

const file = process.env.LOAD_TEST_PROFILE ?? 'switchyard.cpuprofile';
const session = new Session();
session.connect();
session.post('Profiler.enable');
session.post('Profiler.start');
await import('../src/main.ts');
session.post('Profiler.stop', (_error, { profile }) => {
  writeFileSync(file, JSON.stringify(profile));
});
