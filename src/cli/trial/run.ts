/** One exchange with an author's input, from its first byte to its verdict. */
import { Buffer } from 'node:buffer';
import type { Clock } from '../../engine/clock.ts';
import type { FactConfig } from '../../engine/facts.ts';
import type { EngineLimits } from '../../engine/limits.ts';
import { Rehearsal } from '../../engine/rehearsal.ts';
import type { Decoders } from '../../formats/encodings.ts';
import type { GivenSurroundings } from '../../policy/given.ts';
import type { Direction, PolicySet } from '../../policy/set.ts';
import type { Xxh64 } from '../../rollout/cohort.ts';
import { CliError, EXIT } from '../exit.ts';
import type { TrialEventOf, TrialListener } from './events.ts';
import { TrialObserver } from './observer.ts';
import { LOOKED_AT_BYTES_MAX, type Shape, shapeOf } from './shape.ts';
import { needsShape, type Said, type Spoken, speak } from './spoken.ts';

/** What lives in other folders, and is the same that the server uses. */
export interface TrialMeans {
  readonly clock: Clock;
  readonly decoders: Decoders;
  readonly xxh64: Xxh64;
}

export interface Trial {
  readonly set: PolicySet;
  readonly said: Said;
  readonly method: string;
  readonly route: string;
  /** Of the request; names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly contentEncoding: string | undefined;
  readonly status: number;
  readonly facts: FactConfig;
  /** What conditions read beside the request. */
  readonly around: GivenSurroundings;
  readonly trustedHeaders: readonly string[];
  readonly limits: EngineLimits;
  /** The request that comes before the answer, if it is known. */
  readonly request: Uint8Array | undefined;
  /** The body that is tried, as it arrives. */
  readonly input: AsyncIterable<Uint8Array>;
  /** Whether there may be none of it. */
  readonly mayBeEmpty: boolean;
  readonly tell: TrialListener;
  /** Takes the bytes of the input's direction as they may leave. */
  readonly send: (bytes: Uint8Array) => void;
}

export type Outcome = TrialEventOf<'verdict'>['outcome'];

const EXCHANGE_ID = 'trial';

/** Resolves to how it ended. Throws CliError for an input that does not go with what was said of it. */
export async function runTrial(trial: Trial, means: TrialMeans): Promise<Outcome> {
  const { set, said, tell } = trial;
  const body = await openBody(trial);
  const spoken = speak(said, body.shape);
  tell({
    event: 'exchange',
    set: set.digest,
    policies: set.policies.length,
    rules: set.rules.length,
    direction: spoken.direction,
    method: trial.method,
    path: spoken.path,
    contentType: spoken.contentType,
    guessed: [...spoken.guessed],
    warnings: [...set.warnings],
  });
  const observer = new TrialObserver(tell);
  let bytesIn = 0;
  let bytesOut = 0;
  const rehearsal = new Rehearsal({
    set,
    ...means,
    limits: trial.limits,
    facts: trial.facts,
    trustedHeaders: trial.trustedHeaders,
    formats: spoken.lines,
    route: trial.route,
    around: trial.around,
    exchangeId: EXCHANGE_ID,
    observer,
    send(direction, bytes) {
      if (direction !== spoken.direction) return;
      bytesOut += bytes.length;
      trial.send(bytes);
    },
  });
  const give = async (direction: Direction, parts: AsyncIterable<Uint8Array>): Promise<void> => {
    const over = rehearsal.whenOver(direction).then(() => undefined);
    const source = parts[Symbol.asyncIterator]();
    while (!rehearsal.isOver(direction)) {
      // A refusal does not wait for the next part: none may come.
      const next = await Promise.race([source.next(), over]);
      if (next === undefined || next.done) break;
      if (direction === spoken.direction) bytesIn += next.value.length;
      rehearsal.push(direction, next.value, false);
      await Promise.race([rehearsal.whenReady(), over]);
    }
    if (!rehearsal.isOver(direction)) rehearsal.push(direction, NOTHING, true);
    await over;
  };
  if (spoken.direction === 'request') {
    rehearsal.headers('request', requestHeaders(trial, spoken), body.empty);
    if (!body.empty && !rehearsal.refused) await give('request', body.parts);
  } else {
    await ask(trial, spoken, rehearsal, give);
    if (!rehearsal.refused) {
      rehearsal.headers('response', responseHeaders(trial, spoken), false);
      await give('response', body.parts);
    }
  }
  const { record, mutated } = rehearsal.finish();
  observer.finish();
  const { tally } = observer;
  const code = tally.refusal?.code ?? (record.code === 'client_gone' ? 'allowed' : record.code);
  const outcome = outcomeOf(tally, mutated);
  tell({
    event: 'verdict',
    outcome,
    code,
    rule: tally.refusal?.rule ?? null,
    degraded: record.degraded,
    format: record.format,
    matches: tally.matches,
    framesRead: tally.framesRead,
    framesHeld: tally.framesHeld,
    framesHeldMost: tally.framesHeldMost,
    framesNeverLeft: tally.framesNeverLeft,
    bytesIn,
    bytesOut,
  });
  return outcome;
}

