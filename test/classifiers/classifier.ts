/** A classifier's process, as a test holds it. */
import { startProcess } from '../../demo/processes.ts';
import { send } from '../envoy/http-client.ts';

export interface Behaviour {
  readonly delayMs?: number;
  readonly version?: string;
  readonly fault?: 'status' | 'garbage' | 'short' | 'huge' | 'redirect' | 'hangUp' | 'silence';
}

export interface Asked {
  readonly path: string;
  readonly body: Readonly<Record<string, unknown>>;
  readonly authorization?: string;
}

export interface TestClassifier {
  readonly port: number;
  /** From now on; what it was asked before is forgotten. */
  behave(behaviour: Behaviour): Promise<void>;
  /** What it was asked since, and how many of that it has not answered. */
  seen(): Promise<{ readonly asked: readonly Asked[]; readonly open: number }>;
  stop(): Promise<void>;
}

const READY_MS = 20_000;

/** `port`: one that was used before; otherwise a free one. */
export async function startClassifier(port = 0): Promise<TestClassifier> {
  const program = new URL('./serve-classifier.ts', import.meta.url).pathname;
  const running = await startProcess(process.execPath, [
    ...['--import', 'tsx', program, String(port)],
  ]);
  const line = await running.line((text) => text.startsWith('{"port"'), READY_MS);
  const taken = (JSON.parse(line) as { readonly port: number }).port;
  return {
    port: taken,
    async behave(behaviour) {
      await send(taken, { method: 'POST', path: '/control', body: JSON.stringify(behaviour) });
    },
    seen: async () => JSON.parse((await send(taken, { path: '/control' })).text),
    stop: () => running.stop(),
  };
}
