/** How many responses of one connection may be unfinished: who asks on and on without reading is not served for ever. */
import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Ends each connection that has more requests under way than it may. Browsers have one; only who pipelines has more.
 *
 * @param most responses of a connection that may be unfinished
 * @param onExcess told of each connection that is ended
 */
export function limitOutstanding(http: Server, most: number, onExcess: () => void): void {
  const unfinished = new WeakMap<Socket, number>();
  // Before all others: what comes after it can see that the connection has ended.
  http.prependListener('request', ({ socket }, response) => {
    if (socket.destroyed) return;
    const count = (unfinished.get(socket) ?? 0) + 1;
    if (count > most) {
      onExcess();
      socket.destroy();
      return;
    }
    unfinished.set(socket, count);
    response.once('finish', () => unfinished.set(socket, unfinished.get(socket)! - 1));
  });
}
