/**
 * Accepts WebSocket connections and starts a session for each of them. It does not read their
 * messages: see sessions/client-session.ts. Start at `openSocketServer`.
 */
import type { Server as HttpServer, IncomingMessage } from 'node:http';
import type { Socket as TcpSocket } from 'node:net';
import { Server } from 'socket.io';
import { parser } from '../../shared/protocol/parser.ts';
import type { Clock } from '../platform/clock.ts';
import { allButReserve } from './limits/address-limits.ts';
import {
  type ConnectionLimits,
  type ConnectionRateLimiter,
  type Limits,
  type RejectionCounts,
  type RejectionReason,
  WRONG_HOST_RESPONSE,
} from './limits/connection-limits.ts';
import { TcpConnectionLimit } from './limits/tcp-connections.ts';
import { createWebSocketEngine, isWellFormed } from './limits/websocket-engine.ts';
import type { NameCheck } from './names/display-names.ts';
import { ClientSession } from './sessions/client-session.ts';
import type { RoomDirectory } from './sessions/local-session.ts';
import { Outbox } from './streaming/outbox.ts';

/** Maximum size of an inbound message, in bytes. */
const MAX_MESSAGE_BYTES = 16_384;

/**
 * How long a server that is shutting down waits for connections to close before it cuts them, in
 * ms.
 */
export const CLOSE_GRACE = 2_000;

/**
 * Interval and timeout of pings, in ms. A server that lost power closes no connections, so clients
 * must notice quickly.
 */
export const PING = { pingInterval: 5_000, pingTimeout: 10_000 } as const;

