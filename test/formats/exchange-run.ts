/** One exchange of any API through the engine, in any cut. */
import { Exchange } from '../../src/engine/exchange.ts';
import { compile, giveChunk, headersEvent, RecordingPort, type Rig, rig } from '../engine/rig.ts';
import { bytesOf } from './chat-bodies.ts';

/** A set with a rewriting, a masking and a blocking rule, in both directions. */
export const GUARD = compile(`
kind: Policy
metadata: { name: guard, layer: platform }
class: security
rules:
  - { id: rival, inspect: [request, response, tool_call, tool_result, tool_definition], match: { keywords: { words: [Bank A] } }, then: { rewrite: { with: another bank } } }
  - { id: pii, inspect: [request, response, tool_call, tool_result, tool_definition], match: { pii: { entities: [email] } }, then: redact }
  - { id: zebra, inspect: [request, response, tool_call, tool_result, tool_definition], match: { keywords: { words: [Project Zebra] } }, then: { block: { message: No., as: refusal } } }
`);

/** The same, but answered with an error of the rule's own status. */
export const STRICT = compile(`
kind: Policy
metadata: { name: guard, layer: platform }
class: security
rules:
  - { id: zebra, inspect: [request, response], match: { keywords: { words: [Project Zebra] } }, then: { block: { message: No., status: 403 } } }
`);

/** A set that reads everything and finds nothing. */
export const IDLE = compile(`
kind: Policy
metadata: { name: idle, layer: platform }
class: security
rules:
  - { id: none, inspect: [request, response], match: { keywords: { words: [xyzzyplugh] } }, then: { block: { message: No. } } }
`);

/** A set that rewrites one word. */
export function rewriting(word: string, replacement: string) {
  return compile(`
kind: Policy
metadata: { name: one, layer: platform }
class: security
rules:
  - { id: word, inspect: [response], match: { keywords: { words: [${JSON.stringify(word)}] } }, then: { rewrite: { with: ${JSON.stringify(replacement)} } } }
`);
}

export interface Call {
  readonly path: string;
  readonly request?: string;
  readonly requestHeaders?: Readonly<Record<string, string>>;
  readonly responseType?: string;
}

export interface Run {
  readonly port: RecordingPort;
  readonly rig: Rig;
  readonly request: string;
  readonly response: string;
}

/** Asks with `call.request`, then answers with `pieces` if the request has passed. */
export function run(
  set: ReturnType<typeof compile>,
  call: Call,
  pieces: readonly Uint8Array[] = [],
): Run {
  const from = rig(set);
  const port = new RecordingPort();
  const exchange = new Exchange(from.deps, port);
  const headers = {
    ':method': 'POST',
    ':path': call.path,
    ':authority': 'api.example',
    'content-type': 'application/json',
    ...call.requestHeaders,
  };
  exchange.event(headersEvent('request', headers));
  const bytes = bytesOf(call.request ?? '{}');
  exchange.event({ kind: 'body', direction: 'request', bytes, endOfStream: true });
  if (port.refusal === undefined && pieces.length > 0) {
    const type = call.responseType ?? 'text/event-stream';
    exchange.event(headersEvent('response', { ':status': '200', 'content-type': type }));
    const open = () => !port.ended.has('response') && port.refusal === undefined;
    for (const piece of pieces) if (open()) giveChunk(exchange, 'response', piece, false);
    if (open())
      exchange.event({
        kind: 'body',
        direction: 'response',
        bytes: new Uint8Array(0),
        endOfStream: true,
      });
  }
  exchange.end('half_close');
  return { port, rig: from, request: port.sent('request'), response: port.sent('response') };
}

/** `bytes` in pieces that end at the given places (taken modulo the length). */
export function cutAt(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const at = [...new Set([0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length])].sort(
    (a, b) => a - b,
  );
  return at.slice(1).map((to, index) => bytes.subarray(at[index]!, to));
}

/** `text` in parts that end at the given places (taken modulo the length). */
export function textCutAt(text: string, cuts: readonly number[]): string[] {
  const at = [...new Set([0, ...cuts.map((cut) => cut % (text.length + 1)), text.length])].sort(
    (a, b) => a - b,
  );
  return at.slice(1).map((to, index) => text.slice(at[index]!, to));
}
