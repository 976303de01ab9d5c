/**
 * Several detectors together, in one text and within a distance: what each of them finds counts where every other
 * finds something near it, and those that must not find anything find nothing near it.
 */
import type { Detector, Match, MatchSink, Tracker } from './detector.ts';
import type { InputVerdict, NameVerdict, Subject, SubjectJudge } from './subject.ts';
import { trackerFindsIn } from './whole-text.ts';

export interface Member {
  readonly detector: Detector;
  /** It must find nothing. */
  readonly negated: boolean;
}

export interface AllOptions {
  /** At least one that is not negated. */
  readonly members: readonly Member[];
  /** Most units between the starts of what is found; undefined: anywhere in the text. */
  readonly within?: number;
}

/** Of members that read texts. What is found waits until all members have read `within` units more. */
export function allTexts({ members, within }: AllOptions): Detector {
  const distance = within ?? Number.POSITIVE_INFINITY;
  const positive = members.filter(({ negated }) => !negated);
  const start = () => [new AllTracker(members, distance)];
  return Object.freeze({
    kind: 'all' as const,
    labels: Object.freeze([...new Set(positive.flatMap(({ detector }) => detector.labels))]),
    bytes: members.reduce(
      (sum, { detector }) =>
        (detector.partitions ?? []).reduce((all, one) => all + one.bytes, sum + detector.bytes),
      0,
    ),
    start,
    matches: (text: string) => trackerFindsIn(new AllTracker(members, distance), text),
  });
}

/** Of members that judge wholes: all of them about the same one. */
export function allJudges(members: readonly Member[]): Detector {
  const judges = members.flatMap(({ detector: { judge }, negated }) =>
    judge === undefined ? [] : [{ judge, negated }],
  );
  const judge: SubjectJudge = {
    about: (kind) => judges.every((one) => one.negated || one.judge.about(kind)),
    byName: (subject) =>
      together(judges.map((one) => nameVerdict(one.judge, one.negated, subject))),
    byInput(subject, input) {
      const verdicts = judges.map((one): InputVerdict => {
        const byName = nameVerdict(one.judge, one.negated, subject);
        if (byName !== 'input') return byName;
        return opposed(one.judge.byInput(subject, input), one.negated);
      });
      if (verdicts.includes('no')) return 'no';
      return verdicts.includes('failed') ? 'failed' : 'matches';
    },
  };
  return Object.freeze({
    kind: 'all' as const,
    labels: Object.freeze([]),
    bytes: 0,
    start: () => [],
    matches: () => false,
    judge: Object.freeze(judge),
  });
}

function nameVerdict(judge: SubjectJudge, negated: boolean, subject: Subject): NameVerdict {
  return opposed(judge.about(subject.kind) ? judge.byName(subject) : 'no', negated);
}

function opposed<Verdict extends NameVerdict | InputVerdict>(
  verdict: Verdict,
  negated: boolean,
): Verdict | 'matches' | 'no' {
  if (!negated || verdict === 'input' || verdict === 'failed') return verdict;
  return verdict === 'matches' ? 'no' : 'matches';
}

function together(verdicts: readonly NameVerdict[]): NameVerdict {
  if (verdicts.includes('no')) return 'no';
  return verdicts.includes('input') ? 'input' : 'matches';
}

/** A member in one text. */
interface Side {
  readonly trackers: readonly Tracker[];
  readonly negated: boolean;
  /** Starts of what it found, in order, and the first of them that may still be near something. */
  readonly starts: number[];
  near: number;
}

interface Candidate extends Match {
  readonly side: number;
}

const NOTHING_LIVE = Number.POSITIVE_INFINITY;

class AllTracker implements Tracker {
  liveStart = NOTHING_LIVE;
  private readonly sides: readonly Side[];
  private readonly within: number;
  /** What was found and is not decided, by start. */
  private readonly candidates: Candidate[] = [];
  /** Those before it are decided: taking one from the front of a long list costs as much as the list. */
  private decided = 0;
  private readonly sinks: readonly MatchSink[];

  constructor(members: readonly Member[], within: number) {
    this.within = within;
    this.sides = members.map(({ detector, negated }) => ({
      trackers: detector.start(),
      negated,
      starts: [],
      near: 0,
    }));
    this.sinks = this.sides.map((_, side) => (match) => this.found(side, match));
  }

  step(unit: number, at: number, sink: MatchSink): void {
    this.sides.forEach(({ trackers }, side) => {
      for (const tracker of trackers) tracker.step(unit, at, this.sinks[side]!);
    });
    this.settle(at + 1, sink);
  }

  end(at: number, sink: MatchSink): void {
    this.sides.forEach(({ trackers }, side) => {
      for (const tracker of trackers) tracker.end(at, this.sinks[side]!);
    });
    this.settle(NOTHING_LIVE, sink);
    this.liveStart = NOTHING_LIVE;
  }

  private found(side: number, { start, end, label }: Match): void {
    const { starts, negated } = this.sides[side]!;
    insert(starts, start, (one) => one);
    if (negated) return;
    if (this.decided === this.candidates.length) {
      this.candidates.length = 0;
      this.decided = 0;
    }
    insert(this.candidates, { start, end, label, side }, (one) => one.start);
  }

  /** `upTo`: units consumed; nothing more can be found before what is live or this. */
  private settle(upTo: number, sink: MatchSink): void {
    let live = NOTHING_LIVE;
    for (const { trackers, negated } of this.sides)
      if (!negated) for (const { liveStart } of trackers) live = Math.min(live, liveStart);
    for (;;) {
      const head = this.candidates[this.decided];
      // What starts before it may still be found.
      if (head === undefined || head.start >= Math.min(live, upTo)) break;
      const verdict = this.verdict(head, upTo);
      if (verdict === 'open') break;
      this.decided += 1;
      if (verdict === 'yes') sink({ start: head.start, end: head.end, label: head.label });
    }
    this.liveStart = Math.min(live, this.candidates[this.decided]?.start ?? NOTHING_LIVE);
  }

  private verdict({ start, side: own }: Candidate, upTo: number): 'yes' | 'no' | 'open' {
    let open = false;
    for (const [index, side] of this.sides.entries()) {
      if (index === own) continue;
      const { starts, negated } = side;
      // Candidates come in order, so that what is too far behind one is so for all after it.
      while (side.near < starts.length && starts[side.near]! < start - this.within) side.near += 1;
      const near = starts[side.near];
      const isNear = near !== undefined && near <= start + this.within;
      if (isNear && negated) return 'no';
      if (isNear) continue;
      const known = side.trackers.reduce((least, one) => Math.min(least, one.liveStart), upTo);
      const complete = known > start + this.within || upTo === NOTHING_LIVE;
      if (!complete) open = true;
      else if (!negated) return 'no';
    }
    return open ? 'open' : 'yes';
  }
}

/** Into its place by start: almost always the last. */
function insert<Item>(items: Item[], item: Item, startOf: (item: Item) => number): void {
  let at = items.length;
  while (at > 0 && startOf(items[at - 1]!) > startOf(item)) at -= 1;
  items.splice(at, 0, item);
}
