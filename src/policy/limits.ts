/** What the compiler takes at most; every number can be set by the caller. */
export interface CompileLimits {
  /** UTF-16 units of one file. */
  readonly fileCharsMax: number;
  /** Documents of all files together. */
  readonly documentsMax: number;
  /** Rules of all documents together, also those that are `off`. */
  readonly rulesMax: number;
  /** Nodes that the aliases of one document may expand to. */
  readonly aliasNodesMax: number;
  /** Maps and lists inside each other. */
  readonly nestingMax: number;
  /** Words and aliases of one `keywords`. */
  readonly keywordsMax: number;
  /** UTF-16 units of one keyword. */
  readonly keywordCharsMax: number;
  /** UTF-16 units of a regular expression. */
  readonly regexCharsMax: number;
  /** States that one regular expression comes to in a trial. */
  readonly regexStatesMax: number;
  /** Instructions of all regular expressions together; of one it is the matcher that bounds them. */
  readonly regexNodesMax: number;
  /** UTF-16 units of a `when`. */
  readonly whenCharsMax: number;
  /** Brackets inside each other, prefixes in a row, and choices (`? :`) of a `when`. */
  readonly whenDepthMax: number;
  /** Nodes of the syntax tree of a `when`. */
  readonly whenNodesMax: number;
  /** Loops (`exists`, `all`, `map`, ...) inside each other in a `when`. */
  readonly whenLoopsMax: number;
  /** Steps of one evaluation of a `when` or `where`, about 1 µs each: what it reads may be long. */
  readonly whenStepsMax: number;
  /** Parts of a JSON Schema, counted again wherever it is referred to. */
  readonly schemaNodesMax: number;
  /** Bytes of the tables of a set, at their largest: its detectors, and the automaton that they share. */
  readonly matcherBytesMax: number;
  /** Cases of one golden set. */
  readonly goldenCasesMax: number;
  /**
   * Most that the rules of one tenant take of each of `rulesMax`, `regexNodesMax` and `matcherBytesMax`, in percent:
   * what a tenant writes may not use up what the others need.
   */
  readonly tenantPercentMax: number;
  /** Errors that are told; what exceeds it is left out, never turned into success. */
  readonly errorsMax: number;
}

export const DEFAULT_LIMITS: CompileLimits = Object.freeze({
  fileCharsMax: 8 * 1024 * 1024,
  documentsMax: 1_000,
  rulesMax: 10_000,
  aliasNodesMax: 1_000,
  nestingMax: 32,
  keywordsMax: 100_000,
  keywordCharsMax: 512,
  regexCharsMax: 4_096,
  regexStatesMax: 5_000,
  regexNodesMax: 200_000,
  whenCharsMax: 4_096,
  whenDepthMax: 32,
  whenNodesMax: 1_000,
  whenLoopsMax: 1,
  whenStepsMax: 50_000,
  schemaNodesMax: 1_000,
  matcherBytesMax: 64 * 1024 * 1024,
  goldenCasesMax: 10_000,
  tenantPercentMax: 25,
  errorsMax: 1_000,
});
