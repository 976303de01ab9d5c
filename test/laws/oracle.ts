/**
 * The reference: what must leave for a body and a list of rules, frame by frame, worked out slowly from the
 * whole of every text. It shares no code with `src`; docs/laws.md says what it holds the engine to.
 */
import { insidePair } from './characters.ts';
import { JudgedText } from './judged-text.ts';
import type { FrameReading, Slot, WireReader } from './readers.ts';
import { type LawRule, type SpokenRule, spoken } from './rules.ts';
import { type Frames, latin1, latin1Of } from './wire.ts';

export interface Prediction {
  /** Where the frames of the input end. */
  readonly frames: Frames;
  /** Bytes that have left when so many frames have come, from 0; up to the stop. */
  readonly leftAfter: readonly number[];
  /** Everything that leaves; where the body is stopped, what had left before. Latin-1. */
  readonly output: string;
  readonly stop: { readonly frame: number; readonly rule: SpokenRule | undefined } | undefined;
  /** What a client reads of each text that goes on over several frames, when the body is over or stopped. */
  readonly heard: ReadonlyMap<string, string>;
  /** Frames whose bytes change. */
  readonly changed: readonly boolean[];
  /** Texts that have earned an addition, by name, and the additions. */
  readonly additions: ReadonlyMap<string, readonly string[]>;
}

interface Part {
  readonly slot: Slot;
  readonly text: JudgedText;
  readonly start: number;
  readonly end: number;
}

interface Waiting {
  readonly raw: string;
  readonly reading: FrameReading;
  readonly parts: readonly Part[];
}

export interface Circumstances {
  readonly reader: WireReader;
  readonly rules: readonly LawRule[];
  /** The frames of a plain text, which are however it comes. */
  readonly frames?: Frames;
  /** One document: all of it is read before anything is decided, and placeholders count across its texts. */
  readonly whole?: boolean;
  readonly direction?: 'request' | 'response';
}

/** Numbers of placeholders: the same for the same words. */
class Numbers {
  readonly #known = new Map<string, Map<string, number>>();

  readonly placeholder = (label: string, matched: string): string => {
    const known = this.#known.get(label) ?? new Map<string, number>();
    this.#known.set(label, known);
    const number = known.get(matched) ?? known.size + 1;
    known.set(matched, number);
    return `[${label}_${number}]`;
  };
}

export function predict(body: Uint8Array, circumstances: Circumstances): Prediction {
  return new Oracle(circumstances).predict(latin1(body));
}

class Oracle {
  readonly #circumstances: Circumstances;
  readonly #rules: readonly SpokenRule[];
  readonly #texts = new Map<string, JudgedText>();
  readonly #numbers = new Map<JudgedText, Numbers>();
  readonly #names = new Map<JudgedText, string>();
  readonly #shared = new Numbers();
  readonly #additions = new Map<string, string[]>();
  #waiting: Waiting[] = [];
  #stopped: JudgedText | undefined;

  constructor(circumstances: Circumstances) {
    this.#circumstances = circumstances;
    this.#rules = spoken(circumstances.rules);
  }

