/** What several suites share: reading a body in any cut, and the texts that come out. */
import { Buffer } from 'node:buffer';
import type { BodyReader, Frame } from '../../src/formats/frame.ts';

export const bytesOf = (text: string): Uint8Array => Buffer.from(text, 'utf8');
export const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8');

export function framesOf(reader: BodyReader, ...chunks: readonly Uint8Array[]): Frame[] {
  return [...chunks.flatMap((chunk) => [...reader.push(chunk)]), ...reader.end()];
}

/** All texts of a body, joined per key, in order of first appearance. */
export function textsOf(frames: readonly Frame[]): Record<string, string> {
  const texts: Record<string, string> = {};
  for (const frame of frames)
    for (const piece of frame.pieces) texts[piece.text] = (texts[piece.text] ?? '') + piece.value;
  return texts;
}

/** What may be compared between two readings: everything but the functions. */
export function shapeOf(frame: Frame) {
  const { bytes, pieces, ends, unreadable, terminal } = frame;
  return { bytes: textOf(bytes), pieces, ends, unreadable, terminal };
}

export function sse(...chunks: readonly (object | string)[]): string {
  return chunks
    .map((chunk) => `data: ${typeof chunk === 'string' ? chunk : JSON.stringify(chunk)}\n\n`)
    .join('');
}

export function chunkOf(
  delta: object,
  finishReason: string | null = null,
  rest: object = {},
): Record<string, unknown> {
  return {
    id: 'chatcmpl-1',
    object: 'chat.completion.chunk',
    created: 1_700_000_000,
    model: 'gpt-test',
    choices: [{ index: 0, delta, ...rest, finish_reason: finishReason }],
  };
}
