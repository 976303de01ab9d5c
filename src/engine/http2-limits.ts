/** What a peer of the fast transport may cost us (docs/adr/0009). Each is told with the attack that it answers. */

export interface Http2Limits {
  // ---- per listener
  /**
   * One more takes the place of the oldest that has not said who it is, or else of the one that has been idle for the
   * longest, beyond a second; where there is none it is closed at once.
   */
  readonly connectionsMax: number;
  /** From the connection (TLS: its handshake) to the whole preface and the first SETTINGS. */
  readonly prefaceMs: number;
  /** Our SETTINGS have to be acknowledged. */
  readonly settingsAckMs: number;
  /** From the opening of a unary call to its whole message. */
  readonly unaryMs: number;
  /** Without a stream; ended by a GOAWAY that fails nothing. */
  readonly idleMs: number;
  /** Silence after which the peer is asked whether it is there … */
  readonly keepaliveMs: number;
  /** … and how long it may take to say so. */
  readonly keepaliveTimeoutMs: number;

  /**
   * Work of one turn of the event loop for what all peers have sent, in units of about a microsecond. More of it waits
   * behind the bytes of those who send little, so that beside a flood everybody else has his answer.
   */
  readonly turnUnitsMax: number;

  // ---- headers
  /** Bytes of one header block as sent, all its CONTINUATIONs together (CVE-2024-27316 and its kin). */
  readonly headerBlockBytesMax: number;
  readonly continuationsMax: number;
  /** Names, values and 32 per field (RFC 9113 §6.5.2), which a small block can blow up by its table. */
  readonly headerListBytesMax: number;
  readonly headerFieldsMax: number;
  /** The dynamic table that the peer may use. */
  readonly headerTableBytes: number;

  // ---- streams and rates, per connection
  readonly concurrentStreamsMax: number;
  /**
   * Frames that cost an answer or a look and carry nothing: SETTINGS, PING, PRIORITY, unknown ones, and resets of
   * streams that are gone. So many at once, and so many a second; each DATA frame of either side pays for one more, as
   * clients of gRPC measure their line by a PING for what they receive.
   */
  readonly controlFramesBurst: number;
  readonly controlFramesPerSecond: number;
  /**
   * Streams that are reset, by the peer or for its fault, before one whole message has come (CVE-2023-44487). Envoy
   * ends each exchange by a reset, but never before it has said something: its resets are not counted.
   */
  readonly emptyResetsBurst: number;
  readonly emptyResetsPerSecond: number;
  /** DATA frames without a byte that end nothing. */
  readonly emptyDataFramesMax: number;
  /** WINDOW_UPDATEs beyond two for each DATA frame that we have sent. */
  readonly windowUpdatesSpareMax: number;

  // ---- flow control
  /** What a stream may send ahead of its being read. */
  readonly streamWindowBytes: number;
  readonly connectionWindowBytes: number;
  /**
   * Of all connections together: open streams with the headers that they came with, messages that have not come whole
   * or are not taken yet. More of them are refused; a connection that holds less than its share still gets in.
   */
  readonly inboundBytesTotalMax: number;
  /** Answers that the peer does not take: so many, and its stream is read no further. */
  readonly outboundBytesPerStream: number;
  /** So many, and the connection is closed. */
  readonly outboundBytesPerConnectionMax: number;
  /** So many of all connections together, and those that leave most unread are closed. */
  readonly outboundBytesTotalMax: number;
  /** Acknowledgements that the peer does not read. */
  readonly outboundControlFramesMax: number;
  /** So long may something wait to be sent without that a byte of it leaves. */
  readonly writeStallMs: number;
}

const KIB = 1024;
const MIB = 1024 * KIB;

export const HTTP2_LIMITS_DEFAULT: Http2Limits = Object.freeze({
  connectionsMax: 4_096,
  prefaceMs: 10_000,
  settingsAckMs: 30_000,
  unaryMs: 30_000,
  idleMs: 15 * 60_000,
  keepaliveMs: 30_000,
  keepaliveTimeoutMs: 10_000,
  turnUnitsMax: 800,
  headerBlockBytesMax: 64 * KIB,
  continuationsMax: 8,
  headerListBytesMax: 64 * KIB,
  headerFieldsMax: 200,
  headerTableBytes: 4 * KIB,
  concurrentStreamsMax: 20_000,
  controlFramesBurst: 2_000,
  controlFramesPerSecond: 200,
  emptyResetsBurst: 200,
  emptyResetsPerSecond: 20,
  emptyDataFramesMax: 100,
  windowUpdatesSpareMax: 10_000,
  streamWindowBytes: MIB,
  connectionWindowBytes: 16 * MIB,
  inboundBytesTotalMax: 512 * MIB,
  outboundBytesPerStream: 256 * KIB,
  outboundBytesPerConnectionMax: 64 * MIB,
  outboundBytesTotalMax: 512 * MIB,
  outboundControlFramesMax: 1_000,
  writeStallMs: 60_000,
});
