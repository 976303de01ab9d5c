import { quote } from '../errors.ts';
import type { ActionContext } from './kind.ts';

/** Reports a rule whose action must come before the model answers, and that waits for the answer. */
export function requestOnly(word: string, { node, inspect, report }: ActionContext): void {
  if (!inspect.has('response')) return;
  report(
    node.at,
    'action_not_response',
    `${quote(word)} acts on a request, and an answer comes too late for it; take \`response\` out of \`inspect\``,
  );
}
