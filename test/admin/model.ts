/** A Control that records what it was asked, and a client that sends exactly what it is told to. */
import { mkdtempSync, rmSync } from 'node:fs';
import { type RequestOptions, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Control, ControlOutcome, ControlStatus } from '../../src/engine/control.ts';
import type { EffectiveReport } from '../../src/policy/effective.ts';

export const BLUE = `sha256:${'ab'.repeat(32)}`;
export const GREEN = `sha256:${'ac'.repeat(32)}`;

export const NOW_MS = Date.UTC(2030, 0, 2, 12, 0, 0);

export function status(over: Partial<ControlStatus> = {}): ControlStatus {
  return {
    version: '0.1.0',
    epoch: 12,
    health: 'SERVING',
    blue: {
      digest: BLUE,
      sinceMs: NOW_MS - 3_600_000,
      rules: 1,
      policies: [{ name: 'stop-the-leak', layer: 'platform' }],
      warnings: [],
    },
    quarantined: [],
    breakers: [],
    history: [],
    ...over,
  };
}

export interface ModelControl extends Control {
  readonly calls: { readonly name: string; readonly request: unknown }[];
  outcome: ControlOutcome | Error;
  now: ControlStatus;
  report: EffectiveReport | undefined;
}

export function modelControl(): ModelControl {
  const calls: { name: string; request: unknown }[] = [];
  const called = (name: string) => async (asked: unknown) => {
    calls.push({ name, request: asked });
    if (control.outcome instanceof Error) throw control.outcome;
    return control.outcome;
  };
  const control: ModelControl = {
    calls,
    outcome: { ok: true, epoch: 13, digest: GREEN, message: 'green became blue' },
    now: status(),
    report: undefined,
    status: () => control.now,
    canary: called('canary'),
    promote: called('promote'),
    rollback: called('rollback'),
    activate: called('activate'),
    setPosture: called('setPosture'),
    effective: (asked) => {
      calls.push({ name: 'effective', request: asked });
      return control.report;
    },
  };
  return control;
}

export interface Reply {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly text: string;
}

export function send(options: RequestOptions, body?: string | Buffer): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const sent = request({ agent: false, ...options }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text }),
      );
      response.on('error', reject);
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

export function temporaryDirectory(): { path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'sy-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}
