/** Where websockets come in. */
import type { Server as HttpServer, IncomingMessage } from 'node:http';
import type { Socket as TcpSocket } from 'node:net';
import { Server } from 'socket.io';
import { DEFAULTS } from '../../shared/defaults.ts';
import { parser } from '../../shared/protocol/parser.ts';
import type { Clock } from '../platform/clock.ts';
import type { Limits } from './admission/command-costs.ts';
import type { ConnectionAdmission } from './admission/connection-admission.ts';
import type { ConnectionRateLimiter } from './admission/connection-rate-limiter.ts';
import { limitOutstanding } from './admission/outstanding-responses.ts';
import type { RejectionCounts, RejectionReason } from './admission/rejection-counts.ts';
import { createWebSocketEngine } from './admission/websocket-engine.ts';
import { isWellFormed } from './admission/well-formed-message.ts';
import { ClientSession, type RoomDirectory } from './client-session.ts';
import type { NameCheck } from './sessions/display-names.ts';
import { Outbox } from './streaming/outbox.ts';

export interface Gateway {
  /** From now on nobody new gets in. */
  stopAdmitting(): void;
  /** Disconnects everybody and stops listening. */
  close(): Promise<void>;
}

export interface GatewayOptions {
  readonly rooms: RoomDirectory;
  readonly clock: Clock;
  readonly limits: Limits;
  readonly admission: ConnectionAdmission;
  readonly rejections: RejectionCounts;
  readonly names: NameCheck;
}

/** Engine.IO's own connection, as far as it is needed here. */
interface RawConnection {
  request: (IncomingMessage & { readonly _query?: Record<string, string> }) | null;
  /** Messages that the transport has not taken yet. */
  readonly writeBuffer: readonly unknown[];
  on(event: 'close', listener: (reason: string, cause?: unknown) => void): void;
  on(event: 'packetCreate', listener: (packet: Packet) => void): void;
  close(discard?: boolean): void;
}

/** One message of Engine.IO. */
interface Packet {
  readonly data?: string | Uint8Array;
}

/** How an HTTP server must be made so that nobody can hold it up by being slow. */
export function httpOptions({ handshakeSeconds }: Limits) {
  return {
    headersTimeout: handshakeSeconds * 1000,
    requestTimeout: handshakeSeconds * 1000,
    connectionsCheckingInterval: Math.min(1_000, handshakeSeconds * 500),
    maxHeaderSize: 8_192,
  };
}

/** Our parser, which first looks whether what strangers send may be decoded at all. */
function strictParser(refusals: RejectionCounts) {
  class Decoder extends parser.Decoder {
    override add(message: unknown): void {
      try {
        // Text messages are turned away by the decoder itself.
        if (typeof message !== 'string' && !isWellFormed(message as Uint8Array)) {
          throw new Error('not of the allowed kinds');
        }
        super.add(message);
      } catch (error) {
        refusals.count('malformed');
        throw error;
      }
    }
  }
  return { ...parser, Decoder };
}

/** Counts what the HTTP server turns away before there is a request. */
function watchHttp(http: HttpServer, limits: Limits, refusals: RejectionCounts): void {
  // Pages are fetched over connections of their own.
  http.maxConnections = 2 * limits.connections;
  limitOutstanding(http, limits.outstandingResponses, () => refusals.count('too-many-requests'));
  http.on('drop', () => refusals.count('too-many-connections'));
  http.on('clientError', (error: NodeJS.ErrnoException, socket: TcpSocket) => {
    // Who hangs up in the middle has done nothing wrong.
    if (error.code !== 'ECONNRESET' && error.code !== 'EPIPE') {
      const slow = error.code === 'ERR_HTTP_REQUEST_TIMEOUT';
      refusals.count(slow ? 'slow-handshake' : 'bad-handshake');
      if (socket.writable) {
        const status = slow ? '408 Request Timeout' : '400 Bad Request';
        socket.write(`HTTP/1.1 ${status}\r\nConnection: close\r\n\r\n`);
      }
    }
    socket.destroy(error);
  });
}

