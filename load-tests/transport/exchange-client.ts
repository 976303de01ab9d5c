/** The client in C that speaks as Envoy does; `native/exchange-client.c` says how it is asked. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { projectDirectory } from '../../demo/project.ts';
import { ensureNative } from '../../setup/native.mjs';
import { SHAPE_TITLES, type ShapeName, writeShape } from './corpus.ts';
import { LineProcess } from './line-process.ts';

export const FILES = join(projectDirectory, '.cache', 'native', 'files');

export interface Driven {
  readonly exchanges: number;
  readonly failed: number;
  /** Streams that were opened and kept. */
  readonly kept: number;
  readonly goaways: number;
  readonly elapsedNs: number;
  readonly clientCpuNs: number;
  readonly firstReplyP50Ns: number;
  readonly firstReplyP99Ns: number;
  readonly wholeP50Ns: number;
  readonly wholeP99Ns: number;
}

export type Ending = 'graceful' | 'reset';

export interface Load {
  readonly shape: ShapeName;
  readonly connections: number;
  /** Exchanges under way at any time, over all connections. */
  readonly streams: number;
}

export class ExchangeClient {
  private readonly process: LineProcess;

  private constructor(process: LineProcess) {
    this.process = process;
  }

  static async start(): Promise<ExchangeClient> {
    const client = new LineProcess(await ensureNative('exchange-client'));
    mkdirSync(FILES, { recursive: true });
    for (const name of Object.keys(SHAPE_TITLES) as ShapeName[]) {
      const file = join(FILES, `${name}.shape`);
      writeShape(name, file);
      await client.ask(`shape ${name} ${file}`);
    }
    return new ExchangeClient(client);
  }

  get pid(): number {
    return this.process.pid;
  }

  /** Drives for `durationMs`, then lets what is under way finish. Throws when an exchange failed. */
  async run(port: number, load: Load, durationMs: number, ending: Ending = 'graceful') {
    const { shape, connections, streams } = load;
    const driven = await this.process.ask<Driven>(
      `run ${port} ${shape} ${connections} ${streams} ${durationMs} ${ending}`,
    );
    if (driven.failed > 0) throw new Error(`${driven.failed} exchanges failed (${shape})`);
    return driven;
  }

  /** Opens `streams` exchanges, stops each after `messages` replies and keeps it. */
  open(port: number, { shape, connections, streams }: Load, messages: number): Promise<Driven> {
    return this.process.ask(`open ${port} ${shape} ${connections} ${streams} ${messages}`);
  }

  drop(): Promise<unknown> {
    return this.process.ask('drop');
  }

  stop(): Promise<void> {
    return this.process.stop();
  }
}
