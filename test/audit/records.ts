/** Records for the tests of this folder. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DecisionRecord, TransitionRecord } from '../../src/audit/record.ts';

export function decision(exchange: string, over: Partial<DecisionRecord> = {}): DecisionRecord {
  return {
    kind: 'process',
    exchange,
    requestId: `h:${exchange}`,
    atMs: 1_700_000_000_000,
    durationMs: 1.5,
    epoch: 3,
    set: 'sha256:00',
    cohort: 'control',
    verdict: 'deny',
    code: 'policy',
    degraded: false,
    phase: 'request',
    facts: {},
    route: 'chat',
    format: 'openai.chat',
    status: 403,
    findings: [],
    findingsDropped: 0,
    errors: [],
    breakers: [],
    requestBytes: 10,
    responseBytes: 0,
    ...over,
  };
}

export const TRANSITION: TransitionRecord = {
  kind: 'transition',
  atMs: 1_700_000_000_000,
  epoch: 4,
  transition: 'rollback',
  from: 'sha256:01',
  to: 'sha256:00',
  by: 'judge',
  reason: 'deny_rate',
  evidence: { eValue: 812.5, metric: 'deny_rate' },
};

export function temporaryDirectory(): { path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'switchyard-audit-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}
