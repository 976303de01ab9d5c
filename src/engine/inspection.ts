/**
 * One body on its way through: frames wait until no live prefix of a rule starts in them or before them,
 * then leave in order, changed only where a match is settled (invariant 5, `noByteLeavesUnjudged`).
 * Output depends on the bytes only: frames are taken one by one, however many arrive at once. A large body is
 * read in slices, so that others have their turn meanwhile; where it was sliced does not show either.
 */
import { Buffer } from 'node:buffer';
import type { BodyReader, Cut, Edit, Frame, Piece, Refusal } from '../formats/frame.ts';
import { BYTES_PER_UNIT, type Pace } from '../formats/pace.ts';
import { NONE, withOneMore } from '../formats/small-list.ts';
import { SmallMap } from '../formats/small-map.ts';
import { ruleReaches } from '../policy/reach.ts';
import type { Direction, Rule } from '../policy/set.ts';
import type { Classification } from './classification.ts';
import type { RefusalCode } from './codes.ts';
import type { Blocked, Finding, PieceEdit } from './findings.ts';
import type { GivenSpans } from './given-spans.ts';
import { MatchBudget, type Spending } from './match-budget.ts';
import type { BodyObserver, Waiting } from './observer.ts';
import { Placeholders } from './placeholders.ts';
import { narrowed, rulesFor } from './rule-lists.ts';
import { PLACE_OF, type SubjectHost, type SubjectKind, SubjectTrack } from './subject-track.ts';
import type { TextHost } from './text-matches.ts';
import { TextScores } from './text-scores.ts';
import { TextTrack } from './text-track.ts';

export type StopReason =
  | { readonly kind: 'policy'; readonly rule: Rule }
  /** `rule`: the one that could not judge what it had found. */
  | { readonly kind: 'unreadable'; readonly reason: string; readonly rule?: Rule }
  /** A rule would add to a message, and none can go on. */
  | { readonly kind: 'cannot_append'; readonly rule: Rule }
  | { readonly kind: 'held_too_much' }
  | { readonly kind: 'too_many_matches' };

/** What to send, and whether the body goes on. `stopped`: nothing more of it may leave. */
export interface InspectionStep {
  readonly output: readonly Uint8Array[];
  readonly stopped: StopReason | undefined;
  /** The slice is over and the input is not: only `resume` may be called next. */
  readonly more: boolean;
}

/** What an exchange is refused with when its body was stopped. */
export function refusalOf(stop: StopReason): {
  readonly code: RefusalCode;
  readonly rule?: Rule;
} {
  switch (stop.kind) {
    case 'policy':
      return { code: 'policy', rule: stop.rule };
    case 'unreadable':
      return { code: 'unreadable_body' };
    case 'cannot_append':
      return { code: 'mode_cannot_enforce', rule: stop.rule };
    case 'held_too_much':
      return { code: 'held_bytes_exceeded' };
    case 'too_many_matches':
      return { code: 'matches_exceeded' };
  }
}

export interface InspectionOptions {
  readonly direction: Direction;
  readonly reader: BodyReader;
  /** The body is one document: every text of it is complete before anything is decided. */
  readonly whole: boolean;
  /** Content rules in rank order, and plain `append` rules that hold for every message. */
  readonly rules: readonly Rule[];
  readonly appends: readonly Rule[];
  readonly placeholders: Placeholders;
  readonly heldBytesMax: number;
  readonly textsMax: number;
  readonly matchesMax: number;
  /** How much one call may read, see `EngineLimits.sliceUnitsMax`. Asked again for each. */
  readonly worker: { readonly sliceUnits: number };
  readonly onFinding: (finding: Finding) => void;
  /** Whether what these rules should read may pass unread, as their class says. All rules when absent. */
  readonly mayPassUnread: (rules?: readonly Rule[]) => boolean;
  /** Told a frame that may leave, before it is rendered. */
  readonly judged?: (frame: Frame) => void;
  /** Told what classifiers are to be asked about: the texts as they leave. */
  readonly classification?: Classification | undefined;
  /** Nothing of this body is a message that could go on, as far as anybody here knows. */
  readonly noMessages?: boolean;
  /** Whether what a rule appends is added; a rule that appends to every message when absent. */
  readonly mayAppend?: (rule: Rule) => boolean;
  /** Whether it would be, if it could. */
  readonly owesAppend?: (rule: Rule) => boolean;
  readonly observer?: BodyObserver | undefined;
  /** The body is read again, to replace what was found in it. */
  readonly given?: GivenSpans | undefined;
  /** What the session brings along for rules that weigh; without it every text is on its own. */
  readonly scores?: TextScores | undefined;
}

