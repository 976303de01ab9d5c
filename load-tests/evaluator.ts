/**
 * `node --import tsx load-tests/evaluator.ts`: what deciding costs, in this process and without gRPC, as ratios
 * within one run. Each pair is measured by turns, in processor time; the ratio is the middle of the rounds'.
 */
import { createHash } from 'node:crypto';
import { loadavg } from 'node:os';
import type { Clock } from '../src/engine/clock.ts';
import { Exchange } from '../src/engine/exchange.ts';
import type { EngineDeps } from '../src/engine/ports.ts';
import { openaiChat } from '../src/formats/openai-chat.ts';
import { compilePolicies, type PolicyFile, ReadingCache } from '../src/policy/compile.ts';
import type { Direction, PolicySet } from '../src/policy/set.ts';
import type { BodyMode, HeadersEvent, ProcessPort } from '../src/protocol/process.ts';
import { CHAT_REQUEST, engineDeps, headersOf, realClock, shippedPolicies } from './in-process.ts';
import { median } from './measures.ts';
import { prose } from './shapes.ts';
import { TENANTS, tenantDocuments } from './tenant-documents.ts';

const ROUNDS = 31;

/** Takes what the engine answers and throws it away. */
class NoPort implements ProcessPort {
  readonly observability = false;
  readonly canRefuse = true;
  readonly settled = true;
  failed = '';
  /** All of the request went on. */
  passed = false;
  private readonly tenant: string;

  constructor(tenant: string) {
    this.tenant = tenant;
  }

  bodyMode(): BodyMode {
    return 'FULL_DUPLEX_STREAMED';
  }
  initialMetadata(name: string): string | undefined {
    return name === 'x-switchyard-tenant' ? this.tenant : undefined;
  }
  continueHeaders(): void {
    this.passed = true;
  }
  body(_direction: Direction, _bytes: Uint8Array, endOfStream: boolean): void {
    this.passed = endOfStream;
  }
  trailers(): void {}
  immediate(): void {
    this.failed = 'it was refused';
  }
  fail(_status: string, reason: string): void {
    this.failed = reason;
  }
  crashed(error: unknown): void {
    throw error;
  }
  pause(): void {}
  resume(): void {}
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

function compiled(files: readonly PolicyFile[], cache = new ReadingCache()): PolicySet {
  const result = compilePolicies(files, { sha256, cache });
  if (!result.ok) throw new Error(JSON.stringify(result.errors));
  return result.set;
}

const headersOnly = (): HeadersEvent => ({
  ...headersOf('request', { ...CHAT_REQUEST, ':method': 'GET', ':path': '/v1/models' }),
  endOfStream: true,
});

/** Turns of the event loop as the exchanges need them: none is put off into a time that nobody measures. */
const soon: (() => void)[] = [];
const clock: Clock = { ...realClock, soon: (action) => void soon.push(action) };

function endTurn(): void {
  for (let action = soon.pop(); action; action = soon.pop()) action();
}

function ask(deps: EngineDeps, tenant: string, headers: HeadersEvent, body?: Uint8Array): void {
  const port = new NoPort(tenant);
  const exchange = new Exchange(deps, port);
  exchange.event(headers);
  if (body !== undefined)
    exchange.event({ kind: 'body', direction: 'request', bytes: body, endOfStream: true });
  endTurn();
  exchange.end('half_close');
  if (port.failed !== '' || !port.passed) throw new Error(port.failed || 'it did not pass');
}

/** Processor time of one call, µs. */
function costUs(times: number, act: (index: number) => void): number {
  const began = process.cpuUsage();
  for (let index = 0; index < times; index += 1) act(index);
  const { user, system } = process.cpuUsage(began);
  return (user + system) / times;
}

interface Row {
  readonly name: string;
  readonly times: number;
  readonly act: (index: number) => void;
  readonly referenceTimes: number;
  readonly reference: (index: number) => void;
}

function measure({ name, times, act, referenceTimes, reference }: Row): void {
  costUs(times * 4, act);
  costUs(referenceTimes * 4, reference);
  const ratios: number[] = [];
  const ours: number[] = [];
  const theirs: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const one = costUs(times, act);
    const other = costUs(referenceTimes, reference);
    ours.push(one);
    theirs.push(other);
    ratios.push(one / other);
  }
  const of = (values: readonly number[]): string => `${median(values).toFixed(1)} µs`;
  process.stdout.write(
    `| ${name} | ${of(ours)} | ${of(theirs)} | ${median(ratios).toFixed(2)} |\n`,
  );
}

const many = compiled(tenantDocuments(TENANTS));
const few = compiled(tenantDocuments(1));
const manyDeps = engineDeps(many, clock);
const fewDeps = engineDeps(few, clock);
const shippedDeps = engineDeps(shippedPolicies(), clock);
const chat = Buffer.from(
  JSON.stringify({ model: 'm', messages: [{ role: 'user', content: prose(1_450) }] }),
);
const asText = chat.toString('utf8');
const tenantOf = (index: number): string => `tenant-${index % TENANTS}`;

process.stdout.write(
  `load ${loadavg()[0]?.toFixed(1)}, ${many.rules.length} rules and ${TENANTS} tenants; ${few.rules.length} rules and 1 tenant\n\n`,
);
process.stdout.write('| | ours | reference | ratio |\n| --- | --- | --- | --- |\n');
measure({
  name: 'headers, all tenants by turns; against 1 tenant',
  times: 2_000,
  act: (index) => ask(manyDeps, tenantOf(index), headersOnly()),
  referenceTimes: 2_000,
  reference: () => ask(fewDeps, 'tenant-0', headersOnly()),
});
measure({
  name: '1.5 KB chat, all tenants by turns; against 1 tenant',
  times: 400,
  act: (index) => ask(manyDeps, tenantOf(index), headersOf('request', CHAT_REQUEST), chat),
  referenceTimes: 400,
  reference: () => ask(fewDeps, 'tenant-0', headersOf('request', CHAT_REQUEST), chat),
});
measure({
  name: '1.5 KB chat with the shipped set; against reading it as its format does',
  times: 400,
  act: () => ask(shippedDeps, '', headersOf('request', CHAT_REQUEST), chat),
  referenceTimes: 400,
  reference: () => {
    const reader = openaiChat.reader('request', false);
    reader.push(chat);
    reader.end();
  },
});
measure({
  name: '1.5 KB chat with the shipped set; against JSON.parse',
  times: 400,
  act: () => ask(shippedDeps, '', headersOf('request', CHAT_REQUEST), chat),
  referenceTimes: 4_000,
  reference: () => void JSON.parse(asText),
});

const files = tenantDocuments(TENANTS);
const whole = Array.from({ length: 9 }, () => costUs(1, () => void compiled(files)) / 1_000);
const cache = new ReadingCache();
compiled(files, cache);
const oneChanged = Array.from({ length: 25 }, (_, index) => {
  const changed = files.map((file) =>
    file.path === 'tenant-7.yaml'
      ? { ...file, text: file.text.replace('launch', `launch ${index}`) }
      : file,
  );
  return costUs(1, () => void compiled(changed, cache)) / 1_000;
});
process.stdout.write(
  `\ncompiling ${many.rules.length} rules of ${files.length} files: ${median(whole).toFixed(0)} ms; after a change of one tenant: ${median(oneChanged).toFixed(1)} ms\n`,
);
