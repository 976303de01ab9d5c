/**
 * The one owner of an ext_proc call. Every way out of it ends with an error status, but for the one the
 * exchange machine allows; back-pressure is passed on by not reading (notes: envoy-verified.md 1a, D).
 */
import { type ServerDuplexStream, status } from '@grpc/grpc-js';
import {
  ExchangeMachine,
  type ExchangeOptions,
  type ExchangeSink,
} from '../../protocol/exchange-machine.ts';
import type { FailureStatus } from '../../protocol/process.ts';

export type ProcessCall = ServerDuplexStream<Buffer, Uint8Array>;

const GRPC_STATUS = {
  INTERNAL: status.INTERNAL,
  RESOURCE_EXHAUSTED: status.RESOURCE_EXHAUSTED,
  UNAVAILABLE: status.UNAVAILABLE,
  DEADLINE_EXCEEDED: status.DEADLINE_EXCEEDED,
} as const satisfies Record<FailureStatus, status>;

export interface OwnedStream {
  /** The server wants it to end. */
  stop(reason: string, last: boolean): void;
}

/** Ends a call with an error status. grpc-js sends what is still queued first, then the status. */
export function endWithError(call: ProcessCall, code: FailureStatus, reason: string): void {
  call.emit('error', { code: GRPC_STATUS[code], details: reason });
}

/** First value of a text key of the call's metadata; binary keys are nobody's identity here. */
export function metadataReader(metadata: {
  get(name: string): (string | Buffer)[];
}): (name: string) => string | undefined {
  return (name) => {
    const value = metadata.get(name)[0];
    return typeof value === 'string' ? value : undefined;
  };
}

/** `closed` is called once, when nothing of the call is left. */
export function ownProcessStream(
  call: ProcessCall,
  options: ExchangeOptions,
  closed: () => void,
): OwnedStream {
  let over = false;
  let closedTold = false;
  /** Two reasons to read no more: the reader of our replies is slow, or the exchange is busy. */
  let unread = false;
  let busy = false;
  /** Envoy has said all, which is told once all of it is taken: until then it is owed an answer. */
  let remoteEnded = false;
  const tellHalfClosed = (): void => {
    if (remoteEnded && !over && !(unread || busy)) machine.halfClosed();
  };
  const readOn = (): void => {
    if (!over && (unread || busy)) return;
    call.resume();
    tellHalfClosed();
  };
  const tellClosed = (): void => {
    if (closedTold) return;
    closedTold = true;
    closed();
  };
  const sink: ExchangeSink = {
    initialMetadata: metadataReader(call.metadata),
    send(bytes) {
      if (over || call.destroyed) return;
      // The replies would pile up here if their reader is slow: then nothing more is read either.
      if (call.write(bytes)) return;
      unread = true;
      call.pause();
    },
    pause() {
      busy = true;
      call.pause();
    },
    resume() {
      busy = false;
      readOn();
    },
    end() {
      if (over) return;
      over = true;
      call.end();
    },
    fail(code, reason) {
      if (over) return;
      over = true;
      endWithError(call, code, reason);
      // What still arrives is thrown away, so that the stream can come to its end.
      call.resume();
    },
  };
  const machine = new ExchangeMachine(options, sink);
  call.on('data', (bytes: Buffer) => machine.receive(bytes));
  call.on('drain', () => {
    unread = false;
    if (!over) readOn();
  });
  // It comes right behind the last message, also to who reads no further.
  call.on('end', () => {
    remoteEnded = true;
    tellHalfClosed();
  });
  // Both follow every call, also a good one; the machine knows whether it was over by then.
  call.on('cancelled', () => {
    machine.cancelled();
    tellClosed();
  });
  call.on('close', () => {
    machine.cancelled();
    tellClosed();
  });
  call.on('error', () => {
    // Our own `endWithError` comes by here too; only another error finds the machine still running.
    if (!over) machine.fail('INTERNAL', 'stream_error');
  });
  return { stop: (reason, last) => machine.stop(reason, last) };
}
