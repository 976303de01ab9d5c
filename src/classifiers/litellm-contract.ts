/**
 * LiteLLM's generic guardrail API (docs.litellm.ai, "Generic Guardrail API"): a verdict on a call, and no score.
 * One text makes one call, so that each has a verdict of its own.
 */
import { type Contract, isObject } from './contract.ts';

/** What scores 1 where the guardrail blocks, or would change the text. */
const LABELS = { BLOCKED: 'blocked', GUARDRAIL_INTERVENED: 'intervened' } as const;

export const LITELLM = Object.freeze<Contract>({
  textsMax: 1,
  body: ({ texts, direction }) => ({
    texts,
    input_type: direction,
    // Both are asked for; who calls, and with which key, is nobody's business there.
    request_data: {},
    additional_provider_specific_params: {},
  }),
  read(answer, { texts }) {
    if (!isObject(answer)) return undefined;
    const { action } = answer;
    if (action === 'NONE') return { verdicts: texts.map(() => ({ scores: new Map() })) };
    if (action !== 'BLOCKED' && action !== 'GUARDRAIL_INTERVENED') return undefined;
    return { verdicts: texts.map(() => ({ scores: new Map([[LABELS[action], 1]]) })) };
  },
});
