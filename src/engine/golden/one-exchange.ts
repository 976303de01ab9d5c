/** The exchange of a golden case, by the code that serves: from its first byte to the verdict. */
import { Buffer } from 'node:buffer';
import { apiLines, detectFormat, type FormatRoute } from '../../formats/detect.ts';
import type { GoldenCase } from '../../policy/golden/cases.ts';
import { GOLDEN_FORMAT_DEFAULT } from '../../policy/golden/schema.ts';
import type { Direction, PolicySet } from '../../policy/set.ts';
import { DEFAULT_FACTS, type FactConfig } from '../facts.ts';
import { Rehearsal, type RehearsalOptions } from '../rehearsal.ts';
import { answerBody, type WrittenBody } from './answers.ts';
import { GoldenObserver, type Seen } from './observer.ts';
import { requestBody } from './requests.ts';

/** What a case runs with; the same that the server uses. */
export interface GoldenMeans
  extends Pick<RehearsalOptions, 'clock' | 'decoders' | 'xxh64' | 'limits'> {
  /** Paths whose format the operator names. */
  readonly routes: readonly FormatRoute[];
}

/** How the words of a case are put on the wire. */
export interface Cutting {
  /** The answer's deltas, in place of the written ones. */
  readonly deltas?: readonly string[];
  /** Where a body of so many bytes is cut, ascending; nowhere without. */
  readonly cutsOf?: (direction: Direction, bytes: number) => readonly number[];
}

const NOTHING = new Uint8Array(0);

/** Cost: that of one exchange in a server. */
export async function exchangeOf(
  set: PolicySet,
  golden: GoldenCase,
  means: GoldenMeans,
  { deltas, cutsOf }: Cutting = {},
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
  await give(rehearsal, 'request', requestHeaders, asked.body, cutsOf, clock);
  const input = answer ?? asked.body;
  if (answer !== undefined && !rehearsal.refused) {
    const responseHeaders = { ':status': '200', 'content-type': answer.contentType };
    await give(rehearsal, 'response', responseHeaders, answer, cutsOf, clock);
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
  cutsOf: Cutting['cutsOf'],
  clock: GoldenMeans['clock'],
): Promise<void> {
  rehearsal.headers(direction, headers, body === undefined);
  if (body === undefined || rehearsal.refused) return;
  const bytes = Buffer.from(body.text, 'utf8');
  let from = 0;
  for (const to of [...(cutsOf?.(direction, bytes.length) ?? []), bytes.length]) {
    rehearsal.push(direction, bytes.subarray(from, to), false);
    await Promise.race([rehearsal.whenReady(), rehearsal.whenOver(direction)]);
    // What arrives within one turn may be read as one piece: then nothing would have been cut.
    if (to < bytes.length) await new Promise<void>((resume) => clock.soon(resume));
    from = to;
  }
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
