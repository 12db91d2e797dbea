/**
 * Accepts WebSocket connections, and starts a `ClientSession` for each connection. Start reading at
 * `openSocketServer`.
 */
import type { Server as HttpServer, IncomingMessage } from 'node:http';
import type { Socket as TcpSocket } from 'node:net';
import { Server } from 'socket.io';
import { parser } from '../../shared/protocol/parser.ts';
import type { Clock } from '../platform/clock.ts';
import type { RoomDirectory } from './commands/client-messages.ts';
import { allButReserve } from './limits/address-limits.ts';
import {
  type ConnectionLimits,
  type ConnectionRateLimiter,
  type Limits,
  MAX_MESSAGE_BYTES,
  type RejectionCounts,
  type RejectionReason,
  WRONG_HOST_RESPONSE,
} from './limits/connection-limits.ts';
import { TcpConnectionLimit } from './limits/tcp-connections.ts';
import { createWebSocketEngine, isWellFormed } from './limits/websocket-engine.ts';
import type { NameCheck } from './names/display-names.ts';
import { ClientSession } from './sessions/client-session.ts';
import { Outbox } from './streaming/outbox.ts';

/** How long a server that shuts down waits for connections to close, in ms. */
export const CLOSE_GRACE = 2_000;

/**
 * Interval and timeout of pings to clients, in ms. Both are short, because missing pings are a
 * client's only sign that the server has lost power.
 */
export const PING = { pingInterval: 5_000, pingTimeout: 10_000 } as const;

/** How a gateway that shuts down makes its pages reconnect to other gateways. */
export const MOVING = {
  /** Period over which the requests to reconnect are spread, in ms. */
  time: 2_000,
  /** Time between two groups of requests to reconnect, in ms. */
  every: 20,
} as const;

/** URL path at which Engine.IO accepts connections. */
const SOCKET_PATH = '/socket.io/';

interface SocketServerOptions {
  readonly rooms: RoomDirectory;
  readonly clock: Clock;
  readonly limits: Limits;
  readonly connectionLimits: ConnectionLimits;
  /** Number of trusted proxies in front of the server. */
  readonly trustProxy: number;
  readonly rejections: RejectionCounts;
  readonly names: NameCheck;
}

/** The parts of an Engine.IO connection that this module uses. */
interface RawConnection {
  request: IncomingMessage | null;
  /** Packets that the transport has not sent yet. */
  readonly writeBuffer: readonly unknown[];
  on(event: 'close', listener: (reason: string, cause?: unknown) => void): void;
  on(
    event: 'packetCreate',
    listener: (packet: { readonly data?: string | Uint8Array }) => void,
  ): void;
  close(discard?: boolean): void;
}

/** Returns options that make the HTTP server disconnect slow clients. */
export function httpOptions({ handshakeSeconds }: Limits) {
  return {
    headersTimeout: handshakeSeconds * 1000,
    requestTimeout: handshakeSeconds * 1000,
    connectionsCheckingInterval: Math.min(1_000, handshakeSeconds * 500),
    maxHeaderSize: 8_192,
  };
}

/** Returns a Socket.IO parser that checks each message before decoding it. */
function strictParser(rejections: RejectionCounts) {
  class Decoder extends parser.Decoder {
    override add(message: unknown): void {
      try {
        // Check only binary messages here. The decoder itself rejects text messages.
        if (typeof message !== 'string' && !isWellFormed(message as Uint8Array)) {
          throw new Error('not of the allowed kinds');
        }
        super.add(message);
      } catch (error) {
        rejections.count('malformed');
        throw error;
      }
    }
  }
  return { ...parser, Decoder };
}

/**
 * Limits the TCP connections of the HTTP server, and counts the connections that are rejected
 * before they have sent a valid request.
 *
 * @returns the connection limiter
 */
