/** Any API that speaks JSON: strings at configured places, or all of them, are text. */
import { Buffer } from 'node:buffer';
import { errorResponse } from './chat-refusal.ts';
import type { AppendForm, BodyReader, Format, Frame, Refusal } from './frame.ts';
import type { Opened } from './frame-reading.ts';
import { GenericEventReader } from './generic-events.ts';
import type { JsonArray, JsonNode, JsonObject } from './json.ts';
import { JsonDocumentReader } from './json-document.ts';
import { jsonFrame, unreadableFrame } from './json-frame.ts';
import { LeafReader, namesOf, type TextPath } from './json-leaves.ts';
import { DEFAULT_FORMAT_LIMITS, type FormatLimits } from './limits.ts';
import type { Pace } from './pace.ts';
import { KeyCounter, PieceCollector } from './piece-collector.ts';

/** `paths`: where text stands; undefined for everywhere. Its event streams are read at the same places. */
export function genericJson(
  paths: readonly TextPath[] | undefined,
  limits: FormatLimits = DEFAULT_FORMAT_LIMITS,
): Format {
  return Object.freeze({
    name: 'json' as const,
    messages: 'unknown' as const,
    reader: (direction: 'request' | 'response', streamed: boolean): BodyReader =>
      streamed
        ? new GenericEventReader(limits, paths)
        : new GenericDocumentReader(limits, direction, paths),
    refusalResponse: (refusal: Refusal, status: number) => errorResponse(refusal, status),
  });
}

class GenericDocumentReader extends JsonDocumentReader {
  readonly #direction: 'request' | 'response';
  readonly #leaves: LeafReader;

  constructor(
    limits: FormatLimits,
    direction: 'request' | 'response',
    paths: readonly TextPath[] | undefined,
  ) {
    super(limits, namesOf(paths));
    this.#direction = direction;
    const place = direction === 'request' ? 'user' : 'assistant';
    this.#leaves = new LeafReader(place, paths, limits.textsMax);
  }

  protected read(root: JsonObject, bytes: Uint8Array, pace: Pace | undefined): Opened {
    return this.#open(root, bytes, pace);
  }

  protected override readArray(root: JsonArray, bytes: Uint8Array, pace: Pace | undefined): Opened {
    return this.#open(root, bytes, pace);
  }

  /** Other APIs have other errors; ours at least says why. */
  refuse(refusal: Refusal): readonly Uint8Array[] {
    if (this.begun || this.#direction === 'request') return [];
    return [Buffer.from(errorResponse(refusal, 200).body, 'utf8')];
  }

  append(): AppendForm {
    return { kind: 'impossible' };
  }

  #open(root: JsonNode, bytes: Uint8Array, pace: Pace | undefined): Opened {
    const collector = new PieceCollector(bytes, new KeyCounter(), pace);
    const unreadable = this.#leaves.read(root, bytes, collector, false);
    const frame = (): Frame => {
      const { pieces, literals } = collector;
      const reason = unreadable();
      if (reason !== undefined) return unreadableFrame(bytes, reason);
      return jsonFrame({ raw: bytes, data: bytes, pieces, literals, ends: [] });
    };
    return { collector, frame };
  }
}
