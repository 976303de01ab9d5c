/** A frame of a chat body, and what it says besides its text. */
import type { Edit, Frame } from './frame.ts';
import type { JsonNode } from './json.ts';
import { type JsonFrameParts, jsonFrame, type Swap } from './json-frame.ts';
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

export interface ChatFrame extends Frame {
  readonly chat: ChatFacts;
}

export function isChatFrame(frame: Frame): frame is ChatFrame {
  return 'chat' in frame;
}

/**
 * A frame of an answer. `ledger`: what was changed of its texts in the frames before, and will be in this one;
 * undefined where nothing points into them.
 */
export function chatFrame(
  parts: JsonFrameParts,
  facts: ChatFacts,
  ledger: MoveLedger | undefined,
): ChatFrame {
  const points = facts.choices.some((choice) => choice.anchored.length > 0);
  const anchored = points ? facts.choices.flatMap((choice) => choice.anchored) : [];
  const swaps = (edits: readonly Edit[], unfinished: boolean): readonly Swap[] => [
    ...[
      ...repeatedText(facts, edits),
      ...(unfinished ? facts.choices.flatMap((choice) => choice.finishReasons) : []),
    ]
      .filter((node) => node.kind !== 'null')
      .map((node) => ({ node, json: 'null' })),
    ...(ledger?.swaps(parts.pieces, edits, anchored, parts.data) ?? []),
  ];
  const frame = Object.assign(jsonFrame(parts, swaps), { chat: facts });
  return !points || !ledger ? frame : Object.assign(frame, { stale: () => ledger.moves(anchored) });
}

/** Texts of an answer that annotations point into. */
export const ANNOTATED = /^choice\/\d+\/content$/;

function repeatedText(facts: ChatFacts, edits: readonly Edit[]): readonly JsonNode[] {
  const touched = new Set(edits.map((edit) => edit.piece));
  return facts.choices
    .filter((choice) => choice.pieces.some((piece) => touched.has(piece)))
    .flatMap((choice) => choice.logprobs);
}
