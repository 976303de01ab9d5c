import assert from 'node:assert/strict';
import fc from 'fast-check';
import { BREAKER_DEFAULTS, Breaker, type BreakerOptions } from '../../src/judge/breaker.ts';
import { Breakers } from '../../src/judge/breakers.ts';
import { ErrorSources } from '../../src/judge/error-sources.ts';
import { seeded } from './traffic.ts';

const middle = () => 0.5;
const { openMs, openMaxMs, probes, probeTimeoutMs, errorsInARow } = BREAKER_DEFAULTS;

/** Without the e-detector: only errors in a row open. */
const MODEL_OPTIONS: BreakerOptions = { ...BREAKER_DEFAULTS, falseAlarmEvaluations: 1e300 };

function kindOf(breaker: Breaker): string {
  return breaker.state.kind;
}

function fail(breaker: Breaker, times: number, nowMs: number, source?: string): void {
  for (let i = 0; i < times; i++) breaker.record('error', breaker.generation, nowMs, source);
}

function opened(nowMs = 0): Breaker {
  const breaker = new Breaker(BREAKER_DEFAULTS, middle, nowMs);
  fail(breaker, errorsInARow, nowMs);
  return breaker;
}

function openForMs(breaker: Breaker, nowMs: number): number {
  assert.equal(breaker.state.kind, 'open');
  return breaker.state.kind === 'open' ? breaker.state.untilMs - nowMs : Number.NaN;
}

/** How many evaluations in a row fail until the breaker opens at this error rate. */
function evaluationsToOpen(rate: number, rps: number, seed: number, most: number): number {
  const breaker = new Breaker(BREAKER_DEFAULTS, middle, 0);
  const random = seeded(seed);
  for (let i = 0; i < most; i++) {
    breaker.record(random.next() < rate ? 'error' : 'ok', 0, (i * 1_000) / rps);
    if (breaker.state.kind === 'open') return i + 1;
  }
  return Number.POSITIVE_INFINITY;
}

