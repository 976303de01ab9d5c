/** The server as it is, on a day and at an hour that a test writes into a file. */
import { readFileSync } from 'node:fs';

const file = process.env.CLOCK_FILE ?? '';
Date.now = () => Date.parse(readFileSync(file, 'utf8'));

await import('../../../src/main.ts');
