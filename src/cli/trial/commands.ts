/** `switchyard try` and `switchyard explain`: policies against an input, without a server. */
import { type Command, Option } from 'commander';
import { givenWorld, ReadOnce } from '../../engine/surroundings.ts';
import { effectiveReport } from '../../policy/effective.ts';
import type { Conditions } from '../../policy/set.ts';
import { didYouMean } from '../../policy/suggest.ts';
import { compiledSet, readPolicyPath } from '../compile.ts';
import { CliError, EXIT } from '../exit.ts';
import { printable } from '../printable.ts';
import { effectiveLines } from './effective.ts';
import type { TrialEvent, TrialListener } from './events.ts';
import { explanation } from './explain.ts';
import {
  addTrialOptions,
  aroundOf,
  prepareTrial,
  type TrialFlags,
  type TrialSources,
} from './options.ts';
import { paintFor } from './paint.ts';
import { fullReport, shortReport } from './report.ts';
import { type Outcome, runTrial, type TrialMeans } from './run.ts';

/** The process around the commands. */
export interface TrialPorts extends Omit<TrialSources, 'readPolicies'> {
  readonly means: () => Promise<TrialMeans>;
  /** Standard output, as bytes. */
  readonly writeBytes: (bytes: Uint8Array) => void;
  readonly terminal: { readonly out: boolean; readonly error: boolean };
}

interface ProgramPorts {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly write: (text: string) => void;
  readonly writeError: (text: string) => void;
  readonly readPolicies: TrialSources['readPolicies'];
  readonly trial: TrialPorts;
}

const OUTCOMES: readonly Outcome[] = ['passed', 'changed', 'refused', 'unreadable'];

const TRY_HELP = `
Without --report and --json the body goes to standard output as it may leave, frame by frame, and what
happened to standard error; of what is refused, the answer that the client gets.
Exit codes: 0 passed or changed, 1 refused, 2 bad input, or a body that cannot be read`;

const EXPLAIN_HELP = `
Without an input it says what is known from the facts and headers alone. A decision of a running server is
told by \`switchyard why\`, from its records: those hold no text, so that it can only say where it matched.
Exit codes: 0 explained, 2 bad input`;

export function addTrialCommands(program: Command, ports: ProgramPorts): void {
  addTrialOptions(
    program
      .command('try')
      .description('what policies do to a body: a file, or a stream as it arrives'),
  )
    .option('--report', 'every text, frame, match and hold on standard output, instead of the body')
    .addOption(
      new Option(
        '--expect <outcome>',
        'exit with 0 for this outcome only, with 1 for another',
      ).choices(OUTCOMES),
    )
    .addHelpText('after', TRY_HELP)
    .action((flags: TryFlags) => tryPolicies(flags, ports));

  addTrialOptions(
    program.command('explain').description('why each rule did, or did not, act on a body'),
  )
    .option('--rule <id>', 'this rule only, as policy/rule or rule; repeatable', gather)
    .option('--effective', 'what composes for who asks, in order, and what overrides what; no body')
    .option('--tenant <name>', 'short for --facts tenant=<name>')
    .option('--app <name>', 'short for --facts app=<name>')
    .option('--model <name>', 'short for --facts model=<name>')
    .addHelpText('after', EXPLAIN_HELP)
    .action((flags: ExplainFlags) => explainPolicies(flags, ports));
}

interface TryFlags extends TrialFlags {
  readonly report?: boolean;
  readonly expect?: Outcome;
}

interface ExplainFlags extends TrialFlags {
  readonly rule?: readonly string[];
  readonly effective?: boolean;
  readonly tenant?: string;
  readonly app?: string;
  readonly model?: string;
}

/** With the facts that have an option of their own. */
function withShortFacts(flags: ExplainFlags): ExplainFlags {
  const { tenant, app, model } = flags;
  const short = { ...(tenant && { tenant }), ...(app && { app }), ...(model && { model }) };
  return { ...flags, facts: { ...flags.facts, ...short } };
}

/** What conditions read of a request that was only described. */
async function describedConditions(flags: ExplainFlags, nowMs: number): Promise<Conditions> {
  const around = await aroundOf(flags);
  const headers = flags.header ?? {};
  return {
    facts: flags.facts ?? {},
    method: flags.method,
    path: flags.path ?? '/',
    authority: headers.host ?? '',
    route: flags.route,
    headers,
    nowMs,
    claims: around.claims,
    ...(around.ip !== undefined && { sourceIp: around.ip }),
    surroundings: new ReadOnce(givenWorld(around), undefined),
  };
}

async function explainEffective(flags: ExplainFlags, ports: ProgramPorts): Promise<void> {
  const set = compiledSet(await readPolicyPath(flags.policy, ports.readPolicies));
  const { clock } = await meansFor(flags, ports);
  const conditions = await describedConditions(flags, clock.nowMs());
  ports.write(
    flags.json
      ? `${JSON.stringify(effectiveReport(set, conditions))}\n`
      : `${effectiveLines(set, conditions).join('\n')}\n`,
  );
}