describe('judge: breaker', () => {
  it('opens after exactly five errors with no success between them', () => {
    const breaker = new Breaker(MODEL_OPTIONS, middle, 0);
    fail(breaker, errorsInARow - 1, 0);
    assert.equal(breaker.allow(0), 'evaluate');
    breaker.record('ok', 0, 0);
    fail(breaker, errorsInARow - 1, 0);
    assert.equal(kindOf(breaker), 'closed');
    fail(breaker, 1, 0);
    assert.equal(kindOf(breaker), 'open');
    assert.equal(breaker.allow(openMs - 1), 'skip');
    assert.equal(breaker.allow(openMs), 'evaluate');
    assert.equal(kindOf(breaker), 'half-open');
  });

  it('opens on an error rate that never has five in a row', () => {
    const needed = Array.from({ length: 20 }, (_, i) => evaluationsToOpen(0.2, 20, i + 1, 5_000));
    assert.ok(
      needed.every((n) => n <= 400),
      String(needed),
    );
  });

  it('stays closed for a simulated day of 0.2 % errors', () => {
    for (const rps of [1, 5]) {
      assert.equal(evaluationsToOpen(0.002, rps, 5, 86_400 * rps), Number.POSITIVE_INFINITY);
    }
  });

  it('makes no evidence out of idle time', () => {
    const quick = new Breaker(BREAKER_DEFAULTS, middle, 0);
    const idle = new Breaker(BREAKER_DEFAULTS, middle, 0);
    const outcome = (i: number) => (i % 5 === 4 ? 'ok' : 'error');
    let n = 0;
    while (quick.state.kind === 'closed') quick.record(outcome(n++), 0, n);
    for (let i = 0; i < n - 1; i++) idle.record(outcome(i), 0, i);
    // An hour later the same outcome is not the last straw: what came before is stale by age.
    idle.record(outcome(n - 1), 0, 3_600_000 + n);
    assert.equal(idle.state.kind, 'closed');
  });

  it('closes after every probe succeeded, and lets no more than those through', () => {
    const breaker = opened();
    const nowMs = openMs;
    const allowed = Array.from({ length: 10 }, () => breaker.allow(nowMs));
    assert.equal(allowed.filter((word) => word === 'evaluate').length, probes);
    for (let i = 0; i < probes; i++) {
      assert.equal(breaker.state.kind, 'half-open');
      breaker.record('ok', breaker.generation, nowMs);
    }
    assert.equal(breaker.state.kind, 'closed');
  });

  it('gives a probe back that was abandoned', () => {
    const breaker = opened();
    for (let i = 0; i < probes; i++) breaker.allow(openMs);
    assert.equal(breaker.allow(openMs), 'skip');
    breaker.record('abandoned', breaker.generation, openMs);
    assert.equal(breaker.allow(openMs), 'evaluate');
    assert.equal(breaker.allow(openMs), 'skip');
  });

  it('takes probes that never answer for failed', () => {
    const breaker = opened();
    for (let i = 0; i < probes; i++) breaker.allow(openMs);
    assert.equal(breaker.allow(openMs + probeTimeoutMs - 1), 'skip');
    assert.equal(breaker.state.kind, 'half-open');
    assert.equal(breaker.allow(openMs + probeTimeoutMs), 'skip');
    assert.equal(breaker.state.kind, 'open');
  });

  it('opens for twice as long each time, up to the cap, and forgets that after a good while', () => {
    const breaker = opened();
    let nowMs = 0;
    const lengths: number[] = [];
    for (let i = 0; i < 9; i++) {
      const lengthMs = openForMs(breaker, nowMs);
      lengths.push(lengthMs);
      nowMs += lengthMs;
      breaker.allow(nowMs);
      fail(breaker, 1, nowMs);
    }
    assert.deepEqual(lengths.slice(0, 4), [openMs, 2 * openMs, 4 * openMs, 8 * openMs]);
    assert.equal(lengths.at(-1), openMaxMs);
    nowMs += openForMs(breaker, nowMs);
    for (let i = 0; i < probes; i++) breaker.allow(nowMs);
    for (let i = 0; i < probes; i++) breaker.record('ok', breaker.generation, nowMs);
    fail(breaker, errorsInARow, nowMs + openMaxMs);
    assert.equal(openForMs(breaker, nowMs + openMaxMs), openMs);
  });

  it('varies the open time by the jitter and never beyond the cap', () => {
    for (const [random, factor] of [
      [0, 0.8],
      [0.999999, 1.2],
    ] as const) {
      const breaker = new Breaker(BREAKER_DEFAULTS, () => random, 0);
      fail(breaker, errorsInARow, 0);
      assert.ok(Math.abs(openForMs(breaker, 0) - openMs * factor) < 1);
    }
    const capped = { ...BREAKER_DEFAULTS, openMaxMs: openMs };
    const breaker = new Breaker(capped, () => 0.999999, 0);
    fail(breaker, errorsInARow, 0);
    assert.equal(openForMs(breaker, 0), openMs);
  });

  it('cannot be opened by one principal, nor by two, but by three', () => {
    const one = new Breaker(BREAKER_DEFAULTS, middle, 0);
    for (let i = 0; i < 10_000; i++) fail(one, 1, i, 'mallory');
    assert.equal(one.state.kind, 'closed');
    fail(one, 100, 10_000, 'malet');
    assert.equal(one.state.kind, 'closed');
    fail(one, 1, 10_000, 'alice');
    assert.equal(one.state.kind, 'open');
  });

  it('cannot be opened by one principal over a day, among others’ successes', () => {
    const breaker = new Breaker(BREAKER_DEFAULTS, middle, 0);
    for (let s = 0; s < 86_400; s++) {
      fail(breaker, 1, s * 1_000, 'mallory');
      breaker.record('ok', breaker.generation, s * 1_000, 'alice');
    }
    assert.equal(breaker.state.kind, 'closed');
  });

  it('survives a restart open, for what was left, on a clock that began anew', () => {
    const saved = JSON.parse(JSON.stringify(opened(1_000_000).save(1_001_000)));
    const restored = Breaker.restore(saved, BREAKER_DEFAULTS, middle, 0);
    assert.equal(restored.state.kind, 'open');
    assert.equal(restored.allow(openMs - 1_001), 'skip');
    assert.equal(restored.allow(openMs - 1_000), 'evaluate');
    fail(restored, 1, openMs);
    assert.equal(openForMs(restored, openMs), 2 * openMs);
  });

  it('comes back open from half open, and from nonsense for no longer than the cap', () => {
    const breaker = opened();
    breaker.allow(openMs);
    const restored = Breaker.restore(breaker.save(openMs), BREAKER_DEFAULTS, middle, 50);
    assert.equal(restored.state.kind, 'open');
    for (const remainingMs of [Number.NaN, Number.POSITIVE_INFINITY, 1e300]) {
      const odd = Breaker.restore(
        { open: true, remainingMs, openings: Number.NaN },
        BREAKER_DEFAULTS,
        middle,
        0,
      );
      assert.equal(openForMs(odd, 0), openMaxMs);
    }
  });

  it('remembers a bounded number of sources', () => {
    const sources = new ErrorSources(2, 3, 100);
    for (const name of ['a', 'b', 'c']) assert.equal(sources.take(name, 0), true);
    assert.equal(sources.size, 3);
    assert.equal(sources.take('a', 0), true);
    assert.equal(sources.take('a', 99), false);
    assert.equal(sources.take('a', 100), true);
    sources.take('d', 100);
    assert.equal(sources.size, 3);
    assert.equal(sources.take(undefined, 100), true);
  });
});

