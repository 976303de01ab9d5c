/** A process of the load test that talks to us in messages, and ends when we do. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export class Companion {
  private readonly child: ChildProcess;

  /** `program`: file name beside this one. `apart`: in a session of its own, to which the kernel gives its own share. */
  constructor(program: string, { apart = false }: { readonly apart?: boolean } = {}) {
    const file = fileURLToPath(new URL(program, import.meta.url));
    this.child = fork(file, { execArgv: ['--import', 'tsx'], detached: apart });
  }

  get pid(): number {
    return this.child.pid as number;
  }

  /** For what is not answered. */
  tell(order: object): void {
    this.child.send(order);
  }

  /** The next message from it. Rejects when it ends instead. */
  async next<Message>(): Promise<Message> {
    const waiting = new AbortController();
    const { signal } = waiting;
    try {
      return await Promise.race([
        once(this.child, 'message', { signal }).then(([message]) => message as Message),
        once(this.child, 'exit', { signal }).then(() => {
          throw new Error('a process of the load test ended too early');
        }),
      ]);
    } finally {
      waiting.abort();
    }
  }

  ask<Message>(question: object): Promise<Message> {
    const answer = this.next<Message>();
    this.child.send(question);
    return answer;
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null) return;
    const gone = once(this.child, 'exit');
    this.child.disconnect();
    await gone;
  }
}
