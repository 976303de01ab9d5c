/** Executes rows through Envoy, each several times: as one application and another. */
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DecisionRecord } from '../../src/audit/record.ts';
import { CURES } from './evasions-cures.ts';
import { type Arrival, type Provider, startProvider } from './evasions-provider.ts';
import { type Evasion, type Reply, VERDICTS } from './evasions-row.ts';
import { BARE_APP, CURE_POLICY, CURED_APP, GUARDED_APP, POLICY } from './evasions-table.ts';
import { type Envoy, type Switchyard, startEnvoy, startSwitchyard } from './harness.ts';
import { type Answer, send } from './http-client.ts';
import { CONNECTION_MANAGER, ROW_HEADER } from './stance-envoy.ts';
import { exchangeRecords } from './stance-run.ts';

const APP_HEADER = 'x-test-app';
const AT_ONCE = 8;
const POLL_MS = 25;
const POLLS_MAX = 400;

/** Long for a machine that others use, too, and short for whoever waits for rows that fall silent. */
const STALL_TIMEOUT_MS = 1_500;
const REQUEST_BODY_MS_MAX = 2_500;
const CONFIG = `facts: { app: [{ from: header, name: ${APP_HEADER}, trusted: true }] }
limits: { responseStallTimeoutMs: ${STALL_TIMEOUT_MS}, requestBodyMsMax: ${REQUEST_BODY_MS_MAX} }`;

export interface EvasionStack {
  readonly envoy: Envoy;
  readonly switchyard: Switchyard;
  readonly provider: Provider;
  stop(): Promise<void>;
}

/** What one row came to. */
export interface Outcome {
  readonly answer: Answer;
  readonly arrival: Arrival | undefined;
  /** Undefined when Envoy asked nobody. */
  readonly record: DecisionRecord | undefined;
}

/** What tells one attempt from the others. */
export const runName = (row: Evasion, app: string): string => `${row.id}.${app}`;

const appsOf = ({ id }: Evasion): readonly string[] =>
  CURES[id] === undefined ? [GUARDED_APP, BARE_APP] : [GUARDED_APP, BARE_APP, CURED_APP];

/** Envoy as it is shipped, Switchyard with the policy of the table, and a provider that plays `rows`. */
export async function startEvasionStack(rows: readonly Evasion[]): Promise<EvasionStack> {
  const replies = new Map<string, Reply>();
  for (const row of rows)
    for (const app of appsOf(row)) replies.set(runName(row, app), row.reply ?? ORDINARY_REPLY);
  const provider = await startProvider(ROW_HEADER, (row) => replies.get(row) ?? ORDINARY_REPLY);
  const switchyard = await startSwitchyard({
    policies: { 'guard.yaml': POLICY, 'cures.yaml': CURE_POLICY },
    config: CONFIG,
  });
  const envoy = await startEnvoy({
    switchyard: [{ port: switchyard.grpcPort }],
    upstream: { port: provider.port },
    adapt: (document) => {
      const log = [...CONNECTION_MANAGER, 'access_log', 0, 'typed_config', 'log_format'];
      document.setIn([...log, 'json_format', 'row'], `%REQ(${ROW_HEADER})%`);
    },
  });
  return {
    envoy,
    switchyard,
    provider,
    stop: async () => {
      await envoy.stop();
      await switchyard.stop();
      await provider.stop();
    },
  };
}

const ORDINARY_REPLY: Reply = {
  writes: [
    JSON.stringify({
      id: 'c1',
      object: 'chat.completion',
      created: 1,
      model: 'm',
      choices: [{ index: 0, message: { role: 'assistant', content: 'ok' }, finish_reason: 'stop' }],
    }),
  ],
};

const ORDINARY_REQUEST = {
  method: 'POST',
  path: '/v1/chat/completions',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'hello' }] }),
};

/** Runs all rows as all applications; by `runName`. */
export async function runEvasions(
  stack: EvasionStack,
  rows: readonly Evasion[],
): Promise<ReadonlyMap<string, Outcome>> {
  const answers = new Map<string, Answer>();
  const waiting = rows.flatMap((row) => appsOf(row).map((app) => ({ row, app })));
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift())
        answers.set(
          runName(next.row, next.app),
          await attempt(stack.envoy.port, next.row, next.app),
        );
    }),
  );
  const judged = rows.filter((row) => VERDICTS[row.verdict].decided !== undefined);
  const names = judged.flatMap((row) => appsOf(row).map((app) => runName(row, app)));
  const records = await recordsOf(stack, new Set(names));
  return new Map(
    [...answers].map(([name, answer]) => [
      name,
      { answer, arrival: stack.provider.arrivals.get(name), record: records.get(name) },
    ]),
  );
}

function attempt(port: number, row: Evasion, app: string): Promise<Answer> {
  const tags = {
    [ROW_HEADER]: runName(row, app),
    [APP_HEADER]: app,
  };
  if (row.wire !== undefined)
    return write(port, row.wire(Object.entries(tags).map(([name, value]) => `${name}: ${value}`)));
  const request = row.request ?? ORDINARY_REQUEST;
  return send(port, {
    ...request,
    headers: { ...request.headers, ...tags },
    // An answer that only passes may fall silent for ever; one that is judged may not.
    timeoutMs: row.reply?.stalls === true && app === BARE_APP ? STALL_TIMEOUT_MS : 15_000,
  });
}

/** Bytes as they are, and what came back until the connection was closed. */
function write(port: number, bytes: string): Promise<Answer> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    socket.setTimeout(5_000, () => socket.destroy());
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      const received = Buffer.concat(chunks);
      const text = received.toString('utf8');
      const status = Number(/^HTTP\/1\.1 (\d+)/u.exec(text)?.[1] ?? 0);
      resolve({
        status,
        headers: {},
        bytes: received,
        text,
        trailers: {},
        complete: true,
        error: '',
      });
    });
  });
}

/** Waits until Switchyard has recorded all of them, and Envoy logged which they were. */
async function recordsOf(
  { envoy, switchyard }: EvasionStack,
  names: ReadonlySet<string>,
): Promise<ReadonlyMap<string, DecisionRecord>> {
  const found = new Map<string, DecisionRecord>();
  for (let polls = 0; polls < POLLS_MAX && found.size < names.size; polls++) {
    if (polls > 0) await sleep(POLL_MS);
    const written = new Map(
      exchangeRecords(switchyard.dataDirectory).map((record) => [record.requestId, record]),
    );
    for (const { row, request_id } of await envoy.accessLog()) {
      const record = written.get(String(request_id));
      if (record !== undefined && names.has(String(row))) found.set(String(row), record);
    }
  }
  return found;
}
