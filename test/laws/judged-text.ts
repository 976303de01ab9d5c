/**
 * One text as the oracle judges it: which of its matches act, what they cover, where it is cut, and from
 * where on it must be held. All of it is worked out anew from the whole text whenever it grows.
 */
import { counting, Foresight, partition } from './foresight.ts';
import type { SpokenRule } from './rules.ts';

export interface Acting {
  readonly rule: SpokenRule;
  readonly label: string;
  /** View units. */
  readonly start: number;
  readonly end: number;
}

/** Source units `[start,end)` give way to `replacement`. */
export interface Change {
  readonly start: number;
  readonly end: number;
  readonly replacement: string;
}

export interface Stop {
  /** Undefined: a signed text would have had to change. */
  readonly rule: SpokenRule | undefined;
  /** Source unit at which the text is cut. */
  readonly cut: number;
}

/** What a reader sees: of JSON as text, its escapes decoded. */
interface View {
  readonly text: string;
  /** Source unit of each view unit, and of the one that comes next. */
  readonly starts: readonly number[];
  /** Of JSON: a string's inside, and bare values between structure. View units. */
  readonly strings: readonly Range[];
  readonly bare: readonly Range[];
}

interface Range {
  readonly start: number;
  readonly end: number;
}

function plainView(source: string): View {
  return {
    text: source,
    starts: Array.from({ length: source.length + 1 }, (_, at) => at),
    strings: [],
    bare: [],
  };
}

