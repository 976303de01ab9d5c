/**
 * What happens to an exchange, by class of the rule × body mode of the route × action × fault: SEMANTICS §5
 * as data. Each row is executed through a real Envoy by `stance.test.ts` and printed in
 * `docs/reference/stances.md`.
 */
import type { Direction, PolicyClass } from '../../src/policy/set.ts';
import type { BodyMode } from '../../src/protocol/process.ts';

export type Mode = Exclude<BodyMode, 'GRPC'>;
export type Action = 'block' | 'redact' | 'flag';

export const CLASSES: readonly PolicyClass[] = ['security', 'regulatory', 'operational'];
export const MODES: readonly Mode[] = [
  'FULL_DUPLEX_STREAMED',
  'BUFFERED',
  'BUFFERED_PARTIAL',
  'STREAMED',
  'NONE',
];
export const ACTIONS: readonly Action[] = ['block', 'redact', 'flag'];

/** What an exchange can come to. `decided` is what the record says, as `verdict code`. */
export interface Outcome {
  readonly status: number;
  /** The client got an end that HTTP calls one. */
  readonly complete: boolean;
  readonly decided: string;
  readonly degraded: boolean;
  readonly means: string;
}

const outcome = (
  status: number,
  decided: string,
  means: string,
  more: Partial<Pick<Outcome, 'complete' | 'degraded'>> = {},
): Outcome => ({ status, decided, means, complete: true, degraded: false, ...more });

export const OUTCOMES = {
  passes: outcome(200, 'allow allowed', 'Passes as it is; nothing was to be done.'),
  flagged: outcome(
    200,
    'allow allowed',
    'Passes as it is; the record names the rule that matched.',
  ),
  changed: outcome(200, 'mutate allowed', 'Passes without what the rule is for.'),
  degraded: outcome(
    200,
    'allow allowed',
    'Passes unjudged by this rule, as its class allows; the record says `degraded`.',
    { degraded: true },
  ),
  refused: outcome(400, 'deny policy', 'Refused in the words of the format.'),
  ended: outcome(
    200,
    'deny policy',
    'What precedes the match passes; then a last event refuses, in the words of the format.',
  ),
  refused_late: outcome(
    400,
    'deny policy',
    'Refused; the provider got the beginning of the request, but no end.',
  ),
  silenced: outcome(
    200,
    'deny policy',
    'What was sent before the verdict stays sent; the rest is empty, since a route that fails open would ' +
      'pass what is broken off.',
  ),
  broken_off: outcome(
    200,
    'deny policy',
    'What was sent before the verdict stays sent; the answer is broken off, visibly incomplete.',
    { complete: false },
  ),
  cannot: outcome(
    503,
    'unavailable mode_cannot_enforce',
    'Refused: the rule cannot do its work on this route.',
  ),
  unreadable_request: outcome(
    400,
    'unavailable unreadable_body',
    'Refused: a rule must read this body, and nobody can.',
  ),
  unreadable_response: outcome(
    502,
    'unavailable unreadable_body',
    'Refused: a rule must read this body, and nobody can.',
  ),
  envoy_413: outcome(
    413,
    'allow local_reply',
    'Envoy itself refuses a request larger than its buffer.',
  ),
  envoy_500: outcome(
    500,
    'incomplete client_gone',
    'Envoy itself refuses an answer larger than its buffer.',
  ),
} as const satisfies Readonly<Record<string, Outcome>>;

export type OutcomeName = keyof typeof OUTCOMES;

export const FAULTS = {
  clean: 'Nothing is wrong, and nothing is in the body that the rule is for.',
  match: 'Nothing is wrong, and the body, one document, holds what the rule is for.',
  match_in_stream: 'The same in an event stream.',
  oversized: "The body is larger than Envoy's buffers, with the match at its end.",
  encoded: 'The body has a content coding that is not decoded here (`compress`).',
  broken_encoding: 'The body says `gzip` and is not.',
  opaque: 'The body is of a type or a charset that is not read here.',
  declared_open:
    'The route says `x-switchyard-stance: open`; the body, one document, holds what the rule is for.',
  declared_open_stream: 'The same in an event stream.',
} as const;

export type Fault = keyof typeof FAULTS;

/** Outcome for security and regulatory rules, and for operational ones. One name: the same for all. */
type Cell = OutcomeName | readonly [strict: OutcomeName, operational: OutcomeName];

export interface Row {
  readonly direction: Direction;
  readonly fault: Fault;
  readonly mode: Mode;
  readonly action: Action;
  readonly policyClass: PolicyClass;
  readonly expect: OutcomeName;
}

type ByMode = Readonly<Record<Mode, Cell | Readonly<Record<Action, Cell>>>>;

const BY_CLASS: Cell = ['cannot', 'degraded'];

/** Every mode judges the whole of it, but STREAMED cannot change it and NONE does not see it. */
const MATCH_IN_REQUEST: ByMode = {
  FULL_DUPLEX_STREAMED: { block: 'refused', redact: 'changed', flag: 'flagged' },
  BUFFERED: { block: 'refused', redact: 'changed', flag: 'flagged' },
  BUFFERED_PARTIAL: { block: 'refused', redact: 'changed', flag: 'flagged' },
  STREAMED: { block: 'refused', redact: 'cannot', flag: 'flagged' },
  NONE: BY_CLASS,
};

