/** What clients say, legally but in odd ways: the frames of one connection, each a step. */
import { Buffer } from 'node:buffer';
import type { Dice } from '../../../laws/documents.ts';
import {
  END_HEADERS,
  END_STREAM,
  fields,
  frame,
  integer,
  kept,
  message,
  PREFACE,
  ping,
  reset,
  SETTINGS_ACK,
  settings,
  TYPE,
  uint32,
  windowUpdate,
} from '../raw-peer.ts';
import { randomBytes, type Step } from './cases.ts';

const PADDED = 8;
const PRIORITY = 0x20;
const STATIC_ENTRIES = 61;

interface Speaking {
  readonly id: number;
  /** Bytes of the body that are still to be sent. */
  rest: Buffer;
  trailers: boolean;
  ended: boolean;
}

export class Conversation {
  readonly #dice: Dice;
  readonly #paths: readonly string[];
  readonly steps: Step[] = [];
  readonly #streams: Speaking[] = [];
  #nextId = 1;
  /** Names and values that the table of the server has, the newest first. */
  readonly #table: (readonly [string, string])[] = [];

  /** `paths`: what is asked for. */
  constructor(dice: Dice, paths: readonly string[]) {
    this.#dice = dice;
    this.#paths = paths;
    this.#say(PREFACE);
    this.#say(settings(...this.#settings()));
    if (!dice.once(8)) this.#say(SETTINGS_ACK);
  }

