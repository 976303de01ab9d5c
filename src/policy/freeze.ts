/** A set serves many exchanges at once and never changes: these make that true at run time too. */

/** A set that refuses changes: `Object.freeze` does not reach what a Set holds. */
export function frozenSet<Value>(values: Iterable<Value>): ReadonlySet<Value> {
  const set = new Set(values);
  const refuse = (): never => {
    throw new TypeError('a compiled set is frozen');
  };
  return Object.freeze(Object.assign(set, { add: refuse, delete: refuse, clear: refuse }));
}

/**
 * Freezes a tree of plain objects and arrays, in place. Other objects (detectors with their typed
 * arrays, conditions, sets) are left to those who made them.
 */
export function deepFreeze<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== Array.prototype) return value;
  Object.freeze(value);
  for (const part of Object.values(value)) deepFreeze(part);
  return value;
}
