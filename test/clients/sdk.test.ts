/**
 * Official clients, unmodified, behind a real Envoy, with a mock provider that nobody here wrote: what
 * their users get when a policy allows, masks or refuses, and that none of them takes it for a fault.
 */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Envoy,
  requireEnvoy,
  type Switchyard,
  startEnvoy,
  startSwitchyard,
} from '../envoy/harness.ts';
import { writtenRecords } from '../envoy/written-records.ts';
import { skipBecause } from '../reporter/skip.ts';
import { anthropicClient } from './anthropic-node.ts';
import { assertSaid, outcomeOf } from './expectations.ts';
import { googleClient } from './google-node.ts';
import { type MockProvider, startMockProvider } from './mock-provider.ts';
import { openaiClients } from './openai-node.ts';
import {
  PYTHON_CLIENTS,
  type PythonClients,
  pythonClientsAreHere,
  startPythonClients,
} from './python.ts';
import { type Client, isThrown, type Manner, type Said } from './said.ts';
import {
  GONE,
  LINES,
  type Outcome,
  POLICY,
  SCENES,
  type Scene,
  UNREADABLE,
  UNREADABLE_PROMPT,
} from './scenes.ts';
import { vercelClients } from './vercel-ai.ts';
import { wordsOf } from './words.ts';

/** Port on which nothing listens. */
const NOBODY = 1;

interface Stage {
  readonly provider: MockProvider;
  readonly switchyard: Switchyard;
  readonly envoy: Envoy;
  /** Asks a Switchyard that is not there. */
  readonly orphan: Envoy;
  stop(): Promise<void>;
}

async function openStage(): Promise<Stage> {
  const provider = await startMockProvider(LINES);
  const switchyard = await startSwitchyard({ policies: { 'clients.yaml': POLICY } });
  const upstream = { port: provider.port };
  const [envoy, orphan] = await Promise.all([
    startEnvoy({ switchyard: [{ port: switchyard.grpcPort }], upstream }),
    startEnvoy({ switchyard: [{ port: NOBODY }], upstream }),
  ]);
  return {
    provider,
    switchyard,
    envoy,
    orphan,
    stop: async () => {
      await Promise.all([envoy.stop(), orphan.stop()]);
      await Promise.all([switchyard.stop(), provider.stop()]);
    },
  };
}

const originOf = ({ port }: Envoy): string => `http://127.0.0.1:${port}`;
const requestsAt = (envoy: Envoy) => envoy.stat('http.ai.downstream_rq_total');

/** A suite's clients are known when its hooks have run; their names and manners before. */
function suite(of: Pick<Client, 'name' | 'manners'>, stage: () => Stage, client: () => Client) {
  describe(of.name, () => {
    for (const scene of SCENES)
      it(scene.name, async () => {
        for (const manner of of.manners) await play(stage(), client(), scene, manner);
      });
  });
}

async function play(stage: Stage, client: Client, scene: Scene, manner: Manner): Promise<void> {
  const { provider, envoy, switchyard } = stage;
  const words = wordsOf(client);
  const outcome = outcomeOf(scene, manner, words);
  provider.takeRequests();
  const before = await requestsAt(envoy);
  const said = await client.ask(manner, scene.question);
  try {
    assertSaid(said, outcome, manner, words);
    assert.equal((await requestsAt(envoy)) - before, 1, 'requests that the client made');
    const requests = provider.takeRequests();
    assert.equal(requests.length, scene.says === undefined ? 0 : 1, 'requests that went through');
    if (scene.reaches !== undefined) {
      assert.ok(requests[0]?.includes(scene.reaches.with), requests[0]);
      assert.ok(!requests[0]?.includes(scene.reaches.without), requests[0]);
    }
    if (scene.rule !== undefined) assertRecorded(switchyard, said, outcome, scene.rule);
  } catch (error) {
    if (error instanceof Error) error.message = `(${manner}) ${error.message}`;
    throw error;
  }
}

/** The record that a user can be told the id of says the same. */
function assertRecorded(switchyard: Switchyard, said: Said, outcome: Outcome, rule: string): void {
  const { decisions } = writtenRecords(switchyard.dataDirectory);
  const wanted = outcome.kind === 'answer' ? 'mutate' : 'deny';
  const shown = isThrown(said) ? said.decision : undefined;
  const record =
    shown === undefined
      ? decisions.findLast(({ kind }) => kind !== 'check')
      : decisions.find(({ exchange, kind }) => exchange === shown && kind === 'process');
  assert.ok(record !== undefined, `no record of ${shown}`);
  // The record that bytes were changed comes before they leave, that of the exchange after its end.
  if (record.kind === 'process') assert.equal(record.verdict, wanted);
  else assert.equal(record.kind === 'mutation' && wanted, 'mutate');
  assert.ok(
    record.findings.some((finding) => finding.rule.endsWith(rule) && finding.enforced),
    JSON.stringify(record.findings),
  );
}

