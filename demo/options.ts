/** Arguments of the launcher. */
export interface LaunchOptions {
  readonly envoy: boolean;
  /** Port that clients use. */
  readonly port: number;
  /** Directory of policy documents, as given. */
  readonly policies: string;
  readonly help: boolean;
  /** Handed to `switchyard serve` as they are: everything after `--`. */
  readonly serveArguments: readonly string[];
}

export const DEFAULT_PORT = 10_000;

export const USAGE = `Starts Switchyard with a real Envoy before it and a small demo model provider behind it.

  npm start -- [options] [-- arguments of \`switchyard serve\`]

  --port PORT      port for clients (default ${DEFAULT_PORT}; another when it is taken)
  --policies DIR   directory of policy documents (default policies)
  --no-envoy       only Switchyard: bring your own Envoy; PORT is then Switchyard's
  --help           this
`;

function portOf(text: string | undefined): number {
  const port = Number(text);
  if (text === undefined || !/^\d+$/.test(text) || port < 1 || port > 65_535)
    throw new Error(`--port wants a number from 1 to 65535, not \`${text ?? ''}\``);
  return port;
}

/** Throws an Error with a sentence for the person at the terminal. */
export function readOptions(args: readonly string[]): LaunchOptions {
  const end = args.indexOf('--');
  const own = end === -1 ? args : args.slice(0, end);
  let options: LaunchOptions = {
    envoy: true,
    port: DEFAULT_PORT,
    policies: 'policies',
    help: false,
    serveArguments: end === -1 ? [] : args.slice(end + 1),
  };
  for (let at = 0; at < own.length; at++) {
    const [name = '', inline] = splitOnce(own[at] ?? '');
    const value = (): string | undefined => inline ?? own[++at];
    if (name === '--no-envoy') options = { ...options, envoy: false };
    else if (name === '--help') options = { ...options, help: true };
    else if (name === '--port') options = { ...options, port: portOf(value()) };
    else if (name === '--policies') options = { ...options, policies: wanted(name, value()) };
    else throw new Error(`unknown option \`${name}\`; \`npm start -- --help\` lists them`);
  }
  return options;
}

function splitOnce(text: string): readonly [string, string?] {
  const at = text.indexOf('=');
  return at === -1 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

function wanted(name: string, value: string | undefined): string {
  if (value === undefined || value === '') throw new Error(`${name} wants a value`);
  return value;
}
