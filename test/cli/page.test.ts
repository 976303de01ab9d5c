/** `docs/reference/cli.md` says what the command's own help says. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { EXIT } from '../../src/cli/exit.ts';
import { buildProgram } from '../../src/cli/program.ts';
import { TRIAL_EVENTS } from '../../src/cli/trial/events.ts';
import { nothing } from '../../src/cli/trial/run.ts';
import { signatures, trialMeans } from './means.ts';

const page = readFileSync(new URL('../../docs/reference/cli.md', import.meta.url), 'utf8');

/** Of a part of the page: what the rows of its tables begin with, in backticks, and what comes next. */
function rowsOf(part: string): readonly (readonly [string, string])[] {
  return [...part.matchAll(/^\| `(.+?)` \| (.*?) \|/gm)].map(([, first, second]) => [
    first!,
    second!,
  ]);
}

function section(heading: string): string {
  const found = page.split(/^(?=## )/m).find((part) => part.startsWith(`## ${heading}\n`));
  assert.ok(found, `the page has no \`## ${heading}\``);
  return found;
}

const optionsOf = (command: Command) =>
  command.options.map(({ flags, description }) => [flags, description] as const);

describe('docs/reference/cli.md', () => {
  const program = buildProgram({
    version: '1',
    env: {},
    write() {},
    writeError() {},
    signatures,
    readPolicies: async () => ({ files: [], errors: [] }),
    trial: {
      means: async () => trialMeans,
      standardInput: nothing,
      writeBytes() {},
      terminal: { out: false, error: false },
    },
  });

  const commands = program.commands.flatMap((command) =>
    command.commands.length === 0
      ? [{ name: command.name(), command }]
      : command.commands.map((one) => ({ name: `${command.name()} ${one.name()}`, command: one })),
  );
  for (const { name, command } of commands)
    it(`has every option of ${name}`, () => {
      const words = command.registeredArguments.map((argument) => ` <${argument.name()}>`);
      const told = rowsOf(section(`switchyard ${name}${words.join('')}`));
      assert.deepEqual(new Map(told), new Map(optionsOf(command)));
    });

  it('has the options of every command, and its exit codes', () => {
    const [head] = page.split(/^## /m) as [string];
    const common = optionsOf(program).filter(([flags]) => !flags.includes('--version'));
    assert.deepEqual(rowsOf(head), common);
    const codes = [...head.matchAll(/^\| (\d) \|/gm)].map(([, code]) => Number(code));
    assert.deepEqual(codes, Object.values(EXIT));
  });

  it('has every command, and no other', () => {
    const commands = [...page.matchAll(/^## switchyard (\w+)/gm)].map(([, name]) => name!);
    const known = [...program.commands.map((command) => command.name()), 'serve'];
    assert.deepEqual(commands.sort(), known.sort());
  });

  it('has every event of --json, with its fields', () => {
    const told = rowsOf(section('Events'));
    const known = Object.entries(TRIAL_EVENTS).map(([name, { properties }]) => [
      name,
      Object.keys(properties)
        .filter((field) => field !== 'event')
        .map((field) => `\`${field}\``)
        .join(' '),
    ]);
    assert.deepEqual(told, known);
  });

  it('has every option of serve, as the whole command says them', async function () {
    this.timeout(60_000);
    const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
    const child = spawn(process.execPath, ['--import', 'tsx', main, 'serve', '--help'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    let help = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      help += text;
    });
    await new Promise((resolve) => child.once('close', resolve));
    // Long descriptions go on in the next line, further in.
    const lines = help.replace(/\n {10,}/g, ' ').split('\n');
    const options = lines
      .map((line) => /^ {2}(-\S+(?: <\S+>)?) {2,}(.*)$/.exec(line))
      .flatMap((found) => (found ? [[found[1]!, found[2]!] as const] : []));
    assert.ok(options.length > 3);
    assert.deepEqual(rowsOf(section('switchyard serve')), options);
  });
});