interface Span {
  readonly track: TextTrack;
  readonly piece: number;
  readonly start: number;
  readonly end: number;
}

/** A frame's part in what is judged as a whole. */
interface SubjectSpan {
  readonly track: SubjectTrack;
  /** Index into `Frame.tools`; undefined for the body itself. */
  readonly tool: number | undefined;
  /** The piece with a stretch of what a tool is called with, and which units of that it holds. */
  readonly piece: number | undefined;
  readonly start: number;
  readonly end: number;
}

/** What was found out about a frame while it was read. */
interface KnownOfFrame {
  readonly spans: readonly Span[];
  readonly subjects: readonly SubjectSpan[];
  /** Pieces behind the one that stopped the body: nobody has judged them. */
  readonly unjudged: readonly number[];
  readonly inserts: readonly Edit[];
}

interface HeldFrame extends KnownOfFrame {
  /** A frame, or bytes of our own (an appended text). */
  readonly held: Frame | Uint8Array;
  readonly size: number;
}

const NO_SUBJECTS: readonly SubjectSpan[] = Object.freeze([]);
const NOTHING_KNOWN: KnownOfFrame = Object.freeze({
  spans: NONE,
  subjects: NO_SUBJECTS,
  unjudged: NONE,
  inserts: NONE,
});

const frameOf = ({ held }: HeldFrame): Frame | undefined =>
  held instanceof Uint8Array ? undefined : held;

/** What is known of the frame that is being read. */
interface Reading {
  readonly frame: Frame;
  spans: Span[];
  /** Pieces that were not read, as the body had been stopped before. */
  unjudged: number[];
  ended: TextTrack[];
  /** The piece that is being read, and how much of it has been. */
  piece: number;
  units: number;
}

/** What is read between two looks at how much there has been, in units or bytes: of the shortest events hundreds. */
const TEXT_UNITS = 1_024;
const INPUT_BYTES = 4_096;
/** What else there is to do counts as so many units. */
const FRAME_UNITS = 32;
const MATCH_UNITS = 16;
/** A text has a matcher of its own, which is made and ended however short the text is. */
const TRACK_UNITS = 128;
/** What it takes to find out whose a piece is, however short it is and whether anybody reads it. */
const PIECE_UNITS = 4;
const NOTHING = new Uint8Array(0);
const NO_FRAMES: readonly Frame[] = Object.freeze([]);
const NO_CUTS: readonly Cut[] = Object.freeze([]);
const NO_EDITS: readonly Edit[] = Object.freeze([]);
const NOTHING_EARNED: ReadonlySet<Rule> = new Set();

export class BodyInspection implements TextHost, SubjectHost {
  readonly scores: TextScores;
  /** Something was replaced, cut or added. */
  changed = false;
  private readonly options: InspectionOptions;
  private readonly tracks = new SmallMap<string, TextTrack>();
  /** Tools that more may be told of. */
  private readonly subjects = new SmallMap<string, SubjectTrack>();
  private readonly judgingRules: readonly Rule[];
  /** Rules whose `append` waits for the end of another text, by its key. */
  private postponed: Map<string, Set<Rule>> | undefined;
  private queue: HeldFrame[] = NONE;
  private queuedBytes = 0;
  /** So many frames of the queue have been told that they stay. */
  private keptFrames = 0;
  private stop: StopReason | undefined;
  private blockedTrack: TextTrack | SubjectTrack | undefined;
  private budget: MatchBudget | undefined;

  /** What may still be done before the others have their turn; the reader takes from it, too. */
  private readonly pace: Pace = { left: 0 };
  private input: Uint8Array = NOTHING;
  /** It stays as it is behind the call that brought it. */
  private ownInput = false;
  private frames = NO_FRAMES;
  private nextFrame = 0;
  private reading: Reading | undefined;
  /** For the observer. */
  private lastRead: Frame | undefined;
  /** The queue may begin with frames that can leave. */
  private releasing = false;
  /** The first of them is being written. */
  private rendering: Generator<undefined, Uint8Array> | undefined;
  private ending: 'not' | 'reader' | 'texts' | 'release' = 'not';

