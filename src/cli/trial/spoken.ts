/** How an input is handed to the engine: on which path, under which type, as whose body. */
import {
  type ApiLine,
  apiLines,
  detectFormat,
  FORMAT_SAMPLES,
  type FormatRoute,
  formatOfPath,
  ROUTE_FORMATS,
} from '../../formats/detect.ts';
import type { Format } from '../../formats/frame.ts';
import type { Direction } from '../../policy/set.ts';
import { CliError, EXIT } from '../exit.ts';
import { printable } from '../printable.ts';
import type { Framing, Shape } from './shape.ts';

export const FORMAT_NAMES: readonly Format['name'][] = FORMAT_SAMPLES.map(({ name }) => name);

/** What the author said; the rest is guessed. */
export interface Said {
  readonly format: Format['name'] | undefined;
  readonly direction: Direction | undefined;
  readonly path: string | undefined;
  readonly contentType: string | undefined;
  readonly textPaths: readonly string[] | undefined;
  /** Formats of paths, as the server's configuration has them. */
  readonly routes: readonly FormatRoute[];
}

export interface Spoken {
  readonly format: Format['name'];
  readonly direction: Direction;
  readonly path: string;
  readonly contentType: string;
  readonly lines: readonly ApiLine[];
  /** What was guessed, in words. */
  readonly guessed: readonly string[];
}

const EVENTS = 'text/event-stream';
const JSON_TYPE = 'application/json';
/** The format of an input that looks like no API. */
const BY_FRAMING: Readonly<Record<Framing, Format['name']>> = {
  events: 'sse',
  lines: 'ndjson',
  document: 'json',
  array: 'json',
  text: 'text',
};

/** Whether the looks of the body matter: if not, nothing of it needs to be read first. */
export function needsShape({ format, direction, contentType }: Said): boolean {
  if (format === undefined) return true;
  // Formats that are known by their type have one, and no API whose side could be told.
  if (sampleOf(format).media !== JSON_TYPE) return false;
  return direction === undefined || (direction === 'response' && contentType === undefined);
}

const sampleOf = (format: Format['name']) => FORMAT_SAMPLES.find(({ name }) => name === format)!;

/** Throws CliError for what does not go together. */
export function speak(said: Said, shape: Shape): Spoken {
  const guessed: string[] = [];
  const byPath =
    said.path === undefined ? undefined : formatOfPath(said.path, apiLines(said.routes))?.name;
  const format = said.format ?? byPath ?? shape.api?.format ?? BY_FRAMING[shape.framing];
  if (said.format === undefined && byPath === undefined) guessed.push(`format ${format}`);
  const direction = said.direction ?? directionOf(format, shape);
  if (said.direction === undefined) guessed.push(`direction ${direction}`);
  const sample = sampleOf(format);
  const path = said.path ?? pathFor(format, sample.path, direction, shape.framing);
  const contentType = said.contentType ?? typeFor(sample, direction, shape.framing);
  const lines = linesFor(said, format, path, contentType, direction);
  const detected = detectFormat({ path, contentType, direction }, lines).format.name;
  if (detected !== format) {
    throw new CliError(
      EXIT.badInput,
      printable(
        `\`${path}\` with \`${contentType}\` is read as \`${detected}\`, not as \`${format}\`; leave out --path or --content-type, or say --format ${detected}`,
      ),
    );
  }
  return { format, direction, path, contentType, lines, guessed };
}

/** Streams and texts are mostly answers. */
function directionOf(format: Format['name'], { api, framing }: Shape): Direction {
  if (api !== undefined && (api.format === format || framing === 'document')) return api.direction;
  return 'response';
}

/** In the path of Gemini stands how it answers. */
function pathFor(
  format: Format['name'],
  sample: string,
  direction: Direction,
  framing: Framing,
): string {
  if (format !== 'gemini' || direction === 'request' || framing === 'document') return sample;
  const streaming = sample.replace(':generateContent', ':streamGenerateContent');
  return framing === 'events' ? `${streaming}?alt=sse` : streaming;
}

function typeFor(
  { media }: { readonly media: string },
  direction: Direction,
  framing: Framing,
): string {
  return media === JSON_TYPE && direction === 'response' && framing === 'events' ? EVENTS : media;
}

/** The table of the server; where it would say otherwise, with a line of the author's before it. */
function linesFor(
  { routes, textPaths }: Said,
  format: Format['name'],
  path: string,
  contentType: string,
  direction: Direction,
): readonly ApiLine[] {
  const lines = apiLines(routes);
  const known = detectFormat({ path, contentType, direction }, lines).format.name === format;
  if (!ROUTE_FORMATS.includes(format) || (known && textPaths === undefined)) return lines;
  const route = { path: path.split(/[?#]/, 1)[0]!, format, ...(textPaths && { textPaths }) };
  try {
    return apiLines([route, ...routes]);
  } catch {
    throw new CliError(
      EXIT.badInput,
      'a --text-path cannot be read; write names joined by dots, `[]` for elements: messages[].content',
    );
  }
}
