import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { projectDirectory } from '../../demo/project.ts';

const NOT_OURS = new Set(['node_modules', 'dist', '.cache', '.git']);

/** Paths of the project's own files under `folder`, relative to the project, with `/`. */
export function projectFiles(folder = '.'): readonly string[] {
  const found: string[] = [];
  const walk = (directory: string): void => {
    for (const entry of readdirSync(directory, { withFileTypes: true })) {
      if (NOT_OURS.has(entry.name)) continue;
      const path = join(directory, entry.name);
      if (entry.isDirectory()) walk(path);
      else if (entry.isFile()) found.push(relative(projectDirectory, path).split('\\').join('/'));
    }
  };
  walk(join(projectDirectory, folder));
  return found.sort();
}

export function readProjectFile(path: string): string {
  return readFileSync(join(projectDirectory, path), 'utf8');
}