describe('judge: breakers', () => {
  it('keeps green’s faults from opening blue’s, and rules from one another', () => {
    const breakers = new Breakers(BREAKER_DEFAULTS, middle);
    for (let i = 0; i < errorsInARow; i++) breakers.record('green', 'p/r', 'error', 0, 0);
    assert.equal(breakers.allow('green', 'p/r', 0), 'skip');
    assert.equal(breakers.allow('blue', 'p/r', 0), 'evaluate');
    assert.equal(breakers.allow('green', 'p/other', 0), 'evaluate');
    assert.deepEqual(
      breakers.notClosed().map(({ digest, rule, state }) => [digest, rule, state.kind]),
      [['green', 'p/r', 'open']],
    );
    const again = new Breakers(BREAKER_DEFAULTS, middle);
    again.restore(breakers.save(0), 0);
    assert.equal(again.allow('green', 'p/r', 0), 'skip');
    breakers.keepSets(new Set(['blue', 'green']));
    assert.equal(breakers.size, 1);
    breakers.keepSets(new Set(['blue']));
    assert.equal(breakers.size, 0);
    assert.equal(breakers.allow('green', 'p/r', 0), 'evaluate');
  });

  it('remembers only rules that failed, at most so many, and never forgets an open one', () => {
    const breakers = new Breakers(BREAKER_DEFAULTS, middle, 2);
    breakers.record('set', 'fine', 'ok', 0, 0);
    assert.equal(breakers.size, 0);
    for (let i = 0; i < errorsInARow; i++) breakers.record('set', 'a', 'error', 0, 0);
    breakers.record('set', 'b', 'error', 0, 0);
    breakers.record('set', 'c', 'error', 0, 0);
    assert.equal(breakers.size, 2);
    assert.equal(breakers.allow('set', 'a', 0), 'skip');
    for (let i = 1; i < errorsInARow; i++) breakers.record('set', 'c', 'error', 0, 0);
    breakers.record('set', 'd', 'error', 0, 0);
    assert.equal(breakers.refused, 1);
    assert.equal(breakers.allow('set', 'd', 0), 'evaluate');
  });
});

/** The breaker as one would explain it, without its e-detector, sources, growth and jitter. */
interface Model {
  kind: 'closed' | 'open' | 'half-open';
  nowMs: number;
  row: number;
  openings: number;
  untilMs: number;
  given: number;
  answered: number;
  generation: number;
  closedSinceMs: number;
  /** Generations of evaluations that have not answered. */
  inFlight: number[];
}

function modelOpen(model: Model): void {
  const grown = Math.min(openMaxMs, openMs * 2 ** model.openings);
  Object.assign(model, {
    kind: 'open',
    untilMs: model.nowMs + grown,
    openings: model.openings + 1,
    generation: model.generation + 1,
  });
}

function modelAllow(model: Model): 'evaluate' | 'skip' {
  if (model.kind === 'open') {
    if (model.nowMs < model.untilMs) return 'skip';
    Object.assign(model, { kind: 'half-open', given: 0, answered: 0 });
    model.untilMs = model.nowMs + probeTimeoutMs;
    model.generation += 1;
  } else if (model.kind === 'half-open') {
    if (model.nowMs >= model.untilMs) {
      modelOpen(model);
      return 'skip';
    }
    if (model.given === probes) return 'skip';
  }
  if (model.kind === 'half-open') model.given += 1;
  return 'evaluate';
}

function modelRecord(
  model: Model,
  outcome: 'ok' | 'error' | 'abandoned',
  generation: number,
): void {
  if (generation !== model.generation || model.kind === 'open') return;
  if (model.kind === 'closed') {
    if (outcome === 'ok') model.row = 0;
    if (outcome === 'error') model.row += 1;
    if (model.row < errorsInARow) return;
    if (model.nowMs - model.closedSinceMs >= openMaxMs) model.openings = 0;
    modelOpen(model);
  } else if (outcome === 'abandoned') model.given -= 1;
  else if (outcome === 'error') modelOpen(model);
  else if (++model.answered === probes) {
    Object.assign(model, { kind: 'closed', row: 0, closedSinceMs: model.nowMs });
    model.generation += 1;
  }
}

interface Real {
  breaker: Breaker;
}

const transitions = new Set<string>();

function agree(model: Model, before: string, real: Real): void {
  const state = real.breaker.state;
  if (before !== state.kind) transitions.add(`${before} -> ${state.kind}`);
  assert.equal(state.kind, model.kind);
  assert.equal(state.generation, model.generation);
  assert.ok(!(before === 'closed' && state.kind === 'half-open'), 'closed to half open');
  if (state.kind === 'open') assert.equal(state.untilMs, model.untilMs);
  if (state.kind === 'half-open') {
    assert.equal(state.probesLeft, probes - model.given);
    const inFlight = model.inFlight.filter((generation) => generation === state.generation).length;
    assert.ok(inFlight <= probes, 'more probes in flight than allowed');
  }
}

