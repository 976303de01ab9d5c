import { createServer } from 'node:net';

function listenBriefly(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ host: '127.0.0.1', port }, () => {
      const address = server.address();
      const found = typeof address === 'object' && address !== null ? address.port : 0;
      server.close(() => resolve(found));
    });
  });
}

/** `preferred` when it is free on the loopback address, else a free port. */
export async function freePort(preferred = 0): Promise<number> {
  try {
    return await listenBriefly(preferred);
  } catch {
    return listenBriefly(0);
  }
}
