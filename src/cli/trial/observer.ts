/** Turns what the engine tells of an exchange into events, with numbers for frames and places for matches. */
import { Buffer } from 'node:buffer';
import type { Finding } from '../../engine/findings.ts';
import type {
  ActivationSeen,
  BodyObserver,
  BodySeen,
  ExchangeObserver,
} from '../../engine/observer.ts';
import { breaks } from '../../engine/restrictions.ts';
import type { Frame } from '../../formats/frame.ts';
import { conditionInputs, conditionParts } from '../../policy/condition-parts.ts';
import { formatPosition } from '../../policy/errors.ts';
import { conditionOutcome, exempts } from '../../policy/evaluate.ts';
import type { Conditions, Direction, Facts, Rule } from '../../policy/set.ts';
import type { TrialEventOf, TrialListener } from './events.ts';
import { byteOffset, LineCount } from './place.ts';
import { Texts } from './texts.ts';
import { adviceFor, whereJsonBreaks } from './unreadable.ts';

/** Counts for the last word. */
export interface Tally {
  matches: number;
  framesRead: number;
  framesHeld: number;
  framesHeldMost: number;
  framesNeverLeft: number;
  /** A frame could not be read, or something else of a body. */
  unreadable: boolean;
  refusal: { readonly code: string; readonly rule: string | undefined } | undefined;
}

export class TrialObserver implements ExchangeObserver {
  readonly tally: Tally = {
    matches: 0,
    framesRead: 0,
    framesHeld: 0,
    framesHeldMost: 0,
    framesNeverLeft: 0,
    unreadable: false,
    refusal: undefined,
  };
  private readonly tell: TrialListener;
  private readonly bodies: BodyWatch[] = [];
  private ending: readonly Uint8Array[] = [];

  constructor(tell: TrialListener) {
    this.tell = tell;
  }

  activated(seen: ActivationSeen): void {
    this.tell({ event: 'facts', facts: definedOnly(seen.facts) });
    for (const rule of seen.set.rules) this.tell(ruleEvent(rule, seen));
  }

  body(seen: BodySeen): BodyObserver {
    this.tell({
      event: 'body',
      direction: seen.direction,
      format: seen.format,
      streamed: seen.streamed,
      rules: seen.rules.map(({ id }) => id),
    });
    const watch = new BodyWatch(seen, this.tell, this.tally, (frames) => {
      this.ending = frames;
    });
    this.bodies.push(watch);
    return watch;
  }

  unreadable(direction: Direction, reason: string): void {
    this.tally.unreadable = true;
    this.tell({ event: 'unreadable', direction, reason, advice: adviceFor(reason) });
  }

  refused({ direction, code, rule, answer }: Parameters<ExchangeObserver['refused']>[0]): void {
    this.tally.refusal = { code, rule: rule?.id };
    this.tell({
      event: 'refused',
      direction,
      code,
      rule: rule?.id ?? null,
      status: answer?.status ?? null,
      headers: answer?.headers ?? {},
      body: answer?.body ?? Buffer.concat(this.ending).toString('utf8'),
    });
  }

  /** The exchange is over: what waits now never left. */
  finish(): void {
    for (const body of this.bodies) this.tally.framesNeverLeft += body.waiting;
  }
}

function definedOnly(facts: Facts): Record<string, string> {
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined));
}

function ruleEvent(
  rule: Rule,
  { facts, conditions, active }: ActivationSeen,
): TrialEventOf<'rule'> {
  const selector = Object.entries(rule.selector).map(([fact, wanted]) => ({
    fact,
    wanted,
    found: facts[fact as keyof Facts] ?? null,
  }));
  const selected = selector.every(({ wanted, found }) => wanted === found);
  const when = whenOf(rule, selected, conditions);
  const holds = selected && (when === null || when.result === 'true');
  const exempt = holds && active.allows.find((allow) => exempts(allow, rule));
  return {
    event: 'rule',
    rule: rule.id,
    class: rule.class,
    layer: rule.layer,
    priority: rule.priority,
    overridable: rule.overridable,
    enforcement: rule.enforcement,
    onError: rule.onError,
    action: rule.action.kind,
    inspect: [...rule.inspect],
    position: formatPosition(rule.position),
    selector,
    selected,
    when,
    acts: actsAs(
      rule,
      active.content.includes(rule),
      holds && !exempt && isBroken(rule, conditions),
    ),
    exemptBy: exempt ? exempt.id : null,
  };
}

/** A rule that restricts nothing is never in the way. */
function isBroken({ restriction }: Rule, conditions: Conditions): boolean {
  return restriction === undefined || breaks(restriction, conditions);
}

function actsAs(rule: Rule, reads: boolean, holds: boolean): TrialEventOf<'rule'>['acts'] {
  if (reads) return 'content';
  const standing = rule.detector === undefined || rule.restriction !== undefined;
  return holds && standing ? 'standing' : 'no';
}

function whenOf(
  rule: Rule,
  selected: boolean,
  conditions: Conditions,
): TrialEventOf<'rule'>['when'] {
  const { when } = rule;
  if (when === undefined) return null;
  const { source } = when;
  const inputs = { ...conditionInputs(when, conditions) };
  if (!selected) return { source, result: 'unasked', inputs, parts: [] };
  const parts = conditionParts(when, conditions).map((part) => ({ ...part }));
  const outcome = conditionOutcome(rule, conditions);
  if (outcome.kind === 'error')
    return { source, result: 'error', error: outcome.message, inputs, parts };
  return { source, result: outcome.kind === 'holds' ? 'true' : 'false', inputs, parts };
}

