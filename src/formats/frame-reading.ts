/** JSON texts on their way into frames, which may be stopped anywhere. */
import type { Frame } from './frame.ts';
import type { JsonReading, JsonScanner } from './json.ts';
import { unreadableFrame } from './json-frame.ts';
import { MediaReading } from './media.ts';
import { BYTES_PER_UNIT, type Pace, UNPACED } from './pace.ts';
import type { PieceCollector } from './piece-collector.ts';

/** What is made of a text once it is read: its pieces are collected first. */
export interface Opened {
  /** Undefined where there is nothing to collect. */
  readonly collector?: PieceCollector;
  /** The frame, when all is collected. */
  readonly frame: () => Frame;
}

/** Nothing that can be read. */
export function unreadable(bytes: Uint8Array, reason: string): Opened {
  return { frame: () => unreadableFrame(bytes, reason) };
}

export class FrameReading {
  private readonly scanner: JsonScanner;
  private readonly open: (json: JsonReading, pace: Pace | undefined) => Opened;
  private opened: Opened | undefined;
  private json: JsonReading | undefined;
  /** Long values of which it is known whether they are base64. */
  private looked = 0;

  /** `open`: what the format makes of the text; its collector gets the pace. */
  constructor(scanner: JsonScanner, open: (json: JsonReading, pace: Pace | undefined) => Opened) {
    this.scanner = scanner;
    this.open = open;
  }

  /** Undefined when the pace was used up before. `pace`: undefined to read in one go. */
  readOn(pace: Pace | undefined): Frame | undefined {
    if (this.opened === undefined) {
      this.json ??= this.scanner.read(pace ?? UNPACED);
      if (this.json === undefined) return undefined;
      if (pace !== undefined && this.json.ok && !this.lookAtLong(pace)) return undefined;
      this.opened = this.open(this.json, pace);
    }
    const { collector, frame } = this.opened;
    return collector === undefined || collector.readOn() ? frame() : undefined;
  }

  /** Whose meaning nobody knows yet: whoever collects asks for it in one go. */
  private lookAtLong(pace: Pace): boolean {
    const { bytes, longLiterals } = this.scanner;
    for (; this.looked < longLiterals.length; this.looked += 1) {
      const literal = longLiterals[this.looked]!;
      literal.media ??= new MediaReading(bytes, literal);
      if (!literal.media.readOn(pace)) return false;
    }
    return true;
  }
}

/** A reader whose large frames are read as far as the pace lets it (`BodyReader.readAt`). */
export abstract class PacedReader {
  /** Undefined: nobody waits. */
  protected pace: Pace | undefined;
  #reading: FrameReading | undefined;

  readAt(pace: Pace): void {
    this.pace = pace;
  }

  get unread(): boolean {
    return this.#reading !== undefined;
  }

  readOn(): readonly Frame[] {
    const frame = this.#reading?.readOn(this.pace);
    if (frame === undefined) return [];
    this.#reading = undefined;
    return this.readThrough(frame);
  }

  /** Whether a text of so many bytes is more than may be read in one go. */
  protected isLarge(bytes: number): boolean {
    return this.pace !== undefined && bytes > this.pace.left * BYTES_PER_UNIT;
  }

  /** From now on this is read, by `readOn`. */
  protected open(reading: FrameReading): void {
    this.#reading = reading;
  }

  /** A large frame, and what had to wait for it. */
  protected readThrough(frame: Frame): readonly Frame[] {
    return [frame];
  }
}
