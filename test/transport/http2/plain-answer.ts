/** What the conformance suite asks for: answers with a body, whose flow can be watched. Not in the product. */
import { Buffer } from 'node:buffer';
import type { OpenStream } from '../../../src/transport/http2/stream.ts';

const STATUS_200 = Buffer.of(0x88);
/** The suite opens windows of a few bytes and counts what comes. */
const BODY = Buffer.from('a body to be counted byte by byte');

export const plainAnswer: OpenStream = (_head, stream) => ({
  data() {},
  ended() {
    stream.headers(STATUS_200, false);
    stream.bytes(BODY, true);
  },
  drained() {},
  closed() {},
});