  constructor(options: InspectionOptions) {
    this.options = options;
    options.reader.readAt?.(this.pace);
    this.scores = options.scores ?? new TextScores(undefined);
    this.judgingRules = narrowed(options.rules, 'judging', judges);
  }

  get direction(): Direction {
    return this.options.direction;
  }

  mayPassUnread(rules: readonly Rule[]): boolean {
    return this.options.mayPassUnread(rules);
  }

  spend(rule: Rule): Spending {
    const { options } = this;
    this.budget ??= new MatchBudget(options.matchesMax, (one) => options.mayPassUnread([one]));
    return this.budget.spend(rule);
  }

  mayEarn(rule: Rule): boolean {
    const { options } = this;
    if (options.noMessages !== true || options.owesAppend?.(rule) === false) return true;
    return this.mayPassUnread([rule]);
  }

  finding(finding: Finding): void {
    this.pace.left -= MATCH_UNITS;
    this.options.onFinding(finding);
  }

  /** How the texts of an answer are interleaved must not show in their numbers. */
  placeholders(): Placeholders {
    const { direction, placeholders } = this.options;
    return direction === 'response' ? new Placeholders(placeholders) : placeholders;
  }

  /** Bytes that wait here: whole frames and the beginning of one. */
  get heldBytes(): number {
    return this.queuedBytes + this.options.reader.pendingBytes;
  }

  /** Settled text precedes the match that stopped the body, in frames that have not left. */
  get hasRemainder(): boolean {
    return this.hasText && this.queue.some((held) => this.remains(held));
  }

  /** What keeps the body from going on stands behind text that may leave. */
  private get hasText(): boolean {
    return this.blockedTrack !== undefined || this.stop?.kind === 'cannot_append';
  }

  /** `own`: the bytes stay as they are until the body is over, and need not be copied. */
  push(bytes: Uint8Array, own = false): InspectionStep {
    this.input = bytes;
    this.ownInput = own;
    return this.resume();
  }

  end(): InspectionStep {
    this.ending = 'reader';
    return this.resume();
  }

  /** The last frames of the body, or all of them, when the caller has read it itself. */
  finish(frames: readonly Frame[]): InspectionStep {
    this.frames = frames;
    this.nextFrame = 0;
    this.ending = 'texts';
    return this.resume();
  }

  /** Goes on where the last slice ended. */
  resume(): InspectionStep {
    const output: Uint8Array[] = [];
    this.pace.left = this.options.worker.sliceUnits;
    let more = true;
    while (more && this.pace.left > 0) more = this.advance(output);
    // The bytes are a view of a message that is reused.
    if (more && this.input.length > 0 && !this.ownInput) {
      this.input = new Uint8Array(this.input);
      this.ownInput = true;
    } else if (!more) this.takeFrames(NO_FRAMES);
    this.keepFrames();
    if (!more && this.ending === 'release' && !this.stop) this.options.classification?.complete();
    return { output, stopped: more ? undefined : this.stop, more };
  }

  /** One thing after the other, each of a bounded cost; false when all is done. */
  private advance(output: Uint8Array[]): boolean {
    if (this.reading) {
      if (this.readPieces(this.reading)) this.closeFrame(this.reading);
      return true;
    }
    if (this.stop) return false;
    if (this.releasing) {
      this.release(output);
      return true;
    }
    const frame = this.frames[this.nextFrame];
    if (frame) {
      this.nextFrame++;
      this.begin(frame);
      return true;
    }
    if (this.options.reader.unread) {
      this.takeFrames(this.options.reader.readOn!());
      return true;
    }
    if (this.input.length > 0) {
      this.readInput();
      return true;
    }
    if (this.heldBytes > this.options.heldBytesMax) {
      this.stop = { kind: 'held_too_much' };
      return false;
    }
    return this.goToEnd();
  }

  private readInput(): void {
    const { options, input } = this;
    const { reader } = options;
    const count = options.whole ? input.length : Math.min(input.length, INPUT_BYTES);
    // Nothing of a message is kept once it is read: not even an empty view.
    this.input = count === input.length ? NOTHING : input.subarray(count);
    const bytes = input.subarray(0, count);
    this.takeFrames(
      this.ownInput && reader.pushOwn !== undefined ? reader.pushOwn(bytes) : reader.push(bytes),
    );
    this.pace.left -= count / BYTES_PER_UNIT;
    // Most such bodies end here, and a copy of 1 MiB of one that nobody reads would be made for nothing.
    const first = this.frames[0];
    if (first?.unreadable === undefined) return;
    this.nextFrame = 1;
    this.begin(first);
  }

