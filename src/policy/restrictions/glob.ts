/**
 * Names with `*` for any characters, the whole name and in any case: a provider that takes a name in another
 * case takes it for the same. Cost of a match: linear in the name for each star.
 */
export function globOf(pattern: string): (name: string) => boolean {
  const parts = pattern.toLowerCase().split('*');
  const first = parts[0] ?? '';
  const last = parts.at(-1) ?? '';
  const middle = parts.slice(1, -1);
  return (name) => {
    const text = name.toLowerCase();
    if (parts.length === 1) return text === first;
    if (text.length < first.length + last.length) return false;
    if (!text.startsWith(first) || !text.endsWith(last)) return false;
    const end = text.length - last.length;
    let at = first.length;
    for (const part of middle) {
      // The earliest place leaves the most for what follows, so that nothing has to be tried twice.
      const found = text.indexOf(part, at);
      if (found === -1 || found + part.length > end) return false;
      at = found + part.length;
    }
    return true;
  };
}

/** Whether any of the patterns fits. */
export function anyGlob(patterns: readonly string[]): (name: string) => boolean {
  const globs = patterns.map(globOf);
  return (name) => globs.some((fits) => fits(name));
}
