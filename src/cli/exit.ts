/** How the command ends. Scripts rely on the numbers. */
export const EXIT = {
  ok: 0,
  refused: 1,
  badInput: 2,
  unreachable: 3,
  /** The fast stage of golden cases holds, the slow one does not. */
  slowStageFailed: 4,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Ends the command with a message for people; '' where everything was said. */
export class CliError extends Error {
  readonly exitCode: ExitCode;

  constructor(exitCode: ExitCode, message: string) {
    super(message);
    this.name = 'CliError';
    this.exitCode = exitCode;
  }
}
