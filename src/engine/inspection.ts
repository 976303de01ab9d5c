/**
 * One body on its way through: frames wait until no live prefix of a rule starts in them or before them,
 * then leave in order, changed only where a match is settled (invariant 5, `noByteLeavesUnjudged`).
 * Output depends on the bytes only: frames are taken one by one, however many arrive at once.
 */
import type { BodyReader, Edit, Frame, Piece, Refusal } from '../formats/frame.ts';
import { ruleReaches } from '../policy/reach.ts';
import type { Direction, Rule } from '../policy/set.ts';
import type { BodyObserver, Waiting } from './observer.ts';
import { Placeholders } from './placeholders.ts';
import { type Finding, TextTrack } from './text-track.ts';

export type StopReason =
  | { readonly kind: 'policy'; readonly rule: Rule }
  | { readonly kind: 'unreadable'; readonly reason: string }
  | { readonly kind: 'held_too_much' };

/** What to send, and whether the body goes on. `stopped`: nothing more of it may leave. */
export interface InspectionStep {
  readonly output: readonly Uint8Array[];
  readonly stopped: StopReason | undefined;
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
  readonly onFinding: (finding: Finding) => void;
  /** Whether a frame that cannot be read may pass (only operational rules would have read it). */
  readonly passUnreadable: (reason: string) => boolean;
  readonly observer?: BodyObserver | undefined;
}

interface Span {
  readonly track: TextTrack;
  readonly piece: number;
  readonly start: number;
  readonly end: number;
}

interface HeldFrame {
  /** Undefined: bytes of our own (an appended text). */
  readonly frame: Frame | undefined;
  readonly bytes: Uint8Array;
  readonly spans: readonly Span[];
  /** Pieces behind the one that stopped the body: nobody has judged them. */
  readonly unjudged: readonly number[];
  readonly inserts: readonly Edit[];
}

export class BodyInspection {
  /** Something was replaced, cut or added. */
  changed = false;
  private readonly options: InspectionOptions;
  private readonly tracks = new Map<string, TextTrack>();
  /** Texts that have got what they earned at their end. */
  private readonly closed = new WeakSet<TextTrack>();
  /** Rules whose `append` waits for the end of another text, by its key. */
  private readonly postponed = new Map<string, Set<Rule>>();
  private queue: HeldFrame[] = [];
  private queuedBytes = 0;
  private stop: StopReason | undefined;
  private blockedTrack: TextTrack | undefined;

  constructor(options: InspectionOptions) {
    this.options = options;
  }

  /** Bytes that wait here: whole frames and the beginning of one. */
  get heldBytes(): number {
    return this.queuedBytes + this.options.reader.pendingBytes;
  }

  /** Settled text precedes the match that stopped the body, in frames that have not left. */
  get hasRemainder(): boolean {
    return this.blockedTrack !== undefined && this.queue.some((held) => this.remains(held));
  }

  push(bytes: Uint8Array): InspectionStep {
    const output: Uint8Array[] = [];
    for (const frame of this.options.reader.push(bytes)) {
      this.take(frame, output);
      if (this.stop) break;
    }
    if (!this.stop && this.heldBytes > this.options.heldBytesMax) {
      this.stop = { kind: 'held_too_much' };
    }
    return { output, stopped: this.stop };
  }

  end(): InspectionStep {
    return this.finish(this.stop ? [] : this.options.reader.end());
  }

  /** The last frames of the body, or all of them, when the caller has read it itself. */
  finish(frames: readonly Frame[]): InspectionStep {
    const output: Uint8Array[] = [];
    for (const frame of frames) {
      if (this.stop) break;
      this.take(frame, output);
    }
    if (!this.stop) this.finishTexts([...this.tracks.values()], undefined);
    if (!this.stop) this.release(output);
    return { output, stopped: this.stop };
  }

  /**
   * The rest of an answer that is refused after it has begun: what is settled of the held frames, up to
   * the last that still has text, then the refusal in the format's own words.
   */
  refuse(refusal: Refusal): readonly Uint8Array[] {
    const output: Uint8Array[] = [];
    if (this.blockedTrack) this.releaseUpToCuts(output);
    this.queue = [];
    this.queuedBytes = 0;
    const last = this.options.reader.refuse(refusal);
    this.options.observer?.ended(last);
    return [...output, ...last];
  }

