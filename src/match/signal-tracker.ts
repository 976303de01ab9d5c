/** Signals as a detector: the signal with which a text's score reaches the threshold is the first match. */
import type { Consumption, Match, MatchSink, TextContext, Tracker } from './detector.ts';
import { type Sighting, SignalReader } from './signal-reader.ts';
import { SignalScore } from './signal-score.ts';
import { evidenceOf, type SignalTable, scoreOf } from './signals.ts';

export interface SignalOptions {
  readonly label: string;
  /** 0..1, more than 0: the score of a text from which on its signals are matches. */
  readonly threshold: number;
  /** The same for the score with what the session has brought along. */
  readonly session?: { readonly threshold: number };
}

/** What is left of a signal in quotes, of one where such texts are spoken about, and of one where both are. */
export const DAMPING = Object.freeze({ quoted: 0.6, mentioned: 0.45, both: 0.2 });

/** Of a match that the session made one. */
export const sessionLabel = (label: string): string => `${label}_SESSION`;

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
  private readonly score = new SignalScore();
  private readonly needed: number;
  private readonly neededOfSession: number;
  private sink: MatchSink | undefined;
  private reported = false;
  /** End of the last match. */
  private from = 0;
  private next = 0;
  /** By signal: where it was seen last. */
  private readonly lastEnds = new Map<number, number>();

  constructor(table: SignalTable, options: SignalOptions, context: TextContext = EVERYONES) {
    this.table = table;
    this.options = options;
    this.context = context;
    this.needed = evidenceOf(options.threshold);
    this.neededOfSession = options.session
      ? evidenceOf(options.session.threshold)
      : Number.POSITIVE_INFINITY;
    this.reader = new SignalReader(table, (sighting) => this.see(sighting));
  }

  get liveStart(): number {
    const live = this.reader.liveStart(this.next);
    return live < this.from ? this.from : live;
  }

  step(unit: number, at: number, sink: MatchSink): void {
    this.sink = sink;
    this.next = at + 1;
    if (at === 0) this.bringAlong();
    this.reader.step(unit, at);
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
  }

  /** A session that has reached its threshold needs no further signal: its next text is a match where it begins. */
  private bringAlong(): void {
    if (this.context.carried < this.neededOfSession) return;
    this.report({ start: 0, end: 1 }, this.context.carried, sessionLabel(this.options.label));
  }

  private see(sighting: Sighting): void {
    const signal = this.table.signals[sighting.signal];
    if (signal === undefined) return;
    const { start, end, endWord } = sighting;
    // The same words in the same sense, one word more: not another signal.
    const again = (this.lastEnds.get(sighting.signal) ?? -1) > start;
    this.lastEnds.set(sighting.signal, end);
    if (again) {
      if (this.reported) this.report({ start, end }, this.evidence);
      return;
    }
    const evidence = signal.evidence[this.context.trust] * dampingOf(sighting);
    const total = this.score.add(signal.id, signal.family, evidence, { start, end, word: endWord });
    this.evidence = Math.max(this.evidence, total);
    const withSession = this.context.carried + this.evidence;
    if (this.reported || this.evidence >= this.needed) this.report({ start, end }, this.evidence);
    else if (withSession >= this.neededOfSession)
      this.report({ start, end }, withSession, sessionLabel(this.options.label));
  }

  /** What two signals share is matched once. */
  private report(
    { start, end }: Pick<Match, 'start' | 'end'>,
    evidence: number,
    label = this.options.label,
  ): void {
    this.reported = true;
    const first = Math.max(start, this.from);
    if (first >= end) return;
    this.from = end;
    const score = Math.round(scoreOf(evidence) * 1_000) / 1_000;
    this.sink?.({ start: first, end, label, score, signals: this.score.seen });
  }
}
