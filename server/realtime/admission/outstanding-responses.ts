/**
 * Limits the unfinished responses of one connection, for clients that send requests without
 * reading.
 */
import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Ends connections with too many unfinished responses. Browsers have one at a time; only
 * pipelining clients have more.
 *
 * @param most unfinished responses allowed per connection
 * @param onExcess called for each connection that is ended
 */
export function limitOutstanding(http: Server, most: number, onExcess: () => void): void {
  const unfinished = new WeakMap<Socket, number>();
  // First, so that later listeners can see that the connection has ended.
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
