/** Traffic in virtual time from a seed: the same seed, the same exchanges. */

export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
}

/** Mulberry-like 32-bit generator: enough for simulated arrivals, fast, and reproducible. */
export function seeded(seed: number): Random {
  let state = seed >>> 0;
  return {
    next() {
      state = (state + 0x9e3779b9) >>> 0;
      let z = state;
      z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
      z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
      return ((z ^ (z >>> 15)) >>> 0) / 2 ** 32;
    },
  };
}

function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
}

/** Gamma(shape, 1): squeeze of a cubed normal, with the usual boost below shape 1. */
function gamma(random: Random, shape: number): number {
  if (shape < 1) return gamma(random, shape + 1) * (1 - random.next()) ** (1 / shape);
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = normal(random);
    const v = (1 + c * x) ** 3;
    if (v > 0 && Math.log(1 - random.next()) < 0.5 * x * x + d - d * v + d * Math.log(v)) {
      return d * v;
    }
  }
}

/** A session's own deny rate: Beta with this mean and intra-class correlation. */
export function sessionRate(random: Random, mean: number, correlation: number): number {
  const total = 1 / correlation - 1;
  const a = gamma(random, mean * total);
  const b = gamma(random, (1 - mean) * total);
  return a / (a + b);
}

export interface SimulatedSession {
  readonly key: string;
  /** In [0, 1): below a share, the session is in the canary. */
  readonly bucket: number;
  readonly rate: number;
  left: number;
}

/**
 * Exchanges one every 1/rps seconds; each belongs to a random one of the sessions alive, and a session
 * that has spoken `requests` times is replaced by a new one.
 */
export function* exchanges(options: {
  readonly random: Random;
  readonly rps: number;
  readonly durationMs: number;
  readonly requests: number;
  readonly alive: number;
  readonly denyRate: number;
  readonly correlation: number;
}): Generator<{ session: SimulatedSession; denied: boolean; atMs: number }> {
  const { random } = options;
  let created = 0;
  const open = (requests: number): SimulatedSession => ({
    key: `session-${created++}`,
    bucket: random.next(),
    rate: sessionRate(random, options.denyRate, options.correlation),
    left: requests,
  });
  const alive = Array.from({ length: options.alive }, () =>
    open(1 + Math.floor(random.next() * options.requests)),
  );
  const gapMs = 1_000 / options.rps;
  for (let atMs = 0; atMs < options.durationMs; atMs += gapMs) {
    const place = Math.floor(random.next() * alive.length);
    const session = alive[place]!;
    yield { session, denied: random.next() < session.rate, atMs };
    session.left -= 1;
    if (session.left === 0) alive[place] = open(options.requests);
  }
}
