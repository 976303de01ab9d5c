/**
 * zstd beside the event loop: `node:zlib` has threads for its codings, this is ours. It decodes one body after the
 * other, in order, begins with the first and ends when it has had nothing to do for a while, so that the memory
 * that its largest body took is free again.
 */
import { Worker } from 'node:worker_threads';
import { type ZstdOutline, zstdOutlining } from '../formats/zstd-frames.ts';
import { type ZstdOrder, zstdBody, zstdOrder } from './zstd-decoder.ts';

type Done = (outcome: Uint8Array | Error) => void;

/**
 * What the thread runs: the decoder, and nothing of ours, so that it is the same from sources as it is built. Its
 * answers are in the order of the orders; their memory goes over, no copy of it.
 */
const THREAD = `
  const { parentPort, workerData } = require('node:worker_threads');
  const ready = import(workerData).then(async ({ ZSTDDecoder }) => {
    const decoder = new ZSTDDecoder();
    await decoder.init();
    return decoder;
  });
  parentPort.on('message', async ({ body, roomBytes }) => {
    const decoded = (await ready).decode(body, roomBytes);
    parentPort.postMessage(decoded, [decoded.buffer]);
  });
`;

/** It takes some 50 ms to begin, and keeps some 10 MiB. */
const IDLE_MS = 10_000;

interface Thread {
  readonly worker: Worker;
  /** Who waits, in order. */
  readonly waiting: Done[];
  idle: NodeJS.Timeout | undefined;
}

let thread: Thread | undefined;

/** Decodes a whole body, which stays as it is until then; `done` is called once, later, with it or with what `unzstd` would have thrown. */
export function unzstdApart(body: Uint8Array, outputBytesMax: number, done: Done): void {
  outline(zstdOutlining(body), (outlined) => {
    if (outlined instanceof Error) {
      done(outlined);
      return;
    }
    const order = caught(() => zstdOrder(body, outlined, outputBytesMax));
    if (order instanceof Error) done(order);
    else
      decode(order, (decoded) => {
        if (decoded instanceof Error) done(decoded);
        else done(caught(() => zstdBody(decoded, outlined, outputBytesMax)));
      });
  });
}

function caught<Result>(action: () => Result): Result | Error {
  try {
    return action();
  } catch (fault) {
    return fault as Error;
  }
}

/** Looks on, in later turns of the event loop. */
function outline(
  steps: Generator<undefined, ZstdOutline>,
  done: (outlined: ZstdOutline | Error) => void,
): void {
  setImmediate(() => {
    const step = caught(() => steps.next());
    if (step instanceof Error) done(step);
    else if (step.done) done(step.value);
    else outline(steps, done);
  });
}

function decode(order: ZstdOrder, done: Done): void {
  const asked = thread ?? caught(begun);
  if (asked instanceof Error) {
    done(asked);
    return;
  }
  thread = asked;
  clearTimeout(asked.idle);
  asked.waiting.push(done);
  // Who waits for it is to be answered, though nothing else be left to do.
  asked.worker.ref();
  asked.worker.postMessage(order, [order.body.buffer as ArrayBuffer]);
}

function begun(): Thread {
  // Whatever this process was started with is not meant for it.
  const worker = new Worker(THREAD, {
    eval: true,
    execArgv: [],
    workerData: import.meta.resolve('zstddec'),
  });
  const begun: Thread = { worker, waiting: [], idle: undefined };
  worker.on('message', (decoded: Uint8Array) => {
    const done = begun.waiting.shift();
    if (begun.waiting.length === 0) rest(begun);
    done?.(decoded);
  });
  // Whatever ended it: what it was asked stays undecoded.
  worker.on('error', (fault: Error) => over(begun, fault));
  worker.on('exit', () => over(begun, new Error('the thread that decodes zstd has ended')));
  return begun;
}

function rest(resting: Thread): void {
  resting.worker.unref();
  resting.idle = setTimeout(() => {
    if (thread === resting) thread = undefined;
    void resting.worker.terminate();
  }, IDLE_MS);
  resting.idle.unref();
}

function over(ended: Thread, fault: Error): void {
  if (thread === ended) thread = undefined;
  clearTimeout(ended.idle);
  for (const done of ended.waiting.splice(0)) done(fault);
}