interface Tried {
  readonly client: Client;
  readonly manner: Manner;
  readonly prompt: string;
  readonly said: Said;
}

/** Asks in every manner of every client at once: those that try again wait seconds between. */
async function tries(
  clients: readonly Client[],
  prompt: (client: Client, manner: Manner) => string,
): Promise<readonly Tried[]> {
  return Promise.all(
    clients.flatMap((client) =>
      client.manners.map(async (manner) => {
        const asked = prompt(client, manner);
        return { client, manner, prompt: asked, said: await client.ask(manner, { prompt: asked }) };
      }),
    ),
  );
}

function faults(
  stage: () => Stage,
  clients: () => readonly Client[],
  orphans: () => readonly Client[],
) {
  const GONE_PROMPT = 'scene alder, but nobody is there';
  let forsaken: Promise<readonly Tried[]> | undefined;
  let orphanBefore = 0;
  /** Begun with the first test: both wait for seconds. */
  const ofOrphans = async (): Promise<readonly Tried[]> => {
    if (forsaken === undefined) {
      orphanBefore = await requestsAt(stage().orphan);
      forsaken = tries(orphans(), () => GONE_PROMPT);
    }
    return forsaken;
  };

  it('get an error when an answer cannot be judged, and only some try again', async () => {
    const { provider } = stage();
    provider.takeRequests();
    const [all] = await Promise.all([
      tries(clients(), (client, manner) => `${UNREADABLE_PROMPT}: ${client.name}, ${manner}`),
      ofOrphans(),
    ]);
    const wanted = all.reduce((sum, { client }) => sum + wordsOf(client).triesUnavailable, 0);
    const requests = [...provider.takeRequests()];
    // An answer can outrun the provider's journal by a moment.
    for (let waitedMs = 0; waitedMs < 2_000 && requests.length < wanted; waitedMs += 50) {
      await sleep(50);
      requests.push(...provider.takeRequests());
    }
    const outcome = { kind: 'error', by: 'switchyard', status: 502, message: UNREADABLE } as const;
    for (const { client, manner, said, prompt } of all) {
      const words = wordsOf(client);
      assertSaid(said, outcome, manner, words);
      const tried = requests.filter((body) => body.includes(prompt)).length;
      assert.equal(tried, words.triesUnavailable, prompt);
    }
    assert.ok(!requests.some((body) => body.includes(GONE_PROMPT)));
  });

  it('get an error when Switchyard is gone, and only some try again', async () => {
    const { orphan } = stage();
    const all = await ofOrphans();
    const wanted = all.reduce((sum, { client }) => sum + wordsOf(client).triesUnavailable, 0);
    // An answer can outrun the counter by a moment.
    for (let waitedMs = 0; waitedMs < 2_000; waitedMs += 50)
      if ((await requestsAt(orphan)) - orphanBefore < wanted) await sleep(50);
    assert.equal((await requestsAt(orphan)) - orphanBefore, wanted);
    for (const { client, said } of all) {
      assert.ok(isThrown(said), client.name);
      assert.equal(said.error, wordsOf(client).errors[503], client.name);
      assert.equal(said.status, 503);
      assert.ok(said.message.includes(GONE), `${client.name}: ${said.message}`);
    }
  });
}

/** Clients of which only names and manners count. */
const NOWHERE = 'http://127.0.0.1:1';
const nodeClients = (origin: string): readonly Client[] => [
  ...openaiClients(origin),
  anthropicClient(origin),
  googleClient(origin),
  ...vercelClients(origin),
];

describe('official clients', function () {
  this.timeout(60_000);
  let stage: Stage;

  before(async function () {
    requireEnvoy(this);
    stage = await openStage();
  });

  after(async () => {
    await stage?.stop();
  });

  describe('for Node', () => {
    let clients: readonly Client[] = [];
    before(() => {
      clients = nodeClients(originOf(stage.envoy));
    });

    nodeClients(NOWHERE).forEach((client, index) => {
      suite(
        client,
        () => stage,
        () => clients[index]!,
      );
    });
    faults(
      () => stage,
      () => clients,
      () => nodeClients(originOf(stage.orphan)),
    );
  });

  describe('for Python', () => {
    let python: PythonClients | undefined;
    const clientsAt = (envoy: Envoy): readonly Client[] => python!.at(originOf(envoy));
    before(async function () {
      if (!pythonClientsAreHere())
        skipBecause(this, 'no Python clients: node setup/python-clients.mjs');
      python = await startPythonClients();
    });
    after(() => python?.stop());

    PYTHON_CLIENTS.forEach((client, index) => {
      suite(
        client,
        () => stage,
        () => clientsAt(stage.envoy)[index]!,
      );
    });
    faults(
      () => stage,
      () => clientsAt(stage.envoy),
      () => clientsAt(stage.orphan),
    );
  });
});
