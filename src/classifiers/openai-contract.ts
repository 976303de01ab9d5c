/** The OpenAI moderation shape (`POST /v1/moderations`): many texts in, `category_scores` of each out. */
import { type Contract, eachRead, isObject, scoresIn } from './contract.ts';

export const OPENAI = Object.freeze<Contract>({
  textsMax: 32,
  body: ({ texts, model }) => ({ input: texts, ...(model !== undefined && { model }) }),
  read(answer, question) {
    if (!isObject(answer)) return undefined;
    const verdicts = eachRead(answer.results, question, (item) => {
      const scores = isObject(item) ? scoresIn(item.category_scores) : undefined;
      return scores && { scores };
    });
    if (verdicts === undefined) return undefined;
    const { model } = answer;
    return typeof model === 'string' ? { verdicts, version: model } : { verdicts };
  },
});
