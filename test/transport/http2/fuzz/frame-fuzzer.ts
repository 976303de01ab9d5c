/**
 * Conversations, as they are or mutated, against the model of a server: frame by frame, and again in pieces cut anywhere, whose
 * answers have to be the same bytes.
 */
import { Buffer } from 'node:buffer';
import { Dice } from '../../../laws/documents.ts';
import { type Frame, PREFACE, readFrames } from '../raw-peer.ts';
import { PATHS } from './calls.ts';
import type { Case, Fuzzer, Step } from './cases.ts';
import { mutated } from './cases.ts';
import { Conversation } from './conversation.ts';
import { FrameModel, type Verdict } from './frame-model.ts';
import { type AnswerView, told } from './peer-view.ts';
import { limitsOf, Subject } from './subject.ts';
import { type TurnWatch, withoutHang } from './turn-watch.ts';

const NO_ERROR = 0;
const NOTHING = Buffer.alloc(0);
/** Few enough that no budget of floods is spent: those have tests of their own. */
const FRAMES_MAX = 90;
/** Less than what makes us wait for the socket, so that cuts change no order. */
const COMPARED_BYTES_MAX = 200_000;

class Trial {
  readonly #subject: Subject;
  readonly #model: FrameModel;
  readonly #watch: TurnWatch;
  #rest: Buffer = Buffer.alloc(0);
  #prefaceSeen = false;
  #pongs = 0;
  #settingsAcks = 0;
  /** Streams that had to be reset. */
  readonly #resets = new Set<number>();
  over = false;

  constructor(subject: Subject, model: FrameModel, watch: TurnWatch) {
    this.#subject = subject;
    this.#model = model;
    this.#watch = watch;
  }

