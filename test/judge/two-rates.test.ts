import assert from 'node:assert/strict';
import fc from 'fast-check';
import { logTickFactor, type Margin, projectToEdge, TwoRates } from '../../src/judge/two-rates.ts';

function binomial(n: number, x: number, rate: number): number {
  let ways = 1;
  for (let i = 0; i < x; i++) ways = (ways * (n - i)) / (i + 1);
  return ways * rate ** x * (1 - rate) ** (n - x);
}

/** Expectation of one tick's factor, by going through every outcome. */
function expectation(
  block: { canary: number; control: number },
  truth: { canary: number; control: number },
  alternative: { canary: number; control: number },
  margin: Margin,
): number {
  let sum = 0;
  for (let x = 0; x <= block.canary; x++) {
    for (let y = 0; y <= block.control; y++) {
      const tick = {
        span: 1,
        canary: groups(block.canary, x),
        control: groups(block.control, y),
      };
      sum +=
        binomial(block.canary, x, truth.canary) *
        binomial(block.control, y, truth.control) *
        Math.exp(logTickFactor(tick, alternative.canary, alternative.control, margin));
    }
  }
  return sum;
}

function groups(count: number, denied: number) {
  return [
    { requests: 1, denials: 1, sessions: denied },
    { requests: 1, denials: 0, sessions: count - denied },
  ];
}

const RATES = [0, 0.01, 0.05, 0.2, 0.5, 0.8, 1];
const BLOCKS = [
  { canary: 1, control: 1 },
  { canary: 3, control: 3 },
  { canary: 1, control: 8 },
  { canary: 8, control: 2 },
];

describe('judge: evidence about two rates', () => {
  for (const [side, margin, alternatives] of [
    [
      'at_most',
      { ratio: 1.2, offset: 0.002 },
      [
        [0.3, 0.05],
        [0.08, 0.05],
        [0.9, 0.4],
      ],
    ],
    [
      'at_least',
      { ratio: 0.8, offset: -0.002 },
      [
        [0.005, 0.05],
        [0.1, 0.2],
        [0.3, 0.6],
      ],
    ],
    [
      'at_least',
      { ratio: 1.2, offset: 0.002 },
      [
        [0.05, 0.05],
        [0.01, 0.2],
      ],
    ],
    [
      'at_most',
      { ratio: 0.8, offset: -0.002 },
      [
        [0.05, 0.05],
        [0.000001, 0.000001],
      ],
    ],
  ] as const) {
    it(`expects no gain while canary is ${side} ${margin.ratio} x control + ${margin.offset}`, () => {
      let highest = 0;
      for (const block of BLOCKS) {
        for (const [canary, control] of alternatives) {
          for (const rate of RATES) {
            const edge = margin.ratio * rate + margin.offset;
            for (const truth of [...RATES, Math.min(1, Math.max(0, edge))]) {
              if (side === 'at_most' ? truth > edge : truth < edge) continue;
              const mean = expectation(
                block,
                { canary: truth, control: rate },
                { canary, control },
                margin,
              );
              highest = Math.max(highest, mean);
            }
          }
        }
      }
      assert.ok(highest <= 1 + 1e-9, `expected gain ${highest}`);
      assert.ok(highest > 0.95, 'the grid reaches the edge');
    });
  }

  it('expects no gain from sessions whose requests are all alike', () => {
    const margin = { ratio: 1.2, offset: 0.002 };
    for (const control of [0.01, 0.05, 0.3]) {
      const canary = margin.ratio * control + margin.offset;
      for (const span of [5, 20]) {
        let mean = 0;
        for (const x of [0, span]) {
          for (const y of [0, span]) {
            const tick = {
              span,
              canary: [{ requests: span, denials: x, sessions: 1 }],
              control: [{ requests: span, denials: y, sessions: 1 }],
            };
            mean +=
              (x === 0 ? 1 - canary : canary) *
              (y === 0 ? 1 - control : control) *
              Math.exp(logTickFactor(tick, Math.min(0.9, canary * 3), control, margin));
          }
        }
        assert.ok(mean <= 1 + 1e-9, `expected gain ${mean}`);
      }
    }
  });

  it('projects to where the weighted divergence is least', () => {
    const kl = (p: number, q: number) =>
      p * Math.log(p / q) + (1 - p) * Math.log((1 - p) / (1 - q));
    fc.assert(
      fc.property(
        fc.double({ min: 0.001, max: 0.95, noNaN: true }),
        fc.double({ min: 0.001, max: 0.75, noNaN: true }),
        fc.double({ min: 0.1, max: 50, noNaN: true }),
        fc.double({ min: 0.1, max: 50, noNaN: true }),
        fc.constantFrom({ ratio: 1.2, offset: 0.002 }, { ratio: 0.8, offset: -0.0005 }),
        (canary, control, n, m, margin) => {
          const cost = (b: number) =>
            n * kl(canary, margin.ratio * b + margin.offset) + m * kl(control, b);
          const b = projectToEdge(canary, control, n, m, margin);
          const a = margin.ratio * b + margin.offset;
          assert.ok(b > 0 && b < 1 && a > 0 && a < 1);
          const step = 1e-4 * Math.min(b, 1 - b, a, 1 - a);
          assert.ok(cost(b) <= cost(b + step) + 1e-12);
          assert.ok(cost(b) <= cost(b - step) + 1e-12);
        },
      ),
    );
  });

  it('says nothing about a tick without one of the cohorts', () => {
    const test = new TwoRates('at_most', { ratio: 1.2, offset: 0.002 }, false);
    test.step({ span: 1, canary: groups(9, 9), control: [] }, 0.05, 0.05);
    assert.equal(test.logWealth, 0);
  });

  it('refuses a margin that does not depend on the control', () => {
    assert.throws(() => new TwoRates('at_most', { ratio: 0, offset: 0.1 }, true), RangeError);
  });
});
