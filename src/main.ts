/**
 * The composition root: reads the configuration, joins the rings, starts what listens and stops it in the
 * order that fails no exchange. Everything else is told what to use.
 */
import { createHash, createHmac, randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { destination } from 'pino';
import { readTokenFile } from './admin/guard.ts';
import { startAdmin } from './admin/server.ts';
import { findRecords } from './audit/reader.ts';
import { openAuditWriter } from './audit/writer.ts';
import { CREDENTIALS_POLL_MS } from './classifiers/credentials.ts';
import { openClassifiers } from './classifiers/open-classifiers.ts';
import { CliError, EXIT } from './cli/exit.ts';
import { main } from './cli/main.ts';
import { createCheck } from './engine/check.ts';
import { detectorName } from './engine/classifiers.ts';
import { DECISION_CODES } from './engine/codes.ts';
import { Comparisons } from './engine/comparisons.ts';
import { type Compiled, PolicyController } from './engine/controller.ts';
import { Exchange } from './engine/exchange.ts';
import { FeedBook } from './engine/feeds.ts';
import { passGate } from './engine/golden/gate.ts';
import { HeldBudget } from './engine/held-budget.ts';
import { LargeBodies } from './engine/large-bodies.ts';
import { LoadGauge } from './engine/load.ts';
import { operatorControl } from './engine/operator-control.ts';
import { recordOverload } from './engine/overload.ts';
import type { EngineDeps } from './engine/ports.ts';
import { PostureKeeper } from './engine/posture.ts';
import { RestoreMaps } from './engine/restoring.ts';
import { RouteStances } from './engine/route-stances.ts';
import { type BreakerChange, DETECTORS, detectorGuard, ruleGuard } from './engine/rule-guard.ts';
import {
  type ConfigOverrides,
  environmentOverrides,
  resolveConfig,
  type ServerConfig,
} from './engine/server-config.ts';
import { SessionFactMemory } from './engine/session-facts.ts';
import { MemorySessionScores } from './engine/session-scores.ts';
import { Serving } from './engine/snapshot.ts';
import { subjectMemories } from './engine/subject-memory.ts';
import { SwapQueue } from './engine/swap-queue.ts';
import { Turns } from './engine/turns.ts';
import { warmUpDeps } from './engine/warm-up.ts';
import { apiLines } from './formats/detect.ts';
import { BREAKER_DEFAULTS } from './judge/breaker.ts';
import { Breakers } from './judge/breakers.ts';
import { compilePolicies, ReadingCache } from './policy/compile.ts';
import { formatCompileError } from './policy/errors.ts';
import type { ProcessPort } from './protocol/process.ts';
import type { SourceFile } from './rollout/activation.ts';
import { sessionHash } from './rollout/cohort.ts';
import { sipKey } from './rollout/siphash.ts';
import {
  DIRECTORY_LIMITS,
  type DirectoryReading,
  readDirectory,
} from './store/directory-reading.ts';
import { watchDirectory } from './store/directory-source.ts';
import { watchFeedFiles } from './store/feed-files.ts';
import { openFileStore } from './store/file-store.ts';
import { keyedHash } from './store/keyed-hash.ts';
import { loadOrCreateKey } from './store/keys.ts';
import { postureFile } from './store/posture-file.ts';
import { memorySealer } from './store/sealer.ts';
import { signatureCheck, signText } from './store/signatures.ts';
import { createXxh64 } from './store/xxh64.ts';
import { createLog } from './telemetry/log.ts';
import type { LogLevel } from './telemetry/log-events.ts';
import { createMetrics } from './telemetry/metrics.ts';
import { openSpans } from './telemetry/spans.ts';
import { tellSwap } from './telemetry/swap-events.ts';
import { bodyDecoders } from './transport/body-decoders.ts';
import type { GrpcServer, GrpcServerOptions } from './transport/grpc-server.ts';
import { startGrpcServer } from './transport/grpcjs/server.ts';
import { startHttp2Server } from './transport/http2/server.ts';
import type { ListenAddress } from './transport/listen.ts';
import { systemClock as clock } from './transport/system-clock.ts';
import { warmUp } from './transport/warm-up.ts';

const VERSION = '0.1.0';

/** Serves until SIGTERM or SIGINT; resolves when everything has stopped. */
async function serve(config: ServerConfig): Promise<void> {
  const log = createLog({
    level: config.log.level as LogLevel,
    // Standard output says one thing: that it serves, and where.
    destination: destination({ fd: 2, sync: true }),
  });
  // What Node prints of an error nobody caught is its message, which may quote anything (invariant 9).
  process.once('uncaughtException', (error) => {
    log.event('crashed', { error: error instanceof Error ? error.name : 'Error' });
    process.exit(CRASHED);
  });
  log.event('starting', { version: VERSION });
  const verify = signatureCheck(config.goldenOverrideKeys);
  const store = await openFileStore({ directory: config.data });
  const key = await loadOrCreateKey(`${config.data}/prf.key`);
  const [cohortKey, hashKey] = [sipKey(key), key.subarray(16)];
  const xxh64 = await createXxh64();
  const breakers = new Breakers(BREAKER_DEFAULTS, Math.random);
  const comparisons = new Comparisons();
  const metrics = createMetrics({
    version: VERSION,
    codes: DECISION_CODES,
    classifiers: config.classifiers.map(({ name }) => name),
    beforeRender: (own) =>
      own.setGauges({
        breakers: breakers.notClosed().map(({ rule, state }) => ({ rule, state: state.kind })),
        classifierBacklogs: classifiers.backlogs(),
        evidence: comparisons.evidence(clock.monotonicMs()),
        compileErrors: controller.status().directory?.errors.length ?? 0,
      }),
  });
  const audit = openAuditWriter({
    dir: `${config.data}/decisions`,
    observer: {
      written: (kind, count) => metrics.auditWritten(kind, count),
      lost: (count) => {
        metrics.auditLost(count);
        log.event('audit_lost', { count });
      },
      disk: (failing) => {
        metrics.auditFailing(failing !== undefined);
        log.event(failing === undefined ? 'audit_recovered' : 'audit_failing', {
          ...(failing !== undefined && { errno: failing }),
        });
      },
    },
  });
  const serving = new Serving();
  const stances = new RouteStances();
  const breakerChanged: BreakerChange = (rule, to) => {
    metrics.breakerTransition(rule, to);
    log.event('breaker', { rule, state: to });
  };
  const monotonicMs = () => clock.monotonicMs();
  const guard = ruleGuard(breakers, monotonicMs, breakerChanged);
  const classifiers = openClassifiers({
    classifiers: config.classifiers,
    environment: process.env,
    credentialsPollMs: CREDENTIALS_POLL_MS,
    onCredentials: (classifier, state) =>
      log.event(state === 'taken' ? 'credentials_taken' : 'credentials_refused', {
        rule: detectorName(classifier),
      }),
    clock,
    guard: detectorGuard(breakers, monotonicMs, breakerChanged),
    metrics,
    hash: (text) => createHmac('sha256', hashKey).update(text).digest('base64'),
  });
  const detectors = config.classifiers.map(({ name }) => detectorName(name));
  const queue = new SwapQueue();
  const cache = new ReadingCache();
  const healthListeners = new Set<() => void>();

  const controller: PolicyController = new PolicyController({
    clock,
    serving,
    queue,
    store,
    xxh64,
    stances,
    classifiers: config.classifiers.map(({ name }) => name),
    golden: (save) => {
      const { limits, formats: routes } = config;
      const means = { clock, decoders: bodyDecoders, xxh64, limits, routes };
      return passGate(save, { means, limits, verify, sha256: hexSha256 });
    },
    compile: (files) => compile(files, config.limits, cache),
    comparisons,
    recordTransition: (record) => audit.transition(record),
    onEvent: (event) => {
      tellSwap(event, log, metrics);
      if (event.kind === 'served') {
        metrics.rulesInUse(new Set([...rulesOf(serving), ...detectors]));
        const { blue, green } = serving.current;
        breakers.keepSets(new Set([blue?.digest ?? '', green?.set.digest ?? '', DETECTORS]));
      }
      for (const listener of healthListeners) listener();
    },
    watchMs: config.watchMs,
    directory: config.policies,
    version: VERSION,
    breakers: () =>
      breakers.notClosed().map(({ rule, digest, state }) => ({ rule, digest, state: state.kind })),
  });

  const posture = new PostureKeeper({
    clock,
    repository: postureFile(`${config.data}/posture.json`),
    epoch: () => serving.current.epoch,
    recordTransition: (record) => audit.transition(record),
    onEvent: (event) => {
      if (event.kind === 'failed') log.event('posture_failed');
      else log.event('posture', { state: event.state.posture, count: event.state.version });
    },
  });
  await posture.boot();
  const feeds = new FeedBook(config.feeds, {
    clock,
    limits: config.limits,
    sha256: hexSha256,
    epoch: () => serving.current.epoch,
    recordTransition: (record) => audit.transition(record),
    onEvent: (event) => {
      if (event.kind === 'refused') log.event('feed_refused');
      else log.event('feed_taken', { digest: event.digest, count: event.entries });
    },
  });
  const feedFiles = await watchFeedFiles({
    files: config.feeds,
    bytesMax: config.limits.feedBytesMax,
    onText: (name, text) => feeds.update(name, text),
    onFault: (name, code) => feeds.refuse(name, `its file could not be read: ${code}`),
  });
  const held = new HeldBudget(config.limits.heldBytesTotalMax, (delta) => metrics.held(delta));
  const load = new LoadGauge(clock, () => [held.bytes / held.bytesMax]);
  load.start();
  const sessionFacts = new SessionFactMemory(clock, config.limits);
  const { endpoint } = config.tracing;
  const spans =
    endpoint === undefined
      ? undefined
      : openSpans({
          ...config.tracing,
          endpoint,
          version: VERSION,
          counted: (outcome, count) => metrics.spans(outcome, count),
          failing: (fault) => log.event(fault ? 'spans_failing' : 'spans_recovered', fault),
        });

  const deps: EngineDeps = {
    clock,
    serving,
    limits: config.limits,
    facts: config.facts,
    claims: config.claims,
    trustedHeaders: config.trustedHeaders,
    formats: apiLines(config.formats),
    decoders: bodyDecoders,
    xxh64,
    sessionHash: (source, value) => sessionHash(cohortKey, source, value),
    keyedHash: keyedHash(hashKey),
    newId: randomUUID,
    decisions: audit,
    metrics,
    outcome: (outcome) => controller.observe(outcome),
    guard,
    held,
    turns: new Turns(clock, config.limits),
    largeBodies: new LargeBodies(config.limits),
    subjects: subjectMemories(clock, config.limits),
    stances,
    restores: new RestoreMaps(clock, memorySealer(), config.limits),
    world: {
      posture: () => posture.current,
      load: () => load.current,
      feed: (name) => feeds.get(name),
      session: (session) => sessionFacts.read(session),
    },
    sessionFacts,
    sessionScores: new MemorySessionScores(config.limits.scoredSessionsMax),
    classifiers,
    ...(spans && { traces: spans }),
    onStoreLoss: config.onStoreLoss === 'allow' ? 'allow' : 'deny',
  };

  let saves: Promise<void> = Promise.resolve();
  const source = await watchDirectory({
    directory: config.policies,
    onChange: (reading) => {
      saves = controller.directoryChanged(readingOf(reading));
    },
    onWatchError: (errno) => log.event('store_failed', { errno }),
  });
  try {
    await controller.boot(readingOf(source.current));
  } catch (error) {
    log.event('store_failed', { error: error instanceof Error ? error.name : 'Error' });
  }

  let stopping = false;
  let warm = config.grpc.warmUpMs === 0;
  const grpc = await startServer(config)({
    listen: listenAddresses(config),
    openProcess: (port) => new Exchange(deps, port),
    answerCheck: createCheck(deps),
    health: {
      serving: () => warm && (serving.current.blue !== undefined || config.onStoreLoss === 'allow'),
      onChange(listener) {
        healthListeners.add(listener);
        return () => healthListeners.delete(listener);
      },
    },
    limits: {
      streamsMax: config.grpc.streamsMax,
      receiveBytesMax: config.grpc.receiveBytesMax,
      drainDeadlineMs: config.grpc.drainDeadlineMs,
      drainRestMs: config.grpc.drainRestMs,
    },
    ...(config.grpc.defaultModes && { defaultModes: config.grpc.defaultModes }),
    onTransportEvent: (event) => {
      if (event.kind === 'fault') {
        metrics.failure(event.code);
        log.event('internal_error', { code: event.code });
      } else if (event.kind === 'stream_refused') {
        metrics.failure('streams_max');
        recordOverload(deps);
      } else if (event.kind === 'check_failed') metrics.failure('check_failed');
      else if (event.kind === 'stream_closed' && event.reset) metrics.failure('reset');
      else if (event.kind === 'connection_closed') metrics.connectionClosed(event.reason);
    },
  });
  const { tokenFile, tcp } = config.admin;
  const admin = await startAdmin({
    ...(config.admin.socket && { socketPath: config.admin.socket }),
    ...(tcp !== 'off' && {
      tcp: {
        ...hostAndPort(tcp),
        names: config.admin.names,
        ...(tokenFile && { token: readTokenFile(tokenFile) }),
      },
    }),
    control: operatorControl({ sets: controller, posture, feeds, load, exchanges: deps }),
    metrics,
    ready: () =>
      stopping
        ? 'stopping'
        : serving.current.blue
          ? warm
            ? undefined
            : 'warming up'
          : 'no policy set serves',
    decisions: (id) => {
      try {
        audit.flush();
      } catch {
        // What is in the files already is what somebody looks for when the disk fails.
      }
      return findRecords(`${config.data}/decisions`, { exchange: id, requestId: id, limit: 100 });
    },
    onInternalError: (error) => log.event('admin_error', { error }),
  });
  const adminTcp = admin.addresses.tcp;
  process.stdout.write(
    `${JSON.stringify({
      ready: true,
      grpc: grpc.addresses,
      admin: [
        ...(admin.addresses.socket ? [`unix:${admin.addresses.socket}`] : []),
        ...(adminTcp ? [`${adminTcp.host}:${adminTcp.port}`] : []),
      ],
    })}\n`,
  );

  const stop = stopSignal();
  if (!warm) {
    const made = await warmUp({
      startServer: startServer(config),
      server: warmUpServer(warmUpDeps(deps)),
      durationMs: config.grpc.warmUpMs,
      nowMs: monotonicMs,
    }).catch(() => 0);
    log.event('warm', { count: made });
    warm = true;
    for (const listener of healthListeners) listener();
  }
  await stop;
  stopping = true;
  log.event('stopping');
  await grpc.drain(config.grpc.drainMs);
  await source.close();
  await saves;
  await controller.close();
  load.stop();
  await feedFiles.close();
  await posture.close();
  await admin.close();
  classifiers.close();
  await spans?.close();
  audit.close();
  log.event('stopped');
}

/** Exit code of Node itself for an error nobody caught. */
const CRASHED = 1;

const hexSha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

function compile(
  files: readonly SourceFile[],
  { matcherBytesMax, tenantPercentMax }: ServerConfig['limits'],
  cache: ReadingCache,
): Compiled {
  const result = compilePolicies(files, {
    matcherBytesMax,
    tenantPercentMax,
    cache,
    sha256: hexSha256,
  });
  return result.ok ? result : { ok: false, errors: result.errors.map(formatCompileError) };
}

function warmUpServer(deps: EngineDeps) {
  return {
    openProcess: (port: ProcessPort) => new Exchange(deps, port),
    answerCheck: createCheck(deps),
  };
}

function startServer({ grpc }: ServerConfig): (options: GrpcServerOptions) => Promise<GrpcServer> {
  if (grpc.transport === 'grpc-js') return startGrpcServer;
  return (options) => startHttp2Server({ ...options, http2: grpc.http2 });
}

function readingOf(reading: DirectoryReading) {
  return {
    files: reading.files,
    errors: reading.errors.map(({ path, code, message }) => `${path}:1:1: ${code}: ${message}`),
  };
}

function listenAddresses(config: ServerConfig): readonly ListenAddress[] {
  const { tcp, unix, tls } = config.grpc;
  const addresses: ListenAddress[] = [];
  if (tcp !== 'off') {
    addresses.push({
      kind: 'tcp',
      ...hostAndPort(tcp),
      ...(tls && {
        tls: {
          cert: readFileSync(tls.certFile),
          key: readFileSync(tls.keyFile),
          ...(tls.caFile && { ca: readFileSync(tls.caFile) }),
          ...(tls.requireClientCert !== undefined && { requireClientCert: tls.requireClientCert }),
        },
      }),
    });
  }
  if (unix) addresses.push({ kind: 'unix', path: unix, mode: 0o660 });
  return addresses;
}

/** The rules that may still match: of the sets that serve, or were promised to an exchange. */
function rulesOf(serving: Serving): ReadonlySet<string> {
  const sets = [...serving.current.retained.values()];
  return new Set(sets.flatMap((set) => set.rules.map((rule) => rule.id)));
}

function hostAndPort(address: string): { host: string; port: number } {
  const at = address.lastIndexOf(':');
  const host = address.slice(0, at).replace(/^\[|\]$/gu, '');
  const port = Number(address.slice(at + 1));
  if (at < 0 || !Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new Error(`\`${address}\` is no address; write \`host:port\`, or \`off\``);
  }
  return { host: host === '' ? '127.0.0.1' : host, port };
}

function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    // A timer keeps the process alive while nothing listens any more but something must still end.
    const alive = setInterval(() => {}, 60_000);
    const stop = () => {
      clearInterval(alive);
      resolve();
    };
    process.once('SIGTERM', stop);
    process.once('SIGINT', stop);
  });
}