/** How a gateway that is shutting down moves its pages to other gateways; times are in ms. */
export const MOVING = {
  /** How long it takes until all pages are notified, in ms. */
  time: 2_000,
  /** Time between the notifications of two groups of pages, in ms. */
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

/** The parts of an Engine.IO connection that are used here. */
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

/** Returns options that make the HTTP server time out slow clients. */
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
        // Check only binary messages, because the decoder itself rejects text messages.
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
 * Limits the HTTP server's connections, and counts what the server rejects before there is a
 * request.
 *
 * @returns all connections of the server
 */
function watchHttp(http: HttpServer, options: SocketServerOptions): TcpConnectionLimit {
  const { clock, limits, trustProxy, rejections } = options;
  // Allow twice the limit, because page requests use connections of their own.
  http.maxConnections = 2 * limits.connections;
  // Stay below Node's limit, because closed connections still count until the next turn of the
  // event loop.
  const most = Math.ceil(0.9 * http.maxConnections);
  const connections = new TcpConnectionLimit(http, {
    ...{ clock, rejections, most, mostUnfinished: limits.outstandingResponses },
    mostPerAddress:
      trustProxy > 0 ? undefined : Math.min(2 * limits.connectionsPerAddress, allButReserve(most)),
  });
  // Only Engine.IO upgrades connections. Destroy any other upgraded socket, because nothing would
  // read it or limit it.
  http.on('upgrade', ({ url = '' }: IncomingMessage, socket: TcpSocket) => {
    if (url.startsWith(SOCKET_PATH)) return;
    rejections.count('bad-handshake');
    socket.destroy();
  });
  http.on('drop', () => rejections.count('too-many-connections'));
  http.on('clientError', (error: NodeJS.ErrnoException, socket: TcpSocket) => {
    // A client that disconnects midway has done nothing wrong, so do not count it.
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
 * Ends a connection that does not read its messages, or whose handshake takes too long. Counts data
 * that is not valid.
 *
 * @returns a function that cancels the time limit for the handshake
 */
function limitConnection(
  raw: RawConnection,
  tcp: TcpSocket,
  { clock, limits, rejections }: SocketServerOptions,
): () => void {
  // If the client does not read, frames stop by themselves, but answers and events do not. Limit
  // the bytes that are waiting to be read.
  let unsent = 0;
  raw.on('packetCreate', ({ data }) => {
    if (raw.writeBuffer.length === 0) unsent = 0;
    const unread = unsent + tcp.writableLength;
    unsent += data?.length ?? 0;
    if (tcp.destroyed || unread <= limits.unreadBytes) return;
    rejections.count('does-not-read');
    tcp.destroy();
  });
  // Socket.IO has such a time limit, too, but does not report when it has passed.
  const cancelTimeout = clock.after(limits.handshakeSeconds * 1000, () => {
    rejections.count('slow-handshake');
    raw.close(true);
  });
  raw.on('close', (reason, cause) => {
    cancelTimeout();
    const turned = reason === 'parse error' ? 'malformed' : brokenFrame(cause);
    // If the server has ended the connection, do not count it again, because its last bytes may be
    // broken, too.
    if (turned && !tcp.destroyed) rejections.count(turned);
  });
  return cancelTimeout;
}

/** Attaches a socket server to an HTTP server. */
export function openSocketServer(http: HttpServer, options: SocketServerOptions) {
  const { rooms, clock, limits, connectionLimits, rejections, names } = options;
  let open = true;
  const sessions = new Set<ClientSession>();
  const encoder = new parser.Encoder();
  const outbox = new Outbox((name, message) => {
    const data = [name, message];
    return encoder.encode({ type: parser.PacketType.EVENT, nsp: '/', data })[0];
  });
  /** For each TCP connection, its rate limiter. */
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
        // End the connection here, because Engine.IO would answer with status 400.
        request.socket.end(WRONG_HOST_RESPONSE);
        return decide(null, false);
      }
      const reason = open ? connectionLimits.admit(request) : 'shutting-down';
      decide(reason ?? null, reason === undefined);
    },
  });
  // Call this after Engine.IO has prepended its request listener.
  const connections = watchHttp(http, options);
  io.engine.use(
    (
      { _query }: { readonly _query: Readonly<Record<string, string>> },
      response: { req: unknown },
      next: (error?: Error) => void,
    ) => {
      // Drop the request, which the handshake's response would keep in memory for as long as the
      // connection lasts.
      response.req = null;
      // Reject session ids, because a known one would bypass `allowRequest`. Clients need none,
      // because polling is off.
      next(_query.sid === undefined ? undefined : new Error('no session ids'));
    },
  );
  io.engine.on('connection_error', ({ code }: { code: number }) => {
    const forbidden = 4;
    // Do not count connections that `ConnectionLimits` has rejected, because it has already counted
    // them.
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
    // Drop the handshake's request, which would stay in memory for as long as the connection lasts.
    raw.request = null;
  });
  io.on('connection', (socket) => {
    const found = admitted.get(socket.conn);
    if (!found) return socket.disconnect(true);
    found.cancelTimeout();
    const { rateLimiter } = found;
    const session = new ClientSession({ socket, rooms, clock, rateLimiter, names, outbox });
    // Stop here if the join in the handshake was refused and the connection therefore ended.
    if (!socket.connected) return;
    sessions.add(session);
    socket.on('disconnect', () => sessions.delete(session));
    // Each connection has only one session, so close the connection when the session ends.
    socket.on('disconnect', () => socket.conn.close());
  });
  return {
    /** Rejects new connections from now on. */
    stopAdmitting: (): void => {
      open = false;
    },
    /**
     * Stops accepting connections, and makes all pages reconnect. The load balancer then connects
     * them to another server that has the same rooms.
     *
     * @param time period during which pages reconnect, a few at a time, in ms; 0 to reconnect all
     *   at the same time
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
      // If the loop above was delayed, some sessions may be left, so move them away now.
      for (const session of sessions) session.moveAway();
    },
    /** Closes all connections, including unresponsive ones, and the HTTP server. */
    close: async (): Promise<void> => {
      connectionLimits.close();
      // Destroy the remaining connections after a while, because a phone that has vanished never
      // answers the close handshake, and an incomplete request never ends.
      const cancel = clock.after(CLOSE_GRACE, () => connections.destroyAll());
      await io.close();
      cancel();
    },
  };
}

/** Returns why `ws` closed a connection. Engine.IO passes the reason on only as text. */
function brokenFrame(cause: unknown): RejectionReason | undefined {
  const text = cause instanceof Error ? cause.message : '';
  if (text.includes('Max payload size exceeded')) return 'too-large';
  if (/Too many (message fragments|buffered chunks)/.test(text)) return 'too-many-fragments';
  return text.includes('Invalid WebSocket frame') ? 'malformed' : undefined;
}
