/**
 * The reference transport: @grpc/grpc-js carrying bytes. It knows methods, limits and how to stop; what
 * the bytes mean is `protocol/`'s business.
 */
import {
  Server,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceDefinition,
  type sendUnaryData,
  status,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { framesOf } from '../error-frames.ts';
import {
  DRAIN_DEADLINE_MS_DEFAULT,
  DRAIN_GRACE_MS_DEFAULT,
  DRAIN_REST_MS_DEFAULT,
  type GrpcServer,
  type GrpcServerOptions,
  KEEPALIVE_TIME_MS,
  KEEPALIVE_TIMEOUT_MS,
  LAST_WORDS_MS,
  RECEIVE_BYTES_MAX_DEFAULT,
  type TransportEvent,
} from '../grpc-server.ts';
import {
  DrainableHealth,
  healthStatusOf,
  readHealthService,
  writeHealthStatus,
} from '../health.ts';
import { type ListenAddress, ListenError, type StagedSocket, stageSocket } from '../listen.ts';
import { EXT_AUTHZ_SERVICE, EXT_PROC_SERVICE, HEALTH_SERVICE } from '../services.ts';
import { type AnswerUnary, checkAnswers, healthAnswers } from '../unary-answers.ts';
import { credentialsOf } from './credentials.ts';
import {
  endWithError,
  metadataReader,
  type OwnedStream,
  ownProcessStream,
  type ProcessCall,
} from './process-stream.ts';
import { SessionResets, watchStream } from './session-resets.ts';

const identity = (bytes: Buffer): Buffer => bytes;
const asSent = (bytes: Uint8Array): Buffer =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

function method(service: string, name: string, requestStream: boolean, responseStream: boolean) {
  return {
    path: `/${service}/${name}`,
    requestStream,
    responseStream,
    requestSerialize: identity,
    requestDeserialize: identity,
    responseSerialize: asSent,
    responseDeserialize: identity,
  };
}

const EXT_PROC: ServiceDefinition = { process: method(EXT_PROC_SERVICE, 'Process', true, true) };
const EXT_AUTHZ: ServiceDefinition = { check: method(EXT_AUTHZ_SERVICE, 'Check', false, false) };
const HEALTH: ServiceDefinition = {
  check: method(HEALTH_SERVICE, 'Check', false, false),
  watch: method(HEALTH_SERVICE, 'Watch', false, true),
};

/** Rejects with ListenError; what was bound until then is released. */
export async function startGrpcServer(options: GrpcServerOptions): Promise<GrpcServer> {
  const running = new RunningServer(options);
  try {
    await running.listen();
  } catch (error) {
    await running.close();
    throw error;
  }
  return running;
}

class RunningServer implements GrpcServer {
  readonly #options: GrpcServerOptions;
  readonly #server: Server;
  readonly #health: DrainableHealth;
  readonly #owned = new Set<OwnedStream>();
  readonly #watches = new Set<ServerWritableStream<Buffer, Buffer>>();
  readonly #resets = new SessionResets();
  readonly #sockets: StagedSocket[] = [];
  readonly #addresses: string[] = [];
  #draining: Promise<void> | undefined;
  #graceOver: (() => void) | undefined;
  #idle: (() => void) | undefined;
  #deadlineOver: (() => void) | undefined;
  #hurry = false;

  constructor(options: GrpcServerOptions) {
    this.#options = options;
    this.#health = new DrainableHealth(options.health);
    this.#server = new Server({
      'grpc.max_receive_message_length':
        options.limits.receiveBytesMax ?? RECEIVE_BYTES_MAX_DEFAULT,
      'grpc.max_send_message_length': -1,
      'grpc.keepalive_time_ms': KEEPALIVE_TIME_MS,
      'grpc.keepalive_timeout_ms': KEEPALIVE_TIMEOUT_MS,
      'grpc.keepalive_permit_without_calls': 1,
      'grpc.enable_channelz': 0,
    });
    this.#server.addService(EXT_PROC, {
      process: (call: ProcessCall) => this.#process(call),
    } as UntypedServiceImplementation);
    this.#server.addService(EXT_AUTHZ, {
      check: unary(checkAnswers(options.answerCheck, (event) => this.#tell(event))),
    } as UntypedServiceImplementation);
    this.#server.addService(HEALTH, {
      check: unary(healthAnswers(this.#health)),
      watch: (call: ServerWritableStream<Buffer, Buffer>) => this.#healthWatch(call),
    } as UntypedServiceImplementation);
  }

  get addresses(): readonly string[] {
    return this.#addresses;
  }

  readonly streams = (): number => this.#owned.size;

  async listen(): Promise<void> {
    for (const address of this.#options.listen) {
      if (address.kind === 'tcp') {
        const host = address.host.includes(':') ? `[${address.host}]` : address.host;
        const port = await this.#bind(`${host}:${address.port}`, address);
        this.#addresses.push(`${host}:${port}`);
      } else {
        const socket = await stageSocket(address.path, address.mode);
        this.#sockets.push(socket);
        await this.#bind(`unix:${socket.bindPath}`, address);
        await socket.publish();
        this.#addresses.push(`unix:${address.path}`);
      }
    }
  }

  #bind(target: string, address: ListenAddress): Promise<number> {
    const credentials = credentialsOf(address);
    return new Promise((resolve, reject) => {
      this.#server.bindAsync(target, credentials, (error, port) => {
        if (error === null) resolve(port);
        else reject(new ListenError(bindCode(error), target));
      });
    });
  }

  drain(graceMs: number = DRAIN_GRACE_MS_DEFAULT): Promise<void> {
    this.#draining ??= this.#stop(graceMs);
    return this.#draining;
  }

  close(): Promise<void> {
    this.#hurry = true;
    this.#graceOver?.();
    this.#deadlineOver?.();
    return this.drain(0);
  }

  async #stop(graceMs: number): Promise<void> {
    this.#health.drain();
    if (!this.#hurry && graceMs > 0) {
      await new Promise<void>((resolve) =>
        this.#wait(graceMs, resolve, (cut) => (this.#graceOver = cut)),
      );
    }
    // Watches never end by themselves and would keep the server from finishing.
    for (const watch of this.#watches) {
      watch.emit('error', { code: status.UNAVAILABLE, details: 'draining' });
    }
    const finished = new Promise<void>((resolve) => this.#server.tryShutdown(() => resolve()));
    const deadlineMs = this.#hurry
      ? 0
      : (this.#options.limits.drainDeadlineMs ?? DRAIN_DEADLINE_MS_DEFAULT);
    await this.#unless(finished, deadlineMs);
    for (const stream of [...this.#owned]) stream.stop('draining', false);
    const idle = new Promise<void>((resolve) => {
      this.#idle = resolve;
      if (this.#owned.size === 0) resolve();
    });
    await this.#unless(
      idle,
      this.#hurry ? 0 : (this.#options.limits.drainRestMs ?? DRAIN_REST_MS_DEFAULT),
    );
    for (const stream of [...this.#owned]) stream.stop('draining', true);
    await this.#unless(finished, LAST_WORDS_MS);
    this.#server.forceShutdown();
    for (const socket of this.#sockets) await socket.remove();
  }

  /** Waits for `finished`, at most `timeoutMs`. */
  #unless(finished: Promise<void>, timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#wait(timeoutMs, resolve, (cut) => (this.#deadlineOver = cut));
      finished.then(() => {
        cancel();
        resolve();
      });
    });
  }

  /** A timer that `cut` ends early. */
  #wait(timeoutMs: number, done: () => void, keep: (cut: () => void) => void): () => void {
    const timer = setTimeout(done, timeoutMs);
    keep(() => {
      clearTimeout(timer);
      done();
    });
    return () => clearTimeout(timer);
  }

  // ---- ext_proc

  #process(call: ProcessCall): void {
    if (this.#owned.size >= this.#options.limits.streamsMax) {
      this.#tell({ kind: 'stream_refused' });
      endWithError(call, 'RESOURCE_EXHAUSTED', 'streams_max');
      return;
    }
    watchStream(call, (session, rstCode) => {
      const { wasReset, reset, graceful } = this.#resets.ended(session, rstCode);
      this.#tell({ kind: 'stream_closed', reset: wasReset, resets: reset, graceful });
    });
    const owned = ownProcessStream(
      call,
      {
        open: this.#options.openProcess,
        onUnknown: () => this.#tell({ kind: 'unknown_message' }),
        onFault: ({ code, error }) => this.#tell({ kind: 'fault', code, frames: framesOf(error) }),
        ...(this.#options.defaultModes === undefined
          ? {}
          : { defaultModes: this.#options.defaultModes }),
      },
      () => {
        this.#owned.delete(owned);
        if (this.#owned.size === 0) this.#idle?.();
      },
    );
    this.#owned.add(owned);
    this.#tell({ kind: 'stream_opened' });
  }

  // ---- health

  #healthWatch(call: ServerWritableStream<Buffer, Buffer>): void {
    const service = readHealthService(call.request);
    if (service === undefined) {
      call.emit('error', { code: status.INTERNAL, details: 'malformed_message' });
      return;
    }
    let told: number | undefined;
    const tell = (): void => {
      const now = healthStatusOf(this.#health, service);
      if (now === told || call.destroyed) return;
      told = now;
      call.write(writeHealthStatus(now));
    };
    const unsubscribe = this.#health.onChange(tell);
    this.#watches.add(call);
    const leave = (): void => {
      unsubscribe();
      this.#watches.delete(call);
    };
    call.on('cancelled', leave);
    call.on('close', leave);
    tell();
  }

  #tell(event: TransportEvent): void {
    this.#options.onTransportEvent?.(event);
  }
}

function unary(answers: AnswerUnary) {
  return (call: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Uint8Array>): void => {
    const { request } = call;
    const reply = answers(request, 0, request.length, metadataReader(call.metadata));
    if (reply.kind === 'message') answer(null, reply.bytes);
    else answer({ code: status[reply.status], details: reply.reason });
  };
}

function bindCode(error: Error): ListenError['code'] {
  return /EADDRINUSE/.test(error.message) ? 'address_in_use' : 'bind_failed';
}
