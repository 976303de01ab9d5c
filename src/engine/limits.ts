/** Every limit of the request path: what it bounds and why (invariant 10). All configurable by name. */
export interface EngineLimits {
  /** A request body is judged whole, so it is held whole. Beyond it the class of the rules decides. */
  readonly requestBodyBytesMax: number;
  /** A response that is one JSON document, or arrives encoded, is held whole. */
  readonly responseBodyBytesMax: number;
  /** Frames of one streamed response that may wait for a verdict. */
  readonly heldBytesMax: number;
  /** All bytes held by all exchanges: what hostile traffic can make this process keep. */
  readonly heldBytesTotalMax: number;
  /** Decoded size of an encoded body; with `decodedRatioMax` the guard against decompression bombs. */
  readonly decodedBytesMax: number;
  readonly decodedRatioMax: number;
  /** Envoy times nothing in FULL_DUPLEX: no byte from the client for so long while its body is held. */
  readonly requestStallTimeoutMs: number;
  /** No byte from the upstream for so long while frames, or part of one, are held. */
  readonly responseStallTimeoutMs: number;
  /** UTF-16 units of one body that classifiers are asked about; beyond it they cannot judge it. */
  readonly classifiedUnitsMax: number;
  /** Findings kept in one record; the rest are counted. */
  readonly findingsMax: number;
  /** Texts (choices × fields) that one body may have, each with its own matcher state. */
  readonly textsMax: number;
  /** Matches of one rule in one body: each is work and memory, and a body can be made of nothing else. */
  readonly matchesMax: number;
  /** From the headers of a request to the end of its body, however steadily it drips. */
  readonly requestBodyMsMax: number;
  /** UTF-16 units of text, or what costs about as much, that one exchange has judged before the others have their turn. */
  readonly sliceUnitsMax: number;
  /** What takes longer than that for so many units is judged in smaller slices: a busy machine, a dear text. */
  readonly sliceMsMax: number;
  /** Body bytes of one exchange that wait while others of it are judged; beyond it no more is read from Envoy. */
  readonly waitingBytesMax: number;
  /** The same in pieces of a body, as each takes memory of its own however small it is. */
  readonly waitingEventsMax: number;
  /** A body that may come to so many bytes is large: it waits for others such. What is shorter never does. */
  readonly largeBodyBytesMin: number;
  /** Bytes of large bodies that are decoded, read and judged at once; one alone may be larger. */
  readonly largeBodiesBytesMax: number;
  /** Pairs of rule and session whose scores are kept, about 1 KiB each at most; beyond it the oldest is forgotten. */
  readonly scoredSessionsMax: number;
  /** Bytes that the matcher's tables of one policy set may take at their largest; a larger set does not compile. */
  readonly matcherBytesMax: number;
  /** For all golden cases of a save together; beyond it the save is refused, as nobody knows whether it is good. */
  readonly goldenMsMax: number;
  /** What the rules of one tenant may take of that, of the rules and of the expressions of a set, in percent. */
  readonly tenantPercentMax: number;
  /** Subjects (sessions and others) that rules remember, for each thing that they remember; the oldest gives way. */
  readonly subjectsMax: number;
  /** What rules remember of a subject that does not come back is forgotten. */
  readonly subjectIdleMsMax: number;
  /** Document of one feed: JSON is parsed in one go, while exchanges wait; lines and entries are not. */
  readonly feedBytesMax: number;
  readonly feedEntriesMax: number;
}

export const DEFAULT_LIMITS: EngineLimits = Object.freeze({
  requestBodyBytesMax: 8 << 20,
  responseBodyBytesMax: 16 << 20,
  heldBytesMax: 1 << 20,
  heldBytesTotalMax: 256 << 20,
  decodedBytesMax: 32 << 20,
  decodedRatioMax: 100,
  requestStallTimeoutMs: 60_000,
  responseStallTimeoutMs: 30_000,
  classifiedUnitsMax: 262_144,
  findingsMax: 64,
  textsMax: 4096,
  matchesMax: 10_000,
  requestBodyMsMax: 300_000,
  sliceUnitsMax: 4_096,
  sliceMsMax: 1,
  waitingBytesMax: 256 << 10,
  waitingEventsMax: 1_024,
  largeBodyBytesMin: 256 << 10,
  largeBodiesBytesMax: 32 << 20,
  scoredSessionsMax: 100_000,
  matcherBytesMax: 64 << 20,
  goldenMsMax: 30_000,
  tenantPercentMax: 25,
  subjectsMax: 100_000,
  subjectIdleMsMax: 86_400_000,
  feedBytesMax: 4 << 20,
  feedEntriesMax: 20_000,
});
