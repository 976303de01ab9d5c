/**
 * The Model Context Protocol over Streamable HTTP (revisions 2025-03-26 to 2026-07-28): JSON-RPC
 * messages as documents or events. A message is one frame and leaves whole or not at all.
 */
import { Buffer } from 'node:buffer';
import type {
  AppendForm,
  BodyReader,
  Cut,
  Edit,
  Format,
  Frame,
  Refusal,
  RefusalResponse,
  RequestHeaders,
} from './frame.ts';
import type { Opened } from './frame-reading.ts';
import type { JsonNode } from './json.ts';
import { JsonDocumentReader } from './json-document.ts';
import { jsonFrame, unreadableFrame } from './json-frame.ts';
import { type EventSource, JsonStreamReader } from './json-stream.ts';
import { DEFAULT_FORMAT_LIMITS, type FormatLimits } from './limits.ts';
import { MCP_NAMES, type McpMessage, type McpReading, readMcp } from './mcp-message.ts';
import { mcpRefusalResponse, refusalMessages } from './mcp-refusal.ts';
import type { Pace } from './pace.ts';
import { KeyCounter, PieceCollector } from './piece-collector.ts';

/** An endpoint's usual name; others are named by configuration. */
export const MCP_PATH = /\/mcp\/?$/i;

/** What one exchange has asked: refusals name the request that they answer. */
interface Conversation {
  /** Requests that wait for an answer. */
  open: McpMessage[];
  batch: boolean;
  mismatch: boolean;
  /** The request's body was read. */
  read: boolean;
}

interface McpFrame extends Frame {
  readonly mcp: readonly McpMessage[];
}

function isMcpFrame(frame: Frame): frame is McpFrame {
  return 'mcp' in frame;
}

/** The format of one exchange: that of the request remembers what was asked, for its answer. */
export function mcpAt(spoken: { readonly requestFormat?: Format }): Format {
  return spoken.requestFormat?.name === 'mcp'
    ? spoken.requestFormat
    : mcpWith(DEFAULT_FORMAT_LIMITS);
}

/** A format for one exchange with limits of its own. */
export function mcpWith(limits: FormatLimits): Format {
  const talk: Conversation = { open: [], batch: false, mismatch: false, read: false };
  return Object.freeze({
    name: 'mcp' as const,
    messages: 'none' as const,
    reader(direction: 'request' | 'response', streamed: boolean): BodyReader {
      if (direction === 'request') return new McpRequestReader(limits, talk);
      return streamed ? new McpEventReader(limits, talk) : new McpAnswerReader(limits, talk);
    },
    refusalResponse: (refusal: Refusal, status: number, as: 'error' | 'refusal'): RefusalResponse =>
      mcpRefusalResponse(refusal, status, as, {
        requests: talk.open,
        batch: talk.batch,
        mismatch: talk.mismatch,
        read: talk.read,
      }),
    asked(body: Uint8Array): void {
      const reader = new McpRequestReader(limits, talk);
      reader.push(body);
      reader.end();
    },
    contradicts(headers: RequestHeaders, frame: Frame): boolean {
      if (!isMcpFrame(frame)) return false;
      const said = saidBy(headers);
      const differs =
        (headers.get('mcp-session-id') ?? '').includes(' ') ||
        frame.mcp.some((message) => !agrees(message, said));
      if (differs) talk.mismatch = true;
      return differs;
    },
  });
}

/** What headers repeat of a message; of a batch all are compared with the same. */
interface SaidByHeaders {
  readonly method: string | undefined;
  readonly name: string | undefined;
  readonly version: string | undefined;
  readonly params: readonly string[];
}

function saidBy(headers: RequestHeaders): SaidByHeaders {
  const word = (name: string): string | undefined => {
    const written = headers.get(name);
    return written === undefined ? undefined : decoded(written);
  };
  return {
    method: word('mcp-method'),
    name: word('mcp-name'),
    version: headers.get('mcp-protocol-version'),
    params: headers
      .entries()
      .filter(([name]) => name.startsWith(PARAM_HEADER))
      .map(([, value]) => decoded(value)),
  };
}

