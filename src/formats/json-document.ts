/** A body that is one JSON object, read as one frame. */
import type { ApiNames } from './api-names.ts';
import type { AppendForm, BodyReader, Frame, Refusal } from './frame.ts';
import { type JsonArray, type JsonObject, readJson } from './json.ts';
import { unreadableFrame } from './json-frame.ts';
import type { FormatLimits } from './limits.ts';
import { WholeBody } from './whole-body.ts';

/** Gathers the body; what its members mean is the format's to say. */
export abstract class JsonDocumentReader implements BodyReader {
  protected readonly limits: FormatLimits;
  /** Some of the body has left. */
  protected begun = false;
  readonly #names: ApiNames;
  readonly #body: WholeBody;

  constructor(limits: FormatLimits, names: ApiNames) {
    this.limits = limits;
    this.#names = names;
    this.#body = new WholeBody(limits.bodyBytesMax);
  }

  /** The frame of a body whose text is the object `root`. */
  protected abstract read(root: JsonObject, bytes: Uint8Array): Frame;

  /** The frame of a body whose text is an array: of none, for most formats. */
  protected readArray(_root: JsonArray, bytes: Uint8Array): Frame {
    return unreadableFrame(bytes, 'not_an_object');
  }

  abstract refuse(refusal: Refusal): readonly Uint8Array[];

  abstract append(text: string, addition: string, before: Frame | undefined): AppendForm;

  get pendingBytes(): number {
    return this.#body.pendingBytes;
  }

  push(bytes: Uint8Array): readonly Frame[] {
    return this.#body.push(bytes).map((part) => unreadableFrame(part, 'body_too_large'));
  }

  end(): readonly Frame[] {
    const rest = this.#body.end();
    if (rest === undefined) return [];
    return [this.#body.oversized ? unreadableFrame(rest, 'body_too_large') : this.#frame(rest)];
  }

  sent(): void {
    this.begun = true;
  }

  #frame(bytes: Uint8Array): Frame {
    const json = readJson(bytes, this.limits, this.#names);
    if (!json.ok) return unreadableFrame(bytes, json.reason);
    if (json.root.kind === 'object') return this.read(json.root, bytes);
    if (json.root.kind === 'array') return this.readArray(json.root, bytes);
    return unreadableFrame(bytes, 'not_an_object');
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
