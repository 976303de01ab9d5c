/** Requests without end, a few at a time, while something else happens. */
import { chat } from './chat.ts';

/** A lane that has seen so many failures ends: there is nothing to learn from more. */
const FAILURES_MAX = 20;

export interface Load {
  /** Answers so far. */
  readonly answered: () => number;
  /** Lets what is on its way finish; resolves with what was no complete 200, as `status error`. */
  stop(): Promise<readonly string[]>;
}

/** `lanes` clients, each with one request at a time, that ask what no policy of the test refuses. */
export function startLoad(port: number, lanes: number): Load {
  const failures: string[] = [];
  let answered = 0;
  let isOver = false;
  const lane = async (number: number): Promise<void> => {
    for (let turn = 0; !isOver; turn++) {
      const stream = (turn + number) % 2 === 0;
      const answer = await chat(port, { stream, prompt: `harmless ${number} ${turn}` });
      if (answer.status !== 200 || !answer.complete)
        failures.push(`${answer.status} ${answer.error} ${answer.text.slice(0, 200)}`);
      answered++;
      // A test that failed stops nothing; let its load not go on for ever.
      if (failures.length >= FAILURES_MAX) return;
    }
  };
  const lanesDone = Array.from({ length: lanes }, (_, number) => lane(number));
  return {
    answered: () => answered,
    stop: async () => {
      isOver = true;
      await Promise.all(lanesDone);
      return failures;
    },
  };
}
