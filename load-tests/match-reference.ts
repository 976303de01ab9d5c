/**
 * The program in `reference/matcher`: Rust's matchers over the same rules. Built by cargo when it is there, into
 * `.cache`; the crates come from where cargo is set up to find them.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { RuleSet } from './match-sets.ts';

const project = resolve(import.meta.dirname, '..');
const builds = join(project, '.cache', 'matcher-reference');
const inputs = join(builds, 'inputs');

export interface ReferenceSlice {
  readonly nanoseconds: number;
  readonly matches: number;
}

export class Reference {
  private readonly child: ChildProcess;
  private readonly answers: AsyncIterator<string>;

  private constructor(program: string) {
    this.child = spawn(program, { stdio: ['pipe', 'pipe', 'inherit'] });
    const lines = createInterface({ input: this.child.stdout as NodeJS.ReadableStream });
    this.answers = lines[Symbol.asyncIterator]();
  }

  /** Undefined, and said so, when there is no cargo or it cannot build. */
  static start(say: (line: string) => void): Reference | undefined {
    if (spawnSync('cargo', ['--version']).status !== 0) {
      say('there is no cargo here: no reference is measured');
      return undefined;
    }
    const manifest = join(import.meta.dirname, 'reference', 'matcher', 'Cargo.toml');
    const build = ['build', '--release', '--quiet', '--manifest-path', manifest];
    const { status } = spawnSync('cargo', [...build, '--target-dir', builds], { stdio: 'inherit' });
    if (status === 0) return new Reference(join(builds, 'release', 'matcher-reference'));
    say('cargo could not build the reference: it is not measured');
    return undefined;
  }

  async load({ title, reference: { kind, lines } }: RuleSet, text: string): Promise<void> {
    mkdirSync(inputs, { recursive: true });
    writeFileSync(this.fileOf(title, 'rules'), `${lines.join('\n')}\n`);
    writeFileSync(this.fileOf(title, 'text'), text);
    await this.ask(kind, title, this.fileOf(title, 'rules'));
  }

  async scan({ title }: RuleSet): Promise<ReferenceSlice> {
    const answer = await this.ask('scan', title, this.fileOf(title, 'text'));
    const [nanoseconds, matches] = answer.split(' ').map(Number);
    return { nanoseconds: nanoseconds ?? Number.NaN, matches: matches ?? Number.NaN };
  }

  stop(): void {
    this.child.stdin?.end();
  }

  private fileOf(title: string, part: string): string {
    return join(inputs, `${title.replaceAll(/\W+/g, '-')}.${part}.txt`);
  }

  private async ask(...command: readonly string[]): Promise<string> {
    this.child.stdin?.write(`${command.join('\t')}\n`);
    const { value, done } = await this.answers.next();
    if (done === true || value.startsWith('error')) throw new Error(`the reference says: ${value}`);
    return value;
  }
}
