/**
 * One way to get a forbidden word past the policy, as data: what is sent, what would arrive if no rule were
 * for it, and what Switchyard makes of it. The rows are executed (`evasions.test.ts`) and are the page
 * `docs/evasions.md`, so that neither can say what the other does not.
 */
import type { RequestOptions } from './http-client.ts';

/** What the provider answers, as bytes. */
export interface Reply {
  /** Default 200. */
  readonly status?: number;
  /** Default: `content-type: application/json`. An empty value leaves a header out. */
  readonly headers?: Readonly<Record<string, string>>;
  /** One write each. */
  readonly writes: readonly (string | Uint8Array)[];
  readonly trailers?: Readonly<Record<string, string>>;
  /** Says nothing more after its writes, and keeps the connection open. */
  readonly stalls?: boolean;
}

/** What becomes of an attack. */
export type VerdictName =
  | 'refused'
  | 'masked'
  | 'ended'
  | 'unreadable'
  | 'undecodable'
  | 'too large'
  | 'held too much'
  | 'too many matches'
  | 'too late'
  | 'stopped by Envoy'
  | 'harmless'
  | 'not seen';

export interface Verdict {
  readonly means: string;
  /** `verdict code` of the decision record; undefined: Switchyard never hears of it. */
  readonly decided?: string;
  /** What gets through: what was sent, a changed form of it, its beginning, or nothing. */
  readonly passes: 'all' | 'changed' | 'beginning' | 'nothing';
}

export const VERDICTS: Readonly<Record<VerdictName, Verdict>> = {
  refused: {
    means:
      'The word is found. An HTTP error in the words of the API; the provider never saw the request, or the client nothing of the answer.',
    decided: 'deny policy',
    passes: 'nothing',
  },
  masked: {
    means: 'The word is found and replaced; everything else arrives.',
    decided: 'mutate allowed',
    passes: 'changed',
  },
  ended: {
    means:
      'The word is found in an answer that runs already: it ends before it, as a refusal in the words of the API.',
    decided: 'deny policy',
    passes: 'beginning',
  },
  unreadable: {
    means:
      'The body is not what it says it is, or could be read in two ways, so a rule that must read it refuses (`unreadable_body`).',
    decided: 'unavailable unreadable_body',
    passes: 'beginning',
  },
  undecodable: {
    means: 'The body cannot be decoded, or swells beyond a limit: refused (`mode_cannot_enforce`).',
    decided: 'unavailable mode_cannot_enforce',
    passes: 'nothing',
  },
  'too large': {
    means: 'Longer than may be held for a verdict: refused (`body_too_large`).',
    decided: 'unavailable body_too_large',
    passes: 'nothing',
  },
  'held too much': {
    means:
      'More would have to wait for a verdict than may (`held_bytes_exceeded`): refused, or ended there.',
    decided: 'unavailable held_bytes_exceeded',
    passes: 'beginning',
  },
  'too many matches': {
    means:
      'More is found in one body than is worth the work of replacing it (`matches_exceeded`): refused.',
    decided: 'unavailable matches_exceeded',
    passes: 'nothing',
  },
  'too late': {
    means:
      'The rest does not come in time while something is held (`verdict_deadline`): refused, or ended there.',
    decided: 'unavailable verdict_deadline',
    passes: 'beginning',
  },
  'stopped by Envoy': {
    means:
      'Envoy, as it is configured in `envoy/switchyard.yaml`, refuses it before anybody is asked.',
    passes: 'nothing',
  },
  harmless: {
    means: 'It passes, because nobody who reads it as the standards say reads a forbidden word.',
    decided: 'allow allowed',
    passes: 'all',
  },
  'not seen': {
    means:
      '**It passes**, although a person or a model could read the word in it. Where a rule would find it, that stands beside it, and was tried.',
    decided: 'allow allowed',
    passes: 'all',
  },
};

/** What a row says of itself where a table has the rest. */
export type Told = Pick<Evasion, 'why'> & Partial<Evasion>;

export interface Evasion {
  readonly id: string;
  /** What the attacker does. */
  readonly attack: string;
  /** Who has the forbidden word. */
  readonly side: 'request' | 'answer';
  /** As docs/reference/formats.md names it. */
  readonly format: string;
  readonly verdict: VerdictName;
  /** HTTP status, where the verdict leaves it open; for what Envoy stops, the one that it logs. */
  readonly status?: number;
  /** What Envoy calls it (response code details), where it stops a request before it has read its headers. */
  readonly details?: string;
  /** Why it is so. */
  readonly why: string;
  /** The limit that bounds it, by its name in the configuration or the code. */
  readonly bound?: string;
  /** Default: an ordinary chat completion request. */
  readonly request?: RequestOptions;
  /** The request byte by byte instead; it must hold the lines `tags`. */
  readonly wire?: (tags: readonly string[]) => string;
  /** Default: an ordinary chat completion. */
  readonly reply?: Reply;
  /** Arrives at the other side when no rule is for it, and only then (or when it is not seen). */
  readonly carries: string;
  /** Arrives in its place when it is masked, or before it when it is ended. */
  readonly leaves?: string;
  /** How the other side reads what arrives; as UTF-8 unless given. */
  readonly reads?: (arrived: Buffer) => string;
}

export interface Family {
  readonly title: string;
  /** What the rows have in common. */
  readonly about: string;
  readonly rows: readonly Evasion[];
}