  private take(frame: Frame, output: Uint8Array[]): void {
    const { observer } = this.options;
    observer?.frame(frame);
    if (frame.unreadable !== undefined) {
      if (!this.options.passUnreadable(frame.unreadable)) {
        this.stop = { kind: 'unreadable', reason: frame.unreadable };
        return;
      }
      this.enqueue({ frame, bytes: frame.bytes, spans: [], unjudged: [], inserts: [] });
      this.release(output);
      return;
    }
    this.endBefore(frame);
    const spans: Span[] = [];
    const unjudged: number[] = [];
    const ended: TextTrack[] = [];
    frame.pieces.forEach((piece, index) => {
      const track = this.track(piece);
      if (!track) return;
      if (this.stop && !this.options.whole) {
        unjudged.push(index);
        return;
      }
      const start = track.length;
      if (piece.last) {
        track.feedLast(piece.value, this.options.onFinding);
      } else {
        track.feed(piece.value, this.options.onFinding);
      }
      spans.push({ track, piece: index, start, end: track.length });
      if (piece.last) ended.push(track);
      this.noteBlock(track);
    });
    if (frame.terminal || frame.ends.length > 0) {
      for (const track of this.tracks.values()) {
        if (frame.terminal || frame.ends.some((prefix) => track.key.startsWith(prefix))) {
          ended.push(track);
        }
      }
    }
    const inserts = this.stop ? [] : this.finishTexts(ended, frame);
    if (!this.options.whole) this.forget(ended);
    this.enqueue({ frame, bytes: frame.bytes, spans, unjudged, inserts });
    if (this.stop) return;
    this.release(output);
    if (observer && this.queue.at(-1)?.frame === frame) observer.held(frame, this.waiting());
  }

  /** What keeps the queue from leaving. */
  private waiting(): readonly Waiting[] {
    const holding = new Set(
      this.queue.flatMap(({ spans }) =>
        spans.filter(({ end, track }) => end > track.settled).map(({ track }) => track),
      ),
    );
    return [...holding].flatMap((track) =>
      track.waiting().map(({ rule, start }) => ({ text: track.key, start, rule })),
    );
  }

  /** Ends texts that were over before the frame, so that nothing in it can keep them open. */
  private endBefore(frame: Frame): void {
    if (frame.ended === undefined) return;
    const over = frame.ended.flatMap((key) => this.tracks.get(key) ?? []);
    this.finishTexts(over, undefined);
    this.forget(over);
  }

  private track({ text: key, place, encoding, sealed }: Piece): TextTrack | undefined {
    const known = this.tracks.get(key);
    if (known && !known.ended) return known;
    const { direction, rules, appends } = this.options;
    const reading = rules.filter((rule) => ruleReaches(rule, direction, place));
    if (reading.length === 0 && appends.length === 0) return undefined;
    if (this.tracks.size >= this.options.textsMax) {
      this.stop = { kind: 'unreadable', reason: 'too_many_texts' };
      return undefined;
    }
    // How the texts of an answer are interleaved must not show in their numbers.
    const { placeholders } = this.options;
    const numbers = direction === 'response' ? new Placeholders(placeholders) : placeholders;
    const track = new TextTrack(key, place, encoding, reading, numbers, sealed === true);
    this.tracks.set(key, track);
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
    if (!track.blocked) return;
    const { rule, sealed } = track.blocked;
    if (sealed) {
      if (this.stop) return;
      this.stop = { kind: 'unreadable', reason: 'sealed_text' };
    } else {
      const { stop } = this;
      const cutBySeal = stop?.kind === 'unreadable' && this.blockedTrack !== undefined;
      const outranked = stop?.kind === 'policy' && rule.rank < stop.rule.rank;
      if (stop && !cutBySeal && !outranked) return;
      this.stop = { kind: 'policy', rule };
    }
    this.blockedTrack = track;
  }