  private takeFrames(frames: readonly Frame[]): void {
    this.frames = frames;
    this.nextFrame = 0;
  }

  private goToEnd(): boolean {
    switch (this.ending) {
      case 'not':
        return false;
      case 'reader':
        this.ending = 'texts';
        this.takeFrames(this.options.reader.end());
        return true;
      case 'texts':
        this.ending = 'release';
        if (!this.stop)
          for (const [key, track] of this.subjects.entries()) this.endSubject(key, track);
        this.finishTexts(this.tracks.values(), undefined);
        if (this.postponed) this.missAdditions([...this.postponed.values()]);
        this.releasing = true;
        return true;
      case 'release':
        return false;
    }
  }

  /**
   * The rest of an answer that is refused after it has begun: what is settled of the held frames, up to
   * the last that still has text, then the refusal in the format's own words.
   */
  refuse(refusal: Refusal): readonly Uint8Array[] {
    const output: Uint8Array[] = [];
    const unsent = this.queue.flatMap((held) => frameOf(held) ?? []);
    if (this.hasText) this.releaseUpToCuts(output);
    this.queue = NONE;
    this.queuedBytes = 0;
    const last = this.options.reader.refuse(refusal, unsent);
    this.options.observer?.ended(last);
    return [...output, ...last];
  }

  private begin(frame: Frame): void {
    this.pace.left -= FRAME_UNITS;
    this.options.observer?.frame(frame);
    if (frame.unreadable === undefined) {
      this.endBefore(frame);
      this.reading = { frame, spans: NONE, unjudged: NONE, ended: NONE, piece: 0, units: 0 };
      return;
    }
    if (!this.options.mayPassUnread()) {
      this.stop = { kind: 'unreadable', reason: frame.unreadable };
      return;
    }
    this.enqueue(frame);
  }

  /** Reads on until the frame or the slice is over; whether the frame is. */
  private readPieces(reading: Reading): boolean {
    const { pieces } = reading.frame;
    while (reading.piece < pieces.length) {
      if (this.pace.left <= 0) return false;
      const piece = pieces[reading.piece]!;
      this.pace.left -= PIECE_UNITS;
      const track = this.track(piece);
      if (track === 'refused' || (track && !this.mayRead)) {
        // Of a piece that was read in part, the text itself says how much may leave.
        if (reading.units === 0) reading.unjudged = withOneMore(reading.unjudged, reading.piece);
      } else if (track && !this.readPiece(reading, piece, track)) continue;
      reading.piece++;
      reading.units = 0;
    }
    return true;
  }

  /** In a document the texts behind a match are read, too: the rule of the lowest rank speaks. */
  private get mayRead(): boolean {
    return !this.stop || (this.options.whole && this.stop.kind !== 'too_many_matches');
  }

  /** Reads on in one piece; whether it is over. */
  private readPiece(reading: Reading, piece: Piece, track: TextTrack): boolean {
    const { units } = reading;
    const { value } = piece;
    const to = Math.min(value.length, units + TEXT_UNITS);
    const part = to - units === value.length ? value : value.slice(units, to);
    if (units === 0)
      reading.spans = withOneMore(reading.spans, {
        track,
        piece: reading.piece,
        start: track.length,
        end: track.length + value.length,
      });
    this.pace.left -= part.length;
    if (to < value.length) {
      track.feed(part, piece.last);
      reading.units = to;
      this.noteBlock(track);
      return false;
    }
    if (piece.last) {
      track.feedLast(part);
      reading.ended = withOneMore(reading.ended, track);
    } else {
      track.feed(part);
    }
    this.noteBlock(track);
    return true;
  }

