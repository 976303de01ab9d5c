/**
 * What an exchange still has to do before it may look at what has arrived since. Work that takes long is done
 * in turns; meanwhile events wait here, in order, and no more is read from Envoy than fits.
 */
import type { Waiting } from '../formats/encodings.ts';
import type { Direction } from '../policy/set.ts';
import type { BodyEvent, ProcessEvent, ProcessPort } from '../protocol/process.ts';
import { ownEvent } from './body-buffer.ts';
import type { Place } from './large-bodies.ts';
import type { EngineDeps } from './ports.ts';
import type { Asker } from './turns.ts';

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
  /** What there will be to judge when these bytes come, or to copy, in units. */
  judgedUnits(event: BodyEvent): number;
}

/** What an event costs beside its bytes, in the units of a slice. */
const EVENT_UNITS = 64;
/** Headers are read, and rules found for them. */
const HEADERS_UNITS = 256;
/** What takes too long is judged in slices that are so much smaller at most. */
const SMALLEST_SHARE = 1 / 8;
/** A slice that took less of its time may be longer again. */
const QUICK_SHARE = 1 / 4;

/** Delivered events that stay in the list. */
const DELIVERED_MAX = 512;

function* nextTurn(): Job {
  yield;
}

export class Backlog implements Asker {
  dueAt = 0;
  private readonly worker: Worker;
  /** Units of one slice: as many as `limits.sliceUnitsMax`, or fewer as they take longer than `limits.sliceMsMax`. */
  private unitsMax: number;
  /** The job that is not done is only to wait for a turn. */
  private deferring = false;
  private cancel: (() => void) | undefined;
  private waiting: ProcessEvent[] = [];
  /** Of those how many were delivered: to take out the first of many moves all others. */
  private delivered = 0;
  private waitingBytes = 0;
  private paused = false;
  private dropped = false;
  private atEnd: (() => void) | undefined;
  /** Of the body whose job is not done, if it is large. */
  private place: Place | undefined;

  constructor(worker: Worker) {
    this.worker = worker;
    this.unitsMax = worker.deps.limits.sliceUnitsMax;
  }

  /** How much this exchange may do in one go, in units. */
  get sliceUnits(): number {
    return this.unitsMax;
  }

  /** What it costs to do what an event asks for, up to a slice. */
  unitsOf(event: ProcessEvent): number {
    if (event.kind !== 'body') return HEADERS_UNITS;
    return EVENT_UNITS + Math.min(this.unitsMax, this.worker.judgedUnits(event));
  }

  get busy(): boolean {
    return this.cancel !== undefined;
  }

  private get waitingEvents(): number {
    return this.waiting.length - this.delivered;
  }

  /** Puts an event off until there is a slice for it. */
  defer(event: ProcessEvent): void {
    this.keep(event);
    this.waitForTurn(event);
  }

  private waitForTurn(event: ProcessEvent): void {
    this.deferring = true;
    this.queue(event.direction, nextTurn(), this.unitsOf(event));
  }

  private queue(direction: Direction, job: Generator<Pause, unknown>, units: number): void {
    const { turns } = this.worker.deps;
    this.cancel = turns.add(() => this.turn(direction, job), this, units);
  }

  /**
   * Begins a job now; what of it is left when it yields is done in turns. `bytes`: what the body that it judges may
   * come to; a large one waits until it has its place.
   */
  begin(direction: Direction, job: Generator<Pause, unknown>, bytes = 0): void {
    const place = this.worker.deps.largeBodies.place(bytes);
    this.place = place;
    if (place !== undefined && !place.entered) {
      this.goOn(direction, job, (enter) => place.wait(enter));
      return;
    }
    const step = job.next();
    if (step.done) this.leave();
    else if (!this.dropped) this.goOn(direction, job, step.value);
  }

  /** The body of the job has turned out to come to this. */
  sized(bytes: number): void {
    this.place?.resize(bytes);
  }

  /** The body of the job is judged, as far as that takes memory. */
  leave(): void {
    const { place } = this;
    this.place = undefined;
    place?.leave();
  }

  /** What is left is done in turns, from now on or when what it waits for is over. */
  private goOn(direction: Direction, job: Generator<Pause, unknown>, waiting: Pause): void {
    this.deferring = false;
    const queue = (): void => this.queue(direction, job, this.unitsMax);
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
    this.waiting.push(ownEvent(event));
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
    this.leave();
    this.cancel?.();
    this.cancel = undefined;
    this.waiting = [];
    this.delivered = 0;
    this.worker.deps.held.add(-this.waitingBytes);
    this.waitingBytes = 0;
    this.resume();
  }

  /** One slice; what the next one costs. */
  private turn(direction: Direction, job: Generator<Pause, unknown>): number {
    const { worker, deferring } = this;
    const { clock } = worker.deps;
    const beganMs = clock.monotonicMs();
    try {
      let more = !worker.refused && !deferring;
      let waiting: Pause;
      if (more)
        worker.run(direction, () => {
          const step = job.next();
          more = !step.done;
          if (!step.done) waiting = step.value;
        });
      if (more) this.took(clock.monotonicMs() - beganMs);
      if (more && waiting !== undefined && !this.dropped) {
        this.goOn(direction, job, waiting);
        return 0;
      }
      if (more || this.dropped) return this.dropped ? 0 : this.unitsMax;
      this.cancel = undefined;
      this.leave();
      this.deliver(deferring);
    } catch (error) {
      this.drop();
      worker.port.crashed(error);
    }
    return 0;
  }

  /** Units are a guess at what takes how long; this is how long it took. */
  private took(ms: number): void {
    const { sliceUnitsMax, sliceMsMax } = this.worker.deps.limits;
    if (ms > sliceMsMax)
      this.unitsMax = Math.ceil(Math.max(sliceUnitsMax * SMALLEST_SHARE, this.unitsMax / 2));
    else if (ms < sliceMsMax * QUICK_SHARE)
      this.unitsMax = Math.min(sliceUnitsMax, this.unitsMax * 2);
  }

  /** Hands over what has waited, as far as there is time in this turn. `paid`: the first was waited for. */
  private deliver(paid: boolean): void {
    const { worker } = this;
    const { held, turns } = worker.deps;
    for (let free = paid; !this.busy && !this.dropped; free = false) {
      const event = this.waiting[this.delivered];
      if (!event) break;
      const waits = !free && (turns.othersWait || !turns.take(this.unitsOf(event)));
      if (waits && !worker.refused) {
        this.waitForTurn(event);
        break;
      }
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
