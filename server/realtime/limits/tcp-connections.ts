/**
 * Limits the TCP connections that only take up room: silent ones, idle ones, and downloads that
 * nobody reads. The connections of WebSockets are left alone; they have limits of their own.
 */
import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { DEFAULTS } from '../../../shared/defaults.ts';
import type { Clock } from '../../platform/clock.ts';
import { addressKey } from './address-limits.ts';
import type { RejectionCounts, RejectionReason } from './connection-limits.ts';

interface Connection {
  readonly address: string;
  /** Responses that have not been sent completely. */
  unfinished: number;
  isWebSocket: boolean;
  /** At the last check; undefined if nothing was waiting to be sent. */
  progress: string | undefined;
}

/**
 * What changes whenever a client reads. Completed writes alone would not: a large response may be a
 * single one, of which the system reports what is left, as Node's own timeouts use it.
 */
function progressOf(socket: Socket): string | undefined {
  if (socket.writableLength === 0) return undefined;
  const { _handle } = socket as unknown as {
    readonly _handle?: { readonly writeQueueSize: number };
  };
  return `${socket.bytesWritten - socket.writableLength} ${_handle?.writeQueueSize ?? 0}`;
}

/**
 * Keeps room for new connections: when an address, or the server, has too many, the one that has
 * been idle for longest is closed. Whoever speaks at once is therefore never locked out by
 * connections that do not. Responses that are not read are ended.
 */
export class TcpConnectionLimit {
  private readonly connections = new Map<Socket, Connection>();
  private readonly perAddress = new Map<string, number>();
  /** Without a request in progress, the longest idle first. */
  private readonly idle = new Set<Socket>();
  private cancelCheck: () => void;

  constructor(
    http: Server,
    private readonly options: {
      readonly clock: Clock;
      readonly rejections: RejectionCounts;
      /**
       * Connections in total; above this the longest idle one is closed, or if none is idle, the
       * oldest. At least 1.
       */
      readonly most: number;
      /** Connections per address; undefined behind a proxy, whose address all of them have. */
      readonly mostPerAddress: number | undefined;
    },
  ) {
    http.on('connection', (socket) => this.add(socket));
    http.prependListener('request', ({ socket }, response) => {
      const connection = this.connections.get(socket);
      if (!connection) return;
      connection.unfinished++;
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
    http.once('close', () => this.cancelCheck());
    this.cancelCheck = this.scheduleCheck();
  }

  /** Ends all connections at once, those of WebSockets too. */
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
    // Closing an idle connection of this address has changed its number.
    this.perAddress.set(address, (this.perAddress.get(address) ?? 0) + 1);
    this.connections.set(socket, {
      address,
      unfinished: 0,
      isWebSocket: false,
      progress: undefined,
    });
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

  /** @param address undefined: of any address. @returns whether there was one */
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

  private scheduleCheck(): () => void {
    return this.options.clock.after(DEFAULTS.net.readTimeout, () => {
      for (const [socket, connection] of this.connections) {
        if (connection.isWebSocket) continue;
        const last = connection.progress;
        connection.progress = progressOf(socket);
        if (last !== undefined && last === connection.progress) this.close(socket, 'does-not-read');
      }
      this.cancelCheck = this.scheduleCheck();
    });
  }
}

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
