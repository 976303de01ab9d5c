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
  /** Whether each view unit is inside of a string. */
  readonly quoted: readonly boolean[];
}

function plainView(source: string): View {
  return {
    text: source,
    starts: Array.from({ length: source.length + 1 }, (_, at) => at),
    quoted: [],
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
  return { text, starts: [...starts, at], quoted };
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
    return this.#view.starts[Math.min(this.#live, this.#view.text.length)]!;
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
    const changes: { start: number; end: number; replacement: string; viewEnd: number }[] = [];
    const { text, starts, quoted } = this.#view;
    for (const { rule, label, start, end } of this.acting) {
      const { doing } = rule;
      if (doing.kind !== 'redact' && doing.kind !== 'rewrite') {
        if (doing.kind === 'block') break;
        continue;
      }
      if (this.#sealed) break;
      const last = changes.at(-1);
      if (last !== undefined && start < last.viewEnd) {
        last.viewEnd = Math.max(last.viewEnd, end);
        last.end = starts[last.viewEnd]!;
        continue;
      }
      const words =
        doing.kind === 'rewrite' ? doing.with : placeholder(label, text.slice(start, end));
      const inner = JSON.stringify(words).slice(1, -1);
      const replacement = !this.#json ? words : quoted[start] ? inner : `"${inner}"`;
      changes.push({ start: starts[start]!, end: starts[end]!, replacement, viewEnd: end });
    }
    return changes;
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
    const stops = (match: Acting): boolean =>
      match.rule.doing.kind === 'block' ||
      (this.#sealed && (match.rule.doing.kind === 'redact' || match.rule.doing.kind === 'rewrite'));
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
