/**
 * The texts of one body that classifiers are asked about, as they leave: with what other rules have changed in
 * them, so that nobody outside is shown what was taken out, and nothing that is put back for the client.
 */
import type { Frame } from '../formats/frame.ts';
import type { Direction, Place } from '../policy/set.ts';
import type { PieceEdit } from './findings.ts';
import type { HeldBudget } from './held-budget.ts';

/** A UTF-16 unit is so many bytes of ours. */
const BYTES_PER_UNIT = 2;

export interface ClassifiedText {
  readonly key: string;
  readonly place: Place;
  readonly value: string;
  /** As it leaves, where the client alone is told more than the classifier. */
  readonly left: string;
  /** It was not sent before: in a request nothing of the model's follows it. */
  readonly fresh: boolean;
}

interface Growing {
  readonly key: string;
  readonly place: Place;
  value: string;
  left: string;
  /** What the classifier reads, and what leaves in its place. */
  readonly veiled: Veil[];
  fresh: boolean;
}

/** Units `[start,end)` of what the classifier reads stand for `units` of what leaves. */
interface Veil {
  readonly start: number;
  readonly end: number;
  readonly units: number;
}

export class ClassifiedTexts {
  private readonly texts = new Map<string, Growing>();
  private readonly direction: Direction;
  private readonly wants: (place: Place) => boolean;
  private readonly unitsMax: number;
  private readonly held: HeldBudget;
  private units = 0;
  private tooMany = false;

  /** `wants`: whether texts of a place are asked about. What is kept counts as held until `release`. */
  constructor(
    direction: Direction,
    wants: (place: Place) => boolean,
    unitsMax: number,
    held: HeldBudget,
  ) {
    this.direction = direction;
    this.wants = wants;
    this.unitsMax = unitsMax;
    this.held = held;
  }

  /** There is more than may be kept: none of it is. */
  get exceeded(): boolean {
    return this.tooMany;
  }

  get all(): readonly ClassifiedText[] {
    return [...this.texts.values()].filter(({ value }) => value.length > 0);
  }

  take({ pieces }: Frame, edits: readonly PieceEdit[]): void {
    for (const [index, { text, place, value }] of pieces.entries()) {
      const recalled =
        this.direction === 'request' && (place === 'assistant' || place === 'tool_call');
      if (recalled) this.age();
      if (this.tooMany || !this.wants(place)) continue;
      const own = edits.filter(({ piece }) => piece === index);
      this.add(text, place, edited(value, own), !recalled);
    }
  }

  release(): void {
    this.held.add(-this.units * BYTES_PER_UNIT);
    this.units = 0;
    this.texts.clear();
  }

  /** Where a stretch of what the classifier has read stands in what leaves: what is veiled is one. */
  leftSpan(
    key: string,
    start: number,
    end: number,
  ): { readonly start: number; readonly end: number } {
    let [from, to] = [start, end];
    for (const { start: at, end: behind, units } of this.texts.get(key)?.veiled ?? []) {
      const more = units - (behind - at);
      if (behind <= start) from += more;
      else if (at < start) from -= start - at;
      if (behind <= end) to += more;
      else if (at < end) to += behind - end + more;
    }
    return { start: from, end: to };
  }

  private add(key: string, place: Place, written: Written, fresh: boolean): void {
    const { value, left, veiled } = written;
    this.units += value.length;
    const within = this.held.add(value.length * BYTES_PER_UNIT);
    if (!within || this.units > this.unitsMax) {
      this.tooMany = true;
      this.release();
      return;
    }
    const known = this.texts.get(key);
    if (known === undefined) {
      this.texts.set(key, { key, place, value, left, veiled: [...veiled], fresh });
      return;
    }
    const at = known.value.length;
    for (const { start, end, units } of veiled)
      known.veiled.push({ start: at + start, end: at + end, units });
    known.value += value;
    known.left += left;
  }

  /** What the model was told before is of the past. */
  private age(): void {
    for (const text of this.texts.values()) text.fresh = false;
  }
}

interface Written {
  readonly value: string;
  readonly left: string;
  readonly veiled: readonly Veil[];
}

/** Edits are ordered and disjoint. */
function edited(unchanged: string, edits: readonly PieceEdit[]): Written {
  if (edits.length === 0) return { value: unchanged, left: unchanged, veiled: [] };
  let value = '';
  let left = '';
  const veiled: Veil[] = [];
  let from = 0;
  for (const { start, end, replacement, outside = replacement } of edits) {
    const before = unchanged.slice(from, start);
    value += before;
    left += before + replacement;
    if (outside !== replacement)
      veiled.push({
        start: value.length,
        end: value.length + outside.length,
        units: replacement.length,
      });
    value += outside;
    from = end;
  }
  const rest = unchanged.slice(from);
  return { value: value + rest, left: left + rest, veiled };
}