interface ServeFlags extends ConfigOverrides {
  readonly config?: string;
}

function addServe(program: Command): void {
  program
    .command('serve')
    .description('serve policies to Envoy')
    .option('--config <file>', 'configuration file (default: switchyard.yaml when there is one)')
    .option('--policies <dir>', 'watched directory of policy documents')
    .option('--grpc <host:port>', 'ext_proc and ext_authz over TCP; `off` for none')
    .option('--grpc-unix <path>', 'the same over a Unix socket')
    .option('--transport <name>', 'grpc-js, or fast for our own HTTP/2')
    .option('--warm-up-ms <ms>', 'exchanges of our own before it is ready; 0 for none')
    .option('--admin <host:port>', 'read-only admin API over TCP; `off` for none')
    .option('--admin-socket <path>', 'admin API for changes')
    .option('--otlp-endpoint <url>', 'where spans of sampled traces go, OTLP over HTTP')
    .option('--log-level <level>', 'debug, info, warn, error, fatal or silent')
    .action(async (flags: ServeFlags) => {
      const path =
        flags.config ??
        process.env.SWITCHYARD_CONFIG ??
        (existsSync('switchyard.yaml') ? 'switchyard.yaml' : undefined);
      // `--data` is an option of every command: only one that was given wins over the file.
      const given = program.getOptionValueSource('data') === 'cli';
      const resolved = resolveConfig(
        path === undefined ? undefined : { path, text: readFileSync(path, 'utf8') },
        environmentOverrides(process.env),
        { ...flags, ...(given && { data: program.getOptionValue('data') as string }) },
      );
      if (!resolved.ok) throw new CliError(EXIT.badInput, resolved.errors.join('\n'));
      await serve(resolved.config).catch((error: unknown) => {
        // What failed is the operator's: an address in use, a file that cannot be read.
        const reason = error instanceof Error ? error.message : 'unknown';
        process.stderr.write(`switchyard cannot serve: ${reason}\n`);
        // What was started already would keep the process alive.
        process.exit(EXIT.refused);
      });
    });
}

process.exitCode = await main({
  version: VERSION,
  readPolicies: (directory) => readDirectory(directory, DIRECTORY_LIMITS),
  trialMeans: async () => ({ clock, decoders: bodyDecoders, xxh64: await createXxh64() }),
  signatures: { check: signatureCheck, sign: signText },
  extend: addServe,
});
