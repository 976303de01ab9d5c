/** Loaded before a server that would listen on all interfaces: it gets the loopback address instead. */
import { Server } from 'node:net';

const { listen } = Server.prototype;
Server.prototype.listen = function listenAtHome(...args) {
  const ready = args.find((arg) => typeof arg === 'function');
  return listen.call(this, 0, '127.0.0.1', () => {
    process.stdout.write(`${JSON.stringify({ port: this.address().port })}\n`);
    ready?.();
  });
};
