/**
 * The matcher as it is shipped: compiled by `tsc`. Run from its sources tsx wraps closures, and what is measured is half as fast.
 */
import { ensureBuild } from '../setup/build.mjs';

await ensureBuild();

const built = (module: string): Promise<unknown> =>
  import(new URL(`../dist/src/match/${module}.js`, import.meta.url).href);

export const { keywordDetector } = (await built(
  'keywords',
)) as typeof import('../src/match/keywords.ts');
export const { piiDetector } = (await built('pii')) as typeof import('../src/match/pii.ts');
export const { regexDetector } = (await built('regex')) as typeof import('../src/match/regex.ts');
export const { SECRET_GROUPS, secretDetector } = (await built(
  'secrets',
)) as typeof import('../src/match/secrets.ts');
export const { TextScanner } = (await built('scanner')) as typeof import('../src/match/scanner.ts');
