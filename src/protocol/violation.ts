/** What our own side may not do. Each is a bug of ours that Envoy would answer with a leak or a 500. */
export type ViolationCode =
  | 'headers_not_owed'
  | 'headers_reply_first'
  | 'body_not_owed'
  | 'body_after_end'
  | 'end_of_stream_differs'
  | 'trailers_not_owed'
  | 'body_reply_first'
  | 'refusal_too_late'
  | 'invalid_header_name'
  | 'forbidden_header'
  | 'invalid_status';

/** Thrown instead of sending what Envoy would misread; the stream has then been failed already. */
export class ProtocolViolation extends Error {
  readonly code: ViolationCode;
  constructor(code: ViolationCode) {
    super(`protocol violation: ${code}`);
    this.name = 'ProtocolViolation';
    this.code = code;
  }
}
