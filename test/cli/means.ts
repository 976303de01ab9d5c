/** What the server inflates and hashes with. */
import { performance } from 'node:perf_hooks';
import type { TrialMeans } from '../../src/cli/trial/run.ts';
import { signatureCheck, signText } from '../../src/store/signatures.ts';
import { createXxh64 } from '../../src/store/xxh64.ts';
import { bodyDecoders } from '../../src/transport/body-decoders.ts';

export const trialMeans: TrialMeans = {
  clock: {
    nowMs: () => Date.now(),
    monotonicMs: () => performance.now(),
    after(delayMs, action) {
      const timer = setTimeout(action, delayMs);
      return () => clearTimeout(timer);
    },
    soon: (action) => void setImmediate(action),
  },
  decoders: bodyDecoders,
  xxh64: await createXxh64(),
};

/** What the server signs and checks with. */
export const signatures = { check: signatureCheck, sign: signText };
