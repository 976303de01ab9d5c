import assert from 'node:assert/strict';
import fc from 'fast-check';
import { createLog, type LogOptions } from '../../src/telemetry/log.ts';
import { LOG_EVENTS, type LogEvent } from '../../src/telemetry/log-events.ts';
import { type LogFields, PATH_UNITS_MAX, WITHHELD } from '../../src/telemetry/log-fields.ts';

function recorded(over: LogOptions = {}): {
  log: ReturnType<typeof createLog>;
  lines: () => Record<string, unknown>[];
  text: () => string;
} {
  let text = '';
  const log = createLog({
    level: 'debug',
    destination: {
      write: (line: string) => {
        text += line;
      },
    },
    ...over,
  });
  return {
    log,
    text: () => text,
    lines: () =>
      text
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line)),
  };
}

describe('log', () => {
  it('writes an event with its level, its sentence and its fields', () => {
    const { log, lines } = recorded();
    log.event('rolled_back', { from: 'sha256:aabbcc', metric: 'deny_rate', epoch: 7 });
    const [line] = lines();
    assert.match(String(line!.time), /^\d{4}-\d\d-\d\dT/);
    delete line!.time;
    assert.deepEqual(line, {
      level: 'warn',
      event: 'rolled_back',
      from: 'sha256:aabbcc',
      metric: 'deny_rate',
      epoch: 7,
      message: 'rolled back',
    });
  });

  it('writes nothing below its level', () => {
    const { log, text } = recorded({ level: 'warn' });
    log.event('listening');
    assert.equal(text(), '');
    log.event('audit_failing', { errno: 'ENOSPC' });
    assert.match(text(), /ENOSPC/);
    const silent = recorded({ level: 'silent' });
    silent.log.event('crashed');
    assert.equal(silent.text(), '');
  });

  it('has no way to let a planted token through', () => {
    const { log, text, lines } = recorded();
    const token = 'SECRET token, my card 4111';
    const names = ['digest', 'from', 'exchange', 'rule', 'code', 'reason', 'error', 'errno'];
    for (const name of [...names, 'host', 'version', 'metric', 'state', 'kind', 'outcome']) {
      log.event('internal_error', { [name]: token } as LogFields);
      assert.equal(lines().at(-1)![name], WITHHELD);
    }
    const carriers = {
      err: new Error(token),
      msg: token,
      message: token,
      prompt: token,
      epoch: token,
      count: { toJSON: () => token },
      path: `/var/lib/${token}\u001b[2J`,
      [token]: 1,
    };
    log.event('internal_error', carriers as unknown as LogFields);
    log.event(token as LogEvent, {});
    log.event('toString' as LogEvent, {});
    assert.doesNotMatch(text(), /SECRET|4111/);
  });

  it('withholds a path at PATH_UNITS_MAX + 1', () => {
    const { log, lines } = recorded();
    for (const units of [PATH_UNITS_MAX - 1, PATH_UNITS_MAX, PATH_UNITS_MAX + 1]) {
      log.event('compile_error', { path: 'p'.repeat(units), line: 1, column: 2, code: 'yaml' });
    }
    assert.deepEqual(
      lines().map(({ path }) => path === WITHHELD),
      [false, false, true],
    );
  });

  it('law: any fields make one line, and only known fields', () => {
    const known = new Set(['time', 'level', 'event', 'message', 'path', 'count', 'code', 'digest']);
    fc.assert(
      fc.property(
        fc.record({
          path: fc.anything(),
          count: fc.anything(),
          code: fc.anything(),
          digest: fc.anything(),
          body: fc.anything(),
        }),
        (fields) => {
          const { log, text, lines } = recorded();
          log.event('starting', fields as unknown as LogFields);
          assert.equal(text().split('\n').length, 2);
          for (const name of Object.keys(lines()[0]!)) assert.ok(known.has(name), name);
        },
      ),
    );
  });

  it('says its sentences in lower case and ends none with a full stop', () => {
    for (const [, message] of Object.values(LOG_EVENTS)) assert.match(message, /^[a-z].*[^.]$/);
  });
});