const NOTHING = new Uint8Array(0);

/** An input that nobody could read was not judged: the author wants to know that before the rest. */
function outcomeOf({ unreadable, refusal }: TrialObserver['tally'], mutated: boolean): Outcome {
  if (unreadable && refusal?.code !== 'policy') return 'unreadable';
  if (refusal !== undefined) return 'refused';
  return mutated ? 'changed' : 'passed';
}

/** The request of an answer: its own body where it is known, else one that has none. */
async function ask(
  trial: Trial,
  spoken: Spoken,
  rehearsal: Rehearsal,
  give: (direction: Direction, parts: AsyncIterable<Uint8Array>) => Promise<void>,
): Promise<void> {
  const { request } = trial;
  const headers = requestHeaders(trial, spoken);
  rehearsal.headers('request', headers, request === undefined);
  if (request === undefined || rehearsal.refused) return;
  await give('request', one(request));
}

async function* one(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

function requestHeaders(trial: Trial, spoken: Spoken): Record<string, string> {
  const { host, ...headers } = trial.headers;
  const own = spoken.direction === 'request';
  return {
    ':method': trial.method,
    ':path': spoken.path,
    ':authority': host ?? 'localhost',
    'content-type': own ? spoken.contentType : 'application/json',
    ...(own && trial.contentEncoding && { 'content-encoding': trial.contentEncoding }),
    ...headers,
  };
}

function responseHeaders(trial: Trial, spoken: Spoken): Record<string, string> {
  return {
    ':status': String(trial.status),
    'content-type': spoken.contentType,
    ...(trial.contentEncoding && { 'content-encoding': trial.contentEncoding }),
  };
}

interface Body {
  readonly empty: boolean;
  readonly shape: Shape;
  /** All of it, also what was looked at. */
  readonly parts: AsyncIterable<Uint8Array>;
}

/** Reads as much of an input as is needed to see what it is, and no more: the rest is live. */
async function openBody({ input, said, mayBeEmpty }: Trial): Promise<Body> {
  if (!needsShape(said) && !mayBeEmpty) return { empty: false, shape: UNSEEN, parts: input };
  const source = input[Symbol.asyncIterator]();
  const looked: Uint8Array[] = [];
  let bytes = 0;
  let shape: Shape | undefined;
  while (shape === undefined) {
    const before = bytes;
    const { done = false, value } = await source.next();
    if (!done) {
      looked.push(value);
      bytes += value.length;
    } else if (bytes === 0) {
      if (mayBeEmpty) return { empty: true, shape: NO_BODY, parts: nothing() };
      throw new CliError(
        EXIT.badInput,
        'there is no input; name a file with --input, or pipe one in',
      );
    }
    if (done || before < LOOKED_AT_BYTES_MAX) shape = shapeOf(Buffer.concat(looked), done);
  }
  return { empty: false, shape, parts: resumed(looked, source) };
}

const UNSEEN: Shape = { framing: 'document', api: undefined };
/** Most exchanges, as far as they can be told by their headers. */
const NO_BODY: Shape = {
  framing: 'document',
  api: { format: 'openai.chat', direction: 'request' },
};

export async function* nothing(): AsyncGenerator<Uint8Array> {}

async function* resumed(
  looked: readonly Uint8Array[],
  source: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  yield* looked;
  for (;;) {
    const { done, value } = await source.next();
    if (done) return;
    yield value;
  }
}
