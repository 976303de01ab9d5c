/**
 * The seam between wire formats and inspection. A format turns bytes into frames (the unit of holding,
 * SEMANTICS §1) and finds in each the pieces of text that people, agents and models wrote. A whole JSON
 * body is one frame. Frames hold their bytes; `render` changes only what an edit covers.
 */
import type { Place } from '../policy/set.ts';
import type { Pace } from './pace.ts';
import type { ChangeOutcome, RequestChange } from './request-change.ts';

/** One stretch of one text inside one frame. */
export interface Piece {
  /** Which text it continues: stable over a stream, e.g. `choice/0/content`, `choice/0/tool/1/arguments`. */
  readonly text: string;
  readonly place: Place;
  /** `json`: the text is itself JSON (tool-call arguments); its escapes hide letters from a plain reading. */
  readonly encoding: 'plain' | 'json';
  /** The decoded value, as a client would read it. */
  readonly value: string;
  /** The text is complete with this piece (always true in a whole body). */
  readonly last: boolean;
  /**
   * The text is signed by its provider: changed, it would be rejected. A rule that would change it ends
   * the answer or refuses the request instead (SEMANTICS §1). The same for every piece of a text.
   */
  readonly sealed?: true;
}

/** What one frame tells of a tool: that there is one, that it is called, or what came of a call. */
export interface ToolPart {
  readonly kind: 'definition' | 'call' | 'result';
  /** Which one: the same over a stream, e.g. `choice/0/tool/1`. One that is over may have its key again. */
  readonly key: string;
  /** The tool's name as far as it was told, with this frame; '' for none. */
  readonly name: string;
  /** Nothing of the name follows. */
  readonly named: boolean;
  /** Index of the piece that holds a stretch of what it is called with. */
  readonly input?: number;
  /** Nothing of it follows. */
  readonly last: boolean;
  /** A call that a request only recalls: it was made before. */
  readonly past?: true;
  /** What readers would understand differently, so that it cannot be judged. */
  readonly doubt?: 'name' | 'input';
}

/** Bytes `[start,end)` of a frame's JSON give way to `bytes`. */
export interface Cut {
  readonly start: number;
  readonly end: number;
  readonly bytes: Uint8Array;
}

/** What a request says besides its text. */
export interface RequestFacts {
  readonly model?: string;
  /** The body could not be read, or names more than one model: readers differ in which they take. */
  readonly modelInDoubt: boolean;
  /** The caller asked for an event stream. */
  readonly stream: boolean;
}

/** Replace units `[start,end)` of `value` of piece `piece` by `replacement` (may be ''; start may equal end). */
export interface Edit {
  /** Index into `Frame.pieces`. */
  readonly piece: number;
  readonly start: number;
  readonly end: number;
  readonly replacement: string;
}

export interface Frame {
  /** Before `keep`, perhaps a view of what was pushed last. */
  readonly bytes: Uint8Array;
  readonly pieces: readonly Piece[];
  /** In the order of the frame. */
  readonly tools?: readonly ToolPart[] | undefined;
  /** Keys of texts that had ended before this frame began, as it shows. */
  readonly ended?: readonly string[] | undefined;
  /** Texts that end with this frame although it has no piece of them (a finish_reason), as text-key prefixes. */
  readonly ends: readonly string[];
  /** A frame whose meaning could not be read: the class of the rules decides (never guessed at). */
  readonly unreadable?: string | undefined;
  /** The format's own end marker (`[DONE]`): nothing of any text follows. */
  readonly terminal: boolean;
  /** The frame is a request. */
  readonly request?: RequestFacts | undefined;
  /** The frame stays behind the call that it came from: it makes all that it needs its own. Absent: it has. */
  keep?(): void;
  /**
   * `bytes` are out of date, as something was put in front of the frame since it was read (numbers count
   * on): `render([])` gives the bytes that may leave. Asked when the frame leaves.
   */
  stale?(): boolean;
  /**
   * Has `render` write this into the request beside its edits; asked once, before the frame leaves. Absent where
   * the API has no place for it.
   */
  change?(change: RequestChange): ChangeOutcome;
  /**
   * The same frame with the edits applied: all other bytes unchanged, replacements in the frame's own
   * JSON style. Edits are ordered by (piece, start), disjoint; where a cut begins before an edit that it
   * covers, the edit goes with it. Cost: linear in the frame.
   */
  render(edits: readonly Edit[], cuts?: readonly Cut[]): Uint8Array;
  /** Renders as far as the pace lets it, and goes on when it is asked again. For large frames. */
  rendering?(
    edits: readonly Edit[],
    pace: Pace,
    cuts?: readonly Cut[],
  ): Generator<undefined, Uint8Array>;
  /** Like render, but with any finish_reason set to null: for a frame re-sent ahead of a refusal. */
  renderUnfinished(edits: readonly Edit[], cuts?: readonly Cut[]): Uint8Array;
  /**
   * The cuts that take these of `tools` out of the lists that they stand in, and what names them with them;
   * undefined where one of them cannot be taken out.
   */
  without?(tools: readonly number[]): readonly Cut[] | undefined;
}