  private closeFrame(reading: Reading): void {
    const { frame, spans, unjudged } = reading;
    this.reading = undefined;
    if (frame.terminal || frame.ends.length > 0)
      for (const track of this.tracks.values())
        if (frame.terminal || frame.ends.some((prefix) => track.key.startsWith(prefix)))
          reading.ended = withOneMore(reading.ended, track);
    const { ended } = reading;
    const subjects = this.judgingRules.length === 0 ? NO_SUBJECTS : this.takeSubjects(frame);
    const inserts = this.stop ? NONE : this.finishTexts(ended, frame);
    if (!this.options.whole) this.forget(ended);
    this.enqueue(frame, { spans, subjects, unjudged, inserts });
    if (this.stop) return;
    // However the frames arrived: each of them waits until it is complete and what stands before it leaves.
    if (this.queuedBytes > this.options.heldBytesMax) this.stop = { kind: 'held_too_much' };
    if (this.options.observer) this.lastRead = frame;
  }

  /** What is judged as a whole: the tools that a frame tells of, and the body where it is one document. */
  private takeSubjects(frame: Frame): readonly SubjectSpan[] {
    const { tools } = frame;
    if (tools === undefined && !this.options.whole) {
      this.endSubjects(frame);
      return NO_SUBJECTS;
    }
    const spans: SubjectSpan[] = [];
    tools?.forEach((part, tool) => {
      const key = part.key;
      const track = this.subject({ kind: part.kind, key, past: part.past === true }, part.kind);
      if (track === undefined) return;
      const { input } = part;
      const piece = input === undefined ? undefined : frame.pieces[input];
      const start = track.length;
      track.take(part, piece, () => frame.without?.([tool]) !== undefined);
      this.pace.left -= FRAME_UNITS + (piece?.value.length ?? 0);
      spans.push({ track, tool, piece: input, start, end: track.length });
      if (track.ended) this.subjects.delete(key);
      this.noteSubject(track);
    });
    if (this.options.whole) this.takeBody(frame, spans);
    this.endSubjects(frame);
    return spans;
  }

  private takeBody(frame: Frame, spans: SubjectSpan[]): void {
    const track = this.subject({ kind: 'body', key: 'body', past: false }, undefined);
    if (track === undefined) return;
    track.takeBody(frame.bytes);
    this.pace.left -= frame.bytes.length;
    spans.push({ track, tool: undefined, piece: undefined, start: 0, end: frame.bytes.length });
    this.subjects.delete('body');
    this.noteSubject(track);
  }

  /** Calls that are over with a frame which need not tell of them. */
  private endSubjects({ terminal, ends }: Frame): void {
    if (!terminal && ends.length === 0) return;
    for (const [key, track] of this.subjects.entries())
      if (terminal || ends.some((prefix) => key.startsWith(prefix))) this.endSubject(key, track);
  }

  private endSubject(key: string, track: SubjectTrack): void {
    track.finish();
    this.subjects.delete(key);
    this.noteSubject(track);
  }

  /** Undefined: no rule judges it. */
  private subject(
    kind: SubjectKind,
    of: keyof typeof PLACE_OF | undefined,
  ): SubjectTrack | undefined {
    const known = this.subjects.get(kind.key);
    if (known !== undefined) return known;
    const { direction, textsMax } = this.options;
    const rules = this.judgingRules.filter(
      (rule) =>
        (of === undefined || ruleReaches(rule, direction, PLACE_OF[of])) &&
        rule.detector?.judge?.about(kind.kind),
    );
    if (rules.length === 0) return undefined;
    if (this.subjects.size >= textsMax && !this.mayPassUnread(rules))
      this.stop ??= { kind: 'unreadable', reason: 'too_many_texts' };
    const track = new SubjectTrack(kind, rules, this);
    this.subjects.set(kind.key, track);
    return track;
  }

  /** In a stream what has stopped it first stands. */
  private noteSubject(track: SubjectTrack): void {
    if (track.blocked === undefined || (this.stop !== undefined && !this.options.whole)) return;
    this.noteStop(track, track.blocked);
  }

  /** What keeps the queue from leaving. */
  private waiting(): readonly Waiting[] {
    const holding = new Set(
      this.queue.flatMap(({ spans }) =>
        spans.filter(({ end, track }) => end > track.settled).map(({ track }) => track),
      ),
    );
    const judged = new Set(
      this.queue.flatMap(({ subjects }) => subjects.map(({ track }) => track)),
    );
    return [
      ...[...holding].flatMap((track) =>
        track.waiting().map(({ rule, start }) => ({ text: track.key, start, rule })),
      ),
      ...[...judged].flatMap((track) =>
        track.waiting().map((rule) => ({ text: track.key, start: 0, rule })),
      ),
    ];
  }

