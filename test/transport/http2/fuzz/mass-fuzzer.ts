/**
 * Few things, very often: a part of a conversation or of a message, again and again until it fills what a socket or a message
 * brings at once. No model can say what has to be answered; none of it may take a turn for long, crash, or leave anything.
 */
import { Buffer } from 'node:buffer';
import { readCheckRequest } from '../../../../src/protocol/ext-authz.ts';
import {
  readBodyEvent,
  readHeadersEvent,
  readProcessingRequest,
  readTrailersEvent,
} from '../../../../src/protocol/ext-proc-request.ts';
import { MalformedMessage } from '../../../../src/protocol/wire.ts';
import type { Dice } from '../../../laws/documents.ts';
import { PATHS } from './calls.ts';
import { type Case, type Fuzzer, mutated, type Step } from './cases.ts';
import { Conversation } from './conversation.ts';
import { randomMessage } from './message-fuzzer.ts';
import { limitsOf, Subject } from './subject.ts';
import { type TurnWatch, withoutHang } from './turn-watch.ts';

/** What libuv reads of a socket at once. */
const READ_BYTES = 65_536;
const HEAD_BYTES = 9;
const HEADERS = 1;

/** The frames again, of the streams behind them. */
function moved(run: readonly Buffer[], by: number): Buffer[] {
  return run.map((bytes) => {
    if (bytes.length < HEAD_BYTES) return bytes;
    const id = bytes.readUInt32BE(5);
    if (id % 2 === 0) return bytes;
    const copy = Buffer.from(bytes);
    copy.writeUInt32BE((id + by) & 0x7fff_ffff, 5);
    return copy;
  });
}

const isWhole = (bytes: Buffer): boolean =>
  bytes.length >= HEAD_BYTES && bytes.length === HEAD_BYTES + bytes.readUIntBE(0, 3);

function frameMass(dice: Dice): Case {
  const options: Record<string, number> = {};
  if (dice.once(3)) options.concurrentStreamsMax = dice.pick([10, 2_000]);
  if (dice.once(3)) options.streamWindowBytes = dice.pick([1_000, 16_000]);
  if (dice.once(4)) options.outboundBytesPerStream = dice.pick([1, 10_000]);
  const conversation = new Conversation(dice, PATHS);
  for (let left = dice.pick([3, 10, 30]); left > 0; left--) conversation.go();
  const steps = [...conversation.steps];
  for (let masses = 1 + dice.below(3); masses > 0; masses--) {
    const from = 1 + dice.below(steps.length - 1);
    let run = steps
      .slice(from, from + 1 + dice.below(4))
      .flatMap(({ bytes }) => (bytes !== undefined && bytes.length < 4_000 ? [bytes] : []));
    if (dice.once(3)) run = run.map((bytes) => (dice.once(2) ? mutated(dice, bytes) : bytes));
    const ids = run.filter(isWhole).map((bytes) => bytes.readUInt32BE(5) % 2 ** 31);
    const opens = run.some((bytes) => bytes[3] === HEADERS);
    const span = opens || dice.once(2) ? Math.max(0, ...ids) - Math.min(2 ** 31, ...ids) + 2 : 0;
    const once = run.reduce((sum, { length }) => sum + length, 0);
    if (once === 0) continue;
    const bytes: Buffer[] = [];
    for (let at = 0; at * once < READ_BYTES; at++) bytes.push(...moved(run, at * span));
    steps.splice(from + dice.below(steps.length - from + 1), 0, {
      what: 'bytes',
      bytes: Buffer.concat(bytes).subarray(0, READ_BYTES),
    });
  }
  return { options, steps };
}

const MESSAGE_BYTES = [10_000, 100_000, 100_000, 3_000_000];
/** Fields within fields, from the message in, where what a message holds is many. */
const PLACES: Readonly<Record<string, readonly (readonly number[])[]>> = {
  process: [[], [2], [2, 1], [3, 1, 1], [4], [6, 1], [8], [8, 1, 2], [9, 2], [9, 2, 1, 2, 6]],
  check: [[], [1], [1, 1], [1, 4, 2], [1, 4, 2, 13], [1, 4, 2, 13, 1], [1, 10], [1, 11]],
};
/** A field of nothing, a number, an entry of a map, an entry of a Struct. */
const PARTS = ['0a00', '1a00', '4a00', '6000', '0a060a01611a0162', '0a070a016112020800'].map(
  (hex) => Buffer.from(hex, 'hex'),
);

/** Something of a message many times over, somewhere inside of another. */
function messageMass(dice: Dice): Case {
  const { what, bytes } = randomMessage(dice);
  const from = dice.below(bytes.length + 1);
  const cut = bytes.subarray(from, from + 1 + dice.below(24));
  const part = dice.once(3) && cut.length > 0 ? cut : dice.pick(PARTS);
  const size = dice.pick(MESSAGE_BYTES);
  const mass = dice
    .pick(PLACES[what] ?? [[]])
    .reduceRight(
      (inner, number) => field(number, inner),
      Buffer.alloc(size - (size % part.length), part) as Buffer,
    );
  return { options: {}, steps: [{ what, bytes: Buffer.concat([bytes, mass]) }] };
}

function field(number: number, inner: Buffer): Buffer {
  const length: number[] = [];
  for (let rest = inner.length; ; rest >>= 7) {
    length.push(rest >= 128 ? (rest & 0x7f) | 0x80 : rest);
    if (rest < 128) break;
  }
  return Buffer.concat([Buffer.of(number * 8 + 2, ...length), inner]);
}

// ---- what they cost

async function framesTried(
  { options, steps }: Case,
  watch: TurnWatch,
): Promise<string | undefined> {
  const subject = new Subject(limitsOf(options), false);
  await subject.settled();
  for (const { bytes } of steps) {
    if (subject.fault !== 'running') break;
    await watch.turnWith(async () => {
      if (bytes === undefined) subject.ledger.tick();
      else subject.receive(bytes);
      await subject.settled();
    });
  }
  return (await watch.turnWith(() => subject.end()))[0];
}

/** All that a reader can be asked for. */
const READ: Readonly<Record<string, (bytes: Buffer) => void>> = {
  process(bytes) {
    const view = readProcessingRequest(bytes);
    if (view.kind === 'body') readBodyEvent(view);
    if (view.kind === 'trailers') readTrailersEvent(view).headers.entries();
    if (view.kind !== 'headers') return;
    const event = readHeadersEvent(view);
    event.headers.get(':path');
    event.headers.entries();
    event.attribute('none');
    event.metadata('none');
  },
  check(bytes) {
    const check = readCheckRequest(bytes);
    void [check.method, check.path, check.authority, check.body];
    void [check.sourcePrincipal, check.sourceIp];
    check.headers.get(':path');
    check.headers.entries();
    check.contextExtension('none');
    check.metadata('none');
  },
};

function messageTried({ what, bytes }: Step, watch: TurnWatch): undefined {
  try {
    watch.turn(() => READ[what]?.(bytes as Buffer));
  } catch (error) {
    if (!(error instanceof MalformedMessage)) throw error;
  }
}

export const massFuzzer: Fuzzer = {
  name: 'masses',
  batch: 10,
  make: (dice) => (dice.once(2) ? frameMass(dice) : messageMass(dice)),
  async check(cases) {
    const problems: (string | undefined)[] = [];
    for (const one of cases) {
      const [first] = one.steps;
      problems.push(
        await withoutHang(async (watch) =>
          first !== undefined && first.what in READ
            ? messageTried(first, watch)
            : framesTried(one, watch),
        ),
      );
    }
    return problems;
  },
};
