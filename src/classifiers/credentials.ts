/**
 * What a classifier is shown of who asks: secrets in headers, and keys and certificates. Read at the start, and again
 * when the files change, as secrets that are rotated do. What cannot be used changes nothing.
 */
import { closeSync, constants, fstatSync, openSync, readFileSync, type Stats } from 'node:fs';
import { open } from 'node:fs/promises';
import { validateHeaderValue } from 'node:http';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import type { ClassifierConfig } from '../engine/classifier-config.ts';

/** How often files are compared. A change counts when two looks agree, so that no key comes without its certificate. */
export const CREDENTIALS_POLL_MS = 5_000;

/** No secret is as long. */
const FILE_BYTES_MAX = 1 << 20;

export interface Credentials {
  readonly headers: Readonly<Record<string, string>>;
  readonly tls: Pick<SecureContextOptions, 'ca' | 'cert' | 'key'>;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** By path. */
type Texts = ReadonlyMap<string, string>;

export interface CredentialsWatchOptions {
  readonly config: ClassifierConfig;
  readonly environment: Environment;
  readonly pollMs: number;
  /** Other files than before, in which nothing is wrong. */
  readonly onChange: (credentials: Credentials) => void;
  /** They cannot be read or used; those before stay. Told once for each such change. */
  readonly onFault: () => void;
}

/** Those of now, and looks for others until `close`. Throws an `Error` that quotes no value. */
export function watchCredentials(options: CredentialsWatchOptions): {
  readonly first: Credentials;
  close(): void;
} {
  const { config, environment, pollMs } = options;
  const paths = pathsOf(config);
  let used = new Map(paths.map((path) => [path, readNow(path)]));
  const first = credentialsOf(config, environment, used);
  if (paths.length === 0) return { first, close() {} };
  let seen: Texts | undefined = used;
  let refused: Texts | undefined;
  let unreadable = false;
  const look = async (): Promise<void> => {
    const now = await textsOf(paths);
    const settled = now === undefined ? seen === undefined : isSame(now, seen);
    seen = now;
    if (!settled) return;
    if (now === undefined) {
      if (!unreadable) options.onFault();
      unreadable = true;
      return;
    }
    unreadable = false;
    if (isSame(now, used) || isSame(now, refused)) return;
    try {
      const credentials = credentialsOf(config, environment, now);
      used = now;
      refused = undefined;
      options.onChange(credentials);
    } catch {
      refused = now;
      options.onFault();
    }
  };
  let closed = false;
  let timer: NodeJS.Timeout;
  const again = (): void => {
    if (closed) return;
    timer = setTimeout(() => void look().finally(again), pollMs);
    timer.unref();
  };
  again();
  return {
    first,
    close() {
      closed = true;
      clearTimeout(timer);
    },
  };
}

const pathsOf = ({ headers, tls }: ClassifierConfig): readonly string[] => [
  ...new Set(
    [...headers.map(({ file }) => file), tls?.caFile, tls?.certFile, tls?.keyFile].filter(
      (path) => path !== undefined,
    ),
  ),
];

const isSame = (a: Texts, b: Texts | undefined): boolean =>
  b !== undefined && [...a].every(([path, text]) => b.get(path) === text);

/** Throws for what cannot be sent, and for a key that is not its certificate's. */
function credentialsOf(
  config: ClassifierConfig,
  environment: Environment,
  texts: Texts,
): Credentials {
  const { tls } = config;
  const textAt = (path: string | undefined) => (path === undefined ? undefined : texts.get(path)!);
  const [ca, cert, key] = [textAt(tls?.caFile), textAt(tls?.certFile), textAt(tls?.keyFile)];
  const secure = {
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
  };
  try {
    createSecureContext(secure);
  } catch {
    // Its own message is about the value.
    throw new Error(`classifier \`${config.name}\`: its key and certificates cannot be used`);
  }
  return { headers: headersOf(config, environment, texts), tls: secure };
}

function headersOf(
  { name: classifier, headers }: ClassifierConfig,
  environment: Environment,
  texts: Texts,
): Readonly<Record<string, string>> {
  const entries = headers.map(({ name, env, file, prefix = '' }) => {
    const value = file === undefined ? environment[env ?? ''] : texts.get(file)!.trim();
    if (value === undefined || value === '')
      throw new Error(`classifier \`${classifier}\`: header \`${name}\` has no value`);
    const whole = `${prefix}${value}`;
    try {
      validateHeaderValue(name, whole);
    } catch {
      // Its own message is about the value.
      throw new Error(
        `classifier \`${classifier}\`: the value of header \`${name}\` cannot be sent`,
      );
    }
    return [name, whole] as const;
  });
  return Object.fromEntries(entries);
}

/** A pipe that nobody writes to would be waited for. */
const FLAGS = constants.O_RDONLY | constants.O_NONBLOCK;

function checkFile(path: string, found: Stats): void {
  if (!found.isFile()) throw new Error(`\`${path}\` is no regular file`);
  if (found.size > FILE_BYTES_MAX) throw new Error(`\`${path}\` is too large for a secret`);
}

function readNow(path: string): string {
  const file = openSync(path, FLAGS);
  try {
    checkFile(path, fstatSync(file));
    return readFileSync(file, 'utf8');
  } finally {
    closeSync(file);
  }
}

/** Undefined when one of them cannot be read. */
async function textsOf(paths: readonly string[]): Promise<Map<string, string> | undefined> {
  const texts = new Map<string, string>();
  try {
    for (const path of paths) {
      const file = await open(path, FLAGS);
      try {
        checkFile(path, await file.stat());
        texts.set(path, await file.readFile('utf8'));
      } finally {
        await file.close();
      }
    }
    return texts;
  } catch {
    return undefined;
  }
}
