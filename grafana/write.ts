/** `npm run board`: writes `grafana/switchyard.json`. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { projectDirectory } from '../demo/project.ts';
import { boardText } from './board.ts';

await writeFile(join(projectDirectory, 'grafana', 'switchyard.json'), boardText());
