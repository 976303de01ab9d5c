/** The official Python clients: a process of theirs that is asked line by line. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pythonPackages } from '../../setup/python-clients.mjs';
import { type Client, type Manner, type Question, type Said, TOOL } from './said.ts';

const SCRIPT = join(import.meta.dirname, 'python_clients.py');

const ALL: readonly Manner[] = ['document', 'stream', 'collect'];

/** Which there are, before any is started. */
export const PYTHON_CLIENTS: readonly Omit<Client, 'ask'>[] = [
  { name: 'openai (Python), chat completions', api: 'chat', manners: ALL },
  { name: 'openai (Python), responses', api: 'responses', manners: ALL },
  { name: 'anthropic (Python)', api: 'messages', manners: ALL },
  { name: 'google-genai (Python)', api: 'gemini', manners: ['document', 'stream'] },
];

/** Their packages were fetched for the Python of this machine. */
export function pythonClientsAreHere(): boolean {
  try {
    return existsSync(pythonPackages());
  } catch {
    return false;
  }
}

export interface PythonClients {
  /** One of each; they share a process and answer one after the other. */
  at(origin: string): readonly Client[];
  stop(): void;
}

interface Line {
  readonly ready?: true;
  readonly id?: number;
  readonly said?: Said;
}

interface Asked {
  readonly origin: string;
  readonly api: Client['api'];
  readonly manner: Manner;
  readonly question: Question;
}

/** Rejects when Python cannot be started or the packages are not there. */
export async function startPythonClients(): Promise<PythonClients> {
  const child = spawn('python3', [SCRIPT, JSON.stringify(TOOL)], {
    // What a user's shell says about proxies and credentials is not meant for these clients.
    env: { PATH: process.env.PATH, PYTHONPATH: pythonPackages() },
  });
  const waiting = new Map<number, { said(said: Said): void; ended(error: Error): void }>();
  let complaints = '';
  child.stderr.on('data', (bytes: Buffer) => {
    complaints = `${complaints}${bytes.toString()}`.slice(-4_000);
  });
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', () => {
      const error = new Error(`the Python clients ended: ${complaints}`);
      reject(error);
      for (const { ended } of waiting.values()) ended(error);
    });
    createInterface({ input: child.stdout }).on('line', (text) => {
      const { ready, id, said } = JSON.parse(text) as Line;
      if (ready) resolve();
      if (id === undefined || said === undefined) return;
      waiting.get(id)?.said(said);
      waiting.delete(id);
    });
  });
  let asked = 0;
  const ask = (line: Asked): Promise<Said> =>
    new Promise((resolve, reject) => {
      const id = asked++;
      waiting.set(id, { said: resolve, ended: reject });
      child.stdin.write(`${JSON.stringify({ id, ...line })}\n`);
    });
  return {
    at: (origin) =>
      PYTHON_CLIENTS.map((client) => ({
        ...client,
        ask: (manner, question) => ask({ origin, api: client.api, manner, question }),
      })),
    stop: () => end(child),
  };
}

function end(child: ChildProcessWithoutNullStreams): void {
  child.removeAllListeners('exit');
  child.stdin.end();
  child.kill('SIGTERM');
}
