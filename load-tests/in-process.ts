/** The engine in this process with the shipped policies: no transport, real time, records thrown away. */

import { createHash, randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { NO_GUARD } from '../src/engine/active-rules.ts';
import type { Clock } from '../src/engine/clock.ts';
import { DEFAULT_FACTS } from '../src/engine/facts.ts';
import { HeldBudget } from '../src/engine/held-budget.ts';
import { LargeBodies } from '../src/engine/large-bodies.ts';
import { DEFAULT_LIMITS, type EngineLimits } from '../src/engine/limits.ts';
import { type EngineDeps, NO_METRICS } from '../src/engine/ports.ts';
import { RouteStances } from '../src/engine/route-stances.ts';
import { Serving } from '../src/engine/snapshot.ts';
import { subjectMemories } from '../src/engine/subject-memory.ts';
import { Turns } from '../src/engine/turns.ts';
import { compilePolicies } from '../src/policy/compile.ts';
import type { Direction, PolicySet } from '../src/policy/set.ts';
import type { HeadersEvent } from '../src/protocol/process.ts';
import { bodyDecoders } from '../src/transport/body-decoders.ts';

const POLICIES = fileURLToPath(new URL('../policies/', import.meta.url));

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** The documents of `policies/`, compiled. */
export function shippedPolicies(): PolicySet {
  const documents = readdirSync(POLICIES)
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => ({ path: name, text: readFileSync(`${POLICIES}${name}`, 'utf8') }));
  const result = compilePolicies(documents, { sha256 });
  if (!result.ok) throw new Error(JSON.stringify(result.errors));
  return result.set;
}

/** A set of which no rule is for anybody's traffic. */
export function policiesForNobody(): PolicySet {
  const text = `
kind: Policy
metadata: { name: elsewhere, layer: tenant, selector: { tenant: nobody } }
class: security
rules:
  - { id: zebra, inspect: [request, response], match: { keywords: { words: [Zebra] } }, then: block }
`;
  const result = compilePolicies([{ path: 'elsewhere.yaml', text }], {
    sha256,
  });
  if (!result.ok) throw new Error(JSON.stringify(result.errors));
  return result.set;
}

export const realClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after(delayMs, action) {
    const timer = setTimeout(action, delayMs);
    return () => clearTimeout(timer);
  },
  soon: (action) => void setImmediate(action),
};

export function engineDeps(
  set: PolicySet,
  clock: Clock = realClock,
  limits: Partial<EngineLimits> = {},
): EngineDeps {
  const serving = new Serving();
  serving.current = Object.freeze({
    epoch: 1,
    blue: set,
    retained: new Map([[set.digest, set]]),
  });
  const all = { ...DEFAULT_LIMITS, ...limits };
  return {
    clock,
    serving,
    limits: all,
    facts: DEFAULT_FACTS,
    trustedHeaders: [],
    decoders: bodyDecoders,
    xxh64: (_bytes, seed) => seed,
    sessionHash: () => undefined,
    keyedHash: () => '',
    newId: randomUUID,
    decisions: { denied() {}, allowed() {} },
    metrics: NO_METRICS,
    outcome() {},
    guard: NO_GUARD,
    held: new HeldBudget(all.heldBytesTotalMax),
    turns: new Turns(clock, all),
    largeBodies: new LargeBodies(all),
    subjects: subjectMemories(clock, DEFAULT_LIMITS),
    stances: new RouteStances(),
    onStoreLoss: 'deny',
  };
}

export function headersOf(
  direction: Direction,
  headers: Readonly<Record<string, string>>,
): HeadersEvent {
  return {
    kind: 'headers',
    direction,
    endOfStream: false,
    headers: { get: (name) => headers[name], entries: () => Object.entries(headers) },
    attribute: () => undefined,
    metadata: () => undefined,
  };
}

export const CHAT_REQUEST = {
  ':method': 'POST',
  ':path': '/v1/chat/completions',
  ':authority': 'llm.example',
  'content-type': 'application/json',
};

/** A request for a stream that no rule minds. */
export const ASKED = Buffer.from(
  '{"model":"m","stream":true,"messages":[{"role":"user","content":"hi"}]}',
);

/** One event of such a stream. */
export const event = (content: string): string =>
  `data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":${JSON.stringify(content)}},"finish_reason":null}]}\n\n`;
