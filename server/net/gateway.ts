/** Where websockets come in. */
import type { Server as HttpServer, IncomingMessage } from 'node:http';
import { Server } from 'socket.io';
import { DEFAULTS } from '../../shared/defaults.ts';
import { parser } from '../../shared/protocol/parser.ts';
import type { Clock } from '../clock.ts';
import type { Lobby } from './lobby.ts';
import { Session } from './session.ts';

/** A browser names the page that opens a socket; only our own pages may. Programs name none. */
function isSameOrigin(request: IncomingMessage): boolean {
  const { origin, host } = request.headers;
  if (!origin) return true;
  try {
    return new URL(origin).host === host;
  } catch {
    return false;
  }
}

export interface Gateway {
  /** Disconnects everybody and stops listening. */
  close(): Promise<void>;
}

export function openGateway(
  http: HttpServer,
  lobbies: ReadonlyMap<string, Lobby>,
  clock: Clock,
): Gateway {
  const io = new Server(http, {
    parser,
    transports: ['websocket'],
    allowUpgrades: false,
    serveClient: false,
    maxHttpBufferSize: DEFAULTS.net.maxMessageBytes,
    allowRequest: (request, decide) => decide(null, isSameOrigin(request)),
  });
  io.on('connection', (socket) => new Session(socket, lobbies, clock));
  return { close: () => io.close() };
}
