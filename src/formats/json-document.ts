/** A body that is one JSON object, read as one frame. */
import type { ApiNames } from './api-names.ts';
import type { AppendForm, BodyReader, Frame, Refusal } from './frame.ts';
import { FrameReading, type Opened, PacedReader, unreadable } from './frame-reading.ts';
import { type JsonArray, type JsonObject, type JsonReading, JsonScanner } from './json.ts';
import { unreadableFrame } from './json-frame.ts';
import type { FormatLimits } from './limits.ts';
import { BYTES_PER_UNIT, type Pace } from './pace.ts';
import { WholeBody } from './whole-body.ts';

/** Gathers the body; what its members mean is the format's to say. */
export abstract class JsonDocumentReader extends PacedReader implements BodyReader {
  protected readonly limits: FormatLimits;
  /** Some of the body has left. */
  protected begun = false;
  readonly #names: ApiNames;
  readonly #body: WholeBody;

  constructor(limits: FormatLimits, names: ApiNames) {
    super();
    this.limits = limits;
    this.#names = names;
    this.#body = new WholeBody(limits.bodyBytesMax);
  }

  /** What becomes of a body whose text is the object `root`. `pace`: see `PieceCollector`. */
  protected abstract read(root: JsonObject, bytes: Uint8Array, pace: Pace | undefined): Opened;

  /** What becomes of a body whose text is an array: nothing, for most formats. */
  protected readArray(_root: JsonArray, bytes: Uint8Array, _pace: Pace | undefined): Opened {
    return unreadable(bytes, 'not_an_object');
  }

  abstract refuse(refusal: Refusal): readonly Uint8Array[];

  abstract append(text: string, addition: string, before: Frame | undefined): AppendForm;

  get pendingBytes(): number {
    return this.#body.pendingBytes;
  }

  push(bytes: Uint8Array): readonly Frame[] {
    return this.#tooLong(this.#body.push(bytes));
  }

  pushOwn(bytes: Uint8Array): readonly Frame[] {
    return this.#tooLong(this.#body.push(bytes, true));
  }

  end(): readonly Frame[] {
    const rest = this.#body.end();
    if (rest === undefined) return [];
    if (this.#body.oversized) return [unreadableFrame(rest, 'body_too_large')];
    const scanner = new JsonScanner(rest, this.limits, this.#names);
    const reading = new FrameReading(scanner, (json, pace) => this.#meaning(json, rest, pace));
    if (this.isLarge(rest.length)) {
      this.open(reading);
      return this.readOn();
    }
    if (this.pace !== undefined) this.pace.left -= rest.length / BYTES_PER_UNIT;
    return [reading.readOn(undefined)!];
  }

  sent(): void {
    this.begun = true;
  }

  #tooLong(parts: readonly Uint8Array[]): readonly Frame[] {
    return parts.map((part) => unreadableFrame(part, 'body_too_large'));
  }

  #meaning(json: JsonReading, bytes: Uint8Array, pace: Pace | undefined): Opened {
    if (!json.ok) return unreadable(bytes, json.reason);
    if (json.root.kind === 'object') return this.read(json.root, bytes, pace);
    if (json.root.kind === 'array') return this.readArray(json.root, bytes, pace);
    return unreadable(bytes, 'not_an_object');
  }
}

/** Inserts at the end of the last piece of `text` in `frame`; undefined when it has none. */
export function appendingEdit(
  text: string,
  addition: string,
  frame: Frame | undefined,
): AppendForm | undefined {
  const piece = frame?.pieces.findLastIndex((candidate) => candidate.text === text) ?? -1;
  if (piece === -1) return undefined;
  const at = frame!.pieces[piece]!.value.length;
  return { kind: 'edit', edit: { piece, start: at, end: at, replacement: addition } };
}
