/** Presidio's pattern recognisers over the same texts, in a Python of their own: `setup/presidio.mjs` puts it there. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LabelledText, Span } from './scoring.ts';

const PYTHON = new URL('../../.cache/presidio/bin/python', import.meta.url).pathname;
const SCRIPT = new URL('presidio.py', import.meta.url).pathname;

/** What Presidio calls our labels. */
const LABELS: Readonly<Record<string, string>> = {
  EMAIL_ADDRESS: 'EMAIL',
  PHONE_NUMBER: 'PHONE',
  IBAN_CODE: 'IBAN',
  CRYPTO: 'CRYPTO_ADDRESS',
  US_DRIVER_LICENSE: 'DRIVING_LICENCE',
  UK_DRIVING_LICENCE: 'DRIVING_LICENCE',
  US_PASSPORT: 'PASSPORT',
  UK_PASSPORT: 'PASSPORT',
  IN_PASSPORT: 'PASSPORT',
  DE_PASSPORT: 'PASSPORT',
  ES_PASSPORT: 'PASSPORT',
  IT_PASSPORT: 'PASSPORT',
  IT_DRIVER_LICENSE: 'DRIVING_LICENCE',
  US_MBI: 'US_MEDICARE_MBI',
  ABA_ROUTING_NUMBER: 'US_BANK_ROUTING',
  FI_PERSONAL_IDENTITY_CODE: 'FI_HETU',
  SG_NRIC_FIN: 'SG_NRIC',
  TR_NATIONAL_ID: 'TR_TCKN',
  ZA_ID_NUMBER: 'ZA_ID',
};

export interface Presidio {
  readonly version: string;
  readonly types: ReadonlySet<string>;
  readonly findings: ReadonlyMap<string, readonly Span[]>;
  readonly microseconds: number;
}

interface Answer {
  readonly version: string;
  readonly types: readonly string[];
  readonly seconds: number;
  readonly rows: readonly { readonly id: string; readonly spans: readonly Span[] }[];
}

const labelOf = (type: string): string => LABELS[type] ?? type;

/** Undefined, and the reason on the error stream, where it is not there. */
export function presidioFindings(texts: readonly LabelledText[]): Presidio | undefined {
  if (!existsSync(PYTHON)) {
    process.stderr.write('Presidio is not beside us: `node setup/presidio.mjs` fetches it\n');
    return undefined;
  }
  const work = mkdtempSync(join(tmpdir(), 'presidio-'));
  try {
    const input = join(work, 'texts.json');
    const output = join(work, 'findings.json');
    // Offsets of Python are code points: texts with characters outside the basic plane would not fit ours.
    writeFileSync(input, JSON.stringify(texts.map(({ id, text }) => ({ id, text }))));
    execFileSync(PYTHON, [SCRIPT, input, output], { stdio: ['ignore', 'ignore', 'ignore'] });
    const answer = JSON.parse(readFileSync(output, 'utf8')) as Answer;
    const findings = new Map(
      answer.rows.map(({ id, spans }) => [
        id,
        spans.map(({ start, end, type }) => ({ start, end, type: labelOf(type) })),
      ]),
    );
    return {
      version: answer.version,
      types: new Set(answer.types.map(labelOf)),
      findings,
      microseconds: (1_000_000 * answer.seconds) / texts.length,
    };
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