  /** What is wrong with what was answered to it. */
  async send(bytes: Buffer): Promise<string | undefined> {
    this.#rest = Buffer.concat([this.#rest, bytes]);
    if (!this.#prefaceSeen) {
      const length = Math.min(PREFACE.length, this.#rest.length);
      const right = PREFACE.subarray(0, length).equals(this.#rest.subarray(0, length));
      if (right && length < PREFACE.length) {
        this.#subject.receive(bytes);
        return undefined;
      }
      this.#subject.receive(this.#rest.subarray(0, PREFACE.length));
      if (!right) return await this.#judged({ fatal: [1] });
      this.#prefaceSeen = true;
      this.#rest = this.#rest.subarray(PREFACE.length);
    }
    for (;;) {
      if (this.#rest.length >= 9 && this.#rest.readUIntBE(0, 3) > 16_384) {
        this.#subject.receive(this.#rest);
        return await this.#judged({ fatal: [6] });
      }
      const [frame] = readFrames(this.#rest).frames;
      if (frame === undefined) return undefined;
      const whole = this.#rest.subarray(0, 9 + frame.payload.length);
      this.#rest = this.#rest.subarray(whole.length);
      const problem = await this.#frame({ ...frame, id: frame.id & 0x7fff_ffff }, whole);
      if (problem !== undefined || this.over) return problem;
    }
  }

  async tick(): Promise<string | undefined> {
    this.#model.tick();
    this.#subject.ledger.tick();
    return await this.#judged({});
  }

  async #frame(frame: Frame, whole: Buffer): Promise<string | undefined> {
    told(this.#subject.view, frame);
    const verdict = this.#model.frame(frame);
    await this.#watch.turnWith(() => this.#subject.received(whole));
    const problem = await this.#judged(verdict);
    return problem && `frame ${frame.type} of ${frame.id}, flags ${frame.flags}: ${problem}`;
  }

  async #judged(verdict: Verdict): Promise<string | undefined> {
    const { view, problems, fault } = this.#subject;
    await this.#subject.settled();
    if (problems.length > 0) return problems[0];
    if (view.problems.length > 0) return `said: ${view.problems[0]}`;
    if (verdict.fatal !== undefined) return this.#fatal(verdict.fatal);
    if (this.#subject.fault !== 'running')
      return `ended for ${fault}, code ${view.goaways.at(-1)?.code}`;
    if (verdict.pong !== undefined && view.pingAcks[this.#pongs++] !== verdict.pong)
      return 'a PING has no answer';
    if (view.pingAcks.length !== this.#pongs) return 'an answer to no PING';
    if (verdict.settingsAck === true) this.#settingsAcks++;
    if (view.settingsAcks !== this.#settingsAcks)
      return `${view.settingsAcks} SETTINGS acknowledged`;
    const { reset } = verdict;
    if (reset !== undefined) {
      const code = view.answers.get(reset.id)?.resetCode;
      if (code === undefined || !reset.codes.includes(code))
        return `stream ${reset.id} should be reset with ${reset.codes}, is ${code}`;
    }
    for (const [id, answer] of view.answers) {
      const problem = this.#answerProblem(id, answer, reset?.id === id);
      if (problem !== undefined) return `stream ${id}: ${problem}`;
    }
    return undefined;
  }

  #fatal(codes: readonly number[]): string | undefined {
    this.over = true;
    const { view, fault } = this.#subject;
    const last = view.goaways.at(-1);
    if (fault === 'running') return `should be over with ${codes}`;
    if (last === undefined || !codes.includes(last.code))
      return `over with ${last?.code}, not ${codes}`;
    if (last.lastId !== this.#model.lastTakenId)
      return `GOAWAY names ${last.lastId}, not ${this.#model.lastTakenId}`;
    return undefined;
  }

  #answerProblem(id: number, answer: AnswerView, resetNow: boolean): string | undefined {
    const stream = this.#model.streams.get(id);
    if (stream === undefined)
      return answer.head === undefined ? undefined : 'answered, and never opened';
    const { call } = stream;
    const body = Buffer.concat(answer.body);
    if (!body.equals(call.body.subarray(0, body.length))) return 'its body is another';
    if (answer.head !== undefined && answer.head[0]?.[1] !== (call.end?.status ?? '200'))
      return `status ${answer.head[0]?.[1]}`;
    if (answer.ended) {
      if (call.end === undefined) return 'ended, and nobody asked for it';
      if (body.length !== call.body.length) return 'ended before its body';
      const last = answer.trailers ?? answer.head ?? [];
      const status = last.find(([name]) => name === 'grpc-status')?.[1];
      if (status !== call.end.grpcStatus)
        return `grpc-status ${status}, not ${call.end.grpcStatus}`;
      const cut = answer.resetCode === NO_ERROR;
      if (answer.peerReset || cut !== stream.remoteEnded) return undefined;
      return cut ? 'reset behind both ends' : 'its peer is not told to stop';
    }
    if (answer.resetCode !== undefined) {
      if (resetNow) this.#resets.add(id);
      return this.#resets.has(id) ? undefined : `reset with ${answer.resetCode} for nothing`;
    }
    if (answer.peerReset) return undefined;
    const blocked = answer.sendWindow <= 0 || this.#subject.view.sendWindow <= 0;
    const due = call.body.length - body.length;
    if (due > 0 && !blocked) return `${due} bytes of its answer do not come`;
    if (due === 0 && call.end !== undefined) return 'its end does not come';
    return undefined;
  }
}

/** Pieces of the same bytes, with the ticks where they were. */
function recut(dice: Dice, steps: readonly Step[]): Step[] {
  const result: Step[] = [];
  let run: Buffer[] = [];
  const cutRun = (): void => {
    const whole = Buffer.concat(run);
    run = [];
    for (let at = 0; at < whole.length; ) {
      const length = dice.pick([1, 8, 9, 100, 5_000, whole.length]);
      result.push({ what: 'bytes', bytes: whole.subarray(at, at + length) });
      at += length;
    }
  };
  for (const step of steps)
    if (step.bytes !== undefined) run.push(step.bytes);
    else {
      cutRun();
      result.push(step);
    }
  cutRun();
  return result;
}

async function problemOf({ options, steps }: Case, watch: TurnWatch): Promise<string | undefined> {
  const limits = limitsOf(options);
  const subject = new Subject(limits);
  const trial = new Trial(subject, new FrameModel(limits, subject.view), watch);
  await subject.settled();
  for (const { bytes } of steps) {
    if (trial.over) break;
    const problem = bytes === undefined ? await trial.tick() : await trial.send(bytes);
    if (problem !== undefined) return problem;
  }
  const output = Buffer.concat(subject.output);
  const [left] = await subject.end();
  if (left !== undefined) return left;
  const waits = Math.min(COMPARED_BYTES_MAX, limits.outboundBytesPerStream);
  if (output.length > waits) return undefined;
  const again = new Subject(limits, false);
  await again.settled();
  for (const { bytes } of recut(new Dice(options.cuts ?? 0), steps)) {
    if (bytes === undefined) again.ledger.tick();
    await watch.turnWith(() => again.received(bytes ?? NOTHING));
  }
  if (!Buffer.concat(again.output).equals(output)) return 'cut otherwise, the answers are others';
  return (await again.end())[0];
}

export function changed(dice: Dice, steps: readonly Step[]): Step[] {
  const result = [...steps];
  for (let times = dice.pick([1, 1, 2, 3]); times > 0; times--) {
    const at = 1 + dice.below(result.length - 1);
    const step = result[at] as Step;
    switch (dice.below(5)) {
      case 0:
        result.splice(at, 1);
        break;
      case 1:
        result.splice(dice.below(result.length), 0, step);
        break;
      case 2:
        result.splice(at, 1);
        result.splice(dice.below(result.length), 0, step);
        break;
      default:
        if (step.bytes !== undefined) result[at] = { ...step, bytes: alike(dice, step.bytes) };
    }
    if (result.length < 2) return result;
  }
  return result;
}

/** Another frame of the same length, mostly: one whose length is wrong makes noise of all that follows. */
function alike(dice: Dice, bytes: Buffer): Buffer {
  if (bytes.length < 9 || dice.once(5)) return mutated(dice, bytes);
  const head = Buffer.from(bytes.subarray(0, 9));
  let payload = bytes.subarray(9);
  switch (dice.below(5)) {
    case 0:
      head[3] = dice.below(11);
      break;
    case 1:
      head[4] = (head[4] as number) ^ (1 << dice.below(8));
      break;
    case 2:
      head.writeUInt32BE(dice.pick([0, 1, 2, 3, 5, 7, 9, 2 ** 31 + 1, 2 ** 31 - 1]), 5);
      break;
    default:
      payload = mutated(dice, payload);
      head.writeUIntBE(payload.length, 0, 3);
  }
  return Buffer.concat([head, payload]);
}

export const frameFuzzer: Fuzzer = {
  name: 'frames',
  batch: 50,
  make(dice) {
    const options: Record<string, number> = { cuts: dice.below(2 ** 30) };
    if (dice.once(3)) options.streamWindowBytes = dice.pick([20, 1_000, 65_535]);
    if (dice.once(4)) options.connectionWindowBytes = dice.pick([65_535, 70_000]);
    if (dice.once(4)) options.concurrentStreamsMax = dice.pick([1, 2, 3]);
    if (dice.once(4)) options.headerTableBytes = dice.pick([0, 64, 200, 8_192]);
    if (dice.once(6)) options.headerListBytesMax = 300;
    if (dice.once(6)) options.headerFieldsMax = 6;
    if (dice.once(6)) options.continuationsMax = 2;
    if (dice.once(6)) options.headerBlockBytesMax = 200;
    if (dice.once(4)) options.messageBytesMax = 300;
    // What a slow call takes when is another's question then.
    const narrow = dice.once(4);
    if (narrow) options.outboundBytesPerStream = dice.pick([1, 100, 20_000]);
    const paths = narrow ? PATHS.filter((path) => path !== '/slow') : PATHS;
    const conversation = new Conversation(dice, paths);
    for (let left = dice.pick([3, 10, 20, 40]); left > 0; left--) conversation.go();
    const steps = conversation.steps.slice(0, FRAMES_MAX);
    return { options, steps: dice.once(3) ? steps : changed(dice, steps) };
  },
  async check(cases) {
    const problems: (string | undefined)[] = [];
    for (const one of cases) problems.push(await withoutHang((watch) => problemOf(one, watch)));
    return problems;
  },
};