/** Proxies route by these headers: a message that they do not describe was not what was let through. */
function agrees(message: McpMessage, { method, name, version, params }: SaidByHeaders): boolean {
  return (
    (method === undefined || method === (message.method ?? '')) &&
    (name === undefined || name === (message.name ?? '')) &&
    versionAgrees(message, version) &&
    params.every((value) => message.holds(value))
  );
}

/** Which property a header repeats stands in the tool's schema, which is not here: some property must have it. */
const PARAM_HEADER = 'mcp-param-';
/** From this revision on every request says its version in its body as well. */
const VERSION_IN_BODY = '2026-07-28';

function versionAgrees({ kind, version }: McpMessage, header: string | undefined): boolean {
  if (header === undefined) return true;
  if (version !== undefined) return version === header;
  return kind !== 'request' || header < VERSION_IN_BODY;
}

const BASE64_VALUE = /^=\?base64\?([A-Za-z0-9+/]*={0,2})\?=$/;

/** Values that no header can carry come in Base64 between `=?base64?` and `?=`. */
function decoded(value: string): string {
  const encoded = BASE64_VALUE.exec(value)?.[1];
  return encoded === undefined ? value : Buffer.from(encoded, 'base64').toString('utf8');
}

const IMPOSSIBLE: AppendForm = Object.freeze({ kind: 'impossible' });

function openDocument(
  root: JsonNode,
  bytes: Uint8Array,
  direction: 'request' | 'response',
  pace: Pace | undefined,
): { readonly collector: PieceCollector; readonly frame: () => Frame | McpFrame } {
  const collector = new PieceCollector(bytes, new KeyCounter(), pace);
  const reading = readMcp(root, bytes, collector, direction);
  return { collector, frame: () => documentFrame(reading(), bytes, collector) };
}

function documentFrame(
  reading: McpReading,
  bytes: Uint8Array,
  collector: PieceCollector,
): Frame | McpFrame {
  if (!reading.ok) return unreadableFrame(bytes, reading.reason);
  const { pieces, literals, tools, entries } = collector;
  // Servers of tools have no models to ask for.
  const request = { modelInDoubt: false, stream: false };
  const parts = { raw: bytes, data: bytes, pieces, literals, tools, entries, ends: [], request };
  return Object.assign(jsonFrame(parts), { mcp: reading.messages });
}

class McpRequestReader extends JsonDocumentReader {
  readonly #talk: Conversation;

  constructor(limits: FormatLimits, talk: Conversation) {
    super(limits, MCP_NAMES);
    this.#talk = talk;
  }

  protected override read(root: JsonNode, bytes: Uint8Array, pace: Pace | undefined): Opened {
    const { collector, frame } = openDocument(root, bytes, 'request', pace);
    return { collector, frame: () => this.#heard(root, frame()) };
  }

  #heard(root: JsonNode, frame: Frame): Frame {
    if (!isMcpFrame(frame)) return frame;
    this.#talk.open = frame.mcp.filter((message) => message.kind === 'request');
    this.#talk.batch = root.kind === 'array';
    this.#talk.read = true;
    return frame;
  }

  protected override readArray(root: JsonNode, bytes: Uint8Array, pace: Pace | undefined): Opened {
    return this.read(root, bytes, pace);
  }

  refuse(): readonly Uint8Array[] {
    return [];
  }

  append(): AppendForm {
    return IMPOSSIBLE;
  }
}

class McpAnswerReader extends JsonDocumentReader {
  readonly #talk: Conversation;

  constructor(limits: FormatLimits, talk: Conversation) {
    super(limits, MCP_NAMES);
    this.#talk = talk;
  }

