/**
 * What an exchange still has to do before it may look at what has arrived since. Work that takes long is done
 * in turns; meanwhile events wait here, in order, and no more is read from Envoy than fits.
 */
import type { Waiting } from '../formats/encodings.ts';
import type { Direction } from '../policy/set.ts';
import type { ProcessEvent, ProcessPort } from '../protocol/process.ts';
import type { EngineLimits } from './limits.ts';
import type { EngineDeps } from './ports.ts';

/** Why a job stops: its slice is over, or something must be waited for that goes on elsewhere. */
export type Pause = Waiting | undefined;

/** Yields after each slice of its work. */
export type Job = Generator<Pause, void>;

/** The exchange whose work this is. */
interface Worker {
  readonly deps: EngineDeps;
  readonly port: ProcessPort;
  /** Nothing that still waits is of interest. */
  readonly refused: boolean;
  /** Does something for one side, as the handling of an event would. */
  run(direction: Direction, action: () => void): void;
  dispatch(event: ProcessEvent): void;
}

/** Bytes of a body that may take a good part of a slice to judge, by the units of a slice. */
const HEAVY_SHARE = 0.25;

/** Whether an event is more than a word or two: it should not be judged beside others in one turn. */
export const isHeavy = (
  event: ProcessEvent,
  { sliceUnitsMax }: Pick<EngineLimits, 'sliceUnitsMax'>,
): boolean => event.kind === 'body' && event.bytes.length > sliceUnitsMax * HEAVY_SHARE;

/** Delivered events that stay in the list. */
const DELIVERED_MAX = 512;

/** What an event costs beside its bytes, in the units of a slice. */
const EVENT_UNITS = 16;

function* nextTurn(): Job {
  yield;
}

/** Exchanges that had no more slices than that go before the others. */
const LIGHT_SLICES_MAX = 16;

export class Backlog {
  private readonly worker: Worker;
  private slices = 0;
  private cancel: (() => void) | undefined;
  private waiting: ProcessEvent[] = [];
  /** Of those how many were delivered: to take out the first of many moves all others. */
  private delivered = 0;
  private waitingBytes = 0;
  private paused = false;
  private dropped = false;
  private atEnd: (() => void) | undefined;

  constructor(worker: Worker) {
    this.worker = worker;
  }

  get busy(): boolean {
    return this.cancel !== undefined;
  }

  get light(): boolean {
    return this.slices <= LIGHT_SLICES_MAX;
  }

  private get waitingEvents(): number {
    return this.waiting.length - this.delivered;
  }

  /** Puts an event off until there is a slice for it. */
  defer(event: ProcessEvent): void {
    this.keep(event);
    this.begin(event.direction, nextTurn());
  }

  /** Begins a job now; what of it is left when it yields is done in turns. */
  begin(direction: Direction, job: Generator<Pause, unknown>): void {
    const step = job.next();
    if (!step.done && !this.dropped) this.goOn(direction, job, step.value);
  }

  /** What is left is done in turns, from now on or when what it waits for is over. */
  private goOn(direction: Direction, job: Generator<Pause, unknown>, waiting: Pause): void {
    const queue = (): void => {
      this.cancel = this.worker.deps.turns.add(() => this.turn(direction, job), this);
    };
    if (waiting === undefined) {
      queue();
      return;
    }
    let over = false;
    this.cancel = () => {
      over = true;
    };
    waiting(() => {
      if (!over) queue();
    });
  }

  /** Keeps an event until the job is done. Its bytes are copied: they are a view of a message that is reused. */
  keep(event: ProcessEvent): void {
    const { deps, port } = this.worker;
    if (event.kind !== 'body') {
      this.waiting.push(event);
      return;
    }
    this.waiting.push({ ...event, bytes: new Uint8Array(event.bytes) });
    this.waitingBytes += event.bytes.length;
    deps.held.add(event.bytes.length);
    const { waitingBytesMax, waitingEventsMax } = deps.limits;
    const fits = this.waitingBytes <= waitingBytesMax && this.waitingEvents <= waitingEventsMax;
    if (fits || this.paused) return;
    this.paused = true;
    port.pause();
  }

  /** Calls `action` when nothing is left to do. */
  whenDone(action: () => void): void {
    this.atEnd = action;
  }

  /** Gives everything up. */
  drop(): void {
    this.dropped = true;
    this.cancel?.();
    this.cancel = undefined;
    this.waiting = [];
    this.delivered = 0;
    this.worker.deps.held.add(-this.waitingBytes);
    this.waitingBytes = 0;
    this.resume();
  }

  private turn(direction: Direction, job: Generator<Pause, unknown>): boolean {
    const { worker } = this;
    this.slices++;
    try {
      let more = !worker.refused;
      let waiting: Pause;
      if (more)
        worker.run(direction, () => {
          const step = job.next();
          more = !step.done;
          if (!step.done) waiting = step.value;
        });
      if (more && waiting !== undefined && !this.dropped) {
        this.goOn(direction, job, waiting);
        return false;
      }
      if (more || this.dropped) return !this.dropped;
      this.cancel = undefined;
      this.deliver();
    } catch (error) {
      this.drop();
      worker.port.crashed(error);
    }
    return false;
  }

  private deliver(): void {
    const { worker } = this;
    const { held, limits } = worker.deps;
    const { sliceUnitsMax: unitsMax } = limits;
    for (let units = 0; !this.busy && !this.dropped; ) {
      const event = this.waiting[this.delivered];
      if (!event) break;
      const cost = EVENT_UNITS + (event.kind === 'body' ? event.bytes.length : 0);
      if (units > 0 && !worker.refused && (isHeavy(event, limits) || units + cost > unitsMax)) {
        this.begin(event.direction, nextTurn());
        break;
      }
      units += cost;
      this.delivered++;
      if (event.kind === 'body') {
        this.waitingBytes -= event.bytes.length;
        held.add(-event.bytes.length);
      }
      if (this.delivered >= DELIVERED_MAX || this.waitingEvents === 0) this.tidy();
      if (!worker.refused) worker.run(event.direction, () => worker.dispatch(event));
    }
    if (this.busy || this.dropped) return;
    this.resume();
    this.atEnd?.();
  }

  private tidy(): void {
    this.waiting = this.waiting.slice(this.delivered);
    this.delivered = 0;
  }

  private resume(): void {
    if (!this.paused) return;
    this.paused = false;
    this.worker.port.resume();
  }
}
