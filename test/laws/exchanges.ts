/** Bodies through a whole exchange: what has left after every part, and what a refusal said. */
import { Exchange } from '../../src/engine/exchange.ts';
import { apiLines } from '../../src/formats/detect.ts';
import { compilePolicies } from '../../src/policy/compile.ts';
import type { PolicySet } from '../../src/policy/set.ts';
import type { HeaderMutation } from '../../src/protocol/process.ts';
import { giveChunk, headersEvent, RecordingPort, rig, sha256 } from '../engine/rig.ts';
import { documentOf, type LawRule } from './rules.ts';

/** Where an API is asked, with what, and how its answer is labelled. */
export interface Call {
  readonly path: string;
  readonly question: string;
  readonly answerType: string;
}

const EVENTS = 'text/event-stream';
const JSON_TYPE = 'application/json';
const CHAT = '{"model":"m","stream":true,"messages":[{"role":"user","content":"hi"}]}';

export const CALLS = {
  'openai.chat': { path: '/v1/chat/completions', question: CHAT, answerType: EVENTS },
  'openai.responses': {
    path: '/v1/responses',
    question: '{"model":"m","stream":true,"input":"hi"}',
    answerType: EVENTS,
  },
  'anthropic.messages': { path: '/v1/messages', question: CHAT, answerType: EVENTS },
  'gemini.events': {
    path: '/v1beta/models/m:streamGenerateContent?alt=sse',
    question: '{"contents":[]}',
    answerType: EVENTS,
  },
  'gemini.array': {
    path: '/v1beta/models/m:streamGenerateContent',
    question: '{"contents":[]}',
    answerType: JSON_TYPE,
  },
  gemini: {
    path: '/v1beta/models/m:generateContent',
    question: '{"contents":[]}',
    answerType: JSON_TYPE,
  },
  mcp: {
    path: '/mcp',
    question:
      '{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"look_up","arguments":{}}}',
    answerType: EVENTS,
  },
  sse: { path: '/words', question: '', answerType: EVENTS },
  ndjson: { path: '/words', question: '', answerType: 'application/x-ndjson' },
  text: { path: '/words', question: '', answerType: 'text/plain' },
  json: { path: '/any/json', question: '{}', answerType: JSON_TYPE },
} as const satisfies Record<string, Call>;

const ROUTES = apiLines([{ path: '/any/json', format: 'json' }]);

/** The set of some rules; undefined when the compiler refuses them, as when one writes what another forbids. */
export function compiled(
  rules: readonly LawRule[],
  inspect: 'request' | 'response' = 'response',
): PolicySet | undefined {
  const result = compilePolicies([{ path: 'laws.yaml', text: documentOf(rules, inspect) }], {
    sha256,
  });
  return result.ok ? result.set : undefined;
}

export interface Outcome {
  /** Bytes that had left after each part, and last after the end. */
  readonly leftAfter: readonly number[];
  readonly output: Uint8Array;
  /** Our own answer instead. */
  readonly refusal: { readonly status: number; readonly body: string } | undefined;
  readonly ended: boolean;
  /** Why the exchange ended. */
  readonly code: string | undefined;
  /** What became of the body's headers. */
  readonly mutation: HeaderMutation | undefined;
}

/** How the end of a body is told. */
export type Ending = 'with the last part' | 'by an empty part' | 'by trailers';

/** Everything that one set needs, for many bodies. */
export class Rehearsal {
  readonly #deps;
  #code: string | undefined;

  constructor(set: PolicySet) {
    const from = rig(set);
    const note = (record: { readonly code: string }): void => {
      this.#code = record.code;
    };
    this.#deps = {
      ...from.deps,
      formats: ROUTES,
      decisions: { denied: note, allowed: note },
      outcome: () => {},
      newId: () => 'x1',
    };
  }

  /** An answer in parts. `more`: headers of it. */
  answer(
    call: Call,
    parts: readonly Uint8Array[],
    ending: Ending = 'by an empty part',
    type = call.answerType,
    more: Readonly<Record<string, string>> = {},
  ): Outcome {
    const { exchange, port } = this.#open();
    const question = Buffer.from(call.question);
    exchange.event(
      headersEvent('request', headersOf(call.path, JSON_TYPE), {
        endOfStream: question.length === 0,
      }),
    );
    if (question.length > 0)
      exchange.event({ kind: 'body', direction: 'request', bytes: question, endOfStream: true });
    if (port.refusal !== undefined) throw new Error('a harmless question was refused');
    exchange.event(headersEvent('response', { ':status': '200', 'content-type': type, ...more }));
    return this.#feed(exchange, port, 'response', parts, ending);
  }

  /** A request in parts. `more`: headers of it. */
  request(
    path: string,
    type: string,
    parts: readonly Uint8Array[],
    ending: Ending = 'by an empty part',
    more: Readonly<Record<string, string>> = {},
  ): Outcome {
    const { exchange, port } = this.#open();
    exchange.event(headersEvent('request', { ...headersOf(path, type), ...more }));
    return this.#feed(exchange, port, 'request', parts, ending);
  }

  #open(): { exchange: Exchange; port: RecordingPort } {
    const port = new RecordingPort();
    this.#code = undefined;
    return { exchange: new Exchange(this.#deps, port), port };
  }

  #feed(
    exchange: Exchange,
    port: RecordingPort,
    direction: 'request' | 'response',
    parts: readonly Uint8Array[],
    ending: Ending,
  ): Outcome {
    const sent = port.body_[direction];
    const leftAfter: number[] = [];
    let left = 0;
    let counted = 0;
    const over = (): boolean => port.ended.has(direction) || port.refusal !== undefined;
    const give = (bytes: Uint8Array, endOfStream: boolean): void => {
      giveChunk(exchange, direction, bytes, endOfStream);
      for (; counted < sent.length; counted++) left += sent[counted]!.length;
    };
    for (const [index, bytes] of parts.entries()) {
      if (over()) break;
      give(bytes, ending === 'with the last part' && index === parts.length - 1);
      leftAfter.push(left);
    }
    if (!over()) {
      if (ending === 'by trailers')
        exchange.event({ ...headersEvent(direction, {}), kind: 'trailers' });
      else give(new Uint8Array(0), true);
      for (; counted < sent.length; counted++) left += sent[counted]!.length;
      leftAfter.push(left);
    }
    if (port.failed !== undefined) throw new Error(port.failed);
    const ended = over();
    exchange.end('half_close');
    return {
      leftAfter,
      output: Buffer.concat(sent),
      refusal: port.refusal,
      ended,
      code: this.#code,
      mutation: port.mutations[direction],
    };
  }
}

function headersOf(path: string, type: string): Readonly<Record<string, string>> {
  return { ':method': 'POST', ':path': path, ':authority': 'llm.example', 'content-type': type };
}

/** `bytes` cut at the given places, each below its length. */
export function cutAt(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const at = [...new Set([0, ...cuts, bytes.length])].sort((a, b) => a - b);
  return at.slice(1).map((to, index) => bytes.subarray(at[index]!, to));
}
