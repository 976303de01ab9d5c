/** A frame of a chat body, and what it says besides its text. */
import type { Edit, Frame } from './frame.ts';
import type { JsonNode } from './json.ts';
import { JsonFrame, type JsonFrameParts, type Swap } from './json-frame.ts';
import { NONE } from './small-list.ts';
import type { Anchored, MoveLedger } from './text-moves.ts';

/** What one entry of `choices` says besides its text. */
export interface ChoiceFacts {
  readonly index: number;
  readonly finished: boolean;
  /** Indices into `Frame.pieces`. */
  readonly pieces: readonly number[];
  /** Values of `finish_reason`, all duplicates. */
  readonly finishReasons: readonly JsonNode[];
  /** Values of `logprobs`: they spell the text once more, token by token. */
  readonly logprobs: readonly JsonNode[];
  /** Annotations, which point into its content. */
  readonly anchored: readonly Anchored[];
}

/** What every chunk of one answer repeats. */
export interface Envelope {
  readonly id: string;
  readonly created: number;
  readonly model: string;
}

export interface ChatFacts {
  readonly choices: readonly ChoiceFacts[];
  readonly envelope: Envelope;
}

/** A frame of an answer. */
export class ChatFrame extends JsonFrame {
  readonly chat: ChatFacts;
  /** What was changed of its texts in the frames before, and will be in this one. */
  readonly #ledger: MoveLedger | undefined;

  /** `ledger`: undefined where nothing points into its texts. */
  constructor(parts: JsonFrameParts, chat: ChatFacts, ledger: MoveLedger | undefined) {
    super(parts);
    this.chat = chat;
    this.#ledger = ledger;
  }

  stale(): boolean {
    return this.#ledger?.moves(this.#anchored) ?? false;
  }

  protected override swaps(
    edits: readonly Edit[],
    unfinished: boolean,
    data: Uint8Array,
  ): readonly Swap[] {
    const { choices } = this.chat;
    const nulled = [
      ...repeatedText(this.chat, edits),
      ...(unfinished ? choices.flatMap((choice) => choice.finishReasons) : []),
    ];
    return [
      ...nulled.filter((node) => node.kind !== 'null').map((node) => ({ node, json: 'null' })),
      ...(this.#ledger?.swaps(this.pieces, edits, this.#anchored, data) ?? NONE),
    ];
  }

  get #anchored(): readonly Anchored[] {
    const { choices } = this.chat;
    if (choices.every(({ anchored }) => anchored.length === 0)) return NONE;
    return choices.flatMap(({ anchored }) => anchored);
  }
}

export function isChatFrame(frame: Frame): frame is ChatFrame {
  return frame instanceof ChatFrame;
}

/** Texts of an answer that annotations point into. */
export const ANNOTATED = /^choice\/\d+\/content$/;

function repeatedText(facts: ChatFacts, edits: readonly Edit[]): readonly JsonNode[] {
  const touched = new Set(edits.map((edit) => edit.piece));
  return facts.choices
    .filter((choice) => choice.pieces.some((piece) => touched.has(piece)))
    .flatMap((choice) => choice.logprobs);
}