  /** Ends texts that were over before the frame, so that nothing in it can keep them open. */
  private endBefore(frame: Frame): void {
    if (frame.ended === undefined) return;
    const over = frame.ended.flatMap((key) => this.tracks.get(key) ?? []);
    this.finishTexts(over, undefined);
    this.forget(over);
  }

  /** Undefined: no rule reads it, or it may pass unread. */
  private track(piece: Piece): TextTrack | 'refused' | undefined {
    const known = this.tracks.get(piece.text);
    if (known && !known.ended) return known;
    const { direction, rules, appends, given } = this.options;
    this.scores.pass(piece.place);
    if (given?.has(piece.text) === false) return undefined;
    const reading = given
      ? { rules: given.rules, scanned: NONE, change: true }
      : rulesFor(rules, direction, piece.place);
    if (reading.rules.length === 0 && appends.length === 0) return undefined;
    if (this.tracks.size >= this.options.textsMax) {
      if (this.options.mayPassUnread(reading.rules)) return undefined;
      this.stop ??= { kind: 'unreadable', reason: 'too_many_texts' };
      return 'refused';
    }
    this.pace.left -= TRACK_UNITS;
    const track = new TextTrack(piece, reading, this, given);
    this.tracks.set(piece.text, track);
    return track;
  }

  /** Only open texts count in a stream: it may repeat a string that stands alone in every event. */
  private forget(ended: readonly TextTrack[]): void {
    for (const track of ended)
      if (this.tracks.get(track.key) === track) this.tracks.delete(track.key);
  }

  /** In a stream the first block ends the answer; in a document the rule of the lowest rank speaks. */
  private noteBlock(track: TextTrack): void {
    if (track.overflow) this.stop ??= { kind: 'held_too_much' };
    if (track.blocked) this.noteStop(track, track.blocked);
  }

  private noteStop(track: TextTrack | SubjectTrack, { rule, kind }: Blocked): void {
    if (kind === 'exceeded') {
      if (this.stop?.kind === 'policy') return;
      this.stop = { kind: 'too_many_matches' };
    } else if (kind === 'sealed' || kind === 'structure') {
      if (this.stop) return;
      const reason = kind === 'sealed' ? 'sealed_text' : 'json_structure';
      this.stop = { kind: 'unreadable', reason, rule };
    } else if (kind === 'unjudged') {
      if (this.stop) return;
      this.stop = { kind: 'unreadable', reason: 'tool_arguments', rule };
    } else if (kind === 'unable') {
      if (this.stop) return;
      this.stop = { kind: 'cannot_append', rule };
    } else if (kind === 'policy') {
      const { stop } = this;
      const cutBySeal =
        (stop?.kind === 'unreadable' || stop?.kind === 'cannot_append') &&
        this.blockedTrack !== undefined;
      const outranked = stop?.kind === 'policy' && rule.rank < stop.rule.rank;
      if (stop && !cutBySeal && !outranked) return;
      this.stop = { kind: 'policy', rule };
    }
    this.blockedTrack = track;
  }

  /** Ends texts, and adds to them what was earned: before `frame`, or in it. */
  private finishTexts(tracks: readonly TextTrack[], frame: Frame | undefined): Edit[] {
    let inserts: Edit[] = NONE;
    for (const track of tracks) {
      if (this.stop) break;
      if (track.closed) continue;
      track.closed = true;
      track.finish();
      this.noteBlock(track);
      if (this.stop) break;
      const earned = this.earned(track);
      if (earned.size === 0) continue;
      this.postponed?.delete(track.key);
      const form = this.options.reader.append(track.key, additionOf(earned), frame);
      this.options.observer?.appended(track.key, [...earned], form.kind);
      if (form.kind === 'later') {
        this.postponed ??= new Map();
        const already = this.postponed.get(form.text) ?? [];
        this.postponed.set(form.text, new Set([...already, ...earned]));
      } else if (form.kind === 'edit') {
        inserts = withOneMore(inserts, form.edit);
      } else if (form.kind === 'frame') {
        this.enqueue(form.bytes);
      } else {
        this.missAdditions([earned]);
      }
    }
    return inserts;
  }

  /** What these rules add has no place: what a class may not miss ends the body. */
  private missAdditions(earned: readonly Iterable<Rule>[]): void {
    if (this.stop) return;
    const rules = earned.flatMap((some) => [...some]).sort((a, b) => a.rank - b.rank);
    const rule = rules.find((one) => !this.mayPassUnread([one]));
    if (rule) this.stop = { kind: 'cannot_append', rule };
  }