  #say(...parts: readonly Buffer[]): void {
    for (const bytes of parts) this.steps.push({ what: 'bytes', bytes });
  }

  /** One thing more. */
  go(): void {
    const dice = this.#dice;
    const open = this.#streams.filter(({ ended }) => !ended);
    const stream = open.length > 0 ? dice.pick(open) : undefined;
    const choice = dice.below(20);
    if (stream === undefined || choice < 4) this.#open();
    else if (choice < 13) this.#data(stream);
    else if (choice < 14) {
      stream.ended = true;
      this.#say(reset(stream.id, dice.below(14)));
    } else if (choice < 15) this.steps.push({ what: 'tick' });
    else if (choice < 17) this.#windows();
    else this.#aside();
  }

  #windows(): void {
    const dice = this.#dice;
    const id = dice.pick(this.#streams).id;
    if (dice.once(2)) this.#say(windowUpdate(0, 200_000), windowUpdate(id, 200_000));
    else this.#say(windowUpdate(dice.pick([0, id]), dice.pick([1, 10, 1_000, 65_535])));
  }

  #settings(): (readonly [number, number])[] {
    const dice = this.#dice;
    return Array.from({ length: dice.below(4) }, () =>
      dice.pick<readonly [number, number]>([
        [1, dice.pick([0, 4_096, 65_536])],
        [2, 0],
        [3, dice.pick([0, 1, 100])],
        [4, dice.pick([0, 1, 7, 100, 65_535, 1_000_000, 2 ** 31 - 1])],
        [5, dice.pick([16_384, 20_000, 2 ** 24 - 1])],
        [6, dice.pick([0, 100, 65_536])],
        [0x4242, 7],
      ]),
    );
  }

  #aside(): void {
    const dice = this.#dice;
    const anyId = 1 + 2 * dice.below(this.#nextId + 3);
    switch (dice.below(6)) {
      case 0:
        this.#say(settings(...this.#settings()));
        return;
      case 1:
        this.#say(frame(TYPE.ping, 0, 0, randomBytes(dice, 8)));
        return;
      case 2:
        this.#say(ping(1));
        return;
      case 3:
        this.#say(
          frame(
            TYPE.priority,
            dice.below(256),
            anyId,
            Buffer.concat([uint32(0), Buffer.of(dice.below(256))]),
          ),
        );
        return;
      case 4:
        this.#say(
          frame(
            0x10 + dice.below(200),
            dice.below(256),
            dice.below(20),
            randomBytes(dice, dice.below(30)),
          ),
        );
        return;
      default:
        if (dice.once(6))
          this.#say(
            frame(
              TYPE.goaway,
              0,
              0,
              Buffer.concat([uint32(0, 0), randomBytes(dice, dice.below(9))]),
            ),
          );
        else this.#say(SETTINGS_ACK);
    }
  }

  #field(name: string, value: string): Buffer {
    const at = this.#table.findIndex(([one, other]) => one === name && other === value);
    if (at >= 0) return integer(STATIC_ENTRIES + 1 + at, 7, 0x80);
    if (this.#dice.once(2)) return fields([name, value]);
    this.#table.unshift([name, value]);
    return kept(name, value);
  }

  #open(): void {
    const dice = this.#dice;
    // Such as do not fit one frame of ours, nor the window twice.
    const large = dice.once(6);
    const bytes = (): number =>
      large
        ? dice.pick([16_378, 16_379, 16_380, 20_000, 30_000])
        : dice.pick([0, 1, 5, 40, 300, dice.below(2_000)]);
    const body = Buffer.concat(
      Array.from({ length: dice.pick([0, 1, 1, 1, 2, 3, 6]) }, () =>
        message(randomBytes(dice, bytes())),
      ),
    );
    const list = [
      [':method', 'POST'],
      [':scheme', 'http'],
      [':path', dice.pick(this.#paths)],
      [':authority', 'example.com'],
      ['te', 'trailers'],
    ];
    if (!dice.once(12))
      list.push(['content-type', dice.pick(['application/grpc', 'application/grpc+proto'])]);
    if (dice.once(5)) list.push(['content-length', String(body.length)]);
    if (dice.once(5)) list.push([`x-${dice.below(5)}`, 'v'.repeat(dice.below(100))]);
    const block = Buffer.concat(
      list.map(([name, value]) => this.#field(name as string, value as string)),
    );
    const id = this.#nextId;
    this.#nextId += dice.once(6) ? 4 : 2;
    const ended = body.length === 0 && dice.once(3);
    this.#streams.push({ id, rest: body, trailers: dice.once(5), ended });
    this.#headers(id, block, ended);
  }

  #headers(id: number, block: Buffer, ends: boolean): void {
    const dice = this.#dice;
    let flags = ends ? END_STREAM : 0;
    let payload = block;
    const cuts = dice.once(4)
      ? Array.from({ length: 1 + dice.below(4) }, () => dice.below(block.length + 1)).sort(
          (a, b) => a - b,
        )
      : [];
    const parts = [0, ...cuts].map((from, at) => block.subarray(from, cuts[at] ?? block.length));
    payload = parts[0] as Buffer;
    if (dice.once(5)) {
      flags |= PRIORITY;
      payload = Buffer.concat([uint32(id - 1), Buffer.of(dice.below(256)), payload]);
    }
    if (dice.once(5)) {
      flags |= PADDED;
      const padding = dice.below(20);
      payload = Buffer.concat([Buffer.of(padding), payload, Buffer.alloc(padding)]);
    }
    if (parts.length === 1) flags |= END_HEADERS;
    this.#say(frame(TYPE.headers, flags, id, payload));
    for (const [at, part] of parts.entries())
      if (at > 0)
        this.#say(frame(TYPE.continuation, at === parts.length - 1 ? END_HEADERS : 0, id, part));
  }

  #data(stream: Speaking): void {
    const dice = this.#dice;
    const whole = dice.once(2);
    const length = Math.min(stream.rest.length, 16_000, whole ? 16_000 : dice.below(400));
    let payload = stream.rest.subarray(0, length);
    stream.rest = stream.rest.subarray(length);
    const done = stream.rest.length === 0 && !dice.once(3);
    stream.ended = done;
    const ends = done && !stream.trailers;
    let flags = ends ? END_STREAM : 0;
    if (dice.once(6)) {
      flags |= PADDED;
      const padding = dice.below(20);
      payload = Buffer.concat([Buffer.of(padding), payload, Buffer.alloc(padding)]);
    }
    this.#say(frame(TYPE.data, flags, stream.id, payload));
    if (done && stream.trailers) this.#headers(stream.id, this.#field('x-checksum', 'v'), true);
  }
}