export function openGateway(http: HttpServer, options: GatewayOptions): Gateway {
  const {
    rooms: roomServers,
    clock,
    limits,
    admission: door,
    rejections: refusals,
    names,
  } = options;
  let open = true;
  const encoder = new parser.Encoder();
  const outbox = new Outbox((name, message) => {
    const data = [name, message];
    return encoder.encode({ type: parser.PacketType.EVENT, nsp: '/', data })[0];
  });
  /** Who watches over what comes in on a TCP connection. */
  const byWire = new WeakMap<object, ConnectionRateLimiter>();
  const io = new Server(http, {
    wsEngine: createWebSocketEngine({
      rejections: refusals,
      guard: (request) => {
        const rateLimiter = door.createRateLimiter(request);
        byWire.set(request.socket, rateLimiter);
        return rateLimiter;
      },
    }),
    parser: strictParser(refusals),
    transports: ['websocket'],
    allowUpgrades: false,
    perMessageDeflate: false,
    httpCompression: false,
    serveClient: false,
    pingInterval: DEFAULTS.net.pingInterval,
    pingTimeout: DEFAULTS.net.pingTimeout,
    connectTimeout: 2 * limits.handshakeSeconds * 1000,
    maxHttpBufferSize: DEFAULTS.net.maxMessageBytes,
    allowRequest: (request, decide) => {
      const reason = open ? door.admit(request) : 'shutting-down';
      decide(reason ?? null, reason === undefined);
    },
  });
  // After Engine.IO has put itself before all listeners of requests.
  watchHttp(http, limits, refusals);
  io.engine.use(
    (
      { _query }: { _query: Record<string, string> },
      response: { req: unknown },
      next: (error?: Error) => void,
    ) => {
      // What would answer the handshake waits for its connection's end, and would keep the request until then.
      response.req = null;
      // A known session id would pass by `allowRequest`; over websockets alone nobody needs one.
      next(_query.sid === undefined ? undefined : new Error('no session ids'));
    },
  );
  io.engine.on('connection_error', ({ code }: { code: number }) => {
    const forbidden = 4;
    // Those that the door turns away are counted there.
    if (code !== forbidden) refusals.count('bad-handshake');
  });
  const rateLimiters = new WeakMap<object, ConnectionRateLimiter>();
  /** Called when one has said hello. */
  const greetings = new WeakMap<object, () => void>();
  io.engine.on('connection', (raw: RawConnection) => {
    const request = raw.request;
    if (!request) return;
    const tcp = request.socket;
    const rateLimiter = byWire.get(tcp);
    if (rateLimiter) rateLimiters.set(raw, rateLimiter);
    // Frames stop by themselves where nothing is read. Answers and news do not: what is asked for is answered.
    let unsent = 0;
    raw.on('packetCreate', ({ data }) => {
      if (raw.writeBuffer.length === 0) unsent = 0;
      const unread = unsent + tcp.writableLength;
      unsent += data?.length ?? 0;
      if (tcp.destroyed || unread <= limits.unreadBytes) return;
      refusals.count('does-not-read');
      tcp.destroy();
    });
    // Socket.IO has such a timer too, but does not say when it has struck.
    greetings.set(
      raw,
      clock.after(limits.handshakeSeconds * 1000, () => {
        refusals.count('slow-handshake');
        raw.close(true);
      }),
    );
    raw.on('close', (reason, cause) => {
      greetings.get(raw)?.();
      const turned = reason === 'parse error' ? 'malformed' : brokenFrame(cause);
      if (turned) refusals.count(turned);
    });
    // The request of the handshake would be kept for as long as the connection.
    raw.request = null;
  });
  io.on('connection', (socket) => {
    greetings.get(socket.conn)?.();
    greetings.delete(socket.conn);
    const rateLimiter = rateLimiters.get(socket.conn);
    if (!rateLimiter) return socket.disconnect(true);
    new ClientSession(socket, roomServers, clock, rateLimiter, names, outbox);
    // A connection is one session: who leaves it has hung up.
    socket.on('disconnect', () => socket.conn.close());
  });
  return {
    stopAdmitting: () => {
      open = false;
    },
    close: () => io.close(),
  };
}

/** Why `ws` gave a connection up, which Engine.IO passes on as a text only. */
function brokenFrame(cause: unknown): RejectionReason | undefined {
  const text = cause instanceof Error ? cause.message : '';
  if (text.includes('Max payload size exceeded')) return 'too-large';
  if (/Too many (message fragments|buffered chunks)/.test(text)) return 'too-many-fragments';
  return text.includes('Invalid WebSocket frame') ? 'malformed' : undefined;
}
