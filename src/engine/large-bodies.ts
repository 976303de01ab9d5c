/**
 * How many bytes of large bodies are unpacked, read and judged at once. Each takes memory many times its size until it
 * is judged, which the garbage collector has to look through while everybody waits; half done, they all keep it. So
 * those beyond a limit wait for those before them. Bodies that are not large never wait.
 *
 * Who waits is let in by self-clocked fair queueing (Golestani 1994): a body that is much smaller than those that came
 * before it goes ahead of them, and none is overtaken for ever.
 */
import type { EngineLimits } from './limits.ts';

type Limits = Pick<EngineLimits, 'largeBodyBytesMin' | 'largeBodiesBytesMax'>;

interface Waiter {
  readonly place: TakenPlace;
  readonly enter: () => void;
  /** Virtual time at which it would be done. */
  readonly dueAt: number;
}

/** One body's share. */
export interface Place {
  /** It may begin. */
  readonly entered: boolean;
  /** Calls `enter`, later and once, when it may. */
  wait(enter: () => void): void;
  /** It has turned out to be of another size. */
  resize(bytes: number): void;
  /** It is judged, or nobody wants it any more. May be called again. */
  leave(): void;
}

export class LargeBodies {
  private readonly limits: Limits;
  /** Of all that have entered. */
  private bytes = 0;
  /** When whoever was let in last was due. */
  private virtualTime = 0;
  /** The first that is due comes first. */
  private waiting: Waiter[] = [];

  constructor(limits: Limits) {
    this.limits = limits;
  }

  /** `bytes`: most that the body may come to. Undefined: it is not large. */
  place(bytes: number): Place | undefined {
    if (bytes < this.limits.largeBodyBytesMin) return undefined;
    const place = new TakenPlace(this, bytes);
    const dueAt = this.virtualTime + bytes;
    const first = this.waiting[0];
    if ((first === undefined || dueAt < first.dueAt) && this.fits(bytes)) this.letIn(place, dueAt);
    return place;
  }

  /** For `Place`. */
  enqueue(place: TakenPlace, enter: () => void): void {
    const dueAt = this.virtualTime + place.bytes;
    let at = this.waiting.length;
    while (at > 0 && this.waiting[at - 1]!.dueAt > dueAt) at -= 1;
    this.waiting.splice(at, 0, { place, enter, dueAt });
  }

  /** For `Place`: so many bytes more are taken, or fewer. */
  changed(bytes: number): void {
    this.bytes += bytes;
    this.letInWhoFits();
  }

  /** For `Place`. */
  giveUp(place: TakenPlace): void {
    this.waiting = this.waiting.filter((waiter) => waiter.place !== place);
    // It may have been what the others waited for.
    this.letInWhoFits();
  }

  private letInWhoFits(): void {
    for (let first = this.waiting[0]; first !== undefined; first = this.waiting[0]) {
      if (!this.fits(first.place.bytes)) return;
      this.waiting.shift();
      this.letIn(first.place, first.dueAt);
      first.enter();
    }
  }

  /** One alone may be larger than all may. */
  private fits(bytes: number): boolean {
    return this.bytes === 0 || this.bytes + bytes <= this.limits.largeBodiesBytesMax;
  }

  private letIn(place: TakenPlace, dueAt: number): void {
    this.bytes += place.bytes;
    this.virtualTime = Math.max(this.virtualTime, dueAt);
    place.state = 'entered';
  }
}

class TakenPlace implements Place {
  state: 'outside' | 'entered' | 'left' = 'outside';
  bytes: number;
  private readonly bodies: LargeBodies;

  constructor(bodies: LargeBodies, bytes: number) {
    this.bodies = bodies;
    this.bytes = bytes;
  }

  get entered(): boolean {
    return this.state === 'entered';
  }

  wait(enter: () => void): void {
    this.bodies.enqueue(this, enter);
  }

  resize(bytes: number): void {
    if (this.state !== 'entered') return;
    const more = bytes - this.bytes;
    this.bytes = bytes;
    this.bodies.changed(more);
  }

  leave(): void {
    const { state } = this;
    this.state = 'left';
    if (state === 'entered') this.bodies.changed(-this.bytes);
    else if (state === 'outside') this.bodies.giveUp(this);
  }
}