/** One body: numbers its frames. */
class BodyWatch implements BodyObserver {
  /** Frames that were held and have not left. */
  get waiting(): number {
    return this.pending.size;
  }

  private readonly direction: Direction;
  private readonly streamed: boolean;
  private readonly tell: TrialListener;
  private readonly tally: Tally;
  private readonly onEnding: (frames: readonly Uint8Array[]) => void;
  private readonly texts = new Texts();
  /** Where each frame that may still be asked for begins. */
  private readonly beginnings = new WeakMap<Frame, { index: number; lines: LineCount }>();
  private readonly pending = new Set<Frame>();
  private readonly lines = new LineCount();
  private frames = 0;
  private offset = 0;

  constructor(
    { direction, streamed }: BodySeen,
    tell: TrialListener,
    tally: Tally,
    onEnding: (frames: readonly Uint8Array[]) => void,
  ) {
    this.direction = direction;
    this.streamed = streamed;
    this.tell = tell;
    this.tally = tally;
    this.onEnding = onEnding;
  }

  frame(frame: Frame): void {
    const { direction, offset } = this;
    const index = this.frames;
    this.frames += 1;
    this.tally.framesRead += 1;
    this.pending.add(frame);
    this.beginnings.set(frame, { index, lines: this.lines.copy() });
    const starts = this.texts.add(frame, index);
    this.tell({
      event: 'frame',
      direction,
      frame: index,
      offset,
      bytes: frame.bytes.length,
      line: this.lines.line,
      texts: frame.pieces.map(({ text, place, value, last }, at) => ({
        text,
        place,
        start: starts[at]!,
        value,
        last,
      })),
      unreadable: frame.unreadable ?? null,
    });
    this.offset += frame.bytes.length;
    this.lines.take(frame.bytes);
    if (frame.unreadable === undefined) return;
    this.tally.unreadable = true;
    const reason = frame.unreadable;
    const advice = [this.whereUnreadable(frame, reason), adviceFor(reason)]
      .filter((one) => one !== undefined)
      .join('; ');
    this.tell({ event: 'unreadable', direction, reason, advice });
  }

  private whereUnreadable(frame: Frame, reason: string): string | undefined {
    const { index, lines } = this.beginnings.get(frame)!;
    if (this.streamed) return `frame ${index}, line ${lines.line}`;
    return reason === 'not_json' ? whereJsonBreaks(frame.bytes) : undefined;
  }

  held(frame: Frame, waits: Parameters<NonNullable<BodyObserver['held']>>[1]): void {
    this.tally.framesHeld += 1;
    this.tally.framesHeldMost = Math.max(this.tally.framesHeldMost, this.pending.size);
    this.tell({
      event: 'held',
      direction: this.direction,
      frame: this.numberOf(frame),
      waits: waits.map(({ rule, text, start }) => ({ rule: rule.id, text, start })),
    });
  }

  finding({ rule, label, text, start, end, effect, score, signals }: Finding): void {
    this.tally.matches += 1;
    const stretch = this.texts.stretch(text, start, end);
    const { first, last } = stretch ?? {};
    const at = first && this.placeIn(first.frame, first.piece, start - first.start);
    this.tell({
      event: 'match',
      direction: this.direction,
      rule: rule.id,
      class: rule.class,
      layer: rule.layer,
      action: rule.action.kind,
      label,
      text,
      place: stretch?.place ?? '',
      start,
      end,
      frames: [first?.index ?? 0, last?.index ?? 0],
      line: at?.line ?? 1,
      column: at?.column ?? null,
      matched: stretch?.matched ?? '',
      before: stretch?.before ?? '',
      after: stretch?.after ?? '',
      effect: effect.kind,
      by: 'by' in effect ? effect.by.id : null,
      replacement: 'replacement' in effect ? effect.replacement : null,
      ...(score !== undefined && { score }),
      ...(signals !== undefined && { signals: signals.map((signal) => ({ ...signal })) }),
    });
  }

  appended(text: string, rules: readonly Rule[], form: TrialEventOf<'appended'>['form']): void {
    const { direction } = this;
    this.tell({ event: 'appended', direction, text, rules: rules.map(({ id }) => id), form });
  }

  released(frame: Frame | undefined, bytes: Uint8Array): void {
    const changed = frame === undefined || Buffer.compare(frame.bytes, bytes) !== 0;
    if (frame) this.pending.delete(frame);
    this.tell({
      event: 'released',
      direction: this.direction,
      frame: frame ? this.numberOf(frame) : null,
      after: Math.max(0, this.frames - 1),
      bytes: bytes.length,
      written: changed ? Buffer.from(bytes).toString('utf8') : null,
    });
  }

  ended(frames: readonly Uint8Array[]): void {
    this.onEnding(frames);
  }

  private numberOf(frame: Frame): number {
    return this.beginnings.get(frame)?.index ?? 0;
  }

  private placeIn(
    frame: Frame,
    piece: number,
    unit: number,
  ): { readonly line: number; readonly column: number | null } | undefined {
    const lines = this.beginnings.get(frame)?.lines;
    if (lines === undefined) return undefined;
    const offset = byteOffset(frame, piece, unit);
    if (offset === undefined) return { line: lines.line, column: null };
    const at = lines.copy();
    at.take(frame.bytes, offset);
    return { line: at.line, column: at.column + 1 };
  }
}
