/**
 * Runs one golden case by the code that serves: its exchange from the first byte to the verdict. The same
 * answer is given again in other deltas, as a verdict may depend on what was said and never on how it was cut.
 */
import { Buffer } from 'node:buffer';
import { apiLines, detectFormat, type FormatRoute } from '../../formats/detect.ts';
import type { GoldenCase } from '../../policy/golden/cases.ts';
import { GOLDEN_FORMAT_DEFAULT } from '../../policy/golden/schema.ts';
import type { Direction, PolicySet } from '../../policy/set.ts';
import { DEFAULT_FACTS, type FactConfig } from '../facts.ts';
import { Rehearsal, type RehearsalOptions } from '../rehearsal.ts';
import { answerBody, deltasOf, type WrittenBody } from './answers.ts';
import { GoldenObserver, type Seen } from './observer.ts';
import { requestBody } from './requests.ts';
import { verdictFault } from './verdict.ts';

/** What a case runs with; the same that the server uses. */
export interface GoldenMeans
  extends Pick<RehearsalOptions, 'clock' | 'decoders' | 'xxh64' | 'limits'> {
  /** Paths whose format the operator names. */
  readonly routes: readonly FormatRoute[];
}

export interface CaseResult {
  readonly case: GoldenCase;
  /** Why it fails, in words; undefined when it holds. */
  readonly fault: string | undefined;
  /** Rules that came to act in it, or would have. */
  readonly rules: ReadonlySet<string>;
}

const NOTHING = new Uint8Array(0);

/** Cost: that of one exchange, three where the answer comes in deltas. */
export async function runCase(
  set: PolicySet,
  golden: GoldenCase,
  means: GoldenMeans,
): Promise<CaseResult> {
  const { response } = golden;
  const deltas = response === undefined ? [] : deltasOf(response);
  const seen = await runOnce(set, golden, means, deltas);
  let fault = verdictFault(golden.expect, seen);
  if (fault === undefined && response?.stream !== undefined) {
    for (const [how, others] of otherDeltas(deltas)) {
      const other = await runOnce(set, golden, means, others);
      const otherFault = verdictFault(golden.expect, other, seen.text);
      fault ??= otherFault && `with the same words ${how}: ${otherFault}`;
    }
  }
  return { case: golden, fault, rules: seen.rules };
}

/** The same words in one delta, and each character in its own. */
function otherDeltas(
  deltas: readonly string[],
): readonly (readonly [how: string, deltas: readonly string[]])[] {
  const whole = deltas.join('');
  const ways: [string, readonly string[]][] = [];
  if (deltas.length > 1) ways.push(['in one delta', [whole]]);
  if ([...whole].length > deltas.length) ways.push(['one character at a time', [...whole]]);
  return ways;
}

async function runOnce(
  set: PolicySet,
  golden: GoldenCase,
  means: GoldenMeans,
  deltas: readonly string[],
): Promise<Seen> {
  const { request, response } = golden;
  const { clock, routes, ...rest } = means;
  const format = request.format ?? response?.format ?? GOLDEN_FORMAT_DEFAULT;
  const asked = requestBody(format, request, response?.stream !== undefined);
  const answer =
    response === undefined ? undefined : answerBody(response.format ?? format, response, deltas);
  const direction: Direction = response === undefined ? 'request' : 'response';
  const output: Uint8Array[] = [];
  const observer = new GoldenObserver();
  const path = asked.path.split('?', 1)[0]!;
  // A path of the server's own is read as there; any other that a case in `json` names is read everywhere.
  const formats = apiLines(format === 'json' ? [...routes, { path, format }] : routes);
  const headers = lowerCased(request.headers ?? {});
  const rehearsal = new Rehearsal({
    set,
    ...rest,
    clock: golden.atMs === undefined ? clock : { ...clock, nowMs: () => golden.atMs! },
    facts: factsFrom(golden),
    trustedHeaders: Object.keys(headers),
    formats,
    route: golden.route,
    around: golden.around,
    exchangeId: 'golden',
    observer,
    send(side, bytes) {
      if (side === direction) output.push(new Uint8Array(bytes));
    },
  });
  const requestHeaders = {
    ':method': asked.method,
    ':path': asked.path,
    ':authority': headers.host ?? 'localhost',
    ...(asked.body && { 'content-type': asked.body.contentType }),
    ...headers,
  };
  await give(rehearsal, 'request', requestHeaders, asked.body);
  const input = answer ?? asked.body;
  if (answer !== undefined && !rehearsal.refused) {
    const responseHeaders = { ':status': '200', 'content-type': answer.contentType };
    await give(rehearsal, 'response', responseHeaders, answer);
  }
  const { record, mutated } = rehearsal.finish();
  const bytes = Buffer.concat(output);
  const detected = detectFormat(
    {
      path: asked.path,
      contentType: input?.contentType ?? '',
      direction,
      ...(direction === 'response' && {
        requestFormat: detectFormat(
          { path: asked.path, contentType: asked.body?.contentType ?? '', direction: 'request' },
          formats,
        ).format,
      }),
    },
    formats,
  );
  return observer.seen({
    direction,
    record,
    changed: mutated,
    bytes,
    reader: detected.format.reader(direction, detected.streamed),
  });
}

async function give(
  rehearsal: Rehearsal,
  direction: Direction,
  headers: Readonly<Record<string, string>>,
  body: WrittenBody | undefined,
): Promise<void> {
  rehearsal.headers(direction, headers, body === undefined);
  if (body === undefined || rehearsal.refused) return;
  rehearsal.push(direction, Buffer.from(body.text, 'utf8'), false);
  await Promise.race([rehearsal.whenReady(), rehearsal.whenOver(direction)]);
  if (!rehearsal.isOver(direction)) rehearsal.push(direction, NOTHING, true);
  await rehearsal.whenOver(direction);
}

/** A fact that a case gives comes before every source of the server; without one the body says the model. */
function factsFrom({ facts }: GoldenCase): FactConfig {
  const given = Object.entries(facts).map(([name, value]) => [
    name,
    [{ from: 'map', entries: [{ value }] }],
  ]);
  return { model: DEFAULT_FACTS.model, ...Object.fromEntries(given) } as FactConfig;
}

const lowerCased = (headers: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
