/**
 * Durations in typed arrays, published as a Prometheus histogram. prom-client's own `observe` hashes
 * its labels at every call; this one finds a bucket in a short array and adds one.
 */
import { Histogram, type Registry } from 'prom-client';

/** Upper bounds in seconds. A decision in memory takes 0.05 to 2 ms; one that holds a body, seconds. */
export const DURATION_BUCKETS_S: readonly number[] = [
  0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5,
  5, 10,
];

/** One line of the exposition, in the shape that prom-client's registry writes out. */
interface PublishedValue {
  readonly metricName: string;
  readonly labels: Record<string, string | number>;
  readonly sharedLabels: Record<string, string>;
  readonly value: number;
}

interface HistogramConfig {
  readonly name: string;
  readonly help: string;
  readonly labelName: string;
  readonly registry: Registry;
}

/** A histogram whose values are read when the registry asks for them. */
class PublishedHistogram extends Histogram<string> {
  readonly #config: HistogramConfig;
  readonly #read: () => PublishedValue[];

  constructor(config: HistogramConfig, read: () => PublishedValue[]) {
    super({
      name: config.name,
      help: config.help,
      labelNames: [config.labelName],
      buckets: [...DURATION_BUCKETS_S],
      registers: [config.registry],
    });
    this.#config = config;
    this.#read = read;
  }

  /** Called by prom-client's registry, and by its `get`, in place of its own bookkeeping. */
  async getForPromString() {
    const { name, help } = this.#config;
    return { name, help, type: 'histogram', aggregator: 'sum', values: this.#read() };
  }
}

export class DurationHistogram<Label extends string> {
  readonly #name: string;
  readonly #labelName: string;
  readonly #labels: readonly Label[];
  /** Per label: one count per bucket, and one for what is longer than the last. */
  readonly #counts: ReadonlyMap<Label, Float64Array>;
  /** In ms: a sum of small fractions of seconds would collect more rounding. */
  readonly #sumsMs: ReadonlyMap<Label, Float64Array>;

  constructor(config: HistogramConfig & { readonly labels: readonly Label[] }) {
    this.#name = config.name;
    this.#labelName = config.labelName;
    this.#labels = config.labels;
    this.#counts = new Map(
      config.labels.map((label) => [label, new Float64Array(DURATION_BUCKETS_S.length + 1)]),
    );
    this.#sumsMs = new Map(config.labels.map((label) => [label, new Float64Array(1)]));
    new PublishedHistogram(config, () => this.#published());
  }

  /** Counts one duration in ms; a negative or unordered clock counts as 0. */
  observe(label: Label, durationMs: number): void {
    const counts = this.#counts.get(label);
    if (counts === undefined) return;
    const countedMs = Number.isFinite(durationMs) ? Math.max(durationMs, 0) : 0;
    const seconds = countedMs / 1000;
    let bucket = 0;
    while (bucket < DURATION_BUCKETS_S.length && seconds > DURATION_BUCKETS_S[bucket]!) bucket += 1;
    counts[bucket]! += 1;
    this.#sumsMs.get(label)![0]! += countedMs;
  }

  #published(): PublishedValue[] {
    const values: PublishedValue[] = [];
    for (const label of this.#labels) {
      const own = { [this.#labelName]: label };
      const counts = this.#counts.get(label)!;
      let total = 0;
      for (const [index, bound] of [...DURATION_BUCKETS_S, '+Inf' as const].entries()) {
        total += counts[index]!;
        values.push({
          metricName: `${this.#name}_bucket`,
          labels: { le: bound },
          sharedLabels: own,
          value: total,
        });
      }
      values.push(
        {
          metricName: `${this.#name}_sum`,
          labels: {},
          sharedLabels: own,
          value: this.#sumsMs.get(label)![0]! / 1000,
        },
        { metricName: `${this.#name}_count`, labels: {}, sharedLabels: own, value: total },
      );
    }
    return values;
  }
}
