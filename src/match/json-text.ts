/**
 * Texts that are JSON, as models write them where a schema is asked for: judged when they are complete, so held
 * from their first bracket on. A text that does not begin with one is none, and nothing of it waits.
 */
import type { Detector, MatchSink, Tracker } from './detector.ts';
import { trackerFindsIn } from './whole-text.ts';

/** What is found in a text, in UTF-16 units of it. */
export interface FoundValue {
  readonly start: number;
  /** One past its last unit. */
  readonly end: number;
}

export interface JsonTextJudge {
  /** The values that are looked for in a text that begins like JSON, in their order; `text` is all of it. */
  find(text: string): readonly FoundValue[];
  /** A text that is no JSON is itself what is looked for. */
  readonly wantsJson: boolean;
}

export const JSON_LABEL = 'JSON';

const NOTHING_LIVE = Number.POSITIVE_INFINITY;

const isSpace = (unit: number): boolean =>
  unit === 0x20 || unit === 0x0a || unit === 0x0d || unit === 0x09 || unit === 0xfeff;
const isBracket = (unit: number): boolean => unit === 0x7b || unit === 0x5b;

/** Cost: that of `find`, once a text. What is held is bounded by the scanner's `liveUnitsMax`. */
export function jsonTextDetector(judge: JsonTextJudge): Detector {
  return Object.freeze({
    kind: 'json' as const,
    labels: Object.freeze([JSON_LABEL]),
    bytes: 0,
    start: () => [new JsonTextTracker(judge)],
    matches: (text: string) => trackerFindsIn(new JsonTextTracker(judge), text),
  });
}

class JsonTextTracker implements Tracker {
  liveStart = NOTHING_LIVE;
  private readonly judge: JsonTextJudge;
  private state: 'before' | 'json' | 'prose' = 'before';
  private parts: string[] = [];
  private begun = 0;

  constructor(judge: JsonTextJudge) {
    this.judge = judge;
  }

  step(unit: number, at: number, sink: MatchSink): void {
    if (this.state === 'prose' || (this.state === 'before' && isSpace(unit))) return;
    if (this.state === 'before') {
      if (!isBracket(unit)) {
        this.state = 'prose';
        if (this.judge.wantsJson) sink({ start: at, end: at + 1, label: JSON_LABEL });
        return;
      }
      this.state = 'json';
      this.begun = at;
      this.liveStart = at;
    }
    this.parts.push(String.fromCharCode(unit));
  }

  end(_at: number, sink: MatchSink): void {
    if (this.state === 'json') {
      const text = this.parts.join('');
      this.liveStart = NOTHING_LIVE;
      for (const { start, end } of this.judge.find(text))
        sink({ start: this.begun + start, end: this.begun + end, label: JSON_LABEL });
    }
    this.state = 'prose';
    this.parts = [];
  }
}
