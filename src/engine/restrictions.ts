/** Whether a request does what a rule restricts (`models`, `readOnly`), as far as its head and its model show. */
import type { Format } from '../formats/frame.ts';
import type { Conditions, Restriction } from '../policy/set.ts';

/** APIs whose requests ask a model, and say which. */
const MODEL_APIS: ReadonlySet<string> = new Set<Format['name']>([
  'openai.chat',
  'openai.completions',
  'openai.inputs',
  'openai.responses',
  'anthropic.messages',
  'gemini',
]);

/** Asked when all facts are known. Cost: the names that the rule lists. */
export function breaks(restriction: Restriction, conditions: Conditions): boolean {
  const { method, api } = conditions;
  switch (restriction.kind) {
    case 'models': {
      const { model } = conditions.facts;
      if (model !== undefined) return !restriction.permits(model);
      return restriction.listed && method === 'POST' && api !== undefined && MODEL_APIS.has(api);
    }
    case 'readOnly':
      return restriction.methods.has(method) && !isTalk(method, api);
    case 'limit':
      return false;
  }
}

/** To ask a model, or a server of tools, is no writing: which tools are called is looked at in the text. */
function isTalk(method: string, api: string | undefined): boolean {
  return api === 'mcp' || (api !== undefined && method === 'POST');
}
