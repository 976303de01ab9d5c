/**
 * Findings as SARIF 2.1.0 (OASIS), which code hosts show beside the lines that they are about. Paths are
 * relative to where the command ran, as those hosts want them.
 */
export interface Finding {
  /** Stable id of what is wrong: `golden_failed`. */
  readonly code: string;
  readonly level: 'error' | 'warning' | 'note';
  readonly message: string;
  readonly file: string;
  /** Both from 1. */
  readonly line: number;
  readonly column: number;
}

const SCHEMA =
  'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json';

/** `described`: what each code means, for those that occur. */
export function sarifLog(
  findings: readonly Finding[],
  version: string,
  described: (code: string) => string,
): string {
  const codes = [...new Set(findings.map(({ code }) => code))].sort();
  const log = {
    $schema: SCHEMA,
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'switchyard',
            semanticVersion: version,
            rules: codes.map((id) => ({ id, shortDescription: { text: described(id) } })),
          },
        },
        columnKind: 'utf16CodeUnits',
        results: findings.map(({ code, level, message, file, line, column }) => ({
          ruleId: code,
          ruleIndex: codes.indexOf(code),
          level,
          message: { text: message },
          locations: [
            {
              physicalLocation: {
                artifactLocation: { uri: uriOf(file) },
                region: { startLine: line, startColumn: column },
              },
            },
          ],
        })),
      },
    ],
  };
  return `${JSON.stringify(log, null, 2)}\n`;
}

/** A path as a relative reference: its parts escaped, its slashes kept. */
function uriOf(file: string): string {
  const escaped = file.split('/').map(encodeURIComponent).join('/');
  return file.startsWith('/') ? `file://${escaped}` : escaped;
}