function watchHttp(http: HttpServer, options: SocketServerOptions): TcpConnectionLimit {
  const { clock, limits, trustProxy, rejections } = options;
  // Browsers open additional connections to load pages, so allow twice as many TCP connections as
  // WebSockets.
  http.maxConnections = 2 * limits.connections;
  // Limit connections before Node's own limit, `maxConnections`, takes effect. Node counts a closed
  // connection until the next turn of the event loop, and would reject new connections too early.
  const most = Math.ceil(0.9 * http.maxConnections);
  const connections = new TcpConnectionLimit(http, {
    ...{ clock, rejections, most, mostUnfinished: limits.outstandingResponses },
    mostPerAddress:
      trustProxy > 0 ? undefined : Math.min(2 * limits.connectionsPerAddress, allButReserve(most)),
  });
  // Destroy upgraded sockets for other paths. No code would read or limit these sockets.
  http.on('upgrade', ({ url = '' }: IncomingMessage, socket: TcpSocket) => {
    if (url.startsWith(SOCKET_PATH)) return;
    rejections.count('bad-handshake');
    socket.destroy();
  });
  http.on('drop', () => rejections.count('too-many-connections'));
  http.on('clientError', (error: NodeJS.ErrnoException, socket: TcpSocket) => {
    // Do not count clients that disconnect in the middle of a request.
    if (error.code !== 'ECONNRESET' && error.code !== 'EPIPE') {
      const slow = error.code === 'ERR_HTTP_REQUEST_TIMEOUT';
      rejections.count(slow ? 'slow-handshake' : 'bad-handshake');
      if (socket.writable) {
        const status = slow ? '408 Request Timeout' : '400 Bad Request';
        socket.write(`HTTP/1.1 ${status}\r\nConnection: close\r\n\r\n`);
      }
    }
    socket.destroy(error);
  });
  return connections;
}

/**
 * Ends a connection if the client does not read its messages, or if its handshake takes too long.
 * Counts a rejection if the client sends invalid data.
 *
 * @returns a function that cancels the time limit for the handshake
 */
function limitConnection(
  raw: RawConnection,
  tcp: TcpSocket,
  { clock, limits, rejections }: SocketServerOptions,
): () => void {
  // Limit the bytes that wait for the client. If a client stops reading, its unsent messages would
  // fill the memory.
  let unsent = 0;
  raw.on('packetCreate', ({ data }) => {
    if (raw.writeBuffer.length === 0) unsent = 0;
    const unread = unsent + tcp.writableLength;
    unsent += data?.length ?? 0;
    if (tcp.destroyed || unread <= limits.unreadBytes) return;
    rejections.count('does-not-read');
    tcp.destroy();
  });
  // Use a separate timer, because Socket.IO does not report its own handshake timeout.
  const cancelTimeout = clock.after(limits.handshakeSeconds * 1000, () => {
    rejections.count('slow-handshake');
    raw.close(true);
  });
  raw.on('close', (reason, cause) => {
    cancelTimeout();
    const turned = reason === 'parse error' ? 'malformed' : brokenFrame(cause);
    // If this server destroyed the connection, the rejection has already been counted.
    if (turned && !tcp.destroyed) rejections.count(turned);
  });
  return cancelTimeout;
}

