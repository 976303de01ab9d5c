/**
 * The same conversations and their mutations beside what no model foresees: limits so narrow that each is met, a socket that
 * takes nothing for a while, time that passes, a server that says goodbye, a peer that vanishes. What has to hold whatever
 * comes: every frame of ours is one that a strict peer may get, each stream ends once, nothing is held in the end, nothing
 * crashes, nothing is said behind the end.
 */
import { Buffer } from 'node:buffer';
import type { Http2Limits } from '../../../../src/engine/http2-limits.ts';
import type { Dice } from '../../../laws/documents.ts';
import { PREFACE, readFrames } from '../raw-peer.ts';
import { PATHS } from './calls.ts';
import type { Case, Fuzzer, Step } from './cases.ts';
import { Conversation } from './conversation.ts';
import { changed } from './frame-fuzzer.ts';
import { told } from './peer-view.ts';
import { limitsOf, Subject } from './subject.ts';
import { type TurnWatch, withoutHang } from './turn-watch.ts';

/** As small as each may be and then some. */
const NARROW: Readonly<Partial<Record<keyof Http2Limits, readonly number[]>>> = {
  prefaceMs: [1, 1_000],
  settingsAckMs: [1, 1_000],
  idleMs: [1, 2_000],
  keepaliveMs: [1, 1_000],
  keepaliveTimeoutMs: [1, 500],
  headerBlockBytesMax: [10, 200],
  continuationsMax: [0, 2],
  headerListBytesMax: [50, 400],
  headerFieldsMax: [3, 8],
  headerTableBytes: [0, 100],
  concurrentStreamsMax: [1, 3],
  controlFramesBurst: [2, 10],
  controlFramesPerSecond: [1, 5],
  emptyResetsBurst: [1, 4],
  emptyResetsPerSecond: [1, 5],
  emptyDataFramesMax: [0, 2],
  windowUpdatesSpareMax: [1, 5],
  streamWindowBytes: [10, 1_000],
  connectionWindowBytes: [65_535, 66_000],
  inboundBytesTotalMax: [100, 5_000, 40_000],
  outboundBytesPerStream: [1, 100, 10_000],
  outboundBytesPerConnectionMax: [100, 5_000, 100_000],
  outboundControlFramesMax: [1, 5],
  writeStallMs: [1, 1_000],
};
const NAMES = Object.keys(NARROW) as (keyof Http2Limits)[];

/** What befalls a connection beside its bytes. */
const EVENTS: readonly (readonly [what: string, values: readonly number[]])[] = [
  ['tick', []],
  ['pass', [1, 250, 600, 1_100, 5_000, 100_000]],
  ['stall', []],
  ['take', []],
  ['goaway', []],
  ['lost', []],
];

function withEvents(dice: Dice, steps: readonly Step[]): Step[] {
  const result = [...steps];
  for (let left = dice.below(12); left > 0; left--) {
    const [what, values] = dice.pick(dice.once(6) ? EVENTS : EVENTS.slice(0, 4));
    const event = values.length > 0 ? { what, value: dice.pick(values) } : { what };
    result.splice(1 + dice.below(result.length), 0, event);
  }
  return result;
}

async function happen(subject: Subject, { what, value }: Step): Promise<void> {
  switch (what) {
    case 'tick':
      subject.ledger.tick();
      break;
    case 'pass':
      subject.nowMs += value ?? 0;
      subject.connection.sweep(subject.nowMs);
      break;
    case 'stall':
      subject.stalled = true;
      break;
    case 'take':
      subject.stalled = false;
      subject.take();
      break;
    case 'goaway':
      subject.connection.goaway();
      break;
    default:
      subject.connection.lost();
  }
  await subject.settled();
}

async function problemOf({ options, steps }: Case, watch: TurnWatch): Promise<string | undefined> {
  const subject = new Subject(limitsOf(options));
  await subject.settled();
  let rest: Buffer = Buffer.alloc(0);
  let prefaceLeft = PREFACE.length;
  for (const step of steps) {
    if (subject.fault !== 'running') break;
    if (step.bytes === undefined) {
      await watch.turnWith(() => happen(subject, step));
      continue;
    }
    rest = Buffer.concat([rest, step.bytes]);
    // The view has to know what was said before it hears the answer: frame by frame, where bytes are frames.
    const preface = rest.subarray(0, prefaceLeft);
    prefaceLeft -= preface.length;
    rest = rest.subarray(preface.length);
    subject.receive(preface);
    for (;;) {
      const [frame] = readFrames(rest).frames;
      if (frame === undefined) break;
      told(subject.view, { ...frame, id: frame.id & 0x7fff_ffff });
      const whole = rest.subarray(0, 9 + frame.payload.length);
      rest = rest.subarray(whole.length);
      await watch.turnWith(() => subject.received(whole));
    }
  }
  if (subject.fault === 'running') subject.receive(rest);
  return (await subject.end())[0];
}

export const floodFuzzer: Fuzzer = {
  name: 'floods',
  batch: 50,
  make(dice) {
    const options: Record<string, number> = {};
    for (let left = dice.below(6); left > 0; left--) {
      const name = dice.pick(NAMES);
      options[name] = dice.pick(NARROW[name] as readonly number[]);
    }
    if (dice.once(4)) options.messageBytesMax = 300;
    const conversation = new Conversation(dice, PATHS);
    for (let left = dice.pick([10, 30, 80]); left > 0; left--) conversation.go();
    const said = dice.once(2) ? conversation.steps : changed(dice, conversation.steps);
    return { options, steps: withEvents(dice, said) };
  },
  async check(cases) {
    const problems: (string | undefined)[] = [];
    for (const one of cases) problems.push(await withoutHang((watch) => problemOf(one, watch)));
    return problems;
  },
};
