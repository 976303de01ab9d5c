/** What the schema of the configuration says against a file, as sentences for its author. */
import type { TLocalizedValidationError } from 'typebox/error';

export interface ConfigFault {
  /** Keys and indexes from the root to the value. */
  readonly path: readonly string[];
  /** The key itself is wrong, not its value. */
  readonly unknownKey: boolean;
  /** Lower case, input in backticks. */
  readonly sentence: string;
}

/** One fault per place; `root` is where the checked value stands in the file. */
export function configFaults(
  errors: readonly TLocalizedValidationError[],
  root: readonly string[] = [],
): readonly ConfigFault[] {
  const faults = new Map<string, ConfigFault>();
  for (const error of errors) {
    // The error of the key itself says it.
    if (error.keyword === 'additionalProperties' || faults.has(error.instancePath)) continue;
    const path = [...root, ...error.instancePath.split('/').slice(1).map(unescaped)];
    const where = path.length === 0 ? 'the file' : `\`${path.join('.')}\``;
    faults.set(error.instancePath, {
      path,
      unknownKey: error.keyword === 'boolean',
      sentence: `${where} ${complaint(error)}`,
    });
  }
  return [...faults.values()];
}

function complaint(error: TLocalizedValidationError): string {
  switch (error.keyword) {
    case 'boolean':
      return 'is not a key here; remove it, or check its spelling';
    case 'enum':
      return `must be one of ${error.params.allowedValues.map((word) => `\`${word}\``).join(', ')}`;
    case 'const':
      return `must be \`${String(error.params.allowedValue)}\``;
    default:
      return error.message;
  }
}

/** JSON Pointer (RFC 6901 §4). */
function unescaped(token: string): string {
  return token.replaceAll('~1', '/').replaceAll('~0', '~');
}