  protected override read(root: JsonNode, bytes: Uint8Array, pace: Pace | undefined): Opened {
    return openDocument(root, bytes, 'response', pace);
  }

  protected override readArray(root: JsonNode, bytes: Uint8Array, pace: Pace | undefined): Opened {
    return this.read(root, bytes, pace);
  }

  refuse(refusal: Refusal): readonly Uint8Array[] {
    if (this.begun) return [];
    const { open, batch } = this.#talk;
    const asked = { requests: open, batch, mismatch: false, read: true };
    return [Buffer.from(mcpRefusalResponse(refusal, 200, 'refusal', asked).body, 'utf8')];
  }

  append(): AppendForm {
    return IMPOSSIBLE;
  }
}

const NOTHING = new Uint8Array(0);

class McpEventReader extends JsonStreamReader {
  readonly #talk: Conversation;
  readonly #keys = new KeyCounter();
  /** Messages that a refusal keeps back, as half of one is none. */
  readonly #kept = new WeakSet<readonly McpMessage[]>();
  readonly #left = new WeakSet<readonly McpMessage[]>();

  constructor(limits: FormatLimits, talk: Conversation) {
    super(limits, MCP_NAMES);
    this.#talk = talk;
  }

  protected override read(root: JsonNode, source: EventSource, pace: Pace | undefined): Opened {
    const collector = new PieceCollector(source.data, this.#keys, pace);
    const reading = readMcp(root, source.data, collector, 'response');
    return { collector, frame: () => this.#frame(reading(), source, collector) };
  }

  #frame(reading: McpReading, source: EventSource, collector: PieceCollector): Frame {
    if (!reading.ok) return unreadableFrame(source.raw, reading.reason);
    const { pieces, literals, tools, entries } = collector;
    const { raw, data, lines } = source;
    const frame = jsonFrame({ raw, data, lines, pieces, literals, tools, entries, ends: [] });
    const mcp = reading.messages;
    const renderUnfinished = (edits: readonly Edit[], cuts?: readonly Cut[]): Uint8Array => {
      const cut = edits.some(
        ({ piece, end, replacement }) => replacement === '' && end === pieces[piece]!.value.length,
      );
      if (!cut) return frame.render(edits, cuts);
      this.#kept.add(mcp);
      return NOTHING;
    };
    return Object.assign(frame, { renderUnfinished, mcp });
  }

  protected override readArray(
    root: JsonNode,
    source: EventSource,
    pace: Pace | undefined,
  ): Opened {
    return this.read(root, source, pace);
  }

  override sent(frame: Frame): void {
    if (isMcpFrame(frame) && this.#kept.has(frame.mcp)) return;
    super.sent(frame);
    if (!isMcpFrame(frame)) return;
    this.#left.add(frame.mcp);
    const answered = new Set(
      frame.mcp.filter(({ kind }) => kind === 'response').map(({ id }) => id),
    );
    this.#talk.open = this.#talk.open.filter(({ id }) => !answered.has(id));
  }

  /**
   * Answers every request that has none yet, and whose answer will not come: also one that this exchange
   * did not ask, as a stream may be resumed.
   */
  refuse(refusal: Refusal, unsent: readonly Frame[] = []): readonly Uint8Array[] {
    const { open } = this.#talk;
    const asked = new Set(open.map(({ id }) => id));
    const kept = unsent.filter(isMcpFrame).flatMap(({ mcp }) => (this.#left.has(mcp) ? [] : mcp));
    const unasked = kept.filter(
      ({ kind, id }) => kind === 'response' && id !== undefined && !asked.has(id),
    );
    const events = refusalMessages([...open, ...unasked], refusal).map((message) =>
      Buffer.from(`event: message\ndata: ${message}\n\n`, 'utf8'),
    );
    return events.length === 0 ? [] : this.following(events);
  }

  append(): AppendForm {
    return IMPOSSIBLE;
  }
}
