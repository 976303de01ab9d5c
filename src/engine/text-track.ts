/**
 * One text of a body (a choice's field, a message) while it passes: which of its matches are settled,
 * what they cover, and how far it may leave. Everything here is a function of the text alone, so that
 * how it was cut cannot show (SEMANTICS §1 b).
 *
 * Two coordinates: *view* units are what the matcher reads; *source* units are what the frames carry.
 * They differ only in text that is itself JSON, whose escapes the view decodes.
 */
import type { Piece } from '../formats/frame.ts';
import { JsonTextView } from '../formats/json-view.ts';
import { TextScanner } from '../match/scanner.ts';
import type { Place, Rule } from '../policy/set.ts';
import type { Blocked, TextEdit } from './findings.ts';
import type { GivenSpans } from './given-spans.ts';
import type { TextRules } from './rule-lists.ts';
import { type MatchedText, type TextHost, TextMatches } from './text-matches.ts';

const NO_EDITS: readonly TextEdit[] = Object.freeze([]);

/** Keys of what a model says, not of what it thinks or cites. Plain text is one text, all of it said. */
const SAID = /\/content$|^text$/;

export class TextTrack implements MatchedText {
  readonly key: string;
  readonly place: Place;
  readonly sealed: boolean;
  readonly said: boolean;
  readonly host: TextHost;
  readonly rules: readonly Rule[];
  /** Source units fed so far. */
  length = 0;
  ended = false;
  /** It has got what it earned at its end. */
  closed = false;

  readonly view: JsonTextView | undefined;

  /** Undefined once the text is over. */
  private scanner: TextScanner | undefined;
  private overflowed = false;
  private readonly mayChange: boolean;
  private matches: TextMatches | undefined;
  private whole = false;
  private window = '';
  private windowStart = 0;

  /** What was found in it before, in place of what a scanner would find; it is all held until it ends. */
  private readonly given: GivenSpans | undefined;
  private source = '';

  /** `piece`: one of it. `reading`: the rules that read it. */
  constructor(
    { text, place, encoding, sealed }: Piece,
    reading: TextRules,
    host: TextHost,
    given?: GivenSpans,
  ) {
    this.given = given;
    this.key = text;
    this.place = place;
    this.sealed = sealed === true;
    this.said = place === 'assistant' && SAID.test(text);
    this.host = host;
    this.rules = reading.rules;
    this.view = encoding === 'json' ? new JsonTextView() : undefined;
    this.mayChange = reading.change;
    if (given !== undefined) return;
    this.scanner = new TextScanner(reading.scanned, undefined, (rule) =>
      host.scores.contextOf(reading.rules[rule]!, place),
    );
  }

  /** The first settled match that ends the text: it is cut at its start. */
  get blocked(): Blocked | undefined {
    return this.matches?.blocked;
  }

  /** Rules whose `append` was earned by a match. */
  get appends(): ReadonlySet<Rule> | undefined {
    return this.matches?.appends;
  }

  /** A match has been live for longer than the matcher keeps: the text cannot be judged any further. */
  get overflow(): boolean {
    return this.scanner?.overflow ?? this.overflowed;
  }

  /** `last`: a part of what is known to be the rest of the text. */
  feed(value: string, last = false): void {
    this.add(value, last);
    if (this.scanner !== undefined) this.settle(this.scanner);
  }

  /**
   * The rest of the text, known to be the rest: where it is all of it, the rule of the lowest rank blocks
   * and not the one that matches first, as it does between verdicts on a whole message (SEMANTICS §6).
   */
  feedLast(value: string): void {
    this.add(value, true);
    this.finish();
  }

  private add(value: string, last: boolean): void {
    if (last && this.length === 0) this.whole = true;
    this.length += value.length;
    if (this.given !== undefined) this.source += value;
    this.read(this.view ? this.view.push(value) : value);
  }

  finish(): void {
    if (this.ended) return;
    this.ended = true;
    this.read(this.view?.end() ?? '');
    const { scanner } = this;
    if (this.given !== undefined) this.settleGiven(this.given);
    if (scanner === undefined) return;
    scanner.end();
    for (const { rule, evidence } of scanner.evidence())
      this.host.scores.ended(this.rules[rule]!, evidence);
    this.settle(scanner);
    // A document may have thousands of texts, which all stay until it leaves.
    this.overflowed = scanner.overflow;
    this.scanner = undefined;
  }

  private settleGiven(given: GivenSpans): void {
    const spans = given.take(this.key, this.source);
    this.source = '';
    if (spans.length === 0) return;
    const decidedAt = this.window.length;
    const matches = new TextMatches(this);
    matches.take(
      spans.map(({ rule, label, start, end }) => ({
        ...{ rule: this.rules.indexOf(rule), label, decidedAt },
        ...{ start: this.viewUnit(start), end: this.viewUnit(end) },
      })),
    );
    matches.settle(Number.POSITIVE_INFINITY, this.whole);
    matches.closeValues(decidedAt);
    this.matches = matches;
  }

  /** The first view unit that begins at a source unit, or behind it. */
  private viewUnit(source: number): number {
    let [low, high] = [0, this.window.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.sourceStart(middle) < source) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Source units that may leave: no match that is still undecided starts before it. */
  get settled(): number {
    const { blocked } = this;
    if (blocked) return blocked.cut;
    return this.ended ? this.length : this.sourceStart(this.safe);
  }

  /**
   * View units that may leave. Of JSON no part of a bare value: with a change inside it leaves as a string, from
   * its first unit on.
   */
  private get safe(): number {
    const safe = this.scanner?.safe ?? 0;
    return this.view && this.mayChange && !this.ended ? this.view.outsideBare(safe) : safe;
  }

  /** Rules of which a match may still begin before the end, each with the source unit where. */
  waiting(): readonly { readonly rule: Rule; readonly start: number }[] {
    const live = this.scanner?.live() ?? [];
    return live.map(({ rule, start }) => ({
      rule: this.rules[rule]!,
      start: this.sourceStart(start),
    }));
  }

  /** The edits of source units `[start,end)`, relative to `start`; all of it must be settled. */
  edits(start: number, end: number): readonly TextEdit[] {
    return this.matches?.edits(start, end) ?? NO_EDITS;
  }

  /** Forgets what only frames before source unit `upTo` needed. */
  forget(upTo: number): void {
    this.matches?.forget(upTo);
  }

  sourceStart(viewUnit: number): number {
    return this.view ? this.view.sourceStart(viewUnit) : viewUnit;
  }

  textOf(start: number, end: number): string {
    return this.window.slice(start - this.windowStart, end - this.windowStart);
  }

  private read(units: string): void {
    if (units.length === 0) return;
    this.window += units;
    this.scanner?.push(units);
  }

  /** Matches whose start lies before the safe point are all known: only now may they act, in order. */
  private settle(scanner: TextScanner): void {
    const found = scanner.takeMatches();
    if (found.length > 0) (this.matches ??= new TextMatches(this)).take(found);
    const { safe } = this;
    this.matches?.settle(scanner.safe, this.whole);
    this.matches?.closeValues(safe);
    if (this.matches?.mayAct(this.whole) === false) return;
    if (safe > this.windowStart) {
      this.window = this.window.slice(safe - this.windowStart);
      this.windowStart = safe;
    }
    this.view?.forget(safe);
  }
}
