/** Speaks a conversation to a server through Node's own HTTP/2, and tells what came back on each call. */
import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import { connect } from 'node:http2';
import { type Call, PROCESS } from './scripts.ts';

/** What a client of gRPC would see. */
export interface Answer {
  readonly httpStatus: number;
  readonly grpc: boolean;
  /** Of all messages: how many and which. */
  readonly messages: string;
  readonly status: string;
  /** Words of ours; those of other methods are each library's. */
  readonly details: string;
}

export async function speak(address: string, calls: readonly Call[]): Promise<readonly string[]> {
  const client = connect(`http://${address}`);
  client.on('error', () => {});
  try {
    const answers = await Promise.all(calls.map((call) => speakCall(client, call)));
    return answers.map((answer) => JSON.stringify(answer));
  } finally {
    client.destroy();
  }
}

function speakCall(
  client: ReturnType<typeof connect>,
  { path, metadata, pieces, ending }: Call,
): Promise<Answer | 'cancelled'> {
  return new Promise((resolve) => {
    const request = client.request({
      ':method': 'POST',
      ':path': path,
      te: 'trailers',
      'content-type': 'application/grpc',
      ...metadata,
    });
    let head: Record<string, unknown> = {};
    let trailers: Record<string, unknown> = {};
    const body: Buffer[] = [];
    request.on('response', (fields) => {
      head = fields;
    });
    request.on('trailers', (fields) => {
      trailers = fields;
    });
    request.on('data', (bytes: Buffer) => {
      body.push(bytes);
      if (ending === 'cancel') request.close(8);
    });
    // The server has said all: so have we.
    request.on('end', () => request.end());
    request.on('error', () => {});
    request.on('close', () => {
      if (ending === 'cancel' && body.length > 0) {
        resolve('cancelled');
        return;
      }
      const last = 'grpc-status' in trailers ? trailers : head;
      const bytes = Buffer.concat(body);
      resolve({
        httpStatus: Number(head[':status']),
        // grpc-js says of what kind its bytes are, which it does not know either.
        grpc: String(head['content-type']).startsWith('application/grpc'),
        messages: `${bytes.length} ${createHash('sha256').update(bytes).digest('hex').slice(0, 16)}`,
        status: String(last['grpc-status']),
        details:
          path === PROCESS && ending !== 'deadline' && last['grpc-status'] !== '0'
            ? String(last['grpc-message'])
            : '',
      });
    });
    for (const piece of pieces) request.write(piece);
    if (ending === 'half_close') request.end();
  });
}
