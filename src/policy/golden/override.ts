/**
 * `kind: GoldenOverride`: somebody who may has signed that one set serves although cases of it do not hold. What is
 * signed names the set and the cases by their digests, so that it lets nothing else in.
 */
import { type Static, Type } from 'typebox';
import { quote } from '../errors.ts';
import type { LoadedDocument } from '../load.ts';
import { child, plain } from '../located.ts';
import { accepts, type Report } from '../read.ts';
import { closed, words } from '../schema-parts.ts';
import type { SourcePosition } from '../set.ts';

/** Cases that one override may name. */
const CASES_MAX = 1_000;
const Digest = Type.String({ pattern: '^sha256:[0-9a-f]{64}$' });
const Name = Type.String({ minLength: 1, maxLength: 200 });

export const GoldenOverrideSchema = Type.Object(
  {
    apiVersion: Type.Optional(words(['switchyard/v1'])),
    kind: words(['GoldenOverride']),
    /** The set that it lets in. */
    set: Digest,
    cases: Type.Array(Type.Object({ policy: Name, name: Name, digest: Digest }, closed), {
      minItems: 1,
      maxItems: CASES_MAX,
    }),
    by: Type.String({ pattern: '^[A-Za-z0-9._@-]{1,64}$' }),
    reason: Type.String({ minLength: 1, maxLength: 256, pattern: '^[^\\n\\r]*$' }),
    until: Type.String({ 'x-example': '2026-01-31T03:00:00Z' }),
    /** Name that the server's configuration gives to the key. */
    key: Type.String({ pattern: '^[A-Za-z0-9]([A-Za-z0-9._-]{0,62}[A-Za-z0-9])?$' }),
    /** Ed25519 (RFC 8032) of `overrideText`, in base64. */
    signature: Type.String({ pattern: '^[A-Za-z0-9+/]{86}==$' }),
  },
  closed,
);

type OverrideDocument = Static<typeof GoldenOverrideSchema>;

export type OverriddenCase = OverrideDocument['cases'][number];

/** What is signed. */
export type OverrideStatement = Pick<
  OverrideDocument,
  'set' | 'cases' | 'by' | 'reason' | 'until' | 'key'
>;

export interface GoldenOverride extends OverrideStatement {
  readonly signature: string;
  /** Wall clock, ms since the epoch. */
  readonly untilMs: number;
  readonly position: SourcePosition;
}

/** Undefined when something was reported. */
export function readOverride(document: LoadedDocument, report: Report): GoldenOverride | undefined {
  const { root } = document;
  if (!accepts(GoldenOverrideSchema, root, 'golden override', report)) return undefined;
  const { apiVersion: _, kind: __, ...written } = plain(root) as OverrideDocument;
  const untilMs = timeOf(written.until);
  if (untilMs === undefined) {
    report(
      child(root, 'until')?.at ?? root.at,
      'bad_unit',
      `${quote(written.until)} is no time; write one as \`2026-01-31T03:00:00Z\``,
    );
    return undefined;
  }
  const position = Object.freeze({ file: document.file, ...document.position(root.at) });
  return Object.freeze({ ...written, untilMs, position });
}

function timeOf(text: string): number | undefined {
  const ms = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/.test(text)
    ? Date.parse(text)
    : Number.NaN;
  return Number.isNaN(ms) ? undefined : ms;
}

/**
 * The text that is signed: its first line keeps a signature from meaning anything elsewhere, the second is one
 * JSON array with every field in its place.
 */
export function overrideText({ set, cases, by, reason, until, key }: OverrideStatement): string {
  const named = cases.map(({ policy, name, digest }) => [policy, name, digest]);
  return `switchyard golden override v1\n${JSON.stringify([set, named, by, reason, until, key])}`;
}

/** Names a case by what it says: another one under its name is another case. */
export function caseDigest(
  golden: { readonly policy: string; readonly canonical: string },
  sha256: (text: string) => string,
): string {
  return `sha256:${sha256(JSON.stringify([golden.policy, golden.canonical]))}`;
}
