/**
 * One exchange in this process, by the same code that serves Envoy: takes what the engine answers as Envoy would, with
 * bodies in FULL_DUPLEX both ways, as the shipped configurations have it.
 */
import type { Direction } from '../policy/set.ts';
import type {
  BodyMode,
  HeaderMutation,
  HeadersEvent,
  ProcessHandler,
  ProcessPort,
  StreamEnd,
  StructObject,
} from '../protocol/process.ts';
import { Exchange } from './exchange.ts';
import type { EngineDeps } from './ports.ts';

/** Our own answer, in the place of the exchange. */
export interface LocalRefusal {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Takes what may leave. */
export interface LocalOutput {
  send(direction: Direction, bytes: Uint8Array): void;
  /** The headers may leave, changed so; before any byte of the body. */
  headers?(direction: Direction, mutation: HeaderMutation | undefined): void;
  refused?(refusal: LocalRefusal): void;
}

/** What Envoy would tell beside the headers. */
export interface LocalBeside {
  readonly attributes?: StructObject;
  /** By namespace. */
  readonly metadata?: Readonly<Record<string, StructObject>>;
}

const MODE: BodyMode = 'FULL_DUPLEX_STREAMED';

interface Side {
  headersSent: boolean;
  over: boolean;
  /** Resolves `over`. */
  readonly ended: Promise<void>;
  readonly end: () => void;
  /** Rejects it. */
  readonly crash: (error: unknown) => void;
}

function newSide(): Side {
  let resolve = (): void => {};
  let crash = (_error: unknown): void => {};
  const ended = new Promise<void>((done, failed) => {
    resolve = done;
    crash = failed;
  });
  // Whoever waits for it is told; nobody has to.
  ended.catch(() => {});
  const side: Side = {
    headersSent: false,
    over: false,
    ended,
    crash,
    end() {
      side.over = true;
      resolve();
    },
  };
  return side;
}

type Sides = Readonly<Record<Direction, Side>>;

/** Takes what the engine answers, as Envoy would. */
class LocalPort implements ProcessPort {
  readonly observability = false;
  readonly settled = true;
  readonly sides: Sides = { request: newSide(), response: newSide() };
  refused = false;
  failed = false;
  /** Resolves when more may be given in. */
  ready: Promise<void> = Promise.resolve();
  private goOn = (): void => {};
  private readonly output: LocalOutput;

  constructor(output: LocalOutput) {
    this.output = output;
  }

  bodyMode(): BodyMode {
    return MODE;
  }

  initialMetadata(): undefined {
    return undefined;
  }

  continueHeaders(direction: Direction, mutation?: HeaderMutation): void {
    this.sides[direction].headersSent = true;
    this.output.headers?.(direction, mutation);
  }

  body(direction: Direction, bytes: Uint8Array, endOfStream: boolean): void {
    if (bytes.length > 0) this.output.send(direction, bytes);
    if (endOfStream) this.sides[direction].end();
  }

  trailers(direction: Direction): void {
    this.sides[direction].end();
  }

  immediate(status: number, headers: Readonly<Record<string, string>>, body: string): void {
    this.refused = true;
    this.output.refused?.({ status, headers, body });
    this.endAll();
  }

  get canRefuse(): boolean {
    return !this.sides.response.headersSent;
  }

  fail(): void {
    this.failed = true;
    this.endAll();
  }

  crashed(error: unknown): void {
    for (const side of Object.values(this.sides)) side.crash(error);
  }

  pause(): void {
    let resume = (): void => {};
    this.ready = new Promise((done) => {
      resume = done;
    });
    this.goOn = resume;
  }

  resume(): void {
    this.goOn();
  }

  private endAll(): void {
    for (const side of Object.values(this.sides)) side.end();
  }
}

export class LocalExchange {
  private readonly port: LocalPort;
  private readonly route: string;
  private readonly beside: LocalBeside;
  private readonly exchange: ProcessHandler;

  /** `route`: what conditions read as its name. */
  constructor(deps: EngineDeps, route: string, output: LocalOutput, beside: LocalBeside = {}) {
    this.beside = beside;
    this.port = new LocalPort(output);
    this.route = route;
    this.exchange = new Exchange(deps, this.port);
  }

  /** Names in lower case, pseudo-headers among them. */
  headers(
    direction: Direction,
    headers: Readonly<Record<string, string>>,
    endOfStream: boolean,
  ): void {
    const { attributes: more, metadata = {} } = this.beside;
    const attributes: StructObject = { ...more, 'xds.route_name': this.route };
    const event: HeadersEvent = {
      kind: 'headers',
      direction,
      endOfStream,
      headers: {
        get: (name) => (Object.hasOwn(headers, name) ? headers[name] : undefined),
        entries: () => Object.entries(headers),
      },
      attribute: (name) => (Object.hasOwn(attributes, name) ? attributes[name] : undefined),
      metadata: (namespace) =>
        Object.hasOwn(metadata, namespace) ? metadata[namespace] : undefined,
    };
    this.exchange.event(event);
  }

  /** Gives the next bytes of a body in; nothing once it is over. */
  push(direction: Direction, bytes: Uint8Array, endOfStream: boolean): void {
    if (this.isOver(direction)) return;
    this.exchange.event({ kind: 'body', direction, bytes, endOfStream });
  }

  /** Our own answer took the place of the exchange. */
  get refused(): boolean {
    return this.port.refused;
  }

  /** It ended without an answer: what has left is not whole, and nothing else may. */
  get failed(): boolean {
    return this.port.failed;
  }

  /** Nothing more of the body will leave: all of it has, or it was refused. */
  isOver(direction: Direction): boolean {
    return this.port.sides[direction].over;
  }

  /** Resolves when more of a body may be given in: what has arrived is judged first. */
  whenReady(): Promise<void> {
    return this.port.ready;
  }

  /** Resolves when it is over; rejects with what the engine threw. */
  whenOver(direction: Direction): Promise<void> {
    return this.port.sides[direction].ended;
  }

  /** Ends the exchange: its record is written, if it was not yet. */
  end(end: StreamEnd): void {
    this.exchange.end(end);
  }
}
