/** Signals as a detector: the signal with which a text's score reaches the threshold is the first match. */
import type { Consumption, Match, MatchSink, TextContext, Tracker } from './detector.ts';
import { type Disguise, DisguisedSignals } from './signal-disguise.ts';
import { type Sighting, SignalReader } from './signal-reader.ts';
import { rounded, SignalScore } from './signal-score.ts';
import { SpelledSignals } from './signal-spelling.ts';
import { evidenceOf, type SignalTable, scoreOf } from './signals.ts';

export interface SignalOptions {
  readonly label: string;
  /** 0..1, more than 0: the score of a text from which on its signals are matches. */
  readonly threshold: number;
  /** The same for the score with what the session has brought along. */
  readonly session?: { readonly threshold: number };
  /** See `SignalScore`. */
  readonly halfLifeWords?: number;
  /** Whether it counts less in quotes, or where such texts are spoken about; it does unless this says no. */
  readonly damped?: boolean;
}

/** What is left of a signal in quotes, of one where such texts are spoken about, and of one where both are. */
export const DAMPING = Object.freeze({ quoted: 0.6, mentioned: 0.45, both: 0.2 });

/** Of a match that the session made one. */
export const sessionLabel = (label: string): string => `${label}_SESSION`;

/** Nobody hides orders for honest reasons: what is found in disguise is so much more evidence. */
export const DISGUISED = 1.5;

const EVERYONES: TextContext = Object.freeze({ trust: 'user', carried: 0 });

function dampingOf({ quoted, mentioned }: Sighting): number {
  if (quoted && mentioned) return DAMPING.both;
  if (mentioned) return DAMPING.mentioned;
  return quoted ? DAMPING.quoted : 1;
}

export class SignalTracker implements Tracker {
  /** The most that the text's own signals came to. */
  evidence = 0;
  private readonly table: SignalTable;
  private readonly options: SignalOptions;
  private readonly context: TextContext;
  private readonly reader: SignalReader;
  /** None where disguises do not matter. */
  private readonly disguised: DisguisedSignals | undefined;
  private readonly spelled: SpelledSignals | undefined;
  private readonly score: SignalScore;
  private readonly needed: number;
  private readonly neededOfSession: number;
  private sink: MatchSink | undefined;
  private reported = false;
  /** End of the last match. */
  private from = 0;
  private next = 0;
  /** What the signals cover that the last unit has completed; none when the end is 0. */
  private seenStart = Number.POSITIVE_INFINITY;
  private seenEnd = 0;
  /** By signal: where it was seen last. */
  private readonly lastEnds = new Map<number, number>();

  constructor(table: SignalTable, options: SignalOptions, context: TextContext = EVERYONES) {
    this.table = table;
    this.options = options;
    this.context = context;
    this.score = new SignalScore(options.halfLifeWords);
    this.needed = evidenceOf(options.threshold);
    this.neededOfSession = options.session
      ? evidenceOf(options.session.threshold)
      : Number.POSITIVE_INFINITY;
    this.reader = new SignalReader(table, (sighting) => this.see(sighting));
    if (options.damped === false) return;
    this.disguised = new DisguisedSignals(table, (sighting, as) => this.see(sighting, as));
    this.spelled = new SpelledSignals(table, (sighting) => this.see(sighting, 'spelled'));
  }

  get liveStart(): number {
    const { next, disguised, spelled } = this;
    const live = this.reader.liveStart(next);
    const inDisguise = Math.min(
      disguised?.liveStart(next) ?? live,
      spelled?.liveStart(next) ?? live,
    );
    return Math.max(Math.min(live, inDisguise), this.from);
  }

  step(unit: number, at: number, sink: MatchSink): void {
    this.sink = sink;
    this.next = at + 1;
    if (at === 0) this.bringAlong();
    this.reader.step(unit, at);
    this.disguised?.step(unit, at);
    this.spelled?.step(unit, at);
    this.decide();
  }

  read(
    units: Uint16Array,
    from: number,
    to: number,
    at: number,
    sink: MatchSink,
    told: Consumption,
  ): void {
    for (let index = from; index < to; index++) {
      const position = at + index - from;
      told.consume(position + 1);
      this.step(units[index] as number, position, sink);
    }
  }

  end(at: number, sink: MatchSink): void {
    this.sink = sink;
    this.next = at;
    this.reader.end(at);
    this.disguised?.end(at);
    this.spelled?.end(at);
    this.decide();
  }

  /** A session that has reached its threshold needs no further signal: its next text is a match where it begins. */
  private bringAlong(): void {
    if (this.context.carried < this.neededOfSession) return;
    this.report({ start: 0, end: 1 }, this.context.carried, sessionLabel(this.options.label));
  }

  private see(sighting: Sighting, disguise?: Disguise): void {
    const signal = this.table.signals[sighting.signal];
    if (signal === undefined) return;
    const { start, end, endWord } = sighting;
    this.seenStart = Math.min(this.seenStart, start);
    this.seenEnd = Math.max(this.seenEnd, end);
    // The same words in the same sense, one word more: not another signal.
    const again = (this.lastEnds.get(sighting.signal) ?? -1) > start;
    this.lastEnds.set(sighting.signal, end);
    if (again) return;
    const damping = this.options.damped === false ? 1 : dampingOf(sighting);
    const plain = signal.evidence[this.context.trust] * damping;
    const evidence = disguise === undefined ? plain : plain * DISGUISED;
    const total = this.score.add({
      id: disguise === undefined ? signal.id : `${disguise}/${signal.id}`,
      signal: sighting.signal,
      family: signal.family,
      evidence,
      start,
      end,
      word: endWord,
    });
    this.evidence = Math.max(this.evidence, total);
  }

  /** What one unit has completed is one match. */
  private decide(): void {
    const { seenStart, seenEnd, evidence } = this;
    if (seenEnd === 0) return;
    this.seenStart = Number.POSITIVE_INFINITY;
    this.seenEnd = 0;
    const place = { start: seenStart, end: seenEnd };
    const withSession = this.context.carried + evidence;
    if (this.reported || evidence >= this.needed) this.report(place, evidence);
    else if (withSession >= this.neededOfSession)
      this.report(place, withSession, sessionLabel(this.options.label));
  }

  /** What two matches share is matched once. */
  private report(
    { start, end }: Pick<Match, 'start' | 'end'>,
    evidence: number,
    label = this.options.label,
  ): void {
    this.reported = true;
    const first = Math.max(start, this.from);
    if (first >= end) return;
    this.from = end;
    const score = rounded(scoreOf(evidence));
    this.sink?.({ start: first, end, label, score, signals: this.score.seen });
  }
}
