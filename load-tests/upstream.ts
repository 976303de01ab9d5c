/** The provider under load: canned answers, as cheap as node:http allows. Ends with its parent. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { setImmediate as turn } from 'node:timers/promises';
import { answerTo } from './shapes.ts';

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  let body = '';
  request.setEncoding('utf8');
  for await (const piece of request) body += piece as string;
  const { status, contentType, chunks } = answerTo(request.url ?? '', body);
  const whole = chunks.length === 1 ? chunks[0] : undefined;
  response.writeHead(status, {
    ...(contentType !== undefined && { 'content-type': contentType }),
    ...(whole !== undefined && { 'content-length': Buffer.byteLength(whole) }),
  });
  for (const chunk of chunks) {
    response.write(chunk);
    // Its own write each, as a model's tokens come: Envoy may still read two at once.
    if (whole === undefined) await turn();
  }
  response.end();
}

const server = createServer((request, response) => {
  serve(request, response).catch(() => response.destroy());
});
server.keepAliveTimeout = 0;
server.listen({ host: '127.0.0.1', port: 0 });
await once(server, 'listening');
const address = server.address();
process.send?.({ port: typeof address === 'object' && address !== null ? address.port : 0 });
process.once('disconnect', () => process.exit(0));