  /** The `append` rules that a text earned, or that were put off until it ends. */
  private earned(track: TextTrack): ReadonlySet<Rule> {
    const { options } = this;
    const { appends } = options;
    // A turn that only calls tools may have an empty text: nothing was said in it.
    const own = track.said && track.length > 0;
    const postponed = this.postponed?.get(track.key);
    if (postponed === undefined && (!own || (appends.length === 0 && !track.appends)))
      return NOTHING_EARNED;
    const added = own ? [...appends, ...(track.appends ?? [])] : [];
    return new Set([
      ...added.filter((rule) => options.mayAppend?.(rule) ?? true),
      ...(postponed ?? []),
    ]);
  }

  private enqueue(held: Frame | Uint8Array, known: KnownOfFrame = NOTHING_KNOWN): void {
    const size = held instanceof Uint8Array ? held.length : held.bytes.length;
    const { spans, subjects, unjudged, inserts } = known;
    this.queue = withOneMore(this.queue, { held, size, spans, subjects, unjudged, inserts });
    this.queuedBytes += size;
    this.releasing = true;
  }

  /** The bytes that were pushed are the caller's: what stays here of a stream makes them its own. */
  private keepFrames(): void {
    if (this.options.whole) return;
    for (; this.keptFrames < this.queue.length; this.keptFrames++)
      frameOf(this.queue[this.keptFrames]!)?.keep?.();
    this.reading?.frame.keep?.();
    for (let next = this.nextFrame; next < this.frames.length; next++) this.frames[next]!.keep?.();
  }

  /** Sends what may leave, as far as the slice goes. */
  private release(output: Uint8Array[]): void {
    this.releasing = false;
    let released = 0;
    for (const held of this.queue) {
      if (held.spans.some((span) => span.end > span.track.settled)) break;
      if (held.subjects.some(({ track }) => track.holds)) break;
      if (this.pace.left <= 0) {
        this.releasing = true;
        break;
      }
      if (this.rendering === undefined) this.pace.left -= FRAME_UNITS;
      const bytes = this.rendered(held);
      if (bytes === undefined) {
        this.releasing = true;
        break;
      }
      output.push(bytes);
      const frame = frameOf(held);
      this.options.observer?.released(frame, bytes);
      if (frame) this.options.reader.sent(frame);
      this.queuedBytes -= held.size;
      released++;
      // The last first: what a text has forgotten with it, those before it need not forget one by one.
      for (let at = held.spans.length - 1; at >= 0; at--) {
        const { track, end } = held.spans[at]!;
        track.forget(end);
      }
    }
    this.keptFrames = Math.max(0, this.keptFrames - released);
    if (released === this.queue.length) this.queue = NONE;
    else if (released > 0) this.queue.splice(0, released);
    if (!this.releasing) this.tellHeld();
  }

  /** The frame that was read last stays here. */
  private tellHeld(): void {
    const { lastRead } = this;
    this.lastRead = undefined;
    if (lastRead && this.queue.at(-1)?.held === lastRead)
      this.options.observer?.held?.(lastRead, this.waiting());
  }

  /** The frame as it leaves; undefined when that is more to write than the slice has room for. */
  private rendered(held: HeldFrame): Uint8Array | undefined {
    if (this.rendering === undefined) {
      const frame = frameOf(held);
      const changes = this.changesOf(held);
      if (frame) this.options.classification?.take(frame, changes?.edits ?? NO_EDITS);
      if (frame && changes === undefined) return frame.bytes;
      this.changed = true;
      if (!frame || changes === undefined) return held.held as Uint8Array;
      const { edits, cuts } = changes;
      const units = frame.bytes.length / BYTES_PER_UNIT + edits.length * MATCH_UNITS;
      if (frame.rendering === undefined || units <= this.options.worker.sliceUnits)
        return frame.render(edits, cuts);
      // It goes on behind the call that the frame came from.
      if (!this.options.whole) frame.keep?.();
      this.rendering = frame.rendering(edits, this.pace, cuts);
    }
    const step = this.rendering.next();
    if (!step.done) return undefined;
    this.rendering = undefined;
    return step.value;
  }