function gather(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

async function tryPolicies(flags: TryFlags, ports: ProgramPorts): Promise<void> {
  if (flags.json && flags.report)
    throw new CliError(EXIT.badInput, '--json and --report both want standard output; choose one');
  const prepared = await prepareTrial(flags, sourcesOf(ports), true);
  const onlyEvents = flags.json || flags.report;
  const body = onlyEvents ? undefined : bodyWriter(ports);
  const tell = listenerFor(flags, ports);
  const outcome = await runTrial(
    {
      ...prepared,
      send: (bytes) => body?.(bytes),
      tell(event) {
        // The client gets this in place of the body.
        if (event.event === 'refused' && event.status !== null) body?.(Buffer.from(event.body));
        tell(event);
      },
    },
    await meansFor(flags, ports),
  );
  throwExit(outcome, flags.expect);
}

function throwExit(outcome: Outcome, expected: Outcome | undefined): void {
  if (expected !== undefined) {
    if (outcome === expected) return;
    throw new CliError(EXIT.refused, `expected \`${expected}\`, but it was \`${outcome}\``);
  }
  if (outcome === 'refused') throw new CliError(EXIT.refused, '');
  if (outcome === 'unreadable') throw new CliError(EXIT.badInput, '');
}

function listenerFor(flags: TryFlags, ports: ProgramPorts): TrialListener {
  const { write, writeError, env } = ports;
  if (flags.json) return (event) => write(jsonLine(event));
  const { terminal } = ports.trial;
  const paint = paintFor(flags.color, flags.report ? terminal.out : terminal.error, env);
  const lines = flags.report ? fullReport : shortReport;
  const out = flags.report ? write : writeError;
  return (event) => {
    for (const line of lines(event, paint)) out(`${line}\n`);
  };
}

async function explainPolicies(given: ExplainFlags, ports: ProgramPorts): Promise<void> {
  const flags = withShortFacts(given);
  if (flags.effective) return explainEffective(flags, ports);
  const prepared = await prepareTrial(flags, sourcesOf(ports), false);
  const ids = prepared.set.rules.map(({ id }) => id);
  const only = (flags.rule ?? []).map((word) => ruleNamed(word, ids));
  const events: TrialEvent[] = [];
  await runTrial(
    { ...prepared, send() {}, tell: (event) => void events.push(event) },
    await meansFor(flags, ports),
  );
  if (flags.json) {
    for (const event of events) if (concerns(event, only)) ports.write(jsonLine(event));
    return;
  }
  const paint = paintFor(flags.color, ports.trial.terminal.out, ports.env);
  ports.write(`${explanation(events, only, paint).join('\n')}\n`);
}

/** Events of other rules are left out; those of none stay. */
function concerns(event: TrialEvent, only: readonly string[]): boolean {
  if (only.length === 0 || (event.event !== 'rule' && event.event !== 'match')) return true;
  return only.includes(event.rule);
}

/** A rule by its whole id, or by its own name where only one has it. */
function ruleNamed(word: string, ids: readonly string[]): string {
  if (ids.includes(word)) return word;
  const named = ids.filter((id) => id.slice(id.indexOf('/') + 1) === word);
  if (named.length === 1) return named[0]!;
  const hint =
    named.length > 1
      ? `; say which: ${named.join(', ')}`
      : didYouMean(word, ids) || '; rules that are `off` are not in the set';
  throw new CliError(EXIT.badInput, printable(`no rule is called \`${word}\`${hint}`));
}

function sourcesOf({ readPolicies, trial }: ProgramPorts): TrialSources {
  return { readPolicies, standardInput: trial.standardInput };
}

async function meansFor({ at }: TrialFlags, ports: ProgramPorts): Promise<TrialMeans> {
  const means = await ports.trial.means();
  if (at === undefined) return means;
  return { ...means, clock: { ...means.clock, nowMs: () => at } };
}

/** Bytes for a pipe or a file; on a terminal without what would steer it. */
function bodyWriter({ trial, write }: ProgramPorts): (bytes: Uint8Array) => void {
  if (!trial.terminal.out) return trial.writeBytes;
  const decoder = new TextDecoder();
  return (bytes) => write(onTerminal(decoder.decode(bytes, { stream: true })));
}

function onTerminal(text: string): string {
  return text
    .split(/(\r\n|\n|\t)/)
    .map((part, index) => (index % 2 === 1 ? part : printable(part)))
    .join('');
}

/** What JSON leaves as it is, and would still steer a terminal, as escapes. */
function jsonLine(event: TrialEvent): string {
  const json = JSON.stringify(event).replace(/[\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}]/gu, (found) =>
    [...Array(found.length).keys()]
      .map((at) => `\\u${found.charCodeAt(at).toString(16).padStart(4, '0')}`)
      .join(''),
  );
  return `${json}\n`;
}
