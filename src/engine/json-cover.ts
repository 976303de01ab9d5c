/**
 * What matches cover of a text that is JSON, changed so that it stays JSON of the same shape: each string says the
 * replacement where it is covered, each bare value (a number, a word) that is covered in part becomes a string,
 * and structure stays (docs/adr/0007).
 */
import { escapeInner, type JsonTextView } from '../formats/json-view.ts';
import type { Covered, MatchedText } from './text-matches.ts';

/** View units `[start,end)` of a bare value, and what is said in their place. */
interface Said {
  readonly start: number;
  end: number;
  readonly words: string;
  readonly outside: string;
}

/** A bare value of which something is covered. */
interface BareValue {
  /** View unit. */
  readonly start: number;
  readonly said: Said[];
  readonly covered: Covered;
}

export class JsonCover {
  private readonly text: MatchedText;
  private readonly view: JsonTextView;
  /** In order of the text; the last ones are ours. */
  private readonly covered: Covered[];
  /** The string whose inside was covered up to view unit `stringEnd`. */
  private string: Covered | undefined;
  private stringEnd = 0;
  private value: BareValue | undefined;

  constructor(text: MatchedText, view: JsonTextView, covered: Covered[]) {
    this.text = text;
    this.view = view;
    this.covered = covered;
  }

  /**
   * Covers view units `[from,to)`, behind all that was covered before; `goesOn`: as part of what was covered last. `outside`: what is said in place of `words` to whoever is not the client.
   * False when there is only structure in it.
   */
  cover(from: number, to: number, words: string, goesOn = false, outside = words): boolean {
    let changed = false;
    for (let unit = from; unit < to; unit += 1) {
      const kind = this.view.kindAt(unit);
      if (kind === 'structure') continue;
      changed = true;
      const more = goesOn || unit > from;
      if (kind === 'string') this.coverString(unit, words, more, outside);
      else this.coverBare(unit, words, more, outside);
    }
    return changed;
  }

  private coverString(unit: number, words: string, more: boolean, outside: string): void {
    const end = this.text.sourceStart(unit + 1);
    if (more && this.string && this.stringEnd === unit) this.string.end = end;
    else {
      const start = this.text.sourceStart(unit);
      this.string = {
        ...{ start, end, replacement: escapeInner(words) },
        ...(outside !== words && { outside: escapeInner(outside) }),
      };
      this.covered.push(this.string);
    }
    this.stringEnd = unit + 1;
  }

  private coverBare(unit: number, words: string, more: boolean, outside: string): void {
    const begin = this.view.bareStart(unit);
    if (this.value?.start !== begin) {
      // Another one has begun: this is over.
      this.closeValue(Number.POSITIVE_INFINITY, undefined);
      const start = this.text.sourceStart(begin);
      const covered: Covered = { start, end: start, replacement: '' };
      this.covered.push(covered);
      this.value = { start: begin, said: [], covered };
    }
    const { said } = this.value!;
    const last = said.at(-1);
    if (more && last?.end === unit) last.end = unit + 1;
    else said.push({ start: unit, end: unit + 1, words, outside });
  }

  /** Writes down the bare value that ends before view unit `safe`. `cut`: source unit at which the text is cut. */
  closeValue(safe: number, cut: number | undefined): void {
    const { value, view, text } = this;
    if (!value || (safe <= value.start && cut === undefined)) return;
    this.value = undefined;
    let end = view.bareEnd(value.start);
    while (cut !== undefined && end > value.start && text.sourceStart(end) > cut) end -= 1;
    let written = '';
    let told = '';
    let at = value.start;
    for (const { start, end: saidEnd, words, outside } of value.said) {
      const before = text.textOf(at, Math.min(start, end));
      written += before + words;
      told += before + outside;
      at = Math.max(at, Math.min(saidEnd, end));
    }
    const rest = text.textOf(at, end);
    value.covered.end = text.sourceStart(end);
    value.covered.replacement = `"${escapeInner(written + rest)}"`;
    if (told !== written) value.covered.outside = `"${escapeInner(told + rest)}"`;
  }
}
