/** A caller that behaves: one exchange after the other, of a library of other hands. */
import { Buffer } from 'node:buffer';
import { type ClientDuplexStream, credentials } from '@grpc/grpc-js';
import { clients, type Message } from '../../protocol/peer.ts';

const HEADERS = {
  requestHeaders: {
    headers: { headers: [{ key: ':path', rawValue: Buffer.from('/v1') }] },
    endOfStream: true,
  },
  protocolConfig: {
    requestBodyMode: 'FULL_DUPLEX_STREAMED',
    responseBodyMode: 'FULL_DUPLEX_STREAMED',
  },
};

export class Neighbour {
  readonly #client: Message;
  readonly failures: string[] = [];
  /** How long each exchange took, in ms. */
  readonly tookMs: number[] = [];
  #over = false;
  readonly #done: Promise<void>;

  /** `pauseMs` between exchanges; without it only those that are asked for. */
  constructor(address: string, pauseMs?: number) {
    this.#client = new clients.envoy.service.ext_proc.v3.ExternalProcessor(
      address,
      credentials.createInsecure(),
      { 'grpc.use_local_subchannel_pool': 1 },
    );
    this.#done = pauseMs === undefined ? Promise.resolve() : this.#run(pauseMs);
  }

  async #run(pauseMs: number): Promise<void> {
    while (!this.#over) {
      const begun = performance.now();
      const failure = await this.exchange();
      this.tookMs.push(performance.now() - begun);
      if (failure !== undefined) this.failures.push(failure);
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }

  /** What went wrong, if something did. */
  exchange(): Promise<string | undefined> {
    const call: ClientDuplexStream<Message, Message> = this.#client.process();
    let replies = 0;
    return new Promise((resolve) => {
      call.on('data', () => replies++);
      call.on('error', () => {});
      call.on('status', ({ code, details }) =>
        resolve(code === 0 && replies === 1 ? undefined : `${code} ${details}, ${replies} replies`),
      );
      call.write(HEADERS);
      call.end();
    });
  }

  async stop(): Promise<void> {
    this.#over = true;
    await this.#done;
    this.#client.close();
  }
}