class Allow implements fc.Command<Model, Real> {
  check(): boolean {
    return true;
  }
  run(model: Model, real: Real): void {
    const before = model.kind;
    const expected = modelAllow(model);
    assert.equal(real.breaker.allow(model.nowMs), expected);
    if (expected === 'evaluate') model.inFlight.push(model.generation);
    agree(model, before, real);
  }
  toString(): string {
    return 'allow';
  }
}

class Answer implements fc.Command<Model, Real> {
  readonly outcome: 'ok' | 'error' | 'abandoned';
  /** Counted from the latest. */
  readonly which: number;
  constructor(outcome: 'ok' | 'error' | 'abandoned', which: number) {
    this.outcome = outcome;
    this.which = which;
  }
  check(model: Readonly<Model>): boolean {
    return model.inFlight.length > 0;
  }
  run(model: Model, real: Real): void {
    const before = model.kind;
    const [generation] = model.inFlight.splice(-1 - (this.which % model.inFlight.length), 1);
    const isLate = generation !== model.generation;
    const untouched = real.breaker.state;
    modelRecord(model, this.outcome, generation!);
    real.breaker.record(this.outcome, generation!, model.nowMs);
    if (isLate) assert.equal(real.breaker.state, untouched);
    agree(model, before, real);
  }
  toString(): string {
    return `${this.outcome}(${this.which})`;
  }
}

/** Five evaluations that fail one after another. */
class Burst implements fc.Command<Model, Real> {
  check(): boolean {
    return true;
  }
  run(model: Model, real: Real): void {
    for (let i = 0; i < errorsInARow; i++) {
      new Allow().run(model, real);
      const answer = new Answer('error', 0);
      if (answer.check(model)) answer.run(model, real);
    }
  }
  toString(): string {
    return 'burst';
  }
}

class Wait implements fc.Command<Model, Real> {
  readonly ms: number;
  constructor(ms: number) {
    this.ms = ms;
  }
  check(): boolean {
    return true;
  }
  run(model: Model, real: Real): void {
    model.nowMs += this.ms;
    agree(model, model.kind, real);
  }
  toString(): string {
    return `wait(${this.ms})`;
  }
}

class Restart implements fc.Command<Model, Real> {
  check(): boolean {
    return true;
  }
  run(model: Model, real: Real): void {
    const saved = real.breaker.save(model.nowMs);
    real.breaker = Breaker.restore(saved, MODEL_OPTIONS, middle, model.nowMs);
    if (model.kind === 'closed') Object.assign(model, { row: 0, generation: 0 });
    else {
      const untilMs = model.kind === 'open' ? Math.max(model.untilMs, model.nowMs) : model.nowMs;
      Object.assign(model, { kind: 'open', generation: 1, untilMs });
    }
    model.closedSinceMs = model.nowMs;
    model.inFlight = [];
    agree(model, model.kind, real);
  }
  toString(): string {
    return 'restart';
  }
}

describe('judge: breaker against its model', () => {
  it('agrees after every sequence of events', () => {
    const which = fc.nat(3);
    fc.assert(
      fc.property(
        fc.commands(
          [
            fc.constant(new Allow()),
            fc.constant(new Allow()),
            which.map((n) => new Answer('ok', n)),
            which.map((n) => new Answer('ok', n)),
            which.map((n) => new Answer('error', n)),
            fc.constant(new Burst()),
            which.map((n) => new Answer('abandoned', n)),
            fc
              .constantFrom(1, openMs - 1, openMs, probeTimeoutMs, openMaxMs)
              .map((ms) => new Wait(ms)),
            fc.constant(new Restart()),
          ],
          { maxCommands: 120, size: 'max' },
        ),
        (commands) => {
          fc.modelRun(() => {
            const model: Model = {
              kind: 'closed',
              nowMs: 0,
              row: 0,
              openings: 0,
              untilMs: 0,
              given: 0,
              answered: 0,
              generation: 0,
              closedSinceMs: 0,
              inFlight: [],
            };
            const real: Real = { breaker: new Breaker(MODEL_OPTIONS, middle, 0) };
            return { model, real };
          }, commands);
        },
      ),
      { numRuns: 400, seed: 42 },
    );
    // The run is worth nothing unless it has been everywhere.
    assert.deepEqual([...transitions].sort(), [
      'closed -> open',
      'half-open -> closed',
      'half-open -> open',
      'open -> half-open',
    ]);
  });
});
