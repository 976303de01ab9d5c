/** What the server under test does with an exchange or a check, as its first header asks. */
import type { AnswerCheck } from '../../../src/protocol/check.ts';
import type { OpenProcess, ProcessEvent, ProcessPort } from '../../../src/protocol/process.ts';

/** How each exchange ended, in the words of the port. */
export type Ends = string[];

export function exchanges(ends: Ends): OpenProcess {
  return (port) => {
    let behaviour = 'echo';
    let over = false;
    return {
      event(event) {
        if (event.kind === 'headers' && event.direction === 'request')
          behaviour = event.headers.get('x-do') ?? 'echo';
        if (behaviour !== 'late') {
          BEHAVIOURS[behaviour]?.(port, event);
          return;
        }
        // The bytes are the message's: what outlives the call is copied.
        const kept = event.kind === 'body' ? { ...event, bytes: event.bytes.slice() } : event;
        port.pause();
        setImmediate(() => {
          if (over) return;
          echo(port, kept);
          port.resume();
        });
      },
      end(how) {
        over = true;
        ends.push(`${behaviour}: ${how}`);
      },
    };
  };
}

function echo(port: ProcessPort, event: ProcessEvent): void {
  if (event.kind === 'headers')
    port.continueHeaders(event.direction, {
      set: [{ name: 'x-stance', value: port.initialMetadata('x-switchyard-stance') ?? 'none' }],
    });
  else if (event.kind === 'body') port.body(event.direction, event.bytes, event.endOfStream);
  else port.trailers(event.direction);
}

const BEHAVIOURS: Readonly<Record<string, (port: ProcessPort, event: ProcessEvent) => void>> = {
  echo,
  silent() {},
  split(port, event) {
    if (event.kind !== 'body' || event.bytes.length < 2) {
      echo(port, event);
      return;
    }
    const middle = Math.floor(event.bytes.length / 2);
    port.body(event.direction, event.bytes.subarray(0, middle), false);
    port.body(event.direction, event.bytes.subarray(middle), event.endOfStream);
  },
  deny(port, event) {
    if (event.kind === 'headers') port.immediate(403, { 'x-why': 'asked' }, 'no', 'denied');
  },
  fail(port) {
    port.fail('UNAVAILABLE', 'asked');
  },
  throw() {
    throw new Error('asked');
  },
  violate(port, event) {
    port.trailers(event.direction);
  },
};

export const checks: AnswerCheck = (request, metadata) => {
  const stance = metadata('x-switchyard-stance') ?? 'none';
  switch (request.headers.get('x-do')) {
    case 'allow':
      return { kind: 'allow', metadata: { stance } };
    case 'throw':
      throw new Error('asked');
    default: {
      const long = request.headers.get('x-do') === 'long';
      const headers = { 'x-stance': stance };
      return {
        kind: 'deny',
        status: 403,
        headers,
        body: 'no'.repeat(long ? 40_000 : 1),
        metadata: {},
      };
    }
  }
};
