/**
 * Beside each attack by amount, counted and not timed: what one turn of the event loop has to do for the attacker, and
 * how many turns a neighbour's word waits. A piece of work that takes no turns, however it is made, fails here.
 */
import assert from 'node:assert/strict';
import { Lane, Neighbour, PAUSE_MS, poll } from '../../load-tests/flooding.ts';
import { engineDeps, shippedPolicies } from '../../load-tests/in-process.ts';
import { DEFAULT_LIMITS, type EngineLimits } from '../../src/engine/limits.ts';
import { TextScanner } from '../../src/match/scanner.ts';
import { FLOODS, type Flood } from '../envoy/evasions-floods.ts';
import { VirtualClock } from './rig.ts';

const TURNS = 400;
/** Its texts are judged only when all of them were read. */
const TURNS_OF_TEXTS = 1_200;
/** What the attacker has begun before the neighbours are looked at. */
const TURNS_BEFORE = 60;
const NEIGHBOURS = 4;
const PARTS_MAX = 6;

/** Units of text that matchers were given, and matchers that were made, since it was asked the last time. */
class Counted {
  units = 0;
  matchers = 0;
  private readonly restore: () => void;

  constructor() {
    const { push, end } = TextScanner.prototype;
    const counted = this;
    TextScanner.prototype.push = function (units) {
      counted.units += units.length;
      return push.call(this, units);
    };
    TextScanner.prototype.end = function () {
      counted.matchers++;
      return end.call(this);
    };
    this.restore = () => Object.assign(TextScanner.prototype, { push, end });
  }

  take(): { units: number; matchers: number } {
    const { units, matchers } = this;
    this.units = 0;
    this.matchers = 0;
    return { units, matchers };
  }

  end(): void {
    this.restore();
  }
}

interface Seen {
  /** The most that one turn had to do. */
  readonly units: number;
  readonly matchers: number;
  /** The most turns that a word has waited behind the one that it came in. */
  readonly waited: number;
  readonly words: number;
  /** All that was judged in the turns that were looked at. */
  readonly unitsOfAll: number;
}

async function beside(flood: Flood, limits: Partial<EngineLimits> = {}): Promise<Seen> {
  const turns = flood.id === 'flood-texts' ? TURNS_OF_TEXTS : TURNS;
  const clock = new VirtualClock();
  const deps = engineDeps(SET, clock, limits);
  const now = (): number => clock.monotonicMs();
  const neighbours = Array.from({ length: NEIGHBOURS }, () => new Neighbour(deps, now));
  while (clock.turn());
  const lanes = Array.from({ length: flood.atOnce }, () => new Lane(flood, deps, now));
  /** As much as the event loop does in one. */
  const turn = async (count: number): Promise<void> => {
    poll(lanes, count);
    for (const neighbour of neighbours) neighbour.speak();
    clock.turn();
    clock.advance(1);
    // What is decoded elsewhere comes back.
    await new Promise((resolve) => setImmediate(resolve));
  };
  for (let count = 0; count < TURNS_BEFORE; count++) await turn(count);
  for (const [index, neighbour] of neighbours.entries()) neighbour.begin(now() + index);
  const counted = new Counted();
  let most = { units: 0, matchers: 0 };
  let unitsOfAll = 0;
  let waited = 0;
  const waiting = neighbours.map(() => 0);
  try {
    for (let count = 0; count < turns; count++) {
      await turn(count);
      const { units, matchers } = counted.take();
      unitsOfAll += units;
      most = {
        units: Math.max(most.units, units),
        matchers: Math.max(most.matchers, matchers),
      };
      for (const [index, neighbour] of neighbours.entries()) {
        waiting[index] = neighbour.waiting === 0 ? 0 : waiting[index]! + 1;
        waited = Math.max(waited, waiting[index]!);
      }
    }
  } finally {
    counted.end();
    for (const stream of [...lanes, ...neighbours]) stream.close();
  }
  const words = neighbours.reduce((sum, { delaysMs }) => sum + delaysMs.length, 0);
  return { ...most, waited, words, unitsOfAll };
}

/** Of a body that comes in many parts, its beginning and its end: much to judge, and soon over. */
function shortened(flood: Flood): Flood {
  const short =
    (parts: NonNullable<Flood['request']>): NonNullable<Flood['request']> =>
    () => {
      const all = [...parts('quick')];
      return all.length > PARTS_MAX ? [...all.slice(0, PARTS_MAX - 2), ...all.slice(-2)] : all;
    };
  const { request, answer } = flood;
  return {
    ...flood,
    ...(request && { request: short(request) }),
    ...(answer && { answer: short(answer) }),
  };
}

const SET = shippedPolicies();
const UNITS_MAX = DEFAULT_LIMITS.sliceUnitsMax;

describe('one turn of the event loop beside a flood', function () {
  this.timeout(60_000);

  for (const flood of FLOODS)
    it(`${flood.id}: judges no more than three slices, and no word waits for more than a turn`, async () => {
      const seen = await beside(shortened(flood));
      // A slice and a half as messages come in, as much of what waits, and the words of the neighbours.
      assert.ok(seen.units <= 3 * UNITS_MAX + 1_024, `${seen.units} units`);
      assert.ok(seen.matchers <= (3 * UNITS_MAX) / 128, `${seen.matchers} matchers`);
      assert.ok(seen.waited <= 1, `${seen.waited} turns`);
      assert.ok(seen.words >= (NEIGHBOURS * TURNS) / PAUSE_MS - NEIGHBOURS, `${seen.words} words`);
    });

  it('counts what is judged: were slices as long as bodies, it would show', async () => {
    const flood = FLOODS.find(({ id }) => id === 'flood-near-words')!;
    const { units, unitsOfAll } = await beside(shortened(flood), { sliceUnitsMax: 8 << 20 });
    assert.ok(unitsOfAll > 1 << 20, `${unitsOfAll}`);
    assert.ok(units > 3 * UNITS_MAX + 1_024, `${units}`);
  });
});
