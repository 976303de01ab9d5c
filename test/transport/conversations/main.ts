/**
 * `npm run conversations`: random legal conversations of gRPC over both transports, whose replies have to be the same:
 * `-- --count N` (100,000), `--seed N` (1). A difference prints its seed; `--seed N --count 1` holds that conversation again.
 * Exits with 1 if there was one.
 */
import { parseArgs } from 'node:util';
import { compare } from './both.ts';

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '1' },
  },
});

/** Servers are started anew for each. */
const PART = 1_000;
const [count, seed] = [Number(values.count), Number(values.seed)];
let [held, calls, different] = [0, 0, 0];
while (held < count && different === 0) {
  const part = await compare(seed + held, Math.min(PART, count - held));
  held += part.conversations;
  calls += part.calls;
  different += part.differences.length;
  for (const line of part.differences) process.stdout.write(`${line}\n`);
  process.stdout.write(`${held} conversations, ${calls} calls, ${different} differ\n`);
}
process.exitCode = different > 0 ? 1 : 0;
