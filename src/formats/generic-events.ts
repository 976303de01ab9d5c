/**
 * Any event stream: data that is JSON is read string by string, other data is one text that goes on from
 * event to event. What an API's own format knows better (whose words, which texts go on), this guesses by
 * place: words that an API spreads over several places of its events are not put together.
 */
import { Buffer } from 'node:buffer';
import { errorResponse } from './chat-refusal.ts';
import type { AppendForm, BodyReader, Edit, Frame, Piece, Refusal } from './frame.ts';
import { type Opened, unreadable } from './frame-reading.ts';
import type { JsonNode, JsonObject, JsonReading } from './json.ts';
import { inRaw, jsonFrame, silentFrame, unreadableFrame } from './json-frame.ts';
import { LeafReader, namesOf, type TextPath } from './json-leaves.ts';
import { type EventSource, JsonStreamReader } from './json-stream.ts';
import { overlay } from './json-string.ts';
import type { FormatLimits } from './limits.ts';
import type { Pace } from './pace.ts';
import { KeyCounter, PieceCollector } from './piece-collector.ts';
import { applySplices, editsByPiece, wholeCharacterEdits } from './splice.ts';
import { unitStarts } from './utf8.ts';

const TEXT = 'data';

/** Events of any kind. `paths`: where JSON data has text; undefined for everywhere. */
export class GenericEventReader extends JsonStreamReader implements BodyReader {
  readonly #leaves: LeafReader;
  readonly #keys = new KeyCounter();

  constructor(limits: FormatLimits, paths: readonly TextPath[] | undefined) {
    super(limits, namesOf(paths));
    this.#leaves = new LeafReader('assistant', paths, limits.textsMax);
  }

  protected read(root: JsonObject, source: EventSource, pace: Pace | undefined): Opened {
    return this.#openLeaves(root, source, pace);
  }

  /** Blank data is a blank: in a stream of plain words it parts them. */
  protected override silent({ raw }: EventSource, from: number, to: number): Frame | undefined {
    return from === to ? silentFrame(raw, false) : undefined;
  }

  protected override meaning(
    json: JsonReading,
    source: EventSource,
    from: number,
    to: number,
    pace: Pace | undefined,
  ): Opened {
    if (!json.ok)
      return json.reason === 'not_json'
        ? { frame: () => textFrame(source, from, to) }
        : unreadable(source.raw, json.reason);
    const { root } = json;
    if (root.kind === 'object' || root.kind === 'array')
      return this.#openLeaves(root, source, pace);
    // Words such as `42` or `"so"` are JSON by accident, or the text of an API that quotes it.
    if (root.kind !== 'string') return { frame: () => textFrame(source, from, to) };
    const collector = new PieceCollector(source.data, this.#keys, pace);
    collector.add(root, TEXT, 'assistant', false);
    const { raw, data, lines } = source;
    const frame = () => {
      const { pieces, literals } = collector;
      return jsonFrame({ raw, data, lines, pieces, literals, ends: [] });
    };
    return { collector, frame };
  }

  refuse(refusal: Refusal): readonly Uint8Array[] {
    const { body } = errorResponse(refusal, 200);
    return this.following([Buffer.from(`event: error\ndata: ${body}\n\n`, 'utf8')]);
  }

  append(): AppendForm {
    return { kind: 'impossible' };
  }

  #openLeaves(root: JsonNode, source: EventSource, pace: Pace | undefined): Opened {
    const collector = new PieceCollector(source.data, this.#keys, pace);
    const unreadableWhy = this.#leaves.read(root, source.data, collector, true);
    const { raw, data, lines } = source;
    const frame = (): Frame => {
      const { pieces, literals } = collector;
      const reason = unreadableWhy();
      if (reason !== undefined) return unreadableFrame(raw, reason);
      return jsonFrame({ raw, data, lines, pieces, literals, ends: [] });
    };
    return { collector, frame };
  }
}

/** An event whose data is no JSON: it is its own text. */
function textFrame(source: EventSource, from: number, to: number): Frame {
  const raw = Buffer.from(source.raw);
  const data = source.data === source.raw ? raw : source.data;
  const value = overlay(data).toString('utf8', from, to);
  const piece: Piece = { text: TEXT, place: 'assistant', encoding: 'plain', value, last: false };
  const render = (edits: readonly Edit[]): Uint8Array => {
    if (edits.length === 0) return raw;
    editsByPiece([piece], edits);
    const starts = unitStarts(data, from, to, false);
    const splices = wholeCharacterEdits(piece, edits).flatMap((edit) =>
      inRaw(source, {
        start: starts[edit.start]!,
        end: starts[edit.end]!,
        // A line end would end the field: the rest goes on in another.
        bytes: Buffer.from(edit.replacement.replace(/\r\n|\r|\n/g, '\ndata: '), 'utf8'),
      }),
    );
    return applySplices(raw, splices);
  };
  return Object.freeze({
    bytes: raw,
    pieces: [piece],
    ends: [],
    terminal: false,
    render,
    renderUnfinished: render,
  });
}
