import type { Server } from 'node:http';
import type { Socket } from 'node:net';

const POLL_MS = 50;

/**
 * Prepares a server that is not listening yet to be closed in order. The function that it returns takes no new connection,
 * lets requests under way finish, and cuts off after `graceMs` what has not. Node's own close waits for two kinds of
 * connections that nobody needs: those whose last answer ends only now, and those that clients opened in advance.
 */
export function closesInOrder(server: Server, graceMs: number): () => Promise<void> {
  const unused = new Set<Socket>();
  server.on('connection', (socket) => {
    unused.add(socket);
    socket.once('close', () => unused.delete(socket));
  });
  server.on('request', ({ socket }) => unused.delete(socket));
  server.on('upgrade', ({ socket }) => unused.delete(socket));

  return async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    const endNeedless = () => {
      server.closeIdleConnections();
      for (const socket of unused) socket.destroy();
    };
    const poll = setInterval(endNeedless, POLL_MS);
    const lastResort = setTimeout(() => server.closeAllConnections(), graceMs);
    endNeedless();
    await closed;
    clearInterval(poll);
    clearTimeout(lastResort);
  };
}