  predict(source: string): Prediction {
    const { reader, whole = false } = this.#circumstances;
    const frames = this.#circumstances.frames ?? reader.frames(source);
    const { ends } = frames;
    const leftAfter = [0];
    const changed: boolean[] = [];
    let output = '';
    let stopFrame: number | undefined;
    const leave = (): void => {
      const held = this.#waiting.findIndex(({ parts }) =>
        parts.some(({ text, end }) => end > text.settled),
      );
      for (const frame of this.#waiting.splice(0, held === -1 ? this.#waiting.length : held)) {
        const written = this.#rendered(frame);
        changed.push(written !== frame.raw);
        output += written;
      }
    };
    for (const [index, end] of ends.entries()) {
      const raw = source.slice(ends[index - 1] ?? 0, end);
      this.#take(raw, reader.frame(raw, index === 0), whole);
      if (this.#stopped !== undefined) {
        stopFrame = index;
        break;
      }
      if (!whole) leave();
      leftAfter.push(output.length);
    }
    if (this.#stopped === undefined) {
      for (const text of this.#texts.values()) this.#end(text);
      if (this.#stopped !== undefined) stopFrame = ends.length;
      else leave();
    }
    const { stop } = this.#stopped ?? {};
    return {
      frames,
      leftAfter,
      output,
      changed,
      stop: stopFrame === undefined ? undefined : { frame: stopFrame, rule: stop?.rule },
      heard: this.#heard(),
      additions: this.#additions,
    };
  }

  #take(raw: string, reading: FrameReading, whole: boolean): void {
    const parts: Part[] = [];
    for (const name of reading.over ?? []) {
      const text = this.#texts.get(name);
      if (text !== undefined && !text.ended) this.#end(text);
    }
    for (const slot of reading.slots) {
      if (this.#stopped !== undefined && !whole) break;
      const text = this.#textOf(slot);
      const start = text.source.length;
      text.feed(slot.value, slot.last);
      parts.push({ slot, text, start, end: text.source.length });
      if (slot.last) this.#end(text);
      this.#note(text);
    }
    if (this.#stopped === undefined)
      for (const [name, text] of this.#texts)
        if (reading.terminal || reading.ends.some((end) => name.startsWith(end))) this.#end(text);
    this.#waiting.push({ raw, reading, parts });
  }

  #textOf({ text: name, encoding, sealed }: Slot): JudgedText {
    const known = this.#texts.get(name);
    if (name !== '' && known !== undefined && !known.ended) return known;
    const text = new JudgedText(this.#rules, encoding, sealed === true);
    const numbers = this.#circumstances.direction === 'request' ? this.#shared : new Numbers();
    this.#numbers.set(text, numbers);
    if (name !== '') {
      this.#texts.set(name, text);
      this.#names.set(text, name);
    }
    return text;
  }

  #end(text: JudgedText): void {
    if (this.#stopped !== undefined && !this.#circumstances.whole) return;
    text.end();
    this.#note(text);
    const name = this.#names.get(text);
    const earned = text.earned.flatMap(({ doing }) =>
      doing.kind === 'append' ? [doing.text] : [],
    );
    if (name !== undefined && earned.length > 0 && !this.#additions.has(name))
      this.#additions.set(name, earned);
  }

  /** In a document the rule of the lowest rank speaks. */
  #note(text: JudgedText): void {
    if (text.stop === undefined) return;
    const before = this.#stopped?.stop;
    const outranks =
      before !== undefined &&
      text.stop.rule !== undefined &&
      (before.rule === undefined || text.stop.rule.rank < before.rule.rank);
    if (before === undefined || outranks) this.#stopped = text;
  }

  #placeholderOf(text: JudgedText): (label: string, matched: string) => string {
    return this.#numbers.get(text)!.placeholder;
  }

  /** The frame with its changes; all other bytes as they came. */
  #rendered({ raw, reading, parts }: Waiting): string {
    const splices: { from: number; to: number; bytes: string }[] = [];
    // biome-ignore lint/suspicious/noControlCharactersInRegex: what is ASCII is the question.
    const ascii = /^[\x00-\x7f]*$/.test(raw);
    const touched = new Set<number>();
    for (const [index, { slot, text, start, end }] of parts.entries())
      for (const change of text.changes(this.#placeholderOf(text))) {
        if (change.end <= start || change.start >= end) continue;
        touched.add(index);
        const from = Math.max(change.start, start) - start;
        const to = Math.min(change.end, end) - start;
        // Half of a character takes the other half along.
        const first = from - (insidePair(slot.value, from) ? 1 : 0);
        const last = to + (insidePair(slot.value, to) ? 1 : 0);
        splices.push({
          from: slot.places[first]!,
          to: slot.places[last]!,
          bytes: written(change.start >= start ? change.replacement : '', slot, ascii),
        });
      }
    for (const { slots, from, to, json } of reading.swaps ?? [])
      if (slots.some((slot) => touched.has(slot))) splices.push({ from, to, bytes: json });
    let rendered = '';
    let kept = 0;
    for (const { from, to, bytes } of splices.sort((a, b) => a.from - b.from)) {
      rendered += raw.slice(kept, from) + bytes;
      kept = to;
    }
    return rendered + raw.slice(kept);
  }

  #heard(): ReadonlyMap<string, string> {
    const heard = new Map<string, string>();
    for (const [text, name] of this.#names) {
      const to = this.#stopped === undefined ? text.source.length : text.settled;
      heard.set(name, (heard.get(name) ?? '') + text.masked(to, this.#placeholderOf(text)));
    }
    return heard;
  }
}

/** A replacement as it stands in its frame, in the frame's own style. */
function written(replacement: string, slot: Slot, ascii: boolean): string {
  const escaped = (text: string): string =>
    text.replace(
      /[\u007f-\uffff]/g,
      (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
    );
  if (slot.bare === 'event') return latin1Of(replacement.replace(/\r\n|\r|\n/g, '\ndata: '));
  if (slot.bare === 'text') return latin1Of(replacement);
  const json = slot.written ? replacement : JSON.stringify(replacement).slice(1, -1);
  return latin1Of(ascii ? escaped(json) : json);
}
