/**
 * What classifiers have found in the texts of one body, for rules that replace it. The body is read a second time, as
 * it would have left, and what they have pointed at is covered there as a match of any other rule is.
 */
import type { Rule } from '../policy/set.ts';
import type { Pause } from './backlog.ts';
import type { BodyInspection, StopReason } from './inspection.ts';
import { WholeOutput } from './whole-output.ts';

/** UTF-16 units of a text, and what a placeholder calls them. */
export interface GivenSpan {
  readonly rule: Rule;
  readonly start: number;
  readonly end: number;
  readonly label: string;
}

/** One text that something was found in. */
export interface GivenText {
  /** As it would have left: spans are places in it. */
  readonly value: string;
  readonly spans: readonly GivenSpan[];
}

export class GivenSpans {
  /** In rank order. */
  readonly rules: readonly Rule[];
  private readonly texts: ReadonlyMap<string, GivenText>;
  /** Units of each text that were met again. */
  private readonly taken = new Map<string, number>();

  constructor(texts: ReadonlyMap<string, GivenText>) {
    this.texts = texts;
    const rules = new Set(
      [...texts.values()].flatMap(({ spans }) => spans.map(({ rule }) => rule)),
    );
    this.rules = [...rules].sort((a, b) => a.rank - b.rank);
  }

  /** Something was found in the text of that name. */
  has(key: string): boolean {
    return this.texts.has(key);
  }

  /**
   * The spans of a text that was read anew; none where it is another one, so that none is covered in the wrong place.
   * A text that an API repeats is met again: each time is a part of what the classifier was told.
   */
  take(key: string, read: string): readonly GivenSpan[] {
    const text = this.texts.get(key);
    const from = this.taken.get(key) ?? 0;
    if (text === undefined || from === text.value.length) return [];
    const rest = text.value.length - from;
    // What was appended to it nobody was told of.
    const units = Math.min(read.length, rest);
    if (!text.value.startsWith(read.slice(0, units), from)) return [];
    this.taken.set(key, from + units);
    return text.spans.flatMap((span) => {
      const start = Math.max(0, span.start - from);
      const end = Math.min(units, span.end - from);
      return start < end ? [{ ...span, start, end }] : [];
    });
  }

  /** A rule whose text was not met again: what it was to replace is still there. */
  get lost(): Rule | undefined {
    for (const [key, { value, spans }] of this.texts)
      if (this.taken.get(key) !== value.length) return spans[0]!.rule;
    return undefined;
  }
}

export type Respelled =
  | { readonly kind: 'respelled'; readonly bytes: Uint8Array }
  | { readonly kind: 'stopped'; readonly stop: StopReason }
  | { readonly kind: 'lost'; readonly rule: Rule };

/** `bytes`, the whole body, with what was found replaced. Goes on in slices. Cost: that of reading it. */
export function* respelled(
  inspection: BodyInspection,
  spans: GivenSpans,
  bytes: Uint8Array,
): Generator<Pause, Respelled> {
  const output = new WholeOutput(bytes);
  let ending = false;
  for (let step = inspection.push(bytes, true); ; ) {
    if (step.stopped) return { kind: 'stopped', stop: step.stopped };
    output.add(step.output, inspection.changed);
    if (step.more) {
      yield;
      step = inspection.resume();
    } else if (ending) break;
    else {
      ending = true;
      step = inspection.end();
    }
  }
  const { lost } = spans;
  return lost === undefined
    ? { kind: 'respelled', bytes: output.bytes }
    : { kind: 'lost', rule: lost };
}
