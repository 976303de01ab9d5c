/**
 * Presidio's pattern recognisers, the yardstick of `npm run detection`, in a Python of their own under
 * `.cache/presidio`. Only who compares needs it: about 400 MB, most of it the splitter of words.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { cacheDirectory, run, say } from './project.mjs';

const PRESIDIO = 'presidio-analyzer==2.2.366';

const place = join(cacheDirectory, 'presidio');
if (existsSync(join(place, 'bin', 'python'))) say('Presidio is there');
else {
  await run('python3', ['-m', 'venv', place]);
  await run(join(place, 'bin', 'python'), ['-m', 'pip', 'install', '--quiet', PRESIDIO]);
}