const ENCODED: ByMode = {
  FULL_DUPLEX_STREAMED: BY_CLASS,
  BUFFERED: BY_CLASS,
  BUFFERED_PARTIAL: BY_CLASS,
  STREAMED: { block: BY_CLASS, redact: 'cannot', flag: BY_CLASS },
  NONE: BY_CLASS,
};

const ANSWER_ON_OPEN_ROUTE: ByMode = {
  FULL_DUPLEX_STREAMED: {
    block: ['cannot', 'refused'],
    redact: 'cannot',
    flag: ['cannot', 'flagged'],
  },
  BUFFERED: { block: ['cannot', 'refused'], redact: 'cannot', flag: ['cannot', 'flagged'] },
  BUFFERED_PARTIAL: {
    block: ['cannot', 'refused'],
    redact: 'cannot',
    flag: ['cannot', 'flagged'],
  },
  STREAMED: { block: BY_CLASS, redact: 'cannot', flag: ['cannot', 'flagged'] },
  NONE: { block: BY_CLASS, redact: 'cannot', flag: BY_CLASS },
};

const TABLE: Readonly<Record<Direction, Partial<Readonly<Record<Fault, ByMode>>>>> = {
  request: {
    clean: {
      FULL_DUPLEX_STREAMED: 'passes',
      BUFFERED: 'passes',
      BUFFERED_PARTIAL: 'passes',
      STREAMED: { block: 'passes', redact: 'cannot', flag: 'passes' },
      NONE: BY_CLASS,
    },
    match: MATCH_IN_REQUEST,
    oversized: {
      ...MATCH_IN_REQUEST,
      BUFFERED: 'envoy_413',
      BUFFERED_PARTIAL: BY_CLASS,
      STREAMED: { block: 'refused_late', redact: 'cannot', flag: 'flagged' },
    },
    encoded: ENCODED,
    broken_encoding: ENCODED,
    opaque: {
      FULL_DUPLEX_STREAMED: ['unreadable_request', 'degraded'],
      BUFFERED: ['unreadable_request', 'degraded'],
      BUFFERED_PARTIAL: ['unreadable_request', 'degraded'],
      STREAMED: {
        block: ['unreadable_request', 'degraded'],
        redact: 'cannot',
        flag: ['unreadable_request', 'degraded'],
      },
      NONE: BY_CLASS,
    },
    declared_open: {
      FULL_DUPLEX_STREAMED: {
        block: ['cannot', 'refused'],
        redact: 'cannot',
        flag: ['cannot', 'flagged'],
      },
      BUFFERED: { block: ['cannot', 'refused'], redact: 'cannot', flag: ['cannot', 'flagged'] },
      BUFFERED_PARTIAL: {
        block: ['cannot', 'refused'],
        redact: 'cannot',
        flag: ['cannot', 'flagged'],
      },
      STREAMED: { block: ['cannot', 'refused'], redact: 'cannot', flag: ['cannot', 'flagged'] },
      NONE: { block: BY_CLASS, redact: 'cannot', flag: BY_CLASS },
    },
  },
  response: {
    clean: {
      FULL_DUPLEX_STREAMED: 'passes',
      BUFFERED: 'passes',
      BUFFERED_PARTIAL: 'passes',
      STREAMED: { block: BY_CLASS, redact: 'cannot', flag: 'passes' },
      NONE: BY_CLASS,
    },
    match: {
      FULL_DUPLEX_STREAMED: { block: 'refused', redact: 'changed', flag: 'flagged' },
      BUFFERED: { block: 'refused', redact: 'changed', flag: 'flagged' },
      BUFFERED_PARTIAL: { block: 'refused', redact: 'changed', flag: 'flagged' },
      STREAMED: { block: BY_CLASS, redact: 'cannot', flag: 'flagged' },
      NONE: BY_CLASS,
    },
    match_in_stream: {
      FULL_DUPLEX_STREAMED: { block: 'ended', redact: 'changed', flag: 'flagged' },
      BUFFERED: { block: 'refused', redact: 'changed', flag: 'flagged' },
      BUFFERED_PARTIAL: { block: 'refused', redact: 'changed', flag: 'flagged' },
      STREAMED: { block: 'broken_off', redact: 'cannot', flag: 'flagged' },
      NONE: BY_CLASS,
    },
    oversized: {
      FULL_DUPLEX_STREAMED: { block: 'refused', redact: 'changed', flag: 'flagged' },
      BUFFERED: 'envoy_500',
      BUFFERED_PARTIAL: BY_CLASS,
      STREAMED: { block: BY_CLASS, redact: 'cannot', flag: 'flagged' },
      NONE: BY_CLASS,
    },
    encoded: ENCODED,
    broken_encoding: ENCODED,
    opaque: {
      FULL_DUPLEX_STREAMED: ['unreadable_response', 'degraded'],
      BUFFERED: ['unreadable_response', 'degraded'],
      BUFFERED_PARTIAL: ['unreadable_response', 'degraded'],
      STREAMED: {
        block: ['unreadable_response', 'degraded'],
        redact: 'cannot',
        flag: ['unreadable_response', 'degraded'],
      },
      NONE: BY_CLASS,
    },
    declared_open_stream: {
      ...ANSWER_ON_OPEN_ROUTE,
      FULL_DUPLEX_STREAMED: {
        block: ['cannot', 'ended'],
        redact: 'cannot',
        flag: ['cannot', 'flagged'],
      },
      STREAMED: { block: ['cannot', 'silenced'], redact: 'cannot', flag: ['cannot', 'flagged'] },
    },
    declared_open: ANSWER_ON_OPEN_ROUTE,
  },
};

