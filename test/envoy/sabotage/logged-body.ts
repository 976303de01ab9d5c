/** A build that logs request bodies, in base64 so that nobody reads them by accident. */
import { RequestSide } from '../../../src/engine/request-side.ts';

const body = RequestSide.prototype.body;
RequestSide.prototype.body = function (event) {
  process.stderr.write(
    `${JSON.stringify({ body: Buffer.from(event.bytes).toString('base64') })}\n`,
  );
  body.call(this, event);
};
