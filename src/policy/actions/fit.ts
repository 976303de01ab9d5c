/** Which actions go with which detectors: some change text, some change tools and JSON, the others end or tell. */
import { jsonPath } from '../../formats/json-path.ts';
import { type Detector, readsTexts } from '../../match/detector.ts';
import { quote } from '../errors.ts';
import { child, type Located, plain } from '../located.ts';
import type { Report } from '../read.ts';
import type { Action } from '../set.ts';

const REPLACING: ReadonlySet<Action['kind']> = new Set(['redact', 'rewrite']);

/** Reports an action that has nothing to act on in what the detector finds. `match`: what it was made of. */
export function checkFit(
  action: Action,
  detector: Detector,
  match: Located,
  at: number,
  report: Report,
): void {
  const { judge } = detector;
  const ofText = judge === undefined;
  const ofWhole = judge !== undefined && !readsTexts(detector);
  const word = quote(action.kind);
  if (
    (REPLACING.has(action.kind) && (!ofText || detector.kind === 'json')) ||
    (action.kind === 'append' && !ofText)
  ) {
    report(
      at,
      'action_needs_text',
      `${word} changes words, and this \`match\` finds tools or values; write \`block\`, \`remove\`, \`clamp\` or \`flag\`, or a rule of its own`,
    );
  }
  if (action.kind === 'remove' && !(ofWhole && judge.about('definition'))) {
    report(
      at,
      'action_needs_tool',
      '`remove` takes tools out of the lists that define them; write `match: { tool: … }` without `where`',
    );
  }
  if (action.kind !== 'clamp') return;
  if (!ofWhole && detector.kind !== 'json') {
    report(
      at,
      'action_needs_tool',
      '`clamp` changes numbers of calls and of JSON; write `match: { tool: … }` or `match: { json: … }`',
    );
  } else if (ofText && !samePath(child(child(match, 'json'), 'path'), action.path.written)) {
    report(
      at,
      'json_path',
      'in a text `clamp` changes what `json` finds; write the same `path` in both',
    );
  }
}

function samePath(found: Located | undefined, clamped: string): boolean {
  const steps = (written: string) => JSON.stringify(jsonPath(written)?.steps);
  return found !== undefined && steps(String(plain(found))) === steps(clamped);
}
