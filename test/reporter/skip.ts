/** Skipping with a reason: the reporter prints it beside the name of each test it concerns. */

/**
 * Skips the running test, or, from a `before` hook, every test of its suite.
 * `reason` is one clause in lower case: `no Envoy: run node setup/envoy.mjs`.
 */
export function skipBecause(context: Mocha.Context, reason: string): never {
  const runnable = context.runnable();
  const isHook = 'type' in runnable && runnable.type === 'hook';
  const holder = isHook ? runnable.parent : runnable;
  Object.assign(holder ?? runnable, { skipReason: reason });
  return context.skip();
}
