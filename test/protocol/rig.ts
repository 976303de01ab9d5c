/** A machine on the bench: messages in by name, everything that comes out written down in order. */
import {
  type ExchangeFault,
  ExchangeMachine,
  type ExchangeOptions,
  type ExchangeSink,
} from '../../src/protocol/exchange-machine.ts';
import type {
  BodyMode,
  ProcessEvent,
  ProcessHandler,
  ProcessPort,
} from '../../src/protocol/process.ts';
import {
  decodeProcessingResponse,
  encodeProcessingRequest,
  headerMap,
  type Message,
} from './peer.ts';

export type Dir = 'request' | 'response';

export type Input =
  | {
      readonly in: 'headers';
      readonly dir: Dir;
      readonly eos?: boolean;
      readonly headers?: Record<string, string>;
    }
  | { readonly in: 'body'; readonly dir: Dir; readonly text: string; readonly eos?: boolean }
  | { readonly in: 'trailers'; readonly dir: Dir }
  | { readonly in: 'empty' };

export type Entry =
  | Input
  | { readonly in: 'half_close' }
  | { readonly in: 'cancel' }
  | { readonly out: 'reply'; readonly message: Message }
  | { readonly out: 'end' }
  | { readonly out: 'fail'; readonly status: string; readonly reason: string }
  | { readonly told: string };

export interface Modes {
  readonly request: BodyMode;
  readonly response: BodyMode;
}

export interface Rig {
  readonly machine: ExchangeMachine;
  readonly log: Entry[];
  readonly events: ProcessEvent[];
  readonly faults: ExchangeFault[];
  readonly unknown: () => number;
  feed(...inputs: Input[]): void;
  halfClose(): void;
  cancel(): void;
  /** What was sent, in short words. */
  readonly sent: () => string[];
}

export interface RigOptions {
  readonly modes?: Modes;
  readonly observability?: boolean;
  readonly handler?: (port: ProcessPort) => Partial<ProcessHandler>;
  readonly options?: Partial<ExchangeOptions>;
}

export function rig({ modes, observability, handler, options }: RigOptions): Rig {
  const log: Entry[] = [];
  const events: ProcessEvent[] = [];
  const faults: ExchangeFault[] = [];
  let unknown = 0;
  let first = true;
  const sink: ExchangeSink = {
    initialMetadata: (name) => (name === 'x-route' ? 'r1' : undefined),
    send: (bytes) => log.push({ out: 'reply', message: decodeProcessingResponse(bytes) }),
    end: () => log.push({ out: 'end' }),
    pause: () => log.push({ told: 'pause' }),
    resume: () => log.push({ told: 'resume' }),
    fail: (status, reason) => log.push({ out: 'fail', status, reason }),
  };
  const shared: ExchangeOptions = {
    open: (port) => {
      const made = handler?.(port);
      return {
        event(event) {
          events.push(event);
          made?.event?.(event);
        },
        end(end) {
          log.push({ told: end });
          made?.end?.(end);
        },
      };
    },
    onUnknown: () => unknown++,
    onFault: (fault) => faults.push(fault),
    ...options,
  };
  const machine = new ExchangeMachine(shared, sink);
  return {
    machine,
    log,
    events,
    faults,
    unknown: () => unknown,
    feed(...inputs) {
      for (const input of inputs) {
        log.push(input);
        const message = messageOf(input);
        if (first && modes !== undefined) {
          message.protocolConfig = {
            requestBodyMode: modes.request,
            responseBodyMode: modes.response,
          };
        }
        if (observability) message.observabilityMode = true;
        first = false;
        machine.receive(encodeProcessingRequest(message));
      }
    },
    halfClose() {
      log.push({ in: 'half_close' });
      machine.halfClosed();
    },
    cancel() {
      log.push({ in: 'cancel' });
      machine.cancelled();
    },
    sent: () => log.filter((entry) => 'out' in entry).map(inShort),
  };
}

function messageOf(input: Input): Message {
  switch (input.in) {
    case 'headers':
      return {
        [`${input.dir}Headers`]: {
          headers: headerMap(input.headers ?? { ':path': '/' }),
          endOfStream: input.eos ?? false,
        },
      };
    case 'body':
      return {
        [`${input.dir}Body`]: { body: Buffer.from(input.text), endOfStream: input.eos ?? false },
      };
    case 'trailers':
      return { [`${input.dir}Trailers`]: { trailers: headerMap({ t: 'v' }) } };
    case 'empty':
      return { clientWindowUpdate: { windowIncrementSidestreamToUpstream: 1 } };
  }
}

function inShort(entry: Entry): string {
  if (!('out' in entry)) return '';
  if (entry.out === 'end') return 'END';
  if (entry.out === 'fail') return `FAIL ${entry.status} ${entry.reason}`;
  const out = entry.message;
  if (out.immediateResponse !== undefined) return `immediate ${out.immediateResponse.status.code}`;
  const kind: string = out.response;
  const common = out[kind].response;
  const mutation = common?.bodyMutation;
  const length = (common?.headerMutation?.setHeaders ?? []).find(
    (option: Message) => option.header.key === 'content-length',
  );
  const suffix = length === undefined ? '' : ` content-length=${length.header.rawValue}`;
  if (mutation?.streamedResponse !== undefined) {
    const streamed = mutation.streamedResponse;
    return `${kind} ~${streamed.body ?? ''}${streamed.endOfStream ? '|' : ''}`;
  }
  if (mutation?.clearBody) return `${kind} clear${suffix}`;
  if (mutation?.body !== undefined) return `${kind} =${mutation.body}${suffix}`;
  return kind;
}