/** The table, one row for each class. */
export function stanceRows(): readonly Row[] {
  const rows: Row[] = [];
  for (const direction of ['request', 'response'] as const)
    for (const fault of Object.keys(FAULTS) as readonly Fault[]) {
      const byMode = TABLE[direction][fault];
      if (byMode === undefined) continue;
      for (const mode of MODES)
        for (const action of ACTIONS)
          for (const policyClass of CLASSES) {
            const expect = outcomeOf(cellOf(byMode[mode], action), policyClass);
            rows.push({ direction, fault, mode, action, policyClass, expect });
          }
    }
  return rows;
}

function cellOf(entry: ByMode[Mode], action: Action): Cell {
  return typeof entry === 'object' && 'block' in entry ? entry[action] : entry;
}

function outcomeOf(cell: Cell, policyClass: PolicyClass): OutcomeName {
  if (typeof cell === 'string') return cell;
  return policyClass === 'operational' ? cell[1] : cell[0];
}

/** What the client gets when no verdict can be had. */
export interface Failure {
  readonly status: number;
  readonly complete: boolean;
  readonly means: string;
}

const FAILED: Failure = {
  status: 503,
  complete: true,
  means: "503, in the provider's shape",
};
const BROKEN_OFF: Failure = {
  status: 200,
  complete: false,
  means: 'the headers of the answer, then nothing: broken off',
};
const UNJUDGED: Failure = {
  status: 200,
  complete: true,
  means: 'the answer, unjudged, as the route asks for; Envoy counts it',
};

export interface ThrowRow {
  readonly phase: `${Direction}-${'headers' | 'body' | 'trailers'}`;
  readonly mode: Mode;
  readonly expect: Failure;
}

const throwsIn = (
  phase: ThrowRow['phase'],
  modes: readonly Mode[],
  expect: Failure,
): readonly ThrowRow[] => modes.map((mode) => ({ phase, mode, expect }));

const WITH_BODY = MODES.filter((mode) => mode !== 'NONE');

/** An exchange throws at an event, on the route of a security rule. */
export const THROWS: readonly ThrowRow[] = [
  ...throwsIn('request-headers', MODES, FAILED),
  ...throwsIn('request-body', WITH_BODY, FAILED),
  ...throwsIn('request-trailers', ['FULL_DUPLEX_STREAMED'], FAILED),
  ...throwsIn('response-headers', MODES, FAILED),
  ...throwsIn('response-body', ['FULL_DUPLEX_STREAMED', 'BUFFERED', 'BUFFERED_PARTIAL'], FAILED),
  ...throwsIn('response-body', ['STREAMED'], BROKEN_OFF),
  ...throwsIn('response-trailers', ['FULL_DUPLEX_STREAMED'], FAILED),
];

export interface AbsentRow {
  readonly stance: 'closed' | 'open';
  readonly mode: Mode;
  readonly expect: Failure;
}

/** Nobody listens where Switchyard should be. An open route in FULL_DUPLEX is closed all the same. */
export const ABSENT: readonly AbsentRow[] = [
  ...MODES.map((mode) => ({ stance: 'closed' as const, mode, expect: FAILED })),
  ...MODES.map((mode) => ({
    stance: 'open' as const,
    mode,
    expect: mode === 'FULL_DUPLEX_STREAMED' ? FAILED : UNJUDGED,
  })),
];

export interface DeadlineRow {
  readonly name: string;
  readonly status: number;
  readonly decided: string;
  readonly complete: boolean;
}

/** FULL_DUPLEX, a security rule that blocks. The silent one keeps its connection open. */
export const DEADLINES = [
  {
    name: 'the client, inside the body of its request',
    status: 408,
    decided: 'unavailable verdict_deadline',
    complete: true,
  },
  {
    name: 'the provider, inside a document',
    status: 504,
    decided: 'unavailable verdict_deadline',
    complete: true,
  },
  {
    name: 'the provider, inside the first event of a stream',
    status: 504,
    decided: 'unavailable verdict_deadline',
    complete: true,
  },
  {
    name: 'the provider, inside a later event: a last event of ours ends the answer',
    status: 200,
    decided: 'unavailable verdict_deadline',
    complete: true,
  },
] as const satisfies readonly DeadlineRow[];