export interface Refusal {
  readonly message: string;
  /** Shown to the caller so that the decision can be found; never content. */
  readonly decisionId: string;
  /** Machine-readable reason, e.g. `content_policy_violation`, `mode_cannot_enforce`. */
  readonly code: string;
  /** Seconds until it is worth another try; without it no client should try again. */
  readonly retryAfterS?: number;
}

/** Reads one body, streamed or whole. Output depends on the bytes only, never on how they are cut. */
export interface BodyReader {
  push(bytes: Uint8Array): readonly Frame[];
  /** The same for bytes that stay as they are until the body is over: a reader that keeps them need not copy them. */
  pushOwn?(bytes: Uint8Array): readonly Frame[];
  /** The body is complete; yields what was still incomplete. */
  end(): readonly Frame[];
  /**
   * Told once for every frame that left, in order: `refuse` speaks only about what the other side has
   * seen. `unfinished`: it left as `renderUnfinished` wrote it.
   */
  sent(frame: Frame, unfinished?: boolean): void;
  /** Bytes kept inside the reader, not yet in a frame. */
  readonly pendingBytes: number;
  /**
   * From now on a large frame is read as far as `pace` lets it, and `unread` says whether there is more of it:
   * then `readOn` is called, with a pace that has been filled again, before anything else. A reader without
   * this reads everything in one go, as does one that was not told.
   */
  readAt?(pace: Pace): void;
  readonly unread?: boolean;
  readOn?(): readonly Frame[];
  /**
   * The last frames of a body that is refused after some of it has left: in the format's own words,
   * so that an SDK reports a refusal and not a network error. `[]` for formats without such words.
   * `unsent`: what was judged and did not leave as it came, in order; frames that were read ahead of the
   * verdict are not among them, as there are more or fewer by how the bytes were cut.
   */
  refuse(refusal: Refusal, unsent?: readonly Frame[]): readonly Uint8Array[];
  /**
   * Bytes of a frame that adds `addition` to text `text`, to be put just before `before` (the frame that
   * ends the text, or undefined at the end of the body); undefined where it must be an edit of `before`
   * itself, which is then named by piece index.
   */
  append(text: string, addition: string, before: Frame | undefined): AppendForm;
}

export type AppendForm =
  | { readonly kind: 'frame'; readonly bytes: Uint8Array }
  | { readonly kind: 'edit'; readonly edit: Edit }
  /** Once for the whole message, where text `text` ends: it is named again then. */
  | { readonly kind: 'later'; readonly text: string }
  | { readonly kind: 'impossible' };

/** An HTTP answer that refuses before the first byte of the real one. */
export interface RefusalResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface Format {
  readonly name:
    | 'openai.chat'
    | 'openai.completions'
    | 'openai.inputs'
    | 'openai.responses'
    | 'anthropic.messages'
    | 'gemini'
    | 'mcp'
    | 'json'
    | 'sse'
    | 'ndjson'
    | 'text'
    | 'opaque';
  reader(direction: 'request' | 'response', streamed: boolean): BodyReader;
  /**
   * Of formats none of whose answers can be added to (`append` is always `impossible`). `none`: the API answers
   * with no messages. `unknown`: which of its words are a message nobody here knows. Absent: its messages go on.
   */
  readonly messages?: 'none' | 'unknown';
  /** The refusal in the caller's words: `as: error` a 4xx error object, `as: refusal` a 200 with a refusal. */
  refusalResponse(
    refusal: Refusal,
    status: number,
    as: 'error' | 'refusal',
    streamed: boolean,
  ): RefusalResponse;
  /** Told the body of the request, as far as it is there, before a refusal that names what it answers. */
  asked?(body: Uint8Array): void;
  /**
   * Whether the request's headers say something else than its frame: a proxy that
   * went by them let another request through than the server will read.
   */
  contradicts?(headers: RequestHeaders, frame: Frame): boolean;
}

/** Headers of a request, names in lower case. */
export interface RequestHeaders {
  get(name: string): string | undefined;
  entries(): readonly (readonly [name: string, value: string])[];
}