  /** Ends texts, and adds to them what was earned: before `frame`, or in it. */
  private finishTexts(tracks: readonly TextTrack[], frame: Frame | undefined): Edit[] {
    const inserts: Edit[] = [];
    for (const track of tracks) {
      if (this.stop) break;
      if (this.closed.has(track)) continue;
      this.closed.add(track);
      track.finish(this.options.onFinding);
      this.noteBlock(track);
      if (this.stop) break;
      const earned = this.earned(track);
      if (earned.size === 0) continue;
      const form = this.options.reader.append(track.key, additionOf(earned), frame);
      this.options.observer?.appended(track.key, [...earned], form.kind);
      if (form.kind === 'later') {
        const already = this.postponed.get(form.text) ?? [];
        this.postponed.set(form.text, new Set([...already, ...earned]));
      } else if (form.kind === 'edit') {
        inserts.push(form.edit);
        this.changed = true;
      } else if (form.kind === 'frame') {
        this.enqueue({
          frame: undefined,
          bytes: form.bytes,
          spans: [],
          unjudged: [],
          inserts: [],
        });
        this.changed = true;
      }
    }
    return inserts;
  }

  /** The `append` rules that a text earned, or that were put off until it ends. */
  private earned(track: TextTrack): ReadonlySet<Rule> {
    const own = track.place === 'assistant' && track.key.endsWith('/content');
    return new Set([
      ...(own ? [...this.options.appends, ...track.appends] : []),
      ...(this.postponed.get(track.key) ?? []),
    ]);
  }

  private enqueue(held: HeldFrame): void {
    this.queue.push(held);
    this.queuedBytes += held.bytes.length;
  }

  private release(output: Uint8Array[]): void {
    let released = 0;
    for (const held of this.queue) {
      if (held.spans.some((span) => span.end > span.track.settled)) break;
      const bytes = this.rendered(held);
      output.push(bytes);
      this.options.observer?.released(held.frame, bytes);
      if (held.frame) this.options.reader.sent(held.frame);
      this.queuedBytes -= held.bytes.length;
      released++;
      for (const span of held.spans) span.track.forget(span.end);
    }
    if (released > 0) this.queue.splice(0, released);
  }

  private rendered(held: HeldFrame): Uint8Array {
    const edits: Edit[] = [...held.inserts];
    for (const { track, piece, start, end } of held.spans) {
      for (const edit of track.edits(start, end)) edits.push({ piece, ...edit });
    }
    const stale = held.frame?.stale?.() ?? false;
    if ((edits.length === 0 && !stale) || !held.frame) return held.bytes;
    this.changed = true;
    edits.sort((a, b) => a.piece - b.piece || a.start - b.start);
    return held.frame.render(edits);
  }

  /** After a block: each text up to its own settled point, the blocked one up to its match. */
  private releaseUpToCuts(output: Uint8Array[]): void {
    const last = this.queue.findLastIndex((held) => this.remains(held));
    for (const held of this.queue.slice(0, last + 1)) {
      if (!held.frame) continue;
      const edits: Edit[] = [];
      for (const { track, piece, start, end } of held.spans) {
        const cut = Math.max(start, Math.min(end, this.bound(track)));
        for (const edit of track.edits(start, cut)) edits.push({ piece, ...edit });
        if (cut < end) edits.push({ piece, start: cut - start, end: end - start, replacement: '' });
      }
      for (const piece of held.unjudged) {
        const end = held.frame.pieces[piece]!.value.length;
        if (end > 0) edits.push({ piece, start: 0, end, replacement: '' });
      }
      edits.sort((a, b) => a.piece - b.piece || a.start - b.start);
      const bytes = held.frame.renderUnfinished(edits);
      output.push(bytes);
      this.options.observer?.released(held.frame, bytes);
      this.options.reader.sent(held.frame, true);
    }
    this.changed = true;
  }

  private remains(held: HeldFrame): boolean {
    return held.spans.some((span) => Math.min(span.end, this.bound(span.track)) > span.start);
  }

  private bound(track: TextTrack): number {
    return track === this.blockedTrack ? (track.blocked?.cut ?? 0) : track.settled;
  }
}

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
