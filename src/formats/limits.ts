/** What a format reader may use of memory and stack; all are per body. */
export interface FormatLimits {
  /** Longest event of a stream, its line ends included; a longer one is passed on as unreadable parts. */
  readonly frameBytesMax: number;
  /** Longest body that is read as one frame; a longer one is passed on as unreadable parts. */
  readonly bodyBytesMax: number;
  /** Deepest nesting of one JSON text. */
  readonly depthMax: number;
  /** Values and members in one JSON text. */
  readonly nodesMax: number;
  /** Distinct texts that a stream may keep open (choices × fields × tool calls). */
  readonly textsMax: number;
}

/**
 * A frame of 1 MiB holds any delta seen in the field; 16 MiB hold a request with several pictures; chat
 * bodies nest below 20; 200,000 nodes cost about 20 MB while a body is read.
 */
export const DEFAULT_FORMAT_LIMITS: FormatLimits = Object.freeze({
  frameBytesMax: 1_048_576,
  bodyBytesMax: 16_777_216,
  depthMax: 64,
  nodesMax: 200_000,
  textsMax: 4_096,
});
