/** `try` and `explain` in this process: words and bytes in, what was written out. */
import { buildProgram } from '../../src/cli/program.ts';
import { runProgram } from '../../src/cli/run.ts';
import type { TrialEvent, TrialEventOf } from '../../src/cli/trial/events.ts';
import { DIRECTORY_LIMITS, readDirectory } from '../../src/store/directory-reading.ts';
import { signatures, trialMeans } from './means.ts';

export interface TrialRun {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface TrialSetting {
  readonly terminal?: { readonly out: boolean; readonly error: boolean };
  readonly env?: Readonly<Record<string, string>>;
}

/** `parts` come over standard input, one by one. */
export async function runTrialCommand(
  words: readonly string[],
  parts: readonly (string | Uint8Array)[] = [],
  { terminal = { out: false, error: false }, env = {} }: TrialSetting = {},
): Promise<TrialRun> {
  const out: Uint8Array[] = [];
  let err = '';
  const writeError = (text: string): void => {
    err += text;
  };
  const program = buildProgram({
    version: '1.2.3',
    env,
    write: (text) => void out.push(Buffer.from(text)),
    writeError,
    signatures,
    readPolicies: (directory) => readDirectory(directory, DIRECTORY_LIMITS),
    trial: {
      means: async () => trialMeans,
      async *standardInput() {
        for (const part of parts) yield Buffer.from(part);
      },
      writeBytes: (bytes) => void out.push(Uint8Array.from(bytes)),
      terminal,
    },
  });
  const code = await runProgram(program, words, writeError);
  return { code, out: Buffer.concat(out).toString('utf8'), err };
}

export function eventsOf({ out }: TrialRun): readonly TrialEvent[] {
  return out
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as TrialEvent);
}

export function pickEvents<Name extends TrialEvent['event']>(
  run: TrialRun,
  name: Name,
): readonly TrialEventOf<Name>[] {
  return eventsOf(run).filter(
    (event): event is TrialEventOf<Name> & TrialEvent => event.event === name,
  );
}

/** An answer of OpenAI's chat API that says `deltas`, one event each. */
export function chatAnswer(deltas: readonly string[]): string {
  const events = deltas.map(
    (content) =>
      `data: ${JSON.stringify({ id: 'c1', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta: { content }, finish_reason: null }] })}\n\n`,
  );
  return `${events.join('')}data: [DONE]\n\n`;
}

export function chatQuestion(content: string): string {
  return JSON.stringify({ model: 'm', messages: [{ role: 'user', content }] });
}
