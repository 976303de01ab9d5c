import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

function findProject(from: string): string {
  if (existsSync(join(from, 'package-lock.json'))) return from;
  const above = dirname(from);
  if (above === from) throw new Error('no package-lock.json in any directory above the demo');
  return findProject(above);
}

/** The checkout, found from `demo/` as well as from `dist/demo/`. */
export const projectDirectory = findProject(dirname(fileURLToPath(import.meta.url)));
