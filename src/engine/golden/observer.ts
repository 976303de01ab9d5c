/** What became of the exchange of a golden case. */
import type { DecisionRecord } from '../../audit/record.ts';
import type { BodyReader } from '../../formats/frame.ts';
import type { Direction, Place } from '../../policy/set.ts';
import type { Finding } from '../findings.ts';
import type { BodyObserver, ExchangeObserver, RefusalSeen } from '../observer.ts';

/** An action that a rule took, or (shadow) would have taken. */
export interface Acted {
  readonly rule: string;
  readonly action: string;
  readonly enforced: boolean;
}

export interface Seen {
  readonly acted: readonly Acted[];
  readonly rules: ReadonlySet<string>;
  /** Who refused it: a rule, or a code of ours. */
  readonly refusal:
    | {
        readonly code: string;
        readonly rule: string | undefined;
        /** Undefined where the answer had begun. */
        readonly status: number | undefined;
        /** What the client gets in its place. */
        readonly body: string;
      }
    | undefined;
  readonly changed: boolean;
  readonly degraded: boolean;
  /** What people read of the body that left: of an answer the words of the model, of a request the user's. */
  readonly text: string;
  /** What left of the body. */
  readonly bytes: Uint8Array;
}

interface Ended {
  readonly direction: Direction;
  readonly record: DecisionRecord;
  readonly changed: boolean;
  /** What left. */
  readonly bytes: Uint8Array;
  /** Reads it, as the other side would. */
  readonly reader: BodyReader;
}

const READ: Readonly<Record<Direction, readonly Place[]>> = {
  request: ['user'],
  response: ['assistant', 'tool_result'],
};

export class GoldenObserver implements ExchangeObserver {
  private refusal: RefusalSeen | undefined;
  private readonly findings: Finding[] = [];

  activated(): void {}

  body(): BodyObserver {
    const { findings } = this;
    return {
      frame() {},
      finding: (finding) => void findings.push(finding),
      appended() {},
      released() {},
      ended() {},
    };
  }

  unreadable(): void {}

  refused(seen: RefusalSeen): void {
    this.refusal = seen;
  }

  seen({ direction, record, changed, bytes, reader }: Ended): Seen {
    const text = wordsOf(reader, bytes, READ[direction]);
    // The record has those that acted without a text, too; it drops what exceeds its length.
    const acted = [
      ...this.findings.map(({ rule, enforced }) => ({
        rule: rule.id,
        action: rule.action.kind,
        enforced,
      })),
      ...record.findings.map(({ rule, action, enforced }) => ({ rule, action, enforced })),
    ];
    const { refusal } = this;
    const by = refusal?.rule?.id;
    return {
      acted,
      rules: new Set([...acted.map(({ rule }) => rule), ...(by === undefined ? [] : [by])]),
      refusal: refusal && {
        code: refusal.code,
        rule: by,
        status: refusal.answer?.status,
        body: refusal.answer?.body ?? new TextDecoder().decode(bytes),
      },
      changed,
      degraded: record.degraded,
      text,
      bytes,
    };
  }
}

/** A block of a streamed message of Anthropic's: what is appended to one is a block of its own. */
const BLOCK = /^block\/\d+\/content$/;

/** The first text of these places: where an API repeats it, what it repeats is the same. Blocks are read as one. */
function wordsOf(reader: BodyReader, bytes: Uint8Array, places: readonly Place[]): string {
  let key: string | undefined;
  let words = '';
  for (const frame of [...reader.push(bytes), ...reader.end()]) {
    for (const piece of frame.pieces) {
      if (!places.includes(piece.place) || piece.value === '') continue;
      key ??= piece.text;
      if (piece.text === key || (BLOCK.test(key) && BLOCK.test(piece.text))) words += piece.value;
    }
  }
  return words;
}
