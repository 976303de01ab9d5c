/** A document as values that know where they stand. Offsets are UTF-16 units from the file's start. */
export type Scalar = string | number | boolean | null;

export interface LocatedEntry {
  readonly key: string;
  readonly keyAt: number;
  readonly value: Located;
}

export type Located =
  | { readonly kind: 'map'; readonly at: number; readonly entries: readonly LocatedEntry[] }
  | { readonly kind: 'list'; readonly at: number; readonly items: readonly Located[] }
  | { readonly kind: 'scalar'; readonly at: number; readonly value: Scalar };

/** The value under a key of a map. Cost: linear in the map, which the schema keeps small. */
export function child(node: Located | undefined, key: string): Located | undefined {
  return entry(node, key)?.value;
}

export function entry(node: Located | undefined, key: string): LocatedEntry | undefined {
  return node?.kind === 'map' ? node.entries.find((one) => one.key === key) : undefined;
}

/** The plain value. Keys become own properties, so that `__proto__` is a key like any other. */
export function plain(node: Located): unknown {
  switch (node.kind) {
    case 'scalar':
      return node.value;
    case 'list':
      return node.items.map(plain);
    case 'map':
      return Object.fromEntries(node.entries.map((one) => [one.key, plain(one.value)]));
  }
}

/** JSON with sorted keys: equal for documents that differ in comments, spaces, quotes or key order. */
export function canonicalJson(node: Located): string {
  switch (node.kind) {
    case 'scalar':
      // JSON has no word for these three, and they must not all become `null`.
      return typeof node.value === 'number' && !Number.isFinite(node.value)
        ? `{"number":"${node.value}"}`
        : JSON.stringify(node.value);
    case 'list':
      return `[${node.items.map(canonicalJson).join(',')}]`;
    case 'map':
      return `{${[...node.entries]
        .sort((a, b) => (a.key < b.key ? -1 : 1))
        .map((one) => `${JSON.stringify(one.key)}:${canonicalJson(one.value)}`)
        .join(',')}}`;
  }
}
