/** The laws as checks of one outcome against one prediction (SEMANTICS §1). */
import assert from 'node:assert/strict';
import type { Outcome } from './exchanges.ts';
import type { Prediction } from './oracle.ts';
import type { WireReader } from './readers.ts';
import { latin1 } from './wire.ts';

/** Frames that are over when `bytes` of the body have come. */
function framesBefore({ frames }: Prediction, bytes: number): number {
  const { ends, closed, closedAt = ends } = frames;
  let count = 0;
  while (count < closed && closedAt[count]! <= bytes) count++;
  return count;
}

/**
 * What had left after each part is what the oracle lets leave: not one byte more, which would be a leak, and
 * not one fewer, which would be a delay without need.
 */
export function assertHeld(
  outcome: Outcome,
  prediction: Prediction,
  parts: readonly Uint8Array[],
): void {
  let come = 0;
  for (const [index, part] of parts.entries()) {
    come += part.length;
    const frames = framesBefore(prediction, come);
    if (prediction.stop !== undefined && frames > prediction.stop.frame) return;
    // The last part may have told the end, too.
    if (index === outcome.leftAfter.length - 1) return;
    const due = prediction.leftAfter[frames]!;
    if (outcome.leftAfter[index] === due) continue;
    assert.equal(
      latin1(outcome.output.subarray(0, outcome.leftAfter[index])),
      prediction.output.slice(0, due),
      `left after ${come} bytes, which are ${frames} frames`,
    );
  }
}

/** What a client hears of each text. */
export function heardIn(output: string, reader: WireReader): ReadonlyMap<string, string> {
  const heard = new Map<string, string>();
  if (output === '') return heard;
  const { ends } = reader.frames(output);
  for (const [index, end] of ends.entries())
    for (const { text, value } of reader.frame(output.slice(ends[index - 1] ?? 0, end), index === 0)
      .slots)
      heard.set(text, (heard.get(text) ?? '') + value);
  return heard;
}

function assertStopped(outcome: Outcome, prediction: Prediction, reader: WireReader): void {
  const { rule } = prediction.stop!;
  assert.equal(outcome.code, rule === undefined ? 'unreadable_body' : 'policy');
  assert.ok(outcome.ended);
  const message = rule?.doing.kind === 'block' ? rule.doing.message : 'cannot be read';
  const output = latin1(outcome.output);
  if (outcome.refusal !== undefined) {
    assert.equal(output, '');
    assert.equal(prediction.output, '', 'refused although something had left');
    assert.ok(outcome.refusal.body.includes(message));
    // A document is refused as a whole.
    if (prediction.frames.closed > 0)
      for (const [name, text] of prediction.heard) assert.equal(text, '', `lost: ${name}`);
    return;
  }
  assert.equal(output.slice(0, prediction.output.length), prediction.output);
  const heard = heardIn(output, reader);
  const told = reader.refusal?.(message) ?? '';
  for (const [name, text] of prediction.heard)
    assert.equal(heard.get(name) ?? '', text + told, name);
}

/** Quick where they are the same, and telling where they are not. */
function assertBytes(actual: Uint8Array, expected: Uint8Array, when = ''): void {
  if (Buffer.compare(actual, expected) !== 0) assert.equal(latin1(actual), latin1(expected), when);
}

/** Law (a): of the same bytes, cut otherwise, comes the same. */
export function assertSame(outcome: Outcome, whole: Outcome, when: string): void {
  assertBytes(outcome.output, whole.output, when);
  assert.equal(outcome.code, whole.code, when);
  assert.equal(outcome.refusal?.body, whole.refusal?.body, when);
}

/** All that the laws say about one way of cutting. */
export function assertLaws(
  outcome: Outcome,
  prediction: Prediction,
  parts: readonly Uint8Array[],
  reader: WireReader,
): void {
  assertHeld(outcome, prediction, parts);
  if (prediction.stop !== undefined) {
    assertStopped(outcome, prediction, reader);
    return;
  }
  if (outcome.refusal !== undefined) assert.equal(outcome.refusal, undefined);
  assert.equal(outcome.code, 'allowed');
  assertBytes(outcome.output, Buffer.from(prediction.output, 'latin1'));
}