/** Attaches a socket server to an HTTP server. */
export function openSocketServer(http: HttpServer, options: SocketServerOptions) {
  const { rooms, clock, limits, connectionLimits, rejections, names } = options;
  let open = true;
  const sessions = new Set<ClientSession>();
  const outbox = new Outbox();
  /** Rate limiters by TCP socket. */
  const byWire = new WeakMap<object, ConnectionRateLimiter>();
  const io = new Server(http, {
    wsEngine: createWebSocketEngine(rejections, (request) => {
      const rateLimiter = connectionLimits.createRateLimiter(request);
      byWire.set(request.socket, rateLimiter);
      return rateLimiter;
    }),
    parser: strictParser(rejections),
    path: SOCKET_PATH,
    destroyUpgrade: false,
    transports: ['websocket'],
    perMessageDeflate: false,
    serveClient: false,
    ...PING,
    connectTimeout: 2 * limits.handshakeSeconds * 1000,
    maxHttpBufferSize: MAX_MESSAGE_BYTES,
    allowRequest: (request, decide) => {
      if (!connectionLimits.admitHost(request)) {
        // Answer here, because Engine.IO would answer with status 400 instead of 421.
        request.socket.end(WRONG_HOST_RESPONSE);
        return decide(null, false);
      }
      const reason = open ? connectionLimits.admit(request) : 'shutting-down';
      decide(reason ?? null, reason === undefined);
    },
  });
  // `watchHttp` prepends a request listener that must run before the listener of Engine.IO. So call
  // `watchHttp` after Engine.IO has added its listener.
  const connections = watchHttp(http, options);
  io.engine.use(
    (
      { _query }: { readonly _query: Readonly<Record<string, string>> },
      response: { req: unknown },
      next: (error?: Error) => void,
    ) => {
      // Drop the request, which would otherwise stay in memory as long as the connection lasts.
      response.req = null;
      // Reject requests with a session id, which could bypass the checks in `allowRequest`.
      next(_query.sid === undefined ? undefined : new Error('no session ids'));
    },
  );
  io.engine.on('connection_error', ({ code }: { code: number }) => {
    const forbidden = 4;
    // Do not count `forbidden` connections: `ConnectionLimits` has already counted them.
    if (code !== forbidden) rejections.count('bad-handshake');
  });
  /** Rate limiter and handshake timeout of each admitted connection. */
  const admitted = new WeakMap<
    object,
    { readonly rateLimiter: ConnectionRateLimiter; cancelTimeout(): void }
  >();
  io.engine.on('connection', (raw: RawConnection) => {
    const request = raw.request;
    if (!request) return;
    const tcp = request.socket;
    const cancelTimeout = limitConnection(raw, tcp, options);
    const rateLimiter = byWire.get(tcp);
    if (rateLimiter) admitted.set(raw, { rateLimiter, cancelTimeout });
    // Drop the request, which would otherwise stay in memory as long as the connection lasts.
    raw.request = null;
  });
  io.on('connection', (socket) => {
    const found = admitted.get(socket.conn);
    if (!found) return socket.disconnect(true);
    found.cancelTimeout();
    const { rateLimiter } = found;
    const session = new ClientSession({ socket, rooms, clock, rateLimiter, names, outbox });
    // The constructor of `ClientSession` has disconnected the socket if the client's join was
    // refused.
    if (!socket.connected) return;
    sessions.add(session);
    socket.on('disconnect', () => sessions.delete(session));
    // Close the connection when its only session ends.
    socket.on('disconnect', () => socket.conn.close());
  });
  return {
    stopAdmitting: (): void => {
      open = false;
    },
    /**
     * Stops accepting connections, and makes all pages reconnect. A load balancer then connects the
     * pages to other servers.
     *
     * @param time period over which groups of pages reconnect, in ms; 0 to make all pages reconnect
     *   together
     */
    moveAway: async (time: number): Promise<void> => {
      http.close();
      const atOnce = Math.ceil((sessions.size * MOVING.every) / Math.max(time, MOVING.every));
      const end = clock.now() + 2 * Math.max(time, MOVING.every);
      while (sessions.size > 0 && clock.now() < end) {
        for (const session of [...sessions].slice(0, atOnce)) {
          sessions.delete(session);
          session.moveAway();
        }
        await new Promise<void>((go) => clock.after(MOVING.every, go));
      }
      // Move any sessions that remain.
      for (const session of sessions) session.moveAway();
    },
    /** Closes all connections, including unresponsive ones, and the HTTP server. */
    close: async (): Promise<void> => {
      connectionLimits.close();
      // Destroy connections that remain after a while: a phone out of reach never answers the close
      // handshake.
      const cancel = clock.after(CLOSE_GRACE, () => connections.destroyAll());
      await io.close();
      cancel();
    },
  };
}

/**
 * Finds out, from the text of an error, why the WebSocket library `ws` rejected a client's data;
 * undefined if the data were valid.
 */
function brokenFrame(cause: unknown): RejectionReason | undefined {
  const text = cause instanceof Error ? cause.message : '';
  if (text.includes('Max payload size exceeded')) return 'too-large';
  if (/Too many (message fragments|buffered chunks)/.test(text)) return 'too-many-fragments';
  return text.includes('Invalid WebSocket frame') ? 'malformed' : undefined;
}
