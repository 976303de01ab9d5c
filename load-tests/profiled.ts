/**
 * Switchyard with V8's CPU profiler on, from LATER_MS after its start, when it is warm. The profile is written
 * to LOAD_TEST_PROFILE when the server has ended.
 */
import { writeFileSync } from 'node:fs';
import { Session } from 'node:inspector';

const LATER_MS = 25_000;
const file = process.env.LOAD_TEST_PROFILE ?? 'switchyard.cpuprofile';
const session = new Session();
session.connect();
session.post('Profiler.enable');
setTimeout(() => session.post('Profiler.start'), LATER_MS).unref();
// What is built, as everything that is measured here.
await import(new URL('../dist/src/main.js', import.meta.url).href);
session.post('Profiler.stop', (error, result) => {
  if (error === null) writeFileSync(file, JSON.stringify(result.profile));
});
