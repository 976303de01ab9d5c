/** Numbers of HTTP/2 on the wire: RFC 9113 §4, §6, §7. */

/** Length (3), type (1), flags (1), stream (4). */
export const FRAME_HEADER_BYTES = 9;
/** SETTINGS_MAX_FRAME_SIZE before anybody says otherwise, and the least that may be said; we never ask for more. */
export const FRAME_PAYLOAD_BYTES_MAX = 16_384;
/** The most that a peer may allow us. */
export const FRAME_PAYLOAD_BYTES_LIMIT = 16_777_215;
/** Both windows before anybody says otherwise. */
export const WINDOW_BYTES_INITIAL = 65_535;
/** A window never grows beyond. */
export const WINDOW_BYTES_LIMIT = 0x7fff_ffff;
export const STREAM_ID_LIMIT = 0x7fff_ffff;

export const DATA = 0x0;
export const HEADERS = 0x1;
export const PRIORITY = 0x2;
export const RST_STREAM = 0x3;
export const SETTINGS = 0x4;
export const PUSH_PROMISE = 0x5;
export const PING = 0x6;
export const GOAWAY = 0x7;
export const WINDOW_UPDATE = 0x8;
export const CONTINUATION = 0x9;

export const FLAG_END_STREAM = 0x1;
export const FLAG_ACK = 0x1;
export const FLAG_END_HEADERS = 0x4;
export const FLAG_PADDED = 0x8;
export const FLAG_PRIORITY = 0x20;

export const SETTINGS_HEADER_TABLE_SIZE = 0x1;
export const SETTINGS_ENABLE_PUSH = 0x2;
export const SETTINGS_MAX_CONCURRENT_STREAMS = 0x3;
export const SETTINGS_INITIAL_WINDOW_SIZE = 0x4;
export const SETTINGS_MAX_FRAME_SIZE = 0x5;
export const SETTINGS_MAX_HEADER_LIST_SIZE = 0x6;

/** What a client sends first, before its SETTINGS. */
export const CLIENT_PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';

export const NO_ERROR = 0x0;
export const PROTOCOL_ERROR = 0x1;
export const INTERNAL_ERROR = 0x2;
export const FLOW_CONTROL_ERROR = 0x3;
export const SETTINGS_TIMEOUT = 0x4;
export const STREAM_CLOSED = 0x5;
export const FRAME_SIZE_ERROR = 0x6;
export const REFUSED_STREAM = 0x7;
export const COMPRESSION_ERROR = 0x9;
export const ENHANCE_YOUR_CALM = 0xb;

/** The whole connection is over: GOAWAY with `code`, then it is closed. `reason` is a word of ours, never the peer's. */
export class ConnectionError extends Error {
  readonly code: number;
  readonly reason: ConnectionFault;
  constructor(code: number, reason: ConnectionFault) {
    super(reason);
    this.name = 'ConnectionError';
    this.code = code;
    this.reason = reason;
  }
}

/** Why a connection was ended: the label under which it is counted. */
export type ConnectionFault =
  | 'malformed'
  | 'compression'
  | 'flow_control'
  | 'stream_closed'
  | 'internal'
  | 'tls_without_h2'
  /** The named limits of `engine/http2-limits.ts`, by their effect. */
  | 'connections_max'
  | 'evicted_half_open'
  | 'evicted_idle'
  | 'preface_timeout'
  | 'settings_timeout'
  | 'idle_timeout'
  | 'keepalive_timeout'
  | 'write_stalled'
  | 'header_block_too_large'
  | 'continuation_flood'
  | 'control_flood'
  | 'reset_flood'
  | 'empty_data_flood'
  | 'window_update_flood'
  | 'outbound_too_large'
  | 'peer_closed';

/**
 * About what a frame costs to take in the worst case, in units of a microsecond: so many of them fit a turn of the
 * event loop. HEADERS open a call and are decoded byte by byte, DATA may bring a message, RST_STREAM ends a call.
 */
export function frameUnits(type: number, length: number): number {
  switch (type) {
    case DATA:
      return 4 + (length >> 10);
    case HEADERS:
    case CONTINUATION:
      return 8 + (length >> 5);
    case RST_STREAM:
      return 4;
    case SETTINGS:
      return 2 + (length >> 7);
    default:
      return 1;
  }
}
