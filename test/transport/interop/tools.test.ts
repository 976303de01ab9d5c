/** Tools that operators use, against our transports: grpcurl by hand, ghz with many calls at once. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { projectDirectory } from '../../../demo/project.ts';
import { goProgram } from '../../../setup/go-programs.mjs';
import { skipBecause } from '../../reporter/skip.ts';
import { ANSWERED_ENDPOINT, type Subject, startSubject, TRANSPORTS } from './subject.ts';

const run = promisify(execFile);
const PROTOS = join(projectDirectory, 'protos');
const CHECK = 'envoy.service.auth.v3.Authorization/Check';
const CHECK_PROTO = 'envoy/service/auth/v3/external_auth.proto';
const PROCESS = 'envoy.service.ext_proc.v3.ExternalProcessor/Process';
const PROCESS_PROTO = 'envoy/service/ext_proc/v3/external_processor.proto';
const HEALTH = 'grpc.health.v1.Health/Check';
const HEALTH_PROTO = 'grpc/health/v1/health.proto';

const REQUEST_HEADERS = JSON.stringify({
  request_headers: {
    headers: { headers: [{ key: ':path', raw_value: Buffer.from('/v1').toString('base64') }] },
    end_of_stream: true,
  },
  protocol_config: { request_body_mode: 'BUFFERED', response_body_mode: 'BUFFERED' },
});

const CALLS = 500;

interface GhzReport {
  readonly count: number;
  readonly statusCodeDistribution: Readonly<Record<string, number>>;
}

for (const transport of TRANSPORTS)
  describe(`${transport.name} asked by tools`, () => {
    let subject: Subject;

    before(async () => {
      subject = await startSubject(transport);
    });
    after(() => subject.stop());

    function needs(context: Mocha.Context, tool: 'grpcurl' | 'ghz'): string {
      if (!existsSync(goProgram(tool)))
        skipBecause(context, `no ${tool}: \`node setup/go-programs.mjs ${tool}\` builds it`);
      return goProgram(tool);
    }

    /** What grpcurl prints: replies as JSON, or the status on standard error. */
    async function grpcurl(context: Mocha.Context, proto: string, method: string, data: string) {
      const tool = needs(context, 'grpcurl');
      const args = ['-plaintext', '-import-path', PROTOS, '-proto', proto, '-d', data];
      const { stdout } = await run(tool, [...args, `127.0.0.1:${subject.port}`, method]);
      return JSON.parse(stdout) as unknown;
    }

    it('grpcurl: a Check', async function () {
      const reply = await grpcurl(this, CHECK_PROTO, CHECK, '{}');
      assert.deepEqual(reply, {
        status: {},
        okResponse: {},
        dynamicMetadata: { endpoint: ANSWERED_ENDPOINT },
      });
    });

    it('grpcurl: an exchange', async function () {
      const reply = await grpcurl(this, PROCESS_PROTO, PROCESS, REQUEST_HEADERS);
      const rawValue = Buffer.from(ANSWERED_ENDPOINT).toString('base64');
      const setHeaders = [{ header: { key: 'x-route-endpoint', rawValue } }];
      const response = { headerMutation: { setHeaders } };
      assert.deepEqual(reply, { requestHeaders: { response } });
    });

    it('grpcurl: health', async function () {
      const reply = await grpcurl(this, HEALTH_PROTO, HEALTH, '{}');
      assert.deepEqual(reply, { status: 'SERVING' });
    });

    it('grpcurl: a service that is not known', async function () {
      await assert.rejects(grpcurl(this, HEALTH_PROTO, HEALTH, '{"service":"nobody"}'), (error) =>
        /Code: NotFound/.test((error as { stderr: string }).stderr),
      );
    });

    for (const [title, proto, method, data] of [
      ['Checks', CHECK_PROTO, CHECK, '{}'],
      ['exchanges', PROCESS_PROTO, PROCESS, REQUEST_HEADERS],
    ] as const)
      it(`ghz: ${CALLS} ${title}, 20 at a time on 3 connections`, async function () {
        const tool = needs(this, 'ghz');
        const { stdout } = await run(tool, [
          ...['--insecure', '--import-paths', PROTOS, '--proto', join(PROTOS, proto)],
          ...['--call', method, '-d', data, '--total', String(CALLS), '--concurrency', '20'],
          ...['--connections', '3', '--format', 'json', `127.0.0.1:${subject.port}`],
        ]);
        const { count, statusCodeDistribution } = JSON.parse(stdout) as GhzReport;
        assert.deepEqual(
          { count, statusCodeDistribution },
          {
            count: CALLS,
            statusCodeDistribution: { OK: CALLS },
          },
        );
      });
  });
