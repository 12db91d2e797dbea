/**
 * Limits TCP connections that waste capacity: connections without a request in progress, and
 * downloads that the client does not read. WebSockets have separate limits.
 */
import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { type Clock, repeat } from '../../platform/clock.ts';
import { addressKey } from './address-limits.ts';
import type { RejectionCounts, RejectionReason } from './connection-limits.ts';

/**
 * A connection is closed only if its client has read nothing of a response for this long, in ms.
 */
export const READ_TIMEOUT = 120_000;

interface Connection {
  readonly address: string;
  /** Number of responses that have not been sent completely yet. */
  unfinished: number;
  isWebSocket: boolean;
  /** Result of `progressOf` at the last check; undefined if no data was waiting to be sent. */
  progress?: string | undefined;
}

/**
 * Returns a value that changes whenever the client reads data. `writeQueueSize` (internal to Node)
 * shows progress even within one large write.
 *
 * @returns undefined if no data is waiting to be sent
 */
function progressOf(socket: Socket): string | undefined {
  if (socket.writableLength === 0) return undefined;
  const { _handle } = socket as unknown as {
    readonly _handle?: { readonly writeQueueSize: number };
  };
  return `${socket.bytesWritten - socket.writableLength} ${_handle?.writeQueueSize ?? 0}`;
}

/**
 * Keeps capacity free for new connections. If a network address or the server has too many
 * connections, closes the connection that has been idle longest. Also closes connections with too
 * many unfinished responses, and connections whose client does not read its responses.
 */
export class TcpConnectionLimit {
  private readonly connections = new Map<Socket, Connection>();
  private readonly perAddress = new Map<string, number>();
  /** Sockets without a request in progress, in the order in which they became idle. */
  private readonly idle = new Set<Socket>();

  constructor(
    http: Server,
    private readonly options: {
      readonly clock: Clock;
      readonly rejections: RejectionCounts;
      /**
       * Maximum number of connections, at least 1. If a new connection would exceed the maximum,
       * the connection that has been idle longest is closed. If none is idle, the oldest connection
       * that is not a WebSocket is closed.
       */
      readonly most: number;
      /**
       * Maximum number of connections per network address. Undefined behind a proxy, because all
       * connections then have the proxy's address.
       */
      readonly mostPerAddress: number | undefined;
      /**
       * Maximum number of unfinished responses per connection. If a client pipelines more requests,
       * its connection is closed.
       */
      readonly mostUnfinished: number;
    },
  ) {
    http.on('connection', (socket) => this.add(socket));
    // Prepend this listener, so that it can close the connection before other listeners handle the
    // request.
    http.prependListener('request', ({ socket }, response) => {
      const connection = this.connections.get(socket);
      if (!connection) return;
      if (++connection.unfinished > options.mostUnfinished) {
        this.close(socket, 'too-many-requests');
        return;
      }
      this.idle.delete(socket);
      response.once('close', () => {
        if (--connection.unfinished === 0 && this.connections.has(socket)) this.idle.add(socket);
      });
    });
    http.on('upgrade', ({ socket }) => {
      const connection = this.connections.get(socket);
      if (connection) connection.isWebSocket = true;
      this.idle.delete(socket);
    });
    http.once(
      'close',
      repeat(options.clock, READ_TIMEOUT, () => this.closeUnread()),
    );
  }

  /** Destroys all connections immediately, including WebSockets. */
  destroyAll(): void {
    for (const socket of this.connections.keys()) socket.destroy();
  }

  private add(socket: Socket): void {
    const { most, mostPerAddress = Number.POSITIVE_INFINITY, rejections } = this.options;
    const address = addressKey(socket.remoteAddress ?? '');
    const ofAddress = this.perAddress.get(address) ?? 0;
    if (ofAddress >= mostPerAddress && !this.closeIdle(address)) {
      rejections.count('too-many-connections');
      socket.destroy();
      return;
    }
    if (this.connections.size >= most) this.closeIdle() || this.closeOldest();
    // Read the count again, because `closeIdle` may have changed it.
    this.perAddress.set(address, (this.perAddress.get(address) ?? 0) + 1);
    this.connections.set(socket, { address, unfinished: 0, isWebSocket: false });
    this.idle.add(socket);
    socket.once('close', () => this.remove(socket));
  }

  private remove(socket: Socket): void {
    const connection = this.connections.get(socket);
    if (!connection) return;
    this.connections.delete(socket);
    this.idle.delete(socket);
    const left = this.perAddress.get(connection.address)! - 1;
    if (left === 0) this.perAddress.delete(connection.address);
    else this.perAddress.set(connection.address, left);
  }

  /**
   * Closes the connection that has been idle longest.
   *
   * @param address if given, only this address's connections are considered
   * @returns false if there was no idle connection
   */
  private closeIdle(address?: string): boolean {
    for (const socket of this.idle) {
      if (address !== undefined && this.connections.get(socket)!.address !== address) continue;
      this.close(socket, 'idle-connection');
      return true;
    }
    return false;
  }

  private closeOldest(): void {
    for (const [socket, { isWebSocket }] of this.connections) {
      if (isWebSocket) continue;
      this.close(socket, 'does-not-read');
      return;
    }
  }

  private close(socket: Socket, reason: RejectionReason): void {
    this.options.rejections.count(reason);
    this.remove(socket);
    socket.destroy();
  }

  /** Closes connections with unsent data whose clients have read nothing since the last call. */
  private closeUnread(): void {
    for (const [socket, connection] of this.connections) {
      if (connection.isWebSocket) continue;
      const last = connection.progress;
      connection.progress = progressOf(socket);
      if (last !== undefined && last === connection.progress) this.close(socket, 'does-not-read');
    }
  }
}