const ESCAPE = /\\(?:u[0-9a-fA-F]{4}|["\\/bfnrt])/y;
const BEGUN = /\\(?:u[0-9a-fA-F]{0,3})?$/y;

/** Escapes of JSON that is itself the text; one that has only begun is not seen yet. */
function jsonView(source: string, ended: boolean): View {
  let text = '';
  const starts: number[] = [];
  const quoted: boolean[] = [];
  let inside = false;
  let at = 0;
  while (at < source.length) {
    ESCAPE.lastIndex = BEGUN.lastIndex = at;
    const meant = ESCAPE.exec(source)?.[0];
    if (meant === undefined && !ended && BEGUN.test(source)) break;
    const written = meant ?? source[at]!;
    const quote = written === '"';
    starts.push(at);
    quoted.push(inside && !quote);
    if (quote) inside = !inside;
    text += meant === undefined ? written : (JSON.parse(`"${meant}"`) as string);
    at += written.length;
  }
  const inText = (ranges: RegExp): Range[] =>
    [
      ...text
        .replace(/./gs, (unit, index) => (quoted[index] ? 's' : unit === 's' ? 'b' : unit))
        .matchAll(ranges),
    ].map(({ index, 0: found }) => ({ start: index, end: index + found.length }));
  return {
    text,
    starts: [...starts, at],
    strings: inText(/s+/g),
    bare: inText(/[^s\s{}[\]:,"]+/g),
  };
}

interface Cluster extends Range {
  readonly words: string;
}

const changes = (kind: SpokenRule['doing']['kind']): boolean =>
  kind === 'redact' || kind === 'rewrite';

/** What of the ranges lies in `part`, cut to it. */
function within<T extends Range>(ranges: readonly T[], part: Range): T[] {
  return ranges.flatMap((range) => {
    const start = Math.max(range.start, part.start);
    const end = Math.min(range.end, part.end);
    return start < end ? [{ ...range, start, end }] : [];
  });
}

export class JudgedText {
  source = '';
  ended = false;
  stop: Stop | undefined;
  readonly #rules: readonly SpokenRule[];
  readonly #json: boolean;
  readonly #sealed: boolean;
  readonly #foresights: readonly { readonly rule: SpokenRule; readonly foresight: Foresight }[];
  #whole = false;
  #live = 0;
  #view: View = plainView('');

  constructor(rules: readonly SpokenRule[], encoding: 'plain' | 'json', sealed: boolean) {
    this.#rules = rules;
    this.#json = encoding === 'json';
    this.#sealed = sealed;
    this.#foresights = rules.flatMap((rule) =>
      rule.languages.map((language) => ({ rule, foresight: new Foresight(language) })),
    );
  }

  /** `last`: the text ends with this. */
  feed(value: string, last: boolean): void {
    if (last && this.source === '') this.#whole = true;
    this.source += value;
    if (last) this.ended = true;
    this.#judge();
  }

  end(): void {
    if (this.ended) return;
    this.ended = true;
    this.#judge();
  }

  /** Source units that may leave. */
  get settled(): number {
    if (this.stop !== undefined) return this.stop.cut;
    if (this.ended) return this.source.length;
    const { starts, text, bare } = this.#view;
    const live = Math.min(this.#live, text.length);
    // Of a value that may still have to become a string nothing leaves.
    const inside = bare.find(
      ({ start, end }) => start < live && (live < end || (live === end && end === text.length)),
    );
    const changing = this.#rules.some(({ enforced, doing }) => enforced && changes(doing.kind));
    return starts[changing ? (inside?.start ?? live) : live]!;
  }

  /** Matches that begin where all is decided, in the order in which they act. */
  get acting(): readonly Acting[] {
    const acting: Acting[] = [];
    const { text } = this.#view;
    for (const { rule, foresight } of this.#foresights)
      for (const { start, end } of counting(foresight.language, text, foresight.certain))
        if (start < this.#live) acting.push({ rule, label: foresight.language.label, start, end });
    return acting
      .filter(({ rule }) => rule.enforced)
      .sort((a, b) => a.start - b.start || b.end - a.end || a.rule.rank - b.rule.rank);
  }

  /** Rules whose addition the text has earned. */
  get earned(): readonly SpokenRule[] {
    return this.#rules.filter((rule) =>
      this.acting.some((match) => match.rule === rule && rule.doing.kind === 'append'),
    );
  }

  /** What the matches cover, up to a stop. `placeholder`: the text that stands for a match. */
  changes(placeholder: (label: string, matched: string) => string): readonly Change[] {
    const { starts } = this.#view;
    const clusters = this.#clusters(placeholder);
    if (!this.#json)
      return clusters.map(({ start, end, words }) => ({
        start: starts[start]!,
        end: starts[end]!,
        replacement: words,
      }));
    return [...this.#inStrings(clusters), ...this.#inValues(clusters)].sort(
      (a, b) => a.start - b.start,
    );
  }

  /** Every string says the words where it is covered. */
  #inStrings(clusters: readonly Cluster[]): readonly Change[] {
    const { starts, strings } = this.#view;
    return strings.flatMap((string) =>
      within(clusters, string).map(({ start, end, words }) => ({
        start: starts[start]!,
        end: starts[end]!,
        replacement: JSON.stringify(words).slice(1, -1),
      })),
    );
  }

  /** A value that is covered in part is a string, as far as the text goes. */
  #inValues(clusters: readonly Cluster[]): readonly Change[] {
    const { text, starts, bare } = this.#view;
    const cut = this.stop === undefined ? text.length : starts.indexOf(this.stop.cut);
    return bare.flatMap((value) => {
      const end = Math.min(value.end, cut);
      const said = within(clusters, value).filter(({ start }) => start < end);
      if (said.length === 0) return [];
      let written = '';
      let at = value.start;
      for (const one of said) {
        written += text.slice(at, one.start) + one.words;
        at = Math.min(one.end, end);
      }
      const replacement = JSON.stringify(written + text.slice(at, end));
      return [{ start: starts[value.start]!, end: starts[end]!, replacement }];
    });
  }

  /** Matches that overlap, and the words of the first. */
  #clusters(placeholder: (label: string, matched: string) => string): readonly Cluster[] {
    const clusters: { start: number; end: number; words: string }[] = [];
    if (this.#sealed) return clusters;
    for (const { rule, label, start, end } of this.acting) {
      const { doing } = rule;
      if (doing.kind === 'block') break;
      if (doing.kind !== 'redact' && doing.kind !== 'rewrite') continue;
      const last = clusters.at(-1);
      if (last !== undefined && start < last.end) {
        last.end = Math.max(last.end, end);
        continue;
      }
      if (this.#structural({ start, end })) break;
      const matched = this.#view.text.slice(start, end);
      const words = doing.kind === 'rewrite' ? doing.with : placeholder(label, matched);
      clusters.push({ start, end, words });
    }
    return clusters;
  }

  /** There is nothing in it but what makes JSON of the text. */
  #structural(range: Range): boolean {
    const { strings, bare } = this.#view;
    return this.#json && [...strings, ...bare].every((part) => within([range], part).length === 0);
  }

  /** The text as it leaves, up to source unit `to`. */
  masked(to: number, placeholder: (label: string, matched: string) => string): string {
    let text = '';
    let kept = 0;
    for (const { start, end, replacement } of this.changes(placeholder)) {
      if (start >= to) break;
      text += this.source.slice(kept, start) + replacement;
      kept = Math.min(end, to);
    }
    return text + this.source.slice(kept, Math.max(kept, to));
  }

  #judge(): void {
    if (this.stop !== undefined) return;
    this.#view = this.#json ? jsonView(this.source, this.ended) : plainView(this.source);
    const { text } = this.#view;
    this.#live = text.length;
    for (const { foresight } of this.#foresights) {
      foresight.read(text, this.ended);
      this.#live = Math.min(this.#live, foresight.live);
    }
    if (this.ended) this.#checkPartitions();
    this.#findStop();
  }

  /** Step by step the oracle must come to what the whole text says at once. */
  #checkPartitions(): void {
    for (const { foresight } of this.#foresights) {
      const whole = partition(foresight.language, this.#view.text);
      if (JSON.stringify(whole) !== JSON.stringify(foresight.certain))
        throw new Error(`the oracle contradicts itself about ${JSON.stringify(this.#view.text)}`);
    }
  }

  #findStop(): void {
    const { acting } = this;
    let covered = 0;
    const stops = ({ rule: { doing }, start, end }: Acting): boolean => {
      if (!changes(doing.kind)) return doing.kind === 'block';
      const wins = start >= covered;
      covered = Math.max(covered, end);
      return this.#sealed || (wins && this.#structural({ start, end }));
    };
    const first = acting.find(stops);
    if (first === undefined) return;
    const blocks = acting.filter(({ rule }) => rule.doing.kind === 'block').map(({ rule }) => rule);
    const rule = !this.#whole
      ? first.rule
      : blocks.reduce(
          (least, other) => (other.rank < least.rank ? other : least),
          blocks[0] ?? first.rule,
        );
    this.stop = {
      rule: rule.doing.kind === 'block' ? rule : undefined,
      cut: this.#view.starts[first.start]!,
    };
  }
}