  /** What changes in a frame; undefined where it leaves as it came. */
  private changesOf(
    held: HeldFrame,
  ): { readonly edits: readonly PieceEdit[]; readonly cuts: readonly Cut[] } | undefined {
    const edits: PieceEdit[] = [...held.inserts];
    for (const { track, piece, start: from, end: to } of held.spans) {
      // Named one by one: a spread costs more than all the rest.
      for (const { start, end, replacement, outside } of track.edits(from, to))
        edits.push(
          outside === undefined
            ? { piece, start, end, replacement }
            : { piece, start, end, replacement, outside },
        );
    }
    const frame = frameOf(held);
    if (frame) this.options.judged?.(frame);
    const cuts = held.subjects.length === 0 ? NO_CUTS : this.subjectChanges(held, edits);
    if (frame && edits.length === 0 && cuts.length === 0 && frame.stale?.() !== true)
      return undefined;
    return { edits: edits.sort((a, b) => a.piece - b.piece || a.start - b.start), cuts };
  }

  /** Adds what changes of what tools are called with, where no text rule changes it; returns all other changes. */
  private subjectChanges(held: HeldFrame, edits: PieceEdit[]): readonly Cut[] {
    const cuts: Cut[] = [];
    const removed: number[] = [];
    const others = [...edits];
    for (const { track, tool, piece, start: from, end: to } of held.subjects) {
      if (track.removed && tool !== undefined) removed.push(tool);
      for (const { start, end, replacement } of track.edits(from, to))
        if (tool === undefined) cuts.push({ start, end, bytes: Buffer.from(replacement, 'utf8') });
        else if (piece !== undefined) {
          const taken = others.some(
            (edit) => edit.piece === piece && edit.start < end && start < edit.end,
          );
          if (!taken) edits.push({ piece, start, end, replacement });
        }
    }
    return removed.length === 0 ? cuts : [...(frameOf(held)?.without?.(removed) ?? []), ...cuts];
  }

  /** After a block: each text up to its own settled point, the blocked one up to its match. */
  private releaseUpToCuts(output: Uint8Array[]): void {
    const last = this.queue.findLastIndex((held) => this.remains(held));
    for (const held of this.queue.slice(0, last + 1)) {
      const frame = frameOf(held);
      if (!frame) continue;
      const edits: Edit[] = [];
      const cuts = this.withoutHeld(held);
      if (cuts === undefined) continue;
      for (const { track, piece, start, end } of held.spans) {
        const cut = Math.max(start, Math.min(end, this.bound(track)));
        for (const edit of track.edits(start, cut)) edits.push({ piece, ...edit });
        if (cut < end) edits.push({ piece, start: cut - start, end: end - start, replacement: '' });
      }
      for (const piece of held.unjudged) {
        const end = frame.pieces[piece]!.value.length;
        if (end > 0) edits.push({ piece, start: 0, end, replacement: '' });
      }
      edits.sort((a, b) => a.piece - b.piece || a.start - b.start);
      const bytes = frame.renderUnfinished(edits, cuts);
      output.push(bytes);
      this.options.observer?.released(frame, bytes);
      this.options.reader.sent(frame, true);
    }
    this.changed = true;
  }

  /** What of a frame may not leave, as it tells of a call that nobody has passed; undefined for all of it. */
  private withoutHeld(held: HeldFrame): readonly Cut[] | undefined {
    const kept = held.subjects.filter(({ track }) => track.holds);
    if (kept.length === 0) return NO_CUTS;
    if (!this.remains(held)) return undefined;
    return frameOf(held)?.without?.(kept.flatMap(({ tool }) => tool ?? []));
  }

  private remains(held: HeldFrame): boolean {
    return held.spans.some((span) => Math.min(span.end, this.bound(span.track)) > span.start);
  }

  private bound(track: TextTrack): number {
    return track === this.blockedTrack ? (track.blocked?.cut ?? 0) : track.settled;
  }
}

const judges = ({ detector }: Rule): boolean => detector?.judge !== undefined;

/** The texts of `append` rules in rank order. */
function additionOf(rules: ReadonlySet<Rule>): string {
  return [...rules]
    .sort((a, b) => a.rank - b.rank)
    .map((rule) => {
      const text = rule.action.kind === 'append' ? rule.action.text : '';
      return /^\s/u.test(text) ? text : `\n\n${text}`;
    })
    .join('');
}
