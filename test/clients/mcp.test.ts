/**
 * The official clients and servers of the Model Context Protocol with Envoy and Switchyard between them:
 * sessions, progress in event streams, and refusals that a client reports as what they are.
 */
import assert from 'node:assert/strict';
import {
  type Envoy,
  requireEnvoy,
  type Switchyard,
  startEnvoy,
  startSwitchyard,
} from '../envoy/harness.ts';
import { writtenRecords } from '../envoy/written-records.ts';
import {
  type Failure,
  failureOf,
  MCP_PAIRS,
  type McpPair,
  type Progress,
  type Session,
} from './mcp-clients.ts';
import { startEverything, startModern, type ToolServer } from './mcp-servers.ts';
import { DECLINED, GONE, POLICY, REFUSED, RESULT_REFUSED } from './scenes.ts';

const POLICY_ERROR_CODE = -31_403;
/** Port on which nothing listens. */
const NOBODY = 1;

describe('official MCP clients', function () {
  this.timeout(30_000);
  let switchyard: Switchyard;
  let everything: ToolServer;
  let modern: ToolServer;
  let envoys: Readonly<Record<McpPair['server'] | 'orphan', Envoy>>;

  before(async function () {
    requireEnvoy(this);
    [switchyard, everything, modern] = await Promise.all([
      startSwitchyard({ policies: { 'mcp.yaml': POLICY } }),
      startEverything(),
      startModern(),
    ]);
    const behind = (port: number, upstream: number) =>
      startEnvoy({ switchyard: [{ port }], upstream: { port: upstream } });
    const [first, second, orphan] = await Promise.all([
      behind(switchyard.grpcPort, everything.port),
      behind(switchyard.grpcPort, modern.port),
      behind(NOBODY, modern.port),
    ]);
    envoys = { everything: first, modern: second, orphan };
  });

  after(async () => {
    await Promise.all(Object.values(envoys ?? {}).map((envoy) => envoy.stop()));
    await Promise.all([switchyard?.stop(), everything?.stop(), modern?.stop()]);
  });

  for (const pair of MCP_PAIRS)
    describe(pair.name, () => {
      const streams = pair.server === 'everything';
      let session: Session;
      const echo = (message: string, onProgress?: (progress: Progress) => void) =>
        session.call('echo', { message }, onProgress);
      const text = async (call: Promise<{ readonly content?: unknown }>) =>
        ((await call).content as readonly { readonly text: string }[])[0]!.text;

      before(async () => {
        session = await pair.connect(envoys[pair.server].port);
      });
      after(() => session?.close());

      it('agree on a revision, with a session where there are sessions', () => {
        assert.equal(session.version, pair.version);
        assert.equal(session.sessionId !== undefined, streams);
      });

      it('list tools and call them', async () => {
        assert.ok((await session.tools()).includes('echo'));
        assert.equal(await text(echo('Banks abroad: 😀 "ü"')), 'Echo: Banks abroad: 😀 "ü"');
      });

      it('have arguments masked before the server sees them', async () => {
        assert.equal(await text(echo('I am joe@acme.example')), 'Echo: I am [EMAIL_1]');
        if (!streams) assert.equal(modern.called.at(-1), '{"message":"I am [EMAIL_1]"}');
      });

      it('have results masked', async () => {
        assert.equal(await text(echo('Ask Bank A')), 'Echo: Ask another bank');
      });

      it('report a refusal as the error of the request that was refused', async () => {
        const before = modern.called.length;
        // Another request is under way at the same time: each gets its own.
        const [failure, allowed] = await Promise.all([
          failureOf(echo('What is Project Zebra?')),
          text(echo('hello')),
        ]);
        assert.equal(allowed, 'Echo: hello');
        assertRefused(failure, REFUSED);
        if (!streams) assert.equal(modern.called.length, before + 1);
        assertRefused(
          await failureOf(session.prompt('args-prompt', { city: 'Project Zebra' })),
          REFUSED,
        );
      });

      it('hand a refusal to the model as a failed call where the rule says so', async () => {
        const result = await echo('What is Project Heron?');
        assert.equal(result.isError, true);
        assert.deepEqual(result.content, [{ type: 'text', text: DECLINED }]);
        const { 'switchyard/decision': decision } = result._meta as Record<string, string>;
        assertRecorded(decision, 'heron');
      });

      it('keep a status that a rule names for a reason of its own', async () => {
        const failure = await failureOf(echo('What is Project Crane?'));
        assert.ok(failure.message.includes(REFUSED), failure.message);
        assert.deepEqual([failure.error, failure.code], [pair.httpError, 403]);
      });

      it('are refused the result of a tool', async () => {
        if (streams) {
          // Its answer is an event stream, which ends as a refusal.
          const result = await echo('about Project Otter');
          assert.equal(result.isError, true);
          assert.deepEqual(result.content, [{ type: 'text', text: RESULT_REFUSED }]);
        } else assertRefused(await failureOf(echo('about Project Otter')), RESULT_REFUSED);
      });

      it('hear of progress in an event stream before the result', async () => {
        const heard: Progress[] = [];
        const onProgress = (progress: Progress) => void heard.push(progress);
        if (streams) {
          const args = { duration: 0.1, steps: 2 };
          const done = await text(session.call('trigger-long-running-operation', args, onProgress));
          assert.match(done, /completed/u);
          assert.deepEqual(
            heard.map(({ progress }) => progress),
            [1, 2],
          );
        } else {
          assert.equal(await text(echo('Ask Bank A', onProgress)), 'Echo: Ask another bank');
          assert.deepEqual(heard, [{ progress: 1, message: 'half of Ask another bank' }]);
        }
      });

      if (!streams)
        it('are refused inside an event stream, in place of the first message that is', async () => {
          const heard: Progress[] = [];
          const result = await echo('about Project Otter', (progress) => void heard.push(progress));
          assert.deepEqual([result.isError, heard], [true, []]);
          assert.deepEqual(result.content, [{ type: 'text', text: RESULT_REFUSED }]);
        });

      it("get the server's own errors as they are", async () => {
        if (streams) assert.match(await text(session.call('none', {})), /not found/u);
        else assert.equal((await failureOf(session.call('none', {}))).code, -32_602);
      });

      if (streams)
        it('end their session', async () => {
          await session.terminate();
          const failure = await failureOf(echo('hello'));
          assert.equal(failure.error, pair.httpError);
          assert.match(failure.message, /not initialized|session/iu);
        });

      it('cannot connect while Switchyard is gone, and are told why', async () => {
        const failure = await failureOf(pair.connect(envoys.orphan.port));
        assert.deepEqual([failure.error, failure.code], [pair.httpError, 503]);
        const shown = streams ? failure.message : JSON.stringify(failure.data);
        assert.ok(shown.includes(GONE), shown);
      });

      function assertRefused(failure: Failure, message: string): void {
        assert.equal(failure.error, pair.rpcError);
        assert.equal(failure.code, POLICY_ERROR_CODE);
        assert.ok(failure.message.endsWith(message), failure.message);
        assertRecorded((failure.data as { readonly decision: string }).decision);
      }
    });

  /** Written before the refusal left. */
  function assertRecorded(decision: string | undefined, rule?: string): void {
    const { decisions } = writtenRecords(switchyard.dataDirectory);
    const record = decisions.find(
      ({ exchange, kind }) => exchange === decision && kind === 'process',
    );
    assert.equal(record?.verdict, 'deny');
    if (rule !== undefined)
      assert.ok(record?.findings.some((finding) => finding.rule.endsWith(rule)));
  }
});
