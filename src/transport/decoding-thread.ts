/**
 * Large bodies are decoded on a thread with a heap of its own: what is unpacked on the way, and thrown away when it
 * turns out to be too much, is no garbage of the thread that serves. It decodes one body after the other, in order,
 * begins with the first and ends when it has had nothing to do for a while, so that the memory that its largest
 * body took is free again.
 */
import { Worker } from 'node:worker_threads';
import { DecodedTooLarge } from '../formats/encodings.ts';
import { zstdOutlining } from '../formats/zstd-frames.ts';
import { zstdBody, zstdOrder } from './zstd-decoder.ts';

type Done = (outcome: Uint8Array | Error) => void;

/** What the thread is asked; the memory of `body` goes over. */
interface Order {
  readonly coding: string;
  readonly body: Uint8Array;
  readonly outputBytesMax: number;
}

/** What it answers, to one order after the other; the memory of what it has decoded goes over. */
type Answer = Uint8Array | 'broken' | 'too_large';

/**
 * What the thread runs: nothing of ours, so that it is the same from sources as it is built. `deflate` means zlib
 * (RFC 9110 §8.4.1.2), yet some servers send the bare stream. Of zstd the room is given, see `zstd-decoder.ts`.
 */
const THREAD = `
  const { parentPort, workerData } = require('node:worker_threads');
  const zlib = require('node:zlib');
  const isZlib = (body) => body.length >= 2 && (body[0] & 15) === 8 && (body[0] * 256 + body[1]) % 31 === 0;
  const inflating = {
    gzip: zlib.gunzipSync,
    deflate: (body, options) => (isZlib(body) ? zlib.inflateSync : zlib.inflateRawSync)(body, options),
    br: zlib.brotliDecompressSync,
  };
  let zstd;
  const decoderOfZstd = () =>
    (zstd ??= import(workerData).then(async ({ ZSTDDecoder }) => {
      const decoder = new ZSTDDecoder();
      await decoder.init();
      return decoder;
    }));
  const decoded = async ({ coding, body, outputBytesMax }) => {
    try {
      if (coding === 'zstd') return (await decoderOfZstd()).decode(body, outputBytesMax);
      return inflating[coding](body, { maxOutputLength: outputBytesMax, chunkSize: 131_072 });
    } catch (fault) {
      return fault.code === 'ERR_BUFFER_TOO_LARGE' ? 'too_large' : 'broken';
    }
  };
  let last = Promise.resolve();
  parentPort.on('message', (order) => {
    last = last.then(async () => {
      const answer = await decoded(order);
      if (typeof answer === 'string') parentPort.postMessage(answer);
      else {
        const whole = answer.byteLength === answer.buffer.byteLength;
        const bytes = whole ? new Uint8Array(answer.buffer) : new Uint8Array(answer);
        parentPort.postMessage(bytes, [bytes.buffer]);
      }
    });
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

/**
 * Decodes a whole body, which stays as it is until then; `done` is called once, later, with it or with what a decoder
 * of one go would have thrown. `coding`: gzip, deflate, br or zstd.
 */
export function decodeOnThread(
  coding: string,
  body: Uint8Array,
  outputBytesMax: number,
  done: Done,
): void {
  if (coding === 'zstd') unzstd(body, outputBytesMax, done);
  // A copy: what goes over is gone here.
  else ask({ coding, body: new Uint8Array(body), outputBytesMax }, done);
}

/** What its headers demand is refused before anybody makes room for it. */
function unzstd(body: Uint8Array, outputBytesMax: number, done: Done): void {
  inTurns(zstdOutlining(body), (outline) => {
    if (outline instanceof Error) {
      done(outline);
      return;
    }
    const order = caught(() => zstdOrder(body, outline, outputBytesMax));
    if (order instanceof Error) {
      done(order);
      return;
    }
    ask({ coding: 'zstd', body: order.body, outputBytesMax: order.roomBytes }, (decoded) => {
      if (decoded instanceof Error) done(decoded);
      else done(caught(() => zstdBody(decoded, outline, outputBytesMax)));
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

/** Takes each step in a later turn of the event loop. */
function inTurns<Result>(
  steps: Generator<undefined, Result>,
  done: (result: Result | Error) => void,
): void {
  setImmediate(() => {
    const step = caught(() => steps.next());
    if (step instanceof Error) done(step);
    else if (step.done) done(step.value);
    else inTurns(steps, done);
  });
}

function ask(order: Order, done: Done): void {
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
  worker.on('message', (answer: Answer) => {
    const done = begun.waiting.shift();
    if (begun.waiting.length === 0) rest(begun);
    done?.(outcomeOf(answer));
  });
  // Whatever ended it: what it was asked stays undecoded.
  worker.on('error', (fault: Error) => over(begun, fault));
  worker.on('exit', () => over(begun, new Error('the thread that decodes has ended')));
  return begun;
}

function outcomeOf(answer: Answer): Uint8Array | Error {
  if (answer === 'too_large') return new DecodedTooLarge('decoded body passes its limit');
  return answer === 'broken' ? new Error('not what its coding writes') : answer;
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
