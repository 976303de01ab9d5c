/** A frame of a chat body, and what it says besides its text. */
import type { Edit, Frame } from './frame.ts';
import type { JsonNode } from './json.ts';
import { type JsonFrameParts, jsonFrame } from './json-frame.ts';

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

/** A frame of an answer. */
export function chatFrame(parts: JsonFrameParts, facts: ChatFacts): ChatFrame {
  const swaps = (edits: readonly Edit[], unfinished: boolean) =>
    [
      ...repeatedText(facts, edits),
      ...(unfinished ? facts.choices.flatMap((choice) => choice.finishReasons) : []),
    ]
      .filter((node) => node.kind !== 'null')
      .map((node) => ({ node, json: 'null' }));
  return Object.freeze({ ...jsonFrame({ ...parts, swaps }), chat: facts });
}

function repeatedText(facts: ChatFacts, edits: readonly Edit[]): readonly JsonNode[] {
  const touched = new Set(edits.map((edit) => edit.piece));
  return facts.choices
    .filter((choice) => choice.pieces.some((piece) => touched.has(piece)))
    .flatMap((choice) => choice.logprobs);
}
