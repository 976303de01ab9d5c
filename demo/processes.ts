/** Child processes that never outlive us, whether we end well, are interrupted or are killed. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { projectDirectory } from './project.ts';

/** How long a child may take to end by itself before it is killed. */
const STOP_GRACE_MS = 8_000;
/** What is kept of a child's output for error messages. */
const OUTPUT_CHARS_MAX = 262_144;

export interface ProcessExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface RunningProcess {
  readonly pid: number;
  readonly exited: Promise<ProcessExit>;
  /** What it wrote to stdout and stderr, the end of it. */
  output(): string;
  /** Resolves with the first line (of what was or will be written) that `matches`; rejects if it exits before. */
  line(matches: (line: string) => boolean, timeoutMs: number): Promise<string>;
  /** SIGTERM, then SIGKILL after `graceMs` (8,000 unless given). Resolves when the process is gone. */
  stop(graceMs?: number): Promise<void>;
  /** Any signal, without waiting. */
  signal(name: NodeJS.Signals): void;
}

export interface ProcessOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** File that gets everything it writes. */
  readonly logFile?: string;
}

let tether: ChildProcess | undefined;

function tell(line: string): void {
  if (tether === undefined || tether.exitCode !== null) {
    tether = spawn(process.execPath, [join(projectDirectory, 'demo', 'tether.mjs')], {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    // Neither the process nor its pipe may keep us alive: our end is its signal.
    tether.unref();
    (tether.stdin as Socket | null)?.unref();
    tether.stdin?.on('error', () => undefined);
  }
  tether.stdin?.write(`${line}\n`);
}

/**
 * Starts a program in a process group of its own, so that Ctrl-C reaches only us and we choose the order of
 * ending. Rejects when the program cannot be started.
 */
export function startProcess(
  command: string,
  args: readonly string[],
  options: ProcessOptions = {},
): Promise<RunningProcess> {
  const child = spawn(command, args, {
    cwd: options.cwd ?? projectDirectory,
    env: options.env ?? process.env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('spawn', () => resolve(supervise(child, child.pid ?? 0, options.logFile)));
  });
}

function supervise(child: ChildProcess, pid: number, logFile?: string): RunningProcess {
  tell(`+${pid}`);
  const log = logFile === undefined ? undefined : createWriteStream(logFile);
  const waiting = new Set<(line: string) => void>();
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    if (stream === null) continue;
    createInterface({ input: stream }).on('line', (line) => {
      output = `${output}${line}\n`.slice(-OUTPUT_CHARS_MAX);
      log?.write(`${line}\n`);
      for (const look of waiting) look(line);
    });
  }
  const exited = new Promise<ProcessExit>((resolve) => {
    child.once('exit', (code, signal) => {
      tell(`-${pid}`);
      log?.end();
      resolve({ code, signal });
    });
  });
  return {
    pid,
    exited,
    output: () => output,
    line: (matches, timeoutMs) =>
      new Promise((resolve, reject) => {
        const already = output.split('\n').find(matches);
        if (already !== undefined) return resolve(already);
        const timer = setTimeout(() => settle(() => reject(late(output))), timeoutMs);
        const look = (line: string): void => {
          if (matches(line)) settle(() => resolve(line));
        };
        const settle = (finish: () => void): void => {
          clearTimeout(timer);
          waiting.delete(look);
          finish();
        };
        waiting.add(look);
        void exited.then(() => settle(() => reject(gone(output))));
      }),
    stop: async (graceMs = STOP_GRACE_MS) => {
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), graceMs);
      await exited;
      clearTimeout(timer);
    },
    signal: (name) => {
      child.kill(name);
    },
  };
}

function late(output: string): Error {
  return new Error(`it is not ready in time; it wrote:\n${output.slice(-2_000)}`);
}

function gone(output: string): Error {
  return new Error(`it ended before it was ready; it wrote:\n${output.slice(-2_000)}`);
}
