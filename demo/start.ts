/** The launcher behind `npm start`: demo provider, Switchyard, Envoy; ends them in the other order. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { readShippedConfig, renderEnvoyConfig } from './envoy-config.ts';
import { guide } from './guide.ts';
import { type LaunchOptions, readOptions, USAGE } from './options.ts';
import { freePort } from './ports.ts';
import { type RunningProcess, startProcess } from './processes.ts';
import { projectDirectory } from './project.ts';
import { startUpstream } from './upstream.ts';

const READY_TIMEOUT_MS = 30_000;
const ENVOY_ADMIN_PORT = 9_901;
const SWITCHYARD_PORT = 9_000;
const ADMIN_PORT = 9_002;

/** What must be ended, newest last. */
type Ending = () => Promise<void>;

async function startServer(
  options: LaunchOptions,
  directory: string,
  grpcPort: number,
  endings: Ending[],
): Promise<{ running: RunningProcess; adminPort: number; adminSocket: string }> {
  const adminPort = await freePort(ADMIN_PORT);
  // Relative, as the path of a socket may have no more than about 100 bytes.
  const at = (name: string): string => relative(projectDirectory, join(directory, name));
  const adminSocket = at('admin.sock');
  const running = await startProcess(
    process.execPath,
    [
      ...[join(projectDirectory, 'dist', 'src', 'main.js'), 'serve'],
      ...['--policies', resolve(options.policies), '--data', join(directory, 'data')],
      ...['--grpc', `127.0.0.1:${grpcPort}`, '--grpc-unix', at('grpc.sock')],
      ...['--admin', `127.0.0.1:${adminPort}`, '--admin-socket', adminSocket],
      ...options.serveArguments,
    ],
    { logFile: join(directory, 'switchyard.log') },
  );
  endings.push(running.stop);
  await running.line((line) => line.includes('"ready":true'), READY_TIMEOUT_MS);
  return { running, adminPort, adminSocket };
}

async function startEnvoy(
  binary: string,
  wantedPort: number,
  directory: string,
  ports: { readonly grpc: number; readonly upstream: number },
  endings: Ending[],
): Promise<{ running: RunningProcess; port: number; adminPort: number }> {
  const port = await freePort(wantedPort);
  const adminPort = await freePort(ENVOY_ADMIN_PORT);
  const file = join(directory, 'envoy.yaml');
  const addresses = {
    listenPort: port,
    adminPort,
    switchyard: [{ port: ports.grpc }],
    upstream: { port: ports.upstream },
    accessLog: join(directory, 'access.log'),
  };
  await writeFile(file, renderEnvoyConfig(await readShippedConfig(), addresses));
  const args = [
    ...['-c', file, '--disable-hot-restart', '--concurrency', '1', '-l', 'info'],
    ...['--file-flush-interval-msec', '200'],
  ];
  const running = await startProcess(binary, args, {
    logFile: join(directory, 'envoy.log'),
  });
  endings.push(running.stop);
  await running.line((line) => line.includes('starting main dispatch loop'), READY_TIMEOUT_MS);
  return { running, port, adminPort };
}

/** Resolves when a person or the system asks us to end, or when a part has ended by itself. */
function untilEnd(parts: readonly (readonly [string, RunningProcess])[]): Promise<number> {
  return new Promise((resolve) => {
    let isEnding = false;
    const end = (code: number): void => {
      isEnding = true;
      resolve(code);
    };
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => end(0));
    for (const [name, part] of parts)
      void part.exited.then(({ code, signal }) => {
        if (isEnding) return;
        process.stderr.write(`switchyard: ${name} has ended by itself (${signal ?? code})\n`);
        process.stderr.write(part.output().split('\n').slice(-6).join('\n'));
        end(1);
      });
  });
}

async function launch(
  options: LaunchOptions,
  envoyBinary: string | undefined,
  endings: Ending[],
): Promise<number> {
  const directory = join(projectDirectory, '.cache', 'demo');
  await mkdir(join(directory, 'data'), { recursive: true });
  const grpcPort = await freePort(envoyBinary !== undefined ? SWITCHYARD_PORT : options.port);
  const server = await startServer(options, directory, grpcPort, endings);
  const parts: (readonly [string, RunningProcess])[] = [['Switchyard', server.running]];
  const facts = {
    grpcAddress: `127.0.0.1:${grpcPort}`,
    adminPort: server.adminPort,
    adminSocket: server.adminSocket,
    policies: options.policies,
    ownPolicies: resolve(options.policies) !== join(projectDirectory, 'policies'),
    logDirectory: relative(process.cwd(), directory) || '.',
  };
  if (envoyBinary !== undefined) {
    const upstream = await startUpstream();
    endings.push(upstream.stop);
    const ports = { grpc: grpcPort, upstream: upstream.port };
    const envoy = await startEnvoy(envoyBinary, options.port, directory, ports, endings);
    parts.push(['Envoy', envoy.running]);
    const places = { envoyPort: envoy.port, envoyAdminPort: envoy.adminPort };
    process.stdout.write(guide({ ...facts, ...places }));
  } else process.stdout.write(guide(facts));
  return untilEnd(parts);
}

/**
 * Runs until it is ended; sets the exit code. Leaves no process behind.
 * `envoyBinary` is undefined where there is none; Switchyard then serves alone.
 */
export async function main(
  args: readonly string[],
  envoyBinary: string | undefined,
): Promise<void> {
  const endings: Ending[] = [];
  try {
    const options = readOptions(args);
    if (options.help) process.stdout.write(USAGE);
    else process.exitCode = await launch(options, options.envoy ? envoyBinary : undefined, endings);
  } catch (error) {
    process.stderr.write(`switchyard: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  } finally {
    for (const end of endings.reverse()) await end();
  }
}
